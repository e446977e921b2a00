//! The pattern of one rule, matched from a place that is given: an automaton that is stepped byte by byte,
//! so that what a match costs is known whether it succeeds or fails, and the value in it is known with it.
//!
//! It searches nothing by itself: where a look is worth it is for the scan to say.

mod automaton;
mod first;

pub(super) use automaton::{Match, Memory};
pub(super) use first::First;

use automaton::{Automaton, GROUPS};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;

/// The most that a compiled pattern may take, in bytes.
const PROGRAM: usize = 256 * 1024;
/// Levels of nesting in a pattern.
const NESTED: u32 = 32;

/// A pattern, ready to be matched.
pub(super) struct Pattern {
    automaton: Automaton,
    first: First,
}

impl Pattern {
    /// Compiles a pattern, or says what is wrong with it.
    pub(super) fn new(inner: &str) -> Result<Pattern, String> {
        let config = syntax::Config::new().nest_limit(NESTED);
        let parsed = syntax::parse_with(inner, &config).map_err(|error| {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().to_owned()
        })?;
        let config = thompson::Config::new().nfa_size_limit(Some(PROGRAM));
        let nfa = thompson::Compiler::new()
            .configure(config)
            .build_from_hir(&parsed)
            .map_err(|error| error.to_string())?;
        if nfa.group_info().explicit_slot_len() > 2 * GROUPS {
            return Err(format!("it has more than {GROUPS} groups"));
        }
        if nfa.look_set_any().contains_word_unicode() {
            return Err("it asks for words beyond ASCII: write `(?-u:\\b)`".to_owned());
        }
        let automaton = Automaton::new(nfa.clone());
        let mut memory = Memory::default();
        if automaton.run(&mut memory, b"", 0, &mut 0).is_some() {
            return Err("it matches nothing at all".to_owned());
        }
        let mut first = [true; 256];
        for (byte, begins) in (0..=u8::MAX).zip(&mut first) {
            *begins = automaton.goes_on_with(&mut memory, byte);
        }
        Ok(Pattern {
            automaton,
            first: First::of(first, &nfa),
        })
    }

    /// Where matches may begin.
    pub(super) fn first(&self) -> &First {
        &self.first
    }

    /// What is matched from `start` on, if anything is. `steps` grows by the bytes that were looked at.
    pub(super) fn at(
        &self,
        memory: &mut Memory,
        text: &[u8],
        start: usize,
        steps: &mut usize,
    ) -> Option<Match> {
        self.automaton.run(memory, text, start, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_may_be_made_of_is_bounded() {
        let groups = |count: usize| format!("x(?:{}y)", "(a)|".repeat(count));
        let nested = |levels: usize| format!("x{}a{}", "(?:".repeat(levels), ")".repeat(levels));
        for (pattern, expected) in [
            (groups(GROUPS), None),
            (groups(GROUPS + 1), Some("it has more than 32 groups")),
            // What is no group counts for nothing.
            (format!("x{}", "(?:a)".repeat(GROUPS + 1)), None),
            (nested(NESTED as usize - 1), None),
            (nested(NESTED as usize + 1), Some("nest")),
            ("x{100}".to_owned(), None),
            ("(?:x{1000}){1000}".to_owned(), Some("limit")),
            ("x*".to_owned(), Some("it matches nothing at all")),
            (r"x\b".to_owned(), Some("it asks for words beyond ASCII")),
        ] {
            let made = Pattern::new(&pattern).err();
            match expected {
                None => assert_eq!(made, None, "{pattern}"),
                Some(word) => {
                    let told = made.unwrap();
                    assert!(told.contains(word), "{pattern}: {told}");
                }
            }
        }
    }

    #[test]
    fn the_last_group_of_as_many_as_there_may_be_is_known_like_the_first() {
        let each: Vec<String> = (0..GROUPS).map(|at| format!("(v{at};)")).collect();
        let pattern = Pattern::new(&format!("x(?:{})", each.join("|"))).unwrap();
        for at in 0..GROUPS {
            let text = format!("xv{at};");
            let mut memory = Memory::default();
            let found = pattern.at(&mut memory, text.as_bytes(), 0, &mut 0).unwrap();
            assert_eq!(found.value, Some(1..text.len()), "{at}");
        }
    }
}
