//! A stream of a server (SSE), read one event at a time, and taken up again where it broke when
//! the server's event ids allow it (rule S7).
//!
//! Nothing is read ahead of what is asked for, so a slow reader slows the server and nobody's
//! memory. A stream never delivers an event twice and never skips one silently.

use super::{Ask, Media, Standing, discard, media};
use crate::upstream::http::Session;
use crate::upstream::{Event, UpstreamError, peek};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use protocol::{Id, sse};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// How often in a row a stream is taken up again without one message in between.
const ATTEMPTS_MAX: u32 = 5;
/// The pause before that, unless the server says another.
const RETRY: Duration = Duration::from_secs(1);
/// The longest pause a server may ask for.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// The longest event id that is kept.
const EVENT_ID_MAX: usize = 1024;

/// A stream of events.
pub(in crate::upstream) struct Stream {
    session: Arc<Session>,
    standing: Arc<Standing>,
    purpose: Purpose,
    body: Option<Incoming>,
    decoder: sse::Decoder,
    /// What came in one piece with the event handed out.
    chunk: Bytes,
    last_id: Option<HeaderValue>,
    /// The last message handed out: the answer, if the stream ended as it should.
    last: Bytes,
    retry: Duration,
    attempts: u32,
}

/// What a stream is there for.
enum Purpose {
    /// The answer to the request `id`, until `deadline`.
    Answer { id: Id, deadline: Instant },
    /// Whatever the server has to say.
    Listen,
}

impl Stream {
    /// The stream that carries the answer to the request `id`.
    pub(super) fn answering(
        session: &Arc<Session>,
        standing: Arc<Standing>,
        body: Incoming,
        id: Id,
        deadline: Instant,
    ) -> Self {
        Self::new(session, standing, body, Purpose::Answer { id, deadline })
    }

    /// The server's own stream, if it has one.
    pub(super) async fn listening(
        session: &Arc<Session>,
        last_id: Option<HeaderValue>,
    ) -> Result<Option<Self>, UpstreamError> {
        if session.listening.swap(true, Ordering::AcqRel) {
            return Err(UpstreamError::Listening);
        }
        let turn = Turn(session);
        let deadline = Instant::now() + session.remote.bounds.timeout;
        let mut standing = session.standing();
        let mut opened = open(session, &standing, last_id.as_ref(), deadline).await;
        if matches!(opened, Err(UpstreamError::SessionLost)) {
            standing = session.clone().revive(standing, deadline).await?;
            // The ids of the old session mean nothing to the new one.
            opened = open(session, &standing, None, deadline).await;
        }
        let Some(body) = opened? else {
            return Ok(None);
        };
        std::mem::forget(turn);
        let mut stream = Self::new(session, standing, body, Purpose::Listen);
        stream.last_id = last_id;
        Ok(Some(stream))
    }

    fn new(
        session: &Arc<Session>,
        standing: Arc<Standing>,
        body: Incoming,
        purpose: Purpose,
    ) -> Self {
        Stream {
            session: session.clone(),
            standing,
            purpose,
            body: Some(body),
            decoder: decoder(session),
            chunk: Bytes::new(),
            last_id: None,
            last: Bytes::new(),
            retry: RETRY,
            attempts: 0,
        }
    }

    pub(in crate::upstream) async fn next(&mut self) -> Result<Option<Event>, UpstreamError> {
        loop {
            if let Some(event) = self.decode()? {
                if let Some(event) = self.take(event).await {
                    return Ok(Some(event));
                }
                continue;
            }
            let deadline = self.deadline();
            let Some(body) = &mut self.body else {
                return Ok(None);
            };
            match within(deadline, body.frame()).await {
                None => return Err(self.expire()),
                Some(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.chunk = data;
                    }
                }
                // An end and a break are the same to the protocol: what counts is what came.
                Some(None | Some(Err(_))) => {
                    self.body = None;
                    if !self.resume().await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Nothing more is wanted.
    pub(in crate::upstream) fn finish(mut self) {
        if let Some(body) = self.body.take() {
            discard(body);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.purpose {
            Purpose::Answer { deadline, .. } => Some(deadline),
            Purpose::Listen => None,
        }
    }

    fn expire(&mut self) -> UpstreamError {
        self.body = None;
        if let Purpose::Answer { id, .. } = &self.purpose {
            self.session.cancel(id, &self.standing);
        }
        UpstreamError::Deadline
    }

    /// The next event of what has come so far.
    fn decode(&mut self) -> Result<Option<sse::Event>, UpstreamError> {
        if self.chunk.is_empty() {
            return Ok(None);
        }
        self.decoder.feed(&mut self.chunk).map_err(|error| {
            self.body = None;
            self.chunk = Bytes::new();
            match error {
                sse::SseError::Line(_) | sse::SseError::Event(_) => UpstreamError::TooLarge {
                    max: self.session.remote.bounds.answer_bytes,
                },
                sse::SseError::Utf8 => UpstreamError::Malformed {
                    reason: error.to_string(),
                },
            }
        })
    }

    /// Notes what an event says about the stream, and hands out its message if it has one.
    async fn take(&mut self, event: sse::Event) -> Option<Event> {
        if let Some(id) = &event.id
            && id.len() <= EVENT_ID_MAX
        {
            self.last_id = HeaderValue::from_str(id).ok().filter(|id| !id.is_empty());
        }
        if let Some(retry) = event.retry {
            self.retry = Duration::from_millis(retry).min(RETRY_MAX);
        }
        // An id without data primes the stream; it is no message (trap 13).
        if !event.is_message() {
            return None;
        }
        self.attempts = 0;
        if let Some(pong) = peek::pong(&event.data) {
            self.session.remote.tell(pong, &self.standing).await;
            return None;
        }
        self.last = event.data.clone();
        Some(Event {
            id: event.id.map(Into::into),
            data: event.data,
        })
    }

    /// After the end of a body: whether there is more to read.
    async fn resume(&mut self) -> Result<bool, UpstreamError> {
        self.decoder = decoder(&self.session);
        if let Purpose::Answer { id, .. } = &self.purpose {
            let max = self.session.remote.bounds.answer_bytes;
            if peek::answers(&self.last, id, max) {
                return Ok(false);
            }
            // Without an id nothing can be resumed, and asking again might do it twice.
            if self.last_id.is_none() {
                return Err(UpstreamError::Ended);
            }
        }
        while self.attempts < ATTEMPTS_MAX && !self.session.is_closed() {
            self.attempts += 1;
            let deadline = self.deadline();
            if within(deadline, tokio::time::sleep(self.retry))
                .await
                .is_none()
            {
                return Err(self.expire());
            }
            match self.reopen().await {
                Ok(Some(body)) => {
                    self.body = Some(body);
                    return Ok(true);
                }
                Ok(None) => break,
                Err(UpstreamError::Deadline) => return Err(self.expire()),
                Err(UpstreamError::Egress(_) | UpstreamError::Resting { .. }) => {}
                Err(error) => return self.give_up(error),
            }
        }
        self.give_up(UpstreamError::Ended)
    }

    fn give_up(&self, error: UpstreamError) -> Result<bool, UpstreamError> {
        match self.purpose {
            Purpose::Answer { .. } => Err(error),
            Purpose::Listen => Ok(false),
        }
    }

    async fn reopen(&mut self) -> Result<Option<Incoming>, UpstreamError> {
        let limit = Instant::now() + self.session.remote.bounds.timeout;
        let deadline = self
            .deadline()
            .map_or(limit, |deadline| deadline.min(limit));
        let last_id = self.last_id.as_ref();
        let opened = open(&self.session, &self.standing, last_id, deadline).await;
        match (&self.purpose, opened) {
            (Purpose::Listen, Err(UpstreamError::SessionLost)) => {
                let revival = self.session.clone().revive(self.standing.clone(), deadline);
                self.standing = revival.await?;
                self.last_id = None;
                open(&self.session, &self.standing, None, deadline).await
            }
            (_, opened) => opened,
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Purpose::Listen = self.purpose {
            self.session.listening.store(false, Ordering::Release);
        }
    }
}

/// The right to listen, given back when no stream came of it.
struct Turn<'a>(&'a Session);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.listening.store(false, Ordering::Release);
    }
}

/// Asks for a stream (GET); none if the server has none.
async fn open(
    session: &Session,
    standing: &Standing,
    last_id: Option<&HeaderValue>,
    deadline: Instant,
) -> Result<Option<Incoming>, UpstreamError> {
    let ask = Ask {
        method: Method::GET,
        body: Bytes::new(),
        standing,
        last_event_id: last_id,
    };
    let response = session.remote.exchange(&ask, deadline).await?;
    let code = response.status();
    let status = code.as_u16();
    let refused = match code {
        StatusCode::OK => match media(&response) {
            Media::Events => return Ok(Some(response.into_body())),
            Media::Json => UpstreamError::Content {
                found: "application/json".to_owned(),
            },
            Media::Other(found) => UpstreamError::Content { found },
        },
        StatusCode::NOT_FOUND if standing.id.is_some() => UpstreamError::SessionLost,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            discard(response.into_body());
            return Ok(None);
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => UpstreamError::Credential { status },
        _ if code.is_redirection() => UpstreamError::Redirected { status },
        _ => UpstreamError::Status { status },
    };
    discard(response.into_body());
    Err(refused)
}

fn decoder(session: &Session) -> sse::Decoder {
    let max = session.remote.bounds.answer_bytes;
    sse::Decoder::new(sse::Limits {
        line: max.saturating_add(16),
        event: max.saturating_add(1024),
    })
}

/// The outcome of `future`, unless `deadline` comes first.
async fn within<F: Future>(deadline: Option<Instant>, future: F) -> Option<F::Output> {
    match deadline {
        None => Some(future.await),
        Some(deadline) => tokio::time::timeout_at(deadline, future).await.ok(),
    }
}
