//! The caller, as policy sees one: taken once per verified token, shared by every call it makes, and put
//! in the terms of Cedar no sooner than a policy is asked about it.
//!
//! It holds what an issuer has said and nothing else. It never holds a token.

use crate::names::{group_uid, user_uid};
use cedar_policy::{Entity, EntityUid, RestrictedExpression};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// Who somebody is, as verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The name of the issuer: its URL, or the short name the configuration gives it.
    pub issuer: String,
    /// The user's name at that issuer.
    pub user: String,
    /// Whether it is a person.
    pub kind: CallerKind,
    /// Who acts for the user, the current actor first, each as `issuer#name`.
    pub actors: Vec<String>,
    /// The OAuth client the token was issued to; empty if it does not say.
    pub client: String,
    /// The groups.
    pub groups: Groups,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// The mapped claims, by the names of the catalog.
    pub claims: BTreeMap<String, Claim>,
    /// The thumbprint of the key that the caller has proved to hold for this request (DPoP).
    pub key: Option<String>,
    /// The thumbprint of the certificate that the caller has shown to hold the key of (mTLS).
    pub certificate: Option<String>,
}

/// Whether a person calls, or a program of its own accord.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// A person.
    #[default]
    User,
    /// A program: a client by itself, a service account.
    Workload,
}

impl CallerKind {
    /// The word for it in policies.
    pub const fn name(self) -> &'static str {
        match self {
            CallerKind::User => "user",
            CallerKind::Workload => "workload",
        }
    }
}

/// The groups of a caller. An issuer that could not say them all has said nothing: "unknown" is
/// not "none".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Groups {
    /// These and no others.
    Known(Vec<String>),
    /// The issuer did not say, or said "too many".
    Unknown,
}

impl Default for Groups {
    fn default() -> Self {
        Groups::Known(Vec::new())
    }
}

/// The value of a mapped claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
    /// A set of texts.
    Texts(Vec<String>),
}

/// A caller, made ready for decisions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Principal(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    caller: Caller,
    uid: EntityUid,
    version: u64,
    /// Made when a question is put for the first time: what was answered to an equal caller before is
    /// remembered without it.
    told: OnceLock<Result<Told, PrincipalError>>,
}

/// The caller in the terms of Cedar.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) entity: Entity,
    pub(crate) group_uids: HashSet<EntityUid>,
}

impl Principal {
    /// More groups than this are not looked at: the groups are then unknown.
    pub const GROUPS_MAX: usize = 1_000;
    /// The most scopes and the most claims.
    pub const ITEMS_MAX: usize = 1_000;
    /// The longest text, in bytes.
    pub const TEXT_MAX: usize = 8_192;

    /// Takes the caller as one that policy can see whole.
    pub fn new(mut caller: Caller) -> Result<Self, PrincipalError> {
        if matches!(&caller.groups, Groups::Known(names) if names.len() > Self::GROUPS_MAX) {
            caller.groups = Groups::Unknown;
        }
        check(&caller)?;
        // Equal callers have equal versions in every process of this build; unequal ones that
        // share a version are told apart by comparing them, so a collision costs time, not safety.
        let mut hasher = DefaultHasher::new();
        caller.hash(&mut hasher);
        Ok(Principal(Arc::new(Parts {
            version: hasher.finish(),
            uid: user_uid(&caller.issuer, &caller.user),
            caller,
            told: OnceLock::new(),
        })))
    }

    /// Who this is.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// The id in policies, as in `Ringwall::User::"issuer#user"`, without the type.
    pub fn id(&self) -> &str {
        self.0.uid.id().as_ref()
    }

    /// A digest of everything policy can see of the caller, for keys of caches.
    pub fn version(&self) -> u64 {
        self.0.version
    }

    pub(crate) fn uid(&self) -> &EntityUid {
        &self.0.uid
    }

    /// The caller in the terms of Cedar, built once.
    pub(crate) fn told(&self) -> Result<&Told, &PrincipalError> {
        let Parts { caller, uid, .. } = &*self.0;
        let told = self.0.told.get_or_init(|| Told::of(caller, uid));
        told.as_ref()
    }

    #[cfg(test)]
    pub(crate) fn is_told(&self) -> bool {
        self.0.told.get().is_some()
    }

    pub(crate) fn groups_known(&self) -> bool {
        self.0.caller.groups != Groups::Unknown
    }

    /// Roughly how many values the entity holds.
    pub(crate) fn weight(&self) -> usize {
        let caller = &self.0.caller;
        // A group stands in the entity twice: as text and as a parent.
        known(&caller.groups).len() * 2 + caller.scopes.len() + caller.claims.len()
    }
}

impl Told {
    fn of(caller: &Caller, uid: &EntityUid) -> Result<Self, PrincipalError> {
        let group_uids: HashSet<EntityUid> = known(&caller.groups)
            .iter()
            .map(|group| group_uid(&caller.issuer, group))
            .collect();
        let entity = Entity::new(uid.clone(), attributes(caller)?, group_uids.clone())
            .map_err(|_| PrincipalError::Attribute)?;
        Ok(Told { entity, group_uids })
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.version == other.0.version && self.0.caller == other.0.caller)
    }
}

impl Eq for Principal {}

impl Hash for Principal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.version);
    }
}

/// Why a caller cannot be put before policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// A claim cannot be expressed.
    #[error("a claim of the caller cannot be expressed as a policy attribute")]
    Attribute,
    /// The issuer has a `#`, which separates issuer and user.
    #[error("the issuer `{0}` holds a `#`")]
    Issuer(String),
    /// The issuer or the user is empty.
    #[error("the caller has no {0}")]
    Missing(&'static str),
    /// There is too much of something.
    #[error("the caller has too many or too long {0}")]
    TooMuch(&'static str),
}

fn check(caller: &Caller) -> Result<(), PrincipalError> {
    if caller.issuer.is_empty() {
        return Err(PrincipalError::Missing("issuer"));
    }
    if caller.user.is_empty() {
        return Err(PrincipalError::Missing("user"));
    }
    let long = |text: &String| text.len() > Principal::TEXT_MAX;
    let many = |texts: &[String]| texts.len() > Principal::ITEMS_MAX || texts.iter().any(long);
    let claim = |(name, claim): (&String, &Claim)| {
        long(name)
            || match claim {
                Claim::Text(text) => long(text),
                Claim::Texts(texts) => many(texts),
                Claim::Flag(_) | Claim::Number(_) => false,
            }
    };
    for (excess, what) in [
        (long(&caller.issuer), "issuer"),
        (long(&caller.user), "user"),
        (long(&caller.client), "client"),
        (caller.key.iter().any(long), "key"),
        (caller.certificate.iter().any(long), "certificate"),
        (many(known(&caller.groups)), "groups"),
        (many(&caller.actors), "actors"),
        (many(&caller.scopes), "scopes"),
        (caller.claims.len() > Principal::ITEMS_MAX, "claims"),
        (caller.claims.iter().any(claim), "claims"),
    ] {
        if excess {
            return Err(PrincipalError::TooMuch(what));
        }
    }
    match caller.issuer.contains('#') {
        true => Err(PrincipalError::Issuer(caller.issuer.clone())),
        false => Ok(()),
    }
}

fn known(groups: &Groups) -> &[String] {
    match groups {
        Groups::Known(names) => names,
        Groups::Unknown => &[],
    }
}

fn attributes(caller: &Caller) -> Result<HashMap<String, RestrictedExpression>, PrincipalError> {
    let claims = caller
        .claims
        .iter()
        .map(|(name, claim)| (name.clone(), claim_value(claim)));
    let claims = RestrictedExpression::new_record(claims).map_err(|_| PrincipalError::Attribute)?;
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    // What the caller does not hold is absent: `principal.possession has dpop` asks for it.
    let held = [("dpop", &caller.key), ("certificate", &caller.certificate)];
    let held = held
        .into_iter()
        .filter_map(|(way, held)| Some((way.to_owned(), text(held.as_deref()?))));
    let possession =
        RestrictedExpression::new_record(held).map_err(|_| PrincipalError::Attribute)?;
    let mut attributes = HashMap::from([
        ("user".to_owned(), text(&caller.user)),
        ("issuer".to_owned(), text(&caller.issuer)),
        ("kind".to_owned(), text(caller.kind.name())),
        ("client".to_owned(), text(&caller.client)),
        ("scopes".to_owned(), texts(&caller.scopes)),
        ("claims".to_owned(), claims),
        ("possession".to_owned(), possession),
    ]);
    // Of a chain only the current actor decides anything (RFC 8693, section 4.1); how long the chain
    // is says how far the caller is from the user.
    let depth = i64::try_from(caller.actors.len()).unwrap_or(i64::MAX);
    let depth = RestrictedExpression::new_long(depth);
    attributes.insert("actor_depth".to_owned(), depth);
    if let Some(actor) = caller.actors.first() {
        attributes.insert("actor".to_owned(), text(actor));
    }
    // Unknown groups are absent, so that a policy that reads them fails instead of seeing none.
    if let Groups::Known(groups) = &caller.groups {
        attributes.insert("groups".to_owned(), texts(groups));
    }
    Ok(attributes)
}

fn claim_value(claim: &Claim) -> RestrictedExpression {
    match claim {
        Claim::Flag(flag) => RestrictedExpression::new_bool(*flag),
        Claim::Number(number) => RestrictedExpression::new_long(*number),
        Claim::Text(text) => RestrictedExpression::new_string(text.clone()),
        Claim::Texts(items) => texts(items),
    }
}

pub(crate) fn texts<S: AsRef<str>>(items: &[S]) -> RestrictedExpression {
    RestrictedExpression::new_set(
        items
            .iter()
            .map(|item| RestrictedExpression::new_string(item.as_ref().to_owned())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        Caller {
            issuer: "corp".into(),
            user: "alice".into(),
            groups: Groups::Known(vec!["admins".into()]),
            ..Caller::default()
        }
    }

    #[test]
    fn equal_callers_are_equal_principals_and_others_are_not() {
        let first = Principal::new(caller()).expect("builds");
        let again = Principal::new(caller()).expect("builds");
        assert_eq!(first, again);
        assert_eq!(first.version(), again.version());
        for change in [
            Caller {
                user: "bob".into(),
                ..caller()
            },
            Caller {
                issuer: "other".into(),
                ..caller()
            },
            Caller {
                groups: Groups::Unknown,
                ..caller()
            },
            Caller {
                scopes: vec!["admin".into()],
                ..caller()
            },
            Caller {
                claims: BTreeMap::from([("level".into(), Claim::Number(3))]),
                ..caller()
            },
            Caller {
                key: Some("thumbprint".into()),
                ..caller()
            },
            Caller {
                certificate: Some("thumbprint".into()),
                ..caller()
            },
            Caller {
                kind: CallerKind::Workload,
                ..caller()
            },
            Caller {
                actors: vec!["corp#agent".into()],
                ..caller()
            },
        ] {
            assert_ne!(first, Principal::new(change).expect("builds"));
        }
    }

    #[test]
    fn same_user_name_at_another_issuer_is_somebody_else() {
        let other = Principal::new(Caller {
            issuer: "partner".into(),
            ..caller()
        })
        .expect("builds");
        assert_eq!(other.id(), "partner#alice");
        assert_ne!(Principal::new(caller()).expect("builds").id(), other.id());
    }

    #[test]
    fn refuses_callers_it_cannot_name_or_hold() {
        let many = vec!["x".to_owned(); Principal::ITEMS_MAX + 1];
        let long = "x".repeat(Principal::TEXT_MAX + 1);
        for (change, expected) in [
            (
                Caller {
                    issuer: "a#b".into(),
                    ..caller()
                },
                PrincipalError::Issuer("a#b".into()),
            ),
            (
                Caller {
                    user: String::new(),
                    ..caller()
                },
                PrincipalError::Missing("user"),
            ),
            (
                Caller {
                    issuer: String::new(),
                    ..caller()
                },
                PrincipalError::Missing("issuer"),
            ),
            (
                Caller {
                    scopes: many.clone(),
                    ..caller()
                },
                PrincipalError::TooMuch("scopes"),
            ),
            (
                Caller {
                    user: long.clone(),
                    ..caller()
                },
                PrincipalError::TooMuch("user"),
            ),
            (
                Caller {
                    claims: BTreeMap::from([("a".into(), Claim::Texts(many))]),
                    ..caller()
                },
                PrincipalError::TooMuch("claims"),
            ),
            (
                Caller {
                    claims: BTreeMap::from([("a".into(), Claim::Text(long))]),
                    ..caller()
                },
                PrincipalError::TooMuch("claims"),
            ),
        ] {
            assert_eq!(Principal::new(change).expect_err("refused"), expected);
        }
    }

    #[test]
    fn n7_3_too_many_groups_are_unknown_groups() {
        let groups = (0..=Principal::GROUPS_MAX)
            .map(|nth| nth.to_string())
            .collect();
        let principal = Principal::new(Caller {
            groups: Groups::Known(groups),
            ..caller()
        })
        .expect("builds");
        assert!(!principal.groups_known());
    }
}
