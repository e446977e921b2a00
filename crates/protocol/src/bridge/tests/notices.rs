//! Notifications on their way, in both directions.

use super::*;
use Revision::{V2025_06_18, V2025_11_25, V2026_07_28};

fn change(sender: Sender, to: Revision) -> NoticeChange<'static> {
    NoticeChange {
        sender,
        to,
        token: None,
        request: None,
        subscription: Subscription::Keep,
    }
}

#[test]
fn a_notification_is_called_what_its_receiver_called_it() {
    let (token, request, listen) = (Id::from("t"), Id::from(8), Id::from("l"));
    let all = NoticeChange {
        token: Some(&token),
        request: Some(&request),
        subscription: Subscription::Set(&listen),
        ..change(Sender::Server, V2026_07_28)
    };
    let cases = [
        (
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{ "progressToken" : 1,"progress":0.50}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{ "progressToken" : "t","progress":0.50,"_meta":{"io.modelcontextprotocol/subscriptionId":"l"}}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a","reason":"r"}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8,"reason":"r","_meta":{"io.modelcontextprotocol/subscriptionId":"l"}}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"l"}}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"f:///a","_meta":{"io.modelcontextprotocol/subscriptionId":3,"a/b":1,"io.modelcontextprotocol/related-task":{}}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"f:///a","_meta":{"io.modelcontextprotocol/subscriptionId":"l","a/b":1}}}"#,
        ),
    ];
    for (told, expected) in cases {
        let made = notice(&message(told), &all).unwrap().unwrap();
        assert_eq!(text(&made), expected);
    }
    let keep = change(Sender::Server, V2026_07_28);
    for (told, _) in cases.get(..3).unwrap() {
        let made = notice(&message(told), &keep).unwrap().unwrap();
        assert_eq!(text(&made), *told);
    }
}

#[test]
fn a_legacy_receiver_sees_nothing_of_listens() {
    let remove = NoticeChange {
        subscription: Subscription::Remove,
        ..change(Sender::Server, V2025_11_25)
    };
    let cases = [
        (
            r#"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":3}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed","params":{}}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1,"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t"},"io.modelcontextprotocol/serverInfo":{}}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1,"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t"}}}}"#,
        ),
    ];
    for (told, expected) in cases {
        let made = notice(&message(told), &remove).unwrap().unwrap();
        assert_eq!(text(&made), expected);
    }
    let sent = message(
        r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
    );
    let made = notice(&sent, &change(Sender::Client, V2025_11_25))
        .unwrap()
        .unwrap();
    let expected = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed","params":{}}"#;
    assert_eq!(text(&made), expected);
}

#[test]
fn a_notification_that_the_other_revision_does_not_have_ends_here() {
    let gone = [
        (
            "notifications/elicitation/complete",
            Sender::Server,
            V2026_07_28,
        ),
        (
            "notifications/elicitation/complete",
            Sender::Server,
            V2025_06_18,
        ),
        ("notifications/tasks/status", Sender::Server, V2026_07_28),
        ("notifications/tasks", Sender::Server, V2025_11_25),
        (
            "notifications/subscriptions/acknowledged",
            Sender::Server,
            V2025_11_25,
        ),
        ("notifications/initialized", Sender::Client, V2026_07_28),
        (
            "notifications/roots/list_changed",
            Sender::Client,
            V2026_07_28,
        ),
        ("notifications/progress", Sender::Client, V2026_07_28),
        ("notifications/message", Sender::Client, V2025_11_25),
        ("notifications/unknown", Sender::Server, V2025_11_25),
    ];
    for (name, sender, to) in gone {
        let told = message(&format!(r#"{{"jsonrpc":"2.0","method":"{name}"}}"#));
        assert_eq!(notice(&told, &change(sender, to)), Ok(None), "{name} {to}");
    }
    let nameless = message(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#);
    for (to, exists) in [
        (V2025_06_18, false),
        (V2025_11_25, true),
        (V2026_07_28, false),
    ] {
        let made = notice(&nameless, &change(Sender::Server, to)).unwrap();
        assert_eq!(made.is_some(), exists, "{to}");
    }
    let request = message(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let made = notice(&request, &change(Sender::Server, V2025_11_25));
    assert_eq!(made, Err(BridgeError::NoNotification));
}
