//! What is remembered between calls, and what never is.

use super::*;
use std::net::{IpAddr, Ipv4Addr};

#[test]
fn says_what_decisions_depend_on() {
    let policies = policies(
        r#"permit (principal, action == Ringwall::Action::"list", resource);
           permit (principal, action == Ringwall::Action::"call", resource)
           when { context.arguments has path && context.now > datetime("2026-01-01") };
           forbid (principal, action == Ringwall::Action::"use", resource)
           when { context.method == "logging/setLevel" || !context.findings.isEmpty() };"#,
    );
    let none = Dependence::default();
    for (action, expected) in [
        (Action::List, none),
        (
            Action::Call,
            Dependence {
                arguments: true,
                time: true,
                ..none
            },
        ),
        (
            Action::Use,
            Dependence {
                method: true,
                findings: true,
                ..none
            },
        ),
        (Action::Read, none),
    ] {
        assert_eq!(policies.dependence(action), expected, "{action:?}");
    }
    assert!(policies.dependence(Action::Call).is_volatile());
    assert!(!policies.dependence(Action::Use).is_volatile());
}

#[test]
fn n2_4_says_which_actions_a_lift_is_about() {
    let policies = policies(
        r#"permit (principal, action, resource);
           @lift("step_up: mfa")
           forbid (principal, action == Ringwall::Action::"call", resource);"#,
    );
    assert!(policies.is_liftable(Action::Call));
    assert!(!policies.is_liftable(Action::List));
}

/// Each token makes a caller anew, and most of those are equal to one who was here before.
#[test]
fn what_an_equal_caller_was_answered_costs_no_entity() {
    let policies = policies("permit (principal, action, resource);");
    let ask = |principal: &Principal| {
        let request = Request {
            principal,
            action: Action::Call,
            resource: READ,
            context: &Context::default(),
        };
        policies.decide_cached(&request).allows()
    };
    let (first, equal, other) = (caller(Some(&["a"])), caller(Some(&["a"])), caller(None));
    assert!(!first.is_told());
    assert!(ask(&first) && ask(&equal) && ask(&other));
    assert_eq!(
        [&first, &equal, &other].map(Principal::is_told),
        [true, false, true]
    );
}

#[test]
fn remembers_only_what_cannot_differ() {
    let policies = policies(
        r#"permit (principal, action, resource);
           forbid (principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"files/read")
           when { context.arguments.path like "/etc/*" };
           forbid (principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"files/stat")
           when { context.findings.contains("bad") || context.labels.contains("bad") };
           forbid (principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"files/stat")
           when { context has purpose && context.purpose == "bad" };
           forbid (principal, action == Ringwall::Action::"use", resource)
           when { context.method == "bad" || context has client && context.client == "bad" };
           forbid (principal, action == Ringwall::Action::"list", resource)
           when { context has source && context.source.isLoopback() };
           forbid (principal, action == Ringwall::Action::"ask", resource)
           when { context has session && context.session.calls > 3 || context.now > datetime("2026-01-01") };"#,
    );
    let alice = caller(Some(&[]));
    let (good, bad) = (
        object(json!({"path": "/srv"})),
        object(json!({"path": "/etc/x"})),
    );
    let plain = Context {
        arguments: Some(&good),
        ..Context::default()
    };
    let stat = Target::Tool {
        server: "files",
        name: "stat",
    };
    let calls = Some(Session { age_s: 0, calls: 4 });
    let home = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let found = &["good".into(), "bad".into()];
    let bad_label: &[&str] = &["bad"];
    #[rustfmt::skip]
    let cases = [
        (Action::Call, READ, Context { arguments: Some(&bad), ..plain }),
        (Action::Call, stat, Context { findings: found, ..plain }),
        (Action::Call, stat, Context { labels: bad_label, ..plain }),
        (Action::Call, stat, Context { purpose: Some("bad"), ..plain }),
        (Action::Use, SERVER, Context { method: "bad", ..plain }),
        (Action::Use, SERVER, Context { client: Some("bad"), ..plain }),
        (Action::List, READ, Context { source: home, ..plain }),
        (Action::Ask, SERVER, Context { session: calls, ..plain }),
        (Action::Ask, SERVER, Context { now_ms: 1_800_000_000_000, ..plain }),
    ];
    for (action, target, changed) in cases {
        for _ in 0..2 {
            assert!(
                decide(&policies, &alice, action, target, &plain).allows(),
                "{changed:?}"
            );
            assert!(
                !decide(&policies, &alice, action, target, &changed).allows(),
                "{changed:?}"
            );
        }
    }
}

#[test]
fn one_caller_never_gets_the_answer_of_another() {
    let policies =
        policies(r#"permit (principal in Ringwall::Group::"corp#staff", action, resource);"#);
    for groups in [
        Some(&["staff"][..]),
        Some(&[]),
        None,
        Some(&["staff"]),
        Some(&["x"]),
    ] {
        let decision = decide(
            &policies,
            &caller(groups),
            Action::Call,
            READ,
            &Context::default(),
        );
        assert_eq!(decision.allows(), groups == Some(&["staff"]), "{groups:?}");
    }
}

#[test]
fn a_remembered_answer_is_the_same_value() {
    let policies = policies("permit (principal, action, resource);");
    let alice = caller(Some(&[]));
    let context = Context::default();
    let request = Request {
        principal: &alice,
        action: Action::Call,
        resource: READ,
        context: &context,
    };
    assert!(Arc::ptr_eq(
        &policies.decide_cached(&request),
        &policies.decide_cached(&request)
    ));
}

#[test]
fn memory_is_bounded_against_made_up_resources() {
    let policies = policies(r#"permit (principal, action == Ringwall::Action::"read", resource);"#);
    let alice = caller(Some(&[]));
    let context = Context::default();
    let mut uri = "file:///".to_owned();
    for nth in 0..3_000 {
        uri.truncate(8);
        uri.push_str(&nth.to_string());
        uri.push_str(&"x".repeat(nth % 1_900));
        let resource = Target::Resource {
            server: "files",
            uri: &uri,
        };
        let request = Request {
            principal: &alice,
            action: Action::Read,
            resource,
            context: &context,
        };
        assert!(policies.decide_cached(&request).allows());
    }
    let huge = "x".repeat(10_000_000);
    let resource = Target::Resource {
        server: "files",
        uri: &huge,
    };
    let request = Request {
        principal: &alice,
        action: Action::Read,
        resource,
        context: &context,
    };
    assert!(policies.decide_cached(&request).allows());
    let bytes = policies.memory.bytes();
    assert!(bytes <= memory::BYTES_MAX, "{bytes} bytes");
}
