//! A server for tests that does what each case wants and notes all it saw. It is no part of the
//! product.

use crate::credential::Source;
use crate::egress::{Destination, Egress, EgressSettings, Network, SystemRoots};
use crate::secret::Secret;
use crate::upstream::{
    EraChoice, Event, Events, Greeting, HttpSpec, Link, Met, Outgoing, Owner, Reply, Server,
    ServerSpec, Transport, UpstreamError,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use protocol::{Document, Era, Limits, Message};
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

pub(super) type Body = BoxBody<Bytes, Infallible>;

/// How long whatever is not about time may take, on a machine that has much else to do as well.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What is waited for, on a clock that stands still and jumps to the next limit once there is nothing else to do:
/// a limit is met at once, however long it is and however slow the machine.
pub(super) async fn in_no_time<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::pause();
    let came = waiting.await;
    tokio::time::resume();
    came
}

/// So much time passes at once.
pub(super) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    /// Path and query.
    pub(super) place: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn says(&self, part: &str) -> bool {
        self.body.contains(part)
    }
}

pub(super) type Script = dyn Fn(&Seen, usize) -> Response<Body> + Send + Sync;

/// A server, and everything it saw.
pub(super) struct World {
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    pub(super) news: Arc<tokio::sync::Notify>,
    pub(super) connections: Arc<AtomicUsize>,
    pub(super) server: Arc<Server>,
}

impl World {
    /// A server that answers as `script` says; the number is how many requests came before.
    pub(super) async fn new(
        script: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        World::with(script, |_| {}).await
    }

    pub(super) async fn with(
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
                        let response = script(&request, before);
                        if response.extensions().get::<Withheld>().is_some() {
                            std::future::pending::<()>().await;
                        }
                        Ok::<_, Infallible>(response)
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

    pub(super) async fn open(&self, session: &str) -> Link {
        let (link, reply) = self
            .server
            .open(&owner(session), initialize())
            .await
            .unwrap();
        assert!(matches!(reply, Reply::Message(_)));
        link
    }

    pub(super) async fn meet(&self, prefer: Era) -> Result<Met, UpstreamError> {
        self.server.meet(&owner("s"), introduction(prefer)).await
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn count(&self, part: &str) -> usize {
        self.seen().iter().filter(|seen| seen.says(part)).count()
    }

    /// Waits until a request with `part` in its body, or of the method `part`, was seen.
    pub(super) async fn until(&self, part: &str) -> Seen {
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

pub(super) async fn note(request: Request<Incoming>) -> Seen {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Seen {
        method: parts.method.to_string(),
        place: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

pub(super) fn server(
    port: u16,
    change: impl FnOnce(&mut ServerSpec),
) -> Result<Arc<Server>, UpstreamError> {
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
            credential: Source::Nothing,
        }),
        timeout: PATIENCE,
        answer_bytes: 64 * 1024,
        era: EraChoice::Auto,
    };
    change(&mut spec);
    Ok(Arc::new(Server::new(&egress, spec)?))
}

pub(super) fn http_spec(spec: &mut ServerSpec) -> &mut HttpSpec {
    match &mut spec.transport {
        Transport::Http(http) | Transport::Sse(http) => http,
        Transport::Stdio(_) => panic!("not http"),
    }
}

pub(super) fn owner(session: &str) -> Owner {
    Owner {
        user: "alice".into(),
        client: None,
        route: "/mcp".into(),
        session: session.into(),
    }
}

pub(super) fn initialize() -> Bytes {
    Bytes::from_static(
        br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#,
    )
}

/// A `server/discover` request.
pub(super) const DISCOVER: &str = r#"{"jsonrpc":"2.0","id":9,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// Everything needed to meet a server in either era.
pub(super) fn introduction(prefer: Era) -> Greeting {
    Greeting {
        discover: DISCOVER.into(),
        initialize: initialize(),
        prefer,
    }
}

/// An answer to [`DISCOVER`].
pub(super) fn discovered(versions: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":9,"result":{{"resultType":"complete","supportedVersions":[{versions}],"capabilities":{{}}}}}}"#
    )
}

pub(super) const MODERN: &str = "\"2026-07-28\"";

pub(super) fn greeting(revision: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{revision}","capabilities":{{}}}}}}"#
    )
}

pub(super) fn call(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"x"}}}}"#)
}

pub(super) fn result(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}}}}"#)
}

pub(super) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

pub(super) fn reply(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Full::new(body.into()).boxed())
        .unwrap()
}

pub(super) fn json(body: impl Into<Bytes>) -> Response<Body> {
    reply(200, "application/json", body)
}

pub(super) fn accepted() -> Response<Body> {
    Response::builder()
        .status(202)
        .body(Full::default().boxed())
        .unwrap()
}

#[derive(Clone)]
struct Withheld;

/// An answer of which not even the head comes.
pub(super) fn withheld() -> Response<Body> {
    let mut response = accepted();
    response.extensions_mut().insert(Withheld);
    response
}

pub(super) fn events(body: impl Into<Bytes>) -> Response<Body> {
    reply(200, "text/event-stream", body)
}

/// A stream that the test goes on writing.
pub(super) fn live() -> (mpsc::Sender<&'static str>, Response<Body>) {
    let (sender, receiver) = mpsc::channel(8);
    (sender, streaming(receiver))
}

pub(super) fn streaming<T: Into<Bytes> + Send + Sync + 'static>(
    receiver: mpsc::Receiver<T>,
) -> Response<Body> {
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(BodyExt::boxed(Live(receiver)))
        .unwrap()
}

struct Live<T>(mpsc::Receiver<T>);

impl<T> Unpin for Live<T> {}

impl<T: Into<Bytes>> http_body::Body for Live<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = |text: T| Ok(Frame::data(text.into()));
        self.0.poll_recv(cx).map(|text| text.map(frame))
    }
}

/// A stream that says the same for ever and never pauses.
pub(super) fn flood(text: &str) -> Response<Body> {
    let body = Flood(text.to_owned().into());
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(BodyExt::boxed(body))
        .unwrap()
}

struct Flood(Bytes);

impl http_body::Body for Flood {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(self.0.clone()))))
    }
}

/// The usual server: one session, JSON answers with the id of the request, 202s.
pub(super) fn usual(seen: &Seen) -> Response<Body> {
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

pub(super) fn id_of(body: &str) -> Option<u32> {
    let document = Document::read(body.to_owned().into(), &Limits::default()).ok()?;
    let id = document.root().get("id")?.integer()?;
    u32::try_from(id).ok()
}

pub(super) async fn send(link: &Link, text: &str) -> Result<Reply, UpstreamError> {
    send_within(link, text, PATIENCE).await
}

pub(super) async fn send_within(
    link: &Link,
    text: &str,
    time: Duration,
) -> Result<Reply, UpstreamError> {
    let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
    let message = Message::read(document).unwrap();
    link.send(Outgoing::of(&message), Instant::now() + time)
        .await
}

pub(super) fn message(reply: Reply) -> String {
    match reply {
        Reply::Message(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn stream(reply: Reply) -> Events {
    match reply {
        Reply::Stream(events) => events,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn next(events: &mut Events) -> Option<String> {
    let event: Option<Event> = events.next().await.unwrap();
    event.map(|event| String::from_utf8(event.data.to_vec()).unwrap())
}

pub(super) fn secret(value: &str) -> Secret {
    Secret::new("env:TOKEN", Zeroizing::new(value.to_owned()))
}

pub(super) fn bearer() -> Source {
    Source::bearer(&secret("own-secret")).unwrap()
}

pub(super) fn header(name: &str) -> Source {
    Source::header(name.parse().unwrap(), &secret("own-secret")).unwrap()
}
