//! What a task came to is a result of its tool, whoever is told of it first: in a notice, or when it is
//! asked for. It is held to the same as the result of a call, in both eras.

use anyhow::{Context as _, Result, ensure};
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::Client;
use ringwall_tests::safety_shaped::{ATTACK, SafetyShaped};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire;
use ringwall_tests::world::{Fleet, Footing, Member, Plan, Scripted, ledger};
use serde_json::{Value, json};

const TOOL: &str = "find_customer";
const TASKS: &str = "io.modelcontextprotocol/tasks";
const SECRET: &str = "078-05-1120";
const MAIL: &str = "ada@corp.test";

/// What comes of a result.
enum Then {
    /// It goes on: with these words in it, and without those.
    Goes(&'static [&'static str], &'static [&'static str]),
    /// It goes no further: refused for this to whoever asks, withheld where nobody does.
    Ends(&'static str),
}

/// What is said of the content of messages, what a task came to, and what comes of that.
fn cases() -> Vec<(Value, Value, Then)> {
    let good = json!({ "id": 7 });
    let said = |text: &str| json!({ "content": [{ "type": "text", "text": text }], "structuredContent": good });
    let kept = json!({ "minimise": { TOOL: [{ "results": { "keep": ["/id"] } }] } });
    let personal = |action: &str| json!({ "data": { "personal": { "answers": action } } });
    vec![
        (
            kept,
            json!({
                "content": [
                    { "type": "text", "text": json!({ "id": 7, "ssn": SECRET }).to_string() },
                    { "type": "text", "text": format!("The number is {SECRET}.") },
                ],
                "structuredContent": { "id": 7, "ssn": SECRET },
            }),
            Then::Goes(&["text left out", "\"id\":7"], &[SECRET, "ssn"]),
        ),
        // For a call of no known purpose nothing goes on.
        (
            json!({ "minimise": { TOOL: [{ "purposes": ["audit"] }] } }),
            said("plain"),
            Then::Ends("purpose_unknown"),
        ),
        (
            personal("redact"),
            said(&format!("Write to {MAIL}.")),
            Then::Goes(&["[redacted: personal.email]"], &[MAIL]),
        ),
        (
            personal("refuse"),
            said(&format!("Write to {MAIL}.")),
            Then::Ends("answer_data_refused"),
        ),
        (
            json!({}),
            said("pay\u{200b}load"),
            Then::Goes(&["payload"], &["\u{200b}"]),
        ),
        (
            json!({ "output": { "markup": "neutralise" } }),
            said("<script>x</script>"),
            Then::Goes(&["&lt;script"], &["<script"]),
        ),
        (
            json!({ "providers": [{ "use": "shields", "mode": "enforce", "on": ["results", "notices"] }] }),
            said(ATTACK),
            Then::Ends("answer_suspected"),
        ),
        (
            json!({ "providers": [{ "use": "shields", "mode": "warn", "on": ["results", "notices"] }] }),
            said(ATTACK),
            Then::Goes(&[ATTACK], &[]),
        ),
    ]
}

/// The same where the tool does not give the integer that it promised.
fn cases_off_schema() -> Vec<(Value, Value, Then)> {
    vec![
        (
            json!({}),
            json!({ "content": [], "structuredContent": { "id": "7" } }),
            Then::Ends("answer_schema"),
        ),
        (
            json!({}),
            json!({ "content": [{ "type": "text", "text": "7" }] }),
            Then::Ends("answer_schema"),
        ),
        (
            json!({}),
            json!({ "content": [{ "type": "text", "text": "no such customer" }], "isError": true }),
            Then::Goes(&["no such customer"], &[]),
        ),
    ]
}

/// A server with one tool, whose calls go on for a while.
async fn slow(is_modern: bool) -> Result<Scripted> {
    let output = json!({ "type": "object", "required": ["id"],
        "properties": { "id": { "type": "integer" }, "ssn": { "type": "string" } } });
    let tool = json!({ "name": TOOL, "description": "Finds.", "outputSchema": output,
        "inputSchema": { "type": "object" }, "execution": { "taskSupport": "optional" } });
    let task = task("working", json!({}));
    let (server, opening, begun) = match is_modern {
        true => (
            Scripted::modern().await?,
            ("server/discover", json!({ "extensions": { TASKS: {} } })),
            overlaid(task, &json!({ "resultType": "task" })),
        ),
        false => (
            Scripted::start().await?,
            (
                "initialize",
                json!({ "tasks": { "cancel": {}, "requests": { "tools": { "call": {} } } } }),
            ),
            json!({ "task": task }),
        ),
    };
    let (method, able) = opening;
    server.answers(method, json!({ "capabilities": able }));
    server.answers("tools/list", json!({ "tools": [tool] }));
    server.answers("tools/call", begun);
    Ok(server)
}

/// The task as its server tells of it.
fn task(status: &str, more: Value) -> Value {
    let at = "2026-01-01T00:00:00Z";
    let task = json!({ "taskId": "t1", "status": status, "createdAt": at, "lastUpdatedAt": at,
        "ttl": 60_000, "ttlMs": 60_000, "pollInterval": 100, "pollIntervalMs": 100 });
    overlaid(task, &more)
}

async fn fleet(server: &Scripted, content: &Value, service: &SafetyShaped) -> Result<Fleet> {
    let shields = json!({ "endpoint": service.endpoint(), "key": "env:PROVIDER_SECRET" });
    let plan = Plan::default().whole(json!({ "providers": [
        { "name": "shields", "network": "private", "timeout": "30s", "prompt_shields": shields },
    ] }));
    let member = Member::at("crm", server.url()).with(json!({ "content": content }));
    Fleet::start(plan, &[member], &[]).await
}

/// What is told before the last of these: the last one tells that nothing else comes.
const LAST: &str = "the last one";

fn is_last(message: &Value) -> bool {
    message.pointer("/params/statusMessage") == Some(&json!(LAST))
}

fn notices(method: &str, result: &Value) -> Vec<Value> {
    let came_to = task("completed", json!({ "result": result }));
    let last = task("working", json!({ "statusMessage": LAST }));
    [came_to, last]
        .into_iter()
        .map(|params| json!({ "jsonrpc": "2.0", "method": method, "params": params }))
        .collect()
}

/// What a stateless client hears of it: in a notice, and in answer.
async fn in_the_stateless_era(
    (content, result): (&Value, &Value),
    service: &SafetyShaped,
) -> Result<(Vec<Value>, Value)> {
    let server = slow(true).await?;
    let fleet = fleet(&server, content, service).await?;
    let (url, token) = (fleet.gateway.at("/all")?, fleet.token("/all", "alice")?);
    let client = Stateless::new(&url, Some(&token));
    let client = client.capable(json!({ "extensions": { TASKS: {} } }));
    let begun = client.call(TOOL, json!({})).await?;
    if begun.get("error").is_some() {
        return Ok((Vec::new(), begun));
    }
    let id = begun.pointer("/result/taskId").and_then(Value::as_str);
    let id = id.with_context(|| format!("no task: {begun}"))?;
    let mut said = vec![
        json!({ "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
        "params": { "notifications": { "taskIds": ["t1"] } } }),
    ];
    said.extend(notices("notifications/tasks", result));
    server.says_before("subscriptions/listen", said);
    server.waits();
    let mut events = client.listen(json!({ "taskIds": [id] })).await?;
    let mut heard = Vec::new();
    loop {
        let is_notice = |message: &Value| message["method"] == "notifications/tasks";
        // What may not pass ends the stream that it came on, or is left out.
        let Ok(message) = events.message(is_notice).await else {
            break;
        };
        if is_last(&message) {
            break;
        }
        heard.push(message);
    }
    let done = task(
        "completed",
        json!({ "result": overlaid(json!({ "resultType": "complete" }), result) }),
    );
    server.answers("tasks/get", done);
    let answer = client.request("tasks/get", json!({ "taskId": id })).await?;
    Ok((heard, answer))
}

/// What a client with a session hears of it.
async fn in_a_session(
    (content, result): (&Value, &Value),
    service: &SafetyShaped,
) -> Result<(Vec<Value>, Value)> {
    let server = slow(false).await?;
    let fleet = fleet(&server, content, service).await?;
    let (url, token) = (fleet.gateway.at("/all")?, fleet.token("/all", "alice")?);
    let client = Client::connect(&url, Some(&token)).await?;
    let call = json!({ "name": TOOL, "arguments": {}, "task": { "ttl": 60_000 } });
    let begun = client.request("tools/call", call.clone()).await?;
    if begun.get("error").is_some() {
        return Ok((Vec::new(), begun));
    }
    let id = begun.pointer("/result/task/taskId").and_then(Value::as_str);
    let id = id.with_context(|| format!("no task: {begun}"))?;
    server.says_before("tools/call", notices("notifications/tasks/status", result));
    let heard = client.send("tools/call", call).await?.messages()?;
    let notices = heard.into_iter().filter(|it| it.get("method").is_some());
    let mut notices: Vec<Value> = notices.collect();
    // What may not pass in a notice ends the call that it came with, or is left out.
    let last = notices.pop();
    ensure!(last.as_ref().is_none_or(is_last), "{notices:?} {last:?}");
    server.answers("tasks/result", result.clone());
    let answer = client
        .request("tasks/result", json!({ "taskId": id }))
        .await?;
    Ok((notices, answer))
}

fn holds(what: &Value, then: &Then, case: &str) -> Result<()> {
    let told = what.to_string().replace("\\\"", "\"");
    if let Then::Goes(there, gone) = then {
        for word in *there {
            ensure!(told.contains(word), "{case}: without `{word}`: {told}");
        }
        for word in *gone {
            ensure!(!told.contains(word), "{case}: with `{word}`: {told}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_what_a_task_came_to_is_treated_like_a_result_whoever_is_told_of_it() -> Result<()> {
    let service = SafetyShaped::start().await?;
    for (content, result, then) in cases().into_iter().chain(cases_off_schema()) {
        for footing in Footing::BOTH {
            let case = (&content, &result);
            let (heard, answer) = match footing {
                Footing::Session => in_a_session(case, &service).await?,
                Footing::Stateless => in_the_stateless_era(case, &service).await?,
            };
            let case = format!("{footing:?} {content} {result}");
            match &then {
                Then::Goes(..) => {
                    ensure!(heard.len() == 1, "{case}: {heard:?}");
                    ensure!(answer.get("result").is_some(), "{case}: {answer}");
                    for what in heard.iter().chain([&answer]) {
                        holds(what, &then, &case)?;
                    }
                }
                Then::Ends(code) => {
                    ensure!(heard.is_empty(), "{case}: {heard:?}");
                    ensure!(wire::code(&answer) == *code, "{case}: {answer}");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_what_became_of_a_task_that_nobody_began_is_told_to_nobody() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let server = slow(false).await?;
    let fleet = fleet(&server, &json!({}), &service).await?;
    let (url, token) = (fleet.gateway.at("/all")?, fleet.token("/all", "alice")?);
    let client = Client::connect(&url, Some(&token)).await?;
    let result = |text: &str| {
        let content = json!([{ "type": "text", "text": text }]);
        json!({ "content": content, "structuredContent": { "id": 7 } })
    };
    server.answers("tools/call", result("answered"));
    let stray = notices("notifications/tasks/status", &result("nobody began this"));
    server.says_before("tools/call", stray);
    let call = json!({ "name": TOOL, "arguments": {} });
    let heard = client.send("tools/call", call).await?.messages()?;
    let heard = json!(heard).to_string();
    ensure!(!heard.contains("nobody began this"), "{heard}");
    Ok(())
}

/// A tool that says what it gives gives it: what it leaves out, nobody could hold against its schema.
#[tokio::test(flavor = "multi_thread")]
async fn n1_2_a_result_without_the_structured_content_that_was_promised_is_withheld() -> Result<()>
{
    let service = SafetyShaped::start().await?;
    let text = json!([{ "type": "text", "text": "7" }]);
    for (result, code) in [
        (json!({ "content": text }), "answer_schema"),
        (
            json!({ "content": text, "isError": false }),
            "answer_schema",
        ),
        (
            json!({ "content": text, "structuredContent": null }),
            "answer_schema",
        ),
        (
            json!({ "content": text, "structuredContent": {} }),
            "answer_schema",
        ),
        (
            json!({ "content": text, "structuredContent": { "id": 7 } }),
            "",
        ),
        // What has content is no task, whatever it says beside that.
        (
            json!({ "content": text, "task": { "taskId": "t1" } }),
            "answer_schema",
        ),
        // What failed promises nothing.
        (json!({ "content": text, "isError": true }), ""),
    ] {
        let server = slow(false).await?;
        server.answers("tools/call", result.clone());
        let fleet = fleet(&server, &json!({}), &service).await?;
        for footing in Footing::BOTH {
            let caller = fleet.caller(footing, "/all", "alice").await?;
            let answer = caller.call(TOOL, json!({})).await?;
            let told = match answer.get("result") {
                Some(_) => String::new(),
                None => wire::code(&answer),
            };
            assert_eq!(told, code, "{footing:?} {result} {answer}");
        }
        let refused = ledger(&fleet.gateway, &["tools/call"]).await?;
        let refused = refused
            .iter()
            .filter(|it| it.to_string().contains("answer_schema"));
        assert_eq!(
            refused.count(),
            if code.is_empty() { 0 } else { 2 },
            "{result}"
        );
    }
    Ok(())
}
