//! The fetch of an issuer's metadata and keys: one bounded GET over the one egress path.
//!
//! It follows no redirect, sends no credential, and reaches a private address only for an
//! authority that the configuration named itself: trust in an issuer is not lent to the other
//! authorities its metadata names.

use super::{Destination, Egress, EgressError, Network, collect};
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use identity::FetchError;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The largest document that is fetched: a key set of hundreds of keys fits.
const DOCUMENT_BYTES_MAX: usize = 512 * 1024;
/// How long one fetch may take altogether.
const FETCH_TIME_MAX: Duration = Duration::from_secs(10);

/// Fetches documents for the verification of tokens.
pub struct Fetcher {
    egress: Arc<Egress>,
    private: HashSet<Authority>,
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

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) max_age: Option<u64>,
}

impl Fetcher {
    /// A fetcher that may reach the `private` authorities at private addresses, and no others.
    pub fn new(egress: Arc<Egress>, private: impl IntoIterator<Item = Authority>) -> Self {
        Fetcher {
            egress,
            private: private.into_iter().collect(),
        }
    }

    fn network(&self, url: &Url) -> Network {
        if self.private.contains(&Authority::of(url)) {
            Network::Private
        } else {
            Network::Public
        }
    }

    pub(crate) async fn document(&self, url: &Url) -> Result<Document, EgressError> {
        let destination = Destination::new(url.clone(), self.network(url))?;
        let deadline = Instant::now() + FETCH_TIME_MAX;
        let mut request = Request::new(Full::default());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static("ringwall"));
        let response = self.egress.send(&destination, request, deadline).await?;
        let status = response.status();
        if status != StatusCode::OK {
            return Ok(Document {
                status,
                body: Bytes::new(),
                max_age: None,
            });
        }
        require_json(&response)?;
        let max_age = max_age(&response);
        let body = collect(response.into_body(), DOCUMENT_BYTES_MAX, deadline).await?;
        Ok(Document {
            status,
            body,
            max_age,
        })
    }
}

impl identity::Fetch for Fetcher {
    fn get(&self, url: &Url) -> identity::BoxFuture<'_, Result<identity::Fetched, FetchError>> {
        let url = url.clone();
        Box::pin(async move {
            match self.document(&url).await {
                Ok(document) => Ok(identity::Fetched {
                    status: document.status.as_u16(),
                    body: document.body,
                    max_age: document.max_age,
                }),
                Err(error) => Err(failed(&url, error)),
            }
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

fn failed(url: &Url, error: EgressError) -> FetchError {
    match error {
        EgressError::Deadline => FetchError::TimedOut,
        EgressError::TooLarge { .. } => FetchError::TooLarge,
        EgressError::Destination(_) | EgressError::Forbidden { .. } => {
            FetchError::NotAllowed(Authority::of(url).0)
        }
        other => FetchError::Unreachable(other.to_string()),
    }
}

fn require_json(response: &http::Response<Incoming>) -> Result<(), EgressError> {
    let unexpected = |reason: &str| {
        Err(EgressError::Unexpected {
            reason: reason.to_owned(),
        })
    };
    if response.headers().contains_key(CONTENT_ENCODING) {
        return unexpected("it is compressed");
    }
    let media = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    match media {
        Some(media)
            if media == "application/json"
                || (media.starts_with("application/") && media.ends_with("+json")) =>
        {
            Ok(())
        }
        _ => unexpected("its content type is not JSON"),
    }
}

/// How long the answer may be kept, if it says so.
fn max_age(response: &http::Response<Incoming>) -> Option<u64> {
    let mut found = None;
    for value in response.headers().get_all(CACHE_CONTROL) {
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
