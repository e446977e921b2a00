//! Reads the lines of a ledger, one after the other and across its segments, also while it is
//! being written. It takes lines apart but does not verify them; that is [`crate::verify`]'s.

use crate::checkpoint::Checkpoint;
use crate::err::ReadError;
use crate::line::{LINE_BYTES_MAX, Line, Piece};
use crate::record::OwnedRecord;
use crate::segment::{self, Source};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const CHUNK_BYTES: usize = 256 << 10;

/// One line of the ledger, for people and programs that read it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// Its hash, in lower-case hexadecimal.
    pub hash: String,
    /// The line itself, as it stands in the ledger.
    pub line: String,
    /// What it carries.
    pub content: Content,
}

/// What a line carries.
#[derive(Clone, Debug)]
pub enum Content {
    /// A signed statement about the lines before it.
    Checkpoint(Checkpoint),
    /// A record.
    Record(Box<OwnedRecord>),
    /// A line of a later version, which this one cannot explain.
    Unknown,
}

/// A place between two lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) segment: u32,
    /// Bytes from the start of the segment's plain form.
    pub(crate) offset: u64,
}

impl Position {
    /// Before the first line.
    pub(crate) const START: Position = Position {
        segment: 1,
        offset: 0,
    };
}

/// Reads lines across segments.
#[derive(Debug)]
pub(crate) struct Reader {
    dir: PathBuf,
    /// Before the line that was read last.
    here: Position,
    lines: Option<Lines<Source>>,
    /// The next segment was there before we read on, so the end of this one is final.
    is_final: bool,
}

impl Reader {
    pub(crate) fn at(dir: &Path, position: Position) -> Self {
        Self {
            dir: dir.to_owned(),
            here: position,
            lines: None,
            is_final: false,
        }
    }

    /// Where the line begins that was read last.
    pub(crate) fn position(&self) -> Position {
        self.here
    }

    /// Where the next line begins.
    pub(crate) fn next_position(&self) -> Position {
        match &self.lines {
            Some(lines) => Position {
                segment: self.here.segment,
                offset: lines.offset(),
            },
            None => self.here,
        }
    }

    /// Reads the next line; `false` at the end, which may move while somebody writes.
    pub(crate) fn advance(&mut self) -> Result<bool, ReadError> {
        loop {
            let segment = self.here.segment;
            let lines = match &mut self.lines {
                Some(lines) => lines,
                empty => match Source::open(&self.dir, segment, self.here.offset) {
                    Ok(source) => empty.insert(Lines::new(source, self.here.offset)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                    Err(error) => return Err(io_error(segment, error)),
                },
            };
            match lines.advance().map_err(|error| io_error(segment, error))? {
                Step::Line => {
                    self.here.offset = lines.start();
                    return Ok(true);
                }
                Step::TooLong => return Err(self.line_error()),
                Step::End { torn } if self.is_final => {
                    if torn {
                        return Err(self.line_error());
                    }
                    self.here = Position {
                        segment: segment.saturating_add(1),
                        offset: 0,
                    };
                    self.lines = None;
                    self.is_final = false;
                }
                Step::End { .. } => {
                    if !segment::exists(&self.dir, segment.saturating_add(1)) {
                        return Ok(false);
                    }
                    self.is_final = true;
                }
            }
        }
    }

    /// The line that [`Reader::advance`] found, without its line break.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.lines.as_ref().map_or(&[], Lines::line)
    }

    /// The same line, taken apart.
    pub(crate) fn line(&self) -> Result<Line<'_>, ReadError> {
        Line::parse(self.bytes()).ok_or_else(|| self.line_error())
    }

    /// The same line, in full.
    pub(crate) fn entry(&self) -> Result<Entry, ReadError> {
        let line = self.line()?;
        let content = match line.piece {
            Piece::Checkpoint { said, .. } => serde_json::from_slice(said).map(Content::Checkpoint),
            Piece::Record(record) => {
                serde_json::from_slice(record).map(|record| Content::Record(Box::new(record)))
            }
        };
        Ok(Entry {
            seq: line.seq,
            hash: line.hash.to_string(),
            line: String::from_utf8_lossy(self.bytes()).into_owned(),
            content: content.unwrap_or(Content::Unknown),
        })
    }

    fn line_error(&self) -> ReadError {
        let position = self.next_position();
        ReadError::Line {
            file: segment::plain_name(position.segment),
            offset: position.offset,
        }
    }
}

/// Where the lines from number `seq` on begin: the start of the segment that holds it.
pub(crate) fn segment_of(dir: &Path, seq: u64) -> Result<Position, ReadError> {
    let found = segment::list(dir).map_err(|error| io_error(1, error))?;
    for one in found.iter().rev() {
        let position = Position {
            segment: one.number,
            offset: 0,
        };
        let mut reader = Reader::at(dir, position);
        if reader.advance()? && reader.line()?.seq <= seq {
            return Ok(position);
        }
    }
    Ok(Position::START)
}

/// What came next in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A line.
    Line,
    /// The end, for now; `torn` if bytes without a line break stand before it.
    End { torn: bool },
    /// More bytes without a line break than a line can have.
    TooLong,
}

/// Cuts a stream into lines with one buffer, whose size is bounded by the longest line.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    /// The current line, without its line break.
    line: std::ops::Range<usize>,
    /// Where the next line begins, and where the bytes end that were read.
    next: usize,
    end: usize,
    /// Up to here there is no line break after `next`.
    searched: usize,
    /// Where `buffer` begins in the stream.
    base: u64,
}

impl<R: Read> Lines<R> {
    /// Lines of a stream that is already `offset` bytes on.
    pub(crate) fn new(source: R, offset: u64) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK_BYTES],
            line: 0..0,
            next: 0,
            end: 0,
            searched: 0,
            base: offset,
        }
    }

    /// The current line, without its line break.
    pub(crate) fn line(&self) -> &[u8] {
        self.buffer.get(self.line.clone()).unwrap_or_default()
    }

    /// Where the current line begins in the stream.
    pub(crate) fn start(&self) -> u64 {
        self.base.saturating_add(self.line.start as u64)
    }

    /// Where the next line begins in the stream.
    pub(crate) fn offset(&self) -> u64 {
        self.base.saturating_add(self.next as u64)
    }

    /// The bytes after the last line break that were read so far.
    pub(crate) fn rest(&self) -> &[u8] {
        self.buffer.get(self.next..self.end).unwrap_or_default()
    }

    pub(crate) fn source(&mut self) -> &mut R {
        &mut self.source
    }

    pub(crate) fn advance(&mut self) -> io::Result<Step> {
        loop {
            let unsearched = self.buffer.get(self.searched..self.end).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', unsearched) {
                let end = self.searched.saturating_add(at);
                self.line = self.next..end;
                self.next = end.saturating_add(1);
                self.searched = self.next;
                return Ok(Step::Line);
            }
            self.searched = self.end;
            if self.end.saturating_sub(self.next) > LINE_BYTES_MAX {
                return Ok(Step::TooLong);
            }
            if self.fill()? == 0 {
                let torn = self.end > self.next;
                return Ok(Step::End { torn });
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        // The current line is given up here: what is kept begins with the next one.
        self.buffer.copy_within(self.next..self.end, 0);
        self.base = self.base.saturating_add(self.next as u64);
        self.end = self.end.saturating_sub(self.next);
        self.searched = self.searched.saturating_sub(self.next);
        self.next = 0;
        self.line = 0..0;
        if self.end == self.buffer.len() {
            let grown = self.buffer.len().saturating_mul(2);
            self.buffer.resize(grown, 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(length) => {
                    self.end = self.end.saturating_add(length);
                    return Ok(length);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn io_error(segment: u32, source: io::Error) -> ReadError {
    ReadError::Io {
        file: segment::plain_name(segment),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, and grows between two calls.
    struct Dribble(Vec<u8>);

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(buffer.len()).min(3);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            Ok(length)
        }
    }

    #[test]
    fn cuts_lines_however_they_arrive() {
        let mut lines = Lines::new(Dribble(b"one\n\nthree\nfo".to_vec()), 100);
        let mut seen = Vec::new();
        while lines.advance().unwrap() == Step::Line {
            seen.push((lines.start(), lines.line().to_vec()));
        }
        assert_eq!(
            seen,
            [
                (100, b"one".to_vec()),
                (104, b"".to_vec()),
                (105, b"three".to_vec())
            ]
        );
        assert_eq!(lines.advance().unwrap(), Step::End { torn: true });
        assert_eq!(lines.rest(), b"fo");
        lines.source().0.extend_from_slice(b"ur\n");
        assert_eq!(lines.advance().unwrap(), Step::Line);
        assert_eq!((lines.start(), lines.line()), (111, &b"four"[..]));
        assert_eq!(lines.advance().unwrap(), Step::End { torn: false });
    }

    #[test]
    fn gives_up_on_a_line_without_end() {
        let mut lines = Lines::new(io::repeat(b'x'), 0);
        assert_eq!(lines.advance().unwrap(), Step::TooLong);
        assert!(lines.buffer.len() <= 4 * LINE_BYTES_MAX);
    }
}
