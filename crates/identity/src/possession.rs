//! Proof of possession: that whoever brings a token holds the key it was issued to, and that we
//! hold ours. What is read here is a claim until its signature was verified; nothing here knows a
//! socket, keeps what it saw, or decides whether a proof was needed.

pub mod certificate;
mod confirmation;
pub mod dpop;
mod thumbprint;

pub use confirmation::{Confirmation, Holder};
pub use thumbprint::Thumbprint;
pub(crate) use thumbprint::of_p256;
