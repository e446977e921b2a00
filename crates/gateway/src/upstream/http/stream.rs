//! A stream of a server (SSE), read one event at a time, and taken up again where it broke when
//! the server's event ids allow it (rule S7).
//!
//! Nothing is read ahead of what is asked for, so a slow reader slows the server and nobody's
//! memory. A stream never delivers an event twice and never skips one silently.

use super::{Ask, Media, Reader, Standing, discard, media, within};
use crate::upstream::http::Session;
use crate::upstream::peek::Unwanted;
use crate::upstream::{EVENTS_MAX, Event, UpstreamError, peek};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
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
    reader: Reader,
    last_id: Option<HeaderValue>,
    /// The last message handed out: the answer, if the stream ended as it should.
    last: Bytes,
    retry: Duration,
    attempts: u32,
    /// The body ended, and whether there is more is not known yet. Whoever asks for the next event
    /// may stop waiting at any time: the next one who does goes on from here.
    resuming: bool,
    /// When the pause before the next attempt is over.
    pause: Option<Instant>,
    /// How many events came.
    said: u32,
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
            reader: Reader::new(body, session.remote.bounds.answer_bytes),
            last_id: None,
            last: Bytes::new(),
            retry: RETRY,
            attempts: 0,
            resuming: false,
            pause: None,
            said: 0,
        }
    }

    pub(in crate::upstream) async fn next(&mut self) -> Result<Option<Event>, UpstreamError> {
        loop {
            if self.resuming {
                let more = self.resume().await;
                self.resuming = false;
                if !more? {
                    return Ok(None);
                }
            }
            if self.reader.is_closed() {
                return Ok(None);
            }
            match within(self.deadline(), self.reader.next()).await {
                None => return Err(self.expire()),
                Some(Err(error)) => return Err(error),
                Some(Ok(Some(event))) => {
                    self.count()?;
                    if let Some(event) = self.take(event).await {
                        return Ok(Some(event));
                    }
                }
                // An end and a break are the same to the protocol: what counts is what came.
                Some(Ok(None)) => {
                    self.reader.close();
                    self.resuming = true;
                }
            }
        }
    }

    /// Nothing more is wanted.
    pub(in crate::upstream) fn finish(mut self) {
        self.reader.finish();
    }

    /// The answer is not wanted any more.
    pub(in crate::upstream) fn cancel(self) {
        if let Purpose::Answer { id, .. } = &self.purpose
            && !self.is_answered(id)
        {
            self.session.cancel(id, &self.standing, Unwanted::Abandoned);
        }
    }

    fn is_answered(&self, id: &Id) -> bool {
        peek::answers(&self.last, id, self.session.remote.bounds.answer_bytes)
    }

    /// Bounds what is said before an answer.
    fn count(&mut self) -> Result<(), UpstreamError> {
        if let Purpose::Answer { id, .. } = &self.purpose {
            self.said += 1;
            if self.said > EVENTS_MAX {
                self.reader.close();
                self.session.cancel(id, &self.standing, Unwanted::Abandoned);
                return Err(UpstreamError::Endless { max: EVENTS_MAX });
            }
        }
        Ok(())
    }

    /// The answer is waited for until then.
    pub(in crate::upstream) fn extend(&mut self, until: Instant) {
        if let Purpose::Answer { deadline, .. } = &mut self.purpose {
            *deadline = until;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.purpose {
            Purpose::Answer { deadline, .. } => Some(deadline),
            Purpose::Listen => None,
        }
    }

    fn expire(&mut self) -> UpstreamError {
        self.reader.close();
        if let Purpose::Answer { id, .. } = &self.purpose {
            self.session.cancel(id, &self.standing, Unwanted::Late);
        }
        UpstreamError::Deadline
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
            let telling = self.session.remote.tell(pong, &self.standing);
            // A server that asks and does not listen gains no time by it.
            within(self.deadline(), telling).await.unwrap_or_default();
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
        if let Purpose::Answer { id, .. } = &self.purpose {
            if self.is_answered(id) {
                return Ok(false);
            }
            // Without an id nothing can be resumed, and asking again might do it twice.
            if self.last_id.is_none() {
                return Err(UpstreamError::Ended);
            }
        }
        while self.attempts < ATTEMPTS_MAX && !self.session.is_closed() {
            let deadline = self.deadline();
            let until = *self.pause.get_or_insert(Instant::now() + self.retry);
            if within(deadline, tokio::time::sleep_until(until))
                .await
                .is_none()
            {
                return Err(self.expire());
            }
            self.pause = None;
            self.attempts += 1;
            match self.reopen().await {
                Ok(Some(body)) => {
                    let max = self.session.remote.bounds.answer_bytes;
                    self.reader = Reader::new(body, max);
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
    let ask = Ask::get(standing).after(last_id);
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
