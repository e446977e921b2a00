//! The gateway as the authorization server that clients see, settled. Nothing here is refused or looked
//! up.

use super::{Settled, form};
use crate::words::{Network, Registration};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The gateway as the authorization server that clients see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationServer {
    /// The issuer where people sign in: one of those that have `sign_in`.
    pub sign_in: String,
    /// Whether clients can register themselves.
    pub registration: Registration,
    /// The hosts whose clients' documents are read; `any` alone for everybody's.
    pub documents: Vec<String>,
    /// Where the documents may lie.
    pub network: Network,
    /// How long tokens are good.
    pub tokens: AuthorityTokens,
    /// What scopes mean, in words for people.
    pub scopes: BTreeMap<String, String>,
}

/// How long tokens are good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorityTokens {
    /// Access tokens.
    #[serde(serialize_with = "form::time")]
    pub access: Duration,
    /// Refresh tokens, from the first one on.
    #[serde(serialize_with = "form::time")]
    pub refresh: Duration,
    /// Refresh tokens that nobody uses.
    #[serde(serialize_with = "form::time")]
    pub idle: Duration,
}

impl AuthorizationServer {
    /// The word that stands for the gateway's own issuer in a file.
    pub const SELF: &'static str = "self";
    /// The word that stands for every host.
    pub const ANY: &'static str = "any";
}

impl Settled {
    /// The gateway's own name as an issuer: the public address without a slash at its end.
    pub fn own_issuer(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }
}
