//! The configuration and the policies change under a running gateway: a good change is in force
//! without a restart, a bad one changes nothing and says why, and whoever is not concerned goes on.

use anyhow::{Context as _, Result};
use ringwall_tests::comes::is_so;
use ringwall_tests::mcp::text;
use ringwall_tests::wire;
use ringwall_tests::world::{PERMIT_ALL, Plan, Scripted, World, ledger};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

const IN_FORCE: &str = "the changed configuration is in force";
const NO_ECHO: &str = "forbid(principal, action == Ringwall::Action::\"call\", resource == Ringwall::Tool::\"fixture/echo\");\n";

/// Waits until what the gateway has complained about is as it should be. Nothing is sent to the
/// server meanwhile.
async fn until(world: &World, enough: impl Fn(&str) -> bool) -> Result<()> {
    let comes = is_so(async || Ok(enough(&world.gateway.complaints())));
    comes.await.with_context(|| world.gateway.complaints())
}

/// Waits until the gateway has taken over this many changes.
async fn in_force(world: &World, times: usize) -> Result<()> {
    until(world, |said| said.matches(IN_FORCE).count() >= times).await
}

/// Changes a file in one step: the gateway never finds half of it, or nothing.
fn write(world: &World, file: &str, text: &str) -> Result<()> {
    let whole = tempfile::NamedTempFile::new_in(world.path())?;
    std::fs::write(whole.path(), text)?;
    whole.persist(world.path().join(file))?;
    Ok(())
}

/// Adds to a file where it lies, as some editors do.
fn add(world: &World, file: &str, text: &str) -> Result<()> {
    let mut file = File::options().append(true).open(world.path().join(file))?;
    Ok(file.write_all(text.as_bytes())?)
}

fn config(world: &World) -> Result<Value> {
    let text = std::fs::read_to_string(world.path().join("ringwall.yaml"))?;
    Ok(serde_json::from_str(&text)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_policy_is_in_force_without_a_restart() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let echo = || alice.call("echo", json!({ "text": "said" }));
    assert_eq!(text(&echo().await?), "said");
    add(&world, "policy.cedar", NO_ECHO)?;
    in_force(&world, 1).await?;
    // The session is the one from before; the decision is not.
    let before = world.arrived()?;
    assert_eq!(wire::code(&echo().await?), "policy_denied");
    assert_eq!(world.arrived()?, before, "the call reached the server");
    let sum = alice.call("add", json!({ "a": 1, "b": 2 })).await?;
    assert_eq!(text(&sum), "{\"sum\":3}");
    write(&world, "policy.cedar", PERMIT_ALL)?;
    in_force(&world, 2).await?;
    assert_eq!(text(&echo().await?), "said");
    let records = json!(ledger(&world.gateway, &[]).await?).to_string();
    let noted = records.matches("configuration.reloaded").count();
    assert_eq!(noted, 2, "{records}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_configuration_changes_nothing_and_says_why() -> Result<()> {
    let world = World::start(Plan::default().policy(&format!("{PERMIT_ALL}{NO_ECHO}"))).await?;
    let alice = world.client("alice").await?;
    let (yaml, policy) = ("ringwall.yaml", "policy.cedar");
    let good = config(&world)?.to_string();
    let open = format!("{PERMIT_ALL}\n");
    let stray = serde_json::to_string_pretty(&config(&world)?)?.replacen(
        "\"server\": \"fixture\"",
        "\"server\": \"nobody\"",
        1,
    );
    let line = stray.lines().position(|line| line.contains("nobody"));
    let stray_place = format!("ringwall.yaml:{}:", line.unwrap_or_default() + 1);
    // Each would let everybody call everything, were it not for what is wrong with it.
    let rows = [
        (
            yaml,
            "version: 1\nroutes: [\nservers: }\n",
            "ringwall.yaml:",
        ),
        (yaml, "version: 1\n\nbogus: 1\n", "ringwall.yaml:3:1"),
        (yaml, &stray, &stray_place),
        (
            policy,
            "permit(principal, action, resource);\nforbid(principal action);\n",
            "policy.cedar:2:",
        ),
        (
            policy,
            "permit(principal, action, resource)\nwhen { context.no_such_thing };\n",
            "policy.cedar:2:",
        ),
    ];
    for (file, bad, place) in rows {
        let before = world.gateway.complaints().len();
        // The bad file first: at no moment is everything good that lies there.
        write(&world, file, bad)?;
        if file == yaml {
            write(&world, policy, &open)?;
        } else {
            write(&world, yaml, &good)?;
        }
        let newer = |said: &str| said.get(before..).unwrap_or_default().to_owned();
        until(&world, |said| {
            newer(said).contains("is not taken over") && names_a_place(&newer(said), place)
        })
        .await
        .with_context(|| format!("{bad}\nis wrong in {place}"))?;
        let told = newer(&world.gateway.complaints());
        let denied = alice.call("echo", json!({ "text": "x" })).await?;
        assert_eq!(wire::code(&denied), "policy_denied", "{bad}: {told}");
        let sum = alice.call("add", json!({ "a": 1, "b": 2 })).await?;
        assert_eq!(text(&sum), "{\"sum\":3}", "{bad}");
    }
    assert!(!world.gateway.complaints().contains(IN_FORCE));
    // It is not stuck: the next good one is taken over.
    write(&world, policy, &open)?;
    in_force(&world, 1).await?;
    let allowed = alice.call("echo", json!({ "text": "again" })).await?;
    assert_eq!(text(&allowed), "again");
    Ok(())
}

/// Whether something is said about this place, down to line and column.
fn names_a_place(told: &str, place: &str) -> bool {
    let file = place.split(':').next().unwrap_or_default();
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    told.match_indices(place).any(|(at, _)| {
        let after = told.get(at + file.len() + 1..).unwrap_or_default();
        let mut parts = after.split(':');
        parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_with_a_reload_that_changes_their_server_and_no_earlier() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let call = |word: &'static str| alice.call("echo", json!({ "text": word }));
    assert_eq!(text(&call("before").await?), "before");
    // Another route comes in, and the servers stay as they are.
    let mut changed = config(&world)?;
    let route = json!({ "path": "/new", "server": "fixture" });
    changed["routes"].as_array_mut().unwrap().push(route);
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 1).await?;
    assert_eq!(text(&call("after").await?), "after");
    let new = world.gateway.at("/new")?;
    let token = world.issuer.token(new.as_str(), "alice")?;
    ringwall_tests::mcp::Client::connect(&new, Some(&token)).await?;
    let opened = world.journal_text()?.matches("\\\"initialize\\\"").count();
    assert_eq!(opened, 2, "Alice's two sessions, and none again");
    changed["servers"][0]["timeout"] = json!("7s");
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 2).await?;
    let reply = alice.send("tools/list", json!({})).await?;
    let told = (reply.status.as_u16(), reply.code());
    assert_eq!(told, (404, "session_unknown".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_survive_a_reload_that_does_not_touch_their_server() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let call = |word: &'static str| alice.call("echo", json!({ "text": word }));
    assert_eq!(text(&call("before").await?), "before");
    // Another server and its route come in beside the one Alice uses.
    let mut changed = config(&world)?;
    let http = json!({ "url": "http://127.0.0.1:9/mcp", "network": "private" });
    let server = json!({ "name": "new", "http": http, "pins": "first_use" });
    changed["servers"].as_array_mut().unwrap().push(server);
    let route = json!({ "path": "/new", "server": "new" });
    changed["routes"].as_array_mut().unwrap().push(route);
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 1).await?;
    assert_eq!(text(&call("after").await?), "after");
    // Her own server is another one now.
    changed["servers"][0]["timeout"] = json!("7s");
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 2).await?;
    assert_eq!(alice.send("tools/list", json!({})).await?.status, 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_what_a_route_says_of_content_counts_for_streams_that_are_open() -> Result<()> {
    let scripted = Scripted::start().await?;
    let tool = json!({ "name": "call", "inputSchema": { "type": "object" } });
    let mail = "anna.berg@corp.test";
    let content = json!([{ "type": "text", "text": mail }]);
    scripted.answers("tools/list", json!({ "tools": [tool] }));
    scripted.answers("tools/call", json!({ "content": content }));
    let log = json!({ "jsonrpc": "2.0", "method": "notifications/message",
                      "params": { "level": "info", "data": mail } });
    scripted.says_before("tools/call", vec![log]);
    scripted.waits();
    let http = json!({ "url": scripted.url().as_str(), "network": "private" });
    let server = json!({ "era": "legacy", "http": http });
    let world = World::start(Plan::default().server(server)).await?;
    let alice = world.client("alice").await?;
    let call = json!({ "name": "call", "arguments": {} });
    let mut stream = alice.stream("tools/call", call).await?;
    let told = stream.message(|_| true).await?;
    assert_eq!(told.pointer("/params/data"), Some(&json!(mail)), "{told}");
    let mut changed = config(&world)?;
    changed["routes"][0]["content"] = json!({ "data": { "personal": { "answers": "redact" } } });
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 1).await?;
    scripted.goes_on();
    let answer = stream.message(|it| it.get("id").is_some()).await?;
    assert_eq!(text(&answer), "[redacted: personal.email]");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_a_value_that_two_notices_say_is_found_by_the_rules_that_count_by_then() -> Result<()>
{
    let scripted = Scripted::start().await?;
    let tool = json!({ "name": "call", "inputSchema": { "type": "object" } });
    scripted.answers("tools/list", json!({ "tools": [tool] }));
    scripted.answers("tools/call", json!({ "content": [] }));
    let log = |text: &str| {
        json!({ "jsonrpc": "2.0", "method": "notifications/message",
                "params": { "level": "info", "data": text } })
    };
    let (first, rest) = ("it is ghp_yk0FfwQCAJqle9wv", "XUxBRfzMu3a6ii2G0dSV");
    scripted.says_before("tools/call", vec![log("begins"), log(first), log(rest)]);
    scripted.waits_with(3);
    let http = json!({ "url": scripted.url().as_str(), "network": "private" });
    let secrets = |action: &str| json!({ "data": { "secrets": { "answers": action } } });
    let plan = Plan::default().server(json!({ "era": "legacy", "http": http }));
    let plan = plan.route(json!({ "content": secrets("ignore") }));
    let world = World::start(plan).await?;
    let alice = world.client("alice").await?;
    let call = json!({ "name": "call", "arguments": {} });
    let mut stream = alice.stream("tools/call", call).await?;
    let told = stream.message(|_| true).await?;
    assert_eq!(told.pointer("/params/data"), Some(&json!("begins")));
    let mut changed = config(&world)?;
    changed["routes"][0]["content"] = secrets("redact");
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 1).await?;
    scripted.goes_on();
    let told = stream.message(|_| true).await?;
    assert_eq!(told.pointer("/params/data"), Some(&json!(first)));
    let told = stream.message(|_| true).await?;
    let expected = json!("[redacted: secret.github_token]");
    assert_eq!(told.pointer("/params/data"), Some(&expected), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_which_fields_go_on_is_what_a_route_says_when_an_answer_comes() -> Result<()> {
    let scripted = Scripted::start().await?;
    let tool = json!({ "name": "call", "inputSchema": { "type": "object" } });
    let content = json!([{ "type": "text", "text": r#"{"id":1,"ssn":2}"# }]);
    scripted.answers("tools/list", json!({ "tools": [tool] }));
    scripted.answers("tools/call", json!({ "content": content }));
    let log = json!({ "jsonrpc": "2.0", "method": "notifications/message",
                      "params": { "level": "info", "data": "begins" } });
    scripted.says_before("tools/call", vec![log]);
    scripted.waits();
    let http = json!({ "url": scripted.url().as_str(), "network": "private" });
    let server = json!({ "era": "legacy", "http": http });
    let world = World::start(Plan::default().server(server)).await?;
    let alice = world.client("alice").await?;
    for (times, (fields, expected)) in [
        (json!({ "results": { "keep": ["/id"] } }), r#"{"id":1}"#),
        (json!({}), r#"{"id":1,"ssn":2}"#),
        // What the call is for has no entry any more.
        (json!({ "purposes": ["billing"] }), "purpose_unknown"),
    ]
    .into_iter()
    .enumerate()
    {
        let call = json!({ "name": "call", "arguments": {} });
        let mut stream = alice.stream("tools/call", call).await?;
        stream.message(|_| true).await?;
        let mut changed = config(&world)?;
        changed["routes"][0]["content"] =
            json!({ "purpose": { "is": "support" }, "minimise": { "call": [fields] } });
        write(&world, "ringwall.yaml", &changed.to_string())?;
        in_force(&world, times + 1).await?;
        scripted.goes_on();
        let answer = stream.message(|it| it.get("id").is_some()).await?;
        let told = wire::refusal(&answer).map_or_else(|| text(&answer), |(code, _)| code);
        assert_eq!(told, expected, "{answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_file_beside_the_configuration_does_not_hold_a_change_back() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let busy = world.path().join("busy.log");
    let writing = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for turn in 0u32.. {
            tick.tick().await;
            let _ = std::fs::write(&busy, turn.to_string());
        }
    });
    write(&world, "policy.cedar", &format!("{PERMIT_ALL}{NO_ECHO}"))?;
    // It is written to for as long as this is waited for.
    let waited = in_force(&world, 1).await;
    writing.abort();
    waited
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_limit_is_in_force_after_a_reload() -> Result<()> {
    let limits = |bytes: &str| json!({ "answer_bytes": bytes });
    let plan = Plan::default()
        .hostile()
        .whole(json!({ "limits": limits("1MiB") }));
    let world = World::start(plan).await?;
    let huge = json!({ "n": 2 << 20 });
    let alice = world.client("alice").await?;
    assert!(
        alice
            .call("huge", huge.clone())
            .await?
            .get("error")
            .is_some()
    );
    let mut changed = config(&world)?;
    changed["limits"] = limits("8MiB");
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 1).await?;
    // The server is read within other limits now, so her session had to end.
    let alice = world.client("alice").await?;
    let answer = alice.call("huge", huge).await?;
    assert_eq!(text(&answer).len(), 2 << 20, "{}", wire::code(&answer));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_2_a_session_ends_when_its_route_leads_to_another_server() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let mut changed = config(&world)?;
    // Both servers are there before and after; only the route leads elsewhere now.
    let mut twin = changed["servers"][0].clone();
    twin["name"] = json!("twin");
    changed["servers"].as_array_mut().unwrap().push(twin);
    changed["routes"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "path": "/twin", "server": "twin" }));
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 1).await?;
    assert_eq!(alice.send("tools/list", json!({})).await?.status, 200);
    changed["routes"][0]["server"] = json!("twin");
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 2).await?;
    assert_eq!(alice.send("tools/list", json!({})).await?.status, 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_later_configuration_names_is_watched_from_then_on() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let echo = || alice.call("echo", json!({ "text": "said" }));
    std::fs::create_dir(world.path().join("later"))?;
    write(&world, "later/more.cedar", "// Nothing yet.\n")?;
    let mut changed = config(&world)?;
    changed["policies"] = json!(["policy.cedar", "later/*.cedar"]);
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 1).await?;
    assert_eq!(text(&echo().await?), "said");
    // The configuration itself stays as it is.
    write(&world, "later/more.cedar", NO_ECHO)?;
    in_force(&world, 2).await?;
    assert_eq!(wire::code(&echo().await?), "policy_denied");
    // A configuration that names a file that is not there is taken over once the file is.
    changed["policies"] = json!(["policy.cedar", "last.cedar"]);
    write(&world, "ringwall.yaml", &changed.to_string())?;
    until(&world, |said| said.contains("last.cedar")).await?;
    assert_eq!(wire::code(&echo().await?), "policy_denied");
    write(&world, "last.cedar", "// Nothing.\n")?;
    in_force(&world, 3).await?;
    assert_eq!(text(&echo().await?), "said");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_a_server_that_looks_like_a_well_known_one_is_told_when_it_is_configured() -> Result<()>
{
    let world = World::start(Plan::default()).await?;
    let named = |said: &str| said.contains("a letter away from the well-known `filesystem`");
    assert!(!named(&world.gateway.complaints()));
    let mut changed = config(&world)?;
    let http = json!({ "url": "http://127.0.0.1:9/mcp", "network": "private" });
    let squat = json!({ "name": "filesytem", "http": http });
    changed["servers"]
        .as_array_mut()
        .context("no servers")?
        .push(squat);
    let route = json!({ "path": "/new", "server": "filesytem" });
    changed["routes"]
        .as_array_mut()
        .context("no routes")?
        .push(route);
    write(&world, "ringwall.yaml", &changed.to_string())?;
    in_force(&world, 1).await?;
    assert!(named(&world.gateway.complaints()));
    let is_recorded = is_so(async || {
        let records = json!(ledger(&world.gateway, &[]).await?).to_string();
        Ok(records.contains("server.suspected") && records.contains("likeness.typosquat"))
    });
    is_recorded.await.context("it is not in the ledger")?;
    // Whoever enforces the rule gets no such server at all.
    changed["servers"][1]["content"] = json!({ "modes": { "likeness.typosquat": "enforce" } });
    write(&world, "ringwall.yaml", &changed.to_string())?;
    until(&world, |said| said.contains("is not taken over")).await?;
    Ok(())
}
