//! What a browser is on its way to, step by step. It is kept under what only that browser's cookie and
//! the way back, or the form, say together, taken out before each step is looked at, and so good once.
//! One browser is on several ways at a time, and none of them ends another.

use super::PATIENCE_MS;
use crate::gate::Gate;
use crate::state::{Mark, Space, StateError};
use identity::client::Flow;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// For whom a link was made, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(super) server: String,
    pub(super) issuer: String,
    pub(super) scopes: String,
    /// The name that state is kept under.
    pub(super) user: String,
    pub(super) user_issuer: String,
    pub(super) subject: String,
    pub(super) client: Option<String>,
    pub(super) route: String,
    /// Where the one who asked is told that it is done.
    pub(super) session: Option<Session>,
    pub(super) elicitation: String,
    /// When the link was made, in unix seconds: what was revoked since then ends it.
    pub(super) made_s: u64,
}

/// The session that a link was given to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session(pub(crate) String);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

/// A browser that followed a link.
pub(super) struct Journey {
    pub(super) ticket: Ticket,
    pub(super) step: Step,
}

/// What it comes back from.
pub(super) enum Step {
    /// Signing in.
    SignIn(Flow),
    /// Reading what they are about to grant; the form has this in it.
    Consent(Zeroizing<String>),
    /// Granting it; and the key that tokens are to be bound to, if they are.
    Grant(Flow, Option<Zeroizing<Vec<u8>>>),
}

impl Ticket {
    /// What a ticket is kept under. The link itself is kept nowhere.
    pub(super) fn mark(secret: &str) -> Mark {
        Mark::of(&[b"connect ticket", secret.as_bytes()])
    }

    pub(super) fn written(&self) -> Option<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(self).ok().map(Zeroizing::new)
    }

    /// Takes the ticket of a link, which is used up then.
    pub(super) async fn take(gate: &Gate, secret: &str) -> Result<Option<Self>, StateError> {
        let now = gate.clock().unix_ms();
        let mark = Self::mark(secret);
        let kept = gate.marks.take(Space::Ticket, mark, now).await?;
        // Nobody can guess another that is the same, so that its place is free for somebody else.
        gate.marks.withdraw(Space::Ticket, mark).await?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
    }
}

impl Journey {
    /// What it is kept under: which browser, and which of its ways. Both are secrets that nobody can
    /// guess, so that what is made up finds nothing, and takes nothing out.
    fn mark(browser: &str, way: &str) -> Mark {
        Mark::of(&[b"connect journey", browser.as_bytes(), way.as_bytes()])
    }

    /// What comes back with the browser: the `state` of an answer, or what the form has in it.
    fn way(&self) -> &str {
        match &self.step {
            Step::SignIn(flow) | Step::Grant(flow, _) => flow.state(),
            Step::Consent(form) => form,
        }
    }

    /// Keeps it until the browser comes back.
    pub(super) async fn leave(&self, gate: &Gate, browser: &str) -> Result<(), StateError> {
        let now = gate.clock().unix_ms();
        let kept = self.written().ok_or(StateError::Long("journey"))?;
        let until = now.saturating_add(PATIENCE_MS);
        let mark = Self::mark(browser, self.way());
        let left = gate.marks.leave(Space::Ticket, mark, kept, until, now);
        left.await.map(drop)
    }

    /// The journey of this browser that came back this way, which is taken out with this.
    pub(super) async fn take(
        gate: &Gate,
        browser: &str,
        way: &str,
    ) -> Result<Option<Self>, StateError> {
        let now = gate.clock().unix_ms();
        let mark = Self::mark(browser, way);
        let kept = gate.marks.take(Space::Ticket, mark, now).await?;
        gate.marks.withdraw(Space::Ticket, mark).await?;
        Ok(kept.and_then(|kept| Self::read(&kept)))
    }

    /// A word for the step, the ticket, the key, and the rest is the secret of the step.
    fn written(&self) -> Option<Zeroizing<Vec<u8>>> {
        let ticket = self.ticket.written()?;
        let none = Zeroizing::new(Vec::new());
        let (word, key, rest) = match &self.step {
            Step::SignIn(flow) => (b'S', &none, flow.to_kept()?),
            Step::Consent(form) => (b'C', &none, Zeroizing::new(form.as_bytes().to_vec())),
            Step::Grant(flow, key) => (b'G', key.as_ref().unwrap_or(&none), flow.to_kept()?),
        };
        let size = 9 + ticket.len() + key.len() + rest.len();
        let mut kept = Zeroizing::new(Vec::with_capacity(size));
        kept.push(word);
        for part in [&ticket, key] {
            kept.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
            kept.extend_from_slice(part);
        }
        kept.extend_from_slice(&rest);
        Some(kept)
    }

    fn read(kept: &[u8]) -> Option<Self> {
        fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
            let (length, rest) = bytes.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (part, rest) = rest.split_at_checked(length)?;
            *bytes = rest;
            Some(part)
        }
        let (word, mut rest) = kept.split_first()?;
        let ticket = serde_json::from_slice(part(&mut rest)?).ok()?;
        let key = part(&mut rest)?;
        let key = (!key.is_empty()).then(|| Zeroizing::new(key.to_vec()));
        let step = match word {
            b'S' => Step::SignIn(Flow::from_kept(rest)?),
            b'C' => Step::Consent(Zeroizing::new(std::str::from_utf8(rest).ok()?.to_owned())),
            b'G' => Step::Grant(Flow::from_kept(rest)?, key),
            _ => return None,
        };
        Some(Journey { ticket, step })
    }
}
