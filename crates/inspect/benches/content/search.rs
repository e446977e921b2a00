//! A search for texts that a part is slow on: made of what its rules look for, whole and cut short, in
//! pairs and in random mixes, and then of what of it was slowest. The seed is fixed, so that two runs
//! try the same texts until their measurements part them.

use crate::parts::{PARTS, RULES};
use crate::texts::{CLEAN, HOSTILE};
use ringwall_inspect::data::pack::{BUILT_IN, Pack};
use std::hint::black_box;
use std::time::Instant;

/// Bytes of a text that is tried.
const BYTES: usize = 16 * 1024;
/// How much longer the text is that tells whether time is linear.
const LONGER: usize = 4;
/// Texts of which the next ones are made.
const KEPT: usize = 12;
/// Texts that each of those becomes.
const CHILDREN: usize = 10;
/// How often the slowest are made into others.
const GENERATIONS: usize = 12;
/// Random mixes to begin with.
const MIXES: usize = 200;
/// The most pieces of one text.
const PIECES: usize = 8;
/// Looks at one text at least.
const TRIES: usize = 3;
/// Texts that are told of one part.
const TOLD: usize = 3;

/// What stands between and behind pieces.
const BETWEEN: &[&str] = &[
    "", " ", "/", ".", "\n", "!", "'", "-", "+", "=", ":", "_", "~", "a", "A", "1", "é", "\u{200b}",
];

/// What the parts look for whose words are not data.
const FORMS: &[&str] = &[
    "<!--",
    "-->",
    "<a ",
    "<a href='",
    "</a>",
    "<script>",
    "<img src=\"",
    "![",
    "](",
    "[a](",
    "![a](",
    "[a]: ",
    "http://",
    "data:text/html;base64,",
    "javascript:",
    "`",
    "```\n",
    "~~~\n",
    "    ",
    "\n\n",
    "|",
    "<",
    ">",
    "*",
    "/*",
    "*/",
    "--",
    "#",
    ";",
    "'",
    "\"",
    "' or ",
    "$a$",
    "$$",
    "union all ",
    "or (",
    ")",
    "(",
    "like ",
    "not ",
    "select ",
    "set ",
    "{{",
    "}}",
    "${",
    "{%",
    "<%",
    "#{",
    "eval(",
    "__import__(",
    "../",
    "..\\",
    "%2e%2e%2f",
    "%25",
    "%41",
    "%",
    "C:\\",
    "\\\\",
    "file:",
    "\\u0041",
    "\\x41",
    "\\101",
    "\\",
    "&#65;",
    "&#x41;",
    "&amp;",
    "&",
    "&lt",
    "=41",
    "=\n",
    "=?utf-8?q?",
    "aWdub3Jl",
    "QUJD",
    "696e676f",
    "6 9 6 7 ",
    "0x41, ",
    "vtaber ",
    "cerivbhf ",
    "\u{fdfa}",
    "\u{130}",
    "\u{2126}",
    "а",
    "е",
    "\u{ff41}",
    "\u{e0041}",
    "\u{fe00}",
    "\u{202e}",
    "\u{1b}[8m",
    "\u{1b}]",
    "\u{ad}",
    "a\u{301}",
    "e\u{323}\u{302}",
    "ß",
    "日本",
    "\u{1d400}",
    "12",
    "4111 1111",
    "1.",
    "1-",
    "+49",
    "DE89",
    "756.",
    "\u{0}",
    "\t",
    "\r\n",
    "do not tell ",
    "the user ",
    "send ",
    "to eve@",
    "ignore previous ",
    "a@",
    "@a.b",
];

/// A text: its pieces one behind the other, or so many of them at random.
#[derive(Clone, Debug)]
struct Made {
    pieces: Vec<String>,
    seed: Option<u64>,
}

impl Made {
    fn text(&self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 64);
        let mut dice = Dice(self.seed.unwrap_or_default());
        let all: usize = self.pieces.iter().map(String::len).sum();
        while text.len() < bytes && all > 0 {
            match self.seed {
                None => self.pieces.iter().for_each(|piece| text.push_str(piece)),
                Some(_) => text.push_str(dice.one_of(&self.pieces).map_or(" ", String::as_str)),
            }
        }
        text
    }

    /// Another text, a little like this one.
    fn child(&self, dice: &mut Dice, pieces: &[String]) -> Made {
        let mut child = self.clone();
        let more = dice.one_of(pieces).cloned().unwrap_or_default();
        let at = dice.below(child.pieces.len() + 1);
        match dice.below(7) {
            0 | 1 => child.pieces.insert(at, more),
            2 => {
                let between = dice.one_of(BETWEEN).copied().unwrap_or_default();
                child.pieces.insert(at, between.to_owned());
            }
            3 if at < child.pieces.len() && child.pieces.len() > 1 => {
                child.pieces.remove(at);
            }
            4 => {
                child.seed = match child.seed {
                    Some(_) => None,
                    None => Some(dice.next()),
                }
            }
            _ => {
                if let Some(piece) = child.pieces.get_mut(at.saturating_sub(1)) {
                    let length = dice.below(piece.len() + 1);
                    let length = piece.floor_char_boundary(length);
                    match dice.below(3) {
                        0 => piece.truncate(length),
                        1 => *piece = piece.split_off(length),
                        _ => *piece = piece.repeat(2),
                    }
                    piece.truncate(piece.floor_char_boundary(256));
                }
            }
        }
        child.pieces.truncate(PIECES);
        child
    }
}

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap_or_default()
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }
}

/// Searches for slow texts for every part whose name begins so.
pub(crate) fn search(part: &str) {
    let _ = black_box(&*RULES);
    let pieces = pieces();
    println!("pieces of texts: {}\n", pieces.len());
    println!(
        "| part | MB/s | time of {LONGER} × the text | made of |\n| --- | ---: | ---: | --- |"
    );
    for (name, work) in PARTS.iter().filter(|(name, _)| name.starts_with(part)) {
        for (made, rate) in slowest(*work, &pieces).into_iter().take(TOLD) {
            let longer = fastest(*work, &made.text(LONGER * BYTES), 2 * TRIES);
            let ratio = longer / (BYTES as f64 / rate);
            let how = match made.seed {
                None => "in turns",
                Some(_) => "at random",
            };
            println!(
                "| {name} | {:.1} | {ratio:.1} | {how}: {:?} |",
                rate / 1e6,
                made.pieces
            );
        }
    }
}

/// The slowest texts, with how many bytes a second they are looked at.
fn slowest(work: fn(&str) -> usize, pieces: &[String]) -> Vec<(Made, f64)> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut kept: Vec<(Made, f64)> = Vec::new();
    let mut next: Vec<Made> = Vec::new();
    for piece in pieces {
        let alone = |between: &&str| Made {
            pieces: vec![piece.clone(), (*between).to_owned()],
            seed: None,
        };
        next.extend(BETWEEN.iter().map(alone));
    }
    for _ in 0..MIXES {
        let some = 2 + dice.below(PIECES - 2);
        let some = (0..some).filter_map(|_| dice.one_of(pieces).cloned());
        next.push(Made {
            pieces: some.collect(),
            seed: Some(7),
        });
    }
    for _ in 0..=GENERATIONS {
        let tried = next.drain(..).filter_map(|made| {
            let text = made.text(BYTES);
            (!text.is_empty()).then(|| (made, text.len() as f64 / fastest(work, &text, TRIES)))
        });
        kept.extend(tried);
        kept.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        // What was slow for once was not slow because of its text.
        kept.truncate(KEPT * 4);
        for (made, rate) in &mut kept {
            let text = made.text(BYTES);
            *rate = rate.max(text.len() as f64 / fastest(work, &text, TRIES));
        }
        kept.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        kept.truncate(KEPT);
        for (made, _) in &kept {
            next.extend((0..CHILDREN).map(|_| made.child(&mut dice, pieces)));
        }
    }
    kept
}

/// The fastest of so many looks at a text, in seconds.
fn fastest(work: fn(&str) -> usize, text: &str, tries: usize) -> f64 {
    let once = |_| {
        let began = Instant::now();
        black_box(work(black_box(text)));
        began.elapsed().as_secs_f64()
    };
    (0..tries).map(once).fold(f64::MAX, f64::min)
}

/// What texts are made of: the words of rules, what rules find, whole and cut short, and forms.
fn pieces() -> Vec<String> {
    let mut pieces: Vec<String> = FORMS.iter().map(|&form| form.to_owned()).collect();
    for (_, text) in BUILT_IN {
        let lines = text.lines().map(str::trim);
        let words = lines.filter(|it| it.starts_with("start:") || it.starts_with("words:"));
        pieces.extend(
            words
                .flat_map(|line| line.split('\'').skip(1).step_by(2))
                .map(str::to_owned),
        );
    }
    for pack in Pack::built_in().unwrap_or_default() {
        for (_, example) in pack.matching() {
            let cut = |bytes| {
                example
                    .get(..example.floor_char_boundary(bytes))
                    .map(str::to_owned)
            };
            pieces.extend(
                [example.len(), example.len() - 1, example.len() / 2, 12]
                    .into_iter()
                    .filter_map(cut),
            );
        }
    }
    let texts = CLEAN
        .iter()
        .chain(HOSTILE)
        .map(|(_, piece)| (*piece).to_owned());
    pieces.extend(texts);
    pieces.sort();
    pieces.dedup();
    pieces
}
