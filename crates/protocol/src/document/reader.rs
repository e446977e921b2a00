//! The strict reader: one pass over the bytes, no recursion, no allocation but the tape.
//!
//! It never repairs: the first thing wrong ends it. What is merely ambiguous can be read all the same by
//! whoever only wants to see what is there.

use super::tape::{COUNT_MAX, ESCAPED, KEY, NOWHERE, Node, TRUE, Tape, WIDE};
use super::{Kind, Limits, keys, number, text};
use crate::flaw::{Flaw, FlawKind};

/// What becomes of what two parsers could read differently.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ambiguity {
    /// It is a flaw.
    Refused,
    /// It is read as it stands.
    Read,
}

/// Reads a whole text.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Tape, Flaw> {
    tape(bytes, limits, Ambiguity::Refused)
}

/// Reads a whole text in which names may repeat, and numbers be of any size.
pub(super) fn read_loosely(bytes: &[u8], limits: &Limits) -> Result<Tape, Flaw> {
    tape(bytes, limits, Ambiguity::Read)
}

fn tape(bytes: &[u8], limits: &Limits, ambiguity: Ambiguity) -> Result<Tape, Flaw> {
    let longest = limits.bytes.min(u32::MAX as usize - 1);
    if bytes.len() > longest {
        return Err(Flaw::at(FlawKind::TooLong, longest));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Flaw::at(FlawKind::ByteOrderMark, 0));
    }
    let mut reader = Reader {
        bytes,
        ambiguity,
        at: 0,
        depth: 0,
        depth_max: limits.depth,
        members_max: limits.members.min(COUNT_MAX),
        nodes_max: limits.nodes.min(COUNT_MAX),
        nodes: Vec::with_capacity((bytes.len() / 16 + 8).min(512)),
        open: NOWHERE,
        inside: Kind::Null,
        plain: true,
    };
    reader.text()?;
    Ok(Tape::new(reader.nodes, reader.plain))
}

struct Reader<'a> {
    bytes: &'a [u8],
    ambiguity: Ambiguity,
    at: usize,
    depth: usize,
    depth_max: usize,
    members_max: usize,
    nodes_max: usize,
    nodes: Vec<Node>,
    /// The innermost open container, and what it is.
    open: u32,
    inside: Kind,
    plain: bool,
}

/// What comes after a piece was read.
enum Then {
    /// A value must follow.
    Value,
    /// A value is complete; its container goes on or ends.
    Resume,
    /// The outermost value is complete.
    End,
}

impl Reader<'_> {
    fn text(&mut self) -> Result<(), Flaw> {
        self.skip_space();
        if self.at == self.bytes.len() {
            return self.flaw(FlawKind::Empty);
        }
        let mut then = Then::Value;
        loop {
            then = match then {
                Then::Value => self.value()?,
                Then::Resume => self.resume()?,
                Then::End if self.at < self.bytes.len() => return self.flaw(FlawKind::Trailing),
                Then::End => return Ok(()),
            };
        }
    }

    fn value(&mut self) -> Result<Then, Flaw> {
        if self.open != NOWHERE
            && self.inside == Kind::Array
            && let Some(parent) = self.nodes.get_mut(self.open as usize)
        {
            parent.count_one();
        }
        match self.bytes.get(self.at) {
            Some(b'"') => self.string(0)?,
            Some(b'{') => return self.enter(Kind::Object),
            Some(b'[') => return self.enter(Kind::Array),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word(b"true", Kind::Boolean, TRUE)?,
            Some(b'f') => self.word(b"false", Kind::Boolean, 0)?,
            Some(b'n') => self.word(b"null", Kind::Null, 0)?,
            Some(_) => return self.flaw(FlawKind::Unexpected),
            None => return self.flaw(FlawKind::Unterminated),
        }
        Ok(Then::Resume)
    }

    /// After a complete value: the next one, or the end of the container.
    fn resume(&mut self) -> Result<Then, Flaw> {
        self.skip_space();
        let byte = self.bytes.get(self.at);
        match (self.inside, byte) {
            _ if self.open == NOWHERE => Ok(Then::End),
            (Kind::Object, Some(b',')) => {
                self.at += 1;
                self.skip_space();
                self.name()
            }
            (Kind::Array, Some(b',')) => {
                self.at += 1;
                self.skip_space();
                Ok(Then::Value)
            }
            (Kind::Object, Some(b'}')) | (Kind::Array, Some(b']')) => self.leave(),
            (_, Some(_)) => self.flaw(FlawKind::Unexpected),
            (_, None) => self.flaw(FlawKind::Unterminated),
        }
    }

    fn enter(&mut self, kind: Kind) -> Result<Then, Flaw> {
        if self.depth >= self.depth_max {
            return self.flaw(FlawKind::TooDeep);
        }
        self.depth += 1;
        let index = self.nodes.len() as u32;
        self.push(Node::new(kind, 0, self.at, self.at, self.open))?;
        self.open = index;
        self.inside = kind;
        self.at += 1;
        self.skip_space();
        match (kind, self.bytes.get(self.at)) {
            (Kind::Object, Some(b'}')) | (Kind::Array, Some(b']')) => self.leave(),
            (Kind::Object, _) => self.name(),
            _ => Ok(Then::Value),
        }
    }

    /// At the closing bracket of the open container.
    fn leave(&mut self) -> Result<Then, Flaw> {
        self.at += 1;
        let next = self.nodes.len() as u32;
        let first = self.open as usize + 1;
        let Some(node) = self.nodes.get_mut(self.open as usize) else {
            return self.flaw(FlawKind::Unexpected);
        };
        let parent = node.next;
        node.next = next;
        node.end = self.at as u32;
        let count = node.count();
        if self.inside == Kind::Object
            && self.ambiguity == Ambiguity::Refused
            && let Some(place) = keys::repeated(self.bytes, &self.nodes, first, count)
        {
            return Err(Flaw::at(FlawKind::DuplicateMember, place));
        }
        self.depth -= 1;
        self.open = parent;
        self.inside = match self.nodes.get(parent as usize) {
            Some(node) => node.kind(),
            None => Kind::Null,
        };
        Ok(Then::Resume)
    }

    /// The name of a member, up to and with its colon.
    fn name(&mut self) -> Result<Then, Flaw> {
        match self.bytes.get(self.at) {
            Some(b'"') => {}
            Some(_) => return self.flaw(FlawKind::Unexpected),
            None => return self.flaw(FlawKind::Unterminated),
        }
        if let Some(object) = self.nodes.get_mut(self.open as usize) {
            if object.count() >= self.members_max {
                return self.flaw(FlawKind::TooManyMembers);
            }
            object.count_one();
        }
        self.string(KEY)?;
        self.skip_space();
        match self.bytes.get(self.at) {
            Some(b':') => {}
            Some(_) => return self.flaw(FlawKind::Unexpected),
            None => return self.flaw(FlawKind::Unterminated),
        }
        self.at += 1;
        self.skip_space();
        Ok(Then::Value)
    }

    fn string(&mut self, mark: u32) -> Result<(), Flaw> {
        let start = self.at;
        let mut marks = mark;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            self.at += text::plain_run(rest);
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    marks |= ESCAPED;
                    self.escape()?;
                }
                Some(0x7f..) => {
                    marks |= WIDE;
                    self.wide()?;
                }
                Some(_) => return self.flaw(FlawKind::ControlCharacter),
                None => return self.flaw(FlawKind::Unterminated),
            }
        }
        self.at += 1;
        self.plain &= marks & (ESCAPED | WIDE) == 0;
        let next = self.nodes.len() as u32 + 1;
        self.push(Node::new(Kind::String, marks, start, self.at, next))
    }

    /// A run with bytes outside ASCII. A character never spans a quote or a backslash, so each run
    /// can be checked alone.
    fn wide(&mut self) -> Result<(), Flaw> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = text::wide_run(rest);
        let run = rest.get(..length).unwrap_or_default();
        if let Err(error) = std::str::from_utf8(run) {
            self.at += error.valid_up_to();
            return self.flaw(FlawKind::Utf8);
        }
        self.at += length;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                self.at += match self.unit(self.at + 2)? {
                    0xd800..0xdc00 if self.is_followed_by_half()? => 12,
                    0xd800..0xe000 if self.ambiguity == Ambiguity::Refused => {
                        return self.flaw(FlawKind::LoneSurrogate);
                    }
                    _ => 6,
                };
                Ok(())
            }
            Some(_) => self.flaw(FlawKind::Escape),
            None => self.flaw(FlawKind::Unterminated),
        }
    }

    /// Whether the second half of a pair of surrogates comes behind the escape at which this is.
    fn is_followed_by_half(&self) -> Result<bool, Flaw> {
        let next = self.bytes.get(self.at + 6..).unwrap_or_default();
        Ok(next.starts_with(b"\\u") && (0xdc00..0xe000).contains(&self.unit(self.at + 8)?))
    }

    fn unit(&self, at: usize) -> Result<u32, Flaw> {
        let digits = self.bytes.get(at..).unwrap_or_default();
        text::hex4(digits).ok_or(Flaw::at(FlawKind::Escape, self.at))
    }

    fn number(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let scanned = match self.ambiguity {
            Ambiguity::Read => number::written(rest),
            Ambiguity::Refused => number::scan(rest),
        };
        let (length, marks) = scanned.map_err(|(kind, into)| Flaw::at(kind, start + into))?;
        self.at += length;
        let next = self.nodes.len() as u32 + 1;
        self.push(Node::new(Kind::Number, marks, start, self.at, next))
    }

    fn word(&mut self, word: &[u8], kind: Kind, marks: u32) -> Result<(), Flaw> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        if !rest.starts_with(word) {
            return self.flaw(FlawKind::Unexpected);
        }
        self.at += word.len();
        let next = self.nodes.len() as u32 + 1;
        self.push(Node::new(kind, marks, start, self.at, next))
    }

    fn push(&mut self, node: Node) -> Result<(), Flaw> {
        if self.nodes.len() >= self.nodes_max {
            return Err(Flaw::at(FlawKind::TooManyValues, node.start as usize));
        }
        self.nodes.push(node);
        Ok(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    #[cold]
    fn flaw<T>(&self, kind: FlawKind) -> Result<T, Flaw> {
        Err(Flaw::at(kind, self.at))
    }
}
