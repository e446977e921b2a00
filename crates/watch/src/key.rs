//! What a limit counts: a dimension, and one thing in it under a 128-bit hash.
//!
//! Names never enter the tables: a hash is small, and a table of hashes tells nobody who called.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

/// Along what a limit counts. Each dimension has a table of its own, so that a flood of keys in
/// one (sources, say) cannot crowd out another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// One resource or prompt.
    Resource,
    /// One session.
    Session,
    /// One source address or network.
    Source,
    /// One tool.
    Tool,
    /// One user.
    User,
}

impl Dimension {
    /// Every dimension, in order.
    pub const ALL: [Dimension; 5] = [
        Dimension::Resource,
        Dimension::Session,
        Dimension::Source,
        Dimension::Tool,
        Dimension::User,
    ];

    pub(crate) fn row(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dimension::Resource => "resource",
            Dimension::Session => "session",
            Dimension::Source => "source",
            Dimension::Tool => "tool",
            Dimension::User => "user",
        })
    }
}

/// One thing of a dimension, hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(u64, u64);

impl KeyHash {
    /// A hash made elsewhere, such as a truncated SHA-256 shared by replicas. Its bits may be
    /// chosen by an attacker: the tables hash it once more, under a secret.
    pub fn from_u128(hash: u128) -> Self {
        let [high, low] = [hash >> 64, hash & u128::from(u64::MAX)];
        // INVARIANT: both halves fit, they were cut to 64 bits.
        KeyHash(
            u64::try_from(high).unwrap_or(u64::MAX),
            u64::try_from(low).unwrap_or(u64::MAX),
        )
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0, self.1)
    }
}

/// Hashes names into keys under two secrets of this process, so that nobody outside can choose
/// two names that share a key.
#[derive(Clone, Debug, Default)]
pub struct Keyer {
    high: RandomState,
    low: RandomState,
}

impl Keyer {
    /// A keyer with fresh secrets. Keys of different keyers have nothing in common.
    pub fn new() -> Self {
        Keyer::default()
    }

    /// The key of a thing. Put everything that makes it unique into it: `(issuer, user)`, not `user`.
    pub fn key(&self, thing: impl Hash) -> KeyHash {
        KeyHash(self.high.hash_one(&thing), self.low.hash_one(&thing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_thing_and_by_boundary() {
        let keyer = Keyer::new();
        assert_eq!(keyer.key(("corp", "alice")), keyer.key(("corp", "alice")));
        assert_ne!(keyer.key(("corp", "alice")), keyer.key(("cor", "palice")));
        assert_ne!(keyer.key("a"), Keyer::new().key("a"));
    }

    #[test]
    fn dimensions_stand_in_their_own_row() {
        for (row, dimension) in Dimension::ALL.into_iter().enumerate() {
            assert_eq!(dimension.row(), row);
        }
    }

    #[test]
    fn foreign_hashes_keep_all_their_bits() {
        let hash = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128;
        assert_eq!(
            format!("{:?}", KeyHash::from_u128(hash)),
            "00112233445566778899aabbccddeeff"
        );
        assert_ne!(KeyHash::from_u128(1), KeyHash::from_u128(1 << 64));
    }
}
