//! Sessions of clients, keyed by the verified user first and the session id second, so that one
//! user's id cannot even be looked up by another (control 8.2). A session never authenticates: it
//! is found only after the token of this very message was verified (control M2).

use crate::outlet::Outlet;
use crate::route::Served;
use crate::small::{hex, lock};
use crate::upstream::Link;
use protocol::method::Capability;
use protocol::{Document, Id, Revision};
use std::collections::{HashMap, HashSet, VecDeque};
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

/// One client's session on one route.
#[derive(Debug)]
pub struct Session {
    /// 256 random bits, as the client sends them. Not in any log: see [`Session::name`].
    id: Box<str>,
    name: Box<str>,
    user: Arc<str>,
    client: Option<Box<str>>,
    route: Box<str>,
    revision: Revision,
    offers: Option<Document>,
    served: Arc<Served>,
    link: Link,
    lifetime: Lifetime,
    opened_ms: u64,
    used_ms: AtomicU64,
    outlets: Mutex<Outlets>,
    asked: Mutex<HashSet<Id>>,
    ended: watch::Sender<bool>,
}

/// Everything a new session is bound to, once and for all.
#[derive(Debug)]
pub struct Binding {
    /// The verified user.
    pub user: Arc<str>,
    /// The client the token names, if it names one.
    pub client: Option<Box<str>>,
    /// The route it was opened on.
    pub route: Box<str>,
    /// The revision that was negotiated.
    pub revision: Revision,
    /// When it ends.
    pub lifetime: Lifetime,
    /// The server it speaks with: this very one, not one of its name.
    pub served: Arc<Served>,
    /// What the client said it can do: a copy, so that no whole message is kept alive for it.
    pub offers: Option<Document>,
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
    /// Questions of the server to the client that may be open at once.
    pub const QUESTIONS: usize = 64;

    /// A session that nobody can find yet; see [`Sessions::open`].
    pub fn new(id: String, binding: Binding, link: Link, now_ms: u64) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
        Session {
            name: hex(digest.as_ref().get(..8).unwrap_or_default()).into_boxed_str(),
            id: id.into_boxed_str(),
            user: binding.user,
            client: binding.client,
            route: binding.route,
            revision: binding.revision,
            offers: binding.offers,
            served: binding.served,
            link,
            lifetime: binding.lifetime,
            opened_ms: now_ms,
            used_ms: AtomicU64::new(now_ms),
            outlets: Mutex::default(),
            asked: Mutex::default(),
            ended: watch::Sender::new(false),
        }
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

    /// The revision negotiated in its `initialize`.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether it speaks with this very server. After a reload its route may lead elsewhere.
    pub fn is_of(&self, served: &Arc<Served>) -> bool {
        Arc::ptr_eq(&self.served, served)
    }

    /// Whether its client said that it can do this (rule L4).
    pub fn offers(&self, capability: Capability) -> bool {
        self.offers
            .as_ref()
            .is_some_and(|offers| capability.is_in(offers.root()))
    }

    /// Its own upstream session.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Its age in milliseconds.
    pub fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.opened_ms)
    }

    /// Whether its time has come, idle or absolute.
    pub fn is_over(&self, now_ms: u64) -> bool {
        let idle = now_ms.saturating_sub(self.used_ms.load(Ordering::Relaxed));
        *self.ended.borrow()
            || idle >= self.lifetime.idle_ms
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

    /// Remembers that the server asked the client something; false if too much is open already.
    pub fn ask(&self, id: Id) -> bool {
        let mut asked = lock(&self.asked);
        asked.len() < Self::QUESTIONS && asked.insert(id)
    }

    /// Takes back a question once it is answered; false if it was never asked.
    pub fn answer(&self, id: &Id) -> bool {
        lock(&self.asked).remove(id)
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
        self.link.close().await;
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
        let live = held
            .values()
            .filter(|session| !session.is_over(now_ms))
            .count();
        if live >= session.lifetime.per_user {
            return Err((Box::new(session), Full::User));
        }
        let session = Arc::new(session);
        held.insert(session.id.clone(), Arc::clone(&session));
        self.total.fetch_add(1, Ordering::Relaxed);
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
