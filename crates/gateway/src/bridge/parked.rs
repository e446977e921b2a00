//! Calls that wait for their client to come back: a legacy server asked something in the middle of a
//! call of a modern client, who was told so and will send the call again with the answers. The
//! server's stream stays open meanwhile. Bounded per user and in time; found by its own user only.

use super::Asker;
use crate::small::lock;
use crate::stages::ScreenedStream;
use identity::Caller;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

/// A call that waits.
#[derive(Debug)]
pub(crate) struct ParkedCall {
    /// What the server goes on to say.
    pub(crate) stream: Box<ScreenedStream>,
    /// What it asked.
    pub(crate) waiting: Vec<Waiting>,
    /// When it is given up, in milliseconds since the Unix epoch.
    pub(crate) expires_ms: u64,
    /// Who sent it last, with the token it came with.
    pub(crate) caller: Arc<Caller>,
}

/// One question and who asked it.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// What the client was told to call the answer.
    pub(crate) question: protocol::bridge::Question,
    /// Who waits for it.
    pub(crate) asker: Asker,
}

impl ParkedCall {
    /// Gives it up: the server is told that no answer comes, and that nobody waits for its own.
    pub(crate) async fn abandon(self) {
        for waiting in &self.waiting {
            waiting.asker.give_up().await;
        }
        self.stream.cancel();
    }
}

/// All parked calls, by user.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    users: HashMap<Arc<str>, HashMap<u64, ParkedCall>>,
    last: u64,
}

impl Default for State {
    /// Numbers begin anywhere: a sealed state outlives a restart, and must not name a call that was
    /// parked after it.
    fn default() -> Self {
        State {
            users: HashMap::new(),
            last: RandomState::new().hash_one("parked"),
        }
    }
}

/// A user has as many parked calls as they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Parked {
    /// Parks a call and says under which number.
    pub(crate) fn park(
        &self,
        user: &Arc<str>,
        most: usize,
        call: ParkedCall,
    ) -> Result<u64, (Box<ParkedCall>, Full)> {
        let mut state = lock(&self.state);
        state.last = state.last.wrapping_add(1);
        let number = state.last;
        let held = state.users.entry(Arc::clone(user)).or_default();
        if held.len() >= most {
            return Err((Box::new(call), Full));
        }
        held.insert(number, call);
        Ok(number)
    }

    /// This user's parked call with this number; it is parked no more.
    pub(crate) fn take(&self, user: &str, number: u64) -> Option<ParkedCall> {
        let mut state = lock(&self.state);
        let held = state.users.get_mut(user)?;
        let call = held.remove(&number);
        if held.is_empty() {
            state.users.remove(user);
        }
        call
    }

    /// How many each user has.
    pub(crate) fn by_user(&self) -> Vec<(Arc<str>, usize)> {
        let state = lock(&self.state);
        let held = state.users.iter().filter(|(_, held)| !held.is_empty());
        held.map(|(user, held)| (Arc::clone(user), held.len()))
            .collect()
    }

    /// Gives up every call whose time is over, and says how many that were.
    pub(crate) async fn sweep(&self, now_ms: u64) -> usize {
        let over = self.extract(|call| call.expires_ms <= now_ms);
        let count = over.len();
        for call in over {
            call.stream
                .note("call.expired", "the client did not come back in time");
            // Each on its own: a server that takes its time holds up no other.
            tokio::spawn(call.abandon());
        }
        count
    }

    /// Gives up every call whose caller this is true of, and says how many that were.
    pub(crate) fn give_up_where(&self, over: impl Fn(&Caller) -> bool) -> usize {
        let over = self.extract(|call| over(&call.caller));
        let count = over.len();
        for call in over {
            call.stream
                .note("call.expired", "whoever sent it was revoked");
            tokio::spawn(call.abandon());
        }
        count
    }

    fn extract(&self, over: impl Fn(&ParkedCall) -> bool) -> Vec<ParkedCall> {
        let mut taken = Vec::new();
        lock(&self.state).users.retain(|_, held| {
            taken.extend(held.extract_if(|_, call| over(call)).map(|(_, call)| call));
            !held.is_empty()
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_a_state_of_before_a_restart_names_no_call_of_after_it() {
        let firsts: std::collections::HashSet<u64> = (0..64)
            .map(|_| lock(&Parked::default().state).last)
            .collect();
        assert_eq!(firsts.len(), 64);
    }
}
