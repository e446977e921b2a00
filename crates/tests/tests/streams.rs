//! Streams that break off, are resumed, are asked for by somebody else, and end with their session;
//! and callers who hang up.

use anyhow::{Context as _, Result, bail};
use ringwall_tests::comes::comes;
use ringwall_tests::mcp::Client;
use ringwall_tests::wire::{Event, Events};
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};

/// A call that reports progress three times, under this token, and then answers.
async fn progress(client: &Client, token: &str) -> Result<Events> {
    let params = json!({
        "name": "test_tool_with_progress", "arguments": {}, "_meta": { "progressToken": token }
    });
    let events = client.stream("tools/call", params).await?;
    assert_eq!(events.status, 200);
    Ok(events)
}

async fn next(events: &mut Events) -> Result<Event> {
    match events.next().await? {
        Some(event) => Ok(event),
        None => bail!("the stream ended too early"),
    }
}

/// Everything that still comes.
async fn rest(mut events: Events) -> Result<Vec<Event>> {
    let mut all = Vec::new();
    while let Some(event) = events.next().await? {
        // A comment that only keeps the connection open is no event.
        if event.id.is_some() {
            all.push(event);
        }
    }
    Ok(all)
}

/// What the messages of these events are: the progress, or the answer's text.
fn told(events: &[Event]) -> Result<Vec<Value>> {
    let messages = events.iter().filter(|event| !event.data.is_empty());
    messages
        .map(|event| {
            let message: Value = serde_json::from_str(&event.data)?;
            let progress = message.pointer("/params/progress");
            let answer = message.pointer("/result/content/0/text");
            Ok(progress.or(answer).cloned().unwrap_or(message))
        })
        .collect()
}

fn id(event: &Event) -> &str {
    event.id.as_deref().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_stream_is_resumed_where_it_stopped() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let answer = json!("Reported progress three times.");
    let mut events = progress(&alice, "mine").await?;
    let priming = next(&mut events).await?;
    assert_eq!(
        priming.data, "",
        "the first event only says where to resume"
    );
    let first = next(&mut events).await?;
    assert_eq!(told(std::slice::from_ref(&first))?, [json!(0)]);
    drop(events);
    let missed = rest(alice.listen(Some(id(&first))).await?).await?;
    assert_eq!(told(&missed)?, [json!(50), json!(100), answer.clone()]);
    // From the very beginning, everything is told once more; from the end, nothing.
    let all = rest(alice.listen(Some(id(&priming))).await?).await?;
    let mut whole = vec![first];
    whole.extend(missed);
    assert_eq!(all, whole);
    let last = all.last().map(id).unwrap_or_default();
    assert_eq!(rest(alice.listen(Some(last)).await?).await?, []);
    // The server was asked once: whoever resumes does not call again.
    let asked = world
        .journal_text()?
        .matches("test_tool_with_progress")
        .count();
    assert_eq!(asked, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_session_cannot_be_resumed() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let mut events = progress(&alice, "alices-own").await?;
    let priming = next(&mut events).await?;
    let first = next(&mut events).await?;
    drop(events);
    // Neither another user nor the same one elsewhere has a stream of that name yet.
    let others = [world.client("bob").await?, world.client("alice").await?];
    for other in &others {
        for event in [&priming, &first] {
            let stream = other.listen(Some(id(event))).await?;
            assert_eq!(stream.status, 404);
            let said = format!("{:?}", rest(stream).await?);
            assert!(!said.contains("alices-own"), "{said}");
        }
    }
    // Once they have one, the name means their own.
    for other in &others {
        rest(progress(other, "their-own").await?).await?;
        let said = format!("{:?}", rest(other.listen(Some(id(&priming))).await?).await?);
        assert!(
            said.contains("their-own") && !said.contains("alices-own"),
            "{said}"
        );
    }
    // Nor does it help to name the session.
    let bob = Client::new(&world.url()?, Some(&world.token("bob")?));
    let bob = bob.in_session(alice.session().unwrap_or_default());
    assert_eq!(bob.listen(Some(id(&priming))).await?.status, 404);
    let mine = rest(alice.listen(Some(id(&priming))).await?).await?;
    assert!(format!("{mine:?}").contains("alices-own"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_closes_its_stream() -> Result<()> {
    let world = World::start(Plan::default().hostile()).await?;
    let (alice, bob) = (world.client("alice").await?, world.client("bob").await?);
    let mut alices = alice.listen(None).await?;
    let mut bobs = bob.listen(None).await?;
    assert_eq!((alices.status.as_u16(), bobs.status.as_u16()), (200, 200));
    for stream in [&mut alices, &mut bobs] {
        assert_eq!(next(stream).await?.data, "");
    }
    assert!(alice.delete().await?.status.is_success());
    assert_eq!(alices.next().await?, None);
    assert_eq!(alice.listen(None).await?.status, 404);
    // The stream of a session that goes on goes on.
    world.tamper("mutate").await?;
    let heard = bobs.message(|message| message["method"] == "notifications/tools/list_changed");
    heard.await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_is_still_recorded() -> Result<()> {
    let world = World::start(Plan::default().hostile()).await?;
    let alice = world.client("alice").await?;
    // Longer than a busy machine takes to see that it has arrived.
    let params = json!({ "name": "slow", "arguments": { "n": 20_000 } });
    let call = tokio::spawn(async move { alice.send("tools/call", params).await });
    let arrived = comes(async || {
        let arrived = world.journal_text()?.contains("\\\"slow\\\"");
        Ok((arrived || call.is_finished()).then_some(arrived))
    });
    assert!(arrived.await?, "the call never reached the server");
    call.abort();
    assert!(
        call.await.is_err_and(|error| error.is_cancelled()),
        "answered before the caller hung up"
    );
    let record = comes(async || {
        let records = ledger(&world.gateway, &[]).await?;
        let mut records = records.iter().map(Value::to_string);
        Ok(records.find(|record| record.contains("\"tools/call\"") && record.contains("\"slow\"")))
    });
    let record = record.await.with_context(|| world.gateway.complaints())?;
    assert!(record.contains("allowed"), "{record}");
    Ok(())
}
