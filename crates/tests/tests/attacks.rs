//! Hostile callers with good tokens: stolen sessions, messages that two readers would read
//! differently, arguments off the schema, floods. Nothing of it reaches the server.

use anyhow::Result;
use http::Method;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::wire::{self, Outgoing};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn m2_a_session_authenticates_nobody_whatever_the_verb() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let session = alice.session().unwrap_or_default().to_owned();
    let before = world.arrived()?;
    let url = world.url()?;
    let elsewhere = world
        .issuer
        .token("https://elsewhere.example/mcp", "alice")?;
    let list = json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/list" });
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" });
    let requests = [
        Outgoing::message(&url, &list),
        Outgoing::message(&url, &note),
        Outgoing::new(Method::GET, &url).header("accept", "text/event-stream"),
        Outgoing::new(Method::GET, &url)
            .header("accept", "text/event-stream")
            .header("last-event-id", "0"),
        Outgoing::new(Method::DELETE, &url),
    ];
    for request in requests {
        let request = request
            .header("mcp-session-id", &session)
            .header("mcp-protocol-version", "2025-11-25");
        let without = request.clone().send().await?;
        assert_eq!(
            (without.status.as_u16(), without.code().as_str()),
            (401, "bearer_missing")
        );
        let wrong = request
            .header("authorization", &format!("Bearer {elsewhere}"))
            .send()
            .await?;
        assert_eq!(
            (wrong.status.as_u16(), wrong.code().as_str()),
            (401, "token_audience")
        );
    }
    assert_eq!(world.arrived()?, before, "something reached the server");
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "still here" })).await?),
        "still here"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_2_nobody_else_can_use_a_session() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let session = alice.session().unwrap_or_default();
    let url = world.url()?;
    let other_client = world.issuer.sign_changed(
        &world.resource()?,
        &json!({}),
        &json!({ "client_id": "another" }),
    )?;
    let rows = [
        ("another user", world.token("bob")?, "session_"),
        (
            "the same user with another client",
            other_client,
            "session_",
        ),
    ];
    for (name, token, code) in rows {
        let thief = Client::new(&url, Some(&token)).in_session(session);
        let reply = thief
            .send(
                "tools/call",
                json!({ "name": "echo", "arguments": { "text": "mine" } }),
            )
            .await?;
        assert!(
            reply.status == 404 && reply.code().starts_with(code),
            "{name}: {}",
            reply.code()
        );
        let stream = thief.listen(None).await?;
        assert_eq!(stream.status, 404, "{name}");
        assert_eq!(thief.delete().await?.status, 404, "{name}");
    }
    assert!(
        !world
            .journal()?
            .iter()
            .any(|line| line.to_string().contains("mine"))
    );
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "still here" })).await?),
        "still here"
    );
    Ok(())
}

/// What is wrong with a body, the body, and the code of its refusal.
type Body = (&'static str, Vec<u8>, &'static str);

fn call(inside: &str) -> Vec<u8> {
    format!(r#"{{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{{{inside}}}}}"#)
        .into_bytes()
}

fn ambiguous_calls() -> Vec<Body> {
    let deep = format!(
        r#""name":"echo","arguments":{{"text":{}1{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let twice = "json_duplicate_member";
    vec![
        (
            "a name twice",
            call(r#""name":"echo","name":"add","arguments":{}"#),
            twice,
        ),
        (
            "an escaped name twice",
            call(r#""name":"echo","n\u0061me":"add","arguments":{}"#),
            twice,
        ),
        (
            "an argument twice",
            call(r#""name":"echo","arguments":{"text":"a","text":"b"}"#),
            twice,
        ),
        (
            "half a surrogate pair",
            call(r#""name":"\ud800","arguments":{}"#),
            "json_lone_surrogate",
        ),
        (
            "a number beyond doubles",
            call(r#""name":"add","arguments":{"a":9007199254740993}"#),
            "json_number_range",
        ),
        ("deep nesting", call(&deep), "json_too_deep"),
    ]
}

fn ambiguous_messages() -> Vec<Body> {
    let ping =
        |members: &str| format!(r#"{{"jsonrpc":"2.0","method":"ping",{members}}}"#).into_bytes();
    let mut invalid = br#"{"jsonrpc":"2.0","method":"ping","id":""#.to_vec();
    invalid.extend_from_slice(b"\xff\"}");
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(ping(r#""id":9"#));
    let other = br#"{"jsonrpc":"1.0","method":"ping","id":9}"#.to_vec();
    vec![
        (
            "a method in capitals",
            ping(r#""id":9,"Method":"tools/call""#),
            "rpc_member_variant",
        ),
        ("invalid UTF-8", invalid, "json_utf8"),
        ("a byte order mark", marked, "json_byte_order_mark"),
        (
            "text after the message",
            [ping(r#""id":9"#), b" {}".to_vec()].concat(),
            "json_trailing",
        ),
        (
            "a batch",
            [b"[".to_vec(), ping(r#""id":9"#), b"]".to_vec()].concat(),
            "rpc_batch",
        ),
        ("nothing", Vec::new(), "json_empty"),
        ("another version", other, "rpc_version"),
        ("an id that is null", ping(r#""id":null"#), "rpc_id"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_refuses_messages_that_two_readers_would_read_differently() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let before = world.arrived()?;
    for (name, body, code) in ambiguous_calls().into_iter().chain(ambiguous_messages()) {
        let reply = alice.outgoing("ping", None).body(body).send().await?;
        assert_eq!(
            (reply.code().as_str(), reply.status.as_u16()),
            (code, 400),
            "{name}"
        );
    }
    assert_eq!(world.arrived()?, before, "something reached the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_2_refuses_arguments_off_the_schema() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    alice.tools().await?;
    let before = world.arrived()?;
    for (tool, arguments) in [
        ("echo", json!({})),
        ("echo", json!({ "text": 1 })),
        ("echo", json!({ "text": "a", "unknown": true })),
        ("transfer_money", json!({ "to": "x", "amount": 0 })),
        ("transfer_money", json!({ "to": "x", "amount": "5" })),
        (
            "json_schema_2020_12_tool",
            json!({ "contactMethod": "phone", "email": "a@b" }),
        ),
    ] {
        let answer = alice.call(tool, arguments.clone()).await?;
        assert_eq!(
            wire::code(&answer),
            "arguments_schema",
            "{tool} {arguments}"
        );
    }
    assert_eq!(world.arrived()?, before, "something reached the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_1_limits_what_one_user_may_do_and_says_when_to_come_back() -> Result<()> {
    let tool = json!({ "rate": "1/h", "burst": 2, "concurrent": 2 });
    let world = World::start(Plan::default().whole(json!({ "limits": { "tool": tool } }))).await?;
    let (alice, bob) = (world.client("alice").await?, world.client("bob").await?);
    let mut codes = Vec::new();
    for _ in 0..4 {
        let answer = alice.call("echo", json!({ "text": "again" })).await?;
        codes.push(answer.get("result").is_some());
        if answer.get("result").is_none() {
            assert_eq!(wire::code(&answer), "rate_limit");
            let wait = answer
                .pointer("/error/data/retry_after")
                .and_then(Value::as_u64);
            assert!(wait.is_some_and(|wait| wait > 0), "{answer}");
        }
    }
    assert_eq!(codes, [true, true, false, false]);
    assert_eq!(
        text(&alice.call("add", json!({ "a": 1, "b": 1 })).await?),
        "{\"sum\":2}"
    );
    assert_eq!(
        text(&bob.call("echo", json!({ "text": "mine" })).await?),
        "mine"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_nothing_of_the_caller_reaches_the_server_but_the_message() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let token = world.token("alice")?;
    let alice = Client::connect(&world.url()?, Some(&token)).await?;
    let request = alice
        .outgoing(
            "tools/call",
            Some(json!({ "name": "echo", "arguments": { "text": "hi" } })),
        )
        .header("cookie", "session=of-the-caller")
        .header("x-api-key", "of-the-caller")
        .header("x-forwarded-for", "203.0.113.7")
        .header("proxy-authorization", "Basic b2YtdGhlLWNhbGxlcg==");
    assert_eq!(request.send().await?.status, 200);
    let journal = world.journal_text()?;
    for secret in [
        token.as_str(),
        alice.session().unwrap_or("?"),
        "of-the-caller",
        "203.0.113.7",
        "b2YtdGhl",
    ] {
        assert!(!journal.contains(secret), "`{secret}` reached the server");
    }
    for line in world.journal()? {
        let headers = line["headers"].to_string();
        assert!(
            headers.contains(ringwall_tests::world::CREDENTIAL),
            "{headers}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_1_every_call_is_in_a_ledger_that_verifies_even_after_a_crash() -> Result<()> {
    let mut world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    alice.call("echo", json!({ "text": "recorded" })).await?;
    alice.call("echo", json!({})).await?;
    Client::new(&world.url()?, None)
        .send("initialize", json!({}))
        .await?;
    world.gateway.crash_and_restart().await?;
    world
        .client("alice")
        .await?
        .call("add", json!({ "a": 1, "b": 2 }))
        .await?;
    let records = ringwall_tests::world::ledger(&world.gateway, &[]).await?;
    let all = json!(records).to_string();
    for expected in ["echo", "add", "arguments_schema", "bearer_missing"] {
        assert!(all.contains(expected), "no record of `{expected}`");
    }
    assert!(
        !all.contains("recorded"),
        "the route did not ask for arguments to be kept"
    );
    world.gateway.with_data(&["audit", "verify"]).await?;
    Ok(())
}
