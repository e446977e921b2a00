//! From satisfied policies to a decision.

use super::Rule;
use crate::decision::{Decision, Verdict};
use crate::lift::Lift;
use std::sync::Arc;

/// The satisfied policies, by their place among the rules, and what went wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Votes {
    pub(crate) forbids: Vec<usize>,
    pub(crate) permits: Vec<usize>,
    pub(crate) errors: Vec<String>,
}

impl Votes {
    pub(crate) fn add(&mut self, more: Votes) {
        self.forbids.extend(more.forbids);
        self.permits.extend(more.permits);
        self.errors.extend(more.errors);
    }

    /// Whether it is a deny, whatever else is said, and nothing lifts it.
    pub(crate) fn are_final(&self, rules: &[Rule]) -> bool {
        let mut forbids = chosen(&self.forbids, rules);
        !self.errors.is_empty() || forbids.any(|rule| rule.lift.is_none())
    }

    /// The decision, when what `lifted` says has been fulfilled for exactly this call.
    pub(crate) fn settle(mut self, rules: &[Rule], lifted: &[Lift]) -> Decision {
        let mut forbids: Vec<&Rule> = chosen(&self.forbids, rules).collect();
        let mut permits: Vec<&Rule> = chosen(&self.permits, rules).collect();
        if !self.errors.is_empty() {
            self.errors.sort_unstable();
            return Decision {
                determining: ids(&mut forbids),
                ..Decision::failed(self.errors)
            };
        }
        forbids.retain(|rule| !rule.lift.as_ref().is_some_and(|lift| lifted.contains(lift)));
        if forbids.is_empty() {
            let verdict = match permits.is_empty() {
                true => Verdict::Deny,
                false => Verdict::Allow,
            };
            return Decision {
                verdict,
                determining: ids(&mut permits),
                ..Decision::failed(Vec::new())
            };
        }
        Decision {
            determining: ids(&mut forbids),
            lifts: match permits.is_empty() {
                true => Vec::new(),
                false => lifts(&forbids).unwrap_or_default(),
            },
            reason: forbids.iter().find_map(|rule| rule.reason.clone()),
            ..Decision::failed(Vec::new())
        }
    }
}

fn chosen<'a>(places: &'a [usize], rules: &'a [Rule]) -> impl Iterator<Item = &'a Rule> {
    places.iter().filter_map(|place| rules.get(*place))
}

/// What has to be fulfilled, if every forbid can be lifted: each once, in its turn.
fn lifts(forbids: &[&Rule]) -> Option<Vec<Lift>> {
    let lifts: Option<Vec<Lift>> = forbids.iter().map(|rule| rule.lift.clone()).collect();
    let mut lifts = lifts?;
    lifts.sort_unstable_by(|a, b| (a.turn(), a).cmp(&(b.turn(), b)));
    lifts.dedup();
    Some(lifts)
}

/// Their ids in alphabetical order. A policy found twice counts once.
fn ids(rules: &mut Vec<&Rule>) -> Vec<Arc<str>> {
    rules.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    rules.dedup_by(|a, b| a.id == b.id);
    rules.iter().map(|rule| Arc::clone(&rule.id)).collect()
}
