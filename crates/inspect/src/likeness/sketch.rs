//! Sketches of texts: how much two descriptions have in common, told from a few numbers of each, so that
//! one can be compared with thousands.
//!
//! The numbers are those of min-wise hashing over runs of three words. They are no digests: whoever
//! makes two texts that only look alike here gains that somebody looks.

use std::collections::HashMap;

/// Numbers of a sketch: so many bands of so many rows.
const BANDS: usize = 16;
const ROWS: usize = 4;
/// Words of a run.
const RUN: usize = 3;
/// Runs that a text has at least to be compared: short ones are alike by chance.
const LEAST: usize = 6;
/// Words of a text that are looked at.
const WORDS: usize = 4096;
/// Texts with a band in common that are compared in full.
const COMPARED: usize = 256;

/// What is kept of a text.
#[derive(Clone, Debug)]
pub(super) struct Sketch(Option<[u64; BANDS * ROWS]>);

impl Sketch {
    /// The sketch of a text; of a short one there is none.
    pub(super) fn of(text: &str) -> Self {
        let words: Vec<u64> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(WORDS)
            .map(|word| hash(word.to_lowercase().bytes()))
            .collect();
        let runs = words.windows(RUN);
        if runs.len() < LEAST {
            return Sketch(None);
        }
        let mut least = [u64::MAX; BANDS * ROWS];
        for run in runs {
            let run = run.iter().fold(0, |run, word| mixed(run ^ *word));
            for (at, least) in (0u64..).zip(least.iter_mut()) {
                *least = (*least).min(mixed(run ^ mixed(at + 1)));
            }
        }
        Sketch(Some(least))
    }

    /// How much two texts have in common, in hundredths.
    fn likeness(&self, other: &Sketch) -> u32 {
        let (Some(one), Some(other)) = (&self.0, &other.0) else {
            return 0;
        };
        let same = one
            .iter()
            .zip(other)
            .filter(|(one, other)| one == other)
            .count();
        u32::try_from(100 * same / (BANDS * ROWS)).unwrap_or(0)
    }

    fn bands(&self) -> impl Iterator<Item = u64> {
        let numbers = self.0.iter().flat_map(|numbers| numbers.chunks(ROWS));
        (0u64..).zip(numbers).map(|(band, rows)| {
            rows.iter()
                .fold(mixed(band + 1), |all, row| mixed(all ^ *row))
        })
    }
}

/// Many sketches, by their bands.
#[derive(Debug, Default)]
pub(super) struct Sketches {
    of: HashMap<usize, Sketch>,
    bands: HashMap<u64, Vec<usize>>,
}

impl Sketches {
    /// Adds the text of this number.
    pub(super) fn add(&mut self, number: usize, text: &str) {
        let sketch = Sketch::of(text);
        for band in sketch.bands() {
            self.bands.entry(band).or_default().push(number);
        }
        self.of.insert(number, sketch);
    }

    /// The numbers of texts that are at least so much like this one.
    pub(super) fn alike(&self, sketch: &Sketch, hundredths: u32) -> Vec<usize> {
        let mut candidates: Vec<usize> = sketch
            .bands()
            .filter_map(|band| self.bands.get(&band))
            .flat_map(|all| all.iter().take(COMPARED).copied())
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates.truncate(COMPARED);
        candidates.retain(|at| {
            self.of
                .get(at)
                .is_some_and(|it| it.likeness(sketch) >= hundredths)
        });
        candidates
    }
}

/// FNV-1a, mixed: the same everywhere and always.
pub(super) fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    mixed(bytes.into_iter().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }))
}

/// Spreads a number over all bits (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_share_most_of_their_runs_are_alike() {
        let text = "Reads the complete contents of a file from the file system and returns them as text, \
                    with the encoding that the file has.";
        let nearly = text.replace("returns", "gives");
        let other = "Lists the issues of a repository, newest first, with their labels and who works on them now.";
        let mut all = Sketches::default();
        all.add(7, text);
        all.add(8, other);
        all.add(9, "Reads a file.");
        for (asked, found) in [
            (text, vec![7]),
            (&*nearly, vec![7]),
            (other, vec![8]),
            ("Reads a file.", vec![]),
        ] {
            assert_eq!(all.alike(&Sketch::of(asked), 60), found, "{asked}");
        }
    }

    #[test]
    fn a_thousand_texts_with_one_beginning_cost_what_a_few_do() {
        let text =
            "Reads the complete contents of a file from the file system and returns them as text.";
        let mut all = Sketches::default();
        (0..5000).for_each(|at| all.add(at, text));
        assert!(all.alike(&Sketch::of(text), 80).len() <= COMPARED);
    }
}
