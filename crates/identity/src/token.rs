//! Reads a compact JWS with strict JSON inside. What comes out is a claim of somebody unknown:
//! nothing in it may be believed before a signature was verified and its claims were checked.

use crate::jws::Compact;
use crate::{Algorithm, TokenError, base64url, members};
use serde_json::{Map, Value};
use std::fmt;

/// The largest token that is looked at, in bytes.
pub const TOKEN_MAX: usize = 16 * 1024;

/// The largest key id that is looked for, in bytes.
pub const KEY_ID_MAX: usize = 256;

/// Header members that would let a token say how it is to be verified, or that change what is
/// signed. A token that carries one is refused, whatever the value.
pub(crate) const REFUSED: [&str; 13] = [
    "jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc", "epk", "apu", "apv", "p2s", "p2c",
];

/// A token that was read and not verified.
pub struct Unverified<'a> {
    /// The algorithm it says it is signed with.
    pub algorithm: Algorithm,
    /// The key it says it is signed with.
    pub key_id: Option<String>,
    /// `typ` of its header.
    pub token_type: Option<String>,
    /// What it claims.
    pub claims: Map<String, Value>,
    /// The bytes of its payload, as they were signed.
    pub(crate) payload: Vec<u8>,
    pub(crate) signed: &'a str,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Reads a token. Linear in its size, which is bounded.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_MAX {
            return Err(TokenError::Size);
        }
        let jws = Compact::split(token).map_err(TokenError::Malformed)?;
        let header = members::object(&jws.header)
            .ok_or(TokenError::Malformed("the header is not a strict object"))?;
        let (algorithm, key_id, token_type) = read_header(header)?;
        if jws.signature.is_empty() {
            return Err(TokenError::Malformed("not signed"));
        }
        let claims = members::object(&jws.payload)
            .ok_or(TokenError::Malformed("the payload is not a strict object"))?;
        Ok(Unverified {
            algorithm,
            key_id,
            token_type,
            claims,
            payload: jws.payload,
            signed: jws.signed,
            signature: jws.signature,
        })
    }
}

/// Whether this has the form of a signed token: three parts, the first of them a header. Whatever
/// has not is opaque to us. A signed token that is spoilt stays one: nobody is asked what it means.
pub(crate) fn is_signed(token: &str) -> bool {
    let mut parts = token.split('.');
    let header = parts.next().and_then(base64url::decode);
    let three = parts.next().is_some() && parts.next().is_some() && parts.next().is_none();
    three && header.is_some_and(|header| header.first() == Some(&b'{'))
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .field("token_type", &self.token_type)
            .finish_non_exhaustive()
    }
}

type Header = (Algorithm, Option<String>, Option<String>);

fn read_header(mut header: Map<String, Value>) -> Result<Header, TokenError> {
    if let Some(name) = REFUSED.into_iter().find(|name| header.contains_key(*name)) {
        return Err(TokenError::Header(name));
    }
    let mut text = |name| match header.remove(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::Header(name)),
        None => Ok(None),
    };
    let algorithm = text("alg")?.ok_or(TokenError::Header("alg"))?;
    let algorithm = Algorithm::named(&algorithm).ok_or(TokenError::Algorithm)?;
    let key_id = text("kid")?;
    if key_id
        .as_ref()
        .is_some_and(|id| id.is_empty() || id.len() > KEY_ID_MAX)
    {
        return Err(TokenError::Header("kid"));
    }
    let token_type = text("typ")?;
    // A token in a token: what is inside has not been looked at.
    if text("cty")?.is_some_and(|cty| cty.to_ascii_lowercase().contains("jwt")) {
        return Err(TokenError::Header("cty"));
    }
    Ok((algorithm, key_id, token_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn spelt(header: &str, payload: &str, signature: &str) -> String {
        let part = |text: &str| base64url::encode(text.as_bytes());
        format!("{}.{}.{}", part(header), part(payload), part(signature))
    }

    #[test]
    fn m1_reads_only_a_compact_token_of_strict_json() {
        let good = spelt(r#"{"alg":"ES256"}"#, r#"{"iss":"a"}"#, "s");
        let token = Unverified::parse(&good).unwrap();
        assert_eq!(token.algorithm, Algorithm::Es256);
        assert_eq!(token.claims["iss"], "a");
        assert_eq!((token.key_id, token.token_type), (None, None));

        let parts = TokenError::Malformed("not three parts");
        let base64 = TokenError::Malformed("not base64url");
        let header = TokenError::Malformed("the header is not a strict object");
        let payload = TokenError::Malformed("the payload is not a strict object");
        let unsigned = TokenError::Malformed("not signed");
        let check = |token: &str, expected: &TokenError| {
            assert_eq!(Unverified::parse(token).unwrap_err(), *expected, "{token}");
        };
        let (signed, signature) = good.rsplit_once('.').unwrap();
        check("", &parts);
        check("e30", &parts);
        check("..", &header);
        check("...", &parts);
        check(signed, &parts);
        check(&format!("{good}."), &parts);
        check(&format!("{good}.e30"), &parts);
        check(&format!("{signed}."), &unsigned);
        check(&format!(".{signed}"), &header);
        check(&format!("{good}="), &base64);
        check(&format!("{good}=="), &base64);
        check(&format!("{good}\n"), &base64);
        check(&format!(" {good}"), &base64);
        check(&format!("{signed}. {signature}"), &base64);
        check(&spelt("{}", "{}", "s"), &TokenError::Header("alg"));
        check(&spelt("[]", "{}", "s"), &header);
        check(&spelt(r#"{"alg":"ES256"}x"#, "{}", "s"), &header);
        check(
            &spelt(r#"{"alg":"none","alg":"ES256"}"#, "{}", "s"),
            &header,
        );
        check(
            &spelt(r#"{"alg":"ES256"}"#, r#"{"a":1,"a":1}"#, "s"),
            &payload,
        );
        check(&spelt(r#"{"alg":"ES256"}"#, &good, "s"), &payload);
        check(&spelt(r#"{"alg":"ES256"}"#, "", "s"), &payload);
        let general = format!(r#"{{"payload":"e30","signatures":[{{"protected":"{good}"}}]}}"#);
        assert!(Unverified::parse(&general).is_err());
    }

    #[test]
    fn m1_refuses_a_header_that_chooses_its_verifier() {
        let check = |members: &str, expected: TokenError| {
            let token = spelt(&format!(r#"{{"alg":"ES256",{members}}}"#), "{}", "s");
            assert_eq!(
                Unverified::parse(&token).unwrap_err(),
                expected,
                "{members}"
            );
        };
        for name in REFUSED {
            check(&format!(r#""{name}":null"#), TokenError::Header(name));
            check(&format!(r#""{name}":"x""#), TokenError::Header(name));
        }
        check(r#""crit":["exp"],"exp":1"#, TokenError::Header("crit"));
        check(r#""kid":1"#, TokenError::Header("kid"));
        check(r#""kid":["a"]"#, TokenError::Header("kid"));
        check(r#""kid":"""#, TokenError::Header("kid"));
        check(r#""typ":1"#, TokenError::Header("typ"));
        check(r#""cty":"JWT""#, TokenError::Header("cty"));
        check(r#""cty":"application/jwt""#, TokenError::Header("cty"));
        let kid = |size: usize| {
            let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(size));
            Unverified::parse(&spelt(&header, "{}", "s")).map(|token| token.key_id.is_some())
        };
        assert_eq!(kid(KEY_ID_MAX), Ok(true));
        assert_eq!(kid(KEY_ID_MAX + 1), Err(TokenError::Header("kid")));
    }

    #[test]
    fn m1_refuses_every_other_algorithm() {
        for name in [
            "none", "NONE", "", "HS256", "HS512", "ES384", "RS1", "PS512", "Ed448",
        ] {
            let token = spelt(&format!(r#"{{"alg":"{name}"}}"#), "{}", "s");
            assert_eq!(
                Unverified::parse(&token).unwrap_err(),
                TokenError::Algorithm
            );
        }
        for alg in ["null", "[]", "0", r#"["ES256"]"#] {
            let token = spelt(&format!(r#"{{"alg":{alg}}}"#), "{}", "s");
            assert_eq!(
                Unverified::parse(&token).unwrap_err(),
                TokenError::Header("alg")
            );
        }
    }

    #[test]
    fn refuses_a_token_over_the_size_limit() {
        let payload = |size: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(size));
        let token = spelt(r#"{"alg":"ES256"}"#, &payload(12_000), "s");
        assert!(Unverified::parse(&token).is_ok());
        let token = spelt(r#"{"alg":"ES256"}"#, &payload(13_000), "s");
        assert_eq!(Unverified::parse(&token).unwrap_err(), TokenError::Size);
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_what_was_signed(token in "[A-Za-z0-9_.=-]{0,200}") {
            if let Ok(read) = Unverified::parse(&token) {
                prop_assert!(token.starts_with(read.signed));
            }
        }

        #[test]
        fn any_header_either_fails_or_names_a_public_key_algorithm(
            name in "[a-z0-9]{1,4}", value in "\\PC{0,20}",
        ) {
            let header = serde_json::json!({ "alg": value, name: "x" }).to_string();
            let token = spelt(&header, "{}", "s");
            if let Ok(read) = Unverified::parse(&token) {
                prop_assert_eq!(Some(read.algorithm), Algorithm::named(&value));
            }
        }
    }
}
