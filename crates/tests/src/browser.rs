//! A user with a browser: follows links and redirects, keeps cookies to their host as a browser does,
//! and submits the one form there is on a page. It runs no script, and there must be none.

use crate::wire::{Outgoing, Reply};
use anyhow::{Context as _, Result, bail, ensure};
use http::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;
use url::Url;

/// How many redirects in a row it follows.
const REDIRECTS: usize = 10;

/// One user's browser.
#[derive(Debug, Default)]
pub struct Browser {
    cookies: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
}

/// A page that it arrived at.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// The whole answer.
    pub reply: Reply,
}

impl Page {
    /// Its text, markup and all.
    pub fn html(&self) -> String {
        String::from_utf8_lossy(&self.reply.body).into_owned()
    }

    /// The value of an attribute of the first element with this beginning, such as `<form `.
    pub fn attribute(&self, element: &str, name: &str) -> Option<String> {
        let html = self.html();
        let (_, rest) = html.split_once(element)?;
        let (element, _) = rest.split_once('>')?;
        let (_, rest) = element.split_once(&format!("{name}=\""))?;
        let (value, _) = rest.split_once('"')?;
        Some(value.replace("&amp;", "&"))
    }
}

impl Browser {
    /// Goes to a page and follows where it is sent.
    pub async fn open(&self, url: &Url) -> Result<Page> {
        self.go(url.clone()).await
    }

    /// Submits the form of a page with this decision, and follows where that leads.
    pub async fn decide(&self, page: &Page, decision: &str) -> Result<Page> {
        let action = page.attribute("<form ", "action").context("no form")?;
        let csrf = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
        let csrf = csrf.with_context(|| format!("no token in {}", page.html()))?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &csrf)
            .append_pair("decision", decision)
            .finish();
        // What a browser says of where a form was comes from the policy of the page it was on.
        let origin = match page.reply.header("referrer-policy") {
            Some("no-referrer") => "null".to_owned(),
            _ => page.url.origin().ascii_serialization(),
        };
        let action = page.url.join(&action)?;
        let reply = self.send(Method::POST, &action, form, &origin).await?;
        match reply.status.is_redirection() {
            // Browsers hold the whole way from a form to `form-action`, which is us alone.
            true => bail!("a form led to {:?}", reply.header("location")),
            false => Ok(Page { url: action, reply }),
        }
    }

    /// Follows the link of a page that leads to where a person agrees.
    pub async fn onward(&self, page: &Page) -> Result<Page> {
        let onward = page.attribute("<a rel=\"noreferrer\" ", "href");
        let onward = onward.with_context(|| format!("no way on: {}", page.html()))?;
        self.open(&onward.parse()?).await
    }

    /// Does all that connecting a server takes: signs in, reads the page, goes on, agrees.
    pub async fn connect(&self, link: &Url) -> Result<Page> {
        let page = self.open(link).await?;
        ensure!(page.reply.status == 200, "not asked: {}", page.html());
        let page = self.decide(&page, "agree").await?;
        let page = self.onward(&page).await?;
        ensure!(
            page.html().contains("Connected"),
            "not connected: {}",
            page.html()
        );
        Ok(page)
    }

    /// What it holds for the host of this address, by name.
    pub fn holds(&self, url: &Url) -> BTreeMap<String, String> {
        let host = url.origin().ascii_serialization();
        self.cookies().get(&host).cloned().unwrap_or_default()
    }

    /// Puts a cookie there, as somebody might who can do more than a page.
    pub fn plant(&self, url: &Url, name: &str, value: &str) {
        let host = url.origin().ascii_serialization();
        let mut all = self.cookies();
        let own = all.entry(host).or_default();
        own.insert(name.to_owned(), value.to_owned());
    }

    /// Sends one request with the cookies of its host and nothing else of its own; follows nothing.
    pub async fn once(&self, method: Method, url: &Url, form: String) -> Result<Reply> {
        let origin = url.origin().ascii_serialization();
        self.send(method, url, form, &origin).await
    }

    async fn send(&self, method: Method, url: &Url, form: String, origin: &str) -> Result<Reply> {
        let host = url.origin().ascii_serialization();
        let mut request = Outgoing::new(method.clone(), url);
        if method == Method::POST {
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", origin)
                .body(form);
        }
        if let Some(cookies) = self.cookies().get(&host) {
            let pairs = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            request = request.header("cookie", &pairs.collect::<Vec<_>>().join("; "));
        }
        let reply = request.send().await?;
        for cookie in reply.headers.get_all("set-cookie") {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').context("a cookie without a value")?;
            let mut all = self.cookies();
            let own = all.entry(host.clone()).or_default();
            match value.is_empty() {
                true => own.remove(name),
                false => own.insert(name.to_owned(), value.to_owned()),
            };
        }
        Ok(reply)
    }

    async fn go(&self, mut url: Url) -> Result<Page> {
        for _ in 0..REDIRECTS {
            let reply = self.once(Method::GET, &url, String::new()).await?;
            let Some(to) = reply
                .header("location")
                .filter(|_| reply.status.is_redirection())
            else {
                return Ok(Page { url, reply });
            };
            url = url.join(to)?;
        }
        bail!("too many redirects, the last to {url}")
    }

    fn cookies(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, BTreeMap<String, String>>> {
        self.cookies
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The link to connect a server that an answer holds, in whichever words.
pub fn link_in(answer: &Value) -> Option<Url> {
    link_in_text(&answer.to_string())
}

/// The same, in any text.
pub fn link_in_text(text: &str) -> Option<Url> {
    let at = text.find("/connect/")?;
    let start = text.get(..at)?.rfind("http")?;
    let rest = text.get(start..)?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "/:.-_[]".contains(c)));
    rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_link_is_found_in_any_words() {
        let link = "http://127.0.0.1:8080/connect/a-b_C";
        for answer in [
            json!({ "error": { "data": { "connect": { "url": link } } } }),
            json!({ "error": { "data": { "elicitations": [{ "url": link }] } } }),
            json!({ "error": { "message": format!("open {link} in a browser") } }),
        ] {
            assert_eq!(
                link_in(&answer).map(String::from).as_deref(),
                Some(link),
                "{answer}"
            );
        }
        assert_eq!(link_in(&json!({ "error": { "data": {} } })), None);
    }
}
