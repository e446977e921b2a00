//! What an issuer tells the gateway unasked.

use super::SecretRef;
use serde::Serialize;

/// Where and how an issuer delivers events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Events {
    /// What they must have in `aud`.
    pub audience: String,
    /// Where security events are delivered.
    pub path: String,
    /// The bearer token it shows, if it must show one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
}

impl Events {
    /// What is added to the path for logout tokens.
    pub const LOGOUT: &str = "/logout";

    /// Where logout tokens are delivered.
    pub fn logout_path(&self) -> String {
        format!("{}{}", self.path.trim_end_matches('/'), Self::LOGOUT)
    }
}
