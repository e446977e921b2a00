//! What becomes of a message of the process: which session it is for.

use super::{Call, Question, State, applied, line, uri_of};
use crate::upstream::UpstreamError;
use crate::upstream::stdio::queue::Queue;
use bytes::Bytes;
use protocol::{Edits, Id, Message, codes, write};
use std::sync::Arc;

/// How many questions of a process may be open.
const QUESTIONS_MAX: usize = 256;

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
        call.queue.finish(applied(document, &edits));
    }

    pub(super) fn notify(&mut self, message: &Message) {
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
        if message.method() == "ping" {
            return Some(line(&write::result(&id, b"{}")));
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
        let refusal = write::error(Some(&id), codes::INTERNAL_ERROR, refusal, None);
        Some(line(&refusal))
    }

    fn newest_call(&self) -> Option<&Call> {
        let number = self.calls.keys().max()?;
        self.calls.get(number)
    }

    pub(super) fn fail_the_only_call(&mut self, error: UpstreamError) {
        if self.calls.len() == 1 {
            for (_, call) in self.calls.drain() {
                call.queue.finish(Err(error.clone()));
            }
        }
    }
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
