//! Records of what anybody can cause without being known. Each is written while they come at a pace people
//! can read; in a flood they are counted, and the count is written when the flood lets up.

use crate::gate::Gate;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use watch::{Charge, Dimension, KeyHash, Rate};

/// What is written down of strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Pages that ask somebody whether they agree.
    Pages,
    /// Refusals.
    Refusals,
}

impl Told {
    /// Records a second, and at once after a pause.
    const fn pace(self) -> (u32, u32) {
        match self {
            Told::Pages => (20, 200),
            Told::Refusals => (200, 2000),
        }
    }

    /// The event that says how many were left out.
    const fn counted(self) -> &'static str {
        match self {
            Told::Pages => "consent.shown_counted",
            Told::Refusals => "refusals.counted",
        }
    }

    /// A key no address can have: addresses are hashed by the gate's own keyer.
    fn key(self) -> KeyHash {
        KeyHash::from_u128(match self {
            Told::Refusals => 0,
            Told::Pages => 1,
        })
    }
}

/// How many were left without a record of their own.
#[derive(Debug)]
pub struct Strangers {
    what: Told,
    left_out: AtomicU64,
}

/// Those who are refused.
impl Default for Strangers {
    fn default() -> Self {
        Strangers::of(Told::Refusals)
    }
}

impl Strangers {
    /// None were left out so far.
    pub(crate) fn of(what: Told) -> Self {
        Strangers {
            what,
            left_out: AtomicU64::new(0),
        }
    }

    /// Whether this one gets a record; if there were some that did not, writes down how many.
    pub(crate) fn is_worth_a_record(&self, gate: &Gate) -> bool {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let (second, at_once) = self.what.pace();
        let charge = Rate::per_second(number(second), number(at_once))
            .map(|rate| Charge::one(Dimension::Source, self.what.key(), rate));
        let worth = charge.is_ok_and(|charge| {
            gate.limits
                .take(&[charge], gate.clock().monotonic_ns())
                .is_ok()
        });
        if !worth {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        let counted = self.left_out.swap(0, Ordering::Relaxed);
        if counted > 0 {
            gate.note(self.what.counted(), "", "", &counted.to_string());
        }
        true
    }
}
