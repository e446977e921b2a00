//! What is said about the commands, and what they say when something is wrong.

use super::program::ringwall;

#[test]
fn completions_and_manual_come_from_the_same_definitions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = ringwall(&["completions", shell], None).good();
        assert!(
            script.contains("posture") && script.contains("approve"),
            "{shell}"
        );
        assert!(!script.contains("demo-server, "), "{shell}");
    }
    let page = ringwall(&["man"], None).good();
    assert!(
        page.starts_with(".ie") || page.contains(".TH ringwall"),
        "{page}"
    );
    let folder = tempfile::tempdir().unwrap();
    ringwall(&["man", "--output", folder.path().to_str().unwrap()], None).good();
    assert!(folder.path().join("ringwall-tools-approve.1").is_file());
}

#[test]
fn what_a_reader_does_not_want_is_no_error_and_what_is_wrong_says_what_to_do() {
    let nothing = tempfile::tempdir().unwrap();
    for (words, remedy) in [
        (vec!["tools", "list"], "--config"),
        (vec!["audit", "tail"], "--config"),
        (
            vec!["posture", "--config", "nowhere.yaml"],
            "cannot read `nowhere.yaml`",
        ),
    ] {
        let told = ringwall(&words, None).bad();
        assert!(told.contains(remedy), "{told}");
    }
    let told = ringwall(&["audit", "tail"], Some(nothing.path())).bad();
    assert!(told.contains("no ledger"), "{told}");
    let told = ringwall(&["tools", "list"], Some(&nothing.path().join("gone"))).bad();
    assert!(told.contains("has the gateway run?"), "{told}");
}
