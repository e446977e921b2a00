//! Answers on their way to a client: under the client's id, and in the words of its era.
//!
//! An answer is translated first and screened afterwards, so what was checked is what is sent.
//! Whose answer it is, and whether the client may see it, is not asked here.

use super::amend::Amend;
use super::content;
use super::{BridgeError, RELATED_TASK, apply, must_be, questions};
use crate::codes;
use crate::document::{Kind, Value};
use crate::edit::Edits;
use crate::message::{Id, Message, Shape};
use crate::method::{Act, Method};
use crate::modern::{SERVER_INFO_KEY, SUBSCRIPTION_KEY};
use crate::revision::{Era, Revision};
use crate::write;
use bytes::Bytes;

/// The question that an answer answers, as the client put it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The method of the request.
    pub method: &'static Method,
    /// The revision that the client speaks.
    pub revision: Revision,
    /// What the server says it is, a JSON object, for modern clients.
    pub server_info: Option<&'a [u8]>,
}

/// What a modern answer is (B8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultKind {
    /// The last word.
    Complete,
    /// No result but an error.
    Error,
    /// The server needs inputs before it goes on, or just to be asked again (R1).
    InputRequired,
    /// The server goes on by itself; the result names the task.
    Task,
    /// Nothing that was agreed on: the answer is invalid.
    Unknown,
}

/// What the answer of a modern server to this method is. `tasks` says whether the client declared
/// the extension on this request.
pub fn result_kind(answer: &Message, method: &Method, tasks: bool) -> ResultKind {
    let Some(result) = answer.result() else {
        return ResultKind::Error;
    };
    let Some(kind) = result.get("resultType") else {
        return ResultKind::Complete;
    };
    let asks = result.get("inputRequests").is_some() || result.get("requestState").is_some();
    match kind.text().as_deref() {
        Some("complete") => ResultKind::Complete,
        Some("input_required") if asks && may_ask(method) => ResultKind::InputRequired,
        Some("task") if tasks && method.act == Act::Call => ResultKind::Task,
        _ => ResultKind::Unknown,
    }
}

/// R1: where a server may ask instead of answering.
fn may_ask(method: &Method) -> bool {
    matches!(method.act, Act::Call | Act::Get | Act::Read)
}

/// Whether a complete result says for how long and for whom it is good (2.8).
fn is_cacheable(method: &Method) -> bool {
    matches!(method.act, Act::List | Act::Read | Act::Discover)
}

/// A legacy server's answer for a modern client (3.1).
pub fn answer_for_modern(
    answer: &Message,
    id: &Id,
    asked: &Asked<'_>,
) -> Result<Bytes, BridgeError> {
    must_be(answer, Shape::Response)?;
    let mut edits = Edits::new();
    if let Some(result) = answer.result() {
        // What a legacy server says in these members means nothing; to a modern client it would.
        let members = Amend::new()
            .set("resultType", &b"\"complete\""[..])
            .drop("inputRequests")
            .drop("requestState");
        let members = match is_cacheable(asked.method) {
            true => members.set("ttlMs", &b"0"[..]).set("cacheScope", PRIVATE),
            false => members.drop("ttlMs").drop("cacheScope"),
        };
        let meta = server_meta(asked).drop(RELATED_TASK).drop(SUBSCRIPTION_KEY);
        members
            .nested("_meta", result, &meta, &mut edits)
            .apply(result, &mut edits);
        if asked.method.name == "tools/list" {
            content::without_core_tasks(result, &mut edits);
        }
    }
    if let Some(error) = answer.error() {
        code_for_modern(error).apply(error, &mut edits);
    }
    under(answer, id, edits)
}

/// A modern server's answer for a legacy client (3.2). Only what is the last word can be said.
pub fn answer_for_legacy(
    answer: &Message,
    id: &Id,
    asked: &Asked<'_>,
) -> Result<Bytes, BridgeError> {
    must_be(answer, Shape::Response)?;
    let mut edits = Edits::new();
    match result_kind(answer, asked.method, false) {
        ResultKind::Complete | ResultKind::Error => {}
        ResultKind::Unknown => return Err(BridgeError::ResultType),
        ResultKind::InputRequired | ResultKind::Task => return Err(BridgeError::NotComplete),
    }
    if let Some(result) = answer.result() {
        let members = Amend::new()
            .drop("resultType")
            .drop("ttlMs")
            .drop("cacheScope")
            .drop("inputRequests")
            .drop("requestState");
        let members = match asked.method.act {
            Act::Call => content::as_text(result, members, &mut edits),
            _ => members,
        };
        let meta = Amend::new().drop(SERVER_INFO_KEY).drop(SUBSCRIPTION_KEY);
        members
            .nested("_meta", result, &meta, &mut edits)
            .apply(result, &mut edits);
        if asked.method.name == "tools/list" {
            content::older_schemas(result, &mut edits);
        }
    }
    if let Some(error) = answer.error() {
        code_for_legacy(error, asked.method).apply(error, &mut edits);
    }
    under(answer, id, edits)
}

/// An answer for a client of the server's own era. What a shared cache might keep is ours to say,
/// because we filter by caller; a question is answered with [`answer_asking_same_era`] instead.
pub fn answer_same_era(answer: &Message, id: &Id, asked: &Asked<'_>) -> Result<Bytes, BridgeError> {
    must_be(answer, Shape::Response)?;
    let mut edits = Edits::new();
    if asked.revision.rules().era == Era::Modern {
        let kind = result_kind(answer, asked.method, true);
        match kind {
            ResultKind::Unknown => return Err(BridgeError::ResultType),
            ResultKind::InputRequired => return Err(BridgeError::NotComplete),
            ResultKind::Complete | ResultKind::Error | ResultKind::Task => {}
        }
        if let Some(result) = answer.result() {
            let members = match kind {
                ResultKind::Complete => completed(result, asked),
                _ => Amend::new().replace("cacheScope", PRIVATE),
            };
            within(result, members, asked, &mut edits);
        }
        if let Some(error) = answer.error() {
            code_same_era(error).apply(error, &mut edits);
        }
    }
    under(answer, id, edits)
}

/// A modern server's question for a modern client: as it was asked, with a state of ours (R5).
pub fn answer_asking_same_era(
    answer: &Message,
    id: &Id,
    state: &str,
    asked: &Asked<'_>,
) -> Result<Bytes, BridgeError> {
    must_be(answer, Shape::Response)?;
    if result_kind(answer, asked.method, false) != ResultKind::InputRequired {
        return Err(BridgeError::ResultType);
    }
    // Nothing but well-formed questions goes on: see R1.
    questions(answer)?;
    let mut edits = Edits::new();
    if let Some(result) = answer.result() {
        let members = Amend::new()
            .set("requestState", write::string(state))
            .replace("cacheScope", PRIVATE);
        within(result, members, asked, &mut edits);
    }
    under(answer, id, edits)
}

/// The longest time that a client is told to keep an answer, in milliseconds: an hour. What it may see can
/// change at any time, and no server decides how long it goes on believing what it saw.
pub const TTL_MAX_MS: i64 = 3_600_000;

const PRIVATE: &[u8] = b"\"private\"";

fn completed(result: Value<'_>, asked: &Asked<'_>) -> Amend {
    let mut members = Amend::new().set("resultType", &b"\"complete\""[..]);
    if asked.method.act != Act::Task {
        // Only what is not complete asks; a task that is read may wait for answers.
        members = members.drop("inputRequests").drop("requestState");
    }
    if !is_cacheable(asked.method) {
        return members.replace("cacheScope", PRIVATE);
    }
    let ttl = result.get("ttlMs").and_then(Value::integer);
    let members = members.set("cacheScope", PRIVATE);
    match ttl {
        Some(0..=TTL_MAX_MS) => members,
        Some(1..) => members.set("ttlMs", TTL_MAX_MS.to_string()),
        _ => members.set("ttlMs", &b"0"[..]),
    }
}

fn within(result: Value<'_>, members: Amend, asked: &Asked<'_>, edits: &mut Edits) {
    let meta = match asked.server_info {
        Some(_) => server_meta(asked),
        None => Amend::new(),
    };
    members
        .nested("_meta", result, &meta, edits)
        .apply(result, edits);
}

fn server_meta(asked: &Asked<'_>) -> Amend {
    Amend::new().set_or_drop(SERVER_INFO_KEY, asked.server_info)
}

/// The codes of the range that belongs to the specification (B4).
fn is_allocated_by_specification(code: i64) -> bool {
    (-32099..=-32020).contains(&code)
}

fn code_of(error: Value<'_>) -> i64 {
    let code = error.get("code").and_then(Value::integer);
    code.unwrap_or(codes::INTERNAL_ERROR)
}

fn with_code(code: i64) -> Amend {
    Amend::new().set("code", code.to_string())
}

/// Modern clients must never see -32002 and -32042, and give the codes around them a meaning that
/// no legacy server can have in mind.
fn code_for_modern(error: Value<'_>) -> Amend {
    match code_of(error) {
        codes::RESOURCE_NOT_FOUND => with_code(codes::INVALID_PARAMS),
        // Nobody could open the page: what the client lacks is the capability to.
        codes::URL_ELICITATION_REQUIRED => with_code(codes::MISSING_CLIENT_CAPABILITY).set(
            "data",
            &br#"{"requiredCapabilities":{"elicitation":{"url":{}}}}"#[..],
        ),
        code if is_allocated_by_specification(code) => with_code(codes::INTERNAL_ERROR),
        _ => Amend::new(),
    }
}

/// Legacy clients know one code of their own, and none of the modern ones.
fn code_for_legacy(error: Value<'_>, method: &Method) -> Amend {
    match code_of(error) {
        codes::INVALID_PARAMS if method.act == Act::Read => with_code(codes::RESOURCE_NOT_FOUND),
        codes::MISSING_CLIENT_CAPABILITY => with_code(codes::INVALID_REQUEST),
        code if is_allocated_by_specification(code) => with_code(codes::INTERNAL_ERROR),
        _ => Amend::new(),
    }
}

/// Between modern hops: what went wrong with a header or a version went wrong between the server and
/// us, and the client could do nothing about it.
fn code_same_era(error: Value<'_>) -> Amend {
    let says_what = error
        .at("/data/requiredCapabilities")
        .is_some_and(|needed| needed.kind() == Kind::Object);
    match code_of(error) {
        codes::RESOURCE_NOT_FOUND => with_code(codes::INVALID_PARAMS),
        codes::MISSING_CLIENT_CAPABILITY if says_what => Amend::new(),
        code if is_allocated_by_specification(code) => with_code(codes::INTERNAL_ERROR),
        _ => Amend::new(),
    }
}

/// The answer with the id of the client's request (B2), also where the server named none.
fn under(answer: &Message, id: &Id, mut edits: Edits) -> Result<Bytes, BridgeError> {
    let root = answer.document().root();
    Amend::new().set("id", id.bytes()).apply(root, &mut edits);
    apply(answer.document(), &edits)
}
