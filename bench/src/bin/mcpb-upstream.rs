//! Dummy MCP server (Streamable HTTP) that is cheap enough never to be the bottleneck.
//!
//!   mcpb-upstream [--port 9100] [--sse] [--stateful] [--threads N] [--tools 20] [--delay-us N] [--jwks FILE]
//!
//! Answers initialize, ping, tools/list (N tools with real-looking schemas), tools/call
//! (`echo` and every other tool echo `arguments.text`; `blob` returns `arguments.bytes` bytes),
//! notifications (202), empty resources/prompts lists. GET answers 405 but for `/jwks.json`, DELETE 200.
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;

struct Opts {
    sse: bool,
    stateful: bool,
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

fn reply(o: &Opts, json: String, session: Option<String>) -> Response<Full<Bytes>> {
    let mut r = if o.sse {
        let mut r = Response::new(Full::new(Bytes::from(format!("event: message\ndata: {json}\n\n"))));
        r.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        r
    } else {
        let mut r = Response::new(Full::new(Bytes::from(json)));
        r.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        r
    };
    if let Some(s) = session {
        r.headers_mut().insert("mcp-session-id", HeaderValue::from_str(&s).unwrap());
    }
    r
}
fn status(c: StatusCode) -> Response<Full<Bytes>> {
    let mut r = Response::new(Full::new(Bytes::new()));
    *r.status_mut() = c;
    r
}

async fn handle(o: Arc<Opts>, req: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    match *req.method() {
        Method::POST => {}
        Method::DELETE => return Ok(status(StatusCode::OK)),
        Method::GET if req.uri().path() == "/health" => return Ok(status(StatusCode::OK)),
        Method::GET if req.uri().path() == "/jwks.json" => {
            let mut r = Response::new(Full::new(o.jwks.clone()));
            r.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            return Ok(r);
        }
        _ => return Ok(status(StatusCode::METHOD_NOT_ALLOWED)),
    }
    let body = match req.into_body().collect().await {
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
    let id = id.get();
    let ok = |result: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}");
    let out = match method {
        "tools/call" => {
            if o.delay_us > 0 {
                tokio::time::sleep(std::time::Duration::from_micros(o.delay_us)).await;
            }
            let call: Option<Call> = m.params.and_then(|p| serde_json::from_str(p.get()).ok());
            let Some(call) = call else { return Ok(status(StatusCode::BAD_REQUEST)) };
            let args: EchoArgs = call
                .arguments
                .and_then(|a| serde_json::from_str(a.get()).ok())
                .unwrap_or(EchoArgs { text: None, bytes: None });
            let blob;
            let text = match args.bytes {
                Some(n) if call.name == "blob" => {
                    blob = format!("\"{}\"", "x".repeat(n.min(16 << 20)));
                    blob.as_str()
                }
                _ => args.text.map(|t| t.get()).unwrap_or("\"\""),
            };
            ok(&format!("{{\"content\":[{{\"type\":\"text\",\"text\":{text}}}],\"isError\":false}}"))
        }
        "tools/list" => ok(&format!("{{\"tools\":{}}}", o.tools_json)),
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
        "resources/list" => ok("{\"resources\":[]}"),
        "resources/templates/list" => ok("{\"resourceTemplates\":[]}"),
        "prompts/list" => ok("{\"prompts\":[]}"),
        _ => format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":-32601,\"message\":\"method not found\"}}}}"),
    };
    Ok(reply(&o, out, None))
}

fn main() {
    let mut port = 9100u16;
    let mut threads = 1usize;
    let mut tools = 20usize;
    let mut o = Opts { sse: false, stateful: false, delay_us: 0, tools_json: String::new(), jwks: Bytes::new(), counter: AtomicU64::new(1) };
    let mut a = std::env::args().skip(1);
    while let Some(k) = a.next() {
        let mut num = || a.next().and_then(|v| v.parse::<u64>().ok()).expect("number expected");
        match k.as_str() {
            "--port" => port = num() as u16,
            "--threads" => threads = num() as usize,
            "--tools" => tools = num() as usize,
            "--delay-us" => o.delay_us = num(),
            "--jwks" => o.jwks = Bytes::from(a.next().and_then(|f| std::fs::read(f).ok()).expect("jwks file")),
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
