//! What the tokens of each profile must say, and whom they speak for. Everything of Entra ID here is
//! of its shape, not of Entra ID.

use super::*;
use crate::fixture::{EC, NOW, Provider, RESOURCE, audience, header};
use crate::{Algorithm, Caller, Issuers, Tenant};
use serde_json::json;
use std::sync::Arc;

const PLAIN: &str = "https://id.example.com";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "99999999-2222-3333-4444-555555555555";
const KEYS: &str = "https://keys.example/keys";

fn v2() -> String {
    format!("https://login.example/{TENANT}/v2.0")
}

fn v1() -> String {
    format!("https://sts.example/{TENANT}/")
}

/// `changes` laid over `object`; `null` takes a member away.
fn changed(mut object: Value, changes: &Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    object
}

async fn verify(
    rules: IssuerRules,
    head: &Value,
    claims: &Value,
) -> Result<Arc<Caller>, TokenError> {
    let provider = Provider::with(&[]);
    let keys = json!({"keys": [EC.public_jwk("ec")]});
    provider.answer(KEYS, 200, &keys.to_string());
    let rules = IssuerRules {
        keys: url::Url::parse(KEYS).ok(),
        ..rules
    };
    let issuers = Issuers::new(vec![rules], provider).unwrap();
    let head = changed(header(Algorithm::Es256, "ec"), head);
    issuers
        .verify(&EC.token(&head, claims), &audience(), NOW)
        .await
}

/// The first difference between what is found and what is expected; `Ok` with the kind.
async fn check(
    rules: &IssuerRules,
    head: Value,
    claims: Value,
    expected: Result<Kind, TokenError>,
) {
    let found = verify(rules.clone(), &head, &claims).await;
    assert_eq!(
        found.map(|caller| caller.kind()),
        expected,
        "{head} {claims}"
    );
}

#[tokio::test]
async fn m1_an_access_token_says_all_that_rfc_9068_asks_for() {
    let rules = IssuerRules::new(PLAIN);
    let claims = crate::fixture::claims();
    check(&rules, json!({}), claims.clone(), Ok(Kind::User)).await;
    for name in ["exp", "aud", "iss", "sub", "client_id", "iat", "jti"] {
        let lacking = changed(claims.clone(), &json!({ name: null }));
        check(&rules, json!({}), lacking, Err(TokenError::Claim(name))).await;
    }
    let odd = changed(claims.clone(), &json!({"client_id": ["editor"]}));
    check(&rules, json!({}), odd, Err(TokenError::Claim("client_id"))).await;
    check(
        &rules,
        json!({"typ": null}),
        claims.clone(),
        Err(TokenError::Type),
    )
    .await;
    check(
        &rules,
        json!({"typ": "JWT"}),
        claims.clone(),
        Err(TokenError::Type),
    )
    .await;
    // The client by itself (RFC 9068, section 2.2).
    let alone = changed(claims, &json!({"sub": "editor"}));
    check(&rules, json!({}), alone, Ok(Kind::Workload)).await;
}

#[tokio::test]
async fn m1_a_plain_jwt_may_lack_what_kubernetes_and_spiffe_leave_out() {
    let rules = IssuerRules::of_profile(PLAIN, Profile::Jwt);
    // A projected token of a service account: no `typ`, no `client_id`.
    let kubernetes = json!({
        "iss": PLAIN, "aud": [RESOURCE], "sub": "system:serviceaccount:shop:billing",
        "iat": NOW - 5, "nbf": NOW - 5, "exp": NOW + 3595, "jti": "k-1",
        "kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "billing", "uid": "u"}},
    });
    check(
        &rules,
        json!({"typ": null}),
        kubernetes.clone(),
        Ok(Kind::Workload),
    )
    .await;
    // A JWT-SVID: no `iat`, no `jti`.
    let spiffe = json!({
        "iss": PLAIN, "aud": [RESOURCE], "sub": "spiffe://example.org/billing", "exp": NOW + 300,
    });
    for head in [
        json!({"typ": null}),
        json!({"typ": "JWT"}),
        json!({"typ": "JOSE"}),
    ] {
        check(&rules, head, spiffe.clone(), Ok(Kind::Workload)).await;
    }
    let svid = verify(rules.clone(), &json!({}), &spiffe).await;
    assert_eq!(
        svid.err(),
        Some(TokenError::Type),
        "`at+jwt` is of another profile"
    );
    let untyped = json!({"typ": null});
    let svid = verify(rules.clone(), &untyped, &spiffe).await.unwrap();
    assert_eq!((svid.issued_at(), svid.client()), (0, None));
    // An issuer that tells of revocations has to say which tokens they are about.
    let telling = IssuerRules {
        issue_time: crate::IssueTime::Required,
        ..rules.clone()
    };
    let unsaid = Err(TokenError::Claim("iat"));
    check(&telling, untyped.clone(), spiffe.clone(), unsaid).await;
    let said = changed(spiffe.clone(), &json!({"iat": NOW - 5}));
    check(&telling, untyped.clone(), said, Ok(Kind::Workload)).await;
    // Without `iat` the life that is left counts.
    let long = changed(spiffe.clone(), &json!({"exp": NOW + 3601}));
    check(&rules, untyped.clone(), long, Err(TokenError::Lifetime)).await;
    for name in ["exp", "aud", "sub", "iss"] {
        let lacking = changed(spiffe.clone(), &json!({ name: null }));
        check(
            &rules,
            untyped.clone(),
            lacking,
            Err(TokenError::Claim(name)),
        )
        .await;
    }
    // An ID token looks the same but for what only a login has.
    for (login, mark) in [("nonce", "nonce"), ("at_hash", "at_hash")] {
        let id_token = changed(spiffe.clone(), &json!({ "sub": "alice", login: "n" }));
        let refused = Err(TokenError::NotAccess(mark));
        check(&rules, json!({"typ": "JWT"}), id_token, refused).await;
    }
    let person = changed(
        spiffe.clone(),
        &json!({"sub": "alice", "client_id": "editor"}),
    );
    check(&rules, untyped.clone(), person, Ok(Kind::User)).await;
    let client = changed(spiffe, &json!({"sub": "editor", "client_id": "editor"}));
    check(&rules, untyped, client, Ok(Kind::Workload)).await;
}

fn entra(issuer: &str) -> IssuerRules {
    IssuerRules {
        tenant: Some(Tenant {
            id: TENANT.to_owned(),
        }),
        audiences: vec!["api://ringwall".to_owned(), OTHER.to_owned()],
        ..IssuerRules::of_profile(issuer, Profile::Entra)
    }
}

/// A token for a person, of version 2.0.
fn delegated() -> Value {
    json!({
        "iss": v2(), "aud": RESOURCE, "sub": "pairwise-1", "oid": "person-1", "tid": TENANT,
        "ver": "2.0", "azp": "editor", "azpacr": "1", "scp": "mcp:tools mcp:read", "uti": "u-1",
        "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 3300, "name": "Alice",
        "preferred_username": "alice@example.com", "roles": ["Reader"],
    })
}

fn typed() -> Value {
    json!({"typ": "JWT"})
}

#[tokio::test]
async fn n2_1_entra_a_person_is_oid_within_the_tenant_and_no_other_name() {
    let caller = verify(entra(&v2()), &typed(), &delegated()).await.unwrap();
    assert_eq!(
        (caller.user_name(), caller.client()),
        ("person-1", Some("editor"))
    );
    assert_eq!(caller.token_id(), Some("u-1"));
    assert_eq!(caller.scopes(), ["mcp:tools", "mcp:read"]);
    assert_eq!(caller.kind(), Kind::User);
    let how = caller.client_authentication();
    assert_eq!(how, Some(ClientAuthentication::Secret));
    let renamed =
        json!({"sub": "pairwise-2", "name": "Bob", "preferred_username": "bob@example.com"});
    let renamed = verify(entra(&v2()), &typed(), &changed(delegated(), &renamed))
        .await
        .unwrap();
    assert_eq!(renamed.user(), caller.user());
    let another = json!({"oid": "person-2"});
    let another = verify(entra(&v2()), &typed(), &changed(delegated(), &another))
        .await
        .unwrap();
    assert_ne!(another.user(), caller.user());
    // Version 1.0 names the client in another claim.
    let first = json!({"iss": v1(), "ver": "1.0", "azp": null, "azpacr": null, "appid": "old", "appidacr": "2"});
    let first = verify(entra(&v1()), &typed(), &changed(delegated(), &first))
        .await
        .unwrap();
    assert_eq!(first.client(), Some("old"));
    let how = first.client_authentication();
    assert_eq!(how, Some(ClientAuthentication::Certificate));
}

#[tokio::test]
async fn m1_entra_refuses_what_is_of_another_tenant_version_or_purpose() {
    let claim = |name| Err(TokenError::Claim(name));
    for (changes, expected) in [
        (json!({}), Ok(Kind::User)),
        (json!({"idtyp": "user"}), Ok(Kind::User)),
        (json!({"roles": null}), Ok(Kind::User)),
        (json!({"azpacr": null}), Ok(Kind::User)),
        (json!({"uti": null}), Ok(Kind::User)),
        // Another tenant, whatever else it says.
        (json!({"tid": OTHER}), Err(TokenError::Tenant)),
        (json!({"tid": [TENANT]}), Err(TokenError::Tenant)),
        (json!({"tid": null}), claim("tid")),
        (
            json!({"iss": format!("https://login.example/{OTHER}/v2.0")}),
            Err(TokenError::Issuer),
        ),
        (
            json!({"iss": "https://login.example/{tenantid}/v2.0"}),
            Err(TokenError::Issuer),
        ),
        (
            json!({"iss": "https://login.example/common/v2.0"}),
            Err(TokenError::Issuer),
        ),
        (json!({"iss": v1()}), Err(TokenError::Issuer)),
        (json!({"ver": "1.0"}), claim("ver")),
        (json!({"ver": 2.0}), claim("ver")),
        (json!({"ver": null}), claim("ver")),
        (json!({"oid": null}), claim("oid")),
        (json!({"oid": ""}), claim("oid")),
        (json!({"nbf": null}), claim("nbf")),
        (json!({"azp": null}), claim("client")),
        (json!({"azp": null, "appid": "editor"}), claim("client")),
        (json!({"azpacr": "3"}), claim("azpacr")),
        (json!({"azpacr": 1}), claim("azpacr")),
        (json!({"scp": ["mcp:tools"]}), claim("scopes")),
        (json!({"scp": ""}), claim("scopes")),
        (json!({"scp": " "}), claim("scopes")),
    ] {
        check(
            &entra(&v2()),
            typed(),
            changed(delegated(), &changes),
            expected,
        )
        .await;
    }
    for head in [json!({"typ": null}), json!({"typ": "at+jwt"})] {
        check(&entra(&v2()), head, delegated(), Err(TokenError::Type)).await;
    }
}

#[tokio::test]
async fn m1_entra_tells_people_apps_and_id_tokens_apart() {
    let claim = |name| Err(TokenError::Claim(name));
    let no_app = || Err(TokenError::NotAccess("no scope and no app"));
    for (changes, expected) in [
        // An ID token has the same `typ`, and roles too.
        (json!({"scp": null}), no_app()),
        (json!({"scp": null, "idtyp": "user"}), claim("idtyp")),
        (json!({"nonce": "n"}), Err(TokenError::NotAccess("nonce"))),
        (
            json!({"at_hash": "n"}),
            Err(TokenError::NotAccess("at_hash")),
        ),
        (json!({"c_hash": "n"}), Err(TokenError::NotAccess("c_hash"))),
        // An app.
        (json!({"scp": null, "sub": "person-1"}), Ok(Kind::Workload)),
        (json!({"scp": null, "idtyp": "app"}), Ok(Kind::Workload)),
        (json!({"idtyp": "app"}), claim("idtyp")),
        (
            json!({"scp": null, "sub": "person-1", "idtyp": "device"}),
            claim("idtyp"),
        ),
        (
            json!({"scp": null, "sub": "person-1", "idtyp": 7}),
            claim("idtyp"),
        ),
        // Names of the audience are compared letter for letter.
        (json!({"aud": "api://ringwall"}), Ok(Kind::User)),
        (json!({"aud": OTHER}), Ok(Kind::User)),
        (json!({"aud": "api://ringwall/"}), Err(TokenError::Audience)),
        (json!({"aud": "API://ringwall"}), Err(TokenError::Audience)),
        (json!({"aud": "ringwall"}), Err(TokenError::Audience)),
        (json!({"aud": TENANT}), Err(TokenError::Audience)),
        (
            json!({"aud": "00000003-0000-0000-c000-000000000000"}),
            Err(TokenError::Audience),
        ),
    ] {
        check(
            &entra(&v2()),
            typed(),
            changed(delegated(), &changes),
            expected,
        )
        .await;
    }
}

#[tokio::test]
async fn n2_1_keys_that_tenants_share_are_good_for_their_own_tenants_only() {
    let shared = "https://login.example/common/meta";
    let template = "https://login.example/{tenantid}/v2.0";
    let other = format!("https://login.example/{OTHER}/v2.0");
    for (key_issuer, expected) in [
        (None, Ok(())),
        (Some(template), Ok(())),
        (Some(&*v2()), Ok(())),
        (Some(&*other), Err(TokenError::IssuerUnavailable)),
        (
            Some("https://login.example/common/v2.0"),
            Err(TokenError::IssuerUnavailable),
        ),
    ] {
        let provider = Provider::with(&[]);
        let metadata = json!({"issuer": template, "jwks_uri": KEYS}).to_string();
        provider.answer(shared, 200, &metadata);
        let mut key = EC.public_jwk("ec");
        if let Some(issuer) = key_issuer {
            key["issuer"] = json!(issuer);
        }
        provider.answer(KEYS, 200, &json!({"keys": [key]}).to_string());
        let rules = IssuerRules {
            metadata: url::Url::parse(shared).ok(),
            ..entra(&v2())
        };
        let issuers = Issuers::new(vec![rules], provider).unwrap();
        let token = EC.token(
            &changed(header(Algorithm::Es256, "ec"), &typed()),
            &delegated(),
        );
        let found = issuers.verify(&token, &audience(), NOW).await;
        assert_eq!(found.map(|_caller| ()), expected, "{key_issuer:?}");
    }
}

#[tokio::test]
async fn n2_1_a_person_and_a_client_of_one_name_share_nothing() {
    let claims = crate::fixture::claims();
    let rules = || IssuerRules::new(PLAIN);
    let by = async |changes: Value| {
        let claims = changed(claims.clone(), &changes);
        verify(rules(), &json!({}), &claims).await.unwrap()
    };
    let person = by(json!({"sub": "same"})).await;
    let client = by(json!({"sub": "same", "client_id": "same"})).await;
    assert_eq!((person.kind(), client.kind()), (Kind::User, Kind::Workload));
    assert_eq!(person.user_name(), client.user_name());
    assert_ne!(person.user(), client.user());
    let keys = crate::UserKey::all_of(PLAIN, "same");
    assert_eq!(keys, [person.user().clone(), client.user().clone()]);
}

#[tokio::test]
async fn n7_1_the_actor_of_a_token_is_known_and_a_longer_chain_is_refused() {
    let rules = IssuerRules::new(PLAIN);
    let one = json!({"act": {"sub": "agent-1"}, "may_act": {"sub": "agent-2"}});
    let claims = changed(crate::fixture::claims(), &one);
    let caller = verify(rules.clone(), &json!({}), &claims).await.unwrap();
    let shown: Vec<String> = caller.actors().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["https://id.example.com#agent-1"]);
    assert_eq!(caller.may_act().map(crate::Actor::subject), Some("agent-2"));
    let foreign = json!({"act": {"sub": "agent-1", "iss": "https://other.example.com"}});
    let foreign = changed(claims.clone(), &foreign);
    check(&rules, json!({}), foreign, Err(TokenError::Actor)).await;
    let two = changed(
        claims,
        &json!({"act": {"sub": "agent-1", "act": {"sub": "agent-0"}}}),
    );
    check(&rules, json!({}), two.clone(), Err(TokenError::Actor)).await;
    let deeper = IssuerRules {
        actors_max: 2,
        ..rules
    };
    check(&deeper, json!({}), two, Ok(Kind::User)).await;
}
