//! What a statement means for those who were let in before: which of them are revoked (CAEP 1.0, RISC
//! 1.0, subjects of RFC 9493), and what is only written down. It does nothing itself but ask for it.

use super::Fault;
use crate::gate::Gate;
use crate::revocation::{Order, Origin, RegisterError, Target};
use identity::{Statement, StatementKind};
use serde_json::{Map, Value};

/// Types of events, by the beginning of their names and the rest.
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

/// Subjects that one subject may be another name for (RFC 9493 section 3.2.8).
const ALIASES_MAX: usize = 8;

/// What follows from a statement.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    orders: Vec<Order>,
    noted: Vec<String>,
}

/// How much of what a user has open an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The narrowest thing that the subject names: a login if it names one.
    Login,
    /// Everything of the user.
    User,
}

/// Events that end something. All others are written down: what a receiver does not know it ignores
/// (RFC 8417 section 2), and what it cannot judge is for people to read.
const ENDING: [(&str, &str, Reach); 8] = [
    (CAEP, "session-revoked", Reach::Login),
    (CAEP, "credential-change", Reach::User),
    (CAEP, "token-claims-change", Reach::Login),
    (RISC, "account-credential-change-required", Reach::User),
    (RISC, "account-disabled", Reach::User),
    (RISC, "account-purged", Reach::User),
    (RISC, "credential-compromise", Reach::User),
    (RISC, "sessions-revoked", Reach::User),
];

/// What this statement means at this moment.
///
/// `claim` is what names users in the issuer's tokens.
pub(super) fn of(
    said: &Statement,
    kind: StatementKind,
    claim: &str,
    now_ms: u64,
) -> Result<Meaning, Fault> {
    match kind {
        StatementKind::Logout => logout(said),
        StatementKind::Event => {
            let names = Names {
                issuer: &said.issuer,
                claim,
            };
            events(said, names, now_ms)
        }
    }
}

/// Whose names those of a subject are.
#[derive(Clone, Copy, Debug)]
struct Names<'a> {
    issuer: &'a str,
    /// The claim of its tokens that names the user.
    claim: &'a str,
}

impl Meaning {
    /// Carries it out. When it returns, what is revoked is refused.
    pub(super) async fn act(
        self,
        gate: &Gate,
        said: &Statement,
        now_ms: u64,
    ) -> Result<(), RegisterError> {
        for order in self.orders {
            gate.revocations.add(order, now_ms).await?;
        }
        for name in self.noted {
            let after = format!("by issuer {}", said.issuer);
            gate.note("event.noted", "", &name, &after);
        }
        Ok(())
    }
}

/// One login if it is named (and what does not say which login it came from), else all of the user
/// (OpenID Connect Back-Channel Logout 1.0 section 2.4).
fn logout(said: &Statement) -> Result<Meaning, Fault> {
    let text = |name: &str| match said.claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(Fault::request(format!("`{name}` is no text"))),
    };
    let issuer = said.issuer.clone();
    let target = match (text("sid")?, text("sub")?) {
        (Some(name), user) => Target::Login { issuer, name, user },
        (None, Some(name)) => Target::User {
            issuer: Some(issuer),
            name,
        },
        (None, None) => return Err(Fault::request("it has neither `sub` nor `sid`")),
    };
    Ok(Meaning {
        orders: vec![order(said, target, "logout", said.issued_s)],
        noted: Vec::new(),
    })
}

fn events(said: &Statement, names: Names<'_>, now_ms: u64) -> Result<Meaning, Fault> {
    let mut meaning = Meaning::default();
    for (name, payload) in &said.events {
        let ending = ENDING.iter().find(|(prefix, rest, _)| {
            let found = name.strip_prefix(prefix);
            found == Some(rest)
        });
        let Some((_, short, reach)) = ending else {
            meaning.noted.push(name.chars().take(200).collect());
            continue;
        };
        let at_s = moment(payload, said, now_ms)?;
        for target in targets(subject(said, payload)?, names, *reach)? {
            let order = order(said, target, short, at_s);
            meaning.orders.push(order);
        }
    }
    Ok(meaning)
}

fn order(said: &Statement, target: Target, event: &str, at_s: u64) -> Order {
    Order {
        target,
        at_ms: at_s.saturating_mul(1000),
        block: false,
        origin: Origin::Issuer,
        why: format!("the event {event}"),
        by: format!("issuer {}", said.issuer)
            .chars()
            .take(512)
            .collect(),
    }
}

/// When it happened: as the event says, or when it was told.
fn moment(payload: &Value, said: &Statement, now_ms: u64) -> Result<u64, Fault> {
    match payload.get("event_timestamp") {
        None => Ok(said.issued_s),
        Some(time) => {
            let time = time.as_u64().filter(|time| *time <= now_ms / 1000 + 300);
            time.ok_or_else(|| Fault::request("`event_timestamp` is no moment that has come"))
        }
    }
}

/// Whom it is about: `sub_id` of the statement, or `subject` of the event as earlier drafts have it.
fn subject<'s>(said: &'s Statement, payload: &'s Value) -> Result<&'s Map<String, Value>, Fault> {
    let subject = said.claims.get("sub_id").or_else(|| payload.get("subject"));
    let subject = subject.and_then(Value::as_object);
    subject.ok_or_else(|| Fault::request("it has no `sub_id`"))
}

/// What is revoked, for a subject in any form.
fn targets(
    subject: &Map<String, Value>,
    names: Names<'_>,
    reach: Reach,
) -> Result<Vec<Target>, Fault> {
    match text(subject, "format")? {
        "aliases" => aliases(subject, names),
        "complex" => complex(subject, names, reach),
        "jwt_id" => {
            of_issuer(subject, names.issuer)?;
            Ok(vec![Target::Token {
                issuer: names.issuer.to_owned(),
                name: text(subject, "jti")?.to_owned(),
            }])
        }
        _ => Ok(vec![user(names.issuer, name(subject, names)?)]),
    }
}

fn user(issuer: &str, name: &str) -> Target {
    Target::User {
        issuer: Some(issuer.to_owned()),
        name: name.to_owned(),
    }
}

/// Every name that is understood; one is enough.
fn aliases(subject: &Map<String, Value>, names: Names<'_>) -> Result<Vec<Target>, Fault> {
    let all = subject.get("identifiers").and_then(Value::as_array);
    let all = all.filter(|all| !all.is_empty() && all.len() <= ALIASES_MAX);
    let all = all.ok_or_else(|| Fault::request("`identifiers` is no list of a few"))?;
    let objects = all.iter().filter_map(Value::as_object);
    let known: Vec<Target> = objects
        .filter_map(|alias| name(alias, names).ok())
        .map(|name| user(names.issuer, name))
        .collect();
    match known.is_empty() {
        true => Err(Fault::request("no identifier of the subject is understood")),
        false => Ok(known),
    }
}

/// A login, a user, or both (complex subjects of the Shared Signals Framework 1.0). A subject that narrows in other
/// ways, to a device or a tenant, is taken for all of its user: more ends than had to.
fn complex(
    subject: &Map<String, Value>,
    names: Names<'_>,
    reach: Reach,
) -> Result<Vec<Target>, Fault> {
    let part = |part: &str| match subject.get(part) {
        None => Ok(None),
        Some(Value::Object(inner)) => name(inner, names).map(Some),
        Some(_) => Err(Fault::request(format!(
            "`{part}` of the subject is no subject"
        ))),
    };
    let (who, session) = (part("user")?, part("session")?);
    match (who, session) {
        (Some(who), None) => Ok(vec![user(names.issuer, who)]),
        (Some(who), Some(_)) if reach == Reach::User => Ok(vec![user(names.issuer, who)]),
        (who, Some(session)) => Ok(vec![Target::Login {
            issuer: names.issuer.to_owned(),
            name: session.to_owned(),
            user: who.map(str::to_owned),
        }]),
        (None, None) => Err(Fault::request("the subject names neither user nor session")),
    }
}

/// The issuer's name in a simple subject.
fn name<'s>(subject: &'s Map<String, Value>, names: Names<'_>) -> Result<&'s str, Fault> {
    match text(subject, "format")? {
        "iss_sub" => {
            of_issuer(subject, names.issuer)?;
            text(subject, "sub")
        }
        "opaque" => text(subject, "id"),
        // A name that no token bears would bar nobody, and the issuer would believe that it had.
        "email" if names.claim == "email" => text(subject, "email"),
        "account" if ["email", "preferred_username", "upn"].contains(&names.claim) => {
            let uri = text(subject, "uri")?;
            Ok(uri.strip_prefix("acct:").unwrap_or(uri))
        }
        _ => Err(Fault::request("this form of subject is not understood")),
    }
}

/// An issuer speaks of its own users and of nobody else's.
fn of_issuer(subject: &Map<String, Value>, issuer: &str) -> Result<(), Fault> {
    match text(subject, "iss")? == issuer {
        true => Ok(()),
        false => Err(Fault::new(
            "access_denied",
            "the subject is another issuer's",
        )),
    }
}

fn text<'s>(subject: &'s Map<String, Value>, member: &str) -> Result<&'s str, Fault> {
    let text = subject.get(member).and_then(Value::as_str);
    let text = text.filter(|text| !text.is_empty());
    text.ok_or_else(|| Fault::request(format!("the subject has no `{member}`")))
}

#[cfg(test)]
mod tests;
