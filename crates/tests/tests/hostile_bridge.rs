//! What the gateway holds between two messages, before somebody who means harm: calls that wait and
//! multiply, questions without end, listeners without number, and clients that hang up. Nothing grows
//! beyond its bound, and the server hears when nobody waits.

use anyhow::{Context as _, Result};
use ringwall_tests::comes::is_so;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::pairing::{
    Caller, Era, PAIRINGS, is_recorded, recorded, refused, until, world,
};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::{self, Events};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

fn able() -> Value {
    json!({ "elicitation": {} })
}

fn stateless(world: &World, user: &str) -> Result<Stateless> {
    Ok(Stateless::new(&world.url()?, Some(&world.token(user)?)).capable(able()))
}

/// What the gateway says it holds.
async fn held(world: &World, pointer: &str) -> Result<Value> {
    let held: Value =
        serde_json::from_str(&world.gateway.with_data(&["sessions", "--json"]).await?)?;
    Ok(held.pointer(pointer).cloned().unwrap_or_default())
}

/// That it holds so many: what was given up or has ended is put away a moment later than others hear of it.
async fn holds(world: &World, pointer: &str, count: usize) -> Result<()> {
    let mut said = Value::Null;
    let holds = is_so(async || {
        said = held(world, pointer).await?;
        Ok(said == json!(count))
    });
    let holds = holds.await;
    holds.with_context(|| format!("{pointer} is {said}, not {count}"))
}

fn who(name: &str) -> Value {
    let content = json!({ "username": name, "email": "who@example.test" });
    json!({ "action": "accept", "content": content })
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_calls_that_wait_for_their_client_are_counted() -> Result<()> {
    let plan = Plan::default().route(json!({ "bridge": { "parked_per_user": 2 } }));
    let world = world(plan, Era::Legacy).await?;
    let (alice, bob) = (stateless(&world, "alice")?, stateless(&world, "bob")?);
    let ask = |client: &Stateless| {
        let arguments = json!({ "message": "Who?" });
        let params = json!({ "name": "test_elicitation", "arguments": arguments });
        client.outgoing("tools/call", params).send()
    };
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let asked = ask(&alice).await?.json()?;
        assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
        waiting.push(asked);
    }
    for _ in 0..3 {
        let full = ask(&alice).await?;
        assert_eq!(
            (full.code().as_str(), full.control().as_deref()),
            ("parked_limit", Some("4.3"))
        );
    }
    is_recorded(&world, "alice", "parked_limit", "4.3").await?;
    // What could not wait was given up, and its server knows.
    let refused = "the client did not answer in time";
    until(&world, |said| said.matches(refused).count() == 3).await?;
    until(&world, |said| {
        said.matches("notifications/cancelled").count() == 3
    })
    .await?;
    holds(&world, "/totals/parked", 2).await?;
    holds(&world, "/sessions/0/under_way", 2).await?;
    // Bob has places of his own.
    assert_eq!(
        ask(&bob).await?.json()?["result"]["resultType"],
        "input_required"
    );
    // One that is answered makes room for one more.
    let first = waiting.pop().unwrap_or_default();
    let inputs = json!({ "q1": who("Alice") });
    let arguments = json!({ "message": "Who?" });
    let told = alice
        .answer("test_elicitation", arguments, &first, inputs)
        .await?;
    assert!(text(&told).contains("Alice"), "{told}");
    assert_eq!(
        ask(&alice).await?.json()?["result"]["resultType"],
        "input_required"
    );
    assert_eq!(ask(&alice).await?.code(), "parked_limit");
    Ok(())
}

/// The questions among these messages, until this many are there.
async fn questions(events: &mut Events, count: usize) -> Result<Vec<Value>> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let asked = events
            .message(|message| message.get("method") == Some(&json!("elicitation/create")))
            .await?;
        ids.push(asked.get("id").cloned().unwrap_or_default());
    }
    Ok(ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_questions_to_a_client_are_counted() -> Result<()> {
    const MOST: usize = 64;
    let many =
        json!({ "name": "misuse_input", "arguments": { "kind": "many_requests", "n": 100 } });
    let world = world(Plan::default().hostile(), Era::Legacy).await?;
    let mut alice = Client::new(&world.url()?, Some(&world.token("alice")?));
    alice.initialize(able()).await?;
    let mut events = alice.stream("tools/call", many.clone()).await?;
    let ids = questions(&mut events, MOST).await?;
    // The rest is answered in the client's place: the limits' codes begin so.
    let no = "\\\"error\\\":{\\\"code\\\":-310";
    until(&world, |said| said.matches(no).count() == 100 - MOST).await?;
    holds(&world, "/sessions/0/questions", MOST).await?;
    for id in &ids {
        let answer = json!({ "jsonrpc": "2.0", "id": id, "result": { "action": "cancel" } });
        assert_eq!(alice.post(&answer).await?.status, 202);
    }
    events
        .message(|message| message.get("method").is_none())
        .await?;
    holds(&world, "/sessions/0/questions", 0).await?;
    // A stateless client is asked no more at once, however many there are.
    let bob = stateless(&world, "bob")?;
    let asked = bob.request("tools/call", many).await?;
    let inputs = asked
        .pointer("/result/inputRequests")
        .and_then(Value::as_object);
    assert!(
        (1..=MOST).contains(&inputs.map_or(0, serde_json::Map::len)),
        "{asked}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_a_server_that_never_has_enough_is_given_up() -> Result<()> {
    const ROUNDS: usize = 16;
    let world = world(Plan::default().hostile(), Era::Modern).await?;
    let mut alice = Client::new(&world.url()?, Some(&world.token("alice")?));
    alice.initialize(able()).await?;
    let params = json!({ "name": "misuse_input", "arguments": { "kind": "forever" } });
    let mut events = alice.stream("tools/call", params).await?;
    let mut asked = 0;
    let last = loop {
        let message = events
            .message(|message| message.get("id").is_some())
            .await?;
        if message.get("method").is_none() {
            break message;
        }
        asked += 1;
        let content = json!({ "action": "accept", "content": { "word": "more" } });
        let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": content });
        assert_eq!(alice.post(&answer).await?.status, 202);
    };
    assert_eq!(
        (wire::code(&last).as_str(), asked),
        ("server_never_satisfied", ROUNDS),
        "{last}"
    );
    is_recorded(&world, "alice", "server_never_satisfied", "4.3").await?;
    // What needs nothing of the client ends, too, and well if the server is content in time.
    let some = json!({ "kind": "state_only", "n": 2 });
    assert_eq!(
        text(&alice.call("misuse_input", some).await?),
        "enough rounds"
    );
    holds(&world, "/sessions/0/questions", 0).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h13_s6_hanging_up_takes_a_call_back_in_the_one_era_and_not_in_the_other() -> Result<()> {
    for (client, server) in PAIRINGS {
        let world = world(Plan::default().hostile(), server).await?;
        let alice = Caller::at(&world, "/fixture", "alice", client, able()).await?;
        // Whoever hangs up does so before it ends: it ends in one era only.
        let n = match client {
            Era::Modern => 60_000,
            Era::Legacy => 6_000,
        };
        let params = json!({ "name": "slow", "arguments": { "n": n } });
        let call = tokio::spawn(async move { alice.send("tools/call", params).await });
        until(&world, |said| said.contains("\\\"slow\\\"")).await?;
        call.abort();
        let ended = call.await;
        assert!(
            ended.is_err_and(|error| error.is_cancelled()),
            "{client:?} {server:?}"
        );
        let words = ["--user", "alice", "--tool", "slow"];
        let record = recorded(&world, &words).await?;
        let journal = world.journal_text()?;
        match client {
            Era::Modern => {
                assert_eq!(
                    record["refusal"]["code"], "cancelled",
                    "{server:?} {record}"
                );
                assert_eq!(record["refusal"]["control"], "4.3", "{record}");
                let told = |said: &str| match server {
                    Era::Modern => said.contains("\"what\":\"slow\""),
                    Era::Legacy => said.contains("notifications/cancelled"),
                };
                until(&world, told).await?;
            }
            Era::Legacy => {
                assert_eq!(record["verdict"], "allowed", "{server:?} {record}");
                assert!(!journal.contains("cancelled"), "{server:?} {journal}");
            }
        }
        let holds = holds(&world, "/sessions/0/under_way", 0).await;
        holds.with_context(|| format!("{client:?} {server:?}"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn s6_a_client_of_a_session_takes_its_own_call_back_in_so_many_words() -> Result<()> {
    for server in [Era::Legacy, Era::Modern] {
        let world = world(Plan::default().hostile(), server).await?;
        let alice = world.client("alice").await?;
        let call = json!({
            "jsonrpc": "2.0", "id": 77, "method": "tools/call",
            "params": { "name": "slow", "arguments": { "n": 60_000 } }
        });
        let take_back = async {
            until(&world, |said| said.contains("\\\"slow\\\"")).await?;
            let params = json!({ "requestId": 77 });
            let message = json!({
                "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params
            });
            alice.post(&message).await
        };
        let (call, taken_back) = tokio::join!(alice.post(&call), take_back);
        assert_eq!(taken_back?.status, 202);
        // No answer is owed, and the server works no more.
        assert!(call.map_or(true, |reply| {
            reply
                .json()
                .map_or(true, |said| said.get("result").is_none())
        }));
        until(&world, |said| said.contains("\"what\":\"slow\"")).await?;
        refused(
            &world,
            "alice",
            if server == Era::Modern {
                "cancelled"
            } else {
                "upstream_ended"
            },
        )
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_client_that_is_another_one_each_time_holds_no_more_than_others() -> Result<()> {
    let plan = Plan::default().route(json!({ "sessions": { "per_user": 2 } }));
    let world = world(plan, Era::Legacy).await?;
    let (url, token) = (world.url()?, world.token("alice")?);
    let disguised = |name: usize| {
        let capabilities = json!({ "elicitation": {}, "experimental": { name.to_string(): {} } });
        Stateless::new(&url, Some(&token)).capable(capabilities)
    };
    for name in 0..6 {
        let told = disguised(name)
            .call("echo", json!({ "text": "me" }))
            .await?;
        assert_eq!(text(&told), "me", "{name}");
        let sessions = held(&world, "/totals/sessions").await?;
        assert!(
            sessions.as_u64().is_some_and(|held| held <= 2),
            "{name}: {sessions}"
        );
    }
    // What was let go, the server was told.
    until(&world, |said| said.matches("\"DELETE\"").count() == 4).await?;
    // What is in use is not let go for another one.
    for name in 6..8 {
        let asked = disguised(name)
            .call("test_elicitation", json!({ "message": "Who?" }))
            .await?;
        assert_eq!(
            asked["result"]["resultType"], "input_required",
            "{name}: {asked}"
        );
    }
    let full = disguised(8).send("tools/list", json!({})).await?;
    assert_eq!(
        (full.status.as_u16(), full.code().as_str()),
        (429, "session_limit")
    );
    is_recorded(&world, "alice", "session_limit", "8.3").await?;
    assert_eq!(held(&world, "/totals/sessions").await?, 2);
    let bob = stateless(&world, "bob")?;
    assert_eq!(
        text(&bob.call("echo", json!({ "text": "mine" })).await?),
        "mine"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_listeners_are_counted_and_so_is_what_they_listen_for() -> Result<()> {
    const MOST: usize = 64;
    let open = json!({ "rate": "1000/s", "burst": 1000, "concurrent": 200 });
    let limits = json!({ "source": open, "user": open, "session": open, "resource": open });
    for server in [Era::Legacy, Era::Modern] {
        let plan = Plan::default().route(json!({ "limits": limits }));
        let world = world(plan, server).await?;
        let alice = stateless(&world, "alice")?;
        let mut open = Vec::new();
        for turn in 0..MOST {
            let mut events = alice.listen(json!({ "toolsListChanged": true })).await?;
            let first = events.message(|_| true).await?;
            let acknowledged = "notifications/subscriptions/acknowledged";
            assert_eq!(first["method"], acknowledged, "{server:?} {turn}: {first}");
            open.push(events);
        }
        let wish = json!({ "notifications": { "toolsListChanged": true } });
        let full = alice.send("subscriptions/listen", wish).await?;
        let told = (full.code(), full.control());
        assert_eq!(
            told,
            ("stream_limit".to_owned(), Some("4.3".to_owned())),
            "{server:?}"
        );
        is_recorded(&world, "alice", "stream_limit", "4.3").await?;
        // Of all of them together the server has one subscription, or one stream.
        let journal = world.journal_text()?;
        let streams = match server {
            Era::Legacy => journal.matches("\"method\":\"GET\"").count(),
            Era::Modern => {
                let opened = journal.matches("\\\"subscriptions/listen\\\"").count();
                opened - journal.matches("\"what\":\"subscriptions/listen\"").count()
            }
        };
        assert!((1..=2).contains(&streams), "{server:?}: {streams}");
        let bob = stateless(&world, "bob")?;
        let uris: Vec<String> = (0..1000).map(|at| format!("test://{at}")).collect();
        let wish = json!({ "notifications": { "resourceSubscriptions": uris } });
        let many = bob.send("subscriptions/listen", wish).await?;
        assert!(
            ["params", "stream_limit"].contains(&many.code().as_str()),
            "{}",
            many.code()
        );
        is_recorded(
            &world,
            "bob",
            &many.code(),
            &many.control().unwrap_or_default(),
        )
        .await?;
    }
    Ok(())
}
