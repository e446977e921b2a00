//! What is told of one thing where there is more to tell than anybody reads.
//!
//! Whoever adds goes on looking whatever was found before: a bound on what is told never bounds what is
//! seen. So of more than can be told the most severe is kept, and never none of a rule.

use controls::Severity;
use std::collections::HashMap;

/// What is to be told, each under the name of its rule.
#[derive(Debug)]
pub(crate) struct Told<T> {
    /// The first of each rule.
    first: Vec<T>,
    more: Vec<T>,
    counts: HashMap<&'static str, usize>,
    most: usize,
}

impl<T> Told<T> {
    /// Tells this many, or one of each rule if there are more rules.
    pub(crate) fn new(most: usize) -> Self {
        Told {
            first: Vec::new(),
            more: Vec::new(),
            counts: HashMap::new(),
            most,
        }
    }

    /// Whether one more of a rule would not be kept.
    pub(crate) fn is_full(&self, rule: &str) -> bool {
        self.counts
            .get(rule)
            .is_some_and(|count| *count >= self.most)
    }

    /// Keeps one more of a rule, if not too many are kept.
    pub(crate) fn add(&mut self, rule: &'static str, it: T) {
        if self.is_full(rule) {
            return;
        }
        let count = self.counts.entry(rule).or_default();
        *count += 1;
        match *count {
            1 => self.first.push(it),
            _ => self.more.push(it),
        }
    }

    /// Everything that is kept.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.more)
    }

    /// What is told, most severe first.
    pub(crate) fn sorted(mut self, severity: impl Fn(&T) -> Severity) -> Vec<T> {
        let rank = |it: &T| std::cmp::Reverse(severity(it));
        self.more.sort_by_key(rank);
        let room = self.most.saturating_sub(self.first.len());
        self.more.truncate(room);
        self.first.append(&mut self.more);
        self.first.sort_by_key(rank);
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n9_2_of_more_than_can_be_told_the_most_severe_is_kept_and_one_of_each_rule() {
        use Severity::{High, Low};
        let mut told = Told::new(4);
        for turn in 0..6 {
            told.add("low", (Low, turn));
        }
        for turn in 0..3 {
            told.add("high", (High, turn));
        }
        let kept = told.sorted(|(severity, _)| *severity);
        assert_eq!(kept, [(High, 0), (High, 1), (High, 2), (Low, 0)]);
    }
}
