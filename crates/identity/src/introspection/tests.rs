//! Opaque tokens: what an issuer says of them, what is believed of it, and how often it is asked.

use super::*;
use crate::fixture::{ISSUER, METADATA, NOW, Posted, Provider, RESOURCE, audience, good_token};
use crate::{Audience, Caller, IssuerRules, Issuers, Kind, TokenError};
use serde_json::json;
use zeroize::Zeroizing;

const ASKED: &str = "https://id.example.com/introspect";
const TOKEN: &str = "opaque-7f";
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn rules(issuer: &str, remembered_s: u64) -> IssuerRules {
    let secret = Zeroizing::new("s3cret".to_owned());
    let credential = ClientCredential::with_secret("ringwall", secret);
    IssuerRules {
        introspection: Some(IntrospectionRules {
            url: None,
            credential,
            remembered_s,
        }),
        ..IssuerRules::new(issuer)
    }
}

/// An issuer that can be asked, and answers with this.
fn world(answer: &Value, remembered_s: u64) -> (Arc<Provider>, Issuers) {
    let provider = Provider::of_all_kinds();
    let keys = crate::fixture::KEYS;
    let metadata = json!({"issuer": ISSUER, "jwks_uri": keys, "introspection_endpoint": ASKED});
    provider.answer(METADATA, 200, &metadata.to_string());
    provider.answer(ASKED, 200, &answer.to_string());
    let fetch = Arc::clone(&provider) as Arc<dyn Fetch>;
    let issuers = Issuers::new(vec![rules(ISSUER, remembered_s)], fetch).unwrap();
    (provider, issuers)
}

/// What an issuer says of a good token.
fn good() -> Value {
    json!({
        "active": true, "iss": ISSUER, "aud": RESOURCE, "sub": "alice", "client_id": "editor",
        "iat": NOW - 10, "exp": NOW + 600, "scope": "mcp:tools", "token_type": "Bearer",
        "username": "alice@example.com", "groups": ["staff"],
    })
}

/// A good answer but for this; `null` takes a member away.
fn changed(changes: &Value) -> Value {
    let mut answer = good();
    let members = answer.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    answer
}

async fn verdict(answer: &Value) -> Result<Arc<Caller>, TokenError> {
    let (_, issuers) = world(answer, 30);
    issuers.verify(TOKEN, &audience(), NOW).await
}

#[tokio::test]
async fn n2_1_an_opaque_token_means_what_its_issuer_says() {
    let (provider, issuers) = world(&good(), 30);
    let caller = issuers.verify(TOKEN, &audience(), NOW).await.unwrap();
    assert_eq!((caller.issuer(), caller.user_name()), (ISSUER, "alice"));
    assert_eq!(caller.client(), Some("editor"));
    assert_eq!(caller.kind(), Kind::User);
    assert_eq!(caller.scopes(), ["mcp:tools"]);
    assert_eq!(caller.expires_at(), NOW + 600);
    let groups = crate::Groups::Known(vec!["staff".to_owned()]);
    assert_eq!(*caller.groups(), groups);
    // It went to the endpoint of its issuer alone, with our own credential.
    let asked = Posted {
        url: ASKED.to_owned(),
        authorization: "Basic cmluZ3dhbGw6czNjcmV0".to_owned(),
        body: format!("token={TOKEN}&token_type_hint=access_token"),
    };
    assert_eq!(provider.posted(), [asked]);
    assert!(!format!("{issuers:?} {caller:?}").contains(TOKEN));
}

#[tokio::test]
async fn n2_1_the_gateway_may_show_itself_by_its_own_key() {
    let key = crate::SigningKey::generate().unwrap().pkcs8().unwrap();
    let key = Arc::new(crate::client::ClientKey::from_pkcs8(&key, None).unwrap());
    let entropy = Arc::new(crate::client::SystemEntropy);
    let (provider, _) = world(&good(), 30);
    let mut rules = rules(ISSUER, 0);
    let introspection = rules.introspection.as_mut().unwrap();
    introspection.credential = ClientCredential::with_key("ringwall", Arc::clone(&key), entropy);
    let fetch = Arc::clone(&provider) as Arc<dyn Fetch>;
    let issuers = Issuers::new(vec![rules], fetch).unwrap();
    let mut named = std::collections::HashSet::new();
    for _ in 0..2 {
        assert!(issuers.verify(TOKEN, &audience(), NOW).await.is_ok());
        let posted = provider.posted().pop().unwrap();
        assert_eq!(posted.authorization, "");
        let fields = url::form_urlencoded::parse(posted.body.as_bytes());
        let fields: std::collections::HashMap<_, _> = fields.into_owned().collect();
        assert_eq!(fields["client_id"], "ringwall");
        let assertion = crate::token::Unverified::parse(&fields["client_assertion"]).unwrap();
        let keys = json!({"keys": [key.public_jwk()]}).to_string();
        let keys = crate::keys::KeySet::parse(keys.as_bytes()).unwrap();
        let public = keys.pick(None, assertion.algorithm).unwrap();
        assert!(public.verifies(assertion.signed.as_bytes(), &assertion.signature));
        let claims = assertion.claims;
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!("ringwall"), &json!("ringwall"))
        );
        // For this issuer, for a minute, and for once.
        assert_eq!(
            (&claims["aud"], &claims["exp"]),
            (&json!(ISSUER), &json!(NOW + 60))
        );
        assert!(named.insert(claims["jti"].to_string()));
    }
}

#[tokio::test]
async fn m1_an_answer_is_read_as_strictly_as_a_token() {
    let claim = |name| Err(TokenError::Claim(name));
    let not_access = || Err(TokenError::NotAccess("token_type"));
    for (changes, expected) in [
        (json!({}), Ok(())),
        (json!({"iss": null}), Ok(())),
        (json!({"iat": null}), Ok(())),
        (json!({"token_type": "bearer"}), Ok(())),
        (json!({"token_type": "DPoP"}), Err(TokenError::Confirmation)),
        (
            json!({"token_type": "dpop", "cnf": {"x5t#S256": THUMBPRINT}}),
            Err(TokenError::Confirmation),
        ),
        (
            json!({"token_type": "DPoP", "cnf": {"jkt": THUMBPRINT}}),
            Ok(()),
        ),
        (
            json!({"token_type": "DPoP", "cnf": {"jkt": 7}}),
            Err(TokenError::Confirmation),
        ),
        (json!({"active": false}), Err(TokenError::Inactive)),
        (
            json!({"iss": "https://id.example.com/"}),
            Err(TokenError::Issuer),
        ),
        (
            json!({"iss": "https://evil.example"}),
            Err(TokenError::Issuer),
        ),
        (json!({"iss": [ISSUER]}), Err(TokenError::Issuer)),
        (json!({"aud": null}), claim("aud")),
        (json!({"aud": [RESOURCE, 7]}), claim("aud")),
        (
            json!({"aud": "https://elsewhere.example"}),
            Err(TokenError::Audience),
        ),
        (json!({"exp": null}), claim("exp")),
        (json!({"exp": "1800000600"}), claim("exp")),
        (json!({"exp": NOW - 100}), Err(TokenError::Expired)),
        (
            json!({"exp": NOW + 36_000, "iat": null}),
            Err(TokenError::Lifetime),
        ),
        (json!({"iat": NOW + 100}), Err(TokenError::IssuedInFuture)),
        (json!({"nbf": NOW + 100}), Err(TokenError::NotYetValid)),
        (json!({"sub": 7}), claim("sub")),
        (json!({"sub": null, "client_id": null}), claim("sub")),
        (json!({"scope": 7}), claim("scopes")),
        // A refresh token is active, too.
        (json!({"token_type": null}), not_access()),
        (json!({"token_type": "refresh_token"}), not_access()),
        (json!({"token_type": "N_A"}), not_access()),
        (json!({"typ": "Refresh"}), Err(TokenError::NotAccess("typ"))),
        (json!({"act": {"sub": 7}}), Err(TokenError::Actor)),
    ] {
        let found = verdict(&changed(&changes)).await.map(|_caller| ());
        assert_eq!(found, expected, "{changes}");
    }
}

#[tokio::test]
async fn n2_1_without_a_resource_owner_the_client_speaks_for_itself() {
    for changes in [json!({"sub": null}), json!({"sub": "editor"})] {
        let caller = verdict(&changed(&changes)).await.unwrap();
        assert_eq!(caller.kind(), Kind::Workload, "{changes}");
        assert_eq!((caller.subject(), caller.user_name()), ("editor", "editor"));
    }
}

#[tokio::test]
async fn n2_1_an_answer_that_means_nothing_makes_no_token_good() {
    let large = format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(ANSWER_MAX));
    let twice = good().to_string().replacen('{', r#"{"active":true,"#, 1);
    for (status, body) in [
        (200, ""),
        (200, "null"),
        (200, "[true]"),
        (200, "{}"),
        (200, r#"{"active":"true"}"#),
        (200, r#"{"active":1}"#),
        (200, &*twice),
        (200, &*large),
        (401, r#"{"error":"invalid_client"}"#),
        (403, r#"{"active":true}"#),
        (302, ""),
        (500, r#"{"active":true}"#),
    ] {
        let (provider, issuers) = world(&good(), 30);
        provider.answer(ASKED, status, body);
        let refused = issuers.verify(TOKEN, &audience(), NOW).await;
        let expected = Some(TokenError::IssuerUnavailable);
        assert_eq!(refused.err(), expected, "{status} {body:.40}");
    }
}

#[tokio::test]
async fn m1_a_signed_token_is_never_shown_to_anybody() {
    let (provider, issuers) = world(&good(), 30);
    let good = good_token();
    assert!(issuers.verify(&good, &audience(), NOW).await.is_ok());
    let spoilt = format!("{good}x");
    let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
    for token in [&spoilt, &unsigned] {
        assert!(issuers.verify(token, &audience(), NOW).await.is_err());
    }
    assert_eq!(provider.posted(), []);
}

#[tokio::test]
async fn m1_an_opaque_token_goes_to_one_issuer_or_to_none() {
    let other = "https://b.example";
    let provider = Provider::of_all_kinds();
    let fetch = Arc::clone(&provider) as Arc<dyn Fetch>;
    let both = vec![rules(ISSUER, 30), rules(other, 30)];
    let issuers = Issuers::new(both, fetch).unwrap();
    let check = async |audience: &Audience, expected: TokenError, posted: usize| {
        let refused = issuers.verify(TOKEN, audience, NOW).await;
        assert_eq!(refused.err(), Some(expected), "{audience:?}");
        assert_eq!(provider.posted().len(), posted, "{audience:?}");
    };
    check(&audience(), TokenError::Issuer, 0).await;
    let nobody = audience().only_from(["https://c.example"]);
    check(&nobody, TokenError::Malformed("not three parts"), 0).await;
    let metadata = json!({"issuer": ISSUER, "introspection_endpoint": ASKED}).to_string();
    provider.answer(METADATA, 200, &metadata);
    provider.answer(ASKED, 200, r#"{"active":false}"#);
    let one = audience().only_from([ISSUER]);
    check(&one, TokenError::Inactive, 1).await;
}

#[tokio::test]
async fn n10_3_metadata_leads_to_no_endpoint_that_nobody_should_be_sent_to() {
    for place in [
        "http://id.example.com/introspect",
        "http://127.0.0.1/introspect",
        "http://169.254.169.254/latest/meta-data",
        "https://me:pw@id.example.com/introspect",
        "file:///etc/passwd",
        "/introspect",
    ] {
        let (provider, issuers) = world(&good(), 30);
        let metadata = json!({"issuer": ISSUER, "introspection_endpoint": place});
        provider.answer(METADATA, 200, &metadata.to_string());
        let refused = issuers.verify(TOKEN, &audience(), NOW).await;
        assert_eq!(
            refused.err(),
            Some(TokenError::IssuerUnavailable),
            "{place}"
        );
        assert_eq!(provider.posted(), [], "{place}");
    }
}

#[tokio::test]
async fn n2_3_a_revoked_token_is_good_no_longer_than_an_answer_is_remembered() {
    for (remembered_s, still_good_s, gone_s) in [(30, 29, 30), (5, 4, 5), (300, 299, 300)] {
        let (provider, issuers) = world(&good(), remembered_s);
        assert!(issuers.verify(TOKEN, &audience(), NOW).await.is_ok());
        provider.answer(ASKED, 200, r#"{"active":false}"#);
        let at = async |later: u64| issuers.verify(TOKEN, &audience(), NOW + later).await.err();
        assert_eq!(at(still_good_s).await, None, "{remembered_s}");
        assert_eq!(provider.posted().len(), 1);
        assert_eq!(
            at(gone_s).await,
            Some(TokenError::Inactive),
            "{remembered_s}"
        );
    }
    // With no time at all every call asks.
    let (provider, issuers) = world(&good(), 0);
    for times in 1..4 {
        assert!(issuers.verify(TOKEN, &audience(), NOW).await.is_ok());
        assert_eq!(provider.posted().len(), times);
    }
}

#[tokio::test]
async fn n2_3_an_answer_is_never_remembered_beyond_the_end_of_its_token() {
    let (provider, issuers) = world(&changed(&json!({"exp": NOW + 7})), 300);
    let at = async |later: u64| {
        issuers
            .verify(TOKEN, &audience(), NOW + later)
            .await
            .is_ok()
    };
    assert!(at(0).await && at(6).await);
    assert_eq!(provider.posted().len(), 1);
    // The skew of clocks is forgiven, but the issuer is asked.
    assert!(at(7).await);
    assert_eq!(provider.posted().len(), 2);
    assert!(!at(7 + 30).await);
}

#[tokio::test]
async fn n2_1_that_a_token_is_not_active_is_remembered_for_ten_seconds() {
    let (provider, issuers) = world(&json!({"active": false}), 300);
    let at = async |later: u64| issuers.verify(TOKEN, &audience(), NOW + later).await;
    for later in [0, 5, 9] {
        assert_eq!(at(later).await.err(), Some(TokenError::Inactive));
        assert_eq!(provider.posted().len(), 1);
    }
    provider.answer(ASKED, 200, &good().to_string());
    assert!(at(10).await.is_ok());
}

#[tokio::test]
async fn n2_1_an_issuer_that_is_away_is_left_alone_for_a_moment_and_then_asked_again() {
    let (provider, issuers) = world(&good(), 30);
    provider.answer(ASKED, 503, "");
    let at =
        async |token: &str, later: u64| issuers.verify(token, &audience(), NOW + later).await.err();
    let away = Some(TokenError::IssuerUnavailable);
    assert_eq!(at(TOKEN, 0).await, away);
    assert_eq!(at(TOKEN, 1).await, away);
    assert_eq!(at("another", 1).await, away);
    assert_eq!(provider.posted().len(), 1);
    provider.answer(ASKED, 200, &good().to_string());
    assert_eq!(at(TOKEN, 2).await, None);
    // What is remembered serves through an outage, and nothing else does.
    provider.goes_down();
    assert_eq!(at(TOKEN, 31).await, None);
    assert_eq!(at("another", 31).await, away);
    assert_eq!(at(TOKEN, 34).await, away);
}

/// One token that the issuer does not like takes nothing from the others.
#[tokio::test]
async fn n2_1_what_one_token_gets_for_an_answer_is_no_word_about_the_issuer() {
    for (status, body, is_away) in [
        (400, r#"{"error":"invalid_request"}"#, false),
        (403, "", false),
        (413, "", false),
        (200, "nonsense", false),
        (401, r#"{"error":"invalid_client"}"#, true),
        (429, "", true),
        (500, "", true),
        (503, "", true),
    ] {
        let (provider, issuers) = world(&good(), 30);
        provider.answer(ASKED, status, body);
        let at = async |token: &str| issuers.verify(token, &audience(), NOW).await.err();
        let away = Some(TokenError::IssuerUnavailable);
        assert_eq!(at(TOKEN).await, away, "{status}");
        provider.answer(ASKED, 200, &good().to_string());
        let expected = if is_away { away } else { None };
        assert_eq!(at("another").await, expected, "{status}");
    }
}

/// Others have asked while it hung; it is left alone from the answer on, not from the question.
#[tokio::test]
async fn n2_1_an_issuer_that_hung_for_ten_seconds_is_left_alone_all_the_same() {
    let (provider, issuers) = world(&good(), 30);
    let issuers = Arc::new(issuers);
    provider.answer(ASKED, 503, "");
    provider.falls_silent();
    let asking = |token: &'static str, later: u64| {
        let issuers = Arc::clone(&issuers);
        tokio::spawn(async move { issuers.verify(token, &audience(), NOW + later).await.err() })
    };
    let first = asking(TOKEN, 0);
    let second = asking("another", 10);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    provider.speaks();
    let away = Some(TokenError::IssuerUnavailable);
    assert_eq!(
        (first.await.unwrap(), second.await.unwrap()),
        (away.clone(), away.clone())
    );
    let before = provider.posted().len();
    let third = issuers.verify("a third", &audience(), NOW + 11).await;
    assert_eq!((third.err(), provider.posted().len()), (away, before));
}

#[tokio::test]
async fn n2_1_however_many_ask_at_once_the_issuer_is_asked_once() {
    let (provider, issuers) = world(&good(), 0);
    let issuers = Arc::new(issuers);
    provider.falls_silent();
    let ask = |_| {
        let issuers = Arc::clone(&issuers);
        tokio::spawn(async move { issuers.verify(TOKEN, &audience(), NOW).await.is_ok() })
    };
    let asking: Vec<_> = (0..50).map(ask).collect();
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    // One who goes away takes nothing from the others.
    asking[0].abort();
    provider.speaks();
    let mut good = 0;
    for asked in asking {
        good += u8::from(asked.await.unwrap_or(false));
    }
    assert_eq!(good, 49);
    assert!(provider.posted().len() <= 2, "{}", provider.posted().len());
}

#[tokio::test]
async fn n4_4_an_issuer_is_asked_about_128_tokens_at_a_time_and_about_the_others_in_their_turn() {
    let (provider, issuers) = world(&good(), 30);
    let issuers = Arc::new(issuers);
    assert!(issuers.verify(TOKEN, &audience(), NOW).await.is_ok());
    provider.falls_silent();
    let ask = |number: usize| {
        let issuers = Arc::clone(&issuers);
        let token = format!("opaque-{number}");
        tokio::spawn(async move { issuers.verify(&token, &audience(), NOW).await.is_ok() })
    };
    let asking: Vec<_> = (0..ASKING_MAX + 50).map(ask).collect();
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(provider.posted().len(), 1 + 128);
    // Whoever goes away leaves the place to the next.
    asking[0].abort();
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(provider.posted().len(), 1 + 128 + 1);
    provider.speaks();
    let mut good = 0;
    for asked in asking {
        good += usize::from(asked.await.unwrap_or(false));
    }
    assert_eq!(good, ASKING_MAX + 50 - 1);
}

#[tokio::test]
async fn n2_3_what_is_forgotten_is_asked_anew() {
    let (provider, issuers) = world(&good(), 300);
    assert!(issuers.verify(TOKEN, &audience(), NOW).await.is_ok());
    provider.answer(ASKED, 200, r#"{"active":false}"#);
    issuers.revoke_all_cached();
    let refused = issuers.verify(TOKEN, &audience(), NOW).await;
    assert_eq!(refused.err(), Some(TokenError::Inactive));
}

/// 100,000 distinct tokens: what is remembered of them stays within its weight, whether they are
/// good or not, and the last ones are still there.
#[tokio::test]
async fn n4_4_the_answers_about_100_000_tokens_weigh_no_more_than_they_may() {
    for answer in [good(), json!({"active": false})] {
        let (_, issuers) = world(&answer, 300);
        let introspector = issuers.introspecting_for_tests();
        for number in 0..100_000_u32 {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&number.to_be_bytes());
            introspector.ask("opaque", digest, NOW).await;
        }
        let weight = introspector.answers.weight();
        assert!(weight <= REMEMBERED_BYTES, "{weight}");
        assert!(
            weight > REMEMBERED_BYTES / 2,
            "{weight}: the test reaches the bound"
        );
    }
}
