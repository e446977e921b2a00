//! The id of a request. Never null, never a fraction, never long.

use crate::document::Value;
use crate::edit::write_string;
use crate::flaw::{Flaw, FlawKind};
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Longest id in bytes as written, quotes included.
const LENGTH_MAX: usize = 512;

/// A string or an integer. Two ids are equal if every peer takes them for the same: escapes do not
/// count, and `1` is not `"1"`.
///
/// An id shares the memory of the message it came in; cloning it copies nothing.
#[derive(Clone)]
pub struct Id {
    raw: Bytes,
}

impl Id {
    /// The id that is this value.
    pub fn read(value: Value<'_>) -> Result<Id, Flaw> {
        let range = value.range();
        let flaw = |kind| Err(Flaw::at(kind, range.start));
        if range.len() > LENGTH_MAX {
            return flaw(FlawKind::IdLength);
        }
        match (value.string(), value.integer()) {
            // Spelt without needless escapes, so that equal ids are equal bytes.
            (Some(string), _) if string.is_escaped() => Ok(Id::from(&*string.decoded())),
            (Some(_), _) => Ok(Id { raw: value.slice() }),
            // The integer 0 has a second spelling, which JavaScript takes for another number.
            (_, Some(0)) if range.len() > 1 => flaw(FlawKind::Id),
            (_, Some(_)) => Ok(Id { raw: value.slice() }),
            _ => flaw(FlawKind::Id),
        }
    }

    /// The id as JSON.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The id as JSON, sharing memory.
    pub fn bytes(&self) -> Bytes {
        self.raw.clone()
    }

    /// The integer, if it is one.
    pub fn integer(&self) -> Option<i64> {
        self.as_str().parse().ok()
    }

    /// The text, if it is a string.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        let inside = self.raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(crate::document::decode(inside))
    }

    fn as_str(&self) -> &str {
        // INVARIANT: an id is made from text that was read or written as JSON.
        std::str::from_utf8(&self.raw).unwrap_or_default()
    }
}

impl From<i64> for Id {
    fn from(number: i64) -> Self {
        Id {
            raw: number.to_string().into(),
        }
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        let mut raw = Vec::with_capacity(text.len() + 2);
        write_string(text, &mut raw);
        Id { raw: raw.into() }
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for Id {}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}

/// As JSON, so that `1` and `"1"` look different.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits};

    fn read(text: &str) -> Result<Id, FlawKind> {
        let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
        Id::read(document.root()).map_err(|flaw| flaw.kind)
    }

    #[test]
    fn reads_strings_and_integers() {
        let cases = [
            ("1", Some(1), None),
            ("0", Some(0), None),
            ("-7", Some(-7), None),
            ("9007199254740991", Some(9_007_199_254_740_991), None),
            (r#""""#, None, Some("")),
            (r#""1""#, None, Some("1")),
            (r#""a\nb""#, None, Some("a\nb")),
            (r#""é""#, None, Some("é")),
        ];
        for (text, integer, string) in cases {
            let id = read(text).unwrap();
            assert_eq!(id.integer(), integer, "{text}");
            assert_eq!(id.text().as_deref(), string, "{text}");
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["null", "1.0", "1e3", "-0", "0.5", "true", "[1]", "{}"] {
            assert_eq!(read(text), Err(FlawKind::Id), "{text}");
        }
    }

    #[test]
    fn refuses_an_id_longer_than_the_limit() {
        let longest = format!("\"{}\"", "x".repeat(LENGTH_MAX - 2));
        assert!(read(&longest).is_ok());
        let longer = format!("\"{}\"", "x".repeat(LENGTH_MAX - 1));
        assert_eq!(read(&longer), Err(FlawKind::IdLength));
    }

    #[test]
    fn ids_are_equal_if_peers_take_them_for_the_same() {
        assert_eq!(read(r#""a/b""#), read(r#""\u0061\/b""#));
        assert_eq!(read("5").unwrap(), Id::from(5));
        assert_eq!(read(r#""\u00e9\"""#).unwrap(), Id::from("é\""));
        assert_ne!(read("1"), read(r#""1""#));
    }
}
