//! A server that says word for word what a test wants said, in messages of every kind: what it answers
//! to a method, and what it says on the stream before that. It keeps what it hears. It listens on
//! loopback only and ends when it is dropped.

use super::plain::listen;
use crate::issuer::overlaid;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use url::Url;

/// A running server.
#[derive(Debug)]
pub struct Scripted {
    url: Url,
    task: JoinHandle<()>,
    script: Arc<Mutex<Script>>,
}

/// What it says, and what it was told.
#[derive(Debug, Default)]
struct Script {
    modern: bool,
    answers: HashMap<String, Value>,
    before: HashMap<String, Vec<Value>>,
    /// How many of the last messages of a stream wait until the client has answered those before.
    patience: usize,
    waits: Option<oneshot::Sender<()>>,
    heard: Vec<Value>,
}

impl Scripted {
    /// Starts one of the era with sessions that offers everything and has nothing.
    pub async fn start() -> Result<Self> {
        Self::speaking(Script::default()).await
    }

    /// The same of the stateless era.
    pub async fn modern() -> Result<Self> {
        let modern = true;
        Self::speaking(Script {
            modern,
            ..Script::default()
        })
        .await
    }

    async fn speaking(script: Script) -> Result<Self> {
        let (listener, url) = listen().await?;
        let script = Arc::new(Mutex::new(script));
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

    /// Whether it is of the stateless era.
    pub fn is_modern(&self) -> bool {
        self.script().modern
    }

    /// From now on answers this method so: a result, or an error under `error`.
    pub fn answers(&self, method: &str, answer: Value) {
        self.script().answers.insert(method.to_owned(), answer);
    }

    /// From now on says these messages before the answer to this method.
    pub fn says_before(&self, method: &str, messages: Vec<Value>) {
        self.script().before.insert(method.to_owned(), messages);
    }

    /// From now on, what it asks before its answer it waits for: a response, or what a test says.
    pub fn waits(&self) {
        self.waits_with(1);
    }

    /// The same with this many of its last messages, the answer among them.
    pub fn waits_with(&self, last: usize) {
        self.script().patience = last;
    }

    /// Waits no longer.
    pub fn goes_on(&self) {
        self.script().waits = None;
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
) -> Result<Response<Said>, Infallible> {
    let posted = request.method() == Method::POST;
    let body = request.into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let message: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    script.heard.push(message.clone());
    let method = message.get("method").and_then(Value::as_str);
    if posted && method.is_none() {
        script.waits = None;
    }

    let (status, kind, said) = match (method, message.get("id")) {
        (Some(method), Some(id)) if posted => said(&script, method, id),
        _ if posted => (StatusCode::ACCEPTED, "application/json", String::new()),
        _ => (
            StatusCode::METHOD_NOT_ALLOWED,
            "application/json",
            String::new(),
        ),
    };
    let last = script.patience.checked_sub(1);
    let last = last.and_then(|before| said.rmatch_indices("data: ").nth(before));
    let said = match last.map(|(at, _)| said.split_at(at)) {
        Some((before, last)) if !before.is_empty() => {
            let (waits, until) = oneshot::channel();
            script.waits = Some(waits);
            Said {
                now: Some(Bytes::from(before.to_owned())),
                until: Some(until),
                then: Some(Bytes::from(last.to_owned())),
            }
        }
        _ => Said {
            now: Some(Bytes::from(said)),
            until: None,
            then: None,
        },
    };
    let mut response = Response::new(said);
    *response.status_mut() = status;

    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert("content-type", kind);
    Ok(response)
}

fn said(script: &Script, method: &str, id: &Value) -> (StatusCode, &'static str, String) {
    let own = script.answers.get(method).cloned();
    let shared = match script.modern {
        true => json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private" }),
        false => json!({}),
    };
    let own = match (opening(method, script.modern), own) {
        (Some(opening), own) => Some(overlaid(opening, &own.unwrap_or_else(|| json!({})))),
        (None, own) => own,
    };
    let unknown = json!({ "error": { "code": -32601, "message": "not known" } });
    let own = own.unwrap_or(unknown);
    let answer = match own.get("error") {
        Some(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        None => json!({ "jsonrpc": "2.0", "id": id, "result": overlaid(shared, &own) }),
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

/// What it says of itself at first, in answer to this method.
fn opening(method: &str, modern: bool) -> Option<Value> {
    let everything = json!({
        "completions": {}, "logging": {}, "prompts": {}, "resources": {}, "tools": {}
    });
    let info = json!({ "name": "scripted", "version": "1" });
    match (method, modern) {
        ("initialize", false) => Some(json!({
            "protocolVersion": "2025-11-25", "capabilities": everything, "serverInfo": info
        })),
        ("server/discover", true) => Some(json!({
            "supportedVersions": ["2026-07-28"], "capabilities": everything,
            "_meta": { "io.modelcontextprotocol/serverInfo": info }
        })),
        _ => None,
    }
}

/// An answer, the end of which may have to wait.
#[derive(Debug)]
struct Said {
    now: Option<Bytes>,
    until: Option<oneshot::Receiver<()>>,
    then: Option<Bytes>,
}

impl Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(now) = self.now.take() {
            return Poll::Ready(Some(Ok(Frame::data(now))));
        }
        if let Some(until) = &mut self.until {
            // It is over when nobody says so any more, too.
            let _ = ready!(Pin::new(until).poll(context));
            self.until = None;
        }
        Poll::Ready(self.then.take().map(|then| Ok(Frame::data(then))))
    }
}
