//! The call as its server gets it: with what its tokens stand for, where the server may have that. This is
//! what is held against schemas, meanings and bounds, and what is sent. Policies, approvals, detectors and
//! records have the tokens, and nothing here is shown to them.

use crate::content;
use crate::stages::draft::Draft;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Place, Resolved};
use controls::Finding;
use protocol::{Document, Message};
use serde_json::Value;
use std::fmt;

/// A call whose tokens are turned back.
pub(in crate::stages) struct Revealed {
    message: Message,
    /// Its arguments, if it has any.
    pub(super) arguments: Option<Value>,
    findings: Vec<Finding>,
}

impl Revealed {
    /// What is sent, for whoever judges it.
    pub(super) fn message(&self) -> &Message {
        &self.message
    }

    /// What is sent, which is written down as having been turned back.
    pub(in crate::stages) fn sent(&self, draft: &mut Draft) -> &Message {
        for finding in &self.findings {
            content::keep(&mut draft.findings, finding.clone());
        }
        &self.message
    }
}

/// Says that there is one, and never what is in it.
impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revealed")
    }
}

/// The call with its tokens turned back; nothing if there is none that its server may have.
pub(super) fn reveal(resolved: &Resolved) -> Result<Option<Revealed>, Refused> {
    let (Some(message), Place::One(..)) = (resolved.message(), resolved.place()) else {
        return Ok(None);
    };
    let route = resolved.raw().route();
    let looked = route.content(resolved.served()).reveal(message.document());
    if looked.edits.is_empty() {
        return Ok(None);
    }
    let bytes = message.document().apply(&looked.edits);
    let bytes = bytes.map_err(|_| refused::crashed())?;
    // Whatever bounds a message bounds this one: a token may stand for more than it is long.
    let message = Document::read(bytes, &route.reading).and_then(Message::read);
    let message = message.map_err(|flaw| refused::malformed(&flaw))?;
    let arguments = super::parsed(&message)?;
    Ok(Some(Revealed {
        message,
        arguments,
        findings: looked.findings,
    }))
}
