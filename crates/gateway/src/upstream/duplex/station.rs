//! Where the channel of one or a few like sessions is: it opens the channel when there is none,
//! and anew when it broke. It never has two at a time.

use super::board::{Board, Entry, Line};
use super::numbered;
use super::opening::Opened;
use super::queue::Queue;
use super::wire::{Channel, Wire};
use crate::breaker::Breaker;
use crate::upstream::era::Order;
use crate::upstream::peek::Unwanted;
use crate::upstream::{Bounds, Outgoing, UpstreamError, lock, peek};
use bytes::Bytes;
use protocol::{Edits, Era, Id, Message, Shape};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// What the channels of a server have in common.
#[derive(Debug)]
pub(in crate::upstream) struct Settings {
    pub(in crate::upstream) bounds: Bounds,
    pub(in crate::upstream) channel: Channel,
    /// Where the channel has none of its own.
    pub(in crate::upstream) breaker: Option<Arc<Breaker>>,
}

/// How the server is greeted.
#[derive(Debug)]
pub(in crate::upstream) struct Hail {
    pub(in crate::upstream) initialize: Bytes,
    /// Never sent where the order has no modern era.
    pub(in crate::upstream) discover: Bytes,
    pub(in crate::upstream) order: Order,
}

/// A place for one channel.
#[derive(Debug)]
pub(in crate::upstream) struct Station {
    settings: Arc<Settings>,
    board: Arc<Board>,
    hail: Hail,
    /// How the server was met. Later channels are opened in the same era.
    met: Mutex<Option<Opened>>,
    /// Held while a channel is opened, so that one is.
    starting: tokio::sync::Mutex<()>,
    current: Mutex<Current>,
}

#[derive(Debug, Default)]
struct Current {
    wire: Option<Arc<Wire>>,
    /// The server was met over it.
    greeted: bool,
    opened: u64,
    stopped: bool,
}

/// A call under way. Dropped, its answer is not waited for any more.
pub(super) struct Flight {
    board: Arc<Board>,
    wire: Arc<Wire>,
    number: u64,
    queue: Arc<Queue>,
}

impl Flight {
    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Tells the server that the answer is not wanted any more.
    pub(super) fn cancel(self, why: Unwanted) {
        self.withdraw(why);
    }

    fn withdraw(&self, why: Unwanted) {
        if self.board.forget(self.number) {
            let message = peek::cancelled(&numbered(self.number), why);
            self.wire.try_write(message);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // To a modern server the end of the waiting is the cancellation (rule H13).
        if self.board.is_modern() {
            self.withdraw(Unwanted::Abandoned);
        } else {
            self.board.forget(self.number);
        }
    }
}

impl Station {
    pub(in crate::upstream) fn new(settings: Arc<Settings>, hail: Hail) -> Self {
        let board = Arc::new(Board::new(settings.bounds.answer_bytes));
        Station {
            settings,
            board,
            hail,
            met: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            current: Mutex::default(),
        }
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// What it is greeted with.
    pub(in crate::upstream) fn hail(&self) -> &Hail {
        &self.hail
    }

    pub(super) fn join(&self, inbox: Arc<Queue>) -> u64 {
        self.board.join(inbox)
    }

    pub(super) fn leave(&self, session: u64) -> bool {
        self.board.leave(session)
    }

    pub(in crate::upstream) fn is_empty(&self) -> bool {
        self.board.is_empty()
    }

    pub(in crate::upstream) fn departures(&self) -> u64 {
        self.board.departures()
    }

    /// The era in which the server was met.
    pub(in crate::upstream) fn era(&self) -> Option<Era> {
        lock(&self.met).as_ref().map(|met| met.era)
    }

    /// Whether the server said that it speaks the legacy era although it was met in the other one.
    pub(in crate::upstream) fn legacy_too(&self) -> bool {
        lock(&self.met).as_ref().is_some_and(|met| met.legacy_too)
    }

    /// Sends a request of `session`; its answer comes to the queue of the flight.
    pub(super) async fn call(
        &self,
        session: u64,
        message: &Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Flight, UpstreamError> {
        let wire = self.running(deadline).await?;
        let bytes = message.bytes.clone();
        let launched = self.launch(session, bytes.clone(), &wire, deadline).await;
        match launched {
            Err(UpstreamError::SessionLost) => {
                let wire = self.replaced(wire, deadline).await?;
                self.launch(session, bytes, &wire, deadline).await
            }
            launched => launched,
        }
    }

    /// Sends a notification or a response of `session`.
    pub(super) async fn tell(
        &self,
        session: u64,
        message: &Outgoing<'_>,
        deadline: Instant,
    ) -> Result<(), UpstreamError> {
        let wire = self.running(deadline).await?;
        let Line::Write(bytes) = self.board.tell(session, message)? else {
            return Ok(());
        };
        match wire.write(bytes.clone(), deadline).await {
            Err(UpstreamError::SessionLost) => {
                let wire = self.replaced(wire, deadline).await?;
                match (message.shape, message.method) {
                    // The new session asked nothing.
                    (Shape::Response, _) => Err(UpstreamError::SessionLost),
                    // It knows no call of the old one, and was told the other already.
                    (_, "notifications/cancelled" | "notifications/initialized") => Ok(()),
                    _ => wire.write(bytes, deadline).await,
                }
            }
            written => written,
        }
    }

    /// What the server said when it was met, as if it were the answer to the request `id`.
    pub(in crate::upstream) fn greeting_for(&self, id: &Id) -> Result<Bytes, UpstreamError> {
        let met = lock(&self.met);
        let Some(document) = met.as_ref().map(|met| met.greeting.document()) else {
            return Err(UpstreamError::Ended);
        };
        let mut edits = Edits::new();
        if let Some(written) = document.root().get("id") {
            edits.replace(written.range(), id.bytes());
        }
        let edited = document.apply(&edits);
        edited.map_err(|error| UpstreamError::Message {
            reason: error.to_string(),
        })
    }

    /// The channel, opened and the server met if there is none.
    pub(in crate::upstream) async fn run(&self, deadline: Instant) -> Result<(), UpstreamError> {
        self.running(deadline).await.map(drop)
    }

    async fn running(&self, deadline: Instant) -> Result<Arc<Wire>, UpstreamError> {
        if let Some(wire) = self.alive() {
            return Ok(wire);
        }
        let Ok(_turn) = tokio::time::timeout_at(deadline, self.starting.lock()).await else {
            return Err(UpstreamError::Deadline);
        };
        if let Some(wire) = self.alive() {
            return Ok(wire);
        }
        let Some(breaker) = &self.settings.breaker else {
            return self.start(deadline).await;
        };
        let attempt = breaker.admit(Instant::now())?;
        let started = self.start(deadline).await;
        match &started {
            Ok(_) => attempt.reached(),
            Err(_) => attempt.failed(Instant::now()),
        }
        started
    }

    /// Another channel than `dead`, over which the server was met anew.
    async fn replaced(
        &self,
        dead: Arc<Wire>,
        deadline: Instant,
    ) -> Result<Arc<Wire>, UpstreamError> {
        let server = &self.settings.bounds.name;
        tracing::info!(%server, "the server forgot a session; opening it anew");
        dead.stop();
        self.running(deadline).await
    }

    /// Ends the channel, for good.
    pub(in crate::upstream) fn stop(&self) {
        let mut current = lock(&self.current);
        current.stopped = true;
        if let Some(wire) = &current.wire {
            wire.stop();
        }
    }

    pub(in crate::upstream) async fn stopped(&self) {
        // A channel that is being opened finds out that it must not be.
        let _turn = self.starting.lock().await;
        let wire = lock(&self.current).wire.clone();
        if let Some(wire) = wire {
            wire.stopped().await;
        }
    }

    fn alive(&self) -> Option<Arc<Wire>> {
        let current = lock(&self.current);
        let wire = current.wire.as_ref().filter(|_| current.greeted)?;
        wire.is_alive().then(|| wire.clone())
    }

    async fn start(&self, deadline: Instant) -> Result<Arc<Wire>, UpstreamError> {
        let order = self.era().map_or(self.hail.order, Order::only);
        let mut wire = self.fresh(deadline).await?;
        let opened = self.open(&mut wire, order, deadline).await;
        let settled = match opened {
            Ok(opened) => self.settle(&wire, opened, deadline).await,
            Err(error) => Err(error),
        };
        if let Err(error) = settled {
            wire.stop();
            return Err(error);
        }
        lock(&self.current).greeted = true;
        Ok(wire)
    }

    /// A channel that nobody has said anything over, in the place of the one before.
    pub(super) async fn fresh(&self, deadline: Instant) -> Result<Arc<Wire>, UpstreamError> {
        let (old, number) = {
            let mut current = lock(&self.current);
            current.greeted = false;
            current.opened += 1;
            (current.wire.take(), current.opened)
        };
        if let Some(old) = old {
            old.stop();
            old.stopped().await;
        }
        if lock(&self.current).stopped {
            return Err(UpstreamError::Closed);
        }
        let wire = Wire::open(&self.settings, &self.board, number, deadline).await?;
        let wire = Arc::new(wire);
        let mut current = lock(&self.current);
        current.wire = Some(wire.clone());
        if current.stopped {
            wire.stop();
            return Err(UpstreamError::Closed);
        }
        Ok(wire)
    }

    /// Notes how the server was met, and tells it what sessions told it before.
    async fn settle(
        &self,
        wire: &Arc<Wire>,
        opened: Opened,
        deadline: Instant,
    ) -> Result<(), UpstreamError> {
        let era = opened.era;
        {
            let mut met = lock(&self.met);
            if let Some(before) = met.as_ref() {
                before.check_same(&opened)?;
            }
            self.board.speaks(era);
            *met = Some(opened);
        }
        if era == Era::Modern {
            return Ok(());
        }
        if self.board.is_initialized() {
            wire.write(peek::initialized(), deadline).await?;
        }
        for message in self.board.standing() {
            // The answers are for nobody, so the calls are forgotten at once.
            drop(self.launch(0, message, wire, deadline).await?);
        }
        Ok(())
    }

    pub(super) async fn launch(
        &self,
        session: u64,
        bytes: Bytes,
        wire: &Arc<Wire>,
        deadline: Instant,
    ) -> Result<Flight, UpstreamError> {
        let queue = Arc::new(Queue::new(self.settings.bounds.answer_bytes));
        let entered = self
            .board
            .call(session, wire.number(), bytes, queue.clone())?;
        let (number, message) = match entered {
            Entry::Write(number, message) => (number, Some(message)),
            Entry::Answered => (0, None),
        };
        let flight = Flight {
            board: self.board.clone(),
            wire: wire.clone(),
            number,
            queue,
        };
        let Some(message) = message else {
            return Ok(flight);
        };
        let written = wire.write(message, deadline).await;
        // It may have been read all the same. What was said to meet the server must not be cancelled (rule L5): then
        // the channel ends.
        if written == Err(UpstreamError::Deadline) && session != 0 {
            flight.withdraw(Unwanted::Late);
        }
        written.map(|()| flight)
    }

    pub(super) fn read(&self, answer: Bytes) -> Result<Message, UpstreamError> {
        peek::message(answer, self.settings.bounds.answer_bytes)
    }
}
