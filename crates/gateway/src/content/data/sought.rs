//! What is looked for at all: what the operator ignores is not searched for, and where nothing is left
//! nobody looks. What is ignored hides nothing else that stands at its place.

use crate::content::Toward;
use config::settled::{self, DataAction, DataHandling};
use inspect::data::{Kind, Rule};
use std::collections::BTreeSet;

/// What is passed by in one direction: what everybody ignores whose settings count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ignored(Vec<One>);

/// What one ignores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct One {
    secrets: bool,
    personal: bool,
    /// Labels with which it is the other way round.
    but: BTreeSet<String>,
}

impl Ignored {
    /// What the operator ignores on this way, by all of these settings.
    pub(super) fn of<'s>(all: impl Iterator<Item = &'s settled::Data>, toward: Toward) -> Ignored {
        let mut ignored = Vec::new();
        for settled in all {
            let one = One::of(settled, toward);
            if one == One::default() {
                // Nothing is ignored by everybody.
                return Ignored::default();
            }
            if !ignored.contains(&one) {
                ignored.push(one);
            }
        }
        Ignored(ignored)
    }

    /// Whether nobody asks for what a rule finds.
    pub(super) fn passes(&self, rule: &Rule) -> bool {
        !self.0.is_empty() && self.0.iter().all(|one| one.passes(rule))
    }
}

impl One {
    fn of(settled: &settled::Data, toward: Toward) -> One {
        let is_ignored =
            |handling: &DataHandling| toward.side(handling) == Some(DataAction::Ignore);
        let mut one = One {
            secrets: is_ignored(&settled.secrets),
            personal: is_ignored(&settled.personal),
            but: BTreeSet::new(),
        };
        for (label, handling) in &settled.rules {
            let (Some(action), Some(kind)) = (toward.side(handling), Kind::of(label)) else {
                continue;
            };
            if (action == DataAction::Ignore) != one.kind(kind) {
                one.but.insert(label.clone());
            }
        }
        one
    }

    fn kind(&self, kind: Kind) -> bool {
        match kind {
            Kind::Personal => self.personal,
            Kind::Secret => self.secrets,
        }
    }

    fn passes(&self, rule: &Rule) -> bool {
        self.kind(rule.kind) != self.but.contains(&*rule.label)
    }
}
