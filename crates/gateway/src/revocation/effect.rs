//! What a revocation does beyond the next message: sessions end and their streams with them, calls
//! that wait are given up, remembered callers are forgotten, and everything is written into the ledger.

use crate::gate::Gate;
use crate::revocation::register::{Entry, Target};
use crate::revocation::{Barred, Facts, Revocations};
use crate::small::lock;
use crate::state::StateError;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Revocations {
    /// Carries out what is known, once and then whenever it changes, looking at the store in between.
    /// Never returns.
    pub async fn keep(gate: Arc<Gate>) {
        let mut changes = gate.revocations.changes();
        let mut tick = tokio::time::interval(Self::LOOK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        carry_out(&gate).await;
        let mut looks = 0u64;
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    looks += 1;
                    gate.revocations.look(looks, gate.clock().unix_ms()).await;
                }
                changed = changes.changed() => match changed {
                    Ok(()) => carry_out(&gate).await,
                    Err(_) => return,
                },
            }
        }
    }
}

/// Ends what is open for whoever is barred now, and writes down what is not written yet.
async fn carry_out(gate: &Arc<Gate>) {
    let revocations = &gate.revocations;
    // What an issuer tells is about few, and the index knows them; forgetting everybody each time would
    // let it make all of them expensive.
    if revocations.forgets.swap(false, Ordering::Relaxed) {
        gate.runtime().issuers.revoke_all_cached();
        gate.principals.clear();
    }
    // What was got for somebody goes on from what they were; it is not asked about on every message.
    for served in gate.runtime().servers.values() {
        if let Some(agent) = served.upstream.agent() {
            agent.forget();
        }
    }
    let is_barred = |facts: Facts<'_>| revocations.check_facts(|| facts) == Err(Barred::Revoked);
    // A farewell to a server may take its time, and nobody else's revocation waits for it.
    let ending = gate.sessions.retire_where(|session| {
        let standing = session.standing();
        is_barred(standing.facts(session))
    });
    let parked = gate
        .parked
        .give_up_where(|caller| is_barred(Facts::of(caller)));
    let people = gate.people.end_where(|person| is_barred(person.facts()));
    if ending + parked + people > 0 {
        let sessions = ending;
        tracing::info!(sessions, parked, people, "revoked: ended what was open");
    }
    if let Err(error) = write_down(gate).await {
        tracing::error!(%error, "a revocation is in force and not in the ledger yet");
    }
}

async fn write_down(gate: &Gate) -> Result<(), StateError> {
    let register = gate.revocations.register();
    let now_ms = gate.clock().unix_ms();
    // What fails stays unrecorded in the store, and is met again when that is read anew.
    let waiting = std::mem::take(&mut *lock(&gate.revocations.unrecorded));
    for entry in &waiting {
        register.drop_grant(entry).await?;
        // What the ledger does not take now it is told again: until then no call passes anyway.
        if note(gate, entry) {
            register.recorded(entry, now_ms).await?;
        }
    }
    Ok(())
}

fn note(gate: &Gate, entry: &Entry) -> bool {
    let target = &entry.target;
    let who = audit::Who {
        issuer: target.issuer().map(Into::into),
        subject: match target {
            Target::User { name, .. } => Some(name.into()),
            _ => None,
        },
        client: match target {
            Target::Client { name, .. } => Some(name.into()),
            _ => None,
        },
        session_digest: match target {
            Target::Session { name } => Some(name.into()),
            _ => None,
        },
        ..audit::Who::default()
    };
    let (name, by, how) = match &entry.lifted {
        Some(lifted) => ("revocation.lifted", &lifted.by, ""),
        None if entry.block => ("revoked", &entry.by, ", and what is issued later"),
        None => ("revoked", &entry.by, ""),
    };
    let after = format!("by {by}{how}: {}", entry.why);
    gate.note_of(Some(who), name, ("", &target.to_string()), &after)
}
