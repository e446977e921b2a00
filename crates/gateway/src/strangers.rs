//! Refusals of callers nobody knows. Each is recorded while they come at a pace people can read; in
//! a flood they are counted, and the count is recorded when the flood lets up.

use crate::gate::Gate;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use watch::{Charge, Dimension, KeyHash, Rate};

/// Records a second, and at once after a pause.
const PER_SECOND: NonZeroU32 = number(200);
const AT_ONCE: NonZeroU32 = number(2000);

const fn number(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

/// How many were refused without a record of their own.
#[derive(Debug, Default)]
pub struct Strangers(AtomicU64);

impl Strangers {
    /// Whether this one gets a record; if there were some that did not, writes down how many.
    pub(crate) fn is_worth_a_record(&self, gate: &Gate) -> bool {
        // A key no address can have: addresses are hashed by the gate's own keyer.
        let charge = Rate::per_second(PER_SECOND, AT_ONCE)
            .map(|rate| Charge::one(Dimension::Source, KeyHash::from_u128(0), rate));
        let worth = charge.is_ok_and(|charge| {
            gate.limits
                .take(&[charge], gate.clock().monotonic_ns())
                .is_ok()
        });
        if !worth {
            self.0.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        let counted = self.0.swap(0, Ordering::Relaxed);
        if counted > 0 {
            gate.note("refusals.counted", "", "", &counted.to_string());
        }
        true
    }
}
