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
use identity::client::{AuthorizationServer, ClientError, Identity, Outside, Scopes, find_server};
use std::sync::Arc;
use tokio::sync::Mutex;

/// How users of one issuer sign in.
#[derive(Debug)]
pub struct SignIn {
    /// The gateway's client there.
    pub identity: Identity,
    /// What is asked for.
    pub scopes: Scopes,
    /// The way there.
    pub fetch: Arc<Fetcher>,
    /// What the issuer says of itself.
    pub known: Known,
}

/// What an issuer says of itself as an authorization server, asked for once in a while: whoever begins
/// to sign in, and is nobody yet, does not send the gateway there each time.
#[derive(Debug, Default)]
pub struct Known(Mutex<Option<(Found, u64)>>);

/// It, or that it could not be had.
type Found = Option<Arc<AuthorizationServer>>;

impl Known {
    /// How long it is believed, and how long a failure is, in seconds.
    const BELIEVED_S: u64 = 300;
    const FAILED_S: u64 = 5;

    /// What this issuer says of itself.
    pub(crate) async fn of(
        &self,
        issuer: &str,
        outside: Outside<'_>,
    ) -> Result<Arc<AuthorizationServer>, ClientError> {
        let failed = || ClientError::Metadata(issuer.to_owned());
        let mut known = self.0.lock().await;
        if let Some((found, until)) = &*known
            && outside.now < *until
        {
            return found.clone().ok_or_else(failed);
        }
        let asked = find_server(outside, issuer).await;
        let for_s = match asked {
            Ok(_) => Self::BELIEVED_S,
            Err(_) => Self::FAILED_S,
        };
        let found = asked.map(Arc::new);
        let until = outside.now.saturating_add(for_s);
        *known = Some((found.as_ref().ok().cloned(), until));
        found
    }
}

/// How long a link, and every step after it, is good, in milliseconds.
pub(crate) const PATIENCE_MS: u64 = 600_000;
