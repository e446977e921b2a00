//! Answers on their way to a client.

use super::*;
use Revision::{V2025_06_18, V2025_11_25, V2026_07_28};

const INFO: &[u8] = br#"{"name":"s","version":"1"}"#;

fn asked(name: &str, revision: Revision) -> Asked<'static> {
    Asked {
        method: method(name, revision),
        revision,
        server_info: Some(INFO),
    }
}

/// Only the result or the error; the envelope is looked at elsewhere.
fn body(made: Result<Bytes, BridgeError>) -> String {
    let made = message(&text(&made.unwrap()));
    assert_eq!(made.id(), Some(Id::from("mine")));
    let body = made.result().or(made.error()).unwrap();
    String::from_utf8(body.raw().to_vec()).unwrap()
}

fn answer(result: &str) -> Message {
    message(&format!(r#"{{"jsonrpc":"2.0","id":7,"result":{result}}}"#))
}

fn failure(error: &str) -> Message {
    message(&format!(r#"{{"jsonrpc":"2.0","id":7,"error":{error}}}"#))
}

#[test]
fn b2_an_answer_has_the_id_of_its_request_whatever_the_server_wrote() {
    let cases = [
        (
            r#"{ "jsonrpc":"2.0", "id" : 7, "result":{"content":[]} ,"x":1}"#,
            r#"{ "jsonrpc":"2.0", "id" : "mine", "result":{"content":[]} ,"x":1}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}}"#,
            r#"{"jsonrpc":"2.0","id":"mine","error":{"code":-32600,"message":"m"}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"}}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"},"id":"mine"}"#,
        ),
    ];
    for (said, expected) in cases {
        let asked = asked("tools/call", V2025_11_25);
        let made = answer_same_era(&message(said), &Id::from("mine"), &asked).unwrap();
        assert_eq!(text(&made), expected);
    }
    let asked = asked("tools/call", V2025_11_25);
    let id = Id::from(1);
    for made in [answer_same_era, answer_for_legacy, answer_for_modern] {
        let request = message(r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#);
        assert_eq!(made(&request, &id, &asked), Err(BridgeError::NoResponse));
    }
}

#[test]
fn a_modern_client_gets_a_complete_result_that_nobody_may_keep() {
    let meta = r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}"#;
    let cases = [
        (
            "tools/call",
            r#"{"content":[ ],"isError":false}"#,
            format!(r#"{{"content":[ ],"isError":false,"resultType":"complete",{meta}}}"#),
        ),
        (
            "resources/read",
            r#"{"contents":[]}"#,
            format!(r#"{{"contents":[],"resultType":"complete","ttlMs":0,"cacheScope":"private",{meta}}}"#),
        ),
        (
            "prompts/list",
            r#"{"prompts":[],"nextCursor":"c","ttlMs":99,"cacheScope":"public"}"#,
            format!(r#"{{"prompts":[],"nextCursor":"c","ttlMs":0,"cacheScope":"private","resultType":"complete",{meta}}}"#),
        ),
        ("completion/complete", "{}", format!(r#"{{"resultType":"complete",{meta}}}"#)),
        // A legacy server does not ask in results; what looks like it is taken out.
        (
            "tools/call",
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}},"requestState":"s","content":[]}"#,
            format!(r#"{{"resultType":"complete","content":[],{meta}}}"#),
        ),
        (
            "prompts/get",
            r#"{"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"other"},"a/b":1,"io.modelcontextprotocol/related-task":{"taskId":"1"},"io.modelcontextprotocol/subscriptionId":3},"messages":[]}"#,
            r#"{"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"},"a/b":1},"messages":[],"resultType":"complete"}"#.to_owned(),
        ),
    ];
    for (name, result, expected) in cases {
        let asked = asked(name, V2026_07_28);
        let made = answer_for_modern(&answer(result), &Id::from("mine"), &asked);
        assert_eq!(body(made), expected, "{name}");
    }
    let mut nameless = asked("tools/call", V2026_07_28);
    nameless.server_info = None;
    let said = answer(r#"{"_meta":{"io.modelcontextprotocol/serverInfo":{}},"content":[]}"#);
    let made = answer_for_modern(&said, &Id::from("mine"), &nameless);
    assert_eq!(body(made), r#"{"content":[],"resultType":"complete"}"#);
}

#[test]
fn tools_that_only_run_as_tasks_are_not_listed_to_modern_clients() {
    let required = r#"{"name":"a","execution":{"taskSupport":"required"}}"#;
    let optional = r#"{"name":"b","execution":{"taskSupport":"optional"}}"#;
    let plain = r#"{"name":"c"}"#;
    let tail = r#""resultType":"complete","ttlMs":0,"cacheScope":"private""#;
    let cases = [
        (format!("[{required}]"), "[]".to_owned()),
        (
            format!("[{required}, {optional},{plain}]"),
            format!("[{optional},{plain}]"),
        ),
        (
            format!("[{plain}, {required} , {optional} ]"),
            format!("[{plain} , {optional} ]"),
        ),
        (format!("[{plain},{required}]"), format!("[{plain}]")),
        ("7".to_owned(), "7".to_owned()),
    ];
    for (tools, expected) in cases {
        let mut asked = asked("tools/list", V2026_07_28);
        asked.server_info = None;
        let said = answer(&format!(r#"{{"tools":{tools}}}"#));
        let made = body(answer_for_modern(&said, &Id::from("mine"), &asked));
        assert_eq!(made, format!(r#"{{"tools":{expected},{tail}}}"#));
    }
    assert!(needs_core_tasks(document(required).root()));
    assert!(!needs_core_tasks(document(optional).root()));
}

/// An error of this code, with these further members.
fn error(code: i64, data: &str) -> String {
    format!(r#"{{"code":{code},"message":"m"{data}}}"#)
}

const PAGES: &str = r#","data":{"elicitations":[]}"#;
const NEEDS_URL: &str = r#","data":{"requiredCapabilities":{"elicitation":{"url":{}}}}"#;

#[test]
fn b4_a_modern_client_never_sees_a_code_of_the_legacy_era() {
    for (name, code, data, expected, new) in [
        ("resources/read", -32002, "", -32602, ""),
        ("tools/call", -32002, "", -32602, ""),
        ("tools/call", -32042, PAGES, -32021, NEEDS_URL),
        ("tools/call", -32042, "", -32021, NEEDS_URL),
        ("tools/call", -32020, "", -32603, ""),
        ("tools/call", -32022, "", -32603, ""),
        ("tools/call", -32099, "", -32603, ""),
        ("tools/call", -32100, "", -32100, ""),
        ("tools/call", -32019, "", -32019, ""),
        ("tools/call", -32000, "", -32000, ""),
        (
            "tools/call",
            -32602,
            ",\"data\":[1 ]",
            -32602,
            ",\"data\":[1 ]",
        ),
        ("tools/call", 7, "", 7, ""),
    ] {
        let said = failure(&error(code, data));
        let made = answer_for_modern(&said, &Id::from("mine"), &asked(name, V2026_07_28));
        assert_eq!(body(made), error(expected, new), "{code}");
    }
}

#[test]
fn b4_a_legacy_client_never_sees_a_code_of_the_modern_era() {
    for (name, code, expected) in [
        ("resources/read", -32602, -32002),
        ("tools/call", -32602, -32602),
        ("tools/call", -32020, -32603),
        ("tools/call", -32021, -32600),
        ("tools/call", -32022, -32603),
        ("tools/call", -32042, -32603),
        ("resources/read", -32002, -32002),
        ("tools/call", -32601, -32601),
        ("tools/call", -1, -1),
    ] {
        let said = failure(&error(code, ""));
        let made = answer_for_legacy(&said, &Id::from("mine"), &asked(name, V2025_11_25));
        assert_eq!(body(made), error(expected, ""), "{code}");
    }
}

#[test]
fn b4_what_went_wrong_on_our_hop_is_not_told_as_the_client_s_fault() {
    let id = Id::from("mine");
    for (code, data, expected) in [
        (-32002, "", -32602),
        (-32020, "", -32603),
        (-32021, NEEDS_URL, -32021),
        (
            -32021,
            r#","data":{"requiredCapabilities":["roots"]}"#,
            -32603,
        ),
        (-32021, "", -32603),
        (
            -32022,
            r#","data":{"supported":[],"requested":"x"}"#,
            -32603,
        ),
        (-32042, PAGES, -32603),
        (-32603, "", -32603),
    ] {
        let said = failure(&error(code, data));
        let made = answer_same_era(&said, &id, &asked("tools/call", V2026_07_28));
        assert_eq!(body(made), error(expected, data), "{code}");
        // Legacy servers and clients keep their codes among themselves.
        let made = answer_same_era(&said, &id, &asked("tools/call", V2025_11_25));
        assert_eq!(body(made), error(code, data), "{code}");
    }
}

#[test]
fn a_legacy_client_gets_a_result_in_its_own_words() {
    let cases = [
        (
            "tools/call",
            r#"{"resultType":"complete","content":[ ],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}}"#,
            r#"{"content":[ ]}"#,
        ),
        (
            "tools/list",
            r#"{"tools":[],"ttlMs":5,"nextCursor":"","cacheScope":"public","resultType":"complete","_meta":{"a/b":1,"io.modelcontextprotocol/serverInfo":{}}}"#,
            r#"{"tools":[],"nextCursor":"","_meta":{"a/b":1}}"#,
        ),
        // An older server of the modern era says nothing of the kind of its result (B8).
        (
            "prompts/get",
            r#"{"messages":[],"x":{}}"#,
            r#"{"messages":[],"x":{}}"#,
        ),
    ];
    for (name, result, expected) in cases {
        let made = answer_for_legacy(
            &answer(result),
            &Id::from("mine"),
            &asked(name, V2025_06_18),
        );
        assert_eq!(body(made), expected, "{name}");
    }
}

#[test]
fn json_that_is_no_object_reaches_a_legacy_client_as_text() {
    let cases = [
        (
            r#"{"content":[],"structuredContent":{"a":1}}"#,
            r#"{"content":[],"structuredContent":{"a":1}}"#,
        ),
        (
            r#"{"content":[],"structuredContent":[1, "a\"b"]}"#,
            r#"{"content":[{"type":"text","text":"[1, \"a\\\"b\"]"}]}"#,
        ),
        (
            r#"{"structuredContent":null,"content":[ {"type":"text","text":"x"} ]}"#,
            r#"{"content":[ {"type":"text","text":"x"},{"type":"text","text":"null"} ]}"#,
        ),
        (
            r#"{"structuredContent":3}"#,
            r#"{"content":[{"type":"text","text":"3"}]}"#,
        ),
        // A block that says the same already.
        (
            r#"{"content":[{"type":"image","text":"[1]"},{"type":"text","text":" [1.0 , {\"a\":\"\\u0062\"}]"}],"structuredContent":[1.0,{"a":"b"}]}"#,
            r#"{"content":[{"type":"image","text":"[1]"},{"type":"text","text":" [1.0 , {\"a\":\"\\u0062\"}]"}]}"#,
        ),
        (
            r#"{"content":[{"type":"text","text":"[1,2]"}],"structuredContent":[1]}"#,
            r#"{"content":[{"type":"text","text":"[1,2]"},{"type":"text","text":"[1]"}]}"#,
        ),
        (
            r#"{"content":[{"type":"text","text":"[{\"a\":1}]"}],"structuredContent":[{"b":1}]}"#,
            r#"{"content":[{"type":"text","text":"[{\"a\":1}]"},{"type":"text","text":"[{\"b\":1}]"}]}"#,
        ),
        (
            r#"{"content":[{"type":"text","text":"true"}],"structuredContent":false}"#,
            r#"{"content":[{"type":"text","text":"true"},{"type":"text","text":"false"}]}"#,
        ),
        (
            r#"{"content":[{"type":"text","text":"\"a"}],"structuredContent":"a"}"#,
            r#"{"content":[{"type":"text","text":"\"a"},{"type":"text","text":"\"a\""}]}"#,
        ),
    ];
    for (result, expected) in cases {
        let asked = asked("tools/call", V2025_11_25);
        let made = answer_for_legacy(&answer(result), &Id::from("mine"), &asked);
        assert_eq!(body(made), expected);
    }
    // Only tools give back such content.
    let result = r#"{"messages":[],"structuredContent":3}"#;
    let asked = asked("prompts/get", V2025_11_25);
    assert_eq!(
        body(answer_for_legacy(
            &answer(result),
            &Id::from("mine"),
            &asked
        )),
        result
    );
}

#[test]
fn listed_schemas_fit_what_legacy_clients_read() {
    let cases = [
        (
            r#"{"name":"a","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}"#,
            r#"{"name":"a","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}"#,
        ),
        (
            r#"{"name":"a","outputSchema":{"type":"array"},"inputSchema":{"type":"object"}}"#,
            r#"{"name":"a","inputSchema":{"type":"object"}}"#,
        ),
        (
            r#"{"name":"a","inputSchema":{"type":"object"},"outputSchema":{"$ref":"x"}}"#,
            r#"{"name":"a","inputSchema":{"type":"object"}}"#,
        ),
        (
            r#"{"name":"a","inputSchema":{"type":"object"},"outputSchema":{"type":["object"]}}"#,
            r#"{"name":"a","inputSchema":{"type":"object"}}"#,
        ),
        (
            r#"{"name":"a","inputSchema":{"type":"object","properties":{"p":true,"q":{"x":true},"r": false}}}"#,
            r#"{"name":"a","inputSchema":{"type":"object","properties":{"p":{},"q":{"x":true},"r": {"not":{}}}}}"#,
        ),
        (
            r#"{"name":"a","outputSchema":{"type":"object","properties":{"p":true}}}"#,
            r#"{"name":"a","outputSchema":{"type":"object","properties":{"p":{}}}}"#,
        ),
        ("7", "7"),
    ];
    for (tool, expected) in cases {
        let said = answer(&format!(r#"{{"tools":[{tool} ,{tool}]}}"#));
        let made = answer_for_legacy(&said, &Id::from("mine"), &asked("tools/list", V2025_11_25));
        assert_eq!(
            body(made),
            format!(r#"{{"tools":[{expected} ,{expected}]}}"#)
        );
    }
}

#[test]
fn b8_says_what_a_result_is_and_takes_nothing_that_was_not_agreed_on() {
    use ResultKind::*;
    let asks = r#"{"resultType":"input_required","requestState":"s"}"#;
    let task = r#"{"resultType":"task","taskId":"t"}"#;
    let cases = [
        ("tools/call", "{}", false, Complete),
        (
            "tools/call",
            r#"{"resultType":"complete"}"#,
            false,
            Complete,
        ),
        ("tools/call", r#"{"resultType":"Complete"}"#, false, Unknown),
        ("tools/call", r#"{"resultType":null}"#, false, Unknown),
        ("tools/call", r#"{"resultType":"partial"}"#, true, Unknown),
        ("tools/call", asks, false, InputRequired),
        ("prompts/get", asks, false, InputRequired),
        ("resources/read", asks, false, InputRequired),
        ("tools/list", asks, false, Unknown),
        ("completion/complete", asks, false, Unknown),
        (
            "tools/call",
            r#"{"resultType":"input_required"}"#,
            false,
            Unknown,
        ),
        (
            "tools/call",
            r#"{"resultType":"input_required","inputRequests":{}}"#,
            false,
            InputRequired,
        ),
        ("tools/call", task, true, Task),
        ("tools/call", task, false, Unknown),
        ("prompts/get", task, true, Unknown),
    ];
    for (name, result, tasks, expected) in cases {
        let method = method(name, V2026_07_28);
        assert_eq!(
            result_kind(&answer(result), method, tasks),
            expected,
            "{name} {result}"
        );
    }
    let error = failure(r#"{"code":1,"message":"m"}"#);
    assert_eq!(
        result_kind(&error, method("tools/call", V2026_07_28), true),
        Error
    );
    let id = Id::from("mine");
    for (result, legacy, same) in [
        (
            asks,
            BridgeError::NotComplete,
            Some(BridgeError::NotComplete),
        ),
        (task, BridgeError::ResultType, None),
        (
            r#"{"resultType":7}"#,
            BridgeError::ResultType,
            Some(BridgeError::ResultType),
        ),
    ] {
        let to_legacy = answer_for_legacy(&answer(result), &id, &asked("tools/call", V2025_11_25));
        assert_eq!(to_legacy, Err(legacy), "{result}");
        let to_modern = answer_same_era(&answer(result), &id, &asked("tools/call", V2026_07_28));
        assert_eq!(to_modern.err(), same, "{result}");
    }
}

#[test]
fn an_answer_between_modern_hops_is_for_this_caller_only() {
    let cases = [
        (
            "tools/list",
            r#"{"tools":[],"resultType":"complete","ttlMs":60000,"cacheScope":"public"}"#,
            r#"{"tools":[],"resultType":"complete","ttlMs":60000,"cacheScope":"private"}"#,
        ),
        (
            "resources/read",
            r#"{"contents":[]}"#,
            r#"{"contents":[],"resultType":"complete","cacheScope":"private","ttlMs":0}"#,
        ),
        (
            "tools/list",
            r#"{"tools":[],"ttlMs":-1,"cacheScope":7}"#,
            r#"{"tools":[],"ttlMs":0,"cacheScope":"private","resultType":"complete"}"#,
        ),
        (
            "tools/list",
            r#"{"tools":[],"ttlMs":3600000,"resultType":"complete","cacheScope":"private"}"#,
            r#"{"tools":[],"ttlMs":3600000,"resultType":"complete","cacheScope":"private"}"#,
        ),
        (
            "tools/list",
            r#"{"tools":[],"ttlMs":3600001,"resultType":"complete","cacheScope":"private"}"#,
            r#"{"tools":[],"ttlMs":3600000,"resultType":"complete","cacheScope":"private"}"#,
        ),
        (
            "tools/list",
            r#"{"tools":[],"ttlMs":1.5}"#,
            r#"{"tools":[],"ttlMs":0,"resultType":"complete","cacheScope":"private"}"#,
        ),
        (
            "tools/call",
            r#"{"content":[],"ttlMs":5,"cacheScope":"public","structuredContent":7}"#,
            r#"{"content":[],"ttlMs":5,"cacheScope":"private","structuredContent":7,"resultType":"complete"}"#,
        ),
        (
            "tools/call",
            r#"{"resultType":"task","taskId":"t","ttlMs":5,"cacheScope":"public"}"#,
            r#"{"resultType":"task","taskId":"t","ttlMs":5,"cacheScope":"private"}"#,
        ),
        // What is complete asks nothing; a task that is read may.
        (
            "tools/call",
            r#"{"inputRequests":{},"content":[],"requestState":"s"}"#,
            r#"{"content":[],"resultType":"complete"}"#,
        ),
        (
            "tasks/get",
            r#"{"inputRequests":{},"taskId":"t"}"#,
            r#"{"inputRequests":{},"taskId":"t","resultType":"complete"}"#,
        ),
    ];
    for (name, result, expected) in cases {
        let mut asked = asked(name, V2026_07_28);
        asked.server_info = None;
        let made = answer_same_era(&answer(result), &Id::from("mine"), &asked);
        assert_eq!(body(made), expected);
    }
    let said = answer(
        r#"{"content":[],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"x"},"a/b":1}}"#,
    );
    let made = answer_same_era(&said, &Id::from("mine"), &asked("tools/call", V2026_07_28));
    let expected = r#"{"content":[],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"},"a/b":1}}"#;
    assert_eq!(body(made), expected);
}

#[test]
fn r5_a_question_between_modern_hops_carries_our_state_and_never_the_server_s() {
    let id = Id::from("mine");
    let asked = |name| {
        let mut asked = asked(name, V2026_07_28);
        asked.server_info = None;
        asked
    };
    let cases = [
        (
            r#"{"resultType":"input_required","requestState":"theirs\u0021","inputRequests":{ "a":{"method":"roots/list","x":1} }}"#,
            r#"{"resultType":"input_required","requestState":"o\"s","inputRequests":{ "a":{"method":"roots/list","x":1} }}"#,
        ),
        (
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}},"cacheScope":"public"}"#,
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}},"cacheScope":"private","requestState":"o\"s"}"#,
        ),
    ];
    for (result, expected) in cases {
        let made = answer_asking_same_era(&answer(result), &id, "o\"s", &asked("tools/call"));
        assert_eq!(body(made), expected);
    }
    let refused = [
        (r#"{"content":[]}"#, BridgeError::ResultType),
        (
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"tools/call"}}}"#,
            BridgeError::NoQuestion,
        ),
        (
            r#"{"resultType":"input_required","inputRequests":[]}"#,
            BridgeError::Question,
        ),
    ];
    for (result, error) in refused {
        let made = answer_asking_same_era(&answer(result), &id, "s", &asked("tools/call"));
        assert_eq!(made, Err(error), "{result}");
    }
    let made = answer_asking_same_era(
        &answer(r#"{"resultType":"input_required","requestState":"s"}"#),
        &id,
        "s",
        &asked("tools/list"),
    );
    assert_eq!(made, Err(BridgeError::ResultType));
}
