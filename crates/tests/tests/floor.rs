//! The oldest revision a route speaks, and what is forgiven to whom: nobody gets below the floor, the
//! attempt is in the ledger, and a header that lies is let pass only for the client that the route
//! names, for that very mistake.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::stateless::{self, Stateless};
use ringwall_tests::wire::{self, Outgoing};
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};

fn floor(minimum: &str) -> Plan {
    Plan::default().route(json!({ "protocol": { "minimum": minimum } }))
}

/// An `initialize` that asks for this revision.
fn opening(world: &World, version: &Value) -> Result<Outgoing> {
    let params = json!({
        "protocolVersion": version, "capabilities": {},
        "clientInfo": { "name": "ringwall-tests", "version": "1.0.0" }
    });
    let client = Client::new(&world.url()?, Some(&world.token("alice")?));
    Ok(client.outgoing("initialize", Some(params)))
}

/// The records with this finding.
async fn found(world: &World, rule: &str) -> Result<Vec<Value>> {
    let lines = ledger(&world.gateway, &[rule]).await?;
    let records = lines.into_iter().filter_map(|mut line| {
        let record = line.get_mut("record")?.take();
        let findings = record.get("findings")?.as_array()?;
        let has = findings.iter().any(|finding| finding["rule"] == rule);
        has.then_some(record)
    });
    Ok(records.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_whoever_asks_for_less_than_the_floor_is_answered_above_it_and_recorded() -> Result<()>
{
    let mut known = 0;
    for (minimum, asked, spoken, below) in [
        ("2025-06-18", "2025-06-18", "2025-06-18", false),
        ("2025-06-18", "2025-11-25", "2025-11-25", false),
        ("2025-06-18", "2025-03-26", "2025-11-25", true),
        ("2025-06-18", "2024-11-05", "2025-11-25", true),
        ("2025-06-18", "1999-01-01", "2025-11-25", false),
        // The newest has no handshake, so it is not what one is answered with (rule L1).
        ("2025-06-18", "2026-07-28", "2025-11-25", false),
        ("2025-11-25", "2025-06-18", "2025-11-25", true),
        ("2025-11-25", "2025-11-25", "2025-11-25", false),
        ("2025-03-26", "2025-03-26", "2025-03-26", false),
        ("2024-11-05", "2024-11-05", "2024-11-05", false),
    ] {
        let world = World::start(floor(minimum)).await?;
        let reply = opening(&world, &json!(asked))?.send().await?;
        let answer = reply.json()?;
        let told = answer.pointer("/result/protocolVersion");
        assert_eq!(told, Some(&json!(spoken)), "{minimum} {asked}: {answer}");
        let records = found(&world, "version_downgrade").await?;
        assert_eq!(records.len(), usize::from(below), "{minimum} {asked}");
        for record in records {
            known += 1;
            assert_eq!(record["verdict"], "allowed");
            assert_eq!(record["who"]["subject"], "alice", "{record}");
            let finding = &record["findings"][0];
            assert_eq!(
                (&finding["control"], &finding["action"]),
                (&json!("3.4"), &json!("report"))
            );
        }
    }
    assert_eq!(known, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn s4_a_version_header_below_the_floor_or_of_another_session_is_refused() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let list = || alice.outgoing("tools/list", Some(json!({})));
    let before = world.arrived()?;
    for (version, code) in [
        ("2024-11-05", "version_floor"),
        ("2025-03-26", "version_floor"),
        ("2025-06-18", "version_session"),
        ("1999-01-01", "version_unknown"),
        ("2025-11-25x", "version_unknown"),
        ("", "version_unknown"),
    ] {
        let reply = list()
            .header("mcp-protocol-version", version)
            .send()
            .await?;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, code.to_owned()),
            "{version}"
        );
        let records = ledger(&world.gateway, &["--code", code]).await?;
        assert!(!records.is_empty(), "{code} is not in the ledger");
    }
    let twice = list()
        .and_header("mcp-protocol-version", "2025-11-25")
        .send()
        .await?;
    assert_eq!(
        (twice.status.as_u16(), twice.code()),
        (400, "header_repeated".to_owned())
    );
    assert_eq!(world.arrived()?, before, "something reached the server");
    assert_eq!(list().send().await?.status, 200);
    // A header that names an old revision does not take `initialize` down either.
    let old = opening(&world, &json!("2025-11-25"))?.header("mcp-protocol-version", "2024-11-05");
    assert_eq!(old.send().await?.code(), "version_floor");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn v10_a_route_of_the_stateless_era_opens_no_sessions_and_says_what_it_speaks() -> Result<()>
{
    let world = World::start(floor(stateless::VERSION).fixture(&["--era", "both"])).await?;
    let url = world.url()?;
    let token = world.token("alice")?;
    for asked in ["2024-11-05", "2025-11-25", stateless::VERSION] {
        let reply = opening(&world, &json!(asked))?.send().await?;
        let answer = reply.json()?;
        assert_eq!(reply.status, 400, "{answer}");
        assert_eq!(
            answer.pointer("/error/code"),
            Some(&json!(-32022)),
            "{answer}"
        );
        let data = answer.pointer("/error/data").context("no data")?;
        assert_eq!(data["supported"], json!([stateless::VERSION]), "{answer}");
        assert_eq!(data["requested"], json!(asked), "{answer}");
        assert_eq!(reply.header("mcp-session-id"), None);
    }
    let bearer = format!("Bearer {token}");
    for method in [Method::GET, Method::DELETE] {
        let request = Outgoing::new(method.clone(), &url)
            .header("authorization", &bearer)
            .header("accept", "text/event-stream")
            .header("mcp-session-id", "0123456789abcdef");
        assert_eq!(request.send().await?.status, 405, "{method}");
    }
    // A batch, an old message without a session, a response: none is of this era.
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    for body in [json!([list]), list, response] {
        let request = Outgoing::message(&url, &body).header("authorization", &bearer);
        assert_eq!(request.send().await?.status, 400, "{body}");
    }
    let heard = world.journal_text()?;
    assert!(!heard.contains("initialize"), "{heard}");
    let alice = Stateless::new(&url, Some(&token));
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "here" })).await?),
        "here"
    );
    // What a client of both eras sends along is no session, and none is handed out (rule H2).
    let along = alice
        .outgoing("tools/list", json!({}))
        .header("mcp-session-id", "whatever");
    let reply = along.header("last-event-id", "1-1").send().await?;
    assert_eq!(
        (reply.status.as_u16(), reply.header("mcp-session-id")),
        (200, None)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_a_version_that_is_not_spoken_is_answered_with_those_that_are() -> Result<()> {
    let world = World::start(Plan::default().fixture(&["--era", "both"])).await?;
    let alice = Stateless::new(&world.url()?, Some(&world.token("alice")?));
    for version in ["2027-01-01", "2025-11-25", "nonsense"] {
        let meta = json!({ "io.modelcontextprotocol/protocolVersion": version });
        let request = alice
            .outgoing("tools/list", json!({ "_meta": meta }))
            .header("mcp-protocol-version", version);
        let reply = request.send().await?;
        let answer = reply.json()?;
        assert_eq!(reply.status, 400, "{answer}");
        assert_eq!(
            answer.pointer("/error/code"),
            Some(&json!(-32022)),
            "{answer}"
        );
        let data = &answer["error"]["data"];
        assert_eq!(data["requested"], version);
        let all = ["2025-06-18", "2025-11-25", "2026-07-28"];
        assert_eq!(data["supported"], json!(all), "{answer}");
    }
    assert!(!world.journal_text()?.contains("tools/list"));
    Ok(())
}

/// Every way to spoil it.
const SPOILED: [&str; 12] = [
    "missing_name",
    "wrong_name",
    "undecodable_name",
    "missing_method",
    "wrong_method",
    "case_of_method",
    "missing_method_wrong_name",
    "name_twice",
    "method_twice",
    "missing_version",
    "wrong_version",
    "version_twice",
];

/// A call of `echo`, spoiled.
fn spoiled(client: &Stateless, how: &str) -> Outgoing {
    let params = json!({ "name": "echo", "arguments": { "text": how } });
    let call = client.outgoing("tools/call", params);
    match how {
        "missing_name" => call.without("mcp-name"),
        "wrong_name" => call.header("mcp-name", "add"),
        "undecodable_name" => call.header("mcp-name", "=?base64?!?="),
        "missing_method" => call.without("mcp-method"),
        "wrong_method" => call.header("mcp-method", "tools/list"),
        "case_of_method" => call.header("mcp-method", "Tools/Call"),
        "missing_method_wrong_name" => call.without("mcp-method").header("mcp-name", "add"),
        "name_twice" => call.and_header("mcp-name", "echo"),
        "method_twice" => call.and_header("mcp-method", "tools/call"),
        "missing_version" => call.without("mcp-protocol-version"),
        "wrong_version" => call.header("mcp-protocol-version", "2025-11-25"),
        "version_twice" => call.and_header("mcp-protocol-version", stateless::VERSION),
        _ => call,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h7_a_mistake_in_a_header_is_forgiven_to_the_client_it_is_named_for_only() -> Result<()> {
    let leniency = json!([
        { "client": "sloppy", "allow": ["missing_name", "wrong_name"] },
        { "client": "silent", "allow": ["missing_method"] }
    ]);
    let plan = Plan::default()
        .fixture(&["--era", "both"])
        .route(json!({ "protocol": { "leniency": leniency } }));
    let world = World::start(plan).await?;
    let by = |client: &str| -> Result<Stateless> {
        let claims = json!({ "client_id": client });
        let token = world
            .issuer
            .sign_changed(&world.resource()?, &json!({}), &claims)?;
        Ok(Stateless::new(&world.url()?, Some(&token)))
    };
    let mut forgiven = 0;
    for (client, allowed) in [
        (
            "sloppy",
            &["missing_name", "wrong_name", "undecodable_name"][..],
        ),
        ("silent", &["missing_method"]),
        ("SLOPPY", &[]),
        ("sloppy2", &[]),
        ("test-client", &[]),
    ] {
        let caller = by(client)?;
        assert_eq!(
            text(&spoiled(&caller, "as it should be").send().await?.json()?),
            "as it should be"
        );
        for how in SPOILED {
            let reply = spoiled(&caller, how).send().await?;
            let answer = reply.json()?;
            if allowed.contains(&how) {
                // The body alone counts: it is `echo` that is called, whatever the header said.
                assert_eq!(text(&answer), how, "{client}");
                forgiven += 1;
                continue;
            }
            assert_eq!(reply.status, 400, "{client} {how}: {answer}");
            let repeated = how == "version_twice";
            let code = answer.pointer("/error/code");
            assert!(
                repeated || code == Some(&json!(-32020)),
                "{client} {how}: {answer}"
            );
            let named = wire::code(&answer);
            assert!(
                ["header_mismatch", "header_repeated"].contains(&&*named),
                "{how}: {named}"
            );
        }
    }
    let records = found(&world, "header_mirror").await?;
    let of = |verdict: &str| {
        let is = |record: &&Value| record["verdict"] == verdict;
        records.iter().filter(is).collect::<Vec<_>>()
    };
    assert_eq!(of("allowed").len(), forgiven);
    let named = |record: &&Value| {
        ["sloppy", "silent"]
            .map(Value::from)
            .contains(&record["who"]["client"])
    };
    assert!(of("allowed").iter().all(named), "{records:?}");
    assert!(!of("refused").is_empty());
    Ok(())
}
