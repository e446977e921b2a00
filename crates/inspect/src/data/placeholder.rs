//! What stands in documentation where a secret would stand: examples, blanks, names of variables.

use super::words::Words;
use std::sync::LazyLock;

/// Words of people who mean "your own here", in lower case.
const WORDS: [&str; 22] = [
    "example",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "your",
    "dummy",
    "sample",
    "redacted",
    "replace",
    "insert",
    "notreal",
    "not-real",
    "secret_here",
    "goes_here",
    "goes-here",
    "xxxx",
    "****",
    "....",
    "____",
    "abcdefgh",
    "12345678",
];
/// What templates and shells put a value in.
const OPENINGS: [&str; 8] = [
    "<",
    "${",
    "{{",
    "$(",
    "%(",
    "{rw:",
    "[redacted",
    "process.env",
];
/// All words in one pass.
static ANY: LazyLock<Words> = LazyLock::new(|| Words::of(&WORDS));
/// A value that repeats this few characters says nothing.
const VARIETY: usize = 3;
/// Longer values are what they are: nobody writes an example of that size by hand.
const LONG: usize = 200;

/// Whether a value reads like an example of a secret rather than one.
pub fn is_placeholder(value: &str) -> bool {
    if value.len() > LONG {
        return false;
    }
    let opens = |opening: &str| {
        let start = value.as_bytes().get(..opening.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(opening.as_bytes()))
    };
    !is_varied(value) || OPENINGS.iter().any(|it| opens(it)) || ANY.are_in(value) || has_run(value)
}

/// Whether there are more characters in a text than an example repeats: it seldom takes more than a few of
/// them to tell.
fn is_varied(text: &str) -> bool {
    let mut known = [0; VARIETY];
    let mut count = 0;
    text.bytes().any(|byte| {
        let is_known = known.iter().take(count).any(|it| *it == byte);
        if let Some(place) = known.get_mut(count).filter(|_| !is_known) {
            *place = byte;
            count += 1;
            return false;
        }
        !is_known
    })
}

/// Six times the same character in a row, in either case.
fn has_run(text: &str) -> bool {
    let mut run = 0;
    let mut last = None;
    text.bytes().any(|byte| {
        let byte = byte.to_ascii_lowercase();
        run = if last == Some(byte) { run + 1 } else { 1 };
        last = Some(byte);
        run >= 6
    })
}
