//! When sessions open, break, are opened anew and end.

use super::*;

const SUBSCRIBE: &str =
    r#"{"jsonrpc":"2.0","id":9,"method":"resources/subscribe","params":{"uri":"a://1"}}"#;
const ANEW: [&str; 4] = [
    "GET",
    "\"initialize\"",
    "/initialized",
    "resources/subscribe",
];

async fn opened(server: &Old) -> Link {
    let link = server.world.open("s").await;
    send(&link, INITIALIZED).await.unwrap();
    send(&link, SUBSCRIBE).await.unwrap();
    link
}

#[tokio::test]
async fn s9_a_broken_stream_is_opened_anew_by_the_next_call() {
    let server = Old::new().await;
    let link = opened(&server).await;
    let before = server.world.seen().len();
    server.streams.cut();
    assert_eq!(message(send(&link, &call(1)).await.unwrap()), result(1));
    let asked = server.asked(before);
    // The break may be noticed before the call or by it.
    let asked = asked.strip_prefix(&["tools/call"]).unwrap_or(&asked);
    assert_eq!(asked, [&ANEW[..], &["tools/call"]].concat());
    assert_eq!(message(send(&link, &call(2)).await.unwrap()), result(2));
    assert_eq!(server.streams.count(), 2);
}

#[tokio::test]
async fn s9_a_session_that_the_server_forgot_is_opened_anew_once_for_many_calls() {
    let server = Old::new().await;
    let link = opened(&server).await;
    let before = server.world.seen().len();
    // Another stream takes the place of the one that is open.
    server.streams.open(String::new());
    let mut calls = tokio::task::JoinSet::new();
    for id in 1..=8 {
        let link = link.clone();
        calls.spawn(async move { message(send(&link, &call(id)).await.unwrap()) == result(id) });
    }
    assert!(calls.join_all().await.into_iter().all(|good| good));
    let asked = server.asked(before);
    let opened = asked.iter().filter(|word| **word == "GET").count();
    assert_eq!(opened, 1, "{asked:?}");
}

#[tokio::test]
async fn s9_gives_up_when_the_new_session_is_forgotten_too() {
    let server = Old::with(
        |seen, _| {
            seen.says("tools/call")
                .then(|| reply(404, "text/plain", ""))
        },
        |_| {},
    )
    .await;
    let link = opened(&server).await;
    let error = send(&link, &call(1)).await.unwrap_err();
    assert_eq!(error, UpstreamError::SessionLost);
    assert_eq!(server.world.count("tools/call"), 2);
    assert_eq!(server.streams.count(), 2);
}

#[tokio::test]
async fn h14_a_call_that_may_have_been_executed_is_never_sent_again() {
    let server = Old::with(
        |seen, streams| {
            if !seen.says("tools/call") {
                return None;
            }
            streams.cut();
            Some(accepted())
        },
        |_| {},
    )
    .await;
    let link = opened(&server).await;
    let error = send(&link, &call(1)).await.unwrap_err();
    assert_eq!(error, UpstreamError::Ended);
    assert_eq!(server.world.count("tools/call"), 1);
    assert_eq!(server.streams.count(), 1, "nor is anything opened for it");
}

#[tokio::test]
async fn s9_an_answer_to_the_old_sessions_question_is_not_repeated_to_the_new_one() {
    let server = Old::with(
        |seen, streams| {
            if !seen.says("tools/call") {
                return None;
            }
            streams.say(r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#);
            Some(accepted())
        },
        |_| {},
    )
    .await;
    let link = opened(&server).await;
    let mut events = stream(send(&link, &call(1)).await.unwrap());
    assert!(next(&mut events).await.unwrap().contains("roots/list"));
    server.streams.open(String::new());
    let answer = r#"{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}"#;
    let error = send(&link, answer).await.unwrap_err();
    assert_eq!(error, UpstreamError::SessionLost);
    assert_eq!(server.world.count("roots\":[]"), 1);
    // The call went with the old session.
    assert_eq!(events.next().await.unwrap_err(), UpstreamError::Ended);
}

#[tokio::test]
async fn s9_refuses_a_new_session_of_another_version() {
    let server = Old::with(
        |seen, streams| {
            if !seen.says("\"initialize\"") || streams.count() == 1 {
                return None;
            }
            let id = id_of(&seen.body).unwrap();
            let other = greeting("2025-06-18").replace("\"id\":0", &format!("\"id\":{id}"));
            streams.say(&other);
            Some(accepted())
        },
        |_| {},
    )
    .await;
    let link = opened(&server).await;
    server.streams.open(String::new());
    let error = send(&link, &call(1)).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Changed { .. }), "{error}");
}

#[tokio::test]
async fn the_end_of_the_link_is_the_end_of_the_stream() {
    for way in ["close", "drop"] {
        let server = Old::new().await;
        let link = server.world.open("s").await;
        let stream = server.streams.newest();
        let other = link.clone();
        match way {
            "close" => {
                link.close().await;
                let error = send(&other, &call(1)).await.unwrap_err();
                assert_eq!(error, UpstreamError::Closed);
            }
            _ => {
                drop(link);
                send(&other, &call(1)).await.unwrap();
                drop(other);
            }
        }
        stream.closed().await;
    }
}

#[tokio::test]
async fn a_session_that_could_not_be_opened_leaves_no_stream_behind() {
    let server = Old::with(|_, _| Some(accepted()), |_| {}).await;
    let owner = owner("s");
    let opening = server.world.server.open(&owner, initialize());
    let late = async {
        server.world.until("\"initialize\"").await;
        pass(PATIENCE).await;
    };
    let (opened, ()) = tokio::join!(opening, late);
    assert_eq!(opened.unwrap_err(), UpstreamError::Deadline);
    server.streams.newest().closed().await;
}

#[tokio::test]
async fn every_link_has_a_connection_of_its_own() {
    let server = Old::new().await;
    let one = server.world.open("one").await;
    let first = server.streams.newest();
    let two = server.world.open("two").await;
    assert_eq!(server.streams.count(), 2);
    drop(two);
    server.streams.newest().closed().await;
    assert!(!first.is_closed());
    drop(one);
    first.closed().await;
}

#[tokio::test]
async fn l5_no_caller_can_outwait_the_timeout_of_the_server() {
    let server = Old::with(|seen, _| seen.says("tools/call").then(accepted), |_| {}).await;
    let link = server.world.open("s").await;
    let (text, long) = (call(1), PATIENCE * 60);
    let late = async {
        server.world.until("tools/call").await;
        pass(PATIENCE).await;
    };
    let started = Instant::now();
    let (sent, ()) = tokio::join!(send_within(&link, &text, long), late);
    assert_eq!(sent.unwrap_err(), UpstreamError::Deadline);
    assert!(started.elapsed() < long / 2);
}
