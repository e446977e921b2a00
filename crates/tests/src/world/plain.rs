//! Two servers of a few lines, for what the fixture does not have: one whose tools and prompts are
//! called whatever a test says, that gives what instructions it says and can be made to refuse its list
//! of tools, and one that takes connections and never says a word. Both listen on
//! loopback only and end when they are dropped.

use crate::issuer::overlaid;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// A running server.
#[derive(Debug)]
pub struct Plain {
    url: Url,
    task: JoinHandle<()>,
    sulks: Arc<AtomicBool>,
}

impl Plain {
    /// A stateless server with tools and prompts of these names; each answers with its own name.
    pub async fn named(tools: &[&str], prompts: &[&str]) -> Result<Self> {
        Self::saying(None, tools, prompts).await
    }

    /// The same, with instructions.
    pub async fn saying(
        instructions: Option<&str>,
        tools: &[&str],
        prompts: &[&str],
    ) -> Result<Self> {
        let (listener, url) = listen().await?;
        let sulks = Arc::new(AtomicBool::new(false));
        let mood = Arc::clone(&sulks);
        let schema = json!({ "type": "object", "properties": {} });
        let tools = tools
            .iter()
            .map(|name| json!({ "name": name, "inputSchema": schema }));
        let prompts = prompts.iter().map(|name| json!({ "name": name }));
        let lists = Arc::new(json!({
            "tools": tools.collect::<Vec<_>>(), "prompts": prompts.collect::<Vec<_>>(),
            "instructions": instructions
        }));
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&lists), Arc::clone(&mood)));
            }
        });
        Ok(Plain { url, task, sulks })
    }

    /// From now on it answers its list of tools with an error, or no longer.
    pub fn sulk(&self, sulks: bool) {
        self.sulks.store(sulks, Ordering::SeqCst);
    }

    /// A server that never answers.
    pub async fn silent() -> Result<Self> {
        let (listener, url) = listen().await?;
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                held.push(socket);
            }
        });
        let sulks = Arc::default();
        Ok(Plain { url, task, sulks })
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) async fn listen() -> Result<(TcpListener, Url)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/mcp", listener.local_addr()?).parse()?;
    Ok((listener, url))
}

async fn serve(socket: TcpStream, lists: Arc<Value>, sulks: Arc<AtomicBool>) {
    let service =
        service_fn(|request| answer(Arc::clone(&lists), sulks.load(Ordering::SeqCst), request));
    let server = hyper::server::conn::http1::Builder::new();
    // A client that hangs up is no concern of this one.
    let _ = server.serve_connection(TokioIo::new(socket), service).await;
}

async fn answer(
    lists: Arc<Value>,
    sulks: bool,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let message: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let (status, said) = said(&lists, sulks, &message);
    let mut response = Response::new(Full::new(Bytes::from(said.to_string())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", kind);
    Ok(response)
}

fn said(lists: &Value, sulks: bool, message: &Value) -> (StatusCode, Value) {
    let member = |name: &str| lists.get(name).cloned().unwrap_or_default();
    let name = message.pointer("/params/name");
    let text = json!({ "type": "text", "text": name });
    let own = match message.get("method").and_then(Value::as_str) {
        Some("server/discover") => json!({
            "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {}, "prompts": {} },
            "instructions": lists.get("instructions").and_then(Value::as_str).unwrap_or_default()
        }),
        Some("tools/list") if sulks => {
            let error = json!({ "code": -32000, "message": "not now" });
            let answer = json!({ "jsonrpc": "2.0", "id": message.get("id"), "error": error });
            return (StatusCode::OK, answer);
        }
        Some("tools/list") => json!({ "tools": member("tools") }),
        Some("prompts/list") => json!({ "prompts": member("prompts") }),
        Some("tools/call") => json!({ "content": [text] }),
        Some("prompts/get") => json!({ "messages": [{ "role": "user", "content": text }] }),
        _ => {
            let error = json!({ "code": -32601, "message": "not known" });
            let answer = json!({ "jsonrpc": "2.0", "id": message.get("id"), "error": error });
            return (StatusCode::NOT_FOUND, answer);
        }
    };
    let shared = json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private" });
    let result = overlaid(shared, &own);
    let answer = json!({ "jsonrpc": "2.0", "id": message.get("id"), "result": result });
    (StatusCode::OK, answer)
}
