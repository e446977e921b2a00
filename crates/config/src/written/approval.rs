//! What a call may take beside a permit, as somebody wrote it: more proof of who calls, or the word of
//! somebody else. Nothing here is checked beyond its shape.

use super::Time;
use crate::bounds;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a policy asks for by this name: `@lift("step_up: NAME")`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// Values of `acr`, one of which is enough, the preferred one first. Not said: any will do.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::ACR))]
    pub acr: Vec<String>,
    /// The authentication context that callers of an issuer with `profile: entra` have to show instead of
    /// `acr`, such as `c1`. Not said: they cannot.
    pub acrs: Option<String>,
    /// How long ago the person may have authenticated (`auth_time`). Not said: as long as a token lives.
    #[schemars(transform = bounds::MAX_AGE.told_bare())]
    pub max_age: Option<Time>,
}

/// Calls that wait for somebody's approval, because a policy says `@lift("approval: …")`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// How long a call may wait, and how long it may be made once it is approved.
    #[schemars(transform = bounds::APPROVAL_TIME.told())]
    pub expires: Option<Time>,
    /// How many calls of one user may wait, or be approved and not made yet.
    #[schemars(transform = bounds::APPROVALS_PER_USER.told())]
    pub per_user: Option<u64>,
    /// How many of everybody.
    #[schemars(transform = bounds::APPROVALS.told())]
    pub in_all: Option<u64>,
}
