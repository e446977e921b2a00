//! What callers must hold beside a token, settled. Nothing here is refused or looked up.

use super::form;
use crate::words::{Algorithm, ClientCertificates, FrontHeader, ProofNonce};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Proofs of possession.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dpop {
    /// How old one may be.
    #[serde(serialize_with = "form::time")]
    pub age: Duration,
    /// How far one may be from the future.
    #[serde(serialize_with = "form::time")]
    pub skew: Duration,
    /// Whether one carries a nonce of the gateway.
    pub nonce: ProofNonce,
    /// How long a nonce is good.
    #[serde(serialize_with = "form::time")]
    pub nonce_age: Duration,
    /// Algorithms one may be signed with; never none.
    pub algorithms: Vec<Algorithm>,
    /// How many of one user are remembered at a time.
    pub per_user: u32,
}

/// Certificates that clients of a listener show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clients {
    /// The PEM file of those who issue them; anybody, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
    /// Whether there must be one.
    pub mode: ClientCertificates,
}

/// A proxy in front of a listener that tells of its clients' certificates. INVARIANT: the listener
/// speaks TLS and asks for certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Front {
    /// The header that tells.
    pub header: FrontHeader,
    /// SHA-256 of the proxies' own certificates, each as 64 lowercase hexadecimal digits; never none.
    pub proxies: Vec<String>,
}
