//! What servers ask beside the ways there are for asking: in the error that sends a user to a page, in
//! a task that waits; and what clients bring along. Everything of it is judged as it would be sent.

use anyhow::{Context as _, Result};
use ringwall_tests::comes::comes;
use ringwall_tests::mcp::text;
use ringwall_tests::pairing::{Caller, Era, PAIRINGS, is_recorded, until, world};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::world::{Fleet, Member, PERMIT_ALL, Plan, Scripted, World, ledger};
use serde_json::{Value, json};

const NO_QUESTIONS: &str = "forbid(principal, action == Ringwall::Action::\"ask\", resource);\n";

/// Letters that nobody sees.
const HIDDEN: &str = "\u{e0073}\u{e0065}\u{e006e}\u{e0064}";

fn plan() -> Plan {
    Plan::default()
        .hostile()
        .route(json!({ "elicitation": { "urls": ["good.example"] } }))
}

fn silent() -> Plan {
    plan().policy(&format!("{PERMIT_ALL}{NO_QUESTIONS}"))
}

/// What a server sends a user to, what the client can do, and what comes of it.
type Page = (
    &'static str,
    Plan,
    Value,
    &'static str,
    Option<(&'static str, &'static str)>,
);

fn pages() -> [Page; 7] {
    let able = json!({ "elicitation": { "url": {} } });
    [
        (
            "nobody may ask",
            silent(),
            able.clone(),
            "page",
            Some(("question_refused", "2.2")),
        ),
        (
            "not to this page",
            plan(),
            able.clone(),
            "page_elsewhere",
            Some(("elicitation_url", "9.3")),
        ),
        (
            "a page in disguise",
            plan(),
            able.clone(),
            "page_disguised",
            Some(("elicitation_url", "9.3")),
        ),
        (
            "no page at all",
            plan(),
            able.clone(),
            "page_nowhere",
            Some(("answer_malformed", "1.1")),
        ),
        (
            "forms only",
            plan(),
            json!({ "elicitation": {} }),
            "page",
            Some(("capability_missing", "3.4")),
        ),
        (
            "nothing",
            plan(),
            json!({}),
            "page",
            Some(("capability_missing", "3.4")),
        ),
        ("as it should be", plan(), able, "page", None),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_the_error_that_sends_a_user_to_a_page_is_a_question_like_any_other() -> Result<()> {
    for (name, plan, capabilities, kind, refused) in pages() {
        let world = world(plan, Era::Legacy).await?;
        let alice = Caller::at(&world, "/fixture", "alice", Era::Legacy, capabilities).await?;
        let told = alice.told("odd_result", json!({ "kind": kind })).await?;
        match refused {
            Some((code, control)) => {
                assert_eq!(told.outcome(), code, "{name}: {told:?}");
                assert!(!told.mentions("https://"), "{name}: {told:?}");
                is_recorded(&world, "alice", code, control).await?;
            }
            None => {
                assert_eq!(told.outcome(), "-32042", "{name}: {told:?}");
                assert!(
                    told.mentions("https://good.example/allow"),
                    "{name}: {told:?}"
                );
            }
        }
        // Whatever came of it, the ledger says that the server asked, and why not.
        let noted: Vec<String> = asked(&world).await?;
        let expected = match refused {
            None => Some("allowed"),
            Some(("question_refused", _)) => Some("refused"),
            Some(("elicitation_url", _)) => Some("refused: the user may not be sent to this page"),
            Some(("capability_missing", _)) => Some("refused: the client did not offer this"),
            Some(_) => None,
        };
        assert_eq!(noted.first().map(String::as_str), expected, "{name}");
        assert!(noted.len() <= 1, "{name}: {noted:?}");
    }
    Ok(())
}

/// What the ledger says of the questions of servers.
async fn asked(world: &World) -> Result<Vec<String>> {
    let lines = ledger(&world.gateway, &[]).await?;
    let events = lines
        .iter()
        .filter_map(|line| line.pointer("/record/event"));
    let asked = events.filter(|event| event["name"] == "server.asked");
    let words = asked.filter_map(|event| event.get("after")?.as_str());
    Ok(words.map(str::to_owned).collect())
}

/// What a task says of itself once it waits for answers, or as soon as it may not say so.
async fn waiting(alice: &Stateless, task: &str) -> Result<Value> {
    let said = comes(async || {
        let get = alice.request("tasks/get", json!({ "taskId": task }));
        let said = get.await?;
        let works = said.pointer("/result/status") == Some(&json!("working"));
        Ok((!works).then_some(said))
    });
    said.await.context("the task asks nothing")
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_the_questions_of_a_task_are_judged_like_those_of_a_call() -> Result<()> {
    let tasks = json!({ "io.modelcontextprotocol/tasks": {} });
    let cases = [
        (
            "allowed",
            plan(),
            json!({ "elicitation": {}, "extensions": tasks }),
            None,
        ),
        (
            "policy",
            silent(),
            json!({ "elicitation": {}, "extensions": tasks }),
            Some(("question_refused", "2.2")),
        ),
    ];
    for (name, plan, capabilities, refused) in cases {
        let world = world(plan, Era::Modern).await?;
        let alice =
            Stateless::new(&world.url()?, Some(&world.token("alice")?)).capable(capabilities);
        let begun = alice
            .call("confirm_delete", json!({ "filename": "x" }))
            .await?;
        let task = begun.pointer("/result/taskId").and_then(Value::as_str);
        let task = task.with_context(|| format!("{name}: no task in {begun}"))?;
        let said = waiting(&alice, task).await?;
        match refused {
            None => assert!(
                said.pointer("/result/inputRequests").is_some(),
                "{name}: {said}"
            ),
            Some((code, control)) => {
                assert_eq!(ringwall_tests::wire::code(&said), code, "{name}: {said}");
                assert!(
                    !said.to_string().contains("inputRequests"),
                    "{name}: {said}"
                );
                is_recorded(&world, "alice", code, control).await?;
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_what_a_client_brings_along_is_sent_as_it_was_cleaned() -> Result<()> {
    for server in [Era::Legacy, Era::Modern] {
        let world = world(Plan::default(), server).await?;
        let alice = Stateless::new(&world.url()?, Some(&world.token("alice")?)).capable(
            json!({ "elicitation": {}, "experimental": { "x": { "y": format!("a{HIDDEN}b") } } }),
        );
        // The call itself carries hidden text too, and can be taken up all the same.
        let arguments = json!({ "message": format!("Who{HIDDEN}?") });
        let asked = alice.call("test_elicitation", arguments.clone()).await?;
        assert_eq!(
            asked["result"]["resultType"], "input_required",
            "{server:?} {asked}"
        );
        let key = asked
            .pointer("/result/inputRequests")
            .and_then(Value::as_object);
        let key = key
            .and_then(|asked| asked.keys().next())
            .context("no question")?;
        let content = json!({ "username": format!("Al{HIDDEN}ice"), "email": "a@example.test" });
        let inputs = json!({ key: { "action": "accept", "content": content } });
        let told = alice
            .answer("test_elicitation", arguments, &asked, inputs)
            .await?;
        assert!(text(&told).contains("Alice"), "{server:?} {told}");
        let info = json!({ "name": format!("agent{HIDDEN}"), "version": "1" });
        let meta = json!({ "io.modelcontextprotocol/clientInfo": info });
        let params = json!({ "name": "echo", "arguments": { "text": "me" }, "_meta": meta });
        let told = alice.request("tools/call", params).await?;
        assert_eq!(text(&told), "me", "{server:?} {told}");
        until(&world, |said| said.contains("agent")).await?;
        let hidden =
            |said: &str| said.contains('\u{e0073}') || said.to_lowercase().contains("\\udb40");
        assert!(
            !hidden(&world.journal_text()?),
            "{server:?} {}",
            world.journal_text()?
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_2_no_member_hides_content_that_is_off_its_schema() -> Result<()> {
    let cases = [
        ("behind", "answer_schema", "1.2"),
        ("under_another_name", "upstream_malformed", "4.3"),
        ("plain", "answer_schema", "1.2"),
    ];
    for (client, server) in PAIRINGS {
        let world = world(Plan::default().hostile(), server).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        for (kind, code, control) in cases {
            let told = alice
                .told("bad_structured", json!({ "kind": kind }))
                .await?;
            assert_eq!(
                told.outcome(),
                code,
                "{client:?} {server:?} {kind}: {told:?}"
            );
            assert!(
                !told.mentions("three"),
                "{client:?} {server:?} {kind}: {told:?}"
            );
            is_recorded(&world, "alice", code, control).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_2_a_list_that_fits_its_schema_is_told_as_text_where_the_era_has_no_other_words()
-> Result<()> {
    let world: World = world(Plan::default(), Era::Modern).await?;
    for (client, structured) in [(Era::Legacy, false), (Era::Modern, true)] {
        let alice = Caller::plain(&world, "alice", client).await?;
        let told = alice.told("structured_list", json!({})).await?;
        let last = told.said.last().cloned().unwrap_or_default();
        assert!(
            last.pointer("/result/content/0/text").is_some(),
            "{client:?}: {last}"
        );
        let content = last.pointer("/result/structuredContent");
        assert_eq!(content.is_some(), structured, "{client:?}: {last}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_1_a_call_that_nobody_takes_up_again_has_an_end_in_the_ledger() -> Result<()> {
    let plan = Plan::default().route(json!({ "bridge": { "parked_time": "10s" } }));
    let world = world(plan, Era::Legacy).await?;
    let alice = Stateless::new(&world.url()?, Some(&world.token("alice")?))
        .capable(json!({ "elicitation": {} }));
    let arguments = json!({ "message": "Who?" });
    let asked = alice.call("test_elicitation", arguments).await?;
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    until(&world, |said| said.contains("did not answer in time")).await?;
    let ended = comes(async || {
        let mut lines = ledger(&world.gateway, &[]).await?.into_iter();
        let expired = Some(json!("call.expired"));
        Ok(lines.find(|line| line.pointer("/record/event/name") == expired.as_ref()))
    });
    let ended = ended.await.context("the call has no end")?;
    assert_eq!(
        ended.pointer("/record/server"),
        Some(&json!("fixture")),
        "{ended}"
    );
    assert_eq!(
        ended.pointer("/record/subject"),
        Some(&json!("tools/call")),
        "{ended}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_what_is_asked_again_is_judged_by_the_request_that_came_back() -> Result<()> {
    let world = world(Plan::default().hostile(), Era::Legacy).await?;
    let (url, token) = (world.url()?, world.token("alice")?);
    let able = |capabilities: Value| Stateless::new(&url, Some(&token)).capable(capabilities);
    let arguments = json!({ "kind": "many_requests", "n": 2 });
    let input = json!({ "q1": { "action": "cancel" } });
    for (capabilities, again) in [(json!({ "elicitation": {} }), true), (json!({}), false)] {
        let first = able(json!({ "elicitation": {} }));
        let asked = first.call("misuse_input", arguments.clone()).await?;
        assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
        let second = able(capabilities);
        let told = second
            .answer("misuse_input", arguments.clone(), &asked, input.clone())
            .await?;
        let asks = told["result"]["resultType"] == "input_required";
        assert_eq!(asks, again, "{told}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_whoever_asks_says_who_they_are_where_there_are_several() -> Result<()> {
    let members = [
        Member::http("old", &["--era", "legacy", "--hostile"]),
        Member::http("new", &["--era", "modern", "--hostile"]),
    ];
    let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
    let url = fleet.gateway.at("/all")?;
    let able = json!({ "elicitation": { "form": {}, "url": {} }, "roots": {}, "sampling": {} });
    let alice = Stateless::new(&url, Some(&fleet.token("/all", "alice")?)).capable(able);
    let cases = [
        ("old", "old__odd_result", json!({ "kind": "page" })),
        (
            "new",
            "new__test_input_required_result_list_roots",
            json!({}),
        ),
        (
            "new",
            "new__misuse_input",
            json!({ "kind": "many_requests", "n": 3 }),
        ),
    ];
    for (server, tool, arguments) in cases {
        let told = alice.call(tool, arguments).await?;
        let asked = told
            .pointer("/result/inputRequests")
            .and_then(Value::as_object);
        let asked = asked.with_context(|| format!("{tool} asks nothing: {told}"))?;
        for question in asked.values() {
            let name = question.pointer("/params/_meta/io.ringwall~1server");
            assert_eq!(name, Some(&json!(server)), "{tool}: {question}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_no_server_says_in_a_question_what_only_the_gateway_says() -> Result<()> {
    let server = Scripted::modern().await?;
    let tool = json!({ "name": "call", "inputSchema": { "type": "object" } });
    let question = json!({ "method": "elicitation/create", "params": {
        "message": "m", "requestedSchema": { "type": "object", "properties": {} },
        "_meta": { "io.ringwall/server": "bank", "other": 1 },
    } });
    server.answers("tools/list", json!({ "tools": [tool] }));
    server.answers(
        "tools/call",
        json!({ "resultType": "input_required", "requestState": "s", "inputRequests": { "q": question } }),
    );
    let members = [Member::at("web", server.url())];
    let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
    let url = fleet.gateway.at("/all")?;
    let alice = Stateless::new(&url, Some(&fleet.token("/all", "alice")?));
    let alice = alice.capable(json!({ "elicitation": {} }));
    let told = alice.call("call", json!({})).await?;
    let meta = told.pointer("/result/inputRequests/q/params/_meta");
    assert_eq!(meta, Some(&json!({ "other": 1 })), "{told}");
    Ok(())
}
