//! The signing keys: kept sealed, turned on time, and handed to whoever verifies tokens here without
//! asking ourselves over the network.

use super::answer::BROKEN;
use crate::clock::Clock;
use crate::state::{Kind, Rows};
use identity::authority::{AuthorityError, Keys, Minted, Minting, Turned};
use identity::{BoxFuture, Fetch, FetchError, Fetched, Outbound};
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What their row is called.
const ROW: &str = "keys";
/// How long whoever verifies tokens here keeps the public halves, in seconds.
const KEPT_S: u64 = 60;

/// The signing keys.
pub(crate) struct SigningKeys {
    rows: Rows,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Keys>>,
}

impl SigningKeys {
    /// The keys in these rows. They are read, or made, when the first one is needed.
    pub(crate) fn new(rows: Rows, clock: Arc<dyn Clock>) -> Self {
        SigningKeys {
            rows,
            clock,
            held: Mutex::default(),
        }
    }

    /// The public halves, as a JWK set.
    pub(super) async fn jwks(&self) -> Result<String, AuthorityError> {
        self.with(|keys, _| Some(keys.to_jwks())).await
    }

    /// A token, signed with the key that signs now.
    pub(super) async fn sign(&self, minting: &Minting<'_>) -> Result<Minted, AuthorityError> {
        let signed = |keys: &Keys, now| minting.sign(keys.signing(now)?).ok();
        self.with(signed).await
    }

    async fn with<T>(
        &self,
        work: impl FnOnce(&Keys, u64) -> Option<T>,
    ) -> Result<T, AuthorityError> {
        let mut held = self.held.lock().await;
        let now_ms = self.clock.unix_ms();
        let now = now_ms / 1000;
        let mut keys = match held.take() {
            Some(keys) => keys,
            None => self.read(now_ms).await?,
        };
        let turned = keys.turn(now).map_err(|error| {
            tracing::error!("no signing key: {error}");
            BROKEN
        })?;
        // A key signs nothing before it is kept: after a restart nobody could tell its tokens are ours.
        if turned == Turned::Changed {
            let kept = keys.to_kept().map_err(|_| BROKEN)?;
            let put = self.rows.put(Kind::AuthorityKey, ROW, &kept, None, now_ms);
            put.await.map_err(super::answer::state)?;
        }
        let done = work(&keys, now).ok_or(BROKEN);
        *held = Some(keys);
        done
    }

    async fn read(&self, now_ms: u64) -> Result<Keys, AuthorityError> {
        let row = self.rows.get(Kind::AuthorityKey, ROW, now_ms).await;
        match row.map_err(super::answer::state)? {
            None => Ok(Keys::default()),
            Some(row) => Keys::from_kept(&row.value).ok_or_else(|| {
                tracing::error!("the signing keys cannot be read: were they changed by hand?");
                BROKEN
            }),
        }
    }
}

/// Whatever is asked for, the public keys are the answer.
impl Fetch for SigningKeys {
    fn send(&self, _: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(async move {
            let jwks = self.jwks().await;
            let jwks = jwks.map_err(|error| FetchError::Unreachable(error.to_string()))?;
            Ok(Fetched {
                max_age: Some(KEPT_S),
                ..Fetched::of(200, jwks)
            })
        })
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").finish_non_exhaustive()
    }
}
