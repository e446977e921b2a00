//! Why a provider said nothing. What it would have said is unknown, and never taken for harmless;
//! whether a message goes on without it is declared by the operator.

use super::answer::Malformed;
use crate::breaker::Resting;
use controls::Fault;
use std::time::Duration;

/// Why nothing was said. The words name no host and repeat nothing that was sent or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// It does not let the gateway in.
    #[error("it turned the gateway's credential down (status {status})")]
    Denied {
        /// The HTTP status.
        status: u16,
    },
    /// It failed.
    #[error("it failed (status {status})")]
    Failed {
        /// The HTTP status.
        status: u16,
    },
    /// No token for it could be had.
    #[error("no token for it could be had")]
    Ignorant,
    /// Its time is over.
    #[error("no answer in time")]
    Late,
    /// Too much was asked of it lately.
    #[error("it takes no more requests for now")]
    Limited {
        /// When it does again.
        retry_after: Duration,
    },
    /// The text is longer than may be sent to it.
    #[error("the text has more characters than are sent to it")]
    Long,
    /// What it said is none of its answers.
    #[error("its answer is malformed: {what}")]
    Malformed {
        /// What is missing or wrong.
        what: &'static str,
    },
    /// It did not take the request.
    #[error("it did not take the request (status {status})")]
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// It was not reachable lately.
    #[error("it failed again and again; the next attempt is in {} s", retry_after.as_secs())]
    Resting {
        /// When somebody tries again.
        retry_after: Duration,
    },
    /// There was no connection, or it broke.
    #[error("it could not be reached")]
    Unreachable,
}

impl Silence {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Silence::Denied { .. } | Silence::Ignorant => Fault::Operator,
            Silence::Long => Fault::Caller,
            _ => Fault::Upstream,
        }
    }

    /// When it is worth to ask again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Silence::Limited { retry_after } | Silence::Resting { retry_after } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }
}

impl From<Malformed> for Silence {
    fn from(malformed: Malformed) -> Self {
        Silence::Malformed { what: malformed.0 }
    }
}

impl From<Resting> for Silence {
    fn from(resting: Resting) -> Self {
        Silence::Resting {
            retry_after: resting.retry_after,
        }
    }
}
