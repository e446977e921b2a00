//! The pages, as plain as they can be. Every text that anybody else chose is escaped.

use std::fmt::Write;

/// A page with a title and these paragraphs of markup.
fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>\n"
    )
}

/// What somebody is about to grant.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) server: &'a str,
    /// Where the server is.
    pub(super) host: &'a str,
    /// Who will ask them to agree.
    pub(super) issuer: &'a str,
    pub(super) client: Option<&'a str>,
    pub(super) subject: &'a str,
    pub(super) scopes: &'a str,
    /// Where the form goes.
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
}

/// The page before anything is granted.
pub(super) fn consent(asked: &Asked<'_>) -> String {
    let mut body = String::new();
    let client = asked.client.unwrap_or("a client without a name");
    let _ = write!(
        body,
        "<p>You are signed in as <strong>{}</strong>. Your client <strong>{}</strong> wants to use a \
         server for you that you have not connected yet.</p><dl>\
         <dt>Server</dt><dd>{} at <strong>{}</strong></dd>\
         <dt>You will be asked to agree by</dt><dd><strong>{}</strong></dd>\
         <dt>It is asked for</dt><dd>",
        escaped(asked.subject),
        escaped(client),
        escaped(asked.server),
        escaped(asked.host),
        escaped(asked.issuer),
    );
    if asked.scopes.is_empty() {
        body.push_str("whatever it finds right");
    } else {
        body.push_str("<ul>");
        for scope in asked.scopes.split(' ') {
            let _ = write!(body, "<li><code>{}</code></li>", escaped(scope));
        }
        body.push_str("</ul>");
    }
    let _ = write!(
        body,
        "</dd></dl><p>The gateway keeps what you grant, sealed, and uses it for your calls only. Do not \
         go on if you did not just ask for this yourself.</p>\
         <form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
         <button name=\"decision\" value=\"agree\">Go on</button> \
         <button name=\"decision\" value=\"decline\">Do not connect</button></form>",
        escaped(asked.action),
        escaped(asked.csrf),
    );
    page("Connect a server", &body)
}

/// The way to where they agree. It is a link that a person follows: a form may not be redirected there.
pub(super) fn onward(issuer: &str, url: &str) -> String {
    let body = format!(
        "<p><a rel=\"noreferrer\" href=\"{}\">Continue to {}</a></p>",
        escaped(url),
        escaped(issuer)
    );
    page("Almost there", &body)
}

/// It is done.
pub(super) fn done(server: &str) -> String {
    let body = format!(
        "<p>The server <strong>{}</strong> is connected. You can close this page and try again what you \
         were doing.</p>",
        escaped(server)
    );
    page("Connected", &body)
}

/// It is not done.
pub(super) fn failed(why: &str) -> String {
    let body = format!(
        "<p>{}</p><p>Nothing was connected. Try again what you were doing to get a new link.</p>",
        escaped(why)
    );
    page("Not connected", &body)
}

fn escaped(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => clean.push_str("&amp;"),
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '"' => clean.push_str("&quot;"),
            '\'' => clean.push_str("&#39;"),
            hidden if hidden.is_control() || is_direction(hidden) => clean.push('\u{fffd}'),
            other => clean.push(other),
        }
    }
    clean
}

/// Characters that turn text around, so that it reads as something else.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_4_what_others_chose_is_text_and_nothing_else() {
        let evil = "\"><script>alert(1)</script>' &\u{202e}";
        let html = consent(&Asked {
            server: evil,
            host: evil,
            issuer: evil,
            client: Some(evil),
            subject: evil,
            scopes: evil,
            action: "/connect/agree",
            csrf: evil,
        });
        for html in [html, onward(evil, evil), done(evil), failed(evil)] {
            assert!(
                !html.contains("<script") && !html.contains('\u{202e}'),
                "{html}"
            );
            assert!(!html.contains("' &"), "{html}");
        }
    }

    #[test]
    fn the_page_names_the_server_its_host_the_scopes_and_who_asks() {
        let html = consent(&Asked {
            server: "files",
            host: "files.example.com",
            issuer: "https://as.example.com",
            client: Some("editor"),
            subject: "alice",
            scopes: "read write",
            action: "/connect/agree",
            csrf: "c",
        });
        for part in [
            "files",
            "files.example.com",
            "https://as.example.com",
            "editor",
            "alice",
        ] {
            assert!(html.contains(part), "{part}");
        }
        assert!(html.contains("<code>read</code>") && html.contains("<code>write</code>"));
    }
}
