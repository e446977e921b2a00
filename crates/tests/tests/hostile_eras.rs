//! Clients that mix the eras and lie in headers: a message is of one era or of none, and what stands in
//! front of it says what it says itself, or nothing is decided at all.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::pairing::{Era, Refusal, is_recorded, is_refused, recorded, world};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::Outgoing;
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

fn stateless(world: &World, user: &str) -> Result<Stateless> {
    Ok(Stateless::new(&world.url()?, Some(&world.token(user)?)))
}

/// A message of one era that has something of the other.
struct Mixed {
    name: &'static str,
    request: Outgoing,
    refusal: Refusal,
    rpc: i64,
}

impl Mixed {
    fn new(name: &'static str, request: Outgoing, refusal: Refusal, rpc: i64) -> Self {
        Mixed {
            name,
            request,
            refusal,
            rpc,
        }
    }
}

const LIE: Refusal = (400, "header_mismatch", "1.1");
const GONE: Refusal = (404, "method_unknown", "3.4");
const NO_VERB: Refusal = (405, "http_method", "3.4");

fn handshake() -> Value {
    let info = json!({ "name": "x", "version": "1" });
    json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info })
}

/// What is sent in a session and is not of its era.
fn in_session(alice: &Client) -> Vec<Mixed> {
    let call = |version: Option<&str>| {
        let params = json!({ "name": "echo", "arguments": { "text": "mixed" } });
        let meta = version.map(|version| {
            json!({
                "io.modelcontextprotocol/protocolVersion": version,
                "io.modelcontextprotocol/clientCapabilities": {}
            })
        });
        // Without metadata there is no such member: a `null` takes it away.
        let params = overlaid(params, &json!({ "_meta": meta }));
        alice.outgoing("tools/call", Some(params))
    };
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
    let note = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": 1, "_meta": meta }
    });
    let note = alice.outgoing("ping", None).body(note.to_string());
    let bare = call(None).header("mcp-protocol-version", "2026-07-28");
    let farewell = alice.outgoing("ping", None).method(Method::DELETE);
    let farewell = farewell.header("mcp-protocol-version", "2026-07-28");
    let row = Mixed::new;
    vec![
        row("modern metadata", call(Some("2026-07-28")), LIE, -32020),
        row("no date at all", call(Some("2026-02-30")), LIE, -32020),
        row(
            "a legacy date in modern metadata",
            call(Some("2025-11-25")),
            (400, "version_unsupported", "3.4"),
            -32022,
        ),
        row("a modern notification", note, LIE, -32020),
        row(
            "a modern header before a legacy body",
            bare,
            (400, "envelope", "3.4"),
            -32602,
        ),
        row("a modern farewell", farewell, NO_VERB, -32600),
    ]
}

/// What stands for itself and is not of its era.
fn alone(modern: &Stateless) -> Vec<Mixed> {
    let response = modern.message(&json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    let listen = response.clone().method(Method::GET);
    let unasked = (400, "response_unasked", "8.2");
    let row = Mixed::new;
    vec![
        row(
            "a handshake",
            modern.outgoing("initialize", handshake()),
            GONE,
            -32601,
        ),
        row("a ping", modern.outgoing("ping", json!({})), GONE, -32601),
        row(
            "an answer to a question that cannot be",
            response,
            unasked,
            -32600,
        ),
        row("a stream of a session", listen, NO_VERB, -32600),
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
    } in in_session(&alice).into_iter().chain(alone(&modern))
    {
        let reply = request.send().await?;
        is_refused(&reply, name, refusal)?;
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
    let rows = [
        (
            "initialize",
            legacy.outgoing("initialize", Some(handshake())),
        ),
        (
            "a call",
            legacy
                .outgoing("tools/list", Some(json!({})))
                .without("mcp-protocol-version"),
        ),
    ];
    for (name, request) in rows {
        let reply = request.send().await?;
        is_refused(&reply, name, (400, "version_unsupported", "3.4"))?;
        let supported = &reply.json()?["error"]["data"]["supported"];
        assert_eq!(*supported, json!(["2026-07-28"]), "{name}");
    }
    let reply = legacy.send("tools/list", json!({})).await?;
    is_refused(
        &reply,
        "a call with its version",
        (400, "version_floor", "3.4"),
    )?;
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
            is_refused(&reply, name, LIE)?;
            assert_eq!(reply.json()?["error"]["code"], -32020, "{name}");
        }
        let twice = call()
            .and_header("mcp-protocol-version", "2026-07-28")
            .send()
            .await?;
        is_refused(&twice, "the version twice", (400, "header_repeated", "1.1"))?;
        let none = call().without("mcp-protocol-version").send().await?;
        is_refused(&none, "no version", LIE)?;
        assert_eq!(calls(&world)?, before, "something reached the server");
        is_recorded(&world, "alice", LIE.1, LIE.2).await?;
    }
    Ok(())
}
