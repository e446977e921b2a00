//! Who signed in: the ID token of a flow that this gateway began (OpenID Connect Core, section 3.1.3.7).
//! It says which user is at the browser, and is good for nothing else: no caller comes of it.

use super::Issuers;
use crate::caller::token_digest;
use crate::token::{TOKEN_MAX, Unverified};
use crate::{Caller, IssuerRules, TokenError, UserKey};
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
    /// The user who signed in, by the name that state is kept under: the same as in their access
    /// tokens. `now` is in unix seconds.
    pub async fn signed_in(
        &self,
        token: &str,
        asked: SignIn<'_>,
        now: u64,
    ) -> Result<UserKey, TokenError> {
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
        let times = (now, now);
        let digest = token_digest(token);
        let caller = Caller::verified(rules, read.claims, times, &read.payload, digest)?;
        Ok(caller.user().clone())
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
mod tests {
    use super::*;
    use crate::Algorithm;
    use crate::fixture::{EC, ISSUER, KEYS, NOW, Provider, audience, good_token, header, issuers};
    use serde_json::json;

    const ASKED: SignIn<'_> = SignIn {
        issuer: ISSUER,
        client_id: "ringwall",
        nonce: "n-1",
    };

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "aud": "ringwall", "sub": "alice", "nonce": "n-1",
            "iat": NOW - 1, "exp": NOW + 300,
        })
    }

    #[tokio::test]
    async fn n7_4_an_identity_token_says_who_signed_in_and_nothing_else_does() {
        let provider = Provider::of_all_kinds();
        let issuers = issuers(&provider, |_| {});
        let caller = issuers
            .verify(&good_token(), &audience(), NOW)
            .await
            .unwrap();
        let good = header(Algorithm::Es256, "ec");
        let signed = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            EC.token(&json!({ "alg": "ES256", "kid": "ec" }), &claims)
        };
        for (token, expected) in [
            (signed("sub", json!("alice")), Ok(())),
            (signed("aud", json!(["ringwall"])), Ok(())),
            (signed("azp", json!("ringwall")), Ok(())),
            (
                signed("aud", json!(["ringwall", "x"])),
                Err(TokenError::Audience),
            ),
            (signed("aud", json!("x")), Err(TokenError::Audience)),
            (signed("aud", json!(7)), Err(TokenError::Audience)),
            (signed("azp", json!("x")), Err(TokenError::Audience)),
            (signed("azp", json!(7)), Err(TokenError::Audience)),
            (
                signed("nonce", json!("n-2")),
                Err(TokenError::Claim("nonce")),
            ),
            (
                signed("nonce", Value::Null),
                Err(TokenError::Claim("nonce")),
            ),
            (
                signed("iss", json!("https://other.example.com")),
                Err(TokenError::Issuer),
            ),
            (signed("exp", json!(NOW - 30)), Err(TokenError::Expired)),
            (signed("iat", json!(NOW - 631)), Err(TokenError::Expired)),
            (
                signed("iat", json!(NOW + 31)),
                Err(TokenError::IssuedInFuture),
            ),
            (signed("exp", Value::Null), Err(TokenError::Claim("exp"))),
            (
                signed("events", json!({})),
                Err(TokenError::NotAccess("events")),
            ),
            (EC.token(&good, &claims()), Err(TokenError::Type)),
        ] {
            let found = issuers.signed_in(&token, ASKED, NOW).await;
            match expected {
                Ok(()) => assert_eq!(found.as_ref(), Ok(caller.user()), "{token}"),
                Err(error) => assert_eq!(found, Err(error)),
            }
        }
        let unknown = SignIn {
            issuer: KEYS,
            ..ASKED
        };
        let token = signed("sub", json!("alice"));
        assert_eq!(
            issuers.signed_in(&token, unknown, NOW).await,
            Err(TokenError::Issuer)
        );
        let forged = token.rsplit_once('.').unwrap().0;
        let other = crate::fixture::Signer::ec();
        let forged = format!(
            "{forged}.{}",
            crate::base64url::encode(&other.sign(Algorithm::Es256, forged.as_bytes()))
        );
        assert_eq!(
            issuers.signed_in(&forged, ASKED, NOW).await,
            Err(TokenError::Signature)
        );
    }
}
