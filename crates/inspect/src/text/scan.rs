//! One pass over a text that yields each hidden span of it.
//!
//! Whether a character is hidden depends only on itself, on the last character that was kept and on
//! following characters that are never removed. Hence removing all spans leaves a text in which
//! nothing is hidden.

use super::Hidden;
use super::ansi;
use super::class::{self, Suspect};
use std::ops::Range;

/// The flags of England, Scotland and Wales: the only tag sequences in general use.
const FLAGS: [&str; 3] = [
    "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Bytes looked at in one step of the fast path; the inner loop has no branch, so it vectorises.
const STEP: usize = 64;

pub(super) struct Scan<'t> {
    text: &'t str,
    at: usize,
    last: Option<char>,
    right_to_left: Option<bool>,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Scan {
            text,
            at: 0,
            last: None,
            right_to_left: None,
        }
    }

    /// Nothing if the character belongs where it is, else how it is hidden.
    fn judge(&mut self, c: char, suspect: Suspect, rest: &str) -> Option<Hidden> {
        let last = self.last;
        let follows = |belongs: fn(char) -> bool| last.is_some_and(belongs);
        let next = || rest.chars().nth(1);
        let (kept, hidden) = match suspect {
            Suspect::Escape => (false, Hidden::Ansi),
            Suspect::Control => (false, Hidden::Control),
            Suspect::BidiControl => (false, Hidden::Bidi),
            Suspect::BidiMark => {
                let alone = last.and_then(class::suspect) != Some(Suspect::BidiMark);
                (alone && self.is_right_to_left(), Hidden::Bidi)
            }
            Suspect::Joiner => {
                let in_emoji = follows(ends_emoji) && next().is_some_and(class::is_emoji);
                (in_emoji || follows(class::takes_joiners), Hidden::ZeroWidth)
            }
            Suspect::NonJoiner => (follows(class::takes_joiners), Hidden::ZeroWidth),
            Suspect::Space => {
                let between = follows(class::takes_zero_width_spaces)
                    && next().is_some_and(class::takes_zero_width_spaces);
                (between, Hidden::ZeroWidth)
            }
            Suspect::GraphemeJoiner => (follows(class::takes_grapheme_joiners), Hidden::ZeroWidth),
            Suspect::VowelSeparator => {
                let apart =
                    follows(class::precedes_apart) && next().is_some_and(class::is_written_apart);
                (apart, Hidden::ZeroWidth)
            }
            Suspect::ZeroWidth => (false, Hidden::ZeroWidth),
            Suspect::Tag => (false, Hidden::Tag),
            Suspect::Selector => (
                last.is_some_and(|last| class::has_variants(last, c)),
                Hidden::VariationSelector,
            ),
            Suspect::Presentation => (follows(class::has_presentations), Hidden::VariationSelector),
            Suspect::Ideographic => {
                // The registered collections stay far below 32 variants of one ideograph; the
                // other 208 selectors would only carry bytes.
                let registered = c <= '\u{e011f}';
                (
                    registered && follows(class::is_ideograph),
                    Hidden::VariationSelector,
                )
            }
        };
        (!kept).then_some(hidden)
    }

    fn is_right_to_left(&mut self) -> bool {
        let text = self.text;
        *self
            .right_to_left
            .get_or_insert_with(|| has_right_to_left_letter(text))
    }
}

impl Iterator for Scan<'_> {
    type Item = (Range<usize>, Hidden);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.text.get(self.at..)?;
            let plain = plain_prefix(rest.as_bytes());
            if plain > 0 {
                self.at += plain;
                let ended = self.text.as_bytes().get(self.at - 1);
                self.last = ended.map(|byte| char::from(*byte));
                continue;
            }
            let mut characters = rest.chars();
            let c = characters.next()?;
            let mut length = rest.len() - characters.as_str().len();
            if let Some(suspect) = class::suspect(c) {
                if let Some(hidden) = self.judge(c, suspect, rest) {
                    if hidden == Hidden::Ansi {
                        length = ansi::length(rest);
                    }
                    let start = self.at;
                    self.at += length;
                    return Some((start..self.at, hidden));
                }
            } else if c == '\u{1f3f4}' {
                length += flag(characters.as_str());
            }
            self.last = Some(c);
            self.at += length;
        }
    }
}

/// Whether a letter that is written from right to left will be kept: one inside an escape sequence
/// goes with it and speaks for nothing.
fn has_right_to_left_letter(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) =
        rest.find(|c| class::is_right_to_left(c) || class::suspect(c) == Some(Suspect::Escape))
    {
        let found = rest.get(at..).unwrap_or_default();
        if found.starts_with(class::is_right_to_left) {
            return true;
        }
        rest = found.get(ansi::length(found)..).unwrap_or_default();
    }
    false
}

/// The length of the tags of a flag, if `rest` begins with those of one.
fn flag(rest: &str) -> usize {
    FLAGS
        .iter()
        .find(|tags| rest.starts_with(**tags))
        .map_or(0, |tags| tags.len())
}

/// Whether a joiner may join it to the emoji that follows.
fn ends_emoji(c: char) -> bool {
    class::is_emoji(c) || c == '\u{fe0f}'
}

/// How many bytes at the beginning are ASCII without controls.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    if bytes.first().is_none_or(|byte| is_special(*byte)) {
        return 0;
    }
    let mut plain = 0;
    for step in bytes.chunks(STEP) {
        if step
            .iter()
            .fold(false, |special, byte| special | is_special(*byte))
        {
            return plain + step.iter().take_while(|byte| !is_special(**byte)).count();
        }
        plain += step.len();
    }
    plain
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte >= 0x7f) | ((byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r'))
}
