//! Numbers that are no text: what is written `{"card": 4111111111111111}` is a card as well. Nothing here
//! says what is done about them.

use crate::content::minimise::json;
use protocol::{Kind, Limits, Value};
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

/// Where the numbers of a text stand, if the text is JSON: an object or an array. What takes the place of
/// one of them has to be JSON as well.
pub(super) fn numbers(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if let Some(document) = json(text, &Limits::default()) {
        within(document.root(), &mut found);
    }
    found
}

/// In the order of the text. Depth is bounded by that of the document.
fn within(value: Value<'_>, found: &mut Vec<Range<usize>>) {
    match value.kind() {
        Kind::Number => found.push(value.range()),
        Kind::Array => value.elements().for_each(|element| within(element, found)),
        Kind::Object => value.members().for_each(|(_, inner)| within(inner, found)),
        Kind::Boolean | Kind::Null | Kind::String => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use protocol::Document;

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
            ("1234567", vec![]),
            ("see {1}", vec![]),
            ("", vec![]),
        ] {
            let found: Vec<_> = numbers(text)
                .into_iter()
                .map(|at| text.get(at).unwrap())
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
