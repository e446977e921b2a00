//! Who keeps the master key: the seam that a hardware module or a cloud's key service fits into, and
//! the first that does, a file. A provider wraps and unwraps data keys; it never gives its own away.

use crate::file::KeyFileError;
use crate::root::{KEY, Root, RootError, random};
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// What the file's key is used for: never the same bytes as for anything else.
const WRAPS: &[u8] = b"ringwall vault wrap 1";
/// What its name follows from.
const NAMES: &[u8] = b"ringwall vault name 1";

/// Keeps a master key and wraps data keys with it.
///
/// It may block: see the crate's own words. A master key has a name, so that a provider that holds
/// several generations knows which of them wrapped a data key, and says [`ProviderError::Unknown`] of
/// one it does not have rather than trying the others.
pub trait KeyProvider: fmt::Debug + Send + Sync {
    /// Wraps a data key with the master key that is current.
    fn wrap(&self, key: &DataKey) -> Result<Wrapped, ProviderError>;

    /// The data key that was wrapped.
    fn unwrap(&self, wrapped: &Wrapped) -> Result<DataKey, ProviderError>;
}

/// The name of a master key: tells it from others, and nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 8]);

/// A key that values are sealed with. Its bytes are for providers, which live in this crate.
pub struct DataKey(Zeroizing<[u8; KEY]>);

/// A data key as its provider wrapped it. No secret: it stands beside what it opens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wrapped {
    /// The master key it was wrapped with.
    pub by: KeyId,
    /// The wrapped bytes, [`Wrapped::BYTES_MAX`] at most.
    pub bytes: Box<[u8]>,
}

/// Why a data key cannot be wrapped or unwrapped.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// There is no randomness.
    #[error("the system gave no random bits")]
    Entropy,
    /// It was not wrapped with this key, or was changed since.
    #[error("the data key was not wrapped by this provider")]
    Foreign,
    /// The provider cannot be asked now.
    #[error("the key provider cannot be reached: {0}")]
    Unavailable(String),
    /// The provider does not have that master key.
    #[error("the master key it was wrapped with is not here: restore it")]
    Unknown,
}

impl DataKey {
    pub(crate) fn random() -> Result<Self, RootError> {
        Ok(DataKey(random()?))
    }

    pub(crate) fn root(&self) -> Root {
        Root::new(&self.0)
    }
}

/// Says nothing of the key.
impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

impl Wrapped {
    /// The longest wrapped key, in bytes: key services make up to some hundred of 32.
    pub const BYTES_MAX: usize = 1024;
}

/// A master key in a file that only its owner can reach.
pub struct KeyFile {
    root: Root,
    id: KeyId,
}

impl KeyFile {
    /// Reads the key at `path`, or makes one there.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        KeyFile::of(Root::load_or_create(path)?).ok_or(KeyFileError::Entropy)
    }

    /// A master key that lives no longer than the process.
    pub fn ephemeral() -> Result<Self, RootError> {
        KeyFile::of(Root::ephemeral()?).ok_or(RootError::Entropy)
    }

    fn of(root: Root) -> Option<Self> {
        let id = KeyId(root.fingerprint(NAMES)?);
        Some(KeyFile { root, id })
    }
}

impl KeyProvider for KeyFile {
    fn wrap(&self, key: &DataKey) -> Result<Wrapped, ProviderError> {
        let bytes = self.root.seal(WRAPS, &self.id.0, key.0.as_slice());
        Ok(Wrapped {
            by: self.id,
            bytes: bytes.map_err(|_| ProviderError::Entropy)?.into(),
        })
    }

    fn unwrap(&self, wrapped: &Wrapped) -> Result<DataKey, ProviderError> {
        if wrapped.by != self.id {
            return Err(ProviderError::Unknown);
        }
        let opened = self.root.open(WRAPS, &self.id.0, &wrapped.bytes);
        let opened = opened.map_err(|_| ProviderError::Foreign)?;
        let key: [u8; KEY] = opened
            .as_slice()
            .try_into()
            .map_err(|_| ProviderError::Foreign)?;
        Ok(DataKey(Zeroizing::new(key)))
    }
}

/// The name of the key, and nothing else of it.
impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({:016x})", u64::from_be_bytes(self.id.0))
    }
}
