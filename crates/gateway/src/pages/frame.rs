//! The frame that every page has: its head, its look, its headers.

use super::Markup;
use crate::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// The look of every page. It is sent within the page, under its nonce: one request, and nothing else is
/// let in.
const STYLE: &str = include_str!("style.css");

/// A page, until it is sent.
#[must_use]
pub(crate) struct Page {
    title: String,
    body: Markup,
    nav: Markup,
    script: Option<&'static str>,
    wide: bool,
}

impl Page {
    /// A page with a title and what stands below it.
    pub(crate) fn new(title: &str, body: Markup) -> Self {
        Page {
            title: title.to_owned(),
            body,
            nav: Markup::new(),
            script: None,
            wide: false,
        }
    }

    /// The same with links to other pages above it.
    pub(crate) fn with_nav(mut self, nav: Markup) -> Self {
        self.nav = nav;
        self
    }

    /// The same, as wide as a table wants.
    pub(crate) fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// The same with a script of ours, which stands in the page under its nonce and may talk to us only.
    pub(crate) fn with_script(mut self, script: &'static str) -> Self {
        self.script = Some(script);
        self
    }

    /// As an answer.
    pub(crate) fn answer(self, status: StatusCode) -> Response<Body> {
        // Without random bits the page is sent as well, without its look and without its script.
        let nonce = identity::session_id().ok();
        let html = self.html(nonce.as_deref());
        let mut response = Response::new(Body::from(Bytes::from(html)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, html);
        harden(headers, &policy(nonce.as_deref(), self.script.is_some()));
        response
    }

    /// Its text; without a nonce it has no look and no script.
    pub(crate) fn html(&self, nonce: Option<&str>) -> String {
        let mut page = Markup::new()
            .tag("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
            .tag("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .tag("<meta name=\"color-scheme\" content=\"light dark\"><title>")
            .text(&self.title)
            .tag(" · Ringwall</title>");
        if let Some(nonce) = nonce {
            page = page.tag("<style nonce=\"").text(nonce).tag("\">");
            page = page.tag(STYLE).tag("</style>");
        }
        page = page
            .tag("</head><body><a class=\"skip\" href=\"#content\">Skip to the content</a>")
            .tag("<header><span class=\"mark\" aria-hidden=\"true\"></span>")
            .tag("<span class=\"name\">Ringwall</span>");
        if !self.nav.as_str().is_empty() {
            page = page.tag("<nav aria-label=\"Pages\">").put(&self.nav);
            page = page.tag("</nav>");
        }
        page = page.tag("</header><main id=\"content\" tabindex=\"-1\"");
        page = page.tag(if self.wide {
            " class=\"wide\"><h1>"
        } else {
            "><h1>"
        });
        page = page.text(&self.title).tag("</h1>").put(&self.body);
        page = page.tag("</main>");
        if let (Some(script), Some(nonce)) = (self.script, nonce) {
            page = page.tag("<script nonce=\"").text(nonce).tag("\">");
            page = page.tag(script).tag("</script>");
        }
        page.tag("</body></html>\n").as_str().to_owned()
    }
}

/// The way to another page.
pub(crate) fn redirect(to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    if let Ok(to) = HeaderValue::try_from(to) {
        headers.insert(header::LOCATION, to);
    }
    harden(headers, &policy(None, false));
    response
}

/// An answer for a script of ours, which no page of anybody else's can read.
pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    harden(headers, &policy(None, false));
    response
}

/// Nothing is loaded, run, or framed but what stands in the page under its nonce; forms go nowhere but
/// here.
fn policy(nonce: Option<&str>, scripted: bool) -> String {
    let mut policy =
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
            .to_owned();
    if let Some(nonce) = nonce {
        policy.push_str(&format!("; style-src 'nonce-{nonce}'"));
        if scripted {
            policy.push_str(&format!("; script-src 'nonce-{nonce}'; connect-src 'self'"));
        }
    }
    policy
}

fn harden(headers: &mut HeaderMap, policy: &str) {
    let fixed = [
        (header::X_FRAME_OPTIONS, "DENY"),
        // A page of ours is told to nobody else: its address may be a link. To ourselves it has to be,
        // or browsers would send the form with an `Origin` of `null`.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let others = [
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ];
    for (name, value) in others {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(response: &Response<Body>, name: &str) -> String {
        let value = response.headers().get(name).unwrap();
        value.to_str().unwrap().to_owned()
    }

    #[test]
    fn n8_4_no_page_can_be_framed_scripted_or_told_of() {
        let page = || Page::new("Title", Markup::new());
        for response in [
            page().answer(StatusCode::OK),
            page().with_script("go()").answer(StatusCode::OK),
            redirect("/elsewhere"),
        ] {
            let policy = header(&response, "content-security-policy");
            for part in [
                "default-src 'none'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'self'",
            ] {
                assert!(policy.contains(part), "{policy}");
            }
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(header(&response, "x-frame-options"), "DENY");
            assert_eq!(header(&response, "referrer-policy"), "same-origin");
        }
        let plain = page().answer(StatusCode::OK);
        assert!(!header(&plain, "content-security-policy").contains("script-src"));
    }

    #[test]
    fn n8_4_what_stands_in_a_page_runs_under_a_nonce_that_is_new_each_time() {
        let nonce = || {
            let page = Page::new("Title", Markup::new()).with_script("go()");
            let policy = header(&page.answer(StatusCode::OK), "content-security-policy");
            let (_, rest) = policy.split_once("script-src 'nonce-").unwrap();
            rest.split('\'').next().unwrap().to_owned()
        };
        let (one, two) = (nonce(), nonce());
        assert_ne!(one, two);
        assert_eq!(one.len(), 43);
    }

    #[test]
    fn n1_4_a_title_is_text() {
        let html = Page::new("<b>", Markup::new()).html(Some("n"));
        assert!(!html.contains("<b>"), "{html}");
        assert_eq!(html.matches("&lt;b&gt;").count(), 2);
    }
}
