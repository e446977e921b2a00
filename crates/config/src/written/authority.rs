//! The gateway as the authorization server that clients see, as somebody wrote it. Nothing here is
//! checked beyond its shape.

use super::Time;
use crate::bounds;
use crate::words::{Network, Registration};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The gateway as the authorization server that MCP clients see, for an identity provider that cannot do
/// what they need: no registration, no metadata documents, no `resource` parameter. People sign in at
/// that provider all the same, and the gateway asks them first what each client may do. Its name as an
/// issuer is `self`; a route that names no `issuers` accepts it, too.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationServer {
    /// Where people sign in: one of `issuers`, with `sign_in`. Not said: the only one that has it. The
    /// redirect URI to register there is `<public_url>/authority/signed-in`.
    pub sign_in: Option<String>,
    /// Whether clients can register themselves.
    #[schemars(extend("default" = Registration::Off))]
    pub registration: Option<Registration>,
    /// The hosts whose clients are known by a metadata document at their own address, such as
    /// `vscode.dev`; or `any` alone, for everybody's. Not said: none.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub documents: Vec<String>,
    /// Where these documents may lie. A public one that resolves to a private address is not read.
    #[schemars(extend("default" = Network::Public))]
    pub network: Option<Network>,
    /// How long tokens are good.
    #[serde(default)]
    pub tokens: AuthorityTokens,
    /// What scopes mean, for the people who are asked: `files:read: Read your files`.
    #[serde(default)]
    #[schemars(extend("default" = {}), length(max = bounds::WORDS))]
    pub scopes: BTreeMap<String, String>,
}

/// How long tokens of the gateway's authorization server are good.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorityTokens {
    /// Access tokens. What a person may do ends this long after it was taken away at the provider, if the
    /// provider does not tell.
    #[schemars(transform = bounds::ACCESS.told())]
    pub access: Option<Time>,
    /// Refresh tokens, from when the person agreed on.
    #[schemars(transform = bounds::REFRESH.told())]
    pub refresh: Option<Time>,
    /// Refresh tokens that nobody uses.
    #[schemars(transform = bounds::REFRESH_IDLE.told())]
    pub idle: Option<Time>,
}
