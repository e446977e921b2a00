//! Finds the words of all rules in one pass, and then what each rule says of where they stand.
//!
//! Linear in the text: every word is found by one automaton, and nearness is decided by walking two
//! lists of places side by side.

use super::folded::Folded;
use super::rules::{RULES, Rule, When};
use super::words::{About, TABLE};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::ops::Range;
use std::sync::LazyLock;

/// Characters of an address that are shown.
const ADDRESS: usize = 256;
/// Places that one rule tells of in one text.
const TOLD: usize = 8;

/// The automaton, and what each of its words is about. None only if it could not be built; then nothing
/// is found, and the test of this module fails.
static WORDS: LazyLock<Option<(AhoCorasick, Vec<About>)>> = LazyLock::new(|| {
    let words = TABLE.iter().flat_map(|(_, words)| words.iter());
    let about = TABLE
        .iter()
        .flat_map(|(about, words)| std::iter::repeat_n(*about, words.len()));
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words);
    Some((automaton.ok()?, about.collect()))
});

/// What one rule says of a place in the folded text.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) rule: &'static Rule,
    pub(super) span: Range<usize>,
}

/// What the rules say of a folded text, in the order of the rules.
pub(super) fn look(folded: &Folded) -> Vec<Hit> {
    let mut places = Places::default();
    places.find_words(folded);
    places.find_addresses(folded.text());
    let mut hits = Vec::new();
    for rule in RULES {
        let spans = match rule.when {
            When::Words(about) => places.of(about).iter().take(TOLD).cloned().collect(),
            When::Near(one, other, most) => near(places.of(one), places.of(other), most),
            When::Form => Vec::new(),
        };
        hits.extend(spans.into_iter().map(|span| Hit { rule, span }));
    }
    hits
}

/// Where words of each subject stand, in order.
#[derive(Debug)]
struct Places([Vec<Range<usize>>; About::COUNT]);

impl Default for Places {
    fn default() -> Self {
        Places(std::array::from_fn(|_| Vec::new()))
    }
}

impl Places {
    fn of(&self, about: About) -> &[Range<usize>] {
        self.0.get(about as usize).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, about: About, span: Range<usize>) {
        if let Some(places) = self.0.get_mut(about as usize) {
            places.push(span);
        }
    }

    fn find_words(&mut self, folded: &Folded) {
        let Some((automaton, abouts)) = WORDS.as_ref() else {
            return;
        };
        for found in automaton.find_overlapping_iter(folded.text()) {
            let span = found.range();
            let about = abouts.get(found.pattern().as_usize());
            if let Some(about) = about.filter(|_| folded.is_whole(&span)) {
                self.add(*about, span);
            }
        }
    }

    /// Addresses by their form: `x@y.z`, `scheme://host`.
    fn find_addresses(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
        let mut from = 0;
        for at in memchr::memchr_iter(b'@', bytes) {
            let behind = bytes.get(from..at).unwrap_or_default();
            let local = behind.iter().rev().take_while(|byte| is_part(byte)).count();
            let ahead = bytes.get(at + 1..).unwrap_or_default();
            let length = ahead.iter().take_while(|byte| is_part(byte)).count();
            let host = ahead.get(..length).unwrap_or_default();
            // A full stop that ends a sentence ends no name.
            let end = host
                .iter()
                .rposition(|byte| *byte != b'.')
                .map_or(0, |last| last + 1);
            let host = host.get(..end).unwrap_or_default();
            let dot = host.iter().rposition(|byte| *byte == b'.');
            if local > 0 && dot.is_some_and(|dot| dot > 0 && dot + 2 < end) {
                self.add(About::Mail, at - local..at + 1 + end);
            }
            // What was looked at once is not looked at again.
            from = at + 1;
        }
        // The end of what has no gap: what is within it was looked at before.
        let mut end = 0;
        for at in memchr::memmem::find_iter(bytes, "://") {
            let behind = bytes.get(..at).unwrap_or_default();
            let scheme = behind
                .iter()
                .rev()
                .take(8)
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count();
            let from = at + 3;
            if end < from {
                let ahead = bytes.get(from..).unwrap_or_default();
                end = from + ahead.iter().take_while(|it| it.is_ascii_graphic()).count();
            }
            if scheme > 0 && end > from {
                self.add(About::Address, at - scheme..end.min(from + ADDRESS));
            }
        }
    }
}

/// The spans from a place of one to a place of the other that is no further than so many bytes away.
fn near(one: &[Range<usize>], other: &[Range<usize>], most: usize) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut from = 0;
    for place in one {
        while other
            .get(from)
            .is_some_and(|it| it.end + most < place.start)
        {
            from += 1;
        }
        // The places that overlap come first in their list, those behind after them; the first that is
        // no part of this one decides.
        let candidates = other.get(from..).unwrap_or_default().iter().take(TOLD);
        let found = candidates
            .filter(|it| it.start <= place.end + most)
            .find(|it| it.end <= place.start || it.start >= place.end);
        if let Some(found) = found {
            spans.push(place.start.min(found.start)..place.end.max(found.end));
            if spans.len() >= TOLD {
                break;
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_can_be_found_and_is_folded() {
        let (_, abouts) = WORDS.as_ref().unwrap();
        assert!(!abouts.is_empty());
        for (about, words) in TABLE {
            assert!(!words.is_empty(), "{about:?}");
            for word in *words {
                let folded = Folded::of(word);
                assert_eq!(
                    folded.text().trim_end(),
                    word.replace('`', "").trim_end(),
                    "{word}"
                );
                let mut places = Places::default();
                places.find_words(&Folded::of(&format!("x {word} y")));
                assert!(!places.of(*about).is_empty(), "{word}");
            }
        }
    }

    #[test]
    fn nearness_is_measured_between_and_bounded() {
        let at = |places: &[(usize, usize)]| places.iter().map(|(a, b)| *a..*b).collect::<Vec<_>>();
        for (one, other, most, expected) in [
            (at(&[(0, 4)]), at(&[(10, 12)]), 6, at(&[(0, 12)])),
            (at(&[(0, 4)]), at(&[(10, 12)]), 5, at(&[])),
            (at(&[(20, 24)]), at(&[(10, 12)]), 8, at(&[(10, 24)])),
            (at(&[(20, 24)]), at(&[(10, 12)]), 7, at(&[])),
            // A word within the other is not beside it.
            (at(&[(0, 9)]), at(&[(2, 4)]), 9, at(&[])),
            (at(&[(0, 9)]), at(&[(2, 4), (10, 11)]), 9, at(&[(0, 11)])),
            (at(&[(0, 1), (50, 51)]), at(&[(48, 49)]), 3, at(&[(48, 51)])),
        ] {
            assert_eq!(near(&one, &other, most), expected, "{one:?} {other:?}");
        }
        let many: Vec<_> = (0..10_000).map(|at| at * 2..at * 2 + 1).collect();
        assert_eq!(near(&many, &many, 100).len(), TOLD);
    }

    #[test]
    fn addresses_are_told_by_their_form() {
        let found = |text: &str| {
            let mut places = Places::default();
            places.find_addresses(text);
            let of = |about| {
                places
                    .of(about)
                    .iter()
                    .map(|span| text.get(span.clone()).unwrap().to_owned())
                    .collect::<Vec<_>>()
            };
            (of(About::Mail), of(About::Address))
        };
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        for (text, mails, addresses) in [
            (
                "to eve@evil.example now",
                &["eve@evil.example"][..],
                &[][..],
            ),
            ("@scope/name, a@b, @, x@.y", &[], &[]),
            (
                "see https://a.example/x?y=1 or ftp://b",
                &[],
                &["https://a.example/x?y=1", "ftp://b"],
            ),
            ("a@@@@b.example", &[], &[]),
        ] {
            assert_eq!(found(text), (words(mails), words(addresses)), "{text}");
        }
    }
}
