//! A decision that is taken once more because others have said something of the call since. It can only
//! take away: what was no stays no, what waits for somebody goes on waiting, and no server is added.

use super::{Decided, Permitted, Verdict, decide};
use crate::gate::Gate;
use crate::stages::draft::Draft;
use crate::stages::held::{Held, Hold};
use crate::stages::refused::{self, Refused};
use policy::{Action, Decision, Lift};
use std::sync::Arc;

/// Puts a call before the policies once more, with what was learned of it.
pub(in crate::stages) fn reconsider(
    gate: &Gate,
    decided: Decided,
    draft: &mut Draft,
) -> Result<Decided, Refused> {
    let (inspected, before, waits) = into_parts(decided);
    // What they say now is what is recorded, also if it is no.
    draft.policy = None;
    let (inspected, mut servers, hold) = into_parts(decide(gate, inspected, draft)?);
    servers.retain(|server| before.contains(server));
    if servers.is_empty() && !before.is_empty() {
        let outward = inspected.outward().unwrap_or_default();
        return Err(refused::denied(Action::Use.name(), outward, None));
    }
    let Some(hold) = both(waits, hold) else {
        return Ok(Decided::Permitted(Permitted { inspected, servers }));
    };
    draft.policy = Some(Verdict {
        policies: Arc::clone(&hold.policies),
        decision: Arc::clone(&hold.decision),
    });
    Ok(Decided::Held(Held {
        inspected,
        servers,
        hold,
    }))
}

fn into_parts(decided: Decided) -> (super::Inspected, Vec<usize>, Option<Hold>) {
    match decided {
        Decided::Held(held) => (held.inspected, held.servers, Some(held.hold)),
        Decided::Permitted(permitted) => (permitted.inspected, permitted.servers, None),
    }
}

/// What holds a call that was held before, or is held now: everything that either of them asks for.
fn both(before: Option<Hold>, now: Option<Hold>) -> Option<Hold> {
    let (before, now) = match (before, now) {
        (Some(before), Some(now)) => (before, now),
        (before, now) => return before.or(now),
    };
    let lifts = union(&now.decision.lifts, &before.decision.lifts);
    Some(Hold {
        decision: Arc::new(Decision {
            lifts,
            ..Decision::clone(&now.decision)
        }),
        lifted: union(&now.lifted, &before.lifted),
        policies: now.policies,
    })
}

fn union(these: &[Lift], those: &[Lift]) -> Vec<Lift> {
    let more = those.iter().filter(|lift| !these.contains(lift));
    these.iter().chain(more).cloned().collect()
}
