//! Sealed handles: what a client is given to bring back, such as a cursor, the state of a retry or
//! the id of a task, encrypted and bound to whom and what it was made for (rules R2 and R5).
//!
//! A handle is no proof of who somebody is: it is opened only under the user that the token of this
//! very message names, and only for the route and the matter it was sealed for. This module seals
//! and opens; it never looks at what is inside, and never says why a handle is not one of ours.

use crate::small::hex;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Length of the root key, and of the key of a handle.
const KEY: usize = 32;
/// Random bytes of a handle: the key and the nonce of the handle follow from them.
const SALT: usize = 24;
/// The tag that AES-GCM appends.
const TAG: usize = 16;
/// The moment a handle expires, in front of what it holds.
const EXPIRY: usize = 8;
/// The first byte of every handle. Another format gets another one.
const VERSION: u8 = 1;
/// What the keys of handles are for: never the same bytes as for anything else of this root key.
const DERIVED_FOR: &[u8] = b"ringwall handle 1";
/// Everything of a handle but what it holds.
const OVERHEAD: usize = 1 + SALT + EXPIRY + TAG;

/// The key that seals handles and opens them again.
///
/// AES-256-GCM breaks if two texts are ever sealed with the same key and nonce, and with random
/// nonces of 96 bits that becomes likely enough to matter after 2^32 texts: a busy gateway gets there
/// in weeks, and the key is kept for years. So the root key seals nothing. Each handle has 192 random
/// bits of its own, and key and nonce follow from them (HKDF-SHA-256): handles would have to be made
/// in numbers near 2^80 before two were likely to share both. Only approved algorithms take part.
pub struct Seal {
    root: Prk,
}

/// What a handle is for. One kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Where a list goes on.
    Cursor,
    /// What a retry brings back: `requestState`.
    State,
    /// The id of a task.
    Task,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Purpose::Cursor => 1,
            Purpose::State => 2,
            Purpose::Task => 3,
        }
    }
}

/// What a handle is bound to. It opens for these very values and for no others.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// The verified user.
    pub user: &'a str,
    /// The client that the token names; none is not the same as one without a name.
    pub client: Option<&'a str>,
    /// The route.
    pub route: &'a str,
    /// Whatever else: the method, the tool, the digest of the arguments. Order and borders count.
    pub about: &'a [&'a [u8]],
}

impl Bound<'_> {
    /// The associated data. Every part has its length in front, and only the last are a list, so
    /// that no two bounds are written alike.
    fn written(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.purpose.byte()];
        part(self.user.as_bytes(), &mut out);
        out.push(u8::from(self.client.is_some()));
        part(self.client.unwrap_or_default().as_bytes(), &mut out);
        part(self.route.as_bytes(), &mut out);
        for about in self.about {
            part(about, &mut out);
        }
        out
    }
}

fn part(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Why nothing can be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The system gave no random bits, or the cipher refused; both mean that nothing is safe.
    #[error("the system gave no random bits")]
    Entropy,
    /// Others can read the key, or write it.
    #[error(
        "the key `{path}` can be reached by others (mode {mode:o}): `chmod 600` it, or remove it to get a new one"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A file operation failed.
    #[error("cannot {action} the key `{path}`: {source}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What should be sealed is too long.
    #[error("a handle holds {max} bytes at most, not {0}", max = Seal::PAYLOAD_MAX)]
    Long(usize),
    /// The file is no key.
    #[error("`{path}` is no key for handles, which has 32 bytes: remove it to get a new one")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Why a handle does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Ours, made for this very caller and matter, but too long ago.
    #[error("the handle has expired: begin again")]
    Expired,
    /// Not ours, changed, or made for another user, client, route or matter. Nobody can tell which.
    #[error("the handle was not made for this: begin again")]
    Foreign,
    /// Not even shaped like one of ours.
    #[error("the handle is malformed: send it back exactly as it came")]
    Malformed,
}

impl Seal {
    /// The most that a handle holds, in bytes.
    pub const PAYLOAD_MAX: usize = 64 * 1024;

    /// The longest handle, in characters.
    pub const TEXT_MAX: usize = (Seal::PAYLOAD_MAX + OVERHEAD).div_ceil(3) * 4;

    /// Reads the key at `path`, or makes one there that only its owner can reach.
    pub fn load_or_create(path: &Path) -> Result<Seal, SealError> {
        match load(path) {
            Err(SealError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                create(path)
            }
            other => other,
        }
    }

    /// A key that lives no longer than the process: what it sealed nobody can open afterwards.
    pub fn ephemeral() -> Result<Seal, SealError> {
        Ok(Seal::new(&*random()?))
    }

    fn new(key: &[u8; KEY]) -> Seal {
        Seal {
            root: Prk::new_less_safe(HKDF_SHA256, key),
        }
    }

    /// Seals `payload` for this bound, until this moment.
    pub fn seal(
        &self,
        bound: &Bound<'_>,
        expires_ms: u64,
        payload: &[u8],
    ) -> Result<String, SealError> {
        if payload.len() > Seal::PAYLOAD_MAX {
            return Err(SealError::Long(payload.len()));
        }
        let salt: [u8; SALT] = *random()?;
        let (key, nonce) = self.derived(&salt).ok_or(SealError::Entropy)?;
        let mut sealed = Vec::with_capacity(payload.len() + OVERHEAD);
        sealed.extend_from_slice(&expires_ms.to_be_bytes());
        sealed.extend_from_slice(payload);
        key.seal_in_place_append_tag(nonce, Aad::from(bound.written()), &mut sealed)
            .map_err(|_unspecified| SealError::Entropy)?;
        let mut handle = Vec::with_capacity(sealed.len() + 1 + SALT);
        handle.push(VERSION);
        handle.extend_from_slice(&salt);
        handle.extend_from_slice(&sealed);
        Ok(URL_SAFE_NO_PAD.encode(handle))
    }

    /// What was sealed, if it was sealed here, for this bound, and has not expired.
    pub fn open(&self, bound: &Bound<'_>, now_ms: u64, text: &str) -> Result<Vec<u8>, OpenError> {
        if text.len() > Seal::TEXT_MAX {
            return Err(OpenError::Malformed);
        }
        let handle = URL_SAFE_NO_PAD.decode(text).ok();
        let handle = handle.filter(|handle| handle.len() >= OVERHEAD);
        let handle = handle.ok_or(OpenError::Malformed)?;
        let (salt, mut sealed) = match handle.split_first() {
            Some((&VERSION, rest)) => rest
                .split_first_chunk::<SALT>()
                .map(|(salt, sealed)| (*salt, sealed.to_vec()))
                .ok_or(OpenError::Malformed)?,
            _ => return Err(OpenError::Malformed),
        };
        let (key, nonce) = self.derived(&salt).ok_or(OpenError::Foreign)?;
        let opened = key
            .open_in_place(nonce, Aad::from(bound.written()), &mut sealed)
            .map_err(|_unspecified| OpenError::Foreign)?;
        // Only now, with the tag verified, is there anything to believe.
        let (expires, payload) = opened
            .split_first_chunk::<EXPIRY>()
            .ok_or(OpenError::Malformed)?;
        match now_ms < u64::from_be_bytes(*expires) {
            true => Ok(payload.to_vec()),
            false => Err(OpenError::Expired),
        }
    }

    /// The key and nonce that belong to these random bytes.
    fn derived(&self, salt: &[u8; SALT]) -> Option<(LessSafeKey, Nonce)> {
        let info = [DERIVED_FOR, salt.as_slice()];
        let mut bytes = Zeroizing::new([0u8; KEY + NONCE_LEN]);
        let expanded = self.root.expand(&info, Length(bytes.len())).ok()?;
        expanded.fill(bytes.as_mut_slice()).ok()?;
        let (key, nonce) = bytes.split_first_chunk::<KEY>()?;
        let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        Some((LessSafeKey::new(key), nonce))
    }
}

/// Says nothing of the key.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

/// How many bytes are derived.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, SealError> {
    let mut bytes = Zeroizing::new([0u8; N]);
    SystemRandom::new()
        .fill(bytes.as_mut_slice())
        .map_err(|_unspecified| SealError::Entropy)?;
    Ok(bytes)
}

fn load(path: &Path) -> Result<Seal, SealError> {
    let failed = |source| io_error("read", path, source);
    let file = File::open(path).map_err(failed)?;
    // The open file is judged, not the name, so that nobody can swap it in between.
    refuse_exposed(path, &file.metadata().map_err(failed)?)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY + 1));
    // One byte more than a key has, so that a longer file is seen to be one.
    file.take(KEY as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let key: Option<&[u8; KEY]> = bytes.as_slice().try_into().ok();
    let malformed = || SealError::Malformed {
        path: path.to_owned(),
    };
    key.map(Seal::new).ok_or_else(malformed)
}

/// Makes a key where there is none. Several gateways may start at once on one data folder, so the
/// key appears whole or not at all, and whoever comes second takes the one that is there.
fn create(path: &Path) -> Result<Seal, SealError> {
    let failed = |source| io_error("create", path, source);
    if let Some(parent) = path.parent() {
        private_folder(parent).map_err(failed)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", hex(random::<8>()?.as_slice())));
    let draft = PathBuf::from(draft);
    let key = random::<KEY>()?;
    // A link never replaces a file, whoever made it.
    let made = write_new(&draft, key.as_slice()).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match made {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(failed(source)),
        _ => {
            removed.map_err(failed)?;
            load(path)
        }
    }
}

/// A new file that only its owner can reach.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The folder, made for its owner alone if it is not there.
fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> SealError {
    SealError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), SealError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    if mode & 0o077 == 0 && metadata.is_file() {
        return Ok(());
    }
    Err(SealError::Exposed {
        path: path.to_owned(),
        mode,
    })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), SealError> {
    Ok(())
}

#[cfg(test)]
mod tests;
