//! What the pages of connecting say.

use crate::pages::{Markup, Page};

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
pub(super) fn consent(asked: &Asked<'_>) -> Page {
    let client = asked.client.unwrap_or("a client without a name");
    let mut body = Markup::new()
        .tag("<p>You are signed in as <strong>")
        .text(asked.subject)
        .tag("</strong>. Your client <strong>")
        .text(client)
        .tag("</strong> wants to use a server for you that you have not connected yet.</p>")
        .tag("<dl><dt>Server</dt><dd>")
        .text(asked.server)
        .tag(" at <strong>")
        .text(asked.host)
        .tag("</strong></dd>")
        .fact("Who will ask you", asked.issuer)
        .tag("<dt>What it is asked for</dt><dd>");
    body = match asked.scopes {
        "" => body.tag("whatever it finds right"),
        scopes => body
            .tag("<ul>")
            .each(scopes.split(' '), |list, scope| {
                list.tag("<li><code>").text(scope).tag("</code></li>")
            })
            .tag("</ul>"),
    };
    let body = body
        .tag("</dd></dl><p>The gateway keeps what you grant, sealed, and uses it for your calls only. ")
        .tag("Do not go on if you did not just ask for this yourself.</p>")
        .tag("<form method=\"post\" action=\"")
        .text(asked.action)
        .tag("\">")
        .hidden("csrf", asked.csrf)
        .tag("<div class=\"buttons\"><button class=\"go\" name=\"decision\" value=\"agree\">Go on</button>")
        .tag("<button name=\"decision\" value=\"decline\">Do not connect</button></div></form>");
    Page::new("Connect a server", body)
}

/// The way to where they agree. It is a link that a person follows: a form may not be redirected there.
pub(super) fn onward(issuer: &str, url: &str) -> Page {
    let body = Markup::new()
        .tag("<p>One step is left: ")
        .text(issuer)
        .tag(" asks you to agree.</p><p class=\"buttons\"><a rel=\"noreferrer\" class=\"button go\" href=\"")
        .text(url)
        .tag("\">Continue to ")
        .text(issuer)
        .tag("</a></p>");
    Page::new("Almost there", body)
}

/// It is done.
pub(super) fn done(server: &str) -> Page {
    let body = Markup::new()
        .tag("<p>The server <strong>")
        .text(server)
        .tag("</strong> is connected. You can close this page and try again what you were doing.</p>");
    Page::new("Connected", body)
}

/// It is not done.
pub(super) fn failed(why: &str) -> Page {
    let body = Markup::new()
        .tag("<p>")
        .text(why)
        .tag("</p><p>Nothing was connected. Try again what you were doing to get a new link.</p>");
    Page::new("Not connected", body)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        })
        .html(None);
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
