//! What the sessions of a channel told the server that lasts: who subscribed to which resource, and
//! the log level. So that one session's end of a subscription does not end another's, and so that a
//! server started anew can be told again. Bounded; it sends nothing itself.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// How many resources are remembered, and how long a message that is remembered may be.
const RESOURCES_MAX: usize = 256;
const MESSAGE_BYTES_MAX: usize = 8 * 1024;

#[derive(Debug, Default)]
pub(super) struct Standing {
    level: Option<Bytes>,
    subscriptions: BTreeMap<String, Subscription>,
}

#[derive(Debug)]
struct Subscription {
    request: Bytes,
    sessions: BTreeSet<u64>,
}

impl Standing {
    pub(super) fn set_level(&mut self, request: &Bytes) {
        if request.len() <= MESSAGE_BYTES_MAX {
            self.level = Some(request.clone());
        }
    }

    /// Notes a subscription. Whether there was room for it.
    pub(super) fn subscribe(&mut self, session: u64, uri: &str, request: &Bytes) -> bool {
        if let Some(known) = self.subscriptions.get_mut(uri) {
            known.sessions.insert(session);
            return true;
        }
        if self.subscriptions.len() >= RESOURCES_MAX || request.len() > MESSAGE_BYTES_MAX {
            return false;
        }
        let subscription = Subscription {
            request: request.clone(),
            sessions: BTreeSet::from([session]),
        };
        self.subscriptions.insert(uri.to_owned(), subscription);
        true
    }

    /// Ends a subscription of `session`. Whether another session still wants it.
    pub(super) fn unsubscribe(&mut self, session: u64, uri: &str) -> bool {
        let Some(known) = self.subscriptions.get_mut(uri) else {
            return false;
        };
        known.sessions.remove(&session);
        let wanted = !known.sessions.is_empty();
        if !wanted {
            self.subscriptions.remove(uri);
        }
        wanted
    }

    pub(super) fn leave(&mut self, session: u64) {
        self.subscriptions.retain(|_, subscription| {
            subscription.sessions.remove(&session);
            !subscription.sessions.is_empty()
        });
    }

    /// Who subscribed to this resource.
    pub(super) fn subscribers(&self, uri: &str) -> impl Iterator<Item = u64> {
        let known = self.subscriptions.get(uri);
        known
            .into_iter()
            .flat_map(|known| known.sessions.iter().copied())
    }

    /// What to say over a new channel.
    pub(super) fn messages(&self) -> Vec<Bytes> {
        let requests = self
            .subscriptions
            .values()
            .map(|known| known.request.clone());
        self.level.clone().into_iter().chain(requests).collect()
    }
}
