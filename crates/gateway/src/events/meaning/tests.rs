//! Every event and subject, and what follows from it.

use super::*;
use serde_json::json;

const IDP: &str = "https://id.example.com";
const NOW_S: u64 = 1_790_000_000;

fn said(claims: &Value) -> Statement {
    let claims = claims.as_object().unwrap().clone();
    let events = claims.get("events").and_then(Value::as_object);
    Statement {
        issuer: IDP.into(),
        id: "e-1".into(),
        issued_s: NOW_S - 100,
        events: events.cloned().unwrap_or_default(),
        claims,
    }
}

fn told(kind: StatementKind, claims: &Value) -> Result<Vec<(String, u64)>, &'static str> {
    let meaning = of(&said(claims), kind, "email", NOW_S * 1000).map_err(|fault| fault.code)?;
    let orders = meaning.orders.iter();
    let orders = orders.map(|order| {
        assert!(!order.block && order.by == format!("issuer {IDP}"));
        let user = match &order.target {
            Target::Login {
                user: Some(user), ..
            } => format!(" or {user}"),
            _ => String::new(),
        };
        (format!("{}{user}", order.target), order.at_ms / 1000)
    });
    let noted = meaning.noted.iter().map(|name| (name.clone(), 0));
    Ok(orders.chain(noted).collect())
}

fn event(name: &str, sub_id: &Value, payload: &Value) -> Value {
    json!({ "sub_id": sub_id, "events": { (name): payload } })
}

#[test]
fn n8_3_each_event_ends_what_it_is_about() {
    let both = json!({
        "format": "complex",
        "user": { "format": "iss_sub", "iss": IDP, "sub": "alice" },
        "session": { "format": "opaque", "id": "sid-1" },
    });
    let user = format!("user alice of {IDP}");
    let login = format!("login sid-1 of {IDP} or alice");
    for (prefix, name, expected) in [
        (CAEP, "session-revoked", &login),
        (CAEP, "credential-change", &user),
        (CAEP, "token-claims-change", &login),
        (RISC, "account-disabled", &user),
        (RISC, "sessions-revoked", &user),
    ] {
        let name = format!("{prefix}{name}");
        let told = told(StatementKind::Event, &event(&name, &both, &json!({})));
        assert_eq!(told, Ok(vec![(expected.clone(), NOW_S - 100)]), "{name}");
    }
    for name in [
        format!("{CAEP}assurance-level-change"),
        format!("{CAEP}device-compliance-change"),
        format!("{CAEP}session-revoked-not"),
        "https://schemas.openid.net/secevent/ssf/event-type/verification".to_owned(),
        "session-revoked".to_owned(),
    ] {
        // What is not understood needs no subject that is.
        let told = told(StatementKind::Event, &event(&name, &json!({}), &json!({})));
        assert_eq!(told, Ok(vec![(name, 0)]));
    }
}

fn of_subject(subject: &Value) -> Result<Vec<(String, u64)>, &'static str> {
    let name = format!("{CAEP}session-revoked");
    told(StatementKind::Event, &event(&name, subject, &json!({})))
}

#[test]
fn n8_3_a_subject_is_understood_in_every_form() {
    let iss_sub = json!({ "format": "iss_sub", "iss": IDP, "sub": "alice" });
    let opaque = |id: &str| json!({ "format": "opaque", "id": id });
    let did = json!({ "format": "did", "url": "did:x" });
    let by =
        |format: &str, member: &str| json!({ "format": format, (member): "acct:a@example.com" });
    for (subject, expected) in [
        (iss_sub.clone(), "user alice"),
        (opaque("alice"), "user alice"),
        (by("email", "email"), "user acct:a@example.com"),
        (by("account", "uri"), "user a@example.com"),
        (
            json!({ "format": "complex", "user": iss_sub }),
            "user alice",
        ),
        (
            json!({ "format": "complex", "user": iss_sub, "device": opaque("d") }),
            "user alice",
        ),
        (
            json!({ "format": "complex", "session": opaque("sid-1") }),
            "login sid-1",
        ),
        (
            json!({ "format": "jwt_id", "iss": IDP, "jti": "t-1" }),
            "token t-1",
        ),
        (
            json!({ "format": "aliases", "identifiers": [did, iss_sub] }),
            "user alice",
        ),
    ] {
        let expected = format!("{expected} of {IDP}");
        let told = of_subject(&subject);
        assert_eq!(told, Ok(vec![(expected, NOW_S - 100)]), "{subject}");
    }
    // As drafts before 1.0 have it.
    let earlier = json!({ "events": {
        (format!("{CAEP}session-revoked")): { "subject": { "format": "opaque", "id": "alice" } }
    } });
    assert!(told(StatementKind::Event, &earlier).is_ok());
}

#[test]
fn n8_3_a_subject_that_is_not_understood_or_another_issuers_is_refused() {
    let foreign = json!({ "format": "iss_sub", "iss": "https://x.example.com", "sub": "alice" });
    let opaque = |id: &str| json!({ "format": "opaque", "id": id });
    let many: Vec<Value> = (0..9).map(|id| opaque(&id.to_string())).collect();
    for subject in [
        foreign.clone(),
        json!({ "format": "complex", "user": foreign }),
        json!({ "format": "jwt_id", "iss": "https://x.example.com", "jti": "t" }),
    ] {
        assert_eq!(of_subject(&subject), Err("access_denied"), "{subject}");
    }
    for subject in [
        json!({ "format": "aliases", "identifiers": [foreign] }),
        json!({ "format": "aliases", "identifiers": many }),
        json!({ "format": "aliases", "identifiers": [] }),
        json!({ "format": "complex", "tenant": opaque("t") }),
        json!({ "format": "complex", "user": "alice" }),
        json!({ "format": "phone_number", "phone_number": "+1" }),
        opaque(""),
        json!({ "format": "iss_sub", "sub": "alice" }),
        json!({ "sub": "alice" }),
        json!("alice"),
        Value::Null,
    ] {
        assert_eq!(of_subject(&subject), Err("invalid_request"), "{subject}");
    }
}

#[test]
fn n8_3_a_subject_is_refused_by_a_name_that_no_token_of_the_issuer_bears() {
    let mail = json!({ "format": "email", "email": "a@example.com" });
    let account = json!({ "format": "account", "uri": "acct:a@example.com" });
    for (claim, subject, is_known) in [
        ("email", &mail, true),
        ("sub", &mail, false),
        ("oid", &mail, false),
        ("upn", &account, true),
        ("preferred_username", &account, true),
        ("sub", &account, false),
    ] {
        let name = format!("{CAEP}session-revoked");
        let said = said(&event(&name, subject, &json!({})));
        let meaning = of(&said, StatementKind::Event, claim, NOW_S * 1000);
        assert_eq!(meaning.is_ok(), is_known, "{claim} {subject}");
    }
}

#[test]
fn n8_3_what_counts_is_when_it_happened() {
    let at = |time: Value| {
        let name = format!("{CAEP}session-revoked");
        let payload = json!({ "event_timestamp": time });
        let subject = json!({ "format": "opaque", "id": "alice" });
        let told = told(StatementKind::Event, &event(&name, &subject, &payload));
        told.map(|told| told.first().map(|(_, at)| *at).unwrap_or_default())
    };
    for (time, expected) in [
        (json!(NOW_S - 5000), Ok(NOW_S - 5000)),
        (json!(NOW_S), Ok(NOW_S)),
        // By the issuer's clock, which may be a little ahead of ours, as that of its tokens is.
        (json!(NOW_S + 60), Ok(NOW_S + 60)),
        (json!(NOW_S + 301), Err("invalid_request")),
        (json!(NOW_S * 1000), Err("invalid_request")),
        (json!("now"), Err("invalid_request")),
        (json!(-1), Err("invalid_request")),
    ] {
        assert_eq!(at(time.clone()), expected, "{time}");
    }
}

#[test]
fn n8_3_a_logout_ends_the_login_it_names_or_all_of_the_user() {
    let at = NOW_S - 100;
    for (claims, expected) in [
        (
            json!({ "sub": "alice", "sid": "sid-1" }),
            Ok(vec![(format!("login sid-1 of {IDP} or alice"), at)]),
        ),
        (
            json!({ "sid": "sid-1" }),
            Ok(vec![(format!("login sid-1 of {IDP}"), at)]),
        ),
        (
            json!({ "sub": "alice" }),
            Ok(vec![(format!("user alice of {IDP}"), at)]),
        ),
        (json!({}), Err("invalid_request")),
        (json!({ "sub": 1 }), Err("invalid_request")),
        (
            json!({ "sid": "" , "sub": "alice" }),
            Err("invalid_request"),
        ),
    ] {
        assert_eq!(told(StatementKind::Logout, &claims), expected, "{claims}");
    }
}
