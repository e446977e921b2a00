//! Payment cards among digits: one pass over a run of digits, whatever its length. Sums of its digits
//! are kept so that each place where a card may begin costs the same.

use crate::data::scan::stands_alone;
use std::ops::Range;

/// Digits, each behind the other or behind one space or hyphen: what a card is looked for in.
pub(in crate::data) const PATTERN: &str = "[0-9](?:[ -]?[0-9]){12,63}";
/// The fewest digits of a run.
const FEWEST: usize = 13;
/// Where sums of digits begin anew: a multiple of ten.
const WRAP: u32 = 1_000_000_000;

/// The first payment card among digits: it begins and ends where a group does, an issuer gives such
/// numbers, in that length, and the check digit is right.
pub(in crate::data) fn first(text: &str) -> Option<Range<usize>> {
    let mut run = Run::default();
    for (at, byte) in text.bytes().enumerate() {
        run.take(text.as_bytes(), at, byte);
    }
    run.card(0)
}

/// Every card of a text from a place on, in runs of digits that stand alone.
pub(in crate::data) fn every(text: &str, from: usize) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut cards = Vec::new();
    let mut run = Run::default();
    let mut at = from;
    while let Some(start) = next_digit(bytes, at) {
        run.clear();
        let mut end = start;
        while let Some(byte) = bytes.get(end) {
            let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
            let between = matches!(byte, b' ' | b'-') && digit(end + 1) && digit(end - 1);
            if !byte.is_ascii_digit() && !between {
                break;
            }
            run.take(bytes, end, *byte);
            end += 1;
        }
        // One byte more was looked at: no digit.
        at = end + 1;
        if bytes
            .get(end)
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        {
            end = run.without_last_group().unwrap_or(start);
        }
        run.cards(bytes, end, &mut cards);
    }
    cards
}

fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let next = rest.iter().position(u8::is_ascii_digit);
    next.map(|next| from + next)
}

/// The digits of a run, and what is known of those before each of them.
#[derive(Debug, Default)]
struct Run {
    digits: Vec<Digit>,
}

#[derive(Debug)]
struct Digit {
    value: u32,
    /// Where it stands.
    at: usize,
    /// Whether a group begins with it, or ends.
    begins: bool,
    ends: bool,
    /// How many digits before it are the same.
    same: usize,
    /// The sums up to here, it included: with every other digit doubled as Luhn does, and with the
    /// others.
    sums: [u32; 2],
}

impl Run {
    fn clear(&mut self) {
        self.digits.clear();
    }

    /// Leaves out the last group, which belongs to a word; where the run ends then.
    fn without_last_group(&mut self) -> Option<usize> {
        while let Some(digit) = self.digits.pop() {
            if digit.begins {
                break;
            }
        }
        self.digits.last().map(|last| last.at + 1)
    }

    fn take(&mut self, bytes: &[u8], at: usize, byte: u8) {
        if !byte.is_ascii_digit() {
            return;
        }
        let digit = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_some_and(u8::is_ascii_digit)
        };
        let value = u32::from(byte - b'0');
        let last = self.digits.last();
        let same = last.filter(|last| last.value == value);
        let [one, other] = last.map_or([0, 0], |last| last.sums);
        let doubled = match value * 2 {
            twice @ 0..=9 => twice,
            twice => twice - 9,
        };
        let sums = match self.digits.len() % 2 {
            0 => [one + value, other + doubled],
            _ => [one + doubled, other + value],
        };
        self.digits.push(Digit {
            value,
            at,
            begins: !digit(at.checked_sub(1)),
            ends: !digit(at.checked_add(1)),
            same: same.map_or(0, |last| last.same + 1),
            // They are compared modulo ten: they may wrap at a multiple of it.
            sums: sums.map(|sum| sum.checked_sub(WRAP).unwrap_or(sum)),
        });
    }

    /// Every card of a run that ends here, if the run stands alone.
    fn cards(&self, bytes: &[u8], end: usize, cards: &mut Vec<Range<usize>>) {
        // What a run begins with may belong to a word: `id-4728`, `0.4728`.
        let alone = |digit: &&Digit| digit.begins && stands_alone(bytes, &(digit.at..end));
        let Some(first) = self.digits.iter().position(|it| alone(&it)) else {
            return;
        };
        if self.digits.len() - first < FEWEST {
            return;
        }
        let mut at = first;
        while let Some(card) = self.card(at) {
            let behind = |digit: &Digit| digit.at < card.end;
            at += self
                .digits
                .get(at..)
                .map_or(0, |rest| rest.partition_point(behind));
            cards.push(card);
        }
    }

    /// The first card from a digit on.
    fn card(&self, from: usize) -> Option<Range<usize>> {
        let starts = self.digits.iter().enumerate().skip(from);
        let mut starts = starts.filter(|(_, digit)| digit.begins);
        starts.find_map(|(index, digit)| {
            let four = self.digits.get(index..index + 4)?.iter();
            let four = four.fold(0, |number, digit| number * 10 + digit.value);
            let fits = |length: &usize| self.is_card(index, *length);
            let length = given(four).iter().find(|length| fits(length))?;
            let last = self.digits.get(index + length - 1)?;
            Some(digit.at..last.at + 1)
        })
    }

    fn is_card(&self, start: usize, length: usize) -> bool {
        let Some(last) = self.digits.get(start + length - 1) else {
            return false;
        };
        last.ends && last.same + 1 < length && self.luhn(start, length)
    }

    /// Whether the last digit is the check digit of Luhn (ISO/IEC 7812-1, annex B).
    fn luhn(&self, start: usize, length: usize) -> bool {
        let end = start + length - 1;
        // The last digit counts once: the sum in which it does.
        let of = |at: Option<usize>| {
            let digit = at.and_then(|at| self.digits.get(at));
            digit
                .and_then(|it| it.sums.get(end % 2))
                .copied()
                .unwrap_or(0)
        };
        let (before, all) = (of(start.checked_sub(1)), of(Some(end)));
        (all + WRAP - before).is_multiple_of(10)
    }
}

/// How many digits a card has that begins with these four, as ISO/IEC 7812 issuers publish it.
fn given(four: u32) -> &'static [usize] {
    match four {
        3000..=3059 | 3600..=3699 | 3800..=3999 => &[14],
        3400..=3499 | 3700..=3799 => &[15],
        4000..=4999 | 6200..=6299 => &[16, 19],
        2221..=2720 | 3528..=3589 | 5100..=5599 | 6011 | 6440..=6599 => &[16],
        5018 | 5020 | 5038 | 6304 | 6759 | 6761..=6763 => &[16],
        _ => &[],
    }
}
