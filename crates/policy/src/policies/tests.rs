//! Compiling and deciding, where worlds do not reach.

mod approving;
mod compiling;
mod remembering;

use super::*;
use crate::catalog::{ClaimEntry, ClaimKind, PromptEntry, ServerEntry, ToolEntry};
use crate::decision::Verdict;
use crate::principal::{Caller, Groups, Principal};
use crate::request::Target;
use serde_json::{Map, Value, json};

const READ: Target<'static> = Target::Tool {
    server: "files",
    name: "read",
};
const SERVER: Target<'static> = Target::Server { name: "files" };

fn catalog() -> Catalog {
    let tool = |name: &str, schema: Value| ToolEntry {
        server: "files".into(),
        name: name.into(),
        input_schema: schema,
        ..ToolEntry::default()
    };
    let object = |properties: Value| json!({"type": "object", "required": ["path"], "properties": properties});
    Catalog {
        servers: vec![ServerEntry {
            name: "files".into(),
            labels: vec!["internal".into()],
        }],
        tools: vec![
            tool(
                "read",
                object(json!({"path": {"type": "string"}, "n": {"type": "number"}})),
            ),
            tool("stat", object(json!({"path": {"type": "string"}}))),
            tool(
                "many",
                json!({"type": "object", "properties": {
                "path": {"type": "array", "items": {"type": "string"}}}}),
            ),
        ],
        prompts: vec![PromptEntry {
            server: "files".into(),
            name: "summarise".into(),
            ..PromptEntry::default()
        }],
        claims: vec![ClaimEntry {
            name: "level".into(),
            kind: ClaimKind::Number,
        }],
        step_ups: vec!["mfa".into()],
        ..Catalog::default()
    }
}

fn compile(text: &str) -> Result<Policies, PolicyError> {
    let source = Source {
        name: "p.cedar".into(),
        text: text.into(),
    };
    Policies::compile(&[source], &catalog())
}

fn policies(text: &str) -> Policies {
    match compile(text) {
        Ok(policies) => policies,
        Err(error) => panic!("{error}"),
    }
}

fn caller(groups: Option<&[&str]>) -> Principal {
    let groups = match groups {
        Some(groups) => Groups::Known(groups.iter().map(|g| (*g).to_owned()).collect()),
        None => Groups::Unknown,
    };
    Principal::new(Caller {
        issuer: "corp".into(),
        user: "alice".into(),
        groups,
        ..Caller::default()
    })
    .expect("a caller")
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn decide(
    policies: &Policies,
    principal: &Principal,
    action: Action,
    resource: Target<'_>,
    context: &Context<'_>,
) -> Decision {
    let request = Request {
        principal,
        action,
        resource,
        context,
    };
    let decision = policies.decide(&request);
    // Whatever is asked in these tests is also asked of the memory, twice.
    for _ in 0..2 {
        assert_eq!(*policies.decide_cached(&request), decision);
    }
    decision
}

#[test]
fn n2_2_without_policies_everything_is_denied() {
    let policies = Policies::compile(&[], &catalog()).expect("compiles");
    for (action, resource) in [
        (Action::Call, READ),
        (Action::List, READ),
        (Action::Use, SERVER),
        (Action::Ask, SERVER),
    ] {
        let decision = decide(
            &policies,
            &caller(Some(&[])),
            action,
            resource,
            &Context::default(),
        );
        assert_eq!(decision, Decision::failed(vec![]));
    }
}

#[test]
fn decides_list_and_call_separately() {
    let policies = policies(r#"permit (principal, action == Ringwall::Action::"list", resource);"#);
    let ask = |action| {
        decide(
            &policies,
            &caller(Some(&[])),
            action,
            READ,
            &Context::default(),
        )
        .verdict
    };
    assert_eq!(ask(Action::List), Verdict::Allow);
    assert_eq!(ask(Action::Call), Verdict::Deny);
}

#[test]
fn n2_2_an_error_in_any_policy_is_a_deny() {
    // The permit for everything is satisfied; the other one cannot be evaluated.
    let policies = policies(
        r#"
        @id("all") permit (principal, action, resource);
        @id("overflow") permit (principal, action == Ringwall::Action::"call", resource)
        when { principal has claims && principal.claims has level && principal.claims.level + 9223372036854775807 > 0 };
        "#,
    );
    let of = |level| {
        Principal::new(Caller {
            issuer: "corp".into(),
            user: "alice".into(),
            claims: [("level".to_owned(), crate::principal::Claim::Number(level))].into(),
            ..Caller::default()
        })
        .expect("a caller")
    };
    let ask = |level| {
        decide(
            &policies,
            &of(level),
            Action::Call,
            READ,
            &Context::default(),
        )
    };
    assert!(ask(0).allows());
    let failed = ask(1);
    assert_eq!(failed.verdict, Verdict::Deny);
    assert_eq!(failed.lifts, []);
    assert!(
        failed.errors[0].contains("`overflow`"),
        "{:?}",
        failed.errors
    );
}

#[test]
fn n7_4_policies_ask_what_the_caller_has_shown_to_hold() {
    let holds = |key: Option<&str>, certificate: Option<&str>| {
        Principal::new(Caller {
            issuer: "corp".into(),
            user: "alice".into(),
            key: key.map(str::to_owned),
            certificate: certificate.map(str::to_owned),
            ..Caller::default()
        })
        .expect("a caller")
    };
    let policies = |condition: &str| {
        policies(&format!(
            "permit (principal, action, resource) when {{ {condition} }};"
        ))
    };
    for (condition, expected) in [
        ("principal.possession has dpop", [false, true, false, true]),
        (
            "principal.possession has certificate",
            [false, false, true, true],
        ),
        (
            "principal.possession has dpop || principal.possession has certificate",
            [false, true, true, true],
        ),
        (
            r#"principal.possession has dpop && principal.possession.dpop == "key""#,
            [false, true, false, true],
        ),
        (
            r#"principal.possession has dpop && principal.possession.dpop == "other""#,
            [false; 4],
        ),
    ] {
        let policies = policies(condition);
        let callers = [
            holds(None, None),
            holds(Some("key"), None),
            holds(None, Some("certificate")),
            holds(Some("key"), Some("certificate")),
        ];
        for (caller, expected) in callers.iter().zip(expected) {
            let context = Context::default();
            let decision = decide(&policies, caller, Action::Use, SERVER, &context);
            assert_eq!(decision.allows(), expected, "{condition} {caller:?}");
        }
    }
    // What may be absent is asked for before it is read.
    assert!(
        compile(
            r#"permit (principal, action, resource) when { principal.possession.dpop == "a" };"#
        )
        .is_err()
    );
}

#[test]
fn n7_3_unknown_groups_are_not_no_groups() {
    let guests = r#"Ringwall::Group::"corp#guests""#;
    for (more, expected) in [
        (String::new(), None),
        (format!("forbid (principal in {guests}, action, resource);"), Some("f")),
        (format!("forbid (principal is Ringwall::User in {guests}, action, resource);"), Some("f")),
        (r#"forbid (principal, action, resource) when { principal.groups.contains("guests") };"#.into(), Some("f")),
        (r#"forbid (principal, action, resource) unless { principal in Ringwall::Group::"corp#staff" };"#.into(), Some("f")),
        // About other tools and other actions: no matter.
        (format!(r#"forbid (principal in {guests}, action, resource == Ringwall::Tool::"files/stat");"#), None),
        (format!(r#"forbid (principal in {guests}, action == Ringwall::Action::"list", resource);"#), None),
        // A permit by group is simply not had.
        (format!("permit (principal in {guests}, action, resource);"), None),
        (r#"permit (principal, action, resource) unless { principal.groups.contains("guests") };"#.into(), None),
    ] {
        let policies = policies(&match more.as_str() {
            "" => "permit (principal, action, resource);".to_owned(),
            more => format!("permit (principal, action, resource);\n@id(\"f\") {more}"),
        });
        let context = Context::default();
        let known = decide(&policies, &caller(Some(&["staff"])), Action::Call, READ, &context);
        assert!(known.allows(), "{more}");
        let unknown = decide(&policies, &caller(None), Action::Call, READ, &context);
        match expected {
            None => assert!(unknown.allows() && unknown.errors.is_empty(), "{more}"),
            Some(id) => {
                let told = format!("the groups of the caller are not known, and policy `{id}` depends on them");
                assert_eq!(unknown, Decision::failed(vec![told]), "{more}");
            }
        }
    }
}

#[test]
fn n7_3_unknown_groups_do_not_satisfy_not_in_that_group() {
    let policies = policies(
        r#"permit (principal, action, resource) unless { principal in Ringwall::Group::"corp#guests" };"#,
    );
    for (groups, expected) in [
        (Some(&[][..]), true),
        (Some(&["guests"]), false),
        (None, false),
    ] {
        let decision = decide(
            &policies,
            &caller(groups),
            Action::Call,
            READ,
            &Context::default(),
        );
        assert_eq!(decision.allows(), expected, "{groups:?}");
    }
}

#[test]
fn a_forbid_hides_behind_no_other_scope() {
    // However the scope is written, the forbid is found.
    for scope in [
        "principal, action, resource",
        r#"principal == Ringwall::User::"corp#alice", action, resource"#,
        r#"principal in Ringwall::User::"corp#alice", action, resource"#,
        r#"principal is Ringwall::User, action, resource"#,
        r#"principal in Ringwall::Group::"corp#staff", action, resource"#,
        r#"principal is Ringwall::User in Ringwall::Group::"corp#staff", action, resource"#,
        r#"principal, action == Ringwall::Action::"call", resource"#,
        r#"principal, action in Ringwall::Action::"call", resource"#,
        r#"principal, action in [Ringwall::Action::"list", Ringwall::Action::"call"], resource"#,
        r#"principal, action, resource == Ringwall::Tool::"files/read""#,
        r#"principal, action, resource in Ringwall::Tool::"files/read""#,
        r#"principal, action, resource in Ringwall::Server::"files""#,
        r#"principal, action, resource is Ringwall::Tool"#,
        r#"principal, action, resource is Ringwall::Tool in Ringwall::Server::"files""#,
    ] {
        let policies = policies(&format!(
            "permit (principal, action, resource); @id(\"no\") forbid ({scope});"
        ));
        let decision = decide(
            &policies,
            &caller(Some(&["staff", "x", "y"])),
            Action::Call,
            READ,
            &Context::default(),
        );
        assert_eq!(decision.verdict, Verdict::Deny, "{scope}");
        assert_eq!(decision.determining, ["no".into()], "{scope}");
    }
}

#[test]
fn a_server_is_in_itself() {
    for scope in [
        r#"resource == Ringwall::Server::"files""#,
        r#"resource in Ringwall::Server::"files""#,
    ] {
        let policies = policies(&format!("permit (principal, action, {scope});"));
        let decision = decide(
            &policies,
            &caller(Some(&[])),
            Action::Use,
            SERVER,
            &Context::default(),
        );
        assert!(decision.allows(), "{scope}");
    }
}

#[test]
fn an_argument_of_another_type_denies_and_does_not_slip_past() {
    let policies = policies(
        r#"permit (principal, action, resource);
           forbid (principal, action == Ringwall::Action::"call", resource)
           when { context.arguments has path && context.arguments.path like "/etc/*" };"#,
    );
    let many = Target::Tool {
        server: "files",
        name: "many",
    };
    for (target, arguments, expected) in [
        (READ, json!({"path": "/srv"}), Ok(Verdict::Allow)),
        (READ, json!({"path": "/etc/x"}), Ok(Verdict::Deny)),
        (READ, json!({"path": null}), Ok(Verdict::Allow)),
        (READ, json!({"n": 0.000001}), Ok(Verdict::Allow)),
        (READ, json!({"path": {"x": 1}}), Err("type error")),
        (READ, json!({"path": 7}), Err("type error")),
        (
            READ,
            json!({"path": 0.000001}),
            Err("more than four decimal places"),
        ),
        (READ, json!({"path": u64::MAX}), Err("too large")),
        (
            READ,
            json!({"path": "x".repeat(300_000)}),
            Err("longer than"),
        ),
        (many, json!({"path": ["/etc/x"]}), Err("type error")),
        (many, json!({}), Ok(Verdict::Allow)),
    ] {
        let arguments = object(arguments);
        let context = Context {
            arguments: Some(&arguments),
            ..Context::default()
        };
        let decision = decide(
            &policies,
            &caller(Some(&[])),
            Action::Call,
            target,
            &context,
        );
        match expected {
            Ok(verdict) => assert_eq!((decision.verdict, decision.errors.len()), (verdict, 0)),
            Err(part) => {
                assert_eq!(decision.verdict, Verdict::Deny);
                assert!(decision.errors[0].contains(part), "{:?}", decision.errors);
            }
        }
    }
}

#[test]
fn explains_every_policy() {
    let policies = policies(
        r#"@id("other-tool") permit (principal, action, resource == Ringwall::Tool::"files/stat");
           @id("other-action") permit (principal, action == Ringwall::Action::"list", resource);
           @id("other-people") permit (principal in Ringwall::Group::"corp#staff", action, resource);
           @id("not-now") permit (principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"files/read")
           when { resource.server == "files" && context.arguments.path like "/srv/*" };
           @id("yes") @reason("because") forbid (principal, action, resource) unless { principal.scopes.contains("x") };"#,
    );
    let arguments = object(json!({"path": "/etc"}));
    let context = Context {
        arguments: Some(&arguments),
        ..Context::default()
    };
    let request = Request {
        principal: &caller(Some(&[])),
        action: Action::Call,
        resource: READ,
        context: &context,
    };
    let explanation = policies.explain(&request);
    let expected = r#"deny: corp#alice may not call files/read
  decided by yes
  reason: because
permit other-tool (p.cedar:1): is about another resource
permit other-action (p.cedar:2): is about another action
permit other-people (p.cedar:3): is about another principal
permit not-now (p.cedar:4): not satisfied: when { context.arguments.path like "/srv/*" }
forbid yes (p.cedar:6): satisfied
"#;
    assert_eq!(explanation.to_string(), expected);
    let json = serde_json::to_value(&explanation).expect("serialises");
    assert_eq!(
        json.pointer("/policies/0/outcome"),
        Some(&json!("out_of_scope"))
    );
    assert_eq!(json.pointer("/decision/verdict"), Some(&json!("deny")));
}

#[test]
fn explanations_name_failures() {
    let policies = policies(
        r#"@id("guests") forbid (principal in Ringwall::Group::"corp#guests", action, resource);
           @id("all") permit (principal, action, resource);"#,
    );
    let request = Request {
        principal: &caller(None),
        action: Action::Call,
        resource: READ,
        context: &Context::default(),
    };
    let text = policies.explain(&request).to_string();
    assert!(
        text.contains("forbid guests (p.cedar:1): failed: the groups of the caller are not known"),
        "{text}"
    );
    assert!(text.contains("permit all (p.cedar:2): satisfied"), "{text}");
}

#[test]
fn refuses_an_action_on_a_thing_it_is_not_for() {
    let policies = policies("permit (principal, action, resource);");
    for (action, resource, expected) in [
        (Action::Call, SERVER, false),
        (Action::Use, READ, false),
        (Action::Read, READ, false),
        (Action::Call, READ, true),
        (Action::Use, SERVER, true),
    ] {
        let decision = decide(
            &policies,
            &caller(Some(&[])),
            action,
            resource,
            &Context::default(),
        );
        assert_eq!(decision.allows(), expected, "{action:?} {resource}");
    }
}

#[test]
fn offers_a_lift_only_if_it_would_help() {
    let permit = "permit (principal, action, resource);";
    let approval = r#"@id("a") @lift("approval: x") forbid (principal, action, resource);"#;
    let step_up = r#"@id("b") @lift("step_up: mfa") forbid (principal, action, resource) when { context.findings.isEmpty() };"#;
    let scope = r#"@id("e") @lift("scope: files:write") forbid (principal, action, resource);"#;
    let last =
        r#"@id("c") forbid (principal, action, resource) when { context.findings.isEmpty() };"#;
    let broken = r#"@id("d") forbid (principal, action == Ringwall::Action::"call", resource)
        when { context has session && context.session.calls + 9223372036854775807 > 0 };"#;
    for (texts, expected) in [
        (vec![permit, approval], vec!["approval: x"]),
        (vec![permit, step_up], vec!["step_up: mfa"]),
        (
            vec![permit, approval, step_up, scope],
            vec!["scope: files:write", "step_up: mfa", "approval: x"],
        ),
        (vec![approval], vec![]),
        (vec![step_up], vec![]),
        (vec![permit, approval, last], vec![]),
        (vec![permit, step_up, last], vec![]),
        (vec![permit, approval, broken], vec![]),
    ] {
        let policies = policies(&texts.concat());
        let context = Context {
            session: Some(Session { age_s: 0, calls: 1 }),
            ..Context::default()
        };
        let decision = decide(&policies, &caller(Some(&[])), Action::Call, READ, &context);
        assert_eq!(decision.verdict, Verdict::Deny, "{texts:?}");
        let lifts: Vec<String> = decision.lifts.iter().map(ToString::to_string).collect();
        assert_eq!(lifts, expected, "{texts:?}");
        // What is offered does help, all of it together, and no part of it by itself.
        for (lifted, helps) in [
            (decision.lifts.as_slice(), !expected.is_empty()),
            (decision.lifts.get(1..).unwrap_or_default(), false),
        ] {
            let context = Context { lifted, ..context };
            let again = decide(&policies, &caller(Some(&[])), Action::Call, READ, &context);
            assert_eq!(again.allows(), helps, "{texts:?} {lifted:?}");
        }
    }
}

#[test]
fn policy_sees_tool_arguments() {
    let policies = policies(
        r#"permit (principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"files/read")
           when { context.arguments.path like "/srv/*" && !(context.arguments.path like "*..*") };"#,
    );
    for (path, expected) in [
        ("/srv/a", true),
        ("/etc/a", false),
        ("/srv/../etc/a", false),
    ] {
        let arguments = object(json!({"path": path}));
        let context = Context {
            arguments: Some(&arguments),
            ..Context::default()
        };
        let decision = decide(&policies, &caller(Some(&[])), Action::Call, READ, &context);
        assert_eq!(decision.allows(), expected, "{path}");
    }
}

#[test]
fn a_set_of_policies_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Policies>();
    shared::<Principal>();
}
