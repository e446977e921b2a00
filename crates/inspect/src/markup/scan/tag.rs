//! Tags and their attributes, as a browser would read them.

use super::Scan;
use crate::markup::address::{self, Address, Scheme};
use crate::markup::carry::{self, Use};
use crate::markup::entity::Spelled;
use crate::markup::html::{self, ATTRIBUTE_MAX, Attribute, NAME_MAX};
use crate::markup::rule::Rule;
use std::ops::Range;

/// What makes the name of any attribute one that means nothing. A reference to `=` would not do: a
/// renderer turns it back.
const DATA: &str = "data-";

impl<'t> Scan<'t, '_> {
    /// A `<` that may begin a tag.
    pub(super) fn begins(&mut self, at: usize) {
        match self.byte(at + 1) {
            b'?' => return self.instruction(at),
            b'/' if self.byte(at + 2).is_ascii_alphabetic() => {
                self.enter("");
                return;
            }
            first if first.is_ascii_alphabetic() => {}
            _ => return,
        }
        let rest = self.text.get(at + 1..).unwrap_or_default();
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'<');
        let known = rest.as_bytes().iter().take(NAME_MAX + 1);
        let length = known.take_while(|byte| !ends(byte)).count();
        let name = rest.get(..length).filter(|name| name.len() <= NAME_MAX);
        self.enter(name.unwrap_or_default());
        if let Some(name) = name
            && let Some(behind) = rest.get(length..)
            && let Some(rule) = html::element(name, behind)
        {
            self.found(rule, at..at + 1 + length, at..at + 1, "&lt;");
            return;
        }
        let (scheme, colon) =
            address::scheme(Spelled::new(self.text, at + 1..self.text.len(), false));
        if let Some(colon) = colon.filter(|_| matches!(scheme, Scheme::Data | Scheme::Runs)) {
            self.found(Rule::Scheme, at..colon.end, colon, "%3A");
        }
    }

    /// An instruction to load a style, where a text is read as XML.
    fn instruction(&mut self, at: usize) {
        let name = "<?xml-stylesheet";
        let found = self.text.get(at..at + name.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            self.found(Rule::Style, at..at + name.len(), at..at + 1, "&lt;");
        }
    }

    fn enter(&mut self, element: &'t str) {
        self.doubt |= self.open;
        self.open = true;
        self.quote = None;
        self.element = element;
    }

    /// A `=` in what may be a tag.
    pub(super) fn attribute(&mut self, at: usize) {
        let name = self.name_before(at);
        let value = self.skip_blanks(at + 1);
        let quote = Some(self.byte(value)).filter(|byte| matches!(byte, b'"' | b'\''));
        if self.open && self.quote.is_none() && quote.is_some() {
            self.quote = quote;
            self.at = self.at.max(value + 1);
        }
        let text = self.text;
        let Some(name) = name else { return };
        let Some(named) = text.get(name.clone()) else {
            return;
        };
        let Some(attribute) = Attribute::named(named, self.element) else {
            return;
        };
        let place = name.start..at + 1;
        let begin = name.start..name.start;
        match attribute {
            Attribute::Handler => self.found(Rule::EventHandler, place, begin, DATA),
            Attribute::Document => self.found(Rule::Frame, place, begin, DATA),
            Attribute::Style => {
                let (inner, _) = self.value(value, quote);
                let style = text.get(inner).unwrap_or_default();
                if html::style_is_active(style) {
                    self.found(Rule::Style, place, begin, DATA);
                }
            }
            Attribute::Address(used) => {
                let (inner, end) = self.value(value, quote);
                self.addresses(name.start..end, inner, used);
            }
        }
    }

    /// The name of the attribute whose `=` this is.
    fn name_before(&self, at: usize) -> Option<Range<usize>> {
        let before = self.bytes.get(..at)?;
        let blanks = before.iter().rev();
        let end = at - blanks.take_while(|byte| byte.is_ascii_whitespace()).count();
        let word = before.get(..end)?.iter().rev();
        let is_name =
            |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
        let length = word.take(ATTRIBUTE_MAX + 1).take_while(is_name).count();
        let start = end - length;
        let parted = match start.checked_sub(1).map(|before| self.byte(before)) {
            None => true,
            Some(byte) => byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\''),
        };
        (parted && length > 1 && length <= ATTRIBUTE_MAX).then_some(start..end)
    }

    /// The value that begins here: what is in it, and where it ends with its quotes.
    fn value(&mut self, from: usize, quote: Option<u8>) -> (Range<usize>, usize) {
        let Some(quote) = quote else {
            let fits = |byte: u8| !byte.is_ascii_whitespace() && byte != b'>';
            let end = self.end_of(from, fits);
            return (from..end, end);
        };
        let end = self.end_of(from + 1, |byte| byte != quote);
        (from + 1..end, (end + 1).min(self.bytes.len()))
    }

    /// The addresses in one value. An attribute that has to go is replaced as a whole, by one that says
    /// what it was.
    fn addresses(&mut self, whole: Range<usize>, value: Range<usize>, used: Use) {
        let Some(text) = self.text.get(value.clone()) else {
            return;
        };
        // Some attributes hold several, parted by what is part of no scheme.
        let parts = memchr::memchr2_iter(b',', b';', text.as_bytes()).map(|at| at + 1);
        for from in std::iter::once(0).chain(parts) {
            let range = value.start + from..value.end;
            let (scheme, colon) = address::scheme(Spelled::new(self.text, range, false));
            if let (Scheme::Runs, Some(colon)) = (scheme, colon) {
                self.found(Rule::Scheme, whole.start..colon.end, colon, "%3A");
            }
        }
        let is_set = self.names_several(&whole);
        let mut from = value.start;
        for part in text.split_inclusive(|c| is_set && c == ',') {
            let blanks = part.len() - part.trim_start().len();
            let (start, end) = (from + blanks, from + part.len());
            from = end;
            if self.is_harmless(start..end, used) {
                continue;
            }
            let address = self.read(start..end, false);
            self.attribute_of(&address, whole.clone(), used);
        }
        self.judged = self.judged.max(value.end);
    }

    fn names_several(&self, whole: &Range<usize>) -> bool {
        let end = whole.start + "imagesrcset".len();
        let name = self.bytes.get(whole.start..end).unwrap_or_default();
        let is = |word: &[u8]| {
            name.get(..word.len())
                .is_some_and(|it| it.eq_ignore_ascii_case(word))
        };
        is(b"srcset") || is(b"imagesrcset")
    }

    fn attribute_of(&mut self, address: &Address, whole: Range<usize>, used: Use) {
        let (name, what) = match used {
            Use::Image => ("alt", "image"),
            Use::Link => ("title", "link"),
        };
        // Inside of JSON another kind of quote would end a string.
        let quote = match self.byte(whole.end - 1) {
            b'"' => '"',
            _ => '\'',
        };
        let by = |host: &str| format!("{name}={quote}[{what} removed: {host}]{quote}");
        match (address.scheme, &address.colon) {
            (Scheme::Data, _) if carry::is_picture(address, used) => {}
            (Scheme::Data, Some(colon)) if used == Use::Link => {
                self.found(Rule::DataUri, whole, colon.clone(), "%3A");
            }
            (Scheme::Data, _) => {
                self.found(Rule::DataUri, whole.clone(), whole, by("data"));
            }
            _ => {
                if let Some(rule) = self.judge(address, used) {
                    let host = carry::host_for_notice(address);
                    self.found(rule, whole.clone(), whole, by(&host));
                }
            }
        }
    }
}
