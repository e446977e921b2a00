//! Clients that mean harm and have a good token: they use sessions, streams, questions and ids of
//! others. Nothing crosses users, and each attempt has its refusal and its record.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::pairing::{
    Caller, Era, PAIRINGS, Refusal, is_recorded, is_refused, until, world,
};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::{self, Events};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

const GITHUB: &str = "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";

async fn legacy(world: &World, user: &str, capabilities: Value) -> Result<Client> {
    let mut client = Client::new(&world.url()?, Some(&world.token(user)?));
    client.initialize(capabilities).await?;
    Ok(client)
}

fn stateless(world: &World, user: &str) -> Result<Stateless> {
    Ok(Stateless::new(&world.url()?, Some(&world.token(user)?)))
}

/// A call in whose middle the server asks the user: its stream, and the question.
async fn asked(client: &Client) -> Result<(Events, Value)> {
    let params = json!({
        "name": "test_elicitation", "arguments": { "message": "Who?" }
    });
    let mut events = client.stream("tools/call", params).await?;
    let question = events
        .message(|message| message.get("method") == Some(&json!("elicitation/create")))
        .await?;
    let id = question
        .get("id")
        .cloned()
        .context("a question without an id")?;
    Ok((events, id))
}

fn answer(id: &Value, name: &str) -> Value {
    let content = json!({ "username": name, "email": "who@example.test" });
    json!({ "jsonrpc": "2.0", "id": id, "result": { "action": "accept", "content": content } })
}

/// The server hears at once that no answer comes, and the client by status that its own went no further.
#[tokio::test(flavor = "multi_thread")]
async fn n9_3_a_call_goes_on_whose_question_was_answered_with_what_may_not_go_out() -> Result<()> {
    const SECRET: Refusal = (400, "data_refused", "1.1");
    for era in ["legacy", "modern"] {
        let world = World::start(Plan::default().fixture(&["--era", era])).await?;
        let alice = legacy(&world, "alice", json!({ "elicitation": {} })).await?;
        let (mut call, question) = asked(&alice).await?;
        // What cannot be read is nobody's answer.
        let mut other = answer(&question, "Alice");
        other["result"]["Content"] = json!({});
        let reply = alice.post(&other).await?;
        assert_eq!(
            (reply.status.as_u16(), &*reply.code()),
            (400, "rpc_member_variant")
        );
        let reply = alice.post(&answer(&question, GITHUB)).await?;
        is_refused(&reply, era, SECRET)?;
        let told = reply.json()?;
        assert_eq!(told.get("id"), None, "{told}");
        let ended = call.message(|it| it.get("result").is_some() || it.get("error").is_some());
        let ended = ended.await?;
        assert!(
            wire::refusal(&ended).is_none(),
            "the call timed out: {ended}"
        );
        assert!(!world.journal_text()?.contains(GITHUB));
        is_recorded(&world, "alice", SECRET.1, SECRET.2).await?;
        // Nothing waits any more for the one answer that would have been right.
        let late = alice.post(&answer(&question, "Alice")).await?;
        is_refused(&late, era, (400, "response_unasked", "8.2"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_2_a_session_is_good_for_its_own_user_route_and_client() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let session = alice.session().unwrap_or_default().to_owned();
    let other = world.gateway.at("/other")?;
    let elsewhere = world.issuer.token(other.as_str(), "alice")?;
    let another = json!({ "client_id": "another" });
    let another = world
        .issuer
        .sign_changed(&world.resource()?, &json!({}), &another)?;
    let url = world.url()?;
    const UNKNOWN: Refusal = (404, "session_unknown", "8.2");
    const ELSEWHERE: Refusal = (404, "session_binding", "8.2");
    let rows = [
        ("another user", "bob", &url, world.token("bob")?, UNKNOWN),
        ("another route", "alice", &other, elsewhere, ELSEWHERE),
        ("another client", "alice", &url, another, ELSEWHERE),
    ];
    let before = world.arrived()?;
    for (name, user, url, token, refusal) in rows {
        let thief = Client::new(url, Some(&token)).in_session(&session);
        is_refused(&thief.send("tools/list", json!({})).await?, name, refusal)?;
        is_refused(
            &thief.notify("notifications/initialized").await?,
            name,
            refusal,
        )?;
        is_refused(&thief.post(&answer(&json!(1), "x")).await?, name, refusal)?;
        is_refused(&thief.listen(None).await?.reply().await?, name, refusal)?;
        is_refused(&thief.delete().await?, name, refusal)?;
        is_recorded(&world, user, refusal.1, refusal.2).await?;
    }
    assert_eq!(world.arrived()?, before, "something reached the server");
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "mine" })).await?),
        "mine"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_2_streams_and_questions_of_others_are_not_there() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let able = json!({ "elicitation": {} });
    let alice = legacy(&world, "alice", able.clone()).await?;
    let others = [
        ("alice", legacy(&world, "alice", able.clone()).await?),
        ("bob", legacy(&world, "bob", able).await?),
    ];
    let (mut call, question) = asked(&alice).await?;
    const UNASKED: Refusal = (400, "response_unasked", "8.2");
    const UNKNOWN: Refusal = (404, "stream_unknown", "8.2");
    let before = world.journal()?.len();
    for (user, other) in &others {
        is_refused(
            &other.post(&answer(&question, "Mallory")).await?,
            user,
            UNASKED,
        )?;
        is_recorded(&world, user, UNASKED.1, UNASKED.2).await?;
        // Progress of nobody's question is told to nobody, and is no mistake: it may have crossed
        // with the answer.
        let progress = json!({
            "jsonrpc": "2.0", "method": "notifications/progress",
            "params": { "progressToken": question, "progress": 1 }
        });
        assert_eq!(other.post(&progress).await?.status, 202);
        for event in ["1-0", "0-0", "99-1", "x", "1-18446744073709551615", "-1"] {
            let reply = other.listen(Some(event)).await?.reply().await?;
            is_refused(&reply, event, UNKNOWN)?;
        }
        is_recorded(&world, user, UNKNOWN.1, UNKNOWN.2).await?;
    }
    assert_eq!(
        world.journal()?.len(),
        before,
        "something reached the server"
    );
    for (id, name) in [(json!(4711), "unasked"), (json!("ringwall-q99"), "unasked")] {
        is_refused(&alice.post(&answer(&id, "Mallory")).await?, name, UNASKED)?;
    }
    assert_eq!(alice.post(&answer(&question, "Alice")).await?.status, 202);
    is_refused(
        &alice.post(&answer(&question, "Mallory")).await?,
        "twice",
        UNASKED,
    )?;
    is_recorded(&world, "alice", UNASKED.1, UNASKED.2).await?;
    let told = text(
        &call
            .message(|message| message.get("result").is_some())
            .await?,
    );
    assert!(
        told.contains("Alice") && !told.contains("Mallory"),
        "{told}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_2_a_call_is_taken_back_by_its_own_client_only() -> Result<()> {
    for (client, server) in PAIRINGS {
        let world = world(Plan::default().hostile(), server).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        let slow = alice.told("slow", json!({ "n": 1200 }));
        let taking_back = async {
            until(&world, |said| said.contains("\\\"slow\\\"")).await?;
            for (user, era) in [
                ("bob", Era::Legacy),
                ("alice", Era::Legacy),
                ("bob", Era::Modern),
            ] {
                let other = Caller::plain(&world, user, era).await?;
                for id in [json!(1), json!(2), json!("call-2"), json!("ringwall-1")] {
                    let params = json!({ "requestId": id });
                    let message = json!({
                        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params
                    });
                    let reply = match &other {
                        Caller::Legacy(other) => other.post(&message).await?,
                        Caller::Modern(other) => other.message(&message).send().await?,
                    };
                    assert_eq!(reply.status, 202, "{user} {era:?}");
                }
            }
            anyhow::Ok(())
        };
        let (slow, taken_back) = tokio::join!(slow, taking_back);
        taken_back?;
        assert_eq!(slow?.outcome(), "at last", "{client:?} {server:?}");
        let journal = world.journal_text()?;
        assert!(
            !journal.contains("notifications/cancelled"),
            "{client:?} {server:?}"
        );
        assert!(!journal.contains("\"cancelled\":"), "{client:?} {server:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_no_client_uses_an_id_of_the_gateways_own() -> Result<()> {
    for server in [Era::Legacy, Era::Modern] {
        let world = world(Plan::default().hostile(), server).await?;
        let alice = legacy(&world, "alice", json!({})).await?;
        for (id, kept) in [
            ("ringwall-2", false),
            ("call-2", false),
            ("ringwal", true),
            ("a-call-2", true),
        ] {
            let marker = format!("by {id}");
            let reply = alice
                .post(&json!({
                    "jsonrpc": "2.0", "id": id, "method": "tools/call",
                    "params": { "name": "echo", "arguments": { "text": marker } }
                }))
                .await?;
            let answer = reply.json()?;
            assert_eq!(answer["id"], id, "{server:?}");
            assert_eq!(text(&answer), marker, "{server:?}");
            let journal = world.journal()?;
            let mut bodies = journal.iter().filter_map(|line| line.get("body")?.as_str());
            let body = bodies.rfind(|body| body.contains(&marker));
            let body: Value = serde_json::from_str(body.context("it never arrived")?)?;
            assert_eq!(body["id"] == id, kept, "{server:?} {body}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_an_id_that_is_under_way_is_not_taken_twice() -> Result<()> {
    const IN_USE: Refusal = (400, "id_in_use", "1.1");
    for server in [Era::Legacy, Era::Modern] {
        let world = world(Plan::default().hostile(), server).await?;
        let alice = legacy(&world, "alice", json!({})).await?;
        let call = |tool: &str, arguments: Value| {
            json!({
                "jsonrpc": "2.0", "id": 77, "method": "tools/call",
                "params": { "name": tool, "arguments": arguments }
            })
        };
        // Long enough for the other one to come meanwhile, on a machine that does much else, too.
        let (slow, echo) = (
            call("slow", json!({ "n": 6_000 })),
            call("echo", json!({ "text": "x" })),
        );
        let again = async {
            until(&world, |said| said.contains("\\\"slow\\\"")).await?;
            alice.post(&echo).await
        };
        let (first, second) = tokio::join!(alice.post(&slow), again);
        is_refused(&second?, "the same id", IN_USE)?;
        assert_eq!(text(&first?.json()?), "at last", "{server:?}");
        is_recorded(&world, "alice", IN_USE.1, IN_USE.2).await?;
        // Of requests that stand for themselves each has a line of its own (rule H13).
        let bob = stateless(&world, "bob")?;
        let sent = |message: &Value| {
            let params = bob.params(message["params"].clone());
            let mut message = message.clone();
            message["params"] = params;
            bob.message(&message).send()
        };
        let slow = call("slow", json!({ "n": 1200 }));
        let (first, second) = tokio::join!(sent(&slow), sent(&echo));
        assert_eq!(text(&first?.json()?), "at last", "{server:?}");
        assert_eq!(text(&second?.json()?), "x", "{server:?}");
    }
    Ok(())
}
