//! The pattern of one rule, matched from a place that is given: a lazy automaton that is stepped byte
//! by byte, so that what a match costs is known whether it succeeds or fails.
//!
//! It searches nothing by itself: where a look is worth it is for the scan to say.

use regex::Regex;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind, nfa::thompson};
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// The most that a compiled pattern may take, in bytes, and the most that its automaton remembers.
const PROGRAM: usize = 256 * 1024;
/// Looks that the marking of a value is worth.
const MARKED: usize = 16;
/// Levels of nesting in a pattern.
const NESTED: u32 = 32;

type Make = Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// A pattern, ready to be matched.
pub(super) struct Pattern {
    dfa: DFA,
    caches: Pool<Cache, Make>,
    /// The bytes that a match can begin with, and all of them if they are few.
    first: [bool; 256],
    few: Option<Few>,
    /// Where the pattern marks a value in what it matches.
    groups: Option<Regex>,
}

/// One to three bytes.
#[derive(Clone, Copy, Debug)]
struct Few([u8; 3]);

impl Few {
    fn of(first: &[bool; 256]) -> Option<Few> {
        let bytes = (0..=u8::MAX).zip(first).filter(|(_, begins)| **begins);
        let bytes: Vec<u8> = bytes.map(|(byte, _)| byte).collect();
        match *bytes.as_slice() {
            [one] => Some(Few([one; 3])),
            [one, two] => Some(Few([one, two, two])),
            [one, two, three] => Some(Few([one, two, three])),
            _ => None,
        }
    }
}

/// What a pattern matches with: borrowed once for many matches.
pub(super) struct Matcher<'p> {
    pattern: &'p Pattern,
    cache: regex_automata::util::pool::PoolGuard<'p, Cache, Make>,
}

impl Pattern {
    /// Compiles a pattern, or says what is wrong with it.
    pub(super) fn new(inner: &str) -> Result<Pattern, String> {
        let groups = regex::RegexBuilder::new(&format!(r"\A(?:{inner})"))
            .size_limit(PROGRAM)
            .dfa_size_limit(PROGRAM)
            .nest_limit(NESTED)
            .build();
        let groups = groups.map_err(|error| {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().to_owned()
        })?;
        if groups.is_match("") {
            return Err("it matches nothing at all".to_owned());
        }
        let config = DFA::config()
            .match_kind(MatchKind::LeftmostFirst)
            .cache_capacity(PROGRAM)
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder()
            .configure(config)
            .syntax(syntax::Config::new().nest_limit(NESTED))
            .thompson(thompson::Config::new().nfa_size_limit(Some(PROGRAM)))
            .build(&format!("(?:{inner})"))
            .map_err(|error| error.to_string())?;
        let maker = dfa.clone();
        let make: Make = Box::new(move || maker.create_cache());
        let mut pattern = Pattern {
            dfa,
            caches: Pool::new(make),
            first: [false; 256],
            few: None,
            groups: (groups.captures_len() > 1).then_some(groups),
        };
        let mut first = [true; 256];
        for (byte, begins) in (0..=u8::MAX).zip(&mut first) {
            *begins = pattern.matcher().goes_on_with(byte);
        }
        pattern.first = first;
        pattern.few = Few::of(&first);
        Ok(pattern)
    }

    pub(super) fn matcher(&self) -> Matcher<'_> {
        Matcher {
            pattern: self,
            cache: self.caches.get(),
        }
    }

    /// What it costs to tell the value in a match and to judge it, in looks at each byte of it.
    pub(super) fn cost(&self) -> usize {
        match self.groups {
            Some(_) => MARKED,
            None => 1,
        }
    }

    /// Whether the whole text begins with a match.
    pub(super) fn is_match(&self, text: &str) -> bool {
        let mut steps = 0;
        self.matcher().at(text.as_bytes(), 0, &mut steps).is_some()
    }

    /// The part of what was matched that the pattern marks as the value, or all of it.
    pub(super) fn value(&self, matched: &str) -> Option<Range<usize>> {
        match &self.groups {
            None => Some(0..matched.len()),
            Some(groups) => {
                let groups = groups.captures(matched)?;
                let group = groups.iter().skip(1).flatten().next()?;
                Some(group.range())
            }
        }
    }
}

impl Matcher<'_> {
    /// The next place, `from` or later, with a byte that a match can begin with.
    pub(super) fn next_first(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        let next = match self.pattern.few {
            Some(Few([one, two, three])) => memchr::memchr3(one, two, three, rest),
            None => {
                let first = &self.pattern.first;
                rest.iter()
                    .position(|byte| first.get(usize::from(*byte)).is_some_and(|it| *it))
            }
        };
        next.map(|next| from + next)
    }

    fn goes_on_with(&mut self, byte: u8) -> bool {
        let dfa = &self.pattern.dfa;
        let input = Input::new(&[]).anchored(Anchored::Yes);
        let next = dfa
            .start_state_forward(&mut self.cache, &input)
            .map(|start| dfa.next_state(&mut self.cache, start, byte));
        // What cannot be told may well begin so.
        !matches!(next, Ok(Ok(state)) if state.is_dead())
    }

    /// Where the match ends that begins at `start`, if one does. `steps` grows by the bytes that were
    /// looked at.
    pub(super) fn at(&mut self, text: &[u8], start: usize, steps: &mut usize) -> Option<usize> {
        let dfa = &self.pattern.dfa;
        let cache = &mut *self.cache;
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        // INVARIANT: without a limit of its own the automaton never gives up, and no byte ends it.
        let mut state = dfa.start_state_forward(cache, &input).ok()?;
        let mut last = None;
        for (ahead, byte) in text.get(start..)?.iter().enumerate() {
            state = dfa.next_state(cache, state, *byte).ok()?;
            if state.is_tagged() {
                // An automaton tells of a match one byte later.
                if state.is_match() {
                    last = Some(start + ahead);
                } else if state.is_dead() {
                    *steps = steps.saturating_add(ahead + 1);
                    return last;
                }
            }
        }
        *steps = steps.saturating_add(text.len().saturating_sub(start) + 1);
        let end = dfa.next_eoi_state(cache, state).ok()?;
        if end.is_match() {
            last = Some(text.len());
        }
        last
    }
}
