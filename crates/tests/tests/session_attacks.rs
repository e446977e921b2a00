//! What somebody does with a session that is not theirs, or not theirs any more: after logout, after
//! revocation with streams open, with an id they chose or guessed, with a token that may do more.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringwall_tests::comes::{comes, is_so};
use ringwall_tests::mcp::Client;
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::{Events, Reply};
use ringwall_tests::world::{Plan, World, ledger, ringwall};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// What is revoked ends within a second. On a machine that does much else it may take longer to see; a call
/// that nobody answers is given up by its server after half a minute.
const PROMPTLY: Duration = Duration::from_secs(20);

/// How long a token of a test that waits for its end is good for, in seconds: everything it opens has to be
/// open by then, and to end before a server gives it up.
const SOON: u64 = 12;

/// A token of this user with other claims than usual.
fn token(world: &World, user: &str, over: &Value) -> Result<String> {
    let claims = world.issuer.claims(&world.resource()?, user);
    world
        .issuer
        .sign(&ringwall_tests::issuer::overlaid(claims, over))
}

/// Clocks agree, so that what is issued after the moment is good at once.
fn plan() -> Plan {
    Plan::default().issuer(json!({ "clock_skew": "0s" }))
}

/// This user with a token that is issued after the moment, which comes within a second.
async fn again(world: &World, user: &str, over: &Value) -> Result<Client> {
    let client = comes(async || Ok(connected(world, &fresh(world, user, over)?).await.ok()));
    client.await.context("nothing of a later moment is taken")
}

/// A token of this very second.
fn fresh(world: &World, user: &str, over: &Value) -> Result<String> {
    let claims = world.issuer.claims(&world.resource()?, user);
    let issued = claims.get("iat").and_then(Value::as_u64).unwrap_or(0) + 1;
    let own = json!({ "iat": issued, "jti": "again" });
    token(world, user, &ringwall_tests::issuer::overlaid(own, over))
}

async fn revoke(world: &World, words: &[&str]) -> Result<String> {
    let mut all = vec!["revoke"];
    all.extend_from_slice(words);
    world.gateway.with_config(&all).await
}

/// Waits until the stream has ended, and not for long.
async fn ends(events: Events) -> Result<()> {
    events.ends_within(PROMPTLY).await
}

/// A call that the server has begun to answer and never ends by itself.
async fn under_way(client: &Client) -> Result<Events> {
    let params = json!({ "name": "test_elicitation", "arguments": { "message": "Who?" } });
    let mut events = client.stream("tools/call", params).await?;
    let asks = |message: &Value| message.get("method") == Some(&json!("elicitation/create"));
    events.message(asks).await?;
    Ok(events)
}

async fn ping(client: &Client) -> Result<Reply> {
    client.send("ping", json!({})).await
}

async fn connected(world: &World, token: &str) -> Result<Client> {
    let mut client = Client::new(&world.url()?, Some(token));
    client.initialize(json!({ "elicitation": {} })).await?;
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_what_is_open_ends_when_its_user_client_session_or_token_is_revoked() -> Result<()> {
    let world = World::start(plan()).await?;
    let bob = connected(&world, &world.token("bob")?).await?;
    let named = |user: &str| {
        let over =
            json!({ "client_id": format!("client-of-{user}"), "jti": format!("jti-of-{user}") });
        token(&world, user, &over)
    };
    for (user, kind) in [
        ("ann", "user"),
        ("ben", "client"),
        ("cid", "session"),
        ("dee", "token"),
    ] {
        let old = named(user)?;
        let client = connected(&world, &old).await?;
        let (listening, call) = (client.listen(None).await?, under_way(&client).await?);
        let held = world
            .gateway
            .with_data(&["sessions", "--json", "--user", user])
            .await?;
        let held: Value = serde_json::from_str(&held)?;
        let session = held.pointer("/sessions/0/session").and_then(Value::as_str);
        let name = match kind {
            "user" => user.to_owned(),
            "client" => format!("client-of-{user}"),
            "session" => session.context("no session")?.to_owned(),
            _ => format!("jti-of-{user}"),
        };
        let said = revoke(&world, &[kind, &name, "--why", "a test", "--by", "carol"]).await?;
        assert!(said.contains(&format!("{kind} {name}")), "{said}");
        ends(listening).await.context(kind)?;
        ends(call).await.context(kind)?;
        let refused = ping(&client).await?;
        if kind == "session" {
            assert_eq!(
                (refused.status.as_u16(), &*refused.code()),
                (404, "session_unknown")
            );
        } else {
            assert_eq!(
                (refused.status.as_u16(), &*refused.code()),
                (401, "token_revoked"),
                "{kind}"
            );
            assert_eq!(refused.control().as_deref(), Some("8.3"));
            let challenge = refused.header("www-authenticate").unwrap_or_default();
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        }
        // Who comes later begins again, in a session of its own.
        let over = json!({ "client_id": format!("client-of-{user}") });
        let client = again(&world, user, &over).await?;
        assert_eq!(ping(&client).await?.status, 200, "{kind}");
    }
    // Nobody else was touched, and everything is in the ledger, with who said so.
    assert_eq!(ping(&bob).await?.status, 200);
    let revoked = world.events("revoked", 4).await?;
    assert_eq!(revoked.len(), 4, "{revoked:?}");
    assert!(
        revoked
            .iter()
            .all(|record| record.to_string().contains("by carol: a test")),
        "{revoked:?}"
    );
    let records = ledger(&world.gateway, &[]).await?;
    let mut refusals = records.iter().map(Value::to_string);
    assert!(refusals.any(|record| record.contains("token_revoked")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_stateless_clients_streams_and_parked_calls_end_with_its_revocation() -> Result<()> {
    let world = World::start(Plan::default().fixture(&["--era", "legacy"])).await?;
    let carol = Stateless::new(&world.url()?, Some(&world.token("carol")?));
    let carol = carol.capable(json!({ "elicitation": {} }));
    let listening = carol.listen(json!({ "toolsListChanged": true })).await?;
    let waits = carol
        .call("test_elicitation", json!({ "message": "Who?" }))
        .await?;
    assert!(waits.pointer("/result/requestState").is_some(), "{waits}");
    let held = async || -> Result<Value> {
        let text = world.gateway.with_data(&["sessions", "--json"]).await?;
        Ok(serde_json::from_str(&text)?)
    };
    assert_eq!(held().await?.pointer("/totals/parked"), Some(&json!(1)));
    revoke(&world, &["user", "carol"]).await?;
    ends(listening).await?;
    // What else it held goes at the same time, each by itself.
    for total in ["parked", "sessions"] {
        let at = format!("/totals/{total}");
        let is_gone = is_so(async || Ok(held().await?.pointer(&at) == Some(&json!(0))));
        is_gone.await.context(total)?;
    }
    let refused = carol.send("tools/list", json!({})).await?;
    assert_eq!(
        (refused.status.as_u16(), &*refused.code()),
        (401, "token_revoked")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_who_acts_for_somebody_can_be_revoked_like_anybody() -> Result<()> {
    let world = World::start(plan()).await?;
    let acting = json!({ "act": { "sub": "agent-7" }, "client_id": "editor" });
    let agent = connected(&world, &token(&world, "alice", &acting)?).await?;
    let alice = connected(&world, &world.token("alice")?).await?;
    let listening = agent.listen(None).await?;
    revoke(&world, &["user", "agent-7"]).await?;
    ends(listening).await?;
    let refused = ping(&agent).await?;
    assert_eq!(
        (refused.status.as_u16(), &*refused.code()),
        (401, "token_revoked")
    );
    assert_eq!(ping(&alice).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m2_what_a_token_opened_ends_when_it_expires() -> Result<()> {
    let world = World::start(Plan::default().fixture(&["--era", "legacy"])).await?;
    let soon = |user: &str| {
        let claims = world.issuer.claims(&world.resource()?, user);
        let now = claims.get("iat").and_then(Value::as_u64).unwrap_or(0) + 1;
        token(&world, user, &json!({ "exp": now + SOON }))
    };
    let alice = connected(&world, &soon("alice")?).await?;
    let carol = Stateless::new(&world.url()?, Some(&soon("carol")?));
    let carol = carol.capable(json!({ "elicitation": {} }));
    let waits = carol
        .call("test_elicitation", json!({ "message": "Who?" }))
        .await?;
    assert!(waits.pointer("/result/requestState").is_some(), "{waits}");
    let streams = [
        alice.listen(None).await?,
        under_way(&alice).await?,
        carol.listen(json!({ "toolsListChanged": true })).await?,
    ];
    let end = Instant::now() + Duration::from_secs(2 * SOON);
    for stream in streams {
        let left = end.saturating_duration_since(Instant::now());
        stream.ends_within(left).await?;
    }
    // The call that waits is given up as well, and says so; five minutes would have been its time.
    assert_eq!(world.events("call.expired", 1).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_block_refuses_later_tokens_too_until_it_is_lifted() -> Result<()> {
    let world = World::start(plan()).await?;
    let open = async |token: String| connected(&world, &token).await.is_ok();
    revoke(&world, &["user", "alice", "--block"]).await?;
    let stream = connected(&world, &world.token("bob")?)
        .await?
        .listen(None)
        .await?;
    revoke(&world, &["user", "bob"]).await?;
    // One thing that has taken effect says that what was written before it has, too.
    ends(stream).await?;
    again(&world, "bob", &json!({})).await?;
    assert!(!open(world.token("alice")?).await);
    assert!(!open(fresh(&world, "alice", &json!({}))?).await);
    let listed = revoke(&world, &["list", "--json"]).await?;
    let listed: Vec<Value> = serde_json::from_str(&listed)?;
    let of = |name: &str| listed.iter().find(|entry| entry["name"] == json!(name));
    let alices = of("alice").context("alice is not listed")?;
    assert_eq!(
        (&alices["block"], &alices["kind"]),
        (&json!(true), &json!("user"))
    );
    assert_eq!(alices["issuer"], json!(world.issuer.url()));
    assert_eq!(
        of("bob").context("bob is not listed")?["block"],
        json!(false)
    );
    // A name that stands for many issuers is none.
    let template = ["user", "alice", "--issuer", "https://id.example/{tenant}"];
    assert!(revoke(&world, &template).await.is_err());
    let table = revoke(&world, &["list"]).await?;
    assert!(
        table.contains("blocked") && table.contains("alice"),
        "{table}"
    );
    let id = alices["id"].as_str().context("no id")?.to_owned();
    assert!(revoke(&world, &["lift", &id]).await?.contains("lifted"));
    assert!(revoke(&world, &["lift", &id]).await.is_err(), "once only");
    let stream = again(&world, "bob", &json!({})).await?.listen(None).await?;
    revoke(&world, &["user", "bob", "--block"]).await?;
    ends(stream).await?;
    assert!(open(world.token("alice")?).await);
    assert_eq!(world.events("revocation.lifted", 1).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_what_was_revoked_while_no_gateway_ran_is_in_force_and_recorded_once_one_does()
-> Result<()> {
    let mut world = World::start(plan()).await?;
    let old = world.token("alice")?;
    assert!(connected(&world, &old).await.is_ok());
    assert!(world.gateway.terminate().await?.success());
    // The token itself, from standard input: it is not repeated anywhere.
    let command = ringwall()?
        .directory(&world.path())
        .input(&format!("{old}\n"));
    let said = command
        .arguments([
            "revoke",
            "token",
            "-",
            "--config",
            "ringwall.yaml",
            "--json",
        ])
        .run()
        .await?
        .success()?;
    assert!(
        said.contains("\"recorded\": false") && !said.contains(&old),
        "{said}"
    );
    world.gateway.start_again().await?;
    let refused = Client::new(&world.url()?, Some(&old))
        .send("ping", json!({}))
        .await?;
    assert_eq!(
        (refused.status.as_u16(), &*refused.code()),
        (401, "token_revoked")
    );
    again(&world, "alice", &json!({})).await?;
    let revoked = world.events("revoked", 1).await?;
    assert!(revoked.len() == 1 && !revoked[0].to_string().contains(&old));
    assert!(
        revoke(&world, &["list", "--json"])
            .await?
            .contains("\"recorded\": true")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_session_is_not_carried_over_to_a_token_that_may_do_more() -> Result<()> {
    let world = World::start(plan()).await?;
    let base =
        json!({ "scope": "mcp:tools files:read", "groups": ["testers", "readers"], "acr": "low" });
    for (over, stays) in [
        (json!({}), true),
        // As it is after a plain refresh.
        (json!({ "jti": "another", "auth_time": 5 }), true),
        (json!({ "scope": "files:read mcp:tools" }), true),
        (json!({ "scope": "mcp:tools" }), true),
        (json!({ "groups": ["readers"] }), true),
        (
            json!({ "scope": "mcp:tools files:read files:write" }),
            false,
        ),
        (json!({ "scope": "mcp:tools files:write" }), false),
        (json!({ "groups": ["testers", "readers", "admins"] }), false),
        (json!({ "roles": ["writer"] }), false),
        (json!({ "acr": "high" }), false),
        (json!({ "acr": null }), false),
    ] {
        let over = ringwall_tests::issuer::overlaid(base.clone(), &over);
        let before = connected(&world, &token(&world, "alice", &base)?).await?;
        let session = before.session().context("no session")?;
        let other = Client::new(&world.url()?, Some(&token(&world, "alice", &over)?));
        let after = ping(&other.in_session(session)).await?;
        let expected = match stays {
            true => (200, "rpc"),
            false => (404, "session_outgrown"),
        };
        assert_eq!(after.status.as_u16(), expected.0, "{over}");
        if !stays {
            assert_eq!(
                (&*after.code(), after.control().as_deref()),
                (expected.1, Some("8.3"))
            );
        }
        // The old id is good for nobody then, whoever comes.
        assert_eq!(ping(&before).await?.status.as_u16(), expected.0, "{over}");
        before.delete().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_stream_ends_with_its_own_token_though_its_session_goes_on_with_another()
-> Result<()> {
    let world = World::start(plan()).await?;
    let first = connected(&world, &token(&world, "alice", &json!({ "jti": "first" }))?).await?;
    let listening = first.listen(None).await?;
    let session = first.session().context("no session")?;
    let refreshed = token(&world, "alice", &json!({ "jti": "second" }))?;
    let second = Client::new(&world.url()?, Some(&refreshed)).in_session(session);
    assert_eq!(ping(&second).await?.status, 200);
    revoke(&world, &["token", "first"]).await?;
    ends(listening).await?;
    assert_eq!(&*ping(&first).await?.code(), "token_revoked");
    assert_eq!(ping(&second).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_stateless_client_that_may_do_more_shares_no_upstream_end_with_one_that_may_do_less()
-> Result<()> {
    let world = World::start(plan()).await?;
    for (scope, kept) in [
        ("mcp:tools files:read", 1),
        ("mcp:tools files:read", 1),
        ("mcp:tools", 1),
        ("mcp:tools files:write", 2),
        ("mcp:tools files:write", 2),
        ("files:read", 2),
    ] {
        let over = json!({ "scope": scope, "jti": format!("{scope} {kept}") });
        let carol = Stateless::new(&world.url()?, Some(&token(&world, "carol", &over)?));
        assert!(!carol.tools().await?.is_empty());
        let held = world.gateway.with_data(&["sessions", "--json"]).await?;
        let held: Value = serde_json::from_str(&held)?;
        assert_eq!(
            held.pointer("/totals/stateless"),
            Some(&json!(kept)),
            "{scope}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_2_a_session_is_ended_by_its_own_client_only_and_then_for_good() -> Result<()> {
    let world = World::start(plan()).await?;
    let alice = connected(&world, &world.token("alice")?).await?;
    let session = alice.session().context("no session")?.to_owned();
    let others = [
        world.token("bob")?,
        token(&world, "alice", &json!({ "client_id": "another-client" }))?,
    ];
    for other in &others {
        let thief = Client::new(&world.url()?, Some(other)).in_session(&session);
        assert_eq!(thief.delete().await?.status, 404);
        assert_eq!(thief.listen(None).await?.status, 404);
        assert_eq!(ping(&thief).await?.status, 404);
    }
    let stranger = Client::new(&world.url()?, None).in_session(&session);
    assert_eq!(stranger.delete().await?.status, 401);
    assert_eq!(ping(&alice).await?.status, 200);
    let listening = alice.listen(None).await?;
    assert_eq!(alice.delete().await?.status, 200);
    ends(listening).await?;
    for _ in 0..2 {
        let after = ping(&alice).await?;
        assert_eq!(
            (after.status.as_u16(), &*after.code()),
            (404, "session_unknown")
        );
    }
    assert_eq!(alice.delete().await?.status, 404);
    assert_eq!(alice.listen(None).await?.status, 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m4_nobody_chooses_the_id_of_a_session() -> Result<()> {
    let world = World::start(plan()).await?;
    let token = world.token("alice")?;
    let ended = connected(&world, &token).await?;
    ended.delete().await?;
    let old = ended.session().context("no session")?.to_owned();
    for chosen in ["chosen", &"A".repeat(43), &old] {
        let client = Client::new(&world.url()?, Some(&token)).in_session(chosen);
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "t", "version": "1" }
        });
        let opening = client
            .outgoing("initialize", Some(params))
            .header("mcp-session-id", chosen);
        let opened = opening.send().await?;
        assert_eq!(
            (opened.status.as_u16(), &*opened.code()),
            (400, "session_again")
        );
        assert_eq!(opened.header("mcp-session-id"), None);
        assert_eq!(ping(&client).await?.status, 404, "{chosen}");
    }
    Ok(())
}

/// Sessions that one user of the world opens.
const EACH: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn m4_ids_of_sessions_show_no_pattern_and_never_come_again() -> Result<()> {
    let mut world = World::start(plan()).await?;
    let mut ids: Vec<String> = Vec::new();
    for round in 0..2 {
        for user in ["ann", "ben", "cid", "dee"] {
            let token = world.token(user)?;
            for _ in 0..EACH {
                let client = connected(&world, &token).await?;
                ids.push(client.session().context("no session")?.to_owned());
            }
        }
        if round == 0 {
            world.gateway.crash_and_restart().await?;
        }
    }
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    let mut bits = Vec::new();
    for id in &ids {
        let bytes = URL_SAFE_NO_PAD.decode(id)?;
        assert_eq!(bytes.len(), 32, "256 bits");
        bits.extend(
            bytes
                .iter()
                .flat_map(|byte| (0..8).map(move |at| byte >> at & 1)),
        );
    }
    // Monobit and runs, as NIST SP 800-22 has them; beyond five standard deviations once in a million.
    let count = bits.len() as f64;
    let ones = bits.iter().filter(|bit| **bit == 1).count() as f64;
    let sum = (2.0 * ones - count).abs() / count.sqrt();
    assert!(sum < 5.0, "{ones} ones of {count} bits");
    let share = ones / count;
    let runs = 1.0 + bits.windows(2).filter(|pair| pair[0] != pair[1]).count() as f64;
    let expected = 2.0 * count * share * (1.0 - share);
    let deviation = 2.0 * count.sqrt() * share * (1.0 - share);
    assert!(
        (runs - expected).abs() / deviation < 5.0,
        "{runs} runs of {expected}"
    );
    // No place of the id is the same in many, and none follows from the one before.
    for place in 0..32 {
        let bytes: Vec<u8> = bits
            .chunks(256)
            .map(|id| (0..8).map(|at| id[place * 8 + at] << at).sum())
            .collect();
        assert!(
            bytes.iter().collect::<HashSet<_>>().len() > 100,
            "byte {place}"
        );
        let steps: HashSet<u8> = bytes
            .windows(2)
            .map(|two| two[1].wrapping_sub(two[0]))
            .collect();
        assert!(steps.len() > 100, "byte {place} is counted up");
    }
    Ok(())
}
