//! The latest reading of the clock among those that callers bring. Whoever waited ten seconds for an
//! answer still has the reading from before; what is to count from the answer on counts from this.

use std::sync::atomic::{AtomicU64, Ordering};

/// How far it may be ahead of the reading of whoever asks, in seconds: no wait is longer.
const AHEAD_MAX_S: u64 = 60;

/// The latest reading, in unix seconds.
#[derive(Debug, Default)]
pub(crate) struct Latest(AtomicU64);

impl Latest {
    /// Takes note of this reading.
    pub(crate) fn see(&self, now: u64) {
        self.0.fetch_max(now, Ordering::AcqRel);
    }

    /// The latest reading, for somebody whose own is this one. A clock that was set back counts.
    pub(crate) fn after(&self, now: u64) -> u64 {
        let latest = self.0.load(Ordering::Acquire);
        match latest.saturating_sub(now) {
            0..=AHEAD_MAX_S => latest.max(now),
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_seen_meanwhile_counts_and_a_clock_set_back_does_too() {
        let latest = Latest::default();
        latest.see(100);
        latest.see(90);
        assert_eq!(
            (latest.after(90), latest.after(100), latest.after(110)),
            (100, 100, 110)
        );
        assert_eq!(latest.after(39), 39);
    }
}
