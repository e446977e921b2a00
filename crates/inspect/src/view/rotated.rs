//! ROT13, where the letters are those of English turned by 13 places and the words are too.

use super::map::Kind;
use super::weave::Weaver;

/// Words that English has in nearly every sentence, and instructions to a model, turned.
const WORDS: &[&[u8]] = &[
    b"gur",
    b"naq",
    b"lbh",
    b"lbhe",
    b"nyy",
    b"guvf",
    b"gung",
    b"jvgu",
    b"sbe",
    b"abg",
    b"ner",
    b"zhfg",
    b"fraq",
    b"vtaber",
    b"cerivbhf",
    b"vafgehpgvba",
    b"vafgehpgvbaf",
    b"cnffjbeq",
    b"cnffjbeqf",
    b"frperg",
    b"frpergf",
    b"flfgrz",
    b"cebzcg",
    b"hfre",
    b"xrl",
    b"xrlf",
    b"sebz",
    b"ernq",
    b"svyr",
    b"svyrf",
    b"rkrphgr",
    b"eha",
    b"gryy",
    b"erirny",
    b"cevag",
    b"orsber",
    b"nsgre",
    b"abj",
    b"cyrnfr",
    b"uggc",
    b"uggcf",
    b"pbz",
    b"pbagragf",
    b"nccebiny",
    b"jvgubhg",
    b"gura",
    b"gb",
    b"bs",
    b"va",
    b"vg",
    b"vf",
];

/// Such words that a part of a text needs.
const FEWEST: usize = 2;

/// Letters of the words that count; shorter ones help nobody, since they stand by chance.
const SHORTEST: usize = 3;

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
pub(super) fn weave(text: &str, weaver: &mut Weaver<'_>) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        if counts(line) {
            let turned: String = line.chars().map(turn).collect();
            weaver.put_bytes(range, 1, &turned, Kind::Rotated);
        }
        if weaver.is_full() {
            return;
        }
    }
}

fn counts(line: &str) -> bool {
    let words = line.as_bytes().split(|byte| !byte.is_ascii_alphabetic());
    let known = words.filter(|word| {
        word.len() >= SHORTEST && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
    });
    known.take(FEWEST).count() >= FEWEST
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
