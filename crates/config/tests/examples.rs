//! Every configuration in `examples/` is read, settled, printed and read again.
//! Of `examples/many-servers` the names are held against each other too, and `examples/issuers` has an
//! issuer of every kind.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

use ringwall_config as config;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn examples() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root()).expect("there are examples") {
        let file = entry
            .expect("it can be listed")
            .path()
            .join("ringwall.yaml");
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        found.push((file, text));
    }
    assert!(found.len() >= 6);
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
        ("many-servers", vec![]),
        ("issuers", vec![]),
        ("authorization-server", vec![]),
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

/// The second route of `examples/many-servers` offers a part of what the first one does.
#[test]
fn the_profile_of_many_servers_offers_what_its_comment_says() {
    let all = examples();
    let (_, text) = all
        .iter()
        .find(|(file, _)| file.starts_with(root().join("many-servers")))
        .expect("it is there");
    let (settled, _) = config::load(text).expect("settles");
    let [work, look] = settled.routes.as_slice() else {
        panic!("{:?}", settled.routes);
    };
    assert_eq!(work.servers, look.servers);
    for (tool, offered) in [
        ("files__read_file", true),
        ("files__write_file", false),
        ("tickets__search", true),
        ("tickets__search_all", false),
    ] {
        assert!(work.offers_tool(tool), "{tool}");
        assert_eq!(look.offers_tool(tool), offered, "{tool}");
    }
    assert!(work.offers_prompt("files__daily") && !look.offers_prompt("files__daily"));
    assert!(look.offers_resource("files+file:///handbook/one.md"));
    assert!(!look.offers_resource("files+file:///handbook/../etc/passwd"));
}
