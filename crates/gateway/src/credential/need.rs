//! What is missing where a user has not connected a server yet: enough to ask them, and nothing that
//! opens anything.

use std::sync::Arc;

/// A server that a user has to connect before it can be called for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The server.
    pub server: Arc<str>,
    /// Who issues tokens for it.
    pub issuer: String,
    /// The scopes to ask for, with spaces between them.
    pub scopes: String,
}
