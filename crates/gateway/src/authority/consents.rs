//! What people agreed to: remembered, told, and taken back. With what somebody takes back ends everything
//! that came of it.

use super::answer::state;
use super::families;
use super::{At, clients};
use crate::gate::Gate;
use crate::state::{Kind, StateError};
use identity::authority::{AuthorityError, Client, Consent};
use std::sync::Arc;

/// What one person agreed to.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// What it is called among theirs.
    pub id: String,
    /// What it is.
    pub consent: Consent,
    /// How many refresh tokens are out for it.
    pub families: usize,
}

fn key(user: &str, id: &str) -> String {
    format!("{user}/{id}")
}

/// Remembers what somebody agreed to.
pub(super) async fn keep(at: &At<'_>, user: &str, consent: &Consent) -> Result<(), AuthorityError> {
    let kept = serde_json::to_vec(consent).map_err(|_| super::answer::BROKEN)?;
    let now = at.now_ms();
    let until = Some(now.saturating_add(clients::USED_MS));
    let key = key(user, &consent.id());
    let put = at.gate.rows.put(Kind::Consent, &key, &kept, until, now);
    put.await.map_err(state)
}

/// What somebody agreed to under this name, if they still do.
pub(super) async fn find(
    at: &At<'_>,
    user: &str,
    id: &str,
) -> Result<Option<Consent>, AuthorityError> {
    let key = key(user, id);
    let row = at.gate.rows.get(Kind::Consent, &key, at.now_ms()).await;
    let row = row.map_err(state)?;
    Ok(row.and_then(|row| serde_json::from_slice(&row.value).ok()))
}

/// Whether somebody agrees under this name to what the client is now.
pub(super) async fn stands(
    at: &At<'_>,
    user: &str,
    id: &str,
    client: &Client,
) -> Result<bool, AuthorityError> {
    let consent = find(at, user, id).await?;
    Ok(consent.is_some_and(|it| it.client_digest == client.digest()))
}

/// Everything that a person agreed to, by the name that state is kept under.
pub async fn list(gate: &Gate, user: &str) -> Result<Vec<Agreed>, StateError> {
    let now = gate.clock().unix_ms();
    let rows = gate.rows.list(Kind::Consent, &key(user, ""), now).await?;
    let families = families::of(gate, user).await?;
    let agreed = rows.into_iter().filter_map(|row| {
        let (_, id) = row.key.split_once('/')?;
        let out = families.iter().filter(|(_, family)| family.consent == id);
        Some(Agreed {
            id: id.to_owned(),
            consent: serde_json::from_slice(&row.value).ok()?,
            families: out.count(),
        })
    });
    Ok(agreed.collect())
}

/// Takes back what a person agreed to, and ends everything that came of it. Says whether there was
/// anything. `by` is who does it.
pub async fn revoke(gate: &Arc<Gate>, user: &str, id: &str, by: &str) -> Result<bool, StateError> {
    let now = gate.clock().unix_ms();
    let key = key(user, id);
    let row = gate.rows.get(Kind::Consent, &key, now).await?;
    let consent = row.and_then(|row| serde_json::from_slice::<Consent>(&row.value).ok());
    // First what lets more come of it, then what came of it.
    let was_there = gate.rows.remove(Kind::Consent, &key).await?;
    let authority = gate.runtime().authority.clone();
    let desk = authority.as_ref().map(|authority| &authority.desk);
    for (key, family) in families::of(gate, user).await? {
        if family.consent != id {
            continue;
        }
        // Whoever is turning it at this moment is let finish: what comes of that ends as well.
        let _alone = match (desk, key.split_once('/')) {
            (Some(desk), Some((_, name))) => desk.alone_with(name).await,
            _ => None,
        };
        if let Some(family) = families::kept(gate, &key).await? {
            families::end(gate, &key, &family, "what was agreed to was taken back").await?;
        }
    }
    if was_there {
        let client = consent.map(|consent| consent.client_id).unwrap_or_default();
        let who = audit::Who {
            user: Some(user.into()),
            client: Some(client.as_str().into()),
            ..audit::Who::default()
        };
        gate.note_of(
            Some(who),
            "consent.revoked",
            ("", &client),
            &format!("by {by}"),
        );
    }
    Ok(was_there)
}
