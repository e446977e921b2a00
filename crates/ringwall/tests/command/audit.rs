//! `ringwall audit` on a ledger of a few records.

use super::program::ringwall;
use audit::{Durability, Event, Kind, Ledger, Record, Refusal, Settings, SigningKey, Verdict, Who};
use std::path::Path;
use tempfile::TempDir;

/// 2025-11-22T21:05:26.123Z
const BASE: u64 = 1_763_845_526_123;

fn call(
    number: u64,
    subject: &'static str,
    issuer: &'static str,
    refused: bool,
) -> Record<'static> {
    Record {
        at_ms: BASE + number * 60_000,
        id: format!("call-{number}").into(),
        verdict: if refused {
            Verdict::Refused
        } else {
            Verdict::Allowed
        },
        route: Some("/files".into()),
        server: Some("files".into()),
        method: Some("tools/call".into()),
        subject: Some(
            if number.is_multiple_of(2) {
                "read"
            } else {
                "write\u{202e}"
            }
            .into(),
        ),
        who: Some(Who {
            user: Some(format!("key-of-{subject}-{}", issuer.len()).into()),
            issuer: Some(issuer.into()),
            subject: Some(subject.into()),
            ..Who::default()
        }),
        refusal: refused.then(|| Refusal {
            code: "arguments_schema".into(),
            control: "1.2".into(),
            reason: "the argument is off the schema".into(),
            ..Refusal::default()
        }),
        ..Record::default()
    }
}

fn ledger() -> TempDir {
    let data = tempfile::tempdir().unwrap();
    let key = SigningKey::ephemeral().unwrap();
    key.public().save(&data.path().join("ledger.pub")).unwrap();
    std::fs::create_dir(data.path().join("ledger")).unwrap();
    let ledger = Ledger::open(&data.path().join("ledger"), Settings::default(), key).unwrap();
    let started = Record {
        at_ms: BASE,
        id: "start-0".into(),
        kind: Kind::Change,
        verdict: Verdict::Allowed,
        event: Some(Event {
            name: "gateway.started".into(),
            after: Some("0.1".into()),
            ..Event::default()
        }),
        ..Record::default()
    };
    let calls = [
        started,
        call(1, "alice", "https://one", false),
        call(2, "alice", "https://one", true),
        call(3, "bob", "https://one", true),
        call(4, "alice", "https://other", false),
    ];
    for record in calls {
        let mut bytes = Vec::new();
        record.to_canonical(&mut bytes);
        ledger
            .append(bytes, Durability::BeforeAnswer)
            .wait()
            .unwrap();
    }
    ledger.close().unwrap();
    data
}

fn found(data: &Path, words: &[&str]) -> Vec<String> {
    let all: Vec<&str> = ["audit", "search", "--json"]
        .iter()
        .chain(words)
        .copied()
        .collect();
    let lines = ringwall(&all, Some(data)).lines();
    lines
        .iter()
        .map(|line| line["record"]["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn n5_1_finds_what_is_looked_for() {
    let data = ledger();
    for (words, ids) in [
        (
            vec![],
            vec!["start-0", "call-1", "call-2", "call-3", "call-4"],
        ),
        (vec!["--user", "alice"], vec!["call-1", "call-2", "call-4"]),
        (
            vec!["--user", "https://one#alice"],
            vec!["call-1", "call-2"],
        ),
        (vec!["--user", "key-of-bob-11"], vec!["call-3"]),
        (vec!["--user", "mallory"], vec![]),
        (vec!["--tool", "read"], vec!["call-2", "call-4"]),
        (
            vec!["--route", "/files", "--verdict", "refused"],
            vec!["call-2", "call-3"],
        ),
        (
            vec!["--code", "arguments_schema", "--user", "bob"],
            vec!["call-3"],
        ),
        (vec!["--control", "1.2"], vec!["call-2", "call-3"]),
        (
            vec!["--since", "2025-11-22T21:08"],
            vec!["call-3", "call-4"],
        ),
        (vec!["--until", "2025-11-22T21:06"], vec!["start-0"]),
        (vec!["schema"], vec!["call-2", "call-3"]),
        (vec!["started"], vec!["start-0"]),
        (vec!["-n", "2"], vec!["call-3", "call-4"]),
        (vec!["--user", "alice", "-n", "1"], vec!["call-4"]),
    ] {
        assert_eq!(found(data.path(), &words), ids, "{words:?}");
    }
    for (words, why) in [
        (["--since", "yesterday"], "is no time"),
        (["--control", "77.7"], "there is no control"),
    ] {
        let all: Vec<&str> = ["audit", "search"].into_iter().chain(words).collect();
        let told = ringwall(&all, Some(data.path())).bad();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn n5_1_tables_name_people_and_hide_nothing() {
    let data = ledger();
    let said = ringwall(&["audit", "tail"], Some(data.path())).good();
    for part in [
        "2025-11-22T21:07:26.123Z",
        "refused",
        "alice",
        "files/write\\u{202e}",
        "1.2",
        "arguments_schema: the argument",
        "gateway.started",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(
        !said.contains("key-of") && !said.contains('\u{202e}') && !said.contains('\u{1b}'),
        "{said}"
    );
    let last = ringwall(&["audit", "tail", "-n", "1"], Some(data.path())).good();
    assert_eq!(last.lines().count(), 2, "{last}");
}

#[test]
fn n5_1_shows_one_record_whole() {
    let data = ledger();
    let said = ringwall(&["audit", "show", "call-3"], Some(data.path())).good();
    assert!(
        said.contains("key-of-bob") && said.contains("write\\u{202e}"),
        "{said}"
    );
    let line = ringwall(&["audit", "show", "call-3", "--json"], Some(data.path())).json();
    assert_eq!(line["record"]["id"], "call-3");
    assert!(
        ringwall(&["audit", "show", "call-9"], Some(data.path()))
            .bad()
            .contains("no record `call-9`")
    );
}

#[test]
fn n5_1_verifies_with_files_and_a_key_alone() {
    let data = ledger();
    let said = ringwall(&["audit", "verify"], Some(data.path())).good();
    assert!(
        said.contains("sound")
            && said.contains("records 5")
            && said.contains("Keep a copy elsewhere"),
        "{said}"
    );
    // The files alone, somewhere else, with a copy of the key.
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(data.path().join("ledger"))
        .unwrap()
        .flatten()
    {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let key = data.path().join("ledger.pub");
    let words = ["audit", "verify", "--json", "--key", key.to_str().unwrap()];
    let report = ringwall(&words, Some(copy.path())).json();
    assert_eq!(
        (&report[0]["sound"], &report[0]["report"]["records"]),
        (&true.into(), &5.into())
    );
    // Another key, and one changed byte.
    let stranger = copy.path().join("stranger.pub");
    SigningKey::ephemeral()
        .unwrap()
        .public()
        .save(&stranger)
        .unwrap();
    let told = ringwall(
        &["audit", "verify", "--key", stranger.to_str().unwrap()],
        Some(data.path()),
    )
    .bad();
    assert!(told.contains("broken"), "{told}");
    let segment = copy.path().join("ledger-000001.jsonl");
    let text = std::fs::read_to_string(&segment)
        .unwrap()
        .replace("call-3", "call-8");
    std::fs::write(&segment, text).unwrap();
    let told = ringwall(&words, Some(copy.path())).bad();
    assert!(told.contains("\"sound\": false"), "{told}");
}

#[test]
fn exports_lines_and_events() {
    let data = ledger();
    let lines = ringwall(
        &["audit", "export", "--verdict", "refused"],
        Some(data.path()),
    )
    .lines();
    assert_eq!(lines.len(), 2);
    let events = ringwall(
        &["audit", "export", "--format", "ocsf", "--user", "bob"],
        Some(data.path()),
    )
    .lines();
    assert_eq!((events.len(), &events[0]["class_uid"]), (1, &6003.into()));
    let told = ringwall(&["audit", "export", "--user", "alice"], Some(data.path())).bad();
    assert!(told.contains("ISSUER#SUBJECT"), "{told}");
    let file = data.path().join("out.jsonl");
    ringwall(
        &["audit", "export", "--output", file.to_str().unwrap()],
        Some(data.path()),
    )
    .good();
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 5);
}
