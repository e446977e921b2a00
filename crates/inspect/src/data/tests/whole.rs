//! Nothing of a value is left: values longer than a rule looks, and values that overlap.

use crate::data::pack::Pack;
use crate::data::{Rules, mark, redacted};
use std::sync::Arc;

/// What is left of a text once everything that was seen is taken out.
fn left(rules: &Arc<Rules>, text: &str) -> String {
    let seen = rules.scan(text);
    redacted(text, &seen, |sight, _| Some(mark(&sight.rule.label))).into_owned()
}

/// Letters of base64 as a machine writes them: no two stretches are alike.
fn letters(count: usize) -> String {
    const ALL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(ALL[(state >> 58) as usize])
    };
    (0..count).map(|_| letter()).collect()
}

#[test]
fn n9_3_of_a_value_longer_than_a_rule_looks_nothing_is_left() {
    let rules = Rules::of(Pack::built_in().unwrap(), |_| true).unwrap();
    let long = letters(20_000);
    let lines = |broken: &str| {
        let lines = long.as_bytes().chunks(64);
        let lines: Vec<_> = lines.map(String::from_utf8_lossy).collect();
        lines.join(broken)
    };
    let pem = |broken: &str| {
        let body = lines(broken);
        format!(
            "-----BEGIN RSA PRIVATE KEY-----{broken}{body}{broken}-----END RSA PRIVATE KEY-----"
        )
    };
    let unended = pem("\n").replace("-----END RSA PRIVATE KEY-----", "");
    let putty = format!(
        "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 300\n{}",
        lines("\n")
    );
    for (value, kept, label) in [
        (pem("\n"), "", "secret.private_key"),
        (pem("\r\n"), "", "secret.private_key"),
        (pem("\\n"), "", "secret.private_key"),
        (unended, "", "secret.private_key"),
        (
            format!("client-key-data: {long}=="),
            "client-key-data: ",
            "secret.kubeconfig_key",
        ),
        (putty, "", "secret.putty_key"),
    ] {
        let after = left(&rules, &format!("it is\n{value}\n# and more"));
        let start = value.get(..40).unwrap();
        assert!(after.contains(&mark(label)), "{start}: {after}");
        assert!(after.starts_with(&format!("it is\n{kept}")), "{start}");
        assert!(after.ends_with("# and more"), "{start}: {after}");
        assert!(after.len() < 300, "{start}: {after}");
    }
}

#[test]
fn what_is_read_beyond_a_rule_is_bounded_and_ends_where_another_begins() {
    let rules = Rules::of(Pack::built_in().unwrap(), |_| true).unwrap();
    let key = |letters: &str| format!("-----BEGIN PRIVATE KEY-----\n{letters}\n");
    let two = format!("{}{}", key(&letters(20_000)), key(&letters(20_000)));
    let places: Vec<_> = rules.scan(&two).into_iter().map(|sight| sight.at).collect();
    assert_eq!(places, [0..two.len() / 2, two.len() / 2..two.len()]);
    let seen = rules
        .scan(&key(&letters(100_000)))
        .pop()
        .map(|sight| sight.at.len());
    assert!(
        seen.is_some_and(|length| (64 * 1024..74 * 1024).contains(&length)),
        "{seen:?}"
    );
}

#[test]
fn n9_3_of_two_secrets_that_overlap_nothing_is_left() {
    let pack = |severe: &str| {
        let text = format!(
            "pack: x\nversion: 1\nrules:\n\
             \x20 - id: secret.one\n    title: x\n    start: ['aa_']\n    edge: open\n    pattern: 'aa_[a-z0-9]{{6}}'\n\
             \x20 - id: secret.other\n    title: x\n    start: ['zz']\n    edge: open\n    confidence: {severe}\n    pattern: 'zz[a-z0-9]{{12}}'\n"
        );
        Rules::of([Pack::read(&text).unwrap()], |_| true).unwrap()
    };
    let text = "it is aa_12zz34567890abcd here";
    for (confidence, after) in [
        ("medium", "it is [redacted: secret.other] here"),
        ("high", "it is [redacted: secret.other] here"),
        // What is doubtful makes nothing larger.
        ("low", "it is [redacted: secret.one]567890abcd here"),
    ] {
        assert_eq!(left(&pack(confidence), text), after, "{confidence}");
    }
}
