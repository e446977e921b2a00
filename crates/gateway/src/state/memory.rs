//! The embedded volatile store: marks and tickets in memory, in shards, so that those who ask at once
//! seldom wait for each other. What expires is dropped as others come; nothing else ever is.

use crate::small::lock;
use crate::state::{BoxFuture, Limits, Mark, Once, Space, StateError, Ticket, Volatile};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::future::ready;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Marks in memory.
pub struct Memory {
    spaces: [Kept; Space::ALL.len()],
}

/// One space.
struct Kept {
    shards: [Mutex<Shard>; Kept::SHARDS],
    count: AtomicUsize,
    max: usize,
}

#[derive(Default)]
struct Shard {
    by_mark: HashMap<Mark, Entry>,
    /// The earliest first. Every entry of `by_mark` is in here; one that was taken stays until its time.
    by_time: BinaryHeap<Reverse<(u64, Mark)>>,
}

struct Entry {
    until_ms: u64,
    /// `None` for a mark alone, and where a ticket was taken.
    ticket: Option<Ticket>,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            spaces: Space::ALL.map(|space| Kept::new(Limits::marks(space))),
        }
    }
}

impl Memory {
    /// Room for this many of each space, for tests.
    #[cfg(test)]
    pub(crate) fn with_room_for(max: usize) -> Self {
        Memory {
            spaces: Space::ALL.map(|_| Kept::new(max)),
        }
    }

    fn kept(&self, space: Space) -> &Kept {
        let [
            agreement,
            code,
            assertion,
            token_proof,
            journey,
            proof,
            signal,
            ticket,
        ] = &self.spaces;
        match space {
            Space::Agreement => agreement,
            Space::Code => code,
            Space::Assertion => assertion,
            Space::TokenProof => token_proof,
            Space::Journey => journey,
            Space::Proof => proof,
            Space::Signal => signal,
            Space::Ticket => ticket,
        }
    }

    /// How many entries a space holds, expired ones that nobody met since among them.
    pub fn len(&self, space: Space) -> usize {
        self.kept(space).count.load(Ordering::Relaxed)
    }

    /// Whether a space holds none.
    pub fn is_empty(&self, space: Space) -> bool {
        self.len(space) == 0
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = Space::ALL.map(|space| (space, self.len(space)));
        f.debug_map().entries(counts).finish()
    }
}

impl Kept {
    const SHARDS: usize = 16;
    /// Expired entries that one visitor drops: more than come with one, so that they never pile up.
    const DROPPED: usize = 4;

    fn new(max: usize) -> Self {
        Kept {
            shards: std::array::from_fn(|_| Mutex::default()),
            count: AtomicUsize::new(0),
            max,
        }
    }

    fn shard(&self, mark: &Mark) -> &Mutex<Shard> {
        let [first, ..] = &self.shards;
        let [byte, ..] = mark.0;
        // INVARIANT: the remainder is below the number of shards; the fallback is never taken.
        let at = usize::from(byte) % Self::SHARDS;
        self.shards.get(at).unwrap_or(first)
    }

    fn insert(
        &self,
        mark: Mark,
        ticket: Option<Ticket>,
        until_ms: u64,
        now_ms: u64,
    ) -> Result<Once, &'static str> {
        let mut shard = lock(self.shard(&mark));
        self.dropped(&mut shard, now_ms, Self::DROPPED);
        if let Some(known) = shard.by_mark.get(&mark) {
            if known.until_ms > now_ms {
                return Ok(Once::Replayed);
            }
            // Its time has come, but those before it in line have not been dropped yet.
            self.dropped(&mut shard, now_ms, usize::MAX);
        }
        drop(shard);
        // What is over already needs no place, and nothing comes again after it.
        if until_ms <= now_ms {
            return Ok(Once::Fresh);
        }
        self.reserve(now_ms)?;
        let mut shard = lock(self.shard(&mark));
        if shard.by_mark.contains_key(&mark) {
            // Somebody came in between, with the same.
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Ok(Once::Replayed);
        }
        shard.by_mark.insert(mark, Entry { until_ms, ticket });
        shard.by_time.push(Reverse((until_ms, mark)));
        Ok(Once::Fresh)
    }

    /// A place for one more. Where there is none, everything that has expired makes room first.
    fn reserve(&self, now_ms: u64) -> Result<(), &'static str> {
        let one_more = |count: usize| (count < self.max).then_some(count + 1);
        let take = || {
            self.count
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
        };
        if take().is_ok() {
            return Ok(());
        }
        for shard in &self.shards {
            self.dropped(&mut lock(shard), now_ms, usize::MAX);
        }
        take().map(drop).map_err(|_full| "marks")
    }

    /// Drops expired entries, this many at most.
    fn dropped(&self, shard: &mut Shard, now_ms: u64, most: usize) {
        for _ in 0..most {
            let Some(Reverse((until_ms, mark))) = shard.by_time.peek().copied() else {
                return;
            };
            if until_ms > now_ms {
                return;
            }
            shard.by_time.pop();
            // One that was withdrawn is gone, and one that came again since has a time of its own.
            let entry = shard.by_mark.get(&mark);
            if entry.is_some_and(|entry| entry.until_ms == until_ms) {
                shard.by_mark.remove(&mark);
                self.count.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn withdraw(&self, mark: &Mark) {
        if lock(self.shard(mark)).by_mark.remove(mark).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn take(&self, mark: &Mark, now_ms: u64) -> Option<Ticket> {
        let mut shard = lock(self.shard(mark));
        self.dropped(&mut shard, now_ms, Self::DROPPED);
        let entry = shard.by_mark.get_mut(mark)?;
        let ticket = entry.ticket.take();
        ticket.filter(|_| entry.until_ms > now_ms)
    }
}

impl Volatile for Memory {
    fn insert_once(
        &self,
        space: Space,
        mark: Mark,
        until_ms: u64,
        now_ms: u64,
    ) -> BoxFuture<'_, Result<Once, StateError>> {
        let once = self.kept(space).insert(mark, None, until_ms, now_ms);
        Box::pin(ready(once.map_err(StateError::Full)))
    }

    fn withdraw(&self, space: Space, mark: Mark) -> BoxFuture<'_, Result<(), StateError>> {
        self.kept(space).withdraw(&mark);
        Box::pin(ready(Ok(())))
    }

    fn leave(
        &self,
        space: Space,
        mark: Mark,
        ticket: Ticket,
        until_ms: u64,
        now_ms: u64,
    ) -> BoxFuture<'_, Result<Once, StateError>> {
        if ticket.len() > Limits::TICKET_BYTES {
            return Box::pin(ready(Err(StateError::Long("ticket"))));
        }
        let once = self
            .kept(space)
            .insert(mark, Some(ticket), until_ms, now_ms);
        Box::pin(ready(once.map_err(StateError::Full)))
    }

    fn take(
        &self,
        space: Space,
        mark: Mark,
        now_ms: u64,
    ) -> BoxFuture<'_, Result<Option<Ticket>, StateError>> {
        Box::pin(ready(Ok(self.kept(space).take(&mark, now_ms))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::suite;

    #[tokio::test]
    async fn the_embedded_store_keeps_what_a_volatile_store_promises() {
        suite::volatile(&Memory::default()).await;
        suite::full(&Memory::with_room_for(8), 8).await;
    }

    #[tokio::test]
    async fn what_has_expired_does_not_pile_up() {
        let memory = Memory::default();
        for now in 0..20_000u64 {
            let mark = Mark::of(&[&now.to_be_bytes()]);
            let once = memory.insert_once(Space::Proof, mark, now + 100, now);
            assert_eq!(once.await.unwrap(), Once::Fresh);
        }
        // A hundred are in force; each shard may lag behind by what no visitor met.
        assert!(memory.len(Space::Proof) < 400, "{memory:?}");
    }

    #[test]
    fn of_many_at_once_one_is_the_first() {
        let memory = Memory::default();
        let kept = memory.kept(Space::Proof);
        for round in 0..200u64 {
            let mark = Mark::of(&[&round.to_be_bytes()]);
            let barrier = std::sync::Barrier::new(4);
            let firsts = std::thread::scope(|scope| {
                let tasks: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            barrier.wait();
                            kept.insert(mark, None, 1000, 0).unwrap() == Once::Fresh
                        })
                    })
                    .collect();
                let joined = tasks.into_iter().map(|task| task.join().unwrap());
                joined.filter(|first| *first).count()
            });
            assert_eq!(firsts, 1);
        }
        assert_eq!(memory.len(Space::Proof), 200);
    }

    #[test]
    fn printing_says_nothing_of_any_ticket() {
        let memory = Memory::default();
        let ticket = Ticket::new(b"hunter2".to_vec());
        let mark = Mark::of(&[b"state"]);
        let kept = memory.kept(Space::Ticket);
        kept.insert(mark, Some(ticket), 1000, 0).unwrap();
        let printed = format!("{memory:?}");
        assert_eq!(
            printed,
            "{Agreement: 0, Code: 0, Assertion: 0, TokenProof: 0, Journey: 0, Proof: 0, Signal: 0, Ticket: 1}"
        );
    }
}
