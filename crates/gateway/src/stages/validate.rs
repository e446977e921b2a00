//! Whether the arguments fit the schema of the very definition that was approved (control 1.2), as they
//! are sent: with what tokens stand for, where the server may have that.

mod revealed;

use crate::stages::draft::{Draft, Stage};
use crate::stages::identify;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Resolved, Subject};
use protocol::{Edits, Message};
use revealed::Revealed;
use serde_json::{Map, Value};
use std::ops::Deref;

/// A call whose arguments fit.
#[derive(Debug)]
pub struct Valid {
    resolved: Resolved,
    arguments: Option<Map<String, Value>>,
    revealed: Option<Revealed>,
}

impl Valid {
    /// The arguments of the message as it is now, for policy: tokens are tokens.
    pub fn arguments(&self) -> Option<&Map<String, Value>> {
        self.arguments.as_ref()
    }

    /// The arguments as the server gets them.
    pub(super) fn sent(&self) -> Option<&Map<String, Value>> {
        match &self.revealed {
            Some(revealed) => revealed.arguments.as_ref().and_then(Value::as_object),
            None => self.arguments(),
        }
    }

    /// The message as the server gets it.
    pub(super) fn outgoing(&self) -> Option<&Message> {
        match &self.revealed {
            Some(revealed) => Some(revealed.message()),
            None => self.message(),
        }
    }

    /// The call as the server gets it, where that is another one.
    pub(super) fn revealed(&self) -> Option<&Revealed> {
        self.revealed.as_ref()
    }

    /// Takes something out of the message. The schema held for other text: it has to hold for what is left
    /// too.
    pub(super) fn clean(&mut self, edits: &Edits) -> Result<(), Refused> {
        self.resolved.clean(edits)?;
        (self.arguments, self.revealed) = fit(&self.resolved)?;
        Ok(())
    }
}

impl Deref for Valid {
    type Target = Resolved;

    fn deref(&self) -> &Resolved {
        &self.resolved
    }
}

/// Parses the arguments once and holds them against the schema.
pub fn check(resolved: Resolved, draft: &mut Draft) -> Result<Valid, Refused> {
    let (arguments, revealed) = fit(&resolved)?;
    mirrored(&resolved, draft)?;
    draft.done(Stage::Validate);
    match resolved.subject() {
        Subject::Tool(_) => draft.ran(controls::N1_2),
        _ => draft.skipped(controls::N1_2, "no tool is called"),
    }
    Ok(Valid {
        resolved,
        arguments,
        revealed,
    })
}

/// Whether the headers that repeat arguments say what the arguments say (rule H10).
fn mirrored(resolved: &Resolved, draft: &mut Draft) -> Result<(), Refused> {
    let Some(tool) = resolved.tool().filter(|tool| !tool.mirror.is_empty()) else {
        return Ok(());
    };
    if !resolved.is_modern() || !resolved.raw().has_headers() {
        return Ok(());
    }
    let params = resolved.message().and_then(Message::params);
    let arguments = params.and_then(|params| params.get("arguments"));
    let right = tool.mirror.headers(arguments).unwrap_or_default();
    let sent = |name: &str| resolved.raw().sent(name);
    let mismatches = identify::mismatches(&right, sent, |sent| tool.mirror.check(arguments, sent));
    let mut mismatches = mismatches.iter();
    mismatches
        .try_for_each(|mismatch| identify::forgiven(resolved, resolved.caller(), mismatch, draft))
}

/// The arguments of the message, and the call as it is sent where that is another one.
type Fit = (Option<Map<String, Value>>, Option<Revealed>);

/// The arguments, if what is sent of them fits the schema.
fn fit(resolved: &Resolved) -> Result<Fit, Refused> {
    let written = resolved.message().map_or(Ok(None), parsed)?;
    let revealed = revealed::reveal(resolved)?;
    let sent = revealed.as_ref().map_or(&written, |it| &it.arguments);
    if let Subject::Tool(tool) = resolved.subject() {
        let none = Value::Object(Map::new());
        let content = resolved.raw().route().content(resolved.served());
        let hush = |name: &str| content.hush(name);
        let sent = sent.as_ref().unwrap_or(&none);
        let checked = tool.input.check_hushed(sent, &hush);
        checked.map_err(|violations| refused::arguments(violations.to_string()))?;
    }
    match written {
        None => Ok((None, revealed)),
        Some(Value::Object(arguments)) => Ok((Some(arguments), revealed)),
        Some(_) => Err(refused::arguments(
            "`params.arguments` is not an object".to_owned(),
        )),
    }
}

/// The arguments of a message, parsed.
fn parsed(message: &Message) -> Result<Option<Value>, Refused> {
    let written = message.params().and_then(|params| params.get("arguments"));
    // INVARIANT: the strict reader accepted these bytes, so they parse; it refuses what parsers
    // read differently, so this reading is everybody's.
    let parsed = written.map(|value| serde_json::from_slice(value.raw()));
    parsed
        .transpose()
        .map_err(|error| refused::arguments(format!("the arguments do not parse: {error}")))
}
