//! Secrets and personal data on their way through the gateway: what they are is told, and the values
//! themselves are where they may be and nowhere else.

use anyhow::{Context as _, Result};
use ringwall_tests::comes::is_so;
use ringwall_tests::wire;
use ringwall_tests::world::{PERMIT_ALL, Plan, Scripted, World, ledger, ringwall};
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const GITHUB: &str = "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";
const JWT: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1LTQ4MjEzIn0.q0Jx7vLwYb5Hn1dXcUoFgRs9PtEiVaWlKjBzNyCm2Zr";
const MAIL: &str = "anna.berg@corp.test";

fn data(settings: Value) -> Value {
    json!({ "content": { "data": settings } })
}

fn said(answer: &Value) -> String {
    let text = answer.pointer("/result/content/0/text");
    text.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Whether a text is in some file below a folder.
fn lies_in(folder: &Path, needle: &str) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = match path.is_dir() {
            true => lies_in(&path, needle)?,
            // A socket holds nothing.
            false if !path.is_file() => false,
            false => {
                let bytes = match fs::read(&path) {
                    // What lay there for a moment only, as beside a database, is gone.
                    Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
                    bytes => bytes?,
                };
                bytes
                    .windows(needle.len())
                    .any(|it| it == needle.as_bytes())
            }
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Neither the ledger, nor any file of the gateway, nor its log holds the value.
async fn is_nowhere(world: &World, value: &str) -> Result<()> {
    for folder in fs::read_dir(world.path())? {
        let folder = folder?.path();
        if folder.is_dir() {
            assert!(
                !lies_in(&folder, value)?,
                "{value} is in {}",
                folder.display()
            );
        }
    }
    let records = ledger(&world.gateway, &[]).await?;
    assert!(!records.is_empty());
    assert!(
        !json!(records).to_string().contains(value),
        "{value} is recorded"
    );
    assert!(
        !world.gateway.complaints().contains(value),
        "{value} is logged"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_secret_in_arguments_is_refused_and_never_arrives() -> Result<()> {
    let keep = json!({ "ledger": { "keep": ["arguments", "results"] } });
    let world = World::start(Plan::default().route(keep)).await?;
    let alice = world.client("alice").await?;
    for text in [GITHUB.to_owned(), format!("use {GITHUB}, please")] {
        let answer = alice.call("echo", json!({ "text": text })).await?;
        assert_eq!(wire::code(&answer), "data_refused", "{answer}");
        assert!(
            answer.to_string().contains("secret.github_token"),
            "{answer}"
        );
        assert!(!answer.to_string().contains(GITHUB), "{answer}");
    }
    // What looks so and has another checksum is none, and what is doubtful passes.
    let near = GITHUB.replace("dSV", "dSW");
    let answer = alice.call("echo", json!({ "text": near })).await?;
    assert_eq!(said(&answer), near);
    assert!(!world.journal_text()?.contains(GITHUB));
    is_nowhere(&world, GITHUB).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_what_somebody_calls_something_tells_no_record_a_secret() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let uri = format!("https://h.example/{}?key={GITHUB}", "a/".repeat(30));
    for (method, params) in [
        ("tools/call", json!({ "name": GITHUB, "arguments": {} })),
        (
            "tools/call",
            json!({ "name": format!("{}{GITHUB}", "get ".repeat(60)) }),
        ),
        ("prompts/get", json!({ "name": GITHUB })),
        ("resources/read", json!({ "uri": uri })),
        ("resources/subscribe", json!({ "uri": uri })),
        (GITHUB, json!({})),
    ] {
        let answer = alice.request(method, params).await?;
        assert!(answer.get("error").is_some(), "{answer}");
        assert!(!answer.to_string().contains(GITHUB), "{answer}");
    }
    let listed = json!({ "jsonrpc": "2.0", "id": GITHUB, "method": "tools/list" });
    let answer = alice.post(&listed).await?.json()?;
    assert_eq!(answer["id"], GITHUB);
    let route = world.gateway.at(&format!("/no/{GITHUB}"))?;
    let nowhere = wire::Outgoing::message(&route, &listed).send().await?;
    assert_eq!(nowhere.code(), "route_unknown");
    assert!(!String::from_utf8_lossy(&nowhere.body).contains(&format!("/{GITHUB}")));
    let records = json!(ledger(&world.gateway, &[]).await?).to_string();
    let told = records.matches("[redacted: secret.github_token]").count();
    assert!(told >= 8, "{told}: {records}");
    is_nowhere(&world, GITHUB).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_a_secret_in_an_answer_is_redacted() -> Result<()> {
    let keep = json!({ "ledger": { "keep": ["arguments", "results"] } });
    let settings = data(json!({ "secrets": { "arguments": "redact" } }));
    let plan = Plan::default().route(keep).server(settings);
    let world = World::start(plan).await?;
    let alice = world.client("alice").await?;
    let answer = alice
        .call("echo", json!({ "text": format!("a {GITHUB} b") }))
        .await?;
    assert_eq!(said(&answer), "a [redacted: secret.github_token] b");
    assert!(!world.journal_text()?.contains(GITHUB));
    is_nowhere(&world, GITHUB).await?;
    // By default a token that may be meant to pass reaches the server, and not the model.
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let answer = alice.call("echo", json!({ "text": JWT })).await?;
    assert_eq!(said(&answer), "[redacted: secret.jwt]");
    assert!(world.journal_text()?.contains(JWT));
    let found = ledger(&world.gateway, &["--user", "alice"]).await?;
    let found = json!(found).to_string();
    assert!(
        found.contains("secret.jwt") && found.contains("redact"),
        "{found}"
    );
    is_nowhere(&world, JWT).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_an_answer_can_be_withheld_for_what_is_in_it() -> Result<()> {
    let settings = json!({ "rules": { "personal.email": { "answers": "refuse" } } });
    let world = World::start(Plan::default().route(data(settings))).await?;
    let alice = world.client("alice").await?;
    let answer = alice.call("echo", json!({ "text": MAIL })).await?;
    assert_eq!(wire::code(&answer), "answer_data_refused", "{answer}");
    assert!(!answer.to_string().contains(MAIL), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_personal_data_passes_and_is_told_to_policies() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let alice = world.client("alice").await?;
    let answer = alice.call("echo", json!({ "text": MAIL })).await?;
    assert_eq!(said(&answer), MAIL);
    is_nowhere(&world, MAIL).await?;
    let no_mail = "forbid(principal, action == Ringwall::Action::\"call\", resource)\n\
                   when { context.findings.contains(\"personal.email\") };\n";
    let policy = format!("{PERMIT_ALL}{no_mail}");
    let world = World::start(Plan::default().policy(&policy)).await?;
    let alice = world.client("alice").await?;
    let answer = alice.call("echo", json!({ "text": MAIL })).await?;
    assert_eq!(wire::code(&answer), "policy_denied", "{answer}");
    let answer = alice.call("echo", json!({ "text": "hello" })).await?;
    assert_eq!(said(&answer), "hello");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_the_same_value_has_the_same_token_and_only_a_server_that_may_gets_it_back()
-> Result<()> {
    let keep = json!({ "ledger": { "keep": ["arguments", "results"] } });
    let settings = json!({ "personal": { "answers": "tokenise" }, "reveal": ["personal.email"] });
    let plan = Plan::default().server(data(settings)).route(keep);
    let mut world = World::start(plan).await?;
    let alice = world.client("alice").await?;
    let card = "4111 1111 1111 1111";
    let told = |text: String| alice.call("echo", json!({ "text": text }));
    let first = said(&told(format!("{MAIL} and {card}")).await?);
    let (mail, number) = first.split_once(" and ").unwrap_or_default();
    assert!(mail.starts_with("{rw:personal.email:"), "{first}");
    assert!(number.starts_with("{rw:personal.payment_card:"), "{first}");
    let second = said(&told(format!("to {MAIL}")).await?);
    assert_eq!(second, format!("to {mail}"));
    // The token goes back to the server as what it stands for, and the answer has the token again.
    let before = world.journal_text()?.matches(MAIL).count();
    let third = said(&told(format!("ag\u{200b}ain {mail}, {number}")).await?);
    assert_eq!(third, format!("again {mail}, {number}"));
    let journal = world.journal_text()?;
    assert!(journal.matches(MAIL).count() > before, "{journal}");
    // What is sent is cleaned, too.
    let sent = format!("again {MAIL}, ");
    assert!(journal.contains(&sent), "{journal}");
    assert_eq!(journal.matches(card).count(), 1, "{journal}");
    let records = json!(ledger(&world.gateway, &["--user", "alice"]).await?).to_string();
    assert!(records.contains("data.revealed"), "{records}");
    // The key of tokens outlives the process.
    world.gateway.crash_and_restart().await?;
    let bob = world.client("bob").await?;
    let answer = bob.call("echo", json!({ "text": MAIL })).await?;
    assert_eq!(said(&answer), mail);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_leave_gets_the_token_and_no_more() -> Result<()> {
    let settings = json!({ "personal": { "answers": "tokenise" } });
    let world = World::start(Plan::default().server(data(settings))).await?;
    let alice = world.client("alice").await?;
    let token = said(&alice.call("echo", json!({ "text": MAIL })).await?);
    let before = world.journal_text()?.matches(MAIL).count();
    let again = said(&alice.call("echo", json!({ "text": token })).await?);
    assert_eq!(again, token);
    let journal = world.journal_text()?;
    assert_eq!(journal.matches(MAIL).count(), before);
    assert!(journal.contains(&token));
    Ok(())
}

const CARD: u64 = 4_111_111_111_111_111;

/// A server with tools whose arguments and results have a form.
async fn formed() -> Result<Scripted> {
    let scripted = Scripted::start().await?;
    let to = json!({ "type": "string", "pattern": "^[a-z.]+@corp\\.test$", "maxLength": 24 });
    let properties = json!({ "to": to, "id": {}, "any": {}, "card": { "type": "integer" } });
    let takes = json!({ "type": "object", "properties": properties });
    let gives = json!({ "type": "object", "properties": { "card": { "type": "integer" } } });
    let tools = json!([
        { "name": "send", "inputSchema": takes },
        { "name": "look", "inputSchema": takes, "outputSchema": gives },
    ]);
    scripted.answers("tools/list", json!({ "tools": tools }));
    scripted.answers(
        "tools/call",
        json!({ "content": [{ "type": "text", "text": MAIL }] }),
    );
    Ok(scripted)
}

fn at(scripted: &Scripted, content: Value) -> Plan {
    Plan::default().server(json!({
        "era": "legacy", "http": { "url": scripted.url().as_str(), "network": "private" },
        "content": content,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_a_secret_that_two_notices_say_is_not_told_to_its_end() -> Result<()> {
    let scripted = formed().await?;
    let log = |text: String| {
        json!({ "jsonrpc": "2.0", "method": "notifications/message",
                "params": { "level": "info", "data": text } })
    };
    let (first, rest) = GITHUB.split_at(20);
    let logs = vec![
        log(format!("it is {first}")),
        log(format!("{rest} at last")),
    ];
    scripted.says_before("tools/call", logs);
    let world = World::start(at(&scripted, json!({}))).await?;
    let alice = world.client("alice").await?;
    let call = json!({ "name": "send", "arguments": {} });
    let heard = alice.send("tools/call", call).await?.messages()?;
    let heard = json!(heard).to_string();
    assert!(
        heard.contains(first) && heard.contains("at last"),
        "{heard}"
    );
    assert!(!heard.contains(rest), "{heard}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_2_a_schema_is_held_against_what_a_token_stands_for_and_policies_see_the_token()
-> Result<()> {
    let scripted = formed().await?;
    let meanings = json!({ "/to": { "is": "email" }, "/id": { "is": "identifier" } });
    let content = json!({
        "data": { "personal": { "answers": "tokenise" }, "reveal": ["personal.email"] },
        "arguments": { "tools": { "send": meanings } },
    });
    let only_tokens = "forbid(principal, action == Ringwall::Action::\"call\", resource)\n\
                       when { context.arguments has to && !(context.arguments.to like \"{rw:*\") };\n";
    let keep = json!({ "ledger": { "keep": ["arguments", "results"] } });
    let policy = format!("{PERMIT_ALL}{only_tokens}");
    let plan = at(&scripted, content).policy(&policy).route(keep);
    let world = World::start(plan).await?;
    let alice = world.client("alice").await?;
    let token = said(&alice.call("send", json!({})).await?);
    assert!(token.starts_with("{rw:personal.email:"), "{token}");
    let answer = alice.call("send", json!({ "to": token })).await?;
    assert_eq!(said(&answer), token, "{answer}");
    assert_eq!(scripted.calls().last(), Some(&json!({ "to": MAIL })));
    let before = scripted.calls().len();
    for (arguments, code) in [
        (json!({ "to": format!("{token}x") }), "arguments_schema"),
        (
            json!({ "to": format!("annabel.{token}") }),
            "arguments_schema",
        ),
        (json!({ "card": token }), "arguments_schema"),
        (json!({ "id": token }), "argument_meaning"),
        (json!({ "to": MAIL }), "policy_denied"),
    ] {
        let answer = alice.call("send", arguments.clone()).await?;
        assert_eq!(wire::code(&answer), code, "{arguments}: {answer}");
        assert!(!answer.to_string().contains(MAIL), "{answer}");
    }
    assert_eq!(scripted.calls().len(), before);
    let records = json!(ledger(&world.gateway, &["--user", "alice"]).await?).to_string();
    assert!(records.contains("data.revealed"), "{records}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_2_a_token_that_is_not_turned_back_is_what_a_schema_is_held_against() -> Result<()> {
    let scripted = formed().await?;
    let data = json!({ "personal": { "answers": "tokenise" }, "reveal": ["personal.phone"] });
    let world = World::start(at(&scripted, json!({ "data": data }))).await?;
    let alice = world.client("alice").await?;
    let token = said(&alice.call("send", json!({})).await?);
    let answer = alice.call("send", json!({ "to": token })).await?;
    assert_eq!(wire::code(&answer), "arguments_schema", "{answer}");
    let answer = alice.call("send", json!({ "any": token })).await?;
    assert_eq!(said(&answer), token, "{answer}");
    assert_eq!(scripted.calls().last(), Some(&json!({ "any": token })));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_a_number_that_may_not_go_on_is_a_string_or_nothing() -> Result<()> {
    let scripted = formed().await?;
    let structured = json!({ "card": CARD, "n": 1_234_567_890 });
    let text = json!({ "type": "text", "text": structured.to_string() });
    let result = json!({ "content": [text], "structuredContent": structured });
    scripted.answers("tools/call", result);
    let data = json!({ "personal": { "answers": "redact", "arguments": "tokenise" },
                       "rules": { "personal.iban": { "arguments": "refuse" } } });
    let world = World::start(at(&scripted, json!({ "data": data }))).await?;
    let alice = world.client("alice").await?;
    let answer = alice.call("send", json!({ "any": CARD })).await?;
    let sent = scripted.calls().last().cloned().unwrap_or_default();
    let token = sent.get("any").and_then(Value::as_str).unwrap_or_default();
    assert!(token.starts_with("{rw:personal.payment_card:"), "{sent}");
    let left = json!({ "card": "[redacted: personal.payment_card]", "n": 1_234_567_890 });
    assert_eq!(answer.pointer("/result/structuredContent"), Some(&left));
    assert_eq!(serde_json::from_str::<Value>(&said(&answer))?, left);
    // Where a string cannot stand, nothing does.
    let before = scripted.calls().len();
    for arguments in [
        json!({ "card": CARD }),
        json!({ "any": { "iban": 1_234_567 } }),
    ] {
        let answer = alice.call("send", arguments.clone()).await?;
        assert_eq!(wire::code(&answer), "data_refused", "{arguments}: {answer}");
        assert!(!answer.to_string().contains("4111"), "{answer}");
    }
    assert_eq!(scripted.calls().len(), before);
    let answer = alice.call("look", json!({})).await?;
    assert_eq!(wire::code(&answer), "answer_schema", "{answer}");
    assert!(!answer.to_string().contains("4111"), "{answer}");
    is_nowhere(&world, &CARD.to_string()).await
}

const PACK: &str = "\
pack: own/badges
version: 1
rules:
  - id: personal.badge
    title: number of a badge
    confidence: high
    start: ['BDG-']
    pattern: 'BDG-[0-9]{6}'
    longest: 10
    matches: ['my badge is BDG-482915.']
";

/// Waits until the gateway has said something. Nothing is sent to the server meanwhile.
async fn until(world: &World, words: &str) -> Result<()> {
    let says = is_so(async || Ok(world.gateway.complaints().contains(words)));
    says.await.with_context(|| world.gateway.complaints())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_a_signed_pack_is_taken_over_and_one_that_was_changed_is_not() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    // A session ends with the server it was opened for.
    let badge = async || -> Result<String> {
        let alice = world.client("alice").await?;
        let answer = alice.call("echo", json!({ "text": "I am BDG-482915" }));
        Ok(said(&answer.await?))
    };
    assert_eq!(badge().await?, "I am BDG-482915");
    let at = |name: &str| world.path().join(name);
    fs::write(at("own.yaml"), PACK)?;
    let (pack, key) = (at("own.yaml"), at("rules.pem"));
    let sign = ringwall()?.arguments(["rules", "sign"]).argument(pack);
    sign.argument("--key")
        .argument(key)
        .run()
        .await?
        .success()?;
    let mut config: Value = serde_json::from_str(&fs::read_to_string(at("ringwall.yaml"))?)?;
    let settings = json!({ "data": {
        "packs": [{ "file": "own.yaml", "key": "rules.pem.pub" }],
        "rules": { "personal.badge": { "answers": "redact" } } } });
    for server in config["servers"].as_array_mut().into_iter().flatten() {
        server["content"] = settings.clone();
    }
    fs::write(at("ringwall.yaml"), config.to_string())?;
    until(&world, "the changed configuration is in force").await?;
    assert_eq!(badge().await?, "I am [redacted: personal.badge]");
    // Whoever changes it without the key changes nothing.
    fs::write(at("own.yaml"), PACK.replace("BDG-[0-9]{6}", "XXX-[0-9]{6}"))?;
    fs::write(at("ringwall.yaml"), format!("{config}\n"))?;
    until(&world, "is not its signature by this key").await?;
    assert_eq!(badge().await?, "I am [redacted: personal.badge]");
    Ok(())
}
