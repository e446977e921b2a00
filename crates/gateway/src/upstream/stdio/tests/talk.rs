//! What is said to a process and by it.

use super::*;

#[tokio::test]
async fn calls_of_two_sessions_with_the_same_id_do_not_meet() {
    let world = World::new();
    let one = world.open("alice", "s1").await;
    let two = world.open("alice", "s2").await;
    let (three, four) = tokio::join!(text_of(&one, "hello"), text_of(&two, "pid"));
    assert_eq!(three, "hello");
    assert_ne!(four, "hello");
}

#[tokio::test]
async fn progress_of_a_call_arrives_on_its_stream_with_the_callers_token() {
    let world = World::new();
    let link = world.open("alice", "s1").await;
    let call = r#"{"jsonrpc":"2.0","id":"c1","method":"tools/call","params":{"_meta":{"progressToken":"mine"},"name":"progress"}}"#;
    let mut events = stream(send(&link, call).await.unwrap());
    let progress = next(&mut events).await.unwrap();
    assert!(progress.contains(r#""progressToken":"mine""#), "{progress}");
    let answer = next(&mut events).await.unwrap();
    assert!(answer.contains(r#""id":"c1""#), "{answer}");
    assert_eq!(next(&mut events).await, None);
}

#[tokio::test]
async fn a_question_of_the_server_is_answered_by_the_session_that_called() {
    let world = World::new();
    let one = world.open("alice", "s1").await;
    let two = world.open("alice", "s2").await;
    let mut events = stream(send(&one, &call("1", "ask")).await.unwrap());
    let question = next(&mut events).await.unwrap();
    assert!(question.contains("roots/list"), "{question}");
    let answer = r#"{"jsonrpc":"2.0","id":"q1","result":{"roots":[]}}"#;
    // The other session's word does not count.
    send(&two, &answer.replace("[]", "[666]")).await.unwrap();
    send(&one, answer).await.unwrap();
    let last = next(&mut events).await.unwrap();
    assert!(last.contains("answered"), "{last}");
    assert!(!world.log().contains("666"));
}

#[tokio::test]
async fn what_the_server_says_unasked_reaches_those_who_listen() {
    let world = World::new();
    let one = world.open("alice", "s1").await;
    let two = world.open("alice", "s2").await;
    let mut hears = two.listen(None).await.unwrap().unwrap();
    assert!(matches!(
        two.listen(None).await,
        Err(UpstreamError::Listening)
    ));
    assert_eq!(text_of(&one, "change").await, "changed");
    assert!(next(&mut hears).await.unwrap().contains("list_changed"));
    drop(hears);
    // What came meanwhile waits, within bounds.
    assert_eq!(text_of(&one, "change").await, "changed");
    let mut hears = two.listen(None).await.unwrap().unwrap();
    assert!(next(&mut hears).await.unwrap().contains("list_changed"));
    two.close().await;
    assert_eq!(next(&mut hears).await, None);
}

#[tokio::test]
async fn drops_and_counts_what_is_no_message() {
    let world = World::new();
    let link = world.open("alice", "s1").await;
    assert_eq!(text_of(&link, "noise").await, "quiet again");
    assert_eq!(text_of(&link, "hello").await, "hello");
}

#[tokio::test]
async fn bounds_a_line_while_it_is_read() {
    let world = World::new();
    let link = world.open("alice", "s1").await;
    let error = send(&link, &call("1", "huge")).await.unwrap_err();
    assert_eq!(error, UpstreamError::TooLarge { max: 64 * 1024 });
    assert_eq!(text_of(&link, "hello").await, "hello");
}

#[tokio::test]
async fn l5_cancels_a_call_that_takes_too_long() {
    let world = World::new();
    let link = world.open("alice", "s1").await;
    let soon = Duration::from_millis(50);
    let error = send_within(&link, &call("1", "hang"), soon)
        .await
        .unwrap_err();
    assert_eq!(error, UpstreamError::Deadline);
    world.until_noted("notifications/cancelled").await;
    assert_eq!(text_of(&link, "hello").await, "hello");
}
