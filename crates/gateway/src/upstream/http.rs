//! A server behind Streamable HTTP: requests, sessions, and their revival (rules S1 to S9).
//!
//! What is sent is built from nothing but the message, the session the server gave, and the
//! server's own credential. A request goes out a second time only when it was provably not
//! executed: nobody was reached, or the server says it does not know the session.

mod replay;
mod session;
mod stream;

pub(super) use session::Session;
pub(super) use stream::Stream;

use super::breaker::Breaker;
use super::{Bounds, HttpSpec, UpstreamError};
use crate::egress::{Destination, Egress, EgressError, collect};
use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT,
};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const EITHER: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const AGENT: HeaderValue = HeaderValue::from_static("ringwall");

/// How long a message whose answer nobody waits for may take.
const FAREWELL: Duration = Duration::from_secs(5);
/// How much of a body that nobody wants is read so that the connection can be used again.
const DRAIN_BYTES_MAX: usize = 64 * 1024;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(1);

/// One server, and what every request to it has in common.
#[derive(Debug)]
pub(super) struct Remote {
    egress: Arc<Egress>,
    bounds: Bounds,
    destination: Destination,
    credential: Option<(HeaderName, HeaderValue)>,
    breaker: Arc<Breaker>,
}

impl Remote {
    pub(super) fn new(
        egress: Arc<Egress>,
        bounds: Bounds,
        spec: HttpSpec,
    ) -> Result<Self, UpstreamError> {
        let credential = match (&spec.credential, spec.header) {
            (None, _) => None,
            (Some(secret), None) => Some((AUTHORIZATION, secret.header("Bearer "))),
            (Some(secret), Some(name)) => Some((usable(name)?, secret.header(""))),
        };
        let credential = match credential {
            None => None,
            Some((name, value)) => {
                let value = value.map_err(|error| UpstreamError::Settings {
                    reason: error.to_string(),
                })?;
                Some((name, value))
            }
        };
        Ok(Remote {
            egress,
            bounds,
            destination: spec.destination,
            credential,
            breaker: Arc::default(),
        })
    }

    /// Sends one request and waits for the head of its answer. Tries once more if nobody was
    /// reached.
    async fn exchange(
        &self,
        ask: &Ask<'_>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let mut again = true;
        loop {
            let attempt = self.breaker.admit(Instant::now())?;
            let request = self.request(ask);
            match self.egress.send(&self.destination, request, deadline).await {
                Ok(response) => {
                    attempt.reached();
                    return Ok(response);
                }
                Err(EgressError::Deadline) => return Err(UpstreamError::Deadline),
                Err(error @ EgressError::Unreachable { .. }) => {
                    attempt.failed(Instant::now());
                    if !std::mem::take(&mut again) {
                        return Err(error.into());
                    }
                }
                Err(error) if error.is_unsent() => {
                    attempt.failed(Instant::now());
                    return Err(error.into());
                }
                Err(error) => {
                    attempt.reached();
                    return Err(error.into());
                }
            }
        }
    }

    /// Posts a message that needs no answer.
    async fn tell(&self, message: Bytes, standing: &Standing) {
        let ask = Ask::post(message, standing);
        if let Ok(response) = self.exchange(&ask, Instant::now() + FAREWELL).await {
            discard(response.into_body());
        }
    }

    /// INVARIANT: every header comes from here; nothing of a caller's request is at hand.
    fn request(&self, ask: &Ask<'_>) -> Request<Full<Bytes>> {
        let mut headers = HeaderMap::with_capacity(8);
        match ask.method {
            Method::POST => {
                headers.insert(CONTENT_TYPE, JSON);
                headers.insert(ACCEPT, EITHER);
            }
            Method::GET => {
                headers.insert(ACCEPT, EVENTS);
            }
            _ => {}
        }
        headers.insert(USER_AGENT, AGENT);
        if let Some((name, value)) = &self.credential {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(id) = &ask.standing.id {
            headers.insert(SESSION_ID, id.clone());
        }
        if let Some(revision) = &ask.standing.revision {
            headers.insert(PROTOCOL_VERSION, revision.clone());
        }
        if let Some(id) = ask.last_event_id {
            headers.insert(LAST_EVENT_ID, id.clone());
        }
        let mut request = Request::new(Full::new(ask.body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.headers_mut() = headers;
        request
    }
}

/// One request in the making.
struct Ask<'a> {
    method: Method,
    body: Bytes,
    standing: &'a Standing,
    last_event_id: Option<&'a HeaderValue>,
}

impl<'a> Ask<'a> {
    fn post(body: Bytes, standing: &'a Standing) -> Self {
        Ask {
            method: Method::POST,
            body,
            standing,
            last_event_id: None,
        }
    }
}

/// What a server gave when the session was opened.
#[derive(Clone, Debug, Default)]
struct Standing {
    id: Option<HeaderValue>,
    revision: Option<HeaderValue>,
}

impl Standing {
    fn shown_revision(&self) -> String {
        let revision = self.revision.as_ref().and_then(|text| text.to_str().ok());
        revision.unwrap_or("none").to_owned()
    }
}

/// What the body of an answer is.
enum Media {
    Json,
    Events,
    Other(String),
}

/// The media type of an answer; a compressed one is none we asked for.
fn media(response: &Response<Incoming>) -> Media {
    let shown = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or("unreadable");
        text.chars().take(64).collect::<String>()
    };
    if let Some(coding) = response.headers().get(CONTENT_ENCODING) {
        return Media::Other(format!("coding {}", shown(coding)));
    }
    let Some(value) = response.headers().get(CONTENT_TYPE) else {
        return Media::Other("none".to_owned());
    };
    let essence = value.to_str().unwrap_or("").split(';').next().unwrap_or("");
    match essence.trim() {
        essence if essence.eq_ignore_ascii_case("application/json") => Media::Json,
        essence if essence.eq_ignore_ascii_case("text/event-stream") => Media::Events,
        _ => Media::Other(shown(value)),
    }
}

/// A header that a credential may travel in: none that steers the request itself.
fn usable(name: HeaderName) -> Result<HeaderName, UpstreamError> {
    const STEERING: &[&str] = &[
        "accept",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "last-event-id",
        "mcp-protocol-version",
        "mcp-session-id",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ];
    if STEERING.contains(&name.as_str()) {
        return Err(UpstreamError::Settings {
            reason: format!("header `{name}` cannot carry a credential"),
        });
    }
    Ok(name)
}

/// Reads what is left of a body that nobody wants.
async fn drain(mut body: Incoming) {
    let mut left = DRAIN_BYTES_MAX;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // What takes longer costs us this connection and nobody else anything.
    drop(tokio::time::timeout(DRAIN_TIME_MAX, reading).await);
}

/// The same in the background, if there is anything to read at all.
fn discard(body: Incoming) {
    if !body.is_end_stream() {
        tokio::spawn(drain(body));
    }
}

/// A whole JSON answer.
async fn whole(body: Incoming, max: usize, deadline: Instant) -> Result<Bytes, UpstreamError> {
    match collect(body, max, deadline).await {
        Ok(bytes) => Ok(bytes),
        Err(EgressError::Deadline) => Err(UpstreamError::Deadline),
        Err(EgressError::TooLarge { max }) => Err(UpstreamError::TooLarge { max }),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
