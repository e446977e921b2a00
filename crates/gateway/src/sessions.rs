//! What the gateway keeps for a client between two messages, keyed by the verified user first and a
//! name second, so that one user's cannot even be looked up by another (control 8.2). For a legacy
//! client that is its session; for a stateless one, the upstream ends that its requests share. Neither
//! authenticates: they are found only after the token of this very message was verified (control M2).

mod flights;
mod questions;
mod standing;
mod tasks;

use flights::Flights;
pub(crate) use flights::{Flight, InFlight};
use questions::Questions;
pub use standing::{Admission, Privileges, Standing};

use crate::bridge::Asker;
use crate::links::{Introduction, Links};
use crate::outlet::Outlet;
use crate::route::{Route, Served};
use crate::small::{hex, lock, sha256};
use crate::upstream::Owner;
use arc_swap::{ArcSwap, Guard};
use identity::possession::Holder;
use protocol::log_level::LogLevel;
use protocol::method::Capability;
use protocol::{Document, Id, Revision};
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// How long sessions live and how many a user may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Ended after this long without a message, in milliseconds.
    pub idle_ms: u64,
    /// Ended this long after it was opened, whatever happens, in milliseconds.
    pub absolute_ms: u64,
    /// Sessions one user may hold on one gateway.
    pub per_user: usize,
}

/// What is kept for one client on one route.
#[derive(Debug)]
pub struct Session {
    /// 256 random bits, as the client sends them, or what a stateless client is known by. Not in any
    /// log: see [`Session::name`].
    id: Box<str>,
    name: Box<str>,
    user: Arc<str>,
    issuer: Box<str>,
    subject: Box<str>,
    client: Option<Box<str>>,
    holder: Option<Box<Holder>>,
    route: Box<str>,
    revision: Revision,
    links: Arc<Links>,
    lifetime: Lifetime,
    opened_ms: u64,
    used_ms: AtomicU64,
    outlets: Mutex<Outlets>,
    questions: Mutex<Questions>,
    flights: Arc<Flights>,
    level: Mutex<Option<LogLevel>>,
    tasks: Mutex<tasks::Tasks>,
    /// What its caller was: changes with every token that comes with fewer privileges or as many.
    standing: ArcSwap<Standing>,
    ended: watch::Sender<bool>,
}

/// Everything a new session is bound to, once and for all.
#[derive(Debug)]
pub struct Binding {
    /// The verified user.
    pub user: Arc<str>,
    /// Who verified the user, for people to read: nothing is looked up by it.
    pub issuer: Box<str>,
    /// The issuer's name for the user, likewise.
    pub subject: Box<str>,
    /// The client the token names, if it names one.
    pub client: Option<Box<str>>,
    /// Who holds what the token is bound to, if it is bound.
    pub holder: Option<Box<Holder>>,
    /// The route it was opened on.
    pub route: Box<str>,
    /// The revision that was negotiated.
    pub revision: Revision,
    /// When it ends.
    pub lifetime: Lifetime,
    /// Its upstream ends.
    pub links: Arc<Links>,
    /// What its caller is.
    pub standing: Standing,
}

/// The streams of a session that can still be resumed.
#[derive(Debug, Default)]
struct Outlets {
    last: u64,
    standalone: Option<Arc<Outlet>>,
    of_calls: VecDeque<Arc<Outlet>>,
}

impl Session {
    /// Streams of calls that are remembered for resuming, per session.
    pub const STREAMS: usize = 16;
    /// Questions of servers to the client that may be open at once.
    pub const QUESTIONS: usize = questions::OPEN;
    /// Tasks that are remembered.
    pub const TASKS: usize = tasks::MOST;

    /// A session that nobody can find yet; see [`Sessions::open`].
    pub fn new(id: String, binding: Binding, now_ms: u64) -> Self {
        let digest = sha256(id.as_bytes());
        Session {
            name: hex(digest.get(..8).unwrap_or_default()).into_boxed_str(),
            id: id.into_boxed_str(),
            user: binding.user,
            issuer: binding.issuer,
            subject: binding.subject,
            client: binding.client,
            holder: binding.holder,
            route: binding.route,
            revision: binding.revision,
            links: binding.links,
            lifetime: binding.lifetime,
            opened_ms: now_ms,
            used_ms: AtomicU64::new(now_ms),
            outlets: Mutex::default(),
            questions: Mutex::default(),
            flights: Arc::default(),
            level: Mutex::default(),
            tasks: Mutex::default(),
            standing: ArcSwap::from_pointee(binding.standing),
            ended: watch::Sender::new(false),
        }
    }

    /// One for this caller on this route. Nobody can find it yet.
    pub(crate) fn of(
        route: &Route,
        caller: &identity::Caller,
        introduction: Introduction,
        id: String,
        now_ms: u64,
    ) -> Self {
        let user: Arc<str> = caller.user().as_str().into();
        let owner = Owner {
            user: Arc::clone(&user),
            client: caller.client().map(Into::into),
            route: (&*route.path).into(),
            session: id.as_str().into(),
        };
        let binding = Binding {
            user,
            issuer: caller.issuer().into(),
            subject: caller.subject().into(),
            client: caller.client().map(Into::into),
            holder: caller.confirmation().holder().map(Box::new),
            route: (&*route.path).into(),
            revision: introduction.revision,
            lifetime: route.lifetime,
            links: Links::new(owner, introduction, route.floor, &route.servers),
            standing: Standing::of(caller),
        };
        Session::new(id, binding, now_ms)
    }

    /// The id, for the one header that carries it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What records and logs call it: a digest of the id, which opens nothing.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The route it was opened on; it is good for no other.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The client it was opened by; it is good for no other.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// Whether it is this one's who holds what a token is bound to: a session that was opened with a key
    /// is good with that key, and one that was opened without is good without.
    pub fn is_held_by(&self, holder: Option<&Holder>) -> bool {
        self.holder.as_deref() == holder
    }

    /// The user it belongs to.
    pub fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// Who knows the user.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer's name for the user.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The revision its client speaks.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether it stands for a client without sessions. Such a client cannot name it.
    pub fn is_stateless(&self) -> bool {
        // Not by the table's `sessions`: over this endpoint a client of 2024-11-05 has one, too.
        self.revision.rules().modern_meta
    }

    /// Whether it speaks with these very servers. After a reload its route may lead elsewhere.
    pub fn is_of(&self, servers: &[Arc<Served>]) -> bool {
        self.links.is_to(servers)
    }

    /// Whether its client said that it can do this (rule L4).
    pub fn offers(&self, capability: Capability) -> bool {
        self.capabilities()
            .is_some_and(|offers| capability.is_in(offers.root()))
    }

    /// What its client said it can do.
    pub fn capabilities(&self) -> Option<&Document> {
        self.links.client().capabilities.as_ref()
    }

    /// Its upstream ends.
    pub fn links(&self) -> &Arc<Links> {
        &self.links
    }

    /// Which log messages its client wants, once it said so (`logging/setLevel`).
    pub fn level(&self) -> Option<LogLevel> {
        *lock(&self.level)
    }

    /// Remembers which log messages its client wants.
    pub fn set_level(&self, level: LogLevel) {
        *lock(&self.level) = Some(level);
    }

    /// What its caller was with the latest token that came.
    pub fn standing(&self) -> Guard<Arc<Standing>> {
        self.standing.load()
    }

    /// Whether a caller with this token is no more than whoever opened it was, and remembers the token.
    /// Any other has to begin again, under an id that nobody could know before (control 8.3).
    pub fn admits(&self, caller: &identity::Caller) -> Admission {
        let standing = self.standing();
        if standing.is_with(caller) {
            return Admission::Same;
        }
        match standing.renewed(caller) {
            Ok(next) => {
                self.standing.store(Arc::new(next));
                Admission::Same
            }
            Err(why) => why,
        }
    }

    /// Its age in milliseconds.
    pub fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.opened_ms)
    }

    /// For how long it has not been used, in milliseconds.
    pub fn idle_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.used_ms.load(Ordering::Relaxed))
    }

    /// Whether its time has come, idle or absolute.
    pub fn is_over(&self, now_ms: u64) -> bool {
        *self.ended.borrow()
            || self.idle_ms(now_ms) >= self.lifetime.idle_ms
            || self.age_ms(now_ms) >= self.lifetime.absolute_ms
    }

    /// A new stream for one call, remembered so that it can be resumed.
    pub fn open_stream(&self) -> Arc<Outlet> {
        let mut outlets = lock(&self.outlets);
        outlets.last += 1;
        let outlet = Outlet::new(outlets.last);
        outlets.of_calls.push_back(Arc::clone(&outlet));
        if outlets.of_calls.len() > Self::STREAMS {
            // The oldest finished one goes first; a running call keeps its stream alive itself.
            let oldest = outlets
                .of_calls
                .iter()
                .position(|outlet| outlet.is_closed())
                .unwrap_or(0);
            outlets.of_calls.remove(oldest);
        }
        outlet
    }

    /// The stream for messages that belong to no call; true if this made it.
    pub fn standalone(&self) -> (Arc<Outlet>, bool) {
        let mut outlets = lock(&self.outlets);
        if let Some(outlet) = outlets
            .standalone
            .as_ref()
            .filter(|outlet| !outlet.is_closed())
        {
            return (Arc::clone(outlet), false);
        }
        outlets.last += 1;
        let outlet = Outlet::new(outlets.last);
        outlets.standalone = Some(Arc::clone(&outlet));
        (outlet, true)
    }

    /// The stream with this number, if it is still remembered.
    pub fn stream(&self, number: u64) -> Option<Arc<Outlet>> {
        let outlets = lock(&self.outlets);
        let mut all = outlets.of_calls.iter().chain(outlets.standalone.as_ref());
        all.find(|outlet| outlet.number() == number).cloned()
    }

    /// How many streams are open or can be resumed.
    pub fn streams(&self) -> usize {
        let outlets = lock(&self.outlets);
        outlets.of_calls.len() + usize::from(outlets.standalone.is_some())
    }

    /// Remembers that somebody asked the client something on this stream, and what the question is
    /// called towards the client; nothing if too much is open already.
    pub(crate) fn ask(&self, asker: Asker, stream: u64, token: Option<Id>) -> Option<Id> {
        lock(&self.questions).ask(asker, stream, token)
    }

    /// Takes back a question once it is answered, and says who asked; nothing if nobody did.
    pub(crate) fn answered(&self, id: &Id) -> Option<Asker> {
        lock(&self.questions).answered(id)
    }

    /// Who asked the question that the client tells the progress of, and what they call it.
    pub(crate) fn asked_with(&self, token: &Id) -> Option<(Asker, Id)> {
        lock(&self.questions).with_token(token)
    }

    /// Forgets the questions of a stream that has ended: nobody waits for them any more.
    pub(crate) fn forget_questions(&self, stream: u64) {
        lock(&self.questions).forget(stream);
    }

    /// How many questions are open.
    pub fn open_questions(&self) -> usize {
        lock(&self.questions).len()
    }

    /// What this client calls a task of a server, if the task is its own.
    pub(crate) fn task(&self, server: &str, id: &str) -> Option<Box<str>> {
        lock(&self.tasks).handle(server, id)
    }

    /// Remembers what this client calls a task.
    pub(crate) fn remember_task(&self, server: &str, id: &str, handle: &str) {
        lock(&self.tasks).remember(server, id, handle);
    }

    /// How many tasks are remembered.
    pub fn tasks(&self) -> usize {
        lock(&self.tasks).len()
    }

    /// The requests of this client that are under way.
    pub(crate) fn flights(&self) -> &Arc<Flights> {
        &self.flights
    }

    /// How many requests of this client are under way.
    pub fn under_way(&self) -> usize {
        self.flights.len()
    }

    /// Resolves when the session ends.
    pub async fn over(&self) {
        let mut ended = self.ended.subscribe();
        // The sender lives in this session, so waiting can only end by the value.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    fn touch(&self, now_ms: u64) {
        self.used_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    async fn end(&self) {
        self.ended.send_replace(true);
        let streams = {
            let mut outlets = lock(&self.outlets);
            let standalone = outlets.standalone.take();
            outlets
                .of_calls
                .drain(..)
                .chain(standalone)
                .collect::<Vec<_>>()
        };
        for outlet in streams {
            outlet.close();
        }
        self.links.close().await;
    }
}

/// Every session of this gateway.
#[derive(Debug)]
pub struct Sessions {
    shards: [Mutex<HashMap<Arc<str>, Held>>; Self::SHARDS],
    hasher: std::hash::RandomState,
    total: AtomicU64,
}

type Held = HashMap<Box<str>, Arc<Session>>;

/// Why a session could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The gateway holds as many as it may.
    Gateway,
    /// The user holds as many as they may.
    User,
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: std::hash::RandomState::new(),
            total: AtomicU64::new(0),
        }
    }
}

impl Sessions {
    const SHARDS: usize = 16;
    /// Sessions one gateway holds at most.
    pub const TOTAL: u64 = 100_000;

    /// Makes a session findable by its own user. When the user holds too many, those whose time
    /// has come make room.
    pub fn open(
        &self,
        session: Session,
        now_ms: u64,
    ) -> Result<Arc<Session>, (Box<Session>, Full)> {
        if self.total.load(Ordering::Relaxed) >= Self::TOTAL {
            return Err((Box::new(session), Full::Gateway));
        }
        let mut shard = self.shard(&session.user);
        let held = shard.entry(Arc::clone(&session.user)).or_default();
        let known = held.get(&session.id);
        let known = known.filter(|known| !known.is_over(now_ms));
        // What was made before a reload may lead to other servers than the route does now.
        if let Some(first) = known.filter(|known| known.links.is_like(&session.links)) {
            // Two requests of one stateless client at once: both use what the first one made.
            return Ok(Arc::clone(first));
        }
        let live = held
            .values()
            .filter(|other| other.route == session.route && other.id != session.id)
            .filter(|other| !other.is_over(now_ms))
            .count();
        if live >= session.lifetime.per_user {
            return Err((Box::new(session), Full::User));
        }
        let session = Arc::new(session);
        match held.insert(session.id.clone(), Arc::clone(&session)) {
            None => {
                self.total.fetch_add(1, Ordering::Relaxed);
            }
            // Nobody can find it any more, so it is ended here.
            Some(before) => end_soon(before),
        }
        Ok(session)
    }

    /// This user's session with this id, and marks it used. A session whose time has come is gone.
    pub fn find(&self, user: &str, id: &str, now_ms: u64) -> Option<Arc<Session>> {
        let session = self.shard(user).get(user)?.get(id).cloned()?;
        if session.is_over(now_ms) {
            return None;
        }
        session.touch(now_ms);
        Some(session)
    }

    /// What this user's idlest stateless client has on this route, so that another can take its place:
    /// whoever declares other capabilities every time cannot lock themselves out. One that any request
    /// holds is not idle.
    pub fn idlest(&self, user: &str, route: &str) -> Option<Arc<Session>> {
        let shard = self.shard(user);
        let held = shard.get(user)?.values();
        let idle = held
            .filter(|session| session.is_stateless() && &*session.route == route)
            .filter(|session| Arc::strong_count(session) == 1);
        idle.min_by_key(|session| session.used_ms.load(Ordering::Relaxed))
            .cloned()
    }

    /// Every session, as it is now.
    pub fn all(&self) -> Vec<Arc<Session>> {
        let shards = self.shards.iter();
        let all = shards.map(|shard| {
            let shard = lock(shard);
            let held = shard.values().flat_map(HashMap::values);
            held.cloned().collect::<Vec<_>>()
        });
        all.flatten().collect()
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends this session: its streams close, its upstream session too.
    pub async fn end(&self, session: &Session) {
        self.take(
            |candidate| std::ptr::eq(candidate, session),
            Some(&session.user),
        );
        session.end().await;
    }

    /// Ends every session for which this holds and says how many that were.
    pub async fn end_where(&self, over: impl Fn(&Session) -> bool) -> usize {
        let taken = self.take(over, None);
        let count = taken.len();
        // All at once: a server that takes its time over a farewell holds up no other session.
        let mut ending = tokio::task::JoinSet::new();
        for session in taken {
            ending.spawn(async move { session.end().await });
        }
        while ending.join_next().await.is_some() {}
        count
    }

    /// Takes this session out of reach at once; it ends in the background.
    pub fn retire(&self, session: &Session) {
        let this = |candidate: &Session| std::ptr::eq(candidate, session);
        self.take(this, Some(&session.user))
            .into_iter()
            .for_each(end_soon);
    }

    /// Takes every session for which this holds out of reach at once, and says how many that were. They
    /// end in the background.
    pub fn retire_where(&self, over: impl Fn(&Session) -> bool) -> usize {
        let taken = self.take(over, None);
        let count = taken.len();
        taken.into_iter().for_each(end_soon);
        count
    }

    /// Closes the streams that belong to no call, which would never end by themselves. Streams of
    /// calls go on until their answer.
    pub fn hush(&self) {
        for shard in &self.shards {
            for session in lock(shard).values().flat_map(HashMap::values) {
                if let Some(outlet) = &lock(&session.outlets).standalone {
                    outlet.close();
                }
            }
        }
    }

    /// Ends every session whose time has come.
    pub async fn sweep(&self, now_ms: u64) -> usize {
        self.end_where(|session| session.is_over(now_ms)).await
    }

    fn take(&self, over: impl Fn(&Session) -> bool, user: Option<&str>) -> Vec<Arc<Session>> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            lock(shard).retain(|owner, held| {
                if user.is_none_or(|user| user == &**owner) {
                    taken.extend(
                        held.extract_if(|_, session| over(session))
                            .map(|(_, session)| session),
                    );
                }
                !held.is_empty()
            });
        }
        self.total.fetch_sub(taken.len() as u64, Ordering::Relaxed);
        taken
    }

    fn shard(&self, user: &str) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Held>> {
        let at = self.hasher.hash_one(user) as usize % Self::SHARDS;
        // INVARIANT: `at` is below the number of shards; the fallback is never taken.
        let [first, ..] = &self.shards;
        lock(self.shards.get(at).unwrap_or(first))
    }
}

#[cfg(test)]
mod tests;

/// Ends a session that is out of reach already.
fn end_soon(session: Arc<Session>) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move { session.end().await });
    }
}
