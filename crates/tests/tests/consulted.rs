//! When detectors of others are asked about a call: once policies have let it through by what is known
//! here, and before an approval is used up by it. What they say can only take away. Nothing else is sent
//! to them, as the service itself tells.

use anyhow::{Context as _, Result};
use ringwall_tests::comes::{comes, is_so};
use ringwall_tests::held::approve;
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::safety_shaped::{ATTACK, Mood, SafetyShaped};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire;
use ringwall_tests::world::{Plan, Scripted, World, ledger};
use serde_json::{Value, json};

const GITHUB: &str = "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";

/// A world in which this service is asked, with these members of the content of its server beside.
async fn world(service: &SafetyShaped, uses: Value, content: Value, plan: Plan) -> Result<World> {
    // What it says is the subject here, and how long it takes is not.
    let shields = json!({
        "name": "shields", "network": "private", "timeout": "30s",
        "prompt_shields": { "endpoint": service.endpoint(), "key": "env:PROVIDER_SECRET" }
    });
    let content = overlaid(json!({ "providers": [uses] }), &content);
    let plan = plan
        .whole(json!({ "providers": [shields] }))
        .server(json!({ "content": content }));
    World::start(plan).await
}

fn on_arguments(mode: &str) -> Value {
    json!({ "use": "shields", "mode": mode, "on": ["arguments"] })
}

async fn echo(world: &World, said: &str) -> Result<Value> {
    let alice = world.client("alice").await?;
    alice.call("echo", json!({ "text": said })).await
}

/// Everything that the service was sent.
fn sent(service: &SafetyShaped) -> String {
    let asked = service.asked();
    let bodies: Vec<_> = asked.iter().map(|asked| &asked.body).collect();
    json!(bodies).to_string()
}

async fn last(world: &World) -> Result<Value> {
    let records = ledger(&world.gateway, &["tools/call"]).await?;
    let record = records.last().and_then(|line| line.get("record"));
    Ok(record.context("no call is in the ledger")?.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_nobody_is_told_of_a_call_that_goes_no_further_anyway() -> Result<()> {
    let denied = r#"
        permit(principal, action, resource);
        forbid(principal, action == Ringwall::Action::"call", resource) when { context.arguments has text };
    "#;
    let unseen = r#"
        permit(principal, action == Ringwall::Action::"use", resource);
    "#;
    let stepped = r#"
        permit(principal, action, resource);
        @lift("scope: more")
        forbid(principal, action == Ringwall::Action::"call", resource);
    "#;
    let open = "permit(principal, action, resource);";
    for (policy, said, expected) in [
        (denied, "hello", "policy_denied"),
        (unseen, "hello", "tool_unknown"),
        (stepped, "hello", "token_scope"),
        (open, GITHUB, "data_refused"),
    ] {
        for mode in ["shadow", "warn", "enforce"] {
            let service = SafetyShaped::start().await?;
            // Whoever asked would hear nothing.
            service.becomes(Mood::Status(500, None));
            let plan = Plan::default().policy(policy);
            let world = world(&service, on_arguments(mode), json!({}), plan).await?;
            let answer = echo(&world, said).await?;
            assert_eq!(wire::code(&answer), expected, "{mode}: {answer}");
            assert_eq!(sent(&service), "[]", "{expected} {mode}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_what_is_suspected_takes_away_and_never_adds() -> Result<()> {
    let suspected = r#"context.suspicions.contains("injection")"#;
    let rule = |effect: &str, condition: &str| {
        format!(
            "{effect}(principal, action == Ringwall::Action::\"call\", resource) {condition};\n"
        )
    };
    let all = "permit(principal, action, resource);\n";
    let held = "@lift(\"approval: owners\")\n";
    let denied = all.to_owned() + &rule("forbid", &format!("when {{ {suspected} }}"));
    // Somebody thought that what is suspicious may pass where nothing else may.
    let turned = all.to_owned() + &rule("forbid", &format!("unless {{ {suspected} }}"));
    let lifted = format!(
        "{all}{held}{}",
        rule("forbid", &format!("unless {{ {suspected} }}"))
    );
    let sought = format!(
        "{all}{held}{}",
        rule("forbid", &format!("when {{ {suspected} }}"))
    );
    let waits = format!("{all}{held}{}", rule("forbid", ""));
    let both = waits.clone() + &rule("forbid", &format!("when {{ {suspected} }}"));
    for (policy, said, expected, asked) in [
        (&denied, "hello", "", 1),
        (&denied, ATTACK, "policy_denied", 1),
        (&turned, ATTACK, "policy_denied", 0),
        (&lifted, ATTACK, "approval_needed", 1),
        (&sought, "hello", "", 1),
        (&sought, ATTACK, "approval_needed", 1),
        (&waits, "hello", "approval_needed", 1),
        (&waits, ATTACK, "approval_needed", 1),
        (&both, ATTACK, "policy_denied", 1),
    ] {
        let service = SafetyShaped::start().await?;
        let plan = Plan::default().policy(policy);
        let world = world(&service, on_arguments("warn"), json!({}), plan).await?;
        let alice = world.client("alice").await?;
        let before = world.arrived()?;
        let answer = alice.call("echo", json!({ "text": said })).await?;
        let told = match expected {
            "" => text(&answer).replace(said, ""),
            _ => wire::code(&answer),
        };
        assert_eq!(told, expected, "{policy}: {answer}");
        assert_eq!(service.asked().len(), asked, "{policy}");
        assert_eq!(world.arrived()? - before, usize::from(expected.is_empty()));
        let record = last(&world).await?;
        let verdict = if expected.is_empty() { "allow" } else { "deny" };
        assert_eq!(record["policy"]["verdict"], verdict, "{policy}: {record}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_no_approval_is_used_up_by_a_call_that_a_detector_ends() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let policy = "permit(principal, action, resource);\n\
        @lift(\"approval: owners\")\n\
        forbid(principal, action == Ringwall::Action::\"call\", resource);\n";
    let plan = Plan::default().policy(policy);
    let world = world(&service, on_arguments("enforce"), json!({}), plan).await?;
    // Nobody is asked to approve what is refused anyway.
    let answer = echo(&world, ATTACK).await?;
    assert_eq!(wire::code(&answer), "content_suspected", "{answer}");
    service.becomes(Mood::Status(400, None));
    assert_eq!(
        wire::code(&echo(&world, "hello").await?),
        "detector_unheard"
    );
    service.becomes(Mood::Good);
    assert_eq!(wire::code(&echo(&world, "hello").await?), "approval_needed");
    approve(&world).await?;
    assert_eq!(text(&echo(&world, "hello").await?), "hello");
    assert_eq!(wire::code(&echo(&world, "hello").await?), "approval_needed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_what_was_taken_out_before_is_not_in_what_is_sent() -> Result<()> {
    let said = format!("the key is {GITHUB}, keep it");
    for (surface, data) in [
        (
            "arguments",
            json!({ "secrets": { "arguments": "redact", "answers": "report" } }),
        ),
        (
            "results",
            json!({ "secrets": { "arguments": "report", "answers": "redact" } }),
        ),
        (
            "arguments",
            json!({ "secrets": { "arguments": "tokenise", "answers": "report" } }),
        ),
    ] {
        let service = SafetyShaped::start().await?;
        let uses = json!({ "use": "shields", "mode": "enforce", "on": [surface] });
        let world = world(&service, uses, json!({ "data": data }), Plan::default()).await?;
        let answer = echo(&world, &said).await?;
        assert!(text(&answer).starts_with("the key is "), "{answer}");
        let sent = sent(&service);
        assert!(sent.contains("the key is "), "{surface}: {sent}");
        assert!(!sent.contains(GITHUB), "{surface}: {sent}");
    }
    Ok(())
}

/// What a client hears of a call before whose answer the server says this, and the answer itself.
async fn told(
    service: &SafetyShaped,
    uses: Value,
    policy: &str,
    ahead: &Value,
    result: &Value,
) -> Result<(World, Vec<Value>)> {
    let scripted = Scripted::start().await?;
    let tool = json!({ "name": "call", "inputSchema": { "type": "object" } });
    scripted.answers("tools/list", json!({ "tools": [tool] }));
    scripted.answers("tools/call", result.clone());
    let ahead = Some(ahead.clone()).filter(|ahead| !ahead.is_null());
    scripted.says_before("tools/call", ahead.into_iter().collect());
    let at = json!({
        "era": "legacy", "http": { "url": scripted.url().as_str(), "network": "private" }
    });
    let plan = Plan::default().server(at).policy(policy);
    let world = world(service, uses, json!({}), plan).await?;
    let mut alice = Client::new(&world.url()?, Some(&world.token("alice")?));
    alice
        .initialize(json!({ "elicitation": {}, "sampling": {} }))
        .await?;
    let call = alice.send("tools/call", json!({ "name": "call", "arguments": {} }));
    let heard = call.await?.messages()?;
    Ok((world, heard))
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_what_a_server_asks_or_says_in_passing_is_heard_where_that_is_said() -> Result<()> {
    let open = "permit(principal, action, resource);";
    let silent = r#"permit(principal, action, resource);
        forbid(principal, action == Ringwall::Action::"ask", resource);"#;
    let wary = r#"permit(principal, action, resource);
        forbid(principal, action == Ringwall::Action::"ask", resource)
        when { context.suspicions.contains("injection") };"#;
    let question = |text: &str| {
        json!({ "jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {
            "message": text, "requestedSchema": { "type": "object", "properties": {} } } })
    };
    let log = |text: &str| {
        json!({ "jsonrpc": "2.0", "method": "notifications/message",
            "params": { "level": "info", "data": text } })
    };
    // What is said, where, in which mode: whether it is passed on, and whether somebody was asked.
    for (policy, ahead, on, mode, passes, asks) in [
        (open, question("hello"), "questions", "enforce", true, true),
        (open, question(ATTACK), "questions", "enforce", false, true),
        (open, question(ATTACK), "questions", "warn", true, true),
        (open, question(ATTACK), "questions", "shadow", true, true),
        (wary, question(ATTACK), "questions", "warn", false, true),
        (wary, question(ATTACK), "questions", "shadow", true, true),
        (wary, question("hello"), "questions", "warn", true, true),
        (silent, question(ATTACK), "questions", "warn", false, false),
        (open, question(ATTACK), "notices", "enforce", true, false),
        (open, log("hello"), "notices", "enforce", true, true),
        (open, log(ATTACK), "notices", "enforce", false, true),
        (open, log(ATTACK), "notices", "warn", true, true),
        (open, log(ATTACK), "questions", "enforce", true, false),
        (open, log(ATTACK), "results", "enforce", true, false),
    ] {
        let service = SafetyShaped::start().await?;
        let uses = json!({ "use": "shields", "mode": mode, "on": [on] });
        let result = json!({ "content": [] });
        let (world, heard) = told(&service, uses, policy, &ahead, &result).await?;
        let row = format!("{ahead} {on} {mode}");
        let method = ahead.get("method");
        let is_passed = heard.iter().any(|message| message.get("method") == method);
        assert_eq!(is_passed, passes, "{row}: {heard:?}");
        assert_eq!(!service.asked().is_empty(), asks, "{row}");
        let answered = heard.last().and_then(|last| last.get("result"));
        assert_eq!(answered, Some(&result), "{row}: {heard:?}");
        let scores = last(&world).await?["scores"].clone();
        let is_suspect = asks && ahead.to_string().contains(ATTACK);
        let suspect = scores.as_array().is_some_and(|scores| {
            let mut scores = scores.iter();
            scores.any(|score| score["value"] == 1000 && score["mode"] == mode)
        });
        assert_eq!(suspect, is_suspect, "{row}: {scores}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_what_a_stateless_server_asks_is_heard_like_any_other_question() -> Result<()> {
    let open = "permit(principal, action, resource);";
    let wary = r#"permit(principal, action, resource);
        forbid(principal, action == Ringwall::Action::"ask", resource)
        when { context.suspicions.contains("injection") };"#;
    let form = |text: &str| {
        let schema = json!({ "type": "object", "properties": {} });
        let params = json!({ "message": text, "requestedSchema": schema });
        json!({ "method": "elicitation/create", "params": params })
    };
    for (policy, text, mode, passes) in [
        (open, "hello", "enforce", true),
        (open, ATTACK, "enforce", false),
        (open, ATTACK, "warn", true),
        (wary, "hello", "warn", true),
        (wary, ATTACK, "warn", false),
        (wary, ATTACK, "shadow", true),
    ] {
        let service = SafetyShaped::start().await?;
        let scripted = Scripted::modern().await?;
        let tool = json!({ "name": "call", "inputSchema": { "type": "object" } });
        scripted.answers("tools/list", json!({ "tools": [tool] }));
        let asked = json!({ "a": form("hello"), "b": form(text) });
        let wants = json!({ "resultType": "input_required", "requestState": "s" });
        let wants = overlaid(wants, &json!({ "inputRequests": asked }));
        scripted.answers("tools/call", wants);
        let http = json!({ "url": scripted.url().as_str(), "network": "private" });
        let at = json!({ "era": "modern", "http": http });
        let plan = Plan::default().server(at).policy(policy);
        let uses = json!({ "use": "shields", "mode": mode, "on": ["questions"] });
        let world = world(&service, uses, json!({}), plan).await?;
        let alice = Stateless::new(&world.url()?, Some(&world.token("alice")?));
        let alice = alice.capable(json!({ "elicitation": {} }));
        let answer = alice.call("call", json!({})).await?;
        let is_asked = answer.pointer("/result/inputRequests/b").is_some();
        let row = format!("{text} {mode} {policy}");
        assert_eq!(is_asked, passes, "{row}: {answer}");
        assert!(!service.asked().is_empty(), "{row}");
        assert!(
            is_asked || wire::refusal(&answer).is_some(),
            "{row}: {answer}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_an_answer_that_pretends_to_ask_is_an_answer_all_the_same() -> Result<()> {
    for on in ["results", "questions", "notices"] {
        let service = SafetyShaped::start().await?;
        let uses = json!({ "use": "shields", "mode": "enforce", "on": [on] });
        let result = json!({
            "content": [{ "type": "text", "text": ATTACK }], "inputRequests": {}
        });
        let open = "permit(principal, action, resource);";
        let (_world, heard) = told(&service, uses, open, &Value::Null, &result).await?;
        let answer = heard.last().context("no answer")?;
        assert_eq!(wire::code(answer), "answer_suspected", "{on}: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_a_question_and_a_notice_of_which_nobody_says_anything_are_kept_back() -> Result<()> {
    let question = json!({ "jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {
        "message": "hello", "requestedSchema": { "type": "object", "properties": {} } } });
    let log = json!({ "jsonrpc": "2.0", "method": "notifications/message",
        "params": { "level": "info", "data": "hello" } });
    let open = "permit(principal, action, resource);";
    for (ahead, on) in [(question, "questions"), (log, "notices")] {
        let service = SafetyShaped::start().await?;
        service.becomes(Mood::Status(400, None));
        let uses = json!({ "use": "shields", "mode": "warn", "on": [on] });
        let result = json!({ "content": [] });
        let (world, heard) = told(&service, uses, open, &ahead, &result).await?;
        assert_eq!(heard.len(), 1, "{on}: {heard:?}");
        let skipped = last(&world).await?["controls"]["skipped"].to_string();
        assert!(skipped.contains("`shields` said nothing"), "{skipped}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_what_is_suspected_of_what_a_server_says_unasked_is_written_down() -> Result<()> {
    let service = SafetyShaped::start().await?;
    service.becomes(Mood::Says(
        "{\"documentsAnalysis\":[{\"attackDetected\":true}]}",
    ));
    let uses = json!({ "use": "shields", "mode": "enforce", "on": ["notices"] });
    let world = world(&service, uses, json!({}), Plan::default().hostile()).await?;
    let (alice, bob) = (world.client("alice").await?, world.client("bob").await?);
    let _listening = bob.listen(None).await?;
    let stray = json!({ "kind": "foreign_answer" });
    alice.call("stray", stray).await?;
    let events = world.events("server.suspected", 1).await?;
    let record = events.first().and_then(|line| line.get("record"));
    let record = record.context("nothing is written down")?;
    assert_eq!(record["event"]["after"], "withheld", "{record}");
    assert_eq!(record["subject"], "notifications/message");
    assert_eq!(record["scores"][0]["value"], 1000);
    assert_eq!(record["scores"][0]["detector"], "shields");
    Ok(())
}

/// A world in which a service that says nothing yet is asked about arguments, and may take its time.
async fn unhurried(service: &SafetyShaped, mode: &str) -> Result<World> {
    service.becomes(Mood::Waits);
    let shields = json!({
        "name": "shields", "network": "private", "timeout": "30s",
        "prompt_shields": { "endpoint": service.endpoint(), "key": "env:PROVIDER_SECRET" }
    });
    let content = json!({ "content": { "providers": [on_arguments(mode)] } });
    let plan = Plan::default().hostile();
    let plan = plan
        .whole(json!({ "providers": [shields] }))
        .server(content);
    World::start(plan).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_a_call_does_not_wait_for_what_changes_nothing_and_its_record_has_it() -> Result<()> {
    for (mode, waits) in [("shadow", false), ("warn", true)] {
        let service = SafetyShaped::start().await?;
        let world = unhurried(&service, mode).await?;
        let alice = world.client("alice").await?;
        let before = world.arrived()?;
        let call = tokio::spawn(async move { alice.call("echo", json!({ "text": ATTACK })).await });
        is_so(async || Ok(!service.asked().is_empty())).await?;
        if !waits {
            is_so(async || Ok(world.arrived()? > before)).await?;
        }
        // Whichever it was, it is not answered before it is recorded, with everything that was said.
        assert!(!call.is_finished());
        assert_eq!(world.arrived()? > before, !waits, "{mode}");
        assert!(ledger(&world.gateway, &["tools/call"]).await?.is_empty());
        service.becomes(Mood::Good);
        assert_eq!(text(&call.await??), ATTACK);
        let record = last(&world).await?;
        assert_eq!(record["scores"][0]["value"], 1000, "{record}");
        assert_eq!(record["scores"][0]["mode"], mode);
        let ran = record["controls"]["ran"].as_array().context("none ran")?;
        assert!(ran.contains(&json!("1.3")), "{record}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_a_call_that_was_taken_back_waits_for_no_detector() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let world = unhurried(&service, "shadow").await?;
    let alice = Stateless::new(&world.url()?, Some(&world.token("alice")?));
    let call = tokio::spawn(async move { alice.call("echo", json!({ "text": ATTACK })).await });
    is_so(async || Ok(world.journal_text()?.contains(ATTACK))).await?;
    assert!(!call.is_finished());
    call.abort();
    let record = comes(async || {
        let records = ledger(&world.gateway, &["tools/call"]).await?;
        Ok(records.last().and_then(|line| line.get("record")).cloned())
    });
    let record = record.await?;
    let skipped = record["controls"]["skipped"].to_string();
    assert!(skipped.contains("before anything was said"), "{record}");
    Ok(())
}
