//! A server that says word for word what a test wants said, in messages of every kind: what it answers
//! to a method, and what it says on the stream before that. It keeps what it hears. It listens on
//! loopback only and ends when it is dropped.

use super::plain::listen;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;
use url::Url;

/// A running server, of the era with sessions.
#[derive(Debug)]
pub struct Scripted {
    url: Url,
    task: JoinHandle<()>,
    script: Arc<Mutex<Script>>,
}

/// What it says, and what it was told.
#[derive(Debug, Default)]
struct Script {
    answers: HashMap<String, Value>,
    before: HashMap<String, Vec<Value>>,
    heard: Vec<Value>,
}

impl Scripted {
    /// Starts one that offers everything and has nothing.
    pub async fn start() -> Result<Self> {
        let (listener, url) = listen().await?;
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Arc::clone(&script);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let script = Arc::clone(&shared);
                let service = service_fn(move |request| answer(Arc::clone(&script), request));
                tokio::spawn(async move {
                    let server = hyper::server::conn::http1::Builder::new();
                    // A client that hangs up is no concern of this one.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Ok(Scripted { url, task, script })
    }

    /// From now on answers this method so: a result, or an error under `error`.
    pub fn answers(&self, method: &str, answer: Value) {
        self.script().answers.insert(method.to_owned(), answer);
    }

    /// From now on says these messages before the answer to this method.
    pub fn says_before(&self, method: &str, messages: Vec<Value>) {
        self.script().before.insert(method.to_owned(), messages);
    }

    /// Everything it heard, as text.
    pub fn heard(&self) -> String {
        json!(self.script().heard).to_string()
    }

    /// The last message of this method that it heard.
    pub fn last_heard(&self, method: &str) -> Value {
        let script = self.script();
        let mut heard = script.heard.iter().rev();
        let last = heard.find(|message| message.get("method") == Some(&json!(method)));
        last.cloned().unwrap_or_default()
    }

    /// The arguments of every call of a tool that it heard, in their order.
    pub fn calls(&self) -> Vec<Value> {
        let script = self.script();
        let calls = script
            .heard
            .iter()
            .filter(|message| message.get("method") == Some(&json!("tools/call")));
        let arguments = calls.map(|call| call.pointer("/params/arguments").cloned());
        arguments.map(Option::unwrap_or_default).collect()
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    script: Arc<Mutex<Script>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let posted = request.method() == Method::POST;
    let body = request.into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let message: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    script.heard.push(message.clone());
    let method = message.get("method").and_then(Value::as_str);
    let (status, kind, said) = match (method, message.get("id")) {
        (Some(method), Some(id)) if posted => said(&script, method, id),
        _ if posted => (StatusCode::ACCEPTED, "application/json", String::new()),
        _ => (
            StatusCode::METHOD_NOT_ALLOWED,
            "application/json",
            String::new(),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(said)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert("content-type", kind);
    Ok(response)
}

fn said(script: &Script, method: &str, id: &Value) -> (StatusCode, &'static str, String) {
    let everything = json!({
        "completions": {}, "logging": {}, "prompts": {}, "resources": {}, "tools": {}
    });
    let own = script.answers.get(method).cloned();
    let own = match (method, own) {
        ("initialize", own) => {
            let opening = json!({
                "protocolVersion": "2025-11-25", "capabilities": everything,
                "serverInfo": { "name": "scripted", "version": "1" }
            });
            Some(crate::issuer::overlaid(
                opening,
                &own.unwrap_or_else(|| json!({})),
            ))
        }
        (_, own) => own,
    };
    let unknown = json!({ "error": { "code": -32601, "message": "not known" } });
    let own = own.unwrap_or(unknown);
    let answer = match own.get("error") {
        Some(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        None => json!({ "jsonrpc": "2.0", "id": id, "result": own }),
    };
    let Some(before) = script.before.get(method).filter(|it| !it.is_empty()) else {
        return (StatusCode::OK, "application/json", answer.to_string());
    };
    let events = before.iter().chain([&answer]);
    let events = events
        .map(|message| format!("data: {message}\n\n"))
        .collect();
    (StatusCode::OK, "text/event-stream", events)
}
