//! The look itself: the words of all rules in one pass over the text, then each rule around its own
//! words, and no further.
//!
//! Every byte is looked at a bounded number of times, whatever the text: a rule whose words stand
//! close together looks once at all that is around them, and one that begins at its word is asked
//! only where a word begins. Where a text is made of nothing but beginnings, of which each would be
//! read far, looking ends once it has cost many times the text; that is said, and never passed over.

use super::pack::LONGEST;
use super::pattern::Matcher;
use super::rule::{Anchor, Confidence, Edged, Kind, Rule};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
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

/// Digits that belong together stand no further apart than one of these.
const BETWEEN: &[u8] = b" -./";
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
    words: Option<AhoCorasick>,
    for_rules: Box<[Box<[usize]>]>,
    by_digits: Box<[usize]>,
}

impl Engine {
    pub(super) fn of(rules: &[Rule]) -> Result<Self, String> {
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
        let built = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .map_err(|error| error.to_string())?;
        Ok(Engine {
            words: (!words.is_empty()).then_some(built),
            for_rules: for_rules.into_iter().map(Into::into).collect(),
            by_digits: by_digits.into(),
        })
    }
}

/// What each rule has done so far with one text.
struct Progress<'r, 't> {
    rules: &'r [Rule],
    text: &'t str,
    /// How far each rule has looked; windows that wait to grow.
    pending: Vec<Range<usize>>,
    seen: Vec<Sight<'r>>,
    steps: usize,
    /// The most steps.
    fuel: usize,
    is_cut: bool,
}

pub(super) fn scan<'r>(engine: &Engine, rules: &'r [Rule], text: &str) -> Looked<'r> {
    let mut progress = Progress {
        rules,
        text,
        pending: Vec::new(),
        seen: Vec::new(),
        steps: 0,
        fuel: text.len().saturating_mul(GROWTH).saturating_add(SLACK),
        is_cut: false,
    };
    if let Some(words) = &engine.words {
        for hit in words.find_overlapping_iter(text.as_bytes()) {
            let asked = engine.for_rules.get(hit.pattern().as_usize());
            for rule in asked.into_iter().flatten() {
                progress.hit(*rule, hit.start()..hit.end());
            }
        }
    }
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

    fn slot(&mut self, index: usize) -> Option<&mut Range<usize>> {
        if self.pending.is_empty() {
            self.pending.resize(self.rules.len(), 0..0);
        }
        self.pending.get_mut(index)
    }

    /// What is looked for begins at `start`, or is not here. Of what a rule found, nothing is looked
    /// at again.
    fn begins(&mut self, index: usize, rule: &'r Rule, start: usize) {
        let Some(done) = self.slot(index).map(|slot| slot.end) else {
            return;
        };
        if start < done {
            return;
        }
        let end = floor(self.text, start.saturating_add(rule.longest + 1));
        let Some(part) = self.text.get(start..end) else {
            return;
        };
        if !self.may_look() {
            return;
        }
        let Some(pattern) = rule.compiled() else {
            return;
        };
        let mut matcher = pattern.matcher();
        let Some(length) = matcher.at(part.as_bytes(), 0, &mut self.steps) else {
            return;
        };
        let looked = start..start + length;
        let mut found = looked.clone();
        // What may be longer than any rule looks is not found in part.
        if found.end == end && rule.longest >= LONGEST {
            found.end = goes_on(self.text, found.clone());
            self.steps += found.end - end;
        }
        if self.take(rule, looked, found.clone())
            && let Some(slot) = self.slot(index)
        {
            slot.end = found.end;
        }
    }

    /// Whether there is something left to look with.
    fn may_look(&mut self) -> bool {
        self.is_cut |= self.steps > self.fuel;
        !self.is_cut
    }

    /// Keeps a window open while the next one touches it.
    fn grow(&mut self, index: usize, window: Range<usize>) {
        let Some(slot) = self.slot(index) else {
            return;
        };
        if window.start <= slot.end && slot.end > 0 {
            slot.end = slot.end.max(window.end);
            return;
        }
        let closed = std::mem::replace(slot, window);
        self.look(index, closed);
    }

    fn flush(&mut self) {
        for index in 0..self.pending.len() {
            let is_window = self
                .rules
                .get(index)
                .is_some_and(|rule| matches!(rule.anchor, Anchor::Near { .. } | Anchor::Digits(_)));
            if let Some(window) = self.pending.get(index).cloned().filter(|_| is_window) {
                self.look(index, window);
            }
        }
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
            let count = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
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
        let mut matcher = pattern.matcher();
        while let Some(start) = next_start(rule, &matcher, part, at) {
            if !self.may_look() {
                return;
            }
            let Some(stop) = matcher.at(part.as_bytes(), start, &mut self.steps) else {
                at = start + 1;
                continue;
            };
            let next = match self.take(rule, start..stop, start..stop) {
                true => stop,
                // The next part of it may be one by itself: `7 4111 1111 1111 1111`.
                false => next_word(part, start..stop),
            };
            at = next.max(start + 1);
        }
    }

    /// Takes what was found if everything holds that has to. `looked` is what the pattern matched, `whole`
    /// that with what goes on behind it.
    fn take(&mut self, rule: &'r Rule, looked: Range<usize>, whole: Range<usize>) -> bool {
        if rule.edged == Edged::Word && !stands_alone(self.text.as_bytes(), &whole) {
            return false;
        }
        let matched = self.text.get(looked.clone()).unwrap_or_default();
        let Some(pattern) = rule.compiled() else {
            return false;
        };
        let Some(mut value) = pattern.value(matched) else {
            return false;
        };
        if value.end == matched.len() {
            value.end = whole.len();
        }
        let value = whole.start + value.start..whole.start + value.end;
        let text = self.text.get(value.clone()).unwrap_or_default();
        let Some(within) = rule.value(text) else {
            // What was only taken for something costs more than a look.
            self.steps += pattern.cost() * whole.len();
            return false;
        };
        let at = value.start + within.start..value.start + within.end;
        self.keep(rule, at, seen_by(rule, &whole));
        true
    }

    fn keep(&mut self, rule: &'r Rule, at: Range<usize>, by: Range<usize>) {
        let plain = || self.text.get(at.clone()).unwrap_or_default();
        let confidence = match rule.kind == Kind::Secret && super::is_placeholder(plain()) {
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

    /// Looks around digits that belong together.
    fn digits(&mut self, by_digits: &[usize]) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        let mut last = 0;
        // Of as many digits as count, with one sign at most between two of them, one of every two
        // bytes is a digit: looking at two of five finds them.
        while at < bytes.len() {
            let pair = bytes.get(at..bytes.len().min(at + 2)).unwrap_or_default();
            if !pair.iter().any(u8::is_ascii_digit) {
                at += DIGITS - 1;
                continue;
            }
            let (region, count) = together(bytes, at, last);
            at = region.end.max(at + 1);
            if count < DIGITS {
                continue;
            }
            last = region.end;
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
        }
    }
}

/// The next place where something of a rule may begin.
fn next_start(rule: &Rule, matcher: &Matcher<'_>, part: &str, from: usize) -> Option<usize> {
    let bytes = part.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut at = from;
    loop {
        let next = matcher.next_first(bytes, at)?;
        let before = next.checked_sub(1).and_then(|it| bytes.get(it));
        let is_begin = rule.edged == Edged::Open || !before.is_some_and(is_word);
        if is_begin && part.is_char_boundary(next) {
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

/// The digits that belong together around `at`, and how many they are.
fn together(bytes: &[u8], at: usize, floor: usize) -> (Range<usize>, usize) {
    let belongs = |index: usize| -> bool {
        match bytes.get(index) {
            Some(byte) if byte.is_ascii_digit() => true,
            Some(byte) => {
                let digit = |at: Option<usize>| {
                    at.and_then(|at| bytes.get(at))
                        .is_some_and(u8::is_ascii_digit)
                };
                BETWEEN.contains(byte) && digit(index.checked_sub(1)) && digit(Some(index + 1))
            }
            None => false,
        }
    };
    let first = if belongs(at) { at } else { at + 1 };
    let mut start = first;
    while start > floor && belongs(start - 1) {
        start -= 1;
    }
    let mut end = first;
    while belongs(end) {
        end += 1;
    }
    let part = bytes.get(start..end).unwrap_or_default();
    let count = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    (start..end, count)
}

/// Whether neither a word nor a number goes on before or after this part: `0.4111` is one number.
pub(super) fn stands_alone(bytes: &[u8], part: &Range<usize>) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied();
    let touches = |at| byte(at).is_some_and(joins);
    let (before, after) = (part.start.checked_sub(1), Some(part.end));
    let digit = |at| byte(at).is_some_and(|it| it.is_ascii_digit());
    let point = |at| matches!(byte(at), Some(b'.' | b','));
    let goes_on = point(before) && digit(part.start.checked_sub(2)) && digit(Some(part.start))
        || point(after) && digit(part.end.checked_add(1)) && digit(part.end.checked_sub(1));
    !touches(before) && !touches(after) && !goes_on
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

/// What counts where two are at one place: `s3cret@host` in a URL is a password, and no address.
fn weight(sight: &Sight<'_>) -> (bool, Confidence, usize) {
    let opens = sight.rule.kind == Kind::Secret && sight.confidence > Confidence::Low;
    (opens, sight.confidence, sight.at.len())
}

/// Whether two that overlap are taken for one thing, so that no part of either is left: two secrets, or
/// two that say something of a person, unless one of them is doubtful.
fn is_one(one: &Sight<'_>, other: &Sight<'_>) -> bool {
    let sure = |sight: &Sight<'_>| sight.confidence > Confidence::Low;
    one.rule.kind == other.rule.kind && sure(one) && sure(other)
}

/// In order, and no two at one place: secrets before personal data, the surer one before the others,
/// then the longer one, then the one whose rule comes first.
pub(super) fn apart(mut seen: Vec<Sight<'_>>) -> Vec<Sight<'_>> {
    if seen.len() < 2 {
        return seen;
    }
    seen.sort_by(|one, other| {
        let rank = |sight: &Sight<'_>| {
            let order = std::ptr::from_ref(sight.rule).addr();
            (sight.at.start, std::cmp::Reverse(sight.at.end), order)
        };
        rank(one).cmp(&rank(other))
    });
    let mut kept: Vec<Sight<'_>> = Vec::with_capacity(seen.len());
    for sight in seen {
        match kept.last_mut() {
            Some(last) if sight.at.start < last.at.end => {
                let both = last.at.start..last.at.end.max(sight.at.end);
                let are_one = is_one(last, &sight);
                if weight(&sight) > weight(last) {
                    *last = sight;
                }
                if are_one {
                    last.at = both;
                }
            }
            _ => kept.push(sight),
        }
    }
    kept
}
