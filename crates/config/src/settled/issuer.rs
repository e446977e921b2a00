//! What an issuer is beside its name and its keys: its tenants, how it is asked, and which of its
//! claims policies see.

use super::{Issuer, SecretRef, form};
use crate::words::ClaimKind;
use serde::Serialize;
use std::time::Duration;
use url::Url;

/// How an issuer is asked what an opaque token means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Where; what its metadata says where nothing is said.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "form::place"
    )]
    pub url: Option<Url>,
    /// The gateway's own client.
    pub client: String,
    /// How it shows what it is.
    #[serde(flatten)]
    pub proof: ClientProof,
    /// How long an answer is remembered.
    #[serde(serialize_with = "form::time")]
    pub cache: Duration,
}

/// How a client of the gateway's own shows what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientProof {
    /// By assertions that this private key signs.
    Key(SecretRef),
    /// By this secret.
    Secret(SecretRef),
}

/// Where groups are looked up that tokens leave out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The service; its path ends with a slash.
    #[serde(serialize_with = "form::address")]
    pub url: Url,
    /// Where the gateway's client gets its own token, with `{tenant}` in it or not.
    pub token_url: String,
    /// The gateway's own client.
    pub client: String,
    /// Its secret.
    pub secret: SecretRef,
}

/// A claim that policies see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// The claim, or the way to it.
    pub claim: String,
    /// What it is.
    pub kind: ClaimKind,
}

impl Attribute {
    /// Those whose meaning a standard gives, by the name of their claim: `acr`, `auth_time`, `amr` (OpenID
    /// Connect Core, RFC 8176), `email`, `email_verified` (OpenID Connect Core), `roles` (RFC 7643,
    /// RFC 9068), `acrs` and `tid` (authentication contexts and the tenant, Entra ID).
    pub const KNOWN: [(&'static str, ClaimKind); 8] = [
        ("acr", ClaimKind::Text),
        ("acrs", ClaimKind::Texts),
        ("amr", ClaimKind::Texts),
        ("auth_time", ClaimKind::Number),
        ("email", ClaimKind::Text),
        ("email_verified", ClaimKind::Flag),
        ("roles", ClaimKind::Texts),
        ("tid", ClaimKind::Text),
    ];

    /// One that is no claim: how a client of Entra ID showed that it is the client (`public`,
    /// `secret` or `certificate`). No attribute of the configuration may have this name.
    pub const CLIENT_AUTH: &'static str = "client_auth";

    /// The members to go through, outermost first. A name with `://` in it is one name.
    pub fn path(&self) -> Vec<&str> {
        match self.claim.contains("://") {
            true => vec![&self.claim],
            false => self.claim.split('.').collect(),
        }
    }
}

/// What stands for the tenant in an issuer.
pub(crate) const TENANT: &str = "{tenant}";

/// One exact issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// Its name, as its tokens have it.
    pub issuer: String,
    /// The tenant it is of, if there are several.
    pub tenant: Option<String>,
}

impl Issuer {
    /// The exact issuers this one stands for: itself, or one of each tenant.
    pub fn exact(&self) -> Vec<Exact> {
        if !self.issuer.contains(TENANT) {
            let issuer = self.issuer.clone();
            return vec![Exact {
                issuer,
                tenant: None,
            }];
        }
        let tenants = self.tenants.iter();
        tenants
            .map(|tenant| Exact {
                issuer: self.issuer.replace(TENANT, tenant),
                tenant: Some(tenant.clone()),
            })
            .collect()
    }
}

impl Graph {
    /// Where the gateway's client gets its token in this tenant.
    pub fn token_url(&self, tenant: &str) -> Result<Url, url::ParseError> {
        Url::parse(&self.token_url.replace(TENANT, tenant))
    }
}
