//! Numbers: the grammar of RFC 8259, and the range in which all parsers agree.

use super::tape::FRACTION;
use crate::flaw::FlawKind;

/// The largest integer that a double, and so every parser, holds exactly together with its
/// neighbours.
const SAFE_MAX: u64 = (1 << 53) - 1;

/// The most characters of one number.
const LENGTH_MAX: usize = 128;

/// The number at the start of the text: its length and the marks of its node; or what is wrong and
/// how far into the number.
pub(super) fn scan(text: &[u8]) -> Result<(usize, u32), (FlawKind, usize)> {
    let parts = parts(text)?;
    if parts.end > LENGTH_MAX {
        return Err((FlawKind::NumberLength, LENGTH_MAX));
    }
    let whole = text.get(parts.sign..parts.whole_end).unwrap_or_default();
    let mantissa = text.get(parts.sign..parts.mantissa_end).unwrap_or_default();
    let number = text.get(..parts.end).unwrap_or_default();
    if !is_safe(whole) || (parts.end > parts.mantissa_end && !survives(number, mantissa)) {
        return Err((FlawKind::NumberRange, 0));
    }
    Ok(parts.told())
}

/// The same of a number of any size and length, which parsers may read differently.
pub(super) fn written(text: &[u8]) -> Result<(usize, u32), (FlawKind, usize)> {
    parts(text).map(Parts::told)
}

/// Where the parts of a number end.
struct Parts {
    sign: usize,
    whole_end: usize,
    mantissa_end: usize,
    end: usize,
}

impl Parts {
    fn told(self) -> (usize, u32) {
        let marks = if self.end > self.whole_end {
            FRACTION
        } else {
            0
        };
        (self.end, marks)
    }
}

fn parts(text: &[u8]) -> Result<Parts, (FlawKind, usize)> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole_end = digits(text, sign);
    let whole = text.get(sign..whole_end).unwrap_or_default();
    if whole.is_empty() || (whole.len() > 1 && whole.first() == Some(&b'0')) {
        return Err((FlawKind::Number, sign));
    }
    let mut end = whole_end;
    if text.get(end) == Some(&b'.') {
        let start = end + 1;
        end = digits(text, start);
        if end == start {
            return Err((FlawKind::Number, start));
        }
    }
    let mantissa_end = end;
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let start = end + 1 + signed;
        end = digits(text, start);
        if end == start {
            return Err((FlawKind::Number, start));
        }
    }
    Ok(Parts {
        sign,
        whole_end,
        mantissa_end,
        end,
    })
}

/// The value of an integer that passed [`scan`].
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The value of a number that passed [`scan`].
pub(super) fn float(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Where the digits that begin at `from` end.
fn digits(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let length = rest.iter().position(|byte| !byte.is_ascii_digit());
    from + length.unwrap_or(rest.len())
}

fn is_safe(whole: &[u8]) -> bool {
    if whole.len() < 16 {
        return true;
    }
    let value = whole.iter().try_fold(0u64, |value, digit| {
        value
            .checked_mul(10)?
            .checked_add(u64::from(digit.wrapping_sub(b'0')))
    });
    value.is_some_and(|value| value <= SAFE_MAX)
}

/// Whether a number with an exponent is a finite double, and zero only if it says zero.
fn survives(number: &[u8], mantissa: &[u8]) -> bool {
    let says_zero = !mantissa.iter().any(|byte| matches!(byte, b'1'..=b'9'));
    float(number).is_some_and(|value| value.is_finite() && (value != 0.0 || says_zero))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(usize, u32), (FlawKind, usize)>) {
        assert_eq!(scan(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn reads_what_every_parser_reads_alike() {
        for text in [
            "0",
            "-0",
            "7",
            "-12",
            "9007199254740991",
            "-9007199254740991",
        ] {
            check(text, Ok((text.len(), 0)));
        }
        for text in [
            "0.5",
            "-1.25",
            "1e3",
            "1E-2",
            "1.5e+10",
            "123e65",
            "0e999",
            "0.0e-999",
            "-0.0",
            "9007199254740991.5",
            "1.000000000000000005",
        ] {
            check(text, Ok((text.len(), FRACTION)));
        }
        check("12,", Ok((2, 0)));
        check("1]", Ok((1, 0)));
    }

    #[test]
    fn refuses_what_json_does_not_allow() {
        for (text, at) in [
            ("-", 1),
            ("01", 0),
            ("-01", 1),
            ("00", 0),
            ("1.", 2),
            ("1.e1", 2),
            ("1e", 2),
            ("1e+", 3),
            ("-x", 1),
            ("1.5e", 4),
        ] {
            check(text, Err((FlawKind::Number, at)));
        }
    }

    #[test]
    fn refuses_what_parsers_read_differently() {
        for text in [
            "9007199254740992",
            "-9007199254740992",
            "9007199254740993.0",
            "9007199254740992e0",
            "12345678901234567890123",
            "1e400",
            "-1e400",
            "1e309",
            "1e-999",
            "0.1e-400",
            "1e99999999999999999999",
        ] {
            check(text, Err((FlawKind::NumberRange, 0)));
        }
    }

    #[test]
    fn refuses_a_number_longer_than_the_limit() {
        let longest = format!("0.{}", "1".repeat(LENGTH_MAX - 2));
        check(&longest, Ok((LENGTH_MAX, FRACTION)));
        check(
            &format!("{longest}1"),
            Err((FlawKind::NumberLength, LENGTH_MAX)),
        );
    }
}
