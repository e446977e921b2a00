//! DPoP (RFC 9449): proofs as a signed token per request that names the method, the URL, the time
//! and the access token it goes with. That a proof came for the first time is not known here: its
//! id is handed out, to be remembered by whoever keeps state.

mod error;
mod nonce;
mod proof;
mod signer;
mod target;

pub use error::ProofError;
pub use nonce::{NonceError, Nonces};
pub use proof::{Asked, ID_MAX, NonceRule, PROOF_MAX, Proof, Request, Rules, shown, verify};
pub use signer::Signer;
pub use target::Target;

/// `typ` of every proof (section 4.2).
pub(crate) const PROOF_TYPE: &str = "dpop+jwt";
