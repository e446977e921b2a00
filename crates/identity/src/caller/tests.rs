//! What tokens say of a caller, and what they do not.

use super::*;
use serde_json::json;

fn caller(claims: Value) -> Result<Caller, TokenError> {
    let rules = IssuerRules::new("https://id.example.com");
    let payload = claims.to_string();
    let Value::Object(claims) = claims else {
        panic!("claims are an object");
    };
    Caller::verified(&rules, claims, (1, 2), payload.as_bytes(), [7; 32])
}

#[test]
fn n7_3_group_overage_means_unknown_not_none() {
    let check = |claims: Value, expected: Groups| {
        let mut claims = claims;
        claims["sub"] = json!("alice");
        assert_eq!(
            *caller(claims.clone()).unwrap().groups(),
            expected,
            "{claims}"
        );
    };
    let known = |names: &[&str]| Groups::Known(names.iter().map(|name| (*name).into()).collect());
    let left_out = Groups::Unknown(Overage::LeftOut);
    let malformed = Groups::Unknown(Overage::Malformed);
    check(json!({}), known(&[]));
    check(json!({"groups": []}), known(&[]));
    check(json!({"groups": ["a", "b c"]}), known(&["a", "b c"]));
    check(json!({"_claim_names": {"other": "src1"}}), known(&[]));
    check(json!({"hasgroups": false}), known(&[]));
    check(
        json!({"_claim_names": {"groups": "src1"}}),
        left_out.clone(),
    );
    check(
        json!({"groups": ["a"], "_claim_names": {"groups": "src1"}}),
        left_out.clone(),
    );
    check(json!({"_claim_names": "groups"}), left_out.clone());
    check(json!({"hasgroups": true}), left_out.clone());
    check(json!({"hasgroups": "true"}), left_out);
    check(json!({"groups": "a"}), malformed.clone());
    check(json!({"groups": ["a", 1]}), malformed.clone());
    check(json!({"groups": null}), malformed.clone());
    check(json!({"groups": {"a": true}}), malformed);
}

#[test]
fn n7_3_claims_say_only_what_they_say() {
    let check = |claims: Value, expected: Result<(Option<&str>, &[&str]), TokenError>| {
        let found = caller(claims.clone());
        let found = found.as_ref().map(|caller| {
            let scopes: Vec<&str> = caller.scopes().iter().map(String::as_str).collect();
            (caller.client(), scopes)
        });
        let expected = expected.map(|(client, scopes)| (client, scopes.to_vec()));
        assert_eq!(found.map_err(Clone::clone), expected, "{claims}");
    };
    check(json!({"sub": "a"}), Ok((None, &[])));
    check(
        json!({"sub": "a", "client_id": "c", "scope": "x y"}),
        Ok((Some("c"), &["x", "y"])),
    );
    check(
        json!({"sub": "a", "scope": "  x  x y "}),
        Ok((None, &["x", "y"])),
    );
    check(
        json!({"sub": "a", "scope": ["x", "y"]}),
        Ok((None, &["x", "y"])),
    );
    check(json!({"sub": "a", "scope": ""}), Ok((None, &[])));
    check(json!({"sub": "a", "azp": "c", "scp": "x"}), Ok((None, &[])));
    for claims in [
        json!({}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"sub": null}),
    ] {
        check(claims, Err(TokenError::Claim("sub")));
    }
    check(
        json!({"sub": "a".repeat(513)}),
        Err(TokenError::Claim("sub")),
    );
    check(
        json!({"sub": "a", "client_id": ["c"]}),
        Err(TokenError::Claim("client")),
    );
    check(json!({"sub": "a", "jti": 7}), Err(TokenError::Claim("jti")));
    for scope in [
        json!(7),
        json!(["x", 7]),
        json!(["x y"]),
        json!("x\ty"),
        json!("x\"y"),
    ] {
        check(
            json!({"sub": "a", "scope": scope}),
            Err(TokenError::Claim("scopes")),
        );
    }
}

#[test]
fn requires_every_scope() {
    let caller = caller(json!({"sub": "a", "scope": "mcp:read mcp:write"})).unwrap();
    assert_eq!(caller.require_scopes(&[] as &[&str]), Ok(()));
    assert_eq!(caller.require_scopes(&["mcp:write", "mcp:read"]), Ok(()));
    for missing in [
        "mcp",
        "mcp:",
        "mcp:rea",
        "MCP:READ",
        "mcp:read mcp:write",
        "",
    ] {
        let error = TokenError::Scope {
            missing: missing.into(),
        };
        assert_eq!(error.challenge_error(), Some("insufficient_scope"));
        assert_eq!(caller.require_scopes(&["mcp:read", missing]), Err(error));
    }
}

#[test]
fn a_user_has_one_key_and_no_other_user_has_it() {
    let key = |issuer: &str, user: &str| UserKey::of(issuer, user).to_string();
    assert_eq!(
        key("https://a.example", "bob"),
        key("https://a.example", "bob")
    );
    assert_ne!(
        key("https://a.example", "bob"),
        key("https://a.example", "Bob")
    );
    assert_ne!(
        key("https://a.example", "bob"),
        key("https://b.example", "bob")
    );
    assert_ne!(
        key("https://a.example", "bob"),
        key("https://a.exampleb", "ob")
    );
    assert_eq!(key("https://a.example", "bob").len(), 43);
    assert!(!key("https://a.example", "bob").contains("bob"));
    let local = Caller::local("bob");
    assert_eq!(local.user(), Caller::local("bob").user());
    assert!(local.is_local() && local.expires_at() == u64::MAX);
    assert_ne!(local.fingerprint(), Caller::local("eve").fingerprint());
}

#[test]
fn the_fingerprint_changes_with_anything_a_policy_sees() {
    let claims = json!({"sub": "a", "scope": "x", "groups": ["g"], "dept": "r&d"});
    let first = caller(claims.clone()).unwrap().fingerprint();
    assert_eq!(caller(claims.clone()).unwrap().fingerprint(), first);
    for (name, value) in [
        ("sub", json!("b")),
        ("scope", json!("y")),
        ("groups", json!(["g", "h"])),
        ("hasgroups", json!(true)),
        ("dept", json!("sales")),
        ("client_id", json!("c")),
    ] {
        let mut changed = claims.clone();
        changed[name] = value;
        assert_ne!(caller(changed).unwrap().fingerprint(), first, "{name}");
    }
    // The same token under other rules is another caller to a policy.
    let mut rules = IssuerRules::new("https://id.example.com");
    rules.claims.groups = "roles".to_owned();
    let Value::Object(members) = claims.clone() else {
        panic!("claims are an object");
    };
    let payload = claims.to_string();
    let mapped = Caller::verified(&rules, members, (1, 2), payload.as_bytes(), [7; 32]);
    assert_ne!(mapped.unwrap().fingerprint(), first);
}

#[test]
fn debug_shows_no_claims() {
    let caller = caller(json!({"sub": "alice-secret", "phone": "555-1234"})).unwrap();
    let shown = format!("{caller:?}");
    assert!(
        !shown.contains("555-1234") && !shown.contains("alice-secret"),
        "{shown}"
    );
}
