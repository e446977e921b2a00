//! What went wrong in other gateways does not go wrong here. Each test carries the name it has in
//! `docs/lessons.md`, which says whose failure it was.

use anyhow::Result;
use http::Method;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::place;
use ringwall_tests::wire::{self, Outgoing};
use ringwall_tests::world::{PERMIT_ALL, Peers, Plan, World};
use serde_json::{Value, json};
use std::collections::HashSet;

#[tokio::test(flavor = "multi_thread")]
async fn refuses_a_session_opened_on_another_route() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let other = world.gateway.at("/other")?;
    let token = world.issuer.token(other.as_str(), "alice")?;
    let replayed =
        Client::new(&other, Some(&token)).in_session(alice.session().unwrap_or_default());
    let reply = replayed.send("tools/list", json!({})).await?;
    assert_eq!(reply.status, 404);
    assert!(reply.code().starts_with("session_"), "{}", reply.code());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn strips_internal_headers_from_callers() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let request = Outgoing::message(
        &world.url()?,
        &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
    )
    .header("x-mcp-authorized", "yes")
    .header("x-ringwall-user", "admin")
    .header("x-forwarded-user", "admin")
    .header("mcp-server", "another");
    let reply = request.send().await?;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (401, "bearer_missing")
    );
    assert_eq!(world.journal()?.len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_token_from_another_environment() -> Result<()> {
    let (here, there) = (
        World::start(Plan::default()).await?,
        World::start(Plan::default()).await?,
    );
    let token = there.token("alice")?;
    let reply = Client::new(&here.url()?, Some(&token))
        .send("initialize", json!({}))
        .await?;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (401, "token_issuer")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_host_and_origin_on_every_listener() -> Result<()> {
    let (first, second) = (place::free_port()?, place::free_port()?);
    let listener = |port: u16| json!({ "address": format!("127.0.0.1:{port}") });
    let plan = Plan::default().whole(json!({
        "public_url": format!("http://127.0.0.1:{first}"),
        "listeners": [listener(first), listener(second)]
    }));
    let world = World::start(plan).await?;
    for port in [first, second] {
        let url = format!("http://127.0.0.1:{port}/fixture").parse()?;
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let rows = [
            ("host", "evil.example", "host_foreign"),
            ("host", "127.0.0.1.evil.example", "host_foreign"),
            ("host", "169.254.169.254", "host_foreign"),
            ("origin", "https://evil.example", "origin_foreign"),
            ("origin", "null", "origin_foreign"),
            ("origin", "http://127.0.0.1:1", "origin_foreign"),
        ];
        for (header, value, code) in rows {
            let reply = Outgoing::message(&url, &list)
                .header(header, value)
                .send()
                .await?;
            assert_eq!(
                (reply.status.as_u16(), reply.code().as_str()),
                (403, code),
                "{header}: {value}"
            );
        }
    }
    assert_eq!(world.journal()?.len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn host_header_never_removes_the_login() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        for verb in [Method::GET, Method::POST, Method::DELETE] {
            let reply = Outgoing::message(&world.url()?, &list)
                .method(verb.clone())
                .header("host", host)
                .send()
                .await?;
            assert_eq!(
                reply.status,
                401,
                "{verb} with Host {host}: {}",
                reply.code()
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn recovers_when_one_upstream_session_dies() -> Result<()> {
    let world = World::start(Plan::default().hostile()).await?;
    let alice = world.client("alice").await?;
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "before" })).await?),
        "before"
    );
    world.tamper("forget-sessions").await?;
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "after" })).await?),
        "after"
    );
    let calls = world
        .journal()?
        .into_iter()
        .filter(|line| line["body"].to_string().contains("after"));
    assert_eq!(calls.count(), 2, "refused once with 404, then once more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reuses_the_upstream_session_across_calls() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    for _ in 0..10 {
        alice.call("echo", json!({ "text": "again" })).await?;
    }
    let journal = world.journal()?;
    let calls: Vec<&Value> = journal
        .iter()
        .filter(|line| line["body"].to_string().contains("again"))
        .collect();
    let session = |line: &Value| {
        let headers = line["headers"].as_array().cloned().unwrap_or_default();
        headers
            .into_iter()
            .find(|pair| pair[0] == "mcp-session-id")
            .map(|pair| pair[1].to_string())
    };
    let sessions: HashSet<_> = calls.iter().map(|line| session(line)).collect();
    assert_eq!((calls.len(), sessions.len()), (10, 1), "{sessions:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_sees_tool_arguments() -> Result<()> {
    let policy = format!(
        "{PERMIT_ALL}forbid(principal, action == Ringwall::Action::\"call\", \
         resource == Ringwall::Tool::\"fixture/transfer_money\") when {{ context.arguments.amount > 100 }};\n"
    );
    let world = World::start(Plan::default().policy(&policy)).await?;
    let alice = world.client("alice").await?;
    let few = alice
        .call("transfer_money", json!({ "to": "savings", "amount": 100 }))
        .await?;
    assert_eq!(text(&few), "moved 100 to savings");
    let many = alice
        .call("transfer_money", json!({ "to": "savings", "amount": 101 }))
        .await?;
    assert_eq!(wire::code(&many), "policy_denied");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn decides_list_and_call_separately() -> Result<()> {
    let policy = format!(
        "{PERMIT_ALL}forbid(principal, action == Ringwall::Action::\"list\", resource == Ringwall::Tool::\"fixture/add\");\n\
         forbid(principal, action == Ringwall::Action::\"call\", resource == Ringwall::Tool::\"fixture/echo\");\n"
    );
    let world = World::start(Plan::default().policy(&policy)).await?;
    let alice = world.client("alice").await?;
    let tools = alice.tools().await?;
    assert!(
        tools.contains(&"echo".to_owned()) && !tools.contains(&"add".to_owned()),
        "{tools:?}"
    );
    assert_eq!(
        wire::code(&alice.call("echo", json!({ "text": "x" })).await?),
        "policy_denied"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_resources_and_prompts_too() -> Result<()> {
    let resource = json!({ "rate": "1/h", "burst": 1, "concurrent": 1 });
    let world =
        World::start(Plan::default().whole(json!({ "limits": { "resource": resource } }))).await?;
    let alice = world.client("alice").await?;
    for (method, params) in [
        ("resources/read", json!({ "uri": "test://static-text" })),
        ("prompts/get", json!({ "name": "test_simple_prompt" })),
    ] {
        let first = alice.request(method, params.clone()).await?;
        assert!(first.get("result").is_some(), "{first}");
        assert_eq!(
            wire::code(&alice.request(method, params).await?),
            "rate_limit"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_survive_the_hop() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let params = r#""name":"echo","arguments":{"text":"\u0068i"},"_meta":{"dev.example/new":{"n":1.50,"z":[ ]}},"laterField":{"b":1,"a":2}"#;
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{{{params}}}}}"#);
    let answer = alice
        .outgoing("ping", None)
        .body(body)
        .send()
        .await?
        .json()?;
    assert_eq!(
        (text(&answer).as_str(), &answer["id"]),
        ("hi", &json!(77)),
        "{answer}"
    );
    let journal = world.journal()?;
    let arrived = journal.iter().any(|line| {
        line["body"]
            .as_str()
            .is_some_and(|body| body.contains(params))
    });
    assert!(arrived, "the very bytes did not arrive");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn parses_accept_with_q_values_and_wildcards() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let rows = [
        ("application/json, text/event-stream", 200),
        ("text/event-stream;q=0.5, application/json;q=0.9", 200),
        ("*/*", 200),
        ("application/*, text/*", 200),
        ("Application/JSON, Text/Event-Stream", 200),
        ("text/html", 406),
        ("application/json;q=0, text/event-stream;q=0", 406),
        ("application/jsonx, text/event-streams", 406),
    ];
    for (accept, status) in rows {
        let reply = alice
            .outgoing("ping", None)
            .header("accept", accept)
            .send()
            .await?;
        assert_eq!(reply.status.as_u16(), status, "{accept}: {}", reply.code());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn initialize_never_answers_a_modern_version() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let token = world.token("alice")?;
    for version in ["2026-07-28", "2999-01-01", "2025-11-25", "nonsense"] {
        let client = Client::new(&world.url()?, Some(&token));
        let params = json!({
            "protocolVersion": version, "capabilities": {},
            "clientInfo": { "name": "lessons", "version": "1" }
        });
        let answer = client.request("initialize", params).await?;
        assert_eq!(
            answer["result"]["protocolVersion"], "2025-11-25",
            "asked for {version}: {answer}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_404_for_a_terminated_session() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    assert!(alice.delete().await?.status.is_success());
    assert_eq!(alice.send("tools/list", json!({})).await?.status, 404);
    assert_eq!(alice.delete().await?.status, 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn never_delivers_a_reply_to_another_client() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let mut clients = Vec::new();
    for user in ["alice", "bob", "carol", "dave"] {
        clients.push((user, world.client(user).await?));
    }
    // All of them count their ids from one, so every id is in flight several times.
    let calls = clients.iter().flat_map(|(user, client)| {
        (0..5).map(move |turn| async move {
            let said = format!("{user}-{turn}");
            let answer = client.call("echo", json!({ "text": said })).await?;
            anyhow::ensure!(text(&answer) == said, "{said} was told {answer}");
            Ok(())
        })
    });
    let mut running = Vec::new();
    for call in calls {
        running.push(call);
    }
    let results = join_all(running).await;
    for result in results {
        result?;
    }
    Ok(())
}

/// Polls all of them until each is done.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    std::future::poll_fn(|cx| {
        let mut open = false;
        for (future, output) in &mut pending {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => open = true,
                }
            }
        }
        if open {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    pending
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ids_are_unpredictable_and_prove_nothing() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let mut ids = HashSet::new();
    for _ in 0..20 {
        let alice = world.client("alice").await?;
        let id = alice.session().unwrap_or_default().to_owned();
        // 256 bits need 43 characters of base64url, or 64 of hexadecimal.
        assert!(
            id.len() >= 43 && id.bytes().all(|byte| byte.is_ascii_graphic()),
            "{id}"
        );
        assert!(!id.contains("alice"), "{id}");
        assert!(ids.insert(id), "the same id twice");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn never_mixes_tenants_in_shared_state() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let (alice, bob) = (world.client("alice").await?, world.client("bob").await?);
    alice
        .request(
            "resources/subscribe",
            json!({ "uri": "test://watched-resource" }),
        )
        .await?;
    let mut bobs = bob.listen(None).await?;
    let mut alices = alice.listen(None).await?;
    alice
        .call(
            "touch_resource",
            json!({ "uri": "test://watched-resource" }),
        )
        .await?;
    bob.call("touch_resource", json!({ "uri": "test://static-text" }))
        .await?;
    let told = alices
        .message(|message| message["method"] == "notifications/resources/updated")
        .await?;
    assert_eq!(told["params"]["uri"], "test://watched-resource");
    // Bob hears nothing of it before his session ends.
    bob.delete().await?;
    while let Some(event) = bobs.next().await? {
        assert!(!event.data.contains("watched-resource"), "{event:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_token_for_another_deployment() -> Result<()> {
    // One issuer for both deployments, as in every company.
    let issuer = ringwall_tests::issuer::Issuer::start().await?;
    let shared = json!({ "issuers": [{ "issuer": issuer.url(), "network": "private" }] });
    let here = World::start(Plan::default().whole(shared.clone())).await?;
    let there = World::start(Plan::default().whole(shared)).await?;
    let token = issuer.token(&there.resource()?, "alice")?;
    Client::connect(&there.url()?, Some(&token)).await?;
    let client = Client::new(&here.url()?, Some(&token));
    let reply = client.send("initialize", json!({})).await?;
    let told = (reply.status.as_u16(), reply.code());
    assert_eq!(told, (401, "token_audience".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_result_never_reaches_the_client() -> Result<()> {
    let plan = Plan::default()
        .hostile()
        .server(json!({ "hidden_text": "refuse" }));
    let world = World::start(plan).await?;
    let alice = world.client("alice").await?;
    for (tool, word, code) in [
        ("bad_structured", "three", "answer_schema"),
        ("hidden_text", "ticket", "answer_hidden_text"),
    ] {
        let params = json!({ "name": tool, "arguments": {} });
        let reply = alice.send("tools/call", params).await?;
        assert_eq!(reply.code(), code);
        let sent = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(!sent.contains(word), "{tool}: {sent}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_caller_input_becomes_a_command_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = folder.path().join("journal.jsonl").display().to_string();
    let marker = folder.path().join("marker").display().to_string();
    let program = place::built("fixture-upstream")?.display().to_string();
    let command = [program.as_str(), "--stdio", "--log", &journal];
    let server = json!({
        "name": "local", "pins": "first_use",
        "stdio": { "command": command, "confinement": "none" }
    });
    let peers = Peers::start(vec![server]).await?;
    let user = format!("alice; touch {marker}; $(touch {marker}) `touch {marker}`");
    let caller = peers.client("local", &user).await?;
    let said = format!("'; touch {marker}; --log {marker}");
    let params = json!({
        "name": "echo", "arguments": { "text": said },
        "command": ["/bin/touch", &marker], "args": ["touch", &marker]
    });
    caller.request("tools/call", params).await?;
    let started = ringwall_tests::program::json_lines(journal.as_ref())?;
    assert_eq!(started[0]["arguments"], json!(command), "{started:?}");
    assert!(!std::path::Path::new(&marker).exists(), "something ran");
    Ok(())
}
