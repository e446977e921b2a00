//! A statement is heard from whom, for whom, as what and when it should be, and otherwise not.

use super::*;
use crate::Algorithm;
use crate::fixture::{EC, ISSUER, NOW, Provider, header, issuers};
use serde_json::json;

const AUDIENCE: &str = "https://gateway.example.com/events";
const SPEAKERS: [Speaker<'static>; 1] = [Speaker {
    issuer: ISSUER,
    audience: AUDIENCE,
}];

fn overlaid(mut base: Value, over: &Value) -> Value {
    for (name, value) in over.as_object().unwrap() {
        match value {
            Value::Null => base.as_object_mut().unwrap().remove(name),
            value => base
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    base
}

fn event() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "iat": NOW - 5, "jti": "e-1",
        "sub_id": { "format": "iss_sub", "iss": ISSUER, "sub": "alice" },
        "events": { "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} },
    })
}

fn logout() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "iat": NOW - 5, "exp": NOW + 60, "jti": "l-1",
        "sub": "alice", "sid": "sid-1", "events": { (LOGOUT): {} },
    })
}

fn spoken(typ: &Value, claims: &Value) -> String {
    let header = overlaid(header(Algorithm::Es256, "ec"), &json!({ "typ": typ }));
    EC.token(&header, claims)
}

async fn heard(text: &str, kind: StatementKind) -> Result<Statement, StatementError> {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    issuers.statement(text, kind, &SPEAKERS, NOW).await
}

#[tokio::test]
async fn n8_3_hears_security_events_and_logout_tokens() {
    for (typ, claims, kind) in [
        (json!("secevent+jwt"), event(), StatementKind::Event),
        (
            json!("application/secevent+jwt"),
            event(),
            StatementKind::Event,
        ),
        (json!("logout+jwt"), logout(), StatementKind::Logout),
        (json!("JWT"), logout(), StatementKind::Logout),
        (Value::Null, logout(), StatementKind::Logout),
    ] {
        let said = heard(&spoken(&typ, &claims), kind).await.unwrap();
        assert_eq!((&*said.issuer, said.issued_s), (ISSUER, NOW - 5));
        assert_eq!(claims["jti"], said.id.as_str());
        assert_eq!(said.events.len(), 1);
        assert!(!format!("{said:?}").contains("alice"));
    }
}

/// Whether it is the right way to be wrong.
type Wrong = fn(&StatementError) -> bool;

#[tokio::test]
async fn n8_3_refuses_statements_that_are_not_what_they_should_be() {
    use StatementError::{Audience, Form, Issuer, Time};
    let form = |error: &StatementError| matches!(error, Form(_));
    let audience = |error: &StatementError| *error == Audience;
    let issuer = |error: &StatementError| *error == Issuer;
    let time = |error: &StatementError| matches!(error, Time(_));
    let day = Statement::AGE_MAX_S;
    let rows: [(Value, Wrong); 23] = [
        (json!({ "iss": "https://other.example.com" }), issuer),
        (json!({ "iss": null }), issuer),
        (json!({ "iss": [ISSUER] }), issuer),
        (json!({ "aud": null }), audience),
        (json!({ "aud": "https://elsewhere.example.com" }), audience),
        (json!({ "aud": format!("{AUDIENCE}/") }), audience),
        (json!({ "aud": [AUDIENCE, 1] }), audience),
        (json!({ "aud": [] }), audience),
        (json!({ "iat": null }), time),
        (json!({ "iat": "now" }), time),
        (json!({ "iat": NOW + 31 }), time),
        (json!({ "iat": NOW - day - 31 }), time),
        (json!({ "exp": NOW - 31 }), time),
        (json!({ "jti": null }), form),
        (json!({ "jti": "" }), form),
        (json!({ "jti": 7 }), form),
        (json!({ "jti": "j".repeat(513) }), form),
        (json!({ "events": null }), form),
        (json!({ "events": {} }), form),
        (json!({ "events": [] }), form),
        (json!({ "events": { "https://e.example.com": 1 } }), form),
        (json!({ "events": { (LOGOUT): {} } }), form),
        (
            json!({ "events": (0..17).map(|n| (n.to_string(), json!({}))).collect::<Map<_, _>>() }),
            form,
        ),
    ];
    for (over, wrong) in rows {
        let text = spoken(&json!("secevent+jwt"), &overlaid(event(), &over));
        let refused = heard(&text, StatementKind::Event).await.unwrap_err();
        assert!(wrong(&refused), "{over}: {refused}");
    }
}

#[tokio::test]
async fn n8_3_refuses_logout_tokens_that_are_not_what_they_should_be() {
    use StatementError::{Audience, Form, Time};
    let form = |error: &StatementError| matches!(error, Form(_));
    let audience = |error: &StatementError| *error == Audience;
    let time = |error: &StatementError| matches!(error, Time(_));
    let rows: [(Value, Wrong); 5] = [
        (json!({ "exp": null }), time),
        (json!({ "exp": NOW - 31 }), time),
        (json!({ "nonce": "n" }), form),
        (json!({ "events": { "https://e.example.com": {} } }), form),
        (json!({ "aud": "another-client" }), audience),
    ];
    for (over, wrong) in rows {
        let text = spoken(&json!("logout+jwt"), &overlaid(logout(), &over));
        let refused = heard(&text, StatementKind::Logout).await.unwrap_err();
        assert!(wrong(&refused), "{over}: {refused}");
    }
}

#[tokio::test]
async fn n8_3_refuses_other_types_and_what_was_not_signed() {
    use StatementError::{Form, Key};
    let form = |error: &StatementError| matches!(error, Form(_));
    for typ in [
        json!("JWT"),
        json!("at+jwt"),
        json!("logout+jwt"),
        json!(""),
        Value::Null,
    ] {
        let refused = heard(&spoken(&typ, &event()), StatementKind::Event).await;
        assert!(form(&refused.unwrap_err()), "{typ}");
    }
    for typ in [json!("secevent+jwt"), json!("at+jwt"), json!("")] {
        let refused = heard(&spoken(&typ, &logout()), StatementKind::Logout).await;
        assert!(form(&refused.unwrap_err()), "{typ}");
    }
    let good = spoken(&json!("secevent+jwt"), &event());
    let forged = format!("{}x", good.get(..good.len() - 1).unwrap());
    for text in ["", "not a token", good.get(..40).unwrap(), &forged] {
        assert!(heard(text, StatementKind::Event).await.is_err(), "{text}");
    }
    let stranger = crate::fixture::Signer::ec();
    let header = json!({ "alg": "ES256", "typ": "secevent+jwt", "kid": "ec" });
    let refused = heard(&stranger.token(&header, &event()), StatementKind::Event).await;
    assert_eq!(refused.unwrap_err(), Key(TokenError::Signature));
}

#[tokio::test]
async fn n8_3_says_when_it_cannot_tell_and_obeys_the_issuers_algorithms() {
    let provider = Provider::of_all_kinds();
    let good = spoken(&json!("secevent+jwt"), &event());
    let strict = issuers(&provider, |rules| rules.algorithms = vec![Algorithm::EdDsa]);
    let refused = strict.statement(&good, StatementKind::Event, &SPEAKERS, NOW);
    let refused = refused.await.unwrap_err();
    assert_eq!(refused, StatementError::Key(TokenError::Algorithm));
    provider.goes_down();
    let cut_off = issuers(&provider, |_| {});
    let refused = cut_off.statement(&good, StatementKind::Event, &SPEAKERS, NOW);
    assert_eq!(refused.await.unwrap_err(), StatementError::Unavailable);
    let nobody = cut_off.statement(&good, StatementKind::Event, &[], NOW);
    assert_eq!(nobody.await.unwrap_err(), StatementError::Issuer);
}

#[tokio::test]
async fn m1_no_statement_is_an_access_token() {
    let mut claims = event();
    claims["aud"] = json!(crate::fixture::RESOURCE);
    claims["sub"] = json!("alice");
    claims["exp"] = json!(NOW + 600);
    for typ in ["secevent+jwt", "at+jwt"] {
        let text = spoken(&json!(typ), &claims);
        assert!(crate::fixture::verdict(&text).await.is_err(), "{typ}");
    }
}
