//! One call that waits, as it is kept: what it is bound to, who has to approve it, and what was said so
//! far. How it goes on is decided here, by what is there and the time alone.

use super::canonical::{Field, fields};
use crate::small::{hex, sha256};
use crate::state::Mark;
use serde::{Deserialize, Serialize};

/// A call that waits, or is approved and was not made yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is called.
    pub id: String,
    /// What an approval of it is good for.
    pub binding: Binding,
    /// Every value of the call, as canonical JSON: what would run.
    pub call: String,
    /// What the client calls the tool.
    pub outward: String,
    /// Who asks, as policies name them: `issuer#user`.
    pub requester: String,
    /// Who has to approve.
    pub needs: Vec<Need>,
    /// The policies that hold it.
    pub policies: Vec<String>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// When it was asked for, in milliseconds since the Unix epoch.
    pub asked_ms: u64,
    /// How long it may wait, and how long it may be made once it is approved, in milliseconds.
    pub lasts_ms: u64,
    /// When that ends.
    pub until_ms: u64,
    /// Who approved it.
    pub votes: Vec<Vote>,
    /// Who did not.
    pub declined: Option<Declined>,
    /// The session that asked, and what it calls the question.
    pub session: Option<String>,
}

/// What an approval is bound to. Any difference makes another call of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The issuer of the caller.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// The name that state is kept under.
    pub user: String,
    /// Who acts for them.
    pub actor: Option<String>,
    /// Through which client.
    pub client: Option<String>,
    /// On which route.
    pub route: String,
    /// Of which server.
    pub server: String,
    /// Which tool.
    pub tool: String,
    /// The digest of its pinned definition.
    pub definition: String,
    /// SHA-256 of every value of the call.
    pub call: String,
    /// The digest of the policies.
    pub policies: String,
    /// Who has to approve, in the words of those policies.
    pub needs: Vec<String>,
}

/// Who has to approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// In the operator's words.
    pub who: String,
    /// How many different people.
    pub people: usize,
}

/// Somebody approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// Who.
    pub by: By,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Which of the needs they may fulfil.
    pub needs: Vec<usize>,
    /// Whether it is in the ledger.
    pub recorded: bool,
}

/// Somebody declined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    /// Who.
    pub by: By,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Why.
    pub why: String,
    /// Whether it is in the ledger.
    pub recorded: bool,
}

/// Who says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum By {
    /// Whoever runs the gateway, on its own machine. They are one, whatever they are called.
    Operator {
        /// What the system calls them.
        name: String,
        /// The same as a number.
        uid: u32,
    },
    /// Somebody who signed in with a browser.
    Person {
        /// The issuer.
        issuer: String,
        /// `sub`.
        subject: String,
        /// The name that state is kept under.
        user: String,
    },
}

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// Who.
    pub by: By,
    /// When the call was asked for that they saw, if they saw one: it may have ended and been asked for
    /// again since.
    pub seen_ms: Option<u64>,
}

/// Yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes, for these of its needs.
    Approve(Vec<usize>),
    /// No, for this reason.
    Decline(String),
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// It may be made.
    Approved,
    /// Somebody declined it.
    Declined,
    /// Its time is over.
    Expired,
    /// It waits.
    Waiting,
}

/// Why what somebody says does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// They have approved it before.
    #[error("you have approved this call before: it takes different people")]
    Again,
    /// It is not the call they saw.
    #[error("this call has ended since it was shown to you, and was asked for again")]
    Another,
    /// They have made the call themselves.
    #[error("you have made this call yourself: somebody else has to approve it")]
    Own,
    /// It does not wait any more.
    #[error("this call does not wait any more: it is {}", .0.word())]
    Over(Progress),
    /// A text is empty or too long.
    #[error("the reason must have between 1 and {max} characters", max = Entry::TEXT)]
    Text,
    /// Nothing is waiting for their word.
    #[error("nothing in this call needs your approval")]
    Unneeded,
}

impl Progress {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Progress::Approved => "approved",
            Progress::Declined => "declined",
            Progress::Expired => "expired",
            Progress::Waiting => "waiting",
        }
    }
}

impl Binding {
    /// What a call with this binding is called, the same in every process: a part that all calls of its
    /// user share, and one of its own.
    pub fn id(&self) -> String {
        let needs = self.needs.join("\n");
        let optional = |text: &Option<String>| match text {
            Some(text) => format!("={text}"),
            None => String::new(),
        };
        let (actor, client) = (optional(&self.actor), optional(&self.client));
        let parts = [
            "approval",
            &self.issuer,
            &self.subject,
            &self.user,
            &actor,
            &client,
            &self.route,
            &self.server,
            &self.tool,
            &self.definition,
            &self.call,
            &self.policies,
            &needs,
        ];
        let Mark(own) = Mark::of(&parts.map(str::as_bytes));
        let own = hex(own.get(..10).unwrap_or_default());
        format!("{}{own}", Self::prefix(&self.user))
    }

    /// What the names of all calls of this user begin with.
    pub(super) fn prefix(user: &str) -> String {
        hex(sha256(user.as_bytes()).get(..6).unwrap_or_default())
    }
}

impl By {
    /// The user of this process, of whom only the system has said who it is.
    pub fn operator(name: String) -> Self {
        let uid = rustix::process::geteuid().as_raw();
        By::Operator { name, uid }
    }

    /// Whether these two count as one. There is one operator, and people are who their issuer says.
    fn is_same(&self, other: &By) -> bool {
        match (self, other) {
            (By::Operator { .. }, By::Operator { .. }) => true,
            (By::Person { user, .. }, By::Person { user: other, .. }) => user == other,
            _ => false,
        }
    }

    /// Whether they made the call themselves. Whoever calls over a pipe of this machine is whoever owns
    /// its data, and could run every command of the operator.
    pub(super) fn is_requester(&self, binding: &Binding, owner: Option<u32>) -> bool {
        match self {
            By::Operator { uid, .. } => {
                binding.issuer == identity::Caller::LOCAL_ISSUER
                    && owner.is_none_or(|owner| owner == *uid)
            }
            By::Person {
                issuer,
                subject,
                user,
            } => {
                *user == binding.user || (*issuer == binding.issuer && *subject == binding.subject)
            }
        }
    }
}

/// As records and tables have it.
impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            By::Operator { name, uid } => write!(f, "operator {name} ({uid})"),
            By::Person {
                issuer, subject, ..
            } => write!(f, "{issuer}#{subject}"),
        }
    }
}

impl Entry {
    /// Characters of a reason.
    pub const TEXT: usize = 512;

    /// How far it has come, at this moment.
    pub fn progress(&self, now_ms: u64) -> Progress {
        if now_ms >= self.until_ms {
            Progress::Expired
        } else if self.declined.is_some() {
            Progress::Declined
        } else if self.is_complete() {
            Progress::Approved
        } else {
            Progress::Waiting
        }
    }

    /// Every value of the call, with its place.
    pub fn fields(&self) -> Vec<Field> {
        fields(&self.call)
    }

    /// How many people have approved, of how many, for each need.
    pub fn counts(&self) -> impl Iterator<Item = (&Need, usize)> {
        self.needs.iter().enumerate().map(|(nth, need)| {
            let voted = self.votes.iter().filter(|vote| vote.needs.contains(&nth));
            (need, voted.count())
        })
    }

    /// Everybody whose approval it takes, in the operator's words.
    pub fn wanted(&self) -> String {
        let each = self.needs.iter().map(|need| {
            let who = match need.who.as_str() {
                "" => "somebody else",
                who => who,
            };
            match need.people {
                1 => who.to_owned(),
                people => format!("{who} ({people} people)"),
            }
        });
        each.collect::<Vec<_>>().join(" and ")
    }

    fn is_complete(&self) -> bool {
        !self.needs.is_empty() && self.counts().all(|(need, count)| count >= need.people)
    }

    /// Takes up what somebody says, or says why it does not count. `owner` is the user of this machine
    /// whose data it is, if that is known.
    pub(super) fn decide(
        &mut self,
        decision: &Decision,
        owner: Option<u32>,
        now_ms: u64,
    ) -> Result<(), DecisionError> {
        if decision
            .seen_ms
            .is_some_and(|seen_ms| seen_ms != self.asked_ms)
        {
            return Err(DecisionError::Another);
        }
        match self.progress(now_ms) {
            Progress::Waiting => {}
            // What is approved and was not made yet can still be stopped.
            Progress::Approved if matches!(decision.verdict, Verdict::Decline(_)) => {}
            over => return Err(DecisionError::Over(over)),
        }
        let by = decision.by.clone();
        match &decision.verdict {
            Verdict::Decline(why) => {
                if why.is_empty() || why.chars().count() > Self::TEXT {
                    return Err(DecisionError::Text);
                }
                self.declined = Some(Declined {
                    by,
                    at_ms: now_ms,
                    why: why.clone(),
                    recorded: false,
                });
            }
            Verdict::Approve(needs) => {
                if by.is_requester(&self.binding, owner) {
                    return Err(DecisionError::Own);
                }
                if self.votes.iter().any(|vote| vote.by.is_same(&by)) {
                    return Err(DecisionError::Again);
                }
                let mut needs = needs.clone();
                needs.retain(|nth| *nth < self.needs.len());
                if needs.is_empty() {
                    return Err(DecisionError::Unneeded);
                }
                self.votes.push(Vote {
                    by,
                    at_ms: now_ms,
                    needs,
                    recorded: false,
                });
                if self.is_complete() {
                    self.until_ms = now_ms.saturating_add(self.lasts_ms);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn binding() -> Binding {
        Binding {
            issuer: "https://id.example.com".into(),
            subject: "alice".into(),
            user: "key-of-alice".into(),
            actor: None,
            client: Some("editor".into()),
            route: "/bank".into(),
            server: "bank".into(),
            tool: "transfer".into(),
            definition: "sha256:d".into(),
            call: "sha256:c".into(),
            policies: "p".into(),
            needs: vec!["owners".into()],
        }
    }

    pub(crate) fn entry(needs: &[(&str, usize)]) -> Entry {
        let binding = binding();
        Entry {
            id: binding.id(),
            binding,
            call: "{\"arguments\":{\"to\":\"x\"},\"name\":\"transfer\"}".into(),
            outward: "transfer".into(),
            requester: "https://id.example.com#alice".into(),
            needs: needs
                .iter()
                .map(|(who, people)| Need {
                    who: (*who).to_owned(),
                    people: *people,
                })
                .collect(),
            policies: vec!["transfers".into()],
            reason: None,
            asked_ms: 1000,
            lasts_ms: 600_000,
            until_ms: 601_000,
            votes: Vec::new(),
            declined: None,
            session: None,
        }
    }

    pub(crate) fn person(name: &str) -> By {
        By::Person {
            issuer: "https://id.example.com".into(),
            subject: name.into(),
            user: format!("key-of-{name}"),
        }
    }

    fn operator(uid: u32) -> By {
        let name = "root".into();
        By::Operator { name, uid }
    }

    fn approves(entry: &mut Entry, by: By, needs: &[usize], now: u64) -> Result<(), DecisionError> {
        let decision = Decision {
            verdict: Verdict::Approve(needs.to_vec()),
            by,
            seen_ms: None,
        };
        entry.decide(&decision, Some(0), now)
    }

    #[test]
    fn refuses_an_approval_reused_for_other_arguments() {
        let changes: [fn(&mut Binding); 12] = [
            |it| it.issuer.push('/'),
            |it| it.subject = "bob".into(),
            |it| it.user = "key-of-bob".into(),
            |it| it.actor = Some("agent".into()),
            |it| it.client = Some("another".into()),
            |it| it.client = None,
            |it| it.route = "/other".into(),
            |it| it.server = "other".into(),
            |it| it.tool = "other".into(),
            |it| it.definition = "sha256:e".into(),
            |it| it.call = "sha256:x".into(),
            |it| it.policies = "q".into(),
        ];
        let mut ids = vec![binding().id()];
        for change in changes {
            let mut other = binding();
            change(&mut other);
            ids.push(other.id());
        }
        let mut other = binding();
        other.needs.push("security".into());
        ids.push(other.id());
        // Not only the part that all calls of a user share tells two users apart.
        let mut own: Vec<_> = ids.iter().map(|id| id.get(12..)).collect();
        own.sort_unstable();
        own.dedup();
        assert_eq!(own.len(), ids.len());
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(
            ids.len(),
            count,
            "every difference makes another call of it"
        );
        assert_eq!(binding().id(), binding().id());
        assert_eq!(binding().id().len(), 32);
    }

    #[test]
    fn n2_4_whoever_calls_never_approves_and_nobody_counts_twice() {
        let mut it = entry(&[("owners", 2)]);
        assert_eq!(
            approves(&mut it, person("alice"), &[0], 2000),
            Err(DecisionError::Own)
        );
        let mut renamed = person("alice");
        if let By::Person { user, .. } = &mut renamed {
            *user = "another-key".into();
        }
        assert_eq!(
            approves(&mut it, renamed, &[0], 2000),
            Err(DecisionError::Own)
        );
        let mut elsewhere = person("someone");
        if let By::Person { user, .. } = &mut elsewhere {
            *user = "key-of-alice".into();
        }
        assert_eq!(
            approves(&mut it, elsewhere, &[0], 2000),
            Err(DecisionError::Own)
        );
        assert_eq!(
            approves(&mut it, person("bob"), &[], 2000),
            Err(DecisionError::Unneeded)
        );
        assert_eq!(
            approves(&mut it, person("bob"), &[1], 2000),
            Err(DecisionError::Unneeded)
        );
        approves(&mut it, person("bob"), &[0], 2000).unwrap();
        assert_eq!(it.progress(2000), Progress::Waiting);
        assert_eq!(
            approves(&mut it, person("bob"), &[0], 2000),
            Err(DecisionError::Again)
        );
        approves(&mut it, operator(0), &[0], 3000).unwrap();
        assert_eq!(it.progress(3000), Progress::Approved);
        // From then on it is as good as it could have waited.
        assert_eq!(it.until_ms, 603_000);
        assert_eq!(it.progress(602_999), Progress::Approved);
        assert_eq!(it.progress(603_000), Progress::Expired);
        let over = DecisionError::Over(Progress::Approved);
        assert_eq!(approves(&mut it, person("carol"), &[0], 3000), Err(over));
    }

    #[test]
    fn n2_4_the_operator_counts_once_by_whatever_name_and_never_for_their_own_pipe() {
        let mut it = entry(&[("owners", 2)]);
        approves(&mut it, operator(0), &[0], 2000).unwrap();
        assert_eq!(
            approves(&mut it, operator(1000), &[0], 2000),
            Err(DecisionError::Again)
        );
        let mut local = entry(&[("", 1)]);
        local.binding.issuer = identity::Caller::LOCAL_ISSUER.into();
        assert_eq!(
            approves(&mut local, operator(0), &[0], 2000),
            Err(DecisionError::Own)
        );
        // Another user of the machine is somebody else.
        approves(&mut local, operator(1000), &[0], 2000).unwrap();
        assert_eq!(local.progress(2000), Progress::Approved);
    }

    #[test]
    fn n2_4_every_need_is_fulfilled_by_its_own_people() {
        let mut it = entry(&[("owners", 1), ("security", 1)]);
        approves(&mut it, person("bob"), &[0], 2000).unwrap();
        assert_eq!(it.progress(2000), Progress::Waiting);
        approves(&mut it, person("carol"), &[0], 2000).unwrap();
        assert_eq!(it.progress(2000), Progress::Waiting);
        approves(&mut it, person("dave"), &[0, 1], 2000).unwrap();
        assert_eq!(it.progress(2000), Progress::Approved);
        // Nothing needs nobody.
        assert_eq!(entry(&[]).progress(2000), Progress::Waiting);
    }

    #[test]
    fn n2_4_one_decline_ends_it_and_what_was_seen_is_what_is_decided() {
        let decline = |why: &str, seen_ms| Decision {
            verdict: Verdict::Decline(why.to_owned()),
            by: person("bob"),
            seen_ms,
        };
        let mut it = entry(&[("owners", 1)]);
        let another = it.decide(&decline("no", Some(999)), None, 2000);
        assert_eq!(another, Err(DecisionError::Another));
        for why in ["", &"x".repeat(Entry::TEXT + 1)] {
            assert_eq!(
                it.decide(&decline(why, None), None, 2000),
                Err(DecisionError::Text)
            );
        }
        approves(&mut it, person("carol"), &[0], 2000).unwrap();
        // What is approved and was not made yet can still be stopped.
        it.decide(&decline("no", Some(1000)), None, 2000).unwrap();
        assert_eq!(it.progress(2000), Progress::Declined);
        let over = DecisionError::Over(Progress::Declined);
        assert_eq!(approves(&mut it, person("dave"), &[0], 2000), Err(over));
        let mut late = entry(&[("owners", 1)]);
        let over = DecisionError::Over(Progress::Expired);
        assert_eq!(approves(&mut late, person("bob"), &[0], 601_000), Err(over));
    }
}
