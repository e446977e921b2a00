//! Servers that are spoken to over one two-way channel: the pipes of a process, or the stream and
//! the posts of HTTP+SSE. All messages of the server come down the same way, so that somebody has
//! to know what belongs to whom: the board. A station keeps the channel open.
//!
//! It knows neither processes nor HTTP; the channel behind a station is one or the other.

mod board;
mod opening;
mod queue;
mod station;
mod wire;

pub(super) use board::Board;
pub(super) use station::{Hail, Settings, Station};
pub(super) use wire::Channel;

use super::peek::Unwanted;
use super::stdio::Local;
use super::{EVENTS_MAX, Event, Events, Outgoing, Reply, Source, UpstreamError};
use bytes::Bytes;
use protocol::{Era, Id, Shape};
use queue::{Item, Queue};
use station::Flight;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// One session's share of a channel.
pub(super) struct Share {
    station: Arc<Station>,
    number: u64,
    inbox: Arc<Queue>,
    listening: Arc<AtomicBool>,
    closed: AtomicBool,
    keeper: Keeper,
}

/// What becomes of a station that nobody uses.
pub(super) enum Keeper {
    /// It is ended after a while, unless somebody joins it.
    Local(Arc<Local>),
    /// It is ended at once: nobody else can join it.
    Nobody,
}

impl Share {
    /// A share of the channel of `station`. Whoever can retire the station must be kept from it
    /// meanwhile.
    pub(super) fn new(station: Arc<Station>, keeper: Keeper) -> Self {
        let inbox = Arc::new(Queue::new(station.settings().bounds.answer_bytes));
        let number = station.join(inbox.clone());
        Share {
            station,
            number,
            inbox,
            listening: Arc::default(),
            closed: AtomicBool::new(false),
            keeper,
        }
    }

    pub(super) fn station(&self) -> &Arc<Station> {
        &self.station
    }

    /// The era of the channel. Before it was ever open there is none, and the oldest is assumed.
    pub(super) fn era(&self) -> Era {
        self.station.era().unwrap_or(Era::Legacy)
    }

    pub(super) fn transport(&self) -> &'static str {
        self.station.settings().channel.transport()
    }

    pub(super) async fn send(
        &self,
        message: Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Reply, UpstreamError> {
        self.check_open()?;
        let deadline = self.station.settings().bounds.deadline(deadline);
        if message.shape != Shape::Request {
            self.station.tell(self.number, &message, deadline).await?;
            return Ok(Reply::Accepted);
        }
        let flight = self.station.call(self.number, &message, deadline).await?;
        let mut stream = Stream::of(flight, deadline);
        match stream.item().await? {
            Item::Last(answer) => Ok(Reply::Message(answer?)),
            Item::Next(data) => {
                stream.first = Some(data);
                Ok(Reply::Stream(Events(Source::Duplex(stream))))
            }
            Item::End => Err(UpstreamError::Ended),
        }
    }

    /// What the server says to nobody's call. A modern server says such things to subscriptions
    /// only.
    pub(super) fn listen(&self) -> Result<Option<Events>, UpstreamError> {
        self.check_open()?;
        if self.era() == Era::Modern {
            return Ok(None);
        }
        if self.listening.swap(true, Ordering::AcqRel) {
            return Err(UpstreamError::Listening);
        }
        Ok(Some(Events(Source::Duplex(Stream {
            queue: self.inbox.clone(),
            flight: None,
            listening: Some(self.listening.clone()),
            first: None,
            deadline: None,
            endless: true,
            said: 0,
        }))))
    }

    pub(super) async fn subscribe(&self, message: Outgoing<'_>) -> Result<Events, UpstreamError> {
        self.check_open()?;
        let deadline = Instant::now() + self.station.settings().bounds.timeout;
        let flight = self.station.call(self.number, &message, deadline).await?;
        let mut stream = Stream::of(flight, deadline);
        stream.endless = true;
        Ok(Events(Source::Duplex(stream)))
    }

    pub(super) fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.inbox.end();
        if !self.station.leave(self.number) {
            return;
        }
        match &self.keeper {
            Keeper::Local(local) => local.retire(self.station.clone()),
            Keeper::Nobody => self.station.stop(),
        }
    }

    fn check_open(&self) -> Result<(), UpstreamError> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(UpstreamError::Closed),
            false => Ok(()),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.close();
    }
}

/// Messages of a channel: those of one call, or those of nobody's call.
pub(super) struct Stream {
    queue: Arc<Queue>,
    flight: Option<Flight>,
    listening: Option<Arc<AtomicBool>>,
    first: Option<Bytes>,
    deadline: Option<Instant>,
    /// Only the first message has a deadline, and any number may follow.
    endless: bool,
    /// How many messages came.
    said: u32,
}

impl Stream {
    /// The answer is waited for until then.
    pub(super) fn extend(&mut self, until: Instant) {
        if self.deadline.is_some() && !self.endless {
            self.deadline = Some(until);
        }
    }

    fn of(flight: Flight, deadline: Instant) -> Self {
        Stream {
            queue: flight.queue().clone(),
            flight: Some(flight),
            listening: None,
            first: None,
            deadline: Some(deadline),
            endless: false,
            said: 0,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Event>, UpstreamError> {
        let data = match self.first.take() {
            Some(data) => data,
            None => match self.item().await? {
                Item::Next(data) => data,
                Item::Last(answer) => answer?,
                Item::End => return Ok(None),
            },
        };
        if self.endless {
            self.deadline = None;
        } else {
            self.said += 1;
            if self.said > EVENTS_MAX {
                self.abandon(Unwanted::Abandoned);
                return Err(UpstreamError::Endless { max: EVENTS_MAX });
            }
        }
        Ok(Some(Event { id: None, data }))
    }

    /// Nobody waits for the answer any more.
    pub(super) fn cancel(mut self) {
        self.abandon(Unwanted::Abandoned);
    }

    fn abandon(&mut self, why: Unwanted) {
        if let Some(flight) = self.flight.take() {
            flight.cancel(why);
            self.queue.end();
        }
    }

    async fn item(&mut self) -> Result<Item, UpstreamError> {
        let Some(deadline) = self.deadline else {
            return Ok(self.queue.next().await);
        };
        // A server that never pauses must not outlast the deadline by it.
        if Instant::now() < deadline
            && let Ok(item) = tokio::time::timeout_at(deadline, self.queue.next()).await
        {
            return Ok(item);
        }
        self.abandon(Unwanted::Late);
        Err(UpstreamError::Deadline)
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

/// An id of ours, for a request over a channel.
fn numbered(number: u64) -> Id {
    Id::from(i64::try_from(number).unwrap_or(i64::MAX))
}
