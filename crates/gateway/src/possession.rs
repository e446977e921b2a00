//! Proofs of possession that were used (RFC 9449, section 11.1), and the nonces of those to come. A proof
//! is good once: its id is remembered until its time is over, and where it cannot be remembered it is
//! not accepted. Nothing that is still good is ever forgotten to make room.

use crate::small::lock;
use crate::state::{Mark, Once, Space, StateError, Volatile};
use identity::possession::Thumbprint;
use identity::possession::dpop::{Nonces, Proof};
use std::collections::HashMap;
use std::mem;
use std::sync::Mutex;

/// What is known of the proofs of everybody.
#[derive(Debug)]
pub struct Proofs {
    nonces: Nonces,
    users: Mutex<Users>,
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
    /// For how long proofs are remembered at most, in seconds.
    pub(crate) window_s: u64,
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
    /// None used so far.
    pub fn new(nonces: Nonces) -> Self {
        Proofs {
            nonces,
            users: Mutex::default(),
        }
    }

    /// Hands out nonces and knows them again.
    pub fn nonces(&self) -> &Nonces {
        &self.nonces
    }

    /// Takes a proof as used. Of all who bring it at once, one is the first.
    pub(crate) async fn using(
        &self,
        marks: &dyn Volatile,
        of: &Of<'_>,
        proof: &Proof,
        now_s: u64,
    ) -> Result<(), UsedError> {
        if lock(&self.users).count(of, now_s) >= of.most {
            return Err(UsedError::Many);
        }
        let mark = Mark::of(&[of.key.as_bytes(), &proof.id]);
        let (until_ms, now_ms) = (ms(proof.until_s), ms(now_s));
        let once = marks.insert_once(Space::Proof, mark, until_ms, now_ms);
        match once.await? {
            Once::Fresh => {
                lock(&self.users).add(of.user);
                Ok(())
            }
            Once::Replayed => Err(UsedError::Before),
        }
    }
}

fn ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1000)
}

/// How many proofs of each user are remembered: those of this window and of the one before, which is
/// never fewer than there are. Users without any are not in here.
#[derive(Debug, Default)]
struct Users {
    since_s: u64,
    now: HashMap<Box<str>, u32>,
    before: HashMap<Box<str>, u32>,
}

impl Users {
    fn count(&mut self, of: &Of<'_>, now_s: u64) -> u32 {
        // A clock that was set back ends no window: what is remembered stays counted.
        let age = now_s.saturating_sub(self.since_s);
        if age >= of.window_s {
            let before = mem::take(&mut self.now);
            let recent = age < of.window_s.saturating_mul(2);
            self.before = if recent { before } else { HashMap::new() };
            self.since_s = now_s;
        }
        let in_window = |window: &HashMap<Box<str>, u32>| window.get(of.user).copied();
        let counts = [in_window(&self.now), in_window(&self.before)];
        counts.into_iter().flatten().sum()
    }

    fn add(&mut self, user: &str) {
        match self.now.get_mut(user) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(self.now.insert(user.into(), 1)),
        }
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
                proofs: Proofs::new(Nonces::new(&[7; 32])),
            }
        }

        async fn of(&self, user: &str, signer: u8, id: u64, now_s: u64) -> &'static str {
            let of = Of {
                user,
                key: &key(signer),
                most: 10,
                window_s: 71,
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
        // By then it would be refused for its age.
        assert_eq!(world.of("alice", 1, 1, NOW + 61).await, "fresh");
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
        // The first window is over, but its proofs may have been made at its end.
        assert_eq!(world.of("alice", 1, 10, NOW + 71).await, "many");
        assert_eq!(world.of("alice", 1, 10, NOW + 142).await, "fresh");
        // What was refused before was not counted.
        for id in 11..20 {
            assert_eq!(world.of("alice", 1, id, NOW + 142).await, "fresh", "{id}");
        }
        assert_eq!(world.of("alice", 1, 20, NOW + 142).await, "many");
        // A clock that goes back forgets nothing.
        assert_eq!(world.of("alice", 1, 20, NOW).await, "many");
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
        assert_eq!(world.of("alice", 1, 3, NOW + 61).await, "fresh");
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
