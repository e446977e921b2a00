//! Objects and arrays in JSON that stand in a text: tools write them beside their structured content, line
//! by line in what they log, between the fences of a block in Markdown, and in strings of other JSON. They
//! are read as whoever reads the text may read them, a name that stands there twice included.
//!
//! A byte is read a few times for each string that it stands in, whatever is there, and nothing is decided here.

mod place;

pub(super) use place::Place;
use place::Quoted;

use protocol::{Document, FlawKind, Kind, Limits};
use std::borrow::Cow;
use std::ops::Range;

/// How deep one of them nests.
const DEPTH: usize = 256;

/// The same where what it stands in is gone through at once.
const DEPTH_WITHIN: usize = 64;

/// How many strings of others one stands in.
pub(super) const STRINGS: usize = 4;

/// Values and names of all that stand in one text.
const VALUES: usize = 1 << 20;

/// Whether all of something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// There is one with more in it than is read.
    Part,
    /// All of it.
    Whole,
}

/// The object or array that the text of a string is as a whole, or the string that is one in turn; nothing
/// if it is neither.
pub(super) fn whole(text: &str) -> Result<Option<Document>, Extent> {
    let mut reader = Reader::new(DEPTH_WITHIN);
    let document = reader.read(text);
    match reader.extent {
        Extent::Part => Err(Extent::Part),
        Extent::Whole => Ok(document),
    }
}

/// Visits those that stand in a text and in no string of another one, in its order, each with the byte at
/// which its own text begins. One may be a string that is one as a whole.
pub(super) fn outermost(text: &str, visit: &mut dyn FnMut(usize, &Document)) -> Extent {
    let mut reader = Reader::new(DEPTH);
    reader.outermost(text, &mut |_, begin, document| visit(begin, document));
    reader.extent
}

/// Visits all that stand in a text, each before those in its strings.
pub(super) fn each(text: &str, visit: &mut dyn FnMut(&Place<'_>, &Document)) -> Extent {
    let mut reader = Reader::new(DEPTH);
    reader.each(text, None, visit);
    reader.extent
}

/// What may still be read of one text.
struct Reader {
    depth: usize,
    values: usize,
    extent: Extent,
}

/// What is done with each that is found: with the byte at which its text begins.
type Visit<'v> = dyn FnMut(&mut Reader, usize, &Document) + 'v;

impl Reader {
    fn new(depth: usize) -> Reader {
        Reader {
            depth,
            values: VALUES,
            extent: Extent::Whole,
        }
    }

    /// Depth is bounded by the strings that are read.
    fn each(
        &mut self,
        text: &str,
        within: Option<&Quoted<'_>>,
        visit: &mut dyn FnMut(&Place<'_>, &Document),
    ) {
        self.outermost(text, &mut |reader, begin, document| {
            let place = Place::new(begin, within);
            if place.strings() > STRINGS {
                // Nobody packs honest data so often.
                reader.extent = Extent::Part;
                return;
            }
            visit(&place, document);
            let strings = document.strings().filter(|string| !string.is_key());
            for string in strings.filter(|string| may_hold(string.raw())) {
                let (text, quoted) = Quoted::of(string, &place);
                reader.each(&text, Some(&quoted), visit);
            }
        });
    }

    /// The whole of a text; or else what stands between its fences, and on its lines.
    fn outermost(&mut self, text: &str, visit: &mut Visit<'_>) {
        if !may_hold(text.as_bytes()) {
            return;
        }
        if let Some(document) = self.read(text) {
            return visit(self, 0, &document);
        }
        let mut done = 0;
        if text.contains("```") || text.contains("~~~") {
            for block in inspect::view::code(text) {
                let code = text.get(block.clone()).unwrap_or_default();
                if let Some(document) = self.read(code) {
                    self.lines(text, done..block.start, visit);
                    visit(self, block.start, &document);
                    done = block.end;
                }
            }
        }
        self.lines(text, done..text.len(), visit);
    }

    /// What stands on lines of its own in a part of a text. A list that holds no object has no names, and is
    /// often a mark or a reference.
    fn lines(&mut self, text: &str, part: Range<usize>, visit: &mut Visit<'_>) {
        let mut at = part.start;
        let part = text.get(part).unwrap_or_default();
        if !has_object(part.as_bytes()) {
            return;
        }
        for line in part.split_inclusive('\n') {
            // The whole of the text was tried before.
            if line.len() < text.len()
                && has_object(line.as_bytes())
                && let Some(document) = self.read(line)
            {
                visit(self, at, &document);
            }
            at += line.len();
        }
    }

    /// The object or array that a text is, or the string that is one; nothing if it is neither.
    fn read(&mut self, text: &str) -> Option<Document> {
        let document = self.value(text)?;
        let values = self.values;
        // What is in a string is read once more by whoever goes through it.
        let is_one = self.is_one(&document);
        self.values = values;
        is_one.then_some(document)
    }

    /// Whether a value is an object or an array, or a string that is one, in so many strings as are read.
    fn is_one(&mut self, document: &Document) -> bool {
        let mut text = document.root().text().map(Cow::into_owned);
        for _ in 0..=STRINGS {
            let Some(said) = text else { return true };
            let Some(next) = self.value(&said) else {
                return false;
            };
            text = next.root().text().map(Cow::into_owned);
        }
        // Whoever goes through it comes to an end as well.
        true
    }

    /// The object, array or string that a text is.
    fn value(&mut self, text: &str) -> Option<Document> {
        if !is_enclosed(text) {
            return None;
        }
        // Names are not compared, so their number costs nothing.
        let reading = Limits {
            bytes: usize::MAX,
            depth: self.depth,
            members: usize::MAX,
            nodes: self.values,
        };
        match Document::read_loosely(text.to_owned().into(), &reading) {
            Ok(document) => {
                self.values = self.values.saturating_sub(document.nodes());
                let kind = document.root().kind();
                matches!(kind, Kind::Array | Kind::Object | Kind::String).then_some(document)
            }
            Err(flaw) => {
                let is_more = matches!(
                    flaw.kind,
                    FlawKind::TooDeep | FlawKind::TooLong | FlawKind::TooManyValues
                );
                if is_more {
                    self.extent = Extent::Part;
                }
                None
            }
        }
    }
}

/// Whether a text begins and ends like an object, an array or a string.
fn is_enclosed(text: &str) -> bool {
    let text = text.trim();
    let ends = |start: char, end: char| text.starts_with(start) && text.ends_with(end);
    ends('{', '}') || ends('[', ']') || ends('"', '"')
}

/// Whether an object or an array may stand in a text, or in a string as it is written.
fn may_hold(text: &[u8]) -> bool {
    text.contains(&b'[') || has_object(text)
}

/// Whether an object may.
fn has_object(text: &[u8]) -> bool {
    text.contains(&b'{') || text.contains(&b'\\') && text.windows(2).any(|two| two == br"\u")
}

#[cfg(test)]
mod tests;
