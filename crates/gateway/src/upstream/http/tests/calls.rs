//! What goes out, and what each kind of answer means.

use super::*;
use controls::Fault;

#[tokio::test]
async fn n7_1_sends_its_own_credential_and_nothing_of_the_caller() {
    let world = World::with(
        |seen, _| usual(seen),
        |spec| {
            http_spec(spec).credential = bearer();
        },
    )
    .await;
    let link = world.open("s").await;
    send(&link, INITIALIZED).await.unwrap();
    send(&link, &call(1)).await.unwrap();
    link.close().await;
    let known = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "mcp-protocol-version",
        "mcp-session-id",
        "user-agent",
    ];
    let seen = world.seen();
    assert_eq!(seen.len(), 4);
    for request in seen {
        assert_eq!(request.header("authorization"), Some("Bearer own-secret"));
        for (name, value) in &request.headers {
            assert!(known.contains(&name.as_str()), "{name}: {value:?}");
        }
    }
}

#[tokio::test]
async fn n7_1_carries_the_credential_in_the_header_that_is_set() {
    let world = World::with(
        |seen, _| usual(seen),
        |spec| {
            http_spec(spec).credential = header("x-api-key");
        },
    )
    .await;
    world.open("s").await;
    let seen = &world.seen()[0];
    assert_eq!(seen.header("x-api-key"), Some("own-secret"));
    assert_eq!(seen.header("authorization"), None);
}

#[test]
fn refuses_a_credential_in_a_header_that_steers_the_request() {
    for name in [
        "host",
        "content-length",
        "transfer-encoding",
        "mcp-session-id",
    ] {
        let made = server(1, |spec| {
            http_spec(spec).credential = header(name);
        });
        assert!(
            matches!(made, Err(UpstreamError::Settings { .. })),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_bytes_given_are_the_bytes_sent() {
    let world = World::new(|seen, _| usual(seen)).await;
    let link = world.open("s").await;
    let odd = "{ \"jsonrpc\" : \"2.0\",\n\"id\":5,\t\"method\":\"tools\\/call\",\"params\":{\"x\":1.50,\"y\":\"\\u0041\"} }";
    send(&link, odd).await.unwrap();
    let sent = world.until("tools").await;
    assert_eq!(sent.body, odd);
    assert_eq!(sent.header("content-type"), Some("application/json"));
    assert_eq!(
        sent.header("accept"),
        Some("application/json, text/event-stream")
    );
}

#[tokio::test]
async fn names_session_and_version_after_the_handshake_only() {
    let world = World::new(|seen, _| match seen.says("\"initialize\"") {
        true => {
            let mut response = json(greeting("2025-06-18"));
            let id = http::HeaderValue::from_static("session-1");
            response.headers_mut().insert("mcp-session-id", id);
            response
        }
        false => usual(seen),
    })
    .await;
    let link = world.open("s").await;
    send(&link, &call(1)).await.unwrap();
    let seen = world.seen();
    assert_eq!(seen[0].header("mcp-session-id"), None);
    assert_eq!(seen[0].header("mcp-protocol-version"), None);
    assert_eq!(seen[1].header("mcp-session-id"), Some("session-1"));
    assert_eq!(seen[1].header("mcp-protocol-version"), Some("2025-06-18"));
}

#[tokio::test]
async fn reuses_the_upstream_session_across_calls() {
    let world = World::new(|seen, _| usual(seen)).await;
    let link = world.open("s").await;
    for id in 1..=20 {
        assert_eq!(message(send(&link, &call(id)).await.unwrap()), result(id));
    }
    assert_eq!(world.count("\"initialize\""), 1);
    assert_eq!(world.connections.load(Ordering::SeqCst), 1);
}

/// What a call comes to when the server answers it so.
async fn outcome(
    text: &str,
    answer: impl Fn() -> Response<Body> + Send + Sync + 'static,
) -> Result<Reply, UpstreamError> {
    let world = World::new(move |seen, _| match seen.says("\"initialize\"") {
        true => json(greeting("2025-11-25")),
        false => answer(),
    })
    .await;
    let link = world.open("s").await;
    send(&link, text).await
}

#[tokio::test]
async fn maps_every_status_of_a_call() {
    for (status, code, fault) in [
        (301, "upstream_redirect", Fault::Operator),
        (307, "upstream_redirect", Fault::Operator),
        (400, "upstream_status", Fault::Upstream),
        (401, "upstream_credential", Fault::Operator),
        (403, "upstream_credential", Fault::Operator),
        // No session was given, so this is no lost one.
        (404, "upstream_status", Fault::Upstream),
        (405, "upstream_status", Fault::Upstream),
        (429, "upstream_status", Fault::Upstream),
        (500, "upstream_status", Fault::Upstream),
        (503, "upstream_status", Fault::Upstream),
    ] {
        let error = outcome(&call(1), move || reply(status, "text/plain", "evil text"))
            .await
            .unwrap_err();
        assert_eq!((error.code(), error.fault()), (code, fault), "{status}");
        assert!(!error.to_string().contains("evil"));
    }
}

#[tokio::test]
async fn takes_any_success_for_a_notification() {
    for status in [200, 202, 204] {
        let answer = outcome(INITIALIZED, move || reply(status, "text/html", "")).await;
        assert!(matches!(answer, Ok(Reply::Accepted)), "{status}");
    }
    let answer = outcome(INITIALIZED, || reply(500, "text/html", "")).await;
    assert!(matches!(answer, Err(UpstreamError::Status { status: 500 })));
}

#[tokio::test]
async fn refuses_an_answer_of_another_content_type() {
    for content_type in ["text/html", "application/jsonx", "", "text/event-streams"] {
        let answer = outcome(&call(1), move || reply(200, content_type, result(1))).await;
        assert!(
            matches!(answer, Err(UpstreamError::Content { .. })),
            "{content_type}"
        );
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let answer = outcome(&call(1), move || reply(200, content_type, result(1))).await;
        assert!(matches!(answer, Ok(Reply::Message(_))), "{content_type}");
    }
    let text = call(1);
    let compressed = outcome(&text, || {
        let mut response = json(result(1));
        let gzip = http::HeaderValue::from_static("gzip");
        response.headers_mut().insert("content-encoding", gzip);
        response
    });
    assert!(matches!(
        compressed.await,
        Err(UpstreamError::Content { .. })
    ));
}

#[tokio::test]
async fn passes_on_an_error_of_the_server_that_answers_the_call() {
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#;
    let answer = outcome(&call(1), move || reply(400, "application/json", error)).await;
    assert_eq!(message(answer.unwrap()), error);
    let answer = outcome(&call(2), move || reply(400, "application/json", error)).await;
    assert!(matches!(answer, Err(UpstreamError::Status { status: 400 })));
}

#[tokio::test]
async fn bounds_an_answer_while_it_is_read() {
    for (size, fits) in [(64 * 1024, true), (64 * 1024 + 1, false), (1 << 20, false)] {
        let answer = outcome(&call(1), move || json(vec![b' '; size])).await;
        match answer {
            Ok(Reply::Message(bytes)) => assert!(fits && bytes.len() == size),
            Err(UpstreamError::TooLarge { max }) => assert!(!fits && max == 64 * 1024),
            other => panic!("{size}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn bounds_an_answer_that_does_not_say_how_long_it_is() {
    let piece: &'static str = Box::leak("x".repeat(30 * 1024).into_boxed_str());
    for (pieces, fits) in [(2, true), (3, false)] {
        let text = call(1);
        let answer = outcome(&text, move || {
            let (sender, mut response) = live();
            let json = http::HeaderValue::from_static("application/json");
            response.headers_mut().insert("content-type", json);
            for _ in 0..pieces {
                sender.try_send(piece).unwrap();
            }
            response
        });
        match answer.await {
            Ok(Reply::Message(bytes)) => assert!(fits && bytes.len() == pieces * piece.len()),
            Err(UpstreamError::TooLarge { .. }) => assert!(!fits),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn l5_cancels_a_call_that_takes_too_long() {
    let held = Arc::new(Mutex::new(Vec::new()));
    let world = World::new(move |seen, _| {
        if !seen.says("tools/call") {
            return usual(seen);
        }
        let (sender, response) = live();
        held.lock().unwrap().push(sender);
        response
    })
    .await;
    let link = world.open("s").await;
    // Less than the server has.
    let (soon, started) = (PATIENCE / 2, Instant::now());
    let mut events = stream(send_within(&link, &call(7), soon).await.unwrap());
    let error = in_no_time(events.next()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Deadline);
    assert!(started.elapsed() < PATIENCE);
    let told = world.until("notifications/cancelled").await;
    assert!(told.says("\"requestId\":7"), "{}", told.body);
    assert_eq!(told.header("mcp-session-id"), Some("session-1"));
}

#[tokio::test]
async fn l5_no_caller_can_outwait_the_timeout_of_the_server() {
    let held = Arc::new(Mutex::new(Vec::new()));
    let world = World::new(move |seen, _| {
        if !seen.says("tools/call") {
            return usual(seen);
        }
        let (sender, response) = live();
        held.lock().unwrap().push(sender);
        response
    })
    .await;
    let link = world.open("s").await;
    let (long, started) = (PATIENCE * 60, Instant::now());
    let mut events = stream(send_within(&link, &call(7), long).await.unwrap());
    let error = in_no_time(events.next()).await.unwrap_err();
    assert_eq!(error, UpstreamError::Deadline);
    assert!(started.elapsed() < long / 2);
}

/// Time stands still: the rest is not over before it was looked at.
#[tokio::test(start_paused = true)]
async fn tells_everybody_at_once_when_the_server_was_not_reachable_lately() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let server = server(port, |_| {}).unwrap();
    let mut codes = Vec::new();
    for _ in 0..4 {
        let error = server.open(&owner("s"), initialize()).await.unwrap_err();
        codes.push(error.code());
        if let UpstreamError::Resting { retry_after } = error {
            assert!(!retry_after.is_zero());
        }
    }
    assert_eq!(codes[0], "upstream_unreachable");
    assert_eq!(codes[3], "upstream_resting");
}

#[tokio::test]
async fn never_sends_a_call_twice_that_may_have_been_executed() {
    // The server takes the call and closes the connection without a word.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let counted = counted.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 8192];
                let length = stream.read(&mut buffer).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&buffer[..length]).to_string();
                if text.contains("tools/call") {
                    counted.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                let body = greeting("2025-11-25");
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                drop(stream.write_all(head.as_bytes()).await);
            });
        }
    });
    let server = server(port, |_| {}).unwrap();
    let (link, _) = server.open(&owner("s"), initialize()).await.unwrap();
    let error = send(&link, &call(1)).await.unwrap_err();
    assert_eq!(error.code(), "upstream_broken");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
