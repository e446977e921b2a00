//! Callers who have to prove more than their token shows (control 2.4): challenged in words that clients
//! know, let through once they have shown it, and never sent round in circles.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringwall_tests::entra_shaped::{ALICE, EntraShaped};
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::pipe;
use ringwall_tests::place::now;
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::{Reply, code};
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};

/// Everybody may do everything, but for one tool.
const MFA: &str = r#"
permit(principal, action, resource);
@id("echo-needs-a-key")
@lift("step_up: mfa")
forbid(principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"fixture/echo");
"#;

fn plan(policy: &str) -> Plan {
    let mfa = json!({ "mfa": { "acr": ["phr", "phrh"], "acrs": "c1", "max_age": "5m" } });
    Plan::default()
        .policy(policy)
        .whole(json!({ "step_up": mfa }))
}

/// Somebody at the gateway, with what their provider has said of them.
struct Alice<'w> {
    world: &'w World,
    claims: Value,
}

impl<'w> Alice<'w> {
    fn new(world: &'w World) -> Self {
        let claims = json!({});
        Alice { world, claims }
    }

    fn token(&self) -> Result<String> {
        let claims = overlaid(self.claims.clone(), &json!({ "jti": uniquely() }));
        let resource = self.world.resource()?;
        self.world
            .issuer
            .sign_changed(&resource, &json!({}), &claims)
    }

    async fn calls_with(&self, token: &str) -> Result<Reply> {
        let client = Client::connect(&self.world.url()?, Some(token)).await?;
        let call = json!({ "name": "echo", "arguments": { "text": "hello" } });
        client.send("tools/call", call).await
    }

    async fn calls(&self) -> Result<Reply> {
        self.calls_with(&self.token()?).await
    }

    /// Signs in again as a challenge says: with what is asked for first, and now.
    fn follows(&mut self, challenge: &str) {
        let acr = parameter(challenge, "acr_values").unwrap_or_default();
        let acr = acr.split(' ').next().unwrap_or_default();
        self.claims = overlaid(
            self.claims.clone(),
            &json!({ "acr": acr, "auth_time": now() }),
        );
    }
}

fn uniquely() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("token-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A parameter of a challenge.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The challenge for whoever brings a bearer token.
fn challenge(reply: &Reply) -> Result<String> {
    let all = reply.headers.get_all("www-authenticate").iter();
    let mut texts = all.filter_map(|value| value.to_str().ok());
    let found = texts.find(|text| text.starts_with("Bearer "));
    Ok(found
        .with_context(|| format!("no challenge: {reply:?}"))?
        .to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_challenge_is_followed_and_the_call_is_allowed_until_it_is_too_long_ago()
-> Result<()> {
    let world = World::start(plan(MFA)).await?;
    let mut alice = Alice::new(&world);
    // How strongly she signed in, and how many seconds before the call.
    for (acr, ago, lets) in [
        (None, None, false),
        (Some("pwd"), Some(0), false),
        (Some("phrh"), Some(0), true),
        (Some("phr"), Some(240), true),
        (Some("phr"), Some(310), false),
        (Some("phr"), None, false),
    ] {
        let at = ago.map(|ago: u64| now() - ago);
        alice.claims = overlaid(json!({}), &json!({ "acr": acr, "auth_time": at }));
        let reply = alice.calls().await?;
        if lets {
            assert_eq!(text(&reply.json()?), "hello", "{}", alice.claims);
            continue;
        }
        assert_eq!(reply.status, 401, "{} {reply:?}", alice.claims);
        assert_eq!(reply.code(), "step_up_needed");
        assert_eq!(reply.control().as_deref(), Some("2.4"));
        let told = challenge(&reply)?;
        let expected = [
            ("error", "insufficient_user_authentication"),
            ("acr_values", "phr phrh"),
            ("max_age", "300"),
        ];
        for (name, value) in expected {
            assert_eq!(parameter(&told, name).as_deref(), Some(value), "{told}");
        }
        assert!(parameter(&told, "resource_metadata").is_some(), "{told}");
        let data = reply.json()?["error"]["data"]["step_up"].clone();
        assert_eq!(
            data,
            json!({ "acr_values": ["phr", "phrh"], "max_age": 300 })
        );
        alice.follows(&told);
        assert_eq!(text(&alice.calls().await?.json()?), "hello", "{told}");
    }
    // What is forbidden is forbidden by this policy alone.
    let client = world.client("alice").await?;
    let answer = client.call("test_simple_text", json!({})).await?;
    assert_ne!(text(&answer), "step_up_needed");
    let refused = ledger(&world.gateway, &["--verdict", "refused", "-n", "100"]).await?;
    assert_eq!(refused.len(), 4);
    for line in &refused {
        let determining = &line["record"]["policy"]["determining"];
        assert_eq!(determining, &json!(["echo-needs-a-key"]), "{line}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_whoever_comes_back_with_no_more_is_told_so_and_not_asked_again() -> Result<()> {
    let world = World::start(plan(MFA)).await?;
    let mut alice = Alice::new(&world);
    let token = alice.token()?;
    for _ in 0..3 {
        // The same token: several calls that were under way, and nothing that was asked for yet.
        assert_eq!(alice.calls_with(&token).await?.status, 401);
    }
    let reply = alice.calls().await?;
    assert_eq!(
        (reply.status.as_u16(), &*reply.code()),
        (403, "step_up_unmet")
    );
    assert!(reply.header("www-authenticate").is_none(), "{reply:?}");
    // Another client of hers was not asked yet, and somebody else neither.
    alice.claims = json!({ "client_id": "another" });
    assert_eq!(alice.calls().await?.status, 401);
    alice.claims = json!({ "sub": "bob" });
    assert_eq!(alice.calls().await?.status, 401);
    // Once she has shown it, she is asked anew when it is too long ago.
    alice.claims = json!({ "acr": "phr", "auth_time": now() });
    assert_eq!(text(&alice.calls().await?.json()?), "hello");
    alice.claims = json!({ "acr": "phr", "auth_time": now() - 301 });
    assert_eq!(alice.calls().await?.status, 401);
    assert_eq!(alice.calls().await?.status, 403);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_stateless_client_is_asked_by_status_too() -> Result<()> {
    let world = World::start(plan(MFA)).await?;
    let mut alice = Alice::new(&world);
    let call = json!({ "name": "echo", "arguments": { "text": "hello" } });
    let client = Stateless::new(&world.url()?, Some(&alice.token()?));
    let reply = client.send("tools/call", call.clone()).await?;
    assert_eq!(
        (reply.status.as_u16(), &*reply.code()),
        (401, "step_up_needed")
    );
    alice.follows(&challenge(&reply)?);
    let client = Stateless::new(&world.url()?, Some(&alice.token()?));
    let reply = client.send("tools/call", call).await?;
    assert_eq!(text(&reply.json()?), "hello");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_scopes_are_asked_for_all_at_once_with_those_the_token_has() -> Result<()> {
    let policy = r#"
        permit(principal, action, resource);
        @lift("scope: files:write files:send")
        forbid(principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"fixture/echo");
        @lift("scope: echo")
        forbid(principal, action == Ringwall::Action::"call", resource in Ringwall::Server::"fixture");
    "#;
    let route = json!({ "scopes": ["mcp:tools"] });
    let world = World::start(plan(policy).route(route)).await?;
    let mut alice = Alice::new(&world);
    alice.claims = json!({ "scope": "mcp:tools files:write profile" });
    let reply = alice.calls().await?;
    assert_eq!(
        (reply.status.as_u16(), &*reply.code()),
        (403, "token_scope")
    );
    let told = challenge(&reply)?;
    assert_eq!(
        parameter(&told, "error").as_deref(),
        Some("insufficient_scope")
    );
    let scopes = parameter(&told, "scope").context("no scopes")?;
    let mut sorted: Vec<&str> = scopes.split(' ').collect();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        ["echo", "files:send", "files:write", "mcp:tools", "profile"]
    );
    assert!(parameter(&told, "resource_metadata").is_some(), "{told}");
    // A provider that grants no more than before is asked once.
    alice.claims = json!({ "scope": "mcp:tools files:write files:send profile" });
    let reply = alice.calls().await?;
    assert_eq!(
        (reply.status.as_u16(), &*reply.code()),
        (403, "scope_unmet")
    );
    assert!(reply.header("www-authenticate").is_none());
    alice.claims = json!({ "scope": scopes });
    assert_eq!(text(&alice.calls().await?.json()?), "hello");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_entra_shaped_callers_get_a_claims_challenge() -> Result<()> {
    let entra = EntraShaped::start().await?;
    let mfa = json!({ "mfa": { "acr": ["phr"], "acrs": "c1" } });
    let whole = json!({ "issuers": [entra.issuer(&json!({}))], "step_up": mfa });
    let world = World::start(Plan::default().policy(MFA).whole(whole)).await?;
    let calls = async |changes: Value| {
        let token = entra.sign(
            &entra.claims(ALICE),
            &overlaid(changes, &json!({ "uti": uniquely() })),
        )?;
        Alice::new(&world).calls_with(&token).await
    };
    // What others show by `acr` these show by `acrs`.
    for changes in [
        json!({}),
        json!({ "acr": "phr" }),
        json!({ "acrs": ["c2"] }),
    ] {
        let reply = calls(overlaid(changes.clone(), &json!({ "azp": uniquely() }))).await?;
        assert_eq!(
            (reply.status.as_u16(), &*reply.code()),
            (401, "step_up_needed"),
            "{changes}"
        );
        let told = challenge(&reply)?;
        assert_eq!(
            parameter(&told, "error").as_deref(),
            Some("insufficient_claims"),
            "{told}"
        );
        assert_eq!(parameter(&told, "acr_values"), None, "{told}");
        let claims = STANDARD.decode(parameter(&told, "claims").context("no claims")?)?;
        let claims: Value = serde_json::from_slice(&claims)?;
        let wanted = json!({ "access_token": { "acrs": { "essential": true, "value": "c1" } } });
        assert_eq!(claims, wanted);
    }
    let context = json!({ "acrs": ["c2", "c1"] });
    assert_eq!(text(&calls(context).await?.json()?), "hello");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_over_a_pipe_it_is_said_that_nothing_can_be_shown() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let policy = r#"
        permit(principal, action, resource);
        @lift("step_up: acr=phr")
        forbid(principal, action == Ringwall::Action::"call", resource) when { resource.name == "echo" };
    "#;
    let mut pipe = pipe::with_policy(folder.path(), policy).await?;
    let answer = pipe::call(&mut pipe, "echo", json!({ "text": "hello" })).await?;
    assert_eq!(code(&answer), "step_up_impossible", "{answer}");
    assert!(
        answer["error"]["message"]
            .as_str()
            .context("no text")?
            .contains("identity provider")
    );
    Ok(())
}
