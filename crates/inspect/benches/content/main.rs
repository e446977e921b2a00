//! How fast the deterministic parts look at text: clean text of several kinds, and text that was made
//! to be slow. `cargo xtask bench content` runs it; `cargo xtask bench content --search` looks for texts that
//! are slower than those.
//!
//! It asserts nothing. Each part is measured on the same texts in turns, and told as megabytes a
//! second, as microseconds for 10 KB, and as the time for four times the text over the time for it:
//! a part that is linear has about 4 there, whatever the machine. Clean texts are random and never repeat
//! themselves; what is slow is repeated, which a processor learns by heart.

mod clean;
mod dice;
mod parts;
mod pieces;
mod search;
mod texts;
mod values;

use parts::{PARTS, RULES};
use std::hint::black_box;
use std::time::{Duration, Instant};
use texts::HOSTILE;

/// Bytes of a text as it is measured first.
const BYTES: usize = 64 * 1024;
/// How much longer the text is that tells whether time is linear.
const LONGER: usize = 4;
/// How long one measurement takes at least.
const LEAST: Duration = Duration::from_millis(10);
/// Measurements of which the fastest counts.
const ROUNDS: usize = 3;

fn main() {
    // Cargo adds `--bench`.
    let asked = std::env::args().skip(1).filter(|it| it != "--bench");
    let asked: Vec<String> = asked.collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    match asked.as_slice() {
        ["--search"] => search::search(""),
        ["--search", part] => search::search(part),
        [part, pieces @ ..] if !pieces.is_empty() => {
            let texts = pieces
                .iter()
                .map(|piece| ("asked for", Source::Repeated(piece)));
            measure(part, &texts.collect::<Vec<_>>());
        }
        parts => {
            let part = parts.first().copied().unwrap_or_default();
            let clean = clean::KINDS
                .iter()
                .map(|kind| (kind.0, Source::Random(kind)));
            let hostile = HOSTILE
                .iter()
                .map(|(name, piece)| (*name, Source::Repeated(piece)));
            measure(part, &clean.chain(hostile).collect::<Vec<_>>());
        }
    }
}

/// What a text is made of.
enum Source<'t> {
    /// What never comes again.
    Random(&'t clean::Kind),
    /// A piece, over and over.
    Repeated(&'t str),
}

impl Source<'_> {
    /// So many bytes of it, or a few more.
    fn text(&self, bytes: usize) -> String {
        match self {
            Source::Random(kind) => clean::text(kind, bytes),
            Source::Repeated(piece) => piece.repeat(bytes.div_ceil(piece.len())),
        }
    }
}

/// Measures every part whose name begins so with each of these texts.
fn measure(named: &str, texts: &[(&str, Source<'_>)]) {
    let began = Instant::now();
    let rules = black_box(&*RULES).is_some();
    let made = began.elapsed().as_secs_f64();
    println!("rules for data made: {rules}, in {:.0} ms\n", 1e3 * made);
    println!(
        "| part | text | MB/s | µs for 10 KB | time of {LONGER} × the text |\n\
         | --- | --- | ---: | ---: | ---: |"
    );
    for (part, work) in PARTS.iter().filter(|(part, _)| part.starts_with(named)) {
        for (text, source) in texts {
            let short = source.text(BYTES);
            let long = source.text(LONGER * BYTES);
            let (mut once, mut longer) = (f64::MAX, f64::MAX);
            for _ in 0..ROUNDS {
                once = once.min(seconds(*work, &short));
                longer = longer.min(seconds(*work, &long));
            }
            let rate = short.len() as f64 / once;
            println!(
                "| {part} | {text} | {:.0} | {:.1} | {:.1} |",
                rate / 1e6,
                1e6 * 10_240.0 / rate,
                longer / once
            );
        }
    }
}

/// What one look at the text takes.
fn seconds(work: fn(&str) -> usize, text: &str) -> f64 {
    let began = Instant::now();
    let mut looks = 0_u32;
    while began.elapsed() < LEAST {
        black_box(work(black_box(text)));
        looks += 1;
    }
    began.elapsed().as_secs_f64() / f64::from(looks)
}
