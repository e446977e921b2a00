//! Notifications on their way, in either direction: relabelled, and left out where the other
//! revision does not have them. Whether anybody asked for one is known elsewhere.

use super::amend::Amend;
use super::{BridgeError, RELATED_TASK, apply, is_modern_only, must_be};
use crate::edit::Edits;
use crate::message::{Id, Message, Shape};
use crate::method::{Act, Method, Sender};
use crate::modern::SUBSCRIPTION_KEY;
use crate::revision::{Era, Revision};
use bytes::Bytes;

/// What a notification is called on the other hop.
#[derive(Clone, Copy, Debug)]
pub struct NoticeChange<'a> {
    /// Which side sends it.
    pub sender: Sender,
    /// The revision of the side that gets it.
    pub to: Revision,
    /// The progress token there; without one it stays.
    pub token: Option<&'a Id>,
    /// The request there that it names; without one it stays.
    pub request: Option<&'a Id>,
    /// The listen request there that it belongs to.
    pub subscription: Subscription<'a>,
}

/// What becomes of the `subscriptionId` of a notification (2.8).
#[derive(Clone, Copy, Debug)]
pub enum Subscription<'a> {
    /// It stays as it is, if there is one.
    Keep,
    /// The notification belongs to no listen request there.
    Remove,
    /// The notification belongs to the listen request of this id.
    Set(&'a Id),
}

/// The notification for the other side. None: its revision does not have it, and it ends here.
pub fn notice(message: &Message, change: &NoticeChange<'_>) -> Result<Option<Bytes>, BridgeError> {
    must_be(message, Shape::Notification)?;
    let Some(method) = Method::find(message.method(), change.to, change.sender) else {
        return Ok(None);
    };
    // In 2025-11-25 such a notification may name no request, to mean a task.
    let names_one = message
        .params()
        .is_some_and(|params| params.get("requestId").is_some());
    if method.act == Act::Cancel && !names_one && change.to != Revision::V2025_11_25 {
        return Ok(None);
    }
    let meta = match change.to.rules().era {
        Era::Legacy => Amend::new().drop_if(is_modern_only),
        Era::Modern => Amend::new().drop(RELATED_TASK),
    };
    let meta = match change.subscription {
        Subscription::Keep => meta,
        Subscription::Remove => meta.drop(SUBSCRIPTION_KEY),
        Subscription::Set(id) => meta.set(SUBSCRIPTION_KEY, id.bytes()),
    };
    let mut params = Amend::new();
    if let Some(token) = change.token {
        params = params.replace("progressToken", token.bytes());
    }
    if let Some(request) = change.request {
        params = params.replace("requestId", request.bytes());
    }
    let mut edits = Edits::new();
    match (message.params(), meta.alone()) {
        (Some(found), _) => params
            .nested("_meta", found, &meta, &mut edits)
            .apply(found, &mut edits),
        (None, Some(made)) => {
            let made = Amend::new().set("_meta", made).alone().unwrap_or_default();
            let top = Amend::new().set("params", made);
            top.apply(message.document().root(), &mut edits);
        }
        (None, None) => {}
    }
    Ok(Some(apply(message.document(), &edits)?))
}
