//! `ringwall posture` on the configurations of the tree.

use super::program::ringwall;
use serde_json::Value;

fn report(words: &[&str]) -> Value {
    let all: Vec<&str> = ["posture", "--json", "--config"]
        .iter()
        .chain(words)
        .copied()
        .collect();
    ringwall(&all, None).json()
}

fn line<'r>(report: &'r Value, control: &str) -> &'r Value {
    report["controls"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["control"] == control)
        .unwrap()
}

#[test]
fn the_demo_says_what_it_does_not_enforce() {
    let report = report(&["examples/demo/ringwall.yaml"]);
    for (control, status, word) in [
        ("M1", "enforced", ""),
        ("M3", "off", "no `authorization_server`"),
        ("3.1", "partial", "plaintext on loopback"),
        ("5.3", "partial", "`/workshop`: arguments are kept"),
        ("9.2", "partial", "pins: first_use"),
        ("10.1", "off", "`confinement: none`"),
    ] {
        let line = line(&report, control);
        assert_eq!(line["status"], status, "{control}: {line}");
        assert!(line.to_string().contains(word), "{control}: {line}");
    }
}

#[test]
fn one_route_is_judged_alone() {
    let clock = report(&["examples/demo/ringwall.yaml", "--route", "/clock"]);
    assert_eq!(line(&clock, "10.1")["status"], "off");
    assert!(
        line(&clock, "10.1")["setting"]
            .to_string()
            .contains("confinement: none")
    );
    let workshop = report(&["examples/demo/ringwall.yaml", "--route", "/workshop"]);
    assert_eq!(line(&workshop, "10.1")["status"], "not_built");
    let told = ringwall(
        &[
            "posture",
            "--config",
            "examples/demo/ringwall.yaml",
            "--route",
            "/gone",
        ],
        None,
    )
    .bad();
    assert!(told.contains("no route `/gone`"), "{told}");
}

#[test]
fn the_table_counts_every_control() {
    for config in [
        "examples/demo/ringwall.yaml",
        "examples/minimal/ringwall.yaml",
        "examples/company/ringwall.yaml",
    ] {
        let said = ringwall(&["posture", "--config", config], None).good();
        for control in controls::ALL {
            assert!(
                said.lines()
                    .any(|line| line.starts_with(&format!("{} ", control.id))),
                "{config}: {}",
                control.id
            );
        }
        assert!(
            said.trim_end()
                .ends_with(&format!("of {} controls", controls::ALL.len())),
            "{said}"
        );
        let verbose = ringwall(&["posture", "--verbose", "--config", config], None).good();
        assert!(verbose.contains("shown by: m1_"), "{config}");
    }
}
