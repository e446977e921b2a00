//! What may be said of an issuer beside its name and its keys. Nothing here is checked beyond its
//! shape.

use super::{Reference, Time};
use crate::bounds;
use crate::words::ClaimKind;
use schemars::JsonSchema;
use serde::Deserialize;

/// How the issuer is asked what an opaque token means (RFC 7662). One route may accept the opaque
/// tokens of one issuer only, because a token does not say whose it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Introspection {
    /// Where it is asked. Not said: where its metadata says (`introspection_endpoint`).
    pub url: Option<String>,
    /// The gateway's own client there.
    pub client: String,
    /// That client's secret, sent as HTTP Basic authentication. Either this or `key`.
    pub secret: Option<Reference>,
    /// That client's private key instead (PKCS #8 in PEM form, P-256 or RSA): each question carries an
    /// assertion signed with it (`private_key_jwt`, RFC 7523).
    pub key: Option<Reference>,
    /// How long an answer is remembered: a token that was revoked is good for that long. An answer is
    /// never remembered beyond the token's end, and that a token is not active for 10 seconds at most.
    #[schemars(transform = bounds::INTROSPECTION_CACHE.told())]
    pub cache: Option<Time>,
}

/// Where the groups are looked up that a token leaves out because they are too many (Microsoft
/// Graph). While they cannot be had they are unknown, and a policy that reads them denies.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// The service.
    #[schemars(extend("default" = GRAPH))]
    pub url: Option<String>,
    /// Where the gateway's client gets its own token; `{tenant}` stands for the tenant.
    #[schemars(extend("default" = GRAPH_TOKENS))]
    pub token_url: Option<String>,
    /// The gateway's own client, an app that may read the members of groups.
    pub client: String,
    /// That client's secret.
    pub secret: Reference,
}

/// Where Graph is unless somebody says otherwise.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com/";
/// Where its tokens come from unless somebody says otherwise.
pub(crate) const GRAPH_TOKENS: &str =
    "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token";

/// A claim that policies see.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// The claim: `department`, or `realm_access.roles` for a member of a member. A name with `://` in it
    /// is taken as it is.
    pub claim: String,
    /// What it is. A claim of another kind is not there for policies, and a policy that needs it denies.
    pub kind: ClaimKind,
}
