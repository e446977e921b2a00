//! What the caller of a session was: privileges, and the token that came last, by its names. Never the
//! token itself, and no proof of anything: who comes is verified on every message.

use crate::revocation::Facts;
use crate::sessions::Session;
use crate::small::{hex, sha256};
use identity::{Actor, Caller, Groups};
use serde_json::Value;
use std::sync::Arc;

/// What a caller was when a message came.
#[derive(Debug)]
pub struct Standing {
    privileges: Arc<Privileges>,
    token_digest: [u8; 32],
    token_id: Option<Box<str>>,
    login: Option<Box<str>>,
    actors: Box<[Actor]>,
    issued_s: u64,
}

/// Whether a session is for whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The token is bound to another key: whoever holds it is somebody else, for all anybody knows, and
    /// must not be able to do anything to the session.
    Foreign,
    /// The same caller may do more now.
    Outgrown,
    /// The same caller, who may do no more than before.
    Same,
}

/// What a token lets its caller do, apart from who they are.
#[derive(Debug, PartialEq, Eq)]
pub struct Privileges {
    scopes: Box<[Box<str>]>,
    /// Nothing if nobody knows.
    groups: Option<Box<[Box<str>]>>,
    /// `roles`, as issuers name what somebody is within one application.
    roles: Box<[Box<str>]>,
    /// How they were authenticated: `acr`, and `acrs` of Entra ID.
    context: Box<str>,
    /// What the token is bound to: `cnf`.
    bound_to: Box<str>,
}

impl Privileges {
    /// Those of a caller.
    pub fn of(caller: &Caller) -> Self {
        let claim = |name| {
            let claim = caller.claims().get(name);
            claim.map(ToString::to_string).unwrap_or_default()
        };
        Privileges {
            scopes: sorted(caller.scopes()),
            groups: match caller.groups() {
                Groups::Known(names) => Some(sorted(names)),
                Groups::Unknown(_) => None,
            },
            roles: roles(caller),
            context: [claim("acr"), claim("acrs")].concat().into(),
            bound_to: claim("cnf").into(),
        }
    }

    /// Whether a caller with these may do no less than one with those: the same login context, the same
    /// key, and no scope, group or role that is missing here.
    pub fn cover(&self, other: &Privileges) -> bool {
        let groups = match (&self.groups, &other.groups) {
            (Some(mine), Some(others)) => is_within(others, mine),
            (mine, others) => mine == others,
        };
        groups
            && self.context == other.context
            && self.bound_to == other.bound_to
            && is_within(&other.scopes, &self.scopes)
            && is_within(&other.roles, &self.roles)
    }

    /// A short name for them, the same for the same ones.
    pub fn name(&self) -> String {
        let mut whole = Vec::new();
        let mut part = |text: &str| {
            whole.extend_from_slice(&(text.len() as u64).to_be_bytes());
            whole.extend_from_slice(text.as_bytes());
        };
        part(&self.context);
        part(&self.bound_to);
        self.scopes.iter().for_each(|scope| part(scope));
        part("");
        self.roles.iter().for_each(|role| part(role));
        part("");
        part(if self.groups.is_some() { "known" } else { "" });
        let groups = self.groups.iter().flatten();
        groups.for_each(|group| part(group));
        hex(sha256(&whole).get(..16).unwrap_or_default())
    }
}

impl Standing {
    /// What this caller is.
    pub fn of(caller: &Caller) -> Self {
        Standing::with(caller, Arc::new(Privileges::of(caller)))
    }

    fn with(caller: &Caller, privileges: Arc<Privileges>) -> Self {
        Standing {
            privileges,
            token_digest: *caller.token_digest(),
            token_id: caller.token_id().map(Into::into),
            login: crate::revocation::login_of(caller).map(Into::into),
            actors: caller.actors().into(),
            issued_s: caller.issued_at(),
        }
    }

    /// Whether this very token came last.
    pub fn is_with(&self, caller: &Caller) -> bool {
        self.token_digest == *caller.token_digest()
    }

    /// The standing once this caller came, if they are no more than they were at first.
    pub fn renewed(&self, caller: &Caller) -> Result<Self, Admission> {
        let now = Privileges::of(caller);
        if self.privileges.bound_to != now.bound_to {
            return Err(Admission::Foreign);
        }
        match self.privileges.cover(&now) {
            true => Ok(Standing::with(caller, Arc::clone(&self.privileges))),
            false => Err(Admission::Outgrown),
        }
    }

    /// What revocations are asked about.
    pub fn facts<'a>(&'a self, session: &'a Session) -> Facts<'a> {
        Facts {
            issuer: session.issuer(),
            subject: session.subject(),
            user: session.user(),
            client: session.client(),
            actors: &self.actors,
            token_id: self.token_id.as_deref(),
            token_digest: &self.token_digest,
            login: self.login.as_deref(),
            issued_s: self.issued_s,
            session: Some(session.name()),
        }
    }
}

/// As JSON writes them, so that one that is no text is not taken for one that is.
fn roles(caller: &Caller) -> Box<[Box<str>]> {
    let names: Vec<String> = match caller.claims().get("roles") {
        None => Vec::new(),
        Some(Value::Array(roles)) => roles.iter().map(ToString::to_string).collect(),
        Some(role) => vec![role.to_string()],
    };
    sorted(&names)
}

fn sorted(names: &[String]) -> Box<[Box<str>]> {
    let mut names: Vec<Box<str>> = names.iter().map(|name| name.as_str().into()).collect();
    names.sort_unstable();
    names.dedup();
    names.into()
}

fn is_within(few: &[Box<str>], many: &[Box<str>]) -> bool {
    few.iter().all(|name| many.binary_search(name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Box<[Box<str>]> {
        let names: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        sorted(&names)
    }

    fn privileges(scopes: &str, groups: Option<&str>) -> Privileges {
        Privileges {
            scopes: names(scopes),
            groups: groups.map(names),
            roles: names("reader"),
            context: "low".into(),
            bound_to: "{\"jkt\":\"one\"}".into(),
        }
    }

    #[test]
    fn n8_3_privileges_are_covered_by_the_same_and_by_more_and_by_nothing_else() {
        let first = privileges("a b", Some("x y"));
        for (other, covered) in [
            (privileges("b a a", Some("y x")), true),
            (privileges("a", Some("x")), true),
            (privileges("", Some("")), true),
            (privileges("a b c", Some("x")), false),
            (privileges("c", Some("x")), false),
            (privileges("a", Some("x z")), false),
            (privileges("a", None), false),
        ] {
            assert_eq!(first.cover(&other), covered, "{other:?}");
        }
        let unknown = privileges("a b", None);
        assert!(unknown.cover(&privileges("a", None)));
        assert!(!unknown.cover(&privileges("a", Some(""))));
    }

    #[test]
    fn n8_3_a_token_bound_to_another_key_does_nothing_to_a_session() {
        // Without a key, without a login context, and without any privilege.
        let caller = Caller::local("alice");
        let standing = |change: fn(Privileges) -> Privileges| {
            let plain = Privileges {
                bound_to: "".into(),
                context: "".into(),
                ..privileges("a", Some("x"))
            };
            Standing::with(&Caller::local("bob"), Arc::new(change(plain)))
        };
        let bound = standing(|it| Privileges {
            bound_to: "{\"jkt\":\"one\"}".into(),
            ..it
        });
        let low = standing(|it| Privileges {
            context: "low".into(),
            ..it
        });
        assert_eq!(bound.renewed(&caller).err(), Some(Admission::Foreign));
        assert_eq!(low.renewed(&caller).err(), Some(Admission::Outgrown));
        assert!(standing(|it| it).renewed(&caller).is_ok());
    }

    #[test]
    fn n8_3_another_key_role_or_login_context_is_not_covered() {
        let first = || privileges("a", Some("x"));
        let more: [fn(Privileges) -> Privileges; 5] = [
            |it| Privileges {
                bound_to: "{\"jkt\":\"two\"}".into(),
                ..it
            },
            |it| Privileges {
                bound_to: "".into(),
                ..it
            },
            |it| Privileges {
                context: "high".into(),
                ..it
            },
            |it| Privileges {
                context: "".into(),
                ..it
            },
            |it| Privileges {
                roles: names("reader writer"),
                ..it
            },
        ];
        for (row, change) in more.into_iter().enumerate() {
            let other = change(first());
            assert!(!first().cover(&other), "{row}");
            assert_ne!(first().name(), other.name(), "{row}");
        }
        assert_eq!(first().name(), first().name());
        assert_ne!(
            privileges("a x", Some("")).name(),
            privileges("a", Some("x")).name()
        );
    }
}
