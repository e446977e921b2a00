//! The way to a provider: one bounded request over the one egress path. It follows no redirect and
//! adds nothing to what it was given; whatever comes back is an answer.

use super::answer::BYTES_MAX;
use crate::egress::{Destination, Egress, EgressError, collect};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use identity::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The longest that a provider may ask us to wait.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// How long one waits who was not told how long.
const WAIT_USUAL: Duration = Duration::from_secs(1);

/// What is sent: the body is JSON, and the headers say who asks.
pub(super) struct Asked {
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) status: u16,
    /// How long to wait before the next request: as it says, within bounds.
    pub(super) wait: Duration,
    /// The body of a success; what an error says beside its status is not read.
    pub(super) body: Bytes,
}

/// Why nothing came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// Its time is over.
    Late,
    /// Not one byte of it can have arrived.
    Unsent,
    /// It may have arrived.
    Broken,
}

/// Carries requests to one provider.
pub(super) trait Line: fmt::Debug + Send + Sync {
    fn send(&self, asked: Asked, deadline: Instant) -> BoxFuture<'_, Result<Heard, Lost>>;
}

/// The line over the network.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) egress: Arc<Egress>,
    pub(super) destination: Destination,
}

impl Line for Wire {
    fn send(&self, asked: Asked, deadline: Instant) -> BoxFuture<'_, Result<Heard, Lost>> {
        Box::pin(async move {
            let mut request = Request::new(Full::new(asked.body));
            *request.method_mut() = Method::POST;
            let headers = request.headers_mut();
            let json = HeaderValue::from_static("application/json");
            headers.insert(ACCEPT, json.clone());
            headers.insert(CONTENT_TYPE, json);
            headers.insert(USER_AGENT, HeaderValue::from_static("ringwall"));
            headers.extend(asked.headers);
            let response = self.egress.send(&self.destination, request, deadline);
            let (head, body) = response.await.map_err(|error| lost(&error))?.into_parts();
            let body = match head.status.is_success() {
                true => collect(body, BYTES_MAX, deadline).await,
                false => Ok(Bytes::new()),
            };
            Ok(Heard {
                status: head.status.as_u16(),
                wait: wait(&head.headers),
                body: body.map_err(|error| lost(&error))?,
            })
        })
    }
}

fn lost(error: &EgressError) -> Lost {
    // What the operator needs to put it right; it holds no part of what was sent.
    tracing::debug!(%error, "a provider was not heard");
    match error {
        EgressError::Deadline => Lost::Late,
        error if error.is_unsent() => Lost::Unsent,
        _ => Lost::Broken,
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3). A date, like nothing at all, means a short while.
fn wait(headers: &HeaderMap) -> Duration {
    let said = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok());
    let said = said.and_then(|it| it.trim().parse().ok());
    said.map_or(WAIT_USUAL, |seconds| {
        Duration::from_secs(seconds).min(WAIT_MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Network;
    use crate::egress::tests::{destination, egress, script, serve, soon};

    #[tokio::test]
    async fn n1_3_an_answer_that_is_too_long_is_none_and_what_an_error_says_is_not_read() {
        for (path, expected) in [
            ("/keys", Ok((200, 11))),
            ("/large", Err(Lost::Broken)),
            ("/trouble", Ok((500, 0))),
        ] {
            let (address, _) = serve(None).await;
            let url = format!("http://name.example:{}{path}", address.port());
            let wire = Wire {
                egress: Arc::new(egress(script(&[&["127.0.0.1"]]), Vec::new())),
                destination: destination(&url, Network::Private),
            };
            let asked = Asked {
                headers: Vec::new(),
                body: Bytes::from_static(b"{}"),
            };
            let heard = wire.send(asked, soon()).await;
            let heard = heard.map(|heard| (heard.status, heard.body.len()));
            assert_eq!(heard, expected, "{path}");
        }
    }

    #[test]
    fn n4_3_a_provider_can_ask_us_to_wait_and_not_for_ever() {
        for (said, expected) in [
            (None, WAIT_USUAL),
            (Some("0"), Duration::ZERO),
            (Some("7"), Duration::from_secs(7)),
            (Some(" 7 "), Duration::from_secs(7)),
            (Some("86400"), WAIT_MAX),
            (Some("-1"), WAIT_USUAL),
            (Some("Sun, 29 Nov 2026 00:00:00 GMT"), WAIT_USUAL),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(said));
            }
            assert_eq!(wait(&headers), expected, "{said:?}");
        }
    }
}
