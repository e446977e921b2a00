//! The MCP Inspector does the whole dance with the gateway's own authorization server, in its web page and on
//! its command line, with a certified OpenID provider behind it and a real browser for what people do.

use anyhow::{Context as _, Result};
use ringwall_tests::chromium::{Chromium, Person};
use ringwall_tests::comes::is_so;
use ringwall_tests::dance::authority;
use ringwall_tests::place;
use ringwall_tests::program::Command;
use ringwall_tests::provider::certified;
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

const LAUNCHER: &str =
    "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";

/// The Inspector, with nothing of this machine's user at hand. What it says to people it says on stderr.
fn inspector(world: &World) -> Result<Command> {
    let home = world.path().join("inspector");
    std::fs::create_dir_all(&home)?;
    let command = Command::new("/bin/sh")
        .arguments(["-c", "exec \"$0\" \"$@\" 2>&1"])
        .argument(place::node()?)
        .argument("--import")
        .argument(place::own("js/loopback.mjs"))
        .argument(place::installed(LAUNCHER)?);
    Ok(command
        .variable("HOME", home.display().to_string())
        .variable("MCP_STORAGE_DIR", home.display().to_string())
        .variable("MCP_INSPECTOR_SECRET_STORE", "memory")
        .directory(&world.path()))
}

/// What a person does whom the Inspector sends to the gateway.
async fn agrees(alice: &Person) -> Result<()> {
    let asked = alice.arrive("/authorize?").await?;
    for part in ["MCP Inspector", "not verified", "computer in front of you"] {
        assert!(asked.text.contains(part), "{part}: {}", asked.text);
    }
    alice.follow("Agree").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_the_inspector_lists_and_calls_in_its_page_once_a_person_has_agreed() -> Result<()> {
    let (world, _provider) = certified(Plan::default().whole(authority(json!({})))).await?;
    let (port, sandbox) = (place::free_port()?, place::free_port()?);
    let address = format!("http://127.0.0.1:{port}");
    let page = inspector(&world)?
        .arguments(["--web", "--transport", "http", "--server-url"])
        .argument(world.url()?.as_str())
        .variable("HOST", "127.0.0.1")
        .variable("CLIENT_PORT", port.to_string())
        .variable("MCP_SANDBOX_PORT", sandbox.to_string())
        .variable("MCP_INSPECTOR_API_TOKEN", "of-this-test")
        .variable("MCP_AUTO_OPEN_ENABLED", "false")
        .start(&format!("   {address}"))
        .await?;
    let browser = Chromium::start().await?;
    let alice = browser.of("alice");
    alice.open(&page.ready().trim().parse()?).await?;
    alice.choose("Connect or disconnect").await?;
    agrees(&alice).await?;
    alice.arrive(&address).await?;
    alice.see("Authentication succeeded").await?;
    alice.choose("Tools").await?;
    alice.see("transfer_money").await?;
    alice.click("echo").await?;
    alice.see("What to say").await?;
    alice.fill("text *", "said in the page").await?;
    alice.click("Execute Tool").await?;
    alice.see("said in the page").await?;
    // The page may show what it sends before it has sent it.
    let has_arrived = is_so(async || Ok(world.journal_text()?.contains("said in the page")));
    has_arrived
        .await
        .context("the call never reached the server")?;
    check(&world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_the_inspector_calls_on_its_command_line_once_a_person_has_agreed() -> Result<()> {
    let (world, _provider) = certified(Plan::default().whole(authority(json!({})))).await?;
    let back = format!("http://127.0.0.1:{}/oauth/callback", place::free_port()?);
    // It opens no browser but the one it is given, which is none.
    let mut line = inspector(&world)?
        .arguments(["--cli", world.url()?.as_str(), "--transport", "http"])
        .arguments(["--callback-url", &back, "--format", "json"])
        .arguments(["--method", "tools/call", "--tool-name", "echo"])
        .arguments(["--tool-arg", "text=said on the line"])
        .variable("MCP_AUTO_OPEN_ENABLED", "true")
        .variable("BROWSER", "true")
        .start("Please navigate to: ")
        .await?;
    let way = line
        .ready()
        .trim_start_matches("Please navigate to: ")
        .parse()?;
    let browser = Chromium::start().await?;
    let alice = browser.of("alice");
    alice.open(&way).await?;
    agrees(&alice).await?;
    alice.arrive("/oauth/callback").await?;
    let called: Value = serde_json::from_str(&line.line_starting("{").await?)?;
    let said = "/result/content/0/text";
    assert_eq!(
        called.pointer(said),
        Some(&json!("said on the line")),
        "{called}"
    );
    check(&world).await
}

/// One client registered, somebody agreed once, and tokens came of it.
async fn check(world: &World) -> Result<()> {
    for name in ["client.registered", "consent.given", "token.issued"] {
        assert_eq!(world.events(name, 1).await?.len(), 1, "{name}");
    }
    Ok(())
}
