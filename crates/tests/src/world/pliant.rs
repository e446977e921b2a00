//! A server that says of itself whatever a test wants, and something else whenever the test wants that:
//! tools, prompts, resources, templates, instructions, its name. It speaks one era, counts what reaches
//! it, and does nothing. It listens on loopback only and ends when it is dropped.

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
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// What it says, and what it was asked.
#[derive(Debug, Default)]
struct Mind {
    modern: bool,
    says: Value,
    asked: Vec<String>,
}

/// A running server.
#[derive(Debug)]
pub struct Pliant {
    url: Url,
    task: JoinHandle<()>,
    mind: Arc<Mutex<Mind>>,
}

impl Pliant {
    /// A server of the stateless era that says this: `tools`, `prompts`, `resources`,
    /// `resourceTemplates`, `instructions`, `name`.
    pub async fn modern(says: Value) -> Result<Self> {
        Self::start(true, says).await
    }

    /// The same, of the era of sessions.
    pub async fn legacy(says: Value) -> Result<Self> {
        Self::start(false, says).await
    }

    async fn start(modern: bool, says: Value) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/mcp", listener.local_addr()?).parse()?;
        let asked = Vec::new();
        let mind = Arc::new(Mutex::new(Mind {
            modern,
            says,
            asked,
        }));
        let shared = Arc::clone(&mind);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&shared)));
            }
        });
        Ok(Pliant { url, task, mind })
    }

    /// From now on it says this of itself, too.
    pub fn says(&self, more: &Value) {
        let mut mind = self.mind.lock().unwrap_or_else(PoisonError::into_inner);
        mind.says = overlaid(std::mem::take(&mut mind.says), more);
    }

    /// How often this method reached it, for a thing of this name.
    pub fn was_asked(&self, method: &str, name: &str) -> usize {
        let mind = self.mind.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = format!("{method} {name}");
        mind.asked.iter().filter(|asked| **asked == wanted).count()
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl Drop for Pliant {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: TcpStream, mind: Arc<Mutex<Mind>>) {
    let service = service_fn(|request| answer(Arc::clone(&mind), request));
    let server = hyper::server::conn::http1::Builder::new();
    // A client that hangs up is no concern of this one.
    let _ = server.serve_connection(TokioIo::new(socket), service).await;
}

async fn answer(
    mind: Arc<Mutex<Mind>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let message: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let (status, said) = mind
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .said(&message);
    let mut response = Response::new(Full::new(Bytes::from(said)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", kind);
    Ok(response)
}

impl Mind {
    fn said(&mut self, message: &Value) -> (StatusCode, String) {
        let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
        let method = text("/method").unwrap_or_default();
        let name = text("/params/name")
            .or(text("/params/uri"))
            .unwrap_or_default();
        self.asked.push(format!("{method} {name}"));
        let Some(id) = message.get("id").filter(|id| !id.is_null()) else {
            return (StatusCode::ACCEPTED, String::new());
        };
        let (status, answer) = match self.result(method, name) {
            Some(own) => {
                let shared = match self.modern {
                    true => {
                        json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private" })
                    }
                    false => json!({}),
                };
                (StatusCode::OK, json!({ "result": overlaid(shared, &own) }))
            }
            None => {
                let error = json!({ "code": -32601, "message": "not known" });
                let status = match self.modern {
                    true => StatusCode::NOT_FOUND,
                    false => StatusCode::OK,
                };
                (status, json!({ "error": error }))
            }
        };
        let whole = overlaid(json!({ "jsonrpc": "2.0", "id": id }), &answer);
        (status, whole.to_string())
    }

    fn result(&self, method: &str, name: &str) -> Option<Value> {
        let list = |member: &str| self.says.get(member).cloned().unwrap_or(json!([]));
        let content = json!({ "type": "text", "text": format!("done: {name}") });
        let info = json!({ "name": self.says.get("name").and_then(Value::as_str).unwrap_or("pliant"), "version": "1.0.0" });
        let instructions = self.says.get("instructions").and_then(Value::as_str);
        let capabilities = json!({ "tools": {}, "prompts": {}, "resources": {} });
        Some(match (method, self.modern) {
            ("server/discover", true) => json!({
                "supportedVersions": ["2026-07-28"], "capabilities": capabilities,
                "instructions": instructions.unwrap_or_default(),
                "_meta": { "io.modelcontextprotocol/serverInfo": info }
            }),
            ("initialize", false) => json!({
                "protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": info,
                "instructions": instructions.unwrap_or_default()
            }),
            ("tools/list", _) => json!({ "tools": list("tools") }),
            ("prompts/list", _) => json!({ "prompts": list("prompts") }),
            ("resources/list", _) => json!({ "resources": list("resources") }),
            ("resources/templates/list", _) => {
                json!({ "resourceTemplates": list("resourceTemplates") })
            }
            ("tools/call", _) => json!({ "content": [content] }),
            ("prompts/get", _) => json!({ "messages": [{ "role": "user", "content": content }] }),
            ("resources/read", _) => json!({ "contents": [{ "uri": name, "text": "done" }] }),
            ("ping", false) => json!({}),
            _ => return None,
        })
    }
}
