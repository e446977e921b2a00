//! Proofs of possession that were used (RFC 9449, section 11.1), and the nonces of those to come. A proof
//! is good once: its id is remembered until its time is over, and where it cannot be remembered it is
//! not accepted. Nothing that is still good is ever forgotten to make room.

use crate::small::lock;
use crate::state::{Mark, Once, Space, StateError, Volatile};
use identity::possession::Thumbprint;
use identity::possession::dpop::{Nonces, Proof};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

/// What is known of the proofs of everybody.
#[derive(Debug)]
pub struct Proofs {
    nonces: Nonces,
    users: Users,
    since_s: u64,
}

/// Whose proof it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    /// The verified user.
    pub(crate) user: &'a str,
    /// The key that signed it: ids are unique to a key.
    pub(crate) key: &'a Thumbprint,
    /// How many proofs of a user are remembered.
    pub(crate) most: u32,
}

/// Why a proof that is right in itself is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsedError {
    /// It was here before.
    #[error("the proof was used before")]
    Before,
    /// The user has as many proofs remembered as they may.
    #[error("as many proofs of one user are remembered as may be")]
    Many,
    /// It cannot be remembered.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Proofs {
    /// How long a proof is remembered beyond its own time, in seconds: those who ask at once have not
    /// read the clock at once.
    pub const MARGIN_S: u64 = 10;

    /// None used so far, and nothing known of those that were used before this moment, in unix seconds.
    pub fn new(nonces: Nonces, since_s: u64) -> Self {
        Proofs {
            nonces,
            users: Users::default(),
            since_s,
        }
    }

    /// Hands out nonces and knows them again.
    pub fn nonces(&self) -> &Nonces {
        &self.nonces
    }

    /// Since when used proofs are remembered, in unix seconds.
    pub fn since_s(&self) -> u64 {
        self.since_s
    }

    /// Takes a proof as used. Of all who bring it at once, one is the first.
    pub(crate) async fn using(
        &self,
        marks: &dyn Volatile,
        of: &Of<'_>,
        proof: &Proof,
        now_s: u64,
    ) -> Result<(), UsedError> {
        if self.users.count(of.user, now_s) >= of.most {
            return Err(UsedError::Many);
        }
        let until_s = proof.until_s.saturating_add(Self::MARGIN_S);
        let mark = Mark::of(&[of.key.as_bytes(), &proof.id]);
        let once = marks.insert_once(Space::Proof, mark, ms(until_s), ms(now_s));
        match once.await? {
            Once::Fresh => {
                self.users.add(of.user, until_s, now_s);
                Ok(())
            }
            Once::Replayed => Err(UsedError::Before),
        }
    }
}

fn ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1000)
}

/// How many proofs of each user are remembered. Users without any are dropped now and then.
#[derive(Debug)]
struct Users {
    shards: [Mutex<Shard>; Users::SHARDS],
    hasher: RandomState,
}

/// Proofs by user, and by the second in which they stop being remembered.
#[derive(Debug, Default)]
struct Shard {
    by_user: HashMap<Box<str>, BTreeMap<u64, u32>>,
    /// Looked through for users without any at this size.
    swept_at: usize,
}

impl Default for Users {
    fn default() -> Self {
        Users {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }
}

impl Users {
    const SHARDS: usize = 16;
    const FEW: usize = 64;

    fn shard(&self, user: &str) -> &Mutex<Shard> {
        let [first, ..] = &self.shards;
        let hash = self.hasher.hash_one(user) % Self::SHARDS as u64;
        // INVARIANT: the remainder is below the number of shards; the fallback is never taken.
        let at = usize::try_from(hash).unwrap_or_default();
        self.shards.get(at).unwrap_or(first)
    }

    fn count(&self, user: &str, now_s: u64) -> u32 {
        let mut shard = lock(self.shard(user));
        let Some(seconds) = shard.by_user.get_mut(user) else {
            return 0;
        };
        *seconds = seconds.split_off(&now_s.saturating_add(1));
        seconds
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn add(&self, user: &str, until_s: u64, now_s: u64) {
        let mut shard = lock(self.shard(user));
        if shard.by_user.len() >= shard.swept_at.max(Self::FEW) {
            let lasting = |seconds: &BTreeMap<u64, u32>| {
                seconds
                    .last_key_value()
                    .is_some_and(|(until_s, _)| *until_s > now_s)
            };
            shard.by_user.retain(|_, seconds| lasting(seconds));
            shard.swept_at = shard.by_user.len().saturating_mul(2);
        }
        let seconds = match shard.by_user.get_mut(user) {
            Some(seconds) => seconds,
            None => shard.by_user.entry(user.into()).or_default(),
        };
        let count = seconds.entry(until_s).or_default();
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Memory;

    const NOW: u64 = 1_800_000_000;

    fn key(byte: u8) -> Thumbprint {
        Thumbprint::from_hex(&format!("{byte:02x}").repeat(32)).unwrap()
    }

    struct World {
        marks: Memory,
        proofs: Proofs,
    }

    impl World {
        fn with(marks: Memory) -> Self {
            World {
                marks,
                proofs: Proofs::new(Nonces::new(&[7; 32]), NOW),
            }
        }

        async fn of(&self, user: &str, signer: u8, id: u64, now_s: u64) -> &'static str {
            let of = Of {
                user,
                key: &key(signer),
                most: 10,
            };
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&id.to_be_bytes());
            let proof = Proof {
                id: bytes,
                until_s: now_s + 61,
            };
            match self.proofs.using(&self.marks, &of, &proof, now_s).await {
                Ok(()) => "fresh",
                Err(UsedError::Before) => "before",
                Err(UsedError::Many) => "many",
                Err(UsedError::State(_)) => "state",
            }
        }
    }

    #[tokio::test]
    async fn n7_4_a_proof_is_good_once_for_its_key() {
        let world = World::with(Memory::default());
        assert_eq!(world.of("alice", 1, 1, NOW).await, "fresh");
        assert_eq!(world.of("alice", 1, 1, NOW).await, "before");
        assert_eq!(world.of("bob", 1, 1, NOW + 1).await, "before");
        assert_eq!(world.of("alice", 1, 2, NOW).await, "fresh");
        // Another key's proof of the same id is another proof.
        assert_eq!(world.of("alice", 2, 1, NOW).await, "fresh");
        assert_eq!(world.of("alice", 1, 1, NOW + 60).await, "before");
        // By then it would be refused for its age, whatever the clock of whoever asks.
        assert_eq!(world.of("alice", 1, 1, NOW + 70).await, "before");
        assert_eq!(world.of("alice", 1, 1, NOW + 71).await, "fresh");
    }

    /// Visitors with a later clock make room; what one with an earlier clock may still bring stays.
    #[tokio::test]
    async fn n7_4_a_proof_is_remembered_for_those_whose_clock_is_late() {
        let world = World::with(Memory::default());
        assert_eq!(world.of("alice", 1, 1, NOW).await, "fresh");
        for id in 0..200 {
            let visitor = format!("visitor {id}");
            assert_eq!(world.of(&visitor, 2, id, NOW + 61).await, "fresh");
        }
        assert_eq!(world.of("alice", 1, 1, NOW + 60).await, "before");
    }

    #[tokio::test]
    async fn n7_4_a_user_with_too_many_proofs_is_refused_and_no_proof_is_forgotten() {
        let world = World::with(Memory::default());
        for id in 0..10 {
            assert_eq!(world.of("alice", 1, id, NOW).await, "fresh", "{id}");
        }
        assert_eq!(world.of("alice", 1, 10, NOW).await, "many");
        assert_eq!(world.of("alice", 1, 10, NOW + 70).await, "many");
        assert_eq!(world.of("bob", 2, 0, NOW).await, "fresh");
        assert_eq!(world.of("alice", 1, 10, NOW + 71).await, "fresh");
        // What was refused before was not counted.
        for id in 11..20 {
            assert_eq!(world.of("alice", 1, id, NOW + 71).await, "fresh", "{id}");
        }
        assert_eq!(world.of("alice", 1, 20, NOW + 71).await, "many");
        assert_eq!(world.of("alice", 1, 10, NOW + 71).await, "many");
    }

    #[tokio::test]
    async fn n7_4_a_steady_user_is_counted_exactly() {
        let world = World::with(Memory::default());
        // One proof every eight seconds, remembered for 71: nine or ten at a time, for ever.
        for turn in 0..100 {
            let answer = world.of("alice", 1, turn, NOW + 8 * turn).await;
            assert_eq!(answer, "fresh", "{turn}");
        }
    }

    #[tokio::test]
    async fn n7_4_users_without_proofs_do_not_pile_up() {
        let world = World::with(Memory::default());
        for turn in 0..10_000u64 {
            assert_eq!(
                world.of(&turn.to_string(), 1, turn, NOW + turn).await,
                "fresh"
            );
        }
        let shards = world.proofs.users.shards.iter();
        let kept: usize = shards.map(|shard| lock(shard).by_user.len()).sum();
        assert!(kept <= 16 * 2 * Users::FEW, "{kept}");
    }

    #[tokio::test]
    async fn n7_4_where_a_proof_cannot_be_remembered_it_is_not_accepted() {
        let world = World::with(Memory::with_room_for(2));
        assert_eq!(world.of("alice", 1, 1, NOW).await, "fresh");
        assert_eq!(world.of("alice", 1, 2, NOW).await, "fresh");
        assert_eq!(world.of("alice", 1, 3, NOW).await, "state");
        // Neither of those that were remembered made room for it.
        assert_eq!(world.of("alice", 1, 1, NOW).await, "before");
        assert_eq!(world.of("alice", 1, 2, NOW).await, "before");
        assert_eq!(world.of("alice", 1, 3, NOW + 71).await, "fresh");
    }

    #[tokio::test]
    async fn n7_4_of_many_who_bring_one_proof_at_once_one_is_the_first() {
        let world = std::sync::Arc::new(World::with(Memory::default()));
        let tasks = (0..8).map(|_| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move { world.of("alice", 1, 1, NOW).await })
        });
        let mut fresh = 0;
        for task in tasks.collect::<Vec<_>>() {
            fresh += usize::from(task.await.unwrap() == "fresh");
        }
        assert_eq!(fresh, 1);
    }
}
