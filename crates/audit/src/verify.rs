//! Verifies a ledger with nothing but its files and a public key.
//!
//! Every line's hash, its number, its link to the line before and every signature are checked, and
//! that the chain reaches as far as the last checkpoint that was put aside. Segments are checked
//! side by side and then joined.

use crate::digest::Hash;
use crate::key::PublicKey;
use crate::line::{Line, Link, Piece};
use crate::reader::{Lines, Step};
use crate::segment::{self, Found, HEAD, LOCK, Source};
use crate::walk::{Flaw, Walk, read_checkpoint};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What a sound ledger holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// How many records.
    pub records: u64,
    /// How many checkpoints, every one of them signed.
    pub checkpoints: u64,
    /// How many segments.
    pub segments: u64,
    /// The first line.
    pub first: Option<Point>,
    /// The last line.
    pub last: Option<Point>,
    /// How many records came after the last checkpoint, and so are chained but not yet signed.
    pub unsealed_tail: u64,
    /// How many bytes of a line stand at the end that is being written right now.
    pub torn_tail: u64,
}

/// One line of a chain.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Point {
    /// Its number.
    pub seq: u64,
    /// Its hash, in lower-case hexadecimal.
    pub hash: String,
}

/// Where a ledger is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{} {what}", place(segment, *line), after(*seq))]
pub struct Broken {
    /// The file.
    pub segment: String,
    /// The line in it, from one; 0 when it is about the whole file.
    pub line: u64,
    /// The last line's number before the break, if there is one.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: Flaw,
}

impl Broken {
    pub(crate) fn file(name: impl Into<String>, what: Flaw) -> Self {
        Self {
            segment: name.into(),
            line: 0,
            seq: None,
            what,
        }
    }

    pub(crate) fn io(name: impl Into<String>, error: &io::Error) -> Self {
        Self::file(name, Flaw::Io(error.to_string()))
    }
}

/// Verifies the ledger in `dir`.
///
/// A ledger that is being written at the same time verifies as far as it is written.
pub fn verify(dir: &Path, key: &PublicKey) -> Result<Report, Broken> {
    // In this order: what is written while we look only makes the chain longer than the head says.
    let is_live = is_live(dir);
    let head = read_head(dir, key)?;
    let found = segment::list(dir).map_err(|error| Broken::io("ledger", &error))?;
    let stretches = measure_all(dir, key, &found, head.as_ref())?;
    join(&stretches, head.as_ref(), is_live)
}

/// The last checkpoint that was put aside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) link: Link,
    pub(crate) segment: u32,
}

/// Reads the head; nothing if there is none.
pub(crate) fn read_head(dir: &Path, key: &PublicKey) -> Result<Option<Head>, Broken> {
    let bytes = match fs::read(dir.join(HEAD)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| Broken::io(HEAD, &error))?,
    };
    let broken = |what| Broken::file(HEAD, what);
    let line = bytes
        .strip_suffix(b"\n")
        .and_then(Line::parse)
        .filter(Line::has_its_hash)
        .ok_or_else(|| broken(Flaw::Head))?;
    let Piece::Checkpoint { said, signature } = line.piece else {
        return Err(broken(Flaw::Head));
    };
    let checkpoint = read_checkpoint(&line, said, signature, key).map_err(broken)?;
    Ok(Some(Head {
        link: line.link(),
        segment: checkpoint.segment,
    }))
}

/// What one segment turned out to be.
#[derive(Debug)]
struct Stretch {
    number: u32,
    first: Option<(Hash, Link)>,
    last: Option<Link>,
    records: u64,
    checkpoints: u64,
    unsigned: u64,
    is_sealed: bool,
    torn: u64,
}

fn measure_all(
    dir: &Path,
    key: &PublicKey,
    found: &[Found],
    head: Option<&Head>,
) -> Result<Vec<Stretch>, Broken> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let workers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(found.len())
        .min(8);
    thread::scope(|scope| {
        // This thread only waits, so even a single worker is a thread of its own.
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(one) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let stretch = measure(dir, key, *one, head);
                    let failed = stretch.is_err();
                    results
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((one.number, stretch));
                    if failed {
                        next.store(found.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, stretch)| stretch).collect()
}

fn measure(
    dir: &Path,
    key: &PublicKey,
    one: Found,
    head: Option<&Head>,
) -> Result<Stretch, Broken> {
    let number = one.number;
    let name = if one.plain {
        segment::plain_name(number)
    } else {
        segment::packed_name(number)
    };
    let failed = |error: io::Error| Broken::io(name.clone(), &error);
    if one.packed {
        let packed = segment::packed_name(number);
        match segment::has_our_head(dir, number) {
            Ok(true) => {}
            Ok(false) => return Err(Broken::file(packed, Flaw::Compressed)),
            Err(error) => return Err(Broken::io(packed, &error)),
        }
    }
    let source = Source::open(dir, number, 0).map_err(failed)?;
    let link = (number == 1).then_some(Link::START);
    let mut lines = Lines::new(source, 0);
    let mut walk = Walk::new(key, number, link);
    let mut count = 0u64;
    let torn = loop {
        let step = lines.advance().map_err(failed)?;
        count = count.saturating_add(1);
        let broken = |walk: &Walk<'_>, what| Broken {
            segment: name.clone(),
            line: count,
            seq: walk.link.map(|link| link.seq),
            what,
        };
        match step {
            Step::TooLong => return Err(broken(&walk, Flaw::Unreadable)),
            Step::End { .. } => break lines.rest().len() as u64,
            Step::Line if walk.is_sealed() => return Err(broken(&walk, Flaw::Continued)),
            Step::Line => match walk.accept(lines.line()) {
                Err(what) => return Err(broken(&walk, what)),
                Ok(line) => {
                    if head.is_some_and(|head| {
                        head.link.seq == line.seq && head.link.hash != line.hash
                    }) {
                        return Err(broken(&walk, Flaw::HeadElsewhere));
                    }
                }
            },
        }
    };
    if !lines.source().is_exhausted().map_err(failed)? {
        return Err(Broken::file(name, Flaw::Compressed));
    }
    if one.plain && one.packed && !forms_agree(dir, number) {
        return Err(Broken::file(name, Flaw::Differs));
    }
    Ok(Stretch {
        number,
        first: walk.first,
        last: walk.link.filter(|_| walk.first.is_some()),
        records: walk.records,
        checkpoints: walk.checkpoints,
        unsigned: walk.unsigned,
        is_sealed: walk.is_sealed(),
        torn,
    })
}

/// The plain form may be replaced by the compressed one while we compare.
fn forms_agree(dir: &Path, number: u32) -> bool {
    match segment::forms_agree(dir, number) {
        Ok(agree) => agree,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn join(stretches: &[Stretch], head: Option<&Head>, is_live: bool) -> Result<Report, Broken> {
    let mut report = Report {
        records: 0,
        checkpoints: 0,
        segments: stretches.len() as u64,
        first: None,
        last: None,
        unsealed_tail: 0,
        torn_tail: 0,
    };
    let mut link = Link::START;
    for (stretch, expected) in stretches.iter().zip(1u32..) {
        if stretch.number != expected {
            return Err(Broken::file(
                segment::plain_name(expected),
                Flaw::SegmentMissing,
            ));
        }
        let is_last = stretches.len() as u64 == u64::from(expected);
        check_stretch(stretch, link, is_last, is_live)?;
        report.records = report.records.saturating_add(stretch.records);
        report.checkpoints = report.checkpoints.saturating_add(stretch.checkpoints);
        report.unsealed_tail = stretch.unsigned;
        report.torn_tail = stretch.torn;
        link = stretch.last.unwrap_or(link);
        if report.first.is_none() {
            report.first = stretch.first.map(|(_, link)| point(link));
        }
    }
    check_head(head, link, stretches)?;
    if link != Link::START {
        report.last = Some(point(link));
    }
    Ok(report)
}

fn check_stretch(
    stretch: &Stretch,
    link: Link,
    is_last: bool,
    is_live: bool,
) -> Result<(), Broken> {
    let name = segment::plain_name(stretch.number);
    let broken = |line, what| Broken {
        segment: name.clone(),
        line,
        seq: Some(link.seq),
        what,
    };
    if let Some((prev, first)) = stretch.first {
        let expected = link.seq.saturating_add(1);
        if first.seq != expected {
            let found = first.seq;
            return Err(broken(1, Flaw::Sequence { expected, found }));
        }
        if prev != link.hash {
            return Err(broken(1, Flaw::Previous));
        }
    }
    if stretch.torn > 0 && !(is_last && is_live) {
        return Err(broken(0, Flaw::Torn));
    }
    if !is_last && !stretch.is_sealed {
        return Err(broken(0, Flaw::Unsealed));
    }
    Ok(())
}

fn check_head(head: Option<&Head>, last: Link, stretches: &[Stretch]) -> Result<(), Broken> {
    match head {
        // The first line is written before the first head.
        None if last.seq > 1 => Err(Broken::file(HEAD, Flaw::Head)),
        None => Ok(()),
        Some(head) if head.link.seq > last.seq => {
            let number = stretches.last().map_or(1, |stretch| stretch.number);
            Err(Broken {
                segment: segment::plain_name(number),
                line: 0,
                seq: Some(last.seq),
                what: Flaw::Truncated { seq: head.link.seq },
            })
        }
        Some(_) => Ok(()),
    }
}

/// Whether another process holds the ledger open right now.
fn is_live(dir: &Path) -> bool {
    File::open(dir.join(LOCK))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

fn point(link: Link) -> Point {
    Point {
        seq: link.seq,
        hash: link.hash.to_string(),
    }
}

fn place(segment: &str, line: u64) -> String {
    match line {
        0 => format!("`{segment}`"),
        line => format!("`{segment}`, line {line}"),
    }
}

fn after(seq: Option<u64>) -> String {
    seq.map_or_else(String::new, |seq| format!(" (after number {seq})"))
}

#[cfg(test)]
mod tests;
