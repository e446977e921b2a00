//! The test world itself, without a gateway: what the other tests stand on is what it says it is.

use anyhow::Result;
use ringwall_tests::hop::Hop;
use ringwall_tests::issuer::{Issuer, Key, Kind, compact};
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::place;
use ringwall_tests::program::{Command, json_lines};
use ringwall_tests::provider::{Provider, driver};
use ringwall_tests::suite::last_json;
use serde_json::{Value, json};
use url::Url;

async fn verified(issuer: &str, audience: &str, token: &str) -> Result<Value> {
    let command = driver("verify.mjs")?.arguments([issuer, audience, token]);
    last_json(&command.run().await?.success()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_library_accepts_what_our_issuer_signs() -> Result<()> {
    let issuer = Issuer::start().await?;
    let resource = "https://mcp.example.com/fixture";
    for (kind, name, algorithm) in [
        (Kind::Es256, "second", "ES256"),
        (Kind::EdDsa, "third", "EdDSA"),
        (Kind::Rsa, "fourth", "RS256"),
    ] {
        issuer.rotate(kind, name)?;
        let seen = verified(issuer.url(), resource, &issuer.token(resource, "alice")?).await?;
        assert_eq!(seen["protectedHeader"]["alg"], algorithm, "{seen}");
        assert_eq!(seen["payload"]["sub"], "alice", "{seen}");
    }
    let key = issuer.key()?;
    let header = json!({ "alg": "PS256", "typ": "at+jwt", "kid": key.name() });
    let claims = issuer.claims(resource, "alice");
    let token = compact(&header, &claims, |input| key.sign("PS256", input))?;
    let seen = verified(issuer.url(), resource, &token).await?;
    assert_eq!(seen["protectedHeader"]["alg"], "PS256", "{seen}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_library_refuses_what_somebody_else_signs() -> Result<()> {
    let issuer = Issuer::start().await?;
    let resource = "https://mcp.example.com/fixture";
    let stranger = Key::generate(Kind::Es256, "first")?;
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "first" });
    let claims = issuer.claims(resource, "alice");
    let token = compact(&header, &claims, |input| stranger.sign("ES256", input))?;
    let seen = verified(issuer.url(), resource, &token).await?;
    assert_eq!(
        seen["error"], "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        "{seen}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_issues_tokens_for_resources_it_knows_and_rotates() -> Result<()> {
    let mut provider = Provider::start(&["http://127.0.0.1:1/known"]).await?;
    let unknown = provider
        .ask("alice-agent", "http://127.0.0.1:1/unknown")
        .await?;
    assert_eq!(unknown["error"], "invalid_target", "{unknown}");
    provider.add_resource("http://127.0.0.1:1/unknown").await?;
    let first = provider
        .token("alice-agent", "http://127.0.0.1:1/known")
        .await?;
    provider.rotate().await?;
    let second = provider
        .token("bob-agent", "http://127.0.0.1:1/unknown")
        .await?;
    let first = verified(provider.issuer(), "http://127.0.0.1:1/known", &first).await?;
    let second = verified(provider.issuer(), "http://127.0.0.1:1/unknown", &second).await?;
    assert_eq!(
        first["payload"]["groups"],
        json!(["support", "leads"]),
        "{first}"
    );
    assert_eq!(second["payload"]["groups"], json!(["interns"]), "{second}");
    assert_ne!(
        first["protectedHeader"]["kid"],
        second["protectedHeader"]["kid"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fixture_wants_its_credential_and_writes_down_what_it_got() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = folder.path().join("journal.jsonl");
    let fixture = Command::new(place::built("fixture-upstream")?)
        .arguments(["--credential", "secret", "--log"])
        .argument(journal.as_os_str())
        .start("http://")
        .await?;
    let url: Url = fixture.ready().parse()?;
    let refused = Client::new(&url, None)
        .send("initialize", json!({}))
        .await?;
    assert_eq!(refused.status, 401);
    let hop = Hop::start(&url, &[("authorization", "Bearer secret")]).await?;
    let client = Client::connect(hop.url(), None).await?;
    assert_eq!(
        text(&client.call("echo", json!({ "text": "hi" })).await?),
        "hi"
    );
    let lines = json_lines(&journal)?;
    assert!(
        lines.len() >= 4 && lines[1].to_string().contains("Bearer secret"),
        "{lines:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_driver_reaches_the_fixture_alone() -> Result<()> {
    let fixture = Command::new(place::built("fixture-upstream")?)
        .start("http://")
        .await?;
    let drivers = [
        driver("client-v1.mjs")?,
        driver("client-v2.mjs")?,
        Command::new(place::python()?).argument(place::own("py/client.py")),
    ];
    for command in drivers {
        let shown = format!("{command:?}");
        let run = command.arguments([
            fixture.ready(),
            "any",
            "echo",
            r#"{"text":"hi"}"#,
            "test://static-text",
        ]);
        let seen = last_json(&run.run().await?.success()?)?;
        assert_eq!(
            seen.pointer("/call/content/0/text"),
            Some(&json!("hi")),
            "{shown}: {seen}"
        );
        assert!(
            seen.pointer("/read/contents/0/text").is_some(),
            "{shown}: {seen}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fixture_speaks_stdio_too_and_ends_with_its_input() -> Result<()> {
    let mut fixture = Command::new("/bin/sh")
        .arguments(["-c", "echo ready; exec \"$0\" --stdio"])
        .argument(place::built("fixture-upstream")?)
        .start("ready")
        .await?;
    let say = |id: u32, method: &str, params: Value| {
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
    };
    let version = json!({ "protocolVersion": "2025-06-18", "capabilities": {} });
    fixture.say(&say(1, "initialize", version)).await?;
    let answer: Value = serde_json::from_str(&fixture.line_starting("{").await?)?;
    assert_eq!(
        answer["result"]["protocolVersion"], "2025-06-18",
        "{answer}"
    );
    let call = json!({ "name": "test_tool_with_progress", "_meta": { "progressToken": 7 } });
    fixture.say(&say(2, "tools/call", call)).await?;
    for progress in [0, 50, 100] {
        let told: Value = serde_json::from_str(&fixture.line_starting("{").await?)?;
        assert_eq!(
            told["params"],
            json!({ "progressToken": 7, "progress": progress, "total": 100 })
        );
    }
    let answer: Value = serde_json::from_str(&fixture.line_starting("{").await?)?;
    assert_eq!(answer["id"], 2, "{answer}");
    assert!(fixture.ended().await?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fixture_is_hostile_only_when_told() -> Result<()> {
    let start = |flags: &[&str]| {
        let command = place::built("fixture-upstream").map(Command::new);
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        async move { command?.arguments(flags).start("http://").await }
    };
    let tame = start(&[]).await?;
    let client = Client::connect(&tame.ready().parse()?, None).await?;
    assert!(!client.tools().await?.contains(&"hidden_text".to_owned()));
    assert!(
        client
            .call("hidden_text", json!({}))
            .await?
            .get("error")
            .is_some()
    );
    let hostile = start(&["--hostile"]).await?;
    let client = Client::connect(&hostile.ready().parse()?, None).await?;
    let before = client.request("tools/list", json!({})).await?;
    let mut events = client.listen(None).await?;
    client.call("mutate_definition", json!({})).await?;
    events
        .message(|message| message["method"] == "notifications/tools/list_changed")
        .await?;
    assert_ne!(
        before["result"],
        client.request("tools/list", json!({})).await?["result"]
    );
    let raw = client
        .send(
            "tools/call",
            json!({ "name": "duplicate_keys", "arguments": {} }),
        )
        .await?;
    assert_eq!(
        String::from_utf8_lossy(&raw.body)
            .matches("\"result\"")
            .count(),
        2
    );
    Ok(())
}
