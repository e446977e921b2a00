//! The keys of one issuer, fetched when they are first needed, renewed when they grow old or when
//! a token names one that is not there, and kept through an outage for a bounded time. There is no
//! background task: whoever needs keys fetches them, one at a time, and the others wait or go on
//! with what is held. What was found is kept beyond the process, where there is a place for it.

mod kept;

pub use kept::{KeptKeys, KeyStore};

use crate::discovery::{DiscoveryError, Found, Origin, find_keys};
use crate::fetch::{BoxFuture, Fetch};
use crate::keys::{KeySet, VerificationKey};
use crate::latest::Latest;
use crate::{Algorithm, TokenError};
use arc_swap::ArcSwapOption;
use quick_cache::sync::Cache;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;
use url::Url;

/// How long keys are held without asking again, in seconds: what the issuer says, within bounds.
const FRESH_MIN_S: u64 = 60;
const FRESH_UNSAID_S: u64 = 600;
const FRESH_MAX_S: u64 = 3600;

/// How long after that they still serve while the issuer cannot be reached, in seconds.
const STALE_MAX_S: u64 = 4 * 3600;

/// The least time between two fetches, in seconds, after one that went well and one that did not.
const PAUSE_S: u64 = 30;
const PAUSE_AFTER_FAILURE_S: u64 = 5;

/// A fetch nobody has waited for during this time is begun anew, in seconds.
const ABANDONED_S: u64 = 60;

/// How long a key id that was not found is not looked for again, in seconds, and how many are
/// remembered. Any fetch finds it in the meantime if it appears.
const UNKNOWN_S: u64 = 60;
const UNKNOWN_MAX: usize = 256;

/// How far two readings of the clock may disagree, in seconds. Callers read it before they wait,
/// so the one who comes second may bring the earlier time.
const CLOCK_STEP_S: u64 = 60;

/// The keys of one issuer.
pub(crate) struct Keyring {
    origin: Arc<Origin>,
    fetch: Arc<dyn Fetch>,
    store: Option<Arc<dyn KeyStore>>,
    held: ArcSwapOption<Held>,
    renewal: Mutex<Renewal>,
    unknown: Cache<Box<str>, u64>,
    latest: Latest,
    epoch: Arc<AtomicU64>,
}

struct Held {
    keys: KeySet,
    since: u64,
    fresh_until: u64,
    usable_until: u64,
}

#[derive(Default)]
struct Renewal {
    /// The fetch under way. It lives here and not in the caller who began it, so a caller who
    /// goes away does not undo it: the next one carries it on.
    under_way: Option<BoxFuture<'static, Result<Found, DiscoveryError>>>,
    began: u64,
    not_before: u64,
    /// Whether one fetch may come before its time.
    spare: bool,
    failed: bool,
    key_url: Option<Url>,
    /// Whether it was looked for what is left of an earlier process.
    recalled: bool,
}

enum Outcome {
    Failed,
    NotDue,
    Renewed,
}

impl Keyring {
    /// No keys yet. The epoch is moved on whenever the issuer withdraws a key.
    pub(crate) fn new(
        origin: Arc<Origin>,
        (fetch, store): (Arc<dyn Fetch>, Option<Arc<dyn KeyStore>>),
        epoch: Arc<AtomicU64>,
    ) -> Self {
        Keyring {
            origin,
            fetch,
            store,
            held: ArcSwapOption::empty(),
            renewal: Mutex::default(),
            unknown: Cache::new(UNKNOWN_MAX),
            latest: Latest::default(),
            epoch,
        }
    }

    /// The key with this id for this algorithm.
    pub(crate) async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now: u64,
    ) -> Result<Arc<VerificationKey>, TokenError> {
        self.latest.see(now);
        if let Some(held) = self.held.load().as_ref() {
            match held.keys.pick(id, algorithm) {
                Some(key) if held.is_fresh(now) => return Ok(Arc::clone(key)),
                None if held.is_fresh(now) && self.is_unknown(id, now) => {
                    return Err(TokenError::Key);
                }
                _ => {}
            }
        }
        let usable = self.usable(id, algorithm, now);
        let mut renewal = match usable {
            // Old keys that still serve are no reason to wait for another caller's fetch.
            Some(key) => match self.renewal.try_lock() {
                Ok(renewal) => renewal,
                Err(_) => return Ok(key),
            },
            None => self.renewal.lock().await,
        };
        // Whoever was here before may have brought what we came for.
        if let Some(held) = self.held.load().as_ref()
            && held.is_fresh(now)
            && let Some(key) = held.keys.pick(id, algorithm)
        {
            return Ok(Arc::clone(key));
        }
        self.recall(&mut renewal, now).await;
        let outcome = self.renew(&mut renewal, now).await;
        if let Some(key) = self.usable(id, algorithm, now) {
            return Ok(key);
        }
        match outcome {
            Outcome::Renewed => {
                self.unknown
                    .insert(known_as(id), now.saturating_add(UNKNOWN_S));
                Err(TokenError::Key)
            }
            Outcome::NotDue if !renewal.failed => Err(TokenError::Key),
            Outcome::NotDue | Outcome::Failed => Err(TokenError::IssuerUnavailable),
        }
    }

    fn usable(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now: u64,
    ) -> Option<Arc<VerificationKey>> {
        let held = self.held.load();
        let held = held.as_ref().filter(|held| held.is_usable(now))?;
        held.keys.pick(id, algorithm).map(Arc::clone)
    }

    async fn renew(&self, renewal: &mut Renewal, now: u64) -> Outcome {
        if now.abs_diff(renewal.began) > ABANDONED_S {
            renewal.under_way = None;
        }
        let clock_went_back = went_back(renewal.began, now);
        let under_way = match &mut renewal.under_way {
            Some(under_way) => under_way,
            None if now < renewal.not_before && !clock_went_back && !renewal.spare => {
                return Outcome::NotDue;
            }
            none => {
                // A rotation right after a fetch is found at once; the next one after the pause.
                renewal.spare = now >= renewal.not_before || clock_went_back;
                renewal.began = now;
                none.insert(self.begin(renewal.key_url.clone()))
            }
        };
        let found = under_way.await;
        renewal.under_way = None;
        renewal.failed = found.is_err();
        match found {
            Ok(found) => {
                renewal.not_before = renewal.began.saturating_add(PAUSE_S);
                renewal.key_url = Some(found.at.clone());
                self.hold(found, renewal.began).await;
                Outcome::Renewed
            }
            Err(_) => {
                // The keys may have moved: the next attempt looks for them from the start.
                renewal.spare = false;
                let failed_at = self.latest.after(renewal.began);
                renewal.not_before = failed_at.saturating_add(PAUSE_AFTER_FAILURE_S);
                renewal.key_url = None;
                Outcome::Failed
            }
        }
    }

    fn begin(&self, known: Option<Url>) -> BoxFuture<'static, Result<Found, DiscoveryError>> {
        let origin = Arc::clone(&self.origin);
        let fetch = Arc::clone(&self.fetch);
        Box::pin(async move { find_keys(&origin, known, &*fetch).await })
    }

    /// Takes up what is left of an earlier process, once. The issuer's own word replaces it.
    async fn recall(&self, renewal: &mut Renewal, now: u64) {
        let (Some(store), false) = (&self.store, renewal.recalled) else {
            return;
        };
        let kept = store.load(&self.origin.issuer, now).await;
        renewal.recalled = true;
        let held = kept.and_then(|kept| Held::recalled(&self.origin, &kept));
        self.held.store(held.map(Arc::new));
    }

    /// Holds what was found, and keeps it. It is in force before it is kept.
    async fn hold(&self, found: Found, since: u64) {
        let fresh = found.max_age.unwrap_or(FRESH_UNSAID_S);
        let fresh_until = since.saturating_add(fresh.clamp(FRESH_MIN_S, FRESH_MAX_S));
        let store = self.store.as_ref();
        let kept = KeptKeys::of(&self.origin, &found, since, fresh_until);
        let held = Arc::new(Held {
            keys: found.keys,
            since,
            fresh_until,
            usable_until: fresh_until.saturating_add(STALE_MAX_S),
        });
        let before = self.held.swap(Some(Arc::clone(&held)));
        if before.is_some_and(|before| !before.keys.is_within(&held.keys)) {
            // What a withdrawn key has signed is not good any more, cached or not.
            self.epoch.fetch_add(1, Ordering::AcqRel);
        }
        if let Some((store, kept)) = store.zip(kept) {
            store.save(&self.origin.issuer, kept, since).await;
        }
    }

    fn is_unknown(&self, id: Option<&str>, now: u64) -> bool {
        let until = self.unknown.get(id.unwrap_or_default());
        until.is_some_and(|until| now < until)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("issuer", &self.origin.issuer)
            .finish_non_exhaustive()
    }
}

impl Held {
    fn is_fresh(&self, now: u64) -> bool {
        !went_back(self.since, now) && now < self.fresh_until
    }

    fn is_usable(&self, now: u64) -> bool {
        !went_back(self.since, now) && now < self.usable_until
    }
}

/// Whether the clock was set back: then nothing is known about the age of what is held.
fn went_back(since: u64, now: u64) -> bool {
    since > now.saturating_add(CLOCK_STEP_S)
}

fn known_as(id: Option<&str>) -> Box<str> {
    id.unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
