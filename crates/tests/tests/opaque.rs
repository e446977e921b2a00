//! Opaque tokens of a certified OpenID provider: what they mean is asked, and revoked ones end.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::provider::Provider;
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::json;

const CLIENT: &str = "alice-agent";

/// A world that accepts the provider's tokens for its resource, which are opaque.
async fn world(cache: &str, plan: Plan) -> Result<(World, Provider)> {
    let mut provider = Provider::start(&[]).await?;
    let issuer = json!({
        "issuer": provider.issuer(), "network": "private", "algorithms": ["ES256"],
        "introspection": { "client": "ringwall", "secret": "env:PROVIDER_SECRET", "cache": cache }
    });
    let world = World::start(plan.whole(json!({ "issuers": [issuer] }))).await?;
    provider.add_opaque(&world.resource()?).await?;
    Ok((world, provider))
}

/// The status and the code that a caller with this token gets.
async fn told(world: &World, token: &str) -> Result<(u16, String)> {
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" }
    });
    let client = Client::new(&world.url()?, Some(token));
    let reply = client.send("initialize", params).await?;
    let code = match reply.status.as_u16() {
        200 => String::new(),
        _ => reply.code(),
    };
    Ok((reply.status.as_u16(), code))
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn echo(client: &Client) -> Result<String> {
    Ok(text(
        &client.call("echo", json!({ "text": "hello" })).await?,
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_accepts_an_opaque_token_of_a_certified_provider() -> Result<()> {
    let policy = r#"permit(principal, action, resource)
        when { principal.kind == "workload" && principal.groups.contains("support") };"#;
    let (world, provider) = world("30s", Plan::default().policy(policy)).await?;
    let token = provider.token(CLIENT, &world.resource()?).await?;
    assert!(!token.contains('.'), "it is opaque: {token}");
    let alice = Client::connect(&world.url()?, Some(&token)).await?;
    assert_eq!(echo(&alice).await?, "hello");
    let records = ledger(&world.gateway, &["tools/call"]).await?;
    let who = records.first().and_then(|line| line.pointer("/record/who"));
    let who = who.context("the call is not in the ledger")?;
    assert_eq!(who["issuer"], json!(provider.issuer()), "{who}");
    assert_eq!(who["client"], json!(CLIENT), "{who}");
    // The token, and the gateway's own secret at the provider, are nowhere.
    let all = json!(ledger(&world.gateway, &[]).await?).to_string();
    for kept in [all, world.journal_text()?, world.gateway.complaints()] {
        assert!(!kept.contains(&token) && !kept.contains("ringwall-secret"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_3_a_revoked_opaque_token_is_refused_and_recorded() -> Result<()> {
    let (world, provider) = world("0s", Plan::default()).await?;
    let token = provider.token(CLIENT, &world.resource()?).await?;
    let alice = Client::connect(&world.url()?, Some(&token)).await?;
    assert_eq!(echo(&alice).await?, "hello");
    provider.revoke(CLIENT, &token).await?;
    let reply = alice.send("tools/list", json!({})).await?;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        is(401, "token_inactive")
    );
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    let records = ledger(&world.gateway, &["--code", "token_inactive"]).await?;
    assert_eq!(records.len(), 1, "{records:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_an_opaque_token_is_asked_about_once_while_it_is_remembered() -> Result<()> {
    let (world, mut provider) = world("5m", Plan::default()).await?;
    let token = provider.token(CLIENT, &world.resource()?).await?;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (url, token) = (world.url()?, token.clone());
        asking.spawn(async move { Client::connect(&url, Some(&token)).await.map(drop) });
    }
    while let Some(asked) = asking.join_next().await {
        asked??;
    }
    assert_eq!(provider.asked().await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_opaque_tokens_that_are_not_good_are_refused_and_recorded() -> Result<()> {
    let (world, mut provider) = world("30s", Plan::default()).await?;
    let elsewhere = "https://elsewhere.example/mcp";
    provider.add_opaque(elsewhere).await?;
    let rows = [
        ("of nobody", "opaque-of-nobody".to_owned(), "token_inactive"),
        (
            "of the gateway's own secret",
            "ringwall-secret".to_owned(),
            "token_inactive",
        ),
        (
            "with a field of the form in it",
            "a=&token=b".replace(['=', '&'], "~"),
            "token_inactive",
        ),
        (
            "of another resource",
            provider.token(CLIENT, elsewhere).await?,
            "token_audience",
        ),
    ];
    for (name, token, code) in &rows {
        assert_eq!(told(&world, token).await?, is(401, code), "a token {name}");
    }
    assert_eq!(world.journal()?.len(), 0, "something reached the server");
    let records = ledger(&world.gateway, &["--verdict", "refused"]).await?;
    assert_eq!(records.len(), rows.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_while_the_provider_is_away_known_tokens_serve_and_unknown_ones_do_not() -> Result<()>
{
    let (world, mut provider) = world("5m", Plan::default()).await?;
    let resource = world.resource()?;
    let token = provider.token(CLIENT, &resource).await?;
    let unseen = provider.token("bob-agent", &resource).await?;
    let alice = Client::connect(&world.url()?, Some(&token)).await?;
    provider.goes_away().await?;
    assert_eq!(echo(&alice).await?, "hello");
    let away = is(503, "token_issuer_unavailable");
    assert_eq!(told(&world, &unseen).await?, away);
    assert_eq!(told(&world, "opaque-of-nobody").await?, away);
    let records = ledger(&world.gateway, &["--code", "token_issuer_unavailable"]).await?;
    assert_eq!(records.len(), 2);
    Ok(())
}

/// Routes that accept two such issuers are a mistake that is told before anything starts.
#[tokio::test(flavor = "multi_thread")]
async fn m1_two_issuers_of_opaque_tokens_on_one_route_are_refused_at_the_start() -> Result<()> {
    let asked = json!({ "client": "ringwall", "secret": "env:PROVIDER_SECRET" });
    let issuer = |name: &str| json!({ "issuer": name, "introspection": asked });
    let issuers = json!([issuer("https://a.example"), issuer("https://b.example")]);
    let started = World::start(Plan::default().whole(json!({ "issuers": issuers }))).await;
    let told = started
        .err()
        .map(|error| format!("{error:#}"))
        .unwrap_or_default();
    assert!(told.contains("more than one issuer"), "{told}");
    Ok(())
}
