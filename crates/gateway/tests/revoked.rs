//! Revocations that cannot be read admit nobody, and those that can are carried out on what is
//! remembered. The gateway runs in this process, and its store is broken behind its back.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its fittings too"
)]

mod fittings;

use fittings::{Settings, World, code};
use gateway::clock::Clock as _;
use gateway::revocation::{Order, Origin, Target};
use http::StatusCode;
use ringwall_gateway as gateway;
use serde_json::{Value, json};
use std::time::Duration;

async fn ping(world: &World, session: &str, token: &str) -> (StatusCode, Value) {
    let message = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    world.call(session, token, &message).await
}

/// Asks until the answer has this status: the store is looked at twice a second.
async fn until(world: &World, session: &str, token: &str, status: StatusCode) -> Value {
    for _ in 0..3000 {
        let (answered, said) = ping(world, session, token).await;
        if answered == status {
            return said;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never was {status}");
}

#[tokio::test]
async fn n8_3_a_store_of_revocations_that_breaks_admits_nobody_until_it_is_whole() {
    // It is asked as often as it takes, and on this clock no limit is ever made good again.
    let world = World::start(&Settings {
        limits: "{ source: { rate: '10000/s', burst: 100000 }, \
                 user: { rate: '10000/s', burst: 100000 }, \
                 session: { rate: '10000/s', burst: 100000 } }",
        ..Settings::default()
    })
    .await;
    let (session, token) = (world.open().await, world.token(3600));
    // As another process opens it.
    let data = world.gate.runtime().settled.data.clone();
    let store = rusqlite::Connection::open(data.join("state.db")).unwrap();
    for (breaks, repairs) in [
        (
            "ALTER TABLE rows RENAME TO moved",
            "ALTER TABLE moved RENAME TO rows",
        ),
        (
            "INSERT INTO rows VALUES ('revocation', 'x', x'00', NULL)",
            "DELETE FROM rows WHERE key = 'x'",
        ),
    ] {
        store.execute_batch(breaks).unwrap();
        let said = until(&world, &session, &token, StatusCode::SERVICE_UNAVAILABLE).await;
        assert_eq!(code(&said), "revocations_unreadable");
        assert_eq!(said["error"]["data"]["fault"], "us");
        // Nor is anybody let in who was never seen before.
        let fresh = world.token(600);
        let (status, _) = ping(&world, &session, &fresh).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        store.execute_batch(repairs).unwrap();
        until(&world, &session, &token, StatusCode::OK).await;
    }
}

#[tokio::test]
async fn n8_3_what_is_revoked_is_refused_at_once_whatever_is_remembered() {
    let world = World::start(&Settings::default()).await;
    let (session, token) = (world.open().await, world.token(3600));
    // Seen before, so it is remembered as verified.
    assert_eq!(ping(&world, &session, &token).await.0, StatusCode::OK);
    let now_ms = world.clock.unix_ms();
    let order = Order {
        target: Target::token(&token),
        at_ms: now_ms,
        block: false,
        origin: Origin::Operator,
        why: "leaked".into(),
        by: "carol".into(),
    };
    world.gate.revocations.add(order, now_ms).await.unwrap();
    let (status, said) = ping(&world, &session, &token).await;
    assert_eq!(
        (status, code(&said)),
        (StatusCode::UNAUTHORIZED, "token_revoked")
    );
    // Another token of the same user is another matter.
    let (status, _) = ping(&world, &world.open().await, &world.token(600)).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn n8_3_an_entry_goes_when_every_token_it_could_be_about_has_expired() {
    let world = World::start(&Settings::default()).await;
    let now_ms = world.clock.unix_ms();
    let user = |block| Order {
        target: Target::User {
            issuer: Some("https://nobody.example.com".into()),
            name: format!("blocked {block}"),
        },
        at_ms: now_ms,
        block,
        origin: Origin::Issuer,
        why: "a test".into(),
        by: "carol".into(),
    };
    for block in [false, true] {
        world
            .gate
            .revocations
            .add(user(block), now_ms)
            .await
            .unwrap();
    }
    let register = world.gate.revocations.register();
    // They are kept from when the ledger has heard of them.
    while !(register.entries(now_ms).await.unwrap().iter()).all(|entry| entry.recorded) {
        tokio::task::yield_now().await;
    }
    world.clock.advance_ms(25 * 3600 * 1000 - 1);
    assert_eq!(
        register.entries(world.clock.unix_ms()).await.unwrap().len(),
        2
    );
    world.clock.advance_ms(1);
    let left = register.entries(world.clock.unix_ms()).await.unwrap();
    assert!(left.len() == 1 && left[0].block);
}
