//! Groups that a token leaves out, looked up in a directory of the shape of Microsoft Graph (it is
//! not Graph): what is believed of it, and that no failure makes them none.

use super::*;
use crate::client::SecretMethod;
use crate::fixture::{EC, NOW, Provider, RESOURCE, audience, header};
use crate::{Algorithm, Groups, IssuerRules, Issuers, Overage, Profile, Tenant};
use serde_json::json;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const ISSUER: &str = "https://login.example/11111111-2222-3333-4444-555555555555/v2.0";
const KEYS: &str = "https://login.example/keys";
const TOKENS: &str = "https://login.example/token";
const PERSON: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const MEMBERS: &str = "https://graph.example/v1.0/directoryObjects/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/getMemberObjects";
const GRANTED: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"g-1"}"#;

fn secret() -> Credentials {
    let secret = Arc::new(Zeroizing::new("s3cret".to_owned()));
    Credentials::Secret(secret, SecretMethod::Basic)
}

fn world() -> (Arc<Provider>, Issuers) {
    let provider = Provider::of_all_kinds();
    provider.answer(
        KEYS,
        200,
        &json!({"keys": [EC.public_jwk("ec")]}).to_string(),
    );
    provider.answer(TOKENS, 200, GRANTED);
    provider.answer(MEMBERS, 200, r#"{"value":["g-a","g-b"]}"#);
    let rules = IssuerRules {
        keys: Url::parse(KEYS).ok(),
        tenant: Some(Tenant {
            id: TENANT.to_owned(),
        }),
        directory: Some(DirectoryRules {
            url: Url::parse("https://graph.example/").unwrap(),
            token_url: Url::parse(TOKENS).unwrap(),
            client: "ringwall".to_owned(),
            credentials: secret(),
        }),
        ..IssuerRules::of_profile(ISSUER, Profile::Entra)
    };
    let fetch = Arc::clone(&provider) as Arc<dyn Fetch>;
    (provider, Issuers::new(vec![rules], fetch).unwrap())
}

fn token(person: &str, number: u32) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "pairwise", "oid": person, "tid": TENANT, "ver": "2.0",
        "azp": "editor", "scp": "mcp:tools", "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        "uti": format!("u-{number}"), "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://evil.example/getMemberObjects"}},
    });
    let mut header = header(Algorithm::Es256, "ec");
    header["typ"] = json!("JWT");
    EC.token(&header, &claims)
}

fn known(names: &[&str]) -> Groups {
    Groups::Known(names.iter().map(|&name| name.to_owned()).collect())
}

const UNKNOWN: Groups = Groups::Unknown(Overage::LeftOut);

#[tokio::test]
async fn n7_3_groups_that_were_left_out_are_looked_up_at_the_configured_directory() {
    let (provider, issuers) = world();
    let first = issuers
        .verify(&token(PERSON, 1), &audience(), NOW)
        .await
        .unwrap();
    assert_eq!(*first.groups(), known(&["g-a", "g-b"]));
    let posted = provider.posted();
    let asked: Vec<&str> = posted.iter().map(|posted| &*posted.url).collect();
    // The endpoint that the token names is never asked.
    assert_eq!(asked, [TOKENS, MEMBERS]);
    assert_eq!(posted[0].authorization, "Basic cmluZ3dhbGw6czNjcmV0");
    assert!(
        posted[0]
            .body
            .contains("scope=https%3A%2F%2Fgraph.example%2F.default")
    );
    assert_eq!(posted[1].authorization, "Bearer g-1");
    // Another token of the same person asks nobody; one five minutes later asks for groups alone.
    let second = issuers
        .verify(&token(PERSON, 2), &audience(), NOW)
        .await
        .unwrap();
    assert_eq!(second.groups(), first.groups());
    assert_ne!(second.fingerprint(), first.fingerprint());
    assert_eq!(provider.posted().len(), 2);
    provider.answer(MEMBERS, 200, r#"{"value":["g-a"]}"#);
    let later = NOW + GROUPS_S;
    let third = issuers
        .verify(&token(PERSON, 1), &audience(), later)
        .await
        .unwrap();
    assert_eq!(*third.groups(), known(&["g-a"]));
    assert_ne!(third.standing(), first.standing());
    assert_eq!(provider.posted().len(), 3);
}

#[tokio::test]
async fn n7_3_a_look_up_that_fails_leaves_groups_unknown_and_is_tried_again() {
    let long = format!(r#"{{"value":["{}"]}}"#, "g".repeat(GROUP_BYTES_MAX + 1));
    let many = json!({ "value": vec!["g"; GROUPS_MAX + 1] }).to_string();
    for (url, status, body) in [
        (TOKENS, 401, r#"{"error":"invalid_client"}"#),
        (
            TOKENS,
            200,
            r#"{"token_type":"mac","expires_in":3599,"access_token":"g"}"#,
        ),
        (TOKENS, 200, r#"{"token_type":"Bearer","access_token":"g"}"#),
        (
            TOKENS,
            200,
            r#"{"token_type":"Bearer","expires_in":3599,"access_token":7}"#,
        ),
        (MEMBERS, 401, ""),
        (MEMBERS, 403, r#"{"value":[]}"#),
        (MEMBERS, 429, ""),
        (MEMBERS, 200, ""),
        (MEMBERS, 200, "{}"),
        (MEMBERS, 200, r#"{"value":"g-a"}"#),
        (MEMBERS, 200, r#"{"value":["g-a",7]}"#),
        (MEMBERS, 200, r#"{"value":[""]}"#),
        (
            MEMBERS,
            200,
            r#"{"value":["g-a"],"@odata.nextLink":"https://graph.example/more"}"#,
        ),
        (MEMBERS, 200, &*long),
        (MEMBERS, 200, &*many),
    ] {
        let (provider, issuers) = world();
        provider.answer(url, status, body);
        let at = async |later: u64| {
            let (token, audience) = (token(PERSON, 1), audience());
            let caller = issuers.verify(&token, &audience, NOW + later).await;
            caller.unwrap().groups().clone()
        };
        assert_eq!(at(0).await, UNKNOWN, "{url} {status} {body:.60}");
        provider.answer(TOKENS, 200, GRANTED);
        provider.answer(MEMBERS, 200, r#"{"value":["g-a"]}"#);
        assert_eq!(
            at(UNKNOWN_S - 1).await,
            UNKNOWN,
            "{url} {status} {body:.60}"
        );
        assert_eq!(
            at(UNKNOWN_S).await,
            known(&["g-a"]),
            "{url} {status} {body:.60}"
        );
    }
}

/// Nobody waits for a token that somebody else could not get.
#[tokio::test]
async fn n7_3_a_token_of_our_own_that_was_refused_is_not_asked_for_by_everybody() {
    let (provider, issuers) = world();
    provider.answer(TOKENS, 401, "");
    for number in 0..20 {
        let person = format!("{number:08}-0000-0000-0000-000000000000");
        let caller = issuers.verify(&token(&person, 1), &audience(), NOW).await;
        assert_eq!(*caller.unwrap().groups(), UNKNOWN);
    }
    assert_eq!(provider.asked_for(TOKENS), 1);
}

#[tokio::test]
async fn n10_3_a_name_that_is_no_guid_is_never_part_of_an_address() {
    for person in [
        "../../users/admin",
        "a b",
        "x".repeat(36).as_str(),
        "aaaaaaaa-bbbb-cccc-ddddeeeeeeeeeeeee-",
    ] {
        let (provider, issuers) = world();
        let caller = issuers
            .verify(&token(person, 1), &audience(), NOW)
            .await
            .unwrap();
        assert_eq!(*caller.groups(), UNKNOWN, "{person}");
        assert_eq!(provider.posted(), [], "{person}");
    }
}

#[tokio::test]
async fn our_own_token_for_the_directory_is_renewed_before_its_end() {
    let (provider, issuers) = world();
    let asked = |url: &str| {
        provider
            .posted()
            .iter()
            .filter(|posted| posted.url == url)
            .count()
    };
    for (later, tokens) in [(0, 1), (3000, 1), (3539, 2)] {
        let caller = issuers
            .verify(&token(PERSON, 1), &audience(), NOW + later)
            .await;
        assert!(caller.is_ok(), "{later}");
        assert_eq!(asked(TOKENS), tokens, "{later}");
    }
    assert!(!format!("{issuers:?}").contains("g-1"));
}

#[tokio::test]
async fn n4_4_the_groups_of_many_people_weigh_no_more_than_they_may() {
    let (provider, _) = world();
    let rules = DirectoryRules {
        url: Url::parse("https://graph.example/").unwrap(),
        token_url: Url::parse(TOKENS).unwrap(),
        client: "ringwall".to_owned(),
        credentials: secret(),
    };
    let directory = Directory::new(Arc::clone(&provider) as Arc<dyn Fetch>, rules);
    for number in 0..40_000 {
        directory
            .groups(&format!("{number:08}-0000-0000-0000-000000000000"), NOW)
            .await;
    }
    let weight = directory.found.weight();
    assert!(
        weight <= REMEMBERED_BYTES && weight > REMEMBERED_BYTES / 2,
        "{weight}"
    );
}
