//! The stateless era towards the client: what every request has to say, and what is answered to one
//! that says it wrongly (rules V1 to V5, H2 to H7, B3, B6).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use anyhow::Result;
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::Outgoing;
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";

/// A change of a request's `_meta`, and the answer it gets: HTTP status, JSON-RPC code, our own code.
type Case = (&'static str, fn(&mut Value), (u16, i64, &'static str));

const META: &[Case] = &[
    (
        "no version",
        |meta| {
            meta.as_object_mut().unwrap().remove(VERSION_KEY);
        },
        (400, -32602, "envelope"),
    ),
    (
        "a version that is no text",
        |meta| meta[VERSION_KEY] = json!(2026),
        (400, -32602, "envelope"),
    ),
    (
        "no capabilities",
        |meta| {
            meta.as_object_mut().unwrap().remove(CAPABILITIES_KEY);
        },
        (400, -32602, "envelope"),
    ),
    (
        "capabilities that are no object",
        |meta| meta[CAPABILITIES_KEY] = json!([]),
        (400, -32602, "envelope"),
    ),
    (
        "client info that is no object",
        |meta| meta["io.modelcontextprotocol/clientInfo"] = json!("me"),
        (400, -32602, "envelope"),
    ),
    (
        "a log level that does not exist",
        |meta| meta["io.modelcontextprotocol/logLevel"] = json!("loud"),
        (400, -32602, "envelope"),
    ),
    (
        "another version than the header's",
        |meta| meta[VERSION_KEY] = json!("2025-11-25"),
        (400, -32020, "header_mismatch"),
    ),
    (
        "a trace parent that is none",
        |meta| meta["traceparent"] = json!("00-zz-1-1"),
        (400, -32602, "trace_context"),
    ),
];

fn tampered(client: &Stateless, change: impl Fn(&mut Value)) -> Outgoing {
    let mut params = client.params(json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }));
    change(params.get_mut("_meta").unwrap());
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    client.message(&message)
}

#[tokio::test(flavor = "multi_thread")]
async fn v2_a_request_that_does_not_say_who_it_is_from_goes_no_further() -> Result<()> {
    for era in ["legacy", "modern"] {
        let world = World::start(Plan::default().fixture(&["--era", era])).await?;
        let client = Stateless::new(&world.url()?, Some(&world.token("alice")?));
        let fine = client.call("add", json!({ "a": 1, "b": 2 })).await?;
        assert_eq!(fine["result"]["structuredContent"]["sum"], 3, "{fine}");
        let arrived = world.arrived()?;
        for (what, change, (status, rpc, code)) in META {
            let reply = tampered(&client, change).send().await?;
            let message = reply.json()?;
            assert_eq!(reply.status, *status, "{era}: {what}: {message}");
            assert_eq!(message["error"]["code"], *rpc, "{era}: {what}: {message}");
            assert_eq!(message["id"], 7, "{era}: {what}");
            assert_eq!(reply.code(), *code, "{era}: {what}: {message}");
        }
        assert_eq!(
            world.arrived()?,
            arrived,
            "{era}: something reached the server"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_an_unknown_version_is_answered_with_the_versions_there_are() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let client = Stateless::new(&world.url()?, Some(&world.token("alice")?));
    let unknown = "2031-01-01";
    let request = tampered(&client, |meta| meta[VERSION_KEY] = json!(unknown));
    let reply = request
        .header("mcp-protocol-version", unknown)
        .send()
        .await?;
    let message = reply.json()?;
    assert_eq!(reply.status, 400, "{message}");
    let error = &message["error"];
    assert_eq!(error["code"], -32022, "{message}");
    assert_eq!(error["data"]["requested"], unknown);
    let supported = json!(["2025-06-18", "2025-11-25", "2026-07-28"]);
    assert_eq!(error["data"]["supported"], supported);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_the_verbs_of_sessions_do_not_exist_and_a_session_id_means_nothing() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let token = world.token("alice")?;
    for method in [http::Method::GET, http::Method::DELETE] {
        let reply = Outgoing::new(method.clone(), &world.url()?)
            .header("authorization", &format!("Bearer {token}"))
            .header("accept", "text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .send()
            .await?;
        assert_eq!(reply.status, 405, "{method}");
    }
    let client = Stateless::new(&world.url()?, Some(&token));
    let arguments = json!({ "name": "add", "arguments": { "a": 1, "b": 2 } });
    let reply = client
        .outgoing("tools/call", arguments)
        .header("mcp-session-id", "whatever")
        .send()
        .await?;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("mcp-session-id"), None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b3_what_a_method_of_sessions_asks_is_not_found() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let client = Stateless::new(&world.url()?, Some(&world.token("alice")?));
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/list",
        "no/such/method",
    ] {
        let reply = client.send(method, json!({})).await?;
        let message = reply.json()?;
        assert_eq!(reply.status, 404, "{method}: {message}");
        assert_eq!(message["error"]["code"], -32601, "{method}: {message}");
        assert_eq!(reply.code(), "method_unknown", "{method}");
    }
    // Nothing asks a server anything here, so there is nothing to respond to (rule H3).
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    let reply = client.message(&response).send().await?;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.code(), "response_unasked");
    Ok(())
}
