//! Bytes carried by characters that cannot be seen: tags that mirror ASCII, variation selectors that
//! stand for a byte each, and two characters of no width that stand for 0 and 1.

use super::map::Kind;
use super::weave::Weaver;
use std::ops::Range;

/// Bits that make it likely that bits are meant at all.
const FEWEST_BITS: usize = 24;

/// Bytes that make it likely that selectors are meant as bytes.
const FEWEST_BYTES: usize = 4;

pub(super) fn weave(text: &str, weaver: &mut Weaver<'_>) {
    let mut run = Run::default();
    for (at, c) in text.char_indices() {
        if c.is_ascii() {
            run.end(weaver);
            continue;
        }
        let Some(carried) = carried(c) else {
            run.end(weaver);
            continue;
        };
        if run
            .carried
            .as_ref()
            .is_some_and(|last| !last.is_like(carried))
        {
            run.end(weaver);
        }
        run.add(at..at + c.len_utf8(), carried);
        if weaver.is_full() {
            return;
        }
    }
    run.end(weaver);
}

/// What one character carries.
#[derive(Clone, Copy, Debug)]
enum Carried {
    Ascii(u8),
    Byte(u8),
    Bit(bool, Pair),
}

/// The pairs of characters that are in use for 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    /// Zero-width space and non-joiner.
    Spaces,
    /// Invisible times and plus.
    Operators,
}

impl Carried {
    fn is_like(self, other: Carried) -> bool {
        match (self, other) {
            (Carried::Ascii(_), Carried::Ascii(_)) | (Carried::Byte(_), Carried::Byte(_)) => true,
            (Carried::Bit(_, one), Carried::Bit(_, other)) => one == other,
            _ => false,
        }
    }
}

fn carried(c: char) -> Option<Carried> {
    let low = |base: u32| u8::try_from(u32::from(c).checked_sub(base)?).ok();
    match c {
        '\u{e0020}'..='\u{e007e}' => low(0xe_0000).map(Carried::Ascii),
        '\u{fe00}'..='\u{fe0f}' => low(0xfe00).map(Carried::Byte),
        '\u{e0100}'..='\u{e01ef}' => low(0xe_00f0).map(Carried::Byte),
        '\u{200b}' => Some(Carried::Bit(false, Pair::Spaces)),
        '\u{200c}' => Some(Carried::Bit(true, Pair::Spaces)),
        '\u{2062}' => Some(Carried::Bit(false, Pair::Operators)),
        '\u{2064}' => Some(Carried::Bit(true, Pair::Operators)),
        _ => None,
    }
}

/// Characters in a row that carry in the same way.
#[derive(Debug, Default)]
struct Run {
    range: Range<usize>,
    bytes: Vec<u8>,
    bits: usize,
    carried: Option<Carried>,
}

impl Run {
    fn add(&mut self, range: Range<usize>, carried: Carried) {
        if self.carried.is_none() {
            self.range.start = range.start;
        }
        self.range.end = range.end;
        self.carried = Some(carried);
        match carried {
            Carried::Ascii(byte) | Carried::Byte(byte) => self.bytes.push(byte),
            Carried::Bit(bit, _) => {
                if self.bits.is_multiple_of(8) {
                    self.bytes.push(0);
                }
                self.bits += 1;
                if let Some(last) = self.bytes.last_mut() {
                    *last = *last << 1 | u8::from(bit);
                }
            }
        }
    }

    fn end(&mut self, weaver: &mut Weaver<'_>) {
        let Some(carried) = self.carried else { return };
        let run = std::mem::take(self);
        match carried {
            Carried::Ascii(_) => {
                let text = String::from_utf8_lossy(&run.bytes);
                weaver.take_made(run.range, &text, Kind::Smuggled);
            }
            Carried::Byte(_) if run.bytes.len() >= FEWEST_BYTES => {
                weaver.take_made(
                    run.range,
                    &String::from_utf8_lossy(&run.bytes),
                    Kind::Smuggled,
                );
            }
            Carried::Bit(..) if run.bits >= FEWEST_BITS => {
                // Which of the two is 0 is anybody's choice: ASCII begins with it.
                let flipped = run.bytes.first().is_some_and(|first| *first >= 0x80);
                let bytes = run
                    .bytes
                    .iter()
                    .map(|byte| if flipped { !byte } else { *byte });
                let bytes: Vec<u8> = bytes.collect();
                weaver.take_made(run.range, &String::from_utf8_lossy(&bytes), Kind::Smuggled);
            }
            Carried::Byte(_) | Carried::Bit(..) => {}
        }
    }
}
