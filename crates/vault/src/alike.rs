//! A key that seals the same value in the same way every time, so that what stands for a value can be
//! compared without being opened. It says that two values are the same, and nothing else of them.

use crate::root::{KEY, RootError, random};
use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use std::fmt;
use zeroize::Zeroizing;

/// The tag in front of every sealed value, which is also what encryption begins with.
const TAG: usize = 16;
/// What the two keys follow from: never the same bytes as for anything else.
const DERIVED_FOR: &[u8] = b"ringwall alike 1";

/// Seals and opens, deterministically.
///
/// Encryption with a synthetic initial value, in the composition that RFC 5297 describes for AES-CMAC,
/// with HMAC-SHA-256 in its place: the tag is computed over context and value, and is what the counter
/// of AES-256 starts from. Two different values share a tag with a chance near 2^-128, so nothing is
/// lost by there being no random bits; opening computes the tag anew. Only approved algorithms take
/// part.
pub struct Alike {
    tags: hmac::Key,
    encrypting: EncryptingKey,
    decrypting: DecryptingKey,
}

impl Alike {
    /// What sealing adds to a value, in bytes.
    pub const OVERHEAD: usize = TAG;

    /// Random bits for a key of this kind, to be kept sealed.
    pub fn draw() -> Result<Zeroizing<[u8; KEY]>, RootError> {
        random()
    }

    /// The key that follows from these bits: always the same.
    pub fn new(bits: &[u8; KEY]) -> Option<Alike> {
        let prk = Prk::new_less_safe(HKDF_SHA256, bits);
        let mut keys = Zeroizing::new([0u8; 2 * KEY]);
        let info = [DERIVED_FOR];
        let expanded = prk.expand(&info, Length(keys.len())).ok()?;
        expanded.fill(keys.as_mut_slice()).ok()?;
        let (tags, cipher) = keys.split_at_checked(KEY)?;
        let unbound = || UnboundCipherKey::new(&AES_256, cipher).ok();
        Some(Alike {
            tags: hmac::Key::new(hmac::HMAC_SHA256, tags),
            encrypting: EncryptingKey::ctr(unbound()?).ok()?,
            decrypting: DecryptingKey::ctr(unbound()?).ok()?,
        })
    }

    /// Seals `plain` for this context: the same bytes for the same two every time.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let tag = self.tag(context, plain);
        let mut sealed = tag.to_vec();
        let mut text = Zeroizing::new(plain.to_vec());
        let start = EncryptionContext::Iv128(FixedLength::from(tag));
        self.encrypting.less_safe_encrypt(&mut text, start).ok()?;
        sealed.extend_from_slice(&text);
        Some(sealed)
    }

    /// What was sealed, if it was sealed by this key for this context.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (tag, text) = sealed.split_first_chunk::<TAG>()?;
        let mut text = Zeroizing::new(text.to_vec());
        let start = DecryptionContext::Iv128(FixedLength::from(*tag));
        self.decrypting.decrypt(&mut text, start).ok()?;
        verify_slices_are_equal(&self.tag(context, &text), tag).ok()?;
        Some(text)
    }

    /// Context and value, the first with its length in front: no two are written alike.
    fn tag(&self, context: &[u8], plain: &[u8]) -> [u8; TAG] {
        let mut signing = hmac::Context::with_key(&self.tags);
        signing.update(&(context.len() as u64).to_be_bytes());
        signing.update(context);
        signing.update(plain);
        let full = signing.sign();
        full.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

/// Says nothing of the key.
impl fmt::Debug for Alike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alike")
    }
}

/// How many bytes are derived.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_is_sealed_alike_and_opens_for_its_context_alone() {
        let (one, other) = (
            Alike::new(&[1; KEY]).unwrap(),
            Alike::new(&[2; KEY]).unwrap(),
        );
        for plain in [&b""[..], b"a", b"anna@corp.test", &[7; 3000]] {
            let sealed = one.seal(b"route", plain).unwrap();
            assert_eq!(sealed.len(), plain.len() + Alike::OVERHEAD);
            assert_eq!(
                Some(&sealed),
                Alike::new(&[1; KEY])
                    .unwrap()
                    .seal(b"route", plain)
                    .as_ref()
            );
            assert_eq!(one.open(b"route", &sealed).unwrap().as_slice(), plain);
            assert_ne!(one.seal(b"other", plain).unwrap(), sealed);
            assert_ne!(other.seal(b"route", plain).unwrap(), sealed);
            assert!(one.open(b"other", &sealed).is_none());
            assert!(other.open(b"route", &sealed).is_none());
            for at in 0..sealed.len().min(40) {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(one.open(b"route", &changed).is_none());
            }
        }
        assert!(one.open(b"route", b"short").is_none());
        assert_eq!(format!("{one:?}"), "Alike");
    }
}
