//! Tokens that the gateway gets for servers, and how users sign in to grant them. As written; nothing
//! is checked here.

use super::Reference;
use crate::bounds;
use crate::words::{Actor, AssertionAudience, Grant, Network, TokenKind};
use schemars::JsonSchema;
use serde::Deserialize;

/// How the gateway gets the tokens it shows a server. The token of a caller never goes to the server:
/// it is exchanged, if at all, at the very issuer that issued it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// On whose behalf, and how.
    pub grant: Grant,
    /// The authorization server, byte for byte as its metadata names itself. Not said: the one that the
    /// server's own metadata names; with `token_exchange` and `on_behalf_of` it must be said, and be one
    /// of `issuers`, because it is given the caller's token.
    pub issuer: Option<String>,
    /// As which client. Not said: as the gateway's own metadata document where that is understood,
    /// otherwise as a client that the gateway registers itself.
    pub client: Option<OauthClient>,
    /// The secret of `client.id`.
    pub secret: Option<Reference>,
    /// The private key of `client.id` in PEM form (P-256 or RSA), for signed assertions instead of a
    /// secret. Where its certificate stands beside it, assertions name that, as Entra ID wants.
    pub key: Option<Reference>,
    /// With `key`: whom signed assertions name as the one they are for.
    #[schemars(extend("default" = AssertionAudience::Issuer))]
    pub assertion_audience: Option<AssertionAudience>,
    /// With `on_behalf_of`: the issuer that the callers' tokens name, one of `issuers`, where that is
    /// another name of the same authorization server. Entra ID signs tokens of version 1.0 as
    /// `https://sts.windows.net/<tenant>/`. Not said: `issuer`.
    pub subject_issuer: Option<String>,
    /// The scopes to ask for. Not said: those that the server asks for.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub scopes: Vec<String>,
    /// The resource that tokens are asked for. Not said: the server's `url`.
    pub resource: Option<String>,
    /// With `token_exchange`: the audience to ask for, for authorization servers that know no resources.
    pub audience: Option<String>,
    /// With `token_exchange`: whether the gateway names itself as who acts for the caller.
    #[schemars(extend("default" = Actor::None))]
    pub actor: Option<Actor>,
    /// With `workload`: a token that says which workload the gateway is, such as the token of a
    /// Kubernetes service account. A file is read anew for each use.
    pub assertion: Option<Reference>,
    /// With `id_jag`: who is asked for the assertion, and as which client.
    pub identity_provider: Option<IdentityProvider>,
    /// Where the authorization server may lie. A public one that resolves to a private address is not
    /// contacted.
    #[schemars(extend("default" = Network::Public))]
    pub network: Option<Network>,
    /// What kind of tokens is asked for.
    #[schemars(extend("default" = TokenKind::Bearer))]
    pub tokens: Option<TokenKind>,
}

/// A client that exists already: `id` or `metadata_document`, one of the two.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthClient {
    /// Its identifier at the authorization server, which `issuer` has to name.
    pub id: Option<String>,
    /// The address of a metadata document that somebody else publishes for the gateway.
    pub metadata_document: Option<String>,
}

/// The identity provider of the callers, as the gateway is known there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityProvider {
    /// Its identifier: one of `issuers`.
    pub issuer: String,
    /// The gateway's client there.
    pub client: String,
    /// The secret of that client.
    pub secret: Option<Reference>,
    /// Its private key in PEM form (P-256 or RSA), instead of a secret.
    pub key: Option<Reference>,
    /// With `key`: whom signed assertions name as the one they are for.
    #[schemars(extend("default" = AssertionAudience::Issuer))]
    pub assertion_audience: Option<AssertionAudience>,
}

/// How a user signs in with a browser, to show who is about to connect a server. The redirect URI to
/// register is `<public_url>/connect/signed-in`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The gateway's client at this issuer.
    pub client: String,
    /// The secret of that client. Not said, and no key: a public client, with PKCE alone.
    pub secret: Option<Reference>,
    /// Its private key in PEM form (P-256 or RSA), instead of a secret.
    pub key: Option<Reference>,
    /// With `key`: whom signed assertions name as the one they are for.
    #[schemars(extend("default" = AssertionAudience::Issuer))]
    pub assertion_audience: Option<AssertionAudience>,
    /// Scopes besides `openid`.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub scopes: Vec<String>,
}
