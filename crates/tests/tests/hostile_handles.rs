//! Handles that clients are given, in the hands of somebody else or put to another use: cursors, the
//! state of a call that wants more, task ids. Possession opens nothing (rules R2, R5).

use anyhow::{Context as _, Result};
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::text;
use ringwall_tests::pairing::{Caller, Era, PAIRINGS, is_recorded, world};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire;
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

const TASKS: &str = "io.modelcontextprotocol/tasks";

fn able() -> Value {
    json!({ "elicitation": {}, "extensions": { TASKS: {} } })
}

async fn caller(world: &World, user: &str, era: Era) -> Result<Caller> {
    Caller::at(world, "/fixture", user, era, able()).await
}

fn stateless(world: &World, user: &str) -> Result<Stateless> {
    Ok(Stateless::new(&world.url()?, Some(&world.token(user)?)).capable(able()))
}

fn who(name: &str) -> Value {
    let content = json!({ "username": name, "email": "who@example.test" });
    json!({ "action": "accept", "content": content })
}

/// What a handle was given out for: a request, and where in it the handle goes.
struct Given {
    what: &'static str,
    method: &'static str,
    params: Value,
    member: &'static str,
    handle: String,
    /// The same handle where it was not given for.
    elsewhere: Vec<(&'static str, Value)>,
}

impl Given {
    fn with(&self, handle: &str) -> Value {
        overlaid(self.params.clone(), &json!({ self.member: handle }))
    }

    /// Handles that are almost this one.
    fn forged(&self) -> Vec<String> {
        let turned = |at: usize| {
            let turn = |(place, one): (usize, char)| match (place == at, one) {
                (true, 'A') => 'B',
                (true, _) => 'A',
                (false, one) => one,
            };
            self.handle
                .chars()
                .enumerate()
                .map(turn)
                .collect::<String>()
        };
        let length = self.handle.len();
        let mut forged: Vec<String> = [1, 10, 40, length / 2, length - 2].map(turned).into();
        forged.retain(|forged| *forged != self.handle);
        let cut = |end: usize| self.handle.chars().take(end).collect::<String>();
        forged.extend([cut(length - 1), cut(length - 4), cut(8), String::new()]);
        // A task id is repeated in a header, which takes less.
        let long = if self.what == "task id" {
            4_000
        } else {
            200_000
        };
        forged.extend([
            format!("{}A", self.handle),
            "x".repeat(long),
            "P1".to_owned(),
        ]);
        forged
    }
}

fn at<'v>(answer: &'v Value, pointer: &str) -> Result<&'v str> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.with_context(|| format!("no `{pointer}` in {answer}"))
}

/// Every handle there is in this pairing.
async fn given(alice: &Caller, (client, server): (Era, Era)) -> Result<Vec<Given>> {
    let mut given = Vec::new();
    let list = alice.send("tools/list", json!({})).await?.json()?;
    let cursor = at(&list, "/result/nextCursor")?.to_owned();
    let elsewhere = vec![("prompts/list", json!({ "cursor": cursor }))];
    given.push(Given {
        what: "cursor",
        method: "tools/list",
        params: json!({}),
        member: "cursor",
        handle: cursor.clone(),
        elsewhere,
    });
    if client == Era::Modern {
        let (tool, arguments) = match server {
            Era::Legacy => ("test_elicitation", json!({ "message": "Who?" })),
            Era::Modern => ("test_input_required_result_request_state", json!({})),
        };
        let params = json!({ "name": tool, "arguments": arguments });
        let asked = alice.send("tools/call", params.clone()).await?.json()?;
        let state = at(&asked, "/result/requestState")?.to_owned();
        let of = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments, "requestState": state });
        let text = json!({ "uri": "test://static-text", "requestState": state });
        let elsewhere = vec![
            ("tools/call", of("echo", json!({ "text": "x" }))),
            (
                "tools/call",
                of("test_elicitation", json!({ "message": "Else?" })),
            ),
            (
                "tools/call",
                json!({ "name": tool, "arguments": arguments, "requestState": cursor }),
            ),
            ("resources/read", text),
        ];
        given.push(Given {
            what: "requestState",
            method: "tools/call",
            params,
            member: "requestState",
            handle: state.clone(),
            elsewhere,
        });
    }
    if client == server {
        let mut params = json!({ "name": "confirm_delete", "arguments": { "filename": "x" } });
        if client == Era::Legacy {
            params = overlaid(params, &json!({ "task": { "ttl": 60_000 } }));
        }
        let begun = alice.send("tools/call", params).await?.json()?;
        let pointer = if client == Era::Legacy {
            "/result/task/taskId"
        } else {
            "/result/taskId"
        };
        given.push(Given {
            what: "task id",
            method: "tasks/get",
            params: json!({}),
            member: "taskId",
            handle: at(&begun, pointer)?.to_owned(),
            elsewhere: vec![("tasks/cancel", json!({ "taskId": cursor }))],
        });
    }
    Ok(given)
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_a_handle_is_good_for_its_user_client_route_and_matter() -> Result<()> {
    for pairing in PAIRINGS {
        let plan = Plan::default().fixture(&["--page", "5"]);
        let world = world(plan, pairing.1).await?;
        let alice = caller(&world, "alice", pairing.0).await?;
        let bob = caller(&world, "bob", pairing.0).await?;
        let other = Caller::at(&world, "/other", "alice", pairing.0, able()).await?;
        for given in given(&alice, pairing).await? {
            let name = format!("{pairing:?} {}", given.what);
            let own = given.with(&given.handle);
            // Nothing that is refused may reach the server.
            let before = world.arrived()?;
            for (thief, user) in [(&bob, "bob"), (&other, "alice")] {
                let reply = thief.send(given.method, own.clone()).await?;
                assert_eq!(reply.code(), "handle_invalid", "{name} of another: {user}");
                assert_eq!(reply.control().as_deref(), Some("8.2"), "{name}");
                is_recorded(&world, user, "handle_invalid", "8.2").await?;
            }
            for forged in given.forged() {
                let reply = alice.send(given.method, given.with(&forged)).await?;
                let short = forged.chars().take(80).collect::<String>();
                assert_eq!(reply.code(), "handle_invalid", "{name} forged: {short}");
                assert_eq!(reply.json()?["error"]["code"], -32602, "{name}");
            }
            for (method, params) in &given.elsewhere {
                let reply = alice.send(method, params.clone()).await?;
                assert_eq!(
                    reply.code(),
                    "handle_invalid",
                    "{name} at {method} {params}"
                );
            }
            assert_eq!(
                world.arrived()?,
                before,
                "{name}: something reached the server"
            );
            let reply = alice.send(given.method, own).await?;
            assert!(
                reply.json()?.get("result").is_some(),
                "{name}: {}",
                reply.code()
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_a_handle_is_good_for_the_client_of_its_token() -> Result<()> {
    let world = world(Plan::default(), Era::Legacy).await?;
    let alice = stateless(&world, "alice")?;
    let arguments = json!({ "message": "Who?" });
    let asked = alice.call("test_elicitation", arguments.clone()).await?;
    let another = json!({ "client_id": "another" });
    let token = world
        .issuer
        .sign_changed(&world.resource()?, &json!({}), &another)?;
    let another = Stateless::new(&world.url()?, Some(&token)).capable(able());
    let inputs = json!({ "q1": who("Mallory") });
    let reply = another.answer("test_elicitation", arguments.clone(), &asked, inputs);
    assert_eq!(wire::code(&reply.await?), "handle_invalid");
    let inputs = json!({ "q1": who("Alice") });
    let told = alice
        .answer("test_elicitation", arguments, &asked, inputs)
        .await?;
    assert!(text(&told).contains("Alice"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_what_waited_for_an_answer_takes_it_once() -> Result<()> {
    let world = world(Plan::default(), Era::Legacy).await?;
    let alice = stateless(&world, "alice")?;
    let arguments = || json!({ "message": "Who?" });
    let asked = alice.call("test_elicitation", arguments()).await?;
    let answer = |name: &str| {
        let inputs = json!({ "q1": who(name), "unasked": who("Mallory") });
        alice.answer("test_elicitation", arguments(), &asked, inputs)
    };
    // Both at once: one of them is the answer.
    let (first, second) = tokio::join!(answer("one"), answer("two"));
    let (first, second) = (first?, second?);
    let taken = [&first, &second].map(|told| text(told).contains("User response"));
    assert!(taken[0] != taken[1], "{first} {second}");
    let late = if taken[0] { &second } else { &first };
    assert_eq!(wire::code(late), "call_expired", "{late}");
    assert_eq!(wire::code(&answer("three").await?), "call_expired");
    is_recorded(&world, "alice", "call_expired", "8.2").await?;
    let journal = world.journal_text()?;
    let heard = journal.matches("who@example.test").count();
    assert_eq!(
        (heard, journal.contains("Mallory")),
        (1, false),
        "{journal}"
    );
    // Answers to what nobody asked begin the call anew, and are not passed on.
    let unasked = json!({
        "name": "test_elicitation", "arguments": arguments(), "inputResponses": { "q1": who("Eve") }
    });
    let begun = alice.request("tools/call", unasked).await?;
    assert_eq!(begun["result"]["resultType"], "input_required", "{begun}");
    assert!(!world.journal_text()?.contains("Eve"));
    Ok(())
}
