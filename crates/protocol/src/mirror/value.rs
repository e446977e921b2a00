//! How a value travels in a header (rule H8): as it is where it can, else as `=?base64?…?=`. Reads
//! only the one spelling that a careful sender writes; it never guesses what another one meant.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// Longest value in a header, in bytes as sent. Servers commonly take 8 KiB for a whole line.
pub const VALUE_MAX: usize = 8 * 1024;

/// Why a value is not, or cannot be, in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// Prefix and suffix share a character: one reader sees an encoded value, another does not.
    #[error("`=?base64?=` reads in two ways: encode it")]
    Ambiguous,
    /// Between the marks is not the one base64 spelling of anything.
    #[error("not base64 with padding between `=?base64?` and `?=`")]
    Base64,
    /// Something else than visible ASCII, spaces and tabs.
    #[error("a character that no header has: encode the value as `=?base64?…?=`")]
    Character,
    /// Over [`VALUE_MAX`].
    #[error("longer than {VALUE_MAX} bytes")]
    Long,
    /// Between the marks is base64 of something that is no UTF-8.
    #[error("no UTF-8 between `=?base64?` and `?=`")]
    Utf8,
}

/// The text that a value in a header stands for. Blanks around it do not count (H7).
pub fn decode(value: &str) -> Result<Cow<'_, str>, MirrorError> {
    read(value.as_bytes())
}

/// The text as it travels in a header: itself, if every hop leaves it as it is, else encoded.
///
/// Tabs are encoded although a header may hold them, because not every peer takes them; an empty
/// text is, because an empty header gets lost on the way.
pub fn encode(text: &str) -> Cow<'_, str> {
    let has_blanks = text.starts_with(' ') || text.ends_with(' ');
    let looks_encoded = text.starts_with(PREFIX) && text.ends_with(SUFFIX);
    let is_printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    let is_safe = is_printable && !text.is_empty() && !has_blanks && !looks_encoded;
    match is_safe {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(text))),
    }
}

/// [`encode`], within the length a header may have.
pub(super) fn sendable(text: &str) -> Result<String, MirrorError> {
    // Before the work is done: encoding makes nothing shorter.
    if text.len() > VALUE_MAX {
        return Err(MirrorError::Long);
    }
    let encoded = encode(text).into_owned();
    match encoded.len() > VALUE_MAX {
        true => Err(MirrorError::Long),
        false => Ok(encoded),
    }
}

/// The bytes of a header as the text they stand for.
pub(super) fn read(bytes: &[u8]) -> Result<Cow<'_, str>, MirrorError> {
    let text = literal(bytes)?;
    let Some(rest) = text.strip_prefix(PREFIX) else {
        return Ok(Cow::Borrowed(text));
    };
    let Some(inside) = rest.strip_suffix(SUFFIX) else {
        return match rest {
            "=" => Err(MirrorError::Ambiguous),
            _ => Ok(Cow::Borrowed(text)),
        };
    };
    let bytes = STANDARD.decode(inside).map_err(|_| MirrorError::Base64)?;
    let text = String::from_utf8(bytes).map_err(|_| MirrorError::Utf8)?;
    Ok(Cow::Owned(text))
}

/// The bytes of a header as they stand, without the blanks around them.
pub(super) fn literal(bytes: &[u8]) -> Result<&str, MirrorError> {
    if bytes.len() > VALUE_MAX {
        return Err(MirrorError::Long);
    }
    if !bytes.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e)) {
        return Err(MirrorError::Character);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| MirrorError::Character)?;
    Ok(text.trim_matches([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The examples of the specification, and what they leave open.
    #[test]
    fn h8_encodes_what_a_header_cannot_carry_and_nothing_else() {
        let cases = [
            ("us-west1", "us-west1"),
            ("a b  c", "a b  c"),
            ("file:///a?b=c#d", "file:///a?b=c#d"),
            ("~!@#$%^&*()\"\\", "~!@#$%^&*()\"\\"),
            ("=?base64?SGVsbG8=", "=?base64?SGVsbG8="),
            ("SGVsbG8=?=", "SGVsbG8=?="),
            ("=?BASE64?SGVsbG8=?=", "=?BASE64?SGVsbG8=?="),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            (" ahead", "=?base64?IGFoZWFk?="),
            ("behind ", "=?base64?YmVoaW5kIA==?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("=?base64??=", "=?base64?PT9iYXNlNjQ/Pz0=?="),
            ("=?base64?=", "=?base64?PT9iYXNlNjQ/PQ==?="),
            ("a\tb", "=?base64?YQli?="),
            ("a\u{7f}", "=?base64?YX8=?="),
            ("a\0", "=?base64?YQA=?="),
            ("\r\nEvil: 1", "=?base64?DQpFdmlsOiAx?="),
            ("", "=?base64??="),
        ];
        for (text, sent) in cases {
            assert_eq!(encode(text), sent, "{text:?}");
            assert_eq!(decode(sent).unwrap(), text, "{sent}");
        }
    }

    #[test]
    fn h7_blanks_around_a_value_do_not_count() {
        for value in ["x y", " x y", "x y\t", "\t x y \t "] {
            assert_eq!(decode(value).unwrap(), "x y");
        }
        assert_eq!(decode(" =?base64?SGVsbG8=?= ").unwrap(), "Hello");
        assert_eq!(decode("").unwrap(), "");
        assert_eq!(decode("a\tb").unwrap(), "a\tb");
    }

    #[test]
    fn h8_refuses_every_other_spelling() {
        use MirrorError::*;
        let cases = [
            ("=?base64?SGVsbG8?=", Base64),   // no padding
            ("=?base64?SGVsbG8==?=", Base64), // too much
            ("=?base64?SGVs!!!bG8=?=", Base64),
            ("=?base64?SGVs bG8=?=", Base64),
            ("=?base64? SGVsbG8=?=", Base64),
            ("=?base64?SGVsbG9=?=", Base64), // stray bits
            ("=?base64?-_-_?=", Base64),     // the other alphabet
            ("=?base64?=?=", Base64),
            ("=?base64?SGVsbG8=?=?=", Base64),
            ("=?base64?/w==?=", Utf8),
            ("=?base64?7aCA?=", Utf8), // half a surrogate
            ("=?base64?=", Ambiguous),
            ("世界", Character),
            ("a\u{a0}", Character),
            ("a\nb", Character),
            ("a\0", Character),
            ("a\u{7f}", Character),
        ];
        for (value, expected) in cases {
            assert_eq!(decode(value), Err(expected), "{value:?}");
        }
        assert_eq!(read(b"a\xff"), Err(Character));
    }

    #[test]
    fn h8_the_markers_are_exact() {
        for literal in [
            "=?Base64?SGk=?=",
            "=?base64?SGk=? =",
            "=?base64:SGk=?=",
            "?base64?SGk=?=",
        ] {
            assert_eq!(decode(literal).unwrap(), literal);
        }
    }

    #[test]
    fn a_value_is_bounded_both_ways() {
        let longest = "x".repeat(VALUE_MAX);
        assert_eq!(decode(&longest).unwrap(), longest.as_str());
        assert_eq!(sendable(&longest).as_deref(), Ok(longest.as_str()));
        let longer = "x".repeat(VALUE_MAX + 1);
        assert_eq!(decode(&longer), Err(MirrorError::Long));
        assert_eq!(sendable(&longer), Err(MirrorError::Long));
        // Fits as it is, but not encoded.
        assert_eq!(sendable(&"\n".repeat(VALUE_MAX)), Err(MirrorError::Long));
    }

    proptest! {
        #[test]
        fn h8_what_is_encoded_decodes_to_the_same_and_fits_a_header(text in any::<String>()) {
            let encoded = encode(&text);
            prop_assert!(encoded.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
            prop_assert_eq!(encoded.trim(), &*encoded);
            let decoded = decode(&encoded).unwrap();
            prop_assert_eq!(&*decoded, text.as_str());
        }
    }

    #[test]
    fn h8_a_text_has_one_base64_spelling() {
        let alphabet = ['A', 'Q', 'g', 'w', '/', '=', '-', ' '];
        let mut read_back = 0;
        for code in 0..alphabet.len().pow(4) {
            let digit = |place: u32| alphabet[code / alphabet.len().pow(place) % alphabet.len()];
            let inside: String = (0..4).map(digit).collect();
            if let Ok(text) = decode(&format!("{PREFIX}{inside}{SUFFIX}")) {
                assert_eq!(STANDARD.encode(&*text), inside);
                read_back += 1;
            }
        }
        assert!(read_back > 10, "{read_back}");
    }
}
