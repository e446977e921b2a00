//! The official conformance suite judges the gateway as a client: each scenario's server stands behind
//! the gateway, and only the gateway ever speaks to it.
//!
//! The suite's two lists are servers of one era each. A caller of the same era is the measure: every
//! check succeeds, or is excused in a list with its reason. A caller of the other era comes through a
//! bridge, and the gateway may do worse then only where that is excused. An excuse must be needed.

use anyhow::Result;
use ringwall_tests::client_leg::{Era, Leg, Played};
use ringwall_tests::place;
use ringwall_tests::suite::{Verdict, exceptions};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// What did not succeed, with what there is to say about it: `scenario:check STATUS`, with how often
/// if it failed, and for a scenario that was not played to its end, `scenario:played`.
type Lacking = BTreeMap<String, String>;

/// A leg starts a gateway for every scenario at once.
static ONE_LEG_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The era whose server a list of requirements is, how many scenarios it has, and how many checks succeed at
/// least of those that are not excused with their whole scenario.
fn native(requirements: &str) -> (Era, usize, usize) {
    match requirements {
        "2025-11-25" => (Era::Legacy, 25, 313),
        _ => (Era::Modern, 39, 486),
    }
}

fn other(era: Era) -> Era {
    match era {
        Era::Legacy => Era::Modern,
        Era::Modern => Era::Legacy,
    }
}

fn lacking(leg: &Leg) -> Lacking {
    let mut lacking = Lacking::new();
    for (check, verdict) in &leg.verdicts.0 {
        for (status, count) in shortcomings(verdict) {
            let what = match status {
                "SKIPPED" => format!("{check} {status}"),
                _ => format!("{check} {status} {count}"),
            };
            lacking.insert(what, verdict.message.clone());
        }
    }
    for (scenario, played) in &leg.played {
        if let Played::Broken(why) = played {
            lacking.insert(format!("{scenario}:played"), why.clone());
        }
    }
    lacking
}

/// The statuses that need an excuse: what was skipped was not shown to work.
fn shortcomings(verdict: &Verdict) -> impl Iterator<Item = (&str, usize)> {
    let statuses = verdict.statuses.iter();
    let bad = statuses.filter(|(status, _)| !["INFO", "SUCCESS"].contains(&status.as_str()));
    bad.map(|(status, count)| (status.as_str(), *count))
}

/// What is lacking here and not there, and every check that succeeded more often there.
fn worse(here: &Leg, there: &Leg) -> Lacking {
    let mut worse = lacking(here);
    for known in lacking(there).keys() {
        worse.remove(known);
    }
    for check in here.verdicts.worse_than(&there.verdicts) {
        let is_named = |what: &String| what.starts_with(&format!("{} ", check.check));
        if !worse.keys().any(is_named) {
            worse.insert(check.check, check.shown);
        }
    }
    worse
}

/// Compares what is lacking with the excuses of a list, each for one line of it or a whole scenario.
fn judge(lacking: &Lacking, list: &str) -> Result<Lacking> {
    let excused = exceptions(&place::own(&format!("tests/conformance/{list}.txt")))?;
    let covers = |excuse: &str, what: &str| {
        let rest = what.strip_prefix(excuse);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    let unexpected: Vec<_> = lacking
        .iter()
        .filter(|(what, _)| !excused.keys().any(|excuse| covers(excuse, what)))
        .collect();
    assert!(unexpected.is_empty(), "{list}: {unexpected:#?}");
    let stale: Vec<_> = excused
        .keys()
        .filter(|excuse| !lacking.keys().any(|what| covers(excuse, what)))
        .collect();
    assert!(stale.is_empty(), "{list}: no longer needed: {stale:#?}");
    Ok(excused)
}

async fn compare(requirements: &str) -> Result<()> {
    let _turn = ONE_LEG_AT_A_TIME.lock().await;
    let (era, scenarios, checks) = native(requirements);
    let own = Leg::of(requirements, era).await?;
    let excused = judge(&lacking(&own), &format!("client-{requirements}"))?;
    assert_eq!(own.played.len(), scenarios, "{:?}", own.played.keys());
    let counts = own.verdicts.by_scenario();
    let counted = counts
        .iter()
        .filter(|(scenario, _)| !excused.contains_key(**scenario));
    let counted: usize = counted.map(|(_, (passed, _))| passed).sum();
    // A request that is sent once more, because a connection was gone, is checked once more.
    assert!(counted >= checks, "{counted}: {counts:?}");
    let bridged = Leg::of(requirements, other(era)).await?;
    assert!(bridged.played.keys().eq(own.played.keys()));
    judge(
        &worse(&bridged, &own),
        &format!("client-{requirements}-bridged"),
    )?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_the_gateway_is_a_good_client_of_legacy_servers() -> Result<()> {
    compare("2025-11-25").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_the_gateway_is_a_good_client_of_modern_servers() -> Result<()> {
    compare("2026-07-28").await
}

/// The scenarios about servers of 2025-03-26 that say nothing of who issues their tokens, which are in no
/// list of a later revision, with how many of their checks succeed at least.
const WITHOUT_METADATA: [(&str, usize); 2] = [
    ("auth/2025-03-26-oauth-endpoint-fallback", 8),
    ("auth/2025-03-26-oauth-metadata-backcompat", 13),
];

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_an_old_server_without_metadata_is_connected_at_its_own_host() -> Result<()> {
    let _turn = ONE_LEG_AT_A_TIME.lock().await;
    for (scenario, checks) in WITHOUT_METADATA {
        for era in [Era::Legacy, Era::Modern] {
            let leg = Leg::of_scenario(scenario, era).await?;
            assert!(lacking(&leg).is_empty(), "{era}: {:#?}", lacking(&leg));
            let counts = leg.verdicts.by_scenario();
            let passed = counts.get(scenario).map(|(passed, _)| *passed);
            assert!(passed >= Some(checks), "{era}: {counts:?}");
        }
    }
    Ok(())
}
