//! Names that programs made up: of one alphabet, and short.

use super::rule::*;
use std::ops::Range;

/// Characters of an identifier unless said otherwise.
const LONGEST: usize = 128;

/// What an identifier is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letters {
    /// Characters besides ASCII letters and digits.
    pub also: Box<str>,
    /// How many characters it may have.
    pub longest: usize,
}

impl Default for Letters {
    fn default() -> Self {
        Letters {
            also: "_-.:".into(),
            longest: LONGEST,
        }
    }
}

pub(super) fn check(
    text: &str,
    letters: &Letters,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) {
    let foreign = text
        .char_indices()
        .find(|(_, c)| !c.is_ascii_alphanumeric() && !letters.also.contains(*c));
    if let Some((at, c)) = foreign {
        add(&IDENTIFIER_LETTERS, at..at + c.len_utf8());
    }
    if text.is_empty() || text.chars().nth(letters.longest).is_some() {
        add(&IDENTIFIER_LENGTH, 0..text.len());
    }
    if text.starts_with(|c: char| !c.is_ascii_alphanumeric()) {
        add(
            &IDENTIFIER_OPTION,
            0..text.chars().next().map_or(0, char::len_utf8),
        );
    }
}
