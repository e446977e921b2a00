//! What the demo tries, scene by scene.

use super::caller::Caller;
use super::page::Page;
use super::workshop::{self, Workshop};
use super::world::{ALICE, BOB, World};
use anyhow::Context;
use inspect::pin::{self, Risk};
use inspect::text;
use serde_json::{Value, json};

/// More calls than the demo's limit lets through at once.
const MANY: usize = 12;

/// Plays every scene.
pub(super) async fn play(world: &World, page: &mut Page) -> anyhow::Result<()> {
    let mut alice = world.caller(ALICE, "/workshop")?;
    let mut bob = world.caller(BOB, "/workshop")?;
    allowed(&mut alice, page).await?;
    filtered(&alice, &mut bob, page).await?;
    over_stdio(world, page).await?;
    without_token(world, page).await?;
    other_audience(world, page).await?;
    foreign_session(&alice, &bob, page).await?;
    off_schema(&alice, page).await?;
    denied(&alice, &bob, page).await?;
    too_often(&alice, page).await?;
    hidden_text(&alice, page).await?;
    rug_pull(world, &alice, page).await
}

async fn allowed(alice: &mut Caller, page: &mut Page) -> anyhow::Result<()> {
    page.scene("A call that policy permits");
    let opened = alice.connect().await?;
    let server = opened
        .body
        .pointer("/result/serverInfo/name")
        .and_then(Value::as_str);
    page.claim(
        server == Some("workshop"),
        "alice, of the group support, opens a session at /workshop",
    );
    page.tries("alice calls read_ticket {\"id\": 4711}");
    let heard = alice.call("read_ticket", json!({ "id": 4711 })).await?;
    page.allowed(&heard, "label printer");
    Ok(())
}

async fn filtered(alice: &Caller, bob: &mut Caller, page: &mut Page) -> anyhow::Result<()> {
    page.scene("A list, filtered by policy for each user");
    bob.connect().await?;
    for (caller, name, expected) in [
        (
            alice,
            "alice",
            &[
                "search_docs",
                "read_ticket",
                "close_ticket",
                "weather_report",
            ][..],
        ),
        (
            &*bob,
            "bob, of the group intern,",
            &["search_docs", "weather_report"],
        ),
    ] {
        let (tools, _) = caller.tools().await?;
        page.claim(
            tools == expected,
            &format!("{name} is shown {}", tools.join(", ")),
        );
    }
    Ok(())
}

async fn over_stdio(world: &World, page: &mut Page) -> anyhow::Result<()> {
    page.scene("The same door for a server that is a process");
    let mut bob = world.caller(BOB, "/clock")?;
    bob.connect().await?;
    page.tries("bob calls now {\"offset_hours\": 2} at /clock");
    let heard = bob.call("now", json!({ "offset_hours": 2 })).await?;
    page.allowed(&heard, "UTC+2");
    Ok(())
}

async fn without_token(world: &World, page: &mut Page) -> anyhow::Result<()> {
    page.scene("A call without a token");
    page.tries("somebody sends initialize to /workshop");
    let heard = world.stranger("/workshop")?.connect().await?;
    page.refused(&heard, 401, "bearer_missing", controls::M2);
    let challenge = heard.challenge.unwrap_or_default();
    page.claim(
        challenge.contains("resource_metadata=")
            && challenge.contains("/.well-known/oauth-protected-resource/workshop"),
        "the challenge says where to learn which issuer to ask",
    );
    page.note(&challenge);
    Ok(())
}

async fn other_audience(world: &World, page: &mut Page) -> anyhow::Result<()> {
    page.scene("A token that is for another route");
    page.tries("alice sends her good token for /clock to /workshop");
    let mut caller = world
        .stranger("/workshop")?
        .with_token(world.token(ALICE, "/clock")?);
    let heard = caller.connect().await?;
    page.refused(&heard, 401, "token_audience", controls::M1);
    Ok(())
}

async fn foreign_session(alice: &Caller, bob: &Caller, page: &mut Page) -> anyhow::Result<()> {
    page.scene("The session of another user");
    page.tries("bob calls search_docs with his own token and alice's session id");
    let heard = bob
        .with_session_of(alice)
        .call("search_docs", json!({ "query": "printer" }))
        .await?;
    page.refused(&heard, 404, "session_unknown", controls::N8_2);
    Ok(())
}

async fn off_schema(alice: &Caller, page: &mut Page) -> anyhow::Result<()> {
    page.scene("Arguments that the tool's schema does not name");
    let arguments = json!({ "id": 4711, "path": "../../etc/passwd" });
    page.tries(&format!("alice calls read_ticket {arguments}"));
    let heard = alice.call("read_ticket", arguments).await?;
    page.refused(&heard, 200, "arguments_schema", controls::N1_2);
    let is_result = heard.body.pointer("/result/isError") == Some(&Value::Bool(true));
    page.claim(
        is_result,
        "the model hears it as a tool result, and can do better",
    );
    Ok(())
}

async fn denied(alice: &Caller, bob: &Caller, page: &mut Page) -> anyhow::Result<()> {
    page.scene("Tools that policy denies");
    page.tries(
        "alice calls close_ticket {\"id\": 4712}: only leads may, and she sees that it exists",
    );
    let heard = alice.call("close_ticket", json!({ "id": 4712 })).await?;
    page.refused(&heard, 200, "policy_denied", controls::N2_2);
    page.tries("bob calls read_ticket {\"id\": 4711}: for him there is no such tool");
    let heard = bob.call("read_ticket", json!({ "id": 4711 })).await?;
    page.refused(&heard, 200, "tool_unknown", controls::N2_2);
    Ok(())
}

async fn too_often(alice: &Caller, page: &mut Page) -> anyhow::Result<()> {
    page.scene("A limit: six calls of a tool a minute, five at once");
    page.tries("alice calls read_ticket over and over");
    let mut through = 0;
    for _ in 0..MANY {
        let heard = alice.call("read_ticket", json!({ "id": 4713 })).await?;
        let Some(refusal) = heard.refusal() else {
            through += 1;
            continue;
        };
        page.claim(
            through > 0,
            &format!("{through} more calls are let through"),
        );
        page.refused(&heard, 200, "rate_limit", controls::N4_1);
        let wait = refusal.retry_after_ms.unwrap_or(0);
        page.claim(
            (1..=60_000).contains(&wait),
            &format!(
                "she hears when to come back: in {:.1} s",
                wait as f64 / 1000.0
            ),
        );
        return Ok(());
    }
    page.claim(false, "the limit is kept");
    Ok(())
}

async fn hidden_text(alice: &Caller, page: &mut Page) -> anyhow::Result<()> {
    page.scene("Text in a result that people do not see and models do");
    page.tries("alice calls weather_report {\"city\": \"Ulm\"}");
    let heard = alice
        .call("weather_report", json!({ "city": "Ulm" }))
        .await?;
    page.allowed(&heard, "rain from noon");
    let sent = Workshop::report("Ulm");
    let (before, after) = (text::examine(&sent), text::examine(heard.text()));
    let count = before.count(text::Hidden::Tag);
    page.claim(
        after.is_clean() && count > 0,
        &format!(
            "{count} invisible characters of the server are gone (control {})",
            controls::N1_4
        ),
    );
    let said = text::decode_tags(&sent);
    page.claim(
        said == workshop::SMUGGLED && !heard.body.to_string().contains(&said),
        &format!("they said: `{said}`"),
    );
    Ok(())
}

async fn rug_pull(world: &World, alice: &Caller, page: &mut Page) -> anyhow::Result<()> {
    page.scene("A tool that becomes another after it was trusted");
    let tool = workshop::TURNED;
    page.tries(&format!("alice calls {tool} {{\"query\": \"printer\"}}"));
    let heard = alice.call(tool, json!({ "query": "printer" })).await?;
    page.allowed(&heard, "turn the roll");
    world.workshop().turn();
    page.tries(&format!(
        "now the server changes the definition of {tool}; alice lists and calls"
    ));
    let (tools, _) = alice.tools().await?;
    page.claim(
        !tools.iter().any(|name| name == tool) && tools.len() == 3,
        &format!("the list is without it: {}", tools.join(", ")),
    );
    let heard = alice
        .call(
            tool,
            json!({ "query": "printer", "context": "what a key holds" }),
        )
        .await?;
    page.refused(&heard, 200, "definition_changed", controls::N9_2);
    page.tries("what the operator sees:");
    let pinned = world
        .gate()
        .pins
        .of("workshop")?
        .remove(tool)
        .context("the tool has no pin")?;
    let seen = world
        .gate()
        .pins
        .sighting("workshop", tool)?
        .context("the change was not kept")?;
    let changes = pin::diff(&pinned.definition, &seen.definition);
    for change in &changes {
        let risk = match change.risk {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
            Risk::Critical => "critical",
        };
        page.note(&format!("{} ({risk}: {})", change.pointer, change.why));
        for (sign, value) in [('-', &change.before), ('+', &change.after)] {
            if let Some(value) = value {
                page.note(&format!("  {sign} {value}"));
            }
        }
    }
    let named = |pointer: &str| {
        changes
            .iter()
            .any(|change| change.pointer.starts_with(pointer))
    };
    page.claim(
        named("/description") && named("/inputSchema"),
        &format!(
            "both changes are found: {} fields differ from the pinned definition",
            changes.len()
        ),
    );
    Ok(())
}
