//! Stretches of a text in which nothing can be seen.

use std::ops::Range;

/// Line ends, and bytes, from which on a stretch pushes what follows out of sight.
const LINES: usize = 100;
const BYTES: usize = 1024;

/// Bytes between two places that are looked at: no stretch that counts lies between them.
const STEP: usize = 64;

/// Every stretch that is long enough. Text with words in it is looked at in one place out of 64.
pub(super) fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let place = text.floor_char_boundary(at);
            let Some(stretch) = around(text, place) else {
                at += STEP;
                continue;
            };
            at = stretch.end.max(at) + STEP;
            let bytes = text.as_bytes().get(stretch.clone()).unwrap_or_default();
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            if lines >= LINES || bytes.len() >= BYTES {
                return Some(stretch);
            }
        }
        None
    })
}

/// The stretch around a place, if nothing can be seen there.
fn around(text: &str, place: usize) -> Option<Range<usize>> {
    let (before, behind) = text.split_at_checked(place)?;
    if !behind.starts_with(is_blank) {
        return None;
    }
    let start = before.trim_end_matches(is_blank).len();
    let rest = behind.trim_start_matches(is_blank).len();
    Some(start..text.len() - rest)
}

/// White space, and the one pattern of Braille that has no dot.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}
