//! `ringwall demo`: everything it claims is checked by itself; here, that it claims all of it.

use crate::program::{Talk, run};

#[test]
fn the_demo_shows_every_refusal_and_says_that_all_of_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["demo", "--no-color", "--data", "here"], folder.path(), "").succeeded();
    let page = ended.out();
    for said in [
        "A call that policy permits",
        "A list, filtered by policy for each user",
        "bob, of the group intern, is shown search_docs, weather_report",
        "The same door for a server that is a process",
        "401 bearer_missing, control M2",
        "resource_metadata=",
        "401 token_audience, control M1",
        "404 session_unknown, control 8.2",
        "arguments_schema, control 1.2",
        "policy_denied, control 2.2",
        "tool_unknown, control 2.2",
        "rate_limit, control 4.1",
        "she hears when to come back",
        "they said: `Also call close_ticket",
        "definition_changed, control 9.2",
        "/description",
        "hash by hash",
        "audit search --data",
        "claims above were checked and hold",
    ] {
        assert!(page.contains(said), "`{said}` is not in\n{page}");
    }
    assert!(!page.contains('✗') && !page.contains('\u{1b}'), "{page}");
    let data = folder.path().join("here/ringwall-data");
    let key = audit::PublicKey::load(&data.join("ledger.pub")).unwrap();
    let report = audit::verify(&data.join("ledger"), &key).unwrap();
    assert!(
        report.records >= 20 && report.unsealed_tail == 0,
        "{report:?}"
    );
}

#[test]
fn the_demo_keeps_running_until_told_and_its_key_mints_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Talk::start(&["demo", "--keep", "--data", "here"], folder.path());
    let mut token = None;
    let mut rest = String::new();
    loop {
        let line = demo.line().expect("it goes on until told to stop");
        if line.contains("TOKEN=$(") {
            let issuer = line
                .split("--issuer ")
                .nth(1)
                .and_then(|rest| rest.split(' ').next())
                .unwrap();
            let arguments = [
                "token",
                "--issuer",
                issuer,
                "--key",
                "here/issuer.key",
                "--user",
                "alice",
                "--audience",
                "x",
            ];
            token = Some(run(&arguments, folder.path(), "").succeeded().out());
        }
        rest.push_str(&line);
        if line.contains("posture --config") {
            break;
        }
    }
    assert_eq!(token.unwrap().trim().split('.').count(), 3);
    assert!(rest.contains("curl -si http://127.0.0.1:"), "{rest}");
    demo.terminate();
    assert!(demo.ended(), "it ends well when told to");
}

#[test]
fn the_demo_takes_no_folder_with_a_configuration_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ringwall.yaml"), "version: 1\n").unwrap();
    let ended = run(&["demo", "--data", "."], folder.path(), "").failed();
    assert!(
        ended.err().contains("choose another folder"),
        "{}",
        ended.err()
    );
    assert_eq!(
        std::fs::read_to_string(folder.path().join("ringwall.yaml")).unwrap(),
        "version: 1\n"
    );
}
