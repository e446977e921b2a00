//! Whether the arguments fit the schema of the very definition that was approved (control 1.2).

use crate::stages::draft::{Draft, Stage};
use crate::stages::identify;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Resolved, Subject};
use serde_json::{Map, Value};
use std::ops::Deref;

/// A call whose arguments fit.
#[derive(Debug)]
pub struct Valid {
    resolved: Resolved,
    arguments: Option<Map<String, Value>>,
}

impl Valid {
    /// The arguments as parsed once, for policy.
    pub fn arguments(&self) -> Option<&Map<String, Value>> {
        self.arguments.as_ref()
    }

    pub(super) fn resolved_mut(&mut self) -> &mut Resolved {
        &mut self.resolved
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
    let arguments = arguments(&resolved)?;
    mirrored(&resolved, draft)?;
    draft.done(Stage::Validate);
    match resolved.subject() {
        Subject::Tool(_) => draft.ran(controls::N1_2),
        _ => draft.skipped(controls::N1_2, "no tool is called"),
    }
    Ok(Valid {
        resolved,
        arguments,
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
    let params = resolved.message().and_then(protocol::Message::params);
    let arguments = params.and_then(|params| params.get("arguments"));
    let right = tool.mirror.headers(arguments).unwrap_or_default();
    let sent = |name: &str| resolved.raw().sent(name);
    let mismatches = identify::mismatches(&right, sent, |sent| tool.mirror.check(arguments, sent));
    let mut mismatches = mismatches.iter();
    mismatches
        .try_for_each(|mismatch| identify::forgiven(resolved, resolved.caller(), mismatch, draft))
}

/// The arguments of the message as it is now; called again when an edit changed them.
pub(super) fn arguments(resolved: &Resolved) -> Result<Option<Map<String, Value>>, Refused> {
    let written = resolved
        .message()
        .and_then(|message| message.params()?.get("arguments"));
    let parsed = match written {
        None => Value::Object(Map::new()),
        // INVARIANT: the strict reader accepted these bytes, so they parse; it refuses what parsers
        // read differently, so this reading is everybody's.
        Some(value) => serde_json::from_slice(value.raw())
            .map_err(|error| refused::arguments(format!("the arguments do not parse: {error}")))?,
    };
    if let Subject::Tool(tool) = resolved.subject() {
        tool.input
            .check(&parsed)
            .map_err(|violations| refused::arguments(violations.to_string()))?;
    }
    match parsed {
        Value::Object(arguments) => Ok(written.map(|_| arguments)),
        _ => Err(refused::arguments(
            "`params.arguments` is not an object".to_owned(),
        )),
    }
}
