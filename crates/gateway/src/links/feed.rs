//! What a server says unasked, heard once per upstream end and handed to everybody of the same party
//! who listens: one GET stream of a legacy server with counted subscriptions, one
//! `subscriptions/listen` of a modern one with the union of what is wished (tables 3.1 and 3.2).
//!
//! A listener who falls behind loses the whole stream, never one message of it without being told.

use super::far::Far;
use crate::small::lock;
use crate::upstream::{Events, Outgoing, UpstreamError};
use bytes::Bytes;
use protocol::bridge::{self, Wish};
use protocol::revision::Era;
use protocol::{Shape, write};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{broadcast, watch};
use tokio::task::{AbortHandle, JoinSet};

/// Messages a listener may lag behind.
const BACKLOG: usize = 256;
/// Resources one party may watch at one server.
const URIS: usize = 256;
/// Listeners of one party at one server.
const EARS: usize = 64;
/// Bytes of one resource's URI, or of a task's name.
const NAME_BYTES: usize = 8 * 1024;
/// Bytes of all that one party watches at one server.
const WISHED_BYTES: usize = 1024 * 1024;

/// What one server says unasked, to one party.
#[derive(Debug, Default)]
pub(super) struct Feed {
    state: Mutex<State>,
    queue: Arc<Queue>,
}

/// What all listeners of one party still have to read, in bytes: of one reading after the other, for
/// whoever falls behind holds on to what came before.
#[derive(Debug, Default)]
struct Queue(AtomicUsize);

impl Queue {
    /// Room for a message of this size; none where others wait and it comes to too much with them.
    fn seat(self: &Arc<Self>, message: Bytes, most: usize) -> Option<Arc<Heard>> {
        let size = message.len();
        let fits = |queued: usize| {
            let all = queued.saturating_add(size);
            (queued == 0 || all <= most).then_some(all)
        };
        let relaxed = Ordering::Relaxed;
        self.0.fetch_update(relaxed, relaxed, fits).ok()?;
        let queue = Arc::clone(self);
        Some(Arc::new(Heard { message, queue }))
    }
}

/// A message that somebody has yet to read.
#[derive(Debug)]
struct Heard {
    message: Bytes,
    queue: Arc<Queue>,
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.queue
            .0
            .fetch_sub(self.message.len(), Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct State {
    /// What each listener wishes to hear.
    wishes: HashMap<u64, Wish>,
    last: u64,
    /// Resources a legacy client subscribed to, whether or not it listens now.
    uris: BTreeSet<Box<str>>,
    /// The server has no stream of its own: it is not asked for one with every call.
    mute: bool,
    /// Resources that a legacy server would not have watched.
    refused: BTreeSet<Box<str>>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    sender: broadcast::Sender<Arc<Heard>>,
    /// Counts changes of what is wished.
    wanted: watch::Sender<u64>,
    /// The last change that the server knows of; gone once nothing is heard any more.
    ready: watch::Receiver<Ready>,
    task: AbortHandle,
}

#[derive(Clone, Debug)]
enum Ready {
    Upto(u64),
    Failed(Unheard),
}

/// Why nothing is heard.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Unheard {
    /// The server says nothing unasked.
    #[error("the server offers no stream of its own")]
    Mute,
    /// The listener read too slowly.
    #[error("the listener fell behind and messages were lost")]
    Behind,
    /// Too many listeners or resources.
    #[error("too many {0} for one caller at one server")]
    Full(&'static str),
    /// A name that is longer than any resource's or task's.
    #[error("the name of a resource or a task is longer than {NAME_BYTES} bytes")]
    Long,
    /// The server failed.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

/// Somebody listening. Dropped, its wish is taken back; with the last one a modern server's stream
/// ends.
#[derive(Debug)]
pub(crate) struct Ear {
    far: Arc<Far>,
    number: u64,
    wish: Wish,
    receiver: broadcast::Receiver<Arc<Heard>>,
}

impl Ear {
    /// The next message; none once the server has ended the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Unheard> {
        match self.receiver.recv().await {
            Ok(heard) => Ok(Some(heard.message.clone())),
            Err(broadcast::error::RecvError::Lagged(_)) => Err(Unheard::Behind),
            Err(broadcast::error::RecvError::Closed) => Ok(None),
        }
    }

    /// What it wishes to hear. Others of the same party may wish for more.
    pub(crate) fn wish(&self) -> &Wish {
        &self.wish
    }

    /// The server that is heard.
    pub(crate) fn far(&self) -> &Arc<Far> {
        &self.far
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut state = lock(&self.far.feed.state);
        state.wishes.remove(&self.number);
        // A legacy server has one stream for a session, and takes time to see it end: it is kept for
        // whoever listens next, and only what was subscribed to is taken back.
        if state.wishes.is_empty() && self.far.era() == Era::Modern {
            state.stop();
        } else {
            state.changed();
        }
    }
}

impl State {
    fn changed(&self) {
        if let Some(running) = &self.running {
            running.wanted.send_modify(|count| *count += 1);
        }
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
    }

    /// Whether these may be watched, too.
    fn room_for<'n>(&self, more: impl Iterator<Item = &'n str>) -> Result<(), Unheard> {
        let wishes = self.wishes.values();
        let held = wishes.flat_map(|wish| wish.uris.iter().chain(&wish.tasks));
        let held = held.chain(&self.uris).map(|name| name.len());
        let mut bytes: usize = held.sum();
        for name in more {
            if name.len() > NAME_BYTES {
                return Err(Unheard::Long);
            }
            bytes += name.len();
        }
        match bytes > WISHED_BYTES {
            true => Err(Unheard::Full("bytes of names")),
            false => Ok(()),
        }
    }

    /// Everything that anybody wishes.
    fn union(&self) -> Wish {
        let mut union = Wish::default();
        let mut uris = self.uris.clone();
        let mut tasks = BTreeSet::new();
        for wish in self.wishes.values() {
            union.tools |= wish.tools;
            union.prompts |= wish.prompts;
            union.resources |= wish.resources;
            uris.extend(wish.uris.iter().cloned());
            tasks.extend(wish.tasks.iter().cloned());
        }
        union.uris = uris.into_iter().collect();
        union.tasks = tasks.into_iter().collect();
        union
    }
}

impl Feed {
    /// Nothing is heard any more.
    pub(super) fn end(&self) {
        lock(&self.state).stop();
    }

    /// Whether the server is known to have no stream of its own.
    pub(super) fn is_mute(&self) -> bool {
        lock(&self.state).mute
    }

    fn union(&self) -> Wish {
        lock(&self.state).union()
    }
}

impl Far {
    /// Listens, once the server knows what for.
    pub(crate) async fn hear(self: &Arc<Self>, wish: Wish) -> Result<Ear, Unheard> {
        let (mut ear, count, ready) = self.join(wish)?;
        self.until_known(count, ready).await?;
        // Nobody is told that a resource is watched that the server would not have watched.
        let state = lock(&self.feed.state);
        ear.wish.uris.retain(|uri| !state.refused.contains(uri));
        drop(state);
        Ok(ear)
    }

    /// Waits until the server knows of the change with this number.
    async fn until_known(
        &self,
        count: u64,
        mut ready: watch::Receiver<Ready>,
    ) -> Result<(), Unheard> {
        let known = ready.wait_for(|ready| match ready {
            Ready::Upto(known) => *known >= count,
            Ready::Failed(_) => true,
        });
        // The server is met within its own timeout; this only holds if the task lives.
        match tokio::time::timeout_at(self.deadline(), known).await {
            Ok(Ok(state)) => match &*state {
                Ready::Upto(_) => Ok(()),
                Ready::Failed(why) => Err(why.clone()),
            },
            Ok(Err(_)) => Err(UpstreamError::Ended.into()),
            Err(_) => Err(UpstreamError::Deadline.into()),
        }
    }

    /// Remembers a resource that a legacy client subscribes to, or takes it back; where somebody
    /// listens, the server knows before this returns, so that no change is missed.
    pub(crate) async fn watch(&self, uri: &str, wanted: bool) -> Result<(), Unheard> {
        let Some((count, ready)) = self.note_watched(uri, wanted)? else {
            return Ok(());
        };
        let known = self.until_known(count, ready).await;
        if known.is_err() && wanted {
            lock(&self.feed.state).uris.remove(uri);
        }
        known
    }

    fn note_watched(
        &self,
        uri: &str,
        wanted: bool,
    ) -> Result<Option<(u64, watch::Receiver<Ready>)>, Unheard> {
        let mut state = lock(&self.feed.state);
        if wanted {
            if state.uris.len() >= URIS {
                return Err(Unheard::Full("resources"));
            }
            state.room_for([uri].into_iter())?;
            state.uris.insert(uri.into());
        } else {
            state.uris.remove(uri);
        }
        state.changed();
        let running = state.running.as_ref();
        Ok(running.map(|running| (*running.wanted.borrow(), running.ready.clone())))
    }

    /// Hands something to everybody who listens, wherever the server said it.
    pub(crate) fn spread(&self, notice: &Bytes) {
        let mut state = lock(&self.feed.state);
        let Some(running) = &state.running else {
            return;
        };
        match self.seat(notice.clone()) {
            // Whoever does not listen does not want it.
            Some(heard) => drop(running.sender.send(heard)),
            None => state.stop(),
        }
    }

    fn seat(&self, message: Bytes) -> Option<Arc<Heard>> {
        let most = self.served().reading_answers.bytes;
        self.feed.queue.seat(message, most)
    }

    fn join(self: &Arc<Self>, wish: Wish) -> Result<(Ear, u64, watch::Receiver<Ready>), Unheard> {
        let mut state = lock(&self.feed.state);
        if state.wishes.len() >= EARS {
            return Err(Unheard::Full("listeners"));
        }
        if state.union().uris.len() + wish.uris.len() > URIS {
            return Err(Unheard::Full("resources"));
        }
        state.room_for(wish.uris.iter().chain(&wish.tasks).map(|name| &**name))?;
        state.last += 1;
        let number = state.last;
        state.wishes.insert(number, wish.clone());
        state.changed();
        let running = state.running.get_or_insert_with(|| start(self));
        let count = *running.wanted.borrow();
        let ear = Ear {
            far: Arc::clone(self),
            number,
            wish,
            receiver: running.sender.subscribe(),
        };
        Ok((ear, count, running.ready.clone()))
    }
}

fn start(far: &Arc<Far>) -> Running {
    let (sender, _) = broadcast::channel(BACKLOG);
    let (wanted, changes) = watch::channel(0);
    let (known, ready) = watch::channel(Ready::Upto(0));
    // Nothing is known to the server before the task says so, not even the first wish.
    wanted.send_replace(1);
    let hearing = Hearing {
        far: Arc::clone(far),
        sender: sender.clone(),
        changes,
        known,
    };
    let task = tokio::spawn(hearing.run()).abort_handle();
    Running {
        sender,
        wanted,
        ready,
        task,
    }
}

/// The task that listens.
struct Hearing {
    far: Arc<Far>,
    sender: broadcast::Sender<Arc<Heard>>,
    changes: watch::Receiver<u64>,
    known: watch::Sender<Ready>,
}

impl Hearing {
    async fn run(mut self) {
        let ended = match self.far.era() {
            Era::Legacy => self.legacy().await,
            Era::Modern => self.modern().await,
        };
        if let Err(why) = ended {
            tracing::info!(server = %self.far.served().name, "a server is not heard any more: {why}");
            self.known.send_replace(Ready::Failed(why));
        }
        // Whoever comes next starts anew.
        lock(&self.far.feed.state)
            .running
            .take_if(|running| running.sender.same_channel(&self.sender));
    }

    async fn legacy(&mut self) -> Result<(), Unheard> {
        let Some(events) = self.far.link().listen(None).await? else {
            lock(&self.far.feed.state).mute = true;
            return Err(Unheard::Mute);
        };
        let (far, changes, known) = (&self.far, &mut self.changes, &self.known);
        tokio::select! {
            heard = pour(events, far, &self.sender) => heard,
            () = subscriptions(far, changes, known) => Ok(()),
        }
    }

    async fn modern(&mut self) -> Result<(), Unheard> {
        // Dropping the set ends the readings in it, and a reading that ends is a subscription taken
        // back.
        let mut readings: JoinSet<Result<(), Unheard>> = JoinSet::new();
        loop {
            let count = *self.changes.borrow_and_update();
            let events = listen(&self.far, &self.far.feed.union()).await?;
            let mut fresh = JoinSet::new();
            let (far, sender) = (Arc::clone(&self.far), self.sender.clone());
            fresh.spawn(async move { pour(events, &far, &sender).await });
            // The old one goes when the new one is there, so that nothing is missed in between.
            drop(std::mem::replace(&mut readings, fresh));
            self.known.send_replace(Ready::Upto(count));
            tokio::select! {
                changed = self.changes.changed() => match changed {
                    Ok(()) => {}
                    Err(_) => return Ok(()),
                },
                ended = readings.join_next() => match ended {
                    Some(Ok(outcome)) => return outcome,
                    _ => return Ok(()),
                },
            }
        }
    }
}

/// Hands on whatever comes, as long as those who listen keep up with it.
async fn pour(
    mut events: Events,
    far: &Far,
    sender: &broadcast::Sender<Arc<Heard>>,
) -> Result<(), Unheard> {
    while let Some(event) = events.next().await? {
        let heard = far.seat(event.data).ok_or(Unheard::Behind)?;
        // Nobody may be listening at this very moment; the last one to leave ends the task.
        let _ = sender.send(heard);
    }
    Ok(())
}

/// Keeps a legacy server's subscriptions what the listeners wish.
async fn subscriptions(
    far: &Far,
    changes: &mut watch::Receiver<u64>,
    known: &watch::Sender<Ready>,
) {
    let mut held = BTreeSet::new();
    loop {
        let count = *changes.borrow_and_update();
        let wished: BTreeSet<Box<str>> = far.feed.union().uris.into_iter().collect();
        let mut refused = BTreeSet::new();
        for uri in wished.difference(&held) {
            if !subscription(far, "resources/subscribe", uri).await {
                refused.insert(uri.clone());
            }
        }
        for uri in held.difference(&wished) {
            subscription(far, "resources/unsubscribe", uri).await;
        }
        held = wished.difference(&refused).cloned().collect();
        lock(&far.feed.state).refused = refused;
        known.send_replace(Ready::Upto(count));
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Whether the server took it.
async fn subscription(far: &Far, method: &'static str, uri: &str) -> bool {
    let params = [&b"{\"uri\":"[..], &write::string(uri), b"}"].concat();
    match far.ask(method, Some(&params)).await {
        Ok(answer) => answer.result().is_some(),
        Err(error) => {
            tracing::info!(server = %far.served().name, "{method} failed: {error}");
            false
        }
    }
}

/// Opens a modern server's subscription and takes its acknowledgement.
async fn listen(far: &Far, wish: &Wish) -> Result<Events, Unheard> {
    let id = far.next_id();
    let message = Outgoing {
        bytes: bridge::listen_request(&id, wish, &far.stamp(None)),
        shape: Shape::Request,
        id: Some(id),
        method: "subscriptions/listen",
        headers: Vec::new(),
    };
    let mut events = far.link().subscribe(message).await?;
    let first = events.next().await?.ok_or(UpstreamError::Ended)?;
    let first = far.read(first.data)?;
    if first.method() == "notifications/subscriptions/acknowledged" {
        return Ok(events);
    }
    if first.error().is_some() {
        return Err(Unheard::Mute);
    }
    Err(Unheard::Upstream(UpstreamError::Malformed {
        reason: "a subscription that does not begin with its acknowledgement".to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n4_3_what_waits_for_a_slow_listener_is_bounded_in_bytes() {
        let queue = Arc::new(Queue::default());
        let message = |size: usize| Bytes::from(vec![b'x'; size]);
        // One message alone is never too large: its own limit was held before.
        let alone = queue.seat(message(200), 100).unwrap();
        assert!(queue.seat(message(1), 100).is_none());
        drop(alone);
        let first = queue.seat(message(60), 100).unwrap();
        let second = queue.seat(message(40), 100).unwrap();
        assert!(queue.seat(message(1), 100).is_none());
        // Two who listen to the same message make room once both have read it.
        let twice = Arc::clone(&first);
        drop(first);
        assert!(queue.seat(message(1), 100).is_none());
        drop(twice);
        assert!(queue.seat(message(60), 100).is_some());
        drop(second);
        assert_eq!(queue.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn n4_3_what_is_watched_is_bounded_in_bytes() {
        let long = "x".repeat(NAME_BYTES);
        let mut state = State::default();
        state.uris.insert(long.as_str().into());
        let wish = Wish {
            tasks: vec![long.as_str().into(); WISHED_BYTES / NAME_BYTES - 2],
            ..Wish::default()
        };
        state.wishes.insert(1, wish);
        assert!(state.room_for([long.as_str()].into_iter()).is_ok());
        let more = [long.as_str(), "y"].into_iter();
        assert!(matches!(state.room_for(more), Err(Unheard::Full(_))));
        let longer = format!("{long}x");
        let longer = State::default().room_for([longer.as_str()].into_iter());
        assert!(matches!(longer, Err(Unheard::Long)));
    }
}
