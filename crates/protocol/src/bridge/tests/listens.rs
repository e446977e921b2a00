//! `subscriptions/listen`, read and written.

use super::*;

const STAMP: Stamp<'static> = Stamp {
    capabilities: b"{}",
    client_info: None,
    log_level: None,
};

fn everything() -> Wish {
    Wish {
        tools: true,
        prompts: true,
        resources: true,
        uris: vec!["f:///a\"".into(), "f:///b/".into()],
        tasks: vec!["t".into()],
    }
}

fn listen(filter: &str) -> Message {
    message(&format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{{"notifications":{filter}}}}}"#
    ))
}

#[test]
fn a_wish_is_written_and_read_back() {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let filter = r#"{"promptsListChanged":true,"resourcesListChanged":true,"toolsListChanged":true,"resourceSubscriptions":["f:///a\"","f:///b/"],"taskIds":["t"]}"#;
    let only_tools = Wish {
        tools: true,
        ..Wish::default()
    };
    for (wanted, filter) in [
        (everything(), filter),
        (only_tools, r#"{"toolsListChanged":true}"#),
        (Wish::default(), "{}"),
    ] {
        let made = text(&listen_request(&Id::from("l"), &wanted, &STAMP));
        let expected = format!(
            r#"{{"jsonrpc":"2.0","id":"l","method":"subscriptions/listen","params":{{{meta},"notifications":{filter}}}}}"#
        );
        assert_eq!(made, expected);
        assert_eq!(wish(&message(&made)).unwrap(), wanted);
        let made = text(&acknowledged(&Id::from(7), &wanted));
        let expected = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":7}},"notifications":{filter}}}}}"#
        );
        assert_eq!(made, expected);
        assert_eq!(honoured(&message(&made)).unwrap(), wanted);
    }
    let false_is_nothing = listen(r#"{"toolsListChanged":false,"resourceSubscriptions":[],"x":1}"#);
    assert!(wish(&false_is_nothing).unwrap().is_empty());
    assert!(!everything().is_empty());
}

#[test]
fn a_listen_ends_with_a_result_that_names_it() {
    let made = listen_done(&Id::from("l"), Some(br#"{"name":"s","version":"1"}"#));
    let expected = r#"{"jsonrpc":"2.0","id":"l","result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"l","io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}}}"#;
    assert_eq!(text(&made), expected);
    let made = listen_done(&Id::from(1), None);
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#;
    assert_eq!(text(&made), expected);
}

#[test]
fn a_malformed_wish_is_refused() {
    for filter in [
        "7",
        "[]",
        r#"{"toolsListChanged":1}"#,
        r#"{"promptsListChanged":null}"#,
        r#"{"resourceSubscriptions":"f:///a"}"#,
        r#"{"resourceSubscriptions":[7]}"#,
        r#"{"taskIds":{}}"#,
    ] {
        assert_eq!(wish(&listen(filter)), Err(BridgeError::Wish), "{filter}");
    }
    let bare = message(r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}"#);
    assert_eq!(wish(&bare), Err(BridgeError::Wish));
    let variant = wish(&listen(r#"{"ToolsListChanged":true}"#));
    assert!(matches!(variant, Err(BridgeError::Flaw(_))));
    let many = |count: usize| {
        let list = vec![r#""f:///a""#; count].join(",");
        wish(&listen(&format!(r#"{{"resourceSubscriptions":[{list}]}}"#)))
    };
    assert!(many(WISHES_MAX).is_ok());
    assert_eq!(many(WISHES_MAX + 1), Err(BridgeError::TooMany(WISHES_MAX)));
    assert_eq!(honoured(&listen("{}")), Err(BridgeError::NoNotification));
    let acknowledged = message(&text(&acknowledged(&Id::from(1), &Wish::default())));
    assert_eq!(wish(&acknowledged), Err(BridgeError::NoRequest));
}

#[test]
fn a_server_is_held_to_what_it_can_tell() {
    let none = Wish::default();
    let cases = [
        ("{}", none.clone()),
        (
            r#"{"tools":{"listChanged":true},"prompts":{"listChanged":false},"resources":{"subscribe":true}}"#,
            Wish {
                tools: true,
                uris: everything().uris,
                ..none.clone()
            },
        ),
        (
            r#"{"prompts":{"listChanged":true},"resources":{"listChanged":true},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
            Wish {
                prompts: true,
                resources: true,
                tasks: everything().tasks,
                ..none.clone()
            },
        ),
    ];
    for (capabilities, expected) in cases {
        let capabilities = document(capabilities);
        assert_eq!(everything().limited_to(capabilities.root()), expected);
        assert_eq!(none.limited_to(capabilities.root()), none);
    }
    let one = Wish {
        tools: true,
        uris: vec!["b".into(), "a".into()],
        ..none.clone()
    };
    let two = Wish {
        prompts: true,
        uris: vec!["c".into(), "a".into()],
        tasks: vec!["t".into()],
        ..none
    };
    let both = Wish {
        tools: true,
        prompts: true,
        resources: false,
        uris: vec!["b".into(), "a".into(), "c".into()],
        tasks: vec!["t".into()],
    };
    assert_eq!(one.union(&two), both);
}

#[test]
fn nobody_is_told_what_they_did_not_ask_for() {
    let told = |method: &str, params: &str| {
        message(&format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/{method}","params":{params}}}"#
        ))
    };
    let cases = [
        ("tools/list_changed", "{}", true),
        ("prompts/list_changed", "{}", true),
        ("resources/list_changed", "{}", true),
        ("resources/updated", r#"{"uri":"f:///a\""}"#, true),
        ("resources/updated", r#"{"uri":"f:///a\"/part"}"#, true),
        ("resources/updated", r#"{"uri":"f:///b/part"}"#, true),
        ("resources/updated", r#"{"uri":"f:///a\"b"}"#, false),
        ("resources/updated", r#"{"uri":"f:///b"}"#, false),
        ("resources/updated", r#"{"uri":"f:///"}"#, false),
        ("resources/updated", "{}", false),
        ("tasks", r#"{"taskId":"t"}"#, true),
        ("tasks", r#"{"taskId":"u"}"#, false),
        ("message", r#"{"level":"info","data":1}"#, false),
        ("progress", r#"{"progressToken":1,"progress":1}"#, false),
    ];
    for (method, params, expected) in cases {
        let notice = told(method, params);
        assert_eq!(everything().covers(&notice), expected, "{method} {params}");
        assert!(!Wish::default().covers(&notice), "{method} {params}");
    }
}
