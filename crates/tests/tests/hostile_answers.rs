//! Answers that mean harm, before clients of either era: of kinds that do not exist, in bytes that two
//! readers would read differently, off their schema, with hidden text, too large, or by a definition
//! that nobody approved. None of it reaches a client, in whatever pairing.

use anyhow::Result;
use ringwall_tests::pairing::{Caller, PAIRINGS, is_recorded, recorded, world};
use ringwall_tests::world::Plan;
use serde_json::json;

/// The control of a server that fails.
const FAILS: &str = "4.3";

fn plan() -> Plan {
    let limits = json!({ "limits": { "answer_bytes": "1MiB" } });
    Plan::default().hostile().whole(limits)
}

/// The same, with a server that is given up before a caller of ours gives up.
fn hurried() -> Plan {
    plan().server(json!({ "timeout": "20s" }))
}

async fn goes_on(alice: &Caller) -> Result<()> {
    let told = alice.told("echo", json!({ "text": "goes on" })).await?;
    assert_eq!(told.outcome(), "goes on");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_an_answer_that_is_none_is_withheld_in_every_pairing() -> Result<()> {
    const KINDS: [&str; 11] = [
        "duplicate_keys",
        "duplicate_inside",
        "case_variant",
        "result_and_error",
        "other_id",
        "batch",
        "trailing",
        "truncated",
        "deep",
        "invalid_utf8",
        "lone_surrogate",
    ];
    for (client, server) in PAIRINGS {
        let world = world(hurried(), server).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        for kind in KINDS {
            let told = alice.told("malformed", json!({ "kind": kind })).await?;
            let name = format!("{client:?} {server:?} {kind}: {told:?}");
            let fault = told
                .said
                .last()
                .and_then(|last| last.pointer("/error/data/fault"));
            assert_eq!(fault, Some(&json!("upstream")), "{name}");
            assert!(!told.mentions("harm") && told.answers() == 1, "{name}");
            is_recorded(
                &world,
                "alice",
                &told.outcome(),
                &told.control().unwrap_or_default(),
            )
            .await?;
        }
        goes_on(&alice).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_2_n1_4_n4_4_answers_are_screened_in_every_pairing() -> Result<()> {
    let hidden = |c: char| matches!(u32::from(c), 0xE_0000..=0xE_007F | 0x202A..=0x202E | 0x200B | 0x2060 | 0x1B);
    for (client, server) in PAIRINGS {
        let world = world(plan(), server).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        let name = format!("{client:?} {server:?}");
        let told = alice.told("hidden_text", json!({})).await?;
        assert!(told.mentions("The ticket is closed."), "{name}: {told:?}");
        assert!(!told.outcome().contains(hidden), "{name}: {told:?}");
        let found = recorded(&world, &["--user", "alice", "--control", "1.4"]).await?;
        assert_eq!(found["subject"], "hidden_text", "{name}: {found}");
        for (tool, arguments, code, control) in [
            ("bad_structured", json!({}), "answer_schema", "1.2"),
            ("huge", json!({ "n": 3 << 20 }), "upstream_too_large", FAILS),
        ] {
            let told = alice.told(tool, arguments).await?;
            assert_eq!(told.outcome(), code, "{name} {tool}");
            assert!(
                !told.mentions("three") && !told.mentions("xxxx"),
                "{name}: {told:?}"
            );
            is_recorded(&world, "alice", code, control).await?;
        }
        // One server dies: its call fails, and the gateway lives.
        let told = alice.told("crash", json!({})).await?;
        let fault = told
            .said
            .last()
            .and_then(|last| last.pointer("/error/data/fault"));
        assert_eq!(fault, Some(&json!("upstream")), "{name}: {told:?}");
        is_recorded(&world, "alice", &told.outcome(), FAILS).await?;
        let after = alice
            .told("echo", json!({ "text": "nobody there" }))
            .await?;
        assert!(
            after.control().is_some() && after.answers() == 1,
            "{name}: {after:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_a_changed_definition_is_out_of_reach_in_every_pairing() -> Result<()> {
    for (client, server) in PAIRINGS {
        let world = world(plan(), server).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        let call = || alice.told("forecast", json!({ "city": "Bonn" }));
        assert_eq!(call().await?.outcome(), "sunny", "{client:?} {server:?}");
        let mut heard = alice.listen().await?;
        world.tamper("mutate").await?;
        heard
            .message(|told| told["method"] == "notifications/tools/list_changed")
            .await?;
        assert_eq!(
            call().await?.outcome(),
            "definition_changed",
            "{client:?} {server:?}"
        );
        is_recorded(&world, "alice", "definition_changed", "9.2").await?;
        let listed = alice
            .send("tools/list", json!({}))
            .await?
            .json()?
            .to_string();
        assert!(
            listed.contains("\"echo\"") && !listed.contains("\"forecast\""),
            "{listed}"
        );
        assert!(
            !listed.contains("id_ed25519"),
            "{client:?} {server:?}: {listed}"
        );
        goes_on(&alice).await?;
    }
    Ok(())
}
