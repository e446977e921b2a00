//! Which scopes are asked for at first, and which when those were not enough.

use super::*;
use crate::client::Resource;
use crate::client::fixture::{ISSUER, SERVER, server_with};
use serde_json::{Value, json};
use url::Url;

fn scopes(text: &str) -> Scopes {
    Scopes::read(text).unwrap()
}

fn protected() -> Protected {
    let resource = Resource::of(&Url::parse(SERVER).unwrap()).unwrap();
    Protected::declared(resource, ISSUER)
}

#[test]
fn scopes_are_a_bounded_set() {
    let check = |text: &str, expected: Option<&str>| {
        let found = Scopes::read(text).map(|scopes| scopes.to_string());
        assert_eq!(found.as_deref(), expected, "{text:.100}");
    };
    check("", Some(""));
    check("a b  a c", Some("a b c"));
    check("api://files/.default", Some("api://files/.default"));
    check("a\"b", None);
    check("a\\b", None);
    check("a\tb", None);
    check("\u{e9}", None);
    let many: Vec<String> = (0..=SCOPES_MAX).map(|n| n.to_string()).collect();
    check(&many.join(" "), None);
    assert!(Scopes::of(&many[1..]).is_some());
    check(&"a".repeat(SCOPE_BYTES_MAX + 1), None);
    let half = Scopes::of(&many[..SCOPES_MAX]).unwrap();
    assert_eq!(half.union(&scopes("one more")), None);
    assert_eq!(half.union(&half), Some(half.clone()));
}

#[test]
fn n2_1_the_first_scopes_are_those_of_the_challenge_or_the_list_or_none() {
    let plain = server_with(&[]);
    let offline = server_with(&[("scopes_supported", json!(["a", "offline_access"]))]);
    let check = |set: Option<&str>,
                 challenge: Option<&str>,
                 listed: Option<&str>,
                 server: &AuthorizationServer,
                 wanted: Offline,
                 expected: &str| {
        let header = challenge.map(|scope| format!("Bearer scope=\"{scope}\""));
        let demand = Demand::of(401, header.as_slice());
        let resource = protected().listing(listed.map(scopes));
        let set = set.map(scopes);
        let found = first_scopes(set.as_ref(), demand.as_ref(), &resource, server, wanted);
        assert_eq!(
            found.unwrap().to_string(),
            expected,
            "{challenge:?} {listed:?}"
        );
    };
    use Offline::{Unwanted, Wanted};
    check(None, Some("c"), Some("l m"), &plain, Unwanted, "c");
    check(None, None, Some("l m"), &plain, Unwanted, "l m");
    check(None, None, None, &plain, Unwanted, "");
    check(Some("s"), Some("c"), Some("l"), &plain, Unwanted, "s");
    // A refresh token is asked for only where it is wanted and can be had.
    check(None, Some("c"), None, &offline, Wanted, "c offline_access");
    check(None, Some("c"), None, &offline, Unwanted, "c");
    check(None, Some("c"), None, &plain, Wanted, "c");
    check(None, Some("c offline_access"), None, &plain, Wanted, "c");
    check(
        None,
        None,
        Some("offline_access l"),
        &offline,
        Unwanted,
        "l",
    );
}

#[test]
fn n2_1_a_step_up_asks_for_what_was_asked_before_and_more() {
    let check = |status: u16, header: &str, granted: &str, expected: Result<&str, ClientError>| {
        let demand = Demand::of(status, &[header]).unwrap();
        let found = stepped_up(&scopes("a b"), &scopes(granted), &demand, None);
        let found = found.map(|scopes| scopes.to_string());
        assert_eq!(found, expected.map(str::to_owned), "{header}");
    };
    let more = "Bearer error=insufficient_scope, scope=\"c b\"";
    check(403, more, "a b", Ok("a b c"));
    // Granted less than was asked for: it may be asked for again.
    check(403, more, "a", Ok("a b c"));
    check(
        403,
        "Bearer error=insufficient_scope, scope=b",
        "a",
        Ok("a b"),
    );
    // A server that contradicts itself, or that does not say, is not asked again.
    let never = || Err(ClientError::StepUp);
    check(403, more, "a b c", never());
    check(403, "Bearer error=insufficient_scope", "a b", never());
    check(
        403,
        "Bearer error=insufficient_scope, scope=\"\"",
        "a b",
        never(),
    );
    check(403, "Bearer scope=c", "a b", never());
    check(401, "Bearer error=invalid_token, scope=c", "a b", never());
    check(
        403,
        "Bearer error=insufficient_scope, scope=offline_access",
        "a b",
        never(),
    );
}

#[test]
fn n2_1_more_scopes_are_asked_for_a_few_times_only() {
    let mut attempts = Attempts::default();
    for _ in 0..STEP_UPS_MAX {
        assert_eq!(attempts.another(), Ok(()));
    }
    assert_eq!(attempts.another(), Err(ClientError::StepUp));
    assert_eq!(attempts.another(), Err(ClientError::StepUp));
}

#[test]
fn a_list_of_scopes_that_is_too_long_is_as_good_as_none() {
    let many: Vec<Value> = (0..=SCOPES_MAX).map(|n| json!(n.to_string())).collect();
    let listed = |list: &[Value]| server_with(&[("scopes_supported", json!(list))]);
    assert!(listed(&many).scopes().is_none());
    assert!(listed(&many[1..]).scopes().is_some());
    assert!(listed(&[json!("a b")]).scopes().is_none());
}

#[test]
fn n2_1_no_server_gets_more_scopes_than_the_operator_set() {
    let demand = Demand::of(403, &["Bearer error=insufficient_scope, scope=\"c\""]).unwrap();
    let stepped = |most: &str| {
        let most = scopes(most);
        let found = stepped_up(&scopes("a"), &scopes("a"), &demand, Some(&most));
        found.map(|scopes| scopes.to_string())
    };
    assert_eq!(stepped("a c"), Ok("a c".to_owned()));
    assert_eq!(stepped("a b"), Err(ClientError::Beyond));
}
