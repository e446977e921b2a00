//! Attacks on tokens, each with the answer it gets. The world they meet trusts one issuer with a
//! key of every kind; [`verdict`] also fails if an attack makes it ask for anything but that
//! issuer's metadata and keys.

use crate::fixture::{
    EC, ED, ISSUER, NOW, Provider, RESOURCE, RSA, Signer, audience, claims, good_token, header,
    issuers, spelt, verdict,
};
use crate::token::TOKEN_MAX;
use crate::{Algorithm, Audience, IssuerRules, Issuers, TokenError, base64url};
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use std::sync::Arc;

/// What becomes of a token that is good but for these claims; `null` takes a claim away.
async fn with_claims(changes: Value) -> Result<(), TokenError> {
    let mut claims = claims();
    change(&mut claims, &changes);
    let token = EC.token(&header(Algorithm::Es256, "ec"), &claims);
    verdict(&token).await.map(|_caller| ())
}

/// What becomes of a token that is good but for this of its header.
async fn with_header(changes: Value) -> Result<(), TokenError> {
    let mut header = header(Algorithm::Es256, "ec");
    change(&mut header, &changes);
    verdict(&EC.token(&header, &claims()))
        .await
        .map(|_caller| ())
}

fn change(object: &mut Value, changes: &Value) {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}

#[tokio::test]
async fn m1_accepts_a_good_token_of_every_algorithm() {
    for (signer, algorithm, key) in [
        (&*EC, Algorithm::Es256, "ec"),
        (&*ED, Algorithm::EdDsa, "ed"),
        (&*RSA, Algorithm::Ps256, "rsa"),
        (&*RSA, Algorithm::Rs256, "rsa"),
    ] {
        let token = signer.token(&header(algorithm, key), &claims());
        let caller = verdict(&token).await.unwrap();
        assert_eq!((caller.issuer(), caller.subject()), (ISSUER, "alice"));
        assert_eq!(
            (caller.client(), caller.token_id()),
            (Some("editor"), Some("t-1"))
        );
        assert_eq!(caller.scopes(), ["mcp:tools"]);
        assert_eq!(
            (caller.issued_at(), caller.expires_at()),
            (NOW - 10, NOW + 600)
        );
    }
}

/// The examples of RFC 7515 A.3 and RFC 8037 A.4: somebody else's signatures.
#[test]
fn m1_verifies_the_examples_of_the_standards() {
    let check = |jwk: Value, algorithm: Algorithm, token: &str| {
        let keys = json!({ "keys": [jwk] }).to_string();
        let keys = crate::keys::KeySet::parse(keys.as_bytes()).unwrap();
        let key = keys.pick(None, algorithm).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = base64url::decode(signature).unwrap();
        assert!(key.verifies(signed.as_bytes(), &signature));
        assert!(!key.verifies(&signed.as_bytes()[1..], &signature));
    };
    check(
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }),
        Algorithm::Es256,
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
         cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5dj\
         xLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    check(
        json!({
            "kty": "OKP", "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }),
        Algorithm::EdDsa,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-\
         09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
}

#[tokio::test]
async fn m1_refuses_unsigned_tokens() {
    let payload = claims().to_string();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": "ec"}).to_string();
        let signed = spelt(&header, &payload);
        let with_signature = format!("{signed}.AAAA");
        assert_eq!(
            verdict(&format!("{signed}.")).await.err(),
            Some(TokenError::Algorithm)
        );
        assert_eq!(
            verdict(&with_signature).await.err(),
            Some(TokenError::Algorithm)
        );
    }
    let good = good_token();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let unsigned = TokenError::Malformed("not signed");
    assert_eq!(verdict(&format!("{signed}.")).await.err(), Some(unsigned));
    let parts = TokenError::Malformed("not three parts");
    assert_eq!(verdict(signed).await.err(), Some(parts));
}

#[tokio::test]
async fn m1_refuses_a_public_key_used_as_a_shared_secret() {
    let jwk = RSA.public_jwk("rsa");
    let n = base64url::decode(jwk["n"].as_str().unwrap()).unwrap();
    let secrets = [
        jwk.to_string().into_bytes(),
        n,
        b"secret".to_vec(),
        Vec::new(),
        vec![0; 32],
    ];
    for secret in secrets {
        for alg in ["HS256", "HS384", "HS512"] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": "rsa"}).to_string();
            let signed = spelt(&header, &claims().to_string());
            let tag = hmac::sign(
                &hmac::Key::new(hmac::HMAC_SHA256, &secret),
                signed.as_bytes(),
            );
            let token = format!("{signed}.{}", base64url::encode(tag.as_ref()));
            assert_eq!(verdict(&token).await.err(), Some(TokenError::Algorithm));
        }
    }
}

#[tokio::test]
async fn m1_refuses_a_key_of_another_kind_than_the_algorithm() {
    for (algorithm, key) in [
        (Algorithm::Es256, "rsa"),
        (Algorithm::Es256, "ed"),
        (Algorithm::EdDsa, "ec"),
        (Algorithm::Rs256, "ec"),
        (Algorithm::Ps256, "ed"),
    ] {
        for signer in [&*EC, &*ED, &*RSA] {
            let token = signer.token(&header(algorithm, key), &claims());
            assert_eq!(
                verdict(&token).await.err(),
                Some(TokenError::Key),
                "{algorithm} {key}"
            );
        }
    }
    // The right key, the wrong padding.
    let signed = spelt(
        &header(Algorithm::Rs256, "rsa").to_string(),
        &claims().to_string(),
    );
    let signature = RSA.sign(Algorithm::Ps256, signed.as_bytes());
    let token = format!("{signed}.{}", base64url::encode(&signature));
    assert_eq!(verdict(&token).await.err(), Some(TokenError::Signature));
}

#[tokio::test]
async fn m1_refuses_an_algorithm_its_issuer_may_not_use() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |rules| rules.algorithms = vec![Algorithm::EdDsa]);
    let refused = issuers.verify(&good_token(), &audience(), NOW).await;
    assert_eq!(refused.err(), Some(TokenError::Algorithm));
    assert!(provider.asked().is_empty(), "nothing is fetched for it");
    let token = ED.token(&header(Algorithm::EdDsa, "ed"), &claims());
    assert!(issuers.verify(&token, &audience(), NOW).await.is_ok());
}

#[tokio::test]
async fn m1_refuses_a_key_that_the_token_brings_along() {
    let thief = Signer::ec();
    let jwk = thief.public_jwk("ec");
    for (name, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://evil.example/keys")),
        ("jku", json!(crate::fixture::KEYS)),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
    ] {
        let mut header = header(Algorithm::Es256, "ec");
        header[name] = value;
        let token = thief.token(&header, &claims());
        assert_eq!(verdict(&token).await.err(), Some(TokenError::Header(name)));
    }
    let token = thief.token(&header(Algorithm::Es256, "ec"), &claims());
    assert_eq!(verdict(&token).await.err(), Some(TokenError::Signature));
}

#[tokio::test]
async fn m1_a_key_id_is_only_ever_compared() {
    let long = "k".repeat(257);
    for (key, expected) in [
        ("../../../../dev/null", TokenError::Key),
        ("/proc/sys/kernel/randomize_va_space", TokenError::Key),
        ("x' UNION SELECT 'key' -- ", TokenError::Key),
        ("ec' OR '1'='1", TokenError::Key),
        ("https://evil.example/keys", TokenError::Key),
        ("file:///etc/passwd", TokenError::Key),
        ("$(id)", TokenError::Key),
        ("| curl evil.example", TokenError::Key),
        ("ec\0", TokenError::Key),
        ("EC", TokenError::Key),
        ("ec ", TokenError::Key),
        ("0", TokenError::Key),
        ("", TokenError::Header("kid")),
        (long.as_str(), TokenError::Header("kid")),
    ] {
        assert_eq!(
            with_header(json!({"kid": key})).await,
            Err(expected),
            "{key}"
        );
    }
    // Without an id a token can mean the one key that fits, and no other.
    assert_eq!(with_header(json!({"kid": null})).await, Ok(()));
}

#[tokio::test]
async fn m1_refuses_every_changed_byte_of_a_token() {
    let good = good_token();
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    for index in 0..good.len() {
        for with in ['A', '.', '=', '_'] {
            let mut changed = good.clone().into_bytes();
            if changed[index] == with as u8 {
                continue;
            }
            changed[index] = with as u8;
            let changed = String::from_utf8(changed).unwrap();
            let refused = issuers.verify(&changed, &audience(), NOW).await;
            assert!(refused.is_err(), "byte {index} as `{with}`");
        }
        let cut = issuers
            .verify(good.get(..index).unwrap(), &audience(), NOW)
            .await;
        assert!(cut.is_err(), "cut at {index}");
    }
}

#[tokio::test]
async fn m1_refuses_another_spelling_of_a_good_token() {
    let good = good_token();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        panic!("a token has three parts");
    };
    for other in [
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        format!("{good}="),
        format!("{good}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}==.{signature}"),
        format!("{header}. {payload}.{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!(".{header}.{payload}.{signature}"),
        good.replace('_', "/").replace('-', "+") + "+",
        format!("Bearer {good}"),
        format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
    ] {
        let refused = verdict(&other).await.err();
        assert!(
            matches!(refused, Some(TokenError::Malformed(_))),
            "{other}: {refused:?}"
        );
    }
    let long = format!("{good}{}", "A".repeat(TOKEN_MAX));
    assert_eq!(verdict(&long).await.err(), Some(TokenError::Size));
}

#[tokio::test]
async fn m1_refuses_members_that_are_there_twice() {
    let (header, claims) = (
        header(Algorithm::Es256, "ec").to_string(),
        claims().to_string(),
    );
    let header_error = TokenError::Malformed("the header is not a strict object");
    let claims_error = TokenError::Malformed("the payload is not a strict object");
    let doubled = |object: &str, member: &str| object.replacen('{', &format!("{{{member},"), 1);
    for (header, claims, expected) in [
        (
            doubled(&header, r#""alg":"none""#),
            claims.clone(),
            &header_error,
        ),
        (
            doubled(&header, r#""kid":"ec""#),
            claims.clone(),
            &header_error,
        ),
        (
            header.clone(),
            doubled(&claims, r#""sub":"root""#),
            &claims_error,
        ),
        (
            header.clone(),
            doubled(&claims, r#""aud":"x""#),
            &claims_error,
        ),
        (
            header.clone(),
            doubled(&claims, r#""\u0073ub":"root""#),
            &claims_error,
        ),
        (
            header.clone(),
            doubled(&claims, r#""x":{"a":1,"a":2}"#),
            &claims_error,
        ),
    ] {
        let token = EC.token_of(&header, &claims);
        assert_eq!(
            verdict(&token).await.err().as_ref(),
            Some(expected),
            "{header} {claims}"
        );
    }
}

#[tokio::test]
async fn m1_refuses_a_token_in_a_token() {
    let cty = with_header(json!({"cty": "JWT"})).await;
    assert_eq!(cty, Err(TokenError::Header("cty")));
    let nested = EC.token_of(&header(Algorithm::Es256, "ec").to_string(), &good_token());
    let expected = TokenError::Malformed("the payload is not a strict object");
    assert_eq!(verdict(&nested).await.err(), Some(expected));
}

#[tokio::test]
async fn m1_refuses_token_for_another_audience() {
    let wrong = || Err(TokenError::Audience);
    let claim = || Err(TokenError::Claim("aud"));
    let other = "https://mcp.example.com/other";
    for (aud, expected) in [
        (json!(RESOURCE), Ok(())),
        (json!([RESOURCE]), Ok(())),
        (json!([other, RESOURCE]), Ok(())),
        (json!("HTTPS://MCP.Example.com/files/"), Ok(())),
        (json!(other), wrong()),
        (json!("https://mcp.example.com"), wrong()),
        (json!("https://mcp.example.com/files/x"), wrong()),
        (json!("https://*.example.com/files"), wrong()),
        (json!("*"), wrong()),
        (json!(""), wrong()),
        (json!([]), wrong()),
        (json!([other]), wrong()),
        (json!("editor"), wrong()),
        (json!(format!("{other} {RESOURCE}")), wrong()),
        (json!([RESOURCE, 1]), claim()),
        (json!([[RESOURCE]]), claim()),
        (json!({ "a": RESOURCE }), claim()),
        (json!(1), claim()),
        (json!(null), claim()),
    ] {
        assert_eq!(with_claims(json!({ "aud": aud })).await, expected, "{aud}");
    }
}

/// One audience for all deployments let a token of one into every other.
#[tokio::test]
async fn refuses_token_for_another_deployment() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let token = good_token();
    assert!(issuers.verify(&token, &audience(), NOW).await.is_ok());
    for other in [
        "https://mcp.other.example/files",
        "https://mcp.example.com:8443/files",
    ] {
        let other = Audience::of(other).unwrap();
        let refused = issuers.verify(&token, &other, NOW).await;
        assert_eq!(refused.err(), Some(TokenError::Audience));
        assert!(issuers.verify_cached(&token, &other, NOW).is_none());
    }
}

/// Tokens of a test environment, whose issuer has keys and claims just like ours, were good in
/// production.
#[tokio::test]
async fn refuses_token_from_another_environment() {
    let issuer = Err(TokenError::Issuer);
    for iss in [
        "https://id.test.example.com",
        "https://id.example.com/",
        "https://ID.example.com",
        "http://id.example.com",
        "https://id.example.com:443",
        "https://id.example.com#",
        "",
    ] {
        assert_eq!(with_claims(json!({ "iss": iss })).await, issuer, "{iss}");
    }
    for iss in [json!(null), json!(1), json!([ISSUER])] {
        let claim = Err(TokenError::Claim("iss"));
        assert_eq!(with_claims(json!({ "iss": iss })).await, claim);
    }
    // The other environment's key, under our issuer's name and key id.
    let token = Signer::ec().token(&header(Algorithm::Es256, "ec"), &claims());
    assert_eq!(verdict(&token).await.err(), Some(TokenError::Signature));
}

/// Two issuers are trusted, but a key of one says nothing about a token of the other, and a route
/// may listen to one of them only.
#[tokio::test]
async fn m1_one_issuer_cannot_speak_for_another() {
    let other = "https://other.example.com";
    let (ours, theirs) = (Provider::with(&[EC.public_jwk("ec")]), Signer::ec());
    let metadata = json!({"issuer": other, "jwks_uri": "https://other.example.com/keys"});
    let place = "https://other.example.com/.well-known/oauth-authorization-server";
    ours.answer(place, 200, &metadata.to_string());
    let keys = json!({ "keys": [theirs.public_jwk("theirs"), theirs.public_jwk("ec")] });
    ours.answer("https://other.example.com/keys", 200, &keys.to_string());
    let rules = vec![IssuerRules::new(ISSUER), IssuerRules::new(other)];
    let issuers = Issuers::new(rules, Arc::clone(&ours) as Arc<dyn crate::Fetch>).unwrap();
    let mut claims = claims();
    let token = theirs.token(&header(Algorithm::Es256, "ec"), &claims);
    let forged = issuers.verify(&token, &audience(), NOW).await;
    assert_eq!(forged.err(), Some(TokenError::Signature));
    let token = theirs.token(&header(Algorithm::Es256, "theirs"), &claims);
    let forged = issuers.verify(&token, &audience(), NOW).await;
    assert_eq!(forged.err(), Some(TokenError::Key));

    claims["iss"] = json!(other);
    let token = theirs.token(&header(Algorithm::Es256, "theirs"), &claims);
    let caller = issuers.verify(&token, &audience(), NOW).await.unwrap();
    let ours = issuers
        .verify(&good_token(), &audience(), NOW)
        .await
        .unwrap();
    assert_ne!(
        caller.user(),
        ours.user(),
        "the same `sub` of two issuers is two users"
    );
    let route = audience().only_from([ISSUER]);
    let refused = issuers.verify(&token, &route, NOW).await;
    assert_eq!(refused.err(), Some(TokenError::Issuer));
    assert!(issuers.verify(&good_token(), &route, NOW).await.is_ok());
}

#[tokio::test]
async fn m1_refuses_tokens_of_another_type() {
    for (typ, accepted) in [
        (json!("at+jwt"), true),
        (json!("application/at+jwt"), true),
        (json!("AT+JWT"), true),
        (json!("JWT"), false),
        (json!("dpop+jwt"), false),
        (json!("logout+jwt"), false),
        (json!("secevent+jwt"), false),
        (json!("oauth-id-jag+jwt"), false),
        (json!(""), false),
        (json!(null), false),
    ] {
        let expected = if accepted {
            Ok(())
        } else {
            Err(TokenError::Type)
        };
        assert_eq!(with_header(json!({ "typ": typ })).await, expected, "{typ}");
    }
}

#[tokio::test]
async fn m1_refuses_tokens_made_for_another_purpose() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |rules| {
        rules.token_types = vec!["JWT".to_owned()]
    });
    let verify = async |changes: Value| {
        let (mut header, mut claims) = (header(Algorithm::Es256, "ec"), claims());
        header["typ"] = json!("JWT");
        change(&mut claims, &changes);
        let token = EC.token(&header, &claims);
        issuers
            .verify(&token, &audience(), NOW)
            .await
            .map(|_caller| ())
    };
    assert_eq!(verify(json!({})).await, Ok(()));
    assert_eq!(verify(json!({"typ": "Bearer", "nonce": "n"})).await, Ok(()));
    for (name, value) in [
        ("at_hash", json!("x")),
        ("c_hash", json!("x")),
        ("s_hash", json!("x")),
        ("events", json!({})),
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("token_use", json!("id")),
    ] {
        let refused = verify(json!({ name: value })).await;
        assert_eq!(refused, Err(TokenError::NotAccess(name)));
    }
    // An ID token as most providers write it: for the client, not for us.
    assert_eq!(
        verify(json!({"aud": "editor"})).await,
        Err(TokenError::Audience)
    );
}

#[tokio::test]
async fn n2_3_refuses_tokens_that_are_not_good_now() {
    let claim = |name| Err(TokenError::Claim(name));
    let times = |iat: u64, exp: u64| json!({"iat": iat, "exp": exp});
    for (changes, expected) in [
        (times(NOW, NOW + 1), Ok(())),
        (times(NOW - 3600, NOW), Ok(())), // within the skew of 30 seconds
        (times(NOW - 100, NOW - 29), Ok(())),
        (times(NOW - 100, NOW - 30), Err(TokenError::Expired)),
        (times(NOW - 100, NOW - 90), Err(TokenError::Expired)),
        (times(0, 1), Err(TokenError::Expired)),
        (json!({"exp": 0}), Err(TokenError::Expired)),
        (times(NOW + 30, NOW + 600), Ok(())),
        (times(NOW + 31, NOW + 600), Err(TokenError::IssuedInFuture)),
        (times(u64::MAX, u64::MAX), Err(TokenError::IssuedInFuture)),
        (json!({"nbf": NOW + 30}), Ok(())),
        (json!({"nbf": NOW + 31}), Err(TokenError::NotYetValid)),
        (json!({"nbf": u64::MAX}), Err(TokenError::NotYetValid)),
        (times(NOW, NOW + 3600), Ok(())),
        (times(NOW, NOW + 3601), Err(TokenError::Lifetime)),
        (times(NOW, u64::MAX), Err(TokenError::Lifetime)),
        (times(0, NOW + 600), Err(TokenError::Lifetime)),
        (times(NOW + 20, NOW + 10), claim("exp")),
        (json!({"exp": null}), claim("exp")),
        (json!({"exp": -1}), claim("exp")),
        (json!({"exp": 1.5e12}), claim("exp")),
        (json!({"exp": (NOW + 60).to_string()}), claim("exp")),
        (json!({"exp": [NOW + 60]}), claim("exp")),
        (json!({"iat": null}), claim("iat")),
        (json!({"iat": "now"}), claim("iat")),
        (json!({"nbf": "now"}), claim("nbf")),
        (json!({"nbf": -5}), claim("nbf")),
    ] {
        assert_eq!(with_claims(changes.clone()).await, expected, "{changes}");
    }
}

#[tokio::test]
async fn m1_refuses_a_token_of_nobody() {
    for sub in [
        json!(null),
        json!(""),
        json!(7),
        json!(["alice"]),
        json!({"a": 1}),
    ] {
        let refused = with_claims(json!({ "sub": sub })).await;
        assert_eq!(refused, Err(TokenError::Claim("sub")), "{sub}");
    }
}
