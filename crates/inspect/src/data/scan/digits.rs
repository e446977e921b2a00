//! Where the digits of a text are, many bytes at a time: most texts have few, and those that belong
//! together are fewer still.

use super::{BETWEEN, DIGITS};
use crate::data::eight;
use std::ops::Range;

/// Bytes that are looked at as one number.
const WIDTH: usize = 8;
/// Bytes of a part: a bit for each.
const PART: usize = 64;
/// How far one part stands behind the next: as many digits as count, each behind one other sign, are
/// seen in one of them.
const STEP: usize = PART - 8;
/// What gathers the lowest bits of eight bytes in the last of them.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// How many digits there are.
pub(super) fn count(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<WIDTH>();
    // Each byte of a sum holds 255 at most.
    let sums = words.chunks(usize::from(u8::MAX)).map(|words| {
        let sum = words.iter().fold(0_u64, |sum, word| {
            sum.wrapping_add(eight::digits(u64::from_le_bytes(*word)) >> 7)
        });
        sum.to_le_bytes()
            .into_iter()
            .map(usize::from)
            .sum::<usize>()
    });
    sums.sum::<usize>() + rest.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// A bit for each byte of a part that is something; that is told for eight bytes at a time, by the highest
/// bit of each.
fn marks(part: &[u8], told: impl Fn(u64) -> u64) -> u64 {
    let (words, rest) = part.as_chunks::<WIDTH>();
    let gather = |bytes: [u8; WIDTH]| {
        let bits = told(u64::from_le_bytes(bytes)) >> 7;
        bits.wrapping_mul(GATHER) >> (PART - WIDTH)
    };
    let mut marks = 0;
    let mut at = 0;
    for word in words {
        marks |= gather(*word).wrapping_shl(at);
        at += 8;
    }
    if !rest.is_empty() {
        let mut last = [0; WIDTH];
        let places = last.iter_mut().zip(rest);
        places.for_each(|(place, byte)| *place = *byte);
        marks |= gather(last).wrapping_shl(at);
    }
    marks
}

/// Signs of which one may stand between two digits that belong together.
fn between(bytes: u64) -> u64 {
    let [space, low, .., high] = BETWEEN;
    eight::within(bytes, space, space) | eight::within(bytes, low, high)
}

/// Where as many bytes as count begin, each behind the other.
fn runs(marks: u64) -> u64 {
    let two = marks & marks >> 1;
    let four = two & two >> 2;
    four & two >> 4
}

/// Tells the digits of a text that belong together, in order, where there are as many as count: where
/// they stand, and how many they are.
pub(super) fn each(bytes: &[u8], mut tell: impl FnMut(Range<usize>, usize)) {
    let mut base = 0;
    while base < bytes.len() {
        let end = bytes.len().min(base.saturating_add(PART));
        let part = bytes.get(base..end).unwrap_or_default();
        let digits = marks(part, eight::digits);
        let inner = digits << 1 & digits >> 1;
        let mut near = digits | inner;
        let mut six = runs(near);
        if six != 0 {
            near = digits | inner & marks(part, between);
            six = runs(near);
        }
        let mut next = base + STEP;
        while six != 0 {
            let first = six.trailing_zeros();
            let length = (!(near >> first)).trailing_zeros();
            let last = first + length;
            let (start, end) = (base + first as usize, base + last as usize);
            // What began before this part was told with the one before; what may go on behind it is seen
            // by itself.
            let (region, count) = match end + 1 < base + part.len() {
                true => {
                    let within = digits >> first & !(u64::MAX << length);
                    (start..end, within.count_ones() as usize)
                }
                false => together(bytes, start),
            };
            let behind = region.end;
            if count >= DIGITS {
                tell(region, count);
            }
            next = next.max(behind);
            six &= u64::MAX.checked_shl(last).unwrap_or(0);
        }
        base = next;
    }
}

/// The digits that belong together around a place, and how many they are.
fn together(bytes: &[u8], at: usize) -> (Range<usize>, usize) {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let belongs = |at: usize| match bytes.get(at) {
        Some(byte) if byte.is_ascii_digit() => true,
        Some(byte) => {
            BETWEEN.contains(byte) && digit(at + 1) && at.checked_sub(1).is_some_and(digit)
        }
        None => false,
    };
    let first = if belongs(at) { at } else { at + 1 };
    let mut start = first;
    while start > 0 && belongs(start - 1) {
        start -= 1;
    }
    let mut end = first;
    while belongs(end) {
        end += 1;
    }
    (start..end, count(bytes.get(start..end).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, told place by place.
    fn plainly(bytes: &[u8]) -> Vec<(Range<usize>, usize)> {
        let mut told = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (region, count) = together(bytes, at);
            at = region.end.max(at + 1);
            if count >= DIGITS {
                told.push((region, count));
            }
        }
        told
    }

    proptest! {
        #[test]
        fn digits_are_told_as_one_tells_them_place_by_place(
            text in "([0-9]{1,9}|[0-9] |[ -]|1x|:[0-9]{2}|[.]{1,2}|[a-z/é]{0,70}){0,30}",
        ) {
            let mut told = Vec::new();
            each(text.as_bytes(), |region, count| told.push((region, count)));
            prop_assert_eq!(told, plainly(text.as_bytes()));
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            prop_assert_eq!(count(text.as_bytes()), digits);
        }
    }

    #[test]
    fn digits_are_told_wherever_a_part_ends() {
        let pieces = [
            "123456",
            "1 2 3 4 5 6",
            "12-34.56/78 90",
            "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6",
            "12x34x56x123 456",
        ];
        for piece in pieces {
            for before in 0..2 * PART {
                for between in ["x", " ", "1", "-", "1 "] {
                    let text = format!("{}{between}{piece}{between}{piece}", "x".repeat(before));
                    let mut told = Vec::new();
                    each(text.as_bytes(), |region, count| told.push((region, count)));
                    assert_eq!(told, plainly(text.as_bytes()), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_byte_is_a_digit_or_none() {
        for byte in 0..=u8::MAX {
            for at in 0..WIDTH {
                let mut bytes = *b"9a/:\x00\xff0\x80";
                bytes[at] = byte;
                let expected = bytes.iter().filter(|it| it.is_ascii_digit()).count();
                assert_eq!(count(&bytes), expected, "{bytes:?}");
            }
        }
        assert_eq!(count(&[b'7'; 10_000]), 10_000);
    }
}
