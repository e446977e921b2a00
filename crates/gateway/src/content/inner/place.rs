//! Where JSON stands that was read out of strings of other JSON: each place in it is one in the text that holds
//! it all, escapes and all. Nothing is read here.

use protocol::Str;
use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

/// Where the text of one stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::content) struct Place<'p> {
    /// Its first byte, in the text that it stands in.
    begin: usize,
    /// The string that this is the text of, if it is.
    within: Option<&'p Quoted<'p>>,
}

/// The text of a string, and where it is written.
#[derive(Debug)]
pub(super) struct Quoted<'p> {
    /// That of the document whose string it is.
    place: Place<'p>,
    /// The first byte between its quotes, in that document.
    begin: usize,
    /// Bytes of the text, and bytes as written, up to the end of each escape.
    escapes: Vec<(u32, u32)>,
    /// How many escapes end before what was asked for last: most of what is asked for is near.
    at: Cell<usize>,
}

impl<'p> Place<'p> {
    pub(super) fn new(begin: usize, within: Option<&'p Quoted<'p>>) -> Place<'p> {
        Place { begin, within }
    }

    /// How many strings it stands in.
    pub(in crate::content) fn strings(&self) -> usize {
        self.within.map_or(0, |quoted| quoted.place.strings() + 1)
    }

    /// Where a part of it stands in the text that was given.
    pub(in crate::content) fn of(&self, part: Range<usize>) -> Range<usize> {
        self.byte(part.start)..self.byte(part.end)
    }

    fn byte(&self, byte: usize) -> usize {
        let byte = self.begin + byte;
        self.within.map_or(byte, |quoted| quoted.byte(byte))
    }
}

impl<'p> Quoted<'p> {
    /// What a string says, and where that is written.
    pub(super) fn of<'d>(string: Str<'d>, place: &Place<'p>) -> (Cow<'d, str>, Quoted<'p>) {
        let mut escapes = Vec::new();
        let short = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let text =
            string.decoded_marking(|text, written| escapes.push((short(text), short(written))));
        let quoted = Quoted {
            place: *place,
            begin: string.range().start + 1,
            escapes,
            at: Cell::new(0),
        };
        (text, quoted)
    }

    /// Where a byte of the text stands in the text that was given. Who asks in order is answered in linear time.
    fn byte(&self, byte: usize) -> usize {
        let before = |at: usize| {
            let last = at.checked_sub(1).and_then(|at| self.escapes.get(at));
            last.map_or((0, 0), |(text, written)| {
                (*text as usize, *written as usize)
            })
        };
        let ends = |at: usize| self.escapes.get(at).map(|(text, _)| *text as usize);
        let mut at = self.at.get();
        while ends(at).is_some_and(|end| end <= byte) {
            at += 1;
        }
        while before(at).0 > byte {
            at -= 1;
        }
        self.at.set(at);
        let (text, written) = before(at);
        self.place.byte(self.begin + written + (byte - text))
    }
}
