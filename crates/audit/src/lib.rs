//! The ledger: what happened, written down so that nobody can quietly rewrite it.
//!
//! Every message the gateway handles becomes one [`Record`], one canonical JSON line in a chain of
//! hashes with signed checkpoints ([`Ledger`]). The chain is the truth; the search index
//! ([`Index`]) is derived from it and can be thrown away. [`verify`] needs nothing but the files
//! and a public key. The format is described in `docs/ledger.md`.
//!
//! This crate never depends on the gateway, never reads the clock of the wall (time is part of the
//! record), and never decides anything about a call.

mod checkpoint;
mod digest;
mod err;
mod export;
mod follow;
mod index;
mod key;
mod ledger;
mod line;
mod query;
mod reader;
mod record;
#[cfg(test)]
mod sample;
mod segment;
mod verify;
mod walk;

pub use checkpoint::{Cause, Checkpoint};
pub use err::{ExportError, IndexError, KeyError, LedgerError, ReadError};
pub use export::{Format, export};
pub use follow::{Follower, From};
pub use index::{Hit, Index, Indexer, Progress};
pub use key::{KeyId, PublicKey, SigningKey};
pub use ledger::{Append, Durability, Ledger, Opened, Settings, Torn};
pub use line::RECORD_BYTES_MAX;
pub use query::Query;
pub use reader::{Content, Entry};
pub use record::{
    Controls, Digests, Event, Fault, Finding, Kept, Kind, OwnedRecord, Policy, Record, Refusal,
    Score, Sizes, Skipped, Timings, Upstream, Verdict, Who,
};
pub use verify::{Broken, Point, Report, verify};
pub use walk::Flaw;
