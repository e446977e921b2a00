//! The answer of policy. A decision is a value that can be recorded: it says what decided it.
//!
//! It never says yes because something went wrong.

use crate::lift::Lift;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Some permit is satisfied, no forbid is, and nothing went wrong.
    Allow,
    /// Anything else.
    Deny,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Yes or no.
    pub verdict: Verdict,
    /// The ids of the policies that decided it, in alphabetical order: the satisfied permits of an
    /// allow, the satisfied forbids of a deny. Empty for a deny because nothing permitted it.
    pub determining: Vec<Arc<str>>,
    /// What went wrong on the way. Anything here is a deny.
    pub errors: Vec<String>,
    /// What would turn this deny into an allow, all of it together, in the order in which it is to be
    /// fulfilled. Only there if it really would: every determining forbid can be lifted, and a permit
    /// is satisfied.
    pub lifts: Vec<Lift>,
    /// The `@reason` of the first determining forbid that has one. Written by the policy's author
    /// for the caller to read.
    pub reason: Option<Arc<str>>,
}

impl Decision {
    pub(crate) fn failed(errors: Vec<String>) -> Self {
        Decision {
            verdict: Verdict::Deny,
            determining: Vec::new(),
            errors,
            lifts: Vec::new(),
            reason: None,
        }
    }

    /// Whether the answer is yes.
    pub fn allows(&self) -> bool {
        self.verdict == Verdict::Allow
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
        })
    }
}
