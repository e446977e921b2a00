//! Follows a ledger that is being written, line by line. It never waits: whoever follows decides
//! when to look again.

use crate::err::ReadError;
use crate::reader::{Entry, Position, Reader, segment_of};
use std::path::Path;

/// Where following begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With the line after this number.
    After(u64),
    /// With what comes from now on.
    End,
    /// With the first line.
    Start,
}

/// Reads the lines of a ledger as they come.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    after: u64,
}

impl Follower {
    /// Follows the ledger in `dir`.
    pub fn open(dir: &Path, from: From) -> Result<Self, ReadError> {
        let (position, after) = match from {
            From::After(seq) => (segment_of(dir, seq.saturating_add(1))?, seq),
            From::End => (segment_of(dir, u64::MAX)?, 0),
            From::Start => (Position::START, 0),
        };
        let mut reader = Reader::at(dir, position);
        if from == From::End {
            while reader.advance()? {}
        }
        Ok(Self { reader, after })
    }

    /// The next line, or nothing if there is none yet.
    pub fn poll(&mut self) -> Result<Option<Entry>, ReadError> {
        while self.reader.advance()? {
            let entry = self.reader.entry()?;
            if entry.seq > self.after {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Content;
    use crate::sample::{Sample, append, small};

    fn drain(follower: &mut Follower) -> Vec<String> {
        let mut ids = Vec::new();
        while let Some(entry) = follower.poll().unwrap() {
            if let Content::Record(record) = entry.content {
                ids.push(record.id.into_owned());
            }
        }
        ids
    }

    #[test]
    fn sees_every_record_once_across_segments() {
        let sample = Sample::new();
        let ledger = sample.open(small());
        let mut follower = Follower::open(&sample.path(), From::Start).unwrap();
        let mut seen = Vec::new();
        for number in 1..=60 {
            append(&ledger, [number]);
            if number % 7 == 0 {
                seen.extend(drain(&mut follower));
            }
        }
        seen.extend(drain(&mut follower));
        let expected: Vec<_> = (1..=60).map(|number| format!("call-{number}")).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn begins_where_it_is_told() {
        let sample = Sample::new();
        let ledger = sample.open(small());
        append(&ledger, 1..=20);
        let last = Follower::open(&sample.path(), From::Start).and_then(|mut all| {
            let mut last = 0;
            while let Some(entry) = all.poll()? {
                last = entry.seq;
            }
            Ok(last)
        });
        let mut end = Follower::open(&sample.path(), From::End).unwrap();
        let mut after = Follower::open(&sample.path(), From::After(last.unwrap())).unwrap();
        assert!(drain(&mut end).is_empty() && drain(&mut after).is_empty());
        append(&ledger, [21]);
        assert_eq!(drain(&mut end), ["call-21"]);
        assert_eq!(drain(&mut after), ["call-21"]);
        let mut middle = Follower::open(&sample.path(), From::After(10)).unwrap();
        assert_eq!(middle.poll().unwrap().unwrap().seq, 11);
    }

    #[test]
    fn an_empty_directory_has_nothing_to_follow() {
        let dir = tempfile::tempdir().unwrap();
        for from in [From::Start, From::End, From::After(3)] {
            let mut follower = Follower::open(dir.path(), from).unwrap();
            assert!(follower.poll().unwrap().is_none());
        }
    }
}
