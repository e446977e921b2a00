//! Real servers, unchanged, behind the gateway: over HTTP and over stdio.

use anyhow::Result;
use http::Method;
use ringwall_tests::comes::is_so;
use ringwall_tests::mcp::text;
use ringwall_tests::place;
use ringwall_tests::provider::loopback_only;
use ringwall_tests::wire::Outgoing;
use ringwall_tests::world::Peers;
use serde_json::{Value, json};
use std::path::PathBuf;
use url::Url;

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
    let url: Url = format!("http://127.0.0.1:{port}/mcp").parse()?;
    // Its first line comes before it listens; any answer at all says that it does.
    is_so(async || Ok(Outgoing::new(Method::GET, &url).send().await.is_ok())).await?;
    let server = json!({
        "name": "everything",
        "http": { "url": url.as_str(), "network": "private" },
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

/// A folder in which a server may read one part, with links that stay in there and links that do not.
fn linked() -> Result<(tempfile::TempDir, PathBuf)> {
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
    Ok((folder, all))
}

const READ: &str = "read_text_file";
const WRITE: &str = "write_file";
const LINKED: &str = "path.link_outside";
/// Of what is declared more is asked, and the first that is wrong is told.
const UP: &str = "path.outside_roots|path.dots";
const HIDDEN: &str = "path.disguised_traversal|path.encoded";

/// A tool, what follows the root in its path, and the rule that it breaks: `-` arrives.
const PATHS: &[(&str, &str, &str)] = &[
    (READ, "deep/note.txt", "-"),
    (READ, "inner", "-"),
    (READ, "inner_folder/note.txt", "-"),
    (WRITE, "deep/new.txt", "-"),
    (WRITE, "inner_folder/newer.txt", "-"),
    (READ, "out", LINKED),
    (READ, "out_folder/secret.txt", LINKED),
    (WRITE, "out_folder/new.txt", LINKED),
    (WRITE, "dangling", LINKED),
    (READ, "../private/secret.txt", UP),
    (READ, "%2e%2e/private/secret.txt", HIDDEN),
    (READ, "deep/..%2f..%2f../private/secret.txt", HIDDEN),
    (READ, "out\0", "path.nul"),
];

/// The server itself may go anywhere in the folder; what is allowed there is the gateway's to say.
#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_path_stays_inside_its_roots_wherever_links_lead() -> Result<()> {
    let (_folder, all) = linked()?;
    let root = all.join("allowed");
    let roots = json!([root.display().to_string()]);
    for arguments in [
        json!({ "roots": roots }),
        json!({ "tools": { "*": { "/path": { "is": "path", "roots": roots } } } }),
    ] {
        let mut server = npm("files", "server-filesystem", &[&all.display().to_string()])?;
        server["content"] = json!({ "arguments": arguments });
        let peers = Peers::start(vec![server]).await?;
        let alice = peers.client("files", "alice").await?;
        for (tool, rest, rules) in PATHS {
            let path = format!("{}/{rest}", root.display());
            let mut arguments = json!({ "path": path });
            if *tool == WRITE {
                arguments["content"] = json!("written");
            }
            let answer = alice.call(tool, arguments).await?;
            let told = text(&answer);
            assert!(!told.contains("not for them"), "{rest}: {answer}");
            let refused = answer.pointer("/result/_meta/io.ringwall~1refusal");
            let arrived = refused.is_none() && answer["result"]["isError"] != true;
            let as_expected = match *rules {
                "-" => arrived,
                rules => !arrived && rules.split('|').any(|rule| told.contains(rule)),
            };
            assert!(as_expected, "{rest}, {rules}: {answer}");
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
