//! One line of the ledger: how it is written and how it is taken apart. `docs/ledger.md` says the
//! same for readers in other languages. Whether a line is the right one is [`crate::walk`]'s.
//!
//! A line is canonical JSON, so its pieces are found by position; no value tree is built.

use crate::checkpoint::Checkpoint;
use crate::digest::Hash;
use crate::key::SigningKey;
use crate::record;

/// The largest record, in bytes of JSON.
pub const RECORD_BYTES_MAX: usize = 32 << 20;
/// The largest line: the record, and what stands around it.
pub(crate) const LINE_BYTES_MAX: usize = RECORD_BYTES_MAX + 1024;

/// Stands before the bytes of every line that are hashed. The brace belongs to the line; what
/// follows it in a record's line is the line's own bytes, without the member `hash`.
const LINE_DOMAIN: &[u8] = b"ringwall.ledger.v1\n{";
/// Stands before the hash that a checkpoint signs.
const SIGNATURE_DOMAIN: &[u8] = b"ringwall.checkpoint.v1\n";

const BEFORE_HASH: &[u8] = b"{\"hash\":\"";
const BEFORE_PREV: &[u8] = b"\"prev\":\"";
const BEFORE_RECORD: &[u8] = b"\",\"record\":";
const BEFORE_SEQ: &[u8] = b",\"seq\":";
const BEFORE_CHECKPOINT: &[u8] = b"{\"checkpoint\":";
const BEFORE_CHECKPOINT_HASH: &[u8] = b",\"hash\":\"";
const BEFORE_CHECKPOINT_SEQ: &[u8] = b"\",\"seq\":";
const BEFORE_SIGNATURE: &[u8] = b",\"signature\":\"";
const QUOTE_COMMA: &[u8] = b"\",";
const SIGNATURE_DIGITS: usize = 128;

/// The end of a chain so far: what the next line has to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
}

impl Link {
    /// Before the first line.
    pub(crate) const START: Link = Link {
        seq: 0,
        hash: Hash::NONE,
    };

    /// Appends the line of a record to `out` and moves on to it.
    pub(crate) fn write_record(&mut self, record: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(BEFORE_HASH);
        let hash_at = out.len();
        out.extend_from_slice(Hash::NONE.digits());
        out.extend_from_slice(QUOTE_COMMA);
        let body_at = out.len();
        out.extend_from_slice(BEFORE_PREV);
        out.extend_from_slice(self.hash.digits());
        out.extend_from_slice(BEFORE_RECORD);
        out.extend_from_slice(record);
        out.extend_from_slice(BEFORE_SEQ);
        self.seq = self.seq.saturating_add(1);
        record::write_whole(out, self.seq);
        out.push(b'}');
        self.hash = Hash::over(&[LINE_DOMAIN, out.get(body_at..).unwrap_or_default()]);
        if let Some(slot) = out
            .get_mut(hash_at..)
            .and_then(|rest| rest.first_chunk_mut())
        {
            *slot = *self.hash.digits();
        }
        out.push(b'\n');
    }

    /// Appends the line of a checkpoint to `out`, signed, and moves on to it.
    pub(crate) fn write_checkpoint(
        &mut self,
        checkpoint: &Checkpoint,
        key: &SigningKey,
        out: &mut Vec<u8>,
    ) {
        // A struct of numbers and plain words always serialises.
        let said = serde_json::to_vec(checkpoint).unwrap_or_default();
        let mut body = BEFORE_PREV.to_vec();
        body.extend_from_slice(self.hash.digits());
        body.extend_from_slice(BEFORE_CHECKPOINT_SEQ);
        self.seq = self.seq.saturating_add(1);
        record::write_whole(&mut body, self.seq);
        self.hash = checkpoint_hash(&said, &body);
        let signature = key.sign(&signed_bytes(&self.hash));
        out.extend_from_slice(BEFORE_CHECKPOINT);
        out.extend_from_slice(&said);
        out.extend_from_slice(BEFORE_CHECKPOINT_HASH);
        out.extend_from_slice(self.hash.digits());
        out.extend_from_slice(QUOTE_COMMA);
        out.extend_from_slice(&body);
        out.extend_from_slice(BEFORE_SIGNATURE);
        out.extend_from_slice(signature.as_bytes());
        out.extend_from_slice(b"\"}\n");
    }
}

/// A line, taken apart. Nothing about it has been checked but its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'l> {
    pub(crate) hash: Hash,
    pub(crate) prev: Hash,
    pub(crate) seq: u64,
    /// The bytes that are hashed, without the domain and the opening brace.
    body: &'l [u8],
    pub(crate) piece: Piece<'l>,
}

/// What a line carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'l> {
    Checkpoint { said: &'l [u8], signature: &'l [u8] },
    Record(&'l [u8]),
}

impl<'l> Line<'l> {
    /// Takes a line (without its line break) apart.
    pub(crate) fn parse(line: &'l [u8]) -> Option<Self> {
        match line.strip_prefix(BEFORE_HASH) {
            Some(rest) => Self::parse_record(rest),
            None => Self::parse_checkpoint(line.strip_prefix(BEFORE_CHECKPOINT)?),
        }
    }

    /// Whether the line has the hash that it states.
    pub(crate) fn has_its_hash(&self) -> bool {
        let hash = match self.piece {
            Piece::Record(_) => Hash::over(&[LINE_DOMAIN, self.body]),
            Piece::Checkpoint { said, .. } => checkpoint_hash(said, self.body),
        };
        hash == self.hash
    }

    pub(crate) fn link(&self) -> Link {
        Link {
            seq: self.seq,
            hash: self.hash,
        }
    }

    fn parse_record(rest: &'l [u8]) -> Option<Self> {
        let (hash, rest) = rest.split_first_chunk::<64>()?;
        let body = rest.strip_prefix(QUOTE_COMMA)?;
        let (prev, rest) = body.strip_prefix(BEFORE_PREV)?.split_first_chunk::<64>()?;
        let (rest, seq) = split_number(rest.strip_prefix(BEFORE_RECORD)?.strip_suffix(b"}")?)?;
        let record = rest.strip_suffix(BEFORE_SEQ)?;
        if !(record.starts_with(b"{") && record.ends_with(b"}")) {
            return None;
        }
        Some(Self {
            hash: Hash::from_digits(*hash),
            prev: Hash::from_digits(*prev),
            seq,
            body,
            piece: Piece::Record(record),
        })
    }

    /// From the end, where everything but the number has a fixed length.
    fn parse_checkpoint(rest: &'l [u8]) -> Option<Self> {
        let rest = rest.strip_suffix(b"\"}")?;
        let (rest, signature) = rest.split_at_checked(rest.len().checked_sub(SIGNATURE_DIGITS)?)?;
        let unsigned = rest.strip_suffix(BEFORE_SIGNATURE)?;
        let (rest, seq) = split_number(unsigned)?;
        let (rest, prev) = rest
            .strip_suffix(BEFORE_CHECKPOINT_SEQ)?
            .split_last_chunk::<64>()?;
        let rest = rest.strip_suffix(BEFORE_PREV)?;
        let body = unsigned.get(rest.len()..)?;
        let (rest, hash) = rest.strip_suffix(QUOTE_COMMA)?.split_last_chunk::<64>()?;
        let said = rest.strip_suffix(BEFORE_CHECKPOINT_HASH)?;
        Some(Self {
            hash: Hash::from_digits(*hash),
            prev: Hash::from_digits(*prev),
            seq,
            body,
            piece: Piece::Checkpoint { said, signature },
        })
    }
}

fn checkpoint_hash(said: &[u8], body: &[u8]) -> Hash {
    let name = BEFORE_CHECKPOINT.strip_prefix(b"{").unwrap_or_default();
    Hash::over(&[LINE_DOMAIN, name, said, b",", body, b"}"])
}

pub(crate) fn signed_bytes(hash: &Hash) -> Vec<u8> {
    let mut bytes = SIGNATURE_DOMAIN.to_vec();
    bytes.extend_from_slice(hash.digits());
    bytes
}

/// Splits a decimal number without leading zeros off the end.
fn split_number(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let start = bytes
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())?
        .checked_add(1)?;
    let (rest, digits) = bytes.split_at_checked(start)?;
    if digits.is_empty() || digits.len() > 19 || digits.starts_with(b"0") {
        return None;
    }
    let value = digits.iter().try_fold(0u64, |value, digit| {
        value
            .checked_mul(10)?
            .checked_add(u64::from(digit.checked_sub(b'0')?))
    })?;
    Some((rest, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Cause;
    use crate::walk::{Flaw, Walk};

    fn ledger(key: &SigningKey) -> Vec<u8> {
        let mut link = Link::START;
        let mut out = Vec::new();
        let checkpoint = Checkpoint {
            at_ms: 0,
            cause: Cause::Begin,
            key: key.public().id(),
            records: 0,
            segment: 1,
        };
        link.write_checkpoint(&checkpoint, key, &mut out);
        link.write_record(br#"{"at_ms":1,"id":"a"}"#, &mut out);
        link.write_record(br#"{"at_ms":2,"id":",\"seq\":9}"}"#, &mut out);
        out
    }

    #[test]
    fn walks_along_what_was_written() {
        let key = SigningKey::ephemeral().unwrap();
        let public = key.public();
        let mut walk = Walk::new(&public, 1, Some(Link::START));
        for line in ledger(&key)
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            walk.accept(line).unwrap();
        }
        assert_eq!((walk.records, walk.checkpoints, walk.unsigned), (2, 1, 2));
    }

    #[test]
    fn every_line_is_canonical_json() {
        let key = SigningKey::ephemeral().unwrap();
        for line in ledger(&key)
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let value: serde_json::Value = serde_json::from_slice(line).unwrap();
            assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), line);
        }
    }

    /// What `docs/ledger.md` says, done by a general JSON library.
    #[test]
    fn hash_is_over_the_line_without_hash_and_signature() {
        let key = SigningKey::ephemeral().unwrap();
        for line in ledger(&key)
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let mut value: serde_json::Value = serde_json::from_slice(line).unwrap();
            let members = value.as_object_mut().unwrap();
            let stated = members.remove("hash").unwrap();
            members.remove("signature");
            let body = serde_json_canonicalizer::to_vec(&value).unwrap();
            let hash = Hash::over(&[b"ringwall.ledger.v1\n", &body]);
            assert_eq!(stated, hash.to_string());
        }
    }

    #[test]
    fn refuses_a_checkpoint_of_another_key() {
        let (ours, theirs) = (
            SigningKey::ephemeral().unwrap(),
            SigningKey::ephemeral().unwrap(),
        );
        let public = ours.public();
        let bytes = ledger(&theirs);
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
        let refused = Walk::new(&public, 1, None).accept(line).unwrap_err();
        assert_eq!(
            refused,
            Flaw::Key {
                said: theirs.public().id().to_string()
            }
        );
    }

    #[test]
    fn refuses_numbers_with_two_spellings() {
        for (digits, value) in [
            ("x7", Some(7)),
            ("x07", None),
            ("x", None),
            ("x99999999999999999999", None),
        ] {
            assert_eq!(
                split_number(digits.as_bytes()).map(|(_, value)| value),
                value,
                "{digits}"
            );
        }
    }
}
