//! What is done with what was found, texts that are made to cost, and what the names of members say.

use crate::data::pack::Pack;
use crate::data::{Rules, mark, redacted};
use std::sync::Arc;

fn rules() -> Arc<Rules> {
    Rules::of(Pack::built_in().unwrap(), |_| true).unwrap()
}

#[test]
fn redaction_keeps_what_stands_around_and_json_valid() {
    let rules = rules();
    let values = [
        ("personal.payment_card", "4728354507551673"),
        ("personal.iban", "DE89 3704 0044 0532 0130 00"),
        (
            "secret.github_token",
            "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",
        ),
        ("secret.aws_access_key_id", "AKIAQ2W3E4R5T6Y7UIOP"),
        ("personal.email", "anna.berg@corp.test"),
    ];
    for (label, value) in values {
        let text = format!("{{\"a\": \"{value}\", \"ü\": [\"{value} and {value}\"]}}");
        let seen = rules.scan(&text);
        let out = redacted(&text, &seen, |sight, _| Some(mark(&sight.rule.label)));
        let word = format!("[redacted: {label}]");
        assert_eq!(*out, text.replace(value, &word));
        serde_json::from_str::<serde_json::Value>(&out).unwrap();
    }
    let clean = "nothing here";
    let seen = rules.scan(clean);
    assert!(matches!(
        redacted(clean, &seen, |_, _| None),
        std::borrow::Cow::Borrowed(_)
    ));
}

/// Texts that are made to cost: each is read to its end, and no more is seen in it than fits. What they
/// cost is measured elsewhere.
#[test]
fn hostile_texts_are_read_to_their_end_and_show_few_values() {
    let rules = rules();
    let parts = [
        "@",
        "://",
        "password=",
        "sk-",
        "eyJ",
        "eyJaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----",
        "4111 ",
        "1",
        "+1",
        "AKIA",
        "DE89",
        "dob ",
        "ghp_",
        "a@a.",
        "\"auth\":\"",
        "born 1 ",
        "basic ",
        "ssn 1-",
        "jdbc:a:",
        "xoxb-0-",
        "machine a login a ",
        "é",
        "{rw:",
    ];
    for part in parts {
        let text = part.repeat(200_000 / part.len());
        let seen = rules.scan(&text);
        assert!(seen.len() <= text.len() / 4, "{part}");
    }
    let all: String = rules
        .iter()
        .flat_map(|rule| rule.id.split('.').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    rules.scan(&all.repeat(50));
}

#[test]
fn the_name_of_a_member_labels_its_value() {
    let rules = rules();
    let cases = [
        ("dateOfBirth", "12 April", Some("personal.date_of_birth")),
        ("date_of_birth", "12 April", Some("personal.date_of_birth")),
        ("DATE-OF-BIRTH", "12 April", Some("personal.date_of_birth")),
        ("password", "open sesame", Some("secret.password")),
        ("password", "<password>", None),
        ("password", "", None),
        ("client_secret", "0e8b", Some("secret.key")),
        ("PWD", "/root", None),
        ("pwd", "/home/user", None),
        ("pwd", "~/work", None),
        ("pwd", "hunter2-blue", Some("secret.password")),
        ("password", "/fQ8xT0mZ1bK4nW", Some("secret.password")),
        ("privateKey", "/etc/ssl/private/a.pem", None),
        ("privateKey", "keys/server-01.pem", None),
        ("apiKey", "API_KEY_STAGING_1", None),
        ("apiKey", "kq8v2lxz", Some("secret.key")),
        ("nextPageToken", "CAUQAAoVMTcy", None),
        ("token", "CAUQAAoVMTcy", None),
        ("name", "anything", None),
        ("IBAN", "unknown form", Some("personal.iban")),
        (&"x".repeat(500), "value", None),
    ];
    for (name, text, label) in cases {
        let seen = rules.of_field(name, text);
        let found = seen.map(|sight| sight.rule.label.to_string());
        assert_eq!(found.as_deref(), label, "{name}: {text}");
    }
}
