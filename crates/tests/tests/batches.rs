//! Batches, which one revision has (rule B5): taken apart, each message through every stage with a
//! record of its own, and joined. A batch opens nothing that a message alone would not open.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::wire::{self, Outgoing, Reply};
use ringwall_tests::world::{PERMIT_ALL, Plan, World, ledger};
use serde_json::{Value, json};

const OLD: &str = "2025-03-26";

/// A route that speaks the revision with batches.
fn lowered() -> Plan {
    Plan::default().route(json!({ "protocol": { "minimum": OLD } }))
}

/// Somebody with a session of this revision.
struct Batcher {
    world: World,
    token: String,
    session: String,
    version: &'static str,
}

impl Batcher {
    async fn start(plan: Plan, version: &'static str) -> Result<Self> {
        let world = World::start(plan).await?;
        let token = world.token("alice")?;
        let params = json!({
            "protocolVersion": version, "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "ringwall-tests", "version": "1.0.0" }
        });
        let opening = Client::new(&world.url()?, Some(&token)).outgoing("initialize", Some(params));
        let reply = opening.send().await?;
        let spoken = reply.json()?;
        assert_eq!(
            spoken.pointer("/result/protocolVersion"),
            Some(&json!(version)),
            "{spoken}"
        );
        let session = reply
            .header("mcp-session-id")
            .context("no session")?
            .to_owned();
        let batcher = Batcher {
            world,
            token,
            session,
            version,
        };
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(batcher.post(&ready).await?.status, 202);
        Ok(batcher)
    }

    fn outgoing(&self, body: &Value) -> Result<Outgoing> {
        Ok(Outgoing::message(&self.world.url()?, body)
            .header("authorization", &format!("Bearer {}", self.token))
            .header("mcp-session-id", &self.session)
            .header("mcp-protocol-version", self.version))
    }

    async fn post(&self, body: &Value) -> Result<Reply> {
        self.outgoing(body)?.send().await
    }
}

fn call(id: Value, tool: &str, arguments: Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

fn echo(id: u64) -> Value {
    call(json!(id), "echo", json!({ "text": format!("said {id}") }))
}

/// The records of these calls, oldest first: what they were about, how each ended, and its code.
async fn records(world: &World, method: &str) -> Result<Vec<(String, String, String)>> {
    let lines = ledger(&world.gateway, &[method, "-n", "1000"]).await?;
    let mut rows = Vec::new();
    for line in lines {
        let record = line.get("record").context("a line without a record")?;
        let member = |at: &str| {
            let text = record.pointer(at).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let seq = line.get("seq").and_then(Value::as_u64).unwrap_or_default();
        let of_user = member("/who/subject");
        assert_eq!(of_user, "alice", "{record}");
        rows.push((
            seq,
            (
                member("/subject"),
                member("/verdict"),
                member("/refusal/code"),
            ),
        ));
    }
    rows.sort();
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

fn row(subject: &str, verdict: &str, code: &str) -> (String, String, String) {
    (subject.to_owned(), verdict.to_owned(), code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_each_message_of_a_batch_goes_through_every_stage_and_has_its_record() -> Result<()> {
    let denied = "forbid(principal, action == Ringwall::Action::\"call\", \
                  resource == Ringwall::Tool::\"fixture/transfer_money\");\n";
    for era in ["legacy", "modern"] {
        let plan = lowered()
            .policy(&format!("{PERMIT_ALL}{denied}"))
            .fixture(&["--era", era]);
        let alice = Batcher::start(plan, OLD).await?;
        let batch = json!([
            echo(1),
            call(json!("two"), "transfer_money", json!({ "to": "mallory", "amount": 7 })),
            { "jsonrpc": "2.0", "method": "notifications/roots/list_changed" },
            call(json!(3), "add", json!({ "a": "one", "b": 2 })),
            call(json!(4), "nobody_knows_it", json!({})),
            { "jsonrpc": "2.0", "id": 5, "method": "no/such/method" },
            { "jsonrpc": "2.0", "id": 6, "method": "ping" },
            call(json!(7), "add", json!({ "a": 40, "b": 2 })),
        ]);
        let reply = alice.post(&batch).await?;
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{reply:?}"
        );
        let answers = reply.json()?;
        let answers = answers.as_array().context("no array")?;
        let told: Vec<(Value, String)> = answers
            .iter()
            .map(|answer| (answer["id"].clone(), said(answer)))
            .collect();
        assert_eq!(
            told,
            [
                (json!(1), "said 1".to_owned()),
                (json!("two"), "policy_denied".to_owned()),
                (json!(3), "arguments_schema".to_owned()),
                (json!(4), "tool_unknown".to_owned()),
                (json!(5), "method_unknown".to_owned()),
                (json!(6), "{}".to_owned()),
                (json!(7), "{\"sum\":42}".to_owned()),
            ],
            "{era}"
        );
        assert_eq!(
            records(&alice.world, "tools/call").await?,
            [
                row("echo", "allowed", ""),
                row("transfer_money", "refused", "policy_denied"),
                row("add", "refused", "arguments_schema"),
                row("nobody_knows_it", "refused", "tool_unknown"),
                row("add", "allowed", ""),
            ],
            "{era}"
        );
        assert_eq!(
            records(&alice.world, "ping").await?,
            [row("", "allowed", "")]
        );
        let heard = alice.world.journal_text()?;
        assert!(
            !heard.contains("mallory"),
            "the refused call reached the server"
        );
    }
    Ok(())
}

/// What a message of a batch was answered.
fn said(answer: &Value) -> String {
    match answer.get("result") {
        Some(result) if result.get("content").is_none() => result.to_string(),
        Some(_) if wire::refusal(answer).is_none() => text(answer),
        _ => wire::code(answer),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_what_no_message_asks_for_is_not_answered() -> Result<()> {
    let alice = Batcher::start(lowered(), OLD).await?;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" });
    let reply = alice.post(&json!([note, note])).await?;
    assert_eq!(
        (reply.status.as_u16(), reply.body.len()),
        (202, 0),
        "{reply:?}"
    );
    // One message in an array is still answered in one.
    let reply = alice.post(&json!([echo(1)])).await?;
    let answer = reply.json()?;
    assert_eq!(
        answer.pointer("/0/result/content/0/text"),
        Some(&json!("said 1")),
        "{answer}"
    );
    // What a call says on the way stands before its answer.
    let params = json!({
        "name": "test_tool_with_progress", "arguments": {}, "_meta": { "progressToken": "t" }
    });
    let progress = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params });
    let answers = alice.post(&json!([progress, echo(3)])).await?.json()?;
    let answers = answers.as_array().context("no array")?;
    let methods: Vec<_> = answers
        .iter()
        .filter_map(|one| one["method"].as_str())
        .collect();
    assert_eq!(methods, ["notifications/progress"; 3], "{answers:?}");
    let ids: Vec<_> = answers.iter().filter_map(|one| one.get("id")).collect();
    assert_eq!(ids, [&json!(2), &json!(3)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_a_batch_that_cannot_be_one_is_refused_whole() -> Result<()> {
    let alice = Batcher::start(lowered(), OLD).await?;
    let opening = json!({ "jsonrpc": "2.0", "id": 9, "method": "initialize", "params": {} });
    let many: Vec<Value> = (0..65).map(echo).collect();
    let before = alice.world.arrived()?;
    for (body, code) in [
        (json!([]), "rpc_empty_batch"),
        (json!(many), "json_too_many_members"),
        (json!([echo(1), opening]), "rpc_initialize_in_batch"),
        (json!([echo(1), echo(1)]), "rpc_repeated_id"),
        (json!([echo(1), [echo(2)]]), ""),
        (json!([echo(1), 2]), ""),
        (json!([echo(1), { "id": 2 }]), ""),
    ] {
        let reply = alice.post(&body).await?;
        assert_eq!(reply.status, 400, "{code}: {reply:?}");
        let answer = reply.json()?;
        let told = wire::refusal(&answer).with_context(|| format!("{code}: {answer}"))?;
        assert!(code.is_empty() || told.0 == code, "{code}: {told:?}");
        let found = ledger(&alice.world.gateway, &["--code", &told.0]).await?;
        assert!(!found.is_empty(), "{code} is not in the ledger");
    }
    // Two readers would see two different batches.
    let twice = echo(1).to_string().replace("\"id\":1", "\"id\":1,\"id\":2");
    for body in [
        format!("[{twice}]"),
        format!("[{}]]", echo(1)),
        format!("[{},]", echo(1)),
    ] {
        let reply = alice
            .outgoing(&json!([]))?
            .body(body.clone())
            .send()
            .await?;
        assert_eq!(reply.status, 400, "{body}: {reply:?}");
    }
    // A batch is a body like any other.
    let plain = alice
        .outgoing(&json!([echo(1)]))?
        .header("content-type", "text/plain");
    let plain = plain.send().await?;
    assert!(plain.status.is_client_error(), "{plain:?}");
    assert_eq!(
        alice.world.arrived()?,
        before,
        "something reached the server"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_a_batch_is_of_its_revision_and_of_nobody_elses_session() -> Result<()> {
    let newer = Batcher::start(lowered(), "2025-11-25").await?;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" });
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    let modern = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": 1, "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } }
    });
    let before = newer.world.arrived()?;
    for (part, version) in [
        (&echo(1), "2025-11-25"),
        (&note, "2025-11-25"),
        (&response, "2025-11-25"),
        (&modern, "2026-07-28"),
    ] {
        let batch = newer.outgoing(&json!([part]))?;
        let reply = batch.header("mcp-protocol-version", version).send().await?;
        assert_eq!(reply.status, 400, "{part}: {reply:?}");
        let told = reply.json()?.to_string();
        assert!(told.contains("\"rpc_batch\""), "{part}: {told}");
    }
    // Nor on a route that speaks nothing so old.
    let strict = Batcher::start(Plan::default(), "2025-06-18").await?;
    let reply = strict.post(&json!([echo(1)])).await?;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (400, "rpc_batch".to_owned())
    );
    // Nor without a session, nor with a token that is none, nor in the session of another user.
    let url = newer.world.url()?;
    let batch = json!([echo(1), echo(2)]);
    let bobs = format!("Bearer {}", newer.world.token("bob")?);
    for (changed, status) in [
        (newer.outgoing(&batch)?.without("mcp-session-id"), 400),
        (
            newer
                .outgoing(&batch)?
                .header("authorization", "Bearer nonsense"),
            401,
        ),
        (newer.outgoing(&batch)?.without("authorization"), 401),
        (newer.outgoing(&batch)?.header("authorization", &bobs), 404),
        (Outgoing::message(&url, &batch), 401),
    ] {
        let reply = changed.without("mcp-protocol-version").send().await?;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    assert_eq!(
        newer.world.arrived()?,
        before,
        "something reached the server"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_1_a_batch_is_counted_message_by_message() -> Result<()> {
    let slow = json!({ "tool": { "rate": "1/h", "burst": 3 } });
    let alice = Batcher::start(lowered().route(json!({ "limits": slow })), OLD).await?;
    let batch: Vec<Value> = (1..=5).map(echo).collect();
    let answers = alice.post(&json!(batch)).await?.json()?;
    let answers = answers.as_array().context("no array")?;
    let told: Vec<String> = answers.iter().map(said).collect();
    assert_eq!(
        told,
        ["said 1", "said 2", "said 3", "rate_limit", "rate_limit"]
    );
    // And an address pays for each of them, and for the whole: two messages to open the session, then
    // one and five.
    let source = json!({ "source": { "rate": "1/h", "burst": 8 } });
    let poor = Batcher::start(lowered().route(json!({ "limits": source })), OLD).await?;
    let reply = poor.post(&json!(batch)).await?;
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = poor.post(&json!([echo(6)])).await?;
    assert_eq!(
        (reply.status.as_u16(), poor.world.arrived()?),
        (429, 6),
        "{reply:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_in_a_batch_nobody_can_be_asked() -> Result<()> {
    for era in ["legacy", "modern"] {
        let alice = Batcher::start(lowered().fixture(&["--era", era]), OLD).await?;
        let asks = call(json!(1), "test_elicitation", json!({ "message": "Who?" }));
        let answers = alice.post(&json!([asks, echo(2)])).await?.json()?;
        let answers = answers.as_array().context("no array")?;
        assert!(
            answers.iter().all(|one| one.get("method").is_none()),
            "{era}: a question in a batch: {answers:?}"
        );
        let ids: Vec<_> = answers.iter().filter_map(|one| one.get("id")).collect();
        assert_eq!(ids, [&json!(1), &json!(2)], "{era}");
        assert_eq!(answers.last().map(said), Some("said 2".to_owned()), "{era}");
    }
    Ok(())
}
