//! A root key, from which a key for every single value follows. The root itself encrypts nothing.

use crate::file::{self, KeyFileError};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// Length of a root key, and of the key of a value, in bytes.
pub(crate) const KEY: usize = 32;
/// Random bytes of a value: its key and its nonce follow from them.
const SALT: usize = 24;
/// The tag that AES-GCM appends.
const TAG: usize = 16;

/// A key that seals values and opens them again.
///
/// AES-256-GCM breaks if two texts are ever sealed with the same key and nonce, and with random
/// nonces of 96 bits that becomes likely enough to matter after 2^32 texts: a busy gateway gets there
/// in weeks, and a key is kept for years. So the root key seals nothing. Each value has 192 random
/// bits of its own, and key and nonce follow from them (HKDF-SHA-256, RFC 5869): values would have to
/// be made in numbers near 2^80 before two were likely to share both. Only approved algorithms take
/// part.
pub struct Root {
    prk: Prk,
}

/// Why a root key seals or opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// The system gave no random bits, or the cipher refused; both mean that nothing is safe.
    #[error("the system gave no random bits")]
    Entropy,
    /// Not sealed with this key, for this use and these associated bytes, or changed since. Nobody
    /// can tell which.
    #[error("it was not sealed for this")]
    Foreign,
}

impl Root {
    /// What sealing adds to a text, in bytes.
    pub const OVERHEAD: usize = SALT + TAG;

    /// Reads the key in the file at `path`, or makes one there that only its owner can reach.
    pub fn load_or_create(path: &Path) -> Result<Root, KeyFileError> {
        Ok(Root::new(&*file::load_or_create(path)?))
    }

    /// A key that lives no longer than the process: what it sealed nobody can open afterwards.
    pub fn ephemeral() -> Result<Root, RootError> {
        Ok(Root::new(&*random()?))
    }

    pub(crate) fn new(key: &[u8; KEY]) -> Root {
        Root {
            prk: Prk::new_less_safe(HKDF_SHA256, key),
        }
    }

    /// Seals `plain` for this use, bound to the associated bytes.
    pub fn seal(
        &self,
        used_for: &[u8],
        associated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, RootError> {
        let salt: [u8; SALT] = *random()?;
        let (key, nonce) = self.derived(used_for, &salt).ok_or(RootError::Entropy)?;
        let mut sealed = Vec::with_capacity(plain.len() + Root::OVERHEAD);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(plain);
        let Some((_, text)) = sealed.split_first_chunk_mut::<SALT>() else {
            return Err(RootError::Entropy);
        };
        let tag = key
            .seal_in_place_separate_tag(nonce, Aad::from(associated), text)
            .map_err(|_unspecified| RootError::Entropy)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What was sealed, if it was sealed by this key for this use and these associated bytes.
    pub fn open(
        &self,
        used_for: &[u8],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RootError> {
        let (salt, text) = sealed
            .split_first_chunk::<SALT>()
            .ok_or(RootError::Foreign)?;
        let (key, nonce) = self.derived(used_for, salt).ok_or(RootError::Foreign)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = key
            .open_in_place(nonce, Aad::from(associated), &mut text)
            .map_err(|_unspecified| RootError::Foreign)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// Bytes that tell this key from others and nothing else about it.
    pub(crate) fn fingerprint<const N: usize>(&self, used_for: &[u8]) -> Option<[u8; N]> {
        let info = [used_for];
        let mut bytes = [0u8; N];
        let expanded = self.prk.expand(&info, Length(N)).ok()?;
        expanded.fill(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The key and nonce that belong to these random bytes.
    fn derived(&self, used_for: &[u8], salt: &[u8; SALT]) -> Option<(LessSafeKey, Nonce)> {
        let info = [used_for, salt.as_slice()];
        let mut bytes = Zeroizing::new([0u8; KEY + NONCE_LEN]);
        let expanded = self.prk.expand(&info, Length(bytes.len())).ok()?;
        expanded.fill(bytes.as_mut_slice()).ok()?;
        let (key, nonce) = bytes.split_first_chunk::<KEY>()?;
        let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        Some((LessSafeKey::new(key), nonce))
    }
}

/// Says nothing of the key.
impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Root")
    }
}

/// How many bytes are derived.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, RootError> {
    let mut bytes = Zeroizing::new([0u8; N]);
    SystemRandom::new()
        .fill(bytes.as_mut_slice())
        .map_err(|_unspecified| RootError::Entropy)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_values_follow_from_root_use_and_salt_together() {
        let (one, other) = (Root::new(&[1; KEY]), Root::new(&[2; KEY]));
        let sealed = |root: &Root, used_for: &[u8], salt: &[u8; SALT]| {
            let (key, nonce) = root.derived(used_for, salt).unwrap();
            let mut text = b"words".to_vec();
            key.seal_in_place_append_tag(nonce, Aad::empty(), &mut text)
                .unwrap();
            text
        };
        let first = sealed(&one, b"use", &[0; SALT]);
        assert_eq!(first, sealed(&one, b"use", &[0; SALT]));
        assert_ne!(first, sealed(&one, b"use", &[1; SALT]));
        assert_ne!(first, sealed(&one, b"other", &[0; SALT]));
        assert_ne!(first, sealed(&other, b"use", &[0; SALT]));
    }

    #[test]
    fn what_a_root_key_seals_it_opens_for_that_use_and_those_bytes() {
        let (one, other) = (Root::new(&[1; KEY]), Root::new(&[2; KEY]));
        let sealed = one.seal(b"use", b"with", b"words").unwrap();
        assert_eq!(sealed.len(), 5 + Root::OVERHEAD);
        assert_eq!(
            one.open(b"use", b"with", &sealed).unwrap().as_slice(),
            b"words"
        );
        let cases: [(&Root, &[u8], &[u8]); 3] = [
            (&other, b"use", b"with"),
            (&one, b"uses", b"with"),
            (&one, b"use", b"without"),
        ];
        for (root, used_for, associated) in cases {
            let refused = root.open(used_for, associated, &sealed);
            assert_eq!(refused, Err(RootError::Foreign));
        }
        assert_eq!(format!("{one:?}"), "Root");
    }
}
