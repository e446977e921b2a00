//! `ringwall token`: for this machine only, and never quietly.

use crate::program::run;
use std::os::unix::fs::PermissionsExt;

fn arguments<'a>(issuer: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec![
        "token",
        "--issuer",
        issuer,
        "--key",
        "issuer.key",
        "--user",
        "alice",
        "--audience",
        "http://127.0.0.1:1/x",
    ];
    all.extend(more);
    all
}

#[test]
fn mints_only_for_an_issuer_on_loopback() {
    let folder = tempfile::tempdir().unwrap();
    for issuer in [
        "https://id.example.com",
        "http://192.168.0.1:80",
        "http://127.0.0.1.example.com",
    ] {
        let ended = run(&arguments(issuer, &["--new-key"]), folder.path(), "").failed();
        assert!(
            ended.err().contains("not an issuer on this machine"),
            "{}",
            ended.err()
        );
        assert!(ended.out().is_empty());
    }
    assert!(!folder.path().join("issuer.key").exists());
}

#[test]
fn makes_a_key_only_when_told_and_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = "http://127.0.0.1:7401";
    let ended = run(&arguments(issuer, &[]), folder.path(), "").failed();
    assert!(ended.err().contains("--new-key"), "{}", ended.err());
    let first = run(
        &arguments(issuer, &["--new-key", "--group", "support"]),
        folder.path(),
        "",
    )
    .succeeded();
    let key = folder.path().join("issuer.key");
    assert_eq!(
        std::fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = run(&arguments(issuer, &["--ttl", "1h"]), folder.path(), "").succeeded();
    for token in [first.out(), again.out()] {
        assert_eq!(token.trim().split('.').count(), 3, "{token}");
    }
    run(&arguments(issuer, &["--ttl", "2d"]), folder.path(), "").failed();
}
