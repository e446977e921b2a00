//! Looking at a document: values, members, elements, strings. Views only; nothing is copied unless
//! an escape has to be undone.

use super::tape::{ESCAPED, FRACTION, KEY, NOWHERE, Node, TRUE, WIDE};
use super::{Document, Kind, number, text};
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// One value of a document. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    document: &'a Document,
    index: u32,
}

impl<'a> Value<'a> {
    pub(crate) fn new(document: &'a Document, index: u32) -> Self {
        Value { document, index }
    }

    /// What the value is.
    pub fn kind(self) -> Kind {
        self.node().kind()
    }

    /// The bytes of the value, quotes and brackets included.
    pub fn raw(self) -> &'a [u8] {
        let node = self.node();
        self.document.text(node.start, node.end)
    }

    /// Where [`Value::raw`] lies in the document.
    pub fn range(self) -> Range<usize> {
        let node = self.node();
        node.start as usize..node.end as usize
    }

    /// The bytes of the value, sharing the document's memory.
    pub fn slice(self) -> Bytes {
        self.document.bytes.slice(self.range())
    }

    /// The document the value is part of.
    pub fn document(self) -> &'a Document {
        self.document
    }

    /// The value's place on the tape: stable for this document, unique to the value.
    pub fn index(self) -> u32 {
        self.index
    }

    /// The member of this name, if this is an object that has one.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.members()
            .find(|(key, _)| key.is(name))
            .map(|(_, value)| value)
    }

    /// The value at this JSON Pointer (RFC 6901), seen from here.
    pub fn at(self, pointer: &str) -> Option<Value<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut here = self;
        for token in pointer.strip_prefix('/')?.split('/') {
            let token = match token.contains('~') {
                true => Cow::from(token.replace("~1", "/").replace("~0", "~")),
                false => Cow::from(token),
            };
            here = match here.kind() {
                Kind::Object => here.get(&token)?,
                Kind::Array if token == "0" || !token.starts_with(['0', '+']) => {
                    here.elements().nth(token.parse().ok()?)?
                }
                _ => return None,
            };
        }
        Some(here)
    }

    /// The members of an object, in the order of the text; none for anything else.
    pub fn members(self) -> Members<'a> {
        let (at, end) = self.inside(Kind::Object);
        let document = self.document;
        Members { document, at, end }
    }

    /// The elements of an array, in order; none for anything else.
    pub fn elements(self) -> Elements<'a> {
        let (at, end) = self.inside(Kind::Array);
        let document = self.document;
        Elements { document, at, end }
    }

    /// How many members or elements there are; 0 for anything that has none.
    pub fn count(self) -> usize {
        self.node().count()
    }

    /// Every string in this value, itself included, member names and values.
    pub fn strings(self) -> Strings<'a> {
        Strings {
            document: self.document,
            at: self.index,
            end: self.node().next,
        }
    }

    /// The string itself, to ask how it is written.
    pub fn string(self) -> Option<Str<'a>> {
        (self.kind() == Kind::String).then_some(Str {
            document: self.document,
            index: self.index,
        })
    }

    /// The text of a string, escapes undone.
    pub fn text(self) -> Option<Cow<'a, str>> {
        Some(self.string()?.decoded())
    }

    /// The value of an integer. `1.0` and `1e3` are not written as integers and are none.
    pub fn integer(self) -> Option<i64> {
        let node = self.node();
        let plain = node.kind() == Kind::Number && !node.has(FRACTION);
        plain.then(|| number::integer(self.raw())).flatten()
    }

    /// The value of any number.
    pub fn number(self) -> Option<f64> {
        let is_number = self.kind() == Kind::Number;
        is_number.then(|| number::float(self.raw())).flatten()
    }

    /// The value of `true` or `false`.
    pub fn boolean(self) -> Option<bool> {
        let node = self.node();
        (node.kind() == Kind::Boolean).then_some(node.has(TRUE))
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The JSON Pointer of the value, for reports. Costs a walk from the root.
    pub fn pointer(self) -> String {
        pointer(self.document, self.index)
    }

    fn node(self) -> Node {
        self.document.node(self.index)
    }

    fn inside(self, kind: Kind) -> (u32, u32) {
        let node = self.node();
        match node.kind() == kind {
            true => (self.index + 1, node.next),
            false => (0, 0),
        }
    }
}

/// Shows what and where, never the text.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}", self.kind(), self.range())
    }
}

/// One string of a document: a value, or the name of a member.
#[derive(Clone, Copy)]
pub struct Str<'a> {
    document: &'a Document,
    index: u32,
}

impl<'a> Str<'a> {
    /// The bytes between the quotes, as written.
    pub fn raw(self) -> &'a [u8] {
        let node = self.node();
        self.document
            .text(node.start + 1, node.end.saturating_sub(1))
    }

    /// Where the string lies in the document, quotes included.
    pub fn range(self) -> Range<usize> {
        let node = self.node();
        node.start as usize..node.end as usize
    }

    /// Whether the string has no escape and only printable ASCII: `raw` is then the text itself.
    pub fn is_plain(self) -> bool {
        !self.node().has(ESCAPED | WIDE)
    }

    /// Whether the string has escapes.
    pub fn is_escaped(self) -> bool {
        self.node().has(ESCAPED)
    }

    /// Whether the string is the name of a member.
    pub fn is_key(self) -> bool {
        self.node().has(KEY)
    }

    /// The text the string stands for; borrowed if there is no escape to undo.
    pub fn decoded(self) -> Cow<'a, str> {
        text::decode(self.raw())
    }

    /// The same, and behind each escape `mark` is told how many bytes of that text, and how many of
    /// [`Str::raw`], lie before: so a place in the one is found in the other.
    pub fn decoded_marking(self, mark: impl FnMut(usize, usize)) -> Cow<'a, str> {
        text::decode_marking(self.raw(), mark)
    }

    /// Whether the string stands for this text.
    pub fn is(self, text: &str) -> bool {
        match self.is_escaped() {
            true => self.decoded() == text,
            false => self.raw() == text.as_bytes(),
        }
    }

    /// The string as a value; for the name of a member, the member's value.
    pub fn value(self) -> Value<'a> {
        Value::new(self.document, self.value_index())
    }

    /// The index of [`Str::value`].
    pub fn value_index(self) -> u32 {
        self.index + u32::from(self.is_key())
    }

    /// The JSON Pointer of [`Str::value`], for reports. Costs a walk from the root.
    pub fn pointer(self) -> String {
        pointer(self.document, self.value_index())
    }

    fn node(self) -> Node {
        self.document.node(self.index)
    }
}

/// Shows how it is written and where, never the text.
impl fmt::Debug for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = if self.is_plain() { "plain " } else { "" };
        let what = if self.is_key() { "name" } else { "string" };
        write!(f, "{plain}{what} at {:?}", self.range())
    }
}

/// The members of an object.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    document: &'a Document,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Str<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let document = self.document;
        let index = self.at;
        let value = Value::new(document, index + 1);
        self.at = value.node().next;
        Some((Str { document, index }, value))
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    document: &'a Document,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let value = Value::new(self.document, self.at);
        self.at = value.node().next;
        Some(value)
    }
}

/// The strings of a value, in the order of the text.
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    document: &'a Document,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Strings<'a> {
    type Item = Str<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let nodes = self.document.tape.nodes();
        let rest = nodes.get(self.at as usize..self.end as usize)?;
        let skip = rest.iter().position(|node| node.kind() == Kind::String);
        let Some(skip) = skip else {
            self.at = self.end;
            return None;
        };
        let document = self.document;
        let index = self.at + skip as u32;
        self.at = index + 1;
        Some(Str { document, index })
    }
}

fn pointer(document: &Document, target: u32) -> String {
    let mut path = String::new();
    let mut here = document.root();
    // Each round goes one level deeper, and depth is bounded.
    while here.index != target {
        let holds = |value: Value<'_>| {
            let next = value.node().next;
            next != NOWHERE && value.index <= target && target < next
        };
        let step = match here.kind() {
            Kind::Object => here
                .members()
                .find(|(_, value)| holds(*value))
                .map(|(key, value)| (key.decoded().replace('~', "~0").replace('/', "~1"), value)),
            _ => here
                .elements()
                .enumerate()
                .find(|(_, value)| holds(*value))
                .map(|(place, value)| (place.to_string(), value)),
        };
        let Some((token, value)) = step else {
            break;
        };
        path.push('/');
        path.push_str(&token);
        here = value;
    }
    path
}
