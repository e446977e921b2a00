//! The page on which people agree, in a real browser: read, agreed to with a keyboard, shown in no frame,
//! and not answered by any page of somebody else (controls M3, 8.4).

use anyhow::Result;
use ringwall_tests::chromium::Chromium;
use ringwall_tests::dance::{Dancer, authority, registration};
use ringwall_tests::documents::Documents;
use ringwall_tests::wire::{Outgoing, Reply};
use ringwall_tests::world::{Plan, World};
use serde_json::json;
use url::Url;

const MEANING: &str = "Use every tool that you may use yourself";

async fn world(members: serde_json::Value) -> Result<World> {
    let scopes = json!({ "scopes": { "tools": MEANING } });
    let members = ringwall_tests::issuer::overlaid(scopes, &members);
    World::start(Plan::default().whole(authority(members))).await
}

async fn fetch(url: &str) -> Result<Reply> {
    Outgoing::new(http::Method::GET, &url.parse()?).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_person_reads_what_they_agree_to_and_agrees_with_a_keyboard() -> Result<()> {
    let world = world(json!({})).await?;
    let host = Documents::start().await?;
    host.answer(
        "/callback",
        200,
        &[("content-type", "text/plain")],
        "back in the program",
    );
    let mut dancer = Dancer::new(&world, "")?;
    dancer.redirect = host.at("/callback")?.to_string();
    let reply = dancer.register(&registration(&dancer.redirect)).await?;
    dancer.id = reply.json()?["client_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let browser = Chromium::start().await?;
    let alice = browser.of("alice");
    let page = alice.open(&dancer.way(&[("scope", "tools")])?).await?;
    assert_eq!(page.title, "Let a program act for you? · Ringwall");
    let port = host.at("/")?.port().unwrap_or_default();
    for part in [
        "Editor",
        MEANING,
        "not verified",
        &*format!("127.0.0.1:{port}"),
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    alice.is_fit().await?;
    alice.picture("consent").await?;
    let mut way = Vec::new();
    for _ in 0..3 {
        way.push(alice.press("Tab").await?);
    }
    assert_eq!(way, ["Skip to the content", "Agree", "Do not agree"]);
    alice.follow("Agree").await?;
    // By itself to the provider, through it, and back to the program.
    let back = alice.arrive("/callback?code=").await?;
    assert!(back.text.contains("back in the program"), "{}", back.text);
    let url: Url = back.url.parse()?;
    let code = url.query_pairs().find(|(name, _)| name == "code");
    let (_, code) = code.unwrap_or_default();
    dancer.redeem(&code).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_who_does_not_agree_is_sent_back_and_not_to_the_provider() -> Result<()> {
    let world = world(json!({})).await?;
    let host = Documents::start().await?;
    host.answer(
        "/callback",
        200,
        &[("content-type", "text/plain")],
        "back in the program",
    );
    let mut dancer = Dancer::new(&world, "")?;
    dancer.redirect = host.at("/callback")?.to_string();
    let reply = dancer.register(&registration(&dancer.redirect)).await?;
    dancer.id = reply.json()?["client_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let browser = Chromium::start().await?;
    let alice = browser.of("alice");
    alice.open(&dancer.way(&[])?).await?;
    alice.follow("Do not agree").await?;
    let back = alice.arrive("/callback?error=access_denied").await?;
    assert!(!back.url.contains("code="), "{}", back.url);
    // What cannot be done is a page that anybody can use, too.
    let lost = alice
        .open(&dancer.way(&[("redirect_uri", "https://evil.example")])?)
        .await?;
    assert_eq!(
        (lost.status, &*lost.title),
        (400, "This cannot be done · Ringwall")
    );
    alice.complaints().await?;
    let lost = alice
        .open(&dancer.at("/authority/signed-in?state=x&code=y")?)
        .await?;
    assert_eq!(lost.status, 403);
    alice.picture("consent-refused").await?;
    Ok(())
}

/// Clickjacking, and a form that somebody else's page sends.
#[tokio::test(flavor = "multi_thread")]
async fn m3_the_page_is_shown_in_no_frame_and_answered_by_no_other_page() -> Result<()> {
    let world = world(json!({})).await?;
    let dancer = Dancer::registered(&world).await?;
    let browser = Chromium::start().await?;
    let alice = browser.of("alice");
    let way = dancer.way(&[])?;
    alice.open(&way).await?;
    assert_eq!(alice.run("document.cookie").await?, json!(""));
    let sealed = "document.querySelector('input[name=csrf]').value";
    let sealed = alice.run(sealed).await?;
    let evil = Documents::start().await?;
    evil.answer(
        "/",
        200,
        &[("content-type", "text/html")],
        "<title>prize</title>",
    );
    alice.open(&evil.at("/")?).await?;
    let framed = format!(
        "new Promise((done) => {{ const f = document.createElement('iframe'); f.src = {}; \
         f.onload = () => done(true); document.body.append(f) }})",
        json!(way.as_str())
    );
    assert_eq!(alice.run(&framed).await?, json!(true));
    let frames = alice.frames().await?;
    assert_eq!(
        frames.get(1).map(String::as_str),
        Some("chrome-error://chromewebdata/")
    );
    // It even knows what the page of this browser holds, and sends it: it is not from here.
    let action = dancer.at("/authority/agree")?;
    let sends = format!(
        "(() => {{ const f = document.createElement('form'); f.method = 'post'; f.action = {}; \
         for (const [n, v] of [['csrf', {sealed}], ['decision', 'agree']]) {{ \
         const i = document.createElement('input'); i.name = n; i.value = v; f.append(i) }} \
         document.body.append(f); f.submit() }})()",
        json!(action.as_str())
    );
    alice.run(&sends).await?;
    let refused = alice.arrive("/authority/agree").await?;
    assert!(!refused.text.contains("Continue"), "{}", refused.text);
    assert!(world.events("consent.given", 0).await?.is_empty());
    let reply = fetch(dancer.at("/livez")?.as_str()).await?;
    assert_eq!(reply.status, 200);
    Ok(())
}
