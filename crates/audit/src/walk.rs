//! A walk along the chain: whether each line is the one that belongs after the line before, and
//! what is wrong if it is not.

use crate::checkpoint::{Cause, Checkpoint};
use crate::digest::Hash;
use crate::key::PublicKey;
use crate::line::{Line, Link, Piece, signed_bytes};

/// A walk along the chain that accepts one line after the other.
#[derive(Debug)]
pub(crate) struct Walk<'k> {
    key: &'k PublicKey,
    segment: u32,
    pub(crate) link: Option<Link>,
    /// The first line, and the hash it names as the one before it.
    pub(crate) first: Option<(Hash, Link)>,
    pub(crate) records: u64,
    pub(crate) checkpoints: u64,
    /// The last checkpoint so far, and how many records came after it.
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) unsigned: u64,
}

impl<'k> Walk<'k> {
    /// A walk along a segment. Without `link` the first line is believed where it says it stands.
    pub(crate) fn new(key: &'k PublicKey, segment: u32, link: Option<Link>) -> Self {
        Self {
            key,
            segment,
            link,
            first: None,
            records: 0,
            checkpoints: 0,
            checkpoint: None,
            unsigned: 0,
        }
    }

    /// Goes on to the next segment.
    pub(crate) fn enter(&mut self, segment: u32) {
        self.segment = segment;
    }

    /// Whether the last line was the end of its segment.
    pub(crate) fn is_sealed(&self) -> bool {
        self.unsigned == 0
            && (self.checkpoint.as_ref()).is_some_and(|said| said.cause == Cause::Segment)
    }

    /// Accepts the next line, or says what is wrong with it.
    pub(crate) fn accept<'l>(&mut self, bytes: &'l [u8]) -> Result<Line<'l>, Flaw> {
        let line = Line::parse(bytes).ok_or(Flaw::Unreadable)?;
        if !line.has_its_hash() {
            return Err(Flaw::Hash);
        }
        if let Some(link) = &self.link {
            let expected = link.seq.saturating_add(1);
            if line.seq != expected {
                let found = line.seq;
                return Err(Flaw::Sequence { expected, found });
            }
            if line.prev != link.hash {
                return Err(Flaw::Previous);
            }
        }
        match line.piece {
            Piece::Record(_) => {
                self.records = self.records.saturating_add(1);
                self.unsigned = self.unsigned.saturating_add(1);
            }
            Piece::Checkpoint { said, signature } => {
                let checkpoint = self.accept_checkpoint(&line, said, signature)?;
                self.checkpoint = Some(checkpoint);
                self.checkpoints = self.checkpoints.saturating_add(1);
                self.unsigned = 0;
            }
        }
        self.first.get_or_insert((line.prev, line.link()));
        self.link = Some(line.link());
        Ok(line)
    }

    fn accept_checkpoint(
        &self,
        line: &Line<'_>,
        said: &[u8],
        signature: &[u8],
    ) -> Result<Checkpoint, Flaw> {
        let checkpoint = read_checkpoint(line, said, signature, self.key)?;
        if checkpoint.segment != self.segment {
            return Err(Flaw::Segment {
                said: checkpoint.segment,
            });
        }
        Ok(checkpoint)
    }
}

/// Reads what a checkpoint says and checks its signature, not its place in the chain.
pub(crate) fn read_checkpoint(
    line: &Line<'_>,
    said: &[u8],
    signature: &[u8],
    key: &PublicKey,
) -> Result<Checkpoint, Flaw> {
    let checkpoint: Checkpoint = serde_json::from_slice(said).map_err(|_| Flaw::Unreadable)?;
    if checkpoint.key != key.id() {
        return Err(Flaw::Key {
            said: checkpoint.key.to_string(),
        });
    }
    if !key.verifies(&signed_bytes(&line.hash), signature) {
        return Err(Flaw::Signature);
    }
    Ok(checkpoint)
}

/// What is wrong with a line or a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The compressed form is damaged, or carries more than it should.
    #[error("is not the compressed segment that was written")]
    Compressed,
    /// Lines follow the end of the segment.
    #[error("goes on after the segment's last line")]
    Continued,
    /// A segment is there twice, with two contents.
    #[error("is there twice, compressed and not, and the two differ")]
    Differs,
    /// The line was changed.
    #[error("was changed: the line does not have the hash it states")]
    Hash,
    /// The file of the last checkpoint is missing or not a checkpoint.
    #[error("is missing or damaged, so lines may have been cut off unseen")]
    Head,
    /// The last checkpoint is another one in the chain.
    #[error("names a checkpoint that is not in the chain")]
    HeadElsewhere,
    /// The system could not read it.
    #[error("cannot be read: {0}")]
    Io(String),
    /// Another key signed it.
    #[error("was signed by another key, `{said}`")]
    Key {
        /// The key it names.
        said: String,
    },
    /// The line names another line as the one before it.
    #[error("does not continue the line before it")]
    Previous,
    /// It stands in another segment than it says.
    #[error("belongs to segment {said}")]
    Segment {
        /// The segment it names.
        said: u32,
    },
    /// A whole file is gone.
    #[error("is missing")]
    SegmentMissing,
    /// Lines were removed, added or moved.
    #[error("has number {found} where {expected} belongs: lines were removed, added or moved")]
    Sequence {
        /// The number that belongs here.
        expected: u64,
        /// The number that stands here.
        found: u64,
    },
    /// The signature is not the key's.
    #[error("is not signed by the key it names")]
    Signature,
    /// The file ends inside a line.
    #[error("ends in the middle of a line")]
    Torn,
    /// The chain ends before a checkpoint that was signed.
    #[error("was cut off: line {seq} was signed and is not there")]
    Truncated {
        /// The number of the signed line.
        seq: u64,
    },
    /// It is not a line of a ledger.
    #[error("is not a line of a ledger")]
    Unreadable,
    /// Another segment follows, but this one was not brought to its end.
    #[error("does not end with the segment's last line")]
    Unsealed,
}
