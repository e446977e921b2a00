//! What is remembered of verified tokens, for whom, and for how long.

use super::*;
use crate::fixture::{
    EC, ED, ISSUER, KEYS, NOW, Provider, RESOURCE, audience, claims, development, good_token,
    header, issuers,
};
use crate::{Algorithm, Groups};
use serde_json::json;
use url::Url;

#[tokio::test]
async fn n2_3_a_verified_token_is_remembered_until_it_expires() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let (token, audience) = (good_token(), audience());
    assert!(issuers.verify_cached(&token, &audience, NOW).is_none());
    let caller = issuers.verify(&token, &audience, NOW).await.unwrap();
    let again = issuers.verify_cached(&token, &audience, NOW + 299).unwrap();
    assert!(Arc::ptr_eq(&caller, &again));
    assert!(
        issuers
            .verify_cached(&token, &audience, NOW + 300)
            .is_none(),
        "looked at anew"
    );

    let mut claims = claims();
    claims["exp"] = json!(NOW + 20);
    let token = EC.token(&header(Algorithm::Es256, "ec"), &claims);
    assert!(issuers.verify(&token, &audience, NOW).await.is_ok());
    for (now, cached) in [(NOW + 49, true), (NOW + 50, false), (NOW - 1, false)] {
        let found = issuers.verify_cached(&token, &audience, now).is_some();
        assert_eq!(found, cached, "at {now}");
    }
    let late = issuers.verify(&token, &audience, NOW + 50).await;
    assert_eq!(late.err(), Some(TokenError::Expired));
}

#[tokio::test]
async fn n2_3_nothing_is_remembered_across_a_revocation() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let (token, audience) = (good_token(), audience());
    let before = issuers.verify(&token, &audience, NOW).await.unwrap();
    issuers.revoke_all_cached();
    assert!(issuers.verify_cached(&token, &audience, NOW).is_none());
    let after = issuers.verify(&token, &audience, NOW).await.unwrap();
    assert!(!Arc::ptr_eq(&before, &after));
    assert!(issuers.verify_cached(&token, &audience, NOW).is_some());
}

#[tokio::test]
async fn m1_what_is_remembered_for_one_resource_opens_no_other() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let token = good_token();
    assert!(issuers.verify(&token, &audience(), NOW).await.is_ok());
    for other in [
        Audience::of("https://mcp.example.com/other").unwrap(),
        audience().only_from(["https://other.example.com"]),
    ] {
        assert!(issuers.verify_cached(&token, &other, NOW).is_none());
        assert!(issuers.verify(&token, &other, NOW).await.is_err());
    }
    let here = audience().only_from([ISSUER]);
    assert!(issuers.verify(&token, &here, NOW).await.is_ok());
}

#[tokio::test]
async fn m1_a_refused_token_is_never_remembered() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let token = good_token();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let changed = format!("{signed}.AAAA");
    for _ in 0..2 {
        let refused = issuers.verify(&changed, &audience(), NOW).await;
        assert!(refused.is_err());
        assert!(issuers.verify_cached(&changed, &audience(), NOW).is_none());
    }
}

#[tokio::test]
async fn remembers_a_bounded_number_of_tokens() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let caller = issuers
        .verify(&good_token(), &audience(), NOW)
        .await
        .unwrap();
    for index in 0..100_000u64 {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&index.to_be_bytes());
        let key = Key {
            token,
            audience: [0; 32],
        };
        let remembered = Remembered {
            caller: Arc::clone(&caller),
            since: NOW,
            until: NOW + 300,
            epoch: 0,
            weight: CALLER_BYTES,
        };
        issuers.remembered.insert(key, remembered);
    }
    assert!(issuers.remembered.weight() <= REMEMBERED_BYTES);
    assert!(issuers.remembered.len() as u64 <= REMEMBERED_BYTES / CALLER_BYTES);
}

#[tokio::test]
async fn n7_3_claims_mean_what_the_rules_say() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |rules| {
        rules.claims.user = "oid".to_owned();
        rules.claims.client = "azp".to_owned();
        rules.claims.groups = "roles".to_owned();
        rules.claims.scopes = "scp".to_owned();
    });
    let mut claims = claims();
    let verify = async |claims: &Value| {
        let token = EC.token(&header(Algorithm::Es256, "ec"), claims);
        issuers.verify(&token, &audience(), NOW).await
    };
    let lacking = verify(&claims).await;
    assert_eq!(
        lacking.err(),
        Some(TokenError::Claim("user")),
        "no claim to fall back on"
    );
    claims["oid"] = json!("o-1");
    claims["azp"] = json!("client-7");
    claims["roles"] = json!(["reader"]);
    claims["scp"] = json!("a b");
    let caller = verify(&claims).await.unwrap();
    assert_eq!(
        (caller.subject(), caller.user_name(), caller.client()),
        ("alice", "o-1", Some("client-7"))
    );
    assert_eq!(*caller.groups(), Groups::Known(vec!["reader".to_owned()]));
    assert_eq!(caller.scopes(), ["a", "b"]);
    assert_eq!(caller.claims()["jti"], "t-1");
    claims["sub"] = json!("renamed");
    let renamed = verify(&claims).await.unwrap();
    assert_eq!(renamed.user(), caller.user(), "the user is who `oid` says");
}

#[tokio::test]
async fn a_development_issuer_is_an_issuer_like_any_other() {
    let (_issuer, _provider, issuers, token) = development();
    let caller = issuers.verify(&token, &audience(), NOW).await.unwrap();
    assert_eq!(caller.subject(), "alice");
    let elsewhere = Audience::of("https://mcp.example.com/other").unwrap();
    let refused = issuers.verify(&token, &elsewhere, NOW).await;
    assert_eq!(refused.err(), Some(TokenError::Audience));
}

#[tokio::test]
async fn nothing_shows_the_token() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let token = good_token();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let caller = issuers.verify(&token, &audience(), NOW).await.unwrap();
    let read = Unverified::parse(&token).unwrap();
    for shown in [
        format!("{caller:?}"),
        format!("{read:?}"),
        format!("{issuers:?}"),
    ] {
        assert!(
            !shown.contains(signature) && !shown.contains(RESOURCE),
            "{shown}"
        );
    }
}

#[test]
fn refuses_rules_that_contradict_each_other() {
    let fetch: Arc<dyn Fetch> = Provider::of_all_kinds();
    let rules = vec![IssuerRules::new(ISSUER), IssuerRules::new(ISSUER)];
    let refused = Issuers::new(rules, Arc::clone(&fetch)).err();
    assert_eq!(refused, Some(RulesError::Repeated(ISSUER.to_owned())));
    let mut rules = IssuerRules::new(ISSUER);
    rules.algorithms.clear();
    let refused = Issuers::new(vec![rules], fetch).err();
    assert_eq!(refused, Some(RulesError::Algorithms(ISSUER.to_owned())));
}

#[tokio::test]
async fn nothing_is_fetched_before_a_token_needs_it() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    assert_eq!(issuers.names().collect::<Vec<_>>(), [ISSUER]);
    let strangers = ["", "a.b.c", "e30.e30.e30"];
    for token in strangers {
        assert!(issuers.verify(token, &audience(), NOW).await.is_err());
    }
    assert!(provider.asked().is_empty());
    assert!(
        issuers
            .verify(&good_token(), &audience(), NOW)
            .await
            .is_ok()
    );
    assert_eq!(provider.asked_for(KEYS), 1);
}

/// 100,000 distinct tokens: what is remembered of them stays within its weight.
#[tokio::test]
async fn n4_4_100_000_verified_tokens_weigh_no_more_than_they_may() {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let token = good_token();
    let caller = issuers.verify(&token, &audience(), NOW).await.unwrap();
    let alike = issuers
        .remembered
        .get(&Key::of(&token, &audience()).unwrap());
    let alike = alike.unwrap();
    assert!(alike.weight >= CALLER_BYTES + token.len() as u64);
    for number in 0..100_000_u32 {
        let mut key = Key::of(&token, &audience()).unwrap();
        key.token[..4].copy_from_slice(&number.to_be_bytes());
        let remembered = Remembered {
            caller: Arc::clone(&caller),
            ..alike.clone()
        };
        issuers.remembered.insert(key, remembered);
    }
    let weight = issuers.remembered.weight();
    assert!(
        weight <= REMEMBERED_BYTES && weight > REMEMBERED_BYTES / 2,
        "{weight}"
    );
    // Whatever was forgotten is verified again.
    assert!(issuers.verify(&token, &audience(), NOW).await.is_ok());
}

/// Two issuers whose keys are at one address: what is fetched for one is never the other's, even
/// where both are published there.
#[tokio::test]
async fn n2_1_what_one_issuer_publishes_serves_no_other() {
    let other = "https://id.example.com/";
    let provider = Provider::with(&[]);
    let keys = Url::parse(KEYS).unwrap();
    let rules = |name: &str| IssuerRules {
        keys: Some(keys.clone()),
        ..IssuerRules::new(name)
    };
    let both = vec![rules(ISSUER), rules(other)];
    let issuers = Issuers::new(both, Arc::clone(&provider) as Arc<dyn Fetch>).unwrap();
    provider.publish(&[EC.public_jwk("ec")]);
    assert!(
        issuers
            .verify(&good_token(), &audience(), NOW)
            .await
            .is_ok()
    );
    provider.publish(&[ED.public_jwk("ec")]);
    let mut claims = claims();
    claims["iss"] = json!(other);
    let token = EC.token(&header(Algorithm::Es256, "ec"), &claims);
    let refused = issuers.verify(&token, &audience(), NOW).await;
    assert_eq!(refused.err(), Some(TokenError::Key));
    assert_eq!(provider.asked_for(KEYS), 2, "each has fetched its own");
    let again = issuers.verify(&good_token(), &audience(), NOW + 1).await;
    assert!(again.is_ok());
}
