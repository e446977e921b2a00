//! The pages of connecting a server, in a real browser: whoever follows a link signs in, reads what they
//! are about to grant, and comes back connected (controls 7.1, 8.4).

use anyhow::{Context as _, Result};
use ringwall_tests::authority::Realm;
use ringwall_tests::browser::link_in;
use ringwall_tests::chromium::Chromium;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::world::{CREDENTIAL, Plan, World};
use serde_json::json;
use url::Url;

async fn guarded(realm: &Realm) -> Result<World> {
    let oauth = json!({ "grant": "connection", "network": "private" });
    let http = json!({ "url": realm.server().as_str(), "network": "private", "oauth": oauth });
    let world = World::start(Plan::default().server(json!({ "http": http }))).await?;
    realm.guards(world.fixture_url(), CREDENTIAL);
    Ok(world)
}

/// The link that a call of this user is answered with.
async fn link(world: &World, user: &str) -> Result<Url> {
    let client = Client::new(&world.url()?, Some(&world.token(user)?));
    let opened = client
        .initialize_with(json!({ "elicitation": { "url": {} } }))
        .await?;
    link_in(&opened).with_context(|| format!("no link: {opened}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_person_connects_a_server_with_a_browser_and_a_keyboard() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm).await?;
    let browser = Chromium::start().await?;
    let alice = browser.of("alice");
    let asked = alice.open(&link(&world, "alice").await?).await?;
    assert_eq!(asked.title, "Connect a server · Ringwall");
    assert!(asked.text.contains("alice"), "{}", asked.text);
    assert!(asked.text.contains(realm.issuer()), "{}", asked.text);
    alice.is_fit().await?;
    alice.picture("connect").await?;
    // The keyboard goes past the skip link to the two buttons, and nowhere else.
    let mut way = Vec::new();
    for _ in 0..3 {
        way.push(alice.press("Tab").await?);
    }
    assert_eq!(way, ["Skip to the content", "Go on", "Do not connect"]);
    let onward = alice.follow("Go on").await?;
    assert!(onward.text.contains("asks you to agree"), "{}", onward.text);
    alice.is_fit().await?;
    alice.picture("connect-onward").await?;
    let done = alice.follow("Continue to").await?;
    assert_eq!(done.title, "Connected · Ringwall");
    alice.is_fit().await?;
    alice.picture("connected").await?;
    let client = world.client("alice").await?;
    let answer = client.call("echo", json!({ "text": "hello" })).await?;
    assert!(text(&answer).contains("hello"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_4_no_script_of_a_page_runs_no_frame_shows_it_and_no_foreign_form_counts() -> Result<()>
{
    let realm = Realm::start().await?;
    let world = guarded(&realm).await?;
    let browser = Chromium::start().await?;
    let alice = browser.of("alice");
    let asked = alice.open(&link(&world, "alice").await?).await?;
    let here = json!(asked.url);
    // What an attacker would put into a page does not run there, and sends nothing anywhere.
    let run = "(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; \
               document.body.append(s); return window.ran ?? 0 })()";
    assert_eq!(alice.run(run).await?, json!(0));
    let sent = "fetch('/livez').then(() => 'sent', () => 'stopped')";
    assert_eq!(alice.run(sent).await?, json!("stopped"));
    // No cookie of ours is seen by a script, and each is for this host alone.
    assert_eq!(alice.run("document.cookie").await?, json!(""));
    for cookie in alice.cookies().await? {
        let name = cookie["name"].as_str().unwrap_or_default();
        if name.starts_with("__Host-") {
            assert_eq!(cookie["httpOnly"], json!(true), "{cookie}");
            assert_eq!(cookie["secure"], json!(true), "{cookie}");
            assert_eq!(cookie["path"], json!("/"), "{cookie}");
        }
    }
    // A page of somebody else shows it in a frame: the frame stays empty.
    let mallory = browser.of("mallory");
    mallory
        .open(&Url::parse("data:text/html,<title>prize</title>")?)
        .await?;
    let framed = format!(
        "new Promise((done) => {{ const f = document.createElement('iframe'); f.src = {here}; \
         f.onload = () => done(true); document.body.append(f) }})"
    );
    assert_eq!(mallory.run(&framed).await?, json!(true));
    let frames = mallory.frames().await?;
    assert_eq!(frames[1..], ["chrome-error://chromewebdata/"]);
    Ok(())
}
