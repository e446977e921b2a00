//! What can go wrong with the ledger's own world: files, keys, the database. A broken chain is not
//! an error but a finding of its own ([`crate::Broken`]).

use crate::verify::Broken;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a ledger cannot be opened, or a record not be written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// The chain is damaged in a way that no crash explains.
    #[error("the ledger is damaged and stays untouched: {0}")]
    Broken(Box<Broken>),
    /// It was closed.
    #[error("the ledger is closed")]
    Closed,
    /// A write failed before; nothing is accepted any more.
    #[error("the ledger stopped accepting records: {why}")]
    Failed {
        /// What failed.
        why: Arc<str>,
    },
    /// Its checkpoints were signed with another key.
    #[error("the ledger belongs to key `{owner}`, and this is key `{given}`")]
    ForeignKey {
        /// The key that signed it so far.
        owner: String,
        /// The key it was opened with.
        given: String,
    },
    /// More records wait than may wait.
    #[error("the ledger's queue is full")]
    Full,
    /// The file system did not do what was asked.
    #[error("cannot {action} `{path}`: {why}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: String,
        /// What the system said.
        why: Arc<str>,
    },
    /// Another process writes it.
    #[error("the ledger `{dir}` is in use by another process")]
    Locked {
        /// The ledger's directory.
        dir: String,
    },
    /// The bytes are not one canonical record.
    #[error("not a record: {why}")]
    NotRecord {
        /// What is wrong with them.
        why: &'static str,
    },
}

impl LedgerError {
    pub(crate) fn io(action: &'static str, path: &std::path::Path, error: &io::Error) -> Self {
        Self::Io {
            action,
            path: path.display().to_string(),
            why: error.to_string().into(),
        }
    }
}

impl std::convert::From<Broken> for LedgerError {
    fn from(broken: Broken) -> Self {
        Self::Broken(Box::new(broken))
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system did not do what was asked.
    #[error("cannot {action} the key `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Other accounts can reach it.
    #[error("the key `{}` is open to other accounts (mode {mode:o}): run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not what it should be.
    #[error("`{what}` is not an Ed25519 key in PEM form")]
    Malformed {
        /// Where it came from.
        what: String,
    },
    /// No key could be made.
    #[error("the system gave no randomness for a new key")]
    Entropy,
}

/// Why the lines of a ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system did not do what was asked.
    #[error("cannot read `{file}`: {source}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is not a ledger's line.
    #[error("`{file}` is not readable at byte {offset}: verify the ledger")]
    Line {
        /// The file.
        file: String,
        /// Where the line begins.
        offset: u64,
    },
}

/// Why the search index cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The database refused.
    #[error("the search index: {0}")]
    Database(#[from] rusqlite::Error),
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The files of the index cannot be replaced.
    #[error("the search index `{}` cannot be rebuilt: {source}", path.display())]
    Rebuild {
        /// The database.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No record has this id.
    #[error("no record `{id}`")]
    Unknown {
        /// The id that was asked for.
        id: String,
    },
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record has no meaning for this version.
    #[error("record {seq} cannot be understood: {source}")]
    Record {
        /// Its place in the ledger.
        seq: u64,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Nobody takes the output.
    #[error("cannot write the export: {0}")]
    Write(#[from] io::Error),
}
