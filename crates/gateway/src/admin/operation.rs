//! What administrators can do: the whole list, each with its name, its place, its duty and its effect.
//! The endpoints, the actions of the policies and the reference are made from it.

use policy::Duty;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Approves a call that waits, or declines it.
    ApprovalsDecide,
    /// Lists calls that wait for somebody's approval.
    ApprovalsList,
    /// Takes back what a user granted the gateway.
    ConnectionsRevoke,
    /// Lists what users granted the gateway at the authorization servers of servers.
    ConnectionsList,
    /// Lists which clients a user let in.
    ConsentsList,
    /// Takes back that a client was let in, and everything that came of it.
    ConsentsRevoke,
    /// Forgets the passkey of the account for emergencies.
    PasskeyForget,
    /// Signs out a browser.
    PeopleEnd,
    /// Lists who is signed in with a browser.
    PeopleList,
    /// Revokes a user, a client, a session, a token or a grant.
    RevocationsAdd,
    /// Takes a revocation back.
    RevocationsLift,
    /// Lists what is revoked.
    RevocationsList,
    /// Lists what is held for callers.
    SessionsList,
    /// Approves a definition that waits.
    ToolsApprove,
    /// Lists what was approved of one definition.
    ToolsHistory,
    /// Lists the definitions that are approved or wait.
    ToolsList,
    /// Takes the approval of a definition back.
    ToolsRevoke,
    /// Approves a definition again that was approved before.
    ToolsRollBack,
    /// Says who asks, with which roles.
    Whoami,
}

/// The HTTP method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// It only looks.
    Get,
    /// It changes something.
    Post,
}

impl Verb {
    /// The method.
    pub const fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
        }
    }
}

/// What an operation leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Something is different afterwards.
    Changes,
    /// Nothing is.
    Looks,
}

impl Operation {
    /// Every operation, in the order of their names.
    pub const ALL: [Operation; 19] = [
        Operation::ApprovalsDecide,
        Operation::ApprovalsList,
        Operation::ConnectionsList,
        Operation::ConnectionsRevoke,
        Operation::ConsentsList,
        Operation::ConsentsRevoke,
        Operation::PasskeyForget,
        Operation::PeopleEnd,
        Operation::PeopleList,
        Operation::RevocationsAdd,
        Operation::RevocationsLift,
        Operation::RevocationsList,
        Operation::SessionsList,
        Operation::ToolsApprove,
        Operation::ToolsHistory,
        Operation::ToolsList,
        Operation::ToolsRevoke,
        Operation::ToolsRollBack,
        Operation::Whoami,
    ];

    /// Below which path all of them are.
    pub const BASE: &'static str = "/admin/api/v1";

    /// Its name: the action in policies, what is asked on the control socket, and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Operation::ApprovalsDecide => "approvals.decide",
            Operation::ApprovalsList => "approvals.list",
            Operation::ConnectionsList => "connections.list",
            Operation::ConnectionsRevoke => "connections.revoke",
            Operation::ConsentsList => "consents.list",
            Operation::ConsentsRevoke => "consents.revoke",
            Operation::PasskeyForget => "passkey.forget",
            Operation::PeopleEnd => "people.end",
            Operation::PeopleList => "people.list",
            Operation::RevocationsAdd => "revocations.add",
            Operation::RevocationsLift => "revocations.lift",
            Operation::RevocationsList => "revocations.list",
            Operation::SessionsList => "sessions.list",
            Operation::ToolsApprove => "tools.approve",
            Operation::ToolsHistory => "tools.history",
            Operation::ToolsList => "tools.list",
            Operation::ToolsRevoke => "tools.revoke",
            Operation::ToolsRollBack => "tools.roll_back",
            Operation::Whoami => "whoami",
        }
    }

    /// Its place below [`Operation::BASE`].
    pub const fn path(self) -> &'static str {
        match self {
            Operation::ApprovalsDecide => "/approvals/decide",
            Operation::ApprovalsList => "/approvals",
            Operation::ConnectionsList => "/connections",
            Operation::ConnectionsRevoke => "/connections/revoke",
            Operation::ConsentsList => "/consents",
            Operation::ConsentsRevoke => "/consents/revoke",
            Operation::PasskeyForget => "/passkey/forget",
            Operation::PeopleEnd => "/people/end",
            Operation::PeopleList => "/people",
            Operation::RevocationsAdd | Operation::RevocationsList => "/revocations",
            Operation::RevocationsLift => "/revocations/lift",
            Operation::SessionsList => "/sessions",
            Operation::ToolsApprove => "/tools/approve",
            Operation::ToolsHistory => "/tools/history",
            Operation::ToolsList => "/tools",
            Operation::ToolsRevoke => "/tools/revoke",
            Operation::ToolsRollBack => "/tools/roll-back",
            Operation::Whoami => "/whoami",
        }
    }

    /// Which duty it belongs to, and so which role has it by the built-in policies.
    pub const fn duty(self) -> Duty {
        match self {
            Operation::ApprovalsList
            | Operation::ConnectionsList
            | Operation::ConsentsList
            | Operation::PeopleList
            | Operation::RevocationsList
            | Operation::SessionsList
            | Operation::ToolsHistory
            | Operation::ToolsList
            | Operation::Whoami => Duty::Look,
            Operation::ApprovalsDecide => Duty::Decide,
            Operation::ConnectionsRevoke
            | Operation::ConsentsRevoke
            | Operation::PeopleEnd
            | Operation::RevocationsAdd
            | Operation::ToolsRevoke => Duty::Operate,
            // Whoever was kept out comes in again, and what a model reads is trusted.
            Operation::PasskeyForget
            | Operation::RevocationsLift
            | Operation::ToolsApprove
            | Operation::ToolsRollBack => Duty::Administer,
        }
    }

    /// Whether it changes anything.
    pub const fn effect(self) -> Effect {
        match self.duty() {
            Duty::Look => Effect::Looks,
            Duty::Administer | Duty::Decide | Duty::Operate => Effect::Changes,
        }
    }

    /// Its HTTP method.
    pub const fn verb(self) -> Verb {
        match self.effect() {
            Effect::Changes => Verb::Post,
            Effect::Looks => Verb::Get,
        }
    }

    /// What it does, for the reference.
    pub const fn told(self) -> &'static str {
        match self {
            Operation::ApprovalsDecide => {
                "approves or declines a call that waits, if policies let that person approve it"
            }
            Operation::ApprovalsList => {
                "calls that wait for approval; by its id one of them, with every value that would be sent"
            }
            Operation::ConnectionsList => {
                "what users granted the gateway, of everybody or of one user"
            }
            Operation::ConnectionsRevoke => "takes back what a user granted",
            Operation::ConsentsList => "which clients a user let in",
            Operation::ConsentsRevoke => "takes back that a client was let in, with its tokens",
            Operation::PasskeyForget => {
                "forgets the passkey for emergencies; a code for another is printed at the next start"
            }
            Operation::PeopleEnd => "signs a browser out",
            Operation::PeopleList => "who is signed in with a browser",
            Operation::RevocationsAdd => "revokes a user, client, session, token or grant",
            Operation::RevocationsLift => "takes a revocation back",
            Operation::RevocationsList => "what is revoked",
            Operation::SessionsList => {
                "what is held for callers, of everybody, one user or one route"
            }
            Operation::ToolsApprove => "approves a definition that waits, by its digest",
            Operation::ToolsHistory => "who approved which definition of one tool, and when",
            Operation::ToolsList => {
                "definitions that are approved or wait, and what is suspected of those that wait"
            }
            Operation::ToolsRevoke => "takes the approval of a definition back",
            Operation::ToolsRollBack => "approves a definition again that was approved before",
            Operation::Whoami => "who asks, with which roles",
        }
    }

    /// The operation of this name.
    pub fn named(name: &str) -> Option<Self> {
        Operation::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The operations at this place: of one place there may be one to look and one to change.
    pub fn at(path: &str) -> impl Iterator<Item = Self> {
        Operation::ALL
            .into_iter()
            .filter(move |it| it.path() == path)
    }

    /// The reference of all of them, which role has which by the built-in policies.
    #[cfg(test)]
    fn reference() -> String {
        use policy::Role;
        use std::fmt::Write as _;
        let mut text = String::from(REFERENCE);
        for it in Operation::ALL {
            let _ = write!(
                text,
                "| `{}` | `{} {}{}` | {} |",
                it.name(),
                it.verb().name(),
                Operation::BASE,
                it.path(),
                it.told()
            );
            for role in Role::ALL {
                let has = role == Role::Admin || [Role::Viewer, role].contains(&it.duty().role());
                let _ = write!(text, " {} |", if has { "yes" } else { "-" });
            }
            text.push('\n');
        }
        text
    }

    /// All of them, as policies know them.
    pub fn actions() -> Vec<(&'static str, Duty)> {
        let all = Operation::ALL.into_iter();
        all.map(|it| (it.name(), it.duty())).collect()
    }
}

/// What stands above the table.
#[cfg(test)]
const REFERENCE: &str = "\
# Operations of administration

Made from the definitions of `gateway::admin`; the test that compares writes it anew with `RINGWALL_UPDATE=1`. What each role
may do is what the built-in policies say (`ringwall policy administration`); [administration.md](administration.md) says who
has a role and how operations are asked for.

| operation | over HTTP | what it does | viewer | operator | approver | admin |
| --- | --- | --- | --- | --- | --- | --- |
";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_operation_has_a_name_and_a_place_of_its_own() {
        let names: HashSet<&str> = Operation::ALL.iter().map(|it| it.name()).collect();
        let places = Operation::ALL.iter().map(|it| (it.verb(), it.path()));
        let places: HashSet<_> = places.collect();
        let all = Operation::ALL.len();
        assert_eq!((names.len(), places.len()), (all, all));
        assert!(Operation::ALL.is_sorted_by_key(|it| it.name()));
        for it in Operation::ALL {
            assert_eq!(Operation::named(it.name()), Some(it));
            assert!(Operation::at(it.path()).any(|found| found == it));
        }
        assert_eq!(Operation::named("sessions"), None);
        assert_eq!(Operation::at("/sessions/").count(), 0);
    }

    #[test]
    fn the_reference_is_what_the_definitions_say() {
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/admin-api.md");
        let reference = Operation::reference();
        if std::env::var_os("RINGWALL_UPDATE").is_some() {
            std::fs::write(place, &reference).unwrap();
        }
        let written = std::fs::read_to_string(place).unwrap_or_default();
        assert!(
            written == reference,
            "docs/admin-api.md is not what the definitions say: run this test with RINGWALL_UPDATE=1"
        );
    }

    #[test]
    fn n2_2_each_role_has_the_operations_of_its_duty_by_the_built_in_policies() {
        use policy::{Administration, Administrator, Groups, Role, Way};
        let built_in = [Administration::built_in()];
        let policies = Administration::compile(&built_in, &Operation::actions()).unwrap();
        for it in Operation::ALL {
            for role in [
                None,
                Some(Role::Viewer),
                Some(Role::Operator),
                Some(Role::Approver),
                Some(Role::Admin),
            ] {
                let who = Administrator {
                    issuer: "i".into(),
                    user: "u".into(),
                    way: Way::SignIn,
                    roles: role.into_iter().collect(),
                    groups: Groups::Unknown,
                    acr: None,
                    amr: Vec::new(),
                };
                let expected = match (role, it.duty().role()) {
                    (None, _) => false,
                    (Some(Role::Admin), _) | (Some(_), Role::Viewer) => true,
                    (Some(role), least) => role == least,
                };
                assert_eq!(
                    policies.allows(&who, it.name()),
                    expected,
                    "{it:?} {role:?}"
                );
            }
        }
    }
}
