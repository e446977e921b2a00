//! Refusals of what came back, or did not, and of what cannot be recorded.

use super::*;
use crate::content::Because;

pub(in crate::stages) fn upstream(error: &UpstreamError) -> Refused {
    match error {
        UpstreamError::Floor { spoken, floor } => return server_below_floor(spoken, floor),
        UpstreamError::Connect(need) => return connection_needed(need),
        UpstreamError::Authentication(wanted) => {
            return authentication_needed(wanted, error);
        }
        UpstreamError::Subject => return subject_gone(),
        UpstreamError::Token { error: why } => {
            return no_token(why, error.to_string(), error.detail());
        }
        _ => {}
    }
    // What only the operator can put right is said where an operator looks first, too.
    if error.fault() == Fault::Operator {
        tracing::warn!(code = error.code(), "{}", error.detail());
    }
    let remedy = "try again later; the operator finds the cause in the record of this call";
    let refused = Refused::new(
        error.code(),
        controls::N4_3,
        error.fault(),
        error.to_string(),
        remedy,
    );
    let refused = refused.rpc(UPSTREAM).detail(error.detail());
    match error.retry_after() {
        Some(wait) => refused.after(wait),
        None => refused,
    }
}

pub(in crate::stages) fn no_entropy() -> Refused {
    Refused::new(
        "entropy",
        controls::M4,
        Fault::Us,
        "the operating system gave no random bits, so no session can be opened",
        "the operator finds the cause in the gateway's log",
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(OURSELVES)
}

pub(in crate::stages) fn answer_malformed(why: &str) -> Refused {
    let reason = format!("the server's answer was withheld: {why}");
    let remedy = "the server's operator corrects it";
    Refused::new(
        "answer_malformed",
        controls::N1_1,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

pub(in crate::stages) fn answer_off_schema(why: &str) -> Refused {
    let reason = format!("the server's structuredContent does not fit its outputSchema: {why}");
    let remedy = "the server's operator corrects it";
    Refused::new(
        "answer_schema",
        controls::N1_2,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

/// What a server said is not let pass.
pub(in crate::stages) fn answer_content(because: &Because) -> Refused {
    match because {
        Because::Data { label, .. } => answer_data(label),
        Because::HiddenText { rule, .. } => answer_hidden_text(rule),
        Because::Unmarked => super::unsealed(),
    }
}

fn answer_data(label: &str) -> Refused {
    let reason =
        format!("the server's answer was withheld: it carries data that may not pass ({label})");
    let remedy = "the operator sets `content.data` to `redact` or `tokenise` to receive the rest";
    Refused::new(
        "answer_data_refused",
        controls::N9_3,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

fn answer_hidden_text(rule: &str) -> Refused {
    let reason = format!("the server's answer was withheld: it carries hidden characters ({rule})");
    let remedy = "the operator sets `hidden_text: remove` to receive such answers cleaned";
    Refused::new(
        "answer_hidden_text",
        controls::N1_4,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

pub(in crate::stages) fn unasked() -> Refused {
    Refused::new(
        "response_unasked",
        controls::N8_2,
        Fault::Caller,
        "this is a response to a question that was not asked in this session",
        "answer each question once, in the session it came in",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(in crate::stages) fn stream_unknown() -> Refused {
    Refused::new(
        "stream_unknown",
        controls::N8_2,
        Fault::Caller,
        "`Last-Event-ID` names no stream of this session that is still remembered",
        "open a new stream without `Last-Event-ID`",
    )
    .status(StatusCode::NOT_FOUND)
    .rpc(SESSION)
}

pub(in crate::stages) fn no_stream() -> Refused {
    Refused::new(
        "stream_unsupported",
        controls::N3_4,
        Fault::Upstream,
        "the server behind this route offers no stream of its own",
        "go on without it: answers to calls carry everything",
    )
    .status(StatusCode::METHOD_NOT_ALLOWED)
    .rpc(codes::INVALID_REQUEST)
}

pub(in crate::stages) fn server_below_floor(version: &str, floor: &str) -> Refused {
    let reason =
        format!("the server speaks only revision `{version}`, older than this route allows");
    let remedy =
        format!("the operator updates the server, or lowers `protocol.minimum` from `{floor}`");
    Refused::new(
        "server_version_floor",
        controls::N3_4,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

pub(in crate::stages) fn unsealed() -> Refused {
    Refused::new(
        "handle_unsealed",
        controls::N8_2,
        Fault::Us,
        "a handle for this answer could not be made: it is too long, or there are no random bits",
        "ask for less at once; the operator finds the cause in the gateway's log",
    )
    .rpc(OURSELVES)
}

pub(in crate::stages) fn unrecorded() -> Refused {
    Refused::new(
        "ledger_unavailable",
        controls::N5_1,
        Fault::Us,
        "the call cannot be recorded, so it does not happen",
        "the operator finds the cause in the gateway's log",
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(OURSELVES)
}

pub(in crate::stages) fn crashed() -> Refused {
    Refused::new(
        "internal",
        controls::Z1,
        Fault::Us,
        "something broke inside the gateway; the call was not answered",
        "tell the operator, who finds the cause in the gateway's log",
    )
    .status(StatusCode::INTERNAL_SERVER_ERROR)
    .rpc(OURSELVES)
}
