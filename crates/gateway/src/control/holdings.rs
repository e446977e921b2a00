//! What the gateway holds for its callers between two messages, as it is shown: who, where, how much,
//! and how much it may be. Never what would open anything (ids, tokens, handles), nor any content.

use crate::gate::Gate;
use crate::sessions::{Session, Sessions};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is looked for. Everything that is given has to be true of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The user: the issuer's name for them, ISSUER#SUBJECT, or the key in records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The path of the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

/// Everything that is held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Holdings {
    /// When it was looked at, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What is held in all, whatever was looked for.
    pub totals: Totals,
    /// What may be held.
    pub bounds: Bounds,
    /// Users that were looked for.
    pub users: Vec<HeldUser>,
    /// Sessions that were looked for, by user, route and age, the oldest first.
    pub sessions: Vec<HeldSession>,
    /// Sessions and users that were looked for and are left out, because there are too many.
    pub left_out: usize,
}

/// What one session holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct HeldSession {
    /// What records call it: a digest of its id.
    pub session: Box<str>,
    /// The key of its user, as records have it.
    pub user: Arc<str>,
    /// Who knows the user.
    pub issuer: Box<str>,
    /// The issuer's name for the user.
    pub subject: Box<str>,
    /// The client that the token names, if it names one.
    pub client: Option<Box<str>>,
    /// The route it was opened on.
    pub route: Box<str>,
    /// The revision its client speaks.
    pub revision: Box<str>,
    /// Whether its client knows of it.
    pub footing: Footing,
    /// The servers it has met.
    pub servers: Vec<Met>,
    /// Requests under way.
    pub under_way: usize,
    /// Questions of servers that its client has not answered.
    pub questions: usize,
    /// Tasks that are remembered.
    pub tasks: usize,
    /// Streams that are open or can be resumed.
    pub streams: usize,
    /// Milliseconds since it was opened.
    pub age_ms: u64,
    /// Milliseconds since its last message.
    pub idle_ms: u64,
}

/// What a client knows of what is held for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Footing {
    /// It has opened a session and names it.
    Session,
    /// It knows of none: its requests share the upstream ends.
    Stateless,
}

/// A server that was met.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Met {
    /// Its name.
    pub server: Arc<str>,
    /// The revision spoken with it.
    pub revision: Box<str>,
}

/// What one user holds, on all routes together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct HeldUser {
    /// The key, as records have it.
    pub user: Arc<str>,
    /// Who knows the user; nothing once their sessions have ended.
    pub issuer: Option<Box<str>>,
    /// The issuer's name for the user, likewise.
    pub subject: Option<Box<str>>,
    /// Sessions.
    pub sessions: usize,
    /// Calls that wait for their client.
    pub parked: usize,
}

/// What the whole gateway holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Totals {
    /// Sessions, with those of stateless clients.
    pub sessions: usize,
    /// Those of stateless clients.
    pub stateless: usize,
    /// Users that hold anything.
    pub users: usize,
    /// Requests under way.
    pub under_way: usize,
    /// Questions of servers that no client has answered.
    pub questions: usize,
    /// Tasks that are remembered.
    pub tasks: usize,
    /// Streams that are open or can be resumed.
    pub streams: usize,
    /// Calls that wait for their client.
    pub parked: usize,
}

/// What may be held at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Bounds {
    /// Sessions of the whole gateway.
    pub sessions: u64,
    /// Sessions of one user, on the route that allows most.
    pub sessions_per_user: usize,
    /// Parked calls of one user, on the route that allows most.
    pub parked_per_user: usize,
    /// Questions of one session.
    pub questions: usize,
    /// Tasks of one session.
    pub tasks: usize,
    /// Streams of one session, with the one that belongs to no call.
    pub streams: usize,
}

impl Wanted {
    fn is_user(&self, key: &str, name: Option<(&str, &str)>) -> bool {
        self.user.as_deref().is_none_or(|wanted| {
            let named = |(issuer, subject): (&str, &str)| {
                let of_issuer = wanted.strip_prefix(issuer);
                let full = of_issuer.and_then(|rest| rest.strip_prefix('#'));
                wanted == subject || full == Some(subject)
            };
            wanted == key || name.is_some_and(named)
        })
    }

    fn is(&self, session: &Session) -> bool {
        let name = (session.issuer(), session.subject());
        self.is_user(session.user(), Some(name)) && self.is_route(session.route())
    }

    fn is_route(&self, route: &str) -> bool {
        self.route.as_deref().is_none_or(|wanted| wanted == route)
    }
}

impl Holdings {
    /// Sessions, and users, that one answer lists.
    pub const LISTED: usize = 5_000;

    /// What this gateway holds.
    pub fn of(gate: &Gate, wanted: &Wanted) -> Self {
        let settled = Arc::clone(&gate.runtime().settled);
        let most = |of: fn(&config::settled::Route) -> u32| {
            let most = settled.routes.iter().map(of).max();
            most.unwrap_or_default() as usize
        };
        let bounds = Bounds {
            sessions: Sessions::TOTAL,
            sessions_per_user: most(|route| route.sessions.per_user),
            parked_per_user: most(|route| route.bridge.parked_per_user),
            questions: Session::QUESTIONS,
            tasks: Session::TASKS,
            streams: Session::STREAMS + 1,
        };
        let now_ms = gate.clock().unix_ms();
        let (sessions, parked) = (gate.sessions.all(), gate.parked.by_user());
        Holdings::seen(&sessions, parked, bounds, wanted, now_ms)
    }

    pub(super) fn seen(
        sessions: &[Arc<Session>],
        parked: Vec<(Arc<str>, usize)>,
        bounds: Bounds,
        wanted: &Wanted,
        now_ms: u64,
    ) -> Self {
        let users = users(sessions, parked);
        let mut totals = Totals {
            users: users.len(),
            parked: users.values().map(|user| user.parked).sum(),
            ..Totals::default()
        };
        for session in sessions {
            totals.add(session);
        }
        let mut listed: Vec<_> = sessions.iter().filter(|it| wanted.is(it)).collect();
        listed.sort_by_cached_key(|session| {
            let (subject, issuer) = (session.subject().to_owned(), session.issuer().to_owned());
            let age = Reverse(session.age_ms(now_ms));
            let (key, route) = (Arc::clone(session.user()), session.route().to_owned());
            (subject, issuer, key, route, age, session.name().to_owned())
        });
        let theirs: BTreeSet<&str> = listed.iter().map(|session| &**session.user()).collect();
        let mut users: Vec<_> = users.into_values().collect();
        users.retain(|user| {
            // Someone who only has calls parked is on no route.
            let alone = wanted.route.is_none() && wanted.is_user(&user.user, None);
            theirs.contains(&*user.user) || alone
        });
        users.sort_by(|left, right| left.name().cmp(&right.name()));
        let left_out =
            listed.len().saturating_sub(Self::LISTED) + users.len().saturating_sub(Self::LISTED);
        users.truncate(Self::LISTED);
        let listed = listed.into_iter().take(Self::LISTED);
        Holdings {
            at_ms: now_ms,
            totals,
            bounds,
            users,
            sessions: listed
                .map(|session| HeldSession::of(session, now_ms))
                .collect(),
            left_out,
        }
    }
}

impl HeldUser {
    fn name(&self) -> (&Option<Box<str>>, &Option<Box<str>>, &str) {
        (&self.subject, &self.issuer, &self.user)
    }
}

impl HeldSession {
    fn of(session: &Session, now_ms: u64) -> Self {
        let met = session.links().view().into_iter();
        let met = met.filter_map(|(server, revision)| {
            let revision = revision?.date().into();
            Some(Met { server, revision })
        });
        HeldSession {
            session: session.name().into(),
            user: Arc::clone(session.user()),
            issuer: session.issuer().into(),
            subject: session.subject().into(),
            client: session.client().map(Into::into),
            route: session.route().into(),
            revision: session.revision().date().into(),
            footing: if session.is_stateless() {
                Footing::Stateless
            } else {
                Footing::Session
            },
            servers: met.collect(),
            under_way: session.under_way(),
            questions: session.open_questions(),
            tasks: session.tasks(),
            streams: session.streams(),
            age_ms: session.age_ms(now_ms),
            idle_ms: session.idle_ms(now_ms),
        }
    }
}

impl Totals {
    fn add(&mut self, session: &Session) {
        self.sessions += 1;
        self.stateless += usize::from(session.is_stateless());
        self.under_way += session.under_way();
        self.questions += session.open_questions();
        self.tasks += session.tasks();
        self.streams += session.streams();
    }
}

/// Everybody who holds anything, by key.
fn users(
    sessions: &[Arc<Session>],
    parked: Vec<(Arc<str>, usize)>,
) -> BTreeMap<Arc<str>, HeldUser> {
    let mut users = BTreeMap::new();
    let nobody = |user: &Arc<str>| HeldUser {
        user: Arc::clone(user),
        issuer: None,
        subject: None,
        sessions: 0,
        parked: 0,
    };
    for session in sessions {
        let key = session.user();
        let user = users.entry(Arc::clone(key)).or_insert_with(|| nobody(key));
        user.sessions += 1;
        user.issuer.get_or_insert_with(|| session.issuer().into());
        user.subject.get_or_insert_with(|| session.subject().into());
    }
    for (key, calls) in parked {
        let user = users
            .entry(Arc::clone(&key))
            .or_insert_with(|| nobody(&key));
        user.parked = calls;
    }
    users
}
