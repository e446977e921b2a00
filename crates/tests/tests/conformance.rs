//! The official conformance suite, against our fixture alone and through the gateway: the same
//! checks pass.

use anyhow::Result;
use ringwall_tests::hop::Hop;
use ringwall_tests::program::Command;
use ringwall_tests::suite::{Verdicts, exceptions};
use ringwall_tests::world::{Plan, World};
use ringwall_tests::{place, suite};
use serde_json::json;

/// What the suite's own example server reaches with these requirements.
const CHECKS: usize = 84;

#[tokio::test(flavor = "multi_thread")]
async fn the_fixture_alone_passes_every_check() -> Result<()> {
    let fixture = Command::new(place::built("fixture-upstream")?)
        .start("http://")
        .await?;
    let verdicts = Verdicts::of(&fixture.ready().parse()?).await?;
    assert_eq!(verdicts.with("FAILURE"), [""; 0]);
    assert_eq!(verdicts.with("WARNING"), [""; 0]);
    assert_eq!(verdicts.count("SUCCESS"), CHECKS, "{:?}", verdicts.0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_the_same_checks_pass_through_the_gateway() -> Result<()> {
    // The suite is a burst of clients that all are one user; its subject is not the limits.
    let wide = json!({ "rate": "10000/s", "burst": 10000, "concurrent": 1000 });
    let limits =
        json!({ "source": wide, "user": wide, "session": wide, "tool": wide, "resource": wide });
    let sessions = json!({ "idle": "30m", "absolute": "12h", "per_user": 1000 });
    let plan = Plan::default()
        .whole(json!({ "limits": limits }))
        .route(json!({ "sessions": sessions }));
    let world = World::start(plan).await?;
    let bearer = format!("Bearer {}", world.token("alice")?);
    let hop = Hop::start(&world.url()?, &[("authorization", &bearer)]).await?;

    let fixture = Command::new(place::built("fixture-upstream")?)
        .start("http://")
        .await?;
    let direct = Verdicts::of(&fixture.ready().parse()?).await?;
    let through = Verdicts::of(hop.url()).await?;

    let excused = exceptions(&place::own("tests/conformance-exceptions.txt"))?;
    let worse = through.worse_than(&direct);
    let unexpected: Vec<_> = worse
        .iter()
        .filter(|line| !excused.keys().any(|check| line.starts_with(check)))
        .collect();
    assert!(
        unexpected.is_empty(),
        "{} {unexpected:#?}",
        suite::REQUIREMENTS
    );
    let stale: Vec<_> = excused
        .keys()
        .filter(|check| !worse.iter().any(|line| line.starts_with(*check)))
        .collect();
    assert!(stale.is_empty(), "no longer needed: {stale:?}");
    Ok(())
}
