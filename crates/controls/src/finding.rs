//! What a check saw. A finding is an observation with a place; it never decides anything.
//!
//! A finding is a fact: whoever looks again finds the same. What a detector merely thinks of a text
//! is a [`Score`](crate::Score), and never a finding.

use crate::Control;
use serde::Serialize;
use std::borrow::Cow;

/// How much a finding matters, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth keeping, worth nobody's time.
    Info,
    /// Unusual.
    Low,
    /// Suspicious on its own.
    Medium,
    /// Almost never harmless.
    High,
    /// Never harmless.
    Critical,
}

impl Severity {
    /// The name, as records have it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// What was done about a finding before anyone decided anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// What was too much of it was taken off.
    Cut,
    /// It was rewritten so that nothing runs it; it can still be read.
    Neutralise,
    /// A word that says what it was stands in its place.
    Redact,
    /// The whole message was refused because of it.
    Refuse,
    /// The offending part was taken out.
    Remove,
    /// Nothing but telling: policy may act on it.
    Report,
    /// A token stands in its place, which only Ringwall can turn back.
    Tokenise,
}

impl Action {
    /// The name, as records have it.
    pub fn name(self) -> &'static str {
        match self {
            Action::Cut => "cut",
            Action::Neutralise => "neutralise",
            Action::Redact => "redact",
            Action::Refuse => "refuse",
            Action::Remove => "remove",
            Action::Report => "report",
            Action::Tokenise => "tokenise",
        }
    }
}

/// One observation of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The control whose check saw it.
    pub control: Control,
    /// The stable name of the rule, such as `hidden_text.tags`.
    pub rule: Cow<'static, str>,
    /// How much it matters.
    pub severity: Severity,
    /// Where it is: a JSON Pointer (RFC 6901) into the message.
    pub place: Cow<'static, str>,
    /// How often it was seen there.
    pub count: u32,
    /// What was done about it.
    pub action: Action,
}
