//! Calls that wait, for administrators: the operator of the machine decides about all of them, as with
//! `ringwall approvals`; somebody who is signed in about those that policies let them approve, as on the page.
//! A role of administration alone approves nothing.

use super::entry::{By, Decision, Progress, Verdict};
use super::keep;
use super::listed::Listed;
use super::places::{self, May};
use super::register::RegisterError;
use crate::gate::Gate;
use crate::people::Person;
use crate::state::StateError;
use std::sync::Arc;

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Yes.
    Approve,
    /// No, for this reason.
    Decline(String),
}

/// Who says it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who<'a> {
    /// The user that the gateway runs as.
    Operator(&'a str),
    /// Somebody who is signed in with a browser.
    Person(&'a Person),
}

/// Why it does not count.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SayError {
    /// Policies do not let them.
    #[error("no policy lets you decide about this call")]
    Denied,
    /// Policies would, if they had shown more.
    #[error("policies let you approve this call once you have signed in more strongly")]
    Weak,
    /// It does not count, or cannot be kept.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl Said {
    /// What comes of it for somebody who may do so much, if they may do it at all.
    pub(super) fn verdict(self, may: &May) -> Option<Verdict> {
        match self {
            Said::Approve if !may.needs.is_empty() => Some(Verdict::Approve(may.needs.clone())),
            Said::Decline(why) if may.declines() => Some(Verdict::Decline(why)),
            Said::Approve | Said::Decline(_) => None,
        }
    }
}

/// Every call that waits, is approved or was declined; or one of them, with its values.
pub(crate) async fn listed(gate: &Gate, id: Option<&str>) -> Result<Vec<Listed>, StateError> {
    let now_ms = gate.clock().unix_ms();
    let register = &gate.approvals.register;
    if let Some(id) = id {
        let entry = register.entry(id, now_ms).await?;
        return Ok(entry.iter().map(|it| Listed::whole(it, now_ms)).collect());
    }
    let entries = register.entries(now_ms).await?;
    let listed = entries.iter().map(|entry| Listed::of(entry, now_ms));
    Ok(listed
        .filter(|one| one.state != Progress::Expired)
        .collect())
}

/// Takes up what somebody says of the call that was asked for at this moment, and returns it as it is then.
pub(crate) async fn say(
    gate: &Arc<Gate>,
    who: Who<'_>,
    (id, seen_ms): (&str, u64),
    said: Said,
) -> Result<Listed, SayError> {
    let now_ms = gate.clock().unix_ms();
    let register = &gate.approvals.register;
    let entry = register.entry(id, now_ms).await;
    let entry = entry.map_err(RegisterError::from)?;
    let entry = entry.ok_or(RegisterError::Unknown)?;
    let (by, verdict) = match who {
        Who::Operator(name) => {
            let needs = (0..entry.needs.len()).collect();
            let verdict = match said {
                Said::Approve => Verdict::Approve(needs),
                Said::Decline(why) => Verdict::Decline(why),
            };
            (By::operator(name.to_owned()), verdict)
        }
        Who::Person(person) => {
            let may = places::may(gate, person, &entry);
            let verdict = said.verdict(&may);
            let why = match may.is_too_weak() {
                true => SayError::Weak,
                false => SayError::Denied,
            };
            (places::by(person), verdict.ok_or(why)?)
        }
    };
    let decision = Decision {
        verdict,
        by,
        seen_ms: Some(seen_ms),
    };
    let decided = register.decide(id, &decision, now_ms).await?;
    keep::written(gate).await;
    Ok(Listed::whole(&decided, now_ms))
}

impl SayError {
    /// Whether it was said of a call that is none, or is over.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, SayError::Register(RegisterError::Unknown))
    }

    /// Whether it does not count, which is nobody's fault but that of whoever says it.
    pub(crate) fn is_decision(&self) -> bool {
        matches!(self, SayError::Register(RegisterError::Decision(_)))
    }
}
