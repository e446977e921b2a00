//! What an issuer says that is no token: security events (RFC 8417) and logout tokens (OpenID Connect
//! Back-Channel Logout 1.0). Verified with the same keys as its tokens and never taken for one; what it
//! means is for whoever asked.

use crate::token::Unverified;
use crate::{Issuers, TokenError};
use serde_json::{Map, Value};
use std::fmt;

/// The longest `jti`, in bytes.
const ID_MAX: usize = 512;

/// The one event that a logout token carries (section 2.4 there).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What kind of statement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// A security event token.
    Event,
    /// A logout token.
    Logout,
}

/// Whose statements are heard, and what they must have in `aud`.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    /// The issuer, byte for byte.
    pub issuer: &'a str,
    /// What the receiver is called there.
    pub audience: &'a str,
}

/// A statement whose signature, issuer, audience and times are good.
pub struct Statement {
    /// Who says it.
    pub issuer: String,
    /// `jti`.
    pub id: String,
    /// `iat`, in unix seconds.
    pub issued_s: u64,
    /// Everything it says.
    pub claims: Map<String, Value>,
    /// What happened: the members of `events`, by their names.
    pub events: Map<String, Value>,
}

/// Statements speak of people.
impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("issuer", &self.issuer)
            .field("id", &self.id)
            .field("issued_s", &self.issued_s)
            .finish_non_exhaustive()
    }
}

/// Why a statement is not heard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It is for somebody else.
    #[error("`aud` does not name this receiver")]
    Audience,
    /// It cannot be read as what it should be.
    #[error("it is no such statement: {0}")]
    Form(&'static str),
    /// Nobody whose statements are heard here.
    #[error("its issuer is none whose statements are heard here")]
    Issuer,
    /// The signature, or the key that should have made it, is not good.
    #[error("its signature is not good: {0}")]
    Key(TokenError),
    /// It is too old, or not of our time.
    #[error("`{0}` is out of its time")]
    Time(&'static str),
    /// The issuer's keys cannot be had now.
    #[error("the issuer's keys cannot be read now")]
    Unavailable,
}

impl Statement {
    /// How old a statement may be, in seconds: as old as the longest-lived token, since what happened
    /// before that has no effect any more.
    pub const AGE_MAX_S: u64 = 24 * 3600;
    /// Events that one statement may carry.
    pub const EVENTS_MAX: usize = 16;
}

impl Issuers {
    /// Reads and verifies a statement of one of these issuers. Whether it came before is for whoever
    /// keeps the ids to know.
    pub async fn statement(
        &self,
        text: &str,
        kind: StatementKind,
        speakers: &[Speaker<'_>],
        now: u64,
    ) -> Result<Statement, StatementError> {
        let read = Unverified::parse(text).map_err(|error| match error {
            TokenError::Algorithm => StatementError::Key(error),
            _ => StatementError::Form("it is no signed token"),
        })?;
        check_type(kind, read.token_type.as_deref())?;
        let issuer = read.claims.get("iss").and_then(Value::as_str);
        let speaker = speakers.iter().find(|it| Some(it.issuer) == issuer);
        let speaker = speaker.ok_or(StatementError::Issuer)?;
        let (rules, keyring) = self.signer(speaker.issuer).ok_or(StatementError::Issuer)?;
        if !rules.algorithms.contains(&read.algorithm) {
            return Err(StatementError::Key(TokenError::Algorithm));
        }
        let key = keyring.key(read.key_id.as_deref(), read.algorithm, now);
        let key = key.await.map_err(|error| match error {
            TokenError::IssuerUnavailable => StatementError::Unavailable,
            error => StatementError::Key(error),
        })?;
        if !key.verifies(read.signed.as_bytes(), &read.signature) {
            return Err(StatementError::Key(TokenError::Signature));
        }
        check_audience(&read.claims, speaker.audience)?;
        let issued_s = check_times(kind, &read.claims, rules.clock_skew_s, now)?;
        let events = check_events(kind, &read.claims)?;
        let id = read.claims.get("jti").and_then(Value::as_str);
        let id = id.filter(|id| !id.is_empty() && id.len() <= ID_MAX);
        Ok(Statement {
            issuer: speaker.issuer.to_owned(),
            id: id.ok_or(StatementError::Form("no `jti`"))?.to_owned(),
            issued_s,
            events,
            claims: read.claims,
        })
    }
}

/// A security event says by its type that it is one (RFC 8417 section 2.3). A logout token should, and
/// is known by its event where it does not.
fn check_type(kind: StatementKind, typ: Option<&str>) -> Result<(), StatementError> {
    let bare = typ.map(|typ| {
        let prefix = typ.get(..12).unwrap_or_default();
        match prefix.eq_ignore_ascii_case("application/") {
            true => typ.get(12..).unwrap_or_default(),
            false => typ,
        }
    });
    let is = |name: &str| bare.is_some_and(|typ| typ.eq_ignore_ascii_case(name));
    let good = match kind {
        StatementKind::Event => is("secevent+jwt"),
        StatementKind::Logout => typ.is_none() || is("logout+jwt") || is("JWT"),
    };
    good.then_some(()).ok_or(StatementError::Form("its `typ`"))
}

fn check_audience(claims: &Map<String, Value>, audience: &str) -> Result<(), StatementError> {
    let named = match claims.get("aud") {
        Some(Value::String(named)) => named == audience,
        Some(Value::Array(names)) => {
            names.iter().all(Value::is_string) && names.iter().any(|name| name == audience)
        }
        _ => false,
    };
    named.then_some(()).ok_or(StatementError::Audience)
}

fn check_times(
    kind: StatementKind,
    claims: &Map<String, Value>,
    skew_s: u64,
    now: u64,
) -> Result<u64, StatementError> {
    let time = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(StatementError::Time(name)),
    };
    let issued = time("iat")?.ok_or(StatementError::Time("iat"))?;
    let oldest = now.saturating_sub(Statement::AGE_MAX_S + skew_s);
    if issued > now.saturating_add(skew_s) || issued < oldest {
        return Err(StatementError::Time("iat"));
    }
    match time("exp")? {
        Some(expires) if now >= expires.saturating_add(skew_s) => Err(StatementError::Time("exp")),
        // Events have happened and do not expire (RFC 8417 section 2.2).
        None if kind == StatementKind::Logout => Err(StatementError::Time("exp")),
        _ => Ok(issued),
    }
}

fn check_events(
    kind: StatementKind,
    claims: &Map<String, Value>,
) -> Result<Map<String, Value>, StatementError> {
    let events = claims.get("events").and_then(Value::as_object);
    let events = events.ok_or(StatementError::Form("no `events`"))?;
    if events.is_empty() || events.len() > Statement::EVENTS_MAX {
        return Err(StatementError::Form("no event, or too many"));
    }
    if !events.values().all(Value::is_object) {
        return Err(StatementError::Form("an event that is no object"));
    }
    let is_logout = events.contains_key(LOGOUT);
    match kind {
        // What ends one login is not to be had by passing it off as something else, nor the other way.
        StatementKind::Event if is_logout => Err(StatementError::Form("it is a logout token")),
        StatementKind::Logout if !is_logout => Err(StatementError::Form("it is no logout token")),
        StatementKind::Logout if claims.contains_key("nonce") => Err(StatementError::Form(
            "it has a `nonce`, as identity tokens have",
        )),
        _ => Ok(events.clone()),
    }
}

#[cfg(test)]
mod tests;
