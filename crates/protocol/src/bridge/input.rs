//! Answers to questions: what a modern client brings along with its retry (R3, R4), and what a
//! legacy client answers to a request. Whether an answer fits its question is judged elsewhere.

use super::amend::Amend;
use super::question::{ELICITATION, Question};
use super::{BridgeError, KEY_MAX, QUESTIONS_MAX, apply, reread};
use crate::document::{Kind, Str, Value};
use crate::edit::Edits;
use crate::message::{Id, Message};
use crate::modern::is_reserved_key;
use crate::write;
use bytes::Bytes;
use std::borrow::Cow;

/// The answers of a modern retry by the names of their questions; empty if it brings none.
pub fn inputs(message: &Message) -> Result<Vec<(Box<str>, Bytes)>, BridgeError> {
    let Some(inputs) = message
        .params()
        .and_then(|params| params.get("inputResponses"))
    else {
        return Ok(Vec::new());
    };
    if inputs.kind() != Kind::Object {
        return Err(BridgeError::Inputs);
    }
    if inputs.count() > QUESTIONS_MAX {
        return Err(BridgeError::TooMany(QUESTIONS_MAX));
    }
    let one = |(key, input): (Str<'_>, Value<'_>)| {
        let key: Box<str> = key.decoded().into();
        if !(1..=KEY_MAX).contains(&key.len()) {
            return Err(BridgeError::Key);
        }
        match input.kind() {
            Kind::Object => Ok((key, input.slice())),
            _ => Err(BridgeError::Inputs),
        }
    };
    inputs.members().map(one).collect()
}

/// The state that a modern retry brings back, as the text we gave.
pub fn client_state(message: &Message) -> Result<Option<Cow<'_, str>>, BridgeError> {
    match message
        .params()
        .and_then(|params| params.get("requestState"))
    {
        None => Ok(None),
        Some(state) => state.text().map(Some).ok_or(BridgeError::Inputs),
    }
}

/// A modern client's answer for the legacy server that asked.
pub fn response_for_legacy(id: &Id, input: &[u8]) -> Bytes {
    write::result(id, input)
}

/// A legacy client's answer as an input for the modern server that asked. None: no input says that
/// the client failed, so the call cannot go on. A user who was not reached is one who did not choose.
pub fn input_of_legacy(asked: &Question, response: &Message) -> Option<Bytes> {
    let Some(result) = response.result() else {
        let elicits = &*asked.method == ELICITATION;
        return (elicits && response.error().is_some())
            .then(|| Bytes::from_static(br#"{"action":"cancel"}"#));
    };
    let document = reread(&result.slice()).ok()?;
    let meta = Amend::new().drop_if(is_reserved_key);
    let mut edits = Edits::new();
    let root = document.root();
    Amend::new()
        .nested("_meta", root, &meta, &mut edits)
        .apply(root, &mut edits);
    apply(&document, &edits).ok()
}
