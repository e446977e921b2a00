//! Streams: order, bounds, resumption (rules S5, S7, L7).

use super::*;

const PROGRESS: &str = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#;

/// A session on a server that answers calls with `answer`, and a GET with `resumed`.
async fn opened(
    answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static,
    resumed: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static,
) -> (World, Link) {
    let gets = AtomicUsize::new(0);
    let world = World::new(move |seen, _| match seen.method.as_str() {
        "GET" => resumed(seen, gets.fetch_add(1, Ordering::SeqCst)),
        "POST" if seen.says("tools/call") => answer(seen),
        _ => usual(seen),
    })
    .await;
    let link = world.open("s").await;
    (world, link)
}

fn nothing(_: &Seen, _: usize) -> Response<Body> {
    reply(405, "text/plain", "")
}

#[tokio::test]
async fn hands_on_the_messages_of_a_stream_one_at_a_time() {
    let (sender, receiver) = mpsc::channel(8);
    let receiver = Mutex::new(Some(receiver));
    let answer = move |_: &Seen| streaming(receiver.lock().unwrap().take().unwrap());
    let (world, link) = opened(answer, nothing).await;
    sender
        .send("id: 1\nretry: 5\ndata:\n\n: hello\n\ndata: {\"a\"")
        .await
        .unwrap();
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    sender.send(":1}\n\ndata: {\"b\":2}\n").await.unwrap();
    assert_eq!(next(&mut events).await.unwrap(), "{\"a\":1}");
    sender
        .send("\nevent: other\ndata: {\"c\":3}\n\n")
        .await
        .unwrap();
    assert_eq!(next(&mut events).await.unwrap(), "{\"b\":2}");
    sender
        .send("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n")
        .await
        .unwrap();
    assert!(next(&mut events).await.unwrap().contains("result"));
    drop(sender);
    assert_eq!(next(&mut events).await, None);
    assert_eq!(next(&mut events).await, None);
    assert!(world.seen().iter().all(|seen| seen.method == "POST"));
}

#[tokio::test]
async fn a_finished_stream_gives_its_connection_back() {
    let answer = |seen: &Seen| {
        let id = id_of(&seen.body).unwrap();
        events(format!("data: {PROGRESS}\n\ndata: {}\n\n", result(id)))
    };
    let (world, link) = opened(answer, nothing).await;
    for id in 1..=5 {
        let mut events = stream(send(&link, &call(id)).await.unwrap());
        assert_eq!(next(&mut events).await.unwrap(), PROGRESS);
        assert_eq!(next(&mut events).await.unwrap(), result(id));
        events.finish();
    }
    assert!(world.connections.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn s7_resumes_a_broken_stream_after_the_pause_the_server_asks_for() {
    let answer = |_: &Seen| events("id: one\nretry: 20\ndata: \n\n");
    let resumed = |seen: &Seen, before: usize| {
        let text = match (before, seen.header("last-event-id")) {
            (0, Some("one")) => format!("id: two\ndata: {PROGRESS}\n\n"),
            (1, Some("two")) => format!("id: three\ndata: {}\n\n", result(1)),
            other => panic!("{other:?}"),
        };
        events(text)
    };
    let (world, link) = opened(answer, resumed).await;
    let started = Instant::now();
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    let first = events.next().await.unwrap().unwrap();
    assert_eq!(first.id.as_deref(), Some("two"));
    assert!(started.elapsed() >= Duration::from_millis(20));
    assert_eq!(next(&mut events).await.unwrap(), result(1));
    assert!(started.elapsed() >= Duration::from_millis(40));
    assert_eq!(next(&mut events).await, None);
    let gets: Vec<_> = world
        .seen()
        .into_iter()
        .filter(|s| s.method == "GET")
        .collect();
    assert_eq!(gets.len(), 2);
    assert_eq!(gets[0].header("accept"), Some("text/event-stream"));
    assert_eq!(gets[0].header("mcp-session-id"), Some("session-1"));
    assert_eq!(world.count("tools/call"), 1, "a call is never sent again");
}

#[tokio::test]
async fn s7_a_resumption_that_nobody_waited_for_goes_on_for_the_next_who_asks() {
    let answer = |_: &Seen| events("id: one\nretry: 600\ndata: \n\n");
    let resumed = |_: &Seen, _: usize| events(format!("data: {}\n\n", result(1)));
    let (world, link) = opened(answer, resumed).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    // More often than there are attempts: a pause that was cut short is none.
    in_no_time(async {
        for patience in [1, 2, 3, 4, 5, 6, 7, 8] {
            let patience = Duration::from_millis(patience);
            let cut_short = tokio::time::timeout(patience, events.next()).await;
            assert!(cut_short.is_err(), "{cut_short:?}");
        }
    })
    .await;
    assert_eq!(next(&mut events).await.unwrap(), result(1));
    assert_eq!(next(&mut events).await, None);
    assert_eq!(world.count("tools/call"), 1, "a call is never sent again");
}

#[tokio::test]
async fn s7_a_stream_that_ends_early_without_ids_is_an_error() {
    let answer = |_: &Seen| events(format!("data: {PROGRESS}\n\n"));
    let (world, link) = opened(answer, nothing).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    assert_eq!(next(&mut events).await.unwrap(), PROGRESS);
    assert_eq!(events.next().await.unwrap_err(), UpstreamError::Ended);
    assert_eq!(world.count("tools/call"), 1);
    let gets = world.seen().into_iter().filter(|s| s.method == "GET");
    assert_eq!(gets.count(), 0, "there is nothing to resume by");
}

#[tokio::test]
async fn s7_gives_up_after_a_bounded_number_of_attempts() {
    let answer = |_: &Seen| events("id: one\nretry: 1\ndata: \n\n");
    let (world, link) = opened(answer, |_, _| events("")).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    assert_eq!(events.next().await.unwrap_err(), UpstreamError::Ended);
    let gets = world.seen().iter().filter(|s| s.method == "GET").count();
    assert_eq!(gets, 5);
}

#[tokio::test]
async fn s7_a_pause_longer_than_the_call_may_take_is_cut_short() {
    let answer = |_: &Seen| events("id: one\nretry: 99999999\ndata: \n\n");
    let (world, link) = opened(answer, nothing).await;
    // The longest pause that a server is granted is longer.
    let soon = PATIENCE / 2;
    let mut events = stream(send_within(&link, &call(1), soon).await.unwrap());
    let error = in_no_time(events.next()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Deadline);
    world.until("notifications/cancelled").await;
}

#[tokio::test]
async fn bounds_an_event_while_it_is_read() {
    for size in [64 * 1024 + 2000, 1 << 20] {
        let answer = move |_: &Seen| events(format!("data: {}", "x".repeat(size)));
        let (_world, link) = opened(answer, nothing).await;
        let mut events = stream(send(&link, &call(1)).await.unwrap());
        let error = events.next().await.unwrap_err();
        assert!(matches!(error, UpstreamError::TooLarge { .. }), "{error}");
        assert!(events.next().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn l7_answers_a_ping_of_the_server_itself() {
    let ping = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
    let answer = move |_: &Seen| events(format!("data: {ping}\n\ndata: {}\n\n", result(1)));
    let (world, link) = opened(answer, nothing).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    assert_eq!(next(&mut events).await.unwrap(), result(1));
    let pong = world.until(r#""id":"p","result":{}"#).await;
    assert_eq!(pong.header("mcp-session-id"), Some("session-1"));
}

#[tokio::test]
async fn listens_to_a_server_that_has_something_to_say() {
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let resumed = move |seen: &Seen, before: usize| match (before, seen.header("last-event-id")) {
        (0, Some("seven")) => events(format!("id: eight\nretry: 1\ndata: {changed}\n\n")),
        (1, Some("eight")) => events(format!("id: nine\ndata: {changed}\n\n")),
        _ => reply(405, "text/plain", ""),
    };
    let (_world, link) = opened(usual, resumed).await;
    let mut events = link.listen(Some("seven")).await.unwrap().unwrap();
    assert_eq!(next(&mut events).await.unwrap(), changed);
    assert!(matches!(
        link.listen(None).await,
        Err(UpstreamError::Listening)
    ));
    assert_eq!(next(&mut events).await.unwrap(), changed);
    assert_eq!(next(&mut events).await, None);
    drop(events);
    assert!(link.listen(None).await.unwrap().is_none());
    assert!(link.listen(None).await.unwrap().is_none());
}

#[tokio::test]
async fn s9_listening_survives_the_death_of_the_session() {
    let resumed = |seen: &Seen, before: usize| match (before, seen.header("last-event-id")) {
        (0, None) => reply(404, "text/plain", ""),
        (1, None) => events(format!("id: x\nretry: 1\ndata: {PROGRESS}\n\n")),
        (2, Some("x")) => reply(404, "text/plain", ""),
        (3, None) => events(format!("data: {PROGRESS}\n\n")),
        other => panic!("{other:?}"),
    };
    let (world, link) = opened(usual, resumed).await;
    let mut events = link.listen(None).await.unwrap().unwrap();
    assert_eq!(next(&mut events).await.unwrap(), PROGRESS);
    assert_eq!(next(&mut events).await.unwrap(), PROGRESS);
    assert_eq!(world.count("\"initialize\""), 3);
}

#[tokio::test]
async fn the_answer_to_a_question_of_the_server_goes_back_to_it() {
    let ask = r#"{"jsonrpc":"2.0","id":"q1","method":"roots/list"}"#;
    let (sender, receiver) = mpsc::channel(8);
    let receiver = Mutex::new(Some(receiver));
    let answer = move |_: &Seen| streaming(receiver.lock().unwrap().take().unwrap());
    let (world, link) = opened(answer, nothing).await;
    sender
        .send("data: {\"jsonrpc\":\"2.0\",\"id\":\"q1\",\"method\":\"roots/list\"}\n\n")
        .await
        .unwrap();
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    assert_eq!(next(&mut events).await.unwrap(), ask);
    let said = r#"{"jsonrpc":"2.0","id":"q1","result":{"roots":[]}}"#;
    assert!(matches!(send(&link, said).await.unwrap(), Reply::Accepted));
    assert_eq!(world.until("roots\":[]").await.body, said);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_cancelled_if_that_is_said() {
    for (body, cancelled) in [
        (format!("id: 1\ndata: {PROGRESS}\n\n"), true),
        (format!("data: {}\n\n", result(7)), false),
    ] {
        let (world, link) = opened(move |_| events(body.clone()), nothing).await;
        let mut events = stream(send(&link, &call(7)).await.unwrap());
        next(&mut events).await.unwrap();
        events.cancel();
        if cancelled {
            let told = world.until("notifications/cancelled").await;
            assert!(told.says("\"requestId\":7,"), "{}", told.body);
            assert_eq!(told.header("mcp-session-id"), Some("session-1"));
        }
        link.close().await;
        let told = world.count("notifications/cancelled");
        assert_eq!(told, usize::from(cancelled));
    }
    // To stop reading alone is no cancellation (rule S6).
    let (sender, receiver) = mpsc::channel(8);
    let receiver = Mutex::new(Some(receiver));
    let answer = move |_: &Seen| streaming(receiver.lock().unwrap().take().unwrap());
    let (world, link) = opened(answer, nothing).await;
    sender.send("data: {\"a\":1}\n\n").await.unwrap();
    drop(stream(send(&link, &call(7)).await.unwrap()));
    sender.closed().await;
    link.close().await;
    assert_eq!(world.count("notifications/cancelled"), 0);
}

#[tokio::test]
async fn bounds_a_stream_that_never_ends() {
    let events_max = crate::upstream::EVENTS_MAX;
    let (world, link) = opened(|_| flood(&"data: 1\n\n".repeat(1000)), nothing).await;
    let mut events = stream(send(&link, &call(7)).await.unwrap());
    let mut seen = 0;
    let error = loop {
        match events.next().await {
            Ok(Some(_)) => seen += 1,
            Ok(None) => panic!("it ended"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, UpstreamError::Endless { max: events_max });
    assert_eq!(seen, events_max);
    assert_eq!(next(&mut events).await, None);
    world.until("notifications/cancelled").await;
    // What is no message is bounded by time.
    let (_world, link) = opened(|_| flood(": still here\n\n"), nothing).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    let (error, ()) = tokio::join!(events.next(), pass(PATIENCE));
    assert_eq!(error.unwrap_err(), UpstreamError::Deadline);
}

#[tokio::test]
async fn l5_a_server_that_pings_and_takes_no_answer_gains_no_time() {
    // Every request is answered, but those that answer its pings.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut held = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 8192];
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&buffer[..length]).to_string();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type:";
            if text.contains("\"initialize\"") {
                let body = greeting("2025-11-25");
                let answer = format!("{head} application/json\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
                continue;
            }
            if text.contains("tools/call") {
                let ping = r#"data: {"jsonrpc":"2.0","id":"p","method":"ping"}"#;
                let pings = format!("{ping}\n\n").repeat(50);
                let answer = format!("{head} text/event-stream\r\n\r\n{pings}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            held.push(stream);
        }
    });
    let server = server(port, |_| {}).unwrap();
    let (link, _) = server.open(&owner("s"), initialize()).await.unwrap();
    let started = Instant::now();
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    let error = in_no_time(events.next()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Deadline);
    // Five seconds for each of its pings would be more.
    assert!(started.elapsed() < PATIENCE * 2);
}
