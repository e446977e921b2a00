//! A text as the rules read it: lower case, one space for any white space, nothing hidden, no marks of
//! emphasis. Every place in it leads back to the place in the text that was given.

use crate::text;
use std::ops::Range;

/// The folded text and where each of its bytes came from.
#[derive(Debug)]
pub(super) struct Folded {
    text: String,
    /// For each byte of `text`, the byte of the original that it came from.
    from: Vec<u32>,
    /// The length of the original.
    end: usize,
}

impl Folded {
    /// Folds a text. What lies beyond 4 GiB is not looked at.
    pub(super) fn of(original: &str) -> Self {
        let mut folded = Folded {
            text: String::with_capacity(original.len()),
            from: Vec::with_capacity(original.len()),
            end: original.len(),
        };
        for (span, part) in text::visible(original) {
            for (at, c) in part.char_indices() {
                let Ok(at) = u32::try_from(span.start + at) else {
                    return folded;
                };
                folded.take(c, at);
            }
        }
        folded
    }

    fn take(&mut self, c: char, at: u32) {
        match c {
            // Emphasis is no part of a word.
            '*' | '`' => {}
            _ if c.is_whitespace() => {
                if !self.text.ends_with(' ') && !self.text.is_empty() {
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
            _ if c.is_ascii() => self.push(c.to_ascii_lowercase(), at),
            _ => c.to_lowercase().for_each(|c| self.push(c, at)),
        }
    }

    fn push(&mut self, c: char, at: u32) {
        self.text.push(c);
        self.from.resize(self.text.len(), at);
    }

    /// The folded text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a span of the folded text lies in the original.
    pub(super) fn original(&self, span: &Range<usize>) -> Range<usize> {
        let at = |folded: usize| {
            let from = self.from.get(folded).map(|from| *from as usize);
            from.unwrap_or(self.end)
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
