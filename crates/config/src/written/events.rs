//! What an issuer tells the gateway unasked, as somebody wrote it. Nothing here is checked beyond its
//! shape.

use super::Reference;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where and how an issuer tells that users logged out, lost a device, changed a password.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// What its events and logout tokens must have in `aud`: what the gateway is called there.
    pub audience: String,
    /// The path below which it delivers: events (RFC 8935) at the path itself, logout tokens (OpenID
    /// Connect Back-Channel Logout) at the path and `/logout`. Issuers may share one.
    #[schemars(extend("default" = PATH))]
    pub path: Option<String>,
    /// The bearer token it shows when it delivers events. Not said: the signature alone says who it is.
    pub secret: Option<Reference>,
}

/// Where events are delivered.
pub(crate) const PATH: &str = "/events";
