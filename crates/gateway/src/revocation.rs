//! Whose tokens are not good any more, although they have not expired (control 8.3): asked on every
//! message as soon as it is known who sent it, and again wherever something is still open for them.
//!
//! What is asked is an index in memory, read from the durable store. The store is looked at twice a
//! second, so that what another process wrote counts within that time. If it cannot be read, nobody is
//! let through: what was revoked is not known then, and not knowing is no permission.

mod effect;
mod index;
mod register;

pub(crate) use index::login_of;
pub use index::{Facts, Index};
pub use register::{Entry, Lifted, Order, Register, RegisterError, Target};

use crate::small::lock;
use crate::state::{Rows, StateError};
use arc_swap::ArcSwapOption;
use identity::Caller;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The revocations in force.
#[derive(Debug)]
pub struct Revocations {
    register: Register,
    /// What is in force; nothing if nobody can tell.
    known: ArcSwapOption<Index>,
    /// The store's version when it was read last.
    version: AtomicI64,
    /// When the store was found to be as it is known, in milliseconds after `since`.
    read_ms: AtomicU64,
    since: Instant,
    watched: AtomicBool,
    /// One reading at a time: an older one never replaces a newer one.
    reading: tokio::sync::Mutex<()>,
    /// Why it cannot be read, told once.
    told: Mutex<Option<String>>,
    changed: watch::Sender<u64>,
}

/// Why somebody is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// The token, or whoever it speaks for, was revoked.
    Revoked,
    /// Nobody can tell.
    Unreadable,
}

impl Revocations {
    /// How often the store is looked at.
    pub const LOOK: Duration = Duration::from_millis(500);
    /// How old what is known may be. A store that hangs is a store that cannot be read.
    pub const STALE: Duration = Duration::from_secs(10);
    /// Every so many looks everything is read anew, whether or not it seems to have changed.
    const THOROUGH: u64 = 120;

    /// Reads the store.
    pub async fn read(rows: Rows, now_ms: u64) -> Result<Self, StateError> {
        let register = Register::new(rows);
        let version = register.rows().version().await?;
        let index = Index::of(&register.entries(now_ms).await?);
        Ok(Revocations {
            register,
            known: ArcSwapOption::from_pointee(index),
            version: AtomicI64::new(version),
            read_ms: AtomicU64::new(0),
            since: Instant::now(),
            watched: AtomicBool::new(false),
            reading: tokio::sync::Mutex::default(),
            told: Mutex::default(),
            changed: watch::Sender::new(0),
        })
    }

    /// What is written, for whoever writes more.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// Whether this caller, with this token, may still come. Waits for nothing and takes no lock.
    pub fn check(&self, caller: &Caller) -> Result<(), Barred> {
        self.check_facts(|| Facts::of(caller))
    }

    /// The same of anything else that is open for somebody.
    pub fn check_facts<'a>(&self, facts: impl FnOnce() -> Facts<'a>) -> Result<(), Barred> {
        if self.is_stale() {
            return Err(Barred::Unreadable);
        }
        match &*self.known.load() {
            None => Err(Barred::Unreadable),
            Some(index) if index.is_empty() || !index.bars(&facts()) => Ok(()),
            Some(_) => Err(Barred::Revoked),
        }
    }

    /// Whether what was granted under this name at this moment, in unix seconds, is good no more.
    pub fn check_grant(&self, name: &str, granted_s: u64) -> Result<(), Barred> {
        match &*self.known.load() {
            Some(_) | None if self.is_stale() => Err(Barred::Unreadable),
            None => Err(Barred::Unreadable),
            Some(index) if index.bars_grant(name, granted_s) => Err(Barred::Revoked),
            Some(_) => Ok(()),
        }
    }

    /// Tells whenever what is known changes. What is open for somebody asks again then.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Resolves once this caller is turned away for having been revoked. A store that cannot be read
    /// ends nothing that is open: it admits nothing new, which is where harm would begin.
    pub async fn barred(&self, caller: &Caller) {
        let mut changes = self.changes();
        while self.check(caller) != Err(Barred::Revoked) {
            // INVARIANT: the sender lives in `self`, so that waiting ends by a change only.
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Writes a revocation down. It is in force when this returns.
    pub async fn add(&self, order: Order, now_ms: u64) -> Result<Entry, RegisterError> {
        let entry = self.register.add(order, now_ms).await?;
        self.take_up(now_ms).await?;
        Ok(entry)
    }

    /// Looks whether somebody else wrote, and takes it up.
    pub async fn look(&self, looks: u64, now_ms: u64) {
        self.watched.store(true, Ordering::Relaxed);
        let version = self.register.rows().version().await;
        let is_known = self.known.load().is_some();
        let same = version
            .as_ref()
            .is_ok_and(|version| *version == self.version.load(Ordering::Relaxed));
        let outcome = match version {
            Ok(_) if same && is_known && !looks.is_multiple_of(Self::THOROUGH) => {
                self.stamp();
                return;
            }
            Ok(version) => {
                let read = self.take_up(now_ms).await;
                read.map(|()| self.version.store(version, Ordering::Relaxed))
            }
            Err(error) => Err(error),
        };
        let why = outcome.err().map(|error| error.to_string());
        if why.is_some() {
            self.known.store(None);
        }
        let mut told = lock(&self.told);
        match (&why, &*told) {
            (Some(why), None) => tracing::error!("revocations cannot be read: {why}"),
            (None, Some(_)) => tracing::info!("revocations can be read again"),
            _ => {}
        }
        *told = why;
    }

    async fn take_up(&self, now_ms: u64) -> Result<(), StateError> {
        let _one_at_a_time = self.reading.lock().await;
        let index = Index::of(&self.register.entries(now_ms).await?);
        self.known.store(Some(Arc::new(index)));
        self.stamp();
        self.changed.send_modify(|changes| *changes += 1);
        Ok(())
    }

    fn stamp(&self) {
        self.read_ms.store(self.elapsed_ms(), Ordering::Relaxed);
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Before anybody looks, what was read at the start is all there is.
    fn is_stale(&self) -> bool {
        let age_ms = self
            .elapsed_ms()
            .saturating_sub(self.read_ms.load(Ordering::Relaxed));
        u128::from(age_ms) > Self::STALE.as_millis() && self.watched.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
