//! Lines of refresh tokens, as they are kept: under whose they are, sealed, until they end. One that ends
//! before its time takes the access tokens with it that could still be good.

use super::At;
use super::answer::{BROKEN, state};
use crate::gate::Gate;
use crate::revocation::{Order, Origin, RegisterError, Target};
use crate::state::{Kind, Opened, StateError};
use identity::authority::{AuthorityError, CodeText, Family, Person};

/// What the row of a family is called.
pub(super) fn key(text: &CodeText) -> String {
    format!("{}/{}", text.user(), text.family())
}

/// The family that this text names.
pub(super) async fn find(at: &At<'_>, text: &CodeText) -> Result<Option<Family>, AuthorityError> {
    kept(at.gate, &key(text)).await.map_err(state)
}

/// The family whose row is called this, as it is now.
pub(super) async fn kept(gate: &Gate, key: &str) -> Result<Option<Family>, StateError> {
    let now_ms = gate.clock().unix_ms();
    let row = gate.rows.get(Kind::Family, key, now_ms).await?;
    row.map(|row| read(&row)).transpose()
}

/// One that cannot be read is not left out: what it says is not known.
fn read(row: &Opened) -> Result<Family, StateError> {
    Family::from_kept(&row.value).ok_or_else(|| StateError::malformed(Kind::Family, &row.key))
}

/// Keeps it until it ends.
pub(super) async fn keep(
    at: &At<'_>,
    text: &CodeText,
    family: &Family,
    until_s: u64,
) -> Result<(), AuthorityError> {
    let kept = family.to_kept().ok_or(BROKEN)?;
    let (key, until) = (key(text), Some(until_s.saturating_mul(1000)));
    let put = at
        .gate
        .rows
        .put(Kind::Family, &key, &kept, until, at.now_ms());
    put.await.map_err(state)
}

/// The families of a person, with what their rows are called.
pub(super) async fn of(gate: &Gate, user: &str) -> Result<Vec<(String, Family)>, StateError> {
    let now = gate.clock().unix_ms();
    let rows = gate
        .rows
        .list(Kind::Family, &format!("{user}/"), now)
        .await?;
    let read = rows
        .into_iter()
        .map(|row| Ok((row.key.clone(), read(&row)?)));
    read.collect()
}

/// Ends a family, and the access tokens of it that could still be good.
pub(super) async fn end(
    gate: &Gate,
    key: &str,
    family: &Family,
    why: &str,
) -> Result<(), StateError> {
    let now_ms = gate.clock().unix_ms();
    let mut done = Ok(());
    for token in family.tokens(now_ms / 1000) {
        let order = Order {
            target: Target::Token {
                issuer: family.person.issuer().to_owned(),
                name: token.to_owned(),
            },
            at_ms: now_ms,
            block: false,
            origin: Origin::Issuer,
            why: why.to_owned(),
            by: "the authorization server".to_owned(),
        };
        if let Err(error) = gate.revocations.add(order, now_ms).await {
            tracing::error!("an access token stays good for minutes: {error}");
            done = Err(match error {
                RegisterError::State(error) => error,
                _ => StateError::Long("revocation"),
            });
        }
    }
    gate.rows.remove(Kind::Family, key).await?;
    let who = who(&family.person, &family.client_id);
    gate.note_of(Some(who), "family.killed", ("", &family.client_id), why);
    // The line is over; whoever asked is told that a token of it is not.
    done
}

/// A person and their client, as records name them.
pub(super) fn who<'a>(person: &'a Person, client: &'a str) -> audit::Who<'a> {
    audit::Who {
        user: Some(person.key().as_str().to_owned().into()),
        issuer: Some(person.issuer().into()),
        subject: Some(person.subject().into()),
        client: Some(client.into()),
        ..audit::Who::default()
    }
}
