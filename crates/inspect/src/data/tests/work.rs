//! What a look costs: no text more than so many looks at each of its bytes, an everyday one a few; and
//! what is found in fewer looks is what would be found in many.

use crate::data::Rules;
use crate::data::check::cards;
use crate::data::pack::{BUILT_IN, Pack};
use crate::data::scan::{GROWTH, SLACK};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

pub(super) static RULES: LazyLock<Arc<Rules>> =
    LazyLock::new(|| Rules::of(Pack::built_in().unwrap(), |_| true).unwrap());

/// The words that rules begin at, and what they find, whole and cut short.
pub(super) fn pieces() -> Vec<String> {
    let mut pieces = Vec::new();
    for (_, text) in BUILT_IN {
        let lines = text.lines().map(str::trim);
        let words = lines.filter(|it| it.starts_with("start:") || it.starts_with("words:"));
        let words = words.flat_map(|line| line.split('\'').skip(1).step_by(2));
        pieces.extend(words.map(str::to_owned));
    }
    for pack in Pack::built_in().unwrap() {
        for (_, example) in pack.matching() {
            for length in [example.len(), example.len() / 2] {
                let cut = example.get(..example.floor_char_boundary(length));
                pieces.extend(cut.map(str::to_owned));
            }
        }
    }
    pieces
}

/// The longest look that may begin with the last of what is left to look with.
const LAST: usize = 80 * 1024;

#[test]
fn no_text_costs_more_than_its_size_is_worth() {
    let mut units: Vec<String> = vec!["6 9 6 7 ".into(), "1-".into(), "a!a!a!a@".into()];
    for (index, piece) in pieces().iter().enumerate() {
        // Each with two of them, so that all are tried with much.
        let between = ["", "/", "+", " ", "=", ".", "~"];
        units.extend([index % 7, (index + 1) % 7].map(|at| format!("{piece}{}", between[at])));
    }
    let mut most = 0;
    for unit in units {
        let text = unit.repeat(1 + 32 * 1024 / unit.len());
        let looked = RULES.look(&text);
        let bound = text.len() * GROWTH + SLACK + LAST;
        assert!(looked.steps <= bound, "{unit:?}: {}", looked.steps);
        most = most.max(looked.steps / text.len());
    }
    // Some of them are cut: it is these that the bound is for.
    assert!(most >= GROWTH, "{most}");
}

#[test]
fn what_was_not_looked_at_is_said() {
    let decoys = "/ops_eyJ".repeat(64 * 1024);
    assert!(RULES.look(&decoys).is_cut);
    let few = "/ops_eyJ".repeat(64);
    assert!(!RULES.look(&few).is_cut);
}

#[test]
fn everyday_texts_cost_a_few_looks_and_are_never_cut() {
    let rows: String = (0..4000u32)
        .map(|row| {
            let number = row.wrapping_mul(2_654_435_761);
            format!("{row};{number};DE{number:02}37;{:08x};client-{row}@mail.example;+49 30 {number};2026-11-{:02}\n", number / 3, row % 30)
        })
        .collect();
    let keys: String = (0..4000u32)
        .map(|row| {
            format!(
                "{{\"id\": \"eyJ{:08x}\", \"key\": \"sk-{row}\", \"password\": \"x{row}\"}},\n",
                row * 77
            )
        })
        .collect();
    for (text, most) in [
        (rows, 4),
        (keys, 3),
        ("plain words and no more. ".repeat(4000), 0),
    ] {
        let looked = RULES.look(&text);
        assert!(!looked.is_cut);
        assert!(
            looked.steps <= text.len() * most,
            "{} of {}",
            looked.steps,
            text.len()
        );
    }
}

/// Lists of nothing but what rules find: whatever they are lists of, they are searched to their end.
#[test]
fn lists_of_real_values_are_never_cut() {
    for pack in Pack::built_in().unwrap() {
        for (_, example) in pack.matching() {
            let line = format!("{example}\n");
            let text = line.repeat(1 + 32 * 1024 / line.len());
            let looked = RULES.look(&text);
            assert!(!looked.is_cut, "{example:?}");
            assert!(looked.steps < GROWTH * text.len(), "{example:?}");
        }
    }
}

/// The first card of a text as the pattern finds it, of no more digits than a match has.
fn by_pattern(text: &str) -> Option<std::ops::Range<usize>> {
    let regex = regex::Regex::new(&format!(
        r"(?-u:\b{{start-half}})(?:{})(?-u:\b{{end-half}})",
        cards::PATTERN
    ))
    .unwrap();
    let mut at = 0;
    while let Some(found) = regex.find_at(text, at) {
        let alone = crate::data::scan::stands_alone(text.as_bytes(), &found.range());
        if let Some(card) = cards::first(found.as_str()).filter(|_| alone) {
            return Some(found.start() + card.start..found.start() + card.end);
        }
        at = crate::data::scan::next_word(text, found.range()).max(found.start() + 1);
    }
    None
}

proptest! {
    #[test]
    fn cards_are_found_as_the_pattern_finds_them(
        parts in proptest::collection::vec((
            prop_oneof!["[0-9]{1,19}", Just("4111".to_owned()), Just("4728354507551673".to_owned()), Just("371264457595299".to_owned())],
            prop_oneof![Just(" "), Just("-"), Just(""), Just("."), Just("  "), Just("x"), Just("-a"), Just(","), Just("é")],
        ), 1..6)
    ) {
        let text: String = parts.iter().flat_map(|(digits, between)| [digits.as_str(), between]).collect();
        let mut run = 0;
        let longest = text.bytes().map(|byte| { run = if byte.is_ascii_digit() { run + 1 } else { run }; run }).max();
        // A match has 64 digits at most; what is longer the pattern sees in parts.
        prop_assume!(longest.unwrap_or(0) <= 64);
        prop_assert_eq!(cards::every(&text, 0).into_iter().next(), by_pattern(&text), "{}", text);
    }
}

#[test]
fn every_card_of_a_run_is_found() {
    let two = "4728 3545 0755 1673 4728354507551673";
    assert_eq!(cards::every(two, 0), [0..19, 20..36]);
    let many = "6 ".repeat(100) + "4728 3545 0755 1673" + &" 6".repeat(100);
    assert_eq!(cards::every(&many, 0), std::slice::from_ref(&(200..219)));
}

#[test]
fn an_account_before_a_word_is_found() {
    let text = "to DE89 3704 0044 0532 0130 00 Please";
    let seen = RULES.scan(text);
    let seen: Vec<_> = seen
        .iter()
        .map(|it| (&*it.rule.label, text.get(it.at.clone()).unwrap()))
        .collect();
    assert_eq!(seen, [("personal.iban", "DE89 3704 0044 0532 0130 00")]);
}
