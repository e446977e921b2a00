//! Whatever a peer says that can be read at all: the bridge never fails in another way than by
//! refusing it, and never lets through what the other side must not see.

use crate::conversation::{message, tape};
use crate::invent::{Inventor, Tape};
use proptest::prelude::*;
use ringwall_protocol::bridge::*;
use ringwall_protocol::{Document, Era, Id, Limits, Message, Method, Revision, Sender};
use serde_json::{Map, Value, json};

/// Members that mean something somewhere.
const NAMES: &[&str] = &[
    "_meta",
    "resultType",
    "ttlMs",
    "cacheScope",
    "inputRequests",
    "inputResponses",
    "requestState",
    "content",
    "structuredContent",
    "tools",
    "code",
    "message",
    "data",
    "elicitations",
    "mode",
    "url",
    "params",
    "messages",
    "maxTokens",
    "requestedSchema",
    "notifications",
    "resourceSubscriptions",
    "toolsListChanged",
    "capabilities",
    "serverInfo",
    "supportedVersions",
    "instructions",
    "progressToken",
    "requestId",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/serverInfo",
    "io.modelcontextprotocol/subscriptionId",
];
const TEXTS: &[&str] = &[
    "complete",
    "input_required",
    "task",
    "public",
    "elicitation/create",
    "roots/list",
    "sampling/createMessage",
    "url",
    "2026-07-28",
    "[1]",
];

fn wild(tape: &mut Tape, depth: usize) -> Value {
    match tape.below(if depth < 5 { 8 } else { 4 }) {
        0 => json!(*tape.pick(TEXTS)),
        1 => json!(-32099 + i64::try_from(tape.below(120)).unwrap()),
        2 => json!(tape.one_in(2)),
        3 => Inventor {
            revision: Revision::V2026_07_28,
            tape,
        }
        .anything(depth),
        4 => (0..tape.below(4)).map(|_| wild(tape, depth + 1)).collect(),
        _ => object(tape, depth + 1),
    }
}

fn object(tape: &mut Tape, depth: usize) -> Value {
    let mut made = Map::new();
    for _ in 0..tape.below(6) {
        let name = (*tape.pick(NAMES)).to_owned();
        let value = match &*name {
            "_meta" => object(tape, depth + 1),
            _ => wild(tape, depth + 1),
        };
        made.insert(name, value);
    }
    Value::Object(made)
}

/// The message, if the strict reader takes it at all.
fn read(value: &Value) -> Option<Message> {
    let document = Document::read(value.to_string().into(), &Limits::default()).ok()?;
    Message::read(document).ok()
}

fn text_of<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// What a client must never see, whatever the server said.
fn check_answer(made: &[u8], revision: Revision) {
    let made: Value = serde_json::from_slice(made).unwrap();
    assert_eq!(made.get("id"), Some(&json!("mine")));
    let code = made.pointer("/error/code").and_then(Value::as_i64);
    let result = made.get("result");
    match revision.rules().era {
        Era::Modern => {
            let kind = text_of(&made, "/result/resultType");
            assert!(
                result.is_none() || matches!(kind, Some("complete" | "task")),
                "{made}"
            );
            assert_ne!(text_of(&made, "/result/cacheScope"), Some("public"));
            assert!(code.is_none_or(|code| code != -32002 && code != -32042));
        }
        Era::Legacy => {
            for name in [
                "resultType",
                "ttlMs",
                "cacheScope",
                "requestState",
                "inputRequests",
            ] {
                assert!(
                    result.is_none_or(|result| result.get(name).is_none()),
                    "{made}"
                );
            }
            assert!(
                code.is_none_or(|code| !(-32099..=-32020).contains(&code)),
                "{made}"
            );
        }
    }
}

fn answers(tape: &mut Tape) {
    let name = match tape.one_in(3) {
        true => "error",
        false => "result",
    };
    let mut said = json!({"jsonrpc": "2.0", "id": 7});
    let mut body = object(tape, 0);
    if name == "error" {
        let members = body.as_object_mut().unwrap();
        let code = -32099 + i64::try_from(tape.below(120)).unwrap();
        members.insert("code".to_owned(), json!(code));
        members.insert("message".to_owned(), json!("m"));
    }
    said.as_object_mut().unwrap().insert(name.to_owned(), body);
    let Some(said) = read(&said) else {
        return;
    };
    let method = *tape.pick(&["tools/call", "tools/list", "resources/read", "prompts/get"]);
    let id = Id::from("mine");
    let asked = |revision| Asked {
        method: Method::find(method, revision, Sender::Client).unwrap(),
        revision,
        server_info: None,
    };
    let (modern, legacy) = (asked(Revision::V2026_07_28), asked(Revision::V2025_11_25));
    let made = answer_for_modern(&said, &id, &modern).unwrap();
    check_answer(message(&made).bytes(), modern.revision);
    if let Ok(made) = answer_same_era(&said, &id, &modern) {
        check_answer(message(&made).bytes(), modern.revision);
    }
    if let Ok(made) = answer_for_legacy(&said, &id, &legacy) {
        check_answer(message(&made).bytes(), legacy.revision);
        let made: Value = serde_json::from_slice(&made).unwrap();
        let structured = made.pointer("/result/structuredContent");
        let is_call = method == "tools/call";
        assert!(
            !is_call || structured.is_none_or(Value::is_object),
            "{made}"
        );
    }
    if let Ok(made) = answer_asking_same_era(&said, &id, "ours", &modern) {
        let made = message(&made);
        assert_eq!(request_state(&made).as_deref(), Some(&b"\"ours\""[..]));
        assert!(questions(&made).unwrap().len() <= QUESTIONS_MAX);
    }
    for question in questions(&said).unwrap_or_default() {
        if let Ok(made) = question_for_legacy(&question, &id, Revision::V2025_11_25, Some("e")) {
            message(&made);
        }
    }
    if let Some(pages) = url_elicitations(&said) {
        assert!(pages.iter().all(Question::is_url));
        message(&input_required(&id, &pages, "s", None));
    }
    for welcome in [Welcome::of_initialize(&said), Welcome::of_discover(&said)] {
        let Ok(welcome) = welcome else {
            continue;
        };
        let offer = Offer {
            welcomes: &[("a", &welcome)],
            own: b"{}",
            lesson: None,
            has_prompts: false,
        };
        message(&initialize_result(&id, Revision::V2025_11_25, &offer));
        message(&discover_result(&id, &[], &offer));
    }
}

fn requests(tape: &mut Tape) {
    let method = *tape.pick(&[
        "tools/call",
        "tools/list",
        "elicitation/create",
        "subscriptions/listen",
    ]);
    let said = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": object(tape, 0)});
    let Some(said) = read(&said) else {
        return;
    };
    let (id, token) = (Id::from(1), Id::from("t"));
    let relabel = Relabel {
        id: Some(&id),
        token: Some(&token),
    };
    let stamp = Stamp {
        capabilities: b"{}",
        client_info: None,
        log_level: None,
    };
    if let Ok(made) = request_for_modern(&said, &relabel, &stamp, None) {
        let made: Value = serde_json::from_slice(message(&made).bytes()).unwrap();
        let version = "/params/_meta/io.modelcontextprotocol~1protocolVersion";
        assert_eq!(text_of(&made, version), Some("2026-07-28"));
    }
    let made = [
        request_for_legacy(&said, &relabel),
        request_same_era(&said, &relabel),
    ];
    for made in made.into_iter().flatten() {
        let made = message(&made);
        let keys = made.meta().into_iter().flat_map(|meta| meta.members());
        let modern = [
            "protocolVersion",
            "clientCapabilities",
            "clientInfo",
            "logLevel",
        ];
        for (key, _) in keys {
            let key = key.decoded();
            let name = key.strip_prefix("io.modelcontextprotocol/");
            assert!(name.is_none_or(|name| !modern.contains(&name)), "{key}");
        }
    }
    if let Ok(question) = question_of_legacy("k", &said) {
        message(&input_required(&id, &[question], "s", None));
    }
    if let Ok(wanted) = wish(&said) {
        message(&acknowledged(&id, &wanted));
    }
    drop(inputs(&said));
}

proptest! {
    #[test]
    fn no_answer_brings_what_the_client_must_not_see(mut tape in tape()) {
        answers(&mut tape);
    }

    #[test]
    fn no_request_brings_what_the_server_must_not_see(mut tape in tape()) {
        requests(&mut tape);
    }
}
