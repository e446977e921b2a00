//! One downstream session's own session on one server over HTTP, and its revival when the server
//! has forgotten it (rule S9).

use super::replay::Replay;
use super::{
    Ask, FAREWELL, Media, REFUSAL_BYTES_MAX, Remote, SESSION_ID, Standing, Stream, discard, media,
    whole,
};
use crate::upstream::peek::Unwanted;
use crate::upstream::{Events, Outgoing, Reply, Source, UpstreamError, lock, peek};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use hyper::body::Incoming;
use protocol::{Id, Shape};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// The longest session id a server may give.
const SESSION_ID_MAX: usize = 1024;

/// A session on a server.
pub(in crate::upstream) struct Session {
    pub(super) remote: Arc<Remote>,
    /// The client's `initialize`, for a revival.
    initialize: Bytes,
    standing: Mutex<Arc<Standing>>,
    /// Held while the session is opened anew, so that it is opened once.
    revival: tokio::sync::Mutex<()>,
    replay: Mutex<Replay>,
    pub(super) listening: AtomicBool,
    closed: AtomicBool,
}

/// A revival under way; boxed because a revival may read a stream, which may need a revival.
type Revival = Pin<Box<dyn Future<Output = Result<Arc<Standing>, UpstreamError>> + Send>>;

impl Session {
    /// Opens a session with the client's `initialize`, and returns the server's response.
    pub(in crate::upstream) async fn open(
        remote: &Arc<Remote>,
        initialize: Bytes,
    ) -> Result<(Arc<Self>, Bytes), UpstreamError> {
        let session = Arc::new(Session {
            remote: remote.clone(),
            initialize,
            standing: Mutex::default(),
            revival: tokio::sync::Mutex::default(),
            replay: Mutex::default(),
            listening: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let deadline = Instant::now() + remote.bounds.timeout;
        let (standing, answer) = session.greet(deadline).await?;
        *lock(&session.standing) = Arc::new(standing);
        Ok((session, answer))
    }

    pub(in crate::upstream) async fn send(
        self: &Arc<Self>,
        message: Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Reply, UpstreamError> {
        if self.is_closed() {
            return Err(UpstreamError::Closed);
        }
        let deadline = self.remote.bounds.deadline(deadline);
        let mut standing = self.standing();
        let mut outcome = self.deliver(&message, &standing, deadline).await;
        if matches!(outcome, Err(UpstreamError::SessionLost)) {
            standing = self.clone().revive(standing, deadline).await?;
            // The new session asked nothing, so an answer to the old one's question is void.
            if message.shape != Shape::Response {
                outcome = self.deliver(&message, &standing, deadline).await;
            }
        }
        match (&outcome, &message.id) {
            (Ok(_), _) => lock(&self.replay).remember(&message),
            (Err(UpstreamError::Deadline), Some(id)) => self.cancel(id, &standing, Unwanted::Late),
            _ => {}
        }
        outcome
    }

    /// The server's own stream; none if it has none.
    pub(in crate::upstream) async fn listen(
        self: &Arc<Self>,
        last_event_id: Option<&str>,
    ) -> Result<Option<Events>, UpstreamError> {
        if self.is_closed() {
            return Err(UpstreamError::Closed);
        }
        let last = last_event_id.and_then(|id| HeaderValue::from_str(id).ok());
        let stream = Stream::listening(self, last).await?;
        Ok(stream.map(|stream| Events(Source::Http(Box::new(stream)))))
    }

    /// Tells the server that the session is over (DELETE). Best effort.
    pub(in crate::upstream) async fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(farewell) = self.farewell() {
            farewell.await;
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn standing(&self) -> Arc<Standing> {
        lock(&self.standing).clone()
    }

    /// Opens the session anew, unless somebody did so since `dead` was given out.
    pub(super) fn revive(self: Arc<Self>, dead: Arc<Standing>, deadline: Instant) -> Revival {
        Box::pin(async move {
            let Ok(_turn) = tokio::time::timeout_at(deadline, self.revival.lock()).await else {
                return Err(UpstreamError::Deadline);
            };
            let current = self.standing();
            if !Arc::ptr_eq(&current, &dead) {
                return Ok(current);
            }
            let server = &self.remote.bounds.name;
            tracing::info!(%server, "the server forgot a session; opening it anew");
            let (fresh, _) = self.greet(deadline).await?;
            if fresh.revision != dead.revision {
                return Err(UpstreamError::Changed {
                    before: dead.shown_revision(),
                    now: fresh.shown_revision(),
                });
            }
            let fresh = Arc::new(fresh);
            self.restore(&fresh, deadline).await?;
            *lock(&self.standing) = fresh.clone();
            Ok(fresh)
        })
    }

    /// Tells a new session what the client told the old one.
    async fn restore(&self, fresh: &Standing, deadline: Instant) -> Result<(), UpstreamError> {
        let messages = lock(&self.replay).messages();
        for message in messages {
            let ask = Ask::post(message, fresh);
            let response = self.remote.exchange(&ask, deadline).await?;
            if response.status() == StatusCode::NOT_FOUND {
                return Err(UpstreamError::SessionLost);
            }
            discard(response.into_body());
        }
        Ok(())
    }

    /// The handshake: `initialize` without a session, and what came of it.
    async fn greet(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<(Standing, Bytes), UpstreamError> {
        let max = self.remote.bounds.answer_bytes;
        let id = peek::request_id(&self.initialize)?;
        let none = Standing::default();
        let ask = Ask::post(self.initialize.clone(), &none);
        let response = self.remote.exchange(&ask, deadline).await?;
        let mut standing = Standing {
            id: session_id(response.headers())?,
            revision: None,
        };
        let provisional = Arc::new(standing.clone());
        let reply = self.reply(response, Some(&id), &provisional, deadline);
        let answer = match reply.await? {
            Reply::Message(answer) => answer,
            Reply::Stream(mut events) => loop {
                match events.next().await? {
                    None => return Err(UpstreamError::Ended),
                    Some(event) if peek::answers(&event.data, &id, max) => {
                        events.finish();
                        break event.data;
                    }
                    // Nobody can be told yet what comes before the answer.
                    Some(_) => {}
                }
            },
            Reply::Accepted => return Err(UpstreamError::Ended),
        };
        let read = peek::message(answer.clone(), max)?;
        let revision = peek::chosen_revision(&read)?;
        standing.revision = HeaderValue::from_str(&revision).ok();
        Ok((standing, answer))
    }

    async fn deliver(
        self: &Arc<Self>,
        message: &Outgoing<'_>,
        standing: &Arc<Standing>,
        deadline: Instant,
    ) -> Result<Reply, UpstreamError> {
        let ask = Ask::post(message.bytes.clone(), standing);
        let response = self.remote.exchange(&ask, deadline).await?;
        let id = match message.shape {
            Shape::Request => message.id.as_ref(),
            Shape::Notification | Shape::Response => None,
        };
        self.reply(response, id, standing, deadline).await
    }

    /// What an answer means. `id` is the request's; a message without one wants no answer.
    async fn reply(
        self: &Arc<Self>,
        response: Response<Incoming>,
        id: Option<&Id>,
        standing: &Arc<Standing>,
        deadline: Instant,
    ) -> Result<Reply, UpstreamError> {
        if !response.status().is_success() {
            return refusal(response, id, standing, deadline).await;
        }
        let Some(id) = id else {
            discard(response.into_body());
            return Ok(Reply::Accepted);
        };
        match media(&response) {
            Media::Json => {
                let max = self.remote.bounds.answer_bytes;
                let answer = whole(response.into_body(), max, deadline).await?;
                Ok(Reply::Message(answer))
            }
            Media::Events => {
                let (standing, id) = (standing.clone(), id.clone());
                let body = response.into_body();
                let stream = Stream::answering(self, standing, body, id, deadline);
                Ok(Reply::Stream(Events(Source::Http(Box::new(stream)))))
            }
            Media::Other(found) => Err(UpstreamError::Content { found }),
        }
    }

    /// Says that the request `id` is not waited for any more. Nobody waits for this either.
    pub(super) fn cancel(&self, id: &Id, standing: &Arc<Standing>, why: Unwanted) {
        let (remote, standing) = (self.remote.clone(), standing.clone());
        let message = peek::cancelled(id, why);
        tokio::spawn(async move { remote.tell(message, &standing).await });
    }

    fn farewell(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        let standing = self.standing();
        let remote = self.remote.clone();
        standing.id.as_ref()?;
        Some(async move {
            let ask = Ask {
                method: Method::DELETE,
                ..Ask::get(&standing)
            };
            // A server may refuse to end sessions (405); the session is over for us all the same.
            if let Ok(response) = remote.exchange(&ask, Instant::now() + FAREWELL).await {
                discard(response.into_body());
            }
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if *self.closed.get_mut() {
            return;
        }
        if let (Some(farewell), Ok(runtime)) =
            (self.farewell(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(farewell);
        }
    }
}

/// What a status that is no success means.
async fn refusal(
    response: Response<Incoming>,
    id: Option<&Id>,
    standing: &Standing,
    deadline: Instant,
) -> Result<Reply, UpstreamError> {
    let code = response.status();
    let status = code.as_u16();
    match code {
        StatusCode::NOT_FOUND if standing.id.is_some() => {
            discard(response.into_body());
            return Err(UpstreamError::SessionLost);
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            discard(response.into_body());
            return Err(UpstreamError::Credential { status });
        }
        _ if code.is_redirection() => {
            discard(response.into_body());
            return Err(UpstreamError::Redirected { status });
        }
        _ => {}
    }
    let refused = UpstreamError::Status { status };
    let Media::Json = media(&response) else {
        discard(response.into_body());
        return Err(refused);
    };
    let Ok(body) = whole(response.into_body(), REFUSAL_BYTES_MAX, deadline).await else {
        return Err(refused);
    };
    // Some servers give a JSON-RPC error a status of its own.
    if id.is_some_and(|id| peek::answers(&body, id, REFUSAL_BYTES_MAX)) {
        return Ok(Reply::Message(body));
    }
    if code == StatusCode::BAD_REQUEST && standing.id.is_some() && peek::forgets(&body) {
        return Err(UpstreamError::SessionLost);
    }
    Err(refused)
}

/// The session id of an answer to `initialize`, if it gives one (rule S3).
fn session_id(headers: &HeaderMap) -> Result<Option<HeaderValue>, UpstreamError> {
    let mut values = headers.get_all(SESSION_ID).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let malformed = || UpstreamError::Malformed {
        reason: "the session id is not one line of visible ASCII".to_owned(),
    };
    let visible = first
        .as_bytes()
        .iter()
        .all(|byte| (0x21..=0x7e).contains(byte));
    if values.next().is_some() || first.is_empty() || first.len() > SESSION_ID_MAX || !visible {
        return Err(malformed());
    }
    // A copy of its own: a clone would keep the buffer alive that the whole answer was read into, for as
    // long as the session lives.
    let id = HeaderValue::from_bytes(first.as_bytes());
    let mut id = id.map_err(|_| malformed())?;
    id.set_sensitive(true);
    Ok(Some(id))
}
