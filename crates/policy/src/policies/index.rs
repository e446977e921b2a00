//! Policies by what their scopes say, so that a decision looks at those that can match and at no
//! others: what a call costs does not grow with policies about other tools and other people.
//!
//! Scopes are only used to leave out what cannot match; whether a policy matches is Cedar's word.

use super::Rule;
use crate::error::Problem;
use crate::names::{NAMES, target_uid};
use crate::principal::{Principal, Told};
use crate::reads::{Dependence, Reads};
use crate::request::{Action, Kind, Target};
use cedar_policy::{EntityUid, PolicySet, PrincipalConstraint, ResourceConstraint};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Index {
    shelves: [Shelf; Action::ALL.len()],
}

/// The policies that can matter, and why an answer is impossible, if it is.
pub(crate) struct Found {
    pub(crate) parts: Vec<Arc<Part>>,
    pub(crate) unknowns: Vec<String>,
}

/// Policies of one effect, one scope, and one kind of reading.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) effect: Effect,
    pub(crate) weather: Weather,
    pub(crate) set: PolicySet,
    pub(crate) reads: Reads,
}

/// Whether policies read anything of the circumstances of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Changing,
    Steady,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    Forbid,
    Permit,
}

impl Effect {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Effect::Forbid => "forbid",
            Effect::Permit => "permit",
        }
    }
}

/// Policies about one action, by the thing their scope names.
#[derive(Debug, Default)]
struct Shelf {
    any: Callers,
    named: HashMap<EntityUid, Callers>,
}

/// Policies about one thing, by the caller their scope names.
#[derive(Debug, Default)]
struct Callers {
    any: Slice,
    users: HashMap<EntityUid, Slice>,
    groups: HashMap<EntityUid, Slice>,
    /// The forbids among `groups`.
    group_forbids: Vec<Arc<str>>,
}

/// Policies of one scope: forbids before permits, steady before changing.
#[derive(Debug, Default)]
struct Slice {
    parts: Parted,
    /// Those whose conditions ask for groups.
    by_group: Parted,
}

type Parted = [Option<Arc<Part>>; 4];

impl Index {
    pub(crate) fn of(rules: &[Rule]) -> Result<Self, Problem> {
        let mut index = Index::default();
        for rule in rules {
            for (shelf, action) in index.shelves.iter_mut().zip(Action::ALL) {
                if rule.actions.contains(&action) {
                    shelf.add(rule)?;
                }
            }
        }
        Ok(index)
    }

    /// The policies for a caller, who is told of in the terms of Cedar beside.
    pub(crate) fn find(
        &self,
        action: Action,
        target: Target<'_>,
        (principal, told): (&Principal, &Told),
    ) -> Found {
        let mut found = Found {
            parts: Vec::new(),
            unknowns: Vec::new(),
        };
        let shelf = Action::ALL.into_iter().zip(&self.shelves);
        let Some((_, shelf)) = shelf.into_iter().find(|(other, _)| *other == action) else {
            return found;
        };
        shelf.any.find((principal, told), &mut found);
        let server = Target::Server {
            name: target.server(),
        };
        let mut named = |target| {
            if let Some(callers) = shelf.named.get(&target_uid(target)) {
                callers.find((principal, told), &mut found);
            }
        };
        named(server);
        if target != server {
            named(target);
        }
        // Forbids first: one that nothing lifts settles it.
        found.parts.sort_by_key(|part| part.effect);
        found.unknowns.sort_unstable();
        found
    }
}

impl Shelf {
    fn add(&mut self, rule: &Rule) -> Result<(), Problem> {
        let callers = match named_thing(&rule.policy.resource_constraint()) {
            Some(uid) => self.named.entry(uid).or_default(),
            None => &mut self.any,
        };
        callers.add(rule)
    }
}

impl Callers {
    fn add(&mut self, rule: &Rule) -> Result<(), Problem> {
        let slice = match named_caller(&rule.policy.principal_constraint()) {
            NamedCaller::Any => &mut self.any,
            NamedCaller::User(uid) => self.users.entry(uid).or_default(),
            NamedCaller::Group(uid) => {
                if rule.effect == Effect::Forbid {
                    self.group_forbids.push(Arc::clone(&rule.id));
                }
                self.groups.entry(uid).or_default()
            }
        };
        slice.add(rule)
    }

    fn find(&self, (principal, told): (&Principal, &Told), found: &mut Found) {
        self.any.find(principal, found);
        if let Some(slice) = self.users.get(principal.uid()) {
            slice.find(principal, found);
        }
        if !principal.groups_known() {
            // The caller may be in any group: permits by group are not had, and forbids by group
            // cannot be ruled out.
            found
                .unknowns
                .extend(self.group_forbids.iter().map(|id| unknown_groups(id)));
            return;
        }
        // Whichever is shorter is walked.
        let groups = &told.group_uids;
        if self.groups.len() <= groups.len() {
            for (uid, slice) in &self.groups {
                if groups.contains(uid) {
                    slice.find(principal, found);
                }
            }
        } else {
            for uid in groups {
                if let Some(slice) = self.groups.get(uid) {
                    slice.find(principal, found);
                }
            }
        }
    }
}

impl Slice {
    fn add(&mut self, rule: &Rule) -> Result<(), Problem> {
        let weather = match rule.reads.depends == Dependence::default() {
            true => Weather::Steady,
            false => Weather::Changing,
        };
        let [steady_forbids, forbids, steady_permits, permits] = match rule.reads.groups {
            true => &mut self.by_group,
            false => &mut self.parts,
        };
        let part = match (rule.effect, weather) {
            (Effect::Forbid, Weather::Steady) => steady_forbids,
            (Effect::Forbid, Weather::Changing) => forbids,
            (Effect::Permit, Weather::Steady) => steady_permits,
            (Effect::Permit, Weather::Changing) => permits,
        };
        let part = part.get_or_insert_with(|| {
            Arc::new(Part {
                effect: rule.effect,
                weather,
                set: PolicySet::new(),
                reads: Reads::default(),
            })
        });
        // INVARIANT: nobody shares a part while the index is being made.
        let part = Arc::get_mut(part)
            .ok_or_else(|| Problem::general("a policy was added to an index in use"))?;
        part.reads.merge(&rule.reads);
        part.set
            .add(rule.policy.clone())
            .map_err(|error| Problem::general(error.to_string()))
    }

    fn find(&self, principal: &Principal, found: &mut Found) {
        found.parts.extend(self.parts.iter().flatten().cloned());
        if principal.groups_known() {
            found.parts.extend(self.by_group.iter().flatten().cloned());
            return;
        }
        let forbids = self.by_group.iter().flatten();
        for part in forbids.filter(|part| part.effect == Effect::Forbid) {
            let ids = part.set.policies().map(cedar_policy::Policy::id);
            found
                .unknowns
                .extend(ids.map(|id| unknown_groups(id.as_ref())));
        }
    }
}

/// The thing a scope names, if it is of a kind that a request can be about or belong to.
fn named_thing(constraint: &ResourceConstraint) -> Option<EntityUid> {
    match constraint {
        ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
        ResourceConstraint::Eq(uid)
        | ResourceConstraint::In(uid)
        | ResourceConstraint::IsIn(_, uid) => {
            NAMES.kind(uid.type_name()).map(|_: Kind| uid.clone())
        }
    }
}

enum NamedCaller {
    Any,
    Group(EntityUid),
    User(EntityUid),
}

fn named_caller(constraint: &PrincipalConstraint) -> NamedCaller {
    match constraint {
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => NamedCaller::Any,
        PrincipalConstraint::Eq(uid)
        | PrincipalConstraint::In(uid)
        | PrincipalConstraint::IsIn(_, uid) => match uid.type_name() {
            name if *name == NAMES.user => NamedCaller::User(uid.clone()),
            name if *name == NAMES.group => NamedCaller::Group(uid.clone()),
            _ => NamedCaller::Any,
        },
    }
}

fn unknown_groups(id: &str) -> String {
    format!("the groups of the caller are not known, and policy `{id}` depends on them")
}
