//! One record: everything the gateway knows about one message, decision, change or event.
//!
//! A record borrows from the call it describes, so that writing it costs no copies; read back from
//! the ledger it owns its text ([`OwnedRecord`]). It never holds a secret: values themselves are
//! only in [`Kept`], and only where a route asks for them.

mod canonical;

pub(crate) use canonical::write_whole;

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A record read back from the ledger.
pub type OwnedRecord = Record<'static>;

/// Everything known about one message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record<'a> {
    /// When it arrived, in milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: u64,
    /// A name for this record that no other record has.
    pub id: Cow<'a, str>,
    /// What sort of thing is recorded.
    pub kind: Kind,
    /// How it ended.
    pub verdict: Verdict,
    /// The route it came in on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Cow<'a, str>>,
    /// The server behind the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Cow<'a, str>>,
    /// The address it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Cow<'a, str>>,
    /// How it travelled, such as `http` or `stdio`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Cow<'a, str>>,
    /// The revision of the protocol, such as `2025-11-25`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<Cow<'a, str>>,
    /// The method of the message, such as `tools/call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'a, str>>,
    /// What the method is about: the name of a tool or prompt, or the URI of a resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Cow<'a, str>>,
    /// The message's own JSON-RPC id, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
    /// The digest of the definition the call was checked against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<Cow<'a, str>>,
    /// The trace the call belongs to (the value of `traceparent`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Cow<'a, str>>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who<'a>>,
    /// What the policy said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy<'a>>,
    /// Which controls ran, and which did not and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controls: Option<Controls<'a>>,
    /// What the checks saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding<'a>>,
    /// What detectors thought of it. Scores prove nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score<'a>>,
    /// Why it went no further, if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal<'a>>,
    /// How long each stage took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timings_us: Option<Timings>,
    /// How large the message and its answer were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Sizes>,
    /// What the message and its answer were, as digests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digests: Option<Digests<'a>>,
    /// What the message and its answer were, word for word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept<'a>>,
    /// What the server did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream<'a>>,
    /// What changed or happened, in a record that is not about a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event<'a>>,
}

/// What sort of thing is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A message that came in and was dealt with.
    #[default]
    Call,
    /// Somebody changed something: a policy, a pin, the configuration.
    Change,
    /// Something happened that nobody asked for: a start, a recovery, a finding of a watcher.
    Event,
    /// A message that was refused before it was known what it is.
    Refusal,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was allowed, and it happened.
    Allowed,
    /// It was allowed, and it did not work.
    #[default]
    Failed,
    /// It was not allowed.
    Refused,
}

/// Whose fault a refusal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Whoever sent the message.
    Caller,
    /// Whoever runs this Ringwall.
    Operator,
    /// The server behind it, or an identity provider.
    Upstream,
    /// Ringwall itself.
    #[default]
    Us,
}

/// Who asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Who<'a> {
    /// The name the policies use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Cow<'a, str>>,
    /// Who vouches for the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Cow<'a, str>>,
    /// The name the issuer uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Cow<'a, str>>,
    /// Who acts for the user by the issuer's word, as `issuer#name`: the current actor of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Cow<'a, str>>,
    /// The OAuth client that acts for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Cow<'a, str>>,
    /// The digest of the session's id; the id itself is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_digest: Option<Cow<'a, str>>,
}

/// What the policy said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy<'a> {
    /// The digest of the policies that were in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Cow<'a, str>>,
    /// What they said, such as `allow` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Cow<'a, str>>,
    /// The policies that made it so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub determining: Vec<Cow<'a, str>>,
}

/// Which controls ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Controls<'a> {
    /// The ids of those that ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ran: Vec<Cow<'a, str>>,
    /// Those that did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped<'a>>,
}

/// A control that did not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Skipped<'a> {
    /// Its id.
    pub control: Cow<'a, str>,
    /// Why it did not run.
    pub why: Cow<'a, str>,
}

/// What a check saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Finding<'a> {
    /// The control whose check it was.
    pub control: Cow<'a, str>,
    /// The rule, such as `hidden_text.tags`.
    pub rule: Cow<'a, str>,
    /// How much it matters.
    pub severity: Cow<'a, str>,
    /// Where it was: a JSON Pointer into the message.
    pub place: Cow<'a, str>,
    /// How often it was there.
    pub count: u64,
    /// What was done about it.
    pub action: Cow<'a, str>,
}

/// What a detector thought of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Score<'a> {
    /// The control whose detector it is.
    pub control: Cow<'a, str>,
    /// Who said it.
    pub detector: Cow<'a, str>,
    /// What it is about, such as `injection`.
    pub rule: Cow<'a, str>,
    /// How sure it was, in thousandths.
    pub value: u64,
    /// From which value on it is a suspicion, in thousandths.
    pub threshold: u64,
    /// What a suspicion comes to: `shadow`, `warn` or `enforce`.
    pub mode: Cow<'a, str>,
    /// Where the text was: a JSON Pointer into the message.
    pub place: Cow<'a, str>,
}

/// Why a message went no further.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal<'a> {
    /// The stable code.
    pub code: Cow<'a, str>,
    /// The control that refused.
    pub control: Cow<'a, str>,
    /// Whose fault it was.
    pub fault: Fault,
    /// What the caller was told.
    pub reason: Cow<'a, str>,
}

/// How long each stage took, in microseconds. A stage that was not reached has no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Limits and revocations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admit: Option<u64>,
    /// The policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorize: Option<u64>,
    /// Whoever else was asked about the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consult: Option<u64>,
    /// The server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<u64>,
    /// Reading the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    /// Knowing the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identify: Option<u64>,
    /// Looking into the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inspect: Option<u64>,
    /// Finding the server and the definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve: Option<u64>,
    /// Looking into the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen: Option<u64>,
    /// From the first byte to the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Checking the arguments against the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate: Option<u64>,
}

/// How large the message and its answer were, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sizes {
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<u64>,
}

/// What the message and its answer were, as digests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Digests<'a> {
    /// The arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Cow<'a, str>>,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Cow<'a, str>>,
}

/// What the message and its answer were, word for word: JSON text inside a string.
///
/// A string and not a value, because the bytes are the evidence: they are what was checked and
/// sent, number spelling and all, and they still have the digest that [`Digests`] states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept<'a> {
    /// The arguments, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Cow<'a, str>>,
    /// The answer, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Cow<'a, str>>,
}

/// What the server did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Upstream<'a> {
    /// The HTTP status, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The digest of our session with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_digest: Option<Cow<'a, str>>,
}

/// What changed or happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event<'a> {
    /// Its stable name, such as `tools.approved` or `ledger.recovered`.
    pub name: Cow<'a, str>,
    /// One line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Cow<'a, str>>,
    /// What was there before, often a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Cow<'a, str>>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cow<'a, str>>,
}

impl Kind {
    /// The word in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Call => "call",
            Kind::Change => "change",
            Kind::Event => "event",
            Kind::Refusal => "refusal",
        }
    }
}

impl Verdict {
    /// The word in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Failed => "failed",
            Verdict::Refused => "refused",
        }
    }
}

impl Fault {
    /// The word in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Fault::Caller => "caller",
            Fault::Operator => "operator",
            Fault::Upstream => "upstream",
            Fault::Us => "us",
        }
    }
}
