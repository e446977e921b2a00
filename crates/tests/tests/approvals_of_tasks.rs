//! Tasks of calls that were approved (control 2.4): what was approved is the call, with all that it does.

use anyhow::{Context as _, Result};
use ringwall_tests::comes::comes;
use ringwall_tests::held::{OWNERS, approve};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::code;
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};

/// A task is what its call was: whoever looks after it, answers it or ends it is not asked about it again.
#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_task_of_an_approved_call_is_looked_after_without_asking_again() -> Result<()> {
    let policy = OWNERS.replace("fixture/echo", "fixture/confirm_delete");
    let plan = Plan::default().fixture(&["--era", "modern"]);
    let world = World::start(plan.policy(&policy)).await?;
    let able = json!({
        "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {} },
    });
    let token = world.token("alice")?;
    let alice = Stateless::new(&world.url()?, Some(&token)).capable(able);
    let call = || alice.call("confirm_delete", json!({ "filename": "x" }));
    assert_eq!(code(&call().await?), "approval_needed");
    approve(&world).await?;
    let begun = call().await?;
    let task = begun.pointer("/result/taskId").and_then(Value::as_str);
    let task = task.with_context(|| format!("no task: {begun}"))?;
    let get = || alice.request("tasks/get", json!({ "taskId": task }));
    let until = async |status: &str| {
        let said = comes(async || {
            let said = get().await?;
            let is_there = said.pointer("/result/status") == Some(&json!(status));
            Ok(is_there.then_some(said))
        });
        said.await.with_context(|| status.to_owned())
    };
    let asks = until("input_required").await?;
    let asked = asks.pointer("/result/inputRequests");
    let asked = asked.and_then(Value::as_object).context("no question")?;
    let name = asked.keys().next().context("no question")?.clone();
    let yes = json!({ "action": "accept", "content": { "confirm": true } });
    let answers = json!({ "taskId": task, "inputResponses": { (name): yes } });
    let answered = alice.request("tasks/update", answers).await?;
    assert_eq!(answered.get("error"), None, "{answered}");
    let done = until("completed").await?;
    assert!(done.to_string().contains("deleted"), "{done}");
    // What was begun was one call, and it was approved once; the same call again is another one.
    assert_eq!(code(&call().await?), "approval_needed");
    for (name, count) in [
        ("call.held", 2),
        ("approval.given", 1),
        ("approval.used", 1),
    ] {
        assert_eq!(world.events(name, count).await?.len(), count, "{name}");
    }
    Ok(())
}
