//! Who may approve calls of others.

use super::*;
use crate::request::Approving;

fn asked<'a>(requester: &'a str, needs: &'a str) -> Context<'a> {
    Context {
        approving: Some(Approving { requester, needs }),
        ..Context::default()
    }
}

#[test]
fn n2_4_nobody_may_approve_because_they_may_call() {
    let by_name = r#"permit (principal, action == Ringwall::Action::"approve", resource);"#;
    let listed = r#"permit (principal, action in [Ringwall::Action::"call", Ringwall::Action::"approve"], resource);"#;
    let held = r#"@lift("approval: owners") forbid (principal, action, resource);"#;
    let stepped = r#"@lift("step_up: mfa") forbid (principal, action, resource);"#;
    let never = r#"forbid (principal, action, resource);"#;
    for (texts, expected) in [
        (vec!["permit (principal, action, resource);"], false),
        (vec![by_name], true),
        (vec![listed], true),
        (vec![by_name, held], true),
        (vec![by_name, stepped], false),
        (vec![by_name, never], false),
    ] {
        let policies = policies(&texts.concat());
        let context = asked("corp#bob", "owners");
        let owner = caller(Some(&["owners"]));
        let decision = decide(&policies, &owner, Action::Approve, READ, &context);
        assert_eq!(decision.allows(), expected, "{texts:?}");
        // What is explained is what is decided.
        let explained = policies.explain(&Request {
            principal: &owner,
            action: Action::Approve,
            resource: READ,
            context: &context,
        });
        assert_eq!(explained.decision, decision);
        let satisfied = explained.policies.iter().any(|account| {
            account.effect == "permit" && account.outcome == explain::Outcome::Satisfied
        });
        assert_eq!(
            satisfied,
            texts != ["permit (principal, action, resource);"] && texts != [never]
        );
    }
}

#[test]
fn n2_4_an_approval_is_decided_by_who_asks_for_what_with_which_arguments() {
    let policies = policies(
        r#"permit (principal in Ringwall::Group::"corp#owners", action == Ringwall::Action::"approve",
                   resource == Ringwall::Tool::"files/read")
           when { context.needs == "owners" && context.requester != "corp#mallory" }
           when { context.arguments.path like "/srv/*" };"#,
    );
    let inside = object(json!({"path": "/srv/a"}));
    let outside = object(json!({"path": "/etc/a"}));
    for (groups, requester, needs, arguments, expected) in [
        (&["owners"][..], "corp#bob", "owners", &inside, true),
        (&[], "corp#bob", "owners", &inside, false),
        (&["owners"], "corp#mallory", "owners", &inside, false),
        (&["owners"], "corp#bob", "security", &inside, false),
        (&["owners"], "corp#bob", "owners", &outside, false),
    ] {
        let context = Context {
            arguments: Some(arguments),
            ..asked(requester, needs)
        };
        let owner = caller(Some(groups));
        let decision = decide(&policies, &owner, Action::Approve, READ, &context);
        assert_eq!(decision.allows(), expected, "{requester} {needs}");
    }
}

#[test]
fn n2_4_policies_read_how_long_ago_the_caller_authenticated() {
    let policies = policies(
        r#"permit (principal, action == Ringwall::Action::"call", resource)
           when { context has auth_age_s && context.auth_age_s < 300 };"#,
    );
    for (auth_age_s, expected) in [
        (Some(0), true),
        (Some(299), true),
        (Some(300), false),
        (None, false),
    ] {
        let context = Context {
            auth_age_s,
            ..Context::default()
        };
        let decision = decide(&policies, &caller(Some(&[])), Action::Call, READ, &context);
        assert_eq!(decision.allows(), expected, "{auth_age_s:?}");
    }
}

#[test]
fn warns_of_a_lift_for_what_nobody_can_see() {
    for (action, warned) in [
        ("action", true),
        (r#"action == Ringwall::Action::"call""#, false),
        (
            r#"action in [Ringwall::Action::"call", Ringwall::Action::"list"]"#,
            true,
        ),
    ] {
        let text = format!(r#"@lift("approval: x") forbid (principal, {action}, resource);"#);
        let policies = policies(&text);
        let warnings: Vec<String> = policies
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect();
        let found = warnings.iter().any(|told| told.contains("can be lifted"));
        assert_eq!(found, warned, "{warnings:?}");
    }
}

#[test]
fn n2_4_a_lift_that_nobody_could_fulfil_is_refused() {
    for (text, expected) in [
        (
            "@lift(\"step_up\") forbid (principal, action, resource);",
            "p.cedar:1:1: `step_up` lifts nothing: a step-up says what has to be proven",
        ),
        (
            "@lift(\"step_up: mafia\") forbid (principal, action, resource);",
            "p.cedar:1:1: policy `p.cedar#1` asks for the step-up `mafia`, which is not there",
        ),
        (
            "@lift(\"approval: owners; people=0\") forbid (principal, action, resource);",
            "`people` is a number from 1 to 5",
        ),
    ] {
        let error = compile(text).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
}
