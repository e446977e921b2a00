//! What ends with time, with time moved by hand: sessions, tokens; and what happens once the ledger
//! accepts nothing more. The gateway runs in this process, with a small issuer and a small server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its fittings too"
)]

mod fittings;

use fittings::{Settings, World, code};
use http::StatusCode;
use serde_json::{Value, json};

const MINUTE: u64 = 60_000;

#[tokio::test]
async fn n8_3_a_session_ends_when_it_is_idle_and_only_then() {
    let world = World::start(&Settings::default()).await;
    let session = world.open().await;
    for _ in 0..4 {
        world.clock.advance_ms(9 * MINUTE);
        assert_eq!(ping(&world, &session).await.0, StatusCode::OK);
    }
    world.clock.advance_ms(10 * MINUTE);
    let (status, answer) = ping(&world, &session).await;
    assert_eq!(
        (status, code(&answer)),
        (StatusCode::NOT_FOUND, "session_unknown")
    );
}

#[tokio::test]
async fn n8_3_a_session_ends_at_its_age_however_busy_it_is() {
    let world = World::start(&Settings::default()).await;
    let session = world.open().await;
    for _ in 0..13 {
        world.clock.advance_ms(9 * MINUTE);
        assert_eq!(ping(&world, &session).await.0, StatusCode::OK);
    }
    world.clock.advance_ms(3 * MINUTE);
    assert_eq!(ping(&world, &session).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn m2_a_token_that_expires_ends_nothing_but_opens_nothing_either() {
    let world = World::start(&Settings::default()).await;
    let session = world.open().await;
    let token = world.token(5 * 60);
    assert_eq!(ping_with(&world, &session, &token).await.0, StatusCode::OK);
    // Five minutes and the skew later the same token is refused, from the cache or not.
    world.clock.advance_ms(5 * MINUTE + 31_000);
    let (status, answer) = ping_with(&world, &session, &token).await;
    assert_eq!(
        (status, code(&answer)),
        (StatusCode::UNAUTHORIZED, "token_expired")
    );
    assert_eq!(ping(&world, &session).await.0, StatusCode::OK);
}

#[tokio::test]
async fn n5_1_what_cannot_be_recorded_does_not_happen() {
    let world = World::start(&Settings::default()).await;
    let session = world.open().await;
    world.gate.ledger.close().unwrap();
    let (status, answer) = ping(&world, &session).await;
    assert_eq!(
        (status, code(&answer)),
        (StatusCode::SERVICE_UNAVAILABLE, "ledger_unavailable")
    );
}

async fn ping(world: &World, session: &str) -> (StatusCode, Value) {
    ping_with(world, session, &world.token(3600)).await
}

async fn ping_with(world: &World, session: &str, token: &str) -> (StatusCode, Value) {
    let message = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    world.call(session, token, &message).await
}
