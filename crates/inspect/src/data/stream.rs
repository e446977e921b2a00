//! Texts that come in pieces: lines of a log, messages of a stream. A value may begin in one piece
//! and end in another.
//!
//! Pieces are not kept back: whoever reads a stream waits for each of them. So of a value whose
//! beginning has gone out, the rest is still found and taken out, and the finding says that it is
//! there. What is remembered between pieces is bounded by the reach of the rules.

use super::rule::Rule;
use super::rules::Rules;
use super::scan::{Looked, Sight};
use super::{Confidence, scan};
use std::ops::Range;
use std::sync::Arc;

/// The most that is remembered of earlier pieces, in bytes.
const REMEMBERED: usize = 4096;

/// A sight without what it borrows.
type Kept = (Range<usize>, usize, Confidence);

/// Pieces of one text, in the order in which they come.
#[derive(Debug)]
pub struct Thread {
    rules: Arc<Rules>,
    /// The end of what came before.
    tail: String,
    remembered: usize,
}

impl Thread {
    /// A text of which nothing has come yet.
    pub fn new(rules: Arc<Rules>) -> Self {
        let remembered = rules.reach().min(REMEMBERED);
        Thread {
            rules,
            tail: String::new(),
            remembered,
        }
    }

    /// What is seen in this piece, in what came before and in both together: places of this piece.
    ///
    /// One that has begun before has its place from the beginning of this piece. One that ended before
    /// it and is known for what it is by this piece only has an empty place at its beginning.
    ///
    /// What was remembered may be more to look at than the piece: where either ended before everything
    /// was looked at, it is said.
    pub fn look(&mut self, piece: &str) -> Looked<'_> {
        if self.tail.is_empty() {
            self.remember(piece);
            return self.rules.look(piece);
        }
        let border = self.tail.len();
        // Only what stands near the border can belong to both sides.
        let near = scan::floor(piece, self.remembered);
        let mut joined = std::mem::take(&mut self.tail);
        joined.push_str(piece.get(..near).unwrap_or_default());
        let seen = self.rules.look(&joined);
        let kept = |sight: &Sight<'_>| {
            let end = sight.at.end.saturating_sub(border);
            let at = sight.at.start.saturating_sub(border)..end;
            Some((at, self.rules.index(sight.rule)?, sight.confidence))
        };
        let crossing: Vec<Kept> = seen
            .sights
            .iter()
            .filter(|sight| sight.at.end > border)
            .filter_map(kept)
            .collect();
        let is_early = |sight: &&Sight<'_>| sight.at.end <= border;
        // What stands in earlier pieces alone was seen with them already, unless it is known for what
        // it is by this piece only.
        let before = match seen.sights.iter().any(|sight| is_early(&sight)) {
            true => self.rules.look(joined.get(..border).unwrap_or_default()),
            false => Looked::default(),
        };
        let was_seen = |sight: &Sight<'_>| {
            before
                .sights
                .iter()
                .any(|other| other.at == sight.at && std::ptr::eq(other.rule, sight.rule))
        };
        let late = seen.sights.iter().filter(is_early);
        let late = late.filter(|it| !was_seen(it));
        let late: Vec<Kept> = late.filter_map(kept).collect();
        let (is_cut, steps) = (seen.is_cut, seen.steps + before.steps);
        joined.truncate(border);
        self.tail = joined;
        self.remember(piece);
        let again = |(at, rule, confidence): Kept| {
            let rule = self.rules.get(rule)?;
            Some(Sight {
                by: at.clone(),
                at,
                rule,
                confidence,
            })
        };
        let own = self.rules.look(piece);
        let mut all = own.sights;
        all.extend(crossing.into_iter().filter_map(again));
        let mut told: Vec<_> = late.into_iter().filter_map(again).collect();
        told.extend(scan::apart(all));
        Looked {
            sights: told,
            is_cut: is_cut || own.is_cut,
            steps: steps + own.steps,
        }
    }

    /// Keeps the end of what has come so far.
    fn remember(&mut self, piece: &str) {
        self.tail.push_str(piece);
        let over = self.tail.len().saturating_sub(self.remembered);
        let over = scan::ceil(&self.tail, over);
        self.tail.drain(..over);
    }
}

impl Rules {
    fn index(&self, rule: &Rule) -> Option<usize> {
        self.iter().position(|known| std::ptr::eq(known, rule))
    }
}
