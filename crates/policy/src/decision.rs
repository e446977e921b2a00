//! The answer of policy. A decision is a value that can be recorded: it says what decided it.
//!
//! It never says yes because something went wrong.

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
    /// What would turn this deny into an allow. Only there if it really would: every determining
    /// forbid can be lifted, and a permit is satisfied.
    pub lift: Option<Lift>,
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
            lift: None,
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

/// What lifts a forbid. Written as `@lift("approval")` or, with a detail, `@lift("step_up: mfa")`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lift {
    /// Somebody approves exactly this call. The detail says who may, in the operator's words.
    Approval(String),
    /// The caller proves more about themselves. The detail says what, such as an `acr` value.
    StepUp(String),
}

impl Lift {
    /// Reads the annotation, or nothing if it is not one of the two words.
    pub(crate) fn parse(annotation: &str) -> Option<Self> {
        let (word, detail) = match annotation.split_once(':') {
            Some((word, detail)) => (word.trim(), detail.trim()),
            None => (annotation.trim(), ""),
        };
        match word {
            "approval" => Some(Lift::Approval(detail.to_owned())),
            "step_up" => Some(Lift::StepUp(detail.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Lift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, detail) = match self {
            Lift::Approval(detail) => ("approval", detail),
            Lift::StepUp(detail) => ("step_up", detail),
        };
        match detail.as_str() {
            "" => f.write_str(word),
            detail => write!(f, "{word}: {detail}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lifts_with_and_without_detail() {
        for (written, expected) in [
            ("step_up", Some(Lift::StepUp(String::new()))),
            ("step_up: phr", Some(Lift::StepUp("phr".into()))),
            ("approval:owners", Some(Lift::Approval("owners".into()))),
            ("approve", None),
            ("", None),
        ] {
            assert_eq!(Lift::parse(written), expected, "{written}");
        }
    }
}
