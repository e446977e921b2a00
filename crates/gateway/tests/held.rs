//! Calls that wait for somebody's approval, as time goes by: the gateway runs in this process, with a clock
//! that only the test moves.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its fittings too"
)]

#[expect(dead_code, reason = "this world is built with parts of its own")]
mod fittings;

use fittings::{Settings, World, answer, code, json_of, serve};
use gateway::approvals::{
    By, Decision, DecisionError, Entry, Progress, Register, RegisterError, Verdict,
};
use gateway::clock::Clock as _;
use gateway::revocation::{Order, Origin, Target};
use ringwall_gateway as gateway;
use serde_json::{Value, json};
use std::time::Duration;

const HELD: &str = r#"
    permit(principal, action, resource);
    @lift("approval: owners")
    forbid(principal, action == Ringwall::Action::"call", resource);
"#;

const MINUTE_MS: u64 = 60_000;

/// A gateway before a server with one tool.
async fn world() -> (World, Register) {
    let server = serve(|body| async move {
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        let result = match message["method"].as_str() {
            Some("tools/list") => json!({ "tools": [
                { "name": "send", "inputSchema": { "type": "object", "properties": { "to": { "type": "string" } } } }
            ] }),
            Some("tools/call") => json!({ "content": [{ "type": "text", "text": "sent" }] }),
            _ => return json_of(answer(&body)),
        };
        json_of(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string())
    });
    let settings = Settings {
        policy: HELD,
        server: ", pins: first_use",
        ..Settings::default()
    };
    let (world, house) = World::build(&settings, server.await).await;
    tokio::spawn(house.serve(std::future::pending()));
    let register = Register::open(&world.gate.runtime().settled.data).unwrap();
    (world, register)
}

/// The same call, each time in a session of its own.
async fn sends(world: &World) -> Value {
    let session = world.open().await;
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": "send", "arguments": { "to": "bob" } } });
    let (_, said) = world.call(&session, &world.token(3600), &call).await;
    said
}

fn person(name: &str) -> By {
    By::Person {
        issuer: "https://people.example.com".into(),
        subject: name.into(),
        user: format!("key-of-{name}"),
    }
}

fn approve(by: By) -> Decision {
    Decision {
        verdict: Verdict::Approve(vec![0]),
        by,
        seen_ms: None,
    }
}

async fn given(world: &World, register: &Register, id: &str) -> Result<Entry, RegisterError> {
    let decision = approve(person("bob"));
    register.decide(id, &decision, world.clock.unix_ms()).await
}

/// The only call that is kept, by its name.
async fn only(world: &World, register: &Register) -> String {
    let entries = register.entries(world.clock.unix_ms()).await.unwrap();
    assert_eq!(entries.len(), 1);
    entries[0].id.clone()
}

/// Everything in the ledger that has this name, once there is some.
async fn noted(world: &World, name: &str) -> usize {
    let folder = world.gate.runtime().settled.data.join("ledger");
    for _ in 0..3000 {
        let files = std::fs::read_dir(&folder).unwrap().flatten();
        let texts = files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default());
        let whole = texts.collect::<String>();
        let found = whole.matches(&format!("\"name\":\"{name}\"")).count();
        if found > 0 {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    0
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_what_waits_too_long_ends_and_is_recorded() {
    let (world, register) = world().await;
    assert_eq!(code(&sends(&world).await), "approval_needed");
    let id = only(&world, &register).await;
    world.clock.advance_ms(10 * MINUTE_MS);
    let late = given(&world, &register, &id).await.unwrap_err();
    match late {
        RegisterError::Decision(error) => {
            assert_eq!(error, DecisionError::Over(Progress::Expired));
        }
        // The gateway has looked after it meanwhile, and has taken it out.
        other => assert!(matches!(other, RegisterError::Unknown), "{other}"),
    }
    assert_eq!(noted(&world, "approval.expired").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_an_approval_that_nobody_used_in_time_is_good_no_more() {
    let (world, register) = world().await;
    assert_eq!(code(&sends(&world).await), "approval_needed");
    let id = only(&world, &register).await;
    // Late, but in time; and from then on as long again.
    world.clock.advance_ms(9 * MINUTE_MS);
    let entry = given(&world, &register, &id).await.unwrap();
    assert_eq!(entry.progress(world.clock.unix_ms()), Progress::Approved);
    world.clock.advance_ms(10 * MINUTE_MS);
    assert_eq!(code(&sends(&world).await), "approval_needed");
    given(&world, &register, &id).await.unwrap();
    world.clock.advance_ms(9 * MINUTE_MS);
    let said = sends(&world).await;
    assert_eq!(said["result"]["content"][0]["text"], "sent", "{said}");
    assert_eq!(noted(&world, "approval.used").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_an_approval_of_somebody_who_was_revoked_since_is_void() {
    let (world, register) = world().await;
    assert_eq!(code(&sends(&world).await), "approval_needed");
    let id = only(&world, &register).await;
    given(&world, &register, &id).await.unwrap();
    world.clock.advance_ms(1000);
    let order = Order {
        target: Target::User {
            issuer: Some("https://people.example.com".into()),
            name: "bob".into(),
        },
        at_ms: world.clock.unix_ms(),
        block: false,
        origin: Origin::Operator,
        why: "left".into(),
        by: "carol".into(),
    };
    let now_ms = world.clock.unix_ms();
    world.gate.revocations.add(order, now_ms).await.unwrap();
    assert_eq!(code(&sends(&world).await), "approval_needed");
    assert_eq!(noted(&world, "approval.void").await, 1);
    let entry = register.entry(&id, now_ms).await.unwrap().unwrap();
    assert_eq!(
        (entry.progress(now_ms), entry.votes.len()),
        (Progress::Waiting, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_nobody_approves_their_own_call() {
    let (world, register) = world().await;
    assert_eq!(code(&sends(&world).await), "approval_needed");
    let id = only(&world, &register).await;
    let now_ms = world.clock.unix_ms();
    let entry = register.entry(&id, now_ms).await.unwrap().unwrap();
    let own = By::Person {
        issuer: entry.binding.issuer,
        subject: entry.binding.subject,
        user: entry.binding.user,
    };
    let refused = register
        .decide(&id, &approve(own), now_ms)
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        RegisterError::Decision(DecisionError::Own)
    ));
    let unknown = register
        .decide("nothing", &approve(person("bob")), now_ms)
        .await;
    assert!(matches!(unknown, Err(RegisterError::Unknown)));
    assert_eq!(code(&sends(&world).await), "approval_needed");
}
