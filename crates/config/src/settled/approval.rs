//! What a call may take beside a permit, settled. Nothing here is refused or looked up.

use super::form;
use serde::Serialize;
use std::time::Duration;

/// What a policy asks for by a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepUp {
    /// Values of `acr`, one of which is enough; any, if there is none.
    pub acr: Vec<String>,
    /// The authentication context of Entra ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acrs: Option<String>,
    /// How long ago the person may have authenticated.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "form::some_time"
    )]
    pub max_age: Option<Duration>,
}

/// Calls that wait for somebody's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// How long a call may wait, and how long it may be made once it is approved.
    #[serde(serialize_with = "form::time")]
    pub expires: Duration,
    /// How many of one user.
    pub per_user: u32,
    /// How many of everybody.
    pub in_all: u32,
}
