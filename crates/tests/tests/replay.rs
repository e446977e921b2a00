//! What a changed configuration would make of traffic that is over: told of the ledger and of a file, by
//! user and tool, and never with a value.

use anyhow::{Context as _, Result};
use ringwall_tests::program::Ended;
use ringwall_tests::safety_shaped::{ATTACK, SafetyShaped};
use ringwall_tests::world::{Fleet, Footing, Member, Plan, Scripted, World, ringwall};
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
    let groups = report["groups"].as_array().into_iter().flatten();
    let each = groups.map(|group| {
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
            "name": "shields", "network": "private", "timeout": "30s",
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
    // The first line begins as some editors begin a text.
    let first = format!("\u{feff}{}", line("alice", "plain"));
    let lines = [first, line("bob", "hid\u{200b}den")].join("\n");
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
    let example = &report["groups"][0]["examples"][0];
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

/// What replay reports of the messages of a file, had the first server this content.
async fn replayed(fleet: &Fleet, content: Value) -> Result<Value> {
    let mut config: Value = serde_json::from_slice(&fs::read(fleet.path().join("ringwall.yaml"))?)?;
    let server = config.pointer_mut("/servers/0").context("no server")?;
    if let Some(server) = server.as_object_mut() {
        server.insert("content".into(), content);
    }
    fs::write(fleet.path().join("changed.yaml"), config.to_string())?;
    let command = ringwall()?.directory(fleet.path());
    let ended = command
        .arguments(["replay", "--with", "changed.yaml", "--json"])
        .arguments(["--traffic", "messages.jsonl"])
        .run()
        .await?;
    serde_json::from_str(&ended.stdout).context(ended.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_arguments_are_cut_down_before_they_are_looked_at_and_numbers_may_not_become_text()
-> Result<()> {
    let server = Scripted::start().await?;
    let members = json!({ "mail": { "type": "string" }, "card": { "type": "integer" } });
    let tool = json!({ "name": "pay", "inputSchema": { "type": "object", "properties": members } });
    server.answers("tools/list", json!({ "tools": [tool] }));
    let said = json!({ "content": [{ "type": "text", "text": "paid" }] });
    server.answers("tools/call", said.clone());
    let fleet = Fleet::start(Plan::default(), &[Member::at("crm", server.url())], &[]).await?;
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    caller.call("pay", json!({})).await?;
    let arguments = json!({ "mail": "ada@lovelace.dev", "card": 4_111_111_111_111_111_u64 });
    let line = json!({
        "route": "/all", "issuer": fleet.issuer.url(), "user": "alice", "groups": [],
        "message": { "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "pay", "arguments": arguments } },
        "answer": { "jsonrpc": "2.0", "id": 1, "result": said }
    });
    fs::write(fleet.path().join("messages.jsonl"), line.to_string())?;
    let data = |label: &str, action: &str| json!({ "data": { "rules": { label: { "arguments": action } } } });
    let mut cut = data("personal.email", "refuse");
    cut["minimise"] = json!({ "pay": [{ "arguments": { "drop": ["/mail"] } }] });
    for (content, what, told) in [
        (
            data("personal.email", "refuse"),
            "newly refused",
            "data_refused",
        ),
        (
            data("personal.payment_card", "redact"),
            "newly refused",
            "data_refused",
        ),
        // What does not go on is no reason to refuse the rest.
        (cut, "newly found", "minimise.arguments"),
    ] {
        let report = replayed(&fleet, content.clone()).await?;
        let mut groups = groups(&report);
        groups.retain(|(what, ..)| what.starts_with("newly"));
        let all = report.to_string();
        assert_eq!(
            groups,
            [group(what, "alice", "crm/pay", 1)],
            "{content} {report}"
        );
        assert!(all.contains(told), "{content} {report}");
        assert!(
            !all.contains("arguments_schema") && !all.contains("lovelace"),
            "{report}"
        );
    }
    Ok(())
}

/// A number that may not go on is a text from then on, for which the tool's schema has no place.
#[tokio::test(flavor = "multi_thread")]
async fn n1_2_an_answer_that_would_be_off_its_schema_is_newly_refused() -> Result<()> {
    let server = Scripted::start().await?;
    let card = json!({ "type": "object", "required": ["card"],
        "properties": { "card": { "type": "integer" } } });
    let tool = json!({ "name": "look", "inputSchema": { "type": "object" }, "outputSchema": card });
    server.answers("tools/list", json!({ "tools": [tool] }));
    let said = json!({ "content": [], "structuredContent": { "card": 4_111_111_111_111_111_u64 } });
    server.answers("tools/call", said.clone());
    let fleet = Fleet::start(Plan::default(), &[Member::at("crm", server.url())], &[]).await?;
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    let answer = caller.call("look", json!({})).await?;
    assert!(answer.get("result").is_some(), "{answer}");
    let line = json!({
        "route": "/all", "issuer": fleet.issuer.url(), "user": "alice", "groups": [],
        "message": { "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "look", "arguments": {} } },
        "answer": { "jsonrpc": "2.0", "id": 1, "result": said }
    });
    fs::write(fleet.path().join("messages.jsonl"), line.to_string())?;
    for (action, expected) in [("report", None), ("redact", Some("answer_schema"))] {
        let content =
            json!({ "data": { "rules": { "personal.payment_card": { "answers": action } } } });
        let report = replayed(&fleet, content).await?;
        let mut told = groups(&report);
        told.retain(|(what, ..)| what == "newly refused");
        let groups: Vec<_> = expected
            .map(|_| group("newly refused", "alice", "crm/look", 1))
            .into_iter()
            .collect();
        assert_eq!(told, groups, "{action}: {report}");
        let all = report.to_string();
        assert!(expected.is_none_or(|code| all.contains(code)), "{report}");
        assert!(!all.contains("41111"), "{report}");
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
async fn a_route_that_is_not_there_and_rules_that_cannot_be_used_are_told_apart() -> Result<()> {
    let (world, _service) = world().await?;
    let here = line(
        &world,
        "echo",
        json!({ "text": "x" }),
        json!({ "content": [] }),
    );
    let nowhere = here.replace("\"/fixture\"", "\"/gone\"");
    fs::write(
        world.path().join("messages.jsonl"),
        [here, nowhere].join("\n"),
    )?;
    changed(&world, |config| {
        config["routes"][0]["path"] = json!("/elsewhere")
    })?;
    let ended = replay(&world, &["--traffic", "messages.jsonl"]).await?;
    let report: Value = serde_json::from_str(&ended.stdout).context(ended.stderr.clone())?;
    let told = report["left_out"].to_string();
    assert!(
        told.contains("of the changed configuration: there is no such route"),
        "{told}"
    );
    assert!(
        told.contains("\"of the configuration: there is no such route\":1"),
        "{told}"
    );
    changed(&world, |config| {
        let schemas = json!({ "schemas": { "echo": r##"{"$ref":"#/nowhere"}"## } });
        config["servers"][0]["content"]["arguments"] = schemas;
    })?;
    let ended = replay(&world, &["--traffic", "messages.jsonl"]).await?;
    assert_eq!(ended.status.code(), Some(1));
    let refused = "servers[0].content.arguments.schemas.echo: cannot be enforced";
    assert!(ended.stderr.contains(refused), "{}", ended.stderr);
    Ok(())
}
