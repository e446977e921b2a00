//! Keys, and what is sealed with them: values are encrypted for one purpose and one context, under a
//! data key that a [`KeyProvider`] wraps. This crate seals and opens; it never hands out a key, and
//! never looks at what is inside.
//!
//! **Envelope.** A [`Vault`] draws a data key when it first seals something, and lets its provider wrap
//! it once. The wrapped key stands in front of every value that is sealed with it, so that a value is
//! opened with nothing but itself and the provider, and the master key can be changed by wrapping data
//! keys again. Data keys that were unwrapped are remembered, so a provider that is far away (a hardware
//! module, a cloud's key service) is asked once for each, not once for each value.
//!
//! **Synchronous.** [`KeyProvider`] blocks: hardware modules are driven by a blocking library, and a key
//! service is asked once in the life of a process or of a data key. Whoever opens values on the path of
//! a call does so where blocking is allowed.

mod alike;
mod file;
mod provider;
mod root;
mod vault;

pub use alike::Alike;
pub use file::KeyFileError;
pub use provider::{DataKey, KeyFile, KeyId, KeyProvider, ProviderError, Wrapped};
pub use root::{Root, RootError};
pub use vault::{Purpose, Sealed, Vault, VaultError};
