//! What callers must hold beside a token, as somebody wrote it. Nothing here is checked beyond its
//! shape.

use super::Time;
use crate::bounds;
use crate::words::{Algorithm, ClientCertificates, FrontHeader, ProofNonce};
use schemars::JsonSchema;
use serde::Deserialize;

/// Proofs of possession (DPoP, RFC 9449). Whoever brings a token that is bound to a key proves with each
/// request to hold that key; without such a token, none of this applies.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dpop {
    /// How old a proof may be. Its id is remembered for as long, so that it is good once.
    #[schemars(transform = bounds::PROOF_AGE.told())]
    pub age: Option<Time>,
    /// How far a proof may be from the future: clocks differ.
    #[schemars(transform = bounds::PROOF_SKEW.told())]
    pub skew: Option<Time>,
    /// Whether a proof carries a nonce of the gateway. Without one, whoever can use a key for a moment can
    /// make proofs for later.
    #[schemars(extend("default" = ProofNonce::Required))]
    pub nonce: Option<ProofNonce>,
    /// How long a nonce is good. Clients are handed the next one with an answer before that.
    #[schemars(transform = bounds::NONCE_AGE.told())]
    pub nonce_age: Option<Time>,
    /// Signature algorithms that are accepted.
    #[schemars(extend("default" = super::DEFAULT_ALGORITHMS), length(min = 1))]
    pub algorithms: Option<Vec<Algorithm>>,
    /// How many proofs of one user may be remembered at a time. A user with more is refused until some
    /// are old: what was forgotten could be used again.
    #[schemars(transform = bounds::PROOFS_PER_USER.told())]
    pub per_user: Option<u64>,
}

/// Certificates of clients. A token can be bound to one (RFC 8705).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// The PEM file of the authorities that issue them, relative to this file. Not said: a certificate
    /// may be of anybody, and says no more than that whoever shows it holds its key (RFC 8705, section
    /// 2.2); it is the token that names it.
    pub authorities: Option<String>,
    /// Whether there must be one.
    #[schemars(extend("default" = ClientCertificates::Optional))]
    pub mode: Option<ClientCertificates>,
}

/// A proxy in front that ends TLS, and tells of the certificate its client has shown. It is believed on a
/// connection on which it has shown its own certificate, and on no other.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// The header that tells of it. From anybody else than the proxies below a request with this header is
    /// refused. The proxy must remove it from what clients send.
    pub header: FrontHeader,
    /// The SHA-256 fingerprints of the proxies' own client certificates, in hexadecimal, as
    /// `openssl x509 -fingerprint -sha256` prints them. These certificates are never taken for a
    /// caller's.
    #[schemars(length(min = 1, max = bounds::PROXIES))]
    pub proxies: Vec<String>,
}
