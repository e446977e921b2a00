//! A service of the shape of Azure AI Content Safety, and one that speaks Ringwall's own shape for
//! detectors. IT IS NOT AZURE AI CONTENT SAFETY: it has the forms of its requests and answers for Prompt
//! Shields and text analysis as they are documented, holds every request against them and its limits,
//! and thinks nothing: what it suspects is a word, or a text of `corpus/harm` that it knows by heart. It
//! shares no code with the product.

use crate::corpus::{self, Harmful};
use crate::serving::{Serving, port};
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What it takes for an attack.
pub const ATTACK: &str = "ATTACKWORD";
/// What it takes for hate, of severity 6.
pub const HATE: &str = "HATEWORD";
/// What is on its blocklist `names`.
pub const LISTED: &str = "LISTEDWORD";
/// Its key.
pub const KEY: &str = crate::world::PROVIDER_SECRET;

/// How it behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As documented.
    Good,
    /// It answers with this status, and says when to come back.
    Status(u16, Option<u64>),
    /// The same once, then as documented.
    Once(u16, u64),
    /// It waits until it becomes otherwise, and answers as documented then.
    Waits,
    /// It takes so long.
    Slow(Duration),
    /// It answers with this.
    Says(&'static str),
    /// It answers with nothing at all.
    Gone,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Value,
    /// What is wrong with it, if something is.
    pub fault: Option<String>,
}

/// The running service.
#[derive(Debug)]
pub struct SafetyShaped {
    origin: String,
    state: Arc<State>,
    _serving: Serving,
}

#[derive(Debug)]
struct State {
    harmful: Vec<Harmful>,
    mood: watch::Sender<Mood>,
    asked: Mutex<Vec<Asked>>,
}

impl SafetyShaped {
    /// Starts it on a port of its own.
    pub async fn start() -> Result<Self> {
        let (listener, origin) = port().await?;
        let state = Arc::new(State {
            harmful: corpus::harmful()?,
            mood: watch::Sender::new(Mood::Good),
            asked: Mutex::default(),
        });
        let answering = Arc::clone(&state);
        let serving = Serving::start(listener, move |request| {
            let state = Arc::clone(&answering);
            async move { serve(&state, request).await }
        });
        Ok(SafetyShaped {
            origin,
            state,
            _serving: serving,
        })
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> String {
        format!("{}/", self.origin)
    }

    /// Where it is asked in Ringwall's own shape.
    pub fn judge(&self) -> String {
        format!("{}/judge", self.origin)
    }

    /// From now on it behaves so.
    pub fn becomes(&self, mood: Mood) {
        self.state.mood.send_replace(mood);
    }

    /// Every request that came, in order.
    pub fn asked(&self) -> Vec<Asked> {
        held(&self.state.asked).clone()
    }
}

impl Asked {
    /// A header of it.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|it| it.to_str().ok()).unwrap_or_default()
    }
}

async fn serve(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let body = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or(Value::Null);
    let target = head.uri.path_and_query().map_or("", |it| it.as_str());
    let judged = judged(state, target, &head.headers, &body);
    held(&state.asked).push(Asked {
        target: target.to_owned(),
        headers: head.headers.clone(),
        body,
        fault: judged.as_ref().err().cloned(),
    });
    let mut mood = state.mood.subscribe();
    let waited = mood.wait_for(|mood| *mood != Mood::Waits).await;
    let mood = waited.map_or(Mood::Good, |mood| mood.clone());
    if matches!(mood, Mood::Once(..)) {
        state.mood.send_replace(Mood::Good);
    }
    match (mood, judged) {
        (Mood::Status(status, wait), _) => answer(status, wait, "{}".to_owned()),
        (Mood::Once(status, wait), _) => answer(status, Some(wait), "{}".to_owned()),
        (Mood::Says(said), _) => answer(200, None, said.to_owned()),
        (Mood::Gone, _) => answer(200, None, String::new()),
        (_, Err(fault)) => {
            let error = json!({ "error": { "code": "InvalidRequest", "message": fault } });
            answer(400, None, error.to_string())
        }
        (Mood::Slow(time), Ok(judged)) => {
            tokio::time::sleep(time).await;
            answer(200, None, judged.to_string())
        }
        (Mood::Good | Mood::Waits, Ok(judged)) => answer(200, None, judged.to_string()),
    }
}

fn answer(status: u16, wait: Option<u64>, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    let json = http::HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    if let Some(wait) = wait {
        headers.insert(header::RETRY_AFTER, wait.into());
    }
    response
}

/// What it says, or what is wrong with the request.
fn judged(state: &State, target: &str, headers: &HeaderMap, body: &Value) -> Result<Value, String> {
    if headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|it| it != "application/json")
    {
        return Err("the body is not JSON".to_owned());
    }
    match target {
        "/contentsafety/text:shieldPrompt?api-version=2024-09-01" => shields(body),
        "/contentsafety/text:analyze?api-version=2024-09-01" => analysis(&state.harmful, body),
        "/judge" => own(body),
        _ => Err(format!("there is nothing at {target}")),
    }
}

fn shields(body: &Value) -> Result<Value, String> {
    let members = only(body, &["userPrompt", "documents"])?;
    let mut said = serde_json::Map::new();
    if let Some(prompt) = members.get("userPrompt") {
        let prompt = text(prompt, 10_000)?;
        let analysis = json!({ "attackDetected": prompt.contains(ATTACK) });
        said.insert("userPromptAnalysis".to_owned(), analysis);
    }
    let documents = members.get("documents").and_then(Value::as_array);
    let documents = documents.map_or(&[][..], Vec::as_slice);
    if documents.len() > 5 {
        return Err("too many documents".to_owned());
    }
    let mut together = 0;
    let mut each = Vec::new();
    for document in documents {
        let document = text(document, 10_000)?;
        together += document.encode_utf16().count();
        each.push(json!({ "attackDetected": document.contains(ATTACK) }));
    }
    if together > 10_000 {
        return Err("the documents are too long together".to_owned());
    }
    said.insert("documentsAnalysis".to_owned(), json!(each));
    Ok(Value::Object(said))
}

fn analysis(harmful: &[Harmful], body: &Value) -> Result<Value, String> {
    let known = [
        "text",
        "categories",
        "blocklistNames",
        "haltOnBlocklistHit",
        "outputType",
    ];
    only(body, &known)?;
    let said = text(&body["text"], 10_000)?;
    if body["outputType"] != "EightSeverityLevels" {
        return Err("outputType".to_owned());
    }
    let mut each = Vec::new();
    for category in body["categories"].as_array().ok_or("categories")? {
        let named = match category.as_str() {
            Some("Hate") => "hate",
            Some("SelfHarm") => "self_harm",
            Some("Sexual") => "sexual",
            Some("Violence") => "violence",
            _ => return Err(format!("there is no category {category}")),
        };
        let of_it = harmful
            .iter()
            .filter(|it| it.category.as_deref() == Some(named) && said.contains(it.text.as_str()));
        let worst = of_it.map(|it| it.severity).max().unwrap_or(0);
        let severity = match named == "hate" && said.contains(HATE) {
            true => 6,
            false => worst,
        };
        each.push(json!({ "category": category, "severity": severity }));
    }
    let lists = body["blocklistNames"].as_array().ok_or("blocklistNames")?;
    let hits = lists
        .iter()
        .filter(|name| *name == "names" && said.contains(LISTED));
    let hits = hits.map(|name| {
        json!({ "blocklistName": name, "blocklistItemId": "1", "blocklistItemText": LISTED })
    });
    Ok(json!({ "blocklistsMatch": hits.collect::<Vec<_>>(), "categoriesAnalysis": each }))
}

fn own(body: &Value) -> Result<Value, String> {
    only(body, &["version", "surface", "texts"])?;
    let mut results = Vec::new();
    for one in body["texts"].as_array().ok_or("texts")? {
        only(one, &["id", "text"])?;
        let value = match text(&one["text"], 2_000)?.contains(ATTACK) {
            true => 930,
            false => 20,
        };
        let scores = json!([{ "rule": "own.rule", "value": value }]);
        results.push(json!({ "id": one["id"], "scores": scores }));
    }
    Ok(json!({ "version": 1, "results": results }))
}

/// The members of an object that has no others.
fn only<'a>(body: &'a Value, known: &[&str]) -> Result<&'a serde_json::Map<String, Value>, String> {
    let members = body.as_object().ok_or("the body is no object")?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("there is no member {name}")),
        None => Ok(members),
    }
}

fn text(value: &Value, most: usize) -> Result<&str, String> {
    let text = value.as_str().ok_or("a text is no string")?;
    match text.encode_utf16().count() <= most {
        true => Ok(text),
        false => Err("a text is too long".to_owned()),
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
