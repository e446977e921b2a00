//! The one thread that writes: it numbers the lines, links them, signs checkpoints, rolls segments,
//! and tells the callers when their records are durable. It never goes on after a failure.

use super::disk::{Disk, Tape};
use super::pack::Packer;
use super::queue::{Batch, Shared, Taken};
use super::{RECORD_HEAD, Settings, Torn};
use crate::checkpoint::{Cause, Checkpoint};
use crate::err::LedgerError;
use crate::key::{KeyId, SigningKey};
use crate::line::Link;
use crate::record::{Event, Kind, Record, Verdict};
use crate::segment;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Lines are handed to the system in pieces of about this size.
const WRITE_BYTES: usize = 4 << 20;

/// Where writing resumes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    pub(super) link: Link,
    pub(super) segment: u32,
    /// How many bytes the segment holds.
    pub(super) bytes: u64,
    /// How many records the ledger holds.
    pub(super) records: u64,
    /// The time of the newest record.
    pub(super) at_ms: u64,
}

pub(super) struct Writer {
    dir: PathBuf,
    settings: Settings,
    key: SigningKey,
    key_id: KeyId,
    disk: Box<dyn Disk>,
    tape: Box<dyn Tape>,
    packer: Packer,
    at: Resume,
    /// Lines that were not handed to the system yet.
    buffer: Vec<u8>,
    /// Since when there are bytes that are not synced, and records that are not signed.
    unsynced: Option<Instant>,
    unsigned: Option<Instant>,
    unsigned_records: u64,
    head: PendingHead,
}

/// The last checkpoint, on its way to the head.
#[derive(Default)]
struct PendingHead {
    line: Vec<u8>,
    written: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        dir: &Path,
        settings: Settings,
        key: SigningKey,
        disk: Box<dyn Disk>,
        tape: Box<dyn Tape>,
        resume: Resume,
        packer: Packer,
    ) -> Self {
        Self {
            dir: dir.to_owned(),
            settings,
            key_id: key.public().id(),
            key,
            disk,
            tape,
            packer,
            at: resume,
            buffer: Vec::new(),
            unsynced: None,
            unsigned: None,
            unsigned_records: 0,
            head: PendingHead::default(),
        }
    }

    pub(super) fn seq(&self) -> u64 {
        self.at.link.seq
    }

    pub(super) fn records(&self) -> u64 {
        self.at.records
    }

    /// Writes what opening itself has to say, before anybody can append.
    pub(super) fn begin(&mut self, torn: Option<&Torn>) -> Result<(), LedgerError> {
        if self.at.link == Link::START {
            // Alone, so that a ledger without a head never has more than this one line.
            self.sign(Cause::Begin);
            self.sync()?;
            self.write_head()?;
            if torn.is_none() {
                return Ok(());
            }
        }
        if let Some(torn) = torn {
            let mut record = Vec::new();
            recovery_event(&self.at, torn).to_canonical(&mut record);
            self.add(&record)?;
        }
        self.sign(Cause::Open);
        self.sync()?;
        self.write_head()
    }

    /// Writes until the ledger is closed or something fails.
    pub(super) fn run(mut self, shared: &Shared) {
        /// Whatever ends the thread, nobody waits for it in vain.
        struct Watch<'s>(&'s Shared);
        impl Drop for Watch<'_> {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    self.0.fail("its writer panicked");
                }
            }
        }
        let watch = Watch(shared);
        match self.serve(shared) {
            Ok(()) => shared.finish(),
            Err(error) => shared.fail(&error.to_string()),
        }
        drop(watch);
    }

    fn serve(&mut self, shared: &Shared) -> Result<(), LedgerError> {
        let mut batch = Batch::default();
        loop {
            match shared.take(&mut batch, self.deadline()) {
                Taken::Batch => {
                    self.write(&batch)?;
                    if batch.is_urgent || self.is_due(self.unsynced, self.settings.interval) {
                        self.sync()?;
                        shared.make_durable(batch.ticket);
                        self.renew_head()?;
                    }
                }
                Taken::Due => {
                    if self.is_due(self.unsigned, self.settings.checkpoint_time) {
                        self.sign(Cause::Time);
                    }
                    self.sync()?;
                    shared.make_durable(batch.ticket);
                    self.renew_head()?;
                }
                Taken::End => {
                    self.sign(Cause::Close);
                    self.sync()?;
                    shared.make_durable(batch.ticket);
                    return self.write_head();
                }
            }
        }
    }

    fn write(&mut self, batch: &Batch) -> Result<(), LedgerError> {
        for record in &batch.records {
            self.add(record)?;
            if self.unsigned_records >= self.settings.checkpoint_records {
                self.sign(Cause::Records);
            }
            let bytes = self.at.bytes.saturating_add(self.buffer.len() as u64);
            if bytes >= self.settings.segment_bytes {
                self.roll()?;
            }
        }
        self.flush()
    }

    fn add(&mut self, record: &[u8]) -> Result<(), LedgerError> {
        self.at.link.write_record(record, &mut self.buffer);
        self.at.records = self.at.records.saturating_add(1);
        self.at.at_ms = self.at.at_ms.max(time_of(record));
        self.unsigned_records = self.unsigned_records.saturating_add(1);
        if self.buffer.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn sign(&mut self, cause: Cause) {
        let checkpoint = Checkpoint {
            at_ms: self.at.at_ms,
            cause,
            key: self.key_id.clone(),
            records: self.at.records,
            segment: self.at.segment,
        };
        self.head.line.clear();
        self.at
            .link
            .write_checkpoint(&checkpoint, &self.key, &mut self.head.line);
        self.buffer.extend_from_slice(&self.head.line);
        self.unsigned_records = 0;
        self.unsigned = None;
    }

    /// Ends the segment and begins the next one.
    fn roll(&mut self) -> Result<(), LedgerError> {
        self.sign(Cause::Segment);
        self.sync()?;
        self.write_head()?;
        let ended = self.at.segment;
        self.at.segment = ended.saturating_add(1);
        self.at.bytes = 0;
        let path = self.dir.join(segment::plain_name(self.at.segment));
        self.tape = self
            .disk
            .open(&path, 0)
            .map_err(|error| self.failed("create", &error))?;
        self.packer.pack(ended);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LedgerError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.tape
            .write(&self.buffer)
            .map_err(|error| self.failed("write", &error))?;
        self.at.bytes = self.at.bytes.saturating_add(self.buffer.len() as u64);
        self.buffer.clear();
        self.buffer.shrink_to(2 * WRITE_BYTES);
        let now = Instant::now();
        self.unsynced.get_or_insert(now);
        if self.unsigned_records > 0 {
            self.unsigned.get_or_insert(now);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), LedgerError> {
        self.flush()?;
        if self.unsynced.take().is_some() {
            self.tape
                .sync()
                .map_err(|error| self.failed("sync", &error))?;
        }
        Ok(())
    }

    /// Puts the last checkpoint aside, but not so often that it costs the callers anything.
    fn renew_head(&mut self) -> Result<(), LedgerError> {
        if self.is_due(self.head.written, self.settings.interval) {
            self.write_head()?;
        }
        Ok(())
    }

    /// Only after a sync: the head never names a line that a crash could take.
    fn write_head(&mut self) -> Result<(), LedgerError> {
        if self.head.line.is_empty() {
            return Ok(());
        }
        segment::replace(&self.dir, segment::HEAD, &self.head.line)
            .map_err(|error| LedgerError::io("write", &self.dir.join(segment::HEAD), &error))?;
        self.head.line.clear();
        self.head.written = Some(Instant::now());
        Ok(())
    }

    /// When something has to be done even if nobody appends.
    fn deadline(&self) -> Option<Instant> {
        let sync = self.unsynced.map(|since| since + self.settings.interval);
        let sign = self
            .unsigned
            .map(|since| since + self.settings.checkpoint_time);
        match (sync, sign) {
            (Some(sync), Some(sign)) => Some(sync.min(sign)),
            (sync, sign) => sync.or(sign),
        }
    }

    fn is_due(&self, since: Option<Instant>, time: std::time::Duration) -> bool {
        since.is_some_and(|since| since.elapsed() >= time)
    }

    fn failed(&self, action: &'static str, error: &io::Error) -> LedgerError {
        let path = self.dir.join(segment::plain_name(self.at.segment));
        LedgerError::io(action, &path, error)
    }
}

/// The time a canonical record states, read from its first member.
pub(super) fn time_of(record: &[u8]) -> u64 {
    let digits = record.strip_prefix(RECORD_HEAD).unwrap_or_default();
    digits
        .iter()
        .take_while(|digit| digit.is_ascii_digit())
        .fold(0u64, |value, digit| {
            value
                .saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'))
        })
}

fn recovery_event(at: &Resume, torn: &Torn) -> Record<'static> {
    let name = torn.file.file_name().unwrap_or_default().to_string_lossy();
    let detail = format!(
        "{} bytes of an unfinished line were moved to `{name}`",
        torn.bytes
    );
    Record {
        // Nobody has told the time yet; the newest record's is the nearest that is known.
        at_ms: at.at_ms,
        id: format!("ledger-recovered-{}", at.link.seq).into(),
        kind: Kind::Event,
        verdict: Verdict::Allowed,
        event: Some(Event {
            name: "ledger.recovered".into(),
            detail: Some(detail.into()),
            ..Event::default()
        }),
        ..Record::default()
    }
}
