//! A gateway in this process with what it needs around it: a small issuer, a small server, a clock
//! that only the test moves. It checks nothing itself.

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
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The parts of the configuration in which tests differ, as they are written in the file.
pub(crate) struct Settings<'a> {
    pub(crate) listener: &'a str,
    pub(crate) limits: &'a str,
    /// More servers, after `small`.
    pub(crate) servers: &'a str,
    /// More routes, after the one at `/mcp`.
    pub(crate) routes: &'a str,
    /// More members of the server.
    pub(crate) server: &'a str,
    pub(crate) policy: &'a str,
    /// More members at the top.
    pub(crate) more: &'a str,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Settings {
            listener: "{ address: '127.0.0.1:0' }",
            limits: "{}",
            servers: "",
            routes: "",
            server: "",
            policy: "permit(principal, action, resource);",
            more: "",
        }
    }
}

impl Settings<'_> {
    /// The whole configuration, with a policy that permits everything unless it is said.
    pub(crate) fn load(&self, data: &Path, issuer: &str, server: SocketAddr) -> Loaded {
        let Settings {
            listener,
            limits,
            servers,
            routes,
            server: member,
            policy,
            more,
        } = self;
        let text = format!(
            "version: 1\ndata: {}\nlisteners: [{listener}]\nlimits: {limits}\n\
             issuers: [{{ issuer: '{issuer}', network: private, keys: '{issuer}/jwks', lifetime_max: 24h }}]\n\
             servers: [{{ name: small, http: {{ url: 'http://{server}/mcp', network: private }}{member} }}{servers}]\n\
             routes: [{{ path: /mcp, server: small, sessions: {{ idle: 10m, absolute: 2h }} }}{routes}]\n\
             policies: [unused.cedar]\n{more}\n",
            data.display()
        );
        let (settled, warnings) = config::load(&text).unwrap();
        let permit = policy::Source {
            name: "all".into(),
            text: (*policy).into(),
        };
        Loaded {
            settled,
            policies: vec![permit],
            administration: vec![policy::Administration::built_in()],
            warnings,
        }
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<StillClock>,
    pub(crate) gate: Arc<gateway::gate::Gate>,
    pub(crate) gateway: SocketAddr,
    issuer: DevelopmentIssuer,
    _data: tempfile::TempDir,
}

impl World {
    /// A gateway that serves until the test ends.
    pub(crate) async fn start(settings: &Settings<'_>) -> World {
        let server = serve(|body| async move { json_of(answer(&body)) }).await;
        let (world, house) = World::build(settings, server).await;
        tokio::spawn(house.serve(std::future::pending()));
        world
    }

    /// A gateway that listens and does not serve yet.
    pub(crate) async fn build(settings: &Settings<'_>, server: SocketAddr) -> (World, House) {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(StillClock::at_unix_ms(SystemClock::default().unix_ms()));
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer_url = format!("http://{}", port.local_addr().unwrap());
        let issuer = DevelopmentIssuer::generate(&issuer_url).unwrap();
        let keys = issuer.jwks_json();
        serve_at(port, move |_| std::future::ready(json_of(keys.clone())));
        let loaded = settings.load(data.path(), &issuer_url, server);
        let house = House::build(loaded, clock.clone()).await.unwrap();
        let world = World {
            clock,
            gate: Arc::clone(house.gate()),
            gateway: house.addresses()[0].0,
            issuer,
            _data: data,
        };
        (world, house)
    }

    pub(crate) fn token(&self, seconds: u64) -> String {
        self.token_with(seconds, Map::new())
    }

    /// One that says more.
    pub(crate) fn token_with(&self, seconds: u64, further: Map<String, Value>) -> String {
        let now = self.clock.unix_s();
        self.issuer
            .mint(&DevelopmentClaims {
                subject: "alice".into(),
                audience: format!("http://{}/mcp", self.gateway),
                issued_at: now,
                lifetime_s: seconds,
                further,
                ..DevelopmentClaims::default()
            })
            .unwrap()
    }

    pub(crate) async fn open(&self) -> String {
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

    /// One message in a session, and its answer.
    pub(crate) async fn call(
        &self,
        session: &str,
        token: &str,
        message: &Value,
    ) -> (StatusCode, Value) {
        let response = self.post(Some(session), token, message).await;
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

/// The code of a refusal.
pub(crate) fn code(answer: &Value) -> &str {
    answer
        .pointer("/error/data/code")
        .and_then(Value::as_str)
        .unwrap_or("none")
}

/// The whole of a small MCP server without tools.
pub(crate) fn answer(body: &[u8]) -> String {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let result = json!({
        "protocolVersion": "2025-06-18", "capabilities": { "resources": {} },
        "serverInfo": { "name": "small", "version": "1" }
    });
    json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string()
}

pub(crate) fn json_of(text: String) -> Response<Full<Bytes>> {
    Response::builder()
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(text)))
        .unwrap()
}

/// Serves on a port of its own, and says which.
pub(crate) async fn serve<F>(
    answer: impl Fn(Bytes) -> F + Clone + Send + Sync + 'static,
) -> SocketAddr
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = port.local_addr().unwrap();
    serve_at(port, answer);
    address
}

fn serve_at<F>(port: TcpListener, answer: impl Fn(Bytes) -> F + Clone + Send + Sync + 'static)
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    tokio::spawn(async move {
        while let Ok((stream, _)) = port.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    Ok::<_, Infallible>(answer(body).await)
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
}
