//! The bridge on single messages, byte by byte: what changes, what stays, what is refused.

mod answers;
mod capabilities;
mod greetings;
mod listens;
mod notices;
mod questions;
mod requests;

use super::*;
use crate::message::Id;

pub(super) fn message(text: &str) -> Message {
    let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
    Message::read(document).unwrap_or_else(|flaw| panic!("{flaw} in {text}"))
}

pub(super) fn document(text: &str) -> Document {
    Document::read(text.to_owned().into(), &Limits::default()).unwrap()
}

/// What was made, which must be a message again.
pub(super) fn text(bytes: &Bytes) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    message(&text);
    text
}

pub(super) fn method(name: &str, revision: Revision) -> &'static Method {
    Method::find(name, revision, Sender::Client).unwrap()
}
