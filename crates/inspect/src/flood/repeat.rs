//! What a text says again: found as compressors find it, by the last place where the same bytes stood.

use std::ops::Range;

/// Texts below this are not looked at: they flood nothing.
const TEXT_MIN: usize = 16 * 1024;

/// Bytes that have to be the same before anything counts as said again.
const SAME_MIN: usize = 32;

/// The longest part whose repetition in a row is cut, how often it is there at least, and how often it
/// stays.
const PERIOD_MAX: usize = 64 * 1024;
const TIMES_MIN: usize = 8;
const TIMES_KEPT: usize = 3;

/// Texts from this size on are told about if so much of them stands in them before.
const MOSTLY_MIN: usize = 64 * 1024;
const MOSTLY_TENTHS: usize = 9;

/// A part that follows itself many times.
#[derive(Debug)]
pub(super) struct Run {
    /// Bytes of the part.
    pub(super) period: usize,
    /// All of it but the first times.
    pub(super) rest: Range<usize>,
}

/// What a text says again.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    pub(super) runs: Vec<Run>,
    /// The whole text, if most of it stands in it before.
    pub(super) mostly: Option<Range<usize>>,
}

/// Finds what a text says again.
pub(super) fn look(text: &str) -> Repeated {
    let mut repeated = Repeated::default();
    if text.len() < TEXT_MIN || u32::try_from(text.len()).is_err() {
        return repeated;
    }
    let bytes = text.as_bytes();
    let mut places = Places::new(bytes.len());
    let (mut at, mut again, mut misses) = (0, 0, 0usize);
    while let Some(word) = word_at(bytes, at) {
        let before = places.note(word, at);
        let same = before.map_or(0, |before| same(bytes, before, at));
        let (Some(before), true) = (before, same >= SAME_MIN) else {
            // Text that repeats nothing is looked at ever more coarsely, a little.
            misses += 1;
            at += 1 + (misses >> 6).min(8);
            continue;
        };
        misses = 0;
        again += same;
        let period = at - before;
        let all = same + period;
        if period <= PERIOD_MAX && all >= TEXT_MIN.max(period * TIMES_MIN) {
            let from = text.ceil_char_boundary(before + period * TIMES_KEPT);
            let to = text.floor_char_boundary(at + same);
            repeated.runs.push(Run {
                period,
                rest: from..to.max(from),
            });
        }
        at += same;
    }
    let mostly = text.len() >= MOSTLY_MIN && again / MOSTLY_TENTHS >= text.len() / 10;
    repeated.mostly = mostly.then_some(0..text.len());
    repeated
}

/// The last place of each word of eight bytes, as far as there is room.
struct Places {
    table: Vec<u32>,
    shift: u32,
}

impl Places {
    fn new(length: usize) -> Self {
        let bits = (length / 4).clamp(1 << 12, 1 << 16).ilog2();
        Places {
            table: vec![u32::MAX; 1 << bits],
            shift: 64 - bits,
        }
    }

    /// Notes that a word is here, and says where it, or one that shares its slot, was before.
    fn note(&mut self, word: u64, at: usize) -> Option<usize> {
        let slot = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift;
        let slot = self.table.get_mut(usize::try_from(slot).ok()?)?;
        let before = std::mem::replace(slot, u32::try_from(at).ok()?);
        (before != u32::MAX).then(|| usize::try_from(before).ok())?
    }
}

fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*word))
}

/// How many bytes are the same from two places on.
fn same(bytes: &[u8], before: usize, at: usize) -> usize {
    let earlier = bytes.get(before..).unwrap_or_default();
    let later = bytes.get(at..).unwrap_or_default();
    let chunks = later.chunks_exact(32).zip(earlier.chunks_exact(32));
    let whole = chunks.take_while(|(one, other)| one == other).count() * 32;
    let rest = later.iter().zip(earlier).skip(whole);
    whole + rest.take_while(|(one, other)| one == other).count()
}
