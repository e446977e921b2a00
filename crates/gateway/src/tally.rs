//! How much of something is remembered for each of those who may have so much of it: counted by who, and
//! by the second in which it stops being remembered. It bounds nothing itself; whoever adds asks first.

use crate::small::lock;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

/// How much is remembered of whom. Those without anything are dropped now and then.
#[derive(Debug)]
pub(crate) struct Tally {
    shards: [Mutex<Shard>; Tally::SHARDS],
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Shard {
    by_name: HashMap<Box<str>, BTreeMap<u64, u32>>,
    /// Looked through for names without anything at this size.
    swept_at: usize,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }
}

impl Tally {
    const SHARDS: usize = 16;
    /// Names that a shard holds before it is looked through.
    pub(crate) const FEW: usize = 64;

    fn shard(&self, name: &str) -> &Mutex<Shard> {
        let [first, ..] = &self.shards;
        let hash = self.hasher.hash_one(name) % Self::SHARDS as u64;
        // INVARIANT: the remainder is below the number of shards; the fallback is never taken.
        let at = usize::try_from(hash).unwrap_or_default();
        self.shards.get(at).unwrap_or(first)
    }

    /// How much is remembered of this one at this moment, in unix seconds.
    pub(crate) fn count(&self, name: &str, now_s: u64) -> u32 {
        let mut shard = lock(self.shard(name));
        let Some(seconds) = shard.by_name.get_mut(name) else {
            return 0;
        };
        *seconds = seconds.split_off(&now_s.saturating_add(1));
        seconds
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// One more of this one is remembered, until this second.
    pub(crate) fn add(&self, name: &str, until_s: u64, now_s: u64) {
        let mut shard = lock(self.shard(name));
        if shard.by_name.len() >= shard.swept_at.max(Self::FEW) {
            let lasting = |seconds: &BTreeMap<u64, u32>| {
                seconds
                    .last_key_value()
                    .is_some_and(|(until_s, _)| *until_s > now_s)
            };
            shard.by_name.retain(|_, seconds| lasting(seconds));
            shard.swept_at = shard.by_name.len().saturating_mul(2);
        }
        let seconds = match shard.by_name.get_mut(name) {
            Some(seconds) => seconds,
            None => shard.by_name.entry(name.into()).or_default(),
        };
        let count = seconds.entry(until_s).or_default();
        *count = count.saturating_add(1);
    }

    /// How many names are known.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let shards = self.shards.iter();
        shards.map(|shard| lock(shard).by_name.len()).sum()
    }
}
