//! A text as the rules read it: lower case, one space for any white space, nothing hidden, no marks of
//! emphasis. Every place in it leads back to the place in the text that was given.

use crate::text;
use std::ops::Range;
use std::sync::LazyLock;

/// The folded text and where the parts of it came from.
#[derive(Debug)]
pub(super) struct Folded {
    text: String,
    /// Places from which on the original lies byte beside byte: here, and there.
    from: Vec<(u32, u32)>,
    /// The length of the original.
    end: usize,
}

/// The small letter of each of the first characters: itself, where it has none or more than one.
static SMALL: LazyLock<Box<[char]>> = LazyLock::new(|| {
    let all = '\0'..SMALL_END;
    all.map(|c| small(c).unwrap_or(c)).collect()
});
const SMALL_END: char = '\u{800}';

/// The one character that it is in small letters.
fn small(c: char) -> Option<char> {
    let mut small = c.to_lowercase();
    small.next().filter(|_| small.next().is_none())
}

/// Whether it is beyond those characters and has no small letter: ideographs, kana, Hangul.
fn is_caseless(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{a63f}' | '\u{ac00}'..='\u{d7ff}' | '\u{20000}'..)
}

impl Folded {
    /// Folds a text. What lies beyond 4 GiB is not looked at.
    pub(super) fn of(original: &str) -> Self {
        let mut folded = Folded {
            text: String::with_capacity(original.len()),
            from: Vec::new(),
            end: original.len(),
        };
        for (span, part) in text::visible(original) {
            if u32::try_from(span.end).is_err() {
                return folded;
            }
            folded.add(part, span.start);
        }
        folded
    }

    /// A part in which nothing is hidden, and where it begins.
    fn add(&mut self, part: &str, start: usize) {
        let mut at = 0;
        while let Some(rest) = part.get(at..).filter(|rest| !rest.is_empty()) {
            let plain = self.plain(rest);
            if plain > 0 {
                self.place(start + at);
                let before = self.text.len();
                self.text.push_str(rest.get(..plain).unwrap_or_default());
                if let Some(added) = self.text.get_mut(before..) {
                    added.make_ascii_lowercase();
                }
                at += plain;
                continue;
            }
            let Some(c) = rest.chars().next() else { return };
            self.take(c, start + at);
            at += c.len_utf8();
        }
    }

    /// How many bytes at the beginning are read as they are, but for capitals.
    fn plain(&self, rest: &str) -> usize {
        let mut parted = self.is_parted();
        let is_plain = |byte: &u8| {
            let before = std::mem::replace(&mut parted, *byte == b' ');
            match byte {
                b' ' => !before,
                b'*' | b'`' | b'\t'..=b'\r' | 0x80.. => false,
                _ => true,
            }
        };
        rest.bytes().take_while(is_plain).count()
    }

    /// Whether no space may stand next.
    fn is_parted(&self) -> bool {
        self.text.is_empty() || self.text.ends_with(' ')
    }

    fn take(&mut self, c: char, at: usize) {
        match c {
            // Emphasis is no part of a word.
            '*' | '`' => {}
            _ if c.is_whitespace() => {
                if !self.is_parted() {
                    self.push(' ', at);
                }
            }
            '\u{2018}' | '\u{2019}' | '\u{02bc}' => self.push('\'', at),
            '\u{2010}'..='\u{2015}' => self.push('-', at),
            // The wide forms of ASCII.
            '\u{ff01}'..='\u{ff5e}' => {
                let plain = u32::from(c).checked_sub(0xfee0).and_then(char::from_u32);
                self.push(plain.unwrap_or(c).to_ascii_lowercase(), at);
            }
            _ if is_caseless(c) => self.push(c, at),
            _ => match usize::try_from(u32::from(c))
                .ok()
                .and_then(|at| SMALL.get(at))
            {
                // The only capital among these that becomes two characters.
                Some(small) if c != '\u{130}' => self.push(*small, at),
                _ => c.to_lowercase().for_each(|c| self.push(c, at)),
            },
        }
    }

    fn push(&mut self, c: char, at: usize) {
        self.place(at);
        self.text.push(c);
    }

    /// Notes where what comes next is in the original.
    fn place(&mut self, at: usize) {
        let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (here, at) = (small(self.text.len()), small(at));
        let goes_on = self
            .from
            .last()
            .is_some_and(|(folded, from)| from.saturating_add(here.saturating_sub(*folded)) == at);
        if !goes_on {
            self.from.push((here, at));
        }
    }

    /// The folded text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a span of the folded text lies in the original.
    pub(super) fn original(&self, span: &Range<usize>) -> Range<usize> {
        let at = |folded: usize| {
            let here = u32::try_from(folded)
                .ok()
                .filter(|_| folded < self.text.len());
            let place = here.and_then(|here| {
                let after = self.from.partition_point(|(folded, _)| *folded <= here);
                let (folded, from) = self.from.get(after.checked_sub(1)?)?;
                Some(from.saturating_add(here - folded) as usize)
            });
            place.unwrap_or(self.end)
        };
        let start = at(span.start);
        start..at(span.end).max(start)
    }

    /// Whether a span is not a part of a longer word.
    pub(super) fn is_whole(&self, span: &Range<usize>) -> bool {
        let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = self.text.as_bytes();
        let before = span.start.checked_sub(1).and_then(|at| bytes.get(at));
        let last = span.end.checked_sub(1).and_then(|at| bytes.get(at));
        let begins_within = is_word(before) && is_word(bytes.get(span.start));
        let ends_within = is_word(last) && is_word(bytes.get(span.end));
        !begins_within && !ends_within
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The folded text character by character, with the place of each of its bytes.
    fn plainly(original: &str) -> (String, Vec<usize>) {
        let (mut text, mut from) = (String::new(), Vec::new());
        for (span, part) in text::visible(original) {
            for (at, c) in part.char_indices() {
                let spoken: Vec<char> = match c {
                    '*' | '`' => vec![],
                    _ if c.is_whitespace() && (text.is_empty() || text.ends_with(' ')) => vec![],
                    _ if c.is_whitespace() => vec![' '],
                    '\u{2018}' | '\u{2019}' | '\u{02bc}' => vec!['\''],
                    '\u{2010}'..='\u{2015}' => vec!['-'],
                    '\u{ff01}'..='\u{ff5e}' => {
                        let plain = char::from_u32(u32::from(c) - 0xfee0).unwrap();
                        vec![plain.to_ascii_lowercase()]
                    }
                    _ => c.to_lowercase().collect(),
                };
                text.extend(spoken);
                from.resize(text.len(), span.start + at);
            }
        }
        from.push(original.len());
        (text, from)
    }

    fn compare(original: &str) {
        let (text, from) = plainly(original);
        let folded = Folded::of(original);
        assert_eq!(folded.text(), text, "{original:?}");
        let places: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        for pair in places.windows(2) {
            let there = folded.original(&(pair[0]..pair[1]));
            assert_eq!(
                there,
                from[pair[0]]..from[pair[1]].max(from[pair[0]]),
                "{original:?}"
            );
        }
    }

    #[test]
    fn every_character_is_read_as_it_is_alone() {
        for c in '\0'..=char::MAX {
            compare(&format!("x{c}Y"));
        }
    }

    proptest! {
        #[test]
        fn it_is_folded_as_it_is_character_by_character(original in "[aB *`\\t\\nЖäİẞ\u{200b}\u{ff21}日\u{2019}\u{a0}ſK]{0,24}") {
            compare(&original);
        }
    }

    #[test]
    fn however_it_is_written_it_reads_the_same() {
        for (written, read) in [
            ("Do  NOT\n\t tell", "do not tell"),
            ("do **not** `tell`", "do not tell"),
            ("do n\u{200b}ot te\u{e0041}ll", "do not tell"),
            ("don\u{2019}t", "don't"),
            ("\u{ff24}\u{ff2f} \u{ff4e}\u{ff4f}\u{ff54}", "do not"),
            ("  Über\u{2014}uns ", "über-uns "),
            ("ユーザー", "ユーザー"),
            ("", ""),
        ] {
            assert_eq!(Folded::of(written).text(), read, "{written}");
        }
    }

    #[test]
    fn every_place_leads_back_to_where_it_was_written() {
        let written = "Ä\u{200b}b  **Cd**\u{1f600}";
        let folded = Folded::of(written);
        let at = folded.text().find("cd").unwrap();
        let there = folded.original(&(at..at + 2));
        assert_eq!(written.get(there), Some("Cd**"));
        let all = folded.original(&(0..folded.text().len()));
        assert_eq!(all, 0..written.len());
    }
}
