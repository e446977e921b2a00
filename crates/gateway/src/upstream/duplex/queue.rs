//! Messages on their way from a server to one reader: few, of bounded size together, and a place
//! that is always kept for the last one.

use crate::upstream::{UpstreamError, lock};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Mutex;
use tokio::sync::Notify;

/// How many messages wait at most.
pub(super) const ITEMS_MAX: usize = 64;

/// A queue with one reader.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    news: Notify,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Bytes>,
    bytes: usize,
    last: Option<Result<Bytes, UpstreamError>>,
    ended: bool,
}

/// What a reader gets.
#[derive(Debug)]
pub(super) enum Item {
    Next(Bytes),
    Last(Result<Bytes, UpstreamError>),
    End,
}

impl Queue {
    /// A queue of at most `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Queue {
            state: Mutex::default(),
            news: Notify::new(),
            bytes_max,
        }
    }

    /// Whether the message was taken; it is not if the reader is too far behind.
    pub(super) fn push(&self, message: Bytes) -> bool {
        let mut state = lock(&self.state);
        let bytes = state.bytes + message.len();
        if state.ended || state.items.len() >= ITEMS_MAX || bytes > self.bytes_max {
            return false;
        }
        state.bytes = bytes;
        state.items.push_back(message);
        drop(state);
        self.news.notify_one();
        true
    }

    /// Gives the last item, for which there is always room.
    pub(super) fn finish(&self, last: Result<Bytes, UpstreamError>) {
        let mut state = lock(&self.state);
        if state.ended {
            return;
        }
        state.ended = true;
        state.last = Some(last);
        drop(state);
        self.news.notify_one();
    }

    /// Nothing more will come, and what has not been read is not wanted.
    pub(super) fn end(&self) {
        *lock(&self.state) = State {
            ended: true,
            ..State::default()
        };
        self.news.notify_one();
    }

    pub(super) async fn next(&self) -> Item {
        loop {
            if let Some(item) = self.take() {
                return item;
            }
            self.news.notified().await;
        }
    }

    fn take(&self) -> Option<Item> {
        let mut state = lock(&self.state);
        if let Some(message) = state.items.pop_front() {
            state.bytes -= message.len();
            return Some(Item::Next(message));
        }
        if let Some(last) = state.last.take() {
            return Some(Item::Last(last));
        }
        state.ended.then_some(Item::End)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn holds_a_bounded_number_of_messages_and_bytes() {
        let queue = Queue::new(10);
        assert!(queue.push(Bytes::from_static(b"12345")));
        assert!(!queue.push(Bytes::from_static(b"123456")));
        assert!(queue.push(Bytes::from_static(b"12345")));
        assert!(matches!(queue.next().await, Item::Next(m) if m.len() == 5));
        assert!(queue.push(Bytes::from_static(b"1")));
        let queue = Queue::new(usize::MAX);
        for _ in 0..ITEMS_MAX {
            assert!(queue.push(Bytes::from_static(b"x")));
        }
        assert!(!queue.push(Bytes::from_static(b"x")));
        queue.finish(Ok(Bytes::from_static(b"last")));
        for _ in 0..ITEMS_MAX {
            assert!(matches!(queue.next().await, Item::Next(_)));
        }
        assert!(matches!(queue.next().await, Item::Last(Ok(m)) if m == "last"));
        assert!(matches!(queue.next().await, Item::End));
    }
}
