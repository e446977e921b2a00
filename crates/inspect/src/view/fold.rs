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

pub(super) fn weave(text: &str, weaver: &mut Weaver<'_>) {
    let mut at = 0;
    while let Some(next) = next_high(text.as_bytes(), at) {
        let before = text.get(at..next).unwrap_or_default();
        let start = next
            - before
                .bytes()
                .rev()
                .take_while(u8::is_ascii_alphanumeric)
                .count();
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        fold(word, start, weaver);
        let skipped = text.get(next..).and_then(|rest| rest.chars().next());
        at = (start + length).max(next + skipped.map_or(1, char::len_utf8));
        if weaver.is_full() {
            return;
        }
    }
}

fn next_high(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter()
        .position(|byte| !byte.is_ascii())
        .map(|at| from + at)
}

fn is_of_word(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric(),
        false => c.is_alphanumeric() || like(c).is_some(),
    }
}

fn fold(word: &str, start: usize, weaver: &mut Weaver<'_>) {
    let mixed = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let high = || word.chars().filter(|c| !c.is_ascii());
    if !mixed && (high().count() < SHORTEST || !high().all(|c| like(c).is_some())) {
        return;
    }
    for (at, c) in word.char_indices().filter(|(_, c)| !c.is_ascii()) {
        if let Some(like) = like(c) {
            let range = start + at..start + at + c.len_utf8();
            let mut buffer = [0];
            weaver.put(
                range,
                char::from(like).encode_utf8(&mut buffer),
                Kind::Confusable,
            );
        }
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
