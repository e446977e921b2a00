//! Tokens that the gateway gets for servers, settled: each grant with exactly what it needs.

use super::{SecretRef, form};
use crate::words::{self, Actor, AssertionAudience, Network, TokenKind};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use url::Url;

/// How the gateway gets the tokens it shows a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Oauth {
    /// On whose behalf, and how.
    #[serde(flatten)]
    pub grant: Grant,
    /// Whose tokens they are.
    #[serde(flatten)]
    pub authority: Authority,
    /// As which client.
    #[serde(flatten)]
    pub client: Client,
    /// The scopes to ask for; none: those that the server asks for.
    pub scopes: Vec<String>,
    /// The resource that tokens are asked for.
    pub resource: String,
    /// Where the authorization server may lie.
    pub network: Network,
    /// What kind of tokens is asked for.
    pub tokens: TokenKind,
}

impl Oauth {
    /// Every reference to a secret in it.
    pub(super) fn secrets(&mut self) -> impl Iterator<Item = &mut SecretRef> {
        let of_client = match &mut self.client {
            Client::Automatic | Client::Document(_) => None,
            Client::Known { authentication, .. } => authentication.secret(),
        };
        let of_grant = match &mut self.grant {
            Grant::IdJag(provider) => provider.authentication.secret(),
            Grant::Workload(assertion) => Some(assertion),
            _ => None,
        };
        of_client.into_iter().chain(of_grant)
    }
}

impl Authentication {
    /// The reference to what proves it.
    pub(super) fn secret(&mut self) -> Option<&mut SecretRef> {
        match self {
            Authentication::Key { key: secret, .. } | Authentication::Secret(secret) => {
                Some(secret)
            }
            Authentication::None => None,
        }
    }
}

/// On whose behalf tokens are asked for, and what that takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The gateway's own.
    ClientCredentials,
    /// The user's, who grants it once in a browser.
    Connection,
    /// The user's, by an assertion of their identity provider.
    IdJag(IdentityProvider),
    /// The user's, at Entra ID.
    OnBehalfOf {
        /// What the callers' tokens call the authorization server, if not by its own name.
        subject_issuer: Option<String>,
    },
    /// The user's, by exchange of the caller's token.
    TokenExchange {
        /// The audience to ask for besides the resource.
        audience: Option<String>,
        /// Whether the gateway names itself.
        actor: Actor,
    },
    /// The gateway's own, as the workload that this says it is.
    Workload(SecretRef),
}

impl Grant {
    /// The word in the file.
    pub fn word(&self) -> words::Grant {
        match self {
            Grant::ClientCredentials => words::Grant::ClientCredentials,
            Grant::Connection => words::Grant::Connection,
            Grant::IdJag(_) => words::Grant::IdJag,
            Grant::OnBehalfOf { .. } => words::Grant::OnBehalfOf,
            Grant::TokenExchange { .. } => words::Grant::TokenExchange,
            Grant::Workload(_) => words::Grant::Workload,
        }
    }
}

/// Whose tokens are shown to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The authorization server that the server's metadata names.
    Discovered,
    /// This one and no other.
    Exactly(String),
}

/// As which client the gateway appears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    /// By its own metadata document, or by registration.
    Automatic,
    /// By a document that somebody else publishes.
    Document(Url),
    /// As one that exists already.
    Known {
        /// Its identifier.
        id: String,
        /// How it proves itself.
        authentication: Authentication,
    },
}

/// How a client proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// By a signed assertion.
    Key {
        /// The key that signs it.
        key: SecretRef,
        /// For whom it says it is.
        audience: AssertionAudience,
    },
    /// Not at all.
    None,
    /// By a secret.
    Secret(SecretRef),
}

/// The identity provider of the callers, as the gateway is known there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdentityProvider {
    /// Its identifier.
    pub issuer: String,
    /// The gateway's client there.
    pub client: String,
    /// How that client proves itself.
    #[serde(flatten)]
    pub authentication: Authentication,
}

/// How a user signs in with a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignIn {
    /// The gateway's client at the issuer.
    pub client: String,
    /// How that client proves itself.
    #[serde(flatten)]
    pub authentication: Authentication,
    /// Scopes besides `openid`.
    pub scopes: Vec<String>,
}

impl Serialize for Grant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("grant", &self.word())?;
        match self {
            Grant::ClientCredentials | Grant::Connection => {}
            Grant::OnBehalfOf { subject_issuer } => {
                if let Some(subject_issuer) = subject_issuer {
                    map.serialize_entry("subject_issuer", subject_issuer)?;
                }
            }
            Grant::IdJag(provider) => map.serialize_entry("identity_provider", provider)?,
            Grant::TokenExchange { audience, actor } => {
                if let Some(audience) = audience {
                    map.serialize_entry("audience", audience)?;
                }
                map.serialize_entry("actor", actor)?;
            }
            Grant::Workload(assertion) => map.serialize_entry("assertion", assertion)?,
        }
        map.end()
    }
}

impl Serialize for Authority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Authority::Exactly(issuer) = self {
            map.serialize_entry("issuer", issuer)?;
        }
        map.end()
    }
}

impl Serialize for Client {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            #[serde(serialize_with = "form::address")]
            metadata_document: &'a Url,
        }
        #[derive(Serialize)]
        struct Known<'a> {
            id: &'a str,
        }
        let mut map = serializer.serialize_map(None)?;
        match self {
            Client::Automatic => {}
            Client::Document(metadata_document) => {
                map.serialize_entry("client", &Document { metadata_document })?;
            }
            Client::Known { id, authentication } => {
                map.serialize_entry("client", &Known { id })?;
                proof(&mut map, authentication)?;
            }
        }
        map.end()
    }
}

impl Serialize for Authentication {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        proof(&mut map, self)?;
        map.end()
    }
}

fn proof<M: SerializeMap>(map: &mut M, authentication: &Authentication) -> Result<(), M::Error> {
    match authentication {
        Authentication::Key { key, audience } => {
            map.serialize_entry("key", key)?;
            map.serialize_entry("assertion_audience", audience)
        }
        Authentication::None => Ok(()),
        Authentication::Secret(secret) => map.serialize_entry("secret", secret),
    }
}
