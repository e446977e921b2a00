//! What a legacy server asks outside the stream of any call, while a stateless client waits for one:
//! servers of the older SDKs do so. Such a client can be asked only in the answer to a call, so with
//! one call under way the question is that call's; with several nobody can tell whose it is, and the
//! server is told no at once.

use super::far::Far;
use super::feed::Ear;
use crate::small::lock;
use protocol::bridge::Wish;
use protocol::revision::Era;
use protocol::{Id, Message, Shape};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Questions that are remembered as somebody's.
const TAKEN: usize = 256;

/// Which calls listen for questions, and which questions were taken by one of them.
#[derive(Debug, Default)]
pub(super) struct Asides {
    calls: AtomicUsize,
    taken: Mutex<VecDeque<Id>>,
}

/// A call that listens for questions on its server's own stream.
#[derive(Debug)]
pub(crate) struct Attention {
    ear: Ear,
}

impl Far {
    /// Listens for questions while a call is under way; nothing if there is nothing to hear.
    pub(crate) async fn attend(self: &Arc<Self>) -> Option<Attention> {
        if self.era() == Era::Modern || self.feed.is_mute() {
            return None;
        }
        let ear = self.hear(Wish::default()).await.ok()?;
        self.asides.calls.fetch_add(1, Ordering::AcqRel);
        Some(Attention { ear })
    }

    /// Whether a call listens for questions.
    pub(crate) fn is_attended(&self) -> bool {
        self.asides.calls.load(Ordering::Acquire) > 0
    }

    /// Whether this question is nobody's yet; from now on it is the asker's.
    pub(crate) fn take_question(&self, id: &Id) -> bool {
        let mut taken = lock(&self.asides.taken);
        if taken.contains(id) {
            return false;
        }
        if taken.len() == TAKEN {
            taken.pop_front();
        }
        taken.push_back(id.clone());
        true
    }
}

impl Attention {
    /// The next question that no other call has taken; never, once the server is not heard any more.
    pub(crate) async fn question(&mut self) -> Message {
        loop {
            let Ok(Some(bytes)) = self.ear.next().await else {
                return std::future::pending().await;
            };
            let far = self.ear.far();
            // What cannot be read is dealt with where the stream itself is screened.
            let Ok(message) = far.read(bytes) else {
                continue;
            };
            let Some(id) = message.id().filter(|_| message.shape() == Shape::Request) else {
                continue;
            };
            if far.take_question(&id) {
                return message;
            }
        }
    }

    /// Whether the question can only be this call's.
    pub(crate) fn is_alone(&self) -> bool {
        self.ear.far().asides.calls.load(Ordering::Acquire) == 1
    }
}

impl Drop for Attention {
    fn drop(&mut self) {
        self.ear.far().asides.calls.fetch_sub(1, Ordering::AcqRel);
    }
}
