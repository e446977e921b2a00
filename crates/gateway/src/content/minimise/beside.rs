//! What stands beside the content of a result, and what fails: members that say how a call goes are left as they
//! are, as long as they are what the protocol makes of them, and everything else is cut down like content.

use super::{Minimised, StandIns};
use protocol::{Edits, Kind, Str, Value, codes};

/// What became of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome<'m> {
    /// An error of JSON-RPC.
    Failure(Value<'m>),
    /// A result of the tool.
    Result(Value<'m>),
}

/// The members of a result, in all revisions, that are treated otherwise, or that nobody cuts down.
const OTHERWISE: [&str; 3] = ["_meta", "content", "structuredContent"];

/// The members of results and of tasks, in all revisions, that tell nothing but how a call goes: single values.
const COURSE: [&str; 13] = [
    "cacheScope",
    "createdAt",
    "isError",
    "lastUpdatedAt",
    "pollInterval",
    "pollIntervalMs",
    "requestState",
    "resultType",
    "status",
    "statusMessage",
    "taskId",
    "ttl",
    "ttlMs",
];

impl Minimised {
    /// Takes out of what became of a call what does not go on.
    pub(crate) fn outcome(
        &self,
        outcome: Outcome<'_>,
        stand_ins: &mut StandIns<'_>,
        edits: &mut Edits,
    ) {
        match outcome {
            Outcome::Failure(error) => self.failure(error, stand_ins, edits),
            Outcome::Result(result) => self.result(result, stand_ins, edits),
        }
    }

    /// Does the same to one member of a result.
    pub(super) fn beside(
        &self,
        (name, value): (Str<'_>, Value<'_>),
        stand_ins: &mut StandIns<'_>,
        edits: &mut Edits,
    ) {
        let is_object = value.kind() == Kind::Object;
        if is_in(name, &OTHERWISE) || tells_how(name, value) {
            return;
        }
        if name.is("result") && is_object {
            // What a task came to. Depth is bounded by that of the document.
            self.result(value, stand_ins, edits);
        } else if name.is("error") && is_object {
            self.failure(value, stand_ins, edits);
        } else if name.is("task") && is_object {
            self.task(value, stand_ins, edits);
        } else if !(name.is("inputRequests") && are_questions(value)) {
            self.other(value, stand_ins, edits);
        }
    }

    /// Does the same to what is told of a task.
    fn task(&self, task: Value<'_>, stand_ins: &mut StandIns<'_>, edits: &mut Edits) {
        for (name, value) in task.members() {
            if !name.is("_meta") && !tells_how(name, value) {
                self.other(value, stand_ins, edits);
            }
        }
    }

    /// Does the same to an error. Its message says why something failed, and that has to be heard; what it asks
    /// of a client is a question.
    fn failure(&self, error: Value<'_>, stand_ins: &mut StandIns<'_>, edits: &mut Edits) {
        let asked: &[&str] = match error.get("code").and_then(Value::integer) {
            Some(codes::URL_ELICITATION_REQUIRED) => &["elicitations"],
            Some(codes::MISSING_CLIENT_CAPABILITY) => &["requiredCapabilities"],
            _ => &[],
        };
        for (name, value) in error.members() {
            match value.kind() {
                Kind::Number if name.is("code") => {}
                Kind::String if name.is("message") => {}
                Kind::Object if name.is("data") && !asked.is_empty() => {
                    for (name, value) in value.members().filter(|(name, _)| !is_in(*name, asked)) {
                        if !name.is("_meta") {
                            self.other(value, stand_ins, edits);
                        }
                    }
                }
                _ => self.other(value, stand_ins, edits),
            }
        }
    }
}

fn is_in(name: Str<'_>, names: &[&str]) -> bool {
    names.iter().any(|known| name.is(known))
}

/// Whether a member tells how a call goes, and nothing else.
fn tells_how(name: Str<'_>, value: Value<'_>) -> bool {
    !matches!(value.kind(), Kind::Array | Kind::Object) && is_in(name, &COURSE)
}

/// Whether these are questions to a client, as a server of the stateless era asks them.
fn are_questions(value: Value<'_>) -> bool {
    let is_text = |it: Value<'_>| it.kind() == Kind::String;
    let is_question = |it: Value<'_>| it.get("method").is_some_and(is_text);
    value.kind() == Kind::Object && value.members().all(|(_, it)| is_question(it))
}
