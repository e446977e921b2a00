//! A table in pieces, each behind a lock of its own, for keys of every dimension.
//!
//! Several keys are held at once by locking their pieces in one order, so two questions can never
//! wait for each other in a circle.

use crate::key::{Dimension, KeyHash};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most keys of one question.
pub(crate) const KEYS_MAX: usize = 8;

/// Entries one piece is meant to hold: few enough to look through all of them in microseconds.
const PIECE_ENTRIES: usize = 1_024;

/// The pieces of all dimensions, one dimension after the other.
#[derive(Debug)]
pub(crate) struct Shards<T> {
    pieces: Box<[Mutex<T>]>,
    per_dimension: usize,
    entries_max: usize,
    state: RandomState,
}

impl<T: Default> Shards<T> {
    /// Pieces for up to `keys` entries in each dimension.
    pub(crate) fn new(keys: usize) -> Self {
        let per_dimension = keys.div_ceil(PIECE_ENTRIES).clamp(1, 1 << 14);
        Shards {
            pieces: (0..per_dimension * Dimension::ALL.len())
                .map(|_| Mutex::default())
                .collect(),
            per_dimension,
            entries_max: keys.div_ceil(per_dimension),
            state: RandomState::new(),
        }
    }

    /// How many entries one piece may hold.
    pub(crate) fn entries_max(&self) -> usize {
        self.entries_max
    }

    /// Which piece a key lives in. The key is hashed under a secret of this table: whoever
    /// chooses keys cannot choose pieces.
    pub(crate) fn place(&self, dimension: Dimension, key: KeyHash) -> usize {
        let hash = self.state.hash_one(key);
        let pieces = u64::try_from(self.per_dimension).unwrap_or(1);
        let within = usize::try_from(hash % pieces).unwrap_or(0);
        dimension.row() * self.per_dimension + within
    }

    #[cfg(test)]
    pub(crate) fn places(&self) -> usize {
        self.pieces.len()
    }

    /// Holds the pieces of these places, each once, until dropped.
    pub(crate) fn hold(&self, places: impl Iterator<Item = usize>) -> Held<'_, T> {
        let mut sorted = [usize::MAX; KEYS_MAX];
        for (slot, place) in sorted.iter_mut().zip(places) {
            *slot = place;
        }
        sorted.sort_unstable();
        let mut held = Held {
            guards: [const { None }; KEYS_MAX],
        };
        let mut last = usize::MAX;
        for (slot, place) in held.guards.iter_mut().zip(sorted) {
            if place == last {
                continue;
            }
            last = place;
            // A holder that panicked left numbers, not broken structure: they still count.
            *slot = self
                .pieces
                .get(place)
                .map(|piece| (place, piece.lock().unwrap_or_else(PoisonError::into_inner)));
        }
        held
    }
}

/// The pieces of one question, locked.
#[derive(Debug)]
pub(crate) struct Held<'a, T> {
    guards: [Option<(usize, MutexGuard<'a, T>)>; KEYS_MAX],
}

impl<T> Held<'_, T> {
    /// The piece of a place, if it is among those held.
    pub(crate) fn piece(&mut self, place: usize) -> Option<&mut T> {
        self.guards
            .iter_mut()
            .flatten()
            .find(|(held, _)| *held == place)
            .map(|(_, guard)| &mut **guard)
    }
}
