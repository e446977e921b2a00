//! The issuers whose tokens are accepted, and the one function that turns a token into a caller.
//! Every check a token must pass is made here, in the order of [`Issuers::verify`]; a caller that
//! was verified is remembered for a short, bounded time.

use crate::caller::token_digest;
use crate::discovery::Origin;
use crate::fetch::Fetch;
use crate::keyring::Keyring;
use crate::token::{TOKEN_MAX, Unverified};
use crate::{Audience, Caller, IssuerRules, RulesError, TokenError};
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

/// Claims that only tokens for other purposes carry: hashes of OpenID Connect ID tokens and the
/// events of security event and logout tokens.
const MARKS: [&str; 4] = ["at_hash", "c_hash", "s_hash", "events"];

/// The issuers whose tokens are accepted.
pub struct Issuers {
    by_name: HashMap<String, Issuer>,
    remembered: Cache<Key, Remembered, Weight>,
    epoch: Arc<AtomicU64>,
}

struct Issuer {
    rules: IssuerRules,
    keyring: Keyring,
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
    /// Issuers with these rules. Nothing is fetched yet.
    pub fn new(rules: Vec<IssuerRules>, fetch: Arc<dyn Fetch>) -> Result<Self, RulesError> {
        let epoch = Arc::new(AtomicU64::new(0));
        let mut by_name = HashMap::with_capacity(rules.len());
        for rules in rules {
            let origin = Origin {
                issuer: rules.issuer.clone(),
                url: rules.checked()?,
                keys: rules.keys.clone(),
            };
            let keyring = Keyring::new(origin, Arc::clone(&fetch), Arc::clone(&epoch));
            let name = rules.issuer.clone();
            let before = by_name.insert(name, Issuer { rules, keyring });
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
        let (issued, expires) = check_times(rules, &read.claims, now)?;
        check_audience(&read.claims, audience)?;
        check_purpose(&read.claims)?;
        let times = (issued, expires);
        let caller = Caller::verified(rules, read.claims, times, &read.payload, key.token)?;
        let caller = Arc::new(caller);
        let over = expires.saturating_add(rules.clock_skew_s);
        let remembered = Remembered {
            caller: Arc::clone(&caller),
            since: now,
            until: over.min(now.saturating_add(REMEMBERED_S)),
            epoch,
            weight: CALLER_BYTES + CLAIMS_FACTOR * token.len() as u64,
        };
        self.remembered.insert(key, remembered);
        Ok(caller)
    }

    /// The caller, if this very token was verified for this audience a short while ago. Waits for
    /// nothing, allocates nothing, and looks at no signature.
    pub fn verify_cached(&self, token: &str, audience: &Audience, now: u64) -> Option<Arc<Caller>> {
        self.recall(&Key::of(token, audience).ok()?, now)
    }

    /// Forgets every verified token: each is looked at anew when it comes again.
    pub fn revoke_all_cached(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
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
    let typ = read.token_type.as_deref();
    if !typ.is_some_and(|typ| rules.accepts_type(typ)) {
        return Err(TokenError::Type);
    }
    Ok(())
}

/// `iat` and `exp`, if it is a good time for the token.
fn check_times(
    rules: &IssuerRules,
    claims: &Map<String, Value>,
    now: u64,
) -> Result<(u64, u64), TokenError> {
    let time = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(TokenError::Claim(name)),
    };
    let expires = time("exp")?.ok_or(TokenError::Claim("exp"))?;
    let issued = time("iat")?.ok_or(TokenError::Claim("iat"))?;
    let soon = now.saturating_add(rules.clock_skew_s);
    if now >= expires.saturating_add(rules.clock_skew_s) {
        return Err(TokenError::Expired);
    }
    if issued > soon {
        return Err(TokenError::IssuedInFuture);
    }
    if time("nbf")?.is_some_and(|not_before| not_before > soon) {
        return Err(TokenError::NotYetValid);
    }
    let lifetime = expires
        .checked_sub(issued)
        .ok_or(TokenError::Claim("exp"))?;
    if lifetime > rules.lifetime_max_s {
        return Err(TokenError::Lifetime);
    }
    Ok((issued, expires))
}

/// That one of the audiences of the token is this one.
fn check_audience(claims: &Map<String, Value>, audience: &Audience) -> Result<(), TokenError> {
    let named = match claims.get("aud") {
        Some(Value::String(named)) => audience.is(named),
        Some(Value::Array(names)) => {
            if !names.iter().all(Value::is_string) {
                return Err(TokenError::Claim("aud"));
            }
            let mut names = names.iter().filter_map(Value::as_str);
            names.any(|named| audience.is(named))
        }
        _ => return Err(TokenError::Claim("aud")),
    };
    if named {
        Ok(())
    } else {
        Err(TokenError::Audience)
    }
}

/// That nothing in the token shows another purpose, for issuers that give all of them one `typ`.
fn check_purpose(claims: &Map<String, Value>) -> Result<(), TokenError> {
    if let Some(mark) = MARKS.into_iter().find(|mark| claims.contains_key(*mark)) {
        return Err(TokenError::NotAccess(mark));
    }
    let says = |name: &str, value: &str| {
        let said = claims.get(name).and_then(Value::as_str);
        said.is_some_and(|said| said.eq_ignore_ascii_case(value))
    };
    if ["id", "refresh", "offline", "logout"]
        .iter()
        .any(|other| says("typ", other))
    {
        return Err(TokenError::NotAccess("typ"));
    }
    if says("token_use", "id") || says("token_use", "refresh") {
        return Err(TokenError::NotAccess("token_use"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
