//! Finding a member that is named twice. Names are compared as the text they stand for, so
//! `"a"` and `"\u0061"` are the same name. Never quadratic: an object with many members is sorted.

use super::tape::{ESCAPED, Node};
use super::text;
use std::borrow::Cow;

/// Up to this many members are compared in pairs, which needs no memory; more are sorted.
const PAIRS_MAX: usize = 16;

/// The byte at which an object names a member for the second time, if it does.
///
/// `first` is the index of the object's first name, `count` how many members it has.
pub(super) fn repeated(bytes: &[u8], nodes: &[Node], first: usize, count: usize) -> Option<usize> {
    if count < 2 {
        return None;
    }
    let mut marks = [0u64; PAIRS_MAX];
    let mut places = [0u32; PAIRS_MAX];
    if count > PAIRS_MAX {
        return repeated_sorted(bytes, nodes, first, count);
    }
    let slots = marks.iter_mut().zip(places.iter_mut());
    for ((mark, place), key) in slots.zip(keys(nodes, first, count)) {
        if key.has(ESCAPED) {
            return repeated_sorted(bytes, nodes, first, count);
        }
        *mark = signature(bytes, key);
        *place = key.start;
    }
    let known = marks.get(..count)?;
    for (later, mark) in known.iter().enumerate() {
        for (earlier, other) in known.iter().take(later).enumerate() {
            if mark == other && same(bytes, *places.get(earlier)?, *places.get(later)?) {
                return places.get(later).map(|place| *place as usize);
            }
        }
    }
    None
}

fn keys(nodes: &[Node], first: usize, count: usize) -> impl Iterator<Item = Node> {
    let mut at = first;
    (0..count).map_while(move |_| {
        let key = *nodes.get(at)?;
        at = nodes.get(at + 1)?.next as usize;
        Some(key)
    })
}

/// Equal names have equal signatures; unequal ones mostly do not.
fn signature(bytes: &[u8], key: Node) -> u64 {
    let start = key.start as usize + 1;
    let length = (key.end as usize).saturating_sub(start + 1);
    let head = match bytes.get(start..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => {
            let rest = bytes.get(start..).unwrap_or_default();
            let bytes = rest.iter().rev();
            bytes.fold(0, |word, byte| (word << 8) | u64::from(*byte))
        }
    };
    let kept = match length {
        0..8 => head & !(u64::MAX << (8 * length)),
        _ => head,
    };
    kept ^ (length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Whether two names without escapes, given by the place of their opening quote, are the same.
fn same(bytes: &[u8], one: u32, other: u32) -> bool {
    name_at(bytes, one) == name_at(bytes, other)
}

fn name_at(bytes: &[u8], quote: u32) -> &[u8] {
    let rest = bytes.get(quote as usize + 1..).unwrap_or_default();
    let end = memchr::memchr(b'"', rest).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

fn repeated_sorted(bytes: &[u8], nodes: &[Node], first: usize, count: usize) -> Option<usize> {
    let mut names: Vec<(Cow<'_, [u8]>, u32)> = Vec::with_capacity(count);
    for key in keys(nodes, first, count) {
        let inside = key.start as usize + 1..(key.end as usize).saturating_sub(1);
        let raw = bytes.get(inside).unwrap_or_default();
        let name = match key.has(ESCAPED) {
            true => match text::decode(raw) {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            false => Cow::Borrowed(raw),
        };
        names.push((name, key.start));
    }
    names.sort_unstable();
    let pairs = names.iter().zip(names.iter().skip(1));
    pairs
        .filter(|((one, _), (other, _))| one == other)
        .map(|(_, (_, place))| *place as usize)
        .min()
}

#[cfg(test)]
mod tests {
    use crate::{Document, Flaw, FlawKind, Limits};
    use bytes::Bytes;
    use std::fmt::Write;

    fn check(text: &str, expected: Option<usize>) {
        let limits = Limits {
            bytes: usize::MAX,
            members: usize::MAX,
            nodes: usize::MAX,
            ..Limits::default()
        };
        let read = Document::read(Bytes::copy_from_slice(text.as_bytes()), &limits);
        let expected = expected.map(|offset| Flaw {
            kind: FlawKind::DuplicateMember,
            offset,
        });
        let shown = text.get(..80).unwrap_or(text);
        assert_eq!(read.err(), expected, "{shown}");
    }

    #[test]
    fn refuses_duplicate_members() {
        check(r#"{"a":1,"a":1}"#, Some(7));
        check(r#"{"a":0, "a":-0}"#, Some(8));
        check(r#"{"":0,"":0}"#, Some(6));
        check(r#"{"name":"x","arguments":{},"name":"y"}"#, Some(27));
        check(r#"{"x":[{"y":{"b":1,"c":2,"b":3}}]}"#, Some(24));
        check(
            r#"{"a_long_member_name":1,"a_long_member_name":2}"#,
            Some(24),
        );
        check(r#"{"é":1,"é":2}"#, Some(8));
    }

    #[test]
    fn compares_the_names_that_escapes_stand_for() {
        check(r#"{"a":1,"\u0061":2}"#, Some(7));
        check(r#"{"\u0061":1,"a":2}"#, Some(12));
        check(r#"{"/":1,"\/":2}"#, Some(7));
        check(r#"{"\ud834\udd1e":1,"𝄞":2}"#, Some(18));
        check(r#"{"\\u0061":1,"a":2}"#, None);
    }

    #[test]
    fn reads_names_that_only_look_alike() {
        check(r#"{"a":1,"A":2,"á":3}"#, None);
        check(r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#, None);
        check(r#"{"a_long_member_name1":1,"a_long_member_name2":2}"#, None);
        check("{\"é\":\"NFC\",\"e\u{301}\":\"NFD\"}", None);
        check(r#"{"a\u0000":1,"a":2,"":3,"\u0000":4}"#, None);
    }

    #[test]
    fn finds_a_duplicate_at_every_place_of_small_and_large_objects() {
        for count in [2, 3, 15, 16, 17, 18, 40] {
            for later in 1..count {
                for earlier in [0, later / 2, later - 1] {
                    let mut text = String::from("{");
                    let mut expected = 0;
                    for index in 0..count {
                        if index == later {
                            expected = text.len();
                        }
                        let name = if index == later { earlier } else { index };
                        write!(text, "\"member{name}\":{{\"x\":{index}}},").unwrap();
                    }
                    text.pop();
                    text.push('}');
                    check(&text, Some(expected));
                }
            }
        }
    }

    #[test]
    fn a_hostile_object_costs_no_more_than_sorting_it() {
        // Compared in pairs, these 200,000 names would take hours.
        let mut text = String::from("{");
        for index in 0..200_000 {
            write!(text, "\"a_common_beginning_{index:06}\":0,").unwrap();
        }
        let clean = format!("{}}}", text.trim_end_matches(','));
        check(&clean, None);
        let expected = text.len();
        text.push_str("\"a_common_beginning_000000\":0}");
        check(&text, Some(expected));
    }
}
