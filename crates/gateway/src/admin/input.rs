//! What is asked of an operation, read strictly: a member that it does not know, or that is there twice,
//! is refused.

use super::Operation;
use crate::control::Wanted;
use crate::revocation::Target;
use inspect::pin::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An operation with what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// See [`Operation::ApprovalsDecide`].
    Decide(Decide),
    /// See [`Operation::ApprovalsList`].
    Approvals(OfCall),
    /// See [`Operation::ConnectionsList`].
    Connections(OfUser),
    /// See [`Operation::ConnectionsRevoke`].
    RevokeConnection(Grant),
    /// See [`Operation::ConsentsList`].
    Consents(Whose),
    /// See [`Operation::ConsentsRevoke`].
    RevokeConsent(OneConsent),
    /// See [`Operation::PasskeyForget`].
    ForgetPasskey(Nothing),
    /// See [`Operation::PeopleEnd`].
    EndBrowser(Session),
    /// See [`Operation::PeopleList`].
    People(OfUser),
    /// See [`Operation::RevocationsAdd`].
    Revoke(Revoke),
    /// See [`Operation::RevocationsLift`].
    Lift(Lift),
    /// See [`Operation::RevocationsList`].
    Revocations(Nothing),
    /// See [`Operation::SessionsList`].
    Sessions(Wanted),
    /// See [`Operation::ToolsApprove`].
    ApproveTool(ApproveTool),
    /// See [`Operation::ToolsHistory`].
    History(OneTool),
    /// See [`Operation::ToolsList`].
    Tools(OfServer),
    /// See [`Operation::ToolsRevoke`].
    RevokeTool(OneTool),
    /// See [`Operation::ToolsRollBack`].
    RollBack(ApproveTool),
    /// See [`Operation::Whoami`].
    Whoami(Nothing),
}

/// Nothing at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Of one user only, by the key that records have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OfUser {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// One user, by the key that records have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    /// The user.
    pub user: String,
}

/// What one user let a client do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OneConsent {
    /// The user, by the key that records have.
    pub user: String,
    /// What it is called in the list.
    pub id: String,
}

/// Of one server only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OfServer {
    /// The server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// Every call, or one with its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OfCall {
    /// What it is called in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What somebody says of a call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// What it is called in the list.
    pub id: String,
    /// When it was asked for, as the list has it, so that no later one of that name is meant.
    pub asked_ms: u64,
    /// Yes or no.
    pub decision: Word,
    /// Why not, for whoever asked.
    #[serde(default = "unsaid")]
    pub why: String,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// Yes.
    Approve,
    /// No.
    Decline,
}

/// What was granted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What it is called in the list.
    pub name: String,
    /// Why it is taken back.
    #[serde(default = "unsaid")]
    pub why: String,
}

/// A session of a browser.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// What records call it.
    pub session: String,
}

/// What is to be revoked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// What.
    pub target: Target,
    /// Whether what is issued later is refused, too.
    #[serde(default)]
    pub block: bool,
    /// Why.
    #[serde(default = "unsaid")]
    pub why: String,
}

/// A revocation that is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// What it is called in the list.
    pub id: String,
}

/// A definition that is approved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveTool {
    /// The server.
    pub server: String,
    /// The tool.
    pub tool: String,
    /// The digest of the definition, so that no other one is approved.
    pub digest: Digest,
}

/// A definition, by its server and name. What is no tool has its kind before its name, such as
/// `prompt:greet`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OneTool {
    /// The server.
    pub server: String,
    /// The tool.
    pub tool: String,
}

fn unsaid() -> String {
    "no reason was given".to_owned()
}

impl Asked {
    /// What is asked of this operation.
    pub fn read(operation: Operation, input: Value) -> Result<Self, serde_json::Error> {
        fn of<T: DeserializeOwned>(
            input: Value,
            asked: fn(T) -> Asked,
        ) -> Result<Asked, serde_json::Error> {
            serde_json::from_value(input).map(asked)
        }
        // A list would be read as members in their order.
        if !input.is_object() {
            return Err(serde::de::Error::custom("no JSON object"));
        }
        match operation {
            Operation::ApprovalsDecide => of(input, Asked::Decide),
            Operation::ApprovalsList => of(input, Asked::Approvals),
            Operation::ConnectionsList => of(input, Asked::Connections),
            Operation::ConnectionsRevoke => of(input, Asked::RevokeConnection),
            Operation::ConsentsList => of(input, Asked::Consents),
            Operation::ConsentsRevoke => of(input, Asked::RevokeConsent),
            Operation::PasskeyForget => of(input, Asked::ForgetPasskey),
            Operation::PeopleEnd => of(input, Asked::EndBrowser),
            Operation::PeopleList => of(input, Asked::People),
            Operation::RevocationsAdd => of(input, Asked::Revoke),
            Operation::RevocationsLift => of(input, Asked::Lift),
            Operation::RevocationsList => of(input, Asked::Revocations),
            Operation::SessionsList => of(input, Asked::Sessions),
            Operation::ToolsApprove => of(input, Asked::ApproveTool),
            Operation::ToolsHistory => of(input, Asked::History),
            Operation::ToolsList => of(input, Asked::Tools),
            Operation::ToolsRevoke => of(input, Asked::RevokeTool),
            Operation::ToolsRollBack => of(input, Asked::RollBack),
            Operation::Whoami => of(input, Asked::Whoami),
        }
    }

    /// Which operation it is.
    pub fn operation(&self) -> Operation {
        match self {
            Asked::Decide(_) => Operation::ApprovalsDecide,
            Asked::Approvals(_) => Operation::ApprovalsList,
            Asked::Connections(_) => Operation::ConnectionsList,
            Asked::RevokeConnection(_) => Operation::ConnectionsRevoke,
            Asked::Consents(_) => Operation::ConsentsList,
            Asked::RevokeConsent(_) => Operation::ConsentsRevoke,
            Asked::ForgetPasskey(_) => Operation::PasskeyForget,
            Asked::EndBrowser(_) => Operation::PeopleEnd,
            Asked::People(_) => Operation::PeopleList,
            Asked::Revoke(_) => Operation::RevocationsAdd,
            Asked::Lift(_) => Operation::RevocationsLift,
            Asked::Revocations(_) => Operation::RevocationsList,
            Asked::Sessions(_) => Operation::SessionsList,
            Asked::ApproveTool(_) => Operation::ToolsApprove,
            Asked::History(_) => Operation::ToolsHistory,
            Asked::Tools(_) => Operation::ToolsList,
            Asked::RevokeTool(_) => Operation::ToolsRevoke,
            Asked::RollBack(_) => Operation::ToolsRollBack,
            Asked::Whoami(_) => Operation::Whoami,
        }
    }

    /// What it is about, for the record.
    pub(super) fn subject(&self) -> String {
        let either = |text: &Option<String>| text.clone().unwrap_or_default();
        match self {
            Asked::Decide(decide) => decide.id.clone(),
            Asked::Approvals(of) => either(&of.id),
            Asked::Connections(of) | Asked::People(of) => either(&of.user),
            Asked::Sessions(wanted) => either(&wanted.user),
            Asked::Tools(of) => either(&of.server),
            Asked::Consents(of) => of.user.clone(),
            Asked::RevokeConsent(one) => format!("{}/{}", one.user, one.id),
            Asked::RevokeConnection(grant) => grant.name.clone(),
            Asked::EndBrowser(session) => session.session.clone(),
            Asked::Revoke(revoke) => revoke.target.to_string(),
            Asked::Lift(lift) => lift.id.clone(),
            Asked::ApproveTool(tool) | Asked::RollBack(tool) => {
                format!("{}/{}", tool.server, tool.tool)
            }
            Asked::History(tool) | Asked::RevokeTool(tool) => {
                format!("{}/{}", tool.server, tool.tool)
            }
            Asked::ForgetPasskey(_) | Asked::Revocations(_) | Asked::Whoami(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(operation: Operation, input: Value, read: bool) {
        let asked = Asked::read(operation, input.clone());
        assert_eq!(asked.is_ok(), read, "{operation:?} {input}");
        assert!(asked.is_ok_and(|asked| asked.operation() == operation) || !read);
    }

    #[test]
    fn n1_2_what_an_operation_does_not_know_is_refused() {
        let digest = inspect::pin::digest(&json!({"name": "x"})).to_string();
        let tool = json!({ "server": "s", "tool": "t" });
        let pinned = json!({ "server": "s", "tool": "t", "digest": digest });
        for (operation, input) in [
            (Operation::ConnectionsList, json!({ "user": "u" })),
            (
                Operation::ConnectionsRevoke,
                json!({ "name": "n", "why": "w" }),
            ),
            (Operation::ConsentsList, json!({ "user": "u" })),
            (Operation::ConsentsRevoke, json!({ "user": "u", "id": "i" })),
            (Operation::PasskeyForget, json!({})),
            (Operation::PeopleEnd, json!({ "session": "s" })),
            (Operation::PeopleList, json!({})),
            (
                Operation::RevocationsAdd,
                json!({ "target": { "kind": "user", "issuer": "i", "name": "n" }, "block": true }),
            ),
            (
                Operation::ApprovalsDecide,
                json!({ "id": "i", "asked_ms": 7, "decision": "decline", "why": "w" }),
            ),
            (Operation::ApprovalsList, json!({ "id": "i" })),
            (Operation::RevocationsLift, json!({ "id": "i" })),
            (Operation::RevocationsList, json!({})),
            (
                Operation::SessionsList,
                json!({ "user": "u", "route": "/r" }),
            ),
            (Operation::ToolsApprove, pinned.clone()),
            (Operation::ToolsHistory, tool.clone()),
            (Operation::ToolsList, json!({ "server": "s" })),
            (Operation::ToolsRevoke, tool.clone()),
            (Operation::ToolsRollBack, pinned.clone()),
            (Operation::Whoami, json!({})),
        ] {
            check(operation, input.clone(), true);
            let mut more = input;
            more["more"] = json!(1);
            check(operation, more, false);
            for none in [json!(null), json!([]), json!("x"), json!(7)] {
                check(operation, none, false);
            }
        }
    }

    #[test]
    fn n1_2_what_is_not_as_an_operation_takes_it_is_refused() {
        for (operation, input) in [
            (
                Operation::ApprovalsDecide,
                json!({ "id": "i", "decision": "approve" }),
            ),
            (
                Operation::ApprovalsDecide,
                json!({ "id": "i", "asked_ms": 7, "decision": "perhaps" }),
            ),
            (Operation::ConnectionsRevoke, json!({})),
            (
                Operation::RevocationsAdd,
                json!({ "target": { "kind": "gateway", "name": "n" } }),
            ),
            (
                Operation::RevocationsAdd,
                json!({ "target": { "kind": "user", "name": "n", "more": 1 } }),
            ),
            (
                Operation::ToolsApprove,
                json!({ "server": "s", "tool": "t", "digest": "x" }),
            ),
            (Operation::SessionsList, json!({ "user": 7 })),
        ] {
            check(operation, input, false);
        }
    }
}
