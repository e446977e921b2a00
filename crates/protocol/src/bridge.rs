//! Translation between the eras: what a message of one hop says in the words of the other.
//!
//! Every function takes a message that was read strictly and gives bytes that say the same to the
//! other side (`protocol.md` 2.7, 2.8, 3.1, 3.2). Only the envelope is touched: ids, `_meta`, the
//! members that exist in one era only. Names, URIs and arguments are never changed, and every byte
//! that need not change stays as it came. What the other era cannot say is an error with a reason.
//!
//! Nothing here remembers anything: which session, which parked call and which handle belong
//! together is known by the gateway.

mod amend;
mod answer;
mod capability;
mod content;
mod greeting;
mod input;
mod listen;
mod notice;
mod offer;
mod question;
mod request;

pub use amend::disown;
pub use answer::{
    Asked, ResultKind, TTL_MAX_MS, answer_asking_same_era, answer_for_legacy, answer_for_modern,
    answer_same_era, result_kind,
};
pub use capability::client_capabilities;
pub use content::needs_core_tasks;
pub use greeting::{Frame, Welcome};
pub use input::{client_state, input_of_legacy, inputs, response_for_legacy};
pub use listen::{Wish, acknowledged, honoured, listen_done, listen_request, wish};
pub use notice::{NoticeChange, Subscription, notice};
pub use offer::{
    DISCOVER_TTL_MS, INSTRUCTIONS_MAX, Offer, discover_result, initialize_result,
    offered_capabilities, server_info,
};
pub use question::{
    Need, Question, input_required, question_for_legacy, question_of_legacy, questions,
    questions_in, request_state, url_elicitations,
};
pub use request::{
    Relabel, Retry, Stamp, request_for_legacy, request_for_modern, request_same_era,
};

use crate::document::{Document, Limits};
use crate::edit::{EditError, Edits};
use crate::flaw::Flaw;
use crate::message::{Message, Shape};
use crate::method::{Method, Sender};
use crate::modern::{
    CAPABILITIES_KEY, CLIENT_INFO_KEY, LOG_LEVEL_KEY, SERVER_INFO_KEY, VERSION_KEY,
};
use crate::revision::{Era, Revision};
use bytes::Bytes;

/// The task of 2025-11-25 that a message belongs to, in its `_meta`.
pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
/// The extension that has taken the place of the tasks of 2025-11-25.
pub const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The most questions, and the most inputs, of one round. A limit of ours.
pub const QUESTIONS_MAX: usize = 64;
/// The longest name of a question, in bytes. A limit of ours.
pub const KEY_MAX: usize = 256;
/// The most resources, and the most tasks, of one `subscriptions/listen`. A limit of ours.
pub const WISHES_MAX: usize = 1024;

/// Why a message cannot be said in the other era.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BridgeError {
    /// A request was asked for.
    #[error("the message is no request")]
    NoRequest,
    /// A notification was asked for.
    #[error("the message is no notification")]
    NoNotification,
    /// A response was asked for.
    #[error("the message is no response")]
    NoResponse,
    /// The method exists in one era only.
    #[error("the server's era has no such method")]
    NoCounterpart,
    /// The result is not the last word: it asks for inputs or names a task.
    #[error("the result is no final answer")]
    NotComplete,
    /// The result says that it is something nobody agreed on (B8).
    #[error("the result has a `resultType` that was not agreed on")]
    ResultType,
    /// There are more of them than the limit of ours.
    #[error("more than {0} in one message")]
    TooMany(usize),
    /// The name of a question is empty or longer than the limit of ours.
    #[error("the name of an input is empty or longer than {KEY_MAX} bytes")]
    Key,
    /// A server asks with a method that is no question (R1).
    #[error("servers may ask for elicitation, sampling and roots only")]
    NoQuestion,
    /// A question is not shaped as the specification says.
    #[error("a question lacks a member or has one of the wrong kind")]
    Question,
    /// The client's revision has no words for the question.
    #[error("this question cannot be asked in {0}")]
    NotIn(Revision),
    /// A question in URL mode needs an id in 2025-11-25.
    #[error("a question in URL mode needs an `elicitationId`")]
    ElicitationId,
    /// `inputResponses` or `requestState` are not what they should be.
    #[error("`inputResponses` must be an object of objects and `requestState` a string")]
    Inputs,
    /// A greeting lacks what every greeting has.
    #[error("the server's greeting lacks a member or has one of the wrong kind")]
    Greeting,
    /// A greeting names no version that it could name (L2).
    #[error("the server's greeting names no version that fits it")]
    Version,
    /// The filter of `subscriptions/listen` is not what it should be.
    #[error("`notifications` must be an object of booleans and lists of strings")]
    Wish,
    /// Text inside the message is not what it seems.
    #[error(transparent)]
    Flaw(#[from] Flaw),
    /// A mistake of ours.
    #[error(transparent)]
    Edit(#[from] EditError),
}

fn must_be(message: &Message, shape: Shape) -> Result<(), BridgeError> {
    match (message.shape() == shape, shape) {
        (true, _) => Ok(()),
        (false, Shape::Request) => Err(BridgeError::NoRequest),
        (false, Shape::Notification) => Err(BridgeError::NoNotification),
        (false, Shape::Response) => Err(BridgeError::NoResponse),
    }
}

/// The first row of this name in the era.
fn counterpart(name: &str, era: Era, sender: Sender) -> Option<&'static Method> {
    let revisions = Revision::ALL.iter().rev();
    let mut of_era = revisions.filter(|revision| revision.rules().era == era);
    of_era.find_map(|revision| Method::find(name, *revision, sender))
}

/// Whether only a message of 2026-07-28 has this `_meta` key. A server of both eras takes a request
/// with such keys for a modern one (V9), whatever session it came in.
fn is_modern_only(key: &str) -> bool {
    const KEYS: &[&str] = &[
        VERSION_KEY,
        CAPABILITIES_KEY,
        CLIENT_INFO_KEY,
        LOG_LEVEL_KEY,
        SERVER_INFO_KEY,
    ];
    KEYS.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// What was written here, or cut out of what was read, as a document.
fn reread(text: &Bytes) -> Result<Document, BridgeError> {
    Ok(Document::read(text.clone(), &Limits::default())?)
}

/// A member that is `true`, or none.
fn write_true(name: &'static str, holds: bool) -> Option<(&'static str, &'static [u8])> {
    holds.then_some((name, b"true"))
}

fn apply(document: &Document, edits: &Edits) -> Result<Bytes, BridgeError> {
    Ok(document.apply(edits)?)
}

#[cfg(test)]
mod tests;
