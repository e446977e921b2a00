//! What ends with time, with time moved by hand: sessions, tokens; and what happens once the ledger
//! accepts nothing more. The gateway runs in this process, with a small issuer and a small server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its fittings too"
)]

use bytes::Bytes;
use gateway::clock::{Clock, StillClock, SystemClock};
use gateway::house::House;
use gateway::load::Loaded;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use identity::development::{DevelopmentClaims, DevelopmentIssuer};
use ringwall_gateway as gateway;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

const MINUTE: u64 = 60_000;

#[tokio::test]
async fn n8_3_a_session_ends_when_it_is_idle_and_only_then() {
    let world = World::start().await;
    let session = world.open().await;
    for _ in 0..4 {
        world.clock.advance_ms(9 * MINUTE);
        assert_eq!(world.ping(&session).await.0, StatusCode::OK);
    }
    world.clock.advance_ms(10 * MINUTE);
    let (status, answer) = world.ping(&session).await;
    assert_eq!(
        (status, code(&answer)),
        (StatusCode::NOT_FOUND, "session_unknown")
    );
}

#[tokio::test]
async fn n8_3_a_session_ends_at_its_age_however_busy_it_is() {
    let world = World::start().await;
    let session = world.open().await;
    for _ in 0..13 {
        world.clock.advance_ms(9 * MINUTE);
        assert_eq!(world.ping(&session).await.0, StatusCode::OK);
    }
    world.clock.advance_ms(3 * MINUTE);
    assert_eq!(world.ping(&session).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn m2_a_token_that_expires_ends_nothing_but_opens_nothing_either() {
    let world = World::start().await;
    let session = world.open().await;
    let token = world.token(5 * 60);
    assert_eq!(world.ping_with(&session, &token).await.0, StatusCode::OK);
    // Five minutes and the skew later the same token is refused, from the cache or not.
    world.clock.advance_ms(5 * MINUTE + 31_000);
    let (status, answer) = world.ping_with(&session, &token).await;
    assert_eq!(
        (status, code(&answer)),
        (StatusCode::UNAUTHORIZED, "token_expired")
    );
    assert_eq!(world.ping(&session).await.0, StatusCode::OK);
}

#[tokio::test]
async fn n5_1_what_cannot_be_recorded_does_not_happen() {
    let world = World::start().await;
    let session = world.open().await;
    world.gate.ledger.close().unwrap();
    let (status, answer) = world.ping(&session).await;
    assert_eq!(
        (status, code(&answer)),
        (StatusCode::SERVICE_UNAVAILABLE, "ledger_unavailable")
    );
}

struct World {
    clock: Arc<StillClock>,
    gate: Arc<gateway::gate::Gate>,
    gateway: SocketAddr,
    issuer: DevelopmentIssuer,
    _data: tempfile::TempDir,
}

impl World {
    async fn start() -> World {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(StillClock::at_unix_ms(SystemClock::default().unix_ms()));
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer_url = format!("http://{}", port.local_addr().unwrap());
        let issuer = DevelopmentIssuer::generate(&issuer_url).unwrap();
        let keys = issuer.jwks_json();
        serve(port, move |_| json_of(keys.clone()));
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = port.local_addr().unwrap();
        serve(port, |body| json_of(answer(&body)));
        let text = format!(
            "version: 1\ndata: {}\nlisteners: [{{ address: '127.0.0.1:0' }}]\n\
             issuers: [{{ issuer: '{issuer_url}', network: private, keys: '{issuer_url}/jwks', lifetime_max: 24h }}]\n\
             servers: [{{ name: small, http: {{ url: 'http://{server}/mcp', network: private }} }}]\n\
             routes: [{{ path: /mcp, server: small, sessions: {{ idle: 10m, absolute: 2h }} }}]\n\
             policies: [unused.cedar]\n",
            data.path().display()
        );
        let (settled, warnings) = config::load(&text).unwrap();
        let permit = policy::Source {
            name: "all".into(),
            text: "permit(principal, action, resource);".into(),
        };
        let loaded = Loaded {
            settled,
            policies: vec![permit],
            warnings,
        };
        let house = House::build(loaded, clock.clone()).await.unwrap();
        let gate = Arc::clone(house.gate());
        let gateway = house.addresses()[0].0;
        tokio::spawn(house.serve(std::future::pending()));
        World {
            clock,
            gate,
            gateway,
            issuer,
            _data: data,
        }
    }

    fn token(&self, seconds: u64) -> String {
        let now = self.clock.unix_s();
        self.issuer
            .mint(&DevelopmentClaims {
                subject: "alice".into(),
                audience: format!("http://{}/mcp", self.gateway),
                issued_at: now,
                lifetime_s: seconds,
                ..DevelopmentClaims::default()
            })
            .unwrap()
    }

    async fn open(&self) -> String {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" }
        } });
        let response = self.post(None, &self.token(3600), &message).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.headers()["mcp-session-id"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    async fn ping(&self, session: &str) -> (StatusCode, Value) {
        self.ping_with(session, &self.token(3600)).await
    }

    async fn ping_with(&self, session: &str, token: &str) -> (StatusCode, Value) {
        let message = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
        let response = self.post(Some(session), token, &message).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn post(
        &self,
        session: Option<&str>,
        token: &str,
        message: &Value,
    ) -> Response<Incoming> {
        let mut request = Request::post(format!("http://{}/mcp", self.gateway))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("authorization", format!("Bearer {token}"));
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        let request = request
            .body(Full::new(Bytes::from(message.to_string())))
            .unwrap();
        Client::builder(TokioExecutor::new())
            .build_http()
            .request(request)
            .await
            .unwrap()
    }
}

fn code(answer: &Value) -> &str {
    answer
        .pointer("/error/data/code")
        .and_then(Value::as_str)
        .unwrap_or("none")
}

/// The whole of a small MCP server without tools.
fn answer(body: &[u8]) -> String {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let result = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": { "name": "small", "version": "1" }
    });
    json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string()
}

fn json_of(text: String) -> Response<Full<Bytes>> {
    Response::builder()
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(text)))
        .unwrap()
}

fn serve(
    port: TcpListener,
    answer: impl Fn(Bytes) -> Response<Full<Bytes>> + Clone + Send + Sync + 'static,
) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = port.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    Ok::<_, Infallible>(answer(body))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
}
