//! Who gets what: the one place that knows which session a message of a shared channel is for.
//!
//! Ids, progress tokens and the names of subscriptions are replaced by numbers of ours on the way
//! in and put back on the way out, so that sessions cannot collide and none can speak for another;
//! every other byte stays as it was. Pure: it starts nothing, sends nothing and reads no clock.

mod incoming;
mod standing;

use super::numbered;
use super::queue::Queue;
use crate::upstream::{Outgoing, UpstreamError, lock, peek};
use bytes::Bytes;
use protocol::{Document, Edits, Era, Id, Message, Shape, Value, write};
use standing::Standing;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// How many calls may be under way over one channel.
const CALLS_MAX: usize = 1024;
/// How many of them may be subscriptions of one session.
const SUBSCRIPTIONS_MAX: usize = 64;

/// The calls, questions and sessions of one channel.
#[derive(Debug)]
pub(in crate::upstream) struct Board {
    state: Mutex<State>,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    /// The server speaks the modern era: it asks nothing, and says nothing to nobody in particular.
    modern: bool,
    /// The number of the last call or session; numbers are never used twice.
    last: u64,
    calls: HashMap<u64, Call>,
    /// What the server asked a session, by the server's id.
    questions: HashMap<Id, Question>,
    inboxes: HashMap<u64, Arc<Queue>>,
    standing: Standing,
    /// The session that spoke last.
    active: Option<u64>,
    /// Some session said that the handshake is over; the server needs to hear it once.
    initialized: bool,
    dropped: u64,
    departures: u64,
}

#[derive(Debug)]
struct Call {
    session: u64,
    id: Id,
    token: Option<Bytes>,
    queue: Arc<Queue>,
    /// The number of the channel.
    wire: u64,
    /// It asks for a stream of notifications that name it.
    subscription: bool,
}

#[derive(Debug)]
struct Question {
    session: u64,
    queue: Arc<Queue>,
}

/// What became of a request of a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It has this number; write the message.
    Write(u64, Bytes),
    /// It was answered here; there is nothing to write.
    Answered,
}

/// What to do with a message of a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Write it.
    Write(Bytes),
    /// Nothing: it concerns nobody, or the server knows it already.
    Drop,
}

impl Board {
    pub(super) fn new(bytes_max: usize) -> Self {
        Board {
            state: Mutex::default(),
            bytes_max,
        }
    }

    /// In which era the server was met.
    pub(super) fn speaks(&self, era: Era) {
        lock(&self.state).modern = era == Era::Modern;
    }

    pub(super) fn is_modern(&self) -> bool {
        lock(&self.state).modern
    }

    pub(super) fn join(&self, inbox: Arc<Queue>) -> u64 {
        let mut state = lock(&self.state);
        state.last += 1;
        let number = state.last;
        state.inboxes.insert(number, inbox);
        number
    }

    /// Whether the session that leaves was the last one.
    pub(super) fn leave(&self, session: u64) -> bool {
        let mut state = lock(&self.state);
        state.inboxes.remove(&session);
        state.standing.leave(session);
        state
            .questions
            .retain(|_, question| question.session != session);
        state.departures += 1;
        state.inboxes.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        lock(&self.state).inboxes.is_empty()
    }

    pub(super) fn departures(&self) -> u64 {
        lock(&self.state).departures
    }

    pub(super) fn is_initialized(&self) -> bool {
        lock(&self.state).initialized
    }

    /// Enters a request of `session` for the channel with the number `wire`: its number here and
    /// the message to write. Its answer comes to `queue`.
    pub(super) fn call(
        &self,
        session: u64,
        wire: u64,
        bytes: Bytes,
        queue: Arc<Queue>,
    ) -> Result<Entry, UpstreamError> {
        let message = peek::own(bytes)?;
        let (Shape::Request, Some(id)) = (message.shape(), message.id()) else {
            return Err(unusable("it is no request"));
        };
        let document = message.document();
        let mut state = lock(&self.state);
        if state.calls.len() >= CALLS_MAX {
            return Err(UpstreamError::Full { what: "calls" });
        }
        let subscription = state.modern && message.method() == "subscriptions/listen";
        if subscription && state.subscriptions(session) >= SUBSCRIPTIONS_MAX {
            return Err(UpstreamError::Full {
                what: "subscriptions",
            });
        }
        if !state.modern && state.is_for_others_too(session, &message)? {
            queue.finish(Ok(write::result(&id, b"{}")));
            return Ok(Entry::Answered);
        }
        state.last += 1;
        let number = state.last;
        let ours = numbered(number);
        let mut edits = Edits::new();
        if let Some(written) = document.root().get("id") {
            edits.replace(written.range(), ours.bytes());
        }
        let token = message.progress_token();
        if let Some(token) = token {
            edits.replace(token.range(), ours.bytes());
        }
        let written = applied(document, &edits)?;
        let token = token.map(|token| token.slice());
        state.active = Some(session);
        state.calls.insert(
            number,
            Call {
                session,
                id,
                token,
                queue,
                wire,
                subscription,
            },
        );
        Ok(Entry::Write(number, written))
    }

    /// What a new channel must carry of what sessions said over the one before.
    pub(super) fn standing(&self) -> Vec<Bytes> {
        lock(&self.state).standing.messages()
    }

    /// Nobody waits for this call any more. Whether anybody did.
    pub(super) fn forget(&self, number: u64) -> bool {
        lock(&self.state).calls.remove(&number).is_some()
    }

    /// What becomes of a notification or a response of `session`.
    pub(super) fn tell(&self, session: u64, message: &Outgoing<'_>) -> Result<Line, UpstreamError> {
        let mut state = lock(&self.state);
        match (message.shape, &message.id) {
            (Shape::Response, Some(id)) => match state.questions.get(id) {
                Some(question) if question.session == session => {
                    state.questions.remove(id);
                }
                // Nobody asked this session; another one's question is not for it to answer.
                _ => return Ok(Line::Drop),
            },
            (Shape::Notification, _) if message.method == "notifications/cancelled" => {
                return state.cancellation(session, message);
            }
            (Shape::Notification, _) => {
                let ends_handshake = message.method == "notifications/initialized";
                if ends_handshake && std::mem::replace(&mut state.initialized, true) {
                    return Ok(Line::Drop);
                }
            }
            _ => return Err(unusable("it neither tells nor answers anything")),
        }
        Ok(Line::Write(message.bytes.clone()))
    }

    /// Takes a message of the server, and returns what is to be written back, if anything.
    pub(in crate::upstream) fn take(&self, bytes: Bytes) -> Option<Bytes> {
        let Ok(message) = peek::message(bytes.clone(), self.bytes_max) else {
            self.noise(&bytes);
            return None;
        };
        let mut state = lock(&self.state);
        match message.shape() {
            Shape::Response => {
                state.answer(&message);
                None
            }
            Shape::Notification => state.notify(&message),
            Shape::Request => state.ask(&message),
        }
    }

    /// Counts what is no message. If it was meant to be one and just one call is under
    /// way, that call hears of it rather than waiting in vain.
    pub(in crate::upstream) fn noise(&self, bytes: &[u8]) {
        const MARK_WITHIN: usize = 256;
        let head = bytes.get(..MARK_WITHIN).unwrap_or(bytes);
        let tail = bytes.len().checked_sub(MARK_WITHIN);
        let tail = tail.and_then(|from| bytes.get(from..)).unwrap_or_default();
        let mark = b"\"jsonrpc\"";
        let meant = peek::contains(head, mark) || peek::contains(tail, mark);
        let mut state = lock(&self.state);
        state.dropped += 1;
        if meant {
            state.fail_the_only_call(UpstreamError::Malformed {
                reason: "what the server says is no message".to_owned(),
            });
        }
    }

    /// Counts a line that was too long to keep.
    pub(in crate::upstream) fn overlong(&self) {
        let mut state = lock(&self.state);
        state.dropped += 1;
        state.fail_the_only_call(UpstreamError::TooLarge {
            max: self.bytes_max,
        });
    }

    /// How many lines and messages came to nothing.
    pub(in crate::upstream) fn dropped(&self) -> u64 {
        lock(&self.state).dropped
    }

    /// The channel with this number is gone: its calls fail and its questions are void.
    pub(in crate::upstream) fn fail(&self, wire: u64, error: &UpstreamError) {
        let mut state = lock(&self.state);
        state.questions.clear();
        state.calls.retain(|_, call| {
            let gone = call.wire == wire;
            if gone {
                call.queue.finish(Err(error.clone()));
            }
            !gone
        });
    }
}

impl State {
    fn subscriptions(&self, session: u64) -> usize {
        let of_session = |call: &&Call| call.subscription && call.session == session;
        self.calls.values().filter(of_session).count()
    }

    /// Notes what lasts of a request. Whether it would end what another session still wants, so
    /// that the server must not hear of it.
    fn is_for_others_too(
        &mut self,
        session: u64,
        message: &Message,
    ) -> Result<bool, UpstreamError> {
        let uri = || uri_of(message).unwrap_or_default();
        match message.method() {
            "logging/setLevel" => self.standing.set_level(message.bytes()),
            "resources/subscribe" => {
                // Number 0 greets a new server for sessions that have subscribed already.
                let known = self.inboxes.contains_key(&session);
                if known && !self.standing.subscribe(session, &uri(), message.bytes()) {
                    return Err(UpstreamError::Full {
                        what: "subscriptions",
                    });
                }
            }
            "resources/unsubscribe" => return Ok(self.standing.unsubscribe(session, &uri())),
            _ => {}
        }
        Ok(false)
    }

    fn cancellation(
        &mut self,
        session: u64,
        message: &Outgoing<'_>,
    ) -> Result<Line, UpstreamError> {
        let read = peek::own(message.bytes.clone())?;
        let written = read.params().and_then(|params| params.get("requestId"));
        let Some((written, id)) = written.and_then(|w| Some((w, Id::read(w).ok()?))) else {
            return Ok(Line::Drop);
        };
        let own = self
            .calls
            .iter()
            .find(|(_, call)| call.session == session && call.id == id);
        let Some(number) = own.map(|(number, _)| *number) else {
            return Ok(Line::Drop);
        };
        // A modern server says nothing more about it; a legacy one may answer all the same.
        if self.modern
            && let Some(call) = self.calls.remove(&number)
        {
            call.queue.finish(Err(UpstreamError::Ended));
        }
        let mut edits = Edits::new();
        edits.replace(written.range(), numbered(number).bytes());
        Ok(Line::Write(applied(read.document(), &edits)?))
    }
}

fn uri_of(message: &Message) -> Option<String> {
    let uri = message.params()?.get("uri").and_then(Value::text)?;
    Some(uri.into_owned())
}

fn unusable(reason: &str) -> UpstreamError {
    UpstreamError::Message {
        reason: reason.to_owned(),
    }
}

fn applied(document: &Document, edits: &Edits) -> Result<Bytes, UpstreamError> {
    let edited = document.apply(edits);
    edited.map_err(|error| unusable(&error.to_string()))
}

#[cfg(test)]
mod tests;
