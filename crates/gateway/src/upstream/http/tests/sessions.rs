//! Sessions: their birth, their death, their revival (rules S3 and S9).

use super::*;

/// A server whose sessions die when the test says so. The session id is `session-N`.
struct Mortal {
    /// Which session is alive.
    alive: Arc<AtomicUsize>,
    world: World,
}

impl Mortal {
    async fn new() -> Self {
        let alive = Arc::new(AtomicUsize::new(0));
        let born = alive.clone();
        let world = World::new(move |seen, _| {
            if seen.says("\"initialize\"") {
                let number = born.fetch_add(1, Ordering::SeqCst) + 1;
                let mut response = json(greeting("2025-11-25"));
                let id = format!("session-{number}").parse().unwrap();
                response.headers_mut().insert("mcp-session-id", id);
                return response;
            }
            let number = born.load(Ordering::SeqCst);
            match seen.header("mcp-session-id") == Some(&format!("session-{number}")) {
                true => usual(seen),
                false => reply(404, "text/plain", ""),
            }
        })
        .await;
        Mortal { alive, world }
    }

    /// Kills every session there is.
    fn kill(&self) {
        self.alive.fetch_add(1000, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn s9_recovers_when_one_upstream_session_dies() {
    let mortal = Mortal::new().await;
    let world = &mortal.world;
    let link = world.open("s").await;
    send(&link, INITIALIZED).await.unwrap();
    let subscribe = |id, uri| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"resources/subscribe","params":{{"uri":"{uri}"}}}}"#
        )
    };
    send(&link, &subscribe(1, "a://1")).await.unwrap();
    send(
        &link,
        r#"{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"info"}}"#,
    )
    .await
    .unwrap();
    mortal.kill();
    let before = world.seen().len();
    assert_eq!(message(send(&link, &call(3)).await.unwrap()), result(3));
    let after: Vec<_> = world.seen().split_off(before);
    let words: Vec<_> = after
        .iter()
        .map(|seen| {
            [
                "tools/call",
                "\"initialize\"",
                "/initialized",
                "setLevel",
                "subscribe",
            ]
            .into_iter()
            .find(|word| seen.says(word))
            .unwrap()
        })
        .collect();
    assert_eq!(
        words,
        [
            "tools/call",
            "\"initialize\"",
            "/initialized",
            "setLevel",
            "subscribe",
            "tools/call"
        ]
    );
    assert_eq!(after[1].header("mcp-session-id"), None);
    assert_eq!(after[5].header("mcp-session-id"), Some("session-1002"));
    // From here on the new session serves.
    send(&link, &call(4)).await.unwrap();
    assert_eq!(world.count("\"initialize\""), 2);
}

#[tokio::test]
async fn s9_opens_a_dead_session_anew_only_once_for_many_calls() {
    let mortal = Mortal::new().await;
    let link = mortal.world.open("s").await;
    mortal.kill();
    let mut calls = tokio::task::JoinSet::new();
    for id in 1..=16 {
        let link = link.clone();
        calls.spawn(async move { message(send(&link, &call(id)).await.unwrap()) == result(id) });
    }
    assert!(calls.join_all().await.into_iter().all(|good| good));
    assert_eq!(mortal.world.count("\"initialize\""), 2);
}

#[tokio::test]
async fn s9_an_answer_to_the_old_sessions_question_is_not_repeated_to_the_new_one() {
    let mortal = Mortal::new().await;
    let link = mortal.world.open("s").await;
    mortal.kill();
    let answer = r#"{"jsonrpc":"2.0","id":"q","result":{}}"#;
    let error = send(&link, answer).await.unwrap_err();
    assert_eq!(error, UpstreamError::SessionLost);
    assert_eq!(mortal.world.count("\"id\":\"q\""), 1);
    assert_eq!(message(send(&link, &call(1)).await.unwrap()), result(1));
}

#[tokio::test]
async fn s9_gives_up_when_the_new_session_is_forgotten_too() {
    let world = World::new(|seen, _| match seen.says("\"initialize\"") {
        true => usual(seen),
        false => reply(404, "text/plain", ""),
    })
    .await;
    let link = world.open("s").await;
    let error = send(&link, &call(1)).await.unwrap_err();
    assert_eq!(error, UpstreamError::SessionLost);
    assert_eq!(world.count("\"initialize\""), 2);
    assert_eq!(world.count("tools/call"), 2);
}

#[tokio::test]
async fn s9_refuses_a_new_session_of_another_version() {
    let born = AtomicUsize::new(0);
    let world = World::new(move |seen, _| {
        if !seen.says("\"initialize\"") {
            return reply(404, "text/plain", "");
        }
        let first = born.fetch_add(1, Ordering::SeqCst) == 0;
        let mut response = json(greeting(if first { "2025-11-25" } else { "2025-03-26" }));
        let id = http::HeaderValue::from_static("s");
        response.headers_mut().insert("mcp-session-id", id);
        response
    })
    .await;
    let link = world.open("s").await;
    let error = send(&link, &call(1)).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Changed { .. }), "{error}");
}

#[tokio::test]
async fn s9_takes_a_400_about_the_session_for_a_lost_one() {
    for (body, lost) in [
        (
            r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}"#,
            true,
        ),
        (
            r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"bad input"},"id":null}"#,
            false,
        ),
        (
            r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"session"},"id":99}"#,
            false,
        ),
    ] {
        let dead = AtomicUsize::new(0);
        let world = World::new(move |seen, _| {
            if seen.says("tools/call") && dead.fetch_add(1, Ordering::SeqCst) == 0 {
                return reply(400, "application/json", body);
            }
            usual(seen)
        })
        .await;
        let link = world.open("s").await;
        assert_eq!(send(&link, &call(1)).await.is_ok(), lost, "{body}");
    }
}

#[tokio::test]
async fn s3_refuses_a_session_id_that_is_not_visible_ascii() {
    for (ids, good) in [
        (&["a"][..], true),
        (&["~!x"], true),
        (&[""], false),
        (&["a b"], false),
        (&["a\tb"], false),
        (&["a", "b"], false),
        (&[&*"x".repeat(1025)], false),
    ] {
        let values: Vec<http::HeaderValue> = ids.iter().map(|id| id.parse().unwrap()).collect();
        let world = World::new(move |_, _| {
            let mut response = json(greeting("2025-11-25"));
            for value in &values {
                response
                    .headers_mut()
                    .append("mcp-session-id", value.clone());
            }
            response
        })
        .await;
        let opened = world.server.open(&owner("s"), initialize()).await;
        assert_eq!(opened.is_ok(), good, "{ids:?}");
    }
}

#[tokio::test]
async fn l2_refuses_a_version_that_opens_no_session() {
    for (answer, code) in [
        (greeting("2026-07-28"), "upstream_revision"),
        (greeting("1999-01-01"), "upstream_revision"),
        (
            r#"{"jsonrpc":"2.0","id":0,"result":{}}"#.to_owned(),
            "upstream_malformed",
        ),
        (
            r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"no"}}"#.to_owned(),
            "upstream_declined",
        ),
        ("{}".to_owned(), "upstream_malformed"),
        (
            r#"{"jsonrpc":"2.0","id":0,"id":1,"result":{}}"#.to_owned(),
            "upstream_malformed",
        ),
    ] {
        let shown = answer.clone();
        let world = World::new(move |_, _| json(answer.clone())).await;
        let error = world
            .server
            .open(&owner("s"), initialize())
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{shown}");
    }
}

#[tokio::test]
async fn takes_the_answer_to_initialize_from_a_stream() {
    let world = World::new(|_, _| {
        let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
        events(format!(
            "data: {log}\n\ndata: {}\n\n",
            greeting("2025-11-25")
        ))
    })
    .await;
    let (_, reply) = world.server.open(&owner("s"), initialize()).await.unwrap();
    assert_eq!(message(reply), greeting("2025-11-25"));
}

#[tokio::test]
async fn ends_the_session_on_the_server() {
    let world = World::new(|seen, _| usual(seen)).await;
    let link = world.open("s").await;
    link.close().await;
    let farewell = world.until("DELETE").await;
    assert_eq!(farewell.header("mcp-session-id"), Some("session-1"));
    assert_eq!(
        send(&link, &call(1)).await.unwrap_err(),
        UpstreamError::Closed
    );
    link.close().await;
    assert_eq!(world.seen().len(), 2);
}

#[tokio::test]
async fn ends_the_session_on_the_server_when_nobody_holds_it() {
    let world = World::new(|seen, _| usual(seen)).await;
    let link = world.open("s").await;
    let other = link.clone();
    drop(link);
    send(&other, &call(1)).await.unwrap();
    drop(other);
    world.until("DELETE").await;
}

#[tokio::test]
async fn every_downstream_session_has_its_own_upstream_session() {
    let mortal = Mortal::new().await;
    mortal.world.open("one").await;
    let two = mortal.world.open("two").await;
    send(&two, &call(1)).await.unwrap();
    let sent = mortal.world.until("tools/call").await;
    assert_eq!(sent.header("mcp-session-id"), Some("session-2"));
    assert_eq!(mortal.world.count("\"initialize\""), 2);
}
