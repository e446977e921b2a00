//! Where the process of a few like sessions runs: it starts the process when there is none, greets
//! it once, and starts it anew after a crash. It never has two processes at a time.

use super::board::{Board, Entry, Line};
use super::process::Process;
use super::queue::{Item, Queue};
use super::{Settings, numbered};
use crate::upstream::{Outgoing, UpstreamError, lock, peek};
use bytes::Bytes;
use protocol::{Edits, Id, Message};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// A place for one process.
#[derive(Debug)]
pub(super) struct Station {
    settings: Arc<Settings>,
    board: Arc<Board>,
    /// The first session's `initialize`.
    initialize: Bytes,
    /// What the server answered to it.
    greeting: Mutex<Option<Message>>,
    /// Held while a process is started, so that one is.
    starting: tokio::sync::Mutex<()>,
    current: Mutex<Current>,
}

#[derive(Debug, Default)]
struct Current {
    process: Option<Arc<Process>>,
    /// The handshake with the process is done.
    greeted: bool,
    started: u64,
    stopped: bool,
}

/// A call under way. Dropped, its answer is not waited for any more.
pub(super) struct Flight {
    board: Arc<Board>,
    process: Arc<Process>,
    number: u64,
    queue: Arc<Queue>,
}

impl Flight {
    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Tells the process that the answer is not wanted any more.
    pub(super) fn cancel(self) {
        if self.board.forget(self.number) {
            let message = peek::cancelled(&numbered(self.number));
            self.process.try_write(super::board::line(&message));
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.board.forget(self.number);
    }
}

impl Station {
    pub(super) fn new(settings: Arc<Settings>, initialize: Bytes) -> Self {
        let board = Arc::new(Board::new(settings.bounds.answer_bytes));
        Station {
            settings,
            board,
            initialize,
            greeting: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            current: Mutex::default(),
        }
    }

    pub(super) fn join(&self, inbox: Arc<Queue>) -> u64 {
        self.board.join(inbox)
    }

    pub(super) fn leave(&self, session: u64) -> bool {
        self.board.leave(session)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.board.is_empty()
    }

    pub(super) fn departures(&self) -> u64 {
        self.board.departures()
    }

    /// Sends a request of `session`; its answer comes to the queue of the flight.
    pub(super) async fn call(
        &self,
        session: u64,
        message: &Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Flight, UpstreamError> {
        let process = self.running(deadline).await?;
        self.launch(session, message.bytes.clone(), process, deadline)
            .await
    }

    /// Sends a notification or a response of `session`.
    pub(super) async fn tell(
        &self,
        session: u64,
        message: &Outgoing<'_>,
        deadline: Instant,
    ) -> Result<(), UpstreamError> {
        let process = self.running(deadline).await?;
        if let Line::Write(line) = self.board.tell(session, message)? {
            process.write(line, deadline).await?;
        }
        Ok(())
    }

    /// The answer to `initialize`, as if it were the answer to the request `id`.
    pub(super) fn greeting_for(&self, id: &Id) -> Result<Bytes, UpstreamError> {
        let greeting = lock(&self.greeting);
        let Some(document) = greeting.as_ref().map(Message::document) else {
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

    /// The process, started and greeted if there is none.
    pub(super) async fn running(&self, deadline: Instant) -> Result<Arc<Process>, UpstreamError> {
        if let Some(process) = self.alive() {
            return Ok(process);
        }
        let Ok(_turn) = tokio::time::timeout_at(deadline, self.starting.lock()).await else {
            return Err(UpstreamError::Deadline);
        };
        if let Some(process) = self.alive() {
            return Ok(process);
        }
        let old = lock(&self.current).process.take();
        if let Some(old) = old {
            old.stop();
            old.stopped().await;
        }
        let attempt = self.settings.breaker.admit(Instant::now())?;
        match self.start(deadline).await {
            Ok(process) => {
                attempt.reached();
                Ok(process)
            }
            Err(error) => {
                attempt.failed(Instant::now());
                Err(error)
            }
        }
    }

    /// Ends the process, for good.
    pub(super) fn stop(&self) {
        let mut current = lock(&self.current);
        current.stopped = true;
        if let Some(process) = &current.process {
            process.stop();
        }
    }

    pub(super) async fn stopped(&self) {
        let process = lock(&self.current).process.clone();
        if let Some(process) = process {
            process.stopped().await;
        }
    }

    fn alive(&self) -> Option<Arc<Process>> {
        let current = lock(&self.current);
        let process = current.process.as_ref().filter(|_| current.greeted)?;
        process.is_alive().then(|| process.clone())
    }

    async fn start(&self, deadline: Instant) -> Result<Arc<Process>, UpstreamError> {
        let process = {
            let mut current = lock(&self.current);
            if current.stopped {
                return Err(UpstreamError::Closed);
            }
            current.started += 1;
            let process = Process::start(&self.settings, &self.board, current.started)?;
            let process = Arc::new(process);
            current.greeted = false;
            current.process = Some(process.clone());
            process
        };
        if let Err(error) = self.greet(&process, deadline).await {
            process.stop();
            return Err(error);
        }
        lock(&self.current).greeted = true;
        Ok(process)
    }

    /// The handshake with a new process, and what sessions told the one before.
    async fn greet(&self, process: &Arc<Process>, deadline: Instant) -> Result<(), UpstreamError> {
        let initialize = self.initialize.clone();
        let flight = self
            .launch(0, initialize, process.clone(), deadline)
            .await?;
        let answer = loop {
            match tokio::time::timeout_at(deadline, flight.queue.next()).await {
                Err(_) => return Err(UpstreamError::Deadline),
                Ok(Item::Last(answer)) => break answer?,
                Ok(Item::End) => return Err(UpstreamError::Ended),
                // Nobody can be told yet what comes before the answer.
                Ok(Item::Next(_)) => {}
            }
        };
        let answer = peek::message(answer, self.settings.bounds.answer_bytes)?;
        let now = peek::chosen_revision(&answer)?;
        {
            let mut greeting = lock(&self.greeting);
            if let Some(before) = greeting.as_ref() {
                let before = peek::chosen_revision(before)?;
                if before != now {
                    return Err(UpstreamError::Changed { before, now });
                }
            }
            *greeting = Some(answer);
        }
        if self.board.is_initialized() {
            let line = super::board::line(&peek::initialized());
            process.write(line, deadline).await?;
        }
        for message in self.board.standing() {
            // The answers are for nobody, so the calls are forgotten at once.
            drop(self.launch(0, message, process.clone(), deadline).await?);
        }
        Ok(())
    }

    async fn launch(
        &self,
        session: u64,
        bytes: Bytes,
        process: Arc<Process>,
        deadline: Instant,
    ) -> Result<Flight, UpstreamError> {
        let queue = Arc::new(Queue::new(self.settings.bounds.answer_bytes));
        let entered = self
            .board
            .call(session, process.number(), bytes, queue.clone())?;
        let (number, line) = match entered {
            Entry::Write(number, line) => (number, Some(line)),
            Entry::Answered => (0, None),
        };
        let flight = Flight {
            board: self.board.clone(),
            process,
            number,
            queue,
        };
        if let Some(line) = line {
            flight.process.write(line, deadline).await?;
        }
        Ok(flight)
    }
}
