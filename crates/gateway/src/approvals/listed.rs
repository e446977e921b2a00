//! A call that waits, as it is shown outside: over the admin API, the control socket and on the command line.
//! What is kept of it and concerns nobody else is not in here.

use super::canonical::Field;
use super::entry::{Entry, Progress};
use serde::{Deserialize, Serialize};

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// What it is called.
    pub id: String,
    /// How far it has come.
    pub state: Progress,
    /// The server.
    pub server: String,
    /// The tool.
    pub tool: String,
    /// What the client calls the tool.
    pub called: String,
    /// The digest of its definition.
    pub definition: String,
    /// Who asks, as policies name them: `issuer#user`.
    pub asked_by: String,
    /// Who acts for them.
    pub acting: Option<String>,
    /// Through which client.
    pub client: Option<String>,
    /// On which route.
    pub route: String,
    /// Who has to approve it.
    pub needs: Vec<Needed>,
    /// The policies that hold it.
    pub held_by: Vec<String>,
    /// Why, in their words.
    pub because: Option<String>,
    /// The digest of the policies.
    pub policies: String,
    /// When it was asked for, in milliseconds since the Unix epoch: a decision names it.
    pub asked_ms: u64,
    /// When it is over.
    pub until_ms: u64,
    /// Who approved it.
    pub approved: Vec<Approved>,
    /// Who did not.
    pub declined: Option<Refused>,
    /// Every value of the call, where one call is asked for.
    pub call: Vec<Field>,
}

/// Who has to approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needed {
    /// In the operator's words.
    pub who: String,
    /// How many different people.
    pub people: usize,
    /// How many of them have.
    pub have: usize,
}

/// Somebody approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Who.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// Somebody declined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

impl Listed {
    /// A call among others, at this moment: what it is, and not its values.
    pub fn of(entry: &Entry, now_ms: u64) -> Self {
        let binding = entry.binding.clone();
        let votes = entry.votes.iter();
        Listed {
            id: entry.id.clone(),
            state: entry.progress(now_ms),
            server: binding.server,
            tool: binding.tool,
            called: entry.outward.clone(),
            definition: binding.definition,
            asked_by: entry.requester.clone(),
            acting: binding.actor,
            client: binding.client,
            route: binding.route,
            needs: entry
                .counts()
                .map(|(need, have)| Needed {
                    who: need.who.clone(),
                    people: need.people,
                    have,
                })
                .collect(),
            held_by: entry.policies.clone(),
            because: entry.reason.clone(),
            policies: binding.policies,
            asked_ms: entry.asked_ms,
            until_ms: entry.until_ms,
            approved: votes
                .map(|vote| Approved {
                    by: vote.by.to_string(),
                    at_ms: vote.at_ms,
                })
                .collect(),
            declined: entry.declined.as_ref().map(|it| Refused {
                by: it.by.to_string(),
                why: it.why.clone(),
            }),
            call: Vec::new(),
        }
    }

    /// A call by itself, with every value that would be sent.
    pub fn whole(entry: &Entry, now_ms: u64) -> Self {
        Listed {
            call: entry.fields(),
            ..Listed::of(entry, now_ms)
        }
    }
}
