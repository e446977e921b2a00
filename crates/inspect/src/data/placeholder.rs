//! What stands in documentation where a secret would stand: examples, blanks, names of variables.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
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
/// All words in one pass. None only if they cannot be looked for so; then nothing is an example, and a
/// test fails.
static ANY: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let built = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(WORDS);
    built.ok()
});
/// A value that repeats this few characters says nothing.
const VARIETY: u32 = 3;
/// Longer values are what they are: nobody writes an example of that size by hand.
const LONG: usize = 200;

/// Whether a value reads like an example of a secret rather than one.
pub fn is_placeholder(value: &str) -> bool {
    if value.len() > LONG {
        return false;
    }
    let few = value
        .bytes()
        .fold([0u64; 4], |mut seen, byte| {
            if let Some(word) = seen.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
            seen
        })
        .iter()
        .map(|word| word.count_ones())
        .sum::<u32>()
        <= VARIETY;
    let opens = |opening: &str| {
        let start = value.as_bytes().get(..opening.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(opening.as_bytes()))
    };
    few || OPENINGS.iter().any(|it| opens(it))
        || ANY.as_ref().is_some_and(|any| any.is_match(value))
        || has_run(value)
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
