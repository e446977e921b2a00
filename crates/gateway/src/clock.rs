//! The one seam where time is read. Everything that expires, refills or is stamped asks a
//! [`Clock`], so that tests move time instead of waiting for it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall time for stamps and expiry, monotonic time for limits and durations.
pub trait Clock: Debug + Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn unix_ms(&self) -> u64;
    /// Nanoseconds since some fixed moment; never goes back.
    fn monotonic_ns(&self) -> u64;

    /// Whole seconds since the Unix epoch.
    fn unix_s(&self) -> u64 {
        self.unix_ms() / 1000
    }
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock(Instant::now())
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam where wall time is read"
    )]
    fn unix_ms(&self) -> u64 {
        // A clock before 1970 yields 0: every token is then not yet valid, which fails closed.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct StillClock(AtomicU64);

impl StillClock {
    /// A clock showing this many milliseconds since the Unix epoch.
    pub fn at_unix_ms(now: u64) -> Self {
        StillClock(AtomicU64::new(now))
    }

    /// Moves both times forward.
    pub fn advance_ms(&self, by: u64) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst).saturating_mul(1_000_000)
    }
}
