//! A client at the other end of a pipe that speaks the stateless era: what it takes back ends, and
//! what it asks too much of is refused, while everything behind it is still read.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use anyhow::{Context as _, Result};
use ringwall_tests::comes::is_so;
use ringwall_tests::pipe::{self, request, said};
use ringwall_tests::program::Program;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Streams of changes that one pipe may have open.
const EARS: u64 = 16;

/// `ringwall wrap` around a server that also misbehaves. Nobody has said anything yet.
async fn wrapped(folder: &Path) -> Result<Program> {
    pipe::start(folder, &[], &["--hostile", "--log", "wrapped.jsonl"]).await
}

fn echo(id: u64) -> String {
    let params = json!({ "name": "echo", "arguments": { "text": "still here" } });
    request(id, "tools/call", params)
}

fn listen(id: u64) -> String {
    let filter = json!({ "notifications": { "toolsListChanged": true } });
    request(id, "subscriptions/listen", filter)
}

fn cancel(id: u64) -> String {
    let params = json!({ "requestId": id });
    json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }).to_string()
}

/// Waits for the answer to this request.
async fn answer(pipe: &mut Program, id: u64) -> Result<Value> {
    loop {
        let message = said(pipe).await?;
        if message.get("method").is_none() && message["id"] == id {
            return Ok(message);
        }
    }
}

/// Waits until a stream of changes is acknowledged or refused. Whether it is open.
async fn opened(pipe: &mut Program, id: u64) -> Result<bool> {
    loop {
        let message = said(pipe).await?;
        if message["method"] == "notifications/subscriptions/acknowledged" {
            return Ok(true);
        }
        if message["id"] == id && message.get("error").is_some() {
            return Ok(false);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h13_a_stateless_client_at_a_pipe_takes_back_a_call_by_its_id() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut pipe = wrapped(folder.path()).await?;
    pipe.say(&echo(1)).await?;
    assert!(answer(&mut pipe, 1).await?.get("result").is_some());
    let slow = json!({ "name": "slow", "arguments": { "n": 600_000 } });
    pipe.say(&request(2, "tools/call", slow)).await?;
    let journal = folder.path().join("wrapped.jsonl");
    let mut id = 3;
    // The answers to what is asked in between are the clock; asked no faster than a tool may be.
    for (word, taken_back) in [("\\\"slow\\\"", false), ("\"cancelled\":", true)] {
        while !std::fs::read_to_string(&journal)?.contains(word) {
            assert!(id < 2000, "never: {word}");
            tokio::time::sleep(Duration::from_millis(30)).await;
            if taken_back && id % 10 == 0 {
                pipe.say(&cancel(2)).await?;
            }
            pipe.say(&echo(id)).await?;
            assert!(answer(&mut pipe, id).await?.get("result").is_some());
            id += 1;
        }
    }
    assert!(pipe.ended().await?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_streams_of_a_pipe_are_bounded_and_never_hold_up_what_is_behind_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut pipe = wrapped(folder.path()).await?;
    for id in 1..=EARS {
        pipe.say(&listen(id)).await?;
        assert!(opened(&mut pipe, id).await?, "{id}");
    }
    pipe.say(&listen(100)).await?;
    assert!(!opened(&mut pipe, 100).await?, "one too many");
    pipe.say(&echo(101)).await?;
    let answered = answer(&mut pipe, 101).await?;
    assert_eq!(answered["result"]["content"][0]["text"], "still here");
    // A stream that is taken back makes room for another.
    pipe.say(&cancel(1)).await?;
    let mut id = 200;
    let is_made = is_so(async || {
        id += 1;
        pipe.say(&listen(id)).await?;
        opened(&mut pipe, id).await
    });
    is_made.await.context("no room was made")
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_calls_that_wait_at_a_pipe_are_all_answered_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut pipe = wrapped(folder.path()).await?;
    let ids = 1..=200;
    for id in ids.clone() {
        pipe.say(&echo(id)).await?;
    }
    let mut answered: Vec<u64> = Vec::new();
    while answered.len() < 200 {
        let message = said(&mut pipe).await?;
        // A tool may be called so often at a time and no more; the pipe itself has room.
        assert_ne!(message["error"]["code"], -32603, "{message}");
        answered.push(message["id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, ids.collect::<Vec<_>>());
    Ok(())
}
