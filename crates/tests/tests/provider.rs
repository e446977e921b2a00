//! A certified OpenID provider issues the tokens: ES256, `at+jwt`, with resource indicators.

use anyhow::Result;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::place;
use ringwall_tests::program::Command;
use ringwall_tests::provider::Provider;
use ringwall_tests::wire::{self, Outgoing};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

/// Only support may move money.
const SUPPORT_TRANSFERS: &str = r#"
permit(principal, action, resource);
forbid(principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"fixture/transfer_money")
unless { principal.groups.contains("support") };
"#;

/// A world whose tokens come from the provider, which knows the world's resource.
async fn world(plan: Plan) -> Result<(World, Provider)> {
    let mut provider = Provider::start(&[]).await?;
    let issuer = json!({
        "issuer": provider.issuer(), "network": "private", "algorithms": ["ES256"],
        "claims": { "user": "sub", "client": "client_id", "groups": "groups", "scopes": "scope" }
    });
    let world = World::start(plan.whole(json!({ "issuers": [issuer] }))).await?;
    provider.add_resource(&world.resource()?).await?;
    Ok((world, provider))
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_accepts_the_token_of_a_certified_provider() -> Result<()> {
    let (world, provider) = world(Plan::default()).await?;
    let token = provider.token("alice-agent", &world.resource()?).await?;
    let alice = Client::connect(&world.url()?, Some(&token)).await?;
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "hello" })).await?),
        "hello"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_2_refuses_its_token_for_another_resource() -> Result<()> {
    let (world, mut provider) = world(Plan::default()).await?;
    let other = "https://elsewhere.example/mcp";
    provider.add_resource(other).await?;
    let token = provider.token("alice-agent", other).await?;
    let client = Client::new(&world.url()?, Some(&token));
    let reply = client.send("initialize", initialize()).await?;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (401, "token_audience")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_follows_a_rotation_of_its_keys() -> Result<()> {
    let (world, mut provider) = world(Plan::default()).await?;
    let old = provider.token("alice-agent", &world.resource()?).await?;
    Client::connect(&world.url()?, Some(&old)).await?;
    provider.rotate().await?;
    let new = provider.token("alice-agent", &world.resource()?).await?;
    for token in [&new, &old] {
        let alice = Client::connect(&world.url()?, Some(token)).await?;
        assert_eq!(
            text(&alice.call("echo", json!({ "text": "hello" })).await?),
            "hello"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_3_its_groups_decide_what_may_be_called() -> Result<()> {
    let (world, provider) = world(Plan::default().policy(SUPPORT_TRANSFERS)).await?;
    let transfer = json!({ "to": "savings", "amount": 5 });
    let resource = world.resource()?;
    let alice = Client::connect(
        &world.url()?,
        Some(&provider.token("alice-agent", &resource).await?),
    )
    .await?;
    assert_eq!(
        text(&alice.call("transfer_money", transfer.clone()).await?),
        "moved 5 to savings"
    );
    let bob = Client::connect(
        &world.url()?,
        Some(&provider.token("bob-agent", &resource).await?),
    )
    .await?;
    let answer = bob.call("transfer_money", transfer).await?;
    assert_eq!(wire::code(&answer), "policy_denied");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_the_challenge_leads_to_the_provider() -> Result<()> {
    let (world, provider) = world(Plan::default()).await?;
    let reply = Client::new(&world.url()?, None)
        .send("initialize", initialize())
        .await?;
    assert_eq!(reply.status, 401);
    let challenge = reply
        .header("www-authenticate")
        .unwrap_or_default()
        .to_owned();
    let metadata = challenge
        .split("resource_metadata=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let url = metadata.unwrap_or_default().parse()?;
    let document: Value = Outgoing::new(http::Method::GET, &url)
        .send()
        .await?
        .json()?;
    assert_eq!(document["resource"], json!(world.resource()?), "{document}");
    assert_eq!(
        document["authorization_servers"],
        json!([provider.issuer()]),
        "{document}"
    );
    Ok(())
}

fn initialize() -> Value {
    json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } })
}

/// Keys that are known serve through an outage; a token of a key that is not known is neither good nor
/// bad.
#[tokio::test(flavor = "multi_thread")]
async fn n2_1_while_the_provider_is_away_known_keys_serve_and_unknown_ones_do_not() -> Result<()> {
    let (world, mut provider) = world(Plan::default()).await?;
    let resource = world.resource()?;
    let known = provider.token("alice-agent", &resource).await?;
    let unseen = provider.token("bob-agent", &resource).await?;
    let alice = Client::connect(&world.url()?, Some(&known)).await?;
    provider.rotate().await?;
    let rotated = provider.token("alice-agent", &resource).await?;
    provider.goes_away().await?;
    let said = text(&alice.call("echo", json!({ "text": "hello" })).await?);
    assert_eq!(said, "hello");
    // Never seen, but signed with a key that is held.
    Client::connect(&world.url()?, Some(&unseen)).await?;
    let client = Client::new(&world.url()?, Some(&rotated));
    let reply = client.send("initialize", initialize()).await?;
    let told = (reply.status.as_u16(), reply.code());
    assert_eq!(told, (503, "token_issuer_unavailable".to_owned()));
    Ok(())
}

/// What a request with this token is answered.
async fn told(world: &World, token: &str) -> Result<(u16, String)> {
    let client = Client::new(&world.url()?, Some(token));
    let reply = client.send("initialize", initialize()).await?;
    let code = match reply.status.is_success() {
        true => String::new(),
        false => reply.code(),
    };
    Ok((reply.status.as_u16(), code))
}

/// A gateway that starts while the provider is away knows the keys that it knew before.
#[tokio::test(flavor = "multi_thread")]
async fn n2_1_known_keys_serve_after_a_restart_while_the_provider_is_away() -> Result<()> {
    let (mut world, mut provider) = world(Plan::default()).await?;
    let resource = world.resource()?;
    let known = provider.token("alice-agent", &resource).await?;
    let unseen = provider.token("bob-agent", &resource).await?;
    Client::connect(&world.url()?, Some(&known)).await?;
    provider.rotate().await?;
    let rotated = provider.token("alice-agent", &resource).await?;
    world.gateway.terminate().await?;
    provider.ends().await?;
    for _ in 0..2 {
        world.gateway.start_again().await?;
        let alice = Client::connect(&world.url()?, Some(&known)).await?;
        let said = text(&alice.call("echo", json!({ "text": "hello" })).await?);
        assert_eq!(said, "hello");
        Client::connect(&world.url()?, Some(&unseen)).await?;
        let unknown = told(&world, &rotated).await?;
        assert_eq!(unknown, (503, "token_issuer_unavailable".to_owned()));
        world.gateway.terminate().await?;
    }
    Ok(())
}

/// Changes the keys that are kept, as whoever can write the gateway's files could.
const SPOIL: &str = r#"
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
rows = store.execute("SELECT value FROM rows WHERE kind = 'key_set'").fetchall()
assert len(rows) == 1 and b"kty" not in rows[0][0], rows
changed = bytes(rows[0][0][:-1]) + bytes([rows[0][0][-1] ^ 1])
store.execute("UPDATE rows SET value = ? WHERE kind = 'key_set'", (changed,))
store.commit()
"#;

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_keys_that_were_changed_on_disk_are_not_used_and_the_ledger_says_so() -> Result<()> {
    let (mut world, mut provider) = world(Plan::default()).await?;
    let known = provider.token("alice-agent", &world.resource()?).await?;
    Client::connect(&world.url()?, Some(&known)).await?;
    world.gateway.terminate().await?;
    provider.goes_away().await?;
    let python = Command::new(place::python()?).arguments(["-c", SPOIL]);
    let store = world.path().join("data/state.db");
    python.argument(store).run().await?.success()?;
    world.gateway.start_again().await?;
    let refused = told(&world, &known).await?;
    assert_eq!(refused, (503, "token_issuer_unavailable".to_owned()));
    let events = world.events("keys.spoilt", 1).await?;
    let subject = events[0].pointer("/record/subject");
    assert_eq!(subject, Some(&json!(provider.issuer())));
    Ok(())
}

/// Many callers while the keys change twice: nobody who has a good token hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn n2_1_a_rotation_under_load_refuses_nobody() -> Result<()> {
    let (world, mut provider) = world(Plan::default()).await?;
    let resource = world.resource()?;
    let mut calling = tokio::task::JoinSet::new();
    for round in 0..3 {
        for _ in 0..10 {
            let token = provider.token("alice-agent", &resource).await?;
            let url = world.url()?;
            calling.spawn(async move {
                let alice = Client::connect(&url, Some(&token)).await?;
                let said = alice.call("echo", json!({ "text": "hello" })).await?;
                anyhow::ensure!(text(&said) == "hello", "{said}");
                Ok(())
            });
        }
        // One spare fetch comes right after the first; a third set of keys waits for its turn.
        if round < 1 {
            provider.rotate().await?;
        }
    }
    while let Some(called) = calling.join_next().await {
        called??;
    }
    Ok(())
}
