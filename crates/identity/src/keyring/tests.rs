//! Rotation, outages, unknown keys and many callers at once, with every fetch counted.

use super::*;
use crate::fixture::{
    EC, ISSUER, KEYS, METADATA, NOW, OIDC_METADATA, Provider, Signer, audience, claims, good_token,
    header, issuers,
};
use crate::{IssuerRules, Issuers};
use serde_json::json;
use std::future::Future;
use std::task::{Context, Poll, Waker};

fn token(signer: &Signer, key: &str) -> String {
    let mut claims = claims();
    claims["iat"] = json!(NOW);
    claims["exp"] = json!(NOW + 100_000);
    signer.token(&header(Algorithm::Es256, key), &claims)
}

fn long_lived(rules: &mut IssuerRules) {
    rules.lifetime_max_s = 1_000_000;
}

/// What becomes of a token at a time, and how often the keys were fetched since the world began.
async fn check(
    (issuers, provider): (&Issuers, &Provider),
    token: &str,
    now: u64,
    expected: Result<(), TokenError>,
    fetches: usize,
) {
    let verdict = issuers.verify(token, &audience(), now).await;
    let after = now - NOW;
    assert_eq!(verdict.map(|_caller| ()), expected, "after {after} s");
    assert_eq!(provider.asked_for(KEYS), fetches, "fetches after {after} s");
}

#[tokio::test]
async fn n2_1_keys_are_fetched_once_and_kept() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, long_lived);
    let world = (&issuers, &*provider);
    for second in 0..600 {
        issuers.revoke_all_cached();
        check(world, &token(&EC, "ec"), NOW + second, Ok(()), 1).await;
    }
    issuers.revoke_all_cached();
    check(world, &token(&EC, "ec"), NOW + 600, Ok(()), 2).await;
    assert_eq!(
        provider.asked_for(METADATA),
        1,
        "where the keys are was known"
    );
}

#[tokio::test]
async fn n2_1_the_issuer_says_how_long_keys_are_good_within_bounds() {
    for (max_age, kept) in [
        (None, 600),
        (Some(0), 60),
        (Some(120), 120),
        (Some(99_999), 3600),
    ] {
        let provider = Provider::with(&[]);
        let keys = json!({ "keys": [EC.public_jwk("ec")] }).to_string();
        provider.answer_with(KEYS, 200, &keys, max_age);
        let issuers = issuers(&provider, long_lived);
        let world = (&issuers, &*provider);
        let token = token(&EC, "ec");
        check(world, &token, NOW, Ok(()), 1).await;
        issuers.revoke_all_cached();
        check(world, &token, NOW + kept - 1, Ok(()), 1).await;
        issuers.revoke_all_cached();
        check(world, &token, NOW + kept, Ok(()), 2).await;
    }
}

#[tokio::test]
async fn n2_1_a_new_key_is_found_and_a_withdrawn_one_is_good_no_more() {
    let (old, new) = (Signer::ec(), Signer::ec());
    let provider = Provider::with(&[old.public_jwk("old")]);
    let issuers = issuers(&provider, long_lived);
    let world = (&issuers, &*provider);
    let (old_token, new_token) = (token(&old, "old"), token(&new, "new"));
    check(world, &old_token, NOW, Ok(()), 1).await;

    provider.publish(&[old.public_jwk("old"), new.public_jwk("new")]);
    check(world, &new_token, NOW + 31, Ok(()), 2).await;
    assert!(
        issuers
            .verify_cached(&old_token, &audience(), NOW + 31)
            .is_some()
    );

    provider.publish(&[new.public_jwk("new")]);
    check(
        world,
        &token(&Signer::ec(), "none"),
        NOW + 62,
        Err(TokenError::Key),
        3,
    )
    .await;
    assert!(
        issuers
            .verify_cached(&old_token, &audience(), NOW + 62)
            .is_none()
    );
    check(world, &old_token, NOW + 62, Err(TokenError::Key), 4).await;
    check(world, &new_token, NOW + 62, Ok(()), 4).await;
}

#[tokio::test]
async fn n2_1_a_key_with_the_id_of_another_replaces_it() {
    let (old, new) = (Signer::ec(), Signer::ec());
    let provider = Provider::with(&[old.public_jwk("k")]);
    let issuers = issuers(&provider, long_lived);
    let world = (&issuers, &*provider);
    check(world, &token(&old, "k"), NOW, Ok(()), 1).await;
    provider.publish(&[new.public_jwk("k")]);
    check(world, &token(&new, "k"), NOW + 600, Ok(()), 2).await;
    check(
        world,
        &token(&old, "k"),
        NOW + 600,
        Err(TokenError::Signature),
        2,
    )
    .await;
}

#[tokio::test]
async fn n2_1_unknown_keys_are_not_looked_for_again_and_again() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, long_lived);
    let world = (&issuers, &*provider);
    check(world, &token(&EC, "ec"), NOW, Ok(()), 1).await;
    // Right after a fetch there is one more, for a rotation; then what is not there is not there.
    for attempt in 0..1000 {
        let token = token(&EC, &format!("invented-{attempt}"));
        check(world, &token, NOW + 1, Err(TokenError::Key), 2).await;
    }
    // Later two fetches are made for all of them, and no more before the next pause is over.
    for attempt in 0..1000 {
        let token = token(&EC, &format!("invented-again-{attempt}"));
        let fetched = if attempt == 0 { 3 } else { 4 };
        check(world, &token, NOW + 40, Err(TokenError::Key), fetched).await;
    }
    let again = token(&EC, "invented-again-0");
    check(world, &again, NOW + 75, Err(TokenError::Key), 4).await; // remembered as unknown
    check(world, &again, NOW + 101, Err(TokenError::Key), 5).await;
    check(world, &token(&EC, "ec"), NOW + 101, Ok(()), 5).await;
}

#[tokio::test]
async fn n2_1_held_keys_serve_through_an_outage_for_a_bounded_time() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, long_lived);
    let world = (&issuers, &*provider);
    let good = token(&EC, "ec");
    check(world, &good, NOW, Ok(()), 1).await;
    provider.goes_down();
    let last = NOW + 600 + 4 * 3600;
    for (now, expected) in [
        (NOW + 599, Ok(())),
        (NOW + 600, Ok(())),
        (NOW + 3600, Ok(())),
        (last - 1, Ok(())),
        (last, Err(TokenError::IssuerUnavailable)),
    ] {
        issuers.revoke_all_cached();
        let verdict = issuers.verify(&good, &audience(), now).await;
        assert_eq!(verdict.map(|_caller| ()), expected, "after {} s", now - NOW);
    }
    // A key nobody knows may be a new one: that cannot be told now.
    let unknown = issuers
        .verify(&token(&EC, "new"), &audience(), NOW + 700)
        .await;
    assert_eq!(unknown.err(), Some(TokenError::IssuerUnavailable));
}

#[tokio::test]
async fn n2_1_an_issuer_that_was_never_reached_is_not_the_tokens_fault() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    provider.goes_down();
    let issuers = issuers(&provider, |_| {});
    let away = TokenError::IssuerUnavailable;
    assert_eq!((away.http_status(), away.challenge_error()), (503, None));
    let attempts = |now| {
        let (issuers, provider) = (&issuers, &provider);
        async move {
            let verdict = issuers.verify(&good_token(), &audience(), now).await;
            (verdict.err(), provider.asked_for(METADATA))
        }
    };
    assert_eq!(attempts(NOW).await, (Some(away.clone()), 1));
    assert_eq!(
        attempts(NOW + 4).await,
        (Some(away.clone()), 1),
        "it is given a moment"
    );
    assert_eq!(attempts(NOW + 5).await, (Some(away), 2));
    let metadata = json!({"issuer": ISSUER, "jwks_uri": KEYS}).to_string();
    provider.answer(METADATA, 200, &metadata);
    provider.publish(&[EC.public_jwk("ec")]);
    assert_eq!(attempts(NOW + 10).await, (None, 3));
}

#[tokio::test]
async fn n2_1_a_provider_that_answers_nonsense_is_unavailable() {
    let keys = json!({ "keys": [EC.public_jwk("ec")] }).to_string();
    for (status, body) in [
        (200, "<html>sorry</html>"),
        (200, ""),
        (200, r#"{"keys":[]}"#),
        (200, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#),
        (500, keys.as_str()),
        (404, keys.as_str()),
        (302, keys.as_str()),
        (204, ""),
    ] {
        let provider = Provider::with(&[]);
        provider.answer(KEYS, status, body);
        let issuers = issuers(&provider, |_| {});
        let verdict = issuers.verify(&good_token(), &audience(), NOW).await;
        assert_eq!(
            verdict.err(),
            Some(TokenError::IssuerUnavailable),
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn n2_1_metadata_is_looked_for_in_every_place() {
    let metadata = |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys});
    let ours = metadata(ISSUER, KEYS).to_string();
    let theirs = metadata("https://evil.example", "https://evil.example/keys").to_string();
    for (oauth, oidc, found) in [
        ((200, ours.as_str()), (404, ""), true),
        ((404, ""), (200, ours.as_str()), true),
        ((200, theirs.as_str()), (200, ours.as_str()), true),
        ((500, ""), (200, ours.as_str()), true),
        ((404, ""), (404, ""), false),
        ((200, theirs.as_str()), (200, theirs.as_str()), false),
        ((200, "{}"), (301, ours.as_str()), false),
    ] {
        let provider = Provider::with(&[EC.public_jwk("ec")]);
        provider.answer(METADATA, oauth.0, oauth.1);
        provider.answer(OIDC_METADATA, oidc.0, oidc.1);
        let issuers = issuers(&provider, |_| {});
        let verdict = issuers.verify(&good_token(), &audience(), NOW).await;
        let expected = (!found).then_some(TokenError::IssuerUnavailable);
        assert_eq!(verdict.err(), expected, "{oauth:?} {oidc:?}");
        assert_eq!(provider.asked_for("https://evil.example/keys"), 0);
    }
}

#[tokio::test]
async fn n2_1_keys_at_a_configured_place_need_no_discovery() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, |rules| {
        rules.keys = Some(Url::parse(KEYS).unwrap())
    });
    assert!(
        issuers
            .verify(&good_token(), &audience(), NOW)
            .await
            .is_ok()
    );
    assert_eq!(provider.asked(), [KEYS]);
}

#[tokio::test]
async fn n2_1_keys_that_moved_are_found_again() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, long_lived);
    let world = (&issuers, &*provider);
    check(world, &token(&EC, "ec"), NOW, Ok(()), 1).await;
    let (moved, new) = ("https://id.example.com/new-keys", Signer::ec());
    let metadata = json!({"issuer": ISSUER, "jwks_uri": moved});
    provider.answer(METADATA, 200, &metadata.to_string());
    provider.answer(KEYS, 404, "");
    provider.answer(
        moved,
        200,
        &json!({ "keys": [new.public_jwk("new")] }).to_string(),
    );
    let away = Err(TokenError::IssuerUnavailable);
    check(world, &token(&new, "new"), NOW + 600, away, 2).await;
    check(world, &token(&new, "new"), NOW + 605, Ok(()), 2).await;
}

/// Polls without a runtime: who is waiting stays waiting.
fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn n2_1_many_callers_make_one_fetch() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = Arc::new(issuers(&provider, |_| {}));
    provider.falls_silent();
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let issuers = Arc::clone(&issuers);
            tokio::spawn(async move { issuers.verify(&good_token(), &audience(), NOW).await })
        })
        .collect();
    tokio::task::yield_now().await;
    provider.speaks();
    for caller in callers {
        assert!(caller.await.unwrap().is_ok());
    }
    assert_eq!(
        (provider.asked_for(METADATA), provider.asked_for(KEYS)),
        (1, 1)
    );
}

#[tokio::test]
async fn n2_1_a_caller_who_goes_away_does_not_undo_the_fetch() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, |_| {});
    provider.falls_silent();
    let (token, audience) = (good_token(), audience());
    for _ in 0..20 {
        let mut impatient = Box::pin(issuers.verify(&token, &audience, NOW));
        assert!(poll(&mut impatient).is_pending());
    }
    assert_eq!(provider.asked_for(METADATA), 1);
    provider.speaks();
    assert!(issuers.verify(&token, &audience, NOW).await.is_ok());
    assert_eq!(
        (provider.asked_for(METADATA), provider.asked_for(KEYS)),
        (1, 1)
    );
}

#[tokio::test]
async fn n2_1_a_fetch_nobody_waited_for_is_begun_anew() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, |_| {});
    provider.falls_silent();
    let (token, audience) = (good_token(), audience());
    let mut impatient = Box::pin(issuers.verify(&token, &audience, NOW));
    assert!(poll(&mut impatient).is_pending());
    drop(impatient);
    let mut next = Box::pin(issuers.verify(&token, &audience, NOW + 61));
    assert!(poll(&mut next).is_pending());
    assert_eq!(provider.asked_for(METADATA), 2);
}

#[tokio::test]
async fn n2_1_nobody_waits_for_a_renewal_while_held_keys_serve() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, long_lived);
    let (audience, first, second) = (audience(), token(&EC, "ec"), token(&EC, "ec"));
    assert!(issuers.verify(&first, &audience, NOW).await.is_ok());
    issuers.revoke_all_cached();
    provider.falls_silent();
    let mut renewing = Box::pin(issuers.verify(&first, &audience, NOW + 700));
    assert!(poll(&mut renewing).is_pending());
    let mut other = Box::pin(issuers.verify(&second, &audience, NOW + 700));
    assert!(matches!(poll(&mut other), Poll::Ready(Ok(_))));
    provider.speaks();
    assert!(renewing.await.is_ok());
    assert_eq!(provider.asked_for(KEYS), 2);
}

#[tokio::test]
async fn an_earlier_reading_of_the_clock_is_no_error() {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuers = issuers(&provider, long_lived);
    let world = (&issuers, &*provider);
    let mut claims = claims();
    claims["iat"] = json!(NOW - 1000);
    claims["exp"] = json!(NOW + 1000);
    let token = EC.token(&header(Algorithm::Es256, "ec"), &claims);
    check(world, &token, NOW + 100, Ok(()), 1).await;
    issuers.revoke_all_cached();
    check(world, &token, NOW + 99, Ok(()), 1).await;
    issuers.revoke_all_cached();
    // A clock that was set back by more than that: the keys are fetched anew.
    check(world, &token, NOW, Ok(()), 2).await;
}
