//! A rate: so many units per span of time, and how many may come at once. No floating point: the
//! same arithmetic gives the same answer in memory and in a shared store.

use std::num::NonZeroU32;
use std::time::Duration;

/// A rate, ready for arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Nanoseconds one unit takes to come back.
    interval: u64,
    /// Nanoseconds a full bucket takes to come back.
    window: u64,
}

impl Rate {
    /// The longest a full bucket may take to come back.
    pub const WINDOW_MAX: Duration = Duration::from_hours(24 * 366);

    /// `units` per `span`, and at most `burst` at once.
    ///
    /// The time one unit takes is rounded up to a whole nanosecond, so the rate is never exceeded
    /// by rounding.
    pub fn new(units: NonZeroU32, span: Duration, burst: NonZeroU32) -> Result<Self, RateError> {
        let span = u64::try_from(span.as_nanos()).map_err(|_| RateError::Slow)?;
        let interval = span.div_ceil(u64::from(units.get()));
        if span < u64::from(units.get()) {
            return Err(RateError::Fast);
        }
        let window = interval
            .checked_mul(u64::from(burst.get()))
            .filter(|window| u128::from(*window) <= Self::WINDOW_MAX.as_nanos())
            .ok_or(RateError::Slow)?;
        Ok(Rate { interval, window })
    }

    /// `units` per second, and at most `burst` at once.
    pub fn per_second(units: NonZeroU32, burst: NonZeroU32) -> Result<Self, RateError> {
        Rate::new(units, Duration::from_secs(1), burst)
    }

    /// `units` per minute, and at most `burst` at once.
    pub fn per_minute(units: NonZeroU32, burst: NonZeroU32) -> Result<Self, RateError> {
        Rate::new(units, Duration::from_mins(1), burst)
    }

    /// Nanoseconds these units take to come back, or nothing if that is past all counting.
    pub(crate) fn cost(self, units: u32) -> Option<u64> {
        self.interval.checked_mul(u64::from(units))
    }

    /// Nanoseconds a full bucket takes to come back.
    pub(crate) fn window(self) -> u64 {
        self.window
    }
}

/// Why a rate cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// More than one unit a nanosecond.
    #[error("the rate is above one unit a nanosecond")]
    Fast,
    /// A full bucket would take more than a year to come back.
    #[error("a full burst takes more than a year to come back at this rate")]
    Slow,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).expect("not zero")
    }

    #[test]
    fn rounds_the_interval_up_so_the_rate_is_never_exceeded() {
        let rate = Rate::per_second(n(3), n(1)).expect("a rate");
        assert_eq!(rate.cost(1), Some(333_333_334));
        assert_eq!(rate.window(), 333_333_334);
    }

    #[test]
    fn refuses_rates_it_cannot_keep() {
        for (units, span, burst, expected) in [
            (1, Duration::ZERO, 1, Some(RateError::Fast)),
            (1001, Duration::from_micros(1), 1, Some(RateError::Fast)),
            (1000, Duration::from_micros(1), 1, None),
            (1, Duration::MAX, 1, Some(RateError::Slow)),
            (1, Rate::WINDOW_MAX, 1, None),
            (1, Rate::WINDOW_MAX, 2, Some(RateError::Slow)),
            (1, Rate::WINDOW_MAX, u32::MAX, Some(RateError::Slow)),
        ] {
            assert_eq!(
                Rate::new(n(units), span, n(burst)).err(),
                expected,
                "{units} per {span:?}, burst {burst}"
            );
        }
    }

    #[test]
    fn a_cost_past_counting_is_no_cost() {
        let rate = Rate::new(n(1), Rate::WINDOW_MAX, n(1)).expect("a rate");
        assert_eq!(rate.cost(u32::MAX), None);
    }
}
