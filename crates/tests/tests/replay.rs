//! What a changed configuration would make of traffic that is over: told of the ledger and of a file, by
//! user and tool, and never with a value.

use anyhow::{Context as _, Result};
use ringwall_tests::program::Ended;
use ringwall_tests::safety_shaped::{ATTACK, SafetyShaped};
use ringwall_tests::world::{Plan, World, ringwall};
use serde_json::{Value, json};
use std::fs;

/// The configuration of this world, with these changes, beside it.
fn changed(world: &World, change: impl FnOnce(&mut Value)) -> Result<()> {
    let path = world.path();
    let mut config: Value = serde_json::from_slice(&fs::read(path.join("ringwall.yaml"))?)?;
    change(&mut config);
    fs::write(path.join("changed.yaml"), config.to_string())?;
    Ok(())
}

/// What `ringwall replay --with changed.yaml` says, with these arguments.
async fn replay(world: &World, arguments: &[&str]) -> Result<Ended> {
    let command = ringwall()?.directory(&world.path());
    command
        .arguments(["replay", "--with", "changed.yaml", "--json"])
        .arguments(arguments.iter().copied())
        .run()
        .await
}

/// The groups of its report: what, user, tool, how often.
fn groups(report: &Value) -> Vec<(String, String, String, u64)> {
    let text = |group: &Value, name: &str| group[name].as_str().unwrap_or_default().to_owned();
    let groups = report["groups"].as_object().into_iter().flatten();
    let each = groups.map(|(_, group)| {
        let times = group["times"].as_u64().unwrap_or_default();
        (
            text(group, "what"),
            text(group, "user"),
            text(group, "tool"),
            times,
        )
    });
    each.collect()
}

fn group(what: &str, user: &str, tool: &str, times: u64) -> (String, String, String, u64) {
    (what.to_owned(), user.to_owned(), tool.to_owned(), times)
}

/// A world in which alice said something suspicious once and bob never, and all of it was kept.
async fn world() -> Result<(World, SafetyShaped)> {
    let service = SafetyShaped::start().await?;
    let plan = Plan::default()
        .whole(json!({ "providers": [{
            "name": "shields", "network": "private",
            "prompt_shields": { "endpoint": service.endpoint(), "key": "env:PROVIDER_SECRET" }
        }] }))
        .server(json!({ "content": { "providers": [
            { "use": "shields", "mode": "shadow", "on": ["arguments"] }
        ] } }))
        .route(json!({ "ledger": { "keep": ["arguments", "results"] } }));
    let world = World::start(plan).await?;
    for (user, said) in [
        ("alice", "hello"),
        ("alice", ATTACK),
        ("bob", "hello"),
        ("bob", "a\u{200b}b"),
    ] {
        let client = world.client(user).await?;
        client.call("echo", json!({ "text": said })).await?;
    }
    Ok((world, service))
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_a_changed_mode_says_whom_it_would_refuse_before_it_does() -> Result<()> {
    let (world, service) = world().await?;
    changed(&world, |_| {})?;
    let same = replay(&world, &[]).await?;
    assert_eq!(same.status.code(), Some(0), "{}", same.stdout);
    let asked = service.asked().len();
    changed(&world, |config| {
        config["servers"][0]["content"]["modes"] = json!({ "injection": "enforce" });
    })?;
    let ended = replay(&world, &[]).await?;
    assert_eq!(ended.status.code(), Some(3), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout)?;
    assert_eq!(
        groups(&report),
        [group("newly refused", "alice", "fixture/echo", 1)]
    );
    let told = report.to_string();
    assert!(told.contains("content_suspected") && told.contains("injection"));
    assert!(!told.contains(ATTACK) && !told.contains("hello"), "{told}");
    assert_eq!(service.asked().len(), asked, "nobody was asked again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_2_a_changed_policy_says_what_it_would_refuse_and_allow() -> Result<()> {
    let (world, _service) = world().await?;
    let forbid = "permit(principal, action, resource);\n\
        forbid(principal, action == Ringwall::Action::\"call\", resource)\n\
        when { principal.user == \"bob\" };\n";
    fs::write(world.path().join("stricter.cedar"), forbid)?;
    changed(&world, |config| {
        config["policies"] = json!(["stricter.cedar"])
    })?;
    let ended = replay(&world, &[]).await?;
    let report: Value = serde_json::from_str(&ended.stdout).context(ended.stderr.clone())?;
    assert_eq!(
        groups(&report),
        [group("newly refused", "bob", "fixture/echo", 2)]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_file_of_messages_is_run_through_text_rules_and_policies() -> Result<()> {
    let (world, _service) = world().await?;
    let line = |user: &str, said: &str| {
        json!({
            "route": "/fixture", "issuer": world.issuer.url(), "user": user, "groups": [],
            "message": { "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": { "name": "echo", "arguments": { "text": said } } },
            "answer": { "jsonrpc": "2.0", "id": 1, "result": { "content": [{ "type": "text", "text": said }] } }
        })
        .to_string()
    };
    let lines = [line("alice", "plain"), line("bob", "hid\u{200b}den")].join("\n");
    fs::write(world.path().join("messages.jsonl"), lines)?;
    changed(&world, |config| {
        config["servers"][0]["hidden_text"] = json!("refuse")
    })?;
    let ended = replay(&world, &["--traffic", "messages.jsonl"]).await?;
    let report: Value = serde_json::from_str(&ended.stdout).context(ended.stderr.clone())?;
    assert_eq!(
        groups(&report),
        [group("newly refused", "bob", "fixture/echo", 1)]
    );
    let example = &report["groups"]
        .as_object()
        .and_then(|all| all.values().next())
        .context("none")?["examples"][0];
    assert_eq!(example["code"], "hidden_text");
    assert_eq!(example["id"], "line 2");
    assert!(!report.to_string().contains("plain"), "{report}");
    fs::write(world.path().join("messages.jsonl"), "{}\n")?;
    let ended = replay(&world, &["--traffic", "messages.jsonl"]).await?;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("line 1"), "{}", ended.stderr);
    Ok(())
}

/// A call of this tool by alice with these arguments, and what came back, as a line of a file.
fn line(world: &World, tool: &str, arguments: Value, result: Value) -> String {
    let whole = json!({
        "route": "/fixture", "issuer": world.issuer.url(), "user": "alice", "groups": [],
        "claims": { "purpose": "support" },
        "message": { "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments } },
        "answer": { "jsonrpc": "2.0", "id": 1, "result": result }
    });
    whole.to_string()
}

/// A member of the server, what it is set to, what is told of how many messages, and words of that.
type Setting = (
    &'static str,
    Value,
    &'static str,
    u64,
    &'static str,
    &'static str,
);

fn settings() -> Vec<Setting> {
    let path = json!({ "echo": { "/text": { "is": "path", "roots": ["/srv"] } } });
    let url = json!({ "echo": { "/text": { "is": "url" } } });
    let overlay = json!({ "echo": r#"{"properties":{"text":{"maxLength":10}}}"# });
    let refused = "newly refused";
    vec![
        (
            "/content/arguments",
            json!({ "tools": path }),
            refused,
            2,
            "argument_meaning",
            "path.",
        ),
        (
            "/content/arguments",
            json!({ "tools": url }),
            refused,
            3,
            "argument_meaning",
            "url.",
        ),
        (
            "/content/arguments",
            json!({ "schemas": overlay }),
            refused,
            2,
            "arguments_schema",
            "newly refused",
        ),
        (
            "/schema",
            json!("declared"),
            "newly allowed",
            1,
            "arguments_schema",
            "/params/arguments",
        ),
        (
            "/content/minimise",
            json!({ "echo": [{ "arguments": { "drop": ["/text"] } }] }),
            refused,
            3,
            "definition_unusable",
            "content.minimise",
        ),
        (
            "/content/minimise",
            json!({ "echo": [{ "purposes": ["audit"] }] }),
            refused,
            3,
            "purpose_unknown",
            "content.purpose",
        ),
        (
            "/content/minimise",
            json!({ "echo": [{ "purposes": ["support"], "results": { "drop": ["/b"] }, "other_text": "keep" }] }),
            "newly found",
            1,
            "",
            "minimise.results",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_meanings_fields_and_schemas_are_run_again_as_the_gateway_has_them() -> Result<()> {
    let (world, _service) = world().await?;
    let said = |text: &str| json!({ "content": [{ "type": "text", "text": text }] });
    let lines = [
        line(
            &world,
            "echo",
            json!({ "text": "../../etc/passwd" }),
            said("x"),
        ),
        line(
            &world,
            "echo",
            json!({ "text": "http://169.254.169.254/" }),
            said("x"),
        ),
        line(
            &world,
            "echo",
            json!({ "text": "/srv/a", "more": 1 }),
            said("x"),
        ),
        line(
            &world,
            "echo",
            json!({ "text": "/srv/a" }),
            said(r#"{"a":1,"b":2}"#),
        ),
    ];
    fs::write(world.path().join("messages.jsonl"), lines.join("\n"))?;
    for (setting, value, what, times, code, told) in settings() {
        changed(&world, |config| {
            let server = &mut config["servers"][0];
            if server["content"].is_null() {
                server["content"] = json!({});
            }
            server["content"]["purpose"] = json!({ "claim": "purpose" });
            match setting.strip_prefix("/content/") {
                Some(part) => server["content"][part] = value.clone(),
                None => server[setting.trim_start_matches('/')] = value.clone(),
            }
        })?;
        let ended = replay(&world, &["--traffic", "messages.jsonl"]).await?;
        let report: Value = serde_json::from_str(&ended.stdout).context(ended.stderr.clone())?;
        // What is refused anyway may be refused for another reason, too.
        let mut told_of = groups(&report);
        told_of.retain(|(what, ..)| what != "refused otherwise");
        let expected = [group(what, "alice", "fixture/echo", times)];
        assert_eq!(told_of, expected, "{setting} {value}: {report}");
        let all = report.to_string();
        assert!(
            all.contains(code) && all.contains(told),
            "{setting} {value}: {report}"
        );
        assert!(
            !all.contains("passwd") && !all.contains("169.254"),
            "{report}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_what_a_call_was_for_is_told_to_the_policies_again() -> Result<()> {
    let (world, _service) = world().await?;
    let lines = line(
        &world,
        "echo",
        json!({ "text": "x" }),
        json!({ "content": [] }),
    );
    fs::write(world.path().join("messages.jsonl"), lines)?;
    let forbid = "permit(principal, action, resource);\n\
        forbid(principal, action, resource)\n\
        when { context has purpose && context.purpose == \"support\" };\n";
    fs::write(world.path().join("stricter.cedar"), forbid)?;
    for (purpose, expected) in [("audit", 0), ("support", 3)] {
        changed(&world, |config| {
            config["policies"] = json!(["stricter.cedar"]);
            config["servers"][0]["content"]["purpose"] = json!({ "is": purpose });
        })?;
        let ended = replay(&world, &["--traffic", "messages.jsonl"]).await?;
        assert_eq!(
            ended.status.code(),
            Some(expected),
            "{purpose}: {}",
            ended.stdout
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_and_one_whose_rules_cannot_be_used_are_told_apart() -> Result<()>
{
    let (world, _service) = world().await?;
    let lines = [line(
        &world,
        "echo",
        json!({ "text": "x" }),
        json!({ "content": [] }),
    )];
    fs::write(world.path().join("messages.jsonl"), lines.join("\n"))?;
    let left_out = async || -> Result<String> {
        let ended = replay(&world, &["--traffic", "messages.jsonl"]).await?;
        let report: Value = serde_json::from_str(&ended.stdout).context(ended.stderr.clone())?;
        Ok(report["left_out"].to_string())
    };
    changed(&world, |config| {
        config["routes"][0]["path"] = json!("/elsewhere")
    })?;
    let told = left_out().await?;
    assert!(
        told.contains("of the changed configuration: there is no such route"),
        "{told}"
    );
    changed(&world, |config| {
        let schemas = json!({ "schemas": { "echo": r##"{"$ref":"#/nowhere"}"## } });
        config["servers"][0]["content"]["arguments"] = schemas;
    })?;
    let told = left_out().await?;
    assert!(
        told.contains("the rules of its server cannot be used"),
        "{told}"
    );
    assert!(told.contains("content.arguments.schemas"), "{told}");
    Ok(())
}
