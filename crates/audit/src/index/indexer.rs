//! The thread that keeps an index up to date beside a ledger that is being written.

use super::Index;
use crate::err::IndexError;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Keeps an index up to date until it is dropped.
#[derive(Debug)]
pub struct Indexer {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    is_ending: Mutex<bool>,
    changed: Condvar,
    failure: Mutex<Option<String>>,
}

impl Indexer {
    /// Looks at the ledger in `dir` every `period`.
    pub fn start(dir: &Path, period: Duration) -> Result<Self, IndexError> {
        let index = Index::open(dir)?;
        let state = Arc::new(State::default());
        let theirs = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("ledger-index".to_owned())
            .spawn(move || theirs.keep(index, period))
            .map_err(|source| IndexError::Rebuild {
                path: dir.to_owned(),
                source,
            })?;
        let thread = Some(thread);
        Ok(Self { state, thread })
    }

    /// What went wrong last, if the last attempt went wrong. The ledger does not depend on it.
    pub fn failure(&self) -> Option<String> {
        self.state
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl State {
    fn keep(&self, mut index: Index, period: Duration) {
        let mut is_ending = self
            .is_ending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while !*is_ending {
            drop(is_ending);
            let step = index.step();
            let is_complete = !matches!(&step, Ok(progress) if !progress.is_complete);
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) =
                step.err().map(|error| error.to_string());
            is_ending = self
                .is_ending
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if is_complete && !*is_ending {
                (is_ending, _) = self
                    .changed
                    .wait_timeout(is_ending, period)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        *self
            .state
            .is_ending
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.state.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
