//! The HTTP upstream against a server of ours that does what each case wants and notes all it saw.

use crate::egress::{Destination, Egress, EgressSettings, Network, SystemRoots};
use crate::secret::Secret;
use crate::upstream::{
    Event, Events, HttpSpec, Link, Outgoing, Owner, Reply, Server, ServerSpec, Transport,
    UpstreamError,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use protocol::{Document, Limits, Message};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;
use zeroize::Zeroizing;

mod calls;
mod sessions;
mod streams;

type Body = BoxBody<Bytes, Infallible>;

/// One request as the server saw it.
#[derive(Clone, Debug)]
struct Seen {
    method: String,
    headers: http::HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn says(&self, part: &str) -> bool {
        self.body.contains(part)
    }
}

type Script = dyn Fn(&Seen, usize) -> Response<Body> + Send + Sync;

/// A server, and everything it saw.
struct World {
    seen: Arc<Mutex<Vec<Seen>>>,
    news: Arc<tokio::sync::Notify>,
    connections: Arc<AtomicUsize>,
    server: Arc<Server>,
}

impl World {
    /// A server that answers as `script` says; the number is how many requests came before.
    async fn new(script: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static) -> Self {
        World::with(script, |_| {}).await
    }

    async fn with(
        script: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static,
        change: impl FnOnce(&mut ServerSpec),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let world = World {
            seen: Arc::default(),
            news: Arc::default(),
            connections: Arc::default(),
            server: server(port, change).unwrap(),
        };
        let (seen, news) = (world.seen.clone(), world.news.clone());
        let connections = world.connections.clone();
        let script: Arc<Script> = Arc::new(script);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (seen, news, script) = (seen.clone(), news.clone(), script.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (seen, news, script) = (seen.clone(), news.clone(), script.clone());
                    async move {
                        let request = note(request).await;
                        let before = {
                            let mut seen = seen.lock().unwrap();
                            seen.push(request.clone());
                            seen.len() - 1
                        };
                        news.notify_waiters();
                        Ok::<_, Infallible>(script(&request, before))
                    }
                });
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        world
    }

    async fn open(&self, session: &str) -> Link {
        let (link, reply) = self
            .server
            .open(&owner(session), initialize())
            .await
            .unwrap();
        assert!(matches!(reply, Reply::Message(_)));
        link
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self, part: &str) -> usize {
        self.seen().iter().filter(|seen| seen.says(part)).count()
    }

    /// Waits until a request with `part` in its body, or of the method `part`, was seen.
    async fn until(&self, part: &str) -> Seen {
        loop {
            let news = self.news.notified();
            let mut seen = self.seen().into_iter();
            if let Some(found) = seen.find(|seen| seen.says(part) || seen.method == part) {
                return found;
            }
            news.await;
        }
    }
}

async fn note(request: Request<Incoming>) -> Seen {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Seen {
        method: parts.method.to_string(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn server(port: u16, change: impl FnOnce(&mut ServerSpec)) -> Result<Arc<Server>, UpstreamError> {
    let egress = Arc::new(
        Egress::new(&EgressSettings {
            system_roots: SystemRoots::Ignored,
            ..EgressSettings::default()
        })
        .unwrap(),
    );
    let url = Url::parse(&format!("http://127.0.0.1:{port}/mcp")).unwrap();
    let mut spec = ServerSpec {
        name: "files".into(),
        transport: Transport::Http(HttpSpec {
            destination: Destination::new(url, Network::Private).unwrap(),
            credential: None,
            header: None,
        }),
        timeout: Duration::from_secs(10),
        answer_bytes: 64 * 1024,
    };
    change(&mut spec);
    Ok(Arc::new(Server::new(&egress, spec)?))
}

fn http_spec(spec: &mut ServerSpec) -> &mut HttpSpec {
    match &mut spec.transport {
        Transport::Http(http) => http,
        Transport::Stdio(_) => panic!("not http"),
    }
}

fn owner(session: &str) -> Owner {
    Owner {
        user: "alice".into(),
        session: session.into(),
    }
}

fn initialize() -> Bytes {
    Bytes::from_static(
        br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#,
    )
}

fn greeting(revision: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{revision}","capabilities":{{}}}}}}"#
    )
}

fn call(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"x"}}}}"#)
}

fn result(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}}}}"#)
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn reply(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Full::new(body.into()).boxed())
        .unwrap()
}

fn json(body: impl Into<Bytes>) -> Response<Body> {
    reply(200, "application/json", body)
}

fn accepted() -> Response<Body> {
    Response::builder()
        .status(202)
        .body(Full::default().boxed())
        .unwrap()
}

fn events(body: impl Into<Bytes>) -> Response<Body> {
    reply(200, "text/event-stream", body)
}

/// A stream that the test goes on writing.
fn live() -> (mpsc::Sender<&'static str>, Response<Body>) {
    let (sender, receiver) = mpsc::channel(8);
    (sender, streaming(receiver))
}

fn streaming(receiver: mpsc::Receiver<&'static str>) -> Response<Body> {
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(BodyExt::boxed(Live(receiver)))
        .unwrap()
}

struct Live(mpsc::Receiver<&'static str>);

impl http_body::Body for Live {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
        self.0.poll_recv(cx).map(|text| text.map(frame))
    }
}

/// The usual server: one session, JSON answers with the id of the request, 202s.
fn usual(seen: &Seen) -> Response<Body> {
    if seen.says("\"initialize\"") {
        let mut response = json(greeting("2025-11-25"));
        let id = http::HeaderValue::from_static("session-1");
        response.headers_mut().insert("mcp-session-id", id);
        return response;
    }
    match (seen.method.as_str(), id_of(&seen.body)) {
        ("POST", Some(id)) if seen.says("\"method\"") => json(result(id)),
        ("POST", _) => accepted(),
        _ => reply(405, "text/plain", ""),
    }
}

fn id_of(body: &str) -> Option<u32> {
    let document = Document::read(body.to_owned().into(), &Limits::default()).ok()?;
    let id = document.root().get("id")?.integer()?;
    u32::try_from(id).ok()
}

async fn send(link: &Link, text: &str) -> Result<Reply, UpstreamError> {
    send_within(link, text, Duration::from_secs(10)).await
}

async fn send_within(link: &Link, text: &str, time: Duration) -> Result<Reply, UpstreamError> {
    let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
    let message = Message::read(document).unwrap();
    link.send(Outgoing::of(&message), Instant::now() + time)
        .await
}

fn message(reply: Reply) -> String {
    match reply {
        Reply::Message(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn stream(reply: Reply) -> Events {
    match reply {
        Reply::Stream(events) => events,
        other => panic!("{other:?}"),
    }
}

async fn next(events: &mut Events) -> Option<String> {
    let event: Option<Event> = events.next().await.unwrap();
    event.map(|event| String::from_utf8(event.data.to_vec()).unwrap())
}

fn secret(value: &str) -> Secret {
    Secret::new("env:TOKEN", Zeroizing::new(value.to_owned()))
}
