//! The gateway as the authorization server that clients see (controls M3, 2.3): a person agrees, signs in
//! where they always do, and what comes of it is a caller like any other.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::browser::Browser;
use ringwall_tests::dance::{Dancer, Tokens, authority};
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::wire::{Outgoing, Reply};
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};

async fn world() -> Result<World> {
    World::start(Plan::default().whole(authority(json!({})))).await
}

async fn echoes(world: &World, token: &str) -> Result<()> {
    let client = Client::connect(&world.url()?, Some(token)).await?;
    let answer = client.call("echo", json!({ "text": "hello" })).await?;
    anyhow::ensure!(text(&answer) == "hello", "{answer}");
    Ok(())
}

/// Why this token opens nothing.
async fn refused(world: &World, token: &str) -> Result<String> {
    let client = Client::new(&world.url()?, Some(token));
    let opening = ringwall_tests::proofs::opening();
    let reply = client.post(&opening).await?;
    Ok(format!("{} {}", reply.status.as_u16(), reply.code()))
}

fn error(reply: &Reply) -> (u16, String) {
    let code = reply.json().ok();
    let code = code.and_then(|it| Some(it.get("error")?.as_str()?.to_owned()));
    (reply.status.as_u16(), code.unwrap_or_default())
}

async fn document(world: &World, path: &str) -> Result<Value> {
    let url = world.gateway.at(path)?;
    Outgoing::new(Method::GET, &url).send().await?.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_client_is_let_act_for_a_person_who_is_the_same_whichever_way_they_came() -> Result<()>
{
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let code = dancer.code(&Browser::default()).await?;
    let tokens = dancer.redeem(&code).await?;
    assert_eq!(tokens.answer["token_type"], "Bearer");
    assert_eq!(tokens.answer["expires_in"], 300);
    echoes(&world, &tokens.access).await?;
    // The same person with a token of the provider itself.
    echoes(&world, &world.token("alice")?).await?;
    let records = ledger(&world.gateway, &[]).await?;
    let calls = records
        .iter()
        .filter(|it| it.pointer("/record/kind") == Some(&json!("call")));
    let who: Vec<&Value> = calls.filter_map(|it| it.pointer("/record/who")).collect();
    let of = |member: &str| -> Vec<&Value> { who.iter().filter_map(|it| it.get(member)).collect() };
    let users = of("user");
    assert!(
        users.len() >= 2 && users.iter().all(|user| user == &users[0]),
        "{who:?}"
    );
    assert!(
        of("issuer")
            .iter()
            .all(|it| **it == json!(world.issuer.url())),
        "{who:?}"
    );
    assert!(of("client").contains(&&json!(dancer.id)), "{who:?}");
    let record = format!("{records:?}{}", world.gateway.complaints());
    for secret in [&code, &tokens.access, &tokens.refresh] {
        assert!(!record.contains(&**secret));
    }
    for name in [
        "client.registered",
        "consent.shown",
        "consent.given",
        "code.issued",
        "token.issued",
    ] {
        assert_eq!(world.events(name, 1).await?.len(), 1, "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_clients_are_led_here_first_and_told_what_there_is() -> Result<()> {
    let world = world().await?;
    let base = world.gateway.at("/")?.to_string();
    let base = base.trim_end_matches('/');
    let resource = document(&world, "/.well-known/oauth-protected-resource/fixture").await?;
    let expected = json!([base, world.issuer.url()]);
    assert_eq!(resource["authorization_servers"], expected);
    let metadata = document(&world, "/.well-known/oauth-authorization-server").await?;
    assert_eq!(metadata["issuer"], base);
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        json!(["S256"])
    );
    assert_eq!(
        metadata["registration_endpoint"],
        format!("{base}/register")
    );
    assert!(
        metadata
            .get("client_id_metadata_document_supported")
            .is_none()
    );
    let keys = document(&world, "/authority/jwks").await?;
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1));
    assert!(!keys.to_string().contains("\"d\""));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_nobody_is_sent_to_the_provider_before_they_agreed() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let browser = Browser::default();
    let page = dancer.asks(&browser).await?;
    assert!(page.reply.header("location").is_none() && page.reply.header("refresh").is_none());
    let html = page.html();
    assert!(
        !html.contains(&format!("{}/", world.issuer.url())),
        "{html}"
    );
    for part in ["Editor", "127.0.0.1:9", "not verified", &*world.resource()?] {
        assert!(html.contains(part), "{part}: {html}");
    }
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.reply.header(name), Some(value));
    }
    let policy = page
        .reply
        .header("content-security-policy")
        .unwrap_or_default();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
    let cookie = page.reply.header("set-cookie").unwrap_or_default();
    for part in [
        "__Host-ringwall-authority=",
        "Secure",
        "HttpOnly",
        "SameSite=Lax",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    // Who says no is not sent there either, and the client learns it.
    let page = browser.decide(&page, "decline").await?;
    let back = page
        .attribute("<a rel=\"noreferrer\" ", "href")
        .context("no way back")?;
    assert!(
        back.starts_with("http://127.0.0.1:9/callback?error=access_denied"),
        "{back}"
    );
    assert!(
        back.contains("state=of-the-client") && back.contains("&iss=http"),
        "{back}"
    );
    assert_eq!(world.events("consent.declined", 1).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_3_a_refresh_token_used_twice_ends_everything_that_came_of_it() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let code = dancer.code(&Browser::default()).await?;
    let first = dancer.redeem(&code).await?;
    let second = Tokens::of(&dancer.refresh(&first.refresh).await?)?;
    assert_ne!(first.refresh, second.refresh);
    echoes(&world, &second.access).await?;
    let again = dancer.refresh(&first.refresh).await?;
    assert_eq!(error(&again), (400, "invalid_grant".to_owned()));
    // Nobody can tell the thief from the client: it ends for both.
    let after = dancer.refresh(&second.refresh).await?;
    assert_eq!(error(&after), (400, "invalid_grant".to_owned()));
    for token in [&first.access, &second.access] {
        assert_eq!(refused(&world, token).await?, "401 token_revoked");
    }
    assert_eq!(world.events("family.killed", 1).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_code_used_twice_ends_everything_that_came_of_it() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let code = dancer.code(&Browser::default()).await?;
    let tokens = dancer.redeem(&code).await?;
    let again = dancer.redeem_with(&code, &[]).await?;
    assert_eq!(error(&again), (400, "invalid_grant".to_owned()));
    assert_eq!(error(&dancer.refresh(&tokens.refresh).await?).0, 400);
    assert_eq!(refused(&world, &tokens.access).await?, "401 token_revoked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_code_in_other_hands_is_of_no_use() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let other = Dancer::registered(&world).await?;
    let browser = Browser::default();
    let elsewhere = world.gateway.at("/other")?.to_string();
    let long = "x".repeat(43);
    for (name, value, expected) in [
        ("client_id", &*other.id, (400, "invalid_grant")),
        ("client_id", "rw-unknown", (401, "invalid_client")),
        ("client_id", "", (401, "invalid_client")),
        ("code_verifier", &long, (400, "invalid_grant")),
        ("code_verifier", "", (400, "invalid_request")),
        (
            "redirect_uri",
            "http://127.0.0.1:10/callback",
            (400, "invalid_grant"),
        ),
        ("resource", &elsewhere, (400, "invalid_target")),
        ("client_secret", "guessed", (401, "invalid_client")),
        ("grant_type", "password", (400, "unsupported_grant_type")),
        (
            "grant_type",
            "client_credentials",
            (400, "unsupported_grant_type"),
        ),
    ] {
        let code = dancer.code(&browser).await?;
        let reply = dancer.redeem_with(&code, &[(name, value)]).await?;
        let expected = (expected.0, expected.1.to_owned());
        assert_eq!(error(&reply), expected, "{name}={value}");
    }
    let code = dancer.code(&browser).await?;
    let twice = [
        ("code", &*code),
        ("code", &*code),
        ("client_id", &*dancer.id),
    ];
    let reply = dancer.post("/token", &twice, &[]).await?;
    assert_eq!(error(&reply), (400, "invalid_request".to_owned()));
    assert!(!world.events("token.refused", 10).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_token_for_one_route_opens_no_other() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let code = dancer.code(&Browser::default()).await?;
    let tokens = dancer.redeem(&code).await?;
    let other = world.gateway.at("/other")?;
    let client = Client::new(&other, Some(&tokens.access));
    let reply = client.post(&ringwall_tests::proofs::opening()).await?;
    assert_eq!(
        (reply.status.as_u16(), &*reply.code()),
        (401, "token_audience")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_3_what_was_granted_outlives_a_restart_and_ends_with_the_person() -> Result<()> {
    let mut world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let code = dancer.code(&Browser::default()).await?;
    let tokens = dancer.redeem(&code).await?;
    world.gateway.crash_and_restart().await?;
    echoes(&world, &tokens.access).await?;
    let tokens = Tokens::of(&dancer.refresh(&tokens.refresh).await?)?;
    echoes(&world, &tokens.access).await?;
    let issuer = world.issuer.url().to_owned();
    let revoke = [
        "revoke", "user", "alice", "--issuer", &issuer, "--why", "gone", "--by", "carol",
    ];
    world.gateway.with_data(&revoke).await?;
    assert_eq!(world.events("revoked", 1).await?.len(), 1);
    let reply = dancer.refresh(&tokens.refresh).await?;
    assert_eq!(error(&reply), (400, "invalid_grant".to_owned()));
    assert_eq!(refused(&world, &tokens.access).await?, "401 token_revoked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_3_a_client_gives_its_tokens_back() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let other = Dancer::registered(&world).await?;
    let browser = Browser::default();
    let code = dancer.code(&browser).await?;
    let tokens = dancer.redeem(&code).await?;
    for token in [&tokens.refresh, &tokens.access] {
        let reply = other.revoke(token).await?;
        assert_eq!(error(&reply), (400, "invalid_grant".to_owned()));
    }
    assert_eq!(dancer.revoke("no-token-at-all").await?.status, 200);
    echoes(&world, &tokens.access).await?;
    assert_eq!(dancer.revoke(&tokens.access).await?.status, 200);
    assert_eq!(refused(&world, &tokens.access).await?, "401 token_revoked");
    let tokens = Tokens::of(&dancer.refresh(&tokens.refresh).await?)?;
    assert_eq!(dancer.revoke(&tokens.refresh).await?.status, 200);
    assert_eq!(error(&dancer.refresh(&tokens.refresh).await?).0, 400);
    assert_eq!(refused(&world, &tokens.access).await?, "401 token_revoked");
    Ok(())
}

/// What the provider says of itself is remembered for a while: not everybody who agrees sends the gateway there.
#[tokio::test(flavor = "multi_thread")]
async fn m3_the_provider_is_not_asked_what_it_is_for_each_person() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    dancer.code(&Browser::default()).await?;
    let asked = world.issuer.descriptions();
    for user in ["bob", "carol", "dave"] {
        world.issuer.at_the_browser(user);
        dancer.code(&Browser::default()).await?;
    }
    assert_eq!(world.issuer.descriptions(), asked);
    Ok(())
}
