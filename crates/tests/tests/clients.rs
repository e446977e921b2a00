//! Real clients, unchanged, through the gateway: the official TypeScript SDKs (1.x and 2.x), the
//! official Python SDK, the MCP Inspector's command line, and rmcp.

use anyhow::{Context as _, Result};
use ringwall_tests::place;
use ringwall_tests::program::Command;
use ringwall_tests::provider::driver;
use ringwall_tests::suite::last_json;
use ringwall_tests::world::{Plan, World};
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, ReadResourceRequestParams};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

const STATIC_TEXT: &str = "This is the content of the static text resource.";

/// Nobody moves money here.
const NO_TRANSFERS: &str = r#"
permit(principal, action, resource);
@id("no-transfers")
forbid(principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"fixture/transfer_money");
"#;

/// The command that drives one client, complete but for what it shall do.
fn commands() -> Result<Vec<(&'static str, Command)>> {
    Ok(vec![
        ("TypeScript 1.x", driver("client-v1.mjs")?),
        ("TypeScript 2.x", driver("client-v2.mjs")?),
        (
            "Python",
            Command::new(place::python()?).argument(place::own("py/client.py")),
        ),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn sdk_clients_list_call_and_read() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let token = world.token("alice")?;
    for (name, command) in commands()? {
        let run = command
            .arguments([world.url()?.as_str(), &token, "echo", r#"{"text":"hello"}"#])
            .argument("test://static-text");
        let seen = last_json(&run.run().await?.success()?)?;
        assert_eq!(
            seen.pointer("/call/content/0/text"),
            Some(&json!("hello")),
            "{name}: {seen}"
        );
        assert_eq!(
            seen.pointer("/read/contents/0/text"),
            Some(&json!(STATIC_TEXT)),
            "{name}: {seen}"
        );
        let tools = seen["tools"]
            .as_array()
            .with_context(|| format!("{name}: {seen}"))?;
        assert!(tools.contains(&json!("test_simple_text")), "{name}: {seen}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_2_sdk_clients_see_why_a_call_was_denied() -> Result<()> {
    let world = World::start(Plan::default().policy(NO_TRANSFERS)).await?;
    let token = world.token("alice")?;
    for (name, command) in commands()? {
        let transfer = r#"{"to":"mallory","amount":1}"#;
        let run = command.arguments([world.url()?.as_str(), &token, "transfer_money", transfer]);
        let seen = last_json(&run.run().await?.success()?)?;
        let told = seen.to_string();
        assert!(
            told.contains("policy_denied") && told.contains("2.2"),
            "{name}: {told}"
        );
    }
    assert!(
        !world.journal_text()?.contains("mallory"),
        "a denied call reached the server"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_sdk_clients_without_a_good_token_get_nowhere() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let token = world
        .issuer
        .token("https://elsewhere.example/mcp", "alice")?;
    for (name, command) in commands()? {
        let run = command.arguments([world.url()?.as_str(), &token, "echo", r#"{"text":"hello"}"#]);
        let seen = last_json(&run.run().await?.success()?)?;
        assert!(
            seen.get("error").is_some() && seen.get("call").is_none(),
            "{name}: {seen}"
        );
    }
    assert_eq!(world.journal()?.len(), 0, "something reached the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector_calls_and_reads() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let bearer = format!("Authorization: Bearer {}", world.token("alice")?);
    let inspect = |more: &[&str]| {
        let launcher =
            "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";
        let command = Command::new(place::node()?)
            .argument(place::installed(launcher)?)
            .arguments(["--cli", world.url()?.as_str(), "--transport", "http"])
            .arguments(more)
            .arguments(["--header", &bearer])
            .variable("MCP_INSPECTOR_SECRET_STORE", "memory")
            .directory(&world.path());
        anyhow::Ok(command.run())
    };
    let called = inspect(&[
        "--method",
        "tools/call",
        "--tool-name",
        "echo",
        "--tool-arg",
        "text=hello",
    ])?;
    let called: Value = serde_json::from_str(&called.await?.success()?)?;
    assert_eq!(
        called.pointer("/content/0/text"),
        Some(&json!("hello")),
        "{called}"
    );
    let read = inspect(&["--method", "resources/read", "--uri", "test://static-text"])?;
    let read: Value = serde_json::from_str(&read.await?.success()?)?;
    assert_eq!(
        read.pointer("/contents/0/text"),
        Some(&json!(STATIC_TEXT)),
        "{read}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rmcp_lists_calls_and_reads() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let config = StreamableHttpClientTransportConfig::with_uri(world.url()?.to_string())
        .auth_header(world.token("alice")?);
    let client = ().serve(StreamableHttpClientTransport::from_config(config)).await?;
    let tools = client.list_all_tools().await?;
    assert!(tools.iter().any(|tool| tool.name == "test_simple_text"));
    let arguments = json!({ "text": "hello" })
        .as_object()
        .cloned()
        .unwrap_or_default();
    let called = client
        .call_tool(CallToolRequestParams::new("echo").with_arguments(arguments))
        .await?;
    let called = serde_json::to_value(called)?;
    assert_eq!(
        called.pointer("/content/0/text"),
        Some(&json!("hello")),
        "{called}"
    );
    let read = client
        .read_resource(ReadResourceRequestParams::new("test://static-text"))
        .await?;
    let read = serde_json::to_value(read)?;
    assert_eq!(
        read.pointer("/contents/0/text"),
        Some(&json!(STATIC_TEXT)),
        "{read}"
    );
    client.cancel().await?;
    Ok(())
}
