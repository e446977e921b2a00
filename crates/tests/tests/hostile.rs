//! Hostile servers: changed definitions, hidden text, answers off their own schema, oversize,
//! silence, crashes, and answers that are no answers.

use anyhow::Result;
use ringwall_tests::mcp::text;
use ringwall_tests::wire;
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_a_changed_definition_is_neither_listed_nor_callable_until_approved() -> Result<()> {
    let world = World::start(Plan::default().hostile()).await?;
    let alice = world.client("alice").await?;
    assert!(alice.tools().await?.contains(&"forecast".to_owned()));
    assert_eq!(
        text(&alice.call("forecast", json!({ "city": "Bonn" })).await?),
        "sunny"
    );
    world.tamper("mutate").await?;
    assert!(
        !alice.tools().await?.contains(&"forecast".to_owned()),
        "still listed"
    );
    let answer = alice.call("forecast", json!({ "city": "Bonn" })).await?;
    assert_eq!(wire::code(&answer), "definition_changed");
    assert_eq!(
        text(
            &alice
                .call("echo", json!({ "text": "others go on" }))
                .await?
        ),
        "others go on"
    );
    let diff = world.gateway.with_data(&["tools", "diff"]).await?;
    assert!(
        diff.contains("forecast") && diff.contains("note") && diff.contains("id_ed25519"),
        "{diff}"
    );
    world
        .gateway
        .with_data(&["tools", "approve", "fixture", "forecast"])
        .await?;
    assert!(
        alice.tools().await?.contains(&"forecast".to_owned()),
        "approved, yet not listed"
    );
    assert_eq!(
        text(&alice.call("forecast", json!({ "city": "Bonn" })).await?),
        "sunny"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_with_approval_nothing_is_offered_before_somebody_looked() -> Result<()> {
    let world = World::start(Plan::default().server(json!({ "pins": "approval" }))).await?;
    let alice = world.client("alice").await?;
    assert!(alice.tools().await?.is_empty());
    let answer = alice.call("echo", json!({ "text": "now?" })).await?;
    assert_eq!(wire::code(&answer), "definition_unapproved");
    assert!(
        !world.journal_text()?.contains("now?"),
        "it reached the server"
    );
    world
        .gateway
        .with_data(&["tools", "approve", "fixture", "echo"])
        .await?;
    assert_eq!(alice.tools().await?, ["echo"]);
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "now" })).await?),
        "now"
    );
    Ok(())
}

/// What nobody would see: tag characters, bidi controls, zero-width characters, escapes.
fn hidden(text: &str) -> Vec<char> {
    let is_hidden = |c: &char| matches!(u32::from(*c), 0xE_0000..=0xE_007F | 0x202A..=0x202E | 0x200B | 0x2060 | 0x1B);
    text.chars().filter(is_hidden).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_hidden_text_is_taken_out_of_results() -> Result<()> {
    let world = World::start(Plan::default().hostile()).await?;
    let direct = world.direct().await?.call("hidden_text", json!({})).await?;
    assert!(
        hidden(&text(&direct)).len() > 20,
        "the fixture hides nothing: {direct}"
    );
    let alice = world.client("alice").await?;
    let through = alice.call("hidden_text", json!({})).await?;
    assert_eq!(hidden(&text(&through)), [' '; 0], "{through}");
    assert!(
        text(&through).contains("The ticket is closed."),
        "{through}"
    );
    assert!(text(&through).contains("password"), "{through}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_hidden_text_can_be_refused_instead() -> Result<()> {
    let plan = Plan::default()
        .hostile()
        .server(json!({ "hidden_text": "refuse" }));
    let world = World::start(plan).await?;
    let answer = world
        .client("alice")
        .await?
        .call("hidden_text", json!({}))
        .await?;
    assert_eq!(wire::code(&answer), "answer_hidden_text");
    assert!(!answer.to_string().contains("ticket"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_2_an_answer_off_its_own_schema_is_withheld() -> Result<()> {
    let world = World::start(Plan::default().hostile()).await?;
    let alice = world.client("alice").await?;
    let answer = alice.call("bad_structured", json!({})).await?;
    assert_eq!(wire::code(&answer), "answer_schema");
    assert!(!answer.to_string().contains("three"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_an_answer_that_two_readers_would_read_differently_is_withheld() -> Result<()> {
    let world = World::start(Plan::default().hostile().server(json!({ "timeout": "9s" }))).await?;
    let alice = world.client("alice").await?;
    for kind in [
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
    ] {
        let answer = alice.call("malformed", json!({ "kind": kind })).await?;
        assert!(answer.get("result").is_none(), "{kind}: {answer}");
        let fault = answer.pointer("/error/data/fault").and_then(Value::as_str);
        assert_eq!(fault, Some("upstream"), "{kind}: {answer}");
        assert!(!answer.to_string().contains("harm"), "{kind}: {answer}");
    }
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "goes on" })).await?),
        "goes on"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_an_answer_that_is_too_large_or_too_late_is_given_up() -> Result<()> {
    let limits = json!({ "answer_bytes": "1MiB" });
    let plan = Plan::default().hostile().server(json!({ "timeout": "6s" }));
    let world = World::start(plan.whole(json!({ "limits": limits }))).await?;
    let alice = world.client("alice").await?;
    assert!(text(&alice.call("huge", json!({ "n": 1000 })).await?).len() == 1000);
    for (tool, n) in [("huge", 3 << 20), ("slow", 60_000)] {
        let answer = alice.call(tool, json!({ "n": n })).await?;
        let fault = answer.pointer("/error/data/fault").and_then(Value::as_str);
        assert_eq!(fault, Some("upstream"), "{tool}: {}", wire::code(&answer));
    }
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "goes on" })).await?),
        "goes on"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_a_server_that_dies_fails_its_call_and_nothing_else() -> Result<()> {
    let world = World::start(Plan::default().hostile()).await?;
    let alice = world.client("alice").await?;
    let answer = alice.call("crash", json!({})).await?;
    let fault = answer.pointer("/error/data/fault").and_then(Value::as_str);
    assert_eq!(fault, Some("upstream"), "{answer}");
    // The gateway itself is alive and says so.
    let ping = alice.request("ping", json!({})).await?;
    assert_eq!(ping["result"], json!({}), "{ping}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_server_cannot_ask_what_the_client_did_not_offer() -> Result<()> {
    let world = World::start(Plan::default().hostile().server(json!({ "timeout": "9s" }))).await?;
    let alice = world.client("alice").await?;
    let mut events = alice
        .stream("tools/call", json!({ "name": "unasked", "arguments": {} }))
        .await?;
    let last = events.message(|message| {
        assert_ne!(
            message["method"], "sampling/createMessage",
            "it reached the client"
        );
        message.get("result").is_some() || message.get("error").is_some()
    });
    assert!(last.await?.to_string().contains("not answered"));
    Ok(())
}
