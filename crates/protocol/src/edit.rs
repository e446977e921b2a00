//! Changing a text in a few places and leaving every other byte as it was: an id, a progress token,
//! a cleaned string. Writes text; never decides what to change, and never reads its own result.

use bytes::Bytes;
use std::ops::Range;

/// Places to replace, in any order. They must not overlap.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    list: Vec<(Range<usize>, Bytes)>,
}

/// Why edits cannot be applied. Always a mistake of ours, never of a sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Two edits want the same byte.
    #[error("two edits overlap at byte {0}")]
    Overlap(usize),
    /// An edit lies outside the text.
    #[error("edit at bytes {0} to {1} lies outside the text")]
    Outside(usize, usize),
}

impl Edits {
    /// No edits.
    pub fn new() -> Self {
        Edits::default()
    }

    /// Puts `text` in the place of `range`. An empty range inserts.
    pub fn replace(&mut self, range: Range<usize>, text: impl Into<Bytes>) {
        self.list.push((range, text.into()));
    }

    /// Puts a string, quotes and escapes written here, in the place of `range`.
    pub fn replace_string(&mut self, range: Range<usize>, text: &str) {
        let mut written = Vec::with_capacity(text.len() + 2);
        write_string(text, &mut written);
        self.replace(range, written);
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many places are replaced.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The text after the edits. Without edits it is the same memory.
    pub fn apply(&self, bytes: &Bytes) -> Result<Bytes, EditError> {
        if self.list.is_empty() {
            return Ok(bytes.clone());
        }
        // A stable sort keeps the order of several inserts at one place.
        let mut order: Vec<&(Range<usize>, Bytes)> = self.list.iter().collect();
        order.sort_by_key(|(range, _)| (range.start, range.end));
        let added: usize = self.list.iter().map(|(_, text)| text.len()).sum();
        let mut edited = Vec::with_capacity(bytes.len() + added);
        let mut from = 0;
        for (range, text) in order {
            if range.start > range.end || range.end > bytes.len() {
                return Err(EditError::Outside(range.start, range.end));
            }
            let Some(kept) = bytes.get(from..range.start) else {
                return Err(EditError::Overlap(range.start));
            };
            edited.extend_from_slice(kept);
            edited.extend_from_slice(text);
            from = range.end;
        }
        edited.extend_from_slice(bytes.get(from..).unwrap_or_default());
        Ok(edited.into())
    }
}

/// Writes a JSON string, with quotes. Only what must be escaped is, so text stays readable and
/// fits on one line.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let stop = rest
            .iter()
            .position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'));
        let (plain, special) = rest
            .split_at_checked(stop.unwrap_or(rest.len()))
            .unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else {
            break;
        };
        let short = match byte {
            b'"' | b'\\' => Some(*byte),
            0x08 => Some(b'b'),
            0x0c => Some(b'f'),
            b'\n' => Some(b'n'),
            b'\r' => Some(b'r'),
            b'\t' => Some(b't'),
            _ => None,
        };
        match short {
            Some(letter) => out.extend_from_slice(&[b'\\', letter]),
            None => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
        }
        rest = after;
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits};

    fn check(text: &'static str, list: &[(Range<usize>, &'static str)], expected: &str) {
        let mut edits = Edits::new();
        for (range, replacement) in list {
            edits.replace(range.clone(), *replacement);
        }
        let edited = edits.apply(&Bytes::from_static(text.as_bytes())).unwrap();
        assert_eq!(edited, expected.as_bytes());
    }

    #[test]
    fn replaces_places_and_keeps_every_other_byte() {
        check("abcdef", &[], "abcdef");
        check("abcdef", &[(0..1, "X")], "Xbcdef");
        check("abcdef", &[(4..6, "YZ"), (0..2, "")], "cdYZ");
        check("abcdef", &[(2..4, "long")], "ablongef");
        check(
            "abcdef",
            &[(3..3, "1"), (3..3, "2"), (3..4, "D")],
            "abc12Def",
        );
        check("abcdef", &[(0..3, "x"), (3..6, "y")], "xy");
        check("abcdef", &[(6..6, "!")], "abcdef!");
    }

    #[test]
    fn no_edit_is_the_same_memory() {
        let bytes = Bytes::from_static(b"{}");
        let same = Edits::new().apply(&bytes).unwrap();
        assert_eq!(same.as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn refuses_edits_that_overlap_or_lie_outside() {
        let apply = |list: &[(usize, usize)]| {
            let mut edits = Edits::new();
            for (start, end) in list {
                edits.replace(*start..*end, "x");
            }
            edits.apply(&Bytes::from_static(b"abcdef")).unwrap_err()
        };
        assert_eq!(apply(&[(0, 3), (2, 4)]), EditError::Overlap(2));
        assert_eq!(apply(&[(0, 6), (3, 3)]), EditError::Overlap(3));
        assert_eq!(apply(&[(1, 2), (1, 2)]), EditError::Overlap(1));
        assert_eq!(apply(&[(5, 7)]), EditError::Outside(5, 7));
        assert_eq!(apply(&[(4, 2)]), EditError::Outside(4, 2));
    }

    #[test]
    fn swaps_an_id_and_a_token_in_place() {
        let text = br#"{"jsonrpc": "2.0", "id" : "abc","method":"tools/call","params":{"_meta":{"progressToken":7 }, "name":"x"} }"#;
        let document = Document::read(Bytes::from_static(text), &Limits::default()).unwrap();
        let mut edits = Edits::new();
        let token = document.root().at("/params/_meta/progressToken").unwrap();
        edits.replace(token.range(), "\"t\"");
        edits.replace(document.root().get("id").unwrap().range(), "42");
        assert_eq!(
            document.apply(&edits).unwrap(),
            &br#"{"jsonrpc": "2.0", "id" : 42,"method":"tools/call","params":{"_meta":{"progressToken":"t" }, "name":"x"} }"#[..]
        );
    }

    #[test]
    fn writes_strings_that_read_back_the_same() {
        let all: String = (0..0x250).filter_map(char::from_u32).collect();
        for text in [
            "",
            "plain",
            "\"\\\n\r\t\u{8}\u{c}\0\u{1f}\u{7f}",
            "é𝄞\u{2028}",
            &all,
        ] {
            let mut written = Vec::new();
            write_string(text, &mut written);
            assert!(written.iter().all(|byte| *byte >= 0x20));
            let read = Document::read(written.into(), &Limits::default()).unwrap();
            assert_eq!(read.root().text().unwrap(), text);
        }
    }
}
