//! What stops the start: the gateway names the setting and says what to write instead. The names
//! are those of `docs/lessons.md`.

use anyhow::Result;
use ringwall_tests::world::ringwall;
use serde_json::{Value, json};

/// Starting with this configuration fails, and says what must be done about these words.
async fn does_not_start(whole: Value, words: &[&str]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let base = json!({
        "version": 1,
        "issuers": [{ "issuer": "https://id.example.com" }],
        "servers": [{ "name": "s", "http": { "url": "https://mcp.example.com/mcp" } }],
        "routes": [{ "path": "/s", "server": "s" }]
    });
    let config = ringwall_tests::issuer::overlaid(base, &whole);
    std::fs::write(folder.path().join("ringwall.yaml"), config.to_string())?;
    let serve = ringwall()?
        .arguments(["serve", "--config", "ringwall.yaml"])
        .directory(folder.path());
    let ended = serve.run().await?;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        !ended.status.success() && !said.contains("listening on"),
        "it started: {said}"
    );
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_to_start_a_server_unconfined() -> Result<()> {
    let server = json!([{ "name": "s", "stdio": { "command": ["/bin/cat"] } }]);
    does_not_start(json!({ "servers": server }), &["confinement"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_to_start_with_an_unresolved_secret() -> Result<()> {
    let http =
        json!({ "url": "https://mcp.example.com/mcp", "credential": "env:NOT_SET_ANYWHERE" });
    let server = json!([{ "name": "s", "http": http }]);
    does_not_start(json!({ "servers": server }), &["NOT_SET_ANYWHERE"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_to_start_with_a_default_secret() -> Result<()> {
    let http = json!({ "url": "https://mcp.example.com/mcp", "credential": "changeme" });
    let server = json!([{ "name": "s", "http": http }]);
    does_not_start(json!({ "servers": server }), &["credential", "6.3"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn binds_loopback_unless_told_otherwise() -> Result<()> {
    let listener = json!([{ "address": "0.0.0.0:0" }]);
    does_not_start(json!({ "listeners": listener }), &["tls"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_reaches_a_metadata_address() -> Result<()> {
    for host in [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "127.1",
        "localhost",
        "10.0.0.1",
        "100.64.0.1",
    ] {
        let http = json!({ "url": format!("https://{host}/mcp") });
        let servers = json!([{ "name": "s", "http": http }]);
        does_not_start(
            json!({ "servers": servers }),
            &["servers[0].http.url", "1.1"],
        )
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_refuses_to_start_a_look_alike_where_the_rule_is_enforced() -> Result<()> {
    let server = json!([{
        "name": "s", "http": { "url": "https://mcp.notlon.com/mcp" },
        "content": { "modes": { "likeness.typosquat": "enforce" } }
    }]);
    let words = ["servers[0].http.url", "mcp.notion.com", "9.2"];
    does_not_start(json!({ "servers": server }), &words).await
}
