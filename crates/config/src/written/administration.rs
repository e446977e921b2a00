//! Who administers the gateway, as somebody wrote it. Nothing here is checked beyond its shape.

use super::Time;
use crate::bounds;
use crate::words::{BreakGlass, Role};
use schemars::JsonSchema;
use serde::Deserialize;

/// Who administers the gateway with a browser, and how they are authenticated.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Administration {
    /// Where administrators sign in: an issuer with `sign_in`, by its exact name. Not said: the only one
    /// that there is.
    pub issuer: Option<String>,
    /// Authentication contexts of which their sign-in must have one (`acr`). With `amr`, both are needed; one of
    /// the two must be said.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub acr: Vec<String>,
    /// Authentication methods of which their sign-in must have used one (`amr`, RFC 8176), such as `mfa` or
    /// `hwk`.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub amr: Vec<String>,
    /// How long ago they may have been authenticated (`auth_time`) when they change anything. Whoever was
    /// authenticated earlier is sent to sign in again.
    #[schemars(transform = bounds::ADMINISTRATION_AGE.told())]
    pub max_age: Option<Time>,
    /// Who has which role.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub roles: Vec<RoleRule>,
    /// Cedar policy files that say what each role may do, in place of the built-in ones, relative to this
    /// file, with `*` in the file name. `ringwall policy administration` prints those.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub policies: Vec<String>,
    /// An account for emergencies, with a passkey, that no identity provider is needed for.
    #[schemars(extend("default" = BreakGlass::Off))]
    pub break_glass: Option<BreakGlass>,
}

/// Who has a role: whoever is named in any of these ways.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The role.
    pub role: Role,
    /// Users, by the issuer's names for them.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub users: Vec<String>,
    /// Members of one of these groups.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub groups: Vec<String>,
    /// A claim of the ID token, a text or a list of texts, that has one of `values`.
    pub claim: Option<String>,
    /// The values of `claim`.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub values: Vec<String>,
}
