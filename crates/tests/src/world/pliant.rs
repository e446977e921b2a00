//! A server that says of itself whatever a test wants, and something else whenever the test wants that:
//! tools, prompts, resources, templates, instructions, its name. It speaks one era, counts what reaches
//! it, and does nothing. It can tell its users apart: behind a realm, or by
//! their sessions. It listens on loopback only and ends when it is dropped.

use crate::authority::SHOWN;
use crate::issuer::overlaid;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::BTreeMap;
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
    /// The tokens or sessions of its users, in the order in which they came first.
    users: Vec<String>,
    /// What it says to one of them besides.
    apart: BTreeMap<usize, Value>,
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
    /// `resourceTemplates`, `instructions`, `name`,
    /// `described`; and `sessions` if it begins one for each client.
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
        let mind = Arc::new(Mutex::new(Mind {
            modern,
            says,
            ..Mind::default()
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

    /// From now on it says this, too, to the user who came first, second, … and to nobody else.
    pub fn says_to(&self, user: usize, more: &Value) {
        let mut mind = self.mind.lock().unwrap_or_else(PoisonError::into_inner);
        let said = mind.apart.remove(&user).unwrap_or(json!({}));
        mind.apart.insert(user, overlaid(said, more));
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
    let headers = request.headers();
    let user = headers.get(SHOWN).or(headers.get(SESSION));
    let user = user.map(|user| String::from_utf8_lossy(user.as_bytes()).into_owned());
    let body = request.into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let message: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let (status, said, session) = {
        let mut mind = mind.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, said) = mind.said(user, &message);
        (status, said, mind.begins(&message))
    };
    let mut response = Response::new(Full::new(Bytes::from(said)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", kind);
    if let Some(Ok(session)) = session.map(HeaderValue::try_from) {
        response.headers_mut().insert(SESSION, session);
    }
    Ok(response)
}

const SESSION: &str = "mcp-session-id";

impl Mind {
    /// The session that begins with this message, if one does.
    fn begins(&self, message: &Value) -> Option<String> {
        let begins = message.get("method") == Some(&json!("initialize"));
        let wanted = self.says.get("sessions") == Some(&json!(true));
        (begins && wanted).then(|| format!("session-{}", self.asked.len()))
    }

    fn said(&mut self, user: Option<String>, message: &Value) -> (StatusCode, String) {
        let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
        let method = text("/method").unwrap_or_default();
        let name = text("/params/name")
            .or(text("/params/uri"))
            .unwrap_or_default();
        self.asked.push(format!("{method} {name}"));
        let says = self.says_now(user);
        let Some(id) = message.get("id").filter(|id| !id.is_null()) else {
            return (StatusCode::ACCEPTED, String::new());
        };
        let (status, answer) = match self.result(&says, method, name) {
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

    /// What it says to this user.
    fn says_now(&mut self, user: Option<String>) -> Value {
        let Some(user) = user else {
            return self.says.clone();
        };
        let at = self.users.iter().position(|known| *known == user);
        let at = at.unwrap_or_else(|| {
            self.users.push(user);
            self.users.len() - 1
        });
        match self.apart.get(&at) {
            Some(more) => overlaid(self.says.clone(), more),
            None => self.says.clone(),
        }
    }

    fn result(&self, says: &Value, method: &str, name: &str) -> Option<Value> {
        let list = |member: &str| says.get(member).cloned().unwrap_or(json!([]));
        let content = json!({ "type": "text", "text": format!("done: {name}") });
        let described = says.get("described").and_then(Value::as_str);
        let info = json!({ "description": described.unwrap_or("Is pliant."), "name": says.get("name").and_then(Value::as_str).unwrap_or("pliant"), "version": "1.0.0" });
        let instructions = says.get("instructions").and_then(Value::as_str);
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
