//! What the authorization server keeps between requests and over reloads: its keys, the documents of
//! clients and the keys that were read, and who works on which family. Everything is bounded.

use super::{At, Authority, SigningKeys};
use crate::gate::Gate;
use crate::strangers::{Strangers, Told};
use crate::tally::Tally;
use bytes::Bytes;
use identity::authority::Client;
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};
use watch::{Charge, Dimension, Rate};

/// Documents of clients that are remembered.
const DOCUMENTS: usize = 1000;
/// Sets of keys of clients that are remembered.
const KEY_SETS: usize = 1000;
/// How many families can be worked on at once without waiting for each other.
const SHARDS: usize = 64;

/// What is kept.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(super) keys: Arc<SigningKeys>,
    pub(super) documents: Cache<Box<str>, Remembered>,
    pub(super) key_sets: Cache<Box<str>, KeySet>,
    /// How many assertions of each client are remembered.
    pub(super) assertions: Tally,
    /// Pages that ask.
    pub(super) shown: Strangers,
    families: Box<[Mutex<()>]>,
    hasher: RandomState,
}

/// A document that was read.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub(super) client: Arc<Client>,
    /// Until when it is not read again, in unix seconds.
    pub(super) fresh_until_s: u64,
}

/// Keys of a client that were read.
#[derive(Clone, Debug)]
pub(super) struct KeySet {
    pub(super) body: Bytes,
    /// When they were read, in unix seconds.
    pub(super) read_s: u64,
}

/// What is counted of those who come without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// Documents of clients that are fetched.
    Fetch,
    /// Keys of clients that are fetched.
    Keys,
    /// Pages that are answered, and people who are sent to sign in without one.
    SignIn,
    /// Registrations.
    Registration,
}

impl Counted {
    /// How many a minute, and at once after a pause: of one address, and of all together.
    const fn rates(self) -> [(u32, u32); 2] {
        match self {
            Counted::Fetch | Counted::Keys => [(30, 30), (300, 300)],
            Counted::SignIn => [(60, 60), (600, 600)],
            Counted::Registration => [(10, 20), (60, 200)],
        }
    }
}

impl Desk {
    /// A desk with these keys and nothing else on it.
    pub(crate) fn new(keys: Arc<SigningKeys>) -> Self {
        Desk {
            keys,
            documents: Cache::new(DOCUMENTS),
            key_sets: Cache::new(KEY_SETS),
            assertions: Tally::default(),
            shown: Strangers::of(Told::Pages),
            families: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The keys, for whoever verifies tokens here.
    pub(crate) fn keys(&self) -> Arc<SigningKeys> {
        Arc::clone(&self.keys)
    }

    pub(super) fn at<'a>(
        &self,
        gate: &'a Arc<Gate>,
        authority: &'a Arc<Authority>,
        source: IpAddr,
    ) -> At<'a> {
        At {
            gate,
            authority,
            source,
            now: gate.clock().unix_s(),
        }
    }

    /// Nobody else works on this family meanwhile.
    pub(super) async fn alone_with(&self, family: &str) -> Option<MutexGuard<'_, ()>> {
        let shards = self.families.len().max(1) as u64;
        let place = usize::try_from(self.hasher.hash_one(family) % shards).ok()?;
        // INVARIANT: the remainder is below the number of shards.
        Some(self.families.get(place)?.lock().await)
    }
}

impl At<'_> {
    /// Counts one more, of this address and of all; false if that is too many.
    pub(super) fn counts(&self, what: Counted) -> bool {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let rate = |(minute, burst)| Rate::per_minute(number(minute), number(burst)).ok();
        let [own, all] = what.rates().map(rate);
        let (Some(own), Some(all)) = (own, all) else {
            return false;
        };
        let keyer = &self.gate.keyer;
        let charges = [
            Charge::one(Dimension::Source, keyer.key((what, Some(self.source))), own),
            Charge::one(Dimension::Source, keyer.key((what, None::<IpAddr>)), all),
        ];
        let now_ns = self.gate.clock().monotonic_ns();
        self.gate.limits.take(&charges, now_ns).is_ok()
    }
}
