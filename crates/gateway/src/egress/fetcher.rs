//! What is asked of an identity provider: one bounded request over the one egress path.
//!
//! It follows no redirect, adds no credential to what it was given, and reaches a private address only for an
//! authority that the configuration named itself: trust in an issuer is not lent to the other
//! authorities its metadata names.

use super::{Destination, Egress, EgressError, Network, collect};
use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, USER_AGENT, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use identity::{FetchError, Fetched, Outbound, Sent};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The largest document that is fetched: a key set of hundreds of keys fits.
const DOCUMENT_BYTES_MAX: usize = 512 * 1024;
/// The largest error that is read: it is a name and a sentence.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// How long one fetch may take altogether.
const FETCH_TIME_MAX: Duration = Duration::from_secs(10);

/// Asks identity providers.
pub struct Fetcher {
    egress: Arc<Egress>,
    private: HashSet<Authority>,
    elsewhere: Network,
}

/// Scheme, host and port: what trust is given to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority(String);

impl Authority {
    /// The authority of `url`.
    pub fn of(url: &Url) -> Self {
        Authority(url.origin().ascii_serialization())
    }
}

impl Fetcher {
    /// A fetcher that may reach the `private` authorities at private addresses, and no others.
    pub fn new(egress: Arc<Egress>, private: impl IntoIterator<Item = Authority>) -> Self {
        Fetcher {
            egress,
            private: private.into_iter().collect(),
            elsewhere: Network::Public,
        }
    }

    /// The same, where the operator says of everybody else that they may be on this network.
    #[must_use]
    pub fn elsewhere(mut self, network: Network) -> Self {
        self.elsewhere = network;
        self
    }

    fn network(&self, url: &Url) -> Network {
        if self.private.contains(&Authority::of(url)) {
            Network::Private
        } else {
            self.elsewhere
        }
    }

    async fn exchange(&self, asked: Outbound) -> Result<Fetched, EgressError> {
        let destination = Destination::new(asked.url.clone(), self.network(&asked.url))?;
        let deadline = Instant::now() + FETCH_TIME_MAX;
        let request = request(asked)?;
        let response = self.egress.send(&destination, request, deadline).await?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let body = match (is_json(&head.headers), head.status) {
            (false, _) => Bytes::new(),
            (true, StatusCode::OK) => collect(body, DOCUMENT_BYTES_MAX, deadline).await?,
            // The status alone says enough.
            (true, _) => collect(body, ERROR_BYTES_MAX, deadline)
                .await
                .unwrap_or_default(),
        };
        Ok(Fetched {
            status,
            body,
            max_age: max_age(&head.headers),
            challenges: texts(&head.headers, WWW_AUTHENTICATE),
            dpop_nonce: only(&head.headers, HeaderName::from_static("dpop-nonce")),
            location: only(&head.headers, LOCATION),
        })
    }
}

impl identity::Fetch for Fetcher {
    fn send(&self, asked: Outbound) -> identity::BoxFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(async move {
            let authority = Authority::of(&asked.url);
            let answer = self.exchange(asked).await;
            answer.map_err(|error| failed(authority, error))
        })
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher")
            .field("private", &self.private)
            .finish_non_exhaustive()
    }
}

fn failed(authority: Authority, error: EgressError) -> FetchError {
    match error {
        EgressError::Deadline => FetchError::TimedOut,
        EgressError::TooLarge { .. } => FetchError::TooLarge,
        EgressError::Destination(_) | EgressError::Forbidden { .. } => {
            FetchError::NotAllowed(authority.0)
        }
        other => FetchError::Unreachable(other.to_string()),
    }
}

/// The request as it goes out. The body moves and is wiped when the last part of it is sent; no
/// value of a header is shown or indexed on the way.
fn request(asked: Outbound) -> Result<Request<Full<Bytes>>, EgressError> {
    let body = asked.body.map(Bytes::from_owner).unwrap_or_default();
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = match asked.method {
        Sent::Get => Method::GET,
        Sent::Post => Method::POST,
    };
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &asked.headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| EgressError::Unexpected {
            reason: format!("header `{name}` cannot be sent"),
        })?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    headers.insert(USER_AGENT, HeaderValue::from_static("ringwall"));
    Ok(request)
}

/// Whether the body is JSON as it stands.
fn is_json(headers: &HeaderMap) -> bool {
    if headers.contains_key(CONTENT_ENCODING) {
        return false;
    }
    let media = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    media.is_some_and(|media| {
        media == "application/json"
            || (media.starts_with("application/") && media.ends_with("+json"))
    })
}

/// How long the answer may be kept, if it says so.
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let mut found = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',') {
            let directive = directive.trim().to_ascii_lowercase();
            if directive == "no-store" || directive == "no-cache" {
                return Some(0);
            }
            if let Some(seconds) = directive.strip_prefix("max-age=") {
                found = seconds.trim_matches('"').parse().ok().or(found);
            }
        }
    }
    found
}

/// Every value of a header that is text.
fn texts(headers: &HeaderMap, name: HeaderName) -> Vec<String> {
    let values = headers.get_all(name).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.map(str::to_owned).collect()
}

/// The value of a header that is there exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let mut values = texts(headers, name).into_iter();
    let value = values.next()?;
    values.next().is_none().then_some(value)
}
