//! `ringwall sessions` beside a running gateway: everybody's sessions are seen, with what they hold
//! and how much that may be, and nothing is seen that would open one.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::Client;
use ringwall_tests::program::Ended;
use ringwall_tests::stateless::{self, Stateless};
use ringwall_tests::wire::Events;
use ringwall_tests::world::{CREDENTIAL, Plan, World, ringwall};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

/// What the gateway of this world holds.
async fn held(world: &World, more: &[&str]) -> Result<Value> {
    let mut words = vec!["sessions", "--json"];
    words.extend_from_slice(more);
    Ok(serde_json::from_str(
        &world.gateway.with_data(&words).await?,
    )?)
}

/// The command on a data directory, however it ends.
async fn asked(data: &Path) -> Result<Ended> {
    let command = ringwall()?.arguments(["sessions", "--data"]);
    command.argument(data).run().await
}

fn list<'v>(held: &'v Value, of: &str) -> Result<&'v Vec<Value>> {
    let list = held.get(of).and_then(Value::as_array);
    list.with_context(|| format!("no `{of}` in {held}"))
}

/// The row of a table that begins with this name.
fn row<'t>(table: &'t str, name: &str) -> Result<Vec<&'t str>> {
    let row = table.lines().find(|line| line.starts_with(name));
    let row = row.with_context(|| format!("no row of `{name}`:\n{table}"))?;
    Ok(row.split_whitespace().collect())
}

/// A call in whose middle the server asks the user, who has not answered yet.
async fn asked_in_the_middle(client: &Client) -> Result<Events> {
    let params = json!({ "name": "test_elicitation", "arguments": { "message": "Who?" } });
    let mut events = client.stream("tools/call", params).await?;
    let asks = |message: &Value| message.get("method") == Some(&json!("elicitation/create"));
    events.message(asks).await?;
    Ok(events)
}

/// Alice in the middle of a call, Bob without any, and Carol, whose client is stateless, with one
/// that waits for her. The server has sessions only.
struct Company {
    world: World,
    secrets: Vec<String>,
    _open: (Client, Client, Events),
}

impl Company {
    async fn meet() -> Result<Self> {
        let world = World::start(Plan::default().fixture(&["--era", "legacy"])).await?;
        let mut alice = Client::new(&world.url()?, Some(&world.token("alice")?));
        alice.initialize(json!({ "elicitation": {} })).await?;
        let bob = world.client("bob").await?;
        let carols = world.token("carol")?;
        let carol = Stateless::new(&world.url()?, Some(&carols));
        let carol = carol.capable(json!({ "elicitation": {} }));
        let waits = json!({ "message": "Who?" });
        let waits = carol.call("test_elicitation", waits).await?;
        let handle = waits.pointer("/result/requestState");
        let handle = handle.with_context(|| format!("nothing waits: {waits}"))?;
        let call = asked_in_the_middle(&alice).await?;
        let mut secrets: Vec<String> = [alice.session(), bob.session(), handle.as_str()]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect();
        assert_eq!(secrets.len(), 3);
        secrets.extend([carols, world.token("alice")?, CREDENTIAL.to_owned()]);
        let upstream = ids_in(&world.journal()?);
        assert!(
            upstream.len() >= 3,
            "sessions with the server: {upstream:?}"
        );
        secrets.extend(upstream);
        Ok(Company {
            world,
            secrets,
            _open: (alice, bob, call),
        })
    }
}

/// The ids of the gateway's own sessions with the server.
fn ids_in(journal: &[Value]) -> BTreeSet<String> {
    let headers = journal
        .iter()
        .filter_map(|line| line.get("headers")?.as_array());
    let ids = headers.flatten().filter_map(|header| {
        let is_id = header.get(0)? == "mcp-session-id";
        header.get(1)?.as_str().filter(|_| is_id)
    });
    ids.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_sessions_are_seen_with_what_they_hold() -> Result<()> {
    let company = Company::meet().await?;
    let held = held(&company.world, &[]).await?;
    let told = list(&held, "sessions")?.iter().map(|session| {
        let member = |name: &str| session.get(name).cloned().unwrap_or_default();
        let met = session.pointer("/servers/0").cloned().unwrap_or_default();
        let counts = (member("under_way"), member("questions"), member("tasks"));
        let who = (member("subject"), member("client"), member("route"));
        (who, (member("footing"), member("revision"), met), counts)
    });
    let who = |name| (json!(name), json!("test-client"), json!("/fixture"));
    let met = json!({ "server": "fixture", "revision": "2025-11-25" });
    let era = |footing, revision| (json!(footing), json!(revision), met.clone());
    let count = |under_way, questions| (json!(under_way), json!(questions), json!(0));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (who("alice"), era("session", "2025-11-25"), count(1, 1)),
            (who("bob"), era("session", "2025-11-25"), count(0, 0)),
            (
                who("carol"),
                era("stateless", stateless::VERSION),
                // A call that waits for its client is under way: the server is not done with it.
                count(1, 0)
            ),
        ]
    );
    let users = list(&held, "users")?.iter().map(|user| {
        let member = |name: &str| user.get(name).cloned().unwrap_or_default();
        (member("subject"), member("sessions"), member("parked"))
    });
    let users: Vec<_> = users.collect();
    let expected = [("alice", 0), ("bob", 0), ("carol", 1)];
    let expected = expected.map(|(name, parked)| (json!(name), json!(1), json!(parked)));
    assert_eq!(users, expected);
    for (total, count) in [
        ("sessions", 3),
        ("stateless", 1),
        ("users", 3),
        ("parked", 1),
    ] {
        assert_eq!(
            held.pointer(&format!("/totals/{total}")),
            Some(&json!(count)),
            "{total}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_says_the_same_and_neither_says_what_opens_a_session() -> Result<()> {
    let company = Company::meet().await?;
    let gateway = &company.world.gateway;
    let table = gateway.with_config(&["sessions"]).await?;
    let json = gateway.with_data(&["sessions", "--json"]).await?;
    let row_of = |name| row(&table, name);
    let alice = row_of("alice")?;
    let begins = [
        "alice",
        "test-client",
        "/fixture",
        "2025-11-25",
        "session",
        "fixture",
        "2025-11-25",
        "1",
        "1",
    ];
    assert_eq!(alice.get(..begins.len()), Some(&begins[..]), "{table}");
    assert_eq!(row_of("bob")?.get(7..9), Some(&["0", "0"][..]), "{table}");
    assert_eq!(
        row_of("carol")?.get(3..5),
        Some(&["2026-07-28", "stateless"][..]),
        "{table}"
    );
    for words in [
        "carol  1 of 64   1 of ",
        "in all: sessions 3 of 100000 (stateless 1), users 3",
    ] {
        assert!(table.contains(words), "`{words}`:\n{table}");
    }
    // A session is called as the records call it.
    let records = gateway.with_data(&["audit", "search", "--json"]).await?;
    let name = alice.last().copied().unwrap_or_default();
    assert!(
        records.contains(&format!("\"{name}\"")),
        "{name}: {records}"
    );
    for secret in &company.secrets {
        assert!(
            !table.contains(secret) && !json.contains(secret),
            "{secret}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_or_one_route_can_be_looked_at() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let _open = (world.client("alice").await?, world.client("bob").await?);
    let issuer = world.issuer.url().to_owned();
    let full = format!("{issuer}#bob");
    for (words, names) in [
        (vec![], vec!["alice", "bob"]),
        (vec!["--user", "alice"], vec!["alice"]),
        (vec!["--user", &full], vec!["bob"]),
        (vec!["--route", "/fixture"], vec!["alice", "bob"]),
        (vec!["--user", "alice", "--route", "/other"], vec![]),
    ] {
        let held = held(&world, &words).await?;
        let told = list(&held, "sessions")?.iter();
        let told: Vec<_> = told.filter_map(|it| it.get("subject")?.as_str()).collect();
        assert_eq!(told, names, "{words:?}");
        assert_eq!(held.pointer("/totals/sessions"), Some(&json!(2)));
    }
    let none = world
        .gateway
        .with_data(&["sessions", "--user", "al"])
        .await?;
    assert!(none.contains("there is no such session"), "{none}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_is_asked_while_it_runs_and_at_no_other_time() -> Result<()> {
    let mut world = World::start(Plan::default()).await?;
    let data = world.path().join("data");
    let socket = data.join("control.sock");
    let there = std::fs::symlink_metadata(&socket)?;
    assert!(there.file_type().is_socket());
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    // What a power cut leaves behind is no obstacle.
    let _open = world.client("alice").await?;
    world.gateway.crash_and_restart().await?;
    assert_eq!(
        held(&world, &[]).await?.pointer("/totals/sessions"),
        Some(&json!(0))
    );
    // While one runs, another on the same data does not get as far as its socket.
    let second = ringwall()?.directory(&world.path());
    let second = second
        .arguments(["serve", "--config", "ringwall.yaml"])
        .run()
        .await?;
    assert!(!second.status.success());
    assert!(asked(&data).await?.status.success());
    assert!(world.gateway.terminate().await?.success());
    assert!(!socket.exists());
    let told = asked(&data).await?;
    assert!(!told.status.success());
    assert!(told.stderr.contains("ringwall serve"), "{}", told.stderr);
    Ok(())
}
