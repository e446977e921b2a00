//! Where a user connects a server with their browser: a link that was made for them, a sign-in that
//! shows they are that user, a page that says what they are about to grant, and the way to the
//! authorization server and back.
//!
//! A link opens nothing by itself: whoever follows one that was made for somebody else is turned away
//! once they have signed in, before anything is asked of the authorization server (the phishing that the
//! specification warns of). Nothing here is reachable with a token, and no token is ever shown here.

mod journey;
mod links;
mod steps;
mod told;

pub(crate) use journey::Session;
pub(crate) use links::{Links, Offer};
pub(crate) use steps::{Place, answer, complete};

use crate::egress::Fetcher;
use identity::client::{Identity, Scopes};
use std::sync::Arc;

/// How users of one issuer sign in.
#[derive(Debug)]
pub struct SignIn {
    /// The gateway's client there.
    pub identity: Identity,
    /// What is asked for.
    pub scopes: Scopes,
    /// The way there.
    pub fetch: Arc<Fetcher>,
}

/// How long a link, and every step after it, is good, in milliseconds.
pub(crate) const PATIENCE_MS: u64 = 600_000;
