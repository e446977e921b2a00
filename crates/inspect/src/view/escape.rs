//! Characters written as escapes: `%41`, `&#65;`, `\u0041`, and their like.
//!
//! Each escape is a few bytes long, so looking whether one begins somewhere costs the same anywhere.

use super::map::Kind;
use std::ops::Range;

/// One character or more that are escaped in the same way, one behind the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Escape {
    pub(super) range: Range<usize>,
    /// The character, where it is one.
    only: Option<char>,
    /// Bytes that stand for each byte of what is escaped; none where they differ.
    pub(super) of: Option<usize>,
    pub(super) kind: Kind,
}

/// Backslashes before a quotation mark: three levels of texts within texts have seven.
const ESCAPES: usize = 7;

/// So near the next escape begins where there are many: it is looked for byte by byte.
const NEAR: usize = 4;

/// The first escape that begins at `from` or later.
#[inline]
pub(super) fn next(text: &str, from: usize) -> Option<Escape> {
    let mut at = from;
    loop {
        let rest = text.as_bytes().get(at..)?;
        let begins = |byte: &u8| matches!(byte, b'%' | b'&' | b'\\');
        at += match rest.iter().take(NEAR).position(begins) {
            Some(near) => near,
            None => memchr::memchr3(b'%', b'&', b'\\', rest)?,
        };
        if let Some(escape) = here(text, at) {
            return Some(escape);
        }
        at += 1;
    }
}

#[inline]
fn here(text: &str, at: usize) -> Option<Escape> {
    let rest = text.as_bytes().get(at..)?;
    if let Some((each, kind)) = of_bytes(rest)
        && let Some((first, mut length)) = character(rest, kind, each)
    {
        let mut only = Some(first);
        while let Some((_, used)) = character(rest.get(length..)?, kind, each) {
            length += used;
            only = None;
        }
        let (of, range) = (Some(each), at..at + length);
        return Some(Escape {
            range,
            only,
            of,
            kind,
        });
    }
    let (c, used, kind) = single(rest)?;
    let range = at..at + used;
    Some(Escape {
        range,
        only: Some(c),
        of: None,
        kind,
    })
}

/// Adds what an escape says.
#[inline]
pub(super) fn say(text: &str, escape: &Escape, said: &mut String) {
    match (escape.only, escape.of) {
        (Some(c), _) => said.push(c),
        (None, each) => say_all(text, escape.range.clone(), (escape.kind, each), said),
    }
}

fn say_all(
    text: &str,
    range: Range<usize>,
    (kind, each): (Kind, Option<usize>),
    said: &mut String,
) {
    let mut rest = text.as_bytes().get(range).unwrap_or_default();
    while let Some((c, used)) = character(rest, kind, each.unwrap_or_default()) {
        said.push(c);
        rest = rest.get(used..).unwrap_or_default();
    }
}

/// How many bytes an escape of this kind has for each byte, its two digits included.
fn of_bytes(rest: &[u8]) -> Option<(usize, Kind)> {
    match rest {
        [b'%', ..] => Some((3, Kind::Percent)),
        [b'\\', b'x', ..] => Some((4, Kind::Escape)),
        _ => None,
    }
}

/// A byte that is escaped in this way.
fn byte(rest: &[u8], kind: Kind) -> Option<u8> {
    match (kind, rest) {
        (Kind::Percent, [b'%', high, low, ..]) | (Kind::Escape, [b'\\', b'x', high, low, ..]) => {
            Some(digit(*high)? << 4 | digit(*low)?)
        }
        _ => None,
    }
}

/// One character of UTF-8, each byte of it escaped, and how much is used for it.
fn character(rest: &[u8], kind: Kind, each: usize) -> Option<(char, usize)> {
    let first = byte(rest, kind)?;
    let length = match first {
        0..=0x7f => return Some((char::from(first), each)),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut bytes = [first, 0, 0, 0];
    for (at, place) in bytes.iter_mut().enumerate().take(length).skip(1) {
        *place = byte(rest.get(at * each..)?, kind)?;
    }
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    Some((text.chars().next()?, length * each))
}

/// One character that is escaped as a whole.
fn single(rest: &[u8]) -> Option<(char, usize, Kind)> {
    match rest {
        [b'&', b'#', ..] => reference(rest).map(|(c, used)| (c, used, Kind::Entity)),
        [b'&', ..] => entity(rest).map(|(c, used)| (c, used, Kind::Entity)),
        [b'\\', b'u', b'{', digits @ ..] => {
            let length = digits
                .iter()
                .take(8)
                .take_while(|b| b.is_ascii_hexdigit())
                .count();
            let closed = digits.get(length) == Some(&b'}');
            let c = char::from_u32(hex(digits, length).filter(|_| closed)?)?;
            Some((c, length + 4, Kind::Escape))
        }
        [b'\\', b'U', digits @ ..] => {
            let c = char::from_u32(hex(digits, 8)?)?;
            Some((c, 10, Kind::Escape))
        }
        [b'\\', ..] if quoted(rest).is_some() => Some(('"', quoted(rest)?, Kind::Escape)),
        [b'\\' | b'%', b'u', digits @ ..] => {
            let (c, units) = utf16(digits, rest.get(..2)?)?;
            Some((c, 6 * units, Kind::Escape))
        }
        _ => None,
    }
}

/// The length of a quotation mark as a text within a text has it: `\"`, and `\\\"` one level further down.
fn quoted(rest: &[u8]) -> Option<usize> {
    let escapes = rest.iter().take(ESCAPES);
    let length = escapes.take_while(|byte| **byte == b'\\').count();
    (length > 0 && rest.get(length) == Some(&b'"')).then_some(length + 1)
}

/// A character as one or two units of UTF-16, and how many.
fn utf16(digits: &[u8], prefix: &[u8]) -> Option<(char, usize)> {
    let first = u16::try_from(hex(digits, 4)?).ok()?;
    let second = || {
        let next = digits.get(4..)?.strip_prefix(prefix)?;
        u16::try_from(hex(next, 4)?).ok()
    };
    let units = match first {
        0xd800..=0xdbff => [Some(first), second()],
        _ => [Some(first), None],
    };
    let count = units.iter().flatten().count();
    let c = char::decode_utf16(units.into_iter().flatten())
        .next()?
        .ok()?;
    Some((c, count))
}

/// A numeric character reference. Readers forgive a missing semicolon, so it is forgiven here.
fn reference(rest: &[u8]) -> Option<(char, usize)> {
    let (radix, digits, before) = match rest {
        [_, _, b'x' | b'X', digits @ ..] => (16, digits, 3),
        [_, _, digits @ ..] => (10, digits, 2),
        _ => return None,
    };
    // Zeros in front may be many; no more are read than anybody writes.
    let length = digits.iter().take(10);
    let length = length
        .take_while(|b| char::from(**b).is_digit(radix))
        .count();
    let digits = std::str::from_utf8(digits.get(..length)?).ok()?;
    let c = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    let closed = rest.get(before + length) == Some(&b';');
    Some((c, before + length + usize::from(closed)))
}

/// A named character reference, of those that could hide something a rule looks for.
fn entity(rest: &[u8]) -> Option<(char, usize)> {
    let name = rest.get(1..)?;
    let length = name
        .iter()
        .take(8)
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    if name.get(length) != Some(&b';') {
        return None;
    }
    let name = name.get(..length)?;
    let (_, c) = NAMED.iter().find(|(known, _)| known.as_bytes() == name)?;
    Some((*c, length + 2))
}

const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("grave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("vert", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("tilde", '\u{2dc}'),
    ("dash", '\u{2010}'),
    ("hyphen", '\u{2010}'),
    ("shy", '\u{ad}'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("AMP", '&'),
    ("LT", '<'),
    ("GT", '>'),
    ("QUOT", '"'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("agrave", 'à'),
    ("ccedil", 'ç'),
];

/// The number that the first `length` bytes stand for; none of them is anything but a digit.
pub(super) fn hex(bytes: &[u8], length: usize) -> Option<u32> {
    let digits = bytes.get(..length).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0_u32, |number, byte| {
        number.checked_mul(16)?.checked_add(digit(*byte)?.into())
    })
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
