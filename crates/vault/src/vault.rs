//! The vault: values sealed for a purpose and a context, each with the wrapped key that opens it.
//!
//! The form of a sealed value, in order: the version (one byte), the purpose (one byte), the name of
//! the master key (8 bytes), the length of the wrapped data key (two bytes, big-endian), the wrapped
//! data key, then what [`Root::seal`] makes. Everything in front is authenticated with the context.

use crate::file::KeyFileError;
use crate::provider::{DataKey, KeyFile, KeyId, KeyProvider, ProviderError, Wrapped};
use crate::root::{Root, RootError};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// The first byte of every sealed value. Another form gets another one.
const VERSION: u8 = 1;

/// Data keys that were unwrapped and are remembered. When there are more, all are forgotten and
/// unwrapped again as they are needed.
const REMEMBERED: usize = 256;

/// What a sealed value is for. One kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Calls that wait for somebody's approval.
    Approvals,
    /// What pages ask people, on the way through their browsers.
    Agreements,
    /// The keys that access tokens of ours are signed with.
    AuthorityKeys,
    /// How clients of ours describe themselves.
    Clients,
    /// What people agreed to.
    Consents,
    /// Lines of refresh tokens of ours.
    Families,
    /// The key of tokens that stand for values.
    DataTokens,
    /// The passkey of the account for emergencies.
    Passkeys,
    /// What a user granted upstream: refresh and access tokens.
    Connections,
    /// What Ringwall itself granted.
    Grants,
    /// What clients bring back.
    Handles,
    /// Public keys of issuers: no secret, but whoever could write them could sign tokens.
    KeySets,
    /// Nonces that we give and recognize.
    Nonces,
    /// What Ringwall is known by at authorization servers.
    Registrations,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Purpose::Approvals => 32,
            Purpose::Connections => 1,
            Purpose::Grants => 2,
            Purpose::Handles => 3,
            Purpose::Nonces => 4,
            Purpose::Registrations => 5,
            Purpose::KeySets => 6,
            Purpose::DataTokens => 40,
            Purpose::Agreements => 16,
            Purpose::AuthorityKeys => 17,
            Purpose::Clients => 18,
            Purpose::Consents => 19,
            Purpose::Families => 20,
            Purpose::Passkeys => 21,
        }
    }

    /// What keys for it are derived for.
    fn used_for(self) -> [u8; 18] {
        let mut label = *b"ringwall vault 1 \0";
        if let Some(last) = label.last_mut() {
            *last = self.byte();
        }
        label
    }
}

/// A sealed value. It can lie anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// Why a value cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no randomness.
    #[error("the system gave no random bits")]
    Entropy,
    /// Not sealed here, for this purpose and context, or changed since. Nobody can tell which.
    #[error("the value was not sealed for this")]
    Foreign,
    /// What should be sealed is too long.
    #[error("a sealed value holds {max} bytes at most, not {0}", max = Vault::PLAIN_MAX)]
    Long(usize),
    /// The provider of the master key does not do it.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl From<RootError> for VaultError {
    fn from(error: RootError) -> Self {
        match error {
            RootError::Entropy => VaultError::Entropy,
            RootError::Foreign => VaultError::Foreign,
        }
    }
}

/// Seals values and opens them again.
pub struct Vault {
    provider: Box<dyn KeyProvider>,
    current: Mutex<Option<Arc<Current>>>,
    unwrapped: Mutex<HashMap<Wrapped, Arc<Root>>>,
}

/// The data key that this process seals with.
struct Current {
    root: Arc<Root>,
    wrapped: Wrapped,
}

impl Vault {
    /// The longest value that is sealed, in bytes.
    pub const PLAIN_MAX: usize = 1024 * 1024;

    /// A vault whose master key this provider keeps. The provider is not asked yet.
    pub fn new(provider: Box<dyn KeyProvider>) -> Self {
        Vault {
            provider,
            current: Mutex::default(),
            unwrapped: Mutex::default(),
        }
    }

    /// A vault whose master key lies in the file at `path`, made there if there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        Ok(Vault::new(Box::new(KeyFile::load_or_create(path)?)))
    }

    /// A vault that lives no longer than the process: what it sealed nobody can open afterwards.
    pub fn ephemeral() -> Result<Self, VaultError> {
        Ok(Vault::new(Box::new(KeyFile::ephemeral()?)))
    }

    /// Seals `plain` for this purpose and context. It opens for both together and for nothing else.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        plain: &[u8],
    ) -> Result<Sealed, VaultError> {
        if plain.len() > Vault::PLAIN_MAX {
            return Err(VaultError::Long(plain.len()));
        }
        let current = self.current()?;
        let mut out = head(purpose, &current.wrapped);
        let associated = [out.as_slice(), context].concat();
        let sealed = current.root.seal(&purpose.used_for(), &associated, plain)?;
        out.extend_from_slice(&sealed);
        Ok(Sealed(out))
    }

    /// What was sealed, if it was sealed for this purpose and context.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (wrapped, text) = split(purpose, &sealed.0).ok_or(VaultError::Foreign)?;
        let root = self.unwrapped(&wrapped)?;
        let associated = [head(purpose, &wrapped).as_slice(), context].concat();
        Ok(root.open(&purpose.used_for(), &associated, text)?)
    }

    /// The data key of this process, drawn and wrapped when it is first needed.
    fn current(&self) -> Result<Arc<Current>, VaultError> {
        let mut current = lock(&self.current);
        if let Some(current) = &*current {
            return Ok(Arc::clone(current));
        }
        let key = DataKey::random()?;
        let wrapped = self.provider.wrap(&key)?;
        if wrapped.bytes.len() > Wrapped::BYTES_MAX {
            return Err(ProviderError::Foreign.into());
        }
        let made = Arc::new(Current {
            root: Arc::new(key.root()),
            wrapped,
        });
        self.remember(&made.wrapped, &made.root);
        *current = Some(Arc::clone(&made));
        Ok(made)
    }

    fn unwrapped(&self, wrapped: &Wrapped) -> Result<Arc<Root>, VaultError> {
        if let Some(root) = lock(&self.unwrapped).get(wrapped) {
            return Ok(Arc::clone(root));
        }
        let root = Arc::new(self.provider.unwrap(wrapped)?.root());
        self.remember(wrapped, &root);
        Ok(root)
    }

    fn remember(&self, wrapped: &Wrapped, root: &Arc<Root>) {
        let mut known = lock(&self.unwrapped);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(wrapped.clone(), Arc::clone(root));
    }
}

/// Says who keeps the master key, and nothing of any key.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// What stands in front of a sealed value.
fn head(purpose: Purpose, wrapped: &Wrapped) -> Vec<u8> {
    let mut out = vec![VERSION, purpose.byte()];
    out.extend_from_slice(&wrapped.by.0);
    // INVARIANT: a wrapped key is no longer than `Wrapped::BYTES_MAX`.
    let length = u16::try_from(wrapped.bytes.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&wrapped.bytes);
    out
}

/// The wrapped key and the rest of a value of this purpose.
fn split(purpose: Purpose, sealed: &[u8]) -> Option<(Wrapped, &[u8])> {
    let rest = sealed.strip_prefix(&[VERSION, purpose.byte()])?;
    let (by, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (bytes, text) = rest.split_at_checked(length)?;
    let is_bounded =
        length <= Wrapped::BYTES_MAX && text.len() <= Vault::PLAIN_MAX + Root::OVERHEAD;
    is_bounded.then(|| {
        let wrapped = Wrapped {
            by: KeyId(*by),
            bytes: bytes.into(),
        };
        (wrapped, text)
    })
}

/// Takes the lock. Whoever panicked with it left whole values behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
