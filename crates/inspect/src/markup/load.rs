//! What a style, or a document that stands in an attribute, is made to load: addresses in it, however they
//! are spelled in references of HTML and escapes of CSS. Which of them go too far is not asked here.

use super::entity::Spelled;
use std::ops::Range;

/// Schemes by which something is loaded from another machine.
const SCHEMES: &[&str] = &["https", "http", "wss", "ws", "ftp", "file"];

/// The digits of an escape of CSS.
const DIGITS: usize = 6;

/// Whether a value may load anything at all.
pub(super) fn may(value: &str) -> bool {
    memchr::memchr3(b':', b'/', b'\\', value.as_bytes()).is_some() || value.contains('&')
}

/// A value as its readers have it, as it is written first: with references undone, twice where a document
/// stands in it, and with escapes undone.
pub(super) fn readings(value: &str) -> Vec<String> {
    let mut readings = vec![value.to_owned()];
    for turn in 0..2 {
        let last = readings.get(turn).map(String::as_str).unwrap_or_default();
        if !last.contains('&') {
            break;
        }
        let spelled = Spelled::new(last, 0..last.len(), false);
        let read: String = spelled.map(|(_, c)| c).collect();
        readings.push(read);
    }
    let escaped = readings.iter().filter(|it| it.contains('\\'));
    let unescaped: Vec<String> = escaped.map(|it| unescaped(it)).collect();
    readings.extend(unescaped);
    readings
}

/// A style without its escapes (CSS Syntax, section 4.3.7). What is escaped ends nothing.
fn unescaped(style: &str) -> String {
    let mut read = String::with_capacity(style.len());
    let mut rest = style;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        read.push_str(plain);
        let escape = escape.get(1..).unwrap_or_default();
        let bytes = escape.bytes().take(DIGITS);
        let digits = bytes.take_while(u8::is_ascii_hexdigit).count();
        let Some(first) = escape.chars().next() else {
            return read;
        };
        let (number, behind) = escape.split_at(digits);
        let meant = match u32::from_str_radix(number, 16) {
            Ok(number) => char::from_u32(number).unwrap_or('\u{fffd}'),
            Err(_) => first,
        };
        rest = match digits {
            0 => escape.get(first.len_utf8()..).unwrap_or_default(),
            _ => behind.strip_prefix(char::is_whitespace).unwrap_or(behind),
        };
        match meant {
            '\n' | '\r' | '\u{c}' => {}
            '"' | '\'' | '(' | ')' | ' ' | ',' | ';' | '<' | '>' => read.push('_'),
            meant => read.push(meant),
        }
    }
    read.push_str(rest);
    read
}

/// The addresses of other machines in a reading.
pub(super) fn addresses(reading: &str) -> Vec<Range<usize>> {
    let bytes = reading.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in memchr::memchr3_iter(b':', b'/', b'\\', bytes) {
        if found.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let start = match bytes.get(at) {
            Some(b':') => scheme(reading, at),
            _ => slashes(bytes, at),
        };
        let Some(start) = start else { continue };
        let before = reading.get(..start).unwrap_or_default().trim_end();
        let opener = before.chars().next_back();
        let end = match opener {
            Some(quote @ ('"' | '\'')) => ends(reading, at, |c| c == quote),
            Some('(') => ends(reading, at, |c| c == ')' || c.is_whitespace()),
            _ => ends(reading, at, |c| c.is_whitespace() || "\"')>,;".contains(c)),
        };
        found.push(start..end);
    }
    found
}

fn ends(reading: &str, from: usize, is_end: impl Fn(char) -> bool) -> usize {
    let rest = reading.get(from..).unwrap_or_default();
    rest.find(is_end).map_or(reading.len(), |end| from + end)
}

/// Where the scheme begins that ends at this colon. Browsers need no slashes behind it.
fn scheme(reading: &str, colon: usize) -> Option<usize> {
    let before = reading.get(..colon)?;
    SCHEMES.iter().find_map(|scheme| {
        let start = colon.checked_sub(scheme.len())?;
        let is = before.get(start..)?.eq_ignore_ascii_case(scheme);
        let is_part = before
            .get(..start)?
            .ends_with(|c: char| c.is_ascii_alphanumeric());
        (is && !is_part).then_some(start)
    })
}

/// Where an address begins that has the scheme of its page: in quotes, or behind a parenthesis or an equals
/// sign.
fn slashes(bytes: &[u8], at: usize) -> Option<usize> {
    let is_second = matches!(bytes.get(at + 1), Some(b'/' | b'\\'));
    let before = bytes.get(..at)?.iter().rev();
    let opener = before.into_iter().find(|byte| !byte.is_ascii_whitespace());
    let opens = opener.is_none_or(|byte| matches!(byte, b'"' | b'\'' | b'(' | b'='));
    (is_second && opens).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n9_3_addresses_are_found_however_they_are_spelled() {
        for (value, expected) in [
            ("url(https://a.example/b)", &["https://a.example/b"][..]),
            ("url(htt\\70s://a.example/b)", &["https://a.example/b"]),
            (
                "u\\72l( 'https://a.example/b c' )",
                &["https://a.example/b c"],
            ),
            ("image-set(\"//a.example/b\" 1x)", &["//a.example/b"]),
            (
                "image-set(/* ' */\"\\5c\\5c a.example\")",
                &["\\\\a.example"],
            ),
            ("url(https&colon;//a.example)", &["https://a.example"]),
            ("url(https:a.example)", &["https:a.example"]),
            (
                "@import 'HTTPS:\\\\a.example\\z'",
                &["HTTPS:\\\\a.example\\z", "HTTPS:\\a.examplez"],
            ),
            (
                "'https://a.example/\\\"b'",
                &["https://a.example/\\\"b", "https://a.example/_b"],
            ),
            ("<img src=&amp;#104;ttp://a.example>", &["http://a.example"]),
            ("<img src=//a.example/b>", &["//a.example/b"]),
            ("color: red; background: url(a/b.png) /* // */", &[]),
            ("a:hover, .b::before { c: d } // e", &[]),
        ] {
            let readings = readings(value);
            let mut found: Vec<&str> = Vec::new();
            for reading in &readings {
                for range in addresses(reading) {
                    let address = reading.get(range).unwrap();
                    if !found.contains(&address) {
                        found.push(address);
                    }
                }
            }
            found.retain(|it| !it.contains("&colon") && !it.contains("\\5c"));
            assert_eq!(found, expected, "{value}");
        }
    }
}
