//! The look itself: the words of all rules in one pass over the text, then each rule around its own
//! words, and no further.
//!
//! Every byte is looked at a bounded number of times, whatever the text: a rule whose words stand
//! close together looks once at all that is around them, and one that begins at its word is asked
//! only where a word begins. Where a text is made of nothing but beginnings, of which each would be
//! read far, looking ends once it has cost many times the text; that is said, and never passed over.

mod apart;
mod digits;

pub(super) use apart::apart;

use super::pack::LONGEST;
use super::pattern::{Match, Memory, Pattern};
use super::rule::{Anchor, Confidence, Edged, Kind, Rule};
use super::words::Words;
use regex_automata::util::pool::{Pool, PoolGuard};
use std::ops::Range;

/// What was seen, and where: bytes of the text that was looked at.
#[derive(Clone, Debug)]
pub struct Sight<'r> {
    /// The place of the value alone, without the words around it.
    pub at: Range<usize>,
    /// All that it was seen by, the words around it included.
    pub by: Range<usize>,
    /// The rule that saw it.
    pub rule: &'r Rule,
    /// How sure it is; what reads like an example is nothing to be sure of.
    pub confidence: Confidence,
}

/// What was seen in a text.
#[derive(Debug, Default)]
pub struct Looked<'r> {
    /// In order, and no two at one place.
    pub sights: Vec<Sight<'r>>,
    /// Whether looking ended before everything was looked at.
    pub is_cut: bool,
    /// What it cost: bytes looked at by rules, the common pass not counted.
    pub steps: usize,
}

/// The most that looks of rules may cost: so many bytes for each byte of the text, and
pub(super) const GROWTH: usize = 12;
/// so many bytes on top, since a short text is cheap in any case.
pub(super) const SLACK: usize = 64 * 1024;
/// A look around a word passes over so many bytes for the price of one.
const PASSED: usize = 8;
/// To judge what was only taken for a secret costs so many looks at each byte of it: whether it is dense,
/// and whether it is an example.
const JUDGED: usize = 4;

/// Digits that belong together stand no further apart than one of these.
const BETWEEN: [u8; 4] = *b" -./";
/// Fewer digits together are nothing that is looked for by digits alone.
pub(super) const DIGITS: usize = 6;
/// How far before and after digits that belong together a value reaches: the letters of an IBAN.
const AROUND: usize = 36;

/// The longest word that a rule asks for.
const WORD: usize = 40;
/// The most that is read beyond what a rule looks at.
const LARGEST: usize = 64 * 1024;
/// How a key in PEM (RFC 7468) begins and ends.
const PEM: &[u8] = b"-----BEGIN ";
const PEM_END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The words of all rules, and whom each of them is for.
#[derive(Debug)]
pub(super) struct Engine {
    words: Words,
    for_rules: Box<[Box<[usize]>]>,
    by_digits: Box<[usize]>,
    desks: Pool<Desk, fn() -> Desk>,
}

/// What a look works with, kept from one text to the next.
#[derive(Debug, Default)]
struct Desk {
    /// What was made of the pattern of each rule so far.
    memories: Vec<Memory>,
    /// How far each rule has looked; windows that wait to grow.
    pending: Vec<Range<usize>>,
    /// The rules of which something is pending.
    touched: Vec<usize>,
}

impl Desk {
    /// Makes it ready for another text.
    fn clear(&mut self, rules: usize) {
        for index in self.touched.drain(..) {
            if let Some(slot) = self.pending.get_mut(index) {
                *slot = 0..0;
            }
        }
        if self.pending.len() != rules {
            self.pending.resize(rules, 0..0);
            self.memories.resize_with(rules, Memory::default);
        }
    }

    /// How far this rule has looked; where its window begins.
    fn done(&self, index: usize) -> Range<usize> {
        self.pending.get(index).cloned().unwrap_or_default()
    }

    fn set_done(&mut self, index: usize, done: Range<usize>) {
        if let Some(slot) = self.pending.get_mut(index) {
            if slot.end == 0 {
                self.touched.push(index);
            }
            *slot = done;
        }
    }
}

impl Engine {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut for_rules: Vec<Vec<usize>> = Vec::new();
        let mut by_digits = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            if let Anchor::Digits(_) = rule.anchor {
                by_digits.push(index);
            }
            for word in rule.anchor.words() {
                let word = word.to_ascii_lowercase();
                let known = words.iter().position(|known| *known == word);
                match known.and_then(|known| for_rules.get_mut(known)) {
                    Some(list) => list.push(index),
                    None => {
                        words.push(word);
                        for_rules.push(vec![index]);
                    }
                }
            }
        }
        Engine {
            words: Words::of(&words),
            for_rules: for_rules.into_iter().map(Into::into).collect(),
            by_digits: by_digits.into(),
            desks: Pool::new(Desk::default),
        }
    }
}

/// What each rule has done so far with one text.
struct Progress<'r, 't> {
    engine: &'r Engine,
    rules: &'r [Rule],
    text: &'t str,
    /// What is worked with, once there is something to do.
    desk: Option<PoolGuard<'r, Desk, fn() -> Desk>>,
    seen: Vec<Sight<'r>>,
    /// The last value of which it was asked whether it reads like an example, and what was said.
    asked: Option<(Range<usize>, bool)>,
    steps: usize,
    /// The most steps.
    fuel: usize,
    is_cut: bool,
}

pub(super) fn scan<'r>(engine: &'r Engine, rules: &'r [Rule], text: &str) -> Looked<'r> {
    let mut progress = Progress {
        engine,
        rules,
        text,
        desk: None,
        seen: Vec::new(),
        asked: None,
        steps: 0,
        fuel: text.len().saturating_mul(GROWTH).saturating_add(SLACK),
        is_cut: false,
    };
    engine.words.each(text, |word, at| {
        for rule in engine.for_rules.get(word).into_iter().flatten() {
            progress.hit(*rule, at.clone());
        }
    });
    if !engine.by_digits.is_empty() {
        progress.digits(&engine.by_digits);
    }
    progress.flush();
    Looked {
        sights: apart(progress.seen),
        is_cut: progress.is_cut,
        steps: progress.steps,
    }
}

impl<'r> Progress<'r, '_> {
    fn desk(&mut self) -> &mut Desk {
        self.desk.get_or_insert_with(|| {
            let mut desk = self.engine.desks.get();
            desk.clear(self.rules.len());
            desk
        })
    }

    /// What the pattern of a rule matches from a place of a part of the text on.
    fn matched(&mut self, index: usize, part: &str, start: usize) -> Option<Match> {
        let pattern = self.rules.get(index)?.compiled()?;
        let mut steps = 0;
        let memory = self.desk().memories.get_mut(index)?;
        let matched = pattern.at(memory, part.as_bytes(), start, &mut steps);
        self.steps = self.steps.saturating_add(steps);
        matched
    }

    /// A word of this rule stands here.
    fn hit(&mut self, index: usize, at: Range<usize>) {
        let Some(rule) = self.rules.get(index) else {
            return;
        };
        match &rule.anchor {
            Anchor::Start(_) => {
                let bytes = self.text.as_bytes();
                let before = at.start.checked_sub(1).and_then(|it| bytes.get(it));
                let is_begin = before.is_none_or(|byte| !joins(*byte));
                if rule.edged == Edged::Open || is_begin {
                    self.begins(index, rule, at.start);
                }
            }
            Anchor::Near { before, after, .. } => {
                let reach = after.saturating_add(rule.longest);
                let window = at.start.saturating_sub(*before)..at.end.saturating_add(reach);
                self.grow(index, window);
            }
            Anchor::Digits(_) | Anchor::Field => {}
        }
    }

    /// What is looked for begins at `start`, or is not here. Of what a rule found, nothing is looked
    /// at again.
    fn begins(&mut self, index: usize, rule: &'r Rule, start: usize) {
        if start < self.desk().done(index).end {
            return;
        }
        let end = floor(self.text, start.saturating_add(rule.longest + 1));
        let Some(part) = self.text.get(start..end) else {
            return;
        };
        let first = rule.compiled().map(Pattern::first);
        if !first.is_some_and(|first| first.fits(part.as_bytes(), 0)) || !self.may_look() {
            return;
        }
        let Some(matched) = self.matched(index, part, 0) else {
            return;
        };
        let matched = matched.moved(start);
        let mut found = start..matched.end;
        // What may be longer than any rule looks is not found in part.
        if found.end == end && rule.longest >= LONGEST {
            found.end = goes_on(self.text, found.clone());
            self.steps += found.end - end;
        }
        if self.take(rule, matched, found.clone()) {
            self.desk().set_done(index, found);
        }
    }

    /// Whether there is something left to look with.
    fn may_look(&mut self) -> bool {
        self.is_cut |= self.steps > self.fuel;
        !self.is_cut
    }

    /// Keeps a window open while the next one touches it.
    fn grow(&mut self, index: usize, window: Range<usize>) {
        let desk = self.desk();
        let open = desk.done(index);
        if window.start <= open.end && open.end > 0 {
            let end = open.end.max(window.end);
            desk.set_done(index, open.start..end);
            return;
        }
        desk.set_done(index, window);
        self.look(index, open);
    }

    fn flush(&mut self) {
        let Some(desk) = &mut self.desk else {
            return;
        };
        let mut touched = std::mem::take(&mut desk.touched);
        touched.sort_unstable();
        for index in &touched {
            let is_window = self
                .rules
                .get(*index)
                .is_some_and(|rule| matches!(rule.anchor, Anchor::Near { .. } | Anchor::Digits(_)));
            if is_window {
                let window = self.desk().done(*index);
                self.look(*index, window);
            }
        }
        self.desk().touched = touched;
    }

    /// Looks for everything of this rule in a part of the text.
    fn look(&mut self, index: usize, window: Range<usize>) {
        let Some(rule) = self.rules.get(index) else {
            return;
        };
        let mut at = floor(self.text, window.start);
        let end = floor(self.text, window.end);
        if at >= end || !self.may_look() {
            return;
        }
        self.steps += (end - at) / PASSED;
        let Some(part) = self.text.get(..end) else {
            return;
        };
        if let Anchor::Near { digits, .. } = rule.anchor {
            let count = |text: &str| digits::count(text.as_bytes());
            if digits > 0 && part.get(at..).map_or(0, count) < digits {
                return;
            }
        }
        if let Some(every) = rule.every() {
            for value in every(part, at) {
                self.keep(rule, value.clone(), value);
            }
            return;
        }
        let Some(pattern) = rule.compiled() else {
            return;
        };
        while let Some(start) = next_start(rule, pattern, part, at) {
            if !self.may_look() {
                return;
            }
            let Some(matched) = self.matched(index, part, start) else {
                at = start + 1;
                continue;
            };
            let stop = matched.end;
            let next = match self.take(rule, matched, start..stop) {
                true => stop,
                // The next part of it may be one by itself: `7 4111 1111 1111 1111`.
                false => next_word(part, start..stop),
            };
            at = next.max(start + 1);
        }
    }

    /// Takes what was matched if everything holds that has to. `whole` is that with what goes on behind it.
    fn take(&mut self, rule: &'r Rule, matched: Match, whole: Range<usize>) -> bool {
        if rule.edged == Edged::Word && !stands_alone(self.text.as_bytes(), &whole) {
            return false;
        }
        let Some(mut value) = matched.value else {
            return false;
        };
        if value.end == matched.end {
            value.end = whole.end;
        }
        let text = self.text.get(value.clone()).unwrap_or_default();
        let named = whole.start..value.start;
        let within = rule
            .value(text)
            .filter(|_| !rule.is_other(self.text, named));
        let at = within.map(|within| value.start + within.start..value.start + within.end);
        let Some(at) = at.filter(|at| !rule.refuses_examples() || !self.is_example(at)) else {
            // What was only taken for something costs more than a look.
            let cost = match rule.kind {
                Kind::Personal => 1,
                Kind::Secret => JUDGED,
            };
            self.steps += cost * whole.len();
            return false;
        };
        self.keep(rule, at, seen_by(rule, &whole));
        true
    }

    fn keep(&mut self, rule: &'r Rule, at: Range<usize>, by: Range<usize>) {
        let confidence = match rule.kind == Kind::Secret && self.is_example(&at) {
            true => Confidence::Low,
            false => rule.confidence,
        };
        self.seen.push(Sight {
            by,
            at,
            rule,
            confidence,
        });
    }

    /// Whether a value reads like an example. Rules that see the same ask one behind the other.
    fn is_example(&mut self, at: &Range<usize>) -> bool {
        if let Some((_, is_example)) = self.asked.as_ref().filter(|(known, _)| known == at) {
            return *is_example;
        }
        let value = self.text.get(at.clone()).unwrap_or_default();
        let is_example = super::is_placeholder(value);
        self.asked = Some((at.clone(), is_example));
        is_example
    }

    /// Looks around digits that belong together.
    fn digits(&mut self, by_digits: &[usize]) {
        digits::each(self.text.as_bytes(), |region, count| {
            for index in by_digits {
                let least = match self.rules.get(*index).map(|rule| &rule.anchor) {
                    Some(Anchor::Digits(least)) => *least,
                    _ => continue,
                };
                if count >= least {
                    let start = region.start.saturating_sub(AROUND / 3);
                    self.grow(*index, start..region.end + AROUND);
                }
            }
        });
    }
}

/// The next place where something of a rule may begin.
fn next_start(rule: &Rule, pattern: &Pattern, part: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let next = match rule.edged {
            Edged::Open => pattern.first().next(part.as_bytes(), at),
            Edged::Word => pattern.first().next_alone(part.as_bytes(), at),
        }?;
        let bytes = part.as_bytes();
        let may_begin = rule.edged == Edged::Open || begins_alone(bytes, next);
        if may_begin && pattern.first().fits(bytes, next) && part.is_char_boundary(next) {
            return Some(next);
        }
        at = next + 1;
    }
}

/// What a rule saw something by: what it matched, and where it asks for words near it, as far as they may
/// stand away.
fn seen_by(rule: &Rule, whole: &Range<usize>) -> Range<usize> {
    let (before, after) = match &rule.anchor {
        Anchor::Near { before, after, .. } => (after + rule.longest + WORD, before + WORD),
        Anchor::Digits(_) | Anchor::Field | Anchor::Start(_) => (0, 0),
    };
    whole.start.saturating_sub(before)..whole.end + after
}

/// Where something ends that is longer than a rule looks: a key in PEM at its last line, anything else
/// with the letters it is written in, over lines if it is written over lines. Never further than
/// [`LARGEST`], so that what begins again and again costs no more than that each time.
fn goes_on(text: &str, found: Range<usize>) -> usize {
    let bytes = text.as_bytes();
    let begin = bytes.get(found.clone()).unwrap_or_default();
    let is_pem = begin.starts_with(PEM);
    let has_lines = is_pem || begin.contains(&b'\n');
    let belongs = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'/' | b'=' | b'-' | b'_' => true,
        b'\r' | b'\n' => has_lines,
        b' ' | b'\t' | b'\\' | b':' | b',' | b'.' | b'(' | b')' => is_pem,
        _ => false,
    };
    let rest = bytes.get(found.end..).unwrap_or_default().iter();
    let length = rest.take(LARGEST).take_while(|byte| belongs(byte)).count();
    let rest = bytes.get(found.end..found.end + length).unwrap_or_default();
    let line = memchr::memmem::find(rest, DASHES).filter(|_| is_pem);
    // The last line belongs to it, and the first line of another one does not.
    let last = line.and_then(|line| {
        let name = rest.get(line..)?.strip_prefix(PEM_END)?;
        let close = memchr::memmem::find(name, DASHES)?;
        Some(line + PEM_END.len() + close + DASHES.len())
    });
    found.end + last.or(line).unwrap_or(length)
}

/// Whether neither a word nor a number goes on before or after this part: `0.4111` is one number.
pub(super) fn stands_alone(bytes: &[u8], part: &Range<usize>) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied();
    let digit = |at| byte(at).is_some_and(|it| it.is_ascii_digit());
    let after = byte(Some(part.end));
    let goes_on = matches!(after, Some(b'.' | b','))
        && digit(part.end.checked_add(1))
        && digit(part.end.checked_sub(1));
    begins_alone(bytes, part.start) && !after.is_some_and(joins) && !goes_on
}

/// Whether neither a word nor a number goes on here that began before.
fn begins_alone(bytes: &[u8], start: usize) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied();
    let digit = |at| byte(at).is_some_and(|it| it.is_ascii_digit());
    let before = byte(start.checked_sub(1));
    let goes_on =
        matches!(before, Some(b'.' | b',')) && digit(start.checked_sub(2)) && digit(Some(start));
    !before.is_some_and(joins) && !goes_on
}

/// Whether this byte belongs to a word, so that nothing begins or ends beside it. Text beyond ASCII
/// never does: there are scripts that put no space between words.
fn joins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

pub(super) fn next_word(text: &str, whole: Range<usize>) -> usize {
    let part = text.get(whole.clone()).unwrap_or_default();
    let gap = part
        .bytes()
        .skip(1)
        .position(|byte| !byte.is_ascii_alphanumeric());
    gap.map_or(whole.end, |gap| whole.start + gap + 2)
}

pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

pub(super) fn ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
