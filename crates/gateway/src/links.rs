//! The upstream ends of one downstream party: one per server of its route, met when first needed
//! and shared with nobody else. What one server does to its end touches none of the others.
//!
//! A link carries what the stages let through; nothing is decided here.

mod far;
mod feed;

pub(crate) use far::{Claim, Far};
pub(crate) use feed::{Ear, Unheard};

use crate::route::Served;
use crate::upstream::{Owner, UpstreamError};
use bytes::Bytes;
use protocol::revision::Era;
use protocol::{Document, Revision};
use std::sync::Arc;
use tokio::sync::Mutex;

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
}

#[derive(Debug)]
struct End {
    served: Arc<Served>,
    /// Held while the server is met, so that it is met once.
    far: Mutex<Option<Arc<Far>>>,
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
        });
        Arc::new(Links {
            owner,
            client,
            floor,
            ends: ends.collect(),
        })
    }

    /// What the client said of itself.
    pub fn client(&self) -> &Introduction {
        &self.client
    }

    /// The server at this place.
    pub(crate) fn served(&self, index: usize) -> Option<Arc<Served>> {
        let end = self.ends.get(index)?;
        Some(Arc::clone(&end.served))
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
        let mut far = end.far.lock().await;
        if let Some(far) = far.as_ref() {
            return Ok(Arc::clone(far));
        }
        let met = Far::meet(&end.served, &self.owner, &self.client, self.floor).await?;
        *far = Some(Arc::clone(&met));
        Ok(met)
    }

    /// Gives up a far end that is of no more use; the next call meets the server anew. Calls under way
    /// keep it until they end.
    pub(crate) async fn forget(&self, dead: &Arc<Far>) {
        for end in &self.ends {
            let mut far = end.far.lock().await;
            if far.as_ref().is_some_and(|far| Arc::ptr_eq(far, dead)) {
                *far = None;
            }
        }
        dead.mute();
    }

    /// The far ends that were met, by their place on the route.
    pub(crate) async fn met(&self) -> Vec<(usize, Arc<Far>)> {
        let mut met = Vec::new();
        for (index, end) in self.ends.iter().enumerate() {
            if let Some(far) = end.far.lock().await.as_ref() {
                met.push((index, Arc::clone(far)));
            }
        }
        met
    }

    /// Which servers were met, and in which revision, as far as that can be told without waiting.
    pub fn view(&self) -> Vec<(Arc<str>, Option<Revision>)> {
        let state = |end: &End| {
            let far = end.far.try_lock().ok()?;
            far.as_ref().map(|far| far.revision())
        };
        let view = self.ends.iter();
        view.map(|end| (Arc::clone(&end.served.name), state(end)))
            .collect()
    }

    /// Ends every upstream session there is. All at once: a server that takes its time over a
    /// farewell holds up no other.
    pub async fn close(&self) {
        let mut closing = tokio::task::JoinSet::new();
        for (_, far) in self.met().await {
            closing.spawn(async move { far.close().await });
        }
        while closing.join_next().await.is_some() {}
    }
}
