//! Every meaning against values that are it and values that are not.

mod addresses;
mod named;
mod paths;
mod property;
mod texts;
mod wholes;

use super::*;

/// The rules a value breaks.
fn broken(kind: &Kind, basis: Basis, text: &str) -> Vec<&'static str> {
    let expectation = Expectation {
        basis,
        otherwise: Consequence::Refuse,
        kind: kind.clone(),
    };
    let flaws = expectation.check(text).flaws;
    flaws.iter().map(|flaw| flaw.rule.name).collect()
}

/// Whether a value that is only recognised would be refused.
fn is_refused(kind: &Kind, text: &str) -> bool {
    let expectation = Expectation {
        basis: Basis::Recognised,
        otherwise: Consequence::Refuse,
        kind: kind.clone(),
    };
    let flaws = expectation.check(text).flaws;
    flaws.iter().any(|flaw| flaw.rule.weight == Weight::Certain)
}

/// Each row: a value, and a rule it breaks as declared. `-` is none at all.
fn check(kind: &Kind, rows: &[(&str, &str)]) {
    for (text, rule) in rows {
        let broken = broken(kind, Basis::Declared, text);
        match *rule {
            "-" => assert!(broken.is_empty(), "{text:?}: {broken:?}"),
            rule => assert!(broken.contains(&rule), "{text:?}: {broken:?}, not {rule}"),
        }
    }
}

/// Values that are honest enough to go on where the meaning is only recognised.
fn passes(kind: &Kind, texts: &[&str]) {
    for text in texts {
        assert!(
            !is_refused(kind, text),
            "{text:?}: {:?}",
            broken(kind, Basis::Recognised, text)
        );
    }
}

/// Values that are refused even there.
fn refuses(kind: &Kind, texts: &[&str]) {
    for text in texts {
        assert!(
            is_refused(kind, text),
            "{text:?}: {:?}",
            broken(kind, Basis::Recognised, text)
        );
    }
}

#[test]
fn n1_1_every_rule_has_a_name_of_its_own_and_says_what_to_do() {
    let mut names: Vec<_> = ALL.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
    for rule in ALL {
        let (family, name) = rule.name.split_once('.').unwrap();
        let plain = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(plain(family) && plain(name), "{}", rule.name);
        assert!(!rule.remedy.is_empty());
    }
}

#[test]
fn every_meaning_has_a_word() {
    for meaning in Meaning::ALL {
        assert_eq!(Meaning::named(meaning.name()), Some(meaning));
        assert_eq!(Kind::of(meaning).meaning(), meaning);
    }
    assert_eq!(Meaning::named("paths"), None);
}
