//! The official conformance suite, against our fixture alone and through the gateway: the same
//! checks pass, in each pairing of a client's era with a server's.
//!
//! The suite's two lists of requirements are clients of one era each, and the fixture can be held to
//! one era, so the bridges are met like everything else. Where no direct run is possible (a client of
//! one era and a server of the other), the same list against a server of its own era is the measure.

use anyhow::Result;
use ringwall_tests::hop::Hop;
use ringwall_tests::place;
use ringwall_tests::program::{Command, Program};
use ringwall_tests::suite::{Verdicts, exceptions};
use ringwall_tests::world::{Plan, World};
use serde_json::json;
use tokio::sync::{Mutex, OnceCell};

/// The era whose client a list of requirements is, and how many checks a server of that era passes:
/// as many as the best of the reference implementations.
fn native(requirements: &str) -> (&'static str, usize) {
    match requirements {
        "2025-11-25" => ("legacy", 84),
        _ => ("modern", 197),
    }
}

async fn fixture(era: &str) -> Result<Program> {
    Command::new(place::built("fixture-upstream")?)
        .arguments(["--era", era])
        .start("http://")
        .await
}

/// The suite gives some answers no more than half a second, so nothing of ours is in the way of a list that is
/// run.
static ONE_LIST_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The list against the fixture alone: every check passes.
async fn direct(requirements: &str, era: &str) -> Result<Verdicts> {
    let _turn = ONE_LIST_AT_A_TIME.lock().await;
    let fixture = fixture(era).await?;
    let verdicts = Verdicts::of(&fixture.ready().parse()?, requirements).await?;
    assert_eq!(verdicts.with("FAILURE"), [""; 0], "{requirements} on {era}");
    assert_eq!(verdicts.with("WARNING"), [""; 0], "{requirements} on {era}");
    let (_, checks) = native(requirements);
    assert_eq!(verdicts.count("SUCCESS"), checks, "{:?}", verdicts.0);
    Ok(verdicts)
}

/// The list against the fixture alone, of the list's own era: run once, whoever asks.
async fn alone(requirements: &str) -> Result<&'static Verdicts> {
    static LEGACY: OnceCell<Verdicts> = OnceCell::const_new();
    static MODERN: OnceCell<Verdicts> = OnceCell::const_new();
    let (era, _) = native(requirements);
    let known = if era == "legacy" { &LEGACY } else { &MODERN };
    known.get_or_try_init(|| direct(requirements, era)).await
}

/// The list through the gateway to a server of this era.
async fn through(requirements: &str, era: &str) -> Result<Verdicts> {
    let _turn = ONE_LIST_AT_A_TIME.lock().await;
    // The suite is a burst of clients that all are one user; its subject is not the limits.
    let wide = json!({ "rate": "10000/s", "burst": 10000, "concurrent": 1000 });
    let limits =
        json!({ "source": wide, "user": wide, "session": wide, "tool": wide, "resource": wide });
    let sessions = json!({ "idle": "30m", "absolute": "12h", "per_user": 1000 });
    let plan = Plan::default()
        .fixture(&["--era", era])
        .whole(json!({ "limits": limits }))
        .route(json!({ "sessions": sessions }));
    let world = World::start(plan).await?;
    let bearer = format!("Bearer {}", world.token("alice")?);
    let hop = Hop::start(&world.url()?, &[("authorization", &bearer)]).await?;
    Verdicts::of(hop.url(), requirements).await
}

/// Compares the two runs; a difference must be excused, and an excuse must be needed.
async fn compare(requirements: &str, era: &str) -> Result<()> {
    let measure = alone(requirements).await?;
    let ours = through(requirements, era).await?;
    let list = format!("tests/conformance/{requirements}-on-{era}.txt");
    let excused = exceptions(&place::own(&list))?;
    let worse = ours.worse_than(measure);
    let unexpected: Vec<_> = worse
        .iter()
        .filter(|worse| !excused.contains_key(&worse.check))
        .map(|worse| &worse.shown)
        .collect();
    let counts: Vec<_> = measure
        .by_scenario()
        .into_iter()
        .map(|(scenario, direct)| (scenario, direct, ours.by_scenario().get(scenario).copied()))
        .filter(|(_, direct, ours)| Some(*direct) != *ours)
        .collect();
    assert!(
        unexpected.is_empty(),
        "{requirements} on {era}: {unexpected:#?}\nscenario, direct and here (passed, failed): \
         {counts:#?}"
    );
    let stale: Vec<_> = excused
        .keys()
        .filter(|check| !worse.iter().any(|worse| worse.check == **check))
        .collect();
    assert!(stale.is_empty(), "{list}: no longer needed: {stale:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fixture_alone_passes_every_check_of_its_era() -> Result<()> {
    alone("2025-11-25").await?;
    alone("2026-07-28").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn v9_a_fixture_of_both_eras_passes_every_check_of_either() -> Result<()> {
    direct("2025-11-25", "both").await?;
    direct("2026-07-28", "both").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_a_legacy_client_meets_a_legacy_server() -> Result<()> {
    compare("2025-11-25", "legacy").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_a_modern_client_meets_a_modern_server() -> Result<()> {
    compare("2026-07-28", "modern").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_a_modern_client_meets_a_legacy_server() -> Result<()> {
    compare("2026-07-28", "legacy").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_a_legacy_client_meets_a_modern_server() -> Result<()> {
    compare("2025-11-25", "modern").await
}
