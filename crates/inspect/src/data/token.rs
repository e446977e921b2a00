//! Tokens that stand for values: `{rw:personal.email:MZXW6…}`. What they look like, and where they
//! are; what is inside is sealed and opened by whoever has the key.

use std::ops::Range;

/// What every token begins with.
const OPENS: &str = "{rw:";
/// The most that a token holds, in bytes: longer values are redacted.
pub const SEALED: usize = 1024;
/// RFC 4648, section 6, in lower case: models and people read tokens, and some change their case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A token in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    /// Where it is, braces included: bytes of the text.
    pub at: Range<usize>,
    /// What it says it stands for.
    pub label: &'t str,
    /// What is sealed in it.
    pub sealed: Vec<u8>,
}

/// The token that stands for a value with this label, sealed.
pub fn write(label: &str, sealed: &[u8]) -> String {
    let mut out = format!("{OPENS}{label}:");
    let mut bits = 0u32;
    let mut held = 0u32;
    for byte in sealed {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(letter(held << (5 - bits)));
    }
    out.push('}');
    out
}

fn letter(value: u32) -> char {
    let index = usize::try_from(value & 31).unwrap_or(0);
    ALPHABET.get(index).map_or('a', |byte| char::from(*byte))
}

/// Whether a message can hold tokens at all, escaped or not.
pub fn may_be_in(message: &[u8]) -> bool {
    let find = |word: &[u8]| memchr::memmem::find(message, word).is_some();
    find(OPENS.as_bytes()) || find(b"\\u")
}

/// Every token of a text, in order. What only looks like one is passed over.
pub fn find(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(next) = text.get(from..).and_then(|rest| rest.find(OPENS)) {
        let start = from + next;
        let inner = start + OPENS.len();
        from = inner;
        let Some(token) = read(text, start, inner) else {
            continue;
        };
        from = token.at.end;
        found.push(token);
    }
    found
}

fn read(text: &str, start: usize, inner: usize) -> Option<Token<'_>> {
    let rest = text.get(inner..)?;
    let most = 64 + SEALED * 2;
    let end = rest.bytes().take(most).position(|byte| byte == b'}')?;
    let (label, letters) = rest.get(..end)?.rsplit_once(':')?;
    super::Kind::of(label)?;
    let mut sealed = Vec::with_capacity(letters.len() * 5 / 8);
    let mut bits = 0u32;
    let mut held = 0u32;
    for byte in letters.bytes() {
        let byte = byte.to_ascii_lowercase();
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            sealed.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    // One value is written one way.
    (held == 0 && bits < 5 && sealed.len() <= SEALED).then_some(Token {
        at: start..inner + end + 1,
        label,
        sealed,
    })
}
