//! The method table: found where it should be, absent everywhere else, and consistent.

use super::*;
use crate::{Document, Limits};
use Revision::*;

fn check(name: &str, sender: Sender, expected: &[Revision]) {
    for revision in Revision::ALL {
        let found = Method::find(name, *revision, sender).is_some();
        assert_eq!(
            found,
            expected.contains(revision),
            "{name} {revision} {sender:?}"
        );
    }
}

#[test]
fn a_method_exists_only_in_its_revisions_and_for_its_sender() {
    let legacy = Revision::NEGOTIABLE;
    check("tools/call", Sender::Client, Revision::ALL);
    check("tools/call", Sender::Server, &[]);
    check("completion/complete", Sender::Client, Revision::ALL);
    check("initialize", Sender::Client, legacy);
    check("ping", Sender::Client, legacy);
    check("ping", Sender::Server, legacy);
    check("logging/setLevel", Sender::Client, legacy);
    check("resources/subscribe", Sender::Client, legacy);
    check("sampling/createMessage", Sender::Server, legacy);
    check("sampling/createMessage", Sender::Client, &[]);
    check(
        "elicitation/create",
        Sender::Server,
        &[V2025_06_18, V2025_11_25],
    );
    check("tasks/list", Sender::Client, &[V2025_11_25]);
    check("tasks/get", Sender::Client, &[V2025_11_25, V2026_07_28]);
    check("tasks/get", Sender::Server, &[V2025_11_25]);
    check("server/discover", Sender::Client, &[V2026_07_28]);
    check("subscriptions/listen", Sender::Client, &[V2026_07_28]);
    check("notifications/cancelled", Sender::Client, Revision::ALL);
    check("notifications/progress", Sender::Client, legacy);
    check("notifications/progress", Sender::Server, Revision::ALL);
    check(
        "notifications/elicitation/complete",
        Sender::Server,
        &[V2025_11_25],
    );
}

#[test]
fn r1_modern_servers_ask_inside_results_and_never_in_requests() {
    let since = [
        ("sampling/createMessage", V2024_11_05),
        ("roots/list", V2024_11_05),
        ("elicitation/create", V2025_06_18),
    ];
    for (name, first) in since {
        for revision in Revision::ALL {
            let found = Method::question(name, *revision);
            assert_eq!(found.is_some(), *revision >= first, "{name} {revision}");
            assert!(found.is_none_or(|method| method.capability.is_some()));
        }
        assert_eq!(Method::find(name, V2026_07_28, Sender::Server), None);
    }
    for name in [
        "tools/call",
        "ping",
        "tasks/get",
        "notifications/message",
        "",
    ] {
        assert_eq!(Method::question(name, V2025_11_25), None, "{name}");
        assert_eq!(Method::question(name, V2026_07_28), None, "{name}");
    }
}

#[test]
fn modern_notifications_are_those_of_streams_and_listens() {
    let modern = |sender| {
        let rows = Method::of(V2026_07_28, sender);
        let mut names: Vec<_> = rows
            .filter(|method| method.shape == Shape::Notification)
            .map(|method| method.name)
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(modern(Sender::Client), ["notifications/cancelled"]);
    let told = [
        "notifications/cancelled",
        "notifications/message",
        "notifications/progress",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
        "notifications/subscriptions/acknowledged",
        "notifications/tasks",
        "notifications/tools/list_changed",
    ];
    assert_eq!(modern(Sender::Server), told);
}

#[test]
fn unknown_methods_do_not_exist() {
    for name in [
        "",
        "tools",
        "tools/call ",
        "Tools/Call",
        "tools/Call",
        "rpc.discover",
    ] {
        check(name, Sender::Client, &[]);
        check(name, Sender::Server, &[]);
    }
}

#[test]
fn the_table_agrees_with_itself() {
    for (place, method) in Method::ALL.iter().enumerate() {
        let name = method.name;
        let notifies = name.starts_with("notifications/");
        assert_eq!(method.shape == Shape::Notification, notifies, "{name}");
        assert!(method.first <= method.last, "{name}");
        assert!(
            method.act != Act::List || method.list_member.is_some(),
            "{name}"
        );
        if let Some(changes) = method.changes {
            assert!(
                Method::ALL.iter().any(|other| other.name == changes),
                "{name}"
            );
        }
        if let Some(capability) = method.capability {
            assert_ne!(capability.declared_by, Sender::Both, "{name}");
            assert!(capability.pointer.starts_with('/'), "{name}");
        }
        for other in Method::ALL.iter().skip(place + 1) {
            let meet = method.first <= other.last && other.first <= method.last;
            let sender = method.sender == other.sender
                || method.sender == Sender::Both
                || other.sender == Sender::Both;
            assert!(
                !(name == other.name && meet && sender),
                "{name} stands twice"
            );
        }
    }
}

#[test]
fn every_act_a_policy_decides_on_has_a_subject_or_is_a_list() {
    for method in Method::ALL {
        let decided = method.act.action().is_some();
        let covered = method.subject != Subject::None || method.act == Act::List;
        assert!(!decided || covered, "{}", method.name);
    }
}

fn target(name: &str, params: &str) -> Option<String> {
    let document = Document::read(params.to_owned().into(), &Limits::default()).unwrap();
    let method = Method::find(name, V2025_11_25, Sender::Client).unwrap();
    method
        .target(Some(document.root()))
        .map(|target| format!("{target:?}"))
}

#[test]
fn says_what_a_message_acts_on() {
    let cases = [
        ("tools/call", r#"{"name":"a\u0062"}"#, Some(r#"Tool("ab")"#)),
        ("tools/call", r#"{"Name":"ab"}"#, None),
        ("tools/call", r#"{"name":7}"#, None),
        ("tools/list", r#"{}"#, Some("None")),
        ("prompts/get", r#"{"name":"p"}"#, Some(r#"Prompt("p")"#)),
        (
            "resources/read",
            r#"{"uri":"file:///a/../b"}"#,
            Some(r#"Resource("file:///a/../b")"#),
        ),
        (
            "logging/setLevel",
            r#"{"level":"debug"}"#,
            Some(r#"Level("debug")"#),
        ),
        ("tasks/cancel", r#"{"taskId":"t"}"#, Some(r#"Task("t")"#)),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/prompt","name":"p"}}"#,
            Some(r#"Prompt("p")"#),
        ),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/resource","uri":"f:///{x}"}}"#,
            Some(r#"Template("f:///{x}")"#),
        ),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/tool","name":"p"}}"#,
            None,
        ),
        ("completion/complete", r#"{"ref":7}"#, None),
        ("notifications/cancelled", r#"{"requestId":null}"#, None),
    ];
    for (name, params, expected) in cases {
        assert_eq!(target(name, params).as_deref(), expected, "{name} {params}");
    }
    let document = Document::read(r#"{"requestId":"x"}"#.into(), &Limits::default()).unwrap();
    let cancel = Method::find("notifications/cancelled", V2025_11_25, Sender::Client).unwrap();
    let found = cancel.target(Some(document.root())).unwrap();
    assert_eq!(found, Target::Request(b"\"x\""));
    assert_eq!(cancel.target(None), None);
}

#[test]
fn finds_a_capability_where_it_was_declared() {
    let subscribe = Method::find("resources/subscribe", V2025_11_25, Sender::Client).unwrap();
    let capability = subscribe.capability.unwrap();
    let cases = [
        (r#"{"resources":{"subscribe":true}}"#, true),
        (r#"{"resources":{"subscribe":{}}}"#, true),
        (r#"{"resources":{"subscribe":false}}"#, false),
        (r#"{"resources":{"subscribe":null}}"#, false),
        (r#"{"resources":{}}"#, false),
        (r#"{}"#, false),
        (r#"[]"#, false),
    ];
    for (text, expected) in cases {
        let document = Document::read(text.into(), &Limits::default()).unwrap();
        assert_eq!(capability.is_in(document.root()), expected, "{text}");
    }
    let task = Method::find("tasks/get", V2026_07_28, Sender::Client).unwrap();
    let text = r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;
    let document = Document::read(text.into(), &Limits::default()).unwrap();
    assert!(task.capability.unwrap().is_in(document.root()));
}
