//! A server behind Streamable HTTP: requests, sessions and their revival (rules S1 to S9), and
//! requests that know no session (rules H3, H6, H13 and H14).
//!
//! What is sent is built from nothing but the message and its mirrors, the session the server gave,
//! and the server's own credential. A request goes out a second time only when it was provably not
//! executed: nobody was reached, or the server says it does not know the session.

mod answering;
mod meeting;
mod mirrors;
mod reader;
mod replay;
mod session;
mod stateless;
mod stream;

pub(super) use answering::Answering;
pub(super) use reader::Reader;
pub(super) use session::Session;
pub(super) use stateless::Stateless;
pub(super) use stream::Stream;

use super::{Bounds, HttpSpec, Owner, UpstreamError};
use crate::breaker::Breaker;
use crate::credential::{Agent, Asked, Holder, Shown, Source};
use crate::egress::{Destination, Egress, EgressError, collect};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The largest body of a refusal that is looked at.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

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

/// One server, and what every request to it has in common. Where tokens are shown, it is the server
/// as one party is let in to it: nobody else's request can be made of it.
#[derive(Debug)]
pub(super) struct Remote {
    egress: Arc<Egress>,
    bounds: Bounds,
    destination: Destination,
    credential: Credential,
    breaker: Arc<Breaker>,
}

/// What a request shows.
#[derive(Debug)]
enum Credential {
    /// The same as every other one, if anything.
    Fixed(Option<(HeaderName, HeaderValue)>),
    /// A token, once it is known whose request it is.
    Issued(Source),
    /// A token of this party.
    Held(Holder),
}

impl Remote {
    pub(super) fn new(
        egress: Arc<Egress>,
        bounds: Bounds,
        spec: HttpSpec,
    ) -> Result<Self, UpstreamError> {
        let credential = match spec.credential {
            Source::Nothing => Credential::Fixed(None),
            Source::Fixed { name, value } => Credential::Fixed(Some((usable(name)?, value))),
            issued @ Source::Issued(_) => Credential::Issued(issued),
        };
        Ok(Remote {
            egress,
            bounds,
            destination: spec.destination,
            credential,
            breaker: Arc::default(),
        })
    }

    /// The same server as this party is let in to it.
    pub(super) fn held_by(self: &Arc<Self>, owner: &Owner) -> Arc<Self> {
        let Credential::Issued(source) = &self.credential else {
            return Arc::clone(self);
        };
        Arc::new(Remote {
            egress: Arc::clone(&self.egress),
            bounds: self.bounds.clone(),
            destination: self.destination.clone(),
            credential: match source.held_by(owner) {
                Some(holder) => Credential::Held(holder),
                None => Credential::Fixed(None),
            },
            breaker: Arc::clone(&self.breaker),
        })
    }

    /// Who gets the tokens that are shown, if any are.
    pub(super) fn agent(&self) -> Option<&Arc<Agent>> {
        match &self.credential {
            Credential::Issued(source) => source.agent(),
            Credential::Fixed(_) | Credential::Held(_) => None,
        }
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Sends one request and waits for the head of its answer. A server that turns down what it was
    /// shown has executed nothing: it is asked again if there is something better to show.
    pub(super) async fn exchange(
        &self,
        ask: &Ask<'_>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, UpstreamError> {
        match &self.credential {
            // Boxed, so that calls that are shown no token do not carry the room for it.
            Credential::Held(holder) => Box::pin(self.admitted(holder, ask, deadline)).await,
            _ => self.deliver(ask, None, deadline).await,
        }
    }

    /// The same, with whatever this party has to show.
    async fn admitted(
        &self,
        holder: &Holder,
        ask: &Ask<'_>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let asked = Asked {
            method: &ask.method,
            url: ask.destination.unwrap_or(&self.destination).url(),
            body: &ask.body,
        };
        let mut shown = holder.show(&asked, deadline).await?;
        loop {
            let response = self.deliver(ask, Some(&shown), deadline).await?;
            let said = (response.status(), response.headers());
            let turned_down = holder.heard(shown, &asked, said);
            let Some(turned_down) = turned_down else {
                return Ok(response);
            };
            match holder.better(turned_down, &asked, deadline).await? {
                Some(better) => {
                    discard(response.into_body());
                    shown = better;
                }
                None => return Ok(response),
            }
        }
    }

    /// Sends one request as it is. Tries once more if nobody was reached.
    async fn deliver(
        &self,
        ask: &Ask<'_>,
        shown: Option<&Shown>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let mut again = true;
        loop {
            let attempt = self.breaker.admit(Instant::now())?;
            let request = self.request(ask, shown);
            let to = ask.destination.unwrap_or(&self.destination);
            match self.egress.send(to, request, deadline).await {
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
    fn request(&self, ask: &Ask<'_>, shown: Option<&Shown>) -> Request<Full<Bytes>> {
        let mut headers = HeaderMap::with_capacity(8 + ask.mirrors.len());
        for (name, value) in ask.mirrors {
            headers.insert(name.clone(), value.clone());
        }
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
        if let Credential::Fixed(Some((name, value))) = &self.credential {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(shown) = shown {
            for (name, value) in shown.headers() {
                headers.insert(name.clone(), value.clone());
            }
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
pub(super) struct Ask<'a> {
    method: Method,
    body: Bytes,
    standing: &'a Standing,
    last_event_id: Option<&'a HeaderValue>,
    /// Headers that mirror the body; none is one of those that are set here.
    mirrors: &'a [(HeaderName, HeaderValue)],
    /// Where to, if not to the server's own address: an address the server named on itself.
    destination: Option<&'a Destination>,
}

impl<'a> Ask<'a> {
    pub(super) fn post(body: Bytes, standing: &'a Standing) -> Self {
        Ask {
            method: Method::POST,
            body,
            standing,
            last_event_id: None,
            mirrors: &[],
            destination: None,
        }
    }

    pub(super) fn get(standing: &'a Standing) -> Self {
        Ask {
            method: Method::GET,
            ..Ask::post(Bytes::new(), standing)
        }
    }

    fn after(mut self, last_event_id: Option<&'a HeaderValue>) -> Self {
        self.last_event_id = last_event_id;
        self
    }

    fn mirrored(mut self, mirrors: &'a [(HeaderName, HeaderValue)]) -> Self {
        self.mirrors = mirrors;
        self
    }

    pub(super) fn to(mut self, destination: &'a Destination) -> Self {
        self.destination = Some(destination);
        self
    }
}

/// What a server gave when the session was opened.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
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
pub(super) enum Media {
    Json,
    Events,
    Other(String),
}

/// The media type of an answer; a compressed one is none we asked for.
pub(super) fn media(response: &Response<Incoming>) -> Media {
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
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ];
    if STEERING.contains(&name.as_str()) || name.as_str().starts_with("mcp-") {
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
pub(super) fn discard(body: Incoming) {
    if !body.is_end_stream() {
        tokio::spawn(drain(body));
    }
}

/// A whole JSON answer.
pub(super) async fn whole(
    body: Incoming,
    max: usize,
    deadline: Instant,
) -> Result<Bytes, UpstreamError> {
    match collect(body, max, deadline).await {
        Ok(bytes) => Ok(bytes),
        Err(EgressError::Deadline) => Err(UpstreamError::Deadline),
        Err(EgressError::TooLarge { max }) => Err(UpstreamError::TooLarge { max }),
        Err(error) => Err(error.into()),
    }
}

/// The outcome of `future`, unless `deadline` comes first.
pub(super) async fn within<F: Future>(deadline: Option<Instant>, future: F) -> Option<F::Output> {
    match deadline {
        None => Some(future.await),
        // A server that never pauses must not outlast the deadline by it.
        Some(deadline) if Instant::now() >= deadline => None,
        Some(deadline) => tokio::time::timeout_at(deadline, future).await.ok(),
    }
}

#[cfg(test)]
mod tests;
