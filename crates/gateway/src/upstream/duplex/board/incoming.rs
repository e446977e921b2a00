//! What becomes of a message of the server: which session it is for. It never shows a session what
//! another one's call or subscription brought about.

use super::{Call, Question, State, applied, numbered, uri_of};
use crate::upstream::duplex::queue::Queue;
use crate::upstream::peek::{self, Unwanted};
use crate::upstream::{OWN_IDS, UpstreamError};
use bytes::Bytes;
use protocol::{Edits, Id, Message, Value, codes, write};
use std::sync::Arc;

/// How many questions of a server may be open.
const QUESTIONS_MAX: usize = 256;
/// The member of `_meta` that names the subscription a message belongs to (section 2.8).
const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

impl State {
    pub(super) fn answer(&mut self, message: &Message) {
        let number = message.id().and_then(|id| id.integer());
        let number = number.and_then(|number| u64::try_from(number).ok());
        let Some(call) = number.and_then(|number| self.calls.remove(&number)) else {
            self.dropped += 1;
            return;
        };
        let document = message.document();
        let mut edits = Edits::new();
        if let Some(written) = document.root().get("id") {
            edits.replace(written.range(), call.id.bytes());
        }
        if let Some(named) = subscription(message).filter(|_| call.subscription) {
            edits.replace(named.range(), call.id.bytes());
        }
        call.queue.finish(applied(document, &edits));
    }

    /// Hands a notification to whom it is for, and returns what is to be written back, if anything.
    pub(super) fn notify(&mut self, message: &Message) -> Option<Bytes> {
        if !self.modern {
            self.announce(message);
            return None;
        }
        let taken = match (subscription(message), message.method()) {
            (Some(named), _) => return self.publish(named, message),
            (None, "notifications/progress") => self.progress(message),
            (None, "notifications/cancelled") => self.close_subscription(message),
            (None, "notifications/message") => self
                .newest_call()
                .is_some_and(|call| call.queue.push(message.bytes().clone())),
            // What belongs to no subscription is for nobody.
            _ => false,
        };
        if !taken {
            self.dropped += 1;
        }
        None
    }

    /// Hands a notification to the subscription that it names. A reader too slow for it loses the
    /// subscription, never a message of it: it can subscribe again and look what it missed.
    fn publish(&mut self, named: Value<'_>, message: &Message) -> Option<Bytes> {
        let number = number_of(named);
        let call = number.and_then(|number| self.calls.get(&number));
        let Some((number, call)) = number.zip(call).filter(|(_, call)| call.subscription) else {
            self.dropped += 1;
            return None;
        };
        let mut edits = Edits::new();
        edits.replace(named.range(), call.id.bytes());
        let taken = applied(message.document(), &edits).map(|bytes| call.queue.push(bytes));
        if matches!(taken, Ok(true)) {
            return None;
        }
        self.dropped += 1;
        let call = self.calls.remove(&number)?;
        call.queue.finish(Err(UpstreamError::Behind));
        Some(peek::cancelled(&numbered(number), Unwanted::Abandoned))
    }

    /// The server ends a subscription by cancelling it, as one page of the specification has it.
    fn close_subscription(&mut self, message: &Message) -> bool {
        let named = message.params().and_then(|params| params.get("requestId"));
        let Some((named, number)) = named.and_then(|named| Some((named, number_of(named)?))) else {
            return false;
        };
        if !self
            .calls
            .get(&number)
            .is_some_and(|call| call.subscription)
        {
            return false;
        }
        let Some(call) = self.calls.remove(&number) else {
            return false;
        };
        let mut edits = Edits::new();
        edits.replace(named.range(), call.id.bytes());
        call.queue.finish(applied(message.document(), &edits));
        true
    }

    fn announce(&mut self, message: &Message) {
        let taken = match message.method() {
            "notifications/progress" => self.progress(message),
            "notifications/cancelled" => {
                let id = message.params().and_then(|params| params.get("requestId"));
                let question = id.and_then(|id| self.questions.remove(&Id::read(id).ok()?));
                question.is_some_and(|question| question.queue.push(message.bytes().clone()))
            }
            "notifications/resources/updated" => {
                let uri = uri_of(message).unwrap_or_default();
                let wanted = self.standing.subscribers(&uri);
                let inboxes = wanted.filter_map(|session| self.inboxes.get(&session));
                push_all(inboxes, message.bytes())
            }
            "notifications/message" => match self.newest_call() {
                Some(call) => call.queue.push(message.bytes().clone()),
                None => push_all(self.inboxes.values(), message.bytes()),
            },
            _ => push_all(self.inboxes.values(), message.bytes()),
        };
        if !taken {
            self.dropped += 1;
        }
    }

    fn progress(&self, message: &Message) -> bool {
        let token = message
            .params()
            .and_then(|params| params.get("progressToken"));
        let Some(token) = token else {
            return false;
        };
        let number = token
            .integer()
            .and_then(|number| u64::try_from(number).ok());
        let call = number.and_then(|number| self.calls.get(&number));
        let Some((call, theirs)) = call.and_then(|call| Some((call, call.token.clone()?))) else {
            return false;
        };
        let mut edits = Edits::new();
        edits.replace(token.range(), theirs);
        applied(message.document(), &edits).is_ok_and(|bytes| call.queue.push(bytes))
    }

    /// Hands a question of the server to the session it is most likely about: the one whose call
    /// is the newest, or else the one that spoke last.
    pub(super) fn ask(&mut self, message: &Message) -> Option<Bytes> {
        let id = message.id()?;
        if self.modern {
            self.dropped += 1;
            let refusal = "a server asks nothing in this era";
            return Some(write::error(
                Some(&id),
                codes::METHOD_NOT_FOUND,
                refusal,
                None,
            ));
        }
        if message.method() == "ping" {
            return Some(write::result(&id, b"{}"));
        }
        let asked = match self.newest_call() {
            Some(call) => Some((call.session, call.queue.clone())),
            None => {
                let session = self
                    .active
                    .filter(|active| self.inboxes.contains_key(active));
                let session = session.or_else(|| self.inboxes.keys().max().copied());
                session.and_then(|s| Some((s, self.inboxes.get(&s)?.clone())))
            }
        };
        let free = self.questions.len() < QUESTIONS_MAX && !self.questions.contains_key(&id);
        if let Some((session, queue)) = asked.filter(|_| free)
            && queue.push(message.bytes().clone())
        {
            self.questions.insert(id, Question { session, queue });
            return None;
        }
        self.dropped += 1;
        let refusal = "nobody can answer this now";
        Some(write::error(
            Some(&id),
            codes::INTERNAL_ERROR,
            refusal,
            None,
        ))
    }

    /// The call that the server is most likely busy with. Nobody reads what is said during those of
    /// the gateway's own.
    fn newest_call(&self) -> Option<&Call> {
        let own = |call: &Call| call.id.text().is_some_and(|id| id.starts_with(OWN_IDS));
        let of_clients = |call: &Call| !call.subscription && !own(call);
        let calls = self.calls.iter().filter(|(_, call)| of_clients(call));
        calls
            .max_by_key(|(number, _)| **number)
            .map(|(_, call)| call)
    }

    pub(super) fn fail_the_only_call(&mut self, error: UpstreamError) {
        let mut calls = self.calls.iter().filter(|(_, call)| !call.subscription);
        let only = match (calls.next(), calls.next()) {
            (Some((number, _)), None) => *number,
            _ => return,
        };
        if let Some(call) = self.calls.remove(&only) {
            call.queue.finish(Err(error));
        }
    }
}

/// The name of the subscription that a message belongs to.
fn subscription(message: &Message) -> Option<Value<'_>> {
    message.meta()?.get(SUBSCRIPTION_ID)
}

/// The number of a subscription, as a server repeats it. Some repeat numbers as texts.
fn number_of(value: Value<'_>) -> Option<u64> {
    let number = value
        .integer()
        .and_then(|number| u64::try_from(number).ok());
    number.or_else(|| value.text()?.parse().ok())
}

/// Whether somebody got it and nobody missed it.
fn push_all<'a>(inboxes: impl Iterator<Item = &'a Arc<Queue>>, bytes: &Bytes) -> bool {
    let (mut some, mut all) = (false, true);
    for inbox in inboxes {
        some = true;
        all &= inbox.push(bytes.clone());
    }
    some && all
}
