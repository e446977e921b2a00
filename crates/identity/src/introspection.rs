//! Opaque tokens: the issuer is asked what they mean (RFC 7662). A token goes to its issuer alone,
//! over our own authenticated request; what it answers is remembered for a short, bounded time,
//! and an issuer that cannot be asked makes no token good.

use crate::audience::sha_256;
use crate::credential::ClientCredential;
use crate::discovery::{Origin, find_metadata};
use crate::fetch::Fetch;
use crate::latest::Latest;
use crate::members;
use aws_lc_rs::digest;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, Semaphore};
use url::Url;

/// The largest answer that is read, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// How much the remembered answers may weigh, and what one weighs beyond its body, in bytes.
const REMEMBERED_BYTES: u64 = 16 * 1024 * 1024;
const ANSWER_BYTES: u64 = 512;

/// How many times the size of its body an answer takes: it is held as a tree.
const TREE_FACTOR: u64 = 4;

/// How long a token that is not good is not asked about again, in seconds, at most.
const INACTIVE_S: u64 = 10;

/// How long nothing is asked after the issuer did not answer, in seconds.
const AWAY_S: u64 = 2;

/// How many tokens are asked about at a time; more wait for their turn.
const ASKING_MAX: usize = 128;

/// How long the address of the endpoint is kept, in seconds, if the metadata says it.
const ENDPOINT_S: u64 = 3600;

/// How one issuer is asked.
#[derive(Clone, Debug)]
pub struct IntrospectionRules {
    /// Where it is asked; what its metadata says if not given.
    pub url: Option<Url>,
    /// Who asks.
    pub credential: ClientCredential,
    /// How long an answer is remembered, in seconds. Within this time a revoked token is still good.
    pub remembered_s: u64,
}

/// Asks one issuer about its tokens.
pub(crate) struct Introspector {
    origin: Arc<Origin>,
    fetch: Arc<dyn Fetch>,
    rules: IntrospectionRules,
    endpoint: Mutex<Option<(Url, u64)>>,
    answers: Cache<[u8; 32], Answer, Weight>,
    turns: Semaphore,
    away_until: AtomicU64,
    latest: Latest,
}

/// Why a question has no answer.
enum Silence {
    /// The issuer cannot be asked: it is left alone for a moment.
    Issuer,
    /// It does not answer this question; others it may.
    Question,
}

/// What became of a question.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// The token is good, and this is what it means.
    Active(Arc<Meaning>),
    /// It is not, whatever the reason: the issuer does not say.
    Inactive,
    /// The issuer did not answer, or not in a way that means anything.
    Away,
}

/// What a good token means.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(crate) claims: Map<String, Value>,
    /// SHA-256 of the whole answer.
    pub(crate) digest: [u8; 32],
    /// Size of the answer, in bytes.
    pub(crate) size: u64,
}

#[derive(Clone)]
struct Answer {
    said: Said,
    since: u64,
    until: u64,
    weight: u64,
}

#[derive(Clone)]
struct Weight;

impl Introspector {
    /// Nothing is asked yet.
    pub(crate) fn new(
        origin: Arc<Origin>,
        fetch: Arc<dyn Fetch>,
        rules: IntrospectionRules,
    ) -> Self {
        let answers = usize::try_from(REMEMBERED_BYTES / (4 * ANSWER_BYTES)).unwrap_or(8192);
        Introspector {
            origin,
            fetch,
            rules,
            endpoint: Mutex::default(),
            answers: Cache::with_weighter(answers, REMEMBERED_BYTES, Weight),
            turns: Semaphore::new(ASKING_MAX),
            away_until: AtomicU64::new(0),
            latest: Latest::default(),
        }
    }

    /// How long an answer is remembered, in seconds.
    pub(crate) fn remembered_s(&self) -> u64 {
        self.rules.remembered_s
    }

    /// What the issuer says of this token. However many ask at once, it is asked once.
    pub(crate) async fn ask(&self, token: &str, digest: [u8; 32], now: u64) -> Said {
        self.latest.see(now);
        self.answers
            .remove_if(&digest, |answer| !answer.is_good(now));
        match self.answers.get_value_or_guard_async(&digest).await {
            Ok(answer) => answer.said,
            Err(first) => {
                let answer = self.answer(token, now).await;
                let said = answer.said.clone();
                // It can only fail if somebody forgot everything in the meantime.
                let _ = first.insert(answer);
                said
            }
        }
    }

    /// Forgets every answer.
    pub(crate) fn forget(&self) {
        self.answers.clear();
    }

    async fn answer(&self, token: &str, now: u64) -> Answer {
        let said = match self.turns.acquire().await {
            Ok(_turn) if !self.is_away(now) => self.question(token, now).await,
            _ => Said::Away,
        };
        let (lasts, size) = match &said {
            Said::Active(meaning) => {
                let expires = meaning.claims.get("exp").and_then(Value::as_u64);
                let left = expires.unwrap_or(now).saturating_sub(now);
                (self.rules.remembered_s.min(left), meaning.size)
            }
            Said::Inactive => (self.rules.remembered_s.min(INACTIVE_S), 0),
            Said::Away => (self.latest.after(now) - now + AWAY_S, 0),
        };
        Answer {
            said,
            since: now,
            until: now.saturating_add(lasts),
            weight: ANSWER_BYTES + TREE_FACTOR * size,
        }
    }

    /// Asks. Whoever has waited for a turn while the issuer went away finds it away.
    async fn question(&self, token: &str, now: u64) -> Said {
        let Some(endpoint) = self.endpoint(now).await else {
            return Said::Away;
        };
        match self.exchange(endpoint, token, now).await {
            Ok(said) => said,
            Err(Silence::Question) => Said::Away,
            Err(Silence::Issuer) => {
                self.went_away(now);
                Said::Away
            }
        }
    }

    async fn exchange(&self, endpoint: Url, token: &str, now: u64) -> Result<Said, Silence> {
        let fields = [("token", token), ("token_type_hint", "access_token")];
        let credential = &self.rules.credential;
        let request = credential.form(endpoint, &self.origin.issuer, &fields, now);
        let request = request.ok_or(Silence::Issuer)?;
        let answer = self.fetch.send(request).await;
        let answer = answer.map_err(|_no_answer| Silence::Issuer)?;
        match answer.status {
            200 if answer.body.len() <= ANSWER_MAX => read(&answer.body).ok_or(Silence::Question),
            // It knows us no more, has enough of us, or is broken: whatever is asked.
            401 | 429 | 500.. => Err(Silence::Issuer),
            _ => Err(Silence::Question),
        }
    }

    /// Where the issuer is asked. Nothing if that cannot be found out, which is found out once.
    async fn endpoint(&self, now: u64) -> Option<Url> {
        if let Some(url) = &self.rules.url {
            return Some(url.clone());
        }
        let mut known = self.endpoint.lock().await;
        if let Some((url, until)) = &*known
            && now < *until
        {
            return Some(url.clone());
        }
        if self.is_away(now) {
            return None;
        }
        let metadata = find_metadata(&self.origin, &*self.fetch).await;
        let Some(url) = metadata.ok().and_then(|metadata| metadata.introspection) else {
            self.went_away(now);
            return None;
        };
        *known = Some((url.clone(), now.saturating_add(ENDPOINT_S)));
        Some(url)
    }

    fn went_away(&self, now: u64) {
        let until = self.latest.after(now).saturating_add(AWAY_S);
        self.away_until.store(until, Ordering::Release);
    }

    fn is_away(&self, now: u64) -> bool {
        let until = self.away_until.load(Ordering::Acquire);
        let now = self.latest.after(now);
        // A clock that was set back does not make it stay away.
        now < until && until - now <= AWAY_S
    }
}

/// The answer, if it says in one way whether the token is good.
fn read(body: &[u8]) -> Option<Said> {
    let claims = members::object(body)?;
    match claims.get("active")?.as_bool()? {
        false => Some(Said::Inactive),
        true => Some(Said::Active(Arc::new(Meaning {
            claims,
            digest: sha_256(digest::digest(&digest::SHA256, body).as_ref()),
            size: body.len() as u64,
        }))),
    }
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspector")
            .field("issuer", &self.origin.issuer)
            .finish_non_exhaustive()
    }
}

impl Answer {
    fn is_good(&self, now: u64) -> bool {
        self.since <= now && now < self.until
    }
}

impl Weighter<[u8; 32], Answer> for Weight {
    fn weight(&self, _: &[u8; 32], answer: &Answer) -> u64 {
        answer.weight
    }
}

#[cfg(test)]
mod tests;
