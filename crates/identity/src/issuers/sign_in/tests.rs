//! ID tokens of a flow that we began: whom they name, and what is not one. Everything of Entra ID is
//! of its shape.

use super::*;
use crate::fixture::{EC, ISSUER, KEYS, NOW, Provider, spelt};
use crate::{Profile, Tenant};
use serde_json::json;

const CLIENT: &str = "web";
const NONCE: &str = "n-0S6_WzA2Mj";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn good() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "alice", "nonce": NONCE, "iat": NOW - 5, "exp": NOW + 300,
    })
}

/// `changes` laid over a good one; `null` takes a member away.
fn changed(changes: &Value) -> Value {
    let mut claims = good();
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    claims
}

async fn verdict(rules: IssuerRules, token: &str) -> Result<UserKey, TokenError> {
    let provider = Provider::with(&[EC.public_jwk("ec")]);
    let issuer = rules.issuer.clone();
    let rules = IssuerRules {
        keys: url::Url::parse(KEYS).ok(),
        ..rules
    };
    let issuers = Issuers::new(vec![rules], provider).unwrap();
    let asked = SignIn {
        issuer: &issuer,
        client_id: CLIENT,
        nonce: NONCE,
    };
    let signed_in = issuers.signed_in(token, asked, NOW).await?;
    Ok(signed_in.user().clone())
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": "JWT", "kid": "ec"})
}

#[tokio::test]
async fn n7_4_an_identity_token_says_who_signed_in_and_nothing_else_does() {
    let claim = |name| Some(TokenError::Claim(name));
    let audience = Some(TokenError::Audience);
    for (changes, expected) in [
        (json!({}), None),
        (json!({"azp": CLIENT}), None),
        (json!({"aud": [CLIENT, "other"], "azp": CLIENT}), None),
        (json!({"nonce": "another"}), claim("nonce")),
        (json!({"nonce": null}), claim("nonce")),
        (json!({"nonce": [NONCE]}), claim("nonce")),
        (json!({"aud": "other"}), audience.clone()),
        (json!({"aud": null}), audience.clone()),
        (json!({"aud": [CLIENT, "other"]}), audience.clone()),
        (json!({"azp": "other"}), audience.clone()),
        (json!({"azp": 7}), audience),
        (
            json!({"iss": "https://evil.example"}),
            Some(TokenError::Issuer),
        ),
        (
            json!({"iss": "https://id.example.com/"}),
            Some(TokenError::Issuer),
        ),
        (json!({"exp": NOW - 100}), Some(TokenError::Expired)),
        (json!({"iat": NOW - 700}), Some(TokenError::Expired)),
        (json!({"iat": NOW + 100}), Some(TokenError::IssuedInFuture)),
        (json!({"exp": null}), claim("exp")),
        (json!({"iat": null}), claim("iat")),
        (json!({"sub": null}), claim("sub")),
        (json!({"events": {}}), Some(TokenError::NotAccess("events"))),
    ] {
        let token = EC.token(&header(), &changed(&changes));
        let found = verdict(IssuerRules::new(ISSUER), &token).await;
        assert_eq!(found.err(), expected, "{changes}");
    }
    let unsigned = format!("{}.", spelt(r#"{"alg":"none"}"#, &good().to_string()));
    let found = verdict(IssuerRules::new(ISSUER), &unsigned).await;
    assert_eq!(found.err(), Some(TokenError::Algorithm));
    let other = crate::fixture::Signer::ec().token(&header(), &good());
    let found = verdict(IssuerRules::new(ISSUER), &other).await;
    assert_eq!(found.err(), Some(TokenError::Signature));
    let issuers = Issuers::new(vec![IssuerRules::new(ISSUER)], Provider::with(&[])).unwrap();
    let unknown = SignIn {
        issuer: "https://other.example.com",
        client_id: CLIENT,
        nonce: NONCE,
    };
    let token = EC.token(&header(), &good());
    let found = issuers.signed_in(&token, unknown, NOW).await;
    assert_eq!(found.err(), Some(TokenError::Issuer));
    // An access token, even one that says all of this.
    let access = json!({"alg": "ES256", "typ": "at+jwt", "kid": "ec"});
    let found = verdict(IssuerRules::new(ISSUER), &EC.token(&access, &good())).await;
    assert_eq!(found.err(), Some(TokenError::Type));
}

#[tokio::test]
async fn n7_4_who_signed_in_is_who_their_access_tokens_name() {
    let token = EC.token(&header(), &changed(&json!({"oid": "o-1"})));
    let found = verdict(IssuerRules::new(ISSUER), &token).await;
    assert_eq!(found, Ok(UserKey::of(ISSUER, "alice")));
    let mut rules = IssuerRules::new(ISSUER);
    rules.claims.user = "oid".to_owned();
    assert_eq!(verdict(rules, &token).await, Ok(UserKey::of(ISSUER, "o-1")));
    // A person whose name is the client's is a person here.
    let token = EC.token(
        &header(),
        &changed(&json!({"sub": CLIENT, "client_id": CLIENT})),
    );
    let found = verdict(IssuerRules::new(ISSUER), &token).await;
    assert_eq!(found, Ok(UserKey::of(ISSUER, CLIENT)));
}

#[tokio::test]
async fn n7_4_entra_shaped_sign_ins_are_of_a_person_in_the_tenant_of_the_issuer() {
    let issuer = format!("https://login.example/{TENANT}/v2.0");
    let claims =
        json!({"iss": issuer, "tid": TENANT, "oid": "o-1", "sub": "pairwise", "ver": "2.0"});
    let person = Ok(UserKey::of(&issuer, "o-1"));
    for (changes, expected) in [
        (json!({}), person),
        (
            json!({"tid": "99999999-2222-3333-4444-555555555555"}),
            Err(TokenError::Tenant),
        ),
        (json!({"tid": null}), Err(TokenError::Tenant)),
        (json!({"oid": null}), Err(TokenError::Claim("user"))),
    ] {
        let rules = IssuerRules {
            tenant: Some(Tenant {
                id: TENANT.to_owned(),
            }),
            ..IssuerRules::of_profile(&issuer, Profile::Entra)
        };
        let mut claims = changed(&claims);
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims
                    .as_object_mut()
                    .unwrap()
                    .insert(name.clone(), value.clone()),
            };
        }
        let found = verdict(rules, &EC.token(&header(), &claims)).await;
        assert_eq!(found, expected, "{changes}");
    }
}
