//! What outlives a message: rows that must survive a restart ([`Durable`]) and marks that only have
//! to live until they expire ([`Volatile`]). Both are embedded, and both are seams that stores shared
//! by several gateways fit into; one suite of tests runs over every implementation.
//!
//! Whoever needs state asks here. Nothing here decides what a failure means but one thing: a store
//! that cannot be asked, or is full, is an error, never an empty answer.
//!
//! The seams are asynchronous, since a shared store is across a network; the embedded ones do their
//! work where blocking is allowed, or are done at once.

mod memory;
mod rows;
mod sqlite;
#[cfg(test)]
mod suite;

pub use memory::Memory;
pub use rows::{Opened, Rows};
pub use sqlite::Database;

pub use identity::BoxFuture;
pub(crate) use sqlite::stamp;
use std::fmt;
use zeroize::Zeroizing;

/// What a row is. Kinds share nothing: the same key may stand under each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A call that waits for somebody's approval, or has it.
    Approval,
    /// The keys that access tokens of ours are signed with.
    AuthorityKey,
    /// A client that registered here.
    Client,
    /// What a user let a client do.
    Consent,
    /// The key of tokens that stand for values.
    DataToken,
    /// A line of refresh tokens of ours.
    Family,
    /// What a user granted Ringwall at an upstream's authorization server.
    Connection,
    /// What Ringwall granted.
    Grant,
    /// The public keys of an issuer. Sealed, so that nobody plants one.
    KeySet,
    /// The passkey of the account for emergencies. Sealed, so that nobody plants one.
    Passkey,
    /// What Ringwall is known by at an authorization server.
    Registration,
    /// Whose tokens are not good any more.
    Revocation,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 12] = [
        Kind::Approval,
        Kind::AuthorityKey,
        Kind::Client,
        Kind::Consent,
        Kind::DataToken,
        Kind::Family,
        Kind::Connection,
        Kind::Grant,
        Kind::KeySet,
        Kind::Passkey,
        Kind::Registration,
        Kind::Revocation,
    ];

    /// What it is called in a store. Never changes.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Approval => "approval",
            Kind::AuthorityKey => "authority_key",
            Kind::Client => "client",
            Kind::Consent => "consent",
            Kind::DataToken => "data_token",
            Kind::Family => "family",
            Kind::Connection => "connection",
            Kind::Grant => "grant",
            Kind::KeySet => "key_set",
            Kind::Passkey => "passkey",
            Kind::Registration => "registration",
            Kind::Revocation => "revocation",
        }
    }

    /// Under what its values are sealed before any store sees them; `None` if they lie there open.
    pub fn sealed_for(self) -> Option<vault::Purpose> {
        match self {
            Kind::Approval => Some(vault::Purpose::Approvals),
            Kind::AuthorityKey => Some(vault::Purpose::AuthorityKeys),
            Kind::Client => Some(vault::Purpose::Clients),
            Kind::Consent => Some(vault::Purpose::Consents),
            Kind::DataToken => Some(vault::Purpose::DataTokens),
            Kind::Family => Some(vault::Purpose::Families),
            Kind::Connection => Some(vault::Purpose::Connections),
            Kind::Grant => Some(vault::Purpose::Grants),
            Kind::KeySet => Some(vault::Purpose::KeySets),
            Kind::Passkey => Some(vault::Purpose::Passkeys),
            Kind::Registration => Some(vault::Purpose::Registrations),
            Kind::Revocation => None,
        }
    }
}

/// A row of a durable store.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is called among those of its kind. No secret.
    pub key: String,
    /// What it holds, sealed if its kind says so.
    pub value: Vec<u8>,
    /// When it stops being there, in milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
}

/// Says nothing of the value.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("key", &self.key)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

/// Rows by kind and key that survive a restart. A row whose time has come is not there any more,
/// whether or not it was swept.
pub trait Durable: fmt::Debug + Send + Sync {
    /// The row with this key.
    fn get<'a>(
        &'a self,
        kind: Kind,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Row>, StateError>>;

    /// Keeps this row, instead of the one with its key if there is one. When it returns, the row is
    /// on disk.
    fn put(&self, kind: Kind, row: Row, now_ms: u64) -> BoxFuture<'_, Result<(), StateError>>;

    /// Puts what comes after in the place of what was there before, if that is still there, byte for byte,
    /// and says whether it was: of all who change or remove the same row, one does. Nothing stands for a
    /// row that is not there.
    fn swap<'a>(
        &'a self,
        kind: Kind,
        key: &'a str,
        before: Option<Vec<u8>>,
        after: Option<Row>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StateError>>;

    /// Removes the row with this key, and says whether there was one.
    fn remove<'a>(&'a self, kind: Kind, key: &'a str) -> BoxFuture<'a, Result<bool, StateError>>;

    /// The rows whose keys begin with `prefix`, in the order of their keys, [`Limits::LISTED`] at most:
    /// those after `after`, if it is given, so that a long list is read in parts.
    fn list<'a>(
        &'a self,
        kind: Kind,
        prefix: &'a str,
        after: Option<&'a str>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Row>, StateError>>;

    /// Removes every row whose time has come and says how many that were.
    fn sweep(&self, now_ms: u64) -> BoxFuture<'_, Result<u64, StateError>>;

    /// A number that changes whenever somebody else (another process) wrote.
    fn version(&self) -> BoxFuture<'_, Result<i64, StateError>>;
}

/// What marks are about. Spaces share nothing and are bounded each for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Space {
    /// Pages of the authorization server that were answered.
    Agreement,
    /// Codes of the authorization server.
    Code,
    /// Identifiers of assertions that authenticate a client.
    Assertion,
    /// Identifiers of proofs of possession that came for tokens of the authorization server.
    TokenProof,
    /// People whom the authorization server sent to sign in.
    Journey,
    /// Identifiers of proofs of possession (RFC 9449 section 11.1).
    Proof,
    /// Identifiers of security events and logout tokens.
    Signal,
    /// What a browser brings back from an authorization server: `state`.
    Ticket,
}

impl Space {
    /// Every space.
    pub const ALL: [Space; 8] = [
        Space::Agreement,
        Space::Code,
        Space::Assertion,
        Space::TokenProof,
        Space::Journey,
        Space::Proof,
        Space::Signal,
        Space::Ticket,
    ];
}

/// The digest a mark is kept under: of fixed size, whatever its parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark(pub [u8; 32]);

impl Mark {
    /// The mark of these parts. Order and borders count.
    pub fn of(parts: &[&[u8]]) -> Self {
        use aws_lc_rs::digest::{Context, SHA256};
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        // INVARIANT: SHA-256 has 32 bytes; the fallback is never taken.
        Mark(context.finish().as_ref().try_into().unwrap_or_default())
    }
}

/// Whether something came for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// It did.
    Fresh,
    /// It was here before, and its time has not come.
    Replayed,
}

/// A value that is kept for a short while.
pub type Ticket = Zeroizing<Vec<u8>>;

/// Marks and tickets that live until they expire or the process ends. Nothing that is in force is ever
/// dropped to make room: a space that is full is an error, and whoever asked refuses.
pub trait Volatile: fmt::Debug + Send + Sync {
    /// Remembers a mark until this moment, and says whether it was known.
    fn insert_once(
        &self,
        space: Space,
        mark: Mark,
        until_ms: u64,
        now_ms: u64,
    ) -> BoxFuture<'_, Result<Once, StateError>>;

    /// Takes a mark back, as if it had never come: what it stood for could not be done.
    fn withdraw(&self, space: Space, mark: Mark) -> BoxFuture<'_, Result<(), StateError>>;

    /// Keeps a ticket of [`Limits::TICKET_BYTES`] at most under a mark until this moment. A mark that is
    /// taken already keeps the ticket it has, and [`Once::Replayed`] says so.
    fn leave(
        &self,
        space: Space,
        mark: Mark,
        ticket: Ticket,
        until_ms: u64,
        now_ms: u64,
    ) -> BoxFuture<'_, Result<Once, StateError>>;

    /// The ticket under this mark, which is gone then: of all who ask, one gets it.
    fn take(
        &self,
        space: Space,
        mark: Mark,
        now_ms: u64,
    ) -> BoxFuture<'_, Result<Option<Ticket>, StateError>>;
}

/// What a store holds at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits;

impl Limits {
    /// The longest key of a row, in bytes.
    pub const KEY_BYTES: usize = 1024;
    /// The largest value of a row, in bytes, as the store sees it.
    pub const VALUE_BYTES: usize = 256 * 1024;
    /// Rows that one list returns.
    pub const LISTED: usize = 1000;
    /// The largest ticket, in bytes.
    pub const TICKET_BYTES: usize = 16 * 1024;

    /// Rows of one kind. Revocations are all held in memory, too.
    pub fn rows(kind: Kind) -> u64 {
        match kind {
            Kind::AuthorityKey => 16,
            Kind::DataToken | Kind::Passkey => 4,
            // Registrations need nobody's leave, so that they get a room of their own.
            Kind::Client => 10_000,
            Kind::Approval | Kind::KeySet => 20_000,
            Kind::Revocation => 100_000,
            Kind::Consent | Kind::Family | Kind::Connection | Kind::Grant | Kind::Registration => {
                1_000_000
            }
        }
    }

    /// Marks and tickets of one space.
    pub fn marks(space: Space) -> usize {
        match space {
            Space::Proof => 1_000_000,
            Space::Assertion | Space::Signal | Space::TokenProof => 100_000,
            Space::Agreement | Space::Journey => 20_000,
            Space::Code | Space::Ticket => 10_000,
        }
    }
}

/// A row as logs may name it. What says whose it is, or ends it for whoever knows it, is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named(String);

impl Named {
    /// The row with this key.
    pub fn of(kind: Kind, key: &str) -> Self {
        Named(match kind {
            Kind::Connection | Kind::Consent | Kind::Family | Kind::Grant => kind.name().to_owned(),
            Kind::Approval
            | Kind::AuthorityKey
            | Kind::Client
            | Kind::DataToken
            | Kind::KeySet
            | Kind::Passkey
            | Kind::Registration
            | Kind::Revocation => format!("{} `{key}`", kind.name()),
        })
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StateError {
    /// What is kept under this key is not what this version writes.
    pub(crate) fn malformed(kind: Kind, key: &str) -> Self {
        StateError::Malformed {
            row: Named::of(kind, key),
        }
    }
}

/// Why state could not be had. Whoever asked refuses.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A value does not open: it was changed, or its key is not here.
    #[error("what is kept as {row} cannot be opened: {source}")]
    Closed {
        /// Which.
        row: Named,
        /// What the vault said.
        source: vault::VaultError,
    },
    /// There is no room, and nothing that is in force makes any.
    #[error("the store holds as many {0} as it may")]
    Full(&'static str),
    /// More than may be kept under one key.
    #[error("a {0} is too long to be kept")]
    Long(&'static str),
    /// What is kept is not what this version writes: it was changed by somebody else.
    #[error("what is kept as {row} cannot be read: was it changed by hand?")]
    Malformed {
        /// Which.
        row: Named,
    },
    /// The store was made by a later version.
    #[error("`state.db` was written by a later version of Ringwall (form {0}): use that one")]
    Newer(i64),
    /// The store failed.
    #[error("the store of state failed: {0}")]
    Store(#[from] rusqlite::Error),
    /// The work was given up while the process stops.
    #[error("the store of state is closing")]
    Stopped,
}
