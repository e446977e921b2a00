//! What can go wrong on the way to a server, and whose fault it is.

use crate::egress::EgressError;
use controls::Fault;
use std::time::Duration;
use thiserror::Error;

/// Why a server gave no usable answer. Messages are safe to log; they hold nothing of a caller and
/// no text that a server chose.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UpstreamError {
    #[error("the server's session came back with protocol version `{now}` instead of `{before}`")]
    Changed { before: String, now: String },
    #[error("the session on the server is closed")]
    Closed,
    #[error("the server answered with content type `{found}`")]
    Content { found: String },
    #[error("the server's process ended: {reason}")]
    Crashed { reason: String },
    #[error("the server does not accept the gateway's credential (status {status})")]
    Credential { status: u16 },
    #[error("the server did not answer in time")]
    Deadline,
    #[error("the server declined to open a session (code {code})")]
    Declined { code: i64 },
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error("the server ended the stream before its answer")]
    Ended,
    #[error("too many {what} for this server")]
    Full { what: &'static str },
    #[error("the session already listens to this server")]
    Listening,
    #[error("the server's answer is malformed: {reason}")]
    Malformed { reason: String },
    #[error("the message to the server is malformed: {reason}")]
    Message { reason: String },
    #[error("the server redirects (status {status}); redirects are never followed")]
    Redirected { status: u16 },
    #[error("the server was not reachable lately; the next attempt is in {} s", retry_after.as_secs())]
    Resting { retry_after: Duration },
    #[error("the server chose protocol version `{found}`, which opens no session")]
    Revision { found: String },
    #[error("the server forgot the session, and again after it was opened anew")]
    SessionLost,
    #[error("the server cannot be set up: {reason}")]
    Settings { reason: String },
    #[error("the server's process cannot be started: {reason}")]
    Start { reason: String },
    #[error("the server answered with status {status}")]
    Status { status: u16 },
    #[error("the server's answer is larger than {max} bytes")]
    TooLarge { max: usize },
}

impl UpstreamError {
    /// Stable and machine-readable.
    pub fn code(&self) -> &'static str {
        match self {
            UpstreamError::Changed { .. } => "upstream_changed",
            UpstreamError::Closed => "upstream_closed",
            UpstreamError::Content { .. } => "upstream_content_type",
            UpstreamError::Crashed { .. } => "upstream_crashed",
            UpstreamError::Credential { .. } => "upstream_credential",
            UpstreamError::Deadline | UpstreamError::Egress(EgressError::Deadline) => {
                "upstream_timeout"
            }
            UpstreamError::Declined { .. } => "upstream_declined",
            UpstreamError::Egress(error) if error.is_unsent() => "upstream_unreachable",
            UpstreamError::Egress(_) => "upstream_broken",
            UpstreamError::Ended => "upstream_ended",
            UpstreamError::Full { .. } => "upstream_full",
            UpstreamError::Listening => "upstream_listening",
            UpstreamError::Malformed { .. } => "upstream_malformed",
            UpstreamError::Message { .. } => "upstream_message",
            UpstreamError::Redirected { .. } => "upstream_redirect",
            UpstreamError::Resting { .. } => "upstream_resting",
            UpstreamError::Revision { .. } => "upstream_revision",
            UpstreamError::SessionLost => "upstream_session_lost",
            UpstreamError::Settings { .. } => "upstream_settings",
            UpstreamError::Start { .. } => "upstream_start",
            UpstreamError::Status { .. } => "upstream_status",
            UpstreamError::TooLarge { .. } => "upstream_too_large",
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            UpstreamError::Credential { .. }
            | UpstreamError::Egress(
                EgressError::Destination(_)
                | EgressError::Forbidden { .. }
                | EgressError::Trust { .. },
            )
            | UpstreamError::Redirected { .. }
            | UpstreamError::Settings { .. }
            | UpstreamError::Start { .. } => Fault::Operator,
            UpstreamError::Full { .. }
            | UpstreamError::Listening
            | UpstreamError::Closed => Fault::Caller,
            UpstreamError::Message { .. } => Fault::Us,
            _ => Fault::Upstream,
        }
    }

    /// When trying again may help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            UpstreamError::Resting { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}
