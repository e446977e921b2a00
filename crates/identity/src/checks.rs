//! The checks of claims that every token meets, signed or introspected: its time, its audience and
//! its purpose. It never looks at a signature.

use crate::{Audience, IssuerRules, TokenError};
use serde_json::{Map, Value};

/// Claims that only tokens for other purposes carry: hashes of OpenID Connect ID tokens and the
/// events of security event and logout tokens.
const MARKS: [&str; 4] = ["at_hash", "c_hash", "s_hash", "events"];

/// Whether a token must say when it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueTime {
    /// If it does not, its life is counted from now on.
    Optional,
    /// If it does not, it is refused.
    Required,
}

/// `iat` and `exp`, if it is a good time for the token; 0 for an `iat` that is not there, so that it
/// counts as older than anything.
pub(crate) fn times(
    rules: &IssuerRules,
    claims: &Map<String, Value>,
    issue_time: IssueTime,
    now: u64,
) -> Result<(u64, u64), TokenError> {
    let time = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(TokenError::Claim(name)),
    };
    let expires = time("exp")?.ok_or(TokenError::Claim("exp"))?;
    let issued = time("iat")?;
    if issued.is_none() && issue_time == IssueTime::Required {
        return Err(TokenError::Claim("iat"));
    }
    let soon = now.saturating_add(rules.clock_skew_s);
    if now >= expires.saturating_add(rules.clock_skew_s) {
        return Err(TokenError::Expired);
    }
    if issued.is_some_and(|issued| issued > soon) {
        return Err(TokenError::IssuedInFuture);
    }
    if time("nbf")?.is_some_and(|not_before| not_before > soon) {
        return Err(TokenError::NotYetValid);
    }
    let lifetime = match issued {
        Some(issued) => expires
            .checked_sub(issued)
            .ok_or(TokenError::Claim("exp"))?,
        None => expires.saturating_sub(now),
    };
    if lifetime > rules.lifetime_max_s {
        return Err(TokenError::Lifetime);
    }
    Ok((issued.unwrap_or(0), expires))
}

/// That one of the audiences of the token is this one, by its address or by a name that the
/// configuration gives it, letter for letter.
pub(crate) fn audience(
    rules: &IssuerRules,
    claims: &Map<String, Value>,
    audience: &Audience,
) -> Result<(), TokenError> {
    let is_ours = |named: &str| {
        audience.is(named)
            || audience.is_named(named)
            || rules.audiences.iter().any(|ours| ours == named)
    };
    let named = match claims.get("aud") {
        Some(Value::String(named)) => is_ours(named),
        Some(Value::Array(names)) => {
            if !names.iter().all(Value::is_string) {
                return Err(TokenError::Claim("aud"));
            }
            let mut names = names.iter().filter_map(Value::as_str);
            names.any(is_ours)
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
pub(crate) fn purpose(claims: &Map<String, Value>) -> Result<(), TokenError> {
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
