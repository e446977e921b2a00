//! One JSON text, read strictly and once.
//!
//! [`Document::read`] turns bytes into a tape of small nodes that point back into the bytes. It
//! refuses everything that two parsers could read differently: members named twice, text that is no
//! UTF-8, half surrogates, numbers outside what a double holds exactly, anything after the value.
//! It never copies a value, never allocates per value, and never changes a byte.
//!
//! What was decided where RFC 8259 leaves room:
//!
//! * Integers lie within ±(2^53-1). The digits before a point or an exponent must as well, so that
//!   `9007199254740993.0` does not slip through as a fraction. With an exponent, the value must be
//!   a finite double and must not vanish to zero unless it is zero.
//! * `-0` is read, and is the integer 0: every parser keeps its value, only the sign is lost.
//! * A number has at most 128 characters.
//! * Noncharacters, private characters and an escaped NUL are Unicode text and are read; what they
//!   mean for safety is the inspection's business.
//! * The raw DEL character (0x7F) is allowed by JSON and is read, but its string is not *plain*.

mod keys;
mod number;
mod reader;
mod tape;
mod text;
mod value;

pub(crate) use text::decode;
pub use value::{Elements, Members, Str, Strings, Value};

use crate::edit::{EditError, Edits};
use crate::flaw::Flaw;
use bytes::Bytes;
use std::fmt;
use tape::{Node, Tape};

/// What a text may cost at most. Every field is checked while reading, before memory is spent.
///
/// | limit | default | reason |
/// | --- | --- | --- |
/// | `bytes` | 4 MiB | a large tool result; listeners may cap lower |
/// | `depth` | 64 | tool schemas nest about 30 deep, recursive peers fail near 100 |
/// | `members` | 4096 | members of one object |
/// | `nodes` | 262,144 | values and member names in all; 16 bytes of tape each, 4 MiB |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text in bytes; never more than 2^32-2.
    pub bytes: usize,
    /// How deep arrays and objects nest; a lone number is 0 deep, `[]` is 1.
    pub depth: usize,
    /// Members of one object; never more than 2^24-1.
    pub members: usize,
    /// Values and member names of the whole text; never more than 2^24-1.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: 4 * 1024 * 1024,
            depth: 64,
            members: 4096,
            nodes: 262_144,
        }
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `[…]`
    Array,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
    /// A number, with or without a fraction.
    Number,
    /// `{…}`
    Object,
    /// `"…"`
    String,
}

/// A JSON text that every parser reads alike, with the place of each value in it.
#[derive(Clone)]
pub struct Document {
    bytes: Bytes,
    tape: Tape,
}

impl Document {
    /// Reads the text, or says what is wrong with it.
    pub fn read(bytes: Bytes, limits: &Limits) -> Result<Document, Flaw> {
        let tape = reader::read(&bytes, limits)?;
        Ok(Document { bytes, tape })
    }

    /// Reads a text that only somebody else is going to act on, to see what stands in it: a member may be
    /// named several times, each of which is visited, a number be of any size, and half a surrogate stand for
    /// a character. Never for a message: what two parsers read differently is no ground for a decision, and
    /// [`Value::get`] finds the first of several.
    pub fn read_loosely(bytes: Bytes, limits: &Limits) -> Result<Document, Flaw> {
        let tape = reader::read_loosely(&bytes, limits)?;
        Ok(Document { bytes, tape })
    }

    /// The outermost value.
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// Every string of the text, member names and values, in the order of the text.
    pub fn strings(&self) -> Strings<'_> {
        self.root().strings()
    }

    /// Whether no string has an escape or a character outside printable ASCII. A plain text holds
    /// nothing that could hide: it can be inspected as it stands.
    pub fn is_plain(&self) -> bool {
        self.tape.is_plain()
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many values and member names the text has.
    pub fn nodes(&self) -> usize {
        self.tape.len()
    }

    /// The text with these places replaced. The result is new text: read it again before anything
    /// is decided on it.
    pub fn apply(&self, edits: &Edits) -> Result<Bytes, EditError> {
        edits.apply(&self.bytes)
    }

    fn node(&self, index: u32) -> Node {
        self.tape.node(index)
    }

    fn text(&self, start: u32, end: u32) -> &[u8] {
        // INVARIANT: the reader only writes ranges that lie in the bytes.
        self.bytes
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }
}

/// Shows sizes only: the text may hold personal data and secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.bytes.len())
            .field("nodes", &self.tape.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
