//! Questions of servers: elicitation, sampling, roots. A legacy server asks them in requests of its
//! own, a modern one inside a result (R1). This module reads and writes both; whether a question may
//! be asked is decided elsewhere, for which it says what the question needs.

use super::amend::{Amend, object};
use super::content;
use super::{BridgeError, KEY_MAX, QUESTIONS_MAX, apply, must_be, reread};
use crate::codes;
use crate::document::{Document, Kind, Value};
use crate::edit::Edits;
use crate::message::{Id, Message, Shape};
use crate::method::{Capability, Method, Sender};
use crate::modern::{SERVER_INFO_KEY, is_reserved_key};
use crate::revision::Revision;
use crate::{spelling, write};
use bytes::Bytes;

pub(super) const ELICITATION: &str = "elicitation/create";
const SAMPLING: &str = "sampling/createMessage";
const ROOTS: &str = "roots/list";

/// The members of questions that decide what is asked, and of whom.
const DECISIVE: &[&str] = &[
    "_meta",
    "elicitationId",
    "messages",
    "message",
    "method",
    "mode",
    "params",
    "requestedSchema",
    "systemPrompt",
    "task",
    "toolChoice",
    "tools",
    "url",
];

/// One question of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name that its answer goes by.
    pub key: Box<str>,
    /// One of the three methods.
    pub method: Box<str>,
    /// The params, a JSON object.
    pub params: Bytes,
}

/// What a client must be able to do before a question may be put to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Showing a form.
    ElicitationForm,
    /// Showing the address of a page.
    ElicitationUrl,
    /// Listing its roots.
    Roots,
    /// Asking its model.
    Sampling,
    /// Asking its model, which may call tools.
    SamplingTools,
}

impl Need {
    /// The capability as an object of `ClientCapabilities`: `requiredCapabilities` of -32021 (V5).
    pub fn as_json(self) -> &'static str {
        match self {
            Need::ElicitationForm => r#"{"elicitation":{"form":{}}}"#,
            Need::ElicitationUrl => r#"{"elicitation":{"url":{}}}"#,
            Need::Roots => r#"{"roots":{}}"#,
            Need::Sampling => r#"{"sampling":{}}"#,
            Need::SamplingTools => r#"{"sampling":{"tools":{}}}"#,
        }
    }

    /// The first revision whose clients can be asked.
    pub(super) fn since(self) -> Revision {
        match self {
            Need::Roots | Need::Sampling => Revision::V2024_11_05,
            Need::ElicitationForm => Revision::V2025_06_18,
            Need::ElicitationUrl | Need::SamplingTools => Revision::V2025_11_25,
        }
    }

    /// Whether these capabilities have it. A bare `elicitation` means forms only (2.10).
    pub fn is_in(self, capabilities: Value<'_>) -> bool {
        let has = |pointer| is_declared(capabilities, pointer);
        match self {
            Need::ElicitationForm => {
                has("/elicitation") && (has("/elicitation/form") || !has("/elicitation/url"))
            }
            Need::ElicitationUrl => has("/elicitation/url"),
            Need::Roots => has("/roots"),
            Need::Sampling => has("/sampling"),
            Need::SamplingTools => has("/sampling/tools"),
        }
    }
}

pub(super) fn is_declared(capabilities: Value<'_>, pointer: &'static str) -> bool {
    let capability = Capability {
        declared_by: Sender::Client,
        pointer,
    };
    capability.is_in(capabilities)
}

impl Question {
    /// What the client must be able to do.
    pub fn needs(&self) -> Result<Need, BridgeError> {
        let document = reread(&self.params)?;
        need(&self.method, document.root())
    }

    /// Whether the question is the address of a page to open.
    pub fn is_url(&self) -> bool {
        self.needs() == Ok(Need::ElicitationUrl)
    }

    /// What the question needs that the client did not declare (R1).
    pub fn missing(&self, capabilities: Option<Value<'_>>) -> Result<Option<Need>, BridgeError> {
        let need = self.needs()?;
        let declared = capabilities.is_some_and(|capabilities| need.is_in(capabilities));
        Ok((!declared).then_some(need))
    }
}

/// Judges the shape of a question, as far as it decides who is asked for what.
fn need(method: &str, params: Value<'_>) -> Result<Need, BridgeError> {
    let meta = params.get("_meta");
    if params.kind() != Kind::Object || meta.is_some_and(|meta| meta.kind() != Kind::Object) {
        return Err(BridgeError::Question);
    }
    spelling::check(params, DECISIVE)?;
    let is = |name, kind| {
        params
            .get(name)
            .is_some_and(|value: Value<'_>| value.kind() == kind)
    };
    let (need, whole) = match method {
        ROOTS => (Need::Roots, true),
        SAMPLING => {
            let whole = is("messages", Kind::Array) && is("maxTokens", Kind::Number);
            let need = match uses_tools(params) {
                true => Need::SamplingTools,
                false => Need::Sampling,
            };
            (need, whole)
        }
        ELICITATION => {
            let mode = params.get("mode").map(Value::text);
            match mode.as_ref().map(Option::as_deref) {
                // An absent mode is a form (2.10).
                None | Some(Some("form")) => {
                    let whole = is("message", Kind::String) && is("requestedSchema", Kind::Object);
                    (Need::ElicitationForm, whole)
                }
                Some(Some("url")) => {
                    let whole = is("message", Kind::String) && is("url", Kind::String);
                    (Need::ElicitationUrl, whole)
                }
                Some(_) => return Err(BridgeError::Question),
            }
        }
        _ => return Err(BridgeError::NoQuestion),
    };
    match whole {
        true => Ok(need),
        false => Err(BridgeError::Question),
    }
}

fn uses_tools(params: Value<'_>) -> bool {
    params.get("tools").is_some() || params.get("toolChoice").is_some()
}

/// The questions of a modern `input_required` result. There may be none: then the server only wants
/// to be asked again with its state.
pub fn questions(answer: &Message) -> Result<Vec<Question>, BridgeError> {
    answer.result().map_or(Ok(Vec::new()), questions_in)
}

/// The questions that a result or a task puts, wherever it stands.
pub fn questions_in(holder: Value<'_>) -> Result<Vec<Question>, BridgeError> {
    let Some(asked) = holder.get("inputRequests") else {
        return Ok(Vec::new());
    };
    if asked.kind() != Kind::Object {
        return Err(BridgeError::Question);
    }
    if asked.count() > QUESTIONS_MAX {
        return Err(BridgeError::TooMany(QUESTIONS_MAX));
    }
    asked
        .members()
        .map(|(key, request)| one(&key.decoded(), request))
        .collect()
}

fn one(key: &str, request: Value<'_>) -> Result<Question, BridgeError> {
    if request.kind() != Kind::Object {
        return Err(BridgeError::Question);
    }
    spelling::check(request, DECISIVE)?;
    let method = request.get("method").and_then(Value::text);
    let method = method.ok_or(BridgeError::Question)?;
    let params = request.get("params").map_or(EMPTY, Value::slice);
    question(key, &method, params)
}

const EMPTY: Bytes = Bytes::from_static(b"{}");

fn question(key: &str, method: &str, params: Bytes) -> Result<Question, BridgeError> {
    if !(1..=KEY_MAX).contains(&key.len()) {
        return Err(BridgeError::Key);
    }
    let question = Question {
        key: key.into(),
        method: method.into(),
        params,
    };
    question.needs()?;
    Ok(question)
}

/// The server's state as the JSON string it wrote, byte for byte (R3).
pub fn request_state(answer: &Message) -> Option<Bytes> {
    let state = answer.result()?.get("requestState")?;
    state.string().is_some().then(|| state.slice())
}

/// A question as a request to a legacy client (3.2), if its revision has words for it.
pub fn question_for_legacy(
    question: &Question,
    id: &Id,
    revision: Revision,
    elicitation_id: Option<&str>,
) -> Result<Bytes, BridgeError> {
    let document = reread(&question.params)?;
    let params = document.root();
    let need = need(&question.method, params)?;
    let known = Method::find(&question.method, revision, Sender::Server).is_some();
    if !known || revision < need.since() || (is_new(params) && revision < Revision::V2025_11_25) {
        return Err(BridgeError::NotIn(revision));
    }
    let members = match (need, elicitation_id) {
        (Need::ElicitationUrl, None) => return Err(BridgeError::ElicitationId),
        (Need::ElicitationUrl, Some(id)) => Amend::new().set("elicitationId", write::string(id)),
        _ => Amend::new().drop("elicitationId"),
    };
    let mut edits = Edits::new();
    if matches!(need, Need::Sampling | Need::SamplingTools) {
        older_content(params, &mut edits);
    }
    let params = amended(&document, members, edits)?;
    Ok(write::request(id, &question.method, Some(&params)))
}

/// What tools gave back, and how they are described, in a question to a model: as in results.
fn older_content(params: Value<'_>, edits: &mut Edits) {
    content::older_schemas(params, edits);
    let messages = params.get("messages").map(Value::elements);
    for message in messages.into_iter().flatten() {
        let Some(said) = message.get("content") else {
            continue;
        };
        let several = said.elements();
        let one = (said.kind() == Kind::Object).then_some(said);
        for block in several.chain(one) {
            let kind = block.get("type").and_then(Value::string);
            if kind.is_some_and(|kind| kind.is("tool_result")) {
                let members = content::as_text(block, Amend::new(), edits);
                members.apply(block, edits);
            }
        }
    }
}

/// Whether a question uses what came with 2025-11-25: a choice of several, several blocks in one
/// message of a model.
fn is_new(params: Value<'_>) -> bool {
    let properties = params.at("/requestedSchema/properties").map(Value::members);
    let mut choices = properties
        .into_iter()
        .flatten()
        .map(|(_, field)| field.get("type"));
    let of_several = choices.any(|kind| {
        kind.and_then(Value::string)
            .is_some_and(|kind| kind.is("array"))
    });
    let messages = params.get("messages").map(Value::elements);
    let mut contents = messages
        .into_iter()
        .flatten()
        .map(|message| message.get("content"));
    of_several || contents.any(|content| content.is_some_and(is_new_content))
}

fn is_new_content(content: Value<'_>) -> bool {
    let kind = content.get("type").and_then(Value::string);
    content.kind() == Kind::Array
        || kind.is_some_and(|kind| kind.is("tool_use") || kind.is("tool_result"))
}

/// What only makes sense on the hop it came from: progress of a question, tasks, keys of the
/// specification.
fn amended(document: &Document, members: Amend, mut edits: Edits) -> Result<Bytes, BridgeError> {
    let meta = Amend::new().drop("progressToken").drop_if(is_reserved_key);
    let root = document.root();
    members
        .drop("task")
        .nested("_meta", root, &meta, &mut edits)
        .apply(root, &mut edits);
    apply(document, &edits)
}

/// A modern result that puts these questions, whose keys are unlike each other, and carries a state
/// of ours.
pub fn input_required(
    id: &Id,
    questions: &[Question],
    state: &str,
    server_info: Option<&[u8]>,
) -> Bytes {
    let asked: Vec<(&str, Bytes)> = questions
        .iter()
        .map(|question| {
            let method = write::string(&question.method);
            let request = object([("method", &*method), ("params", &*question.params)]);
            (&*question.key, request)
        })
        .collect();
    let asked = object(asked.iter().map(|(key, request)| (*key, &**request)));
    let mut result = Amend::new().set("resultType", &b"\"input_required\""[..]);
    if !questions.is_empty() {
        result = result.set("inputRequests", asked);
    }
    result = result.set("requestState", write::string(state));
    if let Some(info) = server_info {
        result = result.set("_meta", object([(SERVER_INFO_KEY, info)]));
    }
    write::result(id, &result.alone().unwrap_or(EMPTY))
}

/// A legacy server's request as a question of a modern result (3.1).
pub fn question_of_legacy(key: &str, request: &Message) -> Result<Question, BridgeError> {
    must_be(request, Shape::Request)?;
    let params = request.params().map_or(EMPTY, Value::slice);
    let document = reread(&params)?;
    need(request.method(), document.root())?;
    let params = amended(&document, Amend::new().drop("elicitationId"), Edits::new())?;
    question(key, request.method(), params)
}

/// What a 2025-11-25 server wants the user to open before the call is made again, if that is what
/// the answer says.
pub fn url_elicitations(answer: &Message) -> Option<Vec<Question>> {
    let error = answer.error()?;
    let code = error.get("code")?.integer()?;
    let pages = error.at("/data/elicitations")?;
    let count = pages.elements().count();
    if code != codes::URL_ELICITATION_REQUIRED || !(1..=QUESTIONS_MAX).contains(&count) {
        return None;
    }
    let page = |(place, params): (usize, Value<'_>)| {
        let document = reread(&params.slice()).ok()?;
        let params = amended(&document, Amend::new().drop("elicitationId"), Edits::new()).ok()?;
        let asked = question(&format!("url-{}", place + 1), ELICITATION, params).ok()?;
        asked.is_url().then_some(asked)
    };
    pages.elements().enumerate().map(page).collect()
}
