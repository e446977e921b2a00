//! Every configuration in `examples/` is read, settled, printed and read again.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

use ringwall_config as config;
use std::path::{Path, PathBuf};

fn examples() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).expect("there are examples") {
        let file = entry
            .expect("it can be listed")
            .path()
            .join("ringwall.yaml");
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        found.push((file, text));
    }
    assert!(found.len() >= 3);
    found
}

fn told(problems: &[config::Problem]) -> String {
    problems.iter().map(|it| format!("{it}\n")).collect()
}

#[test]
fn every_example_settles() {
    for (file, text) in examples() {
        let (settled, _) = config::load(&text)
            .unwrap_or_else(|problems| panic!("{}\n{}", file.display(), told(&problems)));
        for pattern in &settled.policies {
            let folder = file.with_file_name(pattern);
            let folder = folder.parent().expect("a pattern has a folder");
            let some = std::fs::read_dir(folder).map(Iterator::count).unwrap_or(0);
            assert!(some > 0, "{}: {pattern} names nothing", file.display());
        }
    }
}

#[test]
fn what_is_printed_settles_to_the_same() {
    for (file, text) in examples() {
        let (settled, warnings) = config::load(&text).expect("settles");
        let printed = serde_json::to_string_pretty(&settled).expect("prints");
        let (again, again_warnings) = config::load(&printed).unwrap_or_else(|problems| {
            panic!("{}\n{printed}\n{}", file.display(), told(&problems))
        });
        assert_eq!(settled, again, "{}", file.display());
        assert_eq!(warnings.len(), again_warnings.len(), "{}", file.display());
    }
}

#[test]
fn n10_1_the_examples_warn_only_of_what_they_say() {
    let expected = [
        ("minimal", vec![]),
        (
            "demo",
            vec!["servers[1].stdio.confinement", "routes[0].ledger.keep"],
        ),
        (
            "company",
            vec!["servers[3].stdio.confinement", "routes[1].ledger.keep"],
        ),
    ];
    for (file, text) in examples() {
        let (_, warnings) = config::load(&text).expect("settles");
        let paths: Vec<_> = warnings.iter().map(|it| it.path.as_str()).collect();
        for (name, expected) in &expected {
            if file.parent().is_some_and(|it| it.ends_with(name)) {
                assert_eq!(&paths, expected, "{}", file.display());
            }
        }
    }
}
