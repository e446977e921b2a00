//! Our own MCP server for tests: the legacy era (2025-03-26 to 2025-11-25), over Streamable HTTP
//! and stdio, with every name the official conformance suite asks for.
//!
//! It is written on plain hyper and plain JSON values, without an SDK and without the product's
//! own protocol crate, so that a misreading there cannot hide here as well. With
//! [`Manners::Hostile`] it also does what a malicious server would do. It is never served to
//! anything but loopback.

mod answers;
mod catalogue;
mod hostile;
mod http;
mod journal;
mod session;
mod stdio;
mod stream;
mod tools;

pub use http::serve as serve_http;
pub use journal::Journal;
pub use stdio::serve as serve_stdio;

use session::Session;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether the server behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manners {
    /// As the specification says.
    #[default]
    Tame,
    /// Also offers the tools of `hostile.rs`, and the control paths under `/fixture/`.
    Hostile,
}

/// How one fixture is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether it behaves.
    pub manners: Manners,
    /// Where everything received is written down.
    pub journal: Journal,
    /// The bearer credential callers must show; none means everybody may come.
    pub credential: Option<String>,
    /// The header the credential is expected in, in lower case.
    pub credential_header: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            manners: Manners::Tame,
            journal: Journal::default(),
            credential: None,
            credential_header: "authorization".to_owned(),
        }
    }
}

/// One running server: its sessions, and how often its definitions have changed.
#[derive(Debug)]
struct Fixture {
    options: Options,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    generation: AtomicU64,
}

impl Fixture {
    fn new(options: Options) -> Arc<Self> {
        Arc::new(Fixture {
            options,
            sessions: Mutex::default(),
            generation: AtomicU64::new(0),
        })
    }

    fn is_hostile(&self) -> bool {
        self.options.manners == Manners::Hostile
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        locked(&self.sessions)
    }

    fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.sessions().get(id).cloned()
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Changes the definition of `forecast` and tells every session so.
    fn mutate(&self) -> u64 {
        let generation = self.generation.fetch_add(1, Ordering::SeqCst) + 1;
        for session in self.sessions().values() {
            session.background.push(&answers::notification(
                "notifications/tools/list_changed",
                None,
            ));
        }
        generation
    }
}

/// A poisoned lock in a test server still guards usable data.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
