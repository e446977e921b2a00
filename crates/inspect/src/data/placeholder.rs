//! What stands in documentation where a secret would stand: examples, blanks, names of variables.

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
/// A value that repeats this few characters says nothing.
const VARIETY: u32 = 3;
/// Longer values are what they are: nobody writes an example of that size by hand.
const LONG: usize = 200;

/// Whether a value reads like an example of a secret rather than one.
pub fn is_placeholder(value: &str) -> bool {
    if value.len() > LONG {
        return false;
    }
    let lower = value.to_ascii_lowercase();
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
    few || OPENINGS.iter().any(|opening| lower.starts_with(opening))
        || WORDS.iter().any(|word| lower.contains(word))
        || has_run(&lower)
}

/// Six times the same character in a row.
fn has_run(text: &str) -> bool {
    let mut run = 0;
    let mut last = None;
    text.bytes().any(|byte| {
        run = if last == Some(byte) { run + 1 } else { 1 };
        last = Some(byte);
        run >= 6
    })
}
