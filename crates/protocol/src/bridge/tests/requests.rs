//! Requests on their way to a server.

use super::*;

const V: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
const C: &str = r#""io.modelcontextprotocol/clientCapabilities":{"roots":{}}"#;

fn relabel<'a>(id: &'a Id, token: &'a Id) -> Relabel<'a> {
    Relabel {
        id: Some(id),
        token: Some(token),
    }
}

#[test]
fn v1_a_legacy_server_gets_a_request_without_what_the_handshake_has_said() {
    let cases = [
        (
            format!(r#"{{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{{"_meta":{{{V},{C}}},"name":"x","arguments":{{"n":1.50}}}}}}"#),
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","arguments":{"n":1.50}}}"#,
        ),
        (
            format!(r#"{{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{{"_meta":{{{V},{C}}}}}}}"#),
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{}}"#,
        ),
        (
            format!(r#"{{ "id" : 1, "jsonrpc":"2.0","x":[ ],"method":"prompts/get","params":{{"name":"p" ,"_meta":{{{V}, "progressToken" : 3,{C},"traceparent":"00-0a","com.example/k":{{"a":[1 ]}}}}, "unknown":"\u0041"}} }}"#),
            r#"{ "id" : 7, "jsonrpc":"2.0","x":[ ],"method":"prompts/get","params":{"name":"p" ,"_meta":{"progressToken" : "t","traceparent":"00-0a","com.example/k":{"a":[1 ]}}, "unknown":"\u0041"} }"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"f:///a","inputResponses":{"k":{}},"_meta":{"io.modelcontextprotocol/logLevel":"info","io.modelcontextprotocol/anything":1,"baggage":"a=b"},"requestState":"s"}}"#.to_owned(),
            r#"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"f:///a","_meta":{"baggage":"a=b"}}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"prompts/list"}"#.to_owned(),
            r#"{"jsonrpc":"2.0","id":7,"method":"prompts/list"}"#,
        ),
    ];
    for (sent, expected) in cases {
        let (id, token) = (Id::from(7), Id::from("t"));
        let made = request_for_legacy(&message(&sent), &relabel(&id, &token)).unwrap();
        assert_eq!(self::text(&made), expected);
    }
    let same =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"progressToken":1}}}"#;
    let made = request_for_legacy(&message(same), &Relabel::default()).unwrap();
    assert_eq!(text(&made), same);
}

#[test]
fn v1_a_modern_server_gets_a_request_that_is_complete_in_itself() {
    let stamp = Stamp {
        capabilities: b"{\"roots\":{}}",
        client_info: Some(br#"{"name":"c","version":"1"}"#),
        log_level: Some("error"),
    };
    let full = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/logLevel":"error""#;
    let cases = [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
            format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{{"_meta":{{{full}}}}}}}"#),
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{ }}"#,
            format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{{"_meta":{{{full}}} }}}}"#),
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":4,"io.modelcontextprotocol/related-task":{"taskId":"1"}}}}"#,
            format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"x","_meta":{{"progressToken":"t",{full}}}}}}}"#),
        ),
        // What the message says of the client is replaced by what the gateway knows of it.
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","requestState":"old","_meta":{"io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"io.modelcontextprotocol/protocolVersion":"2099-01-01"},"inputResponses":{"a":{}}}}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{"io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/logLevel":"error"}}}"#.to_owned(),
        ),
    ];
    for (sent, expected) in cases {
        let (id, token) = (Id::from(7), Id::from("t"));
        let sent = message(sent);
        let made = request_for_modern(&sent, &relabel(&id, &token), &stamp, None).unwrap();
        assert_eq!(text(&made), expected);
    }
    let bare = Stamp {
        capabilities: b"{}",
        client_info: None,
        log_level: None,
    };
    let sent = message(
        r#"{"jsonrpc":"2.0","id":1,"method":"prompts/list","params":{"_meta":{"io.modelcontextprotocol/logLevel":"debug","io.modelcontextprotocol/clientInfo":{}}}}"#,
    );
    let made = request_for_modern(&sent, &Relabel::default(), &bare, None).unwrap();
    let expected = r#"{"jsonrpc":"2.0","id":1,"method":"prompts/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    assert_eq!(text(&made), expected);
}

type Inputs = [(Box<str>, Bytes)];

#[test]
fn r3_a_retry_carries_the_inputs_and_the_state_byte_for_byte() {
    let stamp = Stamp {
        capabilities: b"{}",
        client_info: None,
        log_level: None,
    };
    let inputs = [
        (
            Box::from("a\"b"),
            Bytes::from_static(br#"{"action":"accept" }"#),
        ),
        (Box::from("c"), Bytes::from_static(b"{ }")),
    ];
    let sent = message(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{},"requestState":"ours"}}"#,
    );
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let cases: [(&Inputs, Option<&[u8]>, String); 4] = [
        (
            &inputs,
            Some(br#""\u0073\/""#),
            format!(
                r#"{{"name":"x",{meta},"requestState":"\u0073\/","inputResponses":{{"a\"b":{{"action":"accept" }},"c":{{ }}}}}}"#
            ),
        ),
        (
            &inputs,
            None,
            format!(
                r#"{{"name":"x",{meta},"inputResponses":{{"a\"b":{{"action":"accept" }},"c":{{ }}}}}}"#
            ),
        ),
        (
            &[],
            Some(b"\"\""),
            format!(r#"{{"name":"x",{meta},"requestState":""}}"#),
        ),
        (&[], None, format!(r#"{{"name":"x",{meta}}}"#)),
    ];
    for (inputs, state, expected) in cases {
        let retry = Retry { inputs, state };
        let made = request_for_modern(&sent, &Relabel::default(), &stamp, Some(&retry)).unwrap();
        let made = message(&text(&made));
        let params = std::str::from_utf8(made.params().unwrap().raw()).unwrap();
        assert_eq!(params, expected);
    }
}

#[test]
fn v9_a_legacy_request_cannot_pass_for_a_modern_one() {
    let sent = message(&format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","_meta":{{{V},"progressToken":1,{C},"io.modelcontextprotocol/related-task":{{"taskId":"t"}}}},"task":{{"ttl":1}},"requestState":"s"}}}}"#
    ));
    let (id, token) = (Id::from(7), Id::from("t"));
    let made = request_same_era(&sent, &relabel(&id, &token)).unwrap();
    let expected = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":"t","io.modelcontextprotocol/related-task":{"taskId":"t"}},"task":{"ttl":1}}}"#;
    assert_eq!(text(&made), expected);
}

#[test]
fn a_legacy_server_begins_no_task_that_nobody_looks_after() {
    let call = |name: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{name}","params":{{"name":"x","task":{{"ttl":1}}}}}}"#
        )
    };
    let made = request_for_legacy(&message(&call("tools/call")), &Relabel::default()).unwrap();
    let expected = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}"#;
    assert_eq!(text(&made), expected);
    // Elsewhere the member is the server's own.
    let made = request_for_legacy(&message(&call("prompts/get")), &Relabel::default()).unwrap();
    assert_eq!(text(&made), call("prompts/get"));
}

#[test]
fn a_task_keeps_the_inputs_that_it_is_given() {
    let stamp = Stamp {
        capabilities: b"{}",
        client_info: None,
        log_level: None,
    };
    let sent = message(
        r#"{"jsonrpc":"2.0","id":1,"method":"tasks/update","params":{"taskId":"t","inputResponses":{"a":{ }}}}"#,
    );
    let made = request_for_modern(&sent, &Relabel::default(), &stamp, None).unwrap();
    let expected = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/update","params":{"taskId":"t","inputResponses":{"a":{ }},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    assert_eq!(text(&made), expected);
}

#[test]
fn what_the_other_era_does_not_have_is_refused() {
    let stamp = Stamp {
        capabilities: b"{}",
        client_info: None,
        log_level: None,
    };
    let relabel = Relabel::default();
    let to_legacy = |text: &str| request_for_legacy(&message(text), &relabel);
    let to_modern = |text: &str| request_for_modern(&message(text), &relabel, &stamp, None);
    let named = |name: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{name}"}}"#);
    for name in [
        "server/discover",
        "subscriptions/listen",
        "tasks/get",
        "tasks/update",
        "tasks/cancel",
        "tools/Call",
        "x",
    ] {
        assert_eq!(
            to_legacy(&named(name)),
            Err(BridgeError::NoCounterpart),
            "{name}"
        );
    }
    for name in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/result",
        "tasks/list",
        "x",
    ] {
        assert_eq!(
            to_modern(&named(name)),
            Err(BridgeError::NoCounterpart),
            "{name}"
        );
    }
    for other in [
        r#"{"jsonrpc":"2.0","method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
    ] {
        assert_eq!(to_legacy(other), Err(BridgeError::NoRequest));
        assert_eq!(to_modern(other), Err(BridgeError::NoRequest));
        let same = request_same_era(&message(other), &relabel);
        assert_eq!(same, Err(BridgeError::NoRequest));
    }
}
