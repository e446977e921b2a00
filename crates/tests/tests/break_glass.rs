//! The account for emergencies: its passkey, made and used in a real browser, and everything that must
//! not open it.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::chromium::{Chromium, Person};
use ringwall_tests::wire::{Outgoing, Reply};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};
use url::Url;

const SESSION: &str = "__Host-ringwall";
const FIRST: &str = "register the passkey for emergencies at ";

async fn world() -> Result<World> {
    let administration = json!({ "amr": ["mfa"], "break_glass": "on" });
    let whole = json!({ "administration": administration });
    World::start(Plan::default().host("localhost").whole(whole)).await
}

/// A place of the gateway, by the name that passkeys are for.
fn at(world: &World, path: &str) -> Result<Url> {
    let mut url = world.gateway.at(path)?;
    url.set_host(Some("localhost"))?;
    Ok(url)
}

/// The code that was printed.
async fn code(world: &mut World) -> Result<String> {
    let line = world.gateway.line_starting(FIRST).await?;
    let (_, code) = line.rsplit_once(' ').context("no code")?;
    Ok(code.to_owned())
}

/// A browser whose passkey is registered.
async fn registered(world: &mut World, chromium: &Chromium) -> Result<Person> {
    let code = code(world).await?;
    let alice = chromium.of("alice");
    alice.open(&at(world, "/admin/first")?).await?;
    alice.authenticator().await?;
    alice.fill("Code", &code.to_lowercase()).await?;
    alice.click("Register a passkey").await?;
    alice.arrive("/admin/passkey").await?;
    Ok(alice)
}

/// Sends what a page of ours would.
async fn post(world: &World, path: &str, body: &Value) -> Result<Reply> {
    let url = at(world, path)?;
    let request = Outgoing::new(Method::POST, &url)
        .header("origin", &url.origin().ascii_serialization())
        .header("content-type", "application/json")
        .body(body.to_string());
    request.send().await
}

fn refused(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_str);
    code.unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_passkey_is_registered_once_and_signs_in_when_no_provider_can() -> Result<()> {
    let mut world = world().await?;
    let chromium = Chromium::start().await?;
    let used = code(&mut world).await?;
    world.gateway.crash_and_restart().await?;
    // The code of another start is good no more.
    let reply = post(&world, "/admin/first/options", &json!({ "code": used })).await?;
    assert_eq!(refused(&reply), "passkey_code");
    let alice = registered(&mut world, &chromium).await?;
    alice.is_fit().await?;
    alice.picture("passkey").await?;
    alice.click("Use the passkey").await?;
    let shown = alice.see("Administration").await?;
    let shown = match shown.url.ends_with("/admin") {
        true => shown,
        false => alice.arrive("/admin").await?,
    };
    assert!(shown.text.contains("break-glass"), "{}", shown.text);
    assert!(shown.text.contains("admin"), "{}", shown.text);
    let cookies = alice.cookies().await?;
    assert!(
        cookies.iter().any(|cookie| cookie["name"] == SESSION),
        "{cookies:?}"
    );
    // It is an administrator by that, and it is told.
    let cookie = cookies.iter().find(|cookie| cookie["name"] == SESSION);
    let cookie = cookie.and_then(|cookie| cookie["value"].as_str());
    let cookie = format!("{SESSION}={}", cookie.context("no session")?);
    let whoami = Outgoing::new(Method::GET, &at(&world, "/admin/api/v1/whoami")?);
    let reply = whoami.header("cookie", &cookie).send().await?;
    let who: Value = serde_json::from_slice(&reply.body)?;
    assert_eq!(
        (&who["way"], &who["roles"]),
        (&json!("passkey"), &json!(["admin"]))
    );
    assert!(
        world
            .gateway
            .complaints()
            .contains("account for emergencies")
    );
    assert_eq!(world.events("break_glass.registered", 1).await?.len(), 1);
    let signed_in = world.events("person.signed_in", 1).await?;
    let subject = signed_in
        .first()
        .and_then(|line| line.pointer("/record/who/subject"));
    assert_eq!(subject, Some(&json!("break-glass")));
    // Nobody registers another one, also after a restart.
    world.gateway.crash_and_restart().await?;
    let reply = post(&world, "/admin/first/options", &json!({ "code": used })).await?;
    assert_eq!(refused(&reply), "passkey_code");
    alice.open(&at(&world, "/admin/passkey")?).await?;
    alice.click("Use the passkey").await?;
    alice.see("Administration").await?;
    // Whoever owns the machine forgets it, and a code for another one comes with the next start.
    world
        .gateway
        .with_data(&["admin", "passkey.forget"])
        .await?;
    let reply = post(&world, "/admin/passkey/options", &json!({})).await?;
    assert_eq!(refused(&reply), "passkey_none");
    world.gateway.crash_and_restart().await?;
    assert_ne!(code(&mut world).await?, used);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_wrong_code_or_a_forged_answer_opens_nothing() -> Result<()> {
    let mut world = world().await?;
    let right = code(&mut world).await?;
    // Nothing is registered: there is nothing to use.
    let reply = post(&world, "/admin/passkey/options", &json!({})).await?;
    assert_eq!(refused(&reply), "passkey_none");
    let asked = post(&world, "/admin/first/options", &json!({ "code": right })).await?;
    assert_eq!(asked.status, 200, "{asked:?}");
    let asked: Value = serde_json::from_slice(&asked.body)?;
    assert_eq!(asked["party"], "localhost");
    let forged = json!({
        "code": right, "sealed": asked["sealed"], "client_data": "e30", "attestation": "oA",
    });
    let reply = post(&world, "/admin/first", &forged).await?;
    assert_eq!(refused(&reply), "passkey_form");
    let mut elsewhere = forged.clone();
    elsewhere["sealed"] = json!("AAAA");
    let reply = post(&world, "/admin/first", &elsewhere).await?;
    assert_eq!(refused(&reply), "passkey_challenge");
    let mut more = forged;
    more["more"] = json!(1);
    assert_eq!(post(&world, "/admin/first", &more).await?.status, 400);
    // From a page of somebody else.
    let url = at(&world, "/admin/first/options")?;
    let body = json!({ "code": right }).to_string();
    for (name, value) in [
        ("origin", "http://localhost:1"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let request = Outgoing::new(Method::POST, &url)
            .header("origin", &url.origin().ascii_serialization())
            .header("content-type", "application/json")
            .header(name, value)
            .body(body.clone());
        assert_eq!(request.send().await?.status, 403, "{name}");
    }
    // Ten wrong ones, and the right one is wrong as well.
    for _ in 0..10 {
        let reply = post(&world, "/admin/first/options", &json!({ "code": "0000" })).await?;
        assert_eq!(refused(&reply), "passkey_code");
    }
    let reply = post(&world, "/admin/first/options", &json!({ "code": right })).await?;
    assert_eq!(refused(&reply), "passkey_code");
    let refusals = world.events("break_glass.refused", 10).await?;
    assert!(refusals.len() >= 10);
    let all = format!("{refusals:?}{}", world.gateway.complaints());
    assert!(!all.contains(&right), "the code is told");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_without_the_account_for_emergencies_there_is_none() -> Result<()> {
    let whole = json!({ "administration": { "amr": ["mfa"], "roles": [
        { "role": "admin", "users": ["alice"] }
    ] } });
    let world = World::start(Plan::default().host("localhost").whole(whole)).await?;
    for path in [
        "/admin/first",
        "/admin/passkey",
        "/admin/first/options",
        "/admin/passkey/options",
    ] {
        assert_eq!(
            post(&world, path, &json!({ "code": "x" })).await?.status,
            404,
            "{path}"
        );
    }
    Ok(())
}
