//! Sealed handles: what a client is given to bring back, such as a cursor, the state of a retry or
//! the id of a task, encrypted and bound to whom and what it was made for (rules R2 and R5).
//!
//! A handle is no proof of who somebody is: it is opened only under the user that the token of this
//! very message names, and only for the route and the matter it was sealed for. This module seals
//! and opens; it never looks at what is inside, and never says why a handle is not one of ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::path::Path;
use vault::{KeyFileError, Root, RootError};

/// The moment a handle expires, in front of what it holds.
const EXPIRY: usize = 8;
/// The first byte of every handle. Another format gets another one.
const VERSION: u8 = 1;
/// What the keys of handles are for: never the same bytes as for anything else of this root key.
const DERIVED_FOR: &[u8] = b"ringwall handle 1";
/// Marks the purpose of a handle that belongs to the holder of a key.
const HELD: u8 = 0x80;
/// Everything of a handle but what it holds.
const OVERHEAD: usize = 1 + EXPIRY + Root::OVERHEAD;

/// The key that seals handles and opens them again: kept for years, and used for as many handles as a
/// busy gateway makes in them, which is why every handle has a key of its own (see [`Root`]).
pub struct Seal {
    root: Root,
}

/// What a handle is for. One kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Where a list goes on.
    Cursor,
    /// What a browser that signs in is on its way to.
    SignIn,
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
            Purpose::SignIn => 4,
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
    /// Who holds what the token is bound to, if it is bound.
    pub holder: Option<&'a [u8]>,
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
        // Handles of tokens that are bound to nothing are written as they were before there were others.
        if let (Some(holder), Some(purpose)) = (self.holder, out.last_mut()) {
            *purpose |= HELD;
            part(holder, &mut out);
        }
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
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// What should be sealed is too long.
    #[error("a handle holds {max} bytes at most, not {0}", max = Seal::PAYLOAD_MAX)]
    Long(usize),
}

impl From<RootError> for SealError {
    fn from(_: RootError) -> Self {
        SealError::Entropy
    }
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
        let root = Root::load_or_create(path)?;
        Ok(Seal { root })
    }

    /// A key that lives no longer than the process: what it sealed nobody can open afterwards.
    pub fn ephemeral() -> Result<Seal, SealError> {
        let root = Root::ephemeral()?;
        Ok(Seal { root })
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
        let mut text = Vec::with_capacity(EXPIRY + payload.len());
        text.extend_from_slice(&expires_ms.to_be_bytes());
        text.extend_from_slice(payload);
        let sealed = self.root.seal(DERIVED_FOR, &bound.written(), &text)?;
        let mut handle = Vec::with_capacity(1 + sealed.len());
        handle.push(VERSION);
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
        let sealed = handle.strip_prefix(&[VERSION]);
        let sealed = sealed.ok_or(OpenError::Malformed)?;
        let opened = self.root.open(DERIVED_FOR, &bound.written(), sealed);
        let opened = opened.map_err(|_foreign| OpenError::Foreign)?;
        // Only now, with the tag verified, is there anything to believe.
        let (expires, payload) = opened
            .split_first_chunk::<EXPIRY>()
            .ok_or(OpenError::Malformed)?;
        match now_ms < u64::from_be_bytes(*expires) {
            true => Ok(payload.to_vec()),
            false => Err(OpenError::Expired),
        }
    }
}

/// Says nothing of the key.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests;
