//! What can go wrong on the way to a server, and whose fault it is.

use crate::breaker::Resting;
use crate::credential::Need;
use crate::egress::EgressError;
use controls::Fault;
use identity::Authentication;
use identity::client::ClientError;
use protocol::Era;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Why a server gave no usable answer. The message is safe to show to a caller: it names no host, no
/// address, no path, and repeats no text that a server chose. What the operator needs besides is in
/// [`UpstreamError::detail`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UpstreamError {
    #[error("the server wants its caller to log in more strongly, or again")]
    Authentication(Arc<Authentication>),
    #[error("the messages of the server come faster than they are read")]
    Behind,
    #[error("the server's session came back with protocol version `{now}` instead of `{before}`")]
    Changed { before: String, now: String },
    #[error("the session on the server is closed")]
    Closed,
    #[error("the server has to be connected by its user first")]
    Connect(Arc<Need>),
    #[error("the server answered with a content type that is none of the protocol's")]
    Content { found: String },
    #[error("the server's process ended: {reason}")]
    Crashed { reason: String },
    #[error("the server does not accept the gateway's credential (status {status})")]
    Credential { status: u16 },
    #[error("the server did not answer in time")]
    Deadline,
    #[error("the server declined to open a session (code {code})")]
    Declined { code: i64 },
    #[error("{}", told(.0))]
    Egress(#[from] EgressError),
    #[error("the server ended the stream before its answer")]
    Ended,
    #[error("the server said more than {max} things and no answer")]
    Endless { max: u32 },
    #[error("the server wants its messages sent where it must not")]
    Endpoint { reason: String },
    #[error("the server does not speak the {} era of the protocol", called(*.era))]
    Era { era: Era },
    #[error(
        "the server speaks only revision `{spoken}`, older than `{floor}`, the oldest this route allows"
    )]
    Floor {
        spoken: &'static str,
        floor: &'static str,
    },
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
    #[error("the server offers no protocol version that can be used")]
    Revision { found: String },
    #[error("the server forgot the session, and again after it was opened anew")]
    SessionLost,
    #[error("the server cannot be set up: {reason}")]
    Settings { reason: String },
    #[error("the server's process cannot be started")]
    Start { reason: String },
    #[error("the server answered with status {status}")]
    Status { status: u16 },
    #[error("the server wants a token that can only be got while a call of its user is under way")]
    Subject,
    #[error("no token for the server could be had ({})", error.code())]
    Token { error: ClientError },
    #[error("the server's answer is larger than {max} bytes")]
    TooLarge { max: usize },
}

impl From<Resting> for UpstreamError {
    fn from(resting: Resting) -> Self {
        UpstreamError::Resting {
            retry_after: resting.retry_after,
        }
    }
}

impl UpstreamError {
    /// Whether the upstream session or era is of no more use, and a fresh one may be.
    pub fn is_of_the_past(&self) -> bool {
        matches!(
            self,
            UpstreamError::Changed { .. }
                | UpstreamError::Closed
                | UpstreamError::Era { .. }
                | UpstreamError::SessionLost
        )
    }

    /// Stable and machine-readable.
    pub fn code(&self) -> &'static str {
        match self {
            UpstreamError::Authentication(wanted) => match wanted.claims() {
                Some(_) => "upstream_claims",
                None => "upstream_authentication",
            },
            UpstreamError::Behind => "upstream_behind",
            UpstreamError::Changed { .. } => "upstream_changed",
            UpstreamError::Closed => "upstream_closed",
            UpstreamError::Connect(_) => "connection_needed",
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
            UpstreamError::Endless { .. } => "upstream_endless",
            UpstreamError::Endpoint { .. } => "upstream_endpoint",
            UpstreamError::Era { .. } => "upstream_era",
            UpstreamError::Floor { .. } => "server_version_floor",
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
            UpstreamError::Subject => "upstream_subject",
            UpstreamError::Token { error } => error.code(),
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
            UpstreamError::Authentication(_)
            | UpstreamError::Closed
            | UpstreamError::Connect(_)
            | UpstreamError::Full { .. }
            | UpstreamError::Listening
            | UpstreamError::Subject => Fault::Caller,
            UpstreamError::Token { error } => error.fault(),
            UpstreamError::Message { .. } => Fault::Us,
            _ => Fault::Upstream,
        }
    }

    /// The whole story, for the operator: logs and records, never an answer to a caller.
    pub fn detail(&self) -> String {
        match self {
            UpstreamError::Authentication(wanted) => format!("{self}: {wanted}"),
            UpstreamError::Egress(error) => error.to_string(),
            UpstreamError::Content { found } | UpstreamError::Revision { found } => {
                format!("{self}: `{}`", found.escape_debug())
            }
            UpstreamError::Token { error } => format!("{self}: {error}"),
            UpstreamError::Start { reason } | UpstreamError::Endpoint { reason } => {
                format!("{self}: {}", reason.escape_debug())
            }
            _ => self.to_string(),
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

fn called(era: Era) -> &'static str {
    match era {
        Era::Legacy => "legacy",
        Era::Modern => "modern",
    }
}

/// What a caller may know of a failure on the network.
fn told(error: &EgressError) -> &'static str {
    match error {
        EgressError::Deadline => "the server did not answer in time",
        EgressError::TooLarge { .. } => "the server's answer is too large",
        _ if error.is_unsent() => "the server cannot be reached",
        _ => "the connection to the server broke",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_caller_nothing_of_the_network_and_the_operator_all() {
        let host = "files.internal".to_owned();
        let secret = "10.1.2.3 /srv/bin".to_owned();
        for error in [
            UpstreamError::Egress(EgressError::Unreachable {
                host,
                reason: secret.clone(),
            }),
            UpstreamError::Egress(EgressError::Broken {
                reason: secret.clone(),
            }),
            UpstreamError::Start {
                reason: secret.clone(),
            },
            UpstreamError::Endpoint {
                reason: secret.clone(),
            },
            UpstreamError::Content {
                found: secret.clone(),
            },
            UpstreamError::Revision {
                found: secret.clone(),
            },
        ] {
            let told = error.to_string();
            assert!(
                !told.contains("10.1.2.3") && !told.contains("internal"),
                "{told}"
            );
            assert!(error.detail().contains("10.1.2.3"), "{}", error.detail());
        }
    }
}
