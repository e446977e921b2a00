//! Real clients that are told to step up (control 2.4, RFC 9470): they go back to where people sign in with
//! what the challenge asks for, and call again. The provider is a certified one, which signs people in more
//! strongly only if it is asked to.

use anyhow::Result;
use ringwall_tests::browser::Browser;
use ringwall_tests::dance::{agrees, authority};
use ringwall_tests::provider::{certified, driver};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};
use url::Url;

/// Everybody may do everything, but for one tool.
const MFA: &str = r#"
permit(principal, action, resource);
@id("echo-needs-a-key")
@lift("step_up: acr=phr; max_age=300")
forbid(principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"fixture/echo");
"#;

/// What a client has seen that was sent to a browser twice, and where it sent it.
async fn stepped(world: &World, version: &str, how: &str) -> Result<(Value, [Url; 2])> {
    let mut client = driver("step.mjs")?
        .arguments([version, world.url()?.as_str(), how])
        .start("authorize ")
        .await?;
    // One person, who stays signed in at the provider.
    let browser = Browser::default();
    let first: Url = client.ready().trim_start_matches("authorize ").parse()?;
    client.say(agrees(&browser, &first).await?.as_str()).await?;
    let line = client.line_starting("authorize ").await?;
    let second: Url = line.trim_start_matches("authorize ").parse()?;
    client
        .say(agrees(&browser, &second).await?.as_str())
        .await?;
    let seen = client.line_starting("{").await?;
    Ok((serde_json::from_str(&seen)?, [first, second]))
}

/// How often the tool ran.
fn runs(world: &World) -> Result<usize> {
    let journal = world.journal()?;
    let bodies = journal.iter().filter_map(|line| line.get("body")?.as_str());
    Ok(bodies
        .filter(|body| body.contains("\"tools/call\"") && body.contains("\"echo\""))
        .count())
}

fn carried(way: &Url, name: &str) -> Option<String> {
    let mut pairs = way.query_pairs();
    Some(pairs.find(|(known, _)| known == name)?.1.into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_official_clients_follow_a_challenge_to_the_provider_and_are_let_through() -> Result<()>
{
    let plan = Plan::default().policy(MFA).whole(authority(json!({})));
    let (world, _provider) = certified(plan).await?;
    for (turn, version) in ["v1", "v2"].into_iter().enumerate() {
        let (seen, [first, second]) = stepped(&world, version, "carries").await?;
        let challenged = json!({ "acr_values": "phr", "max_age": "300" });
        assert_eq!(
            (seen.get("challenged"), seen.get("call")),
            (Some(&challenged), Some(&json!("hello"))),
            "{version}: {seen}"
        );
        assert!(seen.get("other").is_some(), "{version}: {seen}");
        assert_eq!(carried(&first, "acr_values"), None, "{version}");
        assert_eq!(carried(&second, "acr_values").as_deref(), Some("phr"));
        // The call that was not allowed reached nobody, and the one that was ran once.
        assert_eq!(runs(&world)?, turn + 1, "{version}");
    }
    Ok(())
}

/// The provider signs nobody in more strongly than it was asked to, and a client that does not carry the
/// challenge on is not sent round in circles.
#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_client_that_forgets_what_was_asked_for_is_not_let_through() -> Result<()> {
    let plan = Plan::default().policy(MFA).whole(authority(json!({})));
    let (world, _provider) = certified(plan).await?;
    for version in ["v1", "v2"] {
        let (seen, [_, second]) = stepped(&world, version, "forgets").await?;
        assert_eq!(carried(&second, "acr_values"), None, "{version}");
        let refused = seen.get("call").and_then(Value::as_str).unwrap_or_default();
        assert!(refused.starts_with("refused: "), "{version}: {seen}");
    }
    assert_eq!(runs(&world)?, 0);
    let told = world.gateway.with_data(&[
        "audit",
        "search",
        "--json",
        "--verdict",
        "refused",
        "-n",
        "100",
    ]);
    assert!(told.await?.contains("step_up_unmet"));
    Ok(())
}
