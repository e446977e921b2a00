//! The one way out of this crate: somebody else's bounded request. Nothing here opens a
//! connection, follows a redirect, or adds a credential to what it was given.

use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use url::Url;
use zeroize::Zeroizing;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Asks an identity provider.
///
/// Whoever implements it bounds time and size, follows no redirect, adds no credential, and vets
/// every address: the address of a key set comes from a document of the provider, so it is
/// untrusted input, and a permission to reach private addresses that was given to one authority
/// is not lent to another one named there.
pub trait Fetch: Send + Sync {
    /// One request, sent once. An answer of any status is an `Ok`.
    fn send(&self, request: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>>;

    /// One GET that asks for JSON and says nothing else.
    fn get(&self, url: &Url) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        self.send(Outbound::get(url.clone()))
    }
}

/// What is sent: every header and every byte of it comes from whoever asks. Values and body may be
/// secrets, so they are wiped when dropped and never shown.
pub struct Outbound {
    /// How it is asked.
    pub method: Sent,
    /// Where it goes.
    pub url: Url,
    /// Headers beside those of the transport; `Accept` is JSON unless it is among them.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// The body, with its `Content-Type` among the headers.
    pub body: Option<Zeroizing<Vec<u8>>>,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A document is read.
    Get,
    /// Something is posted.
    Post,
}

/// What came back.
#[derive(Clone)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The whole body if it is JSON, whatever the status: OAuth says what is wrong in it. Anything
    /// else is not read, and neither is an error of more than 64 KiB; it is empty then.
    pub body: Bytes,
    /// `max-age` of `Cache-Control`, in seconds, if there was one; 0 for what must not be kept.
    pub max_age: Option<u64>,
    /// The values of `WWW-Authenticate`, in order.
    pub challenges: Vec<String>,
    /// `DPoP-Nonce` (RFC 9449, section 8), if there was exactly one.
    pub dpop_nonce: Option<String>,
    /// `Location`, which is never followed.
    pub location: Option<String>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The destination is not one that may be reached.
    #[error("`{0}` may not be reached")]
    NotAllowed(String),
    /// It took too long.
    #[error("the answer took too long")]
    TimedOut,
    /// The body is over the limit.
    #[error("the answer is too large")]
    TooLarge,
    /// No connection, or it broke.
    #[error("could not be reached: {0}")]
    Unreachable(String),
}

impl Outbound {
    /// A GET without headers.
    pub fn get(url: Url) -> Self {
        Outbound {
            method: Sent::Get,
            url,
            headers: Vec::new(),
            body: None,
        }
    }

    /// A POST of a form (`application/x-www-form-urlencoded`).
    pub fn form(url: Url, fields: &[(&str, &str)]) -> Self {
        // Encoding makes three bytes of one at most; a buffer that never grows leaves no copy of a
        // secret behind.
        let size = fields.iter().map(|(name, value)| name.len() + value.len());
        let room = size.sum::<usize>().saturating_mul(3) + 2 * fields.len();
        let mut form = url::form_urlencoded::Serializer::new(String::with_capacity(room));
        form.extend_pairs(fields);
        let body = Zeroizing::new(form.finish().into_bytes());
        Outbound::post(url, "application/x-www-form-urlencoded", body)
    }

    /// A POST of this body.
    pub fn post(url: Url, content_type: &str, body: Zeroizing<Vec<u8>>) -> Self {
        Outbound {
            method: Sent::Post,
            url,
            headers: vec![("content-type", Zeroizing::new(content_type.to_owned()))],
            body: Some(body),
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: Zeroizing<String>) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Outbound")
            .field("method", &self.method)
            .field("url", &self.url.as_str())
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl Fetched {
    /// An answer with this status and body, and nothing else.
    pub fn of(status: u16, body: impl Into<Bytes>) -> Self {
        Fetched {
            status,
            body: body.into(),
            max_age: None,
            challenges: Vec::new(),
            dpop_nonce: None,
            location: None,
        }
    }
}

/// The body may hold a token.
impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_exactly_its_fields() {
        let url = Url::parse("https://id.example/token").unwrap();
        let fields = [("token", "a+b/c=&d é"), ("token_type_hint", "access_token")];
        let form = Outbound::form(url, &fields);
        let body = form.body.as_ref().unwrap();
        let text = std::str::from_utf8(body).unwrap();
        assert_eq!(
            text,
            "token=a%2Bb%2Fc%3D%26d+%C3%A9&token_type_hint=access_token"
        );
        assert_eq!(
            form.headers[0].1.as_str(),
            "application/x-www-form-urlencoded"
        );
    }

    #[test]
    fn neither_question_nor_answer_is_shown() {
        let url = Url::parse("https://id.example/token").unwrap();
        let basic = Zeroizing::new("Basic c2VjcmV0".to_owned());
        let form = Outbound::form(url, &[("token", "hush")]).header("authorization", basic);
        let shown = format!(
            "{form:?} {:?}",
            Fetched::of(200, r#"{"access_token":"hush"}"#)
        );
        assert!(shown.contains("authorization"), "{shown}");
        assert!(
            !shown.contains("hush") && !shown.contains("c2VjcmV0"),
            "{shown}"
        );
    }
}
