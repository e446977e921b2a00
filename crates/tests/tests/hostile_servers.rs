//! Servers that mean harm, before clients of either era: they talk out of turn, never end, ask for
//! what they must not, and break the rules of lists and subscriptions. Each time the client hears a
//! refusal or nothing, the ledger has it, and the next call works.

use anyhow::Result;
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::text;
use ringwall_tests::pairing::{Caller, Era, PAIRINGS, Pairing, Told, is_recorded, until, world};
use ringwall_tests::world::Plan;
use serde_json::{Value, json};
use std::collections::HashSet;

/// What every call of a kind comes to, by the eras of client and server in the order of `PAIRINGS`.
type Row = (&'static str, [&'static str; 4]);

/// The control of a server that fails.
const FAILS: &str = "4.3";

fn plan() -> Plan {
    let limits = json!({ "limits": { "answer_bytes": "1MiB" } });
    Plan::default().hostile().whole(limits)
}

/// The same, with a server that is given up soon, and not before it has answered what it answers.
fn hurried() -> Plan {
    plan().server(json!({ "timeout": "6s" }))
}

fn expected(row: &Row, pairing: Pairing) -> &'static str {
    let at = PAIRINGS.iter().position(|known| *known == pairing);
    at.and_then(|at| row.1.get(at)).copied().unwrap_or_default()
}

async fn goes_on(alice: &Caller) -> Result<()> {
    let told = alice.told("echo", json!({ "text": "goes on" })).await?;
    assert_eq!(told.outcome(), "goes on");
    Ok(())
}

/// Calls a tool in every way of a table, in every pairing, and has each answer looked at.
async fn each(
    plan: Plan,
    tool: &str,
    rows: &[Row],
    look: impl Fn(&str, Pairing, &Told),
) -> Result<()> {
    for pairing in PAIRINGS {
        let world = world(plan.clone(), pairing.1).await?;
        let alice = Caller::plain(&world, "alice", pairing.0).await?;
        for row in rows {
            let size = (tool == "stray").then_some(3_000_000);
            let arguments = overlaid(json!({ "kind": row.0 }), &json!({ "n": size }));
            let told = alice.told(tool, arguments).await?;
            let expected = expected(row, pairing);
            assert_eq!(told.outcome(), expected, "{pairing:?} {}: {told:?}", row.0);
            assert_eq!(told.answers(), 1, "{pairing:?} {}: {told:?}", row.0);
            if let Some(control) = told.control() {
                is_recorded(&world, "alice", expected, &control).await?;
            }
            look(row.0, pairing, &told);
        }
        goes_on(&alice).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_a_server_that_talks_out_of_turn_reaches_nobody_with_it() -> Result<()> {
    const BAD: &str = "upstream_malformed";
    const LARGE: &str = "upstream_too_large";
    let rows: [Row; 11] = [
        ("duplicate_answer", ["the first answer"; 4]),
        ("wrong_id_first", [BAD; 4]),
        ("late", ["the answer"; 4]),
        ("no_answer", ["upstream_ended"; 4]),
        ("garbage", [BAD; 4]),
        // A request is nothing a modern server may send; a legacy one is told that nobody can answer.
        ("request", ["done", BAD, "done", BAD]),
        ("request_same_id", ["done", BAD, "done", BAD]),
        ("foreign_progress", ["done"; 4]),
        ("foreign_subscription", ["done"; 4]),
        ("endless_line", [LARGE; 4]),
        ("huge_line", [LARGE; 4]),
    ];
    let never = [
        "for somebody else",
        "after the answer",
        "password",
        "the-subscription-of-somebody-else",
        "xxxxxxxx",
    ];
    each(plan(), "stray", &rows, |kind, pairing, told| {
        for words in never {
            assert!(!told.mentions(words), "{pairing:?} {kind}: {told:?}");
        }
        // Between two of the era of sessions progress may come on any stream of the session.
        let may = pairing == (Era::Legacy, Era::Legacy);
        let foreign = told.mentions("the-token-of-somebody-else");
        assert_eq!(
            foreign,
            may && kind == "foreign_progress",
            "{pairing:?}: {told:?}"
        );
        if let Some(control) = told.control() {
            assert_eq!(control, FAILS, "{pairing:?} {kind}");
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_a_call_that_never_ends_is_given_up() -> Result<()> {
    for (client, server) in PAIRINGS {
        let world = world(hurried(), server).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        goes_on(&alice).await?;
        let stray = |kind: &str| alice.told("stray", json!({ "kind": kind }));
        let (endless, comments, task) = tokio::join!(
            stray("endless"),
            stray("comments"),
            alice.told("endless_task", json!({}))
        );
        for told in [endless?, comments?, task?] {
            assert_eq!(told.outcome(), "upstream_timeout", "{client:?} {server:?}");
            assert_eq!(
                (told.answers(), told.control().as_deref()),
                (1, Some(FAILS))
            );
        }
        is_recorded(&world, "alice", "upstream_timeout", FAILS).await?;
        // The server hears that nobody waits: in so many words, or by the line going dead.
        until(&world, |said| match server {
            Era::Legacy => taken_back(said) == 3,
            Era::Modern => said.contains("\"what\":\"endless_task\""),
        })
        .await?;
        goes_on(&alice).await?;
    }
    Ok(())
}

/// How many calls the server was told are not waited for.
fn taken_back(journal: &str) -> usize {
    let named = journal.split("requestId\\\":").skip(1);
    let ids: HashSet<&str> = named
        .filter_map(|rest| rest.split([',', '}']).next())
        .collect();
    ids.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_a_server_that_asks_for_what_it_must_not_gets_nothing() -> Result<()> {
    const BAD: &str = "upstream_malformed";
    let rows: [Row; 6] = [
        // A legacy server's own questions are answered for the client, and it goes on without.
        (
            "undeclared",
            [
                "asked everything",
                "capability_missing",
                "asked everything",
                "question_declined",
            ],
        ),
        ("unknown_method", ["", BAD, "", BAD]),
        ("empty", ["", BAD, "", BAD]),
        (
            "huge_state",
            ["", "upstream_too_large", "", "upstream_too_large"],
        ),
        ("state_not_text", ["", BAD, "", BAD]),
        ("many_requests", ["", BAD, "", BAD]),
    ];
    for pairing in PAIRINGS {
        let world = world(plan(), pairing.1).await?;
        let alice = Caller::plain(&world, "alice", pairing.0).await?;
        for row in &rows {
            let expected = expected(row, pairing);
            if expected.is_empty() {
                continue;
            }
            let arguments = json!({ "kind": row.0, "n": 3_000_000 });
            let told = alice.told("misuse_input", arguments).await?;
            assert_eq!(told.outcome(), expected, "{pairing:?} {}: {told:?}", row.0);
            assert!(
                !told.mentions("password") && !told.mentions("secret"),
                "{told:?}"
            );
            assert_eq!(told.said.len(), 1, "{pairing:?} {}: {told:?}", row.0);
            if let Some(control) = told.control() {
                is_recorded(&world, "alice", expected, &control).await?;
            }
        }
        goes_on(&alice).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn b8_results_of_kinds_that_do_not_exist_are_withheld() -> Result<()> {
    const BAD: &str = "upstream_malformed";
    let rows: [Row; 6] = [
        // To a legacy client the member means nothing, and a legacy server's means nothing to any.
        ("unknown_type", ["harmless", BAD, "harmless", BAD]),
        ("no_type", ["harmless"; 4]),
        ("no_object", [BAD; 4]),
        // Codes of the specification say what they say in the client's revision, or nothing.
        ("old_code", ["-32002", "-32602", "-32602", "-32002"]),
        ("reserved_code", ["-32077", "-32603", "-32603", "-32603"]),
        ("extra_members", ["harmless"; 4]),
    ];
    each(plan(), "odd_result", &rows, |kind, pairing, told| {
        assert!(
            !told.mentions("surprise") || pairing.1 == Era::Legacy,
            "{kind}"
        );
        let public = told.mentions("everybody");
        assert!(!public || pairing == (Era::Legacy, Era::Legacy), "{told:?}");
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_2_what_a_server_says_to_everybody_answers_nobody_elses_call() -> Result<()> {
    const SECRET: &str = "the-secret-of-another-session";
    for (client, server) in PAIRINGS {
        let world = world(plan(), server).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        let bob = Caller::plain(&world, "bob", client).await?;
        goes_on(&bob).await?;
        let mut heard = bob.listen().await?;
        assert_eq!(heard.status, 200, "{client:?} {server:?}");
        // Among the ids of the answers that go astray is the one of a call of Bob's under way.
        let slow = bob.told("slow", json!({ "n": 1500 }));
        let stray = async {
            until(&world, |said| said.contains("\\\"slow\\\"")).await?;
            alice
                .told("stray", json!({ "kind": "foreign_answer" }))
                .await
        };
        let (slow, stray) = tokio::join!(slow, stray);
        assert_eq!(stray?.outcome(), "done");
        let slow = slow?;
        assert_eq!((slow.outcome().as_str(), slow.answers()), ("at last", 1));
        assert!(!slow.mentions(SECRET), "{client:?} {server:?}: {slow:?}");
        // What was said before the change was heard before it.
        world.tamper("mutate").await?;
        let changed = |message: &Value| {
            assert!(message.get("result").is_none(), "an answer: {message}");
            // A log message on Bob's own session is the server's to send; elsewhere it is none's.
            let may = (client, server) == (Era::Legacy, Era::Legacy);
            assert!(may || !message.to_string().contains(SECRET), "{message}");
            message["method"] == "notifications/tools/list_changed"
        };
        heard.message(changed).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_4_lists_without_an_end_are_not_followed() -> Result<()> {
    for (client, server) in PAIRINGS {
        for whim in ["endless", "same_cursor"] {
            let world = world(plan(), server).await?;
            world.tamper(&format!("lists/{whim}")).await?;
            let alice = Caller::plain(&world, "alice", client).await?;
            goes_on(&alice).await?;
            let pages = world.journal_text()?.matches("\\\"tools/list\\\"").count();
            assert!(
                (2..=64).contains(&pages),
                "{client:?} {server:?} {whim}: {pages}"
            );
            // The client may go on for as long as it likes, one page for one request.
            let first = alice.send("tools/list", json!({})).await?.json()?;
            let cursor = first
                .pointer("/result/nextCursor")
                .cloned()
                .unwrap_or_default();
            let next = alice
                .send("tools/list", json!({ "cursor": cursor }))
                .await?;
            assert!(
                next.json()?.get("result").is_some(),
                "{whim}: {}",
                next.code()
            );
            let more = world.journal_text()?.matches("\\\"tools/list\\\"").count();
            assert_eq!(more, pages + 2, "{client:?} {server:?} {whim}");
        }
        let world = world(plan(), server).await?;
        world.tamper("lists/huge_cursor").await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        let listed = alice.send("tools/list", json!({})).await?;
        assert_eq!(listed.code(), "upstream_too_large", "{client:?} {server:?}");
        is_recorded(&world, "alice", "upstream_too_large", FAILS).await?;
        // Without definitions there is nothing that was approved, and nothing is called.
        let told = alice.told("echo", json!({ "text": "now?" })).await?;
        assert_eq!(told.control().as_deref(), Some(FAILS), "{told:?}");
        assert!(!world.journal_text()?.contains("now?"), "it was called");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_a_subscription_that_breaks_its_rules_is_refused_or_put_right() -> Result<()> {
    for client in [Era::Legacy, Era::Modern] {
        let world = world(hurried(), Era::Modern).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        goes_on(&alice).await?;
        for (manners, code) in [
            ("no_ack", "upstream_timeout"),
            ("late_ack", "upstream_malformed"),
        ] {
            world.tamper(&format!("listen/{manners}")).await?;
            let reply = alice.listen().await?.reply().await?;
            assert_eq!(reply.code(), code, "{client:?} {manners}");
            is_recorded(&world, "alice", code, FAILS).await?;
        }
        for manners in ["untagged", "foreign_tag", "unrequested", "request"] {
            world.tamper(&format!("listen/{manners}")).await?;
            let mut heard = alice.listen().await?;
            assert_eq!(heard.status, 200, "{client:?} {manners}");
            alice.told("test_trigger_prompt_change", json!({})).await?;
            alice.told("test_trigger_tool_change", json!({})).await?;
            let told = heard.message(|message| {
                let words = message.to_string();
                assert!(!words.contains("sampling"), "{client:?} {manners}: {words}");
                assert!(
                    !words.contains("somebody-else"),
                    "{client:?} {manners}: {words}"
                );
                // A stateless client hears of what it named and of nothing else.
                let prompts = words.contains("notifications/prompts/list_changed");
                assert!(client == Era::Legacy || !prompts, "{manners}: {words}");
                message["method"] == "notifications/tools/list_changed"
            });
            let told = told.await?;
            let tag = told.pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId");
            assert_eq!(
                tag.is_some(),
                client == Era::Modern,
                "{client:?} {manners}: {told}"
            );
        }
        goes_on(&alice).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_told_on_the_stream_of_a_call_reaches_those_who_listen() -> Result<()> {
    // Rule H12: a stateless client is told of changes on its subscription, never beside an answer.
    let world = world(plan(), Era::Legacy).await?;
    let alice = Caller::plain(&world, "alice", Era::Modern).await?;
    let mut heard = alice.listen().await?;
    let told = alice
        .told("stray", json!({ "kind": "foreign_subscription" }))
        .await?;
    assert_eq!(
        (told.outcome().as_str(), told.said.len()),
        ("done", 1),
        "{told:?}"
    );
    let change = heard.message(|message| message["method"] == "notifications/tools/list_changed");
    let change = change.await?.to_string();
    assert!(!change.contains("somebody-else"), "{change}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_a_task_that_nobody_knows_is_looked_after_by_nobody() -> Result<()> {
    let world = world(plan(), Era::Modern).await?;
    let able = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    let alice = Caller::at(&world, "/fixture", "alice", Era::Modern, able).await?;
    let begun = alice.send(
        "tools/call",
        json!({ "name": "endless_task", "arguments": {} }),
    );
    let begun = begun.await?.json()?;
    assert_eq!(begun["result"]["resultType"], "task", "{begun}");
    let get = |id: &Value| alice.send("tasks/get", json!({ "taskId": id }));
    // It never ends, and holds up nobody: each look is a request of its own.
    for _ in 0..3 {
        let state = get(&begun["result"]["taskId"]).await?.json()?;
        assert_eq!(state["result"]["status"], "working", "{state}");
    }
    let lost = json!({ "name": "task_of_nobody", "arguments": {} });
    let lost = alice.send("tools/call", lost).await?.json()?;
    let handle = &lost["result"]["taskId"];
    assert!(!lost.to_string().contains("a-task-of-nobody"), "{lost}");
    let state = get(handle).await?.json()?;
    assert!(state.get("error").is_some(), "{state}");
    let echo = alice.send(
        "tools/call",
        json!({ "name": "echo", "arguments": { "text": "on" } }),
    );
    assert_eq!(text(&echo.await?.json()?), "on");
    Ok(())
}
