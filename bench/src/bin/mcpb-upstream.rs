//! Dummy MCP server (Streamable HTTP) that is cheap enough never to be the bottleneck.
//!
//!   mcpb-upstream [--port 9100] [--era legacy|modern|both] [--sse] [--stateful] [--threads N] [--tools 20]
//!                 [--delay-us N] [--jwks FILE]
//!
//! Answers initialize, ping, tools/list (N tools with real-looking schemas), tools/call
//! (`echo` and every other tool echo `arguments.text`; `blob` returns `arguments.bytes` bytes; `stream` tells
//! `arguments.events` times how far it has come, then answers), notifications (202), empty resources/prompts
//! lists. GET answers 405 but for `/jwks.json`, DELETE 200. The path is not looked at, so one process can stand
//! for many servers.
//!
//! Of the modern era (a message whose version header is 2026-07-28) it knows what a call needs:
//! `server/discover`, `resultType`, `ttlMs` and `cacheScope`, and it refuses a request without the headers that
//! say what the body says. With `--era both` every message is answered in its own era; otherwise the other
//! era is refused, so that a bridge that does not translate shows up as `bad`.
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue, CONTENT_TYPE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;

const MODERN: &str = "2026-07-28";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Era {
    Legacy,
    Modern,
}

struct Opts {
    sse: bool,
    stateful: bool,
    era: Option<Era>,
    delay_us: u64,
    tools_json: String,
    jwks: Bytes,
    counter: AtomicU64,
}

#[derive(Deserialize)]
struct Msg<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}
#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}
#[derive(Deserialize)]
struct EchoArgs<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(default)]
    bytes: Option<usize>,
    #[serde(default)]
    events: Option<u64>,
}
#[derive(Deserialize, Default)]
struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion", default)]
    version: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, rename = "progressToken", default)]
    token: Option<&'a RawValue>,
}
#[derive(Deserialize, Default)]
struct WithMeta<'a> {
    #[serde(borrow, rename = "_meta", default)]
    meta: Option<Meta<'a>>,
}
#[derive(Deserialize)]
struct InitParams<'a> {
    #[serde(borrow, rename = "protocolVersion", default)]
    protocol_version: Option<std::borrow::Cow<'a, str>>,
}

fn tools_json(n: usize) -> String {
    let mut v = Vec::new();
    for i in 0..n {
        let name = match i {
            0 => "echo".to_string(),
            1 => "blob".to_string(),
            2 => "stream".to_string(),
            _ => format!("tool_{i:02}"),
        };
        v.push(serde_json::json!({
            "name": name,
            "title": format!("Tool {i}"),
            "description": format!("Dummy tool number {i}: returns the text it was given, unchanged. Used for benchmarks only."),
            "inputSchema": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "description": "text to return", "maxLength": 1048576},
                    "bytes": {"type": "integer", "minimum": 0, "maximum": 16777216},
                    "events": {"type": "integer", "minimum": 0, "maximum": 100000000},
                    "mode": {"type": "string", "enum": ["plain", "upper", "lower"]},
                    "tags": {"type": "array", "items": {"type": "string", "maxLength": 64}, "maxItems": 16},
                    "opts": {"type": "object", "properties": {"depth": {"type": "integer"}, "dry": {"type": "boolean"}}}
                },
                "required": ["text"]
            },
            "annotations": {"readOnlyHint": true}
        }));
    }
    serde_json::to_string(&v).unwrap()
}

type Body = Either<Full<Bytes>, Events>;

/// A stream of progress notifications and the answer at its end, each made when it is sent.
struct Events {
    token: String,
    sent: u64,
    total: u64,
    answer: Option<Bytes>,
}
impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let me = self.get_mut();
        if me.sent == me.total {
            return Poll::Ready(me.answer.take().map(|a| Ok(Frame::data(a))));
        }
        me.sent += 1;
        let event = format!(
            "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{\"progressToken\":{},\"progress\":{},\"total\":{},\"message\":\"row {} of a long report, read and written down\"}}}}\n\n",
            me.token, me.sent, me.total, me.sent
        );
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(event)))))
    }
}

fn typed(body: Body, media: &'static str) -> Response<Body> {
    let mut r = Response::new(body);
    r.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    r
}
fn reply(o: &Opts, json: String, session: Option<String>) -> Response<Body> {
    let mut r = if o.sse {
        typed(Either::Left(Full::new(Bytes::from(format!("event: message\ndata: {json}\n\n")))), "text/event-stream")
    } else {
        typed(Either::Left(Full::new(Bytes::from(json))), "application/json")
    };
    if let Some(s) = session {
        r.headers_mut().insert("mcp-session-id", HeaderValue::from_str(&s).unwrap());
    }
    r
}
fn status(c: StatusCode) -> Response<Body> {
    let mut r = Response::new(Either::Left(Full::new(Bytes::new())));
    *r.status_mut() = c;
    r
}

/// The era of a request, by its version header: cheaper than looking for the version in a large body.
fn spoken(h: &HeaderMap) -> Era {
    match h.get("mcp-protocol-version").is_some_and(|v| v == MODERN) {
        true => Era::Modern,
        false => Era::Legacy,
    }
}

/// What a stateless server must insist on: headers and body say the same.
fn mirrored(h: &HeaderMap, method: &str, params: Option<&RawValue>) -> bool {
    let said: Option<WithMeta> = params.and_then(|p| serde_json::from_str(p.get()).ok());
    let version = said.and_then(|p| p.meta).and_then(|m| m.version);
    version.as_deref() == Some(MODERN) && h.get("mcp-method").is_some_and(|v| v == method)
}

/// Answers a call: `blob` with so many bytes, `stream` with so many notifications first, anything else
/// with the text it was given. Nothing if it is no call.
async fn call(o: &Opts, params: Option<&RawValue>, (id, kind): (&str, &str)) -> Option<Response<Body>> {
    if o.delay_us > 0 {
        tokio::time::sleep(std::time::Duration::from_micros(o.delay_us)).await;
    }
    let call: Option<Call> = params.and_then(|p| serde_json::from_str(p.get()).ok());
    let call = call?;
    let args: EchoArgs = call
        .arguments
        .and_then(|a| serde_json::from_str(a.get()).ok())
        .unwrap_or(EchoArgs { text: None, bytes: None, events: None });
    let blob;
    let text = match args.bytes {
        Some(n) if call.name == "blob" => {
            blob = format!("\"{}\"", "x".repeat(n.min(16 << 20)));
            blob.as_str()
        }
        _ => args.text.map(|t| t.get()).unwrap_or("\"\""),
    };
    let answer = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{{kind}\"content\":[{{\"type\":\"text\",\"text\":{text}}}],\"isError\":false}}}}");
    if let (Some(total), "stream") = (args.events, &*call.name) {
        let meta: WithMeta = params.and_then(|p| serde_json::from_str(p.get()).ok()).unwrap_or_default();
        let token = meta.meta.and_then(|m| m.token).map_or("0".to_string(), |t| t.get().to_string());
        let answer = Some(Bytes::from(format!("event: message\ndata: {answer}\n\n")));
        return Some(typed(Either::Right(Events { token, sent: 0, total, answer }), "text/event-stream"));
    }
    Some(reply(o, answer, None))
}

async fn handle(o: Arc<Opts>, req: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    match *req.method() {
        Method::POST => {}
        Method::DELETE => return Ok(status(StatusCode::OK)),
        Method::GET if req.uri().path() == "/health" => return Ok(status(StatusCode::OK)),
        Method::GET if req.uri().path() == "/jwks.json" => {
            return Ok(typed(Either::Left(Full::new(o.jwks.clone())), "application/json"));
        }
        _ => return Ok(status(StatusCode::METHOD_NOT_ALLOWED)),
    }
    let (head, body) = req.into_parts();
    let body = match body.collect().await {
        Ok(b) => b.to_bytes(),
        Err(_) => return Ok(status(StatusCode::BAD_REQUEST)),
    };
    let m: Msg = match serde_json::from_slice(&body) {
        Ok(m) => m,
        Err(_) => return Ok(status(StatusCode::BAD_REQUEST)),
    };
    let (Some(method), Some(id)) = (m.method.as_deref(), m.id) else {
        return Ok(status(StatusCode::ACCEPTED));
    };
    let era = spoken(&head.headers);
    if o.era.is_some_and(|only| only != era) || (era == Era::Modern && !mirrored(&head.headers, method, m.params)) {
        return Ok(status(StatusCode::BAD_REQUEST));
    }
    let id = id.get();
    let ok = |result: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}");
    let unknown = || format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":-32601,\"message\":\"method not found\"}}}}");
    // What every result of this era begins with, and what a list says about its age.
    let (kind, fresh) = match era {
        Era::Legacy => ("", ""),
        Era::Modern => ("\"resultType\":\"complete\",", "\"ttlMs\":60000,\"cacheScope\":\"public\","),
    };
    let out = match method {
        "tools/call" => {
            let answered = call(&o, m.params, (id, kind)).await;
            return Ok(answered.unwrap_or_else(|| status(StatusCode::BAD_REQUEST)));
        }
        "tools/list" => ok(&format!("{{{kind}{fresh}\"tools\":{}}}", o.tools_json)),
        "server/discover" if era == Era::Modern => ok(&format!(
            "{{{kind}{fresh}\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{{\"tools\":{{}}}},\"_meta\":{{\"io.modelcontextprotocol/serverInfo\":{{\"name\":\"mcpb-upstream\",\"version\":\"0.1.0\"}}}}}}"
        )),
        "resources/list" => ok(&format!("{{{kind}{fresh}\"resources\":[]}}")),
        "resources/templates/list" => ok(&format!("{{{kind}{fresh}\"resourceTemplates\":[]}}")),
        "prompts/list" => ok(&format!("{{{kind}{fresh}\"prompts\":[]}}")),
        _ if era == Era::Modern => unknown(),
        "initialize" => {
            let p: Option<InitParams> = m.params.and_then(|p| serde_json::from_str(p.get()).ok());
            let v = p.and_then(|p| p.protocol_version).unwrap_or("2025-06-18".into());
            let s = o.stateful.then(|| {
                let n = o.counter.fetch_add(1, Ordering::Relaxed);
                format!("up-{:08x}-{n:016x}", std::process::id())
            });
            let json = ok(&format!(
                "{{\"protocolVersion\":{},\"capabilities\":{{\"tools\":{{}}}},\"serverInfo\":{{\"name\":\"mcpb-upstream\",\"version\":\"0.1.0\"}}}}",
                serde_json::to_string(&v).unwrap()
            ));
            return Ok(reply(&o, json, s));
        }
        "ping" => ok("{}"),
        _ => unknown(),
    };
    Ok(reply(&o, out, None))
}

fn main() {
    let mut port = 9100u16;
    let mut threads = 1usize;
    let mut tools = 20usize;
    let mut o = Opts { sse: false, stateful: false, era: None, delay_us: 0, tools_json: String::new(), jwks: Bytes::new(), counter: AtomicU64::new(1) };
    let mut a = std::env::args().skip(1);
    while let Some(k) = a.next() {
        let mut num = || a.next().and_then(|v| v.parse::<u64>().ok()).expect("number expected");
        match k.as_str() {
            "--port" => port = num() as u16,
            "--threads" => threads = num() as usize,
            "--tools" => tools = num() as usize,
            "--delay-us" => o.delay_us = num(),
            "--jwks" => o.jwks = Bytes::from(a.next().and_then(|f| std::fs::read(f).ok()).expect("jwks file")),
            "--era" => {
                o.era = match a.next().as_deref() {
                    Some("legacy") => Some(Era::Legacy),
                    Some("modern") => Some(Era::Modern),
                    Some("both") => None,
                    _ => panic!("--era legacy, modern or both"),
                }
            }
            "--sse" => o.sse = true,
            "--stateful" => o.stateful = true,
            _ => panic!("unknown option {k}"),
        }
    }
    o.tools_json = tools_json(tools);
    let o = Arc::new(o);
    let rt = if threads <= 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
    };
    rt.block_on(async move {
        let l = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("bind");
        loop {
            let Ok((s, _)) = l.accept().await else { continue };
            let _ = s.set_nodelay(true);
            let o = o.clone();
            tokio::spawn(async move {
                let svc = hyper::service::service_fn(move |r| handle(o.clone(), r));
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(s), svc).await;
            });
        }
    });
}
