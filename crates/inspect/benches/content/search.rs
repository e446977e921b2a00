//! A search for texts that a part is slow on: made of what its rules look for, whole and cut short, in
//! pairs and in random mixes, and then of what of it was slowest. The seed is fixed, so that two runs
//! try the same texts until their measurements part them.

use crate::dice::Dice;
use crate::parts::{PARTS, RULES};
use crate::pieces::{BETWEEN, pieces};
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
