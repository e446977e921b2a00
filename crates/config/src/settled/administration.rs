//! Who administers the gateway, settled.

use super::form;
use crate::words::{BreakGlass, Role};
use serde::Serialize;
use std::time::Duration;

/// Who administers the gateway with a browser, and how they are authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Administration {
    /// Where administrators sign in.
    pub issuer: String,
    /// Authentication contexts of which one is needed, if there are any.
    pub acr: Vec<String>,
    /// Authentication methods of which one is needed, if there are any.
    pub amr: Vec<String>,
    /// How long ago they may have been authenticated when they change anything.
    #[serde(serialize_with = "form::time")]
    pub max_age: Duration,
    /// Who has which role.
    pub roles: Vec<RoleRule>,
    /// Patterns of the files that say what roles may do; none for the built-in ones.
    pub policies: Vec<String>,
    /// Whether there is an account for emergencies.
    pub break_glass: BreakGlass,
}

/// Who has a role: whoever is named in any of these ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleRule {
    /// The role.
    pub role: Role,
    /// Users, by the issuer's names for them.
    pub users: Vec<String>,
    /// Members of one of these groups.
    pub groups: Vec<String>,
    /// A claim that has one of `values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The values.
    pub values: Vec<String>,
}
