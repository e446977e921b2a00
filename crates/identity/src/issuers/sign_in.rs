//! Who signed in: the ID token of a flow that this gateway began (OpenID Connect Core, section 3.1.3.7).
//! It says which user is at the browser, and is good for nothing else: no caller comes of it.

use super::Issuers;
use crate::caller::read_groups;
use crate::token::{TOKEN_MAX, Unverified};
use crate::{Groups, IssuerRules, Overage, SignedIn, TokenError, UserKey, profile};
use serde_json::{Map, Value};

/// How old a token of a flow may be, in seconds: as old as the flow.
const AGE_MAX_S: u64 = 600;

/// What a flow was begun with.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// The issuer that was asked.
    pub issuer: &'a str,
    /// The client that asked.
    pub client_id: &'a str,
    /// What the token has to repeat.
    pub nonce: &'a str,
}

impl Issuers {
    /// Who signed in, by the name that state is kept under: the same as in their access tokens. `now`
    /// is in unix seconds.
    pub async fn signed_in(
        &self,
        token: &str,
        asked: SignIn<'_>,
        now: u64,
    ) -> Result<SignedIn, TokenError> {
        if token.len() > TOKEN_MAX {
            return Err(TokenError::Size);
        }
        let issuer = self.by_name.get(asked.issuer).ok_or(TokenError::Issuer)?;
        let rules = &issuer.rules;
        let read = Unverified::parse(token)?;
        if read.claims.get("iss").and_then(Value::as_str) != Some(asked.issuer) {
            return Err(TokenError::Issuer);
        }
        if !rules.algorithms.contains(&read.algorithm) {
            return Err(TokenError::Algorithm);
        }
        let typ = read.token_type.as_deref();
        if typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(TokenError::Type);
        }
        let verifier = issuer
            .keyring
            .key(read.key_id.as_deref(), read.algorithm, now);
        if !verifier
            .await?
            .verifies(read.signed.as_bytes(), &read.signature)
        {
            return Err(TokenError::Signature);
        }
        check(rules, &read.claims, asked, now)?;
        let user_name = profile::signed_in(rules, &read.claims)?;
        let groups = match (
            read_groups(&read.claims, &rules.claims.groups),
            &issuer.directory,
        ) {
            (Groups::Unknown(Overage::LeftOut), Some(directory)) => {
                let (names, _) = directory.groups(&user_name, now).await;
                let known = names.map(|names| Groups::Known(names.to_vec()));
                known.unwrap_or(Groups::Unknown(Overage::LeftOut))
            }
            (groups, _) => groups,
        };
        Ok(SignedIn {
            issuer: rules.issuer.clone(),
            user: UserKey::of(&rules.issuer, &user_name),
            user_name,
            groups,
            issued_at: read.claims.get("iat").and_then(Value::as_u64).unwrap_or(0),
            clock_skew_s: rules.clock_skew_s,
            claims: read.claims,
        })
    }
}

fn check(
    rules: &IssuerRules,
    claims: &Map<String, Value>,
    asked: SignIn<'_>,
    now: u64,
) -> Result<(), TokenError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let time = |name: &'static str| {
        let value = claims.get(name).and_then(Value::as_u64);
        value.ok_or(TokenError::Claim(name))
    };
    let (issued, expires) = (time("iat")?, time("exp")?);
    let skew = rules.clock_skew_s;
    if now >= expires.saturating_add(skew) || now > issued.saturating_add(AGE_MAX_S + skew) {
        return Err(TokenError::Expired);
    }
    if issued > now.saturating_add(skew) {
        return Err(TokenError::IssuedInFuture);
    }
    let several = match claims.get("aud") {
        Some(Value::String(one)) if one == asked.client_id => false,
        Some(Value::Array(all)) if all.iter().any(|it| it.as_str() == Some(asked.client_id)) => {
            all.len() > 1
        }
        _ => return Err(TokenError::Audience),
    };
    // Where it is for several, it says for whom it was made.
    match text("azp") {
        Some(party) if party == asked.client_id => {}
        None if !several && !claims.contains_key("azp") => {}
        _ => return Err(TokenError::Audience),
    }
    if text("nonce") != Some(asked.nonce) {
        return Err(TokenError::Claim("nonce"));
    }
    // A logout token has no nonce either, but nobody should have to rely on that.
    if claims.contains_key("events") {
        return Err(TokenError::NotAccess("events"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
