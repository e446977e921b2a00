//! The characters that an address is read as: character references of HTML, escapes of Markdown, and
//! what browsers leave out of addresses, undone. It knows the references that spell what an address is
//! made of, and never those of letters that no address has.

use std::ops::Range;

/// Named references of characters that structure an address or hide inside a scheme.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("apos", '\''),
    ("bsol", '\\'),
    ("colon", ':'),
    ("commat", '@'),
    ("equals", '='),
    ("excl", '!'),
    ("gt", '>'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lt", '<'),
    ("newline", '\n'),
    ("num", '#'),
    ("percnt", '%'),
    ("period", '.'),
    ("quest", '?'),
    ("quot", '"'),
    ("rpar", ')'),
    ("semi", ';'),
    ("sol", '/'),
    ("tab", '\t'),
];

/// How long a reference is, name or number: zeros before a number are not counted.
const LONGEST: usize = 12;

/// The characters of a spelled address, each with where it stands. Tabs and line ends are left out, as
/// browsers do.
pub(super) struct Spelled<'t> {
    text: &'t str,
    at: usize,
    end: usize,
    takes_backslashes: bool,
}

impl<'t> Spelled<'t> {
    /// Reads a part of a text; with `Markdown`'s escapes where it is an address of Markdown.
    pub(super) fn new(text: &'t str, range: Range<usize>, takes_backslashes: bool) -> Self {
        Spelled {
            text,
            at: range.start,
            end: range.end.min(text.len()),
            takes_backslashes,
        }
    }

    /// How far it was read.
    pub(super) fn at(&self) -> usize {
        self.at
    }
}

impl Iterator for Spelled<'_> {
    type Item = (Range<usize>, char);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.at;
            let rest = self.text.get(start..self.end)?;
            let mut characters = rest.chars();
            let mut c = characters.next()?;
            let mut length = c.len_utf8();
            if c == '&'
                && let Some((meant, taken)) = reference(rest)
            {
                (c, length) = (meant, taken);
            } else if c == '\\' && self.takes_backslashes {
                let escaped = characters.next().filter(char::is_ascii_punctuation);
                if let Some(meant) = escaped {
                    (c, length) = (meant, 2);
                }
            }
            self.at = start + length;
            if !matches!(c, '\t' | '\n' | '\r') {
                return Some((start..self.at, c));
            }
        }
    }
}

/// The character that a text begins with a reference to, and how long that is.
pub(super) fn reference(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(1) == Some(&b'#') {
        return number(bytes);
    }
    let inner = bytes.get(1..)?;
    let length = inner
        .iter()
        .take(LONGEST)
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let name = text.get(1..1 + length)?;
    let (_, meant) = NAMED.iter().find(|it| it.0.eq_ignore_ascii_case(name))?;
    let closed = usize::from(inner.get(length) == Some(&b';'));
    Some((*meant, 1 + length + closed))
}

fn number(bytes: &[u8]) -> Option<(char, usize)> {
    let hexadecimal = matches!(bytes.get(2), Some(b'x' | b'X'));
    let (radix, begin) = if hexadecimal { (16, 3) } else { (10, 2) };
    let digits = bytes.get(begin..)?;
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let mut value = 0u32;
    let mut length = zeros;
    for byte in digits.iter().skip(zeros).take(LONGEST) {
        let Some(digit) = char::from(*byte).to_digit(radix) else {
            break;
        };
        value = value.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    if length == 0 {
        return None;
    }
    let closed = usize::from(digits.get(length) == Some(&b';'));
    let meant = char::from_u32(value).unwrap_or('\u{fffd}');
    Some((meant, begin + length + closed))
}
