//! Session ids. An id is 256 random bits and nothing else: it names a session, it says nothing
//! about it, and it never authenticates anybody.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The system gave no random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bits")]
pub struct EntropyError;

/// A new session id: 43 visible ASCII characters that spell 256 bits nobody can guess.
pub fn session_id() -> Result<String, EntropyError> {
    Ok(crate::base64url::encode(&bits()?))
}

/// 256 bits nobody can guess.
pub fn bits() -> Result<[u8; 32], EntropyError> {
    let mut bits = [0u8; 32];
    SystemRandom::new()
        .fill(&mut bits)
        .map_err(|_unspecified| EntropyError)?;
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const IDS: usize = 100_000;

    #[test]
    fn m4_session_ids_are_visible_ascii_of_256_bits() {
        let id = session_id().unwrap();
        assert_eq!(id.len(), 43);
        assert!(id.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(crate::base64url::decode(&id).unwrap().len(), 32);
    }

    /// The bounds are those a fair source misses less than once in a billion runs.
    #[test]
    fn m4_session_ids_do_not_repeat_and_look_random() {
        let mut seen = HashSet::with_capacity(IDS);
        let mut bits = [0u64; 256];
        let mut bytes = [0u64; 256];
        let mut unlike_the_one_before = 0u64;
        let mut previous = [0u8; 32];
        for _ in 0..IDS {
            let id: [u8; 32] = crate::base64url::decode(&session_id().unwrap())
                .unwrap()
                .try_into()
                .unwrap();
            for (index, byte) in id.iter().enumerate() {
                bytes[usize::from(*byte)] += 1;
                unlike_the_one_before += u64::from((byte ^ previous[index]).count_ones());
                for bit in 0..8 {
                    bits[index * 8 + bit] += u64::from(byte >> bit & 1);
                }
            }
            assert!(seen.insert(id), "an id came twice");
            previous = id;
        }

        // Each bit is set in half of the ids: 7 standard deviations of a binomial.
        let half = IDS as f64 / 2.0;
        let deviation = (IDS as f64 / 4.0).sqrt();
        for (index, set) in bits.iter().enumerate() {
            let off = (*set as f64 - half).abs() / deviation;
            assert!(off < 7.0, "bit {index} is set {set} times in {IDS}");
        }

        // No bit follows from the id before: the same, over all bits of all ids.
        let flips = IDS as f64 * 256.0;
        let off = (unlike_the_one_before as f64 - flips / 2.0).abs() / (flips / 4.0).sqrt();
        assert!(off < 7.0, "{unlike_the_one_before} flips of {flips}");

        // Every byte value is as frequent as any other: chi-square with 255 degrees of freedom.
        let expected = IDS as f64 * 32.0 / 256.0;
        let chi: f64 = bytes
            .iter()
            .map(|count| (*count as f64 - expected).powi(2) / expected)
            .sum();
        assert!((125.0..410.0).contains(&chi), "chi-square {chi}");
    }
}
