//! Pins: what a tool definition was when it was approved, and what changed since.
//!
//! A pin is a digest of the whole definition in canonical form, so neither the order of keys nor the
//! spelling of a number matters, and nothing in a definition escapes it.

mod diff;
mod digest;
mod skeleton;
mod wording;

pub use diff::{Change, Risk, diff};
pub use digest::{Digest, DigestError, digest};
pub(crate) use skeleton::prototype;
pub use skeleton::skeleton;
pub use wording::Reworded;
