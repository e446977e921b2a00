//! The links that are out: one for each user, client, route, server and set of scopes at a time, so that
//! a client that tries again and again is given the same one. A link is good once and not for long.

use super::PATIENCE_MS;
use super::journey::{Session, Ticket};
use crate::credential::Need;
use crate::gate::Gate;
use crate::small::lock;
use crate::state::{Once, Space, StateError};
use std::collections::HashMap;
use std::sync::Mutex;

/// How many links may be out.
pub(crate) const LINKS_MAX: usize = 5_000;
/// How many of them for one user.
pub(crate) const USER_LINKS_MAX: usize = 32;

/// The links that are out, and those that were followed and count until their time is over: a user who
/// follows one after another takes no more of the room than one who follows none.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<Given>);

#[derive(Debug, Default)]
struct Given {
    out: HashMap<Named, Out>,
    /// Whose, and until when.
    followed: Vec<(Box<str>, u64)>,
}

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Named {
    user: Box<str>,
    client: Option<Box<str>>,
    route: Box<str>,
    server: Box<str>,
    issuer: Box<str>,
    scopes: Box<str>,
}

#[derive(Clone)]
struct Out {
    link: Offer,
    until_ms: u64,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out")
            .field("until_ms", &self.until_ms)
            .finish_non_exhaustive()
    }
}

/// A link as it is handed to a client.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Where the user goes.
    pub(crate) url: String,
    /// What the question is called; it opens nothing.
    pub(crate) id: String,
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("as many links are out as may be")]
    Full,
    #[error("the operating system gave no random bits")]
    Entropy,
    #[error(transparent)]
    State(#[from] StateError),
}

impl Links {
    /// The link for this need of this caller: the one that is out, or a new one.
    pub(crate) async fn offer(
        gate: &Gate,
        need: &Need,
        caller: &identity::Caller,
        route: &str,
        session: Option<Session>,
    ) -> Result<Offer, LinkError> {
        let now = gate.clock().unix_ms();
        let named = Named {
            user: caller.user().as_str().into(),
            client: caller.client().map(Into::into),
            route: route.into(),
            server: (&*need.server).into(),
            issuer: need.issuer.as_str().into(),
            scopes: need.scopes.as_str().into(),
        };
        if let Some(out) = gate.links.out(&named, now)? {
            return Ok(out);
        }
        let random = || identity::session_id().map_err(|_| LinkError::Entropy);
        let (secret, id) = (random()?, random()?);
        let base = gate.runtime().settled.public_url.clone();
        let offer = Offer {
            url: format!("{}/connect/{secret}", base.as_str().trim_end_matches('/')),
            id,
        };
        let ticket = Ticket {
            server: need.server.to_string(),
            issuer: need.issuer.clone(),
            scopes: need.scopes.clone(),
            user: named.user.to_string(),
            user_issuer: caller.issuer().to_owned(),
            subject: caller.subject().to_owned(),
            client: caller.client().map(str::to_owned),
            route: route.to_owned(),
            session,
            elicitation: offer.id.clone(),
            made_s: now / 1000,
        };
        let until_ms = now.saturating_add(PATIENCE_MS);
        let kept = ticket.written().ok_or(StateError::Long("ticket"))?;
        let mark = Ticket::mark(&secret);
        let left = gate.marks.leave(Space::Ticket, mark, kept, until_ms, now);
        if left.await? == Once::Replayed {
            return Err(LinkError::Entropy);
        }
        let link = offer.clone();
        let out = Out { link, until_ms };
        lock(&gate.links.0).out.insert(named, out);
        Ok(offer)
    }

    /// The link that is out for this, or that there may be one more.
    fn out(&self, named: &Named, now_ms: u64) -> Result<Option<Offer>, LinkError> {
        let mut given = lock(&self.0);
        let Given { out, followed } = &mut *given;
        // Half its time is left, so that whoever gets it can still use it.
        let usable = |out: &Out| out.until_ms > now_ms + PATIENCE_MS / 2;
        if let Some(out) = out.get(named).filter(|out| usable(out)) {
            return Ok(Some(out.link.clone()));
        }
        out.retain(|_, out| out.until_ms > now_ms);
        followed.retain(|(_, until_ms)| *until_ms > now_ms);
        let users = out.keys().map(|other| &other.user);
        let users = users.chain(followed.iter().map(|(user, _)| user));
        let own = users.filter(|user| **user == named.user).count();
        match out.len() + followed.len() >= LINKS_MAX || own >= USER_LINKS_MAX {
            true => Err(LinkError::Full),
            false => Ok(None),
        }
    }

    /// A link was followed: it is good no more, and the next who asks gets another one.
    pub(super) fn followed(&self, ticket: &Ticket) {
        let mut given = lock(&self.0);
        let mut ended = Vec::new();
        given.out.retain(|named, out| {
            let goes = out.link.id == ticket.elicitation;
            if goes {
                ended.push((named.user.clone(), out.until_ms));
            }
            !goes
        });
        given.followed.append(&mut ended);
    }
}
