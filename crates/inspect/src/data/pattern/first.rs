//! Where a match may begin: at a byte that it can begin with, and where nothing may touch it, at no byte that
//! goes on with a word.

use crate::data::eight;
use regex_automata::nfa::thompson::{NFA, State as Part};
use regex_automata::util::primitives::StateID;

/// The bytes that a match can begin with, and what stands behind them.
#[derive(Debug)]
pub(in crate::data) struct First {
    bytes: [bool; 256],
    among: Among,
    /// For each byte a bit for each of the first places of a match that it can stand at.
    at: Box<[u8; 256]>,
    /// How many first places every match has, of those that are asked for.
    asked: usize,
}

/// First places that are asked for.
const ASKED: usize = 8;

/// Some bytes, those among them that a match can begin with.
#[derive(Clone, Copy, Debug)]
enum Among {
    /// One to three, and no others.
    Few([u8; 3]),
    /// Neighbours of ASCII, and some between them that may be none.
    Range(u8, u8),
    Any,
}

/// So wide a range is looked for by itself.
const WIDE: usize = 32;

impl First {
    /// Of the bytes that a match can begin with, and the expression.
    pub(super) fn of(bytes: [bool; 256], nfa: &NFA) -> First {
        let begins = (0..=u8::MAX).zip(&bytes).filter(|(_, begins)| **begins);
        let begins: Vec<u8> = begins.map(|(byte, _)| byte).collect();
        let among = match *begins.as_slice() {
            [one] => Among::Few([one; 3]),
            [one, two] => Among::Few([one, two, two]),
            [one, two, three] => Among::Few([one, two, three]),
            [low, .., high] if high.is_ascii() && usize::from(high - low) < WIDE => {
                Among::Range(low, high)
            }
            _ => Among::Any,
        };
        let (at, asked) = places(nfa);
        First {
            bytes,
            among,
            at,
            asked,
        }
    }

    /// Whether a match may begin here: each of the first bytes of it can stand where it does, whatever
    /// the others are.
    pub(in crate::data) fn fits(&self, text: &[u8], start: usize) -> bool {
        let Some(first) = text.get(start..).and_then(|rest| rest.get(..self.asked)) else {
            return false;
        };
        let places = first
            .iter()
            .enumerate()
            .fold(u8::MAX, |places, (place, byte)| {
                let at = self.at.get(usize::from(*byte)).copied().unwrap_or(0);
                places & (at | !(1 << place))
            });
        places == u8::MAX
    }

    fn begins(&self, byte: u8) -> bool {
        let begins = self.bytes.get(usize::from(byte));
        begins.is_some_and(|begins| *begins)
    }

    /// The next place, `from` or later, with a byte that a match can begin with.
    pub(in crate::data) fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        let next = match self.among {
            Among::Few([one, two, three]) => memchr::memchr3(one, two, three, rest),
            Among::Range(..) | Among::Any => rest.iter().position(|byte| self.begins(*byte)),
        };
        next.map(|next| from + next)
    }

    /// The same where no letter, no digit and no `_` stands before it.
    pub(in crate::data) fn next_alone(&self, text: &[u8], from: usize) -> Option<usize> {
        let alone = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        };
        let mut at = from;
        if let Among::Range(low, high) = self.among {
            if alone(at) && text.get(at).is_some_and(|byte| self.begins(*byte)) {
                return Some(at);
            }
            // Eight places at once, each with the byte before it.
            while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<9>) {
                let [before @ .., _] = *bytes;
                let [_, here @ ..] = *bytes;
                let mut begins = eight::within(u64::from_le_bytes(here), low, high);
                if begins != 0 {
                    begins &= !eight::of_words(u64::from_le_bytes(before));
                }
                while begins != 0 {
                    let next = at + 1 + begins.trailing_zeros() as usize / 8;
                    if text.get(next).is_some_and(|byte| self.begins(*byte)) {
                        return Some(next);
                    }
                    begins &= begins - 1;
                }
                at += 8;
            }
            at += 1;
        }
        loop {
            let next = self.next(text, at)?;
            if alone(next) {
                return Some(next);
            }
            at = next + 1;
        }
    }
}

/// Where in the first places of a match each byte can stand, and how many of these every match has.
fn places(nfa: &NFA) -> (Box<[u8; 256]>, usize) {
    let mut at = Box::new([0; 256]);
    let mut open = vec![nfa.start_anchored()];
    for place in 0..ASKED {
        let Some(next) = step(nfa, open, |low, high| {
            for byte in low..=high {
                if let Some(places) = at.get_mut(usize::from(byte)) {
                    *places |= 1 << place;
                }
            }
        }) else {
            return (at, place);
        };
        open = next;
    }
    (at, ASKED)
}

/// Where parts of an expression lead with any byte, each of which is told. Nothing, if the expression
/// may match before it.
fn step(nfa: &NFA, open: Vec<StateID>, mut tell: impl FnMut(u8, u8)) -> Option<Vec<StateID>> {
    let mut passed = vec![false; nfa.states().len()];
    let mut next = Vec::new();
    let mut stack = open;
    while let Some(at) = stack.pop() {
        let place = passed.get_mut(at.as_usize())?;
        if std::mem::replace(place, true) {
            continue;
        }
        match nfa.state(at) {
            Part::ByteRange { trans } => {
                tell(trans.start, trans.end);
                next.push(trans.next);
            }
            Part::Sparse(some) => {
                for trans in &some.transitions {
                    tell(trans.start, trans.end);
                    next.push(trans.next);
                }
            }
            Part::Dense(some) => {
                for byte in 0..=u8::MAX {
                    if let Some(to) = some.matches_byte(byte) {
                        tell(byte, byte);
                        next.push(to);
                    }
                }
            }
            Part::Capture { next, .. } | Part::Look { next, .. } => stack.push(*next),
            Part::Union { alternates } => stack.extend(alternates.iter().copied()),
            Part::BinaryUnion { alt1, alt2 } => stack.extend([*alt1, *alt2]),
            Part::Fail => {}
            Part::Match { .. } => return None,
        }
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_match_may_begin_where_one_tells_it_place_by_place(
            text in "[a-cA-C0-9_ é.+-]{0,40}",
            some in prop_oneof![Just("0123456789"), Just("13"), Just("12478"), Just("ABC"), Just("+"), Just("aé"), Just("Aa")],
        ) {
            let mut bytes = [false; 256];
            some.bytes().for_each(|byte| bytes[usize::from(byte)] = true);
            let first = First::of(bytes, &NFA::always_match());
            let text = text.as_bytes();
            let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            let begins = |at: &usize| bytes[usize::from(text[*at])];
            let alone = |at: &usize| *at == 0 || !word(text[at - 1]);
            for from in 0..=text.len() {
                prop_assert_eq!(first.next(text, from), (from..text.len()).find(begins));
                let expected = (from..text.len()).find(|at| begins(at) && alone(at));
                prop_assert_eq!(first.next_alone(text, from), expected);
            }
        }
    }
}
