//! Where messages are posted, and where never.

use super::*;

/// A server that names `place` first.
async fn naming(place: impl Fn(&Seen) -> String + Send + Sync + 'static) -> (World, Streams) {
    naming_within(PATIENCE, place).await
}

/// The same, which has so much time for it.
async fn naming_within(
    time: Duration,
    place: impl Fn(&Seen) -> String + Send + Sync + 'static,
) -> (World, Streams) {
    let streams = Streams::default();
    let all = streams.clone();
    let serve = move |seen: &Seen, _: usize| match seen.method.as_str() {
        "GET" => all.open(place(seen)),
        _ => answer(seen, &all),
    };
    let world = World::with(serve, |spec| {
        old(spec);
        spec.timeout = time;
        http_spec(spec).credential = bearer();
    })
    .await;
    (world, streams)
}

async fn opened(world: &World) -> Result<Link, UpstreamError> {
    let opened = world.server.open(&owner("s"), initialize()).await;
    opened.map(|(link, _)| link)
}

#[tokio::test]
async fn posts_to_the_address_that_the_stream_names() {
    for (place, expected) in [
        ("/post?session=1", "/post?session=1"),
        ("post", "/post"),
        ("?session=1", "/mcp?session=1"),
        ("../a/./b", "/a/b"),
        (" /padded ", "/padded"),
        ("http://HOST/post", "/post"),
        ("//HOST/post", "/post"),
    ] {
        let (world, _) = naming(move |seen| {
            let host = seen.header("host").unwrap();
            endpoint(&place.replace("HOST", host))
        })
        .await;
        opened(&world).await.unwrap();
        let seen = world.seen();
        assert_eq!(seen[0].place, "/mcp");
        assert_eq!(seen[1].place, expected, "{place}");
        for request in &seen {
            assert_eq!(request.header("authorization"), Some("Bearer own-secret"));
        }
    }
}

#[tokio::test]
async fn n10_3_posts_nothing_to_another_origin_than_its_own() {
    for place in [
        "http://127.0.0.2:PORT/post",
        "http://localhost:PORT/post",
        "http://127.0.0.1:1/post",
        "http://127.0.0.1/post",
        "https://127.0.0.1:PORT/post",
        "//169.254.169.254/latest/meta-data",
        "///169.254.169.254/latest/meta-data",
        "\\\\\\\\169.254.169.254\\\\latest",
        "http://127.0.0.1:PORT@evil.example/post",
        "http://user:word@127.0.0.1:PORT/post",
        "http://127.0.0.1:PORT.evil.example/post",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,x",
        "/post#fragment",
        "http://[",
    ] {
        let (world, _) = naming(move |seen| {
            let host = seen.header("host").unwrap();
            let port = host.rsplit(':').next().unwrap();
            endpoint(&place.replace("PORT", port))
        })
        .await;
        let error = opened(&world).await.unwrap_err();
        assert_eq!(error.code(), "upstream_endpoint", "{place}");
        assert!(!error.to_string().contains("evil"), "{error}");
        assert_eq!(world.seen().len(), 1, "{place}");
    }
}

#[tokio::test]
async fn a_stream_that_names_no_usable_address_opens_nothing() {
    let long = format!("/{}", "x".repeat(3000));
    for (said, code) in [
        (endpoint(&long), "upstream_endpoint"),
        ("data: /post\n\n".repeat(16), "upstream_endpoint"),
        (
            "event: ENDPOINT\ndata: /post\n\n".repeat(16),
            "upstream_endpoint",
        ),
        (": nothing\n\n".to_owned(), "upstream_timeout"),
        (
            "event: endpoint\ndata: /post".to_owned(),
            "upstream_timeout",
        ),
        (
            format!("event: endpoint\ndata: /{}\n\n", "x".repeat(70_000)),
            "upstream_too_large",
        ),
    ] {
        let shown = said.chars().take(40).collect::<String>();
        let time = match code {
            "upstream_timeout" => Duration::from_secs(3),
            _ => PATIENCE,
        };
        let (world, _) = naming_within(time, move |_| said.clone()).await;
        let error = opened(&world).await.unwrap_err();
        assert_eq!(error.code(), code, "{shown}");
        assert_eq!(world.seen().len(), 1);
    }
}

#[tokio::test]
async fn events_before_the_address_are_passed_over() {
    let (world, _) = naming(|_| {
        let ping = "event: ping\ndata: 1\n\n";
        format!(": hello\n\nretry: 5\n\n{ping}{}", endpoint("/post"))
    })
    .await;
    opened(&world).await.unwrap();
}

#[tokio::test]
async fn maps_every_status_of_the_stream() {
    for (status, content_type, code) in [
        (200, "application/json", "upstream_content_type"),
        (200, "text/html", "upstream_content_type"),
        (202, "text/event-stream", "upstream_status"),
        (302, "text/plain", "upstream_redirect"),
        (401, "text/plain", "upstream_credential"),
        (403, "text/plain", "upstream_credential"),
        (404, "text/plain", "upstream_status"),
        (405, "text/plain", "upstream_status"),
        (500, "text/plain", "upstream_status"),
    ] {
        let serve = move |_: &Seen, _: usize| reply(status, content_type, endpoint("/post"));
        let world = World::with(serve, old).await;
        let error = opened(&world).await.unwrap_err();
        assert_eq!(error.code(), code, "{status} {content_type}");
        assert_eq!(world.seen().len(), 1, "{status} {content_type}");
    }
}

#[tokio::test]
async fn maps_every_status_of_a_post() {
    let forgot = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no session"}}"#;
    for (status, content_type, body, code) in [
        (302, "text/plain", "", "upstream_redirect"),
        (400, "text/plain", "", "upstream_status"),
        (400, "application/json", "{}", "upstream_status"),
        (400, "application/json", forgot, "upstream_session_lost"),
        (401, "text/plain", "", "upstream_credential"),
        (403, "application/json", forgot, "upstream_credential"),
        (404, "text/plain", "", "upstream_session_lost"),
        (405, "text/plain", "", "upstream_status"),
        (500, "text/plain", "", "upstream_status"),
    ] {
        let server = Old::with(
            move |seen, _| {
                let is_call = seen.says("tools/call");
                is_call.then(|| reply(status, content_type, body))
            },
            |_| {},
        )
        .await;
        let link = server.world.open("s").await;
        let error = send(&link, &call(1)).await.unwrap_err();
        assert_eq!(error.code(), code, "{status} {content_type}");
    }
    for status in [200, 202, 204] {
        let server = Old::with(
            move |seen, streams| {
                let id = id_of(&seen.body).filter(|_| seen.says("tools/call"))?;
                streams.say(&result(id));
                // Whatever it says here is no answer.
                Some(reply(status, "application/json", result(id)))
            },
            |_| {},
        )
        .await;
        let link = server.world.open("s").await;
        assert_eq!(message(send(&link, &call(1)).await.unwrap()), result(1));
    }
}

#[tokio::test]
async fn n3_4_this_transport_has_one_era() {
    let server = Old::new().await;
    assert_eq!(server.world.server.verdict(), Some(Verdict::Legacy));
    let met = server.world.meet(Era::Modern).await.unwrap();
    assert_eq!(met.link.era(), Era::Legacy);
    assert_eq!(server.asked(0), ["GET", "\"initialize\""]);
    assert_eq!(met.said, greeting("2024-11-05").as_bytes());
    let made = crate::upstream::scripted::server(1, |spec| {
        old(spec);
        spec.era = EraChoice::Modern;
    });
    assert!(matches!(made, Err(UpstreamError::Settings { .. })));
}
