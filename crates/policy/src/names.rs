//! The names of Cedar's world: entity types and ids. The one place where they are put together.

use crate::request::{Action, Kind, Target};
use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use std::sync::LazyLock;

/// The namespace of everything Ringwall defines.
pub(crate) const NAMESPACE: &str = "Ringwall";

pub(crate) struct Names {
    pub(crate) user: EntityTypeName,
    pub(crate) group: EntityTypeName,
    server: EntityTypeName,
    tool: EntityTypeName,
    prompt: EntityTypeName,
    resource: EntityTypeName,
    action: EntityTypeName,
}

pub(crate) static NAMES: LazyLock<Names> = LazyLock::new(|| Names {
    user: type_name("User"),
    group: type_name("Group"),
    server: type_name("Server"),
    tool: type_name("Tool"),
    prompt: type_name("Prompt"),
    resource: type_name("Resource"),
    action: type_name("Action"),
});

impl Names {
    pub(crate) fn kind(&self, type_name: &EntityTypeName) -> Option<Kind> {
        [Kind::Prompt, Kind::Resource, Kind::Server, Kind::Tool]
            .into_iter()
            .find(|kind| self.of(*kind) == type_name)
    }

    pub(crate) fn of(&self, kind: Kind) -> &EntityTypeName {
        match kind {
            Kind::Prompt => &self.prompt,
            Kind::Resource => &self.resource,
            Kind::Server => &self.server,
            Kind::Tool => &self.tool,
        }
    }
}

pub(crate) fn target_uid(target: Target<'_>) -> EntityUid {
    uid(NAMES.of(target.kind()), target.to_string())
}

pub(crate) fn action_uid(action: Action) -> EntityUid {
    uid(&NAMES.action, action.name())
}

/// The action an id of a policy's scope names, if it is one of ours.
pub(crate) fn action_of(uid: &EntityUid) -> Option<Action> {
    if uid.type_name() != &NAMES.action {
        return None;
    }
    let id: &str = uid.id().as_ref();
    Action::named(id)
}

/// `issuer#name`: an issuer never holds a `#`, so this cannot be read two ways.
pub(crate) fn user_uid(issuer: &str, user: &str) -> EntityUid {
    uid(&NAMES.user, format!("{issuer}#{user}"))
}

pub(crate) fn group_uid(issuer: &str, group: &str) -> EntityUid {
    uid(&NAMES.group, format!("{issuer}#{group}"))
}

fn uid(type_name: &EntityTypeName, id: impl AsRef<str>) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id))
}

#[expect(
    clippy::expect_used,
    reason = "seven constants, all of them parsed by a test"
)]
fn type_name(name: &str) -> EntityTypeName {
    format!("{NAMESPACE}::{name}")
        .parse()
        .expect("a constant entity type name parses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_read_back() {
        assert_eq!(
            target_uid(Target::Tool {
                server: "files",
                name: "a/b"
            })
            .to_string(),
            r#"Ringwall::Tool::"files/a/b""#
        );
        assert_eq!(action_of(&action_uid(Action::Call)), Some(Action::Call));
        assert_eq!(action_of(&user_uid("corp", "call")), None);
        assert_eq!(
            group_uid("corp", "admins").to_string(),
            r#"Ringwall::Group::"corp#admins""#
        );
    }
}
