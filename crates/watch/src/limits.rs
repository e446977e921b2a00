//! The seam: what the gateway asks of limits, whoever keeps them, and the one in memory.

use crate::concurrency::{Concurrency, Permit, Seat};
use crate::key::Dimension;
use crate::limiter::{Charge, Limiter};
use serde::Serialize;
use std::time::Duration;

/// Somebody who keeps limits.
///
/// Both questions are all-or-nothing: a refusal has charged nothing and holds no seat. Neither may
/// wait: a keeper that shares with replicas answers from what it has leased, and refuses when it
/// has nothing left.
pub trait Limits: std::fmt::Debug + Send + Sync {
    /// Takes what all the charges say, at this time of a monotonic clock, or nothing.
    fn take(&self, charges: &[Charge], now_ns: u64) -> Result<(), Exceeded>;

    /// Takes all the seats until the permit is dropped, or none.
    fn enter(&self, seats: &[Seat]) -> Result<Permit, Exceeded>;
}

/// A limit that was in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{bound} for this {dimension}")]
pub struct Exceeded {
    /// Along what it counts.
    pub dimension: Dimension,
    /// When the same charge may be taken, if nothing else happens. Nothing if waiting for a time
    /// does not help: seats come back when others are done, a charge above the burst never fits.
    pub retry_after: Option<Duration>,
    /// Which limit.
    pub bound: Bound,
}

/// The kinds of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The table of live keys is full.
    #[error("too many different callers are being counted")]
    Keys,
    /// One question names more keys than a question may.
    #[error("too many limits in one question")]
    Question,
    /// The rate.
    #[error("too many calls")]
    Rate,
    /// The seats.
    #[error("too many calls at the same time")]
    Seats,
    /// The charge is above the burst and can never be taken.
    #[error("too much in one call")]
    Size,
}

/// How many keys are counted at once, in each dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Live keys of the rate tables. About 50 bytes each when used.
    pub rates: usize,
    /// Keys with somebody inside. About 50 bytes each when used.
    pub seats: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes {
            rates: 65_536,
            seats: 65_536,
        }
    }
}

/// The limits of one process, in memory.
#[derive(Debug)]
pub struct Local {
    limiter: Limiter,
    concurrency: Concurrency,
}

impl Local {
    /// Empty tables that grow up to these sizes.
    pub fn new(sizes: Sizes) -> Self {
        Local {
            limiter: Limiter::new(sizes.rates),
            concurrency: Concurrency::new(sizes.seats),
        }
    }
}

impl Default for Local {
    fn default() -> Self {
        Local::new(Sizes::default())
    }
}

impl Limits for Local {
    fn take(&self, charges: &[Charge], now_ns: u64) -> Result<(), Exceeded> {
        self.limiter.take(charges, now_ns)
    }

    fn enter(&self, seats: &[Seat]) -> Result<Permit, Exceeded> {
        self.concurrency.enter(seats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Keyer;
    use crate::rate::Rate;
    use std::num::NonZeroU32;

    #[test]
    fn limits_resources_and_prompts_too() {
        let limits: Box<dyn Limits> = Box::new(Local::default());
        let keyer = Keyer::new();
        let one = NonZeroU32::MIN;
        let rate = Rate::per_second(one, one).expect("a rate");
        for thing in [
            ("prompt", "files/summarise"),
            ("resource", "files/file:///etc"),
        ] {
            let charge = Charge::one(Dimension::Resource, keyer.key(thing), rate);
            assert_eq!(limits.take(&[charge], 0), Ok(()));
            let refused = limits.take(&[charge], 0).expect_err("refused");
            assert_eq!(refused.to_string(), "too many calls for this resource");
            assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
        }
    }

    #[test]
    fn seats_are_taken_through_the_seam() {
        let limits: Box<dyn Limits> = Box::new(Local::default());
        let seat = Seat {
            dimension: Dimension::Tool,
            key: Keyer::new().key("files/rm"),
            max: NonZeroU32::MIN,
        };
        let permit = limits.enter(&[seat]).expect("a seat");
        assert_eq!(
            limits.enter(&[seat]).expect_err("refused").to_string(),
            "too many calls at the same time for this tool"
        );
        drop(permit);
        assert!(limits.enter(&[seat]).is_ok());
    }
}
