//! Arguments that are not what their parameters mean never reach the server (control 1.1), and those that
//! are reach it byte for byte.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::text;
use ringwall_tests::wire;
use ringwall_tests::world::{Caller, Fleet, Footing, Member, Plan, Scripted, ledger};
use serde_json::{Value, json};

/// A server whose tools take a path, an address, a query and a word.
async fn plain() -> Result<Scripted> {
    let tool = |name: &str, properties: Value| {
        let schema = json!({ "type": "object", "properties": properties });
        json!({ "name": name, "description": "A tool.", "inputSchema": schema })
    };
    let string = json!({ "type": "string" });
    let pretends = json!({ "type": "string", "x-ringwall": { "is": "text" } });
    let server = Scripted::start().await?;
    let tools = json!([
        tool("read_file", json!({ "path": string })),
        tool(
            "read_files",
            json!({ "paths": { "type": "array", "items": string } })
        ),
        tool("fetch", json!({ "url": string, "note": string })),
        tool("connect", json!({ "host": string })),
        tool("find", json!({ "name": string })),
        tool("pretends", json!({ "path": pretends })),
        tool(
            "fetch_all",
            json!({ "urls": { "type": "array", "items": string } })
        ),
        tool(
            "move_file",
            json!({ "source": string, "destination": string })
        ),
        tool("look_up", json!({ "ip": {} })),
    ]);
    server.answers("tools/list", json!({ "tools": tools }));
    let done = json!({ "content": [{ "type": "text", "text": "done" }] });
    server.answers("tools/call", done);
    Ok(server)
}

async fn fleet(server: &Scripted, arguments: Value) -> Result<Fleet> {
    let content = json!({ "content": { "arguments": arguments } });
    let member = Member::at("plain", server.url()).with(content);
    Fleet::start(Plan::default(), &[member], &[]).await
}

/// The code of a refusal, or `-` if the call arrived; what arrived is what was sent.
async fn outcome(
    caller: &Caller,
    server: &Scripted,
    tool: &str,
    arguments: &Value,
) -> Result<String> {
    let before = server.calls().len();
    let answer = caller.call(tool, arguments.clone()).await?;
    let calls = server.calls();
    if calls.len() == before {
        return Ok(wire::code(&answer));
    }
    let last = calls.last();
    anyhow::ensure!(last == Some(arguments), "{last:?}, not {arguments}");
    Ok("-".to_owned())
}

/// Calls, and what becomes of them without a word of configuration: `-` arrives.
const RECOGNISED: &[(&str, &str, &str)] = &[
    ("read_file", r#"{ "path": "src/main.rs" }"#, "-"),
    ("read_file", r#"{ "path": "../src/main.rs" }"#, "-"),
    (
        "read_file",
        r#"{ "path": "/home/ada/Übersicht 100%.txt" }"#,
        "-",
    ),
    (
        "read_file",
        r#"{ "path": "..%2f..%2fetc/passwd" }"#,
        "argument_meaning",
    ),
    (
        "read_file",
        r#"{ "path": "%252e%252e/x" }"#,
        "argument_meaning",
    ),
    ("read_file", r#"{ "path": "a%00.txt" }"#, "argument_meaning"),
    // What nobody sees is not taken out of a name, as it would be of prose: the name would be another one.
    (
        "read_file",
        r#"{ "path": "a\u0000.txt" }"#,
        "argument_meaning",
    ),
    (
        "read_file",
        r#"{ "path": ".\u200b./.\u200b./etc/passwd" }"#,
        "argument_meaning",
    ),
    (
        "read_files",
        r#"{ "paths": ["a", "b\u202e"] }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "https://example.com\u0000.evil.example/" }"#,
        "argument_meaning",
    ),
    (
        "connect",
        r#"{ "host": "db.example\u2060.com" }"#,
        "argument_meaning",
    ),
    // A letter that joins no more is part of how a name is written.
    ("read_file", r#"{ "path": "نمی\u200cخواهم.txt" }"#, "-"),
    ("read_files", r#"{ "paths": ["a", "b"] }"#, "-"),
    (
        "read_files",
        r#"{ "paths": ["a", "..%c0%af"] }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "https://example.com/?q=1", "note": "..%2f" }"#,
        "-",
    ),
    ("fetch", r#"{ "url": "http://localhost:3000/" }"#, "-"),
    ("fetch", r#"{ "url": "http://10.0.0.1/" }"#, "-"),
    (
        "fetch",
        r#"{ "url": "http://169.254.169.254/latest/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "http://0xa9fea9fe/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "http://[::ffff:169.254.169.254]/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "http://metadata.google.internal/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "http://good.example\\@evil.example/" }"#,
        "argument_meaning",
    ),
    ("fetch", r#"{ "url": "gopher://x/" }"#, "argument_meaning"),
    ("connect", r#"{ "host": "db.example.com" }"#, "-"),
    (
        "connect",
        r#"{ "host": "-oProxyCommand=id" }"#,
        "argument_meaning",
    ),
    ("pretends", r#"{ "path": "..%2fx" }"#, "argument_meaning"),
    // What some reader gets to, behind what it takes off or leaves out.
    (
        "fetch",
        r#"{ "url": "URL:http://169.254.169.254/latest/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "<http://169.254.169.254/latest/>" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "http://169.254.169.254:+80/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "http://[fe80::1%25eth0]/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "169.254.169.254/latest/meta-data" }"#,
        "argument_meaning",
    ),
    ("fetch", r#"{ "url": "<https://example.com/>" }"#, "-"),
    ("fetch", r#"{ "url": "docs/2024/index.html" }"#, "-"),
    (
        "connect",
        r#"{ "host": "169.254.169.254:+80" }"#,
        "argument_meaning",
    ),
    (
        "connect",
        r#"{ "host": "http://169.254.169.254/" }"#,
        "argument_meaning",
    ),
    ("look_up", r#"{ "ip": 2852039166 }"#, "argument_meaning"),
    ("look_up", r#"{ "ip": 2130706433 }"#, "-"),
    ("look_up", r#"{ "ip": { "v4": "x" } }"#, "-"),
    (
        "move_file",
        r#"{ "source": "a", "destination": "..%2fb" }"#,
        "argument_meaning",
    ),
    ("read_file", r#"{ "path": "~/notes.txt" }"#, "-"),
];

/// The same, where a directory is known and recognised addresses have to be public.
const KNOWN: &[(&str, &str, &str)] = &[
    ("read_file", r#"{ "path": "a/b.txt" }"#, "-"),
    ("read_file", r#"{ "path": "/srv/data/~/x" }"#, "-"),
    ("read_file", r#"{ "path": "~$report.docx" }"#, "-"),
    ("read_file", r#"{ "path": "file:///srv/data/a#L10" }"#, "-"),
    (
        "read_file",
        r#"{ "path": "~/.ssh/id_rsa" }"#,
        "argument_meaning",
    ),
    ("read_file", r#"{ "path": "~root/x" }"#, "argument_meaning"),
    (
        "read_file",
        r#"{ "path": "C:/Windows" }"#,
        "argument_meaning",
    ),
    (
        "read_file",
        r#"{ "path": "file:///etc/passwd?/../../srv/data/x" }"#,
        "argument_meaning",
    ),
    (
        "move_file",
        r#"{ "source": "a", "destination": "b/c" }"#,
        "-",
    ),
    (
        "move_file",
        r#"{ "source": "/etc/passwd", "destination": "b" }"#,
        "argument_meaning",
    ),
    (
        "move_file",
        r#"{ "source": "a", "destination": "../b" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "https://does-not-exist.invalid/" }"#,
        "-",
    ),
    (
        "fetch",
        r#"{ "url": "localhost:3000/x" }"#,
        "argument_meaning",
    ),
];

/// The same, where meanings are declared.
const DECLARED: &[(&str, &str, &str)] = &[
    ("read_file", r#"{ "path": "a/b.txt" }"#, "-"),
    ("read_file", r#"{ "path": "/srv/data/a" }"#, "-"),
    (
        "read_file",
        r#"{ "path": "/etc/passwd" }"#,
        "argument_meaning",
    ),
    ("read_file", r#"{ "path": "../x" }"#, "argument_meaning"),
    ("read_file", r#"{ "path": "a/../b" }"#, "argument_meaning"),
    ("read_files", r#"{ "paths": ["..%2fx"] }"#, "-"),
    ("fetch", r#"{ "url": "https://93.184.216.34/" }"#, "-"),
    (
        "fetch",
        r#"{ "url": "https://127.0.0.1/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "https://2130706433/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "https://[64:ff9b::7f00:1]/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "https://localhost/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "https://printer.local/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "https://does-not-exist.invalid/" }"#,
        "argument_meaning",
    ),
    (
        "fetch",
        r#"{ "url": "ftp://93.184.216.34/" }"#,
        "argument_meaning",
    ),
    ("fetch", r#"{ "note": "O'Brien" }"#, "-"),
    ("fetch", r#"{ "note": "' or 1=1 --" }"#, "argument_meaning"),
    ("connect", r#"{ "host": "127.0.0.1:5432" }"#, "-"),
    (
        "connect",
        r#"{ "host": "127.0.0.1:22" }"#,
        "argument_meaning",
    ),
    (
        "connect",
        r#"{ "host": "10.0.0.1:5432" }"#,
        "argument_meaning",
    ),
    ("find", r#"{ "name": "word" }"#, "-"),
    ("find", r#"{ "name": "a" }"#, "arguments_schema"),
    ("find", r#"{ "name": "-rf" }"#, "argument_meaning"),
    ("find", r#"{ "name": "$(id)" }"#, "argument_meaning"),
    (
        "find",
        r#"{ "name": "far-too-long-a-word" }"#,
        "arguments_schema",
    ),
    ("pretends", r#"{ "path": "..%2fx" }"#, "-"),
];

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_what_can_never_be_right_is_refused_without_a_word_of_configuration() -> Result<()> {
    let server = plain().await?;
    let fleet = fleet(&server, json!({})).await?;
    for footing in Footing::BOTH {
        let caller = fleet.caller(footing, "/all", "alice").await?;
        for (tool, arguments, expected) in RECOGNISED {
            let arguments = serde_json::from_str(arguments)?;
            let code = outcome(&caller, &server, tool, &arguments).await?;
            assert_eq!(code, *expected, "{footing:?} {tool} {arguments}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_what_is_recognised_stays_inside_known_roots_and_on_the_public_network() -> Result<()>
{
    let server = plain().await?;
    let known = json!({ "roots": ["/srv/data"], "network": "public" });
    let fleet = fleet(&server, known).await?;
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    for (tool, arguments, expected) in KNOWN {
        let arguments = serde_json::from_str(arguments)?;
        let code = outcome(&caller, &server, tool, &arguments).await?;
        assert_eq!(code, *expected, "{tool} {arguments}");
    }
    // Where one name more than there is room for would lead, nobody knows.
    let url = |at: usize| format!("https://n{at}.does-not-exist.invalid/");
    let urls = json!({ "urls": (0..17).map(url).collect::<Vec<_>>() });
    let code = outcome(&caller, &server, "fetch_all", &urls).await?;
    assert_eq!(code, "argument_meaning");
    Ok(())
}

/// In prose it is taken out, and the call arrives.
#[tokio::test(flavor = "multi_thread")]
async fn n1_1_what_nobody_sees_is_taken_out_of_prose_and_refused_in_names() -> Result<()> {
    let server = plain().await?;
    let fleet = fleet(&server, json!({})).await?;
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    let url = "https://example.com/";
    caller
        .call("fetch", json!({ "url": url, "note": "a\u{0}b\u{200b}c" }))
        .await?;
    let cleaned = json!({ "url": url, "note": "abc" });
    assert_eq!(server.calls().last(), Some(&cleaned));
    for (tool, arguments, rule) in [
        ("read_file", json!({ "path": "a\u{0}b" }), "path.nul"),
        (
            "read_file",
            json!({ "path": "a\u{200b}b" }),
            "argument.hidden_text",
        ),
        ("connect", json!({ "host": "a\u{0}b" }), "host.control"),
        ("fetch", json!({ "url": "x:\u{0}" }), "url.control"),
    ] {
        let answer = caller.call(tool, arguments).await?;
        assert_eq!(wire::code(&answer), "argument_meaning", "{answer}");
        assert!(text(&answer).contains(rule), "{rule}: {answer}");
    }
    Ok(())
}

/// Nobody is asked where a name leads for a caller whom policy denies; for others it still refuses.
#[tokio::test(flavor = "multi_thread")]
async fn n1_1_names_are_looked_up_for_nobody_whom_policy_denies() -> Result<()> {
    let server = plain().await?;
    let policy = r#"
        permit (principal, action, resource);
        forbid (principal, action == Ringwall::Action::"call", resource) when { principal.user == "mallory" };
        forbid (principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"plain/connect")
            when { context.findings.contains("host.unresolved") };
        @lift("approval: owners")
        forbid (principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"plain/find");
    "#;
    let arguments = json!({ "tools": {
        "fetch": { "/url": { "is": "url" } },
        "find": { "/name": { "is": "host" } },
        "connect": { "/host": { "is": "host", "otherwise": "report" } },
    } });
    let content = json!({ "content": { "arguments": arguments } });
    let member = Member::at("plain", server.url()).with(content);
    let fleet = Fleet::start(Plan::default().policy(policy), &[member], &[]).await?;
    let nowhere = "does-not-exist.invalid";
    let fetch = json!({ "url": format!("https://{nowhere}/") });
    for (user, tool, arguments, expected) in [
        ("mallory", "fetch", &fetch, "policy_denied"),
        ("alice", "fetch", &fetch, "argument_meaning"),
        // Nobody is bothered with what goes no further.
        (
            "alice",
            "find",
            &json!({ "name": nowhere }),
            "argument_meaning",
        ),
        // What is only told is told to policies as well, which then say no.
        (
            "alice",
            "connect",
            &json!({ "host": nowhere }),
            "policy_denied",
        ),
        ("alice", "connect", &json!({ "host": "localhost" }), "-"),
    ] {
        let caller = fleet.caller(Footing::Session, "/all", user).await?;
        let code = outcome(&caller, &server, tool, arguments).await?;
        assert_eq!(code, expected, "{user} {tool} {arguments}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_refusal_tells_the_model_where_and_what_to_do() -> Result<()> {
    let server = plain().await?;
    let fleet = fleet(&server, json!({})).await?;
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    let answer = caller
        .call("read_files", json!({ "paths": ["a", "..%2f..%2fb"] }))
        .await?;
    assert_eq!(
        answer.pointer("/result/isError"),
        Some(&json!(true)),
        "{answer}"
    );
    let told = text(&answer);
    assert!(
        told.contains("/paths/1") && told.contains("path.disguised_traversal"),
        "{told}"
    );
    assert!(told.contains("write the path plainly"), "{told}");
    let records = ledger(&fleet.gateway, &["--code", "argument_meaning"]).await?;
    let record = records.last().context("it was not recorded")?;
    let finding = record.pointer("/record/findings/0").context("no finding")?;
    assert_eq!(
        finding.get("rule"),
        Some(&json!("path.disguised_traversal"))
    );
    assert_eq!(
        finding.get("place"),
        Some(&json!("/params/arguments/paths/1"))
    );
    assert_eq!(finding.get("action"), Some(&json!("refuse")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_declared_meaning_is_asked_in_full() -> Result<()> {
    let server = plain().await?;
    let arguments = json!({
        "tools": {
            "read_file": { "/path": { "is": "path", "roots": ["/srv/data"] } },
            "read_f*": { "/paths": { "is": "path", "otherwise": "report" } },
            "fetch": { "/url": { "is": "url" }, "/note": { "is": "sql_value" } },
            "connect": { "/host": { "is": "host", "network": "private", "hosts": ["127.0.0.1", "*.example.com"], "ports": [5432] } },
            "pretends": { "/path": { "is": "text" } },
        },
        "schemas": {
            "find": r#"{"properties": {"name": {"maxLength": 12, "x-ringwall": {"is": "shell_word"}}}}"#,
            "fi*": r#"{"properties": {"name": {"minLength": 2}}}"#,
        },
    });
    let fleet = fleet(&server, arguments).await?;
    let caller = fleet.caller(Footing::Stateless, "/all", "alice").await?;
    for (tool, arguments, expected) in DECLARED {
        let arguments = serde_json::from_str(arguments)?;
        let code = outcome(&caller, &server, tool, &arguments).await?;
        assert_eq!(code, *expected, "{tool} {arguments}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_policies_see_what_was_only_reported() -> Result<()> {
    let server = plain().await?;
    let policy = r#"
        permit (principal, action, resource);
        forbid (principal, action == Ringwall::Action::"call", resource)
            when { context.findings.contains("path.traversal") };
    "#;
    let member = Member::at("plain", server.url());
    let fleet = Fleet::start(Plan::default().policy(policy), &[member], &[]).await?;
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    for (path, expected) in [("a/b", "-"), ("../b", "policy_denied")] {
        let code = outcome(&caller, &server, "read_file", &json!({ "path": path })).await?;
        assert_eq!(code, expected, "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_what_is_recognised_can_be_reported_or_ignored() -> Result<()> {
    let server = plain().await?;
    for (recognised, findings) in [("report", 1), ("ignore", 0)] {
        let fleet = fleet(&server, json!({ "recognised": recognised })).await?;
        let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
        let arguments = json!({ "path": "..%2fx" });
        let code = outcome(&caller, &server, "read_file", &arguments).await?;
        assert_eq!(code, "-", "{recognised}");
        let records = ledger(&fleet.gateway, &["--tool", "read_file"]).await?;
        let found = records
            .iter()
            .filter_map(|record| record.pointer("/record/findings")?.as_array());
        assert_eq!(found.map(Vec::len).sum::<usize>(), findings, "{records:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_a_route_says_what_counts_on_it() -> Result<()> {
    let server = plain().await?;
    let declared = |is: &str| json!({ "content": { "arguments": { "tools": { "read_file": { "/path": { "is": is } } } } } });
    let member = Member::at("plain", server.url()).with(declared("path"));
    let plan = Plan::default().route(declared("identifier"));
    let fleet = Fleet::start(plan, &[member], &[]).await?;
    let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
    for (path, expected) in [("a", "-"), ("a/b", "argument_meaning")] {
        let code = outcome(&caller, &server, "read_file", &json!({ "path": path })).await?;
        assert_eq!(code, expected, "{path}");
    }
    Ok(())
}
