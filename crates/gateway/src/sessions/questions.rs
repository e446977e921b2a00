//! What servers have asked one client and not been answered yet. Questions are called by names of the
//! gateway's own: two servers may choose the same id, and no client can answer what it was not asked.

use crate::bridge::Asker;
use protocol::Id;
use std::collections::HashMap;

/// Questions that may be open at once.
pub(super) const OPEN: usize = 64;

/// The open questions of one session.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: HashMap<Id, Question>,
    last: u64,
}

#[derive(Debug)]
struct Question {
    asker: Asker,
    stream: u64,
    /// The progress token the server gave it. Towards the client it is the question's own name.
    token: Option<Id>,
}

impl Questions {
    pub(super) fn ask(&mut self, asker: Asker, stream: u64, token: Option<Id>) -> Option<Id> {
        if self.open.len() >= OPEN {
            return None;
        }
        self.last += 1;
        let id = Id::from(format!("ringwall-q{}", self.last).as_str());
        let question = Question {
            asker,
            stream,
            token,
        };
        self.open.insert(id.clone(), question);
        Some(id)
    }

    pub(super) fn answered(&mut self, id: &Id) -> Option<Asker> {
        self.open.remove(id).map(|question| question.asker)
    }

    pub(super) fn with_token(&self, token: &Id) -> Option<(Asker, Id)> {
        let question = self.open.get(token)?;
        Some((question.asker.clone(), question.token.clone()?))
    }

    pub(super) fn forget(&mut self, stream: u64) {
        self.open.retain(|_, question| question.stream != stream);
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}
