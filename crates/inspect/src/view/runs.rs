//! Runs of letters that are encoded bytes: base64 and hexadecimal.
//!
//! Runs are found by looking at every few bytes only, since a run has no gap, and are shown where
//! what they decode to is text.

use super::escape::hex;
use super::hint::STEP;
use super::map::Kind;
use std::ops::Range;

/// Letters of the shortest run of hexadecimal digits: eight bytes.
const SHORTEST_HEX: usize = 16;

/// Bytes that are looked at together.
const BLOCK: usize = SHORTEST_HEX / 2;

/// Letters of the shortest run of base64: fifteen bytes. Shorter ones are words too often.
const SHORTEST_BASE64: usize = 20;

/// Bytes of the shortest run whose bytes stand apart (`69 67 6e`, `0x69, 0x67`).
const SHORTEST_APART: usize = 8;

/// Of a hundred bytes that are text, so many can be read; of random ones 38 can.
const READABLE_PERCENT: usize = 85;

/// A run that decodes to text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) range: Range<usize>,
    pub(super) text: String,
    pub(super) kind: Kind,
}

/// The first run of letters that could be encoded, decoded or not.
pub(super) fn first(bytes: &[u8]) -> Option<usize> {
    let joined = joined(bytes, 0).map(|run| run.start);
    joined.or_else(|| apart(bytes, 0).map(|run| run.start))
}

/// Finds runs of letters that decode to text, from the front to the back.
///
/// What was tried in vain is not tried again: a run of many lines that is no text is looked at line by
/// line, a line that is none part by part, and nothing is decoded more than three times.
#[derive(Debug)]
pub(super) struct Joined<'t> {
    bytes: &'t [u8],
    /// Lines up to here are looked at one by one.
    lines_until: usize,
    /// What is left of a line that is looked at part by part.
    parts: Range<usize>,
}

impl<'t> Joined<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Joined {
            bytes: text.as_bytes(),
            lines_until: 0,
            parts: 0..0,
        }
    }

    /// The first run that begins at `from` or later and decodes to text.
    pub(super) fn next(&mut self, from: usize) -> Option<Run> {
        let mut at = from;
        loop {
            self.parts.start = self.parts.start.max(at);
            let run = self.part();
            if run.is_some() {
                return run;
            }
            let line = joined(self.bytes, at.max(self.parts.end))?;
            let run = self.whole(&line);
            if run.is_some() {
                return run;
            }
            at = line.start;
            self.parts = line;
        }
    }

    fn whole(&mut self, line: &Range<usize>) -> Option<Run> {
        let letters = self.bytes.get(line.clone())?;
        let (prefix, digits) = match letters {
            [b'0', b'x' | b'X', digits @ ..] => (2, digits),
            _ => (0, letters),
        };
        let even = digits.len() - digits.len() % 2;
        if even >= SHORTEST_HEX && digits.iter().all(u8::is_ascii_hexdigit) {
            let pairs = digits.get(..even)?.chunks(2);
            if let Some(text) = text_of(pairs.filter_map(pair).collect()) {
                let range = line.start..line.start + prefix + even;
                let kind = Kind::Hex;
                return Some(Run { range, text, kind });
            }
        }
        if letters.len() < SHORTEST_BASE64 {
            return None;
        }
        if line.start >= self.lines_until {
            let range = lines(self.bytes, line);
            self.lines_until = range.end;
            if range.end > padded(self.bytes, line.end) {
                let run = self.base64(range);
                if run.is_some() {
                    return run;
                }
            }
        }
        self.base64(line.start..padded(self.bytes, line.end))
    }

    /// A name or a path may stand before what is encoded, joined to it by a letter of the alphabet.
    fn part(&mut self) -> Option<Run> {
        while let Some(rest) = self
            .bytes
            .get(self.parts.clone())
            .filter(|it| !it.is_empty())
        {
            let start = self.parts.start;
            let length = rest.iter().take_while(|byte| !is_joint(**byte)).count();
            self.parts.start = start + length + 1;
            if length >= SHORTEST_BASE64 {
                let run = self.base64(start..padded(self.bytes, start + length));
                if run.is_some() {
                    return run;
                }
            }
        }
        None
    }

    fn base64(&self, range: Range<usize>) -> Option<Run> {
        let text = base64(self.bytes.get(range.clone())?)?;
        let kind = Kind::Base64;
        Some(Run { range, text, kind })
    }
}

/// Finds runs of bytes that stand apart and decode to text, from the front to the back.
///
/// What is text as a whole is so in each of its parts: of a run whose beginning was read as something else the
/// rest is shown, and nothing is decoded more than twice.
#[derive(Debug)]
pub(super) struct Apart<'t> {
    bytes: &'t [u8],
    /// The last run that was found to be text.
    found: Range<usize>,
}

/// A run of bytes that stand apart, and what it says, unless only a part of it is left.
#[derive(Debug)]
pub(super) struct Spaced {
    pub(super) range: Range<usize>,
    said: Option<String>,
}

impl Spaced {
    pub(super) fn said(self, text: &str) -> Run {
        let Spaced { range, said } = self;
        let bytes = || bytes_apart(text.as_bytes(), &range);
        let text = said.unwrap_or_else(|| String::from_utf8_lossy(&bytes()).into_owned());
        let kind = Kind::Hex;
        Run { range, text, kind }
    }
}

impl<'t> Apart<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Apart {
            bytes: text.as_bytes(),
            found: 0..0,
        }
    }

    /// The first run that begins at `from` or later and decodes to text.
    pub(super) fn next(&mut self, from: usize) -> Option<Spaced> {
        if let Some(range) = self.rest(from) {
            return Some(Spaced { range, said: None });
        }
        let mut at = from.max(self.found.end);
        loop {
            let range = apart(self.bytes, at)?;
            at = range.end;
            let said = text_of(bytes_apart(self.bytes, &range));
            if said.is_some() {
                self.found = range.clone();
                return Some(Spaced { range, said });
            }
        }
    }

    /// What is left behind a place of the run that was found last, if that is a run.
    fn rest(&self, from: usize) -> Option<Range<usize>> {
        let before = self.bytes.get(from.checked_sub(1)?..self.found.end)?;
        let gap = before.iter().position(|byte| is_separator(*byte))?;
        let pair = before
            .iter()
            .skip(gap)
            .position(|byte| !is_separator(*byte))?;
        let start = from - 1 + gap + pair;
        let (_, count) = pairs(self.bytes, start, SHORTEST_APART);
        (count >= SHORTEST_APART).then_some(start..self.found.end)
    }
}

/// A letter of either alphabet of base64. Hexadecimal digits are among them.
#[inline]
fn is_letter(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'-' | b'_')
}

/// A letter that stands between words of a name or of a path, too.
fn is_joint(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'/' | b'+')
}

/// The first run of letters long enough to be anything.
fn joined(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut start = from;
    while let Some(block) = next_block(bytes, start) {
        let before = bytes.get(start..block)?;
        start = block - before.iter().rev().take_while(|it| is_letter(**it)).count();
        let rest = bytes.get(block..)?;
        let end = block + rest.iter().take_while(|it| is_letter(**it)).count();
        if end - start >= SHORTEST_HEX {
            return Some(start..end);
        }
        start = end;
    }
    None
}

/// Where the next block of nothing but letters begins. Blocks are half as long as the shortest run, so
/// that each run has one, wherever it begins.
fn next_block(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (steps, last) = rest.as_chunks::<STEP>();
    let mut steps = steps.iter().enumerate().filter_map(|(index, step)| {
        let letters = letters(step);
        let (blocks, _) = letters.as_chunks::<BLOCK>();
        // Without a branch for each: whether there is any is nearly always the whole question.
        let any = blocks.iter().fold(false, |any, it| any | (*it == FULL));
        let first = any.then(|| blocks.iter().position(|it| *it == FULL));
        Some(index * STEP + first.flatten()? * BLOCK)
    });
    let in_last = || {
        let (blocks, _) = last.as_chunks::<BLOCK>();
        let first = blocks
            .iter()
            .position(|it| it.iter().all(|it| is_letter(*it)));
        Some(rest.len() - last.len() + first? * BLOCK)
    };
    steps.next().or_else(in_last).map(|at| from + at)
}

/// A block of which each byte is a letter.
const FULL: [u8; BLOCK] = [1; BLOCK];

/// For each byte of a step whether it is a letter.
fn letters(step: &[u8; STEP]) -> [u8; STEP] {
    step.map(|byte| {
        // Without a branch, so that many are looked at in one instruction.
        u8::from((byte | 0x20).wrapping_sub(b'a') < 26)
            | u8::from(byte.wrapping_sub(b'0') < 10)
            | u8::from(byte == b'+')
            | u8::from(byte == b'/')
            | u8::from(byte == b'-')
            | u8::from(byte == b'_')
    })
}

/// The run with the lines it goes on in, and the padding behind it.
fn lines(bytes: &[u8], line: &Range<usize>) -> Range<usize> {
    let width = line.len();
    let mut end = line.end;
    loop {
        let rest = bytes.get(end..).unwrap_or_default();
        let broken = line_break(rest);
        let next = rest.get(broken..).unwrap_or_default();
        let length = next
            .iter()
            .take(width + 1)
            .take_while(|byte| is_letter(**byte))
            .count();
        let behind = next.get(length..).unwrap_or_default();
        let whole = behind.is_empty() || behind.first() == Some(&b'=') || line_break(behind) > 0;
        let ends = behind
            .first()
            .is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'<'));
        if broken == 0 || length == 0 || length > width || !(whole || ends) {
            break;
        }
        end += broken + length;
        if length < width {
            break;
        }
    }
    line.start..padded(bytes, end)
}

/// The length of a line break, written as such or as `\n`, and of what the next line begins with.
fn line_break(rest: &[u8]) -> usize {
    let breaks: [&[u8]; 4] = [b"\r\n", b"\n", b"\\r\\n", b"\\n"];
    let found = breaks.into_iter().find(|it| rest.starts_with(it));
    found.map_or(0, |found| {
        let indented = rest.iter().skip(found.len()).take(16);
        found.len()
            + indented
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count()
    })
}

fn padded(bytes: &[u8], end: usize) -> usize {
    let padding = bytes.iter().skip(end).take(2);
    end + padding.take_while(|byte| **byte == b'=').count()
}

/// What base64 says, if that is text. Whatever is no letter of an alphabet is passed over.
fn base64(bytes: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut held, mut count) = (0_u32, 0);
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\\' => {
                bytes.next();
                continue;
            }
            _ => continue,
        };
        held = held << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            let [_, one, two, three] = held.to_be_bytes();
            decoded.extend([one, two, three]);
            (held, count) = (0, 0);
        }
    }
    let [_, one, two, _] = (held << (6 * (4 - count))).to_be_bytes();
    match count {
        2 => decoded.push(one),
        3 => decoded.extend([one, two]),
        _ => {}
    }
    text_of(decoded)
}

/// What stands between bytes that stand apart.
#[inline]
fn is_separator(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b',' | b':' | b';' | b'-' | b'.' | b'\n' | b'\r' | b'\t'
    )
}

/// The first run of pairs of hexadecimal digits with something between them.
///
/// Such a run is at least 23 bytes long, so every sixteenth byte is enough to meet each of them well
/// inside; whether a run is met there is seen from three bytes nearly always.
fn apart(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while let Some(window) = bytes.get(at..at + 3) {
        // What is text begins each of its bytes with a digit, and one of three is such a beginning.
        let digits = || window.iter().filter(|byte| byte.is_ascii_hexdigit());
        if window.iter().any(u8::is_ascii_digit) && matches!(digits().count(), 2 | 3) {
            let (start, end, count) = pairs_around(bytes, from, at);
            if count >= SHORTEST_APART {
                return Some(start..end);
            }
            at = at.max(end);
        }
        at += 16;
    }
    None
}

/// The run of pairs that a place lies in: where it begins and ends, and how many pairs it has.
fn pairs_around(bytes: &[u8], from: usize, at: usize) -> (usize, usize, usize) {
    // Back to the beginning of what could be a run, at most one line's worth; no run is looked at
    // twice from behind, since the search goes on behind its end.
    let before = bytes.get(from..at).unwrap_or_default();
    let back = before
        .iter()
        .rev()
        .take(48)
        .take_while(|byte| byte.is_ascii_hexdigit() || is_separator(**byte) || **byte == b'x');
    let mut start = at - back.count();
    while bytes.get(start).is_some_and(|byte| is_separator(*byte)) {
        start += 1;
    }
    let mut best = (start, start, 0);
    while start <= at {
        let (end, count) = pairs(bytes, start, usize::MAX);
        if count > best.2 {
            best = (start, end, count);
        }
        if count >= SHORTEST_APART || end > at {
            break;
        }
        // Not here: behind the next separator.
        let rest = bytes.get(end.max(start)..at).unwrap_or_default();
        let Some(next) = rest.iter().position(|byte| is_separator(*byte)) else {
            break;
        };
        start = end.max(start) + next + 1;
    }
    best
}

/// How far pairs with separators reach from here, and how many there are; no more are counted than that.
fn pairs(bytes: &[u8], start: usize, most: usize) -> (usize, usize) {
    let (mut end, mut count, mut at) = (start, 0, start);
    while count < most {
        let rest = bytes.get(at..).unwrap_or_default();
        let prefix = if rest.starts_with(b"0x") { 2 } else { 0 };
        let digits = rest.get(prefix..).and_then(|digits| digits.get(..2));
        let more = rest.get(prefix + 2).is_some_and(u8::is_ascii_hexdigit);
        if more || digits.and_then(pair).is_none() {
            return (end, count);
        }
        count += 1;
        end = at + prefix + 2;
        let gap = bytes.iter().skip(end).take(3);
        let gap = gap.take_while(|byte| is_separator(**byte)).count();
        if gap == 0 {
            return (end, count);
        }
        at = end + gap;
    }
    (end, count)
}

/// The bytes that such a run stands for.
fn bytes_apart(bytes: &[u8], range: &Range<usize>) -> Vec<u8> {
    let run = bytes.get(range.clone()).unwrap_or_default();
    let pairs = run.split(|byte| is_separator(*byte));
    let pairs = pairs.filter_map(|it| pair(it.strip_prefix(b"0x").unwrap_or(it)));
    pairs.collect()
}

fn pair(digits: &[u8]) -> Option<u8> {
    u8::try_from(hex(digits, 2)?).ok()
}

/// Bytes as text: UTF-8, UTF-16 as some shells want it, or what can be read of them where that is
/// most of it.
fn text_of(bytes: Vec<u8>) -> Option<String> {
    let readable = bytes
        .iter()
        .filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'));
    let readable = readable.count();
    if readable * 100 >= bytes.len() * READABLE_PERCENT {
        let text = String::from_utf8(bytes);
        return Some(
            text.unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned()),
        )
        .filter(|text| !text.is_empty());
    }
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    if zeros * 5 >= bytes.len() * 2 && readable * 5 >= bytes.len() * 2 {
        let big = bytes.first() == Some(&0);
        let units = bytes
            .chunks_exact(2)
            .filter_map(|unit| <[u8; 2]>::try_from(unit).ok());
        let units = units.map(|unit| match big {
            true => u16::from_be_bytes(unit),
            false => u16::from_le_bytes(unit),
        });
        let text = char::decode_utf16(units);
        return Some(
            text.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
        );
    }
    let text = String::from_utf8(bytes).ok()?;
    let odd = text
        .chars()
        .filter(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
    (!text.is_ascii() && odd.count() * 20 <= text.chars().count()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Looks at byte after byte.
    fn plainly(bytes: &[u8], from: usize) -> Option<Range<usize>> {
        let mut start = from;
        for (at, byte) in bytes.iter().chain([&b' ']).enumerate().skip(from) {
            if !is_letter(*byte) {
                if at - start >= SHORTEST_HEX {
                    return Some(start..at);
                }
                start = at + 1;
            }
        }
        None
    }

    proptest! {
        #[test]
        fn runs_are_found_wherever_they_begin_and_end(
            parts in proptest::collection::vec(("[a-zA-Z0-9+/_-]{0,19}", "[ .é]{0,2}|[ ]{60,70}"), 0..12),
            from in 0..40_usize,
        ) {
            let text: String = parts.iter().flat_map(|(run, gap)| [run.as_str(), gap]).collect();
            prop_assert_eq!(joined(text.as_bytes(), from), plainly(text.as_bytes(), from));
        }
    }
}
