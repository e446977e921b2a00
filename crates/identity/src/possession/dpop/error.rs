//! Why a proof of possession was not accepted. Nothing here carries anything of the proof but the
//! names of its parts, so an error may be shown and written down.

use super::{NonceError, PROOF_MAX};

/// Why a proof was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Signed with an algorithm that is not accepted.
    #[error("the proof is signed with an algorithm that is not accepted")]
    Algorithm,
    /// A claim is missing or of the wrong kind.
    #[error("claim `{0}` of the proof is missing or not as it must be")]
    Claim(&'static str),
    /// `iat` is in the future.
    #[error("the proof says it was made in the future")]
    Future,
    /// A header member that would let the proof choose how it is verified.
    #[error("header member `{0}` of the proof is missing or not accepted")]
    Header(&'static str),
    /// `jwk` is no public key for the algorithm.
    #[error("the proof holds no public key that fits its algorithm")]
    Key,
    /// Not a compact JWS of strict JSON objects.
    #[error("the proof is malformed: {0}")]
    Malformed(&'static str),
    /// Made for another method.
    #[error("the proof is for another method")]
    Method,
    /// A bound token came without a proof.
    #[error("the token is bound to a key, and no proof of it came along")]
    Missing,
    /// Its nonce is none of ours, or too old, or not there.
    #[error(transparent)]
    Nonce(#[from] NonceError),
    /// Signed with another key than the token is bound to.
    #[error("the proof is signed with another key than the token is bound to")]
    OtherKey,
    /// Made for another token.
    #[error("the proof is for another token")]
    OtherToken,
    /// More than one proof.
    #[error("there is more than one `DPoP` header")]
    Repeated,
    /// It was here before.
    #[error("the proof was used before")]
    Replayed,
    /// The signature is not that of the key in it.
    #[error("the signature of the proof is wrong")]
    Signature,
    /// Larger than a proof may be.
    #[error("the proof is larger than {PROOF_MAX} bytes")]
    Size,
    /// Made too long ago.
    #[error("the proof is too old")]
    Stale,
    /// `typ` is not that of a proof.
    #[error("the proof is not of type `dpop+jwt`")]
    Type,
    /// Made for another URL.
    #[error("the proof is for another URL")]
    Url,
}

impl ProofError {
    /// A name that never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            ProofError::Algorithm => "dpop_algorithm",
            ProofError::Claim(_) => "dpop_claim",
            ProofError::Future => "dpop_future",
            ProofError::Header(_) => "dpop_header",
            ProofError::Key => "dpop_key",
            ProofError::Malformed(_) => "dpop_malformed",
            ProofError::Method => "dpop_method",
            ProofError::Missing => "dpop_missing",
            ProofError::Nonce(_) => "dpop_nonce",
            ProofError::OtherKey => "dpop_other_key",
            ProofError::OtherToken => "dpop_other_token",
            ProofError::Repeated => "dpop_repeated",
            ProofError::Replayed => "dpop_replayed",
            ProofError::Signature => "dpop_signature",
            ProofError::Size => "dpop_size",
            ProofError::Stale => "dpop_stale",
            ProofError::Type => "dpop_type",
            ProofError::Url => "dpop_url",
        }
    }

    /// The `error` of the challenge (sections 7.1 and 9).
    pub const fn challenge_error(&self) -> &'static str {
        match self {
            ProofError::Nonce(_) => "use_dpop_nonce",
            // The token is not one that this key may use.
            ProofError::OtherKey => "invalid_token",
            _ => "invalid_dpop_proof",
        }
    }
}
