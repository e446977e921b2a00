//! The gateway's own token for one service of others: a directory, a provider. It is got by the client's
//! own grant (RFC 6749, section 4.4) for what is named by a scope alone, as Entra ID has it, kept for
//! its time, and never asked for by two at once. There is nothing of a caller in it.

use crate::client::{
    AuthorizationServer, Credentials, Identity, Outside, Scopes, SystemEntropy, TokenEndpoint,
};
use crate::fetch::Fetch;
use crate::latest::Latest;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

/// How long before its end a token is renewed, in seconds, and the longest it is kept.
const RENEWED_BEFORE_S: u64 = 60;
const KEPT_MAX_S: u64 = 3600;

/// How long nobody asks again where there was none, in seconds.
const NONE_S: u64 = 10;

/// Where such a token comes from, for whom, and what for.
#[derive(Clone, Debug)]
pub struct ServiceTokenRules {
    /// The token endpoint.
    pub token_url: Url,
    /// Our client there.
    pub client: String,
    /// How it proves itself.
    pub credentials: Credentials,
    /// What the token is for: `https://cognitiveservices.azure.com/.default`.
    pub scope: String,
}

/// The token, got when it is needed first.
pub struct ServiceToken {
    fetch: Arc<dyn Fetch>,
    authority: AuthorizationServer,
    identity: Identity,
    /// Nothing if what was named is no scope.
    scopes: Option<Scopes>,
    held: Mutex<Held>,
    latest: Latest,
}

/// The token there is, and until when none is asked for because there was none.
#[derive(Default)]
struct Held {
    token: Option<OurToken>,
    none_until: u64,
}

struct OurToken {
    bearer: Zeroizing<String>,
    until: u64,
}

impl ServiceToken {
    /// Nothing is asked yet.
    pub fn new(fetch: Arc<dyn Fetch>, rules: ServiceTokenRules) -> Self {
        let authority = AuthorizationServer::at_token_endpoint(&rules.token_url);
        let client = rules.client.as_str();
        let identity = Identity::preregistered(authority.issuer(), client, rules.credentials);
        ServiceToken {
            fetch,
            authority,
            identity,
            scopes: Scopes::of([rules.scope]),
            held: Mutex::default(),
            latest: Latest::default(),
        }
    }

    /// `Bearer` and the token, for somebody whose clock shows this, in unix seconds. However many need
    /// one, it is asked for once, and not again for a while if there is none.
    pub async fn bearer(&self, now: u64) -> Option<Zeroizing<String>> {
        self.latest.see(now);
        let mut held = self.held.lock().await;
        let now = self.latest.after(now);
        if let Some(token) = &held.token
            && now < token.until
            && token.until - now <= KEPT_MAX_S
        {
            return Some(token.bearer.clone());
        }
        if now < held.none_until && held.none_until - now <= NONE_S {
            return None;
        }
        held.token = self.ask(now).await;
        let bearer = held.token.as_ref().map(|token| token.bearer.clone());
        if bearer.is_none() {
            held.none_until = self.latest.after(now).saturating_add(NONE_S);
        }
        bearer
    }

    /// The service did not take it: whoever asks next begins with a new one.
    pub async fn forget(&self) {
        self.held.lock().await.token = None;
    }

    async fn ask(&self, now: u64) -> Option<OurToken> {
        let outside = Outside {
            fetch: &*self.fetch,
            // For the assertions of a client with a key.
            entropy: &SystemEntropy,
            now,
        };
        let at = TokenEndpoint::new(outside, &self.authority, &self.identity, None).ok()?;
        let tokens = at
            .client_credentials_for(self.scopes.as_ref()?)
            .await
            .ok()?;
        let lasts = tokens.expires_at?.saturating_sub(now);
        let lasts = lasts.saturating_sub(RENEWED_BEFORE_S).min(KEPT_MAX_S);
        Some(OurToken {
            bearer: Zeroizing::new(["Bearer ", tokens.access.as_str()].concat()),
            until: now.saturating_add(lasts),
        })
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceToken")
            .field("issuer", &self.authority.issuer())
            .finish_non_exhaustive()
    }
}
