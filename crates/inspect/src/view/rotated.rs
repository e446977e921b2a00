//! ROT13, where the letters are those of English turned by 13 places and the words are too.

use super::hint::STEP;
use super::map::Kind;
use super::weave::Weaver;
use crate::lexicon::Words;
use std::iter;
use std::ops::Range;

/// Words that English has in nearly every sentence, and instructions to a model, turned.
static WORDS: Words = Words::new(&[
    "gur",
    "naq",
    "lbh",
    "lbhe",
    "nyy",
    "guvf",
    "gung",
    "jvgu",
    "sbe",
    "abg",
    "ner",
    "zhfg",
    "fraq",
    "vtaber",
    "cerivbhf",
    "vafgehpgvba",
    "vafgehpgvbaf",
    "cnffjbeq",
    "cnffjbeqf",
    "frperg",
    "frpergf",
    "flfgrz",
    "cebzcg",
    "hfre",
    "xrl",
    "xrlf",
    "sebz",
    "ernq",
    "svyr",
    "svyrf",
    "rkrphgr",
    "eha",
    "gryy",
    "erirny",
    "cevag",
    "orsber",
    "nsgre",
    "abj",
    "cyrnfr",
    "uggc",
    "uggcf",
    "pbz",
    "pbagragf",
    "nccebiny",
    "jvgubhg",
    "gura",
    "g",
    "bs",
    "va",
    "vg",
    "vf",
]);

/// Such words that a part of a text needs.
const FEWEST: usize = 2;

/// Letters of the words that count; shorter ones help nobody, since they stand by chance.
const SHORTEST: usize = 3;

/// Bytes on both sides of suspect letters in which words are looked up: lines that are short have few
/// letters each.
const AROUND: usize = 256;

/// Whether these few bytes have letters as turned English has them: `r n b g v` for `e a o t i`.
#[inline]
pub(super) fn is_suspect(step: &[u8]) -> bool {
    let (mut common, mut turned) = (0_u8, 0_u8);
    for byte in step {
        let letter = byte | 0x20;
        let is = |known: u8| u8::from(letter == known);
        let more = is(b'e') | is(b'a') | is(b'o') | is(b't') | is(b'i');
        // Wrapping, which these few bytes never do, so that no step has a branch.
        common = common.wrapping_add(more);
        let more = is(b'r') | is(b'n') | is(b'b') | is(b'g') | is(b'v');
        turned = turned.wrapping_add(more);
    }
    turned > common.saturating_add(2) && turned >= 6
}

/// Turns each line that has words of English in it, once turned.
///
/// Words are looked up only around letters that no English has: most of a long text is plain.
pub(super) fn weave(text: &str, weaver: &mut Weaver<'_>) {
    let mut stretches = suspect(text.as_bytes()).peekable();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        let mut known = 0;
        while let Some(stretch) = stretches.peek().filter(|it| it.start < range.end) {
            let part = range.start.max(stretch.start)..range.end.min(stretch.end);
            known += known_words(text.as_bytes().get(part).unwrap_or_default());
            if stretch.end > range.end {
                break;
            }
            stretches.next();
        }
        if known >= FEWEST {
            let turned: String = line.chars().map(turn).collect();
            weaver.put_bytes(range, 1, &turned, Kind::Rotated);
        }
        if weaver.is_full() || stretches.peek().is_none() {
            return;
        }
    }
}

/// Where letters are not as in words, with what stands around it.
fn suspect(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let steps = bytes.chunks(STEP).enumerate();
    let steps = steps.filter(|(_, step)| is_suspect(step));
    let mut steps = steps.map(|(index, _)| index * STEP).peekable();
    iter::from_fn(move || {
        let first = steps.next()?;
        let mut last = first;
        while let Some(next) = steps.next_if(|next| next - last <= STEP + 2 * AROUND) {
            last = next;
        }
        let end = bytes.len().min(last + STEP + AROUND);
        Some(first.saturating_sub(AROUND)..end)
    })
}

/// Such words that count, as many of them as are needed.
fn known_words(bytes: &[u8]) -> usize {
    let words = bytes.split(|byte| !byte.is_ascii_alphabetic());
    let known = words.filter(|word| word.len() >= SHORTEST && WORDS.has(word));
    known.take(FEWEST).count()
}

fn turn(c: char) -> char {
    let turn = |first: u8| match u8::try_from(c) {
        Ok(byte) => char::from((byte - first + 13) % 26 + first),
        Err(_) => c,
    };
    match c {
        'a'..='z' => turn(b'a'),
        'A'..='Z' => turn(b'A'),
        _ => c,
    }
}
