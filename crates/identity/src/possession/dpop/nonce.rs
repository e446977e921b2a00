//! Nonces for proofs (RFC 9449, section 9): a proof that carries one was made after it was handed
//! out, whatever the client's clock says. A nonce is a step of time and a MAC over it, so nothing is
//! kept of those handed out. The keys of the MACs follow from one secret and change every hour; what
//! follows from it for now is worked out once for all who come within a step.

use crate::{EntropyError, base64url};
use arc_swap::ArcSwapOption;
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the keys are for: never the same bytes as for anything else of the secret.
const DERIVED_FOR: &[u8] = b"ringwall dpop nonce 1";
/// The step in front.
const STEP: usize = 8;
/// How much of the MAC is kept: 128 bits, which nobody guesses.
const MAC: usize = 16;

/// Hands out nonces and knows them again.
pub struct Nonces {
    root: Prk,
    /// What the step of whoever came last needs: our own clock says which, never a nonce that was shown.
    now: ArcSwapOption<Now>,
}

/// What is the same for everybody within one step.
struct Now {
    step: u64,
    nonce: String,
    /// The keys of this hour and of the hour before, which almost every nonce was made with.
    keys: [(u64, hmac::Key); 2],
}

/// Why a nonce is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NonceError {
    /// Not one of ours.
    #[error(
        "the nonce of the proof was not handed out here: use the one that comes with this answer"
    )]
    Foreign,
    /// There is none.
    #[error("the proof has no nonce: use the one that comes with this answer")]
    Missing,
    /// Handed out too long ago.
    #[error("the nonce of the proof has expired: use the one that comes with this answer")]
    Stale,
}

impl Nonces {
    /// How long one nonce is handed out, in seconds. It is the same for everybody: a nonce says when,
    /// not who.
    pub const STEP_S: u64 = 15;
    /// How many steps one key is used for.
    pub const KEY_STEPS: u64 = 240;

    /// Nonces of a secret that lives no longer than the process: those of before are foreign.
    pub fn generate() -> Result<Self, EntropyError> {
        let mut secret = Zeroizing::new([0u8; 32]);
        SystemRandom::new()
            .fill(secret.as_mut_slice())
            .map_err(|_unspecified| EntropyError)?;
        Ok(Nonces::new(&secret))
    }

    /// Nonces of this secret. Gateways that share it accept each other's.
    pub fn new(secret: &[u8; 32]) -> Self {
        Nonces {
            root: Prk::new_less_safe(HKDF_SHA256, secret),
            now: ArcSwapOption::empty(),
        }
    }

    /// The nonce of now, in unix seconds: 32 characters that a header may carry.
    pub fn at(&self, now: u64) -> Option<String> {
        Some(self.now(now)?.nonce.clone())
    }

    /// That this nonce was handed out here, no longer than `age_s` seconds before now.
    pub fn check(&self, nonce: &str, now: u64, age_s: u64) -> Result<(), NonceError> {
        let bytes = base64url::decode(nonce).filter(|bytes| bytes.len() == STEP + MAC);
        let bytes = bytes.ok_or(NonceError::Foreign)?;
        let (step, tag) = bytes
            .split_first_chunk::<STEP>()
            .ok_or(NonceError::Foreign)?;
        let step = u64::from_be_bytes(*step);
        let expected = self.shown(step, now).ok_or(NonceError::Foreign)?;
        let expected = expected.as_ref().get(..MAC).ok_or(NonceError::Foreign)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(expected, tag)
            .map_err(|_unspecified| NonceError::Foreign)?;
        // Our own clock may have been set back since: what is not past yet is not stale.
        let age = now.saturating_sub(step.saturating_mul(Self::STEP_S));
        match age <= age_s {
            true => Ok(()),
            false => Err(NonceError::Stale),
        }
    }

    /// The MAC over a step that somebody shows at this moment.
    fn shown(&self, step: u64, now: u64) -> Option<hmac::Tag> {
        let hour = step / Self::KEY_STEPS;
        let known = self.now(now)?;
        let mut known = known.keys.iter();
        match known.find(|(of, _)| *of == hour) {
            Some((_, key)) => Some(over(key, step)),
            None => Some(over(&self.key_of(hour)?, step)),
        }
    }

    /// What is known of the step of this moment, worked out by whoever comes first.
    fn now(&self, now: u64) -> Option<Arc<Now>> {
        let step = now / Self::STEP_S;
        if let Some(known) = &*self.now.load()
            && known.step == step
        {
            return Some(Arc::clone(known));
        }
        let hour = step / Self::KEY_STEPS;
        let before = hour.saturating_sub(1);
        let keys = [(hour, self.key_of(hour)?), (before, self.key_of(before)?)];
        let [(_, key), _] = &keys;
        let tag = over(key, step);
        let kept = tag.as_ref().get(..MAC)?;
        let nonce = base64url::encode(&[&step.to_be_bytes(), kept].concat());
        let known = Arc::new(Now { step, nonce, keys });
        self.now.store(Some(Arc::clone(&known)));
        Some(known)
    }

    /// The key of this hour.
    fn key_of(&self, hour: u64) -> Option<hmac::Key> {
        let hour = hour.to_be_bytes();
        let info = [DERIVED_FOR, hour.as_slice()];
        let expanded = self.root.expand(&info, hmac::HMAC_SHA256).ok()?;
        Some(hmac::Key::from(expanded))
    }
}

fn over(key: &hmac::Key, step: u64) -> hmac::Tag {
    hmac::sign(key, &step.to_be_bytes())
}

/// Says nothing of the secret.
impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const AGE: u64 = 300;

    #[test]
    fn n7_4_a_nonce_is_good_for_a_while_and_then_stale() {
        let nonces = Nonces::new(&[7; 32]);
        let nonce = nonces.at(NOW).unwrap();
        assert_eq!(nonce.len(), 32);
        let check = |now: u64, expected: Result<(), NonceError>| {
            assert_eq!(nonces.check(&nonce, now, AGE), expected, "{now}");
        };
        check(NOW, Ok(()));
        check(NOW + 1, Ok(()));
        check(NOW + AGE, Ok(()));
        check(NOW + AGE + Nonces::STEP_S, Err(NonceError::Stale));
        check(NOW + 100_000, Err(NonceError::Stale));
        check(NOW - 10, Ok(()));
        assert_eq!(nonces.check(&nonce, NOW, 0), Ok(()));
    }

    #[test]
    fn n7_4_nonces_change_with_time_and_their_keys_with_the_hour() {
        let nonces = Nonces::new(&[7; 32]);
        let hour = Nonces::STEP_S * Nonces::KEY_STEPS;
        let first = nonces.at(NOW).unwrap();
        assert_eq!(nonces.at(NOW + 1).unwrap(), first);
        assert_ne!(nonces.at(NOW + Nonces::STEP_S).unwrap(), first);
        let later = nonces.at(NOW + hour).unwrap();
        assert_ne!(later.get(11..), first.get(11..));
        // A nonce of the hour before is still known while it is not stale.
        assert_eq!(nonces.check(&first, NOW + hour, hour + 15), Ok(()));
    }

    /// Whoever comes with whatever clock, and whoever came before: a nonce depends on its step alone.
    #[test]
    fn n7_4_what_is_kept_of_one_moment_changes_nothing_at_another() {
        let nonces = Nonces::new(&[7; 32]);
        let hour = Nonces::STEP_S * Nonces::KEY_STEPS;
        let border = NOW - NOW % hour;
        let moments = [
            border - 1,
            border,
            border + 1,
            border + hour,
            border - hour,
            0,
        ];
        for now in moments.into_iter().chain(moments) {
            let alone = Nonces::new(&[7; 32]).at(now);
            assert_eq!(nonces.at(now), alone, "{now}");
            for then in moments {
                let nonce = Nonces::new(&[7; 32]).at(then).unwrap();
                let expected = match now.saturating_sub(then - then % Nonces::STEP_S) {
                    0..=AGE => Ok(()),
                    _ => Err(NonceError::Stale),
                };
                assert_eq!(nonces.check(&nonce, now, AGE), expected, "{then} at {now}");
            }
        }
    }

    #[test]
    fn n7_4_a_nonce_that_was_not_handed_out_is_foreign() {
        let nonces = Nonces::new(&[7; 32]);
        let nonce = nonces.at(NOW).unwrap();
        let check = |nonce: &str| {
            let found = nonces.check(nonce, NOW, AGE);
            assert_eq!(found, Err(NonceError::Foreign), "{nonce}");
        };
        for at in 0..nonce.len() {
            let mut other = nonce.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            check(&String::from_utf8(other).unwrap());
        }
        for other in [
            "",
            "A",
            "eyJ7S_zbuUC6lU8VFT4",
            "\u{e9}",
            nonce.get(1..).unwrap(),
            &format!("{nonce}A"),
        ] {
            check(other);
        }
        check(&Nonces::new(&[8; 32]).at(NOW).unwrap());
        check(&Nonces::generate().unwrap().at(NOW).unwrap());
        check(&"A".repeat(1_000_000));
    }
}
