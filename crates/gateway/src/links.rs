//! The upstream ends of one downstream party: one per server of its route, met when first needed
//! and shared with nobody else. What one server does to its end touches none of the others.
//!
//! A link carries what the stages let through; nothing is decided here.

mod attention;
mod drift;
mod far;
mod feed;

pub(crate) use attention::Attention;
pub use drift::Drift;
pub(crate) use drift::Last;
pub(crate) use far::{Claim, Far};
pub(crate) use feed::{Ear, Unheard};

use crate::route::Served;
use crate::small::lock;
use crate::upstream::{Owner, UpstreamError};
use bytes::Bytes;
use protocol::revision::Era;
use protocol::{Document, Revision};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How long a party goes on without a server that let it wait too long, where it has others.
const REST: Duration = Duration::from_secs(30);

/// What a client said of itself: in its `initialize`, or in every request.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// The revision it speaks.
    pub revision: Revision,
    /// What it can do: an object. A copy, so that no whole message is kept alive for it.
    pub capabilities: Option<Document>,
    /// What it calls itself: an object. Nothing is decided on it (rule B7).
    pub info: Option<Bytes>,
}

impl Introduction {
    /// Its era.
    pub fn era(&self) -> Era {
        self.revision.rules().era
    }
}

/// The upstream ends of one party.
#[derive(Debug)]
pub struct Links {
    owner: Owner,
    client: Introduction,
    floor: Revision,
    ends: Box<[End]>,
    /// Nothing is met any more.
    closed: AtomicBool,
}

#[derive(Debug)]
struct End {
    served: Arc<Served>,
    far: Mutex<Option<Arc<Far>>>,
    /// Held while the server is met, so that it is met once. Whoever only looks does not wait for it.
    meeting: tokio::sync::Mutex<()>,
    /// Until when this party goes on without the server: it let it wait too long.
    resting: Mutex<Option<Instant>>,
}

impl Links {
    /// Ends that nobody has met yet.
    pub fn new(
        owner: Owner,
        client: Introduction,
        floor: Revision,
        servers: &[Arc<Served>],
    ) -> Arc<Self> {
        let ends = servers.iter().map(|served| End {
            served: Arc::clone(served),
            far: Mutex::default(),
            meeting: tokio::sync::Mutex::default(),
            resting: Mutex::default(),
        });
        Arc::new(Links {
            owner,
            client,
            floor,
            ends: ends.collect(),
            closed: AtomicBool::new(false),
        })
    }

    /// What the client said of itself.
    pub fn client(&self) -> &Introduction {
        &self.client
    }

    /// How long this party still goes on without the server at this place.
    pub(crate) fn rest(&self, index: usize) -> Option<Duration> {
        let until = (*lock(&self.ends.get(index)?.resting))?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Says that the server at this place let this party wait too long. Others may find it in a better
    /// temper: their processes and sessions are their own.
    pub(crate) fn let_rest(&self, index: usize) {
        if let Some(end) = self.ends.get(index) {
            *lock(&end.resting) = Some(Instant::now() + REST);
        }
    }

    /// Whether these are links to the very servers of others.
    pub(crate) fn is_like(&self, others: &Links) -> bool {
        let (mine, theirs) = (self.ends.iter(), others.ends.iter());
        self.ends.len() == others.ends.len()
            && mine
                .zip(theirs)
                .all(|(mine, theirs)| Arc::ptr_eq(&mine.served, &theirs.served))
    }

    /// Whether these are links to these very servers. After a reload a route may lead elsewhere.
    pub fn is_to(&self, servers: &[Arc<Served>]) -> bool {
        self.ends.len() == servers.len()
            && self
                .ends
                .iter()
                .zip(servers)
                .all(|(end, served)| Arc::ptr_eq(&end.served, served))
    }

    /// The far end at this server, met now if it was not yet.
    pub(crate) async fn far(&self, index: usize) -> Result<Arc<Far>, UpstreamError> {
        let end = self.ends.get(index).ok_or(UpstreamError::Closed)?;
        if let Some(far) = end.met() {
            return Ok(far);
        }
        let _one_at_a_time = end.meeting.lock().await;
        if let Some(far) = end.met() {
            return Ok(far);
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(UpstreamError::Closed);
        }
        let met = Far::meet(&end.served, &self.owner, &self.client, self.floor).await?;
        let kept = {
            let mut far = lock(&end.far);
            // Whoever closes raises the flag first and looks second.
            let open = !self.closed.load(Ordering::Acquire);
            if open {
                *far = Some(Arc::clone(&met));
            }
            open
        };
        if kept {
            return Ok(met);
        }
        met.close().await;
        Err(UpstreamError::Closed)
    }

    /// Does something with the far end at this server that may be done twice: once more over a fresh
    /// one, if the server turns out not to know this one any more (rules V8, S9).
    pub(crate) async fn with<T, E, F, Doing>(&self, index: usize, doing: Doing) -> Result<T, E>
    where
        E: From<UpstreamError> + AsUpstream,
        F: Future<Output = Result<T, E>>,
        Doing: Fn(Arc<Far>) -> F,
    {
        let far = self.far(index).await?;
        match doing(Arc::clone(&far)).await {
            Err(error) if error.upstream().is_some_and(UpstreamError::is_of_the_past) => {
                self.forget(&far);
                doing(self.far(index).await?).await
            }
            done => done,
        }
    }

    /// Gives up a far end that is of no more use; the next call meets the server anew. Calls under way
    /// keep it until they end.
    pub(crate) fn forget(&self, dead: &Arc<Far>) {
        for end in &self.ends {
            lock(&end.far).take_if(|far| Arc::ptr_eq(far, dead));
        }
        dead.mute();
    }

    /// The far ends that were met, by their place on the route.
    pub(crate) fn met(&self) -> Vec<(usize, Arc<Far>)> {
        let ends = self.ends.iter().enumerate();
        ends.filter_map(|(index, end)| Some((index, end.met()?)))
            .collect()
    }

    /// In which revision the server at this place was met, if it was.
    pub(crate) fn revision_at(&self, index: usize) -> Option<Revision> {
        Some(self.ends.get(index)?.met()?.revision())
    }

    /// How the server at this place showed this to this party last, if it was met.
    pub(crate) fn last_shown(&self, index: usize, key: &str) -> Last {
        let far = self.ends.get(index).and_then(End::met);
        far.map_or(Last::Alike, |far| far.drift().last(key))
    }

    /// Which servers were met, and in which revision.
    pub fn view(&self) -> Vec<(Arc<str>, Option<Revision>)> {
        let state = |end: &End| end.met().map(|far| far.revision());
        let view = self.ends.iter();
        view.map(|end| (Arc::clone(&end.served.name), state(end)))
            .collect()
    }

    /// Ends every upstream session there is. All at once: a server that takes its time over a
    /// farewell holds up no other.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let mut closing = tokio::task::JoinSet::new();
        let ends = self.ends.iter();
        for far in ends.filter_map(|end| lock(&end.far).take()) {
            closing.spawn(async move { far.close().await });
        }
        while closing.join_next().await.is_some() {}
    }
}

impl End {
    fn met(&self) -> Option<Arc<Far>> {
        lock(&self.far).clone()
    }
}

/// An error that may be an upstream's.
pub(crate) trait AsUpstream {
    /// The upstream's, if it is.
    fn upstream(&self) -> Option<&UpstreamError>;
}

impl AsUpstream for UpstreamError {
    fn upstream(&self) -> Option<&UpstreamError> {
        Some(self)
    }
}
