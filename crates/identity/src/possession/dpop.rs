//! DPoP (RFC 9449): proofs as a signed token per request that names the method, the URL, the time
//! and the access token it goes with.

mod signer;

pub use signer::Signer;

/// `typ` of every proof (section 4.2).
pub(crate) const PROOF_TYPE: &str = "dpop+jwt";
