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
pub use register::{Entry, Lifted, Order, Origin, Register, RegisterError, Target};

use crate::small::lock;
use crate::state::{Rows, StateError};
use arc_swap::{ArcSwap, ArcSwapOption};
use identity::Caller;
use std::collections::HashMap;
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
    /// How far the clock of each issuer may be ahead, in seconds.
    skews: ArcSwap<HashMap<Box<str>, u64>>,
    /// What is not in the ledger yet, as far as is known.
    unrecorded: Mutex<Vec<Entry>>,
    /// Whether something changed for which what is remembered of callers should be forgotten.
    forgets: AtomicBool,
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
    /// Entries that one issuer may tell, and all of them together: there is always room for whoever runs
    /// the gateway.
    pub const TOLD: usize = 10_000;
    /// See [`Revocations::TOLD`].
    pub const TOLD_IN_ALL: usize = 80_000;

    /// Reads the store.
    pub async fn read(rows: Rows, now_ms: u64) -> Result<Self, StateError> {
        let register = Register::new(rows);
        let version = register.rows().version().await?;
        let entries = register.entries(now_ms).await?;
        Ok(Revocations::of(register, version, entries))
    }

    /// None at all, for tests.
    #[cfg(test)]
    pub(crate) fn none(rows: Rows) -> Self {
        Revocations::of(Register::new(rows), 0, Vec::new())
    }

    fn of(register: Register, version: i64, entries: Vec<Entry>) -> Self {
        let index = Index::of(&entries);
        Revocations {
            register,
            skews: ArcSwap::default(),
            unrecorded: Mutex::new(unrecorded(entries)),
            forgets: AtomicBool::new(false),
            known: ArcSwapOption::from_pointee(index),
            version: AtomicI64::new(version),
            read_ms: AtomicU64::new(0),
            since: Instant::now(),
            watched: AtomicBool::new(false),
            reading: tokio::sync::Mutex::default(),
            told: Mutex::default(),
            changed: watch::Sender::new(0),
        }
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
        let known = self.known.load();
        let index = known.as_ref().ok_or(Barred::Unreadable)?;
        if index.is_empty() {
            return Ok(());
        }
        let facts = facts();
        let skew_s = self.skews.load().get(facts.issuer).copied();
        match index.bars(&facts, skew_s.unwrap_or_default()) {
            true => Err(Barred::Revoked),
            false => Ok(()),
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

    /// How far the clocks of these issuers may be ahead of ours.
    pub(crate) fn set_skews(&self, issuers: &[config::settled::Issuer]) {
        let exact = issuers.iter().flat_map(|issuer| {
            let skew_s = issuer.clock_skew.as_secs();
            let exact = issuer.exact().into_iter();
            exact.map(move |exact| (exact.issuer.into(), skew_s))
        });
        self.skews.store(Arc::new(exact.collect()));
    }

    /// Writes a revocation down. It is in force when this returns. What issuers tell leaves room for
    /// others.
    pub async fn add(&self, order: Order, now_ms: u64) -> Result<Entry, RegisterError> {
        let _one_at_a_time = self.reading.lock().await;
        let known = self.known.load_full();
        if let (Origin::Issuer, Some(index)) = (order.origin, &known) {
            let (told, in_all) = index.told_by(order.target.issuer().unwrap_or_default());
            if told >= Self::TOLD || in_all >= Self::TOLD_IN_ALL {
                return Err(StateError::Full("revocation of an issuer").into());
            }
        }
        let entry = self.register.add(order, now_ms).await?;
        lock(&self.unrecorded).push(entry.clone());
        // What cannot be read now is read whole, this entry with it, when it can.
        if let Some(index) = known {
            self.known.store(Some(Arc::new(index.with(&entry))));
            self.changed.send_modify(|changes| *changes += 1);
        }
        Ok(entry)
    }

    /// Takes a revocation back, which counts when this returns, and says which it was; nothing if there is
    /// none with this id.
    pub async fn lift(
        &self,
        id: &str,
        by: &str,
        now_ms: u64,
    ) -> Result<Option<Entry>, RegisterError> {
        let lifted = self.register.lift(id, by, now_ms).await?;
        if lifted.is_some() {
            self.take_up(now_ms).await?;
        }
        Ok(lifted)
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
        let entries = self.register.entries(now_ms).await?;
        let index = Index::of(&entries);
        let before = self.known.load_full();
        let is_same = before.is_some_and(|before| before.is_same(&index));
        self.known.store(Some(Arc::new(index)));
        self.stamp();
        let waiting = unrecorded(entries);
        let is_done = is_same && waiting.is_empty();
        *lock(&self.unrecorded) = waiting;
        if !is_same {
            self.forgets.store(true, Ordering::Relaxed);
        }
        if !is_done {
            self.changed.send_modify(|changes| *changes += 1);
        }
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

fn unrecorded(entries: Vec<Entry>) -> Vec<Entry> {
    let entries = entries.into_iter();
    entries.filter(|entry| !entry.recorded).collect()
}

#[cfg(test)]
mod tests;
