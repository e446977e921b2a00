//! What the gateway does with calls that wait: it asks for approval on behalf of a call, hands out what was
//! approved once, and writes into the ledger whatever anybody said, also what `ringwall approvals` wrote
//! while it ran or did not. What cannot be written down does not happen.

use super::entry::{Binding, By, Entry, Need, Progress};
use super::register::Register;
use crate::connect;
use crate::gate::Gate;
use crate::revocation::{Barred, Facts};
use crate::state::{Opened, Rows, StateError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// The calls that wait, of a gateway that runs.
#[derive(Debug)]
pub(crate) struct Approvals {
    pub(super) register: Register,
    /// Held by whoever asks or writes down: what is in the ledger is there once.
    one_at_a_time: Mutex<()>,
}

/// A call that somebody has to approve.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) binding: Binding,
    pub(crate) call: String,
    pub(crate) outward: String,
    pub(crate) requester: String,
    pub(crate) needs: Vec<Need>,
    pub(crate) policies: Vec<String>,
    pub(crate) reason: Option<String>,
    pub(crate) session: Option<String>,
}

/// How a call stands that somebody has to approve.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Somebody declined it.
    Declined(Box<Entry>),
    /// It is approved, and the approval is used up by this.
    Granted(Grant),
    /// It waits.
    Waiting(Box<Entry>),
}

/// An approval that was taken for one call. Nothing else lets a held call go on, and it exists only once
/// what was approved is gone from the store and in the ledger.
#[derive(Debug)]
#[must_use]
pub(crate) struct Grant {
    entry: Box<Entry>,
}

impl Grant {
    /// What was approved.
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }
}

/// Why a call cannot even wait.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Others go first.
    #[error("as many calls wait as may")]
    Full,
    /// It cannot be written down.
    #[error("it cannot be written into the ledger")]
    Unrecorded,
    /// The store failed.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Approvals {
    /// How often the store is looked at.
    pub(crate) const LOOK: Duration = Duration::from_millis(500);
    /// Every so many looks everything is read, whether or not somebody else wrote: time goes on.
    const THOROUGH: u64 = 10;
    /// How often a call is looked at while others change it.
    const TRIES: usize = 16;

    /// Those in these rows.
    pub(crate) fn new(rows: Rows) -> Self {
        Approvals {
            register: Register::new(rows),
            one_at_a_time: Mutex::default(),
        }
    }
}

/// Asks for the approval of a call, or takes the one there is.
pub(crate) async fn ask(gate: &Gate, asking: Asking) -> Result<Standing, AskError> {
    let register = &gate.approvals.register;
    let _one_at_a_time = gate.approvals.one_at_a_time.lock().await;
    let id = asking.binding.id();
    let now_ms = gate.clock().unix_ms();
    for _ in 0..Approvals::TRIES {
        let Some((mut entry, row)) = register.kept(&id, now_ms).await? else {
            return hold(gate, register, asking, now_ms).await;
        };
        match entry.progress(now_ms) {
            Progress::Waiting => return Ok(Standing::Waiting(Box::new(entry))),
            Progress::Declined => return Ok(Standing::Declined(Box::new(entry))),
            Progress::Expired => end(gate, &mut entry, &row, "approval.expired").await?,
            Progress::Approved if !is_still_meant(gate, &entry) => {
                end(gate, &mut entry, &row, "approval.void").await?;
            }
            Progress::Approved => {
                let told = tell(gate, &mut entry).await;
                told.then_some(()).ok_or(AskError::Unrecorded)?;
                // From here on it is used, whatever becomes of the call.
                if register.take(&row, now_ms).await? {
                    let given = given_by(&entry);
                    let noted = note(gate, "approval.used", &entry, None, &given).await;
                    noted.then_some(()).ok_or(AskError::Unrecorded)?;
                    let entry = Box::new(entry);
                    return Ok(Standing::Granted(Grant { entry }));
                }
            }
        }
    }
    Err(AskError::Full)
}

/// Puts a call among those that wait.
async fn hold(
    gate: &Gate,
    register: &Register,
    asking: Asking,
    now_ms: u64,
) -> Result<Standing, AskError> {
    let limits = gate.runtime().settled.approvals.clone();
    let (own, all) = register.counts(&asking.binding.user, now_ms).await?;
    if own >= limits.per_user as usize || all >= limits.in_all as usize {
        return Err(AskError::Full);
    }
    let lasts_ms = u64::try_from(limits.expires.as_millis()).unwrap_or(u64::MAX);
    let entry = Entry {
        id: asking.binding.id(),
        binding: asking.binding,
        call: asking.call,
        outward: asking.outward,
        requester: asking.requester,
        needs: asking.needs,
        policies: asking.policies,
        reason: asking.reason,
        asked_ms: now_ms,
        lasts_ms,
        until_ms: now_ms.saturating_add(lasts_ms),
        votes: Vec::new(),
        declined: None,
        session: asking.session,
    };
    let wanted = format!("needs {}", entry.wanted());
    let noted = note(gate, "call.held", &entry, None, &wanted).await;
    noted.then_some(()).ok_or(AskError::Unrecorded)?;
    match register.put(None, &entry, now_ms).await? {
        true => Ok(Standing::Waiting(Box::new(entry))),
        // Somebody else has asked for the very same at this very moment.
        false => match register.entry(&entry.id, now_ms).await? {
            Some(entry) => Ok(Standing::Waiting(Box::new(entry))),
            None => Err(AskError::Full),
        },
    }
}

/// Takes out what nobody may use any more.
async fn end(gate: &Gate, entry: &mut Entry, row: &Opened, name: &str) -> Result<(), AskError> {
    let noted = tell(gate, entry).await && note(gate, name, entry, None, &given_by(entry)).await;
    noted.then_some(()).ok_or(AskError::Unrecorded)?;
    let now_ms = gate.clock().unix_ms();
    gate.approvals.register.take(row, now_ms).await?;
    Ok(())
}

/// Whether nobody who approved was revoked since. What nobody can tell is no yes.
fn is_still_meant(gate: &Gate, entry: &Entry) -> bool {
    entry.votes.iter().all(|vote| {
        let By::Person {
            issuer,
            subject,
            user,
        } = &vote.by
        else {
            return true;
        };
        let checked: Result<(), Barred> = gate.revocations.check_facts(|| Facts {
            issuer,
            subject,
            user,
            client: None,
            actors: &[],
            token_id: None,
            token_digest: &[0; 32],
            login: None,
            issued_s: vote.at_ms / 1000,
            session: None,
        });
        checked.is_ok()
    })
}

/// Looks after what others write, and after the time, for ever.
pub(crate) async fn keep(gate: Arc<Gate>) {
    let mut tick = tokio::time::interval(Approvals::LOOK);
    let (mut looks, mut seen) = (0u64, None);
    loop {
        tick.tick().await;
        let version = gate.approvals.register.version().await.ok();
        if version.is_none() || version != seen || looks.is_multiple_of(Approvals::THOROUGH) {
            match look(&gate).await {
                Ok(()) => seen = version,
                Err(error) => tracing::error!("calls that wait cannot be looked after: {error}"),
            }
        }
        looks = looks.wrapping_add(1);
    }
}

/// Writes down at once what somebody has just decided; if it cannot be, the call does not go on.
pub(super) async fn written(gate: &Gate) {
    if let Err(error) = look(gate).await {
        tracing::error!("what was decided is not in the ledger yet: {error}");
    }
}

/// Writes down what is not in the ledger yet, tells whoever asked, and takes out what has expired.
pub(crate) async fn look(gate: &Gate) -> Result<(), AskError> {
    let register = &gate.approvals.register;
    let now_ms = gate.clock().unix_ms();
    for entry in register.entries(now_ms).await? {
        if !is_news(&entry, now_ms) {
            continue;
        }
        let _one_at_a_time = gate.approvals.one_at_a_time.lock().await;
        // It may have gone on since the list was read.
        let Some((mut entry, row)) = register.kept(&entry.id, now_ms).await? else {
            continue;
        };
        let progress = entry.progress(now_ms);
        if progress == Progress::Expired {
            end(gate, &mut entry, &row, "approval.expired").await?;
            continue;
        }
        let known = entry.clone();
        if !tell(gate, &mut entry).await {
            return Err(AskError::Unrecorded);
        }
        if entry != known && register.put(Some(&row), &entry, now_ms).await? {
            decided(gate, &entry, progress).await;
        }
    }
    Ok(())
}

fn is_news(entry: &Entry, now_ms: u64) -> bool {
    entry.progress(now_ms) == Progress::Expired
        || entry.votes.iter().any(|vote| !vote.recorded)
        || entry.declined.as_ref().is_some_and(|it| !it.recorded)
}

/// Writes down what was said and is not in the ledger. False if it cannot be.
async fn tell(gate: &Gate, entry: &mut Entry) -> bool {
    let mut said = Vec::new();
    for (nth, vote) in entry.votes.iter().enumerate() {
        if !vote.recorded {
            let of: usize = entry.needs.iter().map(|need| need.people).sum();
            said.push((
                "approval.given",
                vote.by.clone(),
                format!("{} of {of}", nth + 1),
            ));
        }
    }
    if let Some(declined) = entry.declined.as_ref().filter(|it| !it.recorded) {
        said.push((
            "approval.declined",
            declined.by.clone(),
            declined.why.clone(),
        ));
    }
    for (name, by, detail) in &said {
        if !note(gate, name, entry, Some(by), detail).await {
            return false;
        }
    }
    entry.votes.iter_mut().for_each(|vote| vote.recorded = true);
    entry.declined.iter_mut().for_each(|it| it.recorded = true);
    true
}

/// Tells the session that asked, and nobody else, that it can be tried again (2025-11-25).
async fn decided(gate: &Gate, entry: &Entry, progress: Progress) {
    if !matches!(progress, Progress::Approved | Progress::Declined) {
        return;
    }
    let Some(name) = &entry.session else {
        return;
    };
    let sessions = gate.sessions.all();
    let mut own = sessions
        .iter()
        .filter(|it| **it.user() == *entry.binding.user);
    if let Some(session) = own.find(|session| session.name() == name) {
        connect::complete(session, &entry.id).await;
    }
}

fn given_by(entry: &Entry) -> String {
    let given: Vec<String> = entry.votes.iter().map(|vote| vote.by.to_string()).collect();
    match given.is_empty() {
        true => "approved by nobody".to_owned(),
        false => format!("approved by {}", given.join(", ")),
    }
}

/// One record: who says it, or who asks; the call it is about, by its digests; and both of them in words.
///
/// It is on disk when this returns: a row that says it is recorded must not outlive its record.
async fn note(gate: &Gate, name: &str, entry: &Entry, by: Option<&By>, detail: &str) -> bool {
    let binding = &entry.binding;
    let who = match by {
        None => audit::Who {
            user: Some((&*binding.user).into()),
            issuer: Some((&*binding.issuer).into()),
            subject: Some((&*binding.subject).into()),
            actor: binding.actor.as_deref().map(Into::into),
            client: binding.client.as_deref().map(Into::into),
            ..audit::Who::default()
        },
        Some(By::Operator { name, uid }) => audit::Who {
            issuer: Some(identity::Caller::LOCAL_ISSUER.into()),
            subject: Some(format!("{name} ({uid})").into()),
            ..audit::Who::default()
        },
        Some(By::Person {
            issuer,
            subject,
            user,
        }) => audit::Who {
            user: Some(user.into()),
            issuer: Some(issuer.into()),
            subject: Some(subject.into()),
            ..audit::Who::default()
        },
    };
    let client = binding.client.as_deref().unwrap_or("no client");
    let record = audit::Record {
        at_ms: gate.clock().unix_ms(),
        id: gate.next_id().into(),
        kind: audit::Kind::Change,
        verdict: match name {
            "approval.given" | "approval.used" => audit::Verdict::Allowed,
            _ => audit::Verdict::Refused,
        },
        route: Some((&*binding.route).into()),
        server: Some((&*binding.server).into()),
        subject: Some((&*binding.tool).into()),
        definition: Some((&*binding.definition).into()),
        who: Some(who),
        policy: Some(audit::Policy {
            digest: Some((&*binding.policies).into()),
            verdict: None,
            determining: entry.policies.iter().map(Into::into).collect(),
        }),
        digests: Some(audit::Digests {
            arguments: Some((&*binding.call).into()),
            answer: None,
        }),
        event: Some(audit::Event {
            name: name.into(),
            detail: Some(format!("asked by {} through {client}: {detail}", entry.requester).into()),
            after: Some((&*entry.id).into()),
            ..audit::Event::default()
        }),
        ..audit::Record::default()
    };
    gate.write_through(&record).await
}

#[cfg(test)]
mod tests;
