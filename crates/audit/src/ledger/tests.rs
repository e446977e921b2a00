//! Opening, appending, failing and recovering.

use super::disk::{Disk, Tape};
use super::*;
use crate::sample::{Sample, append, call, comes, record, records, small, timeless};
use crate::segment::HEAD;
use crate::verify::verify;
use crate::walk::Flaw;
use std::collections::HashMap;
use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a test can do to the disk, and see of it.
#[derive(Clone, Default)]
struct Faults {
    write: Arc<AtomicBool>,
    sync: Arc<AtomicBool>,
    syncs: Arc<AtomicU64>,
    /// Held by a test for as long as the disk is busy: no sync ends until then.
    busy: Arc<Mutex<()>>,
    /// How many bytes of each file are durable.
    durable: Arc<Mutex<HashMap<PathBuf, u64>>>,
}

struct FaultyTape {
    faults: Faults,
    path: PathBuf,
    tape: Box<dyn Tape>,
    bytes: u64,
}

impl Disk for Faults {
    fn open(&mut self, path: &Path, offset: u64) -> io::Result<Box<dyn Tape>> {
        self.durable.lock().unwrap().insert(path.to_owned(), offset);
        Ok(Box::new(FaultyTape {
            faults: self.clone(),
            path: path.to_owned(),
            tape: Files.open(path, offset)?,
            bytes: offset,
        }))
    }
}

impl Tape for FaultyTape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.faults.write.load(Ordering::Relaxed) {
            // Like a full disk: some of it is written, then it is over.
            self.tape.write(&bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes += bytes.len() as u64;
        self.tape.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.faults.sync.load(Ordering::Relaxed) {
            return Err(io::Error::other("the device is gone"));
        }
        drop(self.faults.busy.lock().unwrap());
        self.faults.syncs.fetch_add(1, Ordering::Relaxed);
        self.faults
            .durable
            .lock()
            .unwrap()
            .insert(self.path.clone(), self.bytes);
        self.tape.sync()
    }
}

fn open_on(sample: &Sample, settings: Settings, faults: &Faults) -> Ledger {
    Ledger::open_on(
        &sample.path(),
        settings,
        sample.key(),
        Box::new(faults.clone()),
    )
    .unwrap()
}

fn reopen(sample: &Sample) -> Result<Ledger, LedgerError> {
    Ledger::open(&sample.path(), small(), sample.key())
}

fn broken(sample: &Sample) -> Flaw {
    match reopen(sample) {
        Err(LedgerError::Broken(broken)) => broken.what,
        other => panic!("not refused as broken: {other:?}"),
    }
}

#[test]
fn keeps_records_in_the_order_they_came() {
    let sample = Sample::closed(small(), 30);
    let expected: Vec<_> = (1..=30).map(call).collect();
    assert_eq!(records(&sample.path()), expected);
}

#[test]
fn goes_on_where_it_was_closed() {
    let sample = Sample::closed(small(), 5);
    let ledger = reopen(&sample).unwrap();
    assert_eq!((ledger.opened().records, &ledger.opened().torn), (5, &None));
    append(&ledger, 6..=9);
    ledger.close().unwrap();
    assert_eq!(verify(&sample.path(), &sample.public()).unwrap().records, 9);
}

#[test]
fn many_threads_append_at_once_and_share_syncs() {
    let sample = Sample::new();
    let faults = Faults::default();
    let ledger = open_on(&sample, Settings::default(), &faults);
    // Half of the records come while the disk is busy, whenever which thread runs: they wait for it together.
    let busy = faults.busy.lock().unwrap();
    let handed_over = Barrier::new(16 + 1);
    std::thread::scope(|scope| {
        for thread in 0..16u64 {
            let (ledger, handed_over) = (&ledger, &handed_over);
            scope.spawn(move || {
                let first = thread * 1000;
                let waiting: Vec<_> = (first..first + 25)
                    .map(|number| ledger.append(record(number), Durability::BeforeAnswer))
                    .collect();
                handed_over.wait();
                for appended in waiting {
                    appended.wait().unwrap();
                }
                append(ledger, first + 25..first + 50);
            });
        }
        handed_over.wait();
        drop(busy);
    });
    ledger.close().unwrap();
    let syncs = faults.syncs.load(Ordering::Relaxed);
    assert!(syncs < 420, "{syncs} syncs for 800 records");
    let report = verify(&sample.path(), &sample.public()).unwrap();
    assert_eq!((report.records, report.unsealed_tail), (800, 0));
}

#[test]
fn interval_records_are_written_when_it_is_closed() {
    let sample = Sample::new();
    let ledger = sample.open(Settings {
        interval: Duration::from_secs(3600),
        ..Settings::default()
    });
    for number in 1..=10 {
        ledger
            .append(record(number), Durability::Interval)
            .wait()
            .unwrap();
    }
    ledger.close().unwrap();
    assert_eq!(sample.ids().len(), 10);
}

#[test]
fn interval_records_are_synced_and_signed_without_anybody_asking() {
    let sample = Sample::new();
    let faults = Faults::default();
    let brief = Duration::from_millis(1);
    let ledger = open_on(
        &sample,
        Settings {
            interval: brief,
            checkpoint_time: brief,
            ..Settings::default()
        },
        &faults,
    );
    ledger
        .append(record(1), Durability::Interval)
        .wait()
        .unwrap();
    comes(|| verify(&sample.path(), &sample.public()).is_ok_and(|report| report.checkpoints == 2));
    // A line can be read a moment before it is synced.
    comes(|| faults.syncs.load(Ordering::Relaxed) >= 2);
}

#[test]
fn refuses_a_second_writer() {
    let sample = Sample::new();
    let ledger = sample.open(small());
    let refused = reopen(&sample);
    assert!(
        matches!(refused, Err(LedgerError::Locked { .. })),
        "{refused:?}"
    );
    drop(ledger);
    reopen(&sample).unwrap();
}

#[test]
fn refuses_bytes_that_would_break_a_line() {
    let sample = Sample::new();
    let ledger = sample.open(small());
    for bytes in [
        "",
        "{}",
        "{\"at_ms\":1,\n}",
        "{\"at_ms\":1}\n",
        "{\"id\":\"a\"}",
        "{\"at_ms\":1",
    ] {
        let refused = ledger.append(bytes.into(), Durability::BeforeAnswer).wait();
        assert!(
            matches!(refused, Err(LedgerError::NotRecord { .. })),
            "{bytes}"
        );
    }
    let mut large = b"{\"at_ms\":1,\"id\":\"".to_vec();
    large.resize(RECORD_BYTES_MAX, b'x');
    large.extend_from_slice(b"\"}");
    let refused = ledger.append(large, Durability::BeforeAnswer).wait();
    assert!(matches!(refused, Err(LedgerError::NotRecord { .. })));
    ledger.close().unwrap();
    assert_eq!(verify(&sample.path(), &sample.public()).unwrap().records, 0);
}

#[test]
fn accepts_nothing_once_closed() {
    let sample = Sample::new();
    let ledger = sample.open(small());
    ledger.close().unwrap();
    ledger.close().unwrap();
    let refused = ledger.append(record(1), Durability::Interval).wait();
    assert!(matches!(refused, Err(LedgerError::Closed)));
}

#[test]
fn n5_1_a_failed_write_or_sync_refuses_everything_after_it() {
    for (fault, word) in [("write", "cannot write"), ("sync", "cannot sync")] {
        let sample = Sample::new();
        let faults = Faults::default();
        let ledger = open_on(&sample, small(), &faults);
        append(&ledger, 1..=2);
        let switch = if fault == "write" {
            &faults.write
        } else {
            &faults.sync
        };
        switch.store(true, Ordering::Relaxed);
        let first = ledger
            .append(record(3), Durability::BeforeAnswer)
            .wait()
            .unwrap_err();
        assert!(first.to_string().contains(word), "{first}");
        // The disk is well again; what was lost is not known, so the ledger is not.
        switch.store(false, Ordering::Relaxed);
        for durability in [Durability::BeforeAnswer, Durability::Interval] {
            let later = ledger.append(record(4), durability).wait();
            assert!(
                matches!(later, Err(LedgerError::Failed { .. })),
                "{later:?}"
            );
        }
        assert!(ledger.health().is_err() && ledger.close().is_err());
        drop(ledger);
        reopen(&sample).unwrap().close().unwrap();
        assert!(
            sample
                .ids()
                .starts_with(&["call-1".into(), "call-2".into()])
        );
        verify(&sample.path(), &sample.public()).unwrap();
    }
}

/// The tail of a ledger that was never closed, cut at every length.
#[test]
fn n5_1_recovers_from_a_tail_torn_anywhere() {
    let sample = Sample::new();
    let ledger = sample.open(timeless());
    append(&ledger, 1..=2);
    let left = sample.crashed();
    let tail = fs::read(left.segment(1)).unwrap();
    let signed = fs::read(left.path().join(HEAD)).unwrap().len();
    for end in signed..=tail.len() {
        let crashed = left.crashed();
        fs::write(crashed.segment(1), &tail[..end]).unwrap();
        let whole = tail[signed..end]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let is_torn = !tail[..end].ends_with(b"\n");
        let ledger = reopen(&crashed).unwrap();
        assert_eq!(ledger.opened().torn.is_some(), is_torn, "cut at {end}");
        if let Some(torn) = &ledger.opened().torn {
            assert!(tail[..end].ends_with(&fs::read(&torn.file).unwrap()));
        }
        append(&ledger, [9]);
        ledger.close().unwrap();
        let ids = crashed.ids();
        assert_eq!(ids.len(), whole + usize::from(is_torn) + 1, "cut at {end}");
        assert_eq!(
            ids.iter().any(|id| id.starts_with("ledger-recovered-")),
            is_torn
        );
        verify(&crashed.path(), &crashed.public()).unwrap();
    }
}

#[test]
fn recovers_from_a_damaged_last_line_but_not_from_one_before_it() {
    let sample = Sample::new();
    let ledger = sample.open(timeless());
    append(&ledger, 1..=3);
    let left = sample.crashed();
    let content = fs::read(left.segment(1)).unwrap();
    let start_of_last = content[..content.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap();
    let damage = |at: usize| {
        let crashed = left.crashed();
        let mut damaged = content.clone();
        damaged[at] ^= 1;
        fs::write(crashed.segment(1), damaged).unwrap();
        crashed
    };
    let crashed = damage(content.len() - 10);
    assert!(reopen(&crashed).unwrap().opened().torn.is_some());
    let crashed = damage(start_of_last - 60);
    let before = fs::read(crashed.segment(1)).unwrap();
    assert_eq!(broken(&crashed), Flaw::Hash);
    assert_eq!(
        fs::read(crashed.segment(1)).unwrap(),
        before,
        "a refused ledger was touched"
    );
}

#[test]
fn recovers_from_zeros_at_the_end() {
    let sample = Sample::new();
    let ledger = sample.open(timeless());
    append(&ledger, 1..=2);
    let crashed = sample.crashed();
    let mut content = fs::read(crashed.segment(1)).unwrap();
    content.resize(content.len() + 5000, 0);
    fs::write(crashed.segment(1), content).unwrap();
    assert_eq!(
        reopen(&crashed)
            .unwrap()
            .opened()
            .torn
            .as_ref()
            .unwrap()
            .bytes,
        5000
    );
}

#[test]
fn n5_1_refuses_a_ledger_cut_below_its_last_checkpoint() {
    let sample = Sample::closed(Settings::default(), 3);
    let path = sample.segment(1);
    let content = fs::read(&path).unwrap();
    for end in 0..content.len() {
        fs::write(&path, &content[..end]).unwrap();
        assert!(
            matches!(broken(&sample), Flaw::Truncated { .. }),
            "cut at {end}"
        );
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(broken(&sample), Flaw::SegmentMissing);
    fs::write(&path, &content).unwrap();
    reopen(&sample).unwrap();
}

#[test]
fn refuses_a_ledger_without_its_head() {
    let sample = Sample::closed(small(), 3);
    let head = sample.path().join(HEAD);
    let content = fs::read(&head).unwrap();
    fs::remove_file(&head).unwrap();
    assert_eq!(broken(&sample), Flaw::Head);
    fs::write(&head, &content[..content.len() - 1]).unwrap();
    assert_eq!(broken(&sample), Flaw::Head);
    fs::write(&head, content).unwrap();
    reopen(&sample).unwrap();
}

#[test]
fn a_crash_before_the_first_head_is_no_damage() {
    let sample = Sample::new();
    sample.open(small()).close().unwrap();
    let first = fs::read(sample.segment(1)).unwrap();
    let end = first.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for end in 0..=end {
        fs::write(sample.segment(1), &first[..end]).unwrap();
        let _ = fs::remove_file(sample.path().join(HEAD));
        append(&reopen(&sample).unwrap(), [1]);
        verify(&sample.path(), &sample.public()).unwrap();
    }
}

#[test]
fn refuses_a_ledger_of_another_key() {
    let sample = Sample::closed(small(), 3);
    let refused = Ledger::open(&sample.path(), small(), SigningKey::ephemeral().unwrap());
    assert!(
        matches!(refused, Err(LedgerError::ForeignKey { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_crash_while_rolling_or_compressing_is_no_damage() {
    let sample = Sample::closed(small(), 12);
    let last = segment::list(&sample.path()).unwrap().len() as u32;
    assert!(last >= 3);
    let crashed = sample.crashed();
    // Half a compressed file, and both forms of another segment.
    fs::write(crashed.path().join("ledger-000099.jsonl.gz.tmp"), b"half").unwrap();
    if crashed.segment(2).exists() {
        crashed.pack(2);
    }
    let ledger = reopen(&crashed).unwrap();
    assert!(!crashed.path().join("ledger-000099.jsonl.gz.tmp").exists());
    append(&ledger, 13..=20);
    ledger.close().unwrap();
    assert_eq!(crashed.ids().len(), 20);
    verify(&crashed.path(), &crashed.public()).unwrap();
}

/// The next segment was not created yet, or is empty.
#[test]
fn a_crash_between_two_segments_is_no_damage() {
    let sample = Sample::new();
    let ledger = sample.open(Settings {
        segment_bytes: 1,
        ..timeless()
    });
    append(&ledger, 1..=3);
    for is_created in [true, false] {
        let crashed = sample.crashed();
        let last = segment::list(&crashed.path()).unwrap().len() as u32;
        assert_eq!(fs::read(crashed.segment(last)).unwrap(), b"");
        if !is_created {
            fs::remove_file(crashed.segment(last)).unwrap();
        }
        let ledger = reopen(&crashed).unwrap();
        append(&ledger, 4..=5);
        ledger.close().unwrap();
        assert_eq!(crashed.ids().len(), 5);
        verify(&crashed.path(), &crashed.public()).unwrap();
    }
}

/// The power goes: of what was not synced, any part may be there.
#[test]
fn n5_1_power_loss_takes_no_acknowledged_record() {
    for seed in 0..40u64 {
        let sample = Sample::new();
        let faults = Faults::default();
        let ledger = open_on(
            &sample,
            Settings {
                segment_bytes: 3000,
                checkpoint_records: 4,
                ..timeless()
            },
            &faults,
        );
        let acknowledged = 3 + seed % 11;
        append(&ledger, 1..=acknowledged);
        faults.sync.store(true, Ordering::Relaxed);
        let lost = ledger.append(record(99), Durability::BeforeAnswer).wait();
        assert!(lost.is_err());
        drop(ledger);
        for (path, durable) in faults.durable.lock().unwrap().iter() {
            if let Ok(file) = fs::OpenOptions::new().write(true).open(path) {
                let unsynced = file.metadata().unwrap().len() - durable;
                file.set_len(durable + unsynced * (seed % 8) / 8).unwrap();
            }
        }
        reopen(&sample).unwrap().close().unwrap();
        let ids = sample.ids();
        for number in 1..=acknowledged {
            assert!(
                ids.contains(&format!("call-{number}")),
                "seed {seed}: call-{number}"
            );
        }
        verify(&sample.path(), &sample.public()).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let sample = Sample::closed(small(), 12);
    sample.crashed();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&sample.path()), 0o700);
    for entry in fs::read_dir(sample.path()).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("ledger.pub") {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}
