//! Real servers, unchanged, behind the gateway: over HTTP and over stdio.

use anyhow::Result;
use ringwall_tests::mcp::text;
use ringwall_tests::place;
use ringwall_tests::provider::loopback_only;
use ringwall_tests::world::Peers;
use serde_json::{Value, json};

/// A server of npm over stdio, with these arguments.
fn npm(name: &str, package: &str, arguments: &[&str]) -> Result<Value> {
    let script = format!("node_modules/@modelcontextprotocol/{package}/dist/index.js");
    let mut command = vec![
        place::node()?.display().to_string(),
        place::installed(&script)?.display().to_string(),
    ];
    command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    Ok(stdio(name, &command))
}

fn stdio(name: &str, command: &[String]) -> Value {
    json!({
        "name": name,
        "stdio": { "command": command, "confinement": "none" },
        "pins": "first_use",
        "schema": "declared"
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_server_everything_over_http() -> Result<()> {
    let port = place::free_port()?;
    let script = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
    let mut everything = loopback_only(script)?
        .argument("streamableHttp")
        .variable("PORT", port.to_string())
        .start("")
        .await?;
    let server = json!({
        "name": "everything",
        "http": { "url": format!("http://127.0.0.1:{port}/mcp"), "network": "private" },
        "pins": "first_use",
        "schema": "declared"
    });
    let peers = Peers::start(vec![server]).await?;
    let alice = peers.client("everything", "alice").await?;
    let tools = alice.tools().await?;
    assert!(
        tools.contains(&"echo".to_owned()) && tools.contains(&"get-sum".to_owned()),
        "{tools:?}"
    );
    let answer = alice.call("echo", json!({ "message": "hello" })).await?;
    assert!(text(&answer).contains("hello"), "{answer}");
    let answer = alice.call("get-sum", json!({ "a": 2, "b": 40 })).await?;
    assert!(text(&answer).contains("42"), "{answer}");
    let answer = alice
        .call("get-structured-content", json!({ "location": "Chicago" }))
        .await?;
    assert!(
        answer.pointer("/result/structuredContent").is_some(),
        "{answer}"
    );
    // The session of the one behind us is one of its own; ours ends with 404 as it should.
    assert!(alice.delete().await?.status.is_success());
    assert_eq!(alice.send("tools/list", json!({})).await?.status, 404);
    everything.kill().await
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_server_everything_over_stdio() -> Result<()> {
    let peers = Peers::start(vec![npm("everything", "server-everything", &["stdio"])?]).await?;
    let alice = peers.client("everything", "alice").await?;
    let answer = alice.call("get-sum", json!({ "a": 2, "b": 40 })).await?;
    assert!(text(&answer).contains("42"), "{answer}");
    let mut events = alice
        .stream(
            "tools/call",
            json!({
                "name": "trigger-long-running-operation",
                "arguments": { "duration": 1, "steps": 2 },
                "_meta": { "progressToken": "ours" }
            }),
        )
        .await?;
    let progress = events
        .message(|message| message["method"] == "notifications/progress")
        .await?;
    assert_eq!(progress["params"]["progressToken"], "ours", "{progress}");
    let last = events
        .message(|message| message.get("result").is_some())
        .await?;
    assert!(last["result"]["isError"] != true, "{last}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_server_filesystem_over_stdio() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let allowed = folder.path().join("allowed");
    std::fs::create_dir(&allowed)?;
    std::fs::write(allowed.join("note.txt"), "written before")?;
    std::fs::write(folder.path().join("secret.txt"), "not for them")?;
    let root = std::fs::canonicalize(&allowed)?;
    let server = npm("files", "server-filesystem", &[&root.display().to_string()])?;
    let peers = Peers::start(vec![server]).await?;
    let alice = peers.client("files", "alice").await?;
    let path = |name: &str| root.join(name).display().to_string();
    let answer = alice
        .call("read_text_file", json!({ "path": path("note.txt") }))
        .await?;
    assert_eq!(text(&answer), "written before", "{answer}");
    let written = json!({ "path": path("new.txt"), "content": "through the gateway" });
    alice.call("write_file", written).await?;
    assert_eq!(
        std::fs::read_to_string(root.join("new.txt"))?,
        "through the gateway"
    );
    let answer = alice
        .call("read_text_file", json!({ "path": path("../secret.txt") }))
        .await?;
    assert!(!answer.to_string().contains("not for them"), "{answer}");
    Ok(())
}

/// The server itself may go anywhere in the folder; what is allowed there is the gateway's to say.
#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_path_stays_inside_its_roots_wherever_links_lead() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let all = std::fs::canonicalize(folder.path())?;
    let root = all.join("allowed");
    std::fs::create_dir_all(root.join("deep"))?;
    std::fs::create_dir(all.join("private"))?;
    std::fs::write(root.join("deep/note.txt"), "for them")?;
    std::fs::write(all.join("private/secret.txt"), "not for them")?;
    for (to, name) in [
        ("allowed/deep/note.txt", "inner"),
        ("allowed/deep", "inner_folder"),
        ("private/secret.txt", "out"),
        ("private", "out_folder"),
        ("nowhere", "dangling"),
    ] {
        std::os::unix::fs::symlink(all.join(to), root.join(name))?;
    }
    let roots = json!([root.display().to_string()]);
    let read = |path: String| ("read_text_file", json!({ "path": path }));
    let write = |path: String| {
        let arguments = json!({ "path": path, "content": "written" });
        ("write_file", arguments)
    };
    let at = |name: &str| root.join(name).display().to_string();
    let raw = |rest: &str| format!("{}/{rest}", root.display());
    for arguments in [
        json!({ "roots": roots }),
        json!({ "tools": { "*": { "/path": { "is": "path", "roots": roots } } } }),
    ] {
        let mut server = npm("files", "server-filesystem", &[&all.display().to_string()])?;
        server["content"] = json!({ "arguments": arguments });
        let peers = Peers::start(vec![server]).await?;
        let alice = peers.client("files", "alice").await?;
        for ((tool, arguments), rule) in [
            (read(at("deep/note.txt")), "-"),
            (read(at("inner")), "-"),
            (read(at("inner_folder/note.txt")), "-"),
            (write(at("deep/new.txt")), "-"),
            (write(at("inner_folder/newer.txt")), "-"),
            (read(at("out")), "path.link_outside"),
            (read(at("out_folder/secret.txt")), "path.link_outside"),
            (write(at("out_folder/new.txt")), "path.link_outside"),
            (write(at("dangling")), "path.link_outside"),
            (
                read(raw("../private/secret.txt")),
                "path.outside_roots|path.dots",
            ),
            (
                read(raw("%2e%2e/private/secret.txt")),
                "path.disguised_traversal|path.encoded",
            ),
            (
                read(raw("deep/..%2f..%2f../private/secret.txt")),
                "path.disguised_traversal|path.encoded",
            ),
            (read(raw("out\0")), "path.nul"),
            (
                read(all.join("private/secret.txt").display().to_string()),
                "path.outside_roots",
            ),
        ] {
            let answer = alice.call(tool, arguments.clone()).await?;
            let told = text(&answer);
            assert!(!told.contains("not for them"), "{arguments} {answer}");
            let refused = answer.pointer("/result/_meta/io.ringwall~1refusal");
            match rule {
                "-" => assert!(
                    refused.is_none() && answer["result"]["isError"] != true,
                    "{answer}"
                ),
                // Of what is declared more is asked, and the first that is wrong is told.
                rules => assert!(
                    rules.split('|').any(|rule| told.contains(rule)),
                    "{arguments}: {answer}"
                ),
            }
        }
        assert!(!all.join("private/new.txt").exists());
        assert!(!all.join("nowhere").exists());
        assert_eq!(
            std::fs::read_to_string(root.join("deep/newer.txt"))?,
            "written"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_server_memory_over_stdio_with_a_process_for_each_user() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = npm("memory", "server-memory", &[])?;
    let file = folder.path().join("memory.jsonl").display().to_string();
    server["stdio"]["environment"] = json!({ "MEMORY_FILE_PATH": file });
    let peers = Peers::start(vec![server]).await?;
    let alice = peers.client("memory", "alice").await?;
    let entity = json!({ "name": "ringwall", "entityType": "gateway", "observations": ["stands"] });
    let answer = alice
        .call("create_entities", json!({ "entities": [entity] }))
        .await?;
    assert!(answer.get("result").is_some(), "{answer}");
    let bob = peers.client("memory", "bob").await?;
    let answer = bob.call("read_graph", json!({})).await?;
    assert!(text(&answer).contains("stands"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_mcp_server_time_over_stdio() -> Result<()> {
    let program = place::installed("venv/bin/mcp-server-time")?
        .display()
        .to_string();
    let command = [program, "--local-timezone".to_owned(), "UTC".to_owned()];
    let peers = Peers::start(vec![stdio("clock", &command)]).await?;
    let alice = peers.client("clock", "alice").await?;
    let answer = alice
        .call("get_current_time", json!({ "timezone": "Europe/Berlin" }))
        .await?;
    assert!(text(&answer).contains("Europe/Berlin"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n10_2_a_stdio_server_gets_the_declared_environment_and_no_other() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = folder.path().join("journal.jsonl");
    let program = place::built("fixture-upstream")?.display().to_string();
    let log = journal.display().to_string();
    let mut server = stdio("fixture", &[program, "--stdio".into(), "--log".into(), log]);
    server["stdio"]["environment"] = json!({ "DECLARED": "yes" });
    let peers = Peers::start(vec![server]).await?;
    let alice = peers.client("fixture", "alice").await?;
    assert_eq!(
        text(&alice.call("echo", json!({ "text": "hi" })).await?),
        "hi"
    );
    let lines = ringwall_tests::program::json_lines(&journal)?;
    let environment = lines[0]["environment"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let names: Vec<&str> = environment.keys().map(String::as_str).collect();
    assert!(names.contains(&"DECLARED"), "{names:?}");
    // The test's own variables, the gateway's secret among them, are not there.
    let undeclared = names
        .iter()
        .filter(|name| !["DECLARED", "PATH"].contains(name));
    assert_eq!(undeclared.count(), 0, "{names:?}");
    Ok(())
}
