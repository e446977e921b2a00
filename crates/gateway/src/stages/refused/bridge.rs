//! Refusals of the stateless era, of handles, and of what cannot be said in the other era.

use super::*;
use crate::bridge::Broken;
use crate::links::Unheard;
use protocol::bridge::{BridgeError, Need};
use protocol::mirror::Mismatch;
use protocol::modern::{EnvelopeError, TraceError};
use serde_json::json;

/// A request of the stateless era that does not say all it has to (rule V2).
pub(in crate::stages) fn envelope(error: &EnvelopeError) -> Refused {
    let remedy = "send the `_meta` members that every 2026-07-28 request carries";
    Refused::new(
        "envelope",
        controls::N3_4,
        Fault::Caller,
        error.to_string(),
        remedy,
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_PARAMS)
}

/// A client that says more of itself than is kept of it.
pub(in crate::stages) fn introduction_long(what: &str, most: usize) -> Refused {
    Refused::new(
        "introduction_long",
        controls::N4_3,
        Fault::Caller,
        format!("{what} take up more than {most} bytes"),
        "say less of the client: its name, its version, and what it can do",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_PARAMS)
}

/// A trace context that is none (rule B6).
pub(in crate::stages) fn trace(error: &TraceError) -> Refused {
    let remedy =
        "send `traceparent`, `tracestate` and `baggage` as W3C defines them, or leave them out";
    Refused::new(
        "trace_context",
        controls::N1_1,
        Fault::Caller,
        error.to_string(),
        remedy,
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_PARAMS)
}

/// A version that is not spoken here (rule V3).
pub(in crate::stages) fn version_unsupported(version: &str, spoken: &[&'static str]) -> Refused {
    let reason = format!("protocol version {} is not spoken here", quoted(version));
    unsupported(reason, version, spoken)
}

/// A message of the era of sessions where there are none (rule V10).
pub(in crate::stages) fn era_unsupported(version: &str, spoken: &[&'static str]) -> Refused {
    let reason = "the message is of an era this route does not speak".to_owned();
    unsupported(reason, version, spoken)
}

fn unsupported(reason: String, version: &str, spoken: &[&'static str]) -> Refused {
    let remedy = format!("use one of {}", spoken.join(", "));
    let refused = Refused::new(
        "version_unsupported",
        controls::N3_4,
        Fault::Caller,
        reason,
        remedy,
    );
    let requested: String = content::hushed(version).chars().take(QUOTED).collect();
    refused
        .status(StatusCode::BAD_REQUEST)
        .rpc(codes::UNSUPPORTED_PROTOCOL_VERSION)
        .data(json!({ "supported": spoken, "requested": requested }))
}

/// A header that does not say what the body says (rules H7, H10).
pub(in crate::stages) fn header_mismatch(mismatch: &Mismatch) -> Refused {
    let remedy = "send the header with the value that the body has, or leave both out";
    Refused::new(
        "header_mismatch",
        controls::N1_1,
        Fault::Caller,
        mismatch.to_string(),
        remedy,
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::HEADER_MISMATCH)
}

/// A verb that the stateless era does not have (rule H2).
pub(in crate::stages) fn verb_stateless() -> Refused {
    Refused::new(
        "http_method",
        controls::N3_4,
        Fault::Caller,
        "revision 2026-07-28 has no streams to open and no sessions to end",
        "use POST; `subscriptions/listen` opens a stream of changes",
    )
    .status(StatusCode::METHOD_NOT_ALLOWED)
    .rpc(codes::INVALID_REQUEST)
}

/// A client that did not say it can do what the server needs (rule V5).
pub(in crate::stages) fn capability_missing(need: Need) -> Refused {
    let needed: serde_json::Value = serde_json::from_str(need.as_json()).unwrap_or_default();
    let refused = Refused::new(
        "capability_missing",
        controls::N3_4,
        Fault::Caller,
        "the server needs something of the client that this request did not declare",
        "declare the capability in `_meta` and implement it, or call another tool",
    );
    refused
        .status(StatusCode::BAD_REQUEST)
        .rpc(codes::MISSING_CLIENT_CAPABILITY)
        .data(json!({ "requiredCapabilities": needed }))
}

/// The same towards a client with a session: it said what it can do once and for all.
pub(in crate::stages) fn capability_unoffered() -> Refused {
    Refused::new(
        "capability_missing",
        controls::N3_4,
        Fault::Caller,
        "the server needs something of the client that this session did not offer",
        "offer the capability in `initialize` and implement it, or call another tool",
    )
    .rpc(codes::INVALID_REQUEST)
}

/// A client that looks after a task without having said that it follows tasks (section 2.11).
pub(in crate::stages) fn tasks_undeclared() -> Refused {
    Refused::new(
        "capability_missing",
        controls::N3_4,
        Fault::Caller,
        "tasks are looked after by clients that declare the extension in the same request",
        "declare `io.modelcontextprotocol/tasks` among `extensions` in `_meta`",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::MISSING_CLIENT_CAPABILITY)
    .data(json!({
        "requiredCapabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } }
    }))
}

/// A handle (cursor, state, task id) that this caller was not given for this (rule R2).
pub(in crate::stages) fn handle(what: &'static str, why: &crate::seal::OpenError) -> Refused {
    let reason = format!("this {what} is not valid here: {why}");
    let remedy =
        "use each handle as it was given, by the same client, on the same route and request";
    Refused::new(
        "handle_invalid",
        controls::N8_2,
        Fault::Caller,
        reason,
        remedy,
    )
    .rpc(codes::INVALID_PARAMS)
}

/// A call that waited for its client too long, or came back twice.
pub(in crate::stages) fn parked_unknown() -> Refused {
    Refused::new(
        "call_expired",
        controls::N8_2,
        Fault::Caller,
        "the call this `requestState` belongs to waits no more: it expired, was answered, or the gateway was restarted",
        "send the call again without `requestState` and `inputResponses`",
    )
    .rpc(codes::INVALID_PARAMS)
}

/// Too many calls of a user that wait for their client.
pub(in crate::stages) fn parked_full(most: u32) -> Refused {
    let reason = format!("this user has {most} calls that wait for an answer already");
    let remedy = "answer one of them, or wait until they expire";
    Refused::new(
        "parked_limit",
        controls::N4_3,
        Fault::Caller,
        reason,
        remedy,
    )
    .rpc(LIMIT)
    .after(Duration::from_secs(30))
}

/// A request id that is in use (rule B1).
pub(in crate::stages) fn id_in_use() -> Refused {
    Refused::new(
        "id_in_use",
        controls::N1_1,
        Fault::Caller,
        "a request with this id is under way in this session",
        "give every request an id of its own",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

/// One message of a batch that may not be in one (rule B5).
pub(in crate::stages) fn batch_not_spoken() -> Refused {
    Refused::new(
        "rpc_batch",
        controls::N3_4,
        Fault::Caller,
        "only revision 2025-03-26 has batches",
        "send one message at a time",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

/// Answers of a batch that are too large together.
pub(in crate::stages) fn batch_answers_too_large(most: usize) -> Refused {
    let reason = format!("the answers to this batch are larger than {most} bytes together");
    Refused::new(
        "batch_answers",
        controls::N4_3,
        Fault::Caller,
        reason,
        "send fewer messages in one batch; what was answered is in the ledger",
    )
    .rpc(LIMIT)
}

/// Something that one era has and the other has not.
pub(in crate::stages) fn unbridged(error: &BridgeError) -> Refused {
    let reason = format!("this cannot be carried between protocol eras: {error}");
    let remedy = "use a client of the server's own era for this";
    Refused::new("bridge", controls::N3_4, Fault::Upstream, reason, remedy).rpc(UPSTREAM)
}

/// A conversation that ended without an answer.
pub(in crate::stages) fn broken(broken: &Broken) -> Refused {
    match broken {
        Broken::Upstream(error) => upstream(error),
        Broken::Bridge(error) => unbridged(error),
        Broken::Cancelled => cancelled(),
        Broken::Declined => declined(),
        Broken::Rounds => Refused::new(
            "server_never_satisfied",
            controls::N4_3,
            Fault::Upstream,
            broken.to_string(),
            "the server's operator corrects it",
        )
        .rpc(UPSTREAM),
    }
}

/// A call that the client took back.
pub(in crate::stages) fn cancelled() -> Refused {
    Refused::new(
        "cancelled",
        controls::N4_3,
        Fault::Caller,
        "the client took the call back",
        "send it again if it is wanted after all",
    )
    .rpc(codes::INTERNAL_ERROR)
}

/// A call whose server cannot go on, because the client or a policy said no.
pub(in crate::stages) fn declined() -> Refused {
    Refused::new(
        "question_declined",
        controls::N2_2,
        Fault::Caller,
        "the server asked for something that was not given, and cannot go on without it",
        "answer what the server asks, or have the operator permit the server to ask",
    )
    .rpc(POLICY)
}

/// A server that asks what it may not ask.
pub(in crate::stages) fn question_refused(method: &str) -> Refused {
    let reason = format!("policy does not let this server ask `{method}`");
    let remedy = "the operator permits it with the action `ask`, or the tool is not used";
    Refused::new(
        "question_refused",
        controls::N2_2,
        Fault::Operator,
        reason,
        remedy,
    )
    .rpc(POLICY)
}

/// A question with tools in it that speak to the client's model.
pub(in crate::stages) fn question_suspected(method: &str) -> Refused {
    Refused::new(
        "question_suspected",
        controls::N9_2,
        Fault::Upstream,
        format!("tools that the server hands to the model with `{method}` speak to that model"),
        "the operator reads `server.suspected` in the ledger; what a rule comes to is said in `content.modes`",
    )
    .rpc(POLICY)
}

/// A page the user may not be sent to.
pub(in crate::stages) fn page_refused() -> Refused {
    Refused::new(
        "elicitation_url",
        controls::N9_3,
        Fault::Upstream,
        "the server wants to send the user to a page that this route does not allow",
        "the operator adds the host to `elicitation.urls` if the page is trusted",
    )
    .rpc(POLICY)
}

/// A server that is not heard.
pub(in crate::stages) fn unheard(why: &Unheard) -> Refused {
    match why {
        Unheard::Mute => no_stream(),
        Unheard::Upstream(error) => upstream(error),
        Unheard::Behind | Unheard::Full(_) | Unheard::Long => Refused::new(
            "stream_limit",
            controls::N4_3,
            Fault::Caller,
            why.to_string(),
            "read faster, or listen for less",
        )
        .rpc(LIMIT),
    }
}

/// A prompt that is not there for this caller.
pub(in crate::stages) fn prompt_unknown(prompt: &str) -> Refused {
    let reason = format!("unknown prompt: {}", quoted(prompt));
    Refused::new(
        "prompt_unknown",
        controls::N2_2,
        Fault::Caller,
        reason,
        "get a prompt that `prompts/list` names",
    )
    .rpc(codes::INVALID_PARAMS)
}

/// A resource that is not there for this caller; each revision has a code of its own for that.
pub(in crate::stages) fn resource_unknown(uri: &str, revision: Revision) -> Refused {
    let reason = format!("unknown resource: {}", quoted(uri));
    Refused::new(
        "resource_unknown",
        controls::N2_2,
        Fault::Caller,
        reason,
        "read a resource that `resources/list` names",
    )
    .rpc(revision.rules().resource_not_found)
}

/// A list of tasks: servers know the gateway's credential only, and would list everybody's.
pub(in crate::stages) fn tasks_unlisted() -> Refused {
    Refused::new(
        "tasks_unlisted",
        controls::N8_2,
        Fault::Us,
        "tasks are not listed: a server cannot tell the gateway's users apart",
        "keep the ids of your own tasks",
    )
    .rpc(codes::METHOD_NOT_FOUND)
}
