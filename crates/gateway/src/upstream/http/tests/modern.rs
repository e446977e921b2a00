//! Requests to a modern server: what goes out, what each answer means, and how little is kept
//! (rules H3, H5, H6, H13 and H14).

use super::*;
use http::{HeaderName, HeaderValue};
use protocol::{Id, Shape};

/// A link to a modern server that answers everything else as `script` says.
async fn met(script: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static) -> (World, Link) {
    let world = World::new(move |seen, _| match seen.says("server/discover") {
        true => json(discovered(MODERN)),
        false => script(seen),
    })
    .await;
    let link = world.meet(Era::Modern).await.unwrap().link;
    assert_eq!(link.era(), Era::Modern);
    (world, link)
}

/// What a call comes to when the server answers it so.
async fn outcome(
    text: &str,
    answer: impl Fn() -> Response<Body> + Send + Sync + 'static,
) -> Result<Reply, UpstreamError> {
    let (_world, link) = met(move |_| answer()).await;
    send(&link, text).await
}

fn listen() -> Outgoing<'static> {
    Outgoing {
        bytes: LISTEN.into(),
        shape: Shape::Request,
        id: Some(Id::from(5)),
        method: "subscriptions/listen",
        headers: Vec::new(),
    }
}

const LISTEN: &str =
    r#"{"jsonrpc":"2.0","id":5,"method":"subscriptions/listen","params":{"notifications":{}}}"#;
const ACKNOWLEDGED: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}"#;
const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

#[tokio::test]
async fn h6_sends_the_headers_that_mirror_the_body_and_nothing_of_a_session() {
    let mut answer = json(result(1));
    let id = HeaderValue::from_static("session-1");
    answer.headers_mut().insert("mcp-session-id", id);
    let answer = Mutex::new(Some(answer));
    let (world, link) = met(move |_| {
        let first = answer.lock().unwrap().take();
        first.unwrap_or_else(|| json(result(1)))
    })
    .await;
    for _ in 0..2 {
        let mut outgoing = listen();
        outgoing.bytes = call(1).into();
        outgoing.id = Some(Id::from(1));
        outgoing.method = "tools/call";
        outgoing.headers = vec![
            (
                HeaderName::from_static("mcp-name"),
                HeaderValue::from_static("x"),
            ),
            (
                HeaderName::from_static("mcp-param-region"),
                HeaderValue::from_static("=?base64?w6k=?="),
            ),
        ];
        let soon = Instant::now() + PATIENCE;
        link.send(outgoing, soon).await.unwrap();
    }
    link.close().await;
    let seen = world.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].header("mcp-method"), Some("server/discover"));
    assert_eq!(seen[0].header("mcp-name"), None);
    for request in &seen {
        assert_eq!(request.method, "POST");
        assert_eq!(request.header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(
            request.header("accept"),
            Some("application/json, text/event-stream")
        );
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("mcp-session-id"), None);
        assert_eq!(request.header("authorization"), None);
    }
    for request in &seen[1..] {
        assert_eq!(request.body, call(1));
        assert_eq!(request.header("mcp-method"), Some("tools/call"));
        assert_eq!(request.header("mcp-name"), Some("x"));
        assert_eq!(request.header("mcp-param-region"), Some("=?base64?w6k=?="));
    }
    let known = [
        "accept",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-param-region",
        "mcp-protocol-version",
        "user-agent",
    ];
    for (name, value) in seen.iter().flat_map(|request| &request.headers) {
        assert!(known.contains(&name.as_str()), "{name}: {value:?}");
    }
}

#[tokio::test]
async fn n7_1_no_mirror_can_take_the_place_of_the_credential() {
    let script = |seen: &Seen, _: usize| match seen.says("server/discover") {
        true => json(discovered(MODERN)),
        false => json(result(1)),
    };
    let world = World::with(script, |spec| {
        http_spec(spec).credential = bearer();
    })
    .await;
    let link = world.meet(Era::Modern).await.unwrap().link;
    for name in ["authorization", "mcp-method", "host", "mcp-session-id"] {
        let mut outgoing = listen();
        outgoing.headers = vec![(
            HeaderName::from_static(name),
            HeaderValue::from_static("evil"),
        )];
        let soon = Instant::now() + PATIENCE;
        let error = link.send(outgoing, soon).await.unwrap_err();
        assert_eq!(error.code(), "upstream_message", "{name}");
    }
    assert_eq!(world.seen().len(), 1);
    assert_eq!(
        world.seen()[0].header("authorization"),
        Some("Bearer own-secret")
    );
    // Nor can the credential travel as a mirror.
    let made = server(1, |spec| {
        http_spec(spec).credential = header("mcp-param-key");
    });
    assert!(matches!(made, Err(UpstreamError::Settings { .. })));
}

#[tokio::test]
async fn h3_a_response_is_never_sent() {
    let (world, link) = met(|_| accepted()).await;
    let answer = r#"{"jsonrpc":"2.0","id":"q","result":{}}"#;
    let error = send(&link, answer).await.unwrap_err();
    assert_eq!(error.code(), "upstream_message");
    assert_eq!(world.seen().len(), 1);
}

#[tokio::test]
async fn an_error_that_answers_is_an_answer_whatever_its_status() {
    let error = |id: &str, code: i64| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"no","data":{{"x":1.0}}}}}}"#
        )
    };
    let given_an_id = |code| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"no","data":{{"x":1.0}}}}}}"#
        )
    };
    for (status, body, expected) in [
        (200, error("1", -32602), Ok(error("1", -32602))),
        (400, error("1", -32602), Ok(error("1", -32602))),
        (404, error("1", -32601), Ok(error("1", -32601))),
        (500, error("1", -32603), Ok(error("1", -32603))),
        (400, error("1", -32021), Ok(error("1", -32021))),
        // Refused before the id was read.
        (400, error("null", -32020), Ok(given_an_id(-32020))),
        (400, error("null", -32022), Ok(given_an_id(-32022))),
        // So answers a server that misses a session.
        (400, error("null", -32000), Err("upstream_era")),
        (404, error("null", -32001), Err("upstream_era")),
        (400, error("\"server-error\"", -32600), Err("upstream_era")),
        // Another call's answer is none.
        (400, error("2", -32020), Err("upstream_era")),
        (500, error("2", -32603), Err("upstream_status")),
        (429, error("null", -32000), Err("upstream_status")),
        (400, "{}".to_owned(), Err("upstream_status")),
        (400, "not json".to_owned(), Err("upstream_status")),
        (404, "{}".to_owned(), Err("upstream_era")),
        // The credential comes before the body (trap 12).
        (401, error("1", -32602), Err("upstream_credential")),
        (403, error("1", -32602), Err("upstream_credential")),
    ] {
        let shown = body.clone();
        let answer = outcome(&call(1), move || {
            reply(status, "application/json", body.clone())
        })
        .await;
        let found = match &answer {
            Ok(Reply::Message(bytes)) => Ok(String::from_utf8(bytes.to_vec()).unwrap()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.code()),
        };
        assert_eq!(found, expected, "{status} {shown}");
    }
}

#[tokio::test]
async fn maps_every_status_without_a_body_of_the_protocol() {
    for (status, code) in [
        (301, "upstream_redirect"),
        (400, "upstream_status"),
        (401, "upstream_credential"),
        (403, "upstream_credential"),
        (404, "upstream_era"),
        (405, "upstream_era"),
        (429, "upstream_status"),
        (500, "upstream_status"),
    ] {
        let error = outcome(&call(1), move || reply(status, "text/plain", "evil text"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{status}");
        assert!(!error.detail().contains("evil"), "{status}");
    }
    for status in [200, 202, 204] {
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/other"}"#;
        let answer = outcome(cancelled, move || reply(status, "text/html", "")).await;
        assert!(matches!(answer, Ok(Reply::Accepted)), "{status}");
    }
    let html = outcome(&call(1), || reply(200, "text/html", result(1))).await;
    assert!(matches!(html, Err(UpstreamError::Content { .. })));
}

#[tokio::test]
async fn a_stream_ends_with_its_answer() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#;
    let (world, link) = met(move |seen| {
        let id = id_of(&seen.body).unwrap();
        let answer = result(id);
        events(format!(
            ": hello\n\nid: 1\ndata:\n\ndata: {progress}\n\ndata: {answer}\n\n"
        ))
    })
    .await;
    for id in 1..=5 {
        let mut events = stream(send(&link, &call(id)).await.unwrap());
        assert_eq!(next(&mut events).await.unwrap(), progress);
        assert_eq!(next(&mut events).await.unwrap(), result(id));
        match id {
            1 => assert_eq!(next(&mut events).await, None),
            _ => events.finish(),
        }
    }
    assert!(world.connections.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn h14_a_broken_stream_is_lost_and_neither_resumed_nor_asked_for_again() {
    let (world, link) = met(|_| events(format!("id: one\nretry: 1\ndata: {CHANGED}\n\n"))).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    assert_eq!(next(&mut events).await.unwrap(), CHANGED);
    assert_eq!(events.next().await.unwrap_err(), UpstreamError::Ended);
    assert_eq!(next(&mut events).await, None);
    assert_eq!(world.seen().len(), 2);
}

/// A stream that stays open, and the end of it as the server sees it.
fn held() -> (mpsc::Sender<&'static str>, impl Fn(&Seen) -> Response<Body>) {
    let (sender, response) = live();
    let response = Mutex::new(Some(response));
    (sender, move |_: &Seen| {
        let held = response.lock().unwrap().take();
        held.unwrap_or_else(|| json(result(1)))
    })
}

#[tokio::test]
async fn h13_to_stop_reading_is_to_cancel() {
    for way in ["drop", "cancel", "deadline", "drop the waiting"] {
        let (sender, script) = held();
        let (world, link) = met(script).await;
        if way != "drop the waiting" {
            sender.send("data: {\"a\":1}\n\n").await.unwrap();
        }
        let mut events = stream(send(&link, &call(1)).await.unwrap());
        match way {
            "drop" => drop(events),
            "cancel" => events.cancel(),
            "deadline" => {
                assert!(events.next().await.is_ok());
                let late = in_no_time(events.next()).await.unwrap_err();
                assert_eq!(late, UpstreamError::Deadline);
                assert_eq!(next(&mut events).await, None);
            }
            _ => {
                let waiting = events.next();
                let soon = tokio::time::timeout(Duration::from_millis(10), waiting).await;
                assert!(soon.is_err());
                drop(events);
            }
        }
        // The server learns it from the closed stream, and from nothing else.
        sender.closed().await;
        send(&link, &call(1)).await.unwrap();
        assert_eq!(world.count("notifications/cancelled"), 0, "{way}");
        assert_eq!(world.seen().len(), 3, "{way}");
    }
}

#[tokio::test]
async fn h13_no_cancellation_is_sent_where_the_closed_stream_says_it() {
    let (world, link) = met(|_| accepted()).await;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert!(matches!(send(&link, cancel).await, Ok(Reply::Accepted)));
    assert_eq!(world.seen().len(), 1);
}

#[tokio::test]
async fn h13_a_call_that_nobody_waits_for_is_given_up_before_its_answer_begins() {
    // A server that takes the call, says nothing, and notes when the caller is gone.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (gone, mut left) = mpsc::channel(1);
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let gone = gone.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 8192];
                loop {
                    let length = stream.read(&mut buffer).await.unwrap_or(0);
                    if length == 0 {
                        break;
                    }
                    let text = String::from_utf8_lossy(&buffer[..length]).to_string();
                    if text.contains("server/discover") {
                        let body = discovered(MODERN);
                        let head = format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                            body.len()
                        );
                        stream.write_all(head.as_bytes()).await.unwrap();
                    }
                }
                gone.send(()).await.unwrap();
            });
        }
    });
    let server = server(port, |_| {}).unwrap();
    let met = server.meet(&owner("s"), introduction(Era::Modern)).await;
    let link = met.unwrap().link;
    let soon = Duration::from_millis(30);
    let error = send_within(&link, &call(1), soon).await.unwrap_err();
    assert_eq!(error, UpstreamError::Deadline);
    left.recv().await.unwrap();
}

#[tokio::test]
async fn bounds_a_stream_that_never_ends() {
    let events_max = crate::upstream::EVENTS_MAX;
    let (_world, link) = met(|_| flood(&"data: 1\n\n".repeat(1000))).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
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
    // Comments are no events; time bounds them.
    let (_world, link) = met(|_| flood(": still here\n\n")).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    let (error, ()) = tokio::join!(events.next(), pass(PATIENCE));
    assert_eq!(error.unwrap_err(), UpstreamError::Deadline);
}

#[tokio::test]
async fn bounds_an_answer_and_an_event_while_it_is_read() {
    let size = 64 * 1024 + 2000;
    let json_answer = outcome(&call(1), move || json("x".repeat(size))).await;
    assert!(matches!(json_answer, Err(UpstreamError::TooLarge { .. })));
    let (_world, link) = met(move |_| events(format!("data: {}", "x".repeat(size)))).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    let error = events.next().await.unwrap_err();
    assert!(matches!(error, UpstreamError::TooLarge { .. }), "{error}");
    assert_eq!(next(&mut events).await, None);
}

#[tokio::test]
async fn what_a_server_asks_comes_out_and_is_answered_by_nobody_here() {
    let ask = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
    let (world, link) =
        met(move |_| events(format!("data: {ask}\n\ndata: {}\n\n", result(1)))).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    assert_eq!(next(&mut events).await.unwrap(), ask);
    assert_eq!(next(&mut events).await.unwrap(), result(1));
    assert_eq!(next(&mut events).await, None);
    assert_eq!(world.seen().len(), 2);
    assert!(link.listen(None).await.unwrap().is_none());
    assert_eq!(world.seen().len(), 2, "there is no stream to ask for");
}

#[tokio::test]
async fn a_subscription_lasts_as_long_as_the_server_likes() {
    let (sender, script) = held();
    let (world, link) = met(script).await;
    let mut events = link.subscribe(listen()).await.unwrap();
    let data = |text: &str| -> &'static str { format!("data: {text}\n\n").leak() };
    sender.send(data(ACKNOWLEDGED)).await.unwrap();
    assert_eq!(next(&mut events).await.unwrap(), ACKNOWLEDGED);
    let quiet = tokio::time::timeout(PATIENCE * 2, events.next());
    let quiet = in_no_time(quiet).await;
    assert!(quiet.is_err(), "its timeout is long over");
    sender.send(data(CHANGED)).await.unwrap();
    assert_eq!(next(&mut events).await.unwrap(), CHANGED);
    sender.send(data(&result(5))).await.unwrap();
    assert_eq!(next(&mut events).await.unwrap(), result(5));
    drop(sender);
    assert_eq!(next(&mut events).await, None);
    let seen = world.seen();
    assert_eq!(seen[1].header("mcp-method"), Some("subscriptions/listen"));
    assert_eq!(seen[1].body, LISTEN);
}

#[tokio::test]
async fn a_subscription_that_breaks_or_is_never_acknowledged_is_an_error() {
    let (_world, link) = met(|_| events(format!("data: {ACKNOWLEDGED}\n\n"))).await;
    let mut events = link.subscribe(listen()).await.unwrap();
    assert_eq!(next(&mut events).await.unwrap(), ACKNOWLEDGED);
    assert_eq!(events.next().await.unwrap_err(), UpstreamError::Ended);
    let (sender, script) = held();
    let (_world, link) = met(script).await;
    let mut events = link.subscribe(listen()).await.unwrap();
    let error = in_no_time(events.next()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Deadline);
    sender.closed().await;
}

#[tokio::test]
async fn a_subscription_that_is_refused_says_so_in_one_message() {
    let refused = r#"{"jsonrpc":"2.0","id":5,"error":{"code":-32601,"message":"no"}}"#;
    let (_world, link) = met(move |_| reply(404, "application/json", refused)).await;
    let mut events = link.subscribe(listen()).await.unwrap();
    assert_eq!(next(&mut events).await.unwrap(), refused);
    assert_eq!(next(&mut events).await, None);
    // A legacy server is never asked.
    let world = World::new(|seen, _| usual(seen)).await;
    let link = world.open("s").await;
    let error = link.subscribe(listen()).await.unwrap_err();
    assert_eq!(error.code(), "upstream_message");
    assert_eq!(world.seen().len(), 1);
}

#[tokio::test]
async fn a_closed_link_sends_nothing() {
    let (world, link) = met(|_| json(result(1))).await;
    link.clone().close().await;
    let error = send(&link, &call(1)).await.unwrap_err();
    assert_eq!(error, UpstreamError::Closed);
    let error = link.subscribe(listen()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Closed);
    assert_eq!(world.seen().len(), 1);
}
