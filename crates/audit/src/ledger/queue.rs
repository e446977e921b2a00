//! What lies between the callers and the writer: the records that wait, bounded in number and in
//! bytes, and the callers that wait for them to be durable.

use super::{Durability, Settings};
use crate::err::LedgerError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How long records nobody waits for are gathered before the writer is woken.
const GATHER_TIME: Duration = Duration::from_millis(5);
/// How many of them make it worth waking sooner.
const GATHER_RECORDS: usize = 256;
const GATHER_BYTES: usize = 1 << 20;

/// Shared by the callers and the writer.
pub(super) struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
    waiters: Mutex<Waiters>,
    records_max: usize,
    bytes_max: usize,
}

struct Queue {
    records: Vec<Vec<u8>>,
    bytes: usize,
    /// How many records were ever accepted; the ticket of the newest.
    accepted: u64,
    /// Somebody waits for one of the records.
    is_urgent: bool,
    rest: Rest,
    end: End,
}

/// What the writer is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Writing; it looks at the queue again by itself.
    Busy,
    /// Waiting for more, or for its time.
    Gathering,
    /// Waiting for anything.
    Idle,
}

/// Whether records are accepted.
#[derive(Clone)]
enum End {
    Open,
    Closed,
    Failed(Arc<str>),
}

struct Waiters {
    durable: u64,
    end: End,
    wakers: Vec<(u64, Waker)>,
}

/// What the writer got.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Records are in the batch.
    Batch,
    /// Nothing came until the deadline.
    Due,
    /// Nothing is left, and nothing will come.
    End,
}

/// The records that are written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) records: Vec<Vec<u8>>,
    /// The ticket of the last of them.
    pub(super) ticket: u64,
    /// Somebody waits for one of them.
    pub(super) is_urgent: bool,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            queue: Mutex::new(Queue {
                records: Vec::new(),
                bytes: 0,
                accepted: 0,
                is_urgent: false,
                rest: Rest::Busy,
                end: End::Open,
            }),
            arrived: Condvar::new(),
            waiters: Mutex::new(Waiters {
                durable: 0,
                end: End::Open,
                wakers: Vec::new(),
            }),
            records_max: settings.queue,
            bytes_max: settings.queue_bytes,
        }
    }

    /// Queues a record and returns its ticket.
    pub(super) fn push(&self, record: Vec<u8>, durability: Durability) -> Result<u64, LedgerError> {
        let mut queue = self.queue();
        queue.end.check()?;
        let bytes = queue.bytes.saturating_add(record.len());
        // One record always fits, or a large one could never be written.
        let fits = bytes <= self.bytes_max || queue.records.is_empty();
        if queue.records.len() >= self.records_max || !fits {
            return Err(LedgerError::Full);
        }
        queue.records.push(record);
        queue.bytes = bytes;
        queue.accepted = queue.accepted.saturating_add(1);
        queue.is_urgent |= durability == Durability::BeforeAnswer;
        let ticket = queue.accepted;
        let wake = match queue.rest {
            Rest::Busy => false,
            Rest::Gathering => queue.is_worth_writing(),
            Rest::Idle => true,
        };
        if wake {
            queue.rest = Rest::Busy;
            drop(queue);
            self.arrived.notify_one();
        }
        Ok(ticket)
    }

    /// Moves what is queued into `batch`, waiting for it until `deadline`.
    pub(super) fn take(&self, batch: &mut Batch, deadline: Option<Instant>) -> Taken {
        // The old records are freed here, where no caller waits for the lock.
        batch.records.clear();
        let mut gathered: Option<Instant> = None;
        let mut queue = self.queue();
        loop {
            let now = Instant::now();
            let is_ending = !matches!(queue.end, End::Open);
            if queue.records.is_empty() {
                if is_ending {
                    return Taken::End;
                }
                if deadline.is_some_and(|deadline| now >= deadline) {
                    return Taken::Due;
                }
            } else if is_ending
                || queue.is_worth_writing()
                || gathered.is_some_and(|until| now >= until)
            {
                std::mem::swap(&mut queue.records, &mut batch.records);
                queue.bytes = 0;
                batch.ticket = queue.accepted;
                batch.is_urgent = std::mem::take(&mut queue.is_urgent);
                return Taken::Batch;
            }
            let until = if queue.records.is_empty() {
                queue.rest = Rest::Idle;
                deadline
            } else {
                queue.rest = Rest::Gathering;
                Some(*gathered.get_or_insert(now + GATHER_TIME))
            };
            queue = self.rest(
                queue,
                until.map(|until| until.saturating_duration_since(now)),
            );
            queue.rest = Rest::Busy;
        }
    }

    /// Whether a record is durable; if not, its caller is woken when it is.
    pub(super) fn poll(
        &self,
        ticket: u64,
        known: &mut Option<Waker>,
        context: &Context<'_>,
    ) -> Poll<Result<(), LedgerError>> {
        let mut waiters = self.waiters();
        if waiters.durable >= ticket {
            return Poll::Ready(Ok(()));
        }
        if let Err(error) = waiters.end.check() {
            return Poll::Ready(Err(error));
        }
        if !known
            .as_ref()
            .is_some_and(|known| known.will_wake(context.waker()))
        {
            let waker = context.waker().clone();
            waiters.wakers.push((ticket, waker.clone()));
            *known = Some(waker);
        }
        Poll::Pending
    }

    /// Tells everybody up to this ticket that their record is durable.
    pub(super) fn make_durable(&self, ticket: u64) {
        let mut waiters = self.waiters();
        waiters.durable = ticket;
        let due: Vec<_> = waiters
            .wakers
            .extract_if(.., |(wanted, _)| *wanted <= ticket)
            .collect();
        drop(waiters);
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Accepts nothing more; what is queued is still written.
    pub(super) fn close(&self) {
        let mut queue = self.queue();
        if matches!(queue.end, End::Open) {
            queue.end = End::Closed;
        }
        drop(queue);
        self.arrived.notify_one();
    }

    /// Accepts nothing more, and says so to everybody who waits.
    pub(super) fn fail(&self, why: &str) {
        self.queue().end = End::Failed(why.into());
        self.end_waiting(End::Failed(why.into()));
    }

    /// The writer is done: who still waits, waits in vain.
    pub(super) fn finish(&self) {
        self.end_waiting(End::Closed);
    }

    pub(super) fn health(&self) -> Result<(), LedgerError> {
        self.queue().end.check()
    }

    fn end_waiting(&self, end: End) {
        let mut waiters = self.waiters();
        waiters.end = end;
        let wakers = std::mem::take(&mut waiters.wakers);
        drop(waiters);
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn rest<'q>(
        &self,
        queue: MutexGuard<'q, Queue>,
        time: Option<Duration>,
    ) -> MutexGuard<'q, Queue> {
        match time {
            None => self
                .arrived
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                let (queue, _) = self
                    .arrived
                    .wait_timeout(queue, time)
                    .unwrap_or_else(PoisonError::into_inner);
                queue
            }
        }
    }

    // Nothing below can panic half-way, so a poisoned lock protects sound data.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn is_worth_writing(&self) -> bool {
        self.is_urgent || self.records.len() >= GATHER_RECORDS || self.bytes >= GATHER_BYTES
    }
}

impl End {
    fn check(&self) -> Result<(), LedgerError> {
        match self {
            End::Open => Ok(()),
            End::Closed => Err(LedgerError::Closed),
            End::Failed(why) => Err(LedgerError::Failed {
                why: Arc::clone(why),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(queue: usize, queue_bytes: usize) -> Shared {
        Shared::new(Settings {
            queue,
            queue_bytes,
            ..Settings::default()
        })
    }

    #[test]
    fn refuses_more_records_than_may_wait() {
        let shared = shared(2, 1000);
        for expected in [Ok(1), Ok(2)] {
            let ticket = shared.push(vec![0; 10], Durability::Interval);
            assert_eq!(ticket.map_err(|error| error.to_string()), expected);
        }
        let full = shared.push(vec![0; 10], Durability::Interval);
        assert!(matches!(full, Err(LedgerError::Full)));
    }

    #[test]
    fn refuses_more_bytes_than_may_wait_but_always_fits_one() {
        let shared = shared(10, 100);
        assert!(shared.push(vec![0; 500], Durability::Interval).is_ok());
        let full = shared.push(vec![0; 1], Durability::Interval);
        assert!(matches!(full, Err(LedgerError::Full)));
    }

    #[test]
    fn gives_urgent_records_at_once_and_others_when_their_time_is_over() {
        let shared = shared(10, 1000);
        let mut batch = Batch::default();
        shared.push(vec![1], Durability::Interval).unwrap();
        assert_eq!(shared.take(&mut batch, None), Taken::Batch);
        assert!(!batch.is_urgent);
        shared.push(vec![2], Durability::Interval).unwrap();
        shared.push(vec![3], Durability::BeforeAnswer).unwrap();
        assert_eq!(shared.take(&mut batch, None), Taken::Batch);
        assert_eq!(
            (batch.records.len(), batch.ticket, batch.is_urgent),
            (2, 3, true)
        );
        assert_eq!(shared.take(&mut batch, Some(Instant::now())), Taken::Due);
        shared.close();
        assert_eq!(shared.take(&mut batch, None), Taken::End);
        assert!(matches!(
            shared.push(vec![4], Durability::Interval),
            Err(LedgerError::Closed)
        ));
    }
}
