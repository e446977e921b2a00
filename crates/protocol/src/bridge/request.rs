//! Requests on their way to a server: relabelled, and in the words of the server's era.
//!
//! What was authorised is what is sent: nothing but the id, `_meta` and the members of a retry are
//! touched. Whether the request may be sent at all was decided before.

use super::amend::{Amend, object};
use super::{BridgeError, RELATED_TASK, apply, counterpart, is_modern_only, must_be};
use crate::edit::Edits;
use crate::message::{Id, Message, Shape};
use crate::method::{Act, Sender};
use crate::modern::{
    CAPABILITIES_KEY, CLIENT_INFO_KEY, LOG_LEVEL_KEY, VERSION_KEY, is_reserved_key,
};
use crate::revision::{Era, Revision};
use crate::write;
use bytes::Bytes;

/// What a message is called on the other hop (B1).
#[derive(Clone, Copy, Debug, Default)]
pub struct Relabel<'a> {
    /// The id there; without one it stays.
    pub id: Option<&'a Id>,
    /// The progress token there, if the message has one; without one it stays.
    pub token: Option<&'a Id>,
}

/// What every modern request carries (V1).
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// What the client can do, a JSON object.
    pub capabilities: &'a [u8],
    /// What the client says it is, a JSON object.
    pub client_info: Option<&'a [u8]>,
    /// The least log messages the client wants.
    pub log_level: Option<&'a str>,
}

/// What a retry brings along (R3).
#[derive(Clone, Copy, Debug)]
pub struct Retry<'a> {
    /// The answers by the names of their questions, each a JSON object.
    pub inputs: &'a [(Box<str>, Bytes)],
    /// The server's state as the JSON string it wrote, byte for byte.
    pub state: Option<&'a [u8]>,
}

impl Stamp<'_> {
    pub(super) fn meta(&self) -> Amend {
        let level = self.log_level.map(write::string);
        Amend::new()
            .set(VERSION_KEY, write::string(Revision::V2026_07_28.date()))
            .set(CAPABILITIES_KEY, Bytes::copy_from_slice(self.capabilities))
            .set_or_drop(CLIENT_INFO_KEY, self.client_info)
            .set_or_drop(LOG_LEVEL_KEY, level.as_deref())
    }
}

/// A modern client's request for a legacy server (3.1): what the handshake has said already is taken
/// out of `_meta`, and the members of a retry with it.
pub fn request_for_legacy(message: &Message, relabel: &Relabel<'_>) -> Result<Bytes, BridgeError> {
    must_be(message, Shape::Request)?;
    let method = counterpart(message.method(), Era::Legacy, Sender::Client)
        .filter(|method| method.act != Act::Task)
        .ok_or(BridgeError::NoCounterpart)?;
    let meta = Amend::new().drop_if(is_reserved_key);
    // In the modern era `task` says nothing; to a legacy server it would begin a task that nobody
    // looks after.
    let params = match method.act {
        Act::Call => retry(None).drop("task"),
        _ => retry(None),
    };
    relabelled(message, relabel, meta, params)
}

/// Any client's request for a modern server (3.2): complete in itself, with what the session of a
/// legacy client, or the envelope of a modern one, has told about the client.
pub fn request_for_modern(
    message: &Message,
    relabel: &Relabel<'_>,
    stamp: &Stamp<'_>,
    retried: Option<&Retry<'_>>,
) -> Result<Bytes, BridgeError> {
    must_be(message, Shape::Request)?;
    let method = counterpart(message.method(), Era::Modern, Sender::Client)
        .ok_or(BridgeError::NoCounterpart)?;
    let meta = stamp.meta().drop(RELATED_TASK);
    // A task is given its inputs in a request of its own; they are no retry.
    let params = match method.act {
        Act::Task => Amend::new(),
        _ => retry(retried),
    };
    relabelled(message, relabel, meta, params)
}

/// A legacy client's request for a legacy server. Keys that only modern requests have are taken out:
/// a server of both eras would take the request for a modern one, with capabilities that nobody
/// checked (V9, L4).
pub fn request_same_era(message: &Message, relabel: &Relabel<'_>) -> Result<Bytes, BridgeError> {
    must_be(message, Shape::Request)?;
    let meta = Amend::new().drop_if(is_modern_only);
    relabelled(message, relabel, meta, retry(None))
}

fn retry(retried: Option<&Retry<'_>>) -> Amend {
    let inputs = retried.map(|retried| retried.inputs).unwrap_or_default();
    let written =
        (!inputs.is_empty()).then(|| object(inputs.iter().map(|(key, input)| (&**key, &**input))));
    Amend::new()
        .set_or_drop("inputResponses", written.as_deref())
        .set_or_drop("requestState", retried.and_then(|retried| retried.state))
}

fn relabelled(
    message: &Message,
    relabel: &Relabel<'_>,
    mut meta: Amend,
    params: Amend,
) -> Result<Bytes, BridgeError> {
    if let Some(token) = relabel.token {
        meta = meta.replace("progressToken", token.bytes());
    }
    let root = message.document().root();
    let mut edits = Edits::new();
    let mut top = Amend::new();
    if let Some(id) = relabel.id {
        top = top.set("id", id.bytes());
    }
    match message.params() {
        Some(found) => params
            .nested("_meta", found, &meta, &mut edits)
            .apply(found, &mut edits),
        None => {
            let params = match meta.alone() {
                Some(meta) => params.set("_meta", meta),
                None => params,
            };
            if let Some(made) = params.alone() {
                top = top.set("params", made);
            }
        }
    }
    top.apply(root, &mut edits);
    apply(message.document(), &edits)
}
