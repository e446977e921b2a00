//! The code that registers the passkey: 256 random bits, written so that people can type them. It is good
//! once, for an hour, and for a few tries.

use crate::small::{lock, sha256};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use identity::EntropyError;
use identity::client::{Entropy as _, SystemEntropy};
use std::sync::Mutex;
use zeroize::Zeroizing;

/// The code that is out, if one is.
#[derive(Debug, Default)]
pub(crate) struct Codes(Mutex<Option<Out>>);

#[derive(Debug)]
struct Out {
    digest: [u8; 32],
    until_ms: u64,
    tries: u32,
}

/// What letters are read and written: none that is taken for another one.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many stand together.
const GROUP: usize = 4;

impl Codes {
    /// How long a code is good, in milliseconds.
    pub(crate) const TIME_MS: u64 = 3600 * 1000;
    /// Wrong codes after which none is right any more.
    pub(crate) const TRIES: u32 = 10;
    /// The longest text that is looked at, in bytes.
    const TEXT: usize = 128;

    /// A code, in place of the one before.
    pub(crate) fn renew(&self, now_ms: u64) -> Result<Zeroizing<String>, EntropyError> {
        let bits = Zeroizing::new(SystemEntropy.bits()?);
        let code = written(&bits);
        *lock(&self.0) = Some(Out {
            digest: sha256(plain(&code).as_bytes()),
            until_ms: now_ms.saturating_add(Self::TIME_MS),
            tries: 0,
        });
        Ok(code)
    }

    /// Whether this is the code. A wrong one counts.
    pub(crate) fn is(&self, text: &str, now_ms: u64) -> bool {
        let mut kept = lock(&self.0);
        let Some(out) = kept.as_mut() else {
            return false;
        };
        let digest = match text.len() <= Self::TEXT {
            true => sha256(plain(text).as_bytes()),
            false => [0; 32],
        };
        let is_right = verify_slices_are_equal(&digest, &out.digest).is_ok();
        if is_right && now_ms < out.until_ms {
            return true;
        }
        out.tries += 1;
        if out.tries >= Self::TRIES || now_ms >= out.until_ms {
            *kept = None;
        }
        false
    }

    /// The same, and it is good no more.
    pub(crate) fn take(&self, text: &str, now_ms: u64) -> bool {
        let is_right = self.is(text, now_ms);
        if is_right {
            *lock(&self.0) = None;
        }
        is_right
    }
}

/// Five bits a letter, the first bits first.
fn written(bits: &[u8; 32]) -> Zeroizing<String> {
    let mut code = Zeroizing::new(String::with_capacity(72));
    let (mut held, mut count, mut letters) = (0u32, 0u32, 0usize);
    let letter = |code: &mut String, five: u32, letters: &mut usize| {
        if *letters > 0 && letters.is_multiple_of(GROUP) {
            code.push('-');
        }
        *letters += 1;
        let at = usize::try_from(five & 31).unwrap_or(0);
        code.extend(ALPHABET.get(at).map(|letter| char::from(*letter)));
    };
    for byte in bits {
        held = (held << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            letter(&mut code, held >> count, &mut letters);
        }
        held &= (1 << count) - 1;
    }
    if count > 0 {
        letter(&mut code, held << (5 - count), &mut letters);
    }
    code
}

/// As it is compared: people type small letters, leave out what stands between, and take some letters for
/// digits.
fn plain(text: &str) -> Zeroizing<String> {
    let letters = text.chars().filter_map(|letter| {
        Some(match letter.to_ascii_uppercase() {
            ' ' | '-' => return None,
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
    });
    Zeroizing::new(letters.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n2_4_a_code_is_good_once_for_an_hour_and_a_few_tries() {
        let codes = Codes::default();
        assert!(!codes.is("", 0) && !codes.is("0000", 0));
        let code = codes.renew(0).unwrap();
        assert_eq!(code.len(), 52 + 12);
        assert!(codes.is(&code, 0) && codes.is(&code, Codes::TIME_MS - 1));
        // However it is typed.
        let typed = code.replace('-', " ").to_lowercase();
        assert!(codes.is(&typed.replace('0', "o").replace('1', "l"), 0));
        assert!(codes.take(&code, 1) && !codes.is(&code, 1));
        // Too late.
        let code = codes.renew(0).unwrap();
        assert!(!codes.is(&code, Codes::TIME_MS) && !codes.is(&code, 0));
        // Too often wrong.
        let code = codes.renew(0).unwrap();
        for wrong in 1..Codes::TRIES {
            assert!(!codes.is(&format!("{}{wrong}", &*code), 0));
        }
        assert!(codes.is(&code, 0));
        assert!(!codes.is(&"0".repeat(200), 0) && !codes.is(&code, 0));
        // Another one takes its place.
        let (first, second) = (codes.renew(0).unwrap(), codes.renew(0).unwrap());
        assert!(!codes.is(&first, 0) && codes.is(&second, 0));
        assert!(!format!("{codes:?}").contains(second.get(..4).unwrap()));
    }

    #[test]
    fn a_code_has_every_bit_in_it() {
        assert_eq!(written(&[0; 32]).replace(['-', '0'], ""), "");
        let ones = written(&[0xff; 32]);
        assert!(ones.replace(['-', 'Z'], "") == "G", "{}", &*ones);
        let mut last = [0; 32];
        last[31] = 1;
        assert!(written(&last).ends_with("000G"), "{}", &*written(&last));
    }
}
