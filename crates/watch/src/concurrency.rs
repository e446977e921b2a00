//! Seats: how many may be inside at the same time. A permit holds its seats until it is dropped.

use crate::key::{Dimension, KeyHash};
use crate::limits::{Bound, Exceeded};
use crate::shards::{Held, KEYS_MAX, Shards};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Who is inside, by key.
#[derive(Clone, Debug)]
pub struct Concurrency {
    shards: Arc<Shards<Inside>>,
}

/// How many are inside, by key. A key with nobody inside is not there.
type Inside = HashMap<KeyHash, u32>;

/// One seat asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Along what is counted.
    pub dimension: Dimension,
    /// What is counted.
    pub key: KeyHash,
    /// How many may be inside at the same time.
    pub max: NonZeroU32,
}

impl Concurrency {
    /// The most seats of one question.
    pub const SEATS_MAX: usize = KEYS_MAX;

    /// Room for about `keys` keys with somebody inside, in each dimension (never more).
    pub fn new(keys: usize) -> Self {
        Concurrency {
            shards: Arc::new(Shards::new(keys)),
        }
    }

    /// Takes all the seats, or none.
    pub fn enter(&self, seats: &[Seat]) -> Result<Permit, Exceeded> {
        if let Some(beyond) = seats.get(KEYS_MAX) {
            return Err(exceeded(beyond.dimension, Bound::Question));
        }
        let mut taken = [None; KEYS_MAX];
        for (slot, seat) in taken.iter_mut().zip(seats) {
            let place = self.shards.place(seat.dimension, seat.key);
            *slot = Some((place, seat.key));
        }
        let mut held = self
            .shards
            .hold(taken.iter().flatten().map(|(place, _)| *place));
        for (nth, seat) in seats.iter().enumerate() {
            let entered = match taken.get(nth).copied().flatten() {
                Some((place, _)) => sit(&mut held, place, seat, self.shards.entries_max()),
                None => Err(exceeded(seat.dimension, Bound::Question)),
            };
            if let Err(refused) = entered {
                leave(&mut held, taken.iter().flatten().take(nth));
                return Err(refused);
            }
        }
        Ok(Permit {
            shards: Arc::clone(&self.shards),
            taken,
        })
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        (0..self.shards.places())
            .map(|place| {
                let mut held = self.shards.hold(std::iter::once(place));
                held.piece(place).map_or(0, |piece| piece.len())
            })
            .sum()
    }
}

/// Seats that are held. Dropping it gives them back.
#[derive(Debug)]
#[must_use = "the seats are given back as soon as this is dropped"]
pub struct Permit {
    shards: Arc<Shards<Inside>>,
    taken: [Option<(usize, KeyHash)>; KEYS_MAX],
}

impl Drop for Permit {
    fn drop(&mut self) {
        let places = self.taken.iter().flatten().map(|(place, _)| *place);
        let mut held = self.shards.hold(places);
        leave(&mut held, self.taken.iter().flatten());
    }
}

fn sit(
    held: &mut Held<'_, Inside>,
    place: usize,
    seat: &Seat,
    entries_max: usize,
) -> Result<(), Exceeded> {
    let refuse = |bound| Err(exceeded(seat.dimension, bound));
    let Some(piece) = held.piece(place) else {
        return refuse(Bound::Keys);
    };
    let room = piece.len() < entries_max;
    match piece.get_mut(&seat.key) {
        // INVARIANT: a count is below a `u32` maximum here, so one more fits.
        Some(count) if *count < seat.max.get() => *count += 1,
        Some(_) => return refuse(Bound::Seats),
        None if !room => return refuse(Bound::Keys),
        None => {
            piece.insert(seat.key, 1);
        }
    }
    Ok(())
}

fn leave<'a>(held: &mut Held<'_, Inside>, taken: impl Iterator<Item = &'a (usize, KeyHash)>) {
    for (place, key) in taken {
        let Some(piece) = held.piece(*place) else {
            continue;
        };
        match piece.get_mut(key) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => {
                piece.remove(key);
            }
            None => debug_assert!(false, "a held seat is counted"),
        }
    }
}

fn exceeded(dimension: Dimension, bound: Bound) -> Exceeded {
    Exceeded {
        dimension,
        retry_after: None,
        bound,
    }
}

#[cfg(test)]
mod tests;
