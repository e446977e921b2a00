//! What only others can say of a call: names in its arguments are looked up (control 1.1), and the detectors
//! of its server are asked about its text (control 1.3).
//! It is the first stage that sends anything of a call, so it takes one that policies have let through by
//! what is known here; what is denied anyway, or refused before, makes nobody work and is told to nobody.
//!
//! What is heard can only take away: the same policies are asked again, and what they said before stays
//! unless they now say less. What can change nothing is not waited for here. It comes before approvals are
//! taken, so that none is used up by a call that goes no further.

use crate::gate::Gate;
use crate::stages::authorize::{self, Decided};
use crate::stages::draft::{Draft, Stage};
use crate::stages::inspect;
use crate::stages::refused::Refused;
use crate::stages::suspect;
use std::borrow::Cow;
use std::sync::Arc;

/// A call about which everybody was heard who has to be.
#[derive(Debug)]
pub struct Consulted {
    decided: Decided,
}

impl Consulted {
    pub(super) fn into_decided(self) -> Decided {
        self.decided
    }
}

/// What others have said of a call.
#[derive(Debug)]
pub(super) struct Evidence {
    /// The rules under which facts were found.
    pub(super) rules: Vec<Cow<'static, str>>,
    /// The rules under which something is suspected.
    pub(super) suspicions: Vec<Cow<'static, str>>,
}

impl Evidence {
    fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.suspicions.is_empty()
    }
}

/// Hears everybody who has something to say of this call.
pub async fn hear(
    gate: &Gate,
    mut decided: Decided,
    draft: &mut Draft,
) -> Result<Consulted, Refused> {
    let evidence = evidence(&mut decided, draft).await?;
    draft.done(Stage::Consult);
    if evidence.is_empty() {
        return Ok(Consulted { decided });
    }
    decided.call_mut().learn(evidence);
    let decided = authorize::reconsider(gate, decided, draft)?;
    Ok(Consulted { decided })
}

/// Facts first: nothing is sent to a detector over a call that they refuse.
async fn evidence(decided: &mut Decided, draft: &mut Draft) -> Result<Evidence, Refused> {
    let rules = inspect::look_up(decided.call_mut(), draft).await?;
    let Some((surface, reading)) = decided.call_mut().take_reading() else {
        return Ok(Evidence {
            rules,
            suspicions: Vec::new(),
        });
    };
    let call = decided.call();
    let route = Arc::clone(call.raw().route());
    let panel = route.content(call.served()).panel();
    let suspicions = if panel.matters(surface) {
        suspect::hear(panel, surface, reading, draft).await?
    } else {
        draft.beside = suspect::beside(panel, surface, reading);
        Vec::new()
    };
    Ok(Evidence { rules, suspicions })
}
