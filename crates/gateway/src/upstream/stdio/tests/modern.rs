//! What is said to a modern process and by it (section 2.6): subscriptions, cancellation, restarts.

use super::*;

async fn met(world: &World, session: &str) -> Link {
    let met = world.meet("alice", session, Era::Modern).await.unwrap();
    assert_eq!(met.link.era(), Era::Modern);
    met.link
}

async fn listen(link: &Link, id: &str) -> Events {
    let bytes = format!(
        r#"{{"jsonrpc":"2.0","id":"{id}","method":"subscriptions/listen","params":{{"notifications":{{"toolsListChanged":true}}}}}}"#
    );
    let outgoing = Outgoing {
        bytes: bytes.into(),
        shape: Shape::Request,
        id: Some(Id::from(id)),
        method: "subscriptions/listen",
        headers: Vec::new(),
    };
    link.subscribe(outgoing).await.unwrap()
}

fn names(text: &str, id: &str) -> bool {
    text.contains(&format!(
        r#""io.modelcontextprotocol/subscriptionId":"{id}""#
    ))
}

#[tokio::test]
async fn a_subscription_is_named_as_its_session_named_it() {
    let world = World::of("modern");
    let one = met(&world, "s1").await;
    let two = met(&world, "s2").await;
    let mut hears = listen(&one, "mine").await;
    let acknowledged = next(&mut hears).await.unwrap();
    assert!(acknowledged.contains("acknowledged"), "{acknowledged}");
    assert!(names(&acknowledged, "mine"), "{acknowledged}");
    // What another session brings about is heard by those who subscribed to it only.
    assert_eq!(text_of(&two, "publish").await, "published");
    let changed = next(&mut hears).await.unwrap();
    assert!(changed.contains("list_changed"), "{changed}");
    assert!(names(&changed, "mine"), "{changed}");
    assert_eq!(text_of(&two, "end").await, "ended");
    let done = next(&mut hears).await.unwrap();
    assert!(done.contains(r#""id":"mine","result""#), "{done}");
    assert!(names(&done, "mine"), "{done}");
    assert_eq!(next(&mut hears).await, None);
    assert!(one.listen(None).await.unwrap().is_none());
}

#[tokio::test]
async fn to_stop_reading_is_to_cancel() {
    for way in ["drop", "cancel", "deadline", "drop the waiting", "listen"] {
        let world = World::of("modern");
        let link = met(&world, "s1").await;
        let soon = Duration::from_millis(50);
        match way {
            "listen" => drop(listen(&link, "mine").await),
            "deadline" => {
                let error = send_within(&link, &call("1", "hang"), soon).await;
                assert_eq!(error.unwrap_err(), UpstreamError::Deadline);
            }
            "drop the waiting" => {
                let call = call("1", "hang");
                let waiting = send(&link, &call);
                assert!(tokio::time::timeout(soon, waiting).await.is_err());
            }
            _ => {
                let call = call("1", "start")
                    .replace("{\"name\"", "{\"_meta\":{\"progressToken\":\"t\"},\"name\"");
                let events = stream(send(&link, &call).await.unwrap());
                match way {
                    "cancel" => events.cancel(),
                    _ => drop(events),
                }
            }
        }
        world.until_noted("notifications/cancelled").await;
        assert_eq!(text_of(&link, "hello").await, "hello", "{way}");
        let cancelled = world.log().matches("notifications/cancelled").count();
        assert_eq!(cancelled, 1, "{way}");
    }
}

#[tokio::test]
async fn a_legacy_process_is_told_of_a_cancellation_only() {
    let world = World::new();
    let link = world.open("alice", "s1").await;
    let progressing =
        call("1", "start").replace("{\"name\"", "{\"_meta\":{\"progressToken\":\"t\"},\"name\"");
    drop(stream(send(&link, &progressing).await.unwrap()));
    assert_eq!(text_of(&link, "hello").await, "hello");
    assert!(!world.log().contains("notifications/cancelled"));
    let events = stream(send(&link, &progressing).await.unwrap());
    events.cancel();
    world.until_noted("notifications/cancelled").await;
}

#[tokio::test]
async fn an_answered_call_is_not_cancelled() {
    let world = World::of("modern");
    let link = met(&world, "s1").await;
    for way in ["finish", "drop", "cancel"] {
        let call = r#"{"jsonrpc":"2.0","id":"c1","method":"tools/call","params":{"_meta":{"progressToken":"mine"},"name":"progress"}}"#;
        let mut events = stream(send(&link, call).await.unwrap());
        let progress = next(&mut events).await.unwrap();
        assert!(progress.contains(r#""progressToken":"mine""#), "{progress}");
        assert!(next(&mut events).await.unwrap().contains(r#""id":"c1""#));
        match way {
            "finish" => events.finish(),
            "cancel" => events.cancel(),
            _ => drop(events),
        }
    }
    assert_eq!(text_of(&link, "hello").await, "hello");
    assert!(!world.log().contains("notifications/cancelled"));
}

#[tokio::test]
async fn a_restart_ends_the_subscriptions_and_the_next_call_starts_anew() {
    let world = World::of("modern");
    let link = met(&world, "s1").await;
    let mut hears = listen(&link, "mine").await;
    assert!(next(&mut hears).await.unwrap().contains("acknowledged"));
    let error = send(&link, &call("1", "crash")).await.unwrap_err();
    assert_eq!(error.code(), "upstream_crashed");
    let error = hears.next().await.unwrap_err();
    assert_eq!(error.code(), "upstream_crashed");
    assert_eq!(text_of(&link, "hello").await, "hello");
    assert_eq!(world.starts(), 2);
    // Nothing is repeated on its own: to subscribe again is for those who want it.
    assert_eq!(world.log().matches("subscriptions/listen").count(), 1);
    let mut hears = listen(&link, "again").await;
    assert!(names(&next(&mut hears).await.unwrap(), "again"));
}

#[tokio::test]
async fn a_server_that_asks_is_declined_at_the_pipe() {
    let world = World::of("modern");
    let link = met(&world, "s1").await;
    let soon = Duration::from_millis(200);
    let error = send_within(&link, &call("1", "ask"), soon).await;
    assert_eq!(error.unwrap_err(), UpstreamError::Deadline);
    world
        .until_noted(r#""id":"q1","error":{"code":-32601"#)
        .await;
}

#[tokio::test]
async fn a_subscription_that_is_never_acknowledged_is_an_error() {
    let world = World::with(|spec| {
        let script = format!(
            "MODE=modern; {}",
            SERVER.replace("subscriptions/listen", "-")
        );
        stdio_spec(spec).command = ["sh", "-c", &script].map(str::to_owned).to_vec();
    });
    let link = met(&world, "s1").await;
    let mut hears = listen(&link, "mine").await;
    let error = in_no_time(hears.next()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Deadline);
    world.until_noted("notifications/cancelled").await;
}

#[tokio::test]
async fn a_modern_process_ends_when_the_last_session_is_gone() {
    let world = World::of("modern");
    let one = met(&world, "s1").await;
    let two = met(&world, "s2").await;
    let pid = text_of(&one, "pid").await;
    assert_eq!(text_of(&two, "pid").await, pid);
    one.close().await;
    assert_eq!(text_of(&two, "pid").await, pid);
    drop(two);
    until_gone(&pid).await;
    assert_eq!(world.starts(), 1);
}
