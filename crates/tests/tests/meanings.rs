//! Arguments of prompts, URIs of resources and what is being completed are held against what they mean, like
//! arguments of tools (control 1.1); and schemas of the operator's may lie in files.

use anyhow::{Context as _, Result};
use ringwall_tests::comes::is_so;
use ringwall_tests::wire;
use ringwall_tests::world::{Caller, Fleet, Footing, Member, Plan, Scripted};
use serde_json::{Value, json};

/// A server with a prompt, resources, and completions for both.
async fn library() -> Result<Scripted> {
    let server = Scripted::start().await?;
    let names = ["path", "url", "host", "topic", "word"];
    let arguments: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    let prompt = json!({ "name": "review", "description": "Reviews.", "arguments": arguments });
    server.answers("prompts/list", json!({ "prompts": [prompt] }));
    server.answers("prompts/get", json!({ "messages": [] }));
    server.answers("resources/list", json!({ "resources": [] }));
    server.answers(
        "resources/templates/list",
        json!({ "resourceTemplates": [] }),
    );
    server.answers("resources/read", json!({ "contents": [] }));
    server.answers("resources/subscribe", json!({}));
    server.answers(
        "completion/complete",
        json!({ "completion": { "values": [] } }),
    );
    let schema = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
    let tool = json!({ "name": "find", "description": "Finds.", "inputSchema": schema });
    server.answers("tools/list", json!({ "tools": [tool] }));
    server.answers("tools/call", json!({ "content": [] }));
    Ok(server)
}

async fn fleet(server: &Scripted, arguments: Value) -> Result<Fleet> {
    let content = json!({ "content": { "arguments": arguments } });
    let member = Member::at("library", server.url()).with(content);
    Fleet::start(Plan::default(), &[member], &[]).await
}

fn get(name: &str, value: &str) -> (&'static str, Value) {
    let params = json!({ "name": "review", "arguments": { name: value } });
    ("prompts/get", params)
}

fn read(uri: &str) -> (&'static str, Value) {
    ("resources/read", json!({ "uri": uri }))
}

fn complete(name: &str, value: &str) -> (&'static str, Value) {
    let prompt = json!({ "type": "ref/prompt", "name": "review" });
    let params = json!({ "ref": prompt, "argument": { "name": name, "value": value } });
    ("completion/complete", params)
}

fn complete_uri(template: &str, name: &str, value: &str) -> (&'static str, Value) {
    let template = json!({ "type": "ref/resource", "uri": template });
    let params = json!({ "ref": template, "argument": { "name": name, "value": value } });
    ("completion/complete", params)
}

fn with_context(
    (method, mut params): (&'static str, Value),
    arguments: Value,
) -> (&'static str, Value) {
    if let Some(params) = params.as_object_mut() {
        params.insert("context".into(), json!({ "arguments": arguments }));
    }
    (method, params)
}

type Row = ((&'static str, Value), &'static str);

/// Each row: a message, and the code that it is refused with; `-` arrives.
async fn check(caller: &Caller, server: &Scripted, rows: Vec<Row>) -> Result<()> {
    for ((method, params), expected) in rows {
        let arrived = |heard: &str| heard.matches(&format!("\"method\":\"{method}\"")).count();
        let before = arrived(&server.heard());
        let answer = caller.request(method, params.clone()).await?;
        let code = match arrived(&server.heard()) > before {
            true => "-".to_owned(),
            false => wire::code(&answer),
        };
        assert_eq!(code, expected, "{method} {params}: {answer}");
    }
    Ok(())
}

const NO: &str = "argument_meaning";

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_what_can_never_be_right_is_refused_of_prompts_and_resources_too() -> Result<()> {
    let server = library().await?;
    let fleet = fleet(&server, json!({})).await?;
    for footing in Footing::BOTH {
        let caller = fleet.caller(footing, "/all", "alice").await?;
        let rows = vec![
            (get("path", "src/main.rs"), "-"),
            (get("path", "..%2f..%2fetc/passwd"), NO),
            (get("path", "a\0b"), NO),
            (get("url", "http://10.0.0.1/"), "-"),
            (get("url", "http://169.254.169.254/latest/"), NO),
            (get("url", "http://[::ffff:169.254.169.254]/"), NO),
            (get("host", "-oProxyCommand=id"), NO),
            (get("topic", "..%2f -oProxyCommand"), "-"),
            (read("file:///srv/notes%20of%20mine.txt"), "-"),
            (read("file:///srv/%2e%2e/%2e%2e/etc/passwd"), NO),
            (read("file:///srv/a%00.txt"), NO),
            (read("https://example.com/..%2f"), "-"),
            (read("http://169.254.169.254/latest/"), NO),
            (read("http://metadata.google.internal/"), NO),
            (read("notes://a/..%2fb"), "-"),
            (read("notes://a/\u{200b}b"), NO),
            (complete("path", "src/"), "-"),
            (complete("path", "..%2f"), NO),
            (complete("topic", "..%2f"), "-"),
            (
                with_context(complete("topic", "a"), json!({ "path": "..%2f" })),
                NO,
            ),
            (
                with_context(complete("path", "a"), json!({ "path": "..%2f" })),
                NO,
            ),
            (complete_uri("file:///{path}", "path", "a"), "-"),
            (complete_uri("file:///{path}", "path", "%2e%2e/"), NO),
        ];
        check(&caller, &server, rows).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_uri_is_judged_as_its_server_gets_it() -> Result<()> {
    let (server, other) = (library().await?, library().await?);
    let members = [
        Member::at("library", server.url()),
        Member::at("other", other.url()),
    ];
    let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
    for footing in Footing::BOTH {
        let caller = fleet.caller(footing, "/all", "alice").await?;
        let rows = vec![
            (read("library+file:///srv/a.txt"), "-"),
            (read("library+file:///srv/%2e%2e/%2e%2e/etc/passwd"), NO),
            (read("library+http://169.254.169.254/latest/"), NO),
        ];
        check(&caller, &server, rows).await?;
    }
    Ok(())
}

fn declared() -> Value {
    let path = json!({ "is": "path", "roots": ["/srv/data"] });
    json!({
        "prompts": { "rev*": { "/path": path, "/word": { "is": "shell_word" }, "/url": { "is": "url" } } },
        "resources": {
            "file://{+path}": { "/path": path },
            "repo://{owner}/{+file}": { "/owner": { "is": "identifier" } },
            "https://{+rest}": { "/uri": { "is": "url", "hosts": ["127.0.0.1"], "network": "private" } },
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_what_is_declared_of_prompts_and_resources_is_asked_in_full() -> Result<()> {
    let server = library().await?;
    let fleet = fleet(&server, declared()).await?;
    for footing in Footing::BOTH {
        let caller = fleet.caller(footing, "/all", "alice").await?;
        let rows = vec![
            (get("path", "/srv/data/a"), "-"),
            (get("path", "/etc/passwd"), NO),
            (get("path", "a/../b"), NO),
            (get("word", "word"), "-"),
            (get("word", "-rf"), NO),
            (get("word", "two words"), NO),
            (get("url", "https://127.0.0.1/"), NO),
            (get("url", "https://does-not-exist.invalid/"), NO),
            (read("file:///srv/data/my%20notes.txt"), "-"),
            (read("file:///etc/passwd"), NO),
            (read("FILE:///etc/passwd"), NO),
            (read("file:///srv/data/../secret"), NO),
            (read("file:///srv/data/%2e%2e/secret"), NO),
            // These are forms of which nothing was said.
            (read("file://localhost/srv/data/a"), NO),
            (read("file:/srv/data/a"), NO),
            (read("repo://ada/src/main.rs"), "-"),
            (read("repo://a%3Bb/src/main.rs"), NO),
            (read("repo://ada"), NO),
            // What was not declared is recognised.
            (read("repo://ada/%2e%2e/x"), NO),
            (read("https://127.0.0.1/a%20b"), "-"),
            (read("https://10.0.0.1/"), NO),
            (read("notes://anything"), "-"),
            (complete("path", "/srv/data/re"), "-"),
            (complete("path", "/etc/pa"), NO),
            (complete("word", "-r"), NO),
            // Half a value may be what the whole of it may not.
            (complete("word", "two words"), "-"),
            (complete("url", "https://does-not-exist.inv"), "-"),
            (complete_uri("file://{+path}", "path", "/srv/data/"), "-"),
            (complete_uri("file://{+path}", "path", "/etc/"), NO),
        ];
        check(&caller, &server, rows).await?;
    }
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    let subscribe = |uri: &str| ("resources/subscribe", json!({ "uri": uri }));
    let rows = vec![
        (subscribe("file:///srv/data/a"), "-"),
        (subscribe("file:///etc/passwd"), NO),
    ];
    check(&caller, &server, rows).await
}

/// A subscription of many is one of those that may be.
#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_subscription_leaves_out_what_would_be_refused() -> Result<()> {
    let resources = json!({ "test://{+place}": { "/place": { "is": "path" } } });
    let content = json!({ "content": { "arguments": { "resources": resources } } });
    let member = Member::http("fixture", &[]).with(content);
    let fleet = Fleet::start(Plan::default(), &[member], &[]).await?;
    let caller = fleet.caller(Footing::Stateless, "/all", "alice").await?;
    let _open = caller
        .changes(&[
            "test://../up",
            "test://good",
            "TEST://%2e%2e/up",
            "http://169.254.169.254/up",
        ])
        .await?;
    let heard = fleet.journal_text("fixture")?;
    assert!(heard.contains("test://good"), "{heard}");
    assert!(!heard.contains("/up"), "{heard}");
    Ok(())
}

/// The client hears an error of the protocol, not what a tool said.
#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_refused_uri_says_where_and_why() -> Result<()> {
    let server = library().await?;
    let fleet = fleet(&server, declared()).await?;
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    for ((method, params), place, rule) in [
        (
            read("file:///etc/passwd"),
            "/params/uri",
            "path.outside_roots",
        ),
        (read("repo://ada"), "/params/uri", "resource.undeclared"),
        (get("word", "-rf"), "/params/arguments/word", "shell.option"),
        (
            complete("path", "/etc/pa"),
            "/params/argument/value",
            "path.outside_roots",
        ),
    ] {
        let answer = caller.request(method, params).await?;
        let told = answer.pointer("/error/message").and_then(Value::as_str);
        let told = told.context("no error")?;
        assert!(told.contains(place) && told.contains(rule), "{told}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_schema_in_a_file_counts_and_is_read_anew_when_it_changes() -> Result<()> {
    let server = library().await?;
    let schema = |most: u32| {
        let name = json!({ "maxLength": most, "x-ringwall": { "is": "shell_word" } });
        json!({ "properties": { "name": name } }).to_string()
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("find.json");
    std::fs::write(&file, schema(5))?;
    let arguments = json!({ "arguments": { "schema_files": { "find": file } } });
    let member = Member::at("library", server.url()).with(json!({ "content": arguments }));
    let fleet = Fleet::start(Plan::default(), &[member], &[]).await?;
    // A session ends when what is said of its server changes.
    let caller = fleet.caller(Footing::Stateless, "/all", "alice").await?;
    let find = |name: &str| {
        (
            "tools/call",
            json!({ "name": "find", "arguments": { "name": name } }),
        )
    };
    let rows = vec![
        (find("word"), "-"),
        (find("longer"), "arguments_schema"),
        (find("$(a)"), NO),
    ];
    check(&caller, &server, rows).await?;
    std::fs::write(&file, schema(20))?;
    let counts = is_so(async || {
        let answer = caller.call("find", json!({ "name": "longer" })).await?;
        Ok(wire::code(&answer) != "arguments_schema")
    });
    counts.await.context("the changed schema never counted")?;
    check(&caller, &server, vec![(find("$(a)"), NO)]).await
}
