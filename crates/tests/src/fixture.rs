//! Our own MCP server for tests, of both eras: sessions (2025-03-26 to 2025-11-25, and 2024-11-05
//! over HTTP+SSE) and stateless (2026-07-28), over HTTP and stdio, with every name the official
//! conformance suite asks for.
//!
//! It is written on plain hyper and plain JSON values, without an SDK and without the product's
//! own protocol crate, so that a misreading there cannot hide here as well. Each tool is written
//! once; what differs between the eras is in [`caller`]. With [`Manners::Hostile`] it also does what
//! a malicious server would do. It is never served to anything but loopback.

mod answers;
mod caller;
mod catalogue;
mod feeds;
mod hostile;
mod http;
mod inputs;
mod jobs;
mod journal;
mod library;
mod mirror;
mod modern;
mod session;
mod state;
mod stdio;
mod stream;
mod tasks;
mod tools;

pub use hostile::ListenManners;
pub use http::{Face, serve as serve_http};
pub use journal::Journal;
pub use stdio::serve as serve_stdio;

use anyhow::Result;
use feeds::{Change, Feeds};
use hostile::Whims;
use session::Session;
use state::Seal;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tasks::Tasks;

/// Whether the server behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manners {
    /// As the specification says.
    #[default]
    Tame,
    /// Also offers the tools of `hostile.rs`, and the control paths under `/fixture/`.
    Hostile,
}

/// Which era the server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Era {
    /// Handshake and sessions only.
    #[default]
    Legacy,
    /// 2026-07-28 only.
    Modern,
    /// Both, as the client opens.
    Both,
}

impl Era {
    /// The era of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "legacy" => Some(Era::Legacy),
            "modern" => Some(Era::Modern),
            "both" => Some(Era::Both),
            _ => None,
        }
    }

    fn speaks_legacy(self) -> bool {
        self != Era::Modern
    }
}

/// How one fixture is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether it behaves.
    pub manners: Manners,
    /// Which era it speaks.
    pub era: Era,
    /// How many entries a page of a list has; none means that lists have one page.
    pub page: Option<usize>,
    /// How it behaves on `subscriptions/listen`.
    pub listen: ListenManners,
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
            era: Era::default(),
            page: None,
            listen: ListenManners::default(),
            journal: Journal::default(),
            credential: None,
            credential_header: "authorization".to_owned(),
        }
    }
}

/// One running server: its sessions, subscriptions and tasks, and how often its definitions have
/// changed.
#[derive(Debug)]
struct Fixture {
    options: Options,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    generation: AtomicU64,
    feeds: Feeds,
    tasks: Tasks,
    seal: Seal,
    whims: Mutex<Whims>,
}

impl Fixture {
    fn new(options: Options) -> Result<Arc<Self>> {
        let whims = Whims::of(options.listen);
        Ok(Arc::new(Fixture {
            options,
            sessions: Mutex::default(),
            generation: AtomicU64::new(0),
            feeds: Feeds::default(),
            tasks: Tasks::default(),
            seal: Seal::fresh()?,
            whims: Mutex::new(whims),
        }))
    }

    fn is_hostile(&self) -> bool {
        self.options.manners == Manners::Hostile
    }

    fn whims(&self) -> Whims {
        *locked(&self.whims)
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

    /// Changes the definition of `forecast` and tells everybody so.
    fn mutate(&self) -> u64 {
        let generation = self.generation.fetch_add(1, Ordering::SeqCst) + 1;
        self.announce(&Change::Tools);
        generation
    }

    /// Tells everybody who asked to be told: sessions on their own stream, subscriptions on theirs.
    fn announce(&self, change: &Change) {
        for session in self.sessions().values() {
            session.told(change);
        }
        self.feeds.announce(change, self.whims().listen);
    }
}

/// A poisoned lock in a test server still guards usable data.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
