//! Clients that mean harm and have a good token: they use ids, sessions and streams of others, mix the
//! eras, and lie in headers. Nothing crosses users, and each attempt has its refusal and its record.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::pairing::{Caller, Era, PAIRINGS, recorded, refused, until, world};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::{Outgoing, Reply};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

/// What a refusal must be: status, code and control.
type Refusal = (u16, &'static str, &'static str);

fn is(reply: &Reply, name: &str, (status, code, control): Refusal) {
    let told = (reply.status.as_u16(), reply.code(), reply.control());
    let expected = (status, code.to_owned(), Some(control.to_owned()));
    assert_eq!(
        told,
        expected,
        "{name}: {}",
        String::from_utf8_lossy(&reply.body)
    );
}

/// The record of a refusal, with the user it names.
async fn is_recorded(world: &World, user: &str, (_, code, control): Refusal) -> Result<()> {
    let record = refused(world, user, code).await?;
    assert_eq!(record["refusal"]["control"], control, "{record}");
    assert_eq!(record["who"]["subject"], user, "{record}");
    Ok(())
}

async fn legacy(world: &World, user: &str, capabilities: Value) -> Result<Client> {
    let mut client = Client::new(&world.url()?, Some(&world.token(user)?));
    client.initialize(capabilities).await?;
    Ok(client)
}

fn stateless(world: &World, user: &str) -> Result<Stateless> {
    Ok(Stateless::new(&world.url()?, Some(&world.token(user)?)))
}

/// A call in whose middle the server asks the user: its stream, and the question.
async fn asked(client: &Client) -> Result<(ringwall_tests::wire::Events, Value)> {
    let params = json!({
        "name": "test_elicitation", "arguments": { "message": "Who?" }
    });
    let mut events = client.stream("tools/call", params).await?;
    let question = events
        .message(|message| message["method"] == "elicitation/create")
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
        is(&thief.send("tools/list", json!({})).await?, name, refusal);
        is(
            &thief.notify("notifications/initialized").await?,
            name,
            refusal,
        );
        is(&thief.post(&answer(&json!(1), "x")).await?, name, refusal);
        is(&thief.listen(None).await?.reply().await?, name, refusal);
        is(&thief.delete().await?, name, refusal);
        is_recorded(&world, user, refusal).await?;
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
        is(
            &other.post(&answer(&question, "Mallory")).await?,
            user,
            UNASKED,
        );
        is_recorded(&world, user, UNASKED).await?;
        // Progress of nobody's question is told to nobody, and is no mistake: it may have crossed
        // with the answer.
        let progress = json!({
            "jsonrpc": "2.0", "method": "notifications/progress",
            "params": { "progressToken": question, "progress": 1 }
        });
        assert_eq!(other.post(&progress).await?.status, 202);
        for event in ["1-0", "0-0", "99-1", "x", "1-18446744073709551615", "-1"] {
            let reply = other.listen(Some(event)).await?.reply().await?;
            is(&reply, event, UNKNOWN);
        }
        is_recorded(&world, user, UNKNOWN).await?;
    }
    assert_eq!(
        world.journal()?.len(),
        before,
        "something reached the server"
    );
    for (id, name) in [(json!(4711), "unasked"), (json!("ringwall-q99"), "unasked")] {
        is(&alice.post(&answer(&id, "Mallory")).await?, name, UNASKED);
    }
    assert_eq!(alice.post(&answer(&question, "Alice")).await?.status, 202);
    is(
        &alice.post(&answer(&question, "Mallory")).await?,
        "twice",
        UNASKED,
    );
    is_recorded(&world, "alice", UNASKED).await?;
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
        let (slow, echo) = (
            call("slow", json!({ "n": 1200 })),
            call("echo", json!({ "text": "x" })),
        );
        let again = async {
            until(&world, |said| said.contains("\\\"slow\\\"")).await?;
            alice.post(&echo).await
        };
        let (first, second) = tokio::join!(alice.post(&slow), again);
        is(&second?, "the same id", IN_USE);
        assert_eq!(text(&first?.json()?), "at last", "{server:?}");
        is_recorded(&world, "alice", IN_USE).await?;
        // Of requests that stand for themselves each has a line of its own (rule H13).
        let bob = stateless(&world, "bob")?;
        let sent = |message: &Value| {
            let params = bob.params(message["params"].clone());
            let mut message = message.clone();
            message["params"] = params;
            bob.message(&message).send()
        };
        let (first, second) = tokio::join!(sent(&slow), sent(&echo));
        assert_eq!(text(&first?.json()?), "at last", "{server:?}");
        assert_eq!(text(&second?.json()?), "x", "{server:?}");
    }
    Ok(())
}

/// A message of one era that has something of the other.
struct Mixed {
    name: &'static str,
    request: Outgoing,
    refusal: Refusal,
    rpc: i64,
}

/// What a client of a session sends that is not of its era, and the other way round.
fn mixed(alice: &Client, modern: &Stateless) -> Vec<Mixed> {
    let echo = || json!({ "name": "echo", "arguments": { "text": "mixed" } });
    let versioned = |version: &str| {
        let mut params = echo();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {}
        });
        params
    };
    let row = |name, request, refusal, rpc| Mixed {
        name,
        request,
        refusal,
        rpc,
    };
    const LIES: Refusal = (400, "header_mismatch", "1.1");
    const UNSPOKEN: Refusal = (400, "version_unsupported", "3.4");
    let in_session = |params| alice.outgoing("tools/call", Some(params));
    let note = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": 1, "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } }
    });
    let init = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    vec![
        row(
            "modern metadata in a session",
            in_session(versioned("2026-07-28")),
            LIES,
            -32020,
        ),
        row(
            "legacy date in modern metadata",
            in_session(versioned("2025-11-25")),
            UNSPOKEN,
            -32022,
        ),
        row(
            "a date that does not exist",
            in_session(versioned("2026-02-30")),
            LIES,
            -32020,
        ),
        row(
            "a modern notification in a session",
            alice.outgoing("ping", None).body(note.to_string()),
            LIES,
            -32020,
        ),
        row(
            "a modern header before a legacy body",
            in_session(echo()).header("mcp-protocol-version", "2026-07-28"),
            (400, "envelope", "3.4"),
            -32602,
        ),
        row(
            "a handshake without sessions",
            modern.outgoing("initialize", init),
            (404, "method_unknown", "3.4"),
            -32601,
        ),
        row(
            "a ping that is gone",
            modern.outgoing("ping", json!({})),
            (404, "method_unknown", "3.4"),
            -32601,
        ),
        row(
            "an answer to a question that cannot be",
            modern.message(&response),
            (400, "response_unasked", "8.2"),
            -32600,
        ),
        row(
            "a modern client that opens a stream",
            modern.message(&response).method(Method::GET),
            (405, "http_method", "3.4"),
            -32600,
        ),
        row(
            "a modern client that ends a session",
            alice
                .outgoing("ping", None)
                .method(Method::DELETE)
                .header("mcp-protocol-version", "2026-07-28"),
            (405, "http_method", "3.4"),
            -32600,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn v9_a_message_is_of_one_era_or_of_none() -> Result<()> {
    let world = World::start(Plan::default().fixture(&["--era", "both"])).await?;
    let alice = world.client("alice").await?;
    let modern = stateless(&world, "alice")?;
    let before = world.arrived()?;
    for Mixed {
        name,
        request,
        refusal,
        rpc,
    } in mixed(&alice, &modern)
    {
        let reply = request.send().await?;
        is(&reply, name, refusal);
        assert_eq!(reply.json()?["error"]["code"], rpc, "{name}");
        recorded(&world, &["--verdict", "refused", "--code", refusal.1]).await?;
    }
    assert_eq!(world.arrived()?, before, "something reached the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn v9_a_message_of_a_session_reaches_a_server_of_both_eras_as_such() -> Result<()> {
    let world = World::start(Plan::default().fixture(&["--era", "both"])).await?;
    let alice = world.client("alice").await?;
    let params = json!({
        "name": "echo", "arguments": { "text": "still in a session" },
        "_meta": {
            "io.modelcontextprotocol/clientCapabilities": { "sampling": {} },
            "io.modelcontextprotocol/clientInfo": { "name": "somebody else", "version": "1" },
            "example.test/kept": 1
        }
    });
    let answer = alice.request("tools/call", params).await?;
    assert_eq!(text(&answer), "still in a session", "{answer}");
    let journal = world.journal()?;
    let line = journal
        .iter()
        .find(|line| line.to_string().contains("still in a session"));
    let line = line.context("the call never arrived")?.to_string();
    assert!(
        line.contains("\"mcp-session-id\"") && line.contains("example.test/kept"),
        "{line}"
    );
    assert!(!line.contains("io.modelcontextprotocol/"), "{line}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_a_stateless_message_has_nothing_of_the_session_it_names() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let session = alice.session().unwrap_or_default();
    for user in ["alice", "bob"] {
        let modern = stateless(&world, user)?;
        let call = json!({ "name": "echo", "arguments": { "text": user } });
        let reply = modern
            .outgoing("tools/call", call)
            .header("mcp-session-id", session)
            .header("last-event-id", "1-0")
            .send()
            .await?;
        assert_eq!(text(&reply.json()?), user);
        assert_eq!(reply.header("mcp-session-id"), None, "{user}");
        let record = recorded(&world, &["--user", user, "--tool", "echo"]).await?;
        let hers = recorded(&world, &["--user", "alice", "--limit", "1", "initialize"]).await?;
        let digest = |record: &Value| record["who"]["session_digest"].clone();
        assert_ne!(digest(&record), digest(&hers), "{record} {hers}");
        assert_eq!(record["revision"], "2026-07-28", "{record}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_v10_a_modern_route_speaks_no_older_revision() -> Result<()> {
    let plan = Plan::default().route(json!({ "protocol": { "minimum": "2026-07-28" } }));
    let world = world(plan, Era::Modern).await?;
    let legacy = Client::new(&world.url()?, Some(&world.token("alice")?)).in_session("any");
    let init = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
    let rows = [
        ("initialize", legacy.outgoing("initialize", Some(init))),
        (
            "a call",
            legacy
                .outgoing("tools/list", Some(json!({})))
                .without("mcp-protocol-version"),
        ),
    ];
    for (name, request) in rows {
        let reply = request.send().await?;
        is(&reply, name, (400, "version_unsupported", "3.4"));
        let supported = &reply.json()?["error"]["data"]["supported"];
        assert_eq!(*supported, json!(["2026-07-28"]), "{name}");
    }
    let reply = legacy.send("tools/list", json!({})).await?;
    is(
        &reply,
        "a call with its version",
        (400, "version_floor", "3.4"),
    );
    let modern = stateless(&world, "alice")?;
    assert_eq!(
        text(&modern.call("echo", json!({ "text": "x" })).await?),
        "x"
    );
    Ok(())
}

/// What is wrong with the headers of a call, and what was done to them.
type Lie = (&'static str, fn(Outgoing) -> Outgoing);

const LIES: [Lie; 19] = [
    ("no method", |call| call.without("mcp-method")),
    ("another method", |call| {
        call.header("mcp-method", "tools/list")
    }),
    ("the method in capitals", |call| {
        call.header("mcp-method", "Tools/Call")
    }),
    ("the method twice", |call| {
        call.and_header("mcp-method", "tools/call")
    }),
    ("an encoded method", |call| {
        call.header("mcp-method", "=?base64?dG9vbHMvY2FsbA==?=")
    }),
    ("no name", |call| call.without("mcp-name")),
    ("another name", |call| call.header("mcp-name", "echo")),
    ("another name behind the mark", |call| {
        call.header("mcp-name", "=?base64?ZWNobw==?=")
    }),
    ("the name twice", |call| {
        call.and_header("mcp-name", "test_tool_with_headers")
    }),
    ("a mark in capitals", |call| {
        call.header("mcp-name", "=?BASE64?dGVzdF90b29sX3dpdGhfaGVhZGVycw==?=")
    }),
    ("base64 without padding", |call| {
        call.header("mcp-name", "=?base64?dGVzdF90b29sX3dpdGhfaGVhZGVycw?=")
    }),
    ("a mark that is none", |call| {
        call.header("mcp-name", "=?base64?=")
    }),
    ("no region", |call| call.without("mcp-param-region")),
    ("another region", |call| {
        call.header("mcp-param-region", "eu")
    }),
    ("the region twice", |call| {
        call.and_header("mcp-param-region", "us-west1")
    }),
    ("a region behind the mark", |call| {
        call.header("mcp-param-region", "=?base64?ZXU=?=")
    }),
    ("another count", |call| call.header("mcp-param-count", "43")),
    ("a count that is no number", |call| {
        call.header("mcp-param-count", "0x2a")
    }),
    ("another version", |call| {
        call.header("mcp-protocol-version", "2025-11-25")
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn h7_h8_h10_headers_that_lie_are_refused_before_anything_is_decided() -> Result<()> {
    const LIE: Refusal = (400, "header_mismatch", "1.1");
    for server in [Era::Legacy, Era::Modern] {
        let world = world(Plan::default(), server).await?;
        let alice = stateless(&world, "alice")?;
        let call = || {
            let arguments = json!({ "region": "us-west1", "count": 42, "note": "plain" });
            let params = json!({ "name": "test_tool_with_headers", "arguments": arguments });
            alice
                .outgoing("tools/call", params)
                .header("mcp-param-region", "us-west1")
                .header("mcp-param-count", "42")
        };
        let honest = [
            call(),
            call().header("mcp-name", "=?base64?dGVzdF90b29sX3dpdGhfaGVhZGVycw==?="),
            call().header("mcp-param-region", "=?base64?dXMtd2VzdDE=?="),
        ];
        for request in honest {
            let reply = request.send().await?;
            assert!(
                reply.json()?.get("result").is_some(),
                "{server:?}: {}",
                reply.code()
            );
        }
        let calls = |world: &World| {
            Ok::<_, anyhow::Error>(world.journal_text()?.matches("us-west1").count())
        };
        let before = calls(&world)?;
        for (name, lie) in LIES {
            let reply = lie(call()).send().await?;
            is(&reply, name, LIE);
            assert_eq!(reply.json()?["error"]["code"], -32020, "{name}");
        }
        let twice = call()
            .and_header("mcp-protocol-version", "2026-07-28")
            .send()
            .await?;
        is(&twice, "the version twice", (400, "header_repeated", "1.1"));
        let none = call().without("mcp-protocol-version").send().await?;
        is(&none, "no version", LIE);
        assert_eq!(calls(&world)?, before, "something reached the server");
        is_recorded(&world, "alice", LIE).await?;
    }
    Ok(())
}
