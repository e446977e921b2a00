//! The official conformance suite judges the gateway as a client: each scenario's server stands behind
//! the gateway, and only the gateway ever speaks to it.
//!
//! What does not succeed must be excused in a list, with its reason; an excuse must be needed.

use anyhow::Result;
use ringwall_tests::client_leg::{Leg, Played};
use ringwall_tests::place;
use ringwall_tests::suite::exceptions;
use std::collections::BTreeMap;

/// Statuses of a check that need an excuse: what was skipped was not shown to work.
const LACKING: [&str; 3] = ["FAILURE", "WARNING", "SKIPPED"];

/// What did not succeed, with what the suite says about it: `scenario:check STATUS`, and for a scenario
/// that could not be played to its end, `scenario`.
fn lacking(leg: &Leg) -> BTreeMap<String, String> {
    let mut lacking = BTreeMap::new();
    for (check, verdict) in &leg.verdicts.0 {
        for status in LACKING {
            if verdict.statuses.contains_key(status) {
                lacking.insert(format!("{check} {status}"), verdict.message.clone());
            }
        }
    }
    for (scenario, played) in &leg.played {
        if let Played::Broken(why) = played {
            lacking.insert(scenario.clone(), why.clone());
        }
    }
    lacking
}

async fn judge(requirements: &str, scenarios: usize, checks: usize) -> Result<()> {
    let leg = Leg::of(requirements, "conformance-client").await?;
    let list = format!("tests/conformance/client-{requirements}.txt");
    let excused = exceptions(&place::own(&list))?;
    let lacking = lacking(&leg);
    // An excuse for a scenario is one for each of its checks.
    let scenario = |what: &str| what.split(':').next().unwrap_or_default().to_owned();
    let unexpected: Vec<_> = lacking
        .iter()
        .filter(|(what, _)| !excused.contains_key(*what) && !excused.contains_key(&scenario(what)))
        .collect();
    assert!(unexpected.is_empty(), "{requirements}: {unexpected:#?}");
    let stale: Vec<_> = excused
        .keys()
        .filter(|excuse| !lacking.contains_key(*excuse))
        .collect();
    assert!(stale.is_empty(), "{list}: no longer needed: {stale:#?}");
    assert_eq!(leg.played.len(), scenarios, "{:?}", leg.played.keys());
    let passed = leg.verdicts.by_scenario();
    let passed: usize = passed
        .iter()
        .filter(|(scenario, _)| !excused.contains_key(**scenario))
        .map(|(_, (passed, _))| passed)
        .sum();
    assert_eq!(passed, checks, "{:?}", leg.verdicts.by_scenario());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_the_gateway_is_a_good_client_of_legacy_servers() -> Result<()> {
    judge("2025-11-25", 0, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_the_gateway_is_a_good_client_of_modern_servers() -> Result<()> {
    judge("2026-07-28", 0, 0).await
}
