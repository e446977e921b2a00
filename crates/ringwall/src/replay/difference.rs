//! What differs between two runs over the same traffic, by what changes, user and tool. Places and rules
//! are told, values never.

use gateway::stages::replay::{Outcome, Over};
use policy::cases::CaseTarget;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// How many examples of one group are told, and how many places of one example.
const EXAMPLES: usize = 3;
const PLACES: usize = 8;

/// One message under both configurations.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) before: Outcome,
    pub(super) after: Outcome,
}

/// Everything that differs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Difference {
    /// How many messages there were.
    pub(super) messages: usize,
    /// How many of them could be run through both.
    pub(super) replayed: usize,
    /// How many of those would go another way, or be seen otherwise.
    pub(super) changed: usize,
    #[serde(serialize_with = "listed")]
    groups: Groups,
    /// Why messages were left out, and how many.
    pub(super) left_out: BTreeMap<String, usize>,
    /// Detectors that would be asked and were not, and about how many messages.
    pub(super) unheard: BTreeMap<String, usize>,
}

/// What changes, by what that is, the user and the tool.
type Groups = BTreeMap<(&'static str, String, String), Group>;

/// Each says itself what it is of.
fn listed<S: Serializer>(groups: &Groups, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(groups.values())
}

/// What changes for one user of one tool.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) what: &'static str,
    pub(super) user: String,
    pub(super) tool: String,
    pub(super) times: usize,
    /// The rules or policies it is due to.
    pub(super) by: Vec<String>,
    examples: Vec<Example>,
}

/// One message of a group.
#[derive(Debug, Serialize)]
struct Example {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// What was found or suspected, and where.
    seen: Vec<(String, String)>,
}

impl Difference {
    /// Whether nothing would change.
    pub(super) fn is_none(&self) -> bool {
        self.groups.is_empty()
    }

    /// What changes, the heaviest first.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        let order = [
            "newly refused",
            "newly allowed",
            "newly found",
            "no longer found",
        ];
        let all = order.into_iter().flat_map(|what| {
            let groups = self.groups.values();
            groups.filter(move |group| group.what == what)
        });
        all.chain(
            self.groups
                .values()
                .filter(move |it| !order.contains(&it.what)),
        )
    }

    pub(super) fn left_out(&mut self, why: &str) {
        *self.left_out.entry(why.to_owned()).or_default() += 1;
    }

    /// Counts a message that was run through both.
    pub(super) fn count(&mut self, over: &Over, Change { before, after }: Change) {
        self.replayed += 1;
        for detector in &after.unheard {
            *self.unheard.entry(detector.clone()).or_default() += 1;
        }
        let found: Vec<_> = after.seen.difference(&before.seen).cloned().collect();
        let gone: Vec<_> = before.seen.difference(&after.seen).cloned().collect();
        let (what, code, by, seen) = match (before.refused, after.refused) {
            (None, Some(code)) => ("newly refused", Some(code), after.by, found),
            (Some(code), None) => ("newly allowed", Some(code), before.by, gone),
            (Some(one), Some(other)) if one != other => {
                ("refused otherwise", Some(other), after.by, found)
            }
            _ if !found.is_empty() => ("newly found", None, rules(&found), found),
            _ if !gone.is_empty() => ("no longer found", None, rules(&gone), gone),
            _ => return,
        };
        self.changed += 1;
        let (user, tool) = (over.case.principal.user.clone(), tool(&over.case.resource));
        let key = (what, user.clone(), tool.clone());
        let group = self.groups.entry(key).or_insert_with(|| Group {
            what,
            user,
            tool,
            times: 0,
            by: Vec::new(),
            examples: Vec::new(),
        });
        group.times += 1;
        for by in by {
            if !group.by.contains(&by) {
                group.by.push(by);
            }
        }
        if group.examples.len() < EXAMPLES {
            group.examples.push(Example {
                id: over.case.name.clone(),
                code,
                seen: seen.into_iter().take(PLACES).collect(),
            });
        }
    }
}

impl Group {
    /// The examples on one line.
    pub(super) fn examples(&self) -> String {
        let each = self.examples.iter().map(|example| {
            let places = example
                .seen
                .iter()
                .map(|(rule, place)| format!("{rule} at {place}"));
            let places: Vec<_> = places.collect();
            match places.is_empty() {
                true => example.id.clone(),
                false => format!("{} ({})", example.id, places.join(", ")),
            }
        });
        each.collect::<Vec<_>>().join("; ")
    }
}

fn rules(seen: &[(String, String)]) -> Vec<String> {
    let rules: BTreeSet<_> = seen.iter().map(|(rule, _)| rule.clone()).collect();
    rules.into_iter().collect()
}

fn tool(target: &CaseTarget) -> String {
    match target {
        CaseTarget::Prompt(name)
        | CaseTarget::Resource(name)
        | CaseTarget::Server(name)
        | CaseTarget::Tool(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::recorded;
    use policy::cases::{Case, CaseContext};
    use policy::{Action, Verdict};

    fn over(user: &str) -> Over {
        Over {
            route: "/r".to_owned(),
            server: "s".to_owned(),
            case: Case {
                name: "id".to_owned(),
                principal: recorded::somebody("i".to_owned(), user.to_owned()),
                action: Action::Call,
                resource: CaseTarget::Tool("s/t".to_owned()),
                arguments: None,
                context: CaseContext::default(),
                expect: Verdict::Allow,
                by: None,
                lift: None,
            },
            arguments: None,
            answer: None,
            said: Vec::new(),
        }
    }

    fn outcome(refused: Option<&'static str>, seen: &[&str]) -> Outcome {
        let seen = seen
            .iter()
            .map(|rule| ((*rule).to_owned(), "/p".to_owned()));
        Outcome {
            refused,
            by: refused.map(str::to_owned).into_iter().collect(),
            seen: seen.collect(),
            unheard: BTreeSet::new(),
        }
    }

    #[test]
    fn what_changes_is_counted_by_user_and_tool_and_the_rest_is_not() {
        for (before, after, expected) in [
            (outcome(None, &[]), outcome(None, &[]), None),
            (outcome(Some("a"), &["x"]), outcome(Some("a"), &["x"]), None),
            (
                outcome(None, &[]),
                outcome(Some("a"), &["x"]),
                Some("newly refused"),
            ),
            (
                outcome(Some("a"), &["x"]),
                outcome(None, &[]),
                Some("newly allowed"),
            ),
            (
                outcome(Some("a"), &[]),
                outcome(Some("b"), &[]),
                Some("refused otherwise"),
            ),
            (
                outcome(None, &["x"]),
                outcome(None, &["x", "y"]),
                Some("newly found"),
            ),
            (
                outcome(None, &["x"]),
                outcome(None, &[]),
                Some("no longer found"),
            ),
        ] {
            let mut difference = Difference::default();
            for user in ["alice", "alice", "bob"] {
                let (before, after) = (before.clone(), after.clone());
                difference.count(&over(user), Change { before, after });
            }
            let groups: Vec<_> = difference.groups().map(|it| (it.what, it.times)).collect();
            let all = expected.map(|what| vec![(what, 2), (what, 1)]);
            assert_eq!(groups, all.unwrap_or_default());
            assert_eq!(difference.replayed, 3);
            let json = serde_json::to_value(&difference).unwrap();
            let users = json["groups"].as_array().unwrap().iter();
            let users: Vec<_> = users.map(|group| group["user"].as_str().unwrap()).collect();
            assert_eq!(
                users,
                ["alice", "bob"][..2 * usize::from(expected.is_some())]
            );
        }
    }
}
