//! Texts that fill a model's window: too much, the same over and over, emptiness that pushes what follows
//! out of sight (control 9.4).
//!
//! Whatever is cut leaves a notice that says how much, so that nobody takes the rest for the whole. Of a message
//! that is full only the first text that is cut for it has one.
//!
//! * **Size** is counted in bytes and in tokens. Tokens are estimated: four bytes of ASCII, or one other
//!   character, count as one. Tokenisers differ; the estimate is within a factor of two of them for prose.
//! * **Repetition**: a part that follows itself at least eight times, 16 KiB in all, is cut after the third
//!   time. A text of at least 64 KiB nine tenths of which stand in it before is told about and not cut: a
//!   table is such a text.
//! * **Emptiness**: 100 line ends or 1,024 bytes in which nothing can be seen.
//!
//! It takes time linear in the text. What a text says is not judged here.

mod blank;
mod repeat;

use crate::Match;
use controls::Severity;
use std::borrow::Cow;
use std::ops::Range;

/// Texts without line ends below this flood nothing, unless the limits are lower.
pub const SHORTEST: usize = 1024;

/// How often what was cut is looked at again: cutting may bring together what belongs together.
const ROUNDS: usize = 4;

/// Bytes of the longest notice.
pub const NOTICE_MAX: usize = 128;

/// What is done about repetition and emptiness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handling {
    /// It is cut, with a notice.
    Cut,
    /// It is not looked for.
    #[default]
    Off,
    /// It is told.
    Report,
}

/// How much a text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// Estimated tokens.
    pub tokens: usize,
    /// What is done about repetition.
    pub repetition: Handling,
    /// What is done about emptiness.
    pub emptiness: Handling,
}

/// A rule about too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Nothing to be seen, at length.
    Emptiness,
    /// The same over and over.
    Repetition,
    /// More than the limit.
    Size,
}

impl Rule {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Emptiness => "flood.emptiness",
            Rule::Repetition => "flood.repetition",
            Rule::Size => "flood.size",
        }
    }

    /// How much it matters.
    pub fn severity(self) -> Severity {
        match self {
            Rule::Emptiness => Severity::Medium,
            Rule::Repetition | Rule::Size => Severity::Low,
        }
    }

    fn at(self, range: Range<usize>) -> Match {
        Match {
            range,
            rule: self.name().into(),
            severity: self.severity(),
        }
    }
}

/// One thing that was found: what, where, and whether it was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rule.
    pub rule: Rule,
    /// Where, in the text as it was given; for `Size`, all that is beyond the limit.
    pub matched: Match,
    /// What was done.
    pub handling: Handling,
}

/// What was found in one text, and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked<'t> {
    /// The text; borrowed where nothing was cut.
    pub text: Cow<'t, str>,
    /// What was found.
    pub found: Vec<Found>,
}

/// Things found in one text that are told; what is beyond is cut all the same.
const FOUND: usize = 64;

/// How much of a message is left for text. Once a text found no room, nothing that follows does: the notice of
/// that one speaks for all of them, or notices would be what fills the message.
#[derive(Debug)]
pub struct Room {
    bytes: usize,
    is_full: bool,
}

impl Room {
    /// So many bytes.
    pub fn new(bytes: usize) -> Room {
        Room {
            bytes,
            is_full: false,
        }
    }

    fn take(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// A part that is cut: where, and what to call it.
#[derive(Clone, Debug)]
struct Cut {
    rule: Rule,
    range: Range<usize>,
    notice: String,
}

/// Looks at a text and cuts what is too much for itself, or for what the message has left.
pub fn examine<'t>(text: &'t str, limits: &Limits, room: &mut Room) -> Looked<'t> {
    let mut looked = Looked {
        text: Cow::Borrowed(text),
        found: Vec::new(),
    };
    if room.is_full {
        if !text.is_empty() {
            looked.found.push(too_much(0..text.len()));
            looked.text = Cow::Borrowed("");
        }
        return looked;
    }
    let mut now = Cow::Borrowed(text);
    for round in 0..ROUNDS {
        let cuts = cuts(&now, limits, (round == 0).then_some(&mut looked.found));
        if cuts.is_empty() {
            break;
        }
        now = Cow::Owned(without(&now, &cuts));
    }
    if let Some(kept) = kept(&now, limits, room.bytes) {
        room.is_full = now.len() > room.bytes;
        let left_out = now.len() - kept.len();
        let behind = match room.is_full {
            true => ", and all text behind",
            false => "",
        };
        // A notice about half of a character would be one about nothing.
        let notice = format!(
            "\n[cut by the gateway, control 9.4: {left_out} of {} bytes left out{behind}]",
            now.len()
        );
        let from = kept.len().min(text.len());
        let from = text.floor_char_boundary(from);
        looked.found.push(too_much(from..text.len()));
        looked.text = Cow::Owned([kept, &notice].concat());
    } else {
        looked.text = now;
    }
    room.take(looked.text.len());
    looked
}

fn too_much(range: Range<usize>) -> Found {
    Found {
        rule: Rule::Size,
        matched: Rule::Size.at(range),
        handling: Handling::Cut,
    }
}

/// How many tokens a text may be, roughly.
pub fn tokens(text: &str) -> usize {
    let others = text.bytes().filter(|byte| *byte >= 0xc0).count();
    let ascii = text.bytes().filter(u8::is_ascii).count();
    ascii.div_ceil(4) + others
}

/// The beginning of the text that may stay, if not all of it may.
fn kept<'t>(text: &'t str, limits: &Limits, room: usize) -> Option<&'t str> {
    let bytes = limits.bytes.min(room);
    // No text has more tokens than bytes.
    let few = text.len() <= limits.tokens || tokens(text) <= limits.tokens;
    if text.len() <= bytes && few {
        return None;
    }
    let mut end = text.len().min(bytes.saturating_sub(NOTICE_MAX));
    if !few {
        // Counted in quarters: a byte of ASCII is one, any other character four.
        let most = limits
            .tokens
            .saturating_sub(NOTICE_MAX / 4)
            .saturating_mul(4);
        let mut quarters = 0usize;
        let over = text.bytes().position(|byte| {
            quarters += match byte {
                0..0x80 => 1,
                0x80..0xc0 => 0,
                0xc0.. => 4,
            };
            quarters > most
        });
        end = end.min(over.unwrap_or(end));
    }
    text.get(..text.floor_char_boundary(end))
}

/// What is cut of a text because of what it is; what is only told goes with it to `found`.
fn cuts(text: &str, limits: &Limits, found: Option<&mut Vec<Found>>) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let mut told = Vec::new();
    if limits.emptiness != Handling::Off {
        let empty = blank::runs(text).map(|range| Cut {
            rule: Rule::Emptiness,
            notice: format!(
                "\n[cut by the gateway, control 9.4: {} bytes of nothing]\n",
                range.len()
            ),
            range,
        });
        match limits.emptiness {
            Handling::Cut => cuts.extend(empty),
            _ => told.extend(empty.map(|cut| (cut.rule, cut.range))),
        }
    }
    if limits.repetition != Handling::Off {
        let repeated = repeat::look(text);
        let runs = repeated.runs.into_iter().map(|run| Cut {
            rule: Rule::Repetition,
            notice: format!(
                "\n[cut by the gateway, control 9.4: {} bytes that repeat the {} before]\n",
                run.rest.len(),
                run.period
            ),
            range: run.rest,
        });
        match limits.repetition {
            Handling::Cut => cuts.extend(runs),
            _ => told.extend(runs.map(|cut| (cut.rule, cut.range))),
        }
        told.extend(repeated.mostly.map(|range| (Rule::Repetition, range)));
    }
    cuts.sort_by_key(|cut| cut.range.start);
    if let Some(found) = found {
        let cut = cuts
            .iter()
            .map(|cut| (cut.rule, cut.range.clone(), Handling::Cut));
        let told = told
            .into_iter()
            .map(|(rule, range)| (rule, range, Handling::Report));
        found.extend(
            cut.chain(told)
                .take(FOUND)
                .map(|(rule, range, handling)| Found {
                    rule,
                    matched: rule.at(range),
                    handling,
                }),
        );
    }
    cuts
}

/// The text without what is cut, and the notices in its place. Of two cuts that overlap the second
/// begins where the first ends.
fn without(text: &str, cuts: &[Cut]) -> String {
    let mut left = String::new();
    let mut kept = 0;
    for cut in cuts {
        if cut.range.end <= kept {
            continue;
        }
        let from = cut.range.start.max(kept);
        left.push_str(text.get(kept..from).unwrap_or_default());
        left.push_str(&cut.notice);
        kept = cut.range.end;
    }
    left.push_str(text.get(kept..).unwrap_or_default());
    left
}

#[cfg(test)]
mod tests;
