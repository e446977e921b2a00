//! Writing the ledger: one writer, many callers, records durable in groups.
//!
//! Callers hand over finished records and wait, if they want to, until the group their record is in
//! is on disk. One thread gives numbers, links the lines, writes and syncs. When a write or a sync
//! fails nothing is ever accepted again: a gateway that cannot record refuses.

mod append;
mod disk;
mod pack;
mod queue;
mod recovery;
mod writer;

pub use append::Append;

use crate::err::LedgerError;
use crate::key::SigningKey;
use crate::line::RECORD_BYTES_MAX;
use crate::segment;
use disk::{Disk, Files};
use pack::Packer;
use queue::Shared;
use recovery::Recovered;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What every canonical record begins with: `at_ms` sorts before all other members.
const RECORD_HEAD: &[u8] = b"{\"at_ms\":";

/// How often the lock is tried, and how long a try is waited after: a quarter of a second in all.
const LOCK_TRIES: u32 = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// How a ledger is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A segment that is larger is closed, and a new one begun.
    pub segment_bytes: u64,
    /// How long a record of [`Durability::Interval`] may wait to be on disk.
    pub interval: Duration,
    /// After how many records a checkpoint is signed.
    pub checkpoint_records: u64,
    /// How long a record may wait for the signature of a checkpoint.
    pub checkpoint_time: Duration,
    /// How many records may wait to be written.
    pub queue: usize,
    /// How many bytes of records may wait to be written.
    pub queue_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            interval: Duration::from_secs(1),
            checkpoint_records: 1024,
            checkpoint_time: Duration::from_secs(10),
            queue: 65_536,
            queue_bytes: 128 << 20,
        }
    }
}

/// When an appended record is good enough for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Durability {
    /// When it is on disk.
    BeforeAnswer,
    /// When it is in the queue; it is on disk at most an interval later.
    Interval,
}

/// What opening a ledger found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The number of the last line, after opening.
    pub seq: u64,
    /// How many records it holds.
    pub records: u64,
    /// The part of a line that a crash had left, if it had.
    pub torn: Option<Torn>,
}

/// The part of a line that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// How many bytes.
    pub bytes: u64,
    /// Where they were put.
    pub file: PathBuf,
}

/// An open ledger. There is one for a directory; dropping it closes it.
pub struct Ledger {
    shared: Arc<Shared>,
    opened: Opened,
    dir: PathBuf,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Opens the ledger in `dir`, or begins one there. What a crash left half-written is cut off
    /// and put aside; any other damage is refused.
    pub fn open(dir: &Path, settings: Settings, key: SigningKey) -> Result<Self, LedgerError> {
        Self::open_on(dir, settings, key, Box::new(Files))
    }

    /// Appends one canonical record (see [`crate::Record::to_canonical`]).
    ///
    /// It is queued before this returns, in the order of the calls; the returned future only says
    /// when. Dropping the future does not take the record back.
    pub fn append(&self, record: Vec<u8>, durability: Durability) -> Append {
        match check(&record).and_then(|()| self.shared.push(record, durability)) {
            Ok(ticket) if durability == Durability::BeforeAnswer => {
                Append::waiting(Arc::clone(&self.shared), ticket)
            }
            Ok(_) => Append::done(Ok(())),
            Err(error) => Append::done(Err(error)),
        }
    }

    /// What opening it found.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Where it lies.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether it still accepts records; if not, why.
    pub fn health(&self) -> Result<(), LedgerError> {
        self.shared.health()
    }

    /// Writes what is queued, signs it, and accepts nothing more. Called again, it does nothing.
    pub fn close(&self) -> Result<(), LedgerError> {
        self.shared.close();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            // A writer that panicked has said so to the queue, where everybody sees it.
            let _ = writer.join();
        }
        match self.shared.health() {
            Ok(()) | Err(LedgerError::Closed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn open_on(
        dir: &Path,
        settings: Settings,
        key: SigningKey,
        mut disk: Box<dyn Disk>,
    ) -> Result<Self, LedgerError> {
        create_dir(dir)?;
        let lock = lock(dir)?;
        let Recovered {
            resume,
            torn,
            unpacked,
        } = recovery::recover(dir, &key.public())?;
        publish_key(dir, &key)?;
        let packer = Packer::start(dir, unpacked);
        let tape = disk
            .open(&dir.join(segment::plain_name(resume.segment)), resume.bytes)
            .map_err(|error| LedgerError::io("open", dir, &error))?;
        let mut writer = writer::Writer::new(dir, settings, key, disk, tape, resume, packer);
        writer.begin(torn.as_ref())?;
        let opened = Opened {
            seq: writer.seq(),
            records: writer.records(),
            torn,
        };
        let shared = Arc::new(Shared::new(settings));
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                writer.run(&theirs);
                drop(lock);
            })
            .map_err(|error| LedgerError::io("start the writer of", dir, &error))?;
        Ok(Self {
            shared,
            opened,
            dir: dir.to_owned(),
            writer: Mutex::new(Some(thread)),
        })
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("dir", &self.dir)
            .field("opened", &self.opened)
            .finish_non_exhaustive()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // Whoever wants to know closes it first.
        let _ = self.close();
    }
}

/// Whether these bytes can be put on a line as they are. That they are canonical is the caller's
/// word; what is checked here is what would break the file for all other records.
fn check(record: &[u8]) -> Result<(), LedgerError> {
    let why = if !record.starts_with(RECORD_HEAD) {
        "it does not begin with `at_ms`"
    } else if !record.ends_with(b"}") {
        "it does not end with a brace"
    } else if record.len() > RECORD_BYTES_MAX {
        "it is too large"
    } else if memchr::memchr2(b'\n', b'\r', record).is_some() {
        "it has a line break in it"
    } else {
        return Ok(());
    };
    Err(LedgerError::NotRecord { why })
}

fn create_dir(dir: &Path) -> Result<(), LedgerError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .map_err(|error| LedgerError::io("create", dir, &error))
}

/// The lock lasts as long as the file is open, whatever happens to the process.
fn lock(dir: &Path) -> Result<File, LedgerError> {
    let path = dir.join(segment::LOCK);
    let mut options = segment::private();
    options.write(true).create(true).truncate(false);
    let file = options
        .open(&path)
        .map_err(|error| LedgerError::io("open", &path, &error))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A verifier looks at the lock for a moment, and a child that a writer was just starting holds it
            // until it has become another program; a writer keeps it.
            Err(fs::TryLockError::WouldBlock) => std::thread::park_timeout(LOCK_PAUSE),
            Err(fs::TryLockError::Error(error)) => {
                return Err(LedgerError::io("lock", &path, &error));
            }
        }
    }
    Err(LedgerError::Locked {
        dir: dir.display().to_string(),
    })
}

/// Puts the public key beside the segments, for convenience; a verifier brings its own copy.
fn publish_key(dir: &Path, key: &SigningKey) -> Result<(), LedgerError> {
    let path = dir.join("ledger.pub");
    let pem = key.public().to_pem();
    if fs::read(&path).is_ok_and(|there| there == pem.as_bytes()) {
        return Ok(());
    }
    fs::write(&path, pem).map_err(|error| LedgerError::io("write", &path, &error))
}

#[cfg(test)]
mod tests;
