//! A server that is a local process, speaking one message a line (rules of section 2.6).
//!
//! The sessions of one user that greet the server alike share a process; nobody else does. A
//! process is started for the first of them and ended a while after the last. Its command, its
//! environment and its directory come from the configuration alone.

mod board;
mod process;
mod queue;
mod station;
mod stderr;

use super::breaker::Breaker;
use super::{Bounds, Outgoing, Owner, Reply, Sharing, StdioSpec, UpstreamError, lock, peek};
use crate::upstream::{Event, Events, Source};
use aws_lc_rs::digest;
use bytes::Bytes;
use protocol::{Id, Shape, Value};
use queue::{Item, Queue};
use station::{Flight, Station};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// One server and its processes.
#[derive(Debug)]
pub(super) struct Local {
    settings: Arc<Settings>,
    stations: Mutex<HashMap<Key, Arc<Station>>>,
    closed: AtomicBool,
}

/// What the processes of a server have in common.
#[derive(Debug)]
struct Settings {
    bounds: Bounds,
    spec: StdioSpec,
    breaker: Arc<Breaker>,
}

/// Who shares a process: one user, perhaps one session, and one greeting.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    user: Arc<str>,
    session: Option<Arc<str>>,
    greeting: [u8; 32],
}

impl Local {
    pub(super) fn new(bounds: Bounds, spec: StdioSpec) -> Result<Self, UpstreamError> {
        if spec.command.first().is_none_or(String::is_empty) {
            return Err(UpstreamError::Settings {
                reason: "there is no command".to_owned(),
            });
        }
        Ok(Local {
            settings: Arc::new(Settings {
                bounds,
                spec,
                breaker: Arc::default(),
            }),
            stations: Mutex::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// Gives `owner` a share of a process, started now if there is none to share.
    pub(super) async fn open(
        self: &Arc<Self>,
        owner: &Owner,
        initialize: Bytes,
    ) -> Result<(Share, Bytes), UpstreamError> {
        let deadline = Instant::now() + self.settings.bounds.timeout;
        let id = peek::request_id(&initialize)?;
        let key = self.key(owner, &initialize)?;
        let share = self.share(key, initialize)?;
        share.station.running(deadline).await?;
        let answer = share.station.greeting_for(&id)?;
        Ok((share, answer))
    }

    /// Ends every process and waits for it.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let stations: Vec<_> = lock(&self.stations).drain().collect();
        for (_, station) in &stations {
            station.stop();
        }
        for (_, station) in &stations {
            station.stopped().await;
        }
    }

    fn key(&self, owner: &Owner, initialize: &Bytes) -> Result<Key, UpstreamError> {
        let message = peek::own(initialize.clone())?;
        let params = message.params();
        let raw = |name| {
            let value = params.and_then(|params| params.get(name));
            value.map(Value::raw).unwrap_or_default()
        };
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(raw("protocolVersion"));
        context.update(b"\n");
        context.update(raw("capabilities"));
        let mut greeting = [0; 32];
        greeting.copy_from_slice(context.finish().as_ref());
        Ok(Key {
            user: owner.user.clone(),
            session: match self.settings.spec.sharing {
                Sharing::Session => Some(owner.session.clone()),
                Sharing::User => None,
            },
            greeting,
        })
    }

    fn share(self: &Arc<Self>, key: Key, initialize: Bytes) -> Result<Share, UpstreamError> {
        let mut stations = lock(&self.stations);
        if self.closed.load(Ordering::Acquire) {
            return Err(UpstreamError::Closed);
        }
        if let Some(station) = stations.get(&key) {
            return Ok(Share::new(self, key, station.clone()));
        }
        let spec = &self.settings.spec;
        let of_user = stations.keys().filter(|k| k.user == key.user).count();
        if stations.len() >= spec.processes || of_user >= spec.processes_per_user {
            return Err(UpstreamError::Full { what: "processes" });
        }
        let station = Arc::new(Station::new(self.settings.clone(), initialize));
        stations.insert(key.clone(), station.clone());
        Ok(Share::new(self, key, station))
    }

    /// Ends the process of `station` if no session uses it after a while. INVARIANT: sessions join
    /// a station under the lock that is held here, so none is ended that was just joined.
    fn retire(self: &Arc<Self>, key: Key, station: Arc<Station>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return station.stop();
        };
        let local = self.clone();
        let seen = station.departures();
        runtime.spawn(async move {
            tokio::time::sleep(local.settings.spec.idle).await;
            let mut stations = lock(&local.stations);
            if !station.is_empty() || station.departures() != seen {
                return;
            }
            if stations.get(&key).is_some_and(|s| Arc::ptr_eq(s, &station)) {
                stations.remove(&key);
            }
            station.stop();
        });
    }
}

/// One session's share of a process.
pub(super) struct Share {
    local: Arc<Local>,
    key: Key,
    station: Arc<Station>,
    number: u64,
    inbox: Arc<Queue>,
    listening: Arc<AtomicBool>,
    closed: AtomicBool,
}

impl Share {
    /// Called under the lock of the stations.
    fn new(local: &Arc<Local>, key: Key, station: Arc<Station>) -> Self {
        let inbox = Arc::new(Queue::new(local.settings.bounds.answer_bytes));
        let number = station.join(inbox.clone());
        Share {
            local: local.clone(),
            key,
            station,
            number,
            inbox,
            listening: Arc::default(),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) async fn send(
        &self,
        message: Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Reply, UpstreamError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(UpstreamError::Closed);
        }
        let deadline = self.local.settings.bounds.deadline(deadline);
        if message.shape != Shape::Request {
            self.station.tell(self.number, &message, deadline).await?;
            return Ok(Reply::Accepted);
        }
        let flight = self.station.call(self.number, &message, deadline).await?;
        let mut stream = Stream {
            queue: flight.queue().clone(),
            flight: Some(flight),
            listening: None,
            first: None,
            deadline: Some(deadline),
        };
        match stream.item().await? {
            Item::Last(answer) => Ok(Reply::Message(answer?)),
            Item::Next(data) => {
                stream.first = Some(data);
                Ok(Reply::Stream(Events(Source::Stdio(stream))))
            }
            Item::End => Err(UpstreamError::Ended),
        }
    }

    pub(super) fn listen(&self) -> Result<Events, UpstreamError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(UpstreamError::Closed);
        }
        if self.listening.swap(true, Ordering::AcqRel) {
            return Err(UpstreamError::Listening);
        }
        Ok(Events(Source::Stdio(Stream {
            queue: self.inbox.clone(),
            flight: None,
            listening: Some(self.listening.clone()),
            first: None,
            deadline: None,
        })))
    }

    pub(super) fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.inbox.end();
        if self.station.leave(self.number) {
            self.local.retire(self.key.clone(), self.station.clone());
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.close();
    }
}

/// Messages of a process: those of one call, or those of nobody's call.
pub(super) struct Stream {
    queue: Arc<Queue>,
    flight: Option<Flight>,
    listening: Option<Arc<AtomicBool>>,
    first: Option<Bytes>,
    deadline: Option<Instant>,
}

impl Stream {
    pub(super) async fn next(&mut self) -> Result<Option<Event>, UpstreamError> {
        let data = match self.first.take() {
            Some(data) => data,
            None => match self.item().await? {
                Item::Next(data) => data,
                Item::Last(answer) => answer?,
                Item::End => return Ok(None),
            },
        };
        Ok(Some(Event { id: None, data }))
    }

    async fn item(&mut self) -> Result<Item, UpstreamError> {
        let Some(deadline) = self.deadline else {
            return Ok(self.queue.next().await);
        };
        match tokio::time::timeout_at(deadline, self.queue.next()).await {
            Ok(item) => Ok(item),
            Err(_) => {
                if let Some(flight) = self.flight.take() {
                    flight.cancel();
                }
                self.queue.end();
                Err(UpstreamError::Deadline)
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.store(false, Ordering::Release);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

/// An id of ours, for a request to a process.
fn numbered(number: u64) -> Id {
    Id::from(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
