//! Proofs of possession that were used (RFC 9449, section 11.1), and the nonces of those to come. A proof
//! is good once: its id is remembered until its time is over, and where it cannot be remembered it is
//! not accepted. Nothing that is still good is ever forgotten to make room.

use crate::state::{Mark, Once, Space, StateError, Volatile};
use crate::tally::Tally;
use identity::possession::Thumbprint;
use identity::possession::dpop::{Nonces, Proof};

/// What is known of the proofs of everybody.
#[derive(Debug)]
pub struct Proofs {
    nonces: Nonces,
    /// Of whom how many are remembered: for calls, and for tokens of the gateway's own.
    for_calls: Tally,
    for_tokens: Tally,
    since_s: u64,
}

/// Whose proof it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    /// What it came for.
    pub(crate) purpose: Purpose,
    /// The verified user.
    pub(crate) user: &'a str,
    /// The key that signed it: ids are unique to a key.
    pub(crate) key: &'a Thumbprint,
    /// How many proofs of a user are remembered.
    pub(crate) most: u32,
}

/// What a proof comes for. Those of one purpose take no room from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A call.
    Call,
    /// Tokens of the gateway's own authorization server.
    Token,
}

impl Purpose {
    fn space(self) -> Space {
        match self {
            Purpose::Call => Space::Proof,
            Purpose::Token => Space::TokenProof,
        }
    }
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
            for_calls: Tally::default(),
            for_tokens: Tally::default(),
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
        let tally = match of.purpose {
            Purpose::Call => &self.for_calls,
            Purpose::Token => &self.for_tokens,
        };
        if tally.count(of.user, now_s) >= of.most {
            return Err(UsedError::Many);
        }
        let until_s = proof.until_s.saturating_add(Self::MARGIN_S);
        let mark = Mark::of(&[of.key.as_bytes(), &proof.id]);
        let once = marks.insert_once(of.purpose.space(), mark, ms(until_s), ms(now_s));
        match once.await? {
            Once::Fresh => {
                tally.add(of.user, until_s, now_s);
                Ok(())
            }
            Once::Replayed => Err(UsedError::Before),
        }
    }
}

fn ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1000)
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
                purpose: Purpose::Call,
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
        let kept = world.proofs.for_calls.len();
        assert!(kept <= 16 * 2 * Tally::FEW, "{kept}");
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
