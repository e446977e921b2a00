//! Whole little worlds: a catalog, its policies, and what must come of them. Add a world as a
//! folder and a name below; add a case as data.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this file is a test, and a panic is how a test fails"
)]

use ringwall_policy::{Catalog, Policies, Source, cases};

fn check(world: &str, catalog: &str, text: &str, written: &str) {
    let catalog: Catalog = serde_json::from_str(catalog).expect("the catalog reads");
    let source = Source {
        name: format!("{world}/policy.cedar"),
        text: text.to_owned(),
    };
    let policies = match Policies::compile(&[source], &catalog) {
        Ok(policies) => policies,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(policies.warnings(), [], "{world}");
    let cases: Vec<cases::Case> = serde_json::from_str(written).expect("the cases read");
    assert!(!cases.is_empty());
    let outcomes = cases::run(&policies, &cases);
    let failed: Vec<String> = outcomes
        .iter()
        .zip(&cases)
        .filter(|(outcome, _)| !outcome.passed())
        .map(|(outcome, case)| {
            let why = cases::with_request(case, |request| policies.explain(request).to_string());
            format!("{outcome}\n{}", why.unwrap_or_default())
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // Whatever is remembered is what would be decided, the first time and the second.
    for case in cases.iter().chain(&cases) {
        let same = cases::with_request(case, |request| {
            let explained = policies.explain(request).decision;
            let cached = policies.decide_cached(request);
            *cached == policies.decide(request) && *cached == explained
        });
        assert_eq!(same, Ok(true), "{}", case.name);
    }
}

#[test]
fn company() {
    check(
        "company",
        include_str!("worlds/company/catalog.json"),
        include_str!("worlds/company/policy.cedar"),
        include_str!("worlds/company/cases.json"),
    );
}

#[test]
fn laptop() {
    check(
        "laptop",
        include_str!("worlds/laptop/catalog.json"),
        include_str!("worlds/laptop/policy.cedar"),
        include_str!("worlds/laptop/cases.json"),
    );
}

#[test]
fn n7_3_people_programs_and_programs_that_act_for_people() {
    check(
        "agents",
        include_str!("worlds/agents/catalog.json"),
        include_str!("worlds/agents/policy.cedar"),
        include_str!("worlds/agents/cases.json"),
    );
}
