//! The issuers whose tokens are accepted, and the one function that turns a token into a caller.
//! Every check a token must pass is made here, in the order of [`Issuers::verify`]; a caller that
//! was verified is remembered for a short, bounded time.

mod sign_in;

pub use sign_in::SignIn;

use crate::caller::token_digest;
use crate::checks::{self, IssueTime};
use crate::directory::Directory;
use crate::discovery::Origin;
use crate::fetch::Fetch;
use crate::introspection::{Introspector, Said};
use crate::keyring::{KeyStore, Keyring};
use crate::token::{TOKEN_MAX, Unverified, is_signed};
use crate::{Audience, Caller, Groups, IssuerRules, Overage, RulesError, TokenError, profile};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long a verified token is remembered at most, in seconds. A key that its issuer withdraws
/// stops being good after this time even if nobody asks the issuer in between.
const REMEMBERED_S: u64 = 300;

/// How much the remembered callers may weigh, and what one weighs beyond its token, in bytes.
const REMEMBERED_BYTES: u64 = 32 * 1024 * 1024;
const CALLER_BYTES: u64 = 1024;

/// How many times the size of its token a caller takes: the claims are held as a tree.
const CLAIMS_FACTOR: u64 = 4;

/// The issuers whose tokens are accepted.
pub struct Issuers {
    by_name: HashMap<String, Issuer>,
    remembered: Cache<Key, Remembered, Weight>,
    epoch: Arc<AtomicU64>,
}

struct Issuer {
    rules: IssuerRules,
    keyring: Keyring,
    introspector: Option<Introspector>,
    directory: Option<Directory>,
}

/// An issuer, and how it is asked: what may be reached for its sake is its own business.
pub struct Trusted {
    /// What is accepted from it.
    pub rules: IssuerRules,
    /// The way to it.
    pub fetch: Arc<dyn Fetch>,
    /// Where its keys outlive the process; nowhere, if there is none.
    pub store: Option<Arc<dyn KeyStore>>,
}

/// A token that passed every check, and until when that needs no second look.
struct Seen {
    caller: Caller,
    until: u64,
    weight: u64,
}

/// A token for an audience: what is good for one resource says nothing about another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    token: [u8; 32],
    audience: [u8; 32],
}

#[derive(Clone)]
struct Remembered {
    caller: Arc<Caller>,
    since: u64,
    until: u64,
    epoch: u64,
    weight: u64,
}

#[derive(Clone)]
struct Weight;

impl Issuers {
    /// Issuers with these rules, all asked the same way, whose keys are not kept. Nothing is fetched
    /// yet.
    pub fn new(rules: Vec<IssuerRules>, fetch: Arc<dyn Fetch>) -> Result<Self, RulesError> {
        let trusted = rules.into_iter().map(|rules| Trusted {
            rules,
            fetch: Arc::clone(&fetch),
            store: None,
        });
        Issuers::of(trusted)
    }

    /// These issuers. Nothing is fetched yet.
    pub fn of(trusted: impl IntoIterator<Item = Trusted>) -> Result<Self, RulesError> {
        let epoch = Arc::new(AtomicU64::new(0));
        let mut by_name = HashMap::new();
        for trusted in trusted {
            let name = trusted.rules.issuer.clone();
            let before = by_name.insert(name, Issuer::new(trusted, &epoch)?);
            if let Some(before) = before {
                return Err(RulesError::Repeated(before.rules.issuer));
            }
        }
        let callers = usize::try_from(REMEMBERED_BYTES / (4 * CALLER_BYTES)).unwrap_or(8192);
        Ok(Issuers {
            by_name,
            remembered: Cache::with_weighter(callers, REMEMBERED_BYTES, Weight),
            epoch,
        })
    }

    /// The caller this token speaks for, if it is good for this audience now.
    pub async fn verify(
        &self,
        token: &str,
        audience: &Audience,
        now: u64,
    ) -> Result<Arc<Caller>, TokenError> {
        let key = Key::of(token, audience)?;
        if let Some(caller) = self.recall(&key, now) {
            return Ok(caller);
        }
        // Read before anything is checked: what is revoked while we look is not remembered.
        let epoch = self.epoch.load(Ordering::Acquire);
        let seen = match is_signed(token) {
            true => self.read(token, key.token, audience, now).await?,
            false => self.ask(token, key.token, audience, now).await?,
        };
        let seen = self.with_groups(seen, now).await;
        let caller = Arc::new(seen.caller);
        let remembered = Remembered {
            caller: Arc::clone(&caller),
            since: now,
            until: seen.until,
            epoch,
            weight: CALLER_BYTES + seen.weight,
        };
        self.remembered.insert(key, remembered);
        Ok(caller)
    }

    /// A signed token: its signature, then its claims.
    async fn read(
        &self,
        token: &str,
        digest: [u8; 32],
        audience: &Audience,
        now: u64,
    ) -> Result<Seen, TokenError> {
        let read = Unverified::parse(token)?;
        let issuer = self.issuer_of(&read, audience)?;
        let rules = &issuer.rules;
        check_header(rules, &read)?;
        let verifier = issuer
            .keyring
            .key(read.key_id.as_deref(), read.algorithm, now);
        let verifier = verifier.await?;
        if !verifier.verifies(read.signed.as_bytes(), &read.signature) {
            return Err(TokenError::Signature);
        }
        let issue_time = match rules.profile.needs_issue_time() {
            true => IssueTime::Required,
            false => rules.issue_time,
        };
        let times = checks::times(rules, &read.claims, issue_time, now)?;
        checks::audience(rules, &read.claims, audience)?;
        checks::purpose(&read.claims)?;
        profile::check(rules, &read.claims)?;
        let caller = Caller::verified(rules, read.claims, times, &read.payload, digest)?;
        let over = times.1.saturating_add(rules.clock_skew_s);
        Ok(Seen {
            caller,
            until: over.min(now.saturating_add(REMEMBERED_S)),
            weight: CLAIMS_FACTOR * token.len() as u64,
        })
    }

    /// An opaque token: what its issuer says of it, then the same checks of what it means.
    async fn ask(
        &self,
        token: &str,
        digest: [u8; 32],
        audience: &Audience,
        now: u64,
    ) -> Result<Seen, TokenError> {
        let (issuer, introspector) = self.introspecting(audience)?;
        let rules = &issuer.rules;
        let meaning = match introspector.ask(token, digest, now).await {
            Said::Active(meaning) => meaning,
            Said::Inactive => return Err(TokenError::Inactive),
            Said::Away => return Err(TokenError::IssuerUnavailable),
        };
        let claims = &meaning.claims;
        check_answer(rules, claims)?;
        let times = checks::times(rules, claims, IssueTime::Optional, now)?;
        checks::audience(rules, claims, audience)?;
        checks::purpose(claims)?;
        let claims = claims.clone();
        let caller = Caller::introspected(rules, claims, times, &meaning.digest, digest)?;
        // RFC 9449, section 6.2: what is no bearer token says which key it is bound to.
        if !is_bearer(caller.claims()) && caller.confirmation().key.is_none() {
            return Err(TokenError::Confirmation);
        }
        Ok(Seen {
            caller,
            // The issuer's clock says when it ends; ours may be behind.
            until: times.1.min(now.saturating_add(introspector.remembered_s())),
            weight: CLAIMS_FACTOR * meaning.size,
        })
    }

    /// The one issuer of this audience that can be asked. With two of them, a token would have to be
    /// shown to one that has not issued it.
    fn introspecting(&self, audience: &Audience) -> Result<(&Issuer, &Introspector), TokenError> {
        let issuers = self.by_name.values();
        let accepted = issuers.filter(|issuer| audience.accepts_issuer(&issuer.rules.issuer));
        let mut asked = accepted.filter_map(|issuer| Some((issuer, issuer.introspector.as_ref()?)));
        match (asked.next(), asked.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(TokenError::Issuer),
            (None, _) => Err(TokenError::Malformed("not three parts")),
        }
    }

    #[cfg(test)]
    pub(crate) fn introspecting_for_tests(&self) -> &Introspector {
        let mut asked = self
            .by_name
            .values()
            .filter_map(|issuer| issuer.introspector.as_ref());
        asked.next().unwrap()
    }

    /// Looks up the groups that a token leaves out, where there is a directory for it.
    async fn with_groups(&self, mut seen: Seen, now: u64) -> Seen {
        let directory = match seen.caller.groups() {
            Groups::Unknown(Overage::LeftOut) => {
                let issuer = self.by_name.get(seen.caller.issuer());
                issuer.and_then(|issuer| issuer.directory.as_ref())
            }
            _ => None,
        };
        let Some(directory) = directory else {
            return seen;
        };
        let (groups, until) = directory.groups(seen.caller.user_name(), now).await;
        seen.until = seen.until.min(until);
        if let Some(groups) = groups {
            seen.weight += groups
                .iter()
                .map(|name| 32 + name.len() as u64)
                .sum::<u64>();
            seen.caller = seen.caller.with_groups(groups.to_vec());
        }
        seen
    }

    /// The caller, if this very token was verified for this audience a short while ago. Waits for
    /// nothing, allocates nothing, and looks at no signature.
    pub fn verify_cached(&self, token: &str, audience: &Audience, now: u64) -> Option<Arc<Caller>> {
        self.recall(&Key::of(token, audience).ok()?, now)
    }

    /// Forgets every verified token: each is looked at anew when it comes again.
    pub fn revoke_all_cached(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        let introspectors = self
            .by_name
            .values()
            .filter_map(|it| it.introspector.as_ref());
        introspectors.for_each(Introspector::forget);
    }

    /// What is accepted from this issuer, and its keys.
    pub(crate) fn signer(&self, name: &str) -> Option<(&IssuerRules, &Keyring)> {
        let issuer = self.by_name.get(name)?;
        Some((&issuer.rules, &issuer.keyring))
    }

    /// The issuers, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    fn recall(&self, key: &Key, now: u64) -> Option<Arc<Caller>> {
        let remembered = self.remembered.get(key)?;
        let current = remembered.epoch == self.epoch.load(Ordering::Acquire);
        let in_time = remembered.since <= now && now < remembered.until;
        (current && in_time).then_some(remembered.caller)
    }

    fn issuer_of(&self, read: &Unverified<'_>, audience: &Audience) -> Result<&Issuer, TokenError> {
        let name = match read.claims.get("iss") {
            Some(Value::String(name)) => name,
            _ => return Err(TokenError::Claim("iss")),
        };
        let issuer = self.by_name.get(name).ok_or(TokenError::Issuer)?;
        if audience.accepts_issuer(name) {
            Ok(issuer)
        } else {
            Err(TokenError::Issuer)
        }
    }
}

impl Issuer {
    fn new(trusted: Trusted, epoch: &Arc<AtomicU64>) -> Result<Self, RulesError> {
        let Trusted {
            rules,
            fetch,
            store,
        } = trusted;
        let origin = Arc::new(Origin {
            issuer: rules.issuer.clone(),
            url: rules.checked()?,
            keys: rules.keys.clone(),
            metadata: rules.metadata.clone(),
            tenant: rules.tenant.as_ref().map(|tenant| tenant.id.clone()),
        });
        let ways = (Arc::clone(&fetch), store);
        let keyring = Keyring::new(Arc::clone(&origin), ways, Arc::clone(epoch));
        let introspector = rules
            .introspection
            .clone()
            .map(|rules| Introspector::new(origin, Arc::clone(&fetch), rules));
        let directory = rules.directory.clone();
        let directory = directory.map(|rules| Directory::new(fetch, rules));
        Ok(Issuer {
            rules,
            keyring,
            introspector,
            directory,
        })
    }
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trusted")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuers")
            .field("names", &self.by_name.keys())
            .finish_non_exhaustive()
    }
}

impl Key {
    fn of(token: &str, audience: &Audience) -> Result<Self, TokenError> {
        if token.len() > TOKEN_MAX {
            return Err(TokenError::Size);
        }
        Ok(Key {
            token: token_digest(token),
            audience: *audience.digest(),
        })
    }
}

impl Weighter<Key, Remembered> for Weight {
    fn weight(&self, _: &Key, remembered: &Remembered) -> u64 {
        remembered.weight
    }
}

fn check_header(rules: &IssuerRules, read: &Unverified<'_>) -> Result<(), TokenError> {
    if !rules.algorithms.contains(&read.algorithm) {
        return Err(TokenError::Algorithm);
    }
    let accepted = match read.token_type.as_deref() {
        Some(typ) => rules.accepts_type(typ),
        None => !rules.profile.needs_type(),
    };
    match accepted {
        true => Ok(()),
        false => Err(TokenError::Type),
    }
}

fn is_bearer(claims: &Map<String, Value>) -> bool {
    let kind = claims.get("token_type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))
}

/// What an introspected token must be beside active. `iss` may be left out: it is the issuer's own
/// answer. The kind of token may not, because a refresh token can be active too.
fn check_answer(rules: &IssuerRules, claims: &Map<String, Value>) -> Result<(), TokenError> {
    if claims.get("iss").is_some_and(|iss| *iss != *rules.issuer) {
        return Err(TokenError::Issuer);
    }
    let kind = claims.get("token_type").and_then(Value::as_str);
    let is_access = |kind: &str| {
        let known = ["bearer", "dpop"];
        known.iter().any(|known| known.eq_ignore_ascii_case(kind))
    };
    match kind.is_some_and(is_access) {
        true => Ok(()),
        false => Err(TokenError::NotAccess("token_type")),
    }
}

#[cfg(test)]
mod tests;
