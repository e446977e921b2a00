//! What packs say holds, and what is wrong with one is told with its line.

use crate::data::pack::{BUILT_IN, Pack};
use crate::data::{Kind, Rules};
use std::collections::HashSet;

#[test]
fn every_rule_of_the_built_in_packs_compiles_and_its_examples_hold() {
    for (name, text) in BUILT_IN {
        let pack = Pack::prove(text);
        let said = pack.as_ref().err().map(|flaws| {
            flaws
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        });
        assert_eq!(said, None, "{name}");
        assert!(
            pack.unwrap()
                .rules()
                .iter()
                .all(|rule| !rule.title.is_empty())
        );
    }
}

/// What every rule must find is found by all of them together, under the same label and nothing
/// surer instead of it.
#[test]
fn rules_do_not_stand_in_each_others_way() {
    let rules = Rules::of(Pack::built_in().unwrap(), |_| true).unwrap();
    for pack in Pack::built_in().unwrap() {
        for (rule, text) in pack.matching() {
            let seen = rules.scan(text);
            let labels: Vec<_> = seen.iter().map(|sight| &*sight.rule.label).collect();
            assert!(!labels.is_empty(), "{} in {text}", rule.id);
            let kinds: HashSet<_> = seen.iter().map(|sight| sight.rule.kind).collect();
            assert!(
                kinds.contains(&rule.kind),
                "{} in {text}: {labels:?}",
                rule.id
            );
        }
    }
}

#[test]
fn there_are_at_least_sixty_provider_formats() {
    let packs = Pack::built_in().unwrap();
    let labels: HashSet<_> = packs
        .iter()
        .flat_map(Pack::rules)
        .filter(|rule| {
            rule.kind == Kind::Secret && rule.confidence == crate::data::Confidence::High
        })
        .map(|rule| rule.label.clone())
        .collect();
    assert!(labels.len() >= 60, "{}", labels.len());
}

/// A pattern of 33 groups.
const MANY_GROUPS: &str = "    pattern: 'x_(?:(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)\
    |(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a)|(a))'\n    matches: ['x_a']\n";

#[test]
fn a_pack_that_is_wrong_says_on_which_line() {
    let rule = |more: &str| {
        format!(
            "pack: x\nversion: 1\nrules:\n  - id: secret.x\n    title: x\n    start: ['x_']\n{more}"
        )
    };
    // What follows the head of a rule, the line of the flaw, and a word of it.
    let of_rule = [
        ("    pattern: 'x_['\n    matches: ['x_1']\n", 7, "pattern"),
        ("    pattern: 'x_[0-9]{4}'\n", 7, "no example"),
        (
            "    pattern: 'x_[0-9]{4}'\n    matches: ['x_123']\n",
            8,
            "does not find",
        ),
        (
            "    pattern: 'x_[0-9]{4}'\n    matches: ['x_5173']\n    near_misses:\n      - 'x_4829'\n",
            10,
            "leave it alone",
        ),
        (
            "    pattern: 'x_[0-9]{4}'\n    check: no_such\n",
            4,
            "no check",
        ),
        ("    pattern: 'x_[0-9]{4}'\n    digits: 8\n", 4, "one of"),
        (
            "    pattern: 'x_[0-9]{4}'\n    longest: 9999\n",
            4,
            "longest",
        ),
        (
            "    pattern: '[0-9]*'\n    matches: ['x_1']\n",
            7,
            "nothing at all",
        ),
        (
            "    label: name.x\n    pattern: 'x_[0-9]{4}'\n",
            4,
            "no label",
        ),
        (
            "    pattern: '(?:x_[0-9]{1000}){1000}'\n    matches: ['x_1']\n",
            7,
            "",
        ),
        (
            "    pattern: 'x_(?=1)'\n    matches: ['x_1']\n",
            7,
            "look-around",
        ),
        (MANY_GROUPS, 7, "more than 32 groups"),
    ];
    let of_pack = [
        ("", 1, ""),
        ("pack: x\nversion: one\nrules: []\n", 2, ""),
        (
            "pack: x\nversion: 1\nrules: []\nmore: 1\n",
            4,
            "unknown field",
        ),
    ];
    let of_rule = of_rule.map(|(more, line, word)| (rule(more), line, word));
    let of_pack = of_pack.map(|(text, line, word)| (text.to_owned(), line, word));
    for (text, line, word) in of_pack.into_iter().chain(of_rule) {
        let flaws = Pack::prove(&text).map(|_| ()).unwrap_err();
        let first = flaws.first().unwrap();
        assert!(first.message.contains(word), "{text}: {first}");
        assert_eq!(first.line, line, "{text}: {first}");
    }
}

#[test]
fn what_a_rule_says_of_names_is_held_against_its_examples_and_its_words() {
    let of_words = "    start: ['x_']\n    pattern: 'x_[a-z]*=([0-9]{4})'\n";
    let of_digits = "    digits: 8\n    pattern: '[0-9]{8}'\n";
    for (form, more, line, word) in [
        (
            of_words,
            "    unless: { ends: ['Name'] }\n",
            4,
            "lower case",
        ),
        (of_words, "    unless: { names: [] }\n", 8, "unknown field"),
        (
            of_words,
            "    unless: { ends: ['name'] }\n    matches: ['x_name=5173']\n",
            9,
            "does not find",
        ),
        (
            of_digits,
            "    unless: { begins: ['arn:'] }\n    matches: ['51734829']\n",
            4,
            "`unless`",
        ),
    ] {
        let text =
            format!("pack: x\nversion: 1\nrules:\n  - id: secret.x\n    title: x\n{form}{more}");
        let flaws = Pack::prove(&text).map(|_| ()).unwrap_err();
        let first = flaws.first().unwrap();
        assert!(first.message.contains(word), "{text}: {first}");
        assert_eq!(first.line, line, "{text}: {first}");
    }
    let right = "pack: x\nversion: 1\nrules:\n  - id: secret.x\n    title: x\n    start: ['x_']\n    \
                 pattern: 'x_[a-z]*=([0-9]{4})'\n    unless: { ends: ['name'] }\n    \
                 matches: ['x_=5173']\n    near_misses: ['x_name=5173']\n";
    assert!(Pack::prove(right).is_ok());
}
