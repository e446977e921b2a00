//! What is drawn from a seed: the same in every run.

use std::slice::SliceIndex;

/// A sequence that is the same in every run (xorshift).
pub(super) struct Draw(pub(super) u64);

impl Draw {
    /// A number below another one.
    pub(super) fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The upper bits: the lower ones repeat sooner.
        (self.0 >> 11) % below
    }

    /// A place in something that has so many.
    pub(super) fn index(&mut self, below: usize) -> usize {
        usize::try_from(self.next(below as u64)).unwrap()
    }

    /// One of these.
    pub(super) fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }

    /// So many of these signs.
    pub(super) fn of(&mut self, signs: &str, count: usize) -> String {
        let all: Vec<char> = signs.chars().collect();
        (0..count).map(|_| *self.one(&all)).collect()
    }
}

pub(super) const DIGITS: &str = "0123456789";
pub(super) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A part of a text that is there.
pub(super) fn part<I: SliceIndex<str, Output = str>>(text: &str, at: I) -> &str {
    text.get(at).unwrap()
}
