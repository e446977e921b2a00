//! A call that policy forbids until somebody else approves it (control 2.4). It cannot be sent to a server:
//! it becomes a permitted one with an approval of exactly this call, which is used up by that, and with the
//! word of the same policies once more.

use crate::approvals::{self, Asking, Binding, Need, Standing, canonical};
use crate::gate::Gate;
use crate::small::{hex, sha256};
use crate::stages::authorize::{self, Decided, Permitted};
use crate::stages::consult::Consulted;
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::record;
use crate::stages::refused::{self, Refused};
use policy::{Decision, Lift, Needs, Policies};
use protocol::Message;
use std::sync::Arc;

/// A call that waits for somebody's approval. Nobody but the stage `authorize` makes one, and nothing but
/// an approval that was taken for it makes a [`Permitted`] of it.
#[derive(Debug)]
pub struct Held {
    pub(super) inspected: Inspected,
    pub(super) servers: Vec<usize>,
    pub(super) hold: Hold,
}

/// What holds a call.
#[derive(Debug)]
pub(super) struct Hold {
    /// The policies that said so.
    pub(super) policies: Arc<Policies>,
    /// What they said.
    pub(super) decision: Arc<Decision>,
    /// What the caller's own token has lifted.
    pub(super) lifted: Vec<Lift>,
}

/// The longest text of a call that somebody can be asked to read, in bytes.
pub(crate) const CALL_BYTES: usize = 64 * 1024;

/// Lets a call go on that is permitted, or was approved.
pub async fn release(
    gate: &Gate,
    consulted: Consulted,
    draft: &mut Draft,
) -> Result<Permitted, Refused> {
    let held = match consulted.into_decided() {
        Decided::Permitted(permitted) => return Ok(permitted),
        Decided::Held(held) => held,
    };
    draft.ran(controls::N2_4);
    let asking = asking(&held, draft)?;
    match approvals::ask(gate, asking).await {
        Ok(Standing::Granted(grant)) => authorize::released(held, &grant, draft),
        Ok(Standing::Waiting(entry)) => {
            let link = link(gate, &held, &entry.id);
            let words = record::words(draft);
            Err(refused::approval_needed(&entry, link.as_deref(), words))
        }
        Ok(Standing::Declined(entry)) => Err(refused::approval_declined(&entry)),
        Err(error) => Err(refused::approval_impossible(&error)),
    }
}

/// Where the call can be looked at, for whoever has a browser to sign in with.
fn link(gate: &Gate, held: &Held, id: &str) -> Option<String> {
    if held.inspected.caller().is_local() {
        return None;
    }
    let base = gate.runtime().settled.public_url.clone();
    let base = base.as_str().trim_end_matches('/');
    Some(format!("{base}/approvals/{id}"))
}

/// Exactly what has to be approved.
fn asking(held: &Held, draft: &Draft) -> Result<Asking, Refused> {
    let call = &held.inspected;
    let (Some(served), Some(tool)) = (call.served(), call.tool()) else {
        return Err(refused::crashed());
    };
    let params = call.message().and_then(Message::params);
    let params = params.ok_or_else(refused::crashed)?;
    let text = canonical(params, &is_no_part);
    if text.len() > CALL_BYTES {
        return Err(refused::approval_unreadable(CALL_BYTES));
    }
    let caller = call.caller();
    let decision = &held.hold.decision;
    let mut details = Vec::new();
    let mut needs = Vec::new();
    for lift in &decision.lifts {
        let Lift::Approval(detail) = lift else {
            // INVARIANT: whatever the caller can fulfil by themselves comes first, and is not held.
            return Err(refused::crashed());
        };
        let read = Needs::read(detail).map_err(|_| refused::crashed())?;
        details.push(detail.clone());
        needs.push(Need {
            who: read.who,
            people: read.people,
        });
    }
    Ok(Asking {
        binding: Binding {
            issuer: caller.issuer().to_owned(),
            subject: caller.subject().to_owned(),
            user: caller.user().as_str().to_owned(),
            actor: caller.actors().first().map(ToString::to_string),
            client: caller.client().map(str::to_owned),
            route: call.raw().route().path.to_string(),
            server: served.name.to_string(),
            tool: tool.name.to_string(),
            definition: tool.digest_text.to_string(),
            call: format!("sha256:{}", hex(&sha256(text.as_bytes()))),
            policies: held.hold.policies.digest().to_owned(),
            needs: details,
        },
        call: text,
        outward: call.outward().unwrap_or(&tool.name).to_owned(),
        requester: call.principal().id().to_owned(),
        needs,
        policies: decision
            .determining
            .iter()
            .map(ToString::to_string)
            .collect(),
        reason: decision.reason.as_deref().map(str::to_owned),
        session: draft.session.as_ref().map(|it| it.name().to_owned()),
    })
}

/// What a message says beside the call: what a client may say otherwise each time it sends the call, and
/// what it brings along for the gateway itself.
fn is_no_part(path: &str) -> bool {
    path == "/_meta"
        || path
            .strip_prefix("/inputResponses/")
            .is_some_and(|key| refused::is_ours(&key.replace("~1", "/")))
}
