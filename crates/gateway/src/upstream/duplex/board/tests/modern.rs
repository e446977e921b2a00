//! The board of a server of the modern era: subscriptions, and what such a server must not do.

use super::*;
use crate::upstream::duplex::queue::ITEMS_MAX;

const LISTEN: &str = r#"{"jsonrpc":"2.0","id":"mine","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}"#;

impl World {
    fn modern() -> Self {
        let world = World::new();
        world.board.speaks(Era::Modern);
        world
    }
}

/// A notification that names a subscription.
fn changed(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{{"_meta":{{"x":1.0,"io.modelcontextprotocol/subscriptionId":{id}}}}}}}"#
    )
}

#[tokio::test]
async fn puts_the_callers_name_of_a_subscription_back() {
    let world = World::modern();
    let (one, inbox) = world.session();
    let (two, _) = world.session();
    let (first, line, queue_one) = world.call(one, LISTEN);
    let (second, _, queue_two) = world.call(two, LISTEN);
    assert!(line.contains(&format!("\"id\":{first},")), "{line}");
    world.take(&changed(&second.to_string()));
    world.take(&changed(&first.to_string()));
    // Some servers repeat a number as a text.
    world.take(&changed(&format!("\"{first}\"")));
    let result = format!(
        r#"{{"jsonrpc":"2.0","id":{first},"result":{{"resultType":"complete","_meta":{{"io.modelcontextprotocol/subscriptionId":{first}}}}}}}"#
    );
    world.take(&result);
    let done = r#"{"jsonrpc":"2.0","id":"mine","result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"mine"}}}"#;
    let mine = changed("\"mine\"");
    assert_eq!(read(&queue_one).await, [&mine, &mine, done]);
    assert_eq!(read(&queue_two).await, [mine]);
    assert!(read(&inbox).await.is_empty());
    assert_eq!(world.board.dropped(), 0);
}

#[tokio::test]
async fn what_names_no_open_subscription_reaches_nobody() {
    let world = World::modern();
    let (session, inbox) = world.session();
    let (number, _, queue) = world.call(session, LISTEN);
    let (other, _, call) = world.call(session, CALL);
    for text in [
        changed("99"),
        changed("\"mine\""),
        changed("null"),
        changed("-1"),
        // A call is no subscription.
        changed(&other.to_string()),
        r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a://1"}}"#
            .to_owned(),
    ] {
        let before = world.board.dropped();
        assert_eq!(world.take(&text), None, "{text}");
        assert_eq!(world.board.dropped(), before + 1, "{text}");
    }
    assert!(read(&queue).await.is_empty());
    assert!(read(&call).await.is_empty());
    assert!(read(&inbox).await.is_empty());
    // After its end it is open no more.
    assert!(world.board.forget(number));
    world.take(&changed(&number.to_string()));
    assert!(read(&queue).await.is_empty());
}

#[tokio::test]
async fn logs_and_progress_belong_to_calls_and_never_to_subscriptions() {
    let world = World::modern();
    let (session, _) = world.session();
    let with_token = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":"t"}}}"#;
    let (number, _, call) = world.call(session, with_token);
    let (_, _, listening) = world.call(session, LISTEN);
    let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
    world.take(log);
    let progress = |token: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token}}}}}"#
        )
    };
    world.take(&progress(&number.to_string()));
    assert_eq!(read(&call).await, [log.to_owned(), progress("\"t\"")]);
    assert!(read(&listening).await.is_empty());
}

#[tokio::test]
async fn a_reader_too_slow_for_a_subscription_loses_it_and_not_a_message_of_it() {
    let world = World::modern();
    let (session, _) = world.session();
    let (number, _, queue) = world.call(session, LISTEN);
    for _ in 0..20 {
        assert_eq!(world.take(&changed(&number.to_string())), None);
    }
    let mut back = None;
    for _ in 0..ITEMS_MAX {
        back = back.or(world.take(&changed(&number.to_string())));
    }
    let back = back.unwrap();
    assert!(back.contains("notifications/cancelled"), "{back}");
    assert!(back.contains(&format!("\"requestId\":{number}")), "{back}");
    let mut seen = 0;
    loop {
        match queue.next().await {
            Item::Next(_) => seen += 1,
            Item::Last(last) => {
                assert_eq!(last, Err(UpstreamError::Behind));
                break;
            }
            Item::End => panic!("it ended without a word"),
        }
    }
    assert!(seen > 20, "what was taken is still delivered");
}

#[tokio::test]
async fn a_server_may_end_a_subscription_by_cancelling_it_and_a_call_not() {
    let world = World::modern();
    let (session, _) = world.session();
    let (number, _, queue) = world.call(session, LISTEN);
    let (other, _, call) = world.call(session, CALL);
    let cancel = |id: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
        )
    };
    for text in [cancel(&other.to_string()), cancel("77"), cancel("\"mine\"")] {
        world.take(&text);
    }
    assert_eq!(world.board.dropped(), 3);
    assert!(read(&call).await.is_empty());
    world.take(&cancel(&number.to_string()));
    assert_eq!(read(&queue).await, [cancel("\"mine\"")]);
    assert!(!world.board.forget(number));
}

#[tokio::test]
async fn a_call_that_its_session_cancels_is_over() {
    let world = World::modern();
    let (one, _) = world.session();
    let (two, _) = world.session();
    let (number, _, queue) = world.call(one, CALL);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(world.tell(two, cancel), None, "another session's call");
    let written = cancel.replace("\"requestId\":1", &format!("\"requestId\":{number}"));
    assert_eq!(world.tell(one, cancel), Some(written));
    assert_eq!(read(&queue).await, ["upstream_ended"]);
    assert!(!world.board.forget(number), "it is not cancelled twice");
    assert_eq!(world.tell(one, cancel), None);
}

#[tokio::test]
async fn a_modern_server_asks_nothing_and_is_told_nothing_it_did_not_ask() {
    let world = World::modern();
    let (session, inbox) = world.session();
    let (_, _, queue) = world.call(session, CALL);
    for method in ["roots/list", "sampling/createMessage", "ping"] {
        let question = format!(r#"{{"jsonrpc":"2.0","id":"q","method":"{method}"}}"#);
        let back = world.take(&question).unwrap();
        assert!(
            back.contains(r#""id":"q","error":{"code":-32601"#),
            "{back}"
        );
    }
    assert_eq!(world.board.dropped(), 3);
    assert!(read(&queue).await.is_empty());
    assert!(read(&inbox).await.is_empty());
    assert_eq!(
        world.tell(session, r#"{"jsonrpc":"2.0","id":"q","result":{}}"#),
        None
    );
}

#[tokio::test]
async fn a_broken_line_fails_the_only_call_whatever_is_subscribed_to() {
    let world = World::modern();
    let (session, _) = world.session();
    let (_, _, listening) = world.call(session, LISTEN);
    let broken = r#"{"jsonrpc":"2.0","id":3,"id":4,"result":{}}"#;
    world.take(broken);
    assert!(read(&listening).await.is_empty());
    let (_, _, call) = world.call(session, CALL);
    world.take(broken);
    assert_eq!(read(&call).await, ["upstream_malformed"]);
    assert!(read(&listening).await.is_empty());
}

#[tokio::test]
async fn bounds_the_subscriptions_of_a_session() {
    let world = World::modern();
    let (one, _) = world.session();
    let (two, _) = world.session();
    for _ in 0..SUBSCRIPTIONS_MAX {
        world.call(one, LISTEN);
    }
    let queue = Arc::new(Queue::new(4096));
    let bytes = Bytes::from_static(LISTEN.as_bytes());
    let error = world.board.call(one, 1, bytes, queue).unwrap_err();
    let what = "subscriptions";
    assert_eq!(error, UpstreamError::Full { what });
    world.call(two, LISTEN);
    world.call(one, CALL);
}
