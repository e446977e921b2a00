//! Tags and their attributes, as a browser would read them.

use super::Scan;
use crate::markup::Treatment;
use crate::markup::address::{self, Address, Scheme};
use crate::markup::carry::{self, Use};
use crate::markup::entity::Spelled;
use crate::markup::html::{self, ATTRIBUTE_MAX, Attribute, NAME_MAX};
use crate::markup::load;
use crate::markup::rule::Rule;
use std::ops::Range;

/// What makes the name of any attribute one that means nothing. A reference to `=` would not do: a
/// renderer turns it back.
const DATA: &str = "data-";

/// What ends a style sheet.
const END: &[u8] = b"</style";

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
        let name = name.unwrap_or_default();
        self.enter(name);
        let behind = rest.get(length..).unwrap_or_default();
        let loads = match name.eq_ignore_ascii_case("style") {
            true => self.style_sheet(at + 1 + length),
            false => None,
        };
        let rule = html::element(name, behind);
        if self.settings.markup != Treatment::Neutralise {
            self.is_base |= name.eq_ignore_ascii_case("base");
            self.refreshes |= name.eq_ignore_ascii_case("meta") && rule.is_some();
        }
        let all = [rule, loads].into_iter().flatten();
        let place = at..at + 1 + length;
        if all.fold(false, |changes, rule| {
            self.tell(rule, place.clone()) | changes
        }) {
            self.edits.replace(at..at + 1, "&lt;");
        }
        if rule.is_some() {
            return;
        }
        let (scheme, colon) =
            address::scheme(&mut Spelled::new(self.text, at + 1..self.text.len(), false));
        if let Some(colon) = colon.filter(|_| matches!(scheme, Scheme::Data | Scheme::Runs)) {
            self.found(Rule::Scheme, at..colon.end, colon, "%3A");
        }
    }

    /// An instruction to load a style, where a text is read as XML.
    fn instruction(&mut self, at: usize) {
        let name = "<?xml-stylesheet";
        let found = self.text.get(at..at + name.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            self.enter("");
            self.found(Rule::Style, at..at + name.len(), at..at + 1, "&lt;");
        }
    }

    fn enter(&mut self, element: &'t str) {
        // To a browser it is one tag with the one that it begins in.
        self.is_base &= self.open;
        self.refreshes &= self.open;
        self.element = if self.open { "" } else { element };
        self.doubt |= self.open;
        self.open = true;
        self.quote = None;
    }

    /// What the style sheet goes too far by whose tag is begun before here. It ends where its end tag begins.
    fn style_sheet(&mut self, from: usize) -> Option<Rule> {
        // In one that is open it is no tag, and was read.
        if from < self.styled {
            return None;
        }
        let bytes = self.bytes.get(from..).unwrap_or_default();
        let ends = |at: &usize| {
            let found = bytes.get(*at..*at + END.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(END))
        };
        let end = memchr::memchr_iter(b'<', bytes).find(ends);
        self.styled = end.map_or(self.bytes.len(), |end| from + end);
        self.loads(from..self.styled)
    }

    /// What the addresses in a style, or in a document of an attribute, go too far by. Those that stand in
    /// it plainly are dealt with where they stand.
    fn loads(&mut self, value: Range<usize>) -> Option<Rule> {
        let text = self.text.get(value.clone())?;
        if !load::may(text) || !self.pay(value.len()) {
            return None;
        }
        let readings = load::readings(text);
        readings.iter().enumerate().find_map(|(turn, reading)| {
            let mut all = load::addresses(reading).into_iter();
            all.find_map(|range| {
                let spelled = reading.get(range.clone()).unwrap_or_default();
                if turn == 0 && is_plain(spelled) {
                    return None;
                }
                let address = Address::read(reading, range, false);
                self.judge(&address, Use::Image)
            })
        })
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
        match attribute {
            Attribute::Handler => self.switch_off(&name, place, [Some(Rule::EventHandler), None]),
            Attribute::Document => {
                let (inner, _) = self.value(value, quote);
                let loads = self.loads(inner);
                self.switch_off(&name, place, [Some(Rule::Frame), loads]);
            }
            Attribute::Paint | Attribute::Style => {
                let (inner, _) = self.value(value, quote);
                self.styled = self.styled.max(inner.end);
                let style = text.get(inner.clone()).unwrap_or_default();
                let is_active = attribute == Attribute::Style && html::style_is_active(style);
                let loads = self.loads(inner);
                self.switch_off(&name, place, [is_active.then_some(Rule::Style), loads]);
            }
            Attribute::Refresh => {
                let (inner, end) = self.value(value, quote);
                if self.refreshes
                    && let Some(from) = self.refresh(inner.clone())
                {
                    let address = self.read(from..inner.end, false);
                    self.attribute_of(&address, name.start..end, Use::Image);
                }
            }
            Attribute::Address(used) => {
                let (inner, end) = self.value(value, quote);
                self.addresses(name.start..end, inner, used);
            }
        }
    }

    /// Tells what an attribute does, and makes it one of nothing.
    fn switch_off(&mut self, name: &Range<usize>, place: Range<usize>, rules: [Option<Rule>; 2]) {
        let all = rules.into_iter().flatten();
        if all.fold(false, |changes, rule| {
            self.tell(rule, place.clone()) | changes
        }) {
            self.edits.replace(name.start..name.start, DATA);
        }
    }

    /// Where the address begins that is opened after a while, as HTML reads a refresh: `5; url='address'`.
    fn refresh(&mut self, value: Range<usize>) -> Option<usize> {
        if !self.pay(value.len()) {
            return None;
        }
        let mut rest = Spelled::new(self.text, value, false)
            .map(|(place, c)| (place.start, c))
            .skip_while(|(_, c)| c.is_whitespace())
            .peekable();
        let is_time = |c: char| c.is_ascii_digit() || c == '.';
        rest.next_if(|(_, c)| is_time(*c))?;
        while rest.next_if(|(_, c)| is_time(*c)).is_some() {}
        while rest
            .next_if(|(_, c)| c.is_whitespace() || matches!(c, ';' | ','))
            .is_some()
        {}
        let (begin, _) = *rest.peek()?;
        for letter in ['u', 'r', 'l'] {
            if rest
                .next_if(|(_, c)| c.eq_ignore_ascii_case(&letter))
                .is_none()
            {
                return Some(begin);
            }
        }
        while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        if rest.next_if(|(_, c)| *c == '=').is_none() {
            return Some(begin);
        }
        let mut rest = rest.skip_while(|(_, c)| c.is_whitespace() || matches!(c, '"' | '\''));
        rest.next().map(|(at, _)| at)
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
            let start = value.start + from;
            let mut spelled = Spelled::new(self.text, start..value.end, false);
            let (scheme, colon) = address::scheme(&mut spelled);
            if let (Scheme::Runs, Some(colon)) = (scheme, colon) {
                self.found(Rule::Scheme, whole.start..colon.end, colon, "%3A");
            }
            // One part may be spelled over what parts others.
            if !self.pay(spelled.at() - start) {
                return;
            }
        }
        if self.is_named(&whole, "values") {
            self.animated(&whole, value.clone());
        }
        let is_set = self.is_named(&whole, "srcset") || self.is_named(&whole, "imagesrcset");
        let mut from = value.start;
        for part in text.split_inclusive(|c| is_set && c == ',') {
            let blanks = part.len() - part.trim_start().len();
            let (start, end) = (from + blanks, from + part.len());
            from = end;
            if !self.is_base && self.is_harmless(start..end, used) {
                continue;
            }
            let address = self.read(start..end, false);
            self.attribute_of(&address, whole.clone(), used);
        }
        self.judged = self.judged.max(value.end);
    }

    /// The addresses that an animation gives an element one after the other.
    fn animated(&mut self, whole: &Range<usize>, value: Range<usize>) {
        if !self.pay(value.len()) {
            return;
        }
        let read: String = Spelled::new(self.text, value, false)
            .map(|(_, c)| c)
            .collect();
        let mut from = 0;
        // The first one is read like that of any attribute.
        for part in read.split_inclusive(';') {
            let range = from..from + part.trim_end_matches(';').len();
            let is_first = from == 0;
            from += part.len();
            let address = Address::read(&read, range, false);
            if !is_first && matches!(address.scheme, Scheme::File | Scheme::Web) {
                self.attribute_of(&address, whole.clone(), Use::Image);
            }
        }
    }

    fn is_named(&self, whole: &Range<usize>, name: &str) -> bool {
        let found = self.bytes.get(whole.start..whole.start + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
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
                // All addresses behind it are of that host.
                let leads = self.is_base && carry::is_elsewhere(address, &self.settings.hosts);
                let rule = self.judge(address, used);
                if let Some(rule) = rule.or(leads.then_some(Rule::UnlistedImage)) {
                    let host = carry::host_for_notice(address);
                    self.found(rule, whole.clone(), whole, by(&host));
                }
            }
        }
    }
}

/// Whether an address is one that is found where it stands as such, to its end.
fn is_plain(spelled: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || "<>\"'`|[])&\\".contains(c);
    spelled.contains("://") && !spelled.contains(ends)
}
