//! Many words in one pass over a text. Almost nowhere in a text a word begins, and four looks into tables
//! tell that of a place, however many are looked for; only where they do not, letters are followed
//! one by one.
//!
//! It knows no rules: a word has a number, and whoever asks knows whose it is.

use std::ops::Range;

/// Bytes of a word that are asked for at every place: two, and two more.
const ASKED: usize = 4;
/// Groups of words that are asked for together: a bit for each.
const GROUPS: usize = 8;

/// Bits that say which beginnings words have, by a number that is made of the beginning.
const BEGINNINGS: usize = 1 << 13;
/// What spreads numbers over places: 2^32 over the golden ratio.
const SPREAD: u32 = 0x9e37_79b1;
/// Letters of a beginning that leads to where words go on.
const LEADING: usize = 3;

/// Words that are looked for together, in upper and lower case: letters of ASCII alone have that.
pub(super) struct Words {
    asked: Box<Pairs>,
    /// The groups of words that are shorter than what is asked for, and those of words that are shorter than
    /// what leads anywhere.
    short: u16,
    shortest: u16,
    /// The beginnings of the others, and few that are none.
    beginnings: Box<[u64; BEGINNINGS / 64]>,
    /// Where each first letter leads.
    first: Box<[usize; 256]>,
    /// Where first letters together lead, each at a place that a number made of them says, or behind it.
    leads: Box<[Option<(u32, usize)>]>,
    /// The letters of words, the beginnings they share once.
    nodes: Box<[Node]>,
    count: usize,
}

/// In which groups a word begins with two bytes, and above these, in which a word goes on with them.
/// Only the few that texts are written in are looked at, so that it costs no more than a small table.
type Pairs = [[u16; 256]; 256];

/// A beginning that words share.
#[derive(Debug, Default)]
struct Node {
    /// The letters that go on from here, and where they lead.
    next: Vec<(u8, usize)>,
    /// The word that ends here.
    word: Option<usize>,
}

/// A word of a text.
#[derive(Clone, Copy, Debug)]
struct Hit {
    word: usize,
    start: usize,
    end: usize,
}

impl Words {
    /// Of words in lower case, no two of which are the same and none of which is empty.
    pub(super) fn of(words: &[impl AsRef<str>]) -> Words {
        let mut asked = Box::new([[0; 256]; 256]);
        let mut nodes = vec![Node::default()];
        let mut order: Vec<usize> = (0..words.len()).collect();
        // Short ones by themselves: they leave the last bytes open to all of their group.
        let asked_for = |word: &str| word.len().clamp(2, ASKED);
        let rank = |index: &usize| {
            let word = words.get(*index).map(AsRef::as_ref);
            word.map(|word| (asked_for(word), word))
        };
        order.sort_by_key(rank);
        // There are groups of two bytes, of three and of four, and the last of each may have room left.
        let most = words.len().div_ceil(GROUPS - 2).max(1);
        let (mut group, mut size, mut last) = (0, 0, ASKED);
        let (mut short, mut shortest) = (0, 0);
        let mut beginnings = Box::new([0; BEGINNINGS / 64]);
        for index in order {
            let word = words.get(index).map_or("", AsRef::as_ref);
            let (length, word) = (asked_for(word), word.as_bytes());
            if size == most || size > 0 && length != last {
                (group, size) = (group + 1, 0);
            }
            (size, last) = (size + 1, length);
            let at = |index| word.get(index).copied();
            ask(&mut asked, (at(0), at(1)), 1 << group);
            ask(&mut asked, (at(2), at(3)), 1 << (group + GROUPS));
            match word.first_chunk() {
                Some(first) => {
                    let (place, bit) = beginning(first);
                    if let Some(bits) = beginnings.get_mut(place) {
                        *bits |= bit;
                    }
                }
                None => short |= 1 << group,
            }
            if length < LEADING {
                shortest |= 1 << group;
            }
            learn(&mut nodes, word, index);
        }
        let mut first = Box::new([usize::MAX; 256]);
        let all = nodes.first().into_iter().flat_map(|node| &node.next);
        for (letter, next) in all {
            if let Some(place) = first.get_mut(usize::from(*letter)) {
                *place = *next;
            }
        }
        Words {
            asked,
            short,
            shortest,
            beginnings,
            first,
            leads: leads(words, &nodes),
            nodes: nodes.into(),
            count: words.len(),
        }
    }

    /// Whether any of them is in a text.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let mut are_in = false;
        self.each(text, |_, _| are_in = true);
        are_in
    }

    /// Tells every word of a text and where it stands, in the order in which they end; of those that end
    /// together the longest first.
    pub(super) fn each(&self, text: &str, mut tell: impl FnMut(usize, Range<usize>)) {
        if self.count == 0 {
            return;
        }
        let bytes = text.as_bytes();
        let mut waiting: Vec<Hit> = Vec::new();
        let mut begins = |at: usize, (node, passed): (Option<usize>, usize)| {
            let ended = waiting.iter().take_while(|hit| hit.end <= at).count();
            for hit in waiting.drain(..ended) {
                tell(hit.word, hit.start..hit.end);
            }
            self.follow(bytes, at, (node, passed), &mut waiting);
        };
        // What was said of the two bytes before these, and of those between.
        let (mut before, mut between) = (0, 0);
        for (at, pair) in bytes.windows(2).enumerate() {
            let said = self.said(pair);
            let groups = before & (said >> GROUPS);
            (before, between) = (between, said);
            if groups != 0 && (groups & self.short != 0 || self.may_begin(bytes, at - 2)) {
                begins(at - 2, self.led(bytes, at - 2, groups));
            }
        }
        for at in bytes.len().saturating_sub(ASKED - 1)..bytes.len() {
            begins(at, self.led(bytes, at, self.shortest));
        }
        for hit in waiting {
            tell(hit.word, hit.start..hit.end);
        }
    }

    fn said(&self, pair: &[u8]) -> u16 {
        let [one, other] = pair else { return 0 };
        let row = self.asked.get(usize::from(*other));
        let said = row.and_then(|row| row.get(usize::from(*one)));
        said.copied().unwrap_or(0)
    }

    /// Whether a word may begin here that is not short.
    fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let first = text.get(at..).and_then(<[u8]>::first_chunk);
        first.is_some_and(|first| {
            let (place, bit) = beginning(first);
            let bits = self.beginnings.get(place);
            bits.is_some_and(|bits| bits & bit != 0)
        })
    }

    /// Where the letters from here on lead, and how many of them were passed: one, where a word may be as
    /// short as that.
    fn led(&self, text: &[u8], at: usize, groups: u16) -> (Option<usize>, usize) {
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.first_chunk().filter(|_| groups & self.shortest == 0) else {
            let first = rest
                .first()
                .map(|first| usize::from(first.to_ascii_lowercase()));
            return (first.and_then(|first| self.first.get(first)).copied(), 1);
        };
        let number = leading(first);
        let places = place(number, self.leads.len()).map(|place| self.leads.get(place).copied());
        let mut known = places.map_while(Option::flatten);
        let lead = known.find(|(known, _)| *known == number);
        (lead.map(|(_, node)| node), LEADING)
    }

    /// Every word that begins here, where some letters of it lead to a node.
    fn follow(
        &self,
        text: &[u8],
        start: usize,
        (node, passed): (Option<usize>, usize),
        waiting: &mut Vec<Hit>,
    ) {
        let mut end = start + passed;
        let mut letters = text.get(end..).unwrap_or_default().iter();
        let mut node = node.and_then(|node| self.nodes.get(node));
        while let Some(here) = node {
            if let Some(word) = here.word {
                // What began before and ends here stands before it.
                let at = waiting.iter().rposition(|hit| hit.end <= end);
                waiting.insert(at.map_or(0, |at| at + 1), Hit { word, start, end });
            }
            let letter = letters.next().map(u8::to_ascii_lowercase);
            let next = letter.and_then(|it| here.next.iter().find(|(known, _)| *known == it));
            node = next.and_then(|(_, next)| self.nodes.get(*next));
            end += 1;
        }
    }
}

/// The number of first letters, the same in any case.
fn leading(first: &[u8; LEADING]) -> u32 {
    let [one, two, three] = first.map(|letter| letter.to_ascii_lowercase());
    u32::from_le_bytes([one, two, three, 0])
}

/// The places where something of this number may be: one behind the other.
fn place(number: u32, places: usize) -> impl Iterator<Item = usize> {
    let spread = number.wrapping_mul(SPREAD) >> 16;
    let first = usize::try_from(spread).unwrap_or_default();
    (0..places).map(move |passed| (first + passed) & (places - 1))
}

/// Where first letters lead.
fn leads(words: &[impl AsRef<str>], nodes: &[Node]) -> Box<[Option<(u32, usize)>]> {
    // Half of the places are free at least, so that no search is long.
    let mut leads = vec![None; (2 * words.len()).next_power_of_two()];
    let words = words.iter().map(|word| word.as_ref().as_bytes());
    for first in words.filter_map(<[u8]>::first_chunk) {
        let mut node = Some(0);
        for letter in first {
            let here = node.and_then(|node| nodes.get(node));
            let next = here.and_then(|here| here.next.iter().find(|(known, _)| known == letter));
            node = next.map(|(_, next)| *next);
        }
        let Some(node) = node else { continue };
        let number = leading(first);
        for place in place(number, leads.len()) {
            match leads.get_mut(place) {
                Some(Some((known, _))) if *known != number => {}
                free => {
                    if let Some(free) = free {
                        *free = Some((number, node));
                    }
                    break;
                }
            }
        }
    }
    leads.into()
}

/// Where it is said of a beginning whether a word has it, in any case.
fn beginning(first: &[u8; ASKED]) -> (usize, u64) {
    let plain = u32::from_le_bytes(*first) | 0x2020_2020;
    let number = plain.wrapping_mul(SPREAD) >> (32 - BEGINNINGS.ilog2());
    let number = usize::try_from(number).unwrap_or_default();
    (number / 64, 1 << (number % 64))
}

/// Notes two bytes of a word in both cases; one that the word does not have may be any.
fn ask(asked: &mut Pairs, (one, other): (Option<u8>, Option<u8>), groups: u16) {
    let fits = |byte: Option<u8>, known: usize| {
        byte.is_none_or(|byte| {
            known == usize::from(byte) || known == usize::from(byte.to_ascii_uppercase())
        })
    };
    for (_, row) in asked
        .iter_mut()
        .enumerate()
        .filter(|(at, _)| fits(other, *at))
    {
        for (_, place) in row.iter_mut().enumerate().filter(|(at, _)| fits(one, *at)) {
            *place |= groups;
        }
    }
}

/// Notes all letters of a word.
fn learn(nodes: &mut Vec<Node>, word: &[u8], index: usize) {
    let mut at = 0;
    for byte in word {
        let fresh = nodes.len();
        let Some(node) = nodes.get_mut(at) else {
            return;
        };
        let known = node.next.iter().find(|(known, _)| known == byte);
        at = match known {
            Some((_, next)) => *next,
            None => {
                node.next.push((*byte, fresh));
                nodes.push(Node::default());
                fresh
            }
        };
    }
    if let Some(node) = nodes.get_mut(at) {
        node.word = Some(index);
    }
}

/// Says how many there are.
impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({})", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aho_corasick::{AhoCorasick, MatchKind};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_are_told_as_an_automaton_for_all_of_them_tells_them(
            words in prop::collection::btree_set("[ab.éÉ]{1,6}|[a-d]{3}|@|a{1,9}", 0..90),
            text in "[abAB.éc@É]{0,60}",
        ) {
            let words: Vec<String> = words.into_iter().collect();
            let mut told = Vec::new();
            let ours = Words::of(&words);
            ours.each(&text, |word, at| told.push((word, at)));
            prop_assert_eq!(ours.are_in(&text), !told.is_empty());
            let automaton = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .build(&words)
                .unwrap();
            let expected = automaton.find_overlapping_iter(&text);
            let expected: Vec<_> = expected.map(|it| (it.pattern().as_usize(), it.range())).collect();
            prop_assert_eq!(told, expected);
        }
    }
}
