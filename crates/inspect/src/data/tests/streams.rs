//! Values that come in pieces.

use crate::data::pack::Pack;
use crate::data::{Rules, Thread, mark, redacted};
use std::sync::Arc;

fn rules() -> Arc<Rules> {
    Rules::of(Pack::built_in().unwrap(), |_| true).unwrap()
}

/// Values of different shapes, each with words around it.
const TEXTS: [(&str, &str); 7] = [
    (
        "log: token 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 used",
        "secret.github_token",
    ),
    (
        "the key AKIAQ2W3E4R5T6Y7UIOP is old",
        "secret.aws_access_key_id",
    ),
    ("wrote to anna.berg@corp.test at noon", "personal.email"),
    (
        "paid from DE89 3704 0044 0532 0130 00 today",
        "personal.iban",
    ),
    ("card 4111 1111 1111 1111 expired", "personal.payment_card"),
    ("SSN: 536-22-8741 is on file", "personal.us_ssn"),
    (
        "open postgres://app:s3cr3tPw9@db.corp.test/main now",
        "secret.url_password",
    ),
];

#[test]
fn n9_3_a_value_split_at_every_offset_is_found() {
    let rules = rules();
    for (text, label) in TEXTS {
        let whole = rules.scan(text);
        let at = whole
            .iter()
            .find(|sight| &*sight.rule.label == label)
            .unwrap()
            .at
            .clone();
        for cut in (1..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let mut thread = Thread::new(Arc::clone(&rules));
            let (first, second) = text.split_at(cut);
            let mut labels: Vec<String> = Vec::new();
            let mut sent = String::new();
            for piece in [first, second] {
                let seen = thread.look(piece).sights;
                labels.extend(seen.iter().map(|sight| sight.rule.label.to_string()));
                sent.push_str(&redacted(piece, &seen, |sight, _| {
                    Some(mark(&sight.rule.label))
                }));
            }
            assert!(
                labels.iter().any(|it| it == label),
                "{label} cut at {cut}: {labels:?}"
            );
            // Whatever had not gone out when it was found does not go out.
            let value = text.get(at.clone()).unwrap();
            if cut < at.end {
                assert!(!sent.contains(value), "{label} cut at {cut}: {sent}");
            }
            if cut <= at.start {
                let rest = value.get(1..).unwrap();
                assert!(!sent.contains(rest), "{label} cut at {cut}: {sent}");
            }
        }
    }
}

#[test]
fn a_value_that_comes_byte_by_byte_is_found_once_it_is_whole() {
    let rules = rules();
    for (text, label) in TEXTS {
        let mut thread = Thread::new(Arc::clone(&rules));
        let mut found = false;
        for letter in text.chars() {
            let piece = letter.to_string();
            found |= thread
                .look(&piece)
                .sights
                .iter()
                .any(|it| &*it.rule.label == label);
        }
        assert!(found, "{label}");
    }
}

#[test]
fn what_was_said_with_its_piece_is_not_said_again_with_the_next() {
    let rules = rules();
    let mut thread = Thread::new(rules);
    assert_eq!(thread.look("mail anna.berg@corp.test and ").sights.len(), 1);
    assert_eq!(thread.look("nothing more").sights.len(), 0);
}

#[test]
fn nothing_is_remembered_beyond_the_reach_of_the_rules() {
    let mut thread = Thread::new(rules());
    for _ in 0..50 {
        thread.look(&"é".repeat(3000));
    }
    assert!(format!("{thread:?}").len() < 8192);
}

#[test]
fn what_is_remembered_is_looked_at_in_full_or_that_is_said() {
    let rules = rules();
    let piece = "/ops_eyJ".repeat(100);
    assert!(!rules.look(&piece).is_cut);
    let mut thread = Thread::new(rules);
    let cut: Vec<_> = (0..8).map(|_| thread.look(&piece).is_cut).collect();
    assert_eq!(cut.first(), Some(&false));
    // Each piece is short, and what came before it is not.
    assert_eq!(cut.last(), Some(&true));
}
