//! `ringwall policy` on the demo's configuration.

use super::program::{ringwall, root};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

const CONFIG: &str = "examples/demo/ringwall.yaml";
const CASES: &str = "examples/demo/policies/cases.yaml";

#[test]
fn n2_2_the_cases_of_the_demo_pass() {
    let said = ringwall(&["policy", "test", CASES, "--config", CONFIG], None).good();
    assert!(
        said.contains("cases passed") && said.contains("only-leads-close-tickets"),
        "{said}"
    );
    let outcomes = ringwall(
        &["policy", "test", CASES, "--config", CONFIG, "--json"],
        None,
    )
    .json();
    assert!(
        outcomes
            .as_array()
            .is_some_and(|all| all.len() > 8 && all.iter().all(|one| one["failure"].is_null()))
    );
}

#[test]
fn n2_2_a_case_that_is_decided_otherwise_fails_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.json");
    let case = |expect: &str, tool: &str| {
        json!({
            "name": "interns close tickets", "action": "call", "resource": { "tool": tool }, "expect": expect,
            "principal": { "issuer": "http://127.0.0.1:7401", "user": "bob", "groups": ["intern"] }
        })
    };
    for (cases, passes) in [
        (json!([case("deny", "workshop/close_ticket")]), true),
        (
            json!([
                case("deny", "workshop/close_ticket"),
                case("allow", "workshop/close_ticket")
            ]),
            false,
        ),
        (
            json!({ "tools": [{ "server": "workshop", "name": "search_docs" }], "cases": [case("allow", "workshop/search_docs")] }),
            true,
        ),
        (json!([case("deny", "nowhere/close_ticket")]), true),
        (json!([]), false),
        (json!({ "cases": 7 }), false),
    ] {
        std::fs::write(&file, cases.to_string()).unwrap();
        let said = ringwall(
            &["policy", "test", file.to_str().unwrap(), "--config", CONFIG],
            None,
        );
        assert_eq!(said.ok, passes, "{cases}\n{}{}", said.out, said.complaint);
    }
}

#[test]
fn n2_2_explains_which_policy_decides_and_why() {
    let explain = |words: &[&str]| {
        let all: Vec<&str> = ["policy", "explain", "--config", CONFIG]
            .iter()
            .chain(words)
            .copied()
            .collect();
        ringwall(&all, None)
    };
    let said = explain(&[
        "--user",
        "alice",
        "--group",
        "support",
        "--resource",
        "workshop/close_ticket",
    ])
    .good();
    for part in [
        "deny: http://127.0.0.1:7401#alice may not call workshop/close_ticket",
        "decided by only-leads-close-tickets",
        "support-works",
        "not approved",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = explain(&[
        "--user",
        "bob",
        "--action",
        "use",
        "--resource",
        "clock",
        "--json",
    ])
    .json();
    assert_eq!(json["explanation"]["decision"]["verdict"], "allow");
    assert_eq!(
        json["explanation"]["decision"]["determining"][0],
        "sessions"
    );
    assert!(explain(&["--user", "bob"]).bad().contains("--resource"));
    assert!(
        explain(&["--user", "bob", "--resource", "a/b", "--arguments", "[]"])
            .bad()
            .contains("not a JSON object")
    );
}

/// The demo's configuration somewhere else, with one call in its ledger.
fn recorded() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join(CONFIG)).unwrap();
    std::fs::create_dir_all(folder.path().join("policies")).unwrap();
    let policies = std::fs::read_dir(root().join("examples/demo/policies"))
        .unwrap()
        .flatten();
    for entry in
        policies.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "cedar"))
    {
        std::fs::copy(
            entry.path(),
            folder.path().join("policies").join(entry.file_name()),
        )
        .unwrap();
    }
    let config = folder.path().join("ringwall.yaml");
    std::fs::write(&config, text).unwrap();
    let ledger = folder.path().join("ringwall-data/ledger");
    std::fs::create_dir_all(&ledger).unwrap();
    let key = audit::SigningKey::ephemeral().unwrap();
    let open = audit::Ledger::open(&ledger, audit::Settings::default(), key).unwrap();
    let record = audit::Record {
        at_ms: 1_763_845_526_123,
        id: "call-7".into(),
        verdict: audit::Verdict::Allowed,
        server: Some("workshop".into()),
        method: Some("tools/call".into()),
        subject: Some("read_ticket".into()),
        who: Some(audit::Who {
            issuer: Some("http://127.0.0.1:7401".into()),
            subject: Some("alice".into()),
            ..audit::Who::default()
        }),
        policy: Some(audit::Policy {
            digest: Some("sha256:0".into()),
            verdict: Some("allow".into()),
            determining: vec!["support-works".into()],
        }),
        ..audit::Record::default()
    };
    let mut bytes = Vec::new();
    record.to_canonical(&mut bytes);
    open.append(bytes, audit::Durability::BeforeAnswer)
        .wait()
        .unwrap();
    open.close().unwrap();
    (folder, config)
}

#[test]
fn n2_2_explains_a_recorded_call_as_far_as_the_record_tells() {
    let (_folder, config) = recorded();
    let config = config.to_str().unwrap();
    let explain = |words: &[&str]| -> Value {
        let all: Vec<&str> = ["policy", "explain", "--json", "--config", config]
            .iter()
            .chain(words)
            .copied()
            .collect();
        ringwall(&all, None).json()
    };
    let known = explain(&["--record", "call-7", "--group", "support"]);
    assert_eq!(
        known["explanation"]["decision"]["verdict"], "allow",
        "{known}"
    );
    let notes = known["notes"].to_string();
    for part in [
        "decided then: allow by support-works",
        "other policies are in force now",
        "does not hold the arguments",
    ] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let unknown = explain(&["--record", "call-7"]);
    assert_eq!(
        unknown["explanation"]["decision"]["verdict"], "deny",
        "{unknown}"
    );
    assert!(
        unknown["notes"]
            .to_string()
            .contains("groups are not in records"),
        "{unknown}"
    );
    let gone = ringwall(
        &[
            "policy", "explain", "--config", config, "--record", "call-8",
        ],
        None,
    )
    .bad();
    assert!(gone.contains("no record `call-8`"), "{gone}");
}

#[test]
fn checks_policies_against_the_servers() {
    let said = ringwall(&["policy", "check", "--config", CONFIG], None).good();
    assert!(said.contains("sound"), "{said}");
}
