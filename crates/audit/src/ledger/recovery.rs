//! Finding the end of a ledger again, after a close or a crash.
//!
//! A crash can leave one thing: bytes at the very end that are not a whole line. They are cut off
//! and put aside. Everything else that is not as it was written is somebody's doing or a broken
//! disk, and the ledger stays untouched for whoever looks into it.

use super::Torn;
use super::writer::{Resume, time_of};
use crate::err::LedgerError;
use crate::key::PublicKey;
use crate::line::{Line, Link, Piece};
use crate::reader::{Lines, Step};
use crate::segment::{self, Found, Source};
use crate::verify::{Broken, Head, read_head};
use crate::walk::{Flaw, Walk};
use std::fs;
use std::io;
use std::path::Path;

/// A ledger that can be written on.
pub(super) struct Recovered {
    pub(super) resume: Resume,
    pub(super) torn: Option<Torn>,
    /// Closed segments that were not compressed yet.
    pub(super) unpacked: Vec<u32>,
}

/// Finds the end of the ledger in `dir`.
pub(super) fn recover(dir: &Path, key: &PublicKey) -> Result<Recovered, LedgerError> {
    let failed = |error: io::Error| LedgerError::io("read", dir, &error);
    for half in segment::halves(dir).map_err(failed)? {
        fs::remove_file(&half).map_err(|error| LedgerError::io("remove", &half, &error))?;
    }
    let head = read_head(dir, key).map_err(|broken| owned_by(broken, key))?;
    let found = segment::list(dir).map_err(failed)?;
    check_complete(&found, head.as_ref())?;
    let Some(last) = found.last() else {
        let resume = resume(Link::START, 1, 0, 0, 0);
        return Ok(Recovered {
            resume,
            torn: None,
            unpacked: Vec::new(),
        });
    };
    let mut end = find_end(dir, key, last.number, head.as_ref())?;
    let resume = end.resume;
    if last.packed && resume.segment == last.number {
        return Err(Broken::file(segment::packed_name(last.number), Flaw::Unsealed).into());
    }
    let torn = match std::mem::take(&mut end.torn) {
        torn if torn.is_empty() => None,
        torn => Some(cut(dir, last.number, &end, &torn)?),
    };
    let unpacked = (found.iter())
        .filter(|one| one.plain && one.number < resume.segment)
        .map(|one| one.number)
        .collect();
    Ok(Recovered {
        resume,
        torn,
        unpacked,
    })
}

/// Nothing may be missing in front, and the head's own segment has to be there.
fn check_complete(found: &[Found], head: Option<&Head>) -> Result<(), LedgerError> {
    let missing = found
        .iter()
        .zip(1u32..)
        .find(|(one, expected)| one.number != *expected);
    if let Some((_, expected)) = missing {
        return Err(Broken::file(segment::plain_name(expected), Flaw::SegmentMissing).into());
    }
    match head {
        Some(head) if found.len() < head.segment as usize => {
            Err(Broken::file(segment::plain_name(head.segment), Flaw::SegmentMissing).into())
        }
        _ => Ok(()),
    }
}

struct End {
    resume: Resume,
    /// Where the last sound line of the last segment ends.
    end: u64,
    /// Bytes at the end that are not a line.
    torn: Vec<u8>,
}

/// Walks from the head's segment to the end of the last one.
fn find_end(
    dir: &Path,
    key: &PublicKey,
    last: u32,
    head: Option<&Head>,
) -> Result<End, LedgerError> {
    let start = head.map_or(1, |head| head.segment);
    let mut walk = Walk::new(key, start, (start == 1).then_some(Link::START));
    let mut seen = Seen::default();
    let mut torn = Vec::new();
    for number in start..=last {
        walk.enter(number);
        let mut lines = Lines::new(open(dir, number)?, 0);
        seen.line = 0;
        seen.end = 0;
        seen.file = segment::plain_name(number);
        torn = follow(&mut lines, &mut walk, head, &mut seen)?;
        if number < last && !(walk.is_sealed() && seen.end > 0 && torn.is_empty()) {
            return Err(seen.broken(&walk, Flaw::Unsealed).into());
        }
    }
    let link = walk.link.unwrap_or(Link::START);
    match head {
        None if link.seq > 1 => return Err(Broken::file(segment::HEAD, Flaw::Head).into()),
        Some(head) if !seen.head => {
            let seq = head.link.seq;
            return Err(seen.broken(&walk, Flaw::Truncated { seq }).into());
        }
        _ => {}
    }
    let signed = walk.checkpoint.as_ref();
    let records = signed
        .map_or(0, |said| said.records)
        .saturating_add(walk.unsigned);
    let at_ms = signed.map_or(0, |said| said.at_ms).max(seen.at_ms);
    // In an empty segment, what is sealed is the one before it.
    let resume = if walk.is_sealed() && seen.end > 0 {
        resume(link, last.saturating_add(1), 0, records, at_ms)
    } else {
        resume(link, last, seen.end, records, at_ms)
    };
    Ok(End {
        resume,
        end: seen.end,
        torn,
    })
}

/// What was seen on the way.
#[derive(Default)]
struct Seen {
    file: String,
    line: u64,
    /// Where the last sound line of this segment ends.
    end: u64,
    /// The head's checkpoint.
    head: bool,
    /// The newest time of a record.
    at_ms: u64,
}

impl Seen {
    fn broken(&self, walk: &Walk<'_>, what: Flaw) -> Broken {
        Broken {
            segment: self.file.clone(),
            line: self.line,
            seq: walk.link.map(|link| link.seq),
            what,
        }
    }
}

/// Walks along one segment. Returns the bytes at its end that a crash may have left.
fn follow(
    lines: &mut Lines<Source>,
    walk: &mut Walk<'_>,
    head: Option<&Head>,
    seen: &mut Seen,
) -> Result<Vec<u8>, LedgerError> {
    loop {
        seen.line = seen.line.saturating_add(1);
        match lines.advance() {
            Err(error) => return Err(Broken::io(seen.file.clone(), &error).into()),
            Ok(Step::TooLong) => return Err(seen.broken(walk, Flaw::Unreadable).into()),
            Ok(Step::End { .. }) => return Ok(lines.rest().to_vec()),
            Ok(Step::Line) if walk.is_sealed() && lines.start() > 0 => {
                return Err(seen.broken(walk, Flaw::Continued).into());
            }
            Ok(Step::Line) => {}
        }
        match walk.accept(lines.line()) {
            Ok(line) => note(&line, head, seen).map_err(|what| seen.broken(walk, what))?,
            Err(what @ (Flaw::Hash | Flaw::Unreadable)) => {
                return torn_from(lines, what, walk, seen);
            }
            Err(what) => return Err(seen.broken(walk, what).into()),
        }
        seen.end = lines.offset();
    }
}

fn note(line: &Line<'_>, head: Option<&Head>, seen: &mut Seen) -> Result<(), Flaw> {
    if let Piece::Record(record) = line.piece {
        seen.at_ms = seen.at_ms.max(time_of(record));
    }
    match head {
        Some(head) if head.link.seq == line.seq && head.link.hash == line.hash => {
            seen.head = true;
            Ok(())
        }
        Some(head) if head.link.seq == line.seq => Err(Flaw::HeadElsewhere),
        _ => Ok(()),
    }
}

/// A damaged line is the torn end of the file only if no sound line follows: whoever wrote that one
/// had written all of this one before.
fn torn_from(
    lines: &mut Lines<Source>,
    what: Flaw,
    walk: &Walk<'_>,
    seen: &Seen,
) -> Result<Vec<u8>, LedgerError> {
    let mut torn = lines.line().to_vec();
    torn.push(b'\n');
    loop {
        match lines.advance() {
            Err(error) => return Err(Broken::io(seen.file.clone(), &error).into()),
            Ok(Step::End { .. }) => {
                torn.extend_from_slice(lines.rest());
                return Ok(torn);
            }
            Ok(Step::Line)
                if !Line::parse(lines.line()).is_some_and(|line| line.has_its_hash()) =>
            {
                torn.extend_from_slice(lines.line());
                torn.push(b'\n');
            }
            Ok(Step::Line | Step::TooLong) => return Err(seen.broken(walk, what).into()),
        }
    }
}

/// Moves the torn end of a segment into a file of its own.
fn cut(dir: &Path, number: u32, at: &End, torn: &[u8]) -> Result<Torn, LedgerError> {
    let path = dir.join(segment::plain_name(number));
    let failed = |error: io::Error| LedgerError::io("repair", &path, &error);
    let name = format!("ledger-{number:06}-after-{}.torn", at.resume.link.seq);
    segment::replace(dir, &name, torn).map_err(failed)?;
    segment::sync_dir(dir).map_err(failed)?;
    let file = segment::private().write(true).open(&path).map_err(failed)?;
    file.set_len(at.end).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(Torn {
        bytes: torn.len() as u64,
        file: dir.join(name),
    })
}

fn open(dir: &Path, number: u32) -> Result<Source, LedgerError> {
    Source::open(dir, number, 0)
        .map_err(|error| Broken::io(segment::plain_name(number), &error).into())
}

fn owned_by(broken: Broken, key: &PublicKey) -> LedgerError {
    match broken.what {
        Flaw::Key { said } => LedgerError::ForeignKey {
            owner: said,
            given: key.id().to_string(),
        },
        _ => broken.into(),
    }
}

fn resume(link: Link, segment: u32, bytes: u64, records: u64, at_ms: u64) -> Resume {
    Resume {
        link,
        segment,
        bytes,
        records,
        at_ms,
    }
}
