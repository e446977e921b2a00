//! Limits: how often, how many at once, how much.
//!
//! Two questions are answered here, both for several keys at once and all-or-nothing: may this
//! much happen now ([`Limiter`]), and may one more run beside the others ([`Concurrency`]). Time is
//! passed in as nanoseconds of a monotonic clock; this crate reads no clock and waits for nothing.
//!
//! Everything fails closed: a table that is full of live keys refuses new ones, a clock that went
//! back refuses until it has caught up (never longer than one full window), an amount that
//! overflows is refused.
//!
//! [`Limits`] is the seam for a store shared by replicas. It is synchronous on purpose: a shared
//! store leases slices of a budget in the background, so that a call is answered from memory.

mod concurrency;
mod key;
mod limiter;
mod limits;
mod rate;
mod shards;

pub use concurrency::{Concurrency, Permit, Seat};
pub use key::{Dimension, KeyHash, Keyer};
pub use limiter::{Charge, Limiter};
pub use limits::{Bound, Exceeded, Limits, Local, Sizes};
pub use rate::{Rate, RateError};
