//! A refusal is a value, not an error: it has a stable code, a control, someone at fault, a reason
//! and a way to get it right.

use crate::Control;
use serde::Serialize;
use std::borrow::Cow;
use std::time::Duration;

/// Whose fault something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Whoever sent the message.
    Caller,
    /// Whoever runs this Ringwall.
    Operator,
    /// The MCP server behind it, or an identity provider.
    Upstream,
    /// Ringwall itself.
    Us,
}

/// Why a message goes no further. Every field is safe to show to the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Stable and machine-readable, such as `token_audience`.
    pub code: &'static str,
    /// The control that refused.
    pub control: Control,
    /// Whose fault it is.
    pub fault: Fault,
    /// One lower-case line, user text in backticks, no secrets.
    pub reason: Cow<'static, str>,
    /// What to do to get it right.
    pub remedy: Cow<'static, str>,
    /// When the same message may succeed, if waiting helps.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_milliseconds"
    )]
    pub retry_after: Option<Duration>,
}

fn as_milliseconds<S: serde::Serializer>(
    value: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(wait) => serializer.serialize_u64(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        None => serializer.serialize_none(),
    }
}
