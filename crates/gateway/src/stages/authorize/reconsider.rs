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
    let (inspected, now, hold) = into_parts(decide(gate, inspected, draft)?);
    let Some(servers) = left(&before, now) else {
        let outward = inspected.outward().unwrap_or_default();
        return Err(refused::denied(Action::Use.name(), outward, None));
    };
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

/// The servers that it may still go to, of those it could go to before; nothing if it could, and can no more.
fn left(before: &[usize], mut now: Vec<usize>) -> Option<Vec<usize>> {
    now.retain(|server| before.contains(server));
    (before.is_empty() || !now.is_empty()).then_some(now)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::Still;
    use serde_json::json;

    #[tokio::test]
    async fn n5_1_what_was_decided_before_is_not_recorded_of_a_call_that_is_denied_now() {
        let still = Still::with("").await;
        let (inspected, mut draft) = still.inspected("tools/list", json!({})).await;
        draft.policy = Some(Verdict {
            policies: Arc::clone(&still.gate().policies()),
            decision: Arc::new(Decision {
                verdict: policy::Verdict::Allow,
                determining: vec!["everybody".into()],
                errors: Vec::new(),
                lifts: Vec::new(),
                reason: None,
            }),
        });
        let before = Decided::Permitted(Permitted {
            inspected: inspected.unwrap(),
            servers: vec![0],
        });
        // No policy permits anything by now.
        let refused = reconsider(still.gate(), before, &mut draft).unwrap_err();
        assert_eq!(refused.refusal.code, "policy_denied");
        assert!(!draft.policy.unwrap().decision.allows());
    }

    #[test]
    fn n1_3_what_is_heard_adds_no_server() {
        for (before, now, expected) in [
            (&[1, 2][..], &[1, 2][..], Some(&[1, 2][..])),
            (&[1, 2], &[2], Some(&[2])),
            (&[1], &[1, 2], Some(&[1])),
            (&[1, 2], &[2, 3], Some(&[2])),
            (&[1], &[2], None),
            (&[1, 2], &[], None),
            // What goes to no server goes to none.
            (&[], &[], Some(&[])),
            (&[], &[1], Some(&[])),
        ] {
            let left = left(before, now.to_vec());
            assert_eq!(left.as_deref(), expected, "{before:?} {now:?}");
        }
    }

    #[tokio::test]
    async fn n1_3_what_either_decision_asks_for_is_asked_for_once() {
        let still = Still::with("").await;
        let policies = still.gate().policies();
        let lift = |name: &&str| Lift::Approval((*name).to_owned());
        let lifts = |names: &[&str]| names.iter().map(lift).collect::<Vec<_>>();
        let hold = |names: &[&str]| Hold {
            policies: Arc::clone(&policies),
            decision: Arc::new(Decision {
                verdict: policy::Verdict::Deny,
                determining: Vec::new(),
                errors: Vec::new(),
                lifts: lifts(names),
                reason: None,
            }),
            lifted: lifts(names),
        };
        for (now, before, expected) in [
            (None, None, None),
            (Some(&["a"][..]), None, Some(&["a"][..])),
            (None, Some(&["b"][..]), Some(&["b"])),
            (Some(&["a"]), Some(&["a"]), Some(&["a"])),
            (Some(&["a"]), Some(&["b"]), Some(&["a", "b"])),
            (Some(&["a", "b"]), Some(&["b", "c"]), Some(&["a", "b", "c"])),
            (Some(&[]), Some(&["b"]), Some(&["b"])),
        ] {
            let found = both(before.map(hold), now.map(hold));
            let found = found.map(|it| (it.decision.lifts.clone(), it.lifted));
            let expected = expected.map(|names| (lifts(names), lifts(names)));
            assert_eq!(found, expected, "{now:?} {before:?}");
        }
    }
}
