//! Rates, by the generic cell rate algorithm: one number per key, the time at which its bucket
//! would be full again.
//!
//! A key whose time has passed says the same as no key at all, which is why it may be forgotten,
//! and why only such keys ever are.

use crate::key::{Dimension, KeyHash};
use crate::limits::{Bound, Exceeded};
use crate::rate::Rate;
use crate::shards::{Held, KEYS_MAX, Shards};
use std::collections::HashMap;
use std::time::Duration;

/// Token buckets of many keys in many dimensions.
#[derive(Debug)]
pub struct Limiter {
    shards: Shards<Buckets>,
}

/// What one key is charged.
///
/// A key has one rate. Who limits the same thing twice (per second and per day, say) puts the name
/// of the limit into the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Along what is counted.
    pub dimension: Dimension,
    /// What is counted.
    pub key: KeyHash,
    /// How much is allowed.
    pub rate: Rate,
    /// How much is asked for: calls, bytes, seconds.
    pub units: u32,
}

impl Charge {
    /// One unit.
    pub fn one(dimension: Dimension, key: KeyHash, rate: Rate) -> Self {
        Charge {
            dimension,
            key,
            rate,
            units: 1,
        }
    }
}

impl Limiter {
    /// The most charges of one question.
    pub const CHARGES_MAX: usize = KEYS_MAX;

    /// Room for about `keys` live keys in each dimension (never more).
    pub fn new(keys: usize) -> Self {
        Limiter {
            shards: Shards::new(keys),
        }
    }

    /// Takes what all the charges say, or nothing.
    ///
    /// `now_ns` is a monotonic clock. If it goes back all the same, keys are refused until it has
    /// caught up, but never longer than their whole window.
    pub fn take(&self, charges: &[Charge], now_ns: u64) -> Result<(), Exceeded> {
        if let Some(beyond) = charges.get(KEYS_MAX) {
            return Err(exceeded(beyond.dimension, Bound::Question, None));
        }
        let mut places = [0; KEYS_MAX];
        for (place, charge) in places.iter_mut().zip(charges) {
            *place = self.shards.place(charge.dimension, charge.key);
        }
        let mut held = self.shards.hold(places.iter().copied().take(charges.len()));
        let mut before = [Before::Absent; KEYS_MAX];
        for (nth, (charge, place)) in charges.iter().zip(places).enumerate() {
            let taken = held
                .piece(place)
                .ok_or_else(|| exceeded(charge.dimension, Bound::Keys, None))
                .and_then(|piece| piece.take(charge, now_ns, self.shards.entries_max()));
            match (taken, before.get_mut(nth)) {
                (Ok(was), Some(slot)) => *slot = was,
                (Ok(_), None) => {}
                (Err(refused), _) => {
                    let done = charges.iter().zip(places).zip(before).take(nth);
                    undo(&mut held, done.rev());
                    return Err(refused);
                }
            }
        }
        Ok(())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let places = (0..).take(self.shards.places());
        places
            .map(|place| {
                let mut held = self.shards.hold(std::iter::once(place));
                held.piece(place).map_or(0, |piece| piece.full_at.len())
            })
            .sum()
    }
}

/// One piece of a table.
#[derive(Debug, Default)]
struct Buckets {
    /// When the bucket of each key is full again.
    full_at: HashMap<KeyHash, u64>,
    /// No key is full before this time, so there is nothing to forget until then.
    first_full_at: u64,
}

/// What a key said before a charge.
#[derive(Clone, Copy, Debug)]
enum Before {
    Absent,
    FullAt(u64),
}

impl Buckets {
    fn take(&mut self, charge: &Charge, now: u64, entries_max: usize) -> Result<Before, Exceeded> {
        let window = charge.rate.window();
        let refuse = |bound, wait: Option<u64>| {
            Err(exceeded(
                charge.dimension,
                bound,
                wait.map(Duration::from_nanos),
            ))
        };
        let cost = match charge.rate.cost(charge.units) {
            Some(cost) if cost <= window => cost,
            _ => return refuse(Bound::Size, None),
        };
        let before = match self.full_at.get(&charge.key) {
            Some(full_at) => Before::FullAt(*full_at),
            None => Before::Absent,
        };
        let start = match before {
            Before::Absent => now,
            // A time beyond the window can only come from a clock that went back, or from a rate
            // that was tightened: the bucket is empty, no worse. This is noted at once, so that
            // refusals end with the window and not when the old time is reached.
            Before::FullAt(full_at) => {
                let start = full_at.clamp(now, now.saturating_add(window));
                if start < full_at {
                    self.put(charge.key, start);
                }
                start
            }
        };
        let Some(full_at) = start.checked_add(cost) else {
            return refuse(Bound::Rate, None);
        };
        // INVARIANT: `start` is not before `now`, and so neither is `full_at`.
        if let Some(wait) = full_at.saturating_sub(now).checked_sub(window)
            && wait > 0
        {
            return refuse(Bound::Rate, Some(wait));
        }
        if matches!(before, Before::Absent) && !self.has_room(now, entries_max) {
            return refuse(Bound::Keys, Some(self.first_full_at.saturating_sub(now)));
        }
        self.put(charge.key, full_at);
        Ok(before)
    }

    fn put(&mut self, key: KeyHash, full_at: u64) {
        self.first_full_at = match self.full_at.is_empty() {
            true => full_at,
            false => self.first_full_at.min(full_at),
        };
        self.full_at.insert(key, full_at);
    }

    /// Whether one more key fits, after forgetting those that say nothing any more. Looking through
    /// the piece happens at most once per time that a key can have filled up, so a flood of new
    /// keys into a full piece is refused without a search each.
    fn has_room(&mut self, now: u64, entries_max: usize) -> bool {
        if self.full_at.len() < entries_max {
            return true;
        }
        if now < self.first_full_at {
            return false;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        self.first_full_at = self.full_at.values().copied().min().unwrap_or(u64::MAX);
        self.full_at.len() < entries_max
    }
}

fn undo<'a>(
    held: &mut Held<'_, Buckets>,
    done: impl Iterator<Item = ((&'a Charge, usize), Before)>,
) {
    for ((charge, place), before) in done {
        let Some(piece) = held.piece(place) else {
            continue;
        };
        match before {
            Before::Absent => {
                piece.full_at.remove(&charge.key);
            }
            Before::FullAt(full_at) => piece.put(charge.key, full_at),
        }
    }
}

fn exceeded(dimension: Dimension, bound: Bound, retry_after: Option<Duration>) -> Exceeded {
    Exceeded {
        dimension,
        retry_after,
        bound,
    }
}

#[cfg(test)]
mod tests;
