//! Words whose letters only look like ASCII ones (UTS 39), spelt with those.
//!
//! A word is folded where letters of ASCII stand beside others that look like more of them, or where
//! all of it looks like ASCII. A word of another language stays as it is.

use super::map::Kind;
use super::normal::ascii_prefix;
use super::weave::Weaver;
use crate::pin::prototype;
use std::sync::LazyLock;

/// Letters of other scripts that a word needs for being folded, where it has none of ASCII: shorter
/// words of many languages look like ASCII by chance.
const SHORTEST: usize = 4;

/// The first character that the table does not hold.
const TABLE_END: char = '\u{10000}';

/// What stands in the table for a letter that looks like none of ASCII, and for what is no letter.
const LETTER: u8 = 1;
const OTHER: u8 = 0;

/// The ASCII character each character looks like, where it does.
static TABLE: LazyLock<Box<[u8]>> = LazyLock::new(|| {
    // By number: what is no character in between looks like nothing.
    let all = 0..u32::from(TABLE_END);
    all.map(|code| char::from_u32(code).map_or(OTHER, class))
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
        let next = self.at + skipped(self.text.as_bytes().get(self.at..)?);
        let first = self.text.get(next..)?.chars().next()?;
        let before = self.text.get(self.at..next)?.bytes().rev();
        let start = next - before.take_while(u8::is_ascii_alphanumeric).count();
        let rest = self.text.get(start..)?;
        let length = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
        self.at = (start + length).max(next + first.len_utf8());
        Some((start, rest.get(..length)?))
    }
}

/// How many bytes at the beginning are of no word that could look like another one.
fn skipped(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        at += ascii_prefix(rest);
        match bytes.get(at) {
            // Ideographs, kana and most of Hangul, three bytes each.
            Some(0xe3..=0xe9 | 0xeb..=0xec) => at += 3,
            _ => return at,
        }
    }
}

fn is_of_word(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric(),
        false => known(c) != OTHER,
    }
}

/// The ASCII character that it looks like.
fn like(c: char) -> Option<u8> {
    Some(known(c)).filter(|like| *like > LETTER)
}

fn known(c: char) -> u8 {
    match usize::try_from(u32::from(c))
        .ok()
        .and_then(|at| TABLE.get(at))
    {
        Some(known) => *known,
        None => class(c),
    }
}

fn class(c: char) -> u8 {
    // No ideograph, no syllable of Hangul and no picture looks like a letter.
    if matches!(c,
        '\0'..='\u{7f}' | '\u{3000}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..=char::MAX)
    {
        return OTHER;
    }
    let mut looks = prototype(c);
    match (looks.next(), looks.next(), looks.next()) {
        (Some(one), None, _) if one.is_ascii_alphanumeric() => u8::try_from(one).unwrap_or(LETTER),
        // What looks like an `m` is written as what an `m` looks like.
        (Some('r'), Some('n'), None) => b'm',
        _ if c.is_alphanumeric() => LETTER,
        _ => OTHER,
    }
}
