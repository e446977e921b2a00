//! Numbers that are no text: what is written `{"card": 4111111111111111}` is a card as well. Nothing here
//! says what is done about them.

use crate::content::inner::{self, Place};
use protocol::{Kind, Value};
use std::borrow::Cow;
use std::ops::Range;

/// A number of fewer digits is looked at by nobody.
const DIGITS: usize = 7;

/// A number of data as whoever reads it has it: `4.111111111111111e15` is `4111111111111111`. Nothing for one
/// that has too few digits to say something of anybody.
pub(in crate::content) fn digits(number: Value<'_>) -> Option<Cow<'_, str>> {
    let raw = number.raw();
    let count = raw.iter().filter(|byte| byte.is_ascii_digit()).count();
    if raw.len() < DIGITS || count < DIGITS {
        return None;
    }
    let is_whole = |value: &f64| value.fract() == 0.0 && value.abs() < 1e16;
    let written = std::str::from_utf8(raw).ok()?;
    let other = match number.integer() {
        Some(_) => None,
        None => number.number().filter(is_whole),
    };
    Some(match other {
        Some(value) => Cow::Owned(format!("{value:.0}")),
        None => Cow::Borrowed(written),
    })
}

/// One number of JSON in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) at: Range<usize>,
    /// How many strings of other JSON it stands in.
    strings: usize,
}

impl Number {
    /// What stands on both sides of a string in its place.
    pub(super) fn quote(&self) -> String {
        let mut quote = "\\".repeat((1 << self.strings.min(inner::STRINGS)) - 1);
        quote.push('"');
        quote
    }
}

/// Where the numbers of the JSON in a text stand: of an object or an array. What takes the place of one of
/// them has to be JSON as well.
pub(super) fn numbers(text: &str) -> Vec<Number> {
    let mut found = Vec::new();
    // Of what is not read to its end no number is replaced by its name.
    inner::each(text, &mut |place, document| {
        within(document.root(), place, &mut found);
    });
    found.sort_unstable_by_key(|number| number.at.start);
    found
}

/// Depth is bounded by that of the document.
fn within(value: Value<'_>, place: &Place<'_>, found: &mut Vec<Number>) {
    match value.kind() {
        Kind::Number => found.push(Number {
            at: place.of(value.range()),
            strings: place.strings(),
        }),
        Kind::Array => value
            .elements()
            .for_each(|element| within(element, place, found)),
        Kind::Object => value
            .members()
            .for_each(|(_, inner)| within(inner, place, found)),
        Kind::Boolean | Kind::Null | Kind::String => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use protocol::{Document, Limits};

    #[test]
    fn n9_3_a_number_is_read_as_everybody_reads_it() {
        for (written, read) in [
            ("4111111111111111", Some("4111111111111111")),
            ("4.111111111111111e15", Some("4111111111111111")),
            ("411111111111111100E-2", None),
            ("4111111111111111.0", Some("4111111111111111")),
            ("52.5200066", Some("52.5200066")),
            ("-1234567", Some("-1234567")),
            ("123456", None),
            ("1e300", None),
            ("1.5e3", None),
            ("0.000001", Some("0.000001")),
        ] {
            let bytes = Bytes::from(written.to_owned());
            let Ok(document) = Document::read(bytes, &Limits::default()) else {
                // More than a double holds exactly is refused before anybody looks.
                assert_eq!(read, None, "{written}");
                continue;
            };
            assert_eq!(digits(document.root()).as_deref(), read, "{written}");
        }
    }

    #[test]
    fn numbers_of_json_stand_where_they_are_and_digits_of_strings_are_none() {
        for (text, expected) in [
            (
                r#"{"a": 1234567, "b": ["-5", -5.0e3, "\"7"], "c": 0}"#,
                vec!["1234567", "-5.0e3", "0"],
            ),
            ("[1,2]", vec!["1", "2"]),
            ("{\"a\": 1", vec![]),
            ("1:\n```\n[12, {\"a\": 3}]\n```\n", vec!["12", "3"]),
            (
                r#"{"a": 1, "a": 12345678901234567890}"#,
                vec!["1", "12345678901234567890"],
            ),
            ("{\"a\": 1}\nno 2\n{\"a\": 3}", vec!["1", "3"]),
            (
                r#"{"a": "{\"b\": 1}", "c": "[2]", "d": 3}"#,
                vec!["1", "2", "3"],
            ),
            ("1234567", vec![]),
            ("see {1}", vec![]),
            ("", vec![]),
        ] {
            let found: Vec<_> = numbers(text)
                .into_iter()
                .map(|number| text.get(number.at).unwrap())
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
