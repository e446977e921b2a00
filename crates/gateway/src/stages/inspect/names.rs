//! Where the names in arguments lead (control 1.1), by the look-up and the rules of the one egress path.
//! Nothing is looked up for a caller whom policy denies: this comes after the decision, and what is found
//! can only refuse, or be told.
//!
//! The server looks a name up again for itself, and may be told something else. What is judged here is
//! what the name says now; only a network that lets the server go nowhere else prevents the rest.

use super::arguments::Held;
use crate::content::Content;
use crate::egress::{EgressError, Network};
use crate::route::Served;
use crate::stages::resolve::Subject;
use ::inspect::meaning::Consequence;
use std::time::Duration;
use tokio::time::Instant;

/// How long the names of one call are looked up together.
const LOOKING: Duration = Duration::from_secs(5);
/// Names that are looked up for one call; one more is as one that cannot be looked up.
const NAMES: usize = 16;

/// What is wrong with a value beyond its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) rule: &'static str,
    pub(super) remedy: &'static str,
    /// Whether no honest value does it.
    pub(super) certain: bool,
}

pub(super) const FORBIDDEN: Wrong = Wrong {
    rule: "host.forbidden_address",
    remedy: "use an address on the public internet",
    certain: true,
};
pub(super) const UNRESOLVED: Wrong = Wrong {
    rule: "host.unresolved",
    remedy: "use a name that can be looked up",
    certain: false,
};

/// A name to which a value leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Where the value stands in the message: a JSON Pointer (RFC 6901).
    pub(super) place: Box<str>,
    pub(super) name: Box<str>,
    /// Where it may lead.
    pub(super) network: Network,
    /// What becomes of the call if one of its addresses is not admitted.
    pub(super) forbidden: Consequence,
    /// What becomes of it if the name has no address.
    pub(super) unresolved: Consequence,
}

/// The names of one call.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Name>);

impl Names {
    /// Keeps a name; false if there are too many.
    pub(super) fn keep(&mut self, name: Name) -> bool {
        let fits = self.0.len() < NAMES;
        if fits {
            self.0.push(name);
        }
        fits
    }

    /// Whether there is nothing to look up.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks the names up, until one of them refuses the call.
    pub(super) async fn look_up<'c>(
        self,
        served: &Served,
        content: &'c Content,
        subject: &Subject,
    ) -> Held<'c> {
        let deadline = Instant::now() + LOOKING;
        let mut held = Held::of(subject, content);
        for name in self.0 {
            let admitted = served.egress.admits(&name.name, name.network, deadline);
            let (wrong, consequence) = match admitted.await {
                Ok(()) => continue,
                Err(EgressError::Forbidden { .. }) => (FORBIDDEN, name.forbidden),
                Err(_) => (UNRESOLVED, name.unresolved),
            };
            held.leads(&name.place, wrong, consequence);
            if held.refused.is_some() {
                break;
            }
        }
        held
    }
}
