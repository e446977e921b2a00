//! The insides of strings: finding their ends quickly, and undoing escapes. Never validates more
//! than it is asked to; the reader decides what is a flaw.

use std::borrow::Cow;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes from the start are printable ASCII and neither quote nor backslash.
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    run(bytes, plain_stops, |byte| {
        !(0x20..0x7f).contains(&byte) || byte == b'"' || byte == b'\\'
    })
}

/// How many bytes from the start are neither quote, backslash nor control character.
pub(super) fn wide_run(bytes: &[u8]) -> usize {
    run(bytes, stops, |byte| {
        byte < 0x20 || byte == b'"' || byte == b'\\'
    })
}

/// The text that the inside of a string stands for. Borrowed when there is nothing to undo.
///
/// `raw` must have passed the reader; anything else is replaced, not refused.
pub(crate) fn decode(raw: &[u8]) -> Cow<'_, str> {
    decode_marking(raw, |_, _| {})
}

/// The same, and behind each escape is told how many bytes of the text, and how many of `raw`, lie before.
/// Between two escapes both go on alike.
pub(super) fn decode_marking(raw: &[u8], mut mark: impl FnMut(usize, usize)) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', raw) else {
        return String::from_utf8_lossy(raw);
    };
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut next = Some(first);
    while let Some(at) = next {
        let (run, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        text.push_str(&String::from_utf8_lossy(run));
        let (character, length) = unescape(escape);
        text.push(character);
        rest = escape.get(length..).unwrap_or_default();
        mark(text.len(), raw.len() - rest.len());
        next = memchr::memchr(b'\\', rest);
    }
    text.push_str(&String::from_utf8_lossy(rest));
    Cow::Owned(text)
}

/// The value of the four hexadecimal digits at the start.
pub(super) fn hex4(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.first_chunk::<4>()?;
    let mut value = 0;
    for digit in digits {
        value = value * 16 + char::from(*digit).to_digit(16)?;
    }
    Some(value)
}

/// The character of the escape at the start, and how many bytes the escape has.
fn unescape(escape: &[u8]) -> (char, usize) {
    let simple = match escape.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unescape_unicode(escape),
        Some(byte) => char::from(*byte),
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2)
}

fn unescape_unicode(escape: &[u8]) -> (char, usize) {
    let unit = |at: usize| escape.get(at..).and_then(hex4);
    let Some(first) = unit(2) else {
        return (char::REPLACEMENT_CHARACTER, 2);
    };
    if let Some(character) = char::from_u32(first) {
        return (character, 6);
    }
    // What is no character is a surrogate; a text that was read has its other half next to it.
    let pair = match (first, unit(8)) {
        (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) => {
            char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
        }
        _ => None,
    };
    match pair {
        Some(character) => (character, 12),
        None => (char::REPLACEMENT_CHARACTER, 6),
    }
}

/// Walks eight bytes at a time; `word` marks the high bit of each byte to stop at (exact for the
/// lowest marked byte, which is the only one used), `byte` says the same for one byte.
#[inline(always)]
fn run(bytes: &[u8], word: impl Fn(u64) -> u64, byte: impl Fn(u8) -> bool) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, chunk) in words.iter().enumerate() {
        let marks = word(u64::from_le_bytes(*chunk));
        if marks != 0 {
            return index * 8 + (marks.trailing_zeros() / 8) as usize;
        }
    }
    let before = bytes.len() - tail.len();
    before + tail.iter().position(|b| byte(*b)).unwrap_or(tail.len())
}

#[inline(always)]
fn stops(word: u64) -> u64 {
    let quote = word ^ (LOW * b'"' as u64);
    let backslash = word ^ (LOW * b'\\' as u64);
    let zero = |x: u64| x.wrapping_sub(LOW) & !x;
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    (zero(quote) | zero(backslash) | control) & HIGH
}

#[inline(always)]
fn plain_stops(word: u64) -> u64 {
    // Adding one lifts DEL to the high bit; the carry of 0xFF only reaches bytes after one that is
    // marked already.
    stops(word) | ((word | word.wrapping_add(LOW)) & HIGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_stops_at_every_special_byte_at_every_place() {
        for special in 0..=255u8 {
            let plain = (0x20..0x7f).contains(&special) && special != b'"' && special != b'\\';
            let wide = special >= 0x20 && special != b'"' && special != b'\\';
            for place in 0..40 {
                let mut bytes = vec![b'a'; 40];
                bytes[place] = special;
                let expected = |passes: bool| if passes { 40 } else { place };
                assert_eq!(plain_run(&bytes), expected(plain), "{special} at {place}");
                assert_eq!(wide_run(&bytes), expected(wide), "{special} at {place}");
            }
        }
    }

    #[test]
    fn a_run_stops_at_the_first_of_two_special_bytes() {
        for first in [b'"', b'\\', 0, 0x1f, 0x7f, 0x80, 0xff] {
            for second in 0..=255u8 {
                let bytes = [b'a', b'a', first, second, b'a', b'a', b'a', b'a', b'a'];
                assert_eq!(plain_run(&bytes), 2, "{first} {second}");
            }
        }
    }

    #[test]
    fn undoes_escapes() {
        let cases = [
            (r"", ""),
            (r"plain", "plain"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"a\u0041b", "aAb"),
            (r"\uD834\udd1e", "\u{1d11e}"),
            (r"\u0000", "\0"),
            ("é\\u00e9é", "ééé"),
        ];
        for (raw, expected) in cases {
            assert_eq!(decode(raw.as_bytes()), expected, "{raw}");
        }
    }

    #[test]
    fn each_escape_says_where_it_ends_in_the_text_and_as_written() {
        for (raw, expected) in [
            ("", vec![]),
            ("é plain", vec![]),
            (r#"é\"b\u00e9"#, vec![(3, 4), (6, 11)]),
            (r"\uD834\udd1e\n\ud800", vec![(4, 12), (5, 14), (8, 20)]),
        ] {
            let mut told = Vec::new();
            let text = decode_marking(raw.as_bytes(), |text, raw| told.push((text, raw)));
            assert_eq!(told, expected, "{raw}");
            assert_eq!(text, decode(raw.as_bytes()));
        }
    }

    #[test]
    fn never_fails_on_text_that_was_not_read() {
        for raw in [
            &br"\"[..],
            br"\u",
            br"\uD8",
            br"\uD800",
            br"\uD800\u0041",
            b"\xff\\n",
        ] {
            decode(raw);
        }
    }
}
