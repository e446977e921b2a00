//! In which era a server is met (rules V6 and V8), by what it answers.

use super::*;

/// What was asked, in order.
fn asked(world: &World) -> Vec<&'static str> {
    let word = |seen: &Seen| match seen {
        _ if seen.says("server/discover") => "discover",
        _ if seen.says("\"initialize\"") => "initialize",
        _ if seen.says("tools/call") => "call",
        _ => "other",
    };
    let seen = world.seen();
    let posts = seen.iter().filter(|seen| seen.method == "POST");
    posts.map(word).collect()
}

/// A server that answers `server/discover` with `discover` and otherwise as usual.
async fn answering(discover: impl Fn() -> Response<Body> + Send + Sync + 'static) -> World {
    World::new(move |seen, _| match seen.says("server/discover") {
        true => discover(),
        false => usual(seen),
    })
    .await
}

fn error(code: i64, id: &str, data: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"m","data":{data}}}}}"#
    )
}

/// What comes of meeting a server that answers `server/discover` so.
async fn check(status: u16, content_type: &'static str, body: &str, expected: &str) {
    let shown = format!("{status} {content_type} {body}");
    let body = body.to_owned();
    let world = answering(move || reply(status, content_type, body.clone())).await;
    let met = world.meet(Era::Modern).await;
    let found = match &met {
        Ok(met) if met.link.era() == Era::Modern => "modern",
        Ok(_) => "legacy",
        Err(error) => error.code(),
    };
    assert_eq!(found, expected, "{shown}");
    let expected_asked: &[_] = match expected {
        "legacy" => &["discover", "initialize"],
        _ => &["discover"],
    };
    assert_eq!(asked(&world), expected_asked, "{shown}");
    let verdict = match expected {
        "legacy" => Some(Verdict::Legacy),
        "modern" => Some(Verdict::Modern),
        _ => None,
    };
    assert_eq!(world.server.verdict(), verdict, "{shown}");
}

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

#[tokio::test]
async fn v6_a_modern_server_is_known_by_its_discovery() {
    let said = discovered(MODERN);
    check(200, JSON, &said, "modern").await;
    check(200, EVENTS, &format!("data: {said}\n\n"), "modern").await;
    let first = r#"data: {"jsonrpc":"2.0","method":"notifications/message"}"#;
    let both = format!("{first}\n\ndata: {said}\n\n");
    check(200, EVENTS, &both, "modern").await;
}

#[tokio::test]
async fn v6_whatever_is_no_modern_answer_is_followed_by_a_handshake() {
    let unsupported = r#"{"supported":["2025-11-25"]}"#;
    for (status, content_type, body) in [
        (400, JSON, error(-32000, "null", "{}")),
        (400, JSON, error(-32600, "\"server-error\"", "{}")),
        (400, JSON, error(-32000, "9", "{}")),
        (400, JSON, error(-32602, "null", "{}")),
        (200, JSON, error(-32601, "9", "{}")),
        (404, JSON, error(-32601, "9", "{}")),
        (400, "text/plain", "Bad Request".to_owned()),
        (404, "text/html", "<html>".to_owned()),
        (405, "text/plain", String::new()),
        (406, "text/plain", String::new()),
        (422, JSON, r#"{"detail":"x"}"#.to_owned()),
        (200, "text/html", "<html>".to_owned()),
        (200, JSON, "{}".to_owned()),
        (200, JSON, "not json".to_owned()),
        (200, JSON, discovered("\"2025-11-25\"")),
        (
            200,
            JSON,
            discovered(MODERN).replace("\"id\":9", "\"id\":8"),
        ),
        (200, EVENTS, ": nothing\n\n".to_owned()),
        (400, JSON, error(-32022, "9", unsupported)),
        (400, JSON, error(-32022, "null", unsupported)),
    ] {
        check(status, content_type, &body, "legacy").await;
    }
}

#[tokio::test]
async fn v6_an_error_of_the_modern_era_is_not_answered_with_a_handshake() {
    let unsupported = r#"{"supported":["2099-01-01"]}"#;
    for (body, code) in [
        (error(-32020, "null", "{}"), "upstream_declined"),
        (error(-32021, "9", "{}"), "upstream_declined"),
        (error(-32022, "9", "{}"), "upstream_declined"),
        (error(-32022, "9", unsupported), "upstream_revision"),
        (error(-32022, "null", unsupported), "upstream_revision"),
    ] {
        check(400, JSON, &body, code).await;
    }
}

#[tokio::test]
async fn v6_a_failing_network_or_credential_says_nothing_of_eras() {
    for (status, body, code) in [
        (401, error(-32000, "9", "{}"), "upstream_credential"),
        (403, discovered(MODERN), "upstream_credential"),
        (307, String::new(), "upstream_redirect"),
        (500, String::new(), "upstream_status"),
        (503, error(-32000, "null", "{}"), "upstream_status"),
    ] {
        check(status, JSON, &body, code).await;
    }
}

#[tokio::test]
async fn says_what_the_server_said_in_the_era_it_was_met_in() {
    let world = answering(|| json(discovered(MODERN))).await;
    let met = world.meet(Era::Modern).await.unwrap();
    assert_eq!(met.said, discovered(MODERN).as_bytes());
    let met = world.meet(Era::Legacy).await.unwrap();
    assert_eq!(met.said, greeting("2025-11-25").as_bytes());
    assert_eq!(met.link.era(), Era::Legacy);
    assert_eq!(world.server.verdict(), Some(Verdict::Both));
    // The preferred era is the only one asked in.
    assert_eq!(asked(&world), ["discover", "initialize"]);
}

#[tokio::test]
async fn v9_a_server_of_both_eras_is_met_in_the_preferred_one() {
    // Servers of both eras name the modern versions only: the handshake has to be tried.
    for (versions, verdict) in [
        (MODERN, Verdict::Modern),
        ("\"2026-07-28\",\"2025-11-25\"", Verdict::Both),
    ] {
        let world = answering(move || json(discovered(versions))).await;
        world.meet(Era::Modern).await.unwrap();
        assert_eq!(world.server.verdict(), Some(verdict));
        for _ in 0..2 {
            let met = world.meet(Era::Legacy).await.unwrap();
            assert_eq!(met.link.era(), Era::Legacy);
            let met = world.meet(Era::Modern).await.unwrap();
            assert_eq!(met.link.era(), Era::Modern);
        }
        assert_eq!(world.server.verdict(), Some(Verdict::Both));
    }
}

#[tokio::test]
async fn v10_a_server_without_a_handshake_is_met_without_one() {
    for (status, body) in [
        (400, error(-32022, "0", r#"{"supported":["2026-07-28"]}"#)),
        (404, error(-32601, "0", "{}")),
        (400, error(-32602, "null", "{}")),
        (200, error(-32601, "0", "{}")),
        (200, greeting("2026-07-28")),
        (405, String::new()),
    ] {
        let shown = body.clone();
        let world = World::new(move |seen, _| match seen.says("\"initialize\"") {
            true => reply(status, "application/json", body.clone()),
            false => json(discovered(MODERN)),
        })
        .await;
        let met = world.meet(Era::Legacy).await.unwrap();
        assert_eq!(met.link.era(), Era::Modern, "{status} {shown}");
        assert_eq!(asked(&world), ["initialize", "discover"]);
        // It is remembered for a while.
        world.meet(Era::Legacy).await.unwrap();
        assert_eq!(asked(&world), ["initialize", "discover", "discover"]);
        assert_eq!(world.server.verdict(), Some(Verdict::Modern));
    }
}

#[tokio::test]
async fn v8_a_legacy_verdict_is_remembered_and_a_wrong_one_is_found_out() {
    let modern = Arc::new(AtomicUsize::new(0));
    let grown = modern.clone();
    let world = World::new(move |seen, _| {
        let knows = modern.load(Ordering::SeqCst) > 0;
        match (seen.says("server/discover"), seen.says("\"initialize\"")) {
            (true, _) if knows => json(discovered(MODERN)),
            (true, _) => reply(404, "text/plain", ""),
            (_, true) if knows => reply(400, "application/json", error(-32022, "0", "{}")),
            _ => usual(seen),
        }
    })
    .await;
    for _ in 0..3 {
        let met = world.meet(Era::Modern).await.unwrap();
        assert_eq!(met.link.era(), Era::Legacy);
    }
    let before = ["discover", "initialize", "initialize", "initialize"];
    assert_eq!(asked(&world), before);
    // The server learns the other era and unlearns this one.
    grown.store(1, Ordering::SeqCst);
    let met = world.meet(Era::Modern).await.unwrap();
    assert_eq!(met.link.era(), Era::Modern);
    assert_eq!(asked(&world)[4..], ["initialize", "discover"]);
    // And back again.
    grown.store(0, Ordering::SeqCst);
    let met = world.meet(Era::Modern).await.unwrap();
    assert_eq!(met.link.era(), Era::Legacy);
    assert_eq!(asked(&world)[6..], ["discover", "initialize"]);
}

#[tokio::test]
async fn v8_a_modern_link_to_a_server_that_became_legacy_says_so() {
    let world = World::new(|seen, _| match seen {
        _ if seen.says("server/discover") => json(discovered(MODERN)),
        _ => reply(
            400,
            "application/json",
            error(-32000, "null", "{}").replace("\"m\"", "\"No valid session ID\""),
        ),
    })
    .await;
    let link = world.meet(Era::Modern).await.unwrap().link;
    let error = send(&link, &call(1)).await.unwrap_err();
    assert_eq!(error, UpstreamError::Era { era: Era::Modern });
    assert_eq!(world.server.verdict(), None);
}

#[tokio::test]
async fn n3_4_only_the_era_that_is_configured_is_ever_tried() {
    for (choice, prefer, expected, words) in [
        (EraChoice::Modern, Era::Legacy, "modern", "discover"),
        (EraChoice::Legacy, Era::Modern, "legacy", "initialize"),
    ] {
        let both = |seen: &Seen, _: usize| match seen.says("server/discover") {
            true => json(discovered(MODERN)),
            false => usual(seen),
        };
        let world = World::with(both, |spec| spec.era = choice).await;
        let met = world.meet(prefer).await.unwrap();
        assert_eq!(met.link.era() == Era::Modern, expected == "modern");
        assert_eq!(asked(&world), [words]);
        let opened = world.server.open(&owner("s"), initialize()).await;
        assert_eq!(opened.is_ok(), expected == "legacy");
        // A server that refuses that one is not met at all.
        let neither = |_: &Seen, _: usize| reply(404, "text/plain", "");
        let world = World::with(neither, |spec| spec.era = choice).await;
        assert!(world.meet(prefer).await.is_err());
        assert_eq!(asked(&world), [words]);
    }
}

#[tokio::test]
async fn a_server_that_speaks_neither_era_is_told_about_by_its_handshake() {
    for prefer in [Era::Modern, Era::Legacy] {
        let world = World::new(|seen, _| match seen.says("\"initialize\"") {
            true => json(error(-32603, "0", "{}")),
            false => reply(404, "text/plain", ""),
        })
        .await;
        let error = world.meet(prefer).await.unwrap_err();
        assert_eq!(error, UpstreamError::Declined { code: -32603 });
        assert_eq!(world.seen().len(), 2);
        assert_eq!(world.server.verdict(), None);
    }
}

#[tokio::test]
async fn what_is_no_greeting_reaches_no_server() {
    let world = World::new(|seen, _| usual(seen)).await;
    for text in ["{}", "[]", INITIALIZED, ""] {
        for prefer in [Era::Modern, Era::Legacy] {
            let mut greeting = introduction(prefer);
            greeting.discover = text.into();
            let met = world.server.meet(&owner("s"), greeting).await;
            assert_eq!(met.unwrap_err().code(), "upstream_message", "{text}");
            let mut greeting = introduction(prefer);
            greeting.initialize = text.into();
            let met = world.server.meet(&owner("s"), greeting).await;
            assert_eq!(met.unwrap_err().code(), "upstream_message", "{text}");
        }
    }
    assert!(world.seen().is_empty());
}
