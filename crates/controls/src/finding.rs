//! What a check saw. A finding is an observation with a place; it never decides anything.

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
    /// The whole message was refused because of it.
    Refuse,
    /// The offending part was taken out.
    Remove,
    /// Nothing but telling: policy may act on it.
    Report,
}

impl Action {
    /// The name, as records have it.
    pub fn name(self) -> &'static str {
        match self {
            Action::Refuse => "refuse",
            Action::Remove => "remove",
            Action::Report => "report",
        }
    }
}

/// One observation of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The control whose check saw it.
    pub control: Control,
    /// The stable name of the rule, such as `hidden_text.tags`.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where it is: a JSON Pointer (RFC 6901) into the message.
    pub place: Cow<'static, str>,
    /// How often it was seen there.
    pub count: u32,
    /// What was done about it.
    pub action: Action,
}
