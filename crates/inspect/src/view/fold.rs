//! Words whose letters only look like ASCII ones (UTS 39), spelt with those.
//!
//! A word is folded where letters of ASCII stand beside others that look like more of them, or where
//! all of it looks like ASCII. A word of another language stays as it is.

use super::map::Kind;
use super::weave::Weaver;
use crate::pin::prototype;
use std::sync::LazyLock;

/// Letters of other scripts that a word needs for being folded, where it has none of ASCII: shorter
/// words of many languages look like ASCII by chance.
const SHORTEST: usize = 3;

/// The first character that the table does not hold.
const TABLE_END: char = '\u{3000}';

/// The ASCII character each character looks like; 0 where it looks like none.
static TABLE: LazyLock<Box<[u8]>> = LazyLock::new(|| {
    ('\0'..TABLE_END)
        .map(|c| looked_up(c).unwrap_or(0))
        .collect()
});

/// What is held against a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// That all of it looks like ASCII, or part of it beside ASCII letters.
    Name,
    /// That part of it looks like ASCII beside ASCII letters: whole words do so in many languages.
    Prose,
}

pub(super) fn weave(text: &str, weaver: &mut Weaver<'_>) {
    for (start, word) in Words::new(text) {
        if !is_disguised(word, Strictness::Name) {
            continue;
        }
        for (at, c) in word.char_indices().filter(|(_, c)| !c.is_ascii()) {
            if let Some(like) = like(c) {
                let range = start + at..start + at + c.len_utf8();
                let mut buffer = [0];
                let like = char::from(like).encode_utf8(&mut buffer);
                weaver.put(range, like, Kind::Confusable);
            }
        }
        if weaver.is_full() {
            return;
        }
    }
}

/// How many words of the text look like other ones.
pub(crate) fn disguised(text: &str, strictness: Strictness) -> usize {
    let words = Words::new(text);
    words
        .filter(|(_, word)| is_disguised(word, strictness))
        .count()
}

fn is_disguised(word: &str, strictness: Strictness) -> bool {
    let mut high = word.chars().filter(|c| !c.is_ascii());
    if word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return high.any(|c| like(c).is_some());
    }
    strictness == Strictness::Name
        && high.clone().nth(SHORTEST - 1).is_some()
        && high.all(|c| like(c).is_some())
}

/// The words of a text with a character beyond ASCII, and where they begin.
struct Words<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Words<'t> {
    fn new(text: &'t str) -> Self {
        Words { text, at: 0 }
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = (usize, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..)?;
        let next = self.at + rest.bytes().position(|byte| !byte.is_ascii())?;
        let before = self.text.get(self.at..next)?.bytes().rev();
        let start = next - before.take_while(u8::is_ascii_alphanumeric).count();
        let rest = self.text.get(start..)?;
        let length = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
        let first = self.text.get(next..)?.chars().next()?;
        self.at = (start + length).max(next + first.len_utf8());
        Some((start, rest.get(..length)?))
    }
}

fn is_of_word(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric(),
        false => c.is_alphanumeric() || like(c).is_some(),
    }
}

/// The ASCII character that it looks like.
fn like(c: char) -> Option<u8> {
    match usize::try_from(u32::from(c))
        .ok()
        .and_then(|at| TABLE.get(at))
    {
        Some(0) => None,
        Some(ascii) => Some(*ascii),
        // No ideograph and no syllable of Hangul looks like a letter.
        None if matches!(c, '\u{3000}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}') => None,
        None => looked_up(c),
    }
}

fn looked_up(c: char) -> Option<u8> {
    if c.is_ascii() {
        return None;
    }
    let mut looks = prototype(c);
    match (looks.next(), looks.next(), looks.next()) {
        (Some(one), None, _) if one.is_ascii_alphanumeric() => u8::try_from(one).ok(),
        // What looks like an `m` is written as what an `m` looks like.
        (Some('r'), Some('n'), None) => Some(b'm'),
        _ => None,
    }
}
