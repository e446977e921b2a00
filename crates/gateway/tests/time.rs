//! What ends with time, with time moved by hand: sessions, tokens, proofs, whoever holds a body back; what
//! happens once the ledger accepts nothing more, and in a flood. The gateway runs in this process, with a
//! small issuer and a small server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its fittings too"
)]

mod fittings;

use fittings::{Settings, World, code};
use gateway::clock::Clock as _;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use identity::possession::dpop::Signer;
use ringwall_gateway as gateway;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MINUTE: u64 = 60_000;
/// `dpop.age`, in seconds.
const AGE_S: u64 = 60;
/// How many refusals of strangers are recorded at once.
const RECORDED: usize = 2000;

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

/// A world that takes proofs without a nonce, as many as come.
async fn proved_world() -> World {
    World::start(&Settings {
        limits: "{ source: { rate: '10000/s', burst: 100000, concurrent: 256 } }",
        more: "dpop: { nonce: 'off', skew: 0s, age: 60s }",
        ..Settings::default()
    })
    .await
}

/// A token that is bound to the key of this signer.
fn bound(world: &World, holder: &Signer) -> String {
    let bound = json!({ "jkt": holder.thumbprint() });
    world.token_with(AGE_S * 10, Map::from_iter([("cnf".to_owned(), bound)]))
}

/// Every line of the ledger.
fn ledger(world: &World) -> String {
    let folder = world.gate.runtime().settled.data.join("ledger");
    let mut lines = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        lines += &std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
    }
    lines
}

fn opening() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" }
    } })
    .to_string()
}

/// A request whose head has arrived, and the body of which has not.
struct Held {
    stream: TcpStream,
    body: String,
}

impl Held {
    /// Sends the head, and waits until the gateway waits for the body.
    async fn send(world: &World, headers: &[(&str, &str)]) -> Held {
        let body = opening();
        let mut head = format!(
            "POST /mcp HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\nconnection: close\r\n\
             expect: 100-continue\r\ncontent-length: {}\r\n",
            world.gateway,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        #[expect(
            clippy::disallowed_methods,
            reason = "a client of the gateway, outside it"
        )]
        let mut stream = TcpStream::connect(world.gateway).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = [0; 25];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
        Held { stream, body }
    }

    /// Sends the body after all. The whole answer, as text.
    async fn release(mut self) -> String {
        self.stream.write_all(self.body.as_bytes()).await.unwrap();
        let mut said = String::new();
        self.stream.read_to_string(&mut said).await.unwrap();
        said
    }
}

#[tokio::test]
async fn n7_4_no_body_that_is_held_back_makes_a_used_proof_good_again() {
    let world = proved_world().await;
    let alice = Signer::generate().unwrap();
    let token = bound(&world, &alice);
    let url = format!("http://{}/mcp", world.gateway).parse().unwrap();
    let now = world.clock.unix_s();
    let proof = alice.proof("POST", &url, now, Some(&token), None).unwrap();
    let brought = format!("DPoP {token}");
    let headers = [("authorization", &*brought), ("dpop", &*proof)];
    let said = Held::send(&world, &headers).await.release().await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let again = Held::send(&world, &headers).await.release().await;
    assert!(again.contains("dpop_replayed"), "{again}");
    // It arrives while the proof is young, and its body when nobody remembers the proof any more.
    let held = Held::send(&world, &headers).await;
    world.clock.advance_ms((AGE_S + 1) * 1000);
    let said = held.release().await;
    assert!(said.starts_with("HTTP/1.1 401"), "{said}");
    assert!(said.contains("dpop_stale"), "{said}");
}

#[tokio::test]
async fn n2_3_no_body_that_is_held_back_makes_a_token_live_longer() {
    let world = proved_world().await;
    let token = world.token(AGE_S);
    let brought = format!("Bearer {token}");
    let headers = [("authorization", &*brought)];
    let said = Held::send(&world, &headers).await.release().await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let held = Held::send(&world, &headers).await;
    world.clock.advance_ms((AGE_S + 31) * 1000);
    let said = held.release().await;
    assert!(said.starts_with("HTTP/1.1 401"), "{said}");
    assert!(said.contains("token_expired"), "{said}");
}

#[tokio::test]
async fn n4_4_a_flood_with_a_stolen_token_is_counted_and_fills_no_disk() {
    let world = proved_world().await;
    let alice = Signer::generate().unwrap();
    let token = bound(&world, &alice);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let steal = || async {
        let request = http::Request::post(format!("http://{}/mcp", world.gateway))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(bytes::Bytes::from(opening())))
            .unwrap();
        let answer = client.request(request).await.unwrap();
        assert_eq!(answer.status(), 401);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("token_bound"));
    };
    for _ in 0..RECORDED + 100 {
        steal().await;
    }
    world.clock.advance_ms(1000);
    steal().await;
    world.gate.ledger.close().unwrap();
    let written = ledger(&world);
    assert_eq!(
        written.matches("\"code\":\"token_bound\"").count(),
        RECORDED + 1
    );
    let counted: Vec<&str> = written
        .lines()
        .filter(|line| line.contains("refusals.counted"))
        .collect();
    assert!(
        counted.len() == 1 && counted[0].contains("\"100\""),
        "{counted:?}"
    );
}
