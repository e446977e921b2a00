//! Ledgers for tests: small ones, closed in good order or left as a crash leaves them.

use crate::key::{PublicKey, SigningKey};
use crate::ledger::{Durability, Ledger, Settings};
use crate::reader::Content;
use crate::record::{OwnedRecord, Record, Verdict, Who};
use crate::segment::{self, LOCK};
use crate::{Follower, From};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// A directory with a ledger and its key.
pub(crate) struct Sample {
    pub(crate) dir: TempDir,
}

impl Sample {
    pub(crate) fn new() -> Self {
        // In memory where there is such a place: tests that open hundreds of ledgers do not have to
        // wait for a disk that nobody will unplug.
        let memory = tempfile::tempdir_in("/dev/shm");
        let dir = memory.or_else(|_| tempfile::tempdir()).unwrap();
        Self { dir }
    }

    /// A closed ledger with `records` records.
    pub(crate) fn closed(settings: Settings, records: u64) -> Self {
        let sample = Self::new();
        let ledger = sample.open(settings);
        append(&ledger, 1..=records);
        ledger.close().unwrap();
        sample
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    pub(crate) fn key(&self) -> SigningKey {
        SigningKey::load_or_create(&self.dir.path().join("ledger.key")).unwrap()
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.key().public()
    }

    pub(crate) fn open(&self, settings: Settings) -> Ledger {
        Ledger::open(&self.path(), settings, self.key()).unwrap()
    }

    /// The files as they are right now, as a crash would leave them, with the same key.
    pub(crate) fn crashed(&self) -> Self {
        let copy = Self::new();
        fs::copy(
            self.dir.path().join("ledger.key"),
            copy.dir.path().join("ledger.key"),
        )
        .unwrap();
        // The ledger packs and signs while we copy: taken is only what stood still meanwhile.
        for _ in 0..1000 {
            match copy_if_still(&self.path(), &copy.path()) {
                Ok(true) => return copy,
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => panic!("{error}"),
            }
            fs::remove_dir_all(copy.path()).unwrap();
        }
        panic!("the ledger never stood still");
    }

    /// The plain form of a segment.
    pub(crate) fn segment(&self, number: u32) -> PathBuf {
        self.path().join(segment::plain_name(number))
    }

    pub(crate) fn pack(&self, number: u32) {
        segment::pack(&self.path(), number, &AtomicBool::new(false)).unwrap();
    }

    /// The ids of all records, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        records(&self.path())
            .into_iter()
            .map(|record| record.id.into_owned())
            .collect()
    }
}

/// What tells one state of a directory from another.
type Stamps = BTreeSet<(OsString, u64, SystemTime)>;

fn stamps(dir: &Path) -> io::Result<Stamps> {
    let stamp = |entry: fs::DirEntry| {
        let about = entry.metadata()?;
        Ok((entry.file_name(), about.len(), about.modified()?))
    };
    fs::read_dir(dir)?.map(|entry| stamp(entry?)).collect()
}

/// Copies everything but the lock, and says whether nothing changed meanwhile.
fn copy_if_still(from: &Path, to: &Path) -> io::Result<bool> {
    fs::create_dir(to)?;
    let before = stamps(from)?;
    for (name, ..) in before.iter().filter(|(name, ..)| name != LOCK) {
        fs::copy(from.join(name), to.join(name))?;
    }
    Ok(before == stamps(from)?)
}

/// Nothing is signed because of the time: the last lines are those a test wrote, however long that took it.
pub(crate) fn timeless() -> Settings {
    Settings {
        checkpoint_time: Duration::from_secs(24 * 3600),
        ..Settings::default()
    }
}

/// Segments that end after a few lines, and checkpoints after three records.
pub(crate) fn small() -> Settings {
    Settings {
        segment_bytes: 2000,
        checkpoint_records: 3,
        ..timeless()
    }
}

/// How long something that has to come may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what other threads do.
pub(crate) fn comes(is_there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < PATIENCE, "nothing came in {PATIENCE:?}");
        std::thread::yield_now();
    }
}

pub(crate) fn append(ledger: &Ledger, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        ledger
            .append(record(number), Durability::BeforeAnswer)
            .wait()
            .unwrap();
    }
}

pub(crate) fn record(number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    call(number).to_canonical(&mut bytes);
    bytes
}

pub(crate) fn call(number: u64) -> OwnedRecord {
    let user = if number.is_multiple_of(2) {
        "alice"
    } else {
        "bob"
    };
    Record {
        at_ms: 1_000_000 + number * 1000,
        id: format!("call-{number}").into(),
        verdict: Verdict::Allowed,
        route: Some("/files".into()),
        subject: Some(format!("read_file_{number}").into()),
        who: Some(Who {
            user: Some(user.into()),
            ..Who::default()
        }),
        ..Record::default()
    }
}

pub(crate) fn records(dir: &Path) -> Vec<OwnedRecord> {
    let mut follower = Follower::open(dir, From::Start).unwrap();
    let mut records = Vec::new();
    while let Some(entry) = follower.poll().unwrap() {
        if let Content::Record(record) = entry.content {
            records.push(*record);
        }
    }
    records
}
