//! What the pages say. A person who reads one of them decides whether a program may act as them, so what
//! others chose is told apart from what is known.

use super::journey::COOKIE;
use crate::body::Body;
use crate::pages::{Markup, Page};
use http::{HeaderValue, Response, StatusCode, header};
use identity::authority::{Client, Origin, Reach, Request};
use std::collections::BTreeMap;
use url::Url;

/// What a person is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a Request,
    /// What scopes mean.
    pub(super) meanings: &'a BTreeMap<String, String>,
    /// Where they sign in next.
    pub(super) sign_in: &'a str,
    /// Where the form goes, and what it repeats.
    pub(super) action: &'a str,
    pub(super) sealed: &'a str,
}

/// The page on which somebody agrees, or does not.
pub(super) fn consent(asked: &Question<'_>) -> Page {
    let redirect = asked.client.redirect(&asked.request.redirect_uri);
    let reach = redirect.map(|uri| uri.reach());
    let host = host_of(&asked.request.redirect_uri);
    let name = asked.client.name().unwrap_or("A program without a name");
    let mut body = Markup::new()
        .tag("<p><strong>")
        .shown(name)
        .tag("</strong> wants to act for you at ")
        .tag("<strong>")
        .text(&asked.request.resource)
        .tag("</strong>.</p>");
    body = warnings(body, asked, reach);
    body = body
        .tag("<dl>")
        .tag("<dt>The program calls itself</dt><dd>")
        .shown(name)
        .tag("</dd>");
    body = match asked.client.origin() {
        // The whole address: on a host that many share, the host alone says little.
        Origin::Document(host) => body
            .fact("Who stands by that name", host)
            .fact("It is described at", asked.client.id()),
        Origin::Registration => body.tag("<dt>Who stands by that name</dt><dd>Nobody</dd>"),
    };
    body = body
        .fact("The answer goes to", &host)
        .fact("For", &asked.request.resource)
        .tag("<dt>It may then</dt><dd>");
    body = scopes(body, &asked.request.scopes, asked.meanings);
    body = body
        .tag("</dd></dl><p>Agree only if you started this yourself, in that program, just now. Next you ")
        .tag("sign in at ")
        .text(asked.sign_in)
        .tag(".</p><form method=\"post\" action=\"")
        .text(asked.action)
        .tag("\">")
        .hidden("csrf", asked.sealed)
        .tag("<div class=\"buttons\"><button class=\"go\" name=\"decision\" value=\"agree\">Agree</button>")
        .tag("<button name=\"decision\" value=\"decline\">Do not agree</button></div></form>");
    Page::new("Let a program act for you?", body)
}

fn warnings(mut body: Markup, asked: &Question<'_>, reach: Option<Reach>) -> Markup {
    let to = Url::parse(&asked.request.redirect_uri).ok();
    let to = to.as_ref().and_then(Url::host_str);
    match asked.client.origin() {
        Origin::Registration => {
            body = body
                .tag("<p class=\"warning\"><strong>This name was not verified.</strong> The program chose it ")
                .tag("itself. Anybody could have chosen the same one.</p>");
        }
        Origin::Document(host) if reach == Some(Reach::Web) && to != Some(&**host) => {
            body = body
                .tag("<p class=\"warning\"><strong>The answer goes to another host</strong> than the one ")
                .tag("that stands by this name.</p>");
        }
        Origin::Document(_) => {}
    }
    if reach == Some(Reach::Machine) {
        body = body
            .tag("<p class=\"warning\"><strong>The answer goes to a program on the computer in front of ")
            .tag("you.</strong> Any program that runs there could have asked under this name.</p>");
    }
    body
}

fn scopes(body: Markup, scopes: &str, meanings: &BTreeMap<String, String>) -> Markup {
    if scopes.is_empty() {
        return body.tag("whatever you may do there yourself");
    }
    let list = body.tag("<ul>").each(scopes.split(' '), |list, scope| {
        let item = list.tag("<li>");
        match meanings.get(scope) {
            Some(meaning) => item
                .text(meaning)
                .tag(" <code>")
                .text(scope)
                .tag("</code></li>"),
            None => item.tag("<code>").text(scope).tag("</code></li>"),
        }
    });
    list.tag("</ul>")
}

/// The way on, which the browser takes by itself. It is no redirect: browsers hold a form to
/// `form-action` all the way, and where a provider sends people to sign in is not known here.
pub(super) fn onward(url: &Url, to: &str) -> Response<Body> {
    let body = Markup::new()
        .tag("<p class=\"buttons\"><a rel=\"noreferrer\" class=\"button go\" href=\"")
        .text(url.as_str())
        .tag("\">Continue to ")
        .text(to)
        .tag("</a></p>");
    let mut response = Page::new("One moment", body).answer(StatusCode::OK);
    if let Ok(refresh) = HeaderValue::try_from(format!("0; url={url}")) {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    response
}

/// The way back to a program that is not known well enough for a browser to be sent there unasked.
pub(super) fn return_to(url: &Url, why: &str) -> Page {
    let body = Markup::new()
        .tag("<p>")
        .text(&sentence(why))
        .tag("</p><p>The program that sent you here can be told so. Go there only if you know it.</p>")
        .tag("<p class=\"buttons\"><a rel=\"noreferrer\" class=\"button\" href=\"")
        .text(url.as_str())
        .tag("\">Return to ")
        .text(&host_of(url.as_str()))
        .tag("</a></p>");
    Page::new("This cannot be done", body)
}

/// Nothing comes of it.
pub(super) fn failed(status: StatusCode, why: &str) -> Response<Body> {
    let body = Markup::new().tag("<p>").text(why).tag(
        "</p><p>No program was let do anything. Start again in the program that sent you here.</p>",
    );
    Page::new("This cannot be done", body).answer(status)
}

/// What programs are told in lower case, as people are told it.
fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// The same answer, with the cookie that this browser is known by.
pub(super) fn with_cookie(response: Response<Body>, cookie: &str) -> Response<Body> {
    COOKIE.set(response, cookie, None)
}

/// Host and port of an address, for people.
pub(super) fn host_of(address: &str) -> String {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    });
    host.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::authority::{ClientUrl, Offered, Parameters};
    use identity::client::Scopes;
    use serde_json::json;

    fn page(client: &Client, redirect: &str, scope: &str) -> String {
        let offered = [Offered {
            resource: "https://gw.example/files".to_owned(),
            name: "/files".to_owned(),
            needed: Scopes::default(),
            scopes: Scopes::read("read write").unwrap(),
        }];
        let text = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", client.id())
            .append_pair("redirect_uri", redirect)
            .append_pair("response_type", "code")
            .append_pair(
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            )
            .append_pair("code_challenge_method", "S256")
            .append_pair("scope", scope)
            .finish();
        let parameters = Parameters::read(&text).unwrap();
        let request = Request::read(&parameters, client, &offered).unwrap();
        let meanings = [("read".to_owned(), "Read your <files>".to_owned())];
        let question = Question {
            client,
            request: &request,
            meanings: &meanings.into(),
            sign_in: "id.example",
            action: "/authority/agree",
            sealed: "5ea1ed",
        };
        consent(&question).html(None)
    }

    fn registered(name: &str) -> Client {
        let members = json!({
            "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb"], "client_name": name,
        });
        Client::registering("rw-1", members.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn m3_the_page_names_the_client_where_the_answer_goes_and_what_it_may_do() {
        let html = page(
            &registered("Editor"),
            "https://app.example/cb",
            "read write",
        );
        for part in [
            "Editor",
            "app.example",
            "https://gw.example/files",
            "Read your &lt;files&gt;",
            "<code>write</code>",
            "This name was not verified",
            "id.example",
            "value=\"5ea1ed\"",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("computer in front of you"));
        let local = page(&registered("Editor"), "http://127.0.0.1:5000/cb", "read");
        assert!(local.contains("computer in front of") && local.contains("127.0.0.1:5000"));
    }

    #[test]
    fn m3_a_host_stands_by_the_name_in_its_document() {
        let url = ClientUrl::read("https://vouch.example/client.json").unwrap();
        let redirects = ["https://app.example/cb", "https://vouch.example:8443/cb"];
        let document = json!({
            "client_id": url.as_str(), "redirect_uris": redirects, "client_name": "Editor",
        });
        let client = Client::from_document(&url, document.to_string().as_bytes()).unwrap();
        for (redirect, is_elsewhere) in redirects.into_iter().zip([true, false]) {
            let html = page(&client, redirect, "read");
            assert!(
                html.contains("<dd>https://vouch.example/client.json</dd>"),
                "{html}"
            );
            assert!(!html.contains("not verified"), "{html}");
            assert_eq!(html.contains("another host"), is_elsewhere, "{redirect}");
        }
    }

    #[test]
    fn n1_4_a_name_is_text_and_nothing_else() {
        let html = page(
            &registered("\"><script>alert(1)</script>"),
            "https://app.example/cb",
            "read",
        );
        assert!(!html.contains("<script"), "{html}");
        let url = Url::parse("https://app.example/cb?a=%22%3E%3Cscript%3E").unwrap();
        let html = return_to(&url, "<script>").html(None);
        assert!(!html.contains("<script"), "{html}");
    }
}
