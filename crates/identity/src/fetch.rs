//! The one way out of this crate: somebody else's bounded GET. Nothing here opens a connection,
//! follows a redirect or sends a credential.

use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use url::Url;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Gets a document from an identity provider.
///
/// Whoever implements it bounds time and size, follows no redirect, sends no credential, and vets
/// every address: the address of a key set comes from a document of the provider, so it is
/// untrusted input, and a permission to reach private addresses that was given to one authority
/// is not lent to another one named there.
pub trait Fetch: Send + Sync {
    /// One GET. An answer of any status is an `Ok`.
    fn get(&self, url: &Url) -> BoxFuture<'_, Result<Fetched, FetchError>>;
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
    /// `max-age` of `Cache-Control`, in seconds, if there was one.
    pub max_age: Option<u64>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The destination is not one that may be reached.
    #[error("`{0}` may not be reached")]
    NotAllowed(String),
    /// It took too long.
    #[error("the answer took too long")]
    TimedOut,
    /// The body is over the limit.
    #[error("the answer is too large")]
    TooLarge,
    /// No connection, or it broke.
    #[error("could not be reached: {0}")]
    Unreachable(String),
}
