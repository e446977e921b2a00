//! One stream of messages towards a client, with a bounded memory of what was sent, so that a
//! client that lost its connection can resume (`Last-Event-ID`, rule S7).
//!
//! An outlet never holds more than [`Outlet::BYTES`]. While somebody reads, the writer waits for
//! them; while nobody does, the oldest events are forgotten first. It never carries a message that
//! did not pass through the stage `screen`: only that stage's messages can be pushed by `record`.

use crate::small::lock;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// A stream and what is remembered of it.
#[derive(Debug)]
pub struct Outlet {
    /// The number of this stream in its session; the first part of every event id.
    number: u64,
    state: Mutex<State>,
    /// Something was pushed, or the outlet closed, or another reader took over.
    news: Notify,
    /// Something was read, or the reader left.
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    bytes: usize,
    last: u64,
    closed: bool,
    /// Which reader is attached; a newer one ends an older one.
    reader: Option<u64>,
    readers: u64,
    read: u64,
}

impl State {
    /// The oldest remembered event past this place. Places are contiguous, so this is an index.
    fn after(&self, place: u64) -> Option<Event> {
        let first = self.events.front()?.place;
        let index = place.saturating_add(1).saturating_sub(first);
        self.events.get(usize::try_from(index).ok()?).cloned()
    }
}

/// One event as sent: its place in the stream and the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The position in the stream, from 1.
    pub place: u64,
    /// The JSON-RPC message; empty for the priming event.
    pub data: Bytes,
}

impl Outlet {
    /// What an outlet remembers at most.
    pub const BYTES: usize = 1 << 20;
    /// How many events an outlet remembers at most, whatever their size.
    pub const EVENTS: usize = 1024;
    /// How long a reader may stall the writer before it is let go.
    pub const STALL: Duration = Duration::from_secs(30);

    /// An empty stream with this number.
    pub fn new(number: u64) -> Arc<Self> {
        Arc::new(Outlet {
            number,
            state: Mutex::default(),
            news: Notify::new(),
            room: Notify::new(),
        })
    }

    /// The id of the event at this place, unique within the session (rule S7).
    pub fn event_id(&self, place: u64) -> String {
        format!("{}-{place}", self.number)
    }

    /// The stream number and place that an event id names.
    pub fn parse_event_id(id: &str) -> Option<(u64, u64)> {
        let (number, place) = id.split_once('-')?;
        Some((number.parse().ok()?, place.parse().ok()?))
    }

    /// The stream's number in its session.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Adds a message, waiting for an attached reader that lags behind.
    pub async fn push(&self, data: Bytes) {
        while self.is_full() {
            if tokio::time::timeout(Self::STALL, self.room.notified())
                .await
                .is_err()
            {
                self.detach(None);
            }
        }
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        state.last += 1;
        state.bytes += data.len();
        let place = state.last;
        state.events.push_back(Event { place, data });
        while state.bytes > Self::BYTES || state.events.len() > Self::EVENTS {
            // The newest event is kept whatever its size: it is bounded by the answer limit.
            if state.events.len() == 1 {
                break;
            }
            let Some(oldest) = state.events.pop_front() else {
                break;
            };
            state.bytes -= oldest.data.len();
        }
        drop(state);
        self.news.notify_waiters();
    }

    /// Nothing more will come; what is remembered can still be read.
    pub fn close(&self) {
        lock(&self.state).closed = true;
        self.news.notify_waiters();
        self.room.notify_one();
    }

    /// The place of the newest event; 0 if there was none.
    pub fn latest(&self) -> u64 {
        lock(&self.state).last
    }

    /// Whether the stream has ended.
    pub fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }

    /// Resolves when whoever was reading has left.
    pub async fn abandoned(&self) {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // Registered before looking, so that a leaving between the two is not missed.
            news.as_mut().enable();
            {
                let state = lock(&self.state);
                if state.readers > 0 && state.reader.is_none() {
                    return;
                }
            }
            news.await;
        }
    }

    /// Whether somebody is reading.
    pub fn is_read(&self) -> bool {
        lock(&self.state).reader.is_some()
    }

    /// Reads on after this place. An earlier reader ends: each message goes to one stream (S5).
    pub fn read(self: &Arc<Self>, after: u64) -> Reader {
        let mut state = lock(&self.state);
        state.readers += 1;
        let me = state.readers;
        state.reader = Some(me);
        state.read = after;
        drop(state);
        self.news.notify_waiters();
        Reader {
            outlet: Arc::clone(self),
            me,
            after,
        }
    }

    fn is_full(&self) -> bool {
        let state = lock(&self.state);
        let unread = || state.events.iter().filter(|event| event.place > state.read);
        state.reader.is_some()
            && !state.closed
            && (unread().map(|event| event.data.len()).sum::<usize>() > Self::BYTES / 2
                || unread().count() > Self::EVENTS / 2)
    }

    fn detach(&self, reader: Option<u64>) {
        let mut state = lock(&self.state);
        if reader.is_none() || state.reader == reader {
            state.reader = None;
        }
        drop(state);
        self.news.notify_waiters();
        self.room.notify_one();
    }
}

/// Somebody reading an outlet. Dropping it leaves the outlet, which goes on remembering.
#[derive(Debug)]
pub struct Reader {
    outlet: Arc<Outlet>,
    me: u64,
    after: u64,
}

impl Reader {
    /// The next event, or nothing once the stream has ended or another reader took over.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let outlet = Arc::clone(&self.outlet);
            let news = outlet.news.notified();
            tokio::pin!(news);
            // Registered before looking, so that a push between the two is not missed.
            news.as_mut().enable();
            {
                let mut state = lock(&outlet.state);
                if state.reader != Some(self.me) {
                    return None;
                }
                if let Some(event) = state.after(self.after) {
                    self.after = event.place;
                    state.read = event.place;
                    drop(state);
                    outlet.room.notify_one();
                    return Some(event);
                }
                if state.closed {
                    return None;
                }
            }
            news.await;
        }
    }

    /// The outlet being read.
    pub fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.outlet.detach(Some(self.me));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(event: Option<Event>) -> Option<(u64, String)> {
        event.map(|event| (event.place, String::from_utf8(event.data.to_vec()).unwrap()))
    }

    #[tokio::test]
    async fn a_reader_resumes_after_the_event_it_names() {
        let outlet = Outlet::new(7);
        for word in ["one", "two", "three"] {
            outlet.push(Bytes::from(word)).await;
        }
        assert_eq!(outlet.event_id(2), "7-2");
        assert_eq!(Outlet::parse_event_id("7-2"), Some((7, 2)));
        let mut reader = outlet.read(2);
        assert_eq!(text(reader.next().await), Some((3, "three".into())));
        outlet.close();
        assert_eq!(reader.next().await, None);
    }

    #[tokio::test]
    async fn a_second_reader_ends_the_first() {
        let outlet = Outlet::new(1);
        let mut first = outlet.read(0);
        let mut second = outlet.read(0);
        outlet.push(Bytes::from_static(b"only once")).await;
        assert_eq!(first.next().await, None);
        assert_eq!(text(second.next().await), Some((1, "only once".into())));
    }

    #[tokio::test]
    async fn memory_stays_bounded_when_nobody_reads() {
        let outlet = Outlet::new(1);
        for _ in 0..64 {
            outlet.push(Bytes::from(vec![b'x'; 100_000])).await;
        }
        for _ in 0..2 * Outlet::EVENTS {
            outlet.push(Bytes::from_static(b"y")).await;
        }
        let state = lock(&outlet.state);
        assert!(state.bytes <= Outlet::BYTES, "{} bytes kept", state.bytes);
        assert!(state.events.len() <= Outlet::EVENTS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stalls_is_let_go() {
        let outlet = Outlet::new(1);
        let mut reader = outlet.read(0);
        for _ in 0..30 {
            outlet.push(Bytes::from(vec![b'x'; 100_000])).await;
        }
        assert_eq!(reader.next().await, None);
        assert!(!outlet.is_read());
    }

    #[tokio::test]
    async fn h13_an_outlet_knows_when_its_reader_has_left() {
        let outlet = Outlet::new(1);
        let waits = |outlet: &Arc<Outlet>| {
            let outlet = Arc::clone(outlet);
            tokio::spawn(async move { outlet.abandoned().await })
        };
        // Before anybody reads, nobody can have left.
        let mut early = waits(&outlet);
        let reader = outlet.read(0);
        tokio::task::yield_now().await;
        assert!(!early.is_finished());
        let taken_over = outlet.read(0);
        drop(reader);
        tokio::task::yield_now().await;
        assert!(!early.is_finished());
        drop(taken_over);
        (&mut early).await.unwrap();
        outlet.abandoned().await;
    }
}
