//! What is said over a connection, by both sides, and what a hostile server comes to.

use super::*;

/// A server that says what `says` makes of a call's id, instead of answering it.
async fn saying(says: impl Fn(u32) -> Vec<String> + Send + Sync + 'static) -> (Old, Link) {
    let server = Old::with(
        move |seen, streams| {
            let id = id_of(&seen.body).filter(|_| seen.says("tools/call"))?;
            for text in says(id) {
                streams.say(&text);
            }
            Some(accepted())
        },
        |_| {},
    )
    .await;
    let link = server.world.open("s").await;
    (server, link)
}

fn progress(token: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
    )
}

#[tokio::test]
async fn answers_come_to_the_calls_they_answer() {
    let server = Old::new().await;
    let link = server.world.open("s").await;
    send(&link, INITIALIZED).await.unwrap();
    let (one, two) = (call(7), call(7));
    let (one, two) = tokio::join!(send(&link, &one), send(&link, &two));
    assert_eq!(message(one.unwrap()), result(7));
    assert_eq!(message(two.unwrap()), result(7));
    let seen = server.world.seen();
    let ids: Vec<_> = seen
        .iter()
        .filter(|seen| seen.says("tools/call"))
        .map(|seen| id_of(&seen.body).unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1], "both are under way under names of ours");
    assert_eq!(seen[0].header("accept"), Some("text/event-stream"));
    for request in &seen {
        assert_eq!(request.header("mcp-session-id"), None);
        assert_eq!(request.header("mcp-method"), None);
    }
}

#[tokio::test]
async fn progress_and_questions_come_on_the_stream_of_the_call() {
    let question = r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#;
    let (server, link) = saying(move |id| {
        vec![
            progress(&id.to_string()),
            question.to_owned(),
            r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#.to_owned(),
        ]
    })
    .await;
    let text = r#"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"_meta":{"progressToken":"t"}}}"#;
    let mut events = stream(send(&link, text).await.unwrap());
    assert_eq!(next(&mut events).await.unwrap(), progress("\"t\""));
    assert_eq!(next(&mut events).await.unwrap(), question);
    // A ping is answered here (rule L7).
    server.world.until(r#""id":"p","result":{}"#).await;
    let answer = r#"{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}"#;
    send(&link, answer).await.unwrap();
    assert_eq!(server.world.until("roots\":[]").await.body, answer);
    let posted = server.world.until("tools/call").await;
    server.streams.say(&result(id_of(&posted.body).unwrap()));
    let last = next(&mut events).await.unwrap();
    assert!(last.contains(r#""id":"c","result""#), "{last}");
    assert_eq!(next(&mut events).await, None);
}

#[tokio::test]
async fn what_the_server_says_unasked_reaches_those_who_listen() {
    let server = Old::new().await;
    let one = server.world.open("one").await;
    let mut hears_one = one.listen(None).await.unwrap().unwrap();
    let streams_of_one = server.streams.newest();
    let two = server.world.open("two").await;
    let mut hears_two = two.listen(None).await.unwrap().unwrap();
    assert!(matches!(
        two.listen(None).await,
        Err(UpstreamError::Listening)
    ));
    let changed = |x: u8| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{{"x":{x}}}}}"#
        )
    };
    server.streams.say(&changed(2));
    let said = format!("data: {}\n\n", changed(1));
    streams_of_one.send(said).await.unwrap();
    assert_eq!(next(&mut hears_one).await.unwrap(), changed(1));
    assert_eq!(next(&mut hears_two).await.unwrap(), changed(2));
}

#[tokio::test]
async fn answers_with_wrong_ids_and_second_answers_come_to_nothing() {
    let (_server, link) = saying(|id| {
        vec![
            result(id + 1),
            result(4_000_000),
            result(id).replace(&format!("\"id\":{id}"), &format!("\"id\":\"{id}\"")),
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"x"}}"#.to_owned(),
            progress("77"),
            "[]".to_owned(),
            "not json".to_owned(),
            result(id),
            result(id).replace("[]", "[2]"),
        ]
    })
    .await;
    for id in 1..=3 {
        assert_eq!(message(send(&link, &call(id)).await.unwrap()), result(id));
    }
}

#[tokio::test]
async fn bounds_a_message_while_it_is_read_and_opens_the_session_anew() {
    let big = "x".repeat(70_000);
    let server = Old::with(
        move |seen, streams| {
            let id = id_of(&seen.body).filter(|_| seen.says("tools/call"))?;
            let first = streams.count() == 1;
            streams.say(&match first {
                true => result(id).replace("[]", &format!("\"{big}\"")),
                false => result(id),
            });
            Some(accepted())
        },
        |_| {},
    )
    .await;
    let link = server.world.open("s").await;
    let error = send(&link, &call(1)).await.unwrap_err();
    assert_eq!(error, UpstreamError::TooLarge { max: 64 * 1024 });
    assert_eq!(message(send(&link, &call(2)).await.unwrap()), result(2));
    assert_eq!(server.streams.count(), 2);
}

#[tokio::test]
async fn l5_a_call_that_takes_too_long_is_cancelled_whatever_the_server_says_meanwhile() {
    for chatter in [0, 3000] {
        let (server, link) = saying(move |id| vec![progress(&id.to_string()); chatter]).await;
        let text = r#"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"_meta":{"progressToken":"t"}}}"#;
        // It has to be on its way by then.
        let soon = Duration::from_secs(3);
        let error = match send_within(&link, text, soon).await {
            Err(error) => error,
            Ok(reply) => {
                let mut events = stream(reply);
                loop {
                    match events.next().await {
                        Ok(Some(_)) => {}
                        Ok(None) => panic!("it ended"),
                        Err(error) => break error,
                    }
                }
            }
        };
        assert_eq!(error, UpstreamError::Deadline);
        let posted = server.world.until("tools/call").await;
        let cancelled = server.world.until("notifications/cancelled").await;
        let number = id_of(&posted.body).unwrap();
        assert!(cancelled.says(&format!("\"requestId\":{number},")));
    }
}

#[tokio::test]
async fn l5_a_call_that_the_server_took_and_never_said_so_is_cancelled() {
    let script = |seen: &Seen, _: &Streams| seen.says("tools/call").then(withheld);
    let server = Old::with(script, |_| {}).await;
    let link = server.world.open("s").await;
    let text = call(1);
    let late = async {
        let posted = server.world.until("tools/call").await;
        pass(PATIENCE).await;
        posted
    };
    let (sent, posted) = tokio::join!(send(&link, &text), late);
    assert_eq!(sent.unwrap_err(), UpstreamError::Deadline);
    let cancelled = server.world.until("notifications/cancelled").await;
    let number = id_of(&posted.body).unwrap();
    assert!(cancelled.says(&format!("\"requestId\":{number},")));
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_cancelled_if_that_is_said() {
    let (server, link) = saying(|id| vec![progress(&id.to_string())]).await;
    let text = r#"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"_meta":{"progressToken":"t"}}}"#;
    drop(stream(send(&link, text).await.unwrap()));
    stream(send(&link, text).await.unwrap()).cancel();
    server.world.until("notifications/cancelled").await;
    assert_eq!(server.world.count("notifications/cancelled"), 1);
}

#[tokio::test]
async fn a_subscription_is_of_the_other_era() {
    let server = Old::new().await;
    let link = server.world.open("s").await;
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}"#;
    let read = protocol::Document::read(text.into(), &protocol::Limits::default()).unwrap();
    let read = protocol::Message::read(read).unwrap();
    let error = link.subscribe(Outgoing::of(&read)).await.unwrap_err();
    assert_eq!(error.code(), "upstream_message");
    assert_eq!(server.world.count("subscriptions/listen"), 0);
}
