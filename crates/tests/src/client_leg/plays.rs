//! What a client has to ask for in each scenario. The era of the scenario's server shows only in what
//! the suite checks.

use super::Scenario;
use super::caller::Caller;
use crate::mcp::text;
use crate::wire::refusal;
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

/// The tools of the suite whose definitions no client may use.
const UNUSABLE: [&str; 11] = [
    "invalid_array_header",
    "invalid_colon_in_name",
    "invalid_control_char_name",
    "invalid_duplicate_diff_case",
    "invalid_duplicate_same_case",
    "invalid_empty_header",
    "invalid_non_ascii_name",
    "invalid_null_header",
    "invalid_number_header",
    "invalid_object_header",
    "invalid_space_in_name",
];

/// Plays one scenario.
pub(super) async fn play(scenario: &Scenario, caller: &Caller) -> Result<()> {
    let listed = caller.request("tools/list", json!({})).await?;
    match scenario.name.as_str() {
        "initialize" => result(&listed).map(drop),
        "tools_call" => sum(caller, &listed).await,
        "json-schema-2020-12-preservation" => echo(caller, &listed).await,
        "elicitation-sep1034-client-defaults" => {
            let tool = "test_client_elicitation_defaults";
            succeeded(&caller.answering(tool, None).await?.0)
        }
        "sse-retry" => {
            let answer = call(caller, &listed, "test_reconnection", json!({})).await?;
            said(&answer, "Reconnection test completed successfully")
        }
        // Its server refuses the first request, whatever that is.
        "request-metadata" => {
            let listed = caller.request("tools/list", json!({})).await?;
            result(&listed).map(drop)
        }
        "sep-2322-client-request-state" => questions(caller, &listed).await,
        "http-standard-headers" => every_method(caller, &listed).await,
        "http-custom-headers" => mirrors(scenario, caller, &listed).await,
        "http-invalid-tool-headers" => unusable(caller, &listed).await,
        "json-schema-ref-no-deref" => {
            result(&listed)?;
            // The moment at which somebody who follows references would do it.
            let arguments = json!({ "id": "a-1", "profile": { "displayName": "a" } });
            let schema = json!({});
            caller
                .call("lookup_user", arguments, &schema)
                .await
                .map(drop)
        }
        other => bail!("nobody wrote down how to play `{other}`"),
    }
}

async fn sum(caller: &Caller, listed: &Value) -> Result<()> {
    let arguments = json!({ "a": 5, "b": 3 });
    let answer = call(caller, listed, "add_numbers", arguments).await?;
    said(&answer, "The sum of 5 and 3 is 8")
}

/// Says to one tool how it was shown another.
async fn echo(caller: &Caller, listed: &Value) -> Result<()> {
    let arguments = json!({ "schema": schema(listed, "json_schema_2020_12_tool")? });
    let answer = call(caller, listed, "json_schema_echo", arguments).await?;
    said(&answer, "echoed")
}

/// Is asked something by two tools, and calls a third before it answers.
async fn questions(caller: &Caller, listed: &Value) -> Result<()> {
    for (tool, expected) in [
        ("test_mrtr_echo_state", "echo-state-ok"),
        ("test_mrtr_no_state", "no-state-ok"),
    ] {
        let (answer, other) = caller.answering(tool, Some("test_mrtr_unrelated")).await?;
        said(&answer, expected)?;
        said(&other.context("nothing was asked")?, "unrelated-ok")?;
    }
    let plain = call(caller, listed, "test_mrtr_no_result_type", json!({})).await?;
    said(&plain, "no-result-type-test-ok")
}

/// Sends what there are headers for.
async fn every_method(caller: &Caller, listed: &Value) -> Result<()> {
    for tool in ["test_headers", "my-hyphenated-tool"] {
        succeeded(&call(caller, listed, tool, json!({})).await?)?;
    }
    let resources = caller.request("resources/list", json!({})).await?;
    let resources = result(&resources)?.get("resources");
    let resources = resources
        .and_then(Value::as_array)
        .context("no resources")?;
    for resource in resources {
        let uri = json!({ "uri": resource.get("uri") });
        result(&caller.request("resources/read", uri).await?)?;
    }
    result(&caller.request("prompts/list", json!({})).await?)?;
    let prompt = json!({ "name": "test_prompt" });
    result(&caller.request("prompts/get", prompt).await?).map(drop)
}

/// Makes the calls the suite wants made.
async fn mirrors(scenario: &Scenario, caller: &Caller, listed: &Value) -> Result<()> {
    let calls = scenario.context.get("toolCalls").and_then(Value::as_array);
    for wanted in calls.context("no calls to make")? {
        let tool = wanted.get("name").and_then(Value::as_str);
        let tool = tool.context("a call of nothing")?;
        let mut arguments = wanted.get("arguments").cloned().unwrap_or_default();
        let members = arguments.as_object_mut().context("no arguments")?;
        if members.values().any(Value::is_null) {
            // Its definition allows no null there, so that the gateway refuses it.
            let refused = call(caller, listed, tool, Value::Object(members.clone())).await?;
            ensure!(
                refusal(&refused).is_some(),
                "a null was let through: {refused}"
            );
            members.retain(|_, value| !value.is_null());
        }
        succeeded(&call(caller, listed, tool, arguments).await?)?;
    }
    Ok(())
}

/// Insists on tools that it was not shown.
async fn unusable(caller: &Caller, listed: &Value) -> Result<()> {
    let valid = call(caller, listed, "valid_tool", json!({ "region": "eu" }));
    succeeded(&valid.await?)?;
    for tool in UNUSABLE {
        ensure!(schema(listed, tool).is_err(), "`{tool}` was shown");
        let answer = caller
            .call(tool, json!({ "value": "x" }), &json!({}))
            .await?;
        ensure!(
            answer.get("error").is_some(),
            "`{tool}` was called: {answer}"
        );
    }
    Ok(())
}

/// Calls a tool that was shown.
pub(super) async fn call(
    caller: &Caller,
    listed: &Value,
    tool: &str,
    arguments: Value,
) -> Result<Value> {
    caller.call(tool, arguments, schema(listed, tool)?).await
}

/// The result of an answer, which has to have one.
fn result(answer: &Value) -> Result<&Value> {
    let result = answer.get("result");
    result.with_context(|| format!("no result: {answer}"))
}

/// Checks that a tool was run and did not fail.
pub(super) fn succeeded(answer: &Value) -> Result<()> {
    let failed = result(answer)?.get("isError") == Some(&json!(true));
    ensure!(!failed, "the tool failed: {answer}");
    Ok(())
}

/// Checks that a tool said this.
fn said(answer: &Value, expected: &str) -> Result<()> {
    let text = text(answer);
    ensure!(text == expected, "`{text}` instead of `{expected}`");
    Ok(())
}

/// The input schema of a tool in an answer to `tools/list`.
fn schema<'a>(listed: &'a Value, tool: &str) -> Result<&'a Value> {
    let tools = result(listed)?.get("tools").and_then(Value::as_array);
    let found = tools
        .into_iter()
        .flatten()
        .find(|listed| listed.get("name").and_then(Value::as_str) == Some(tool));
    let schema = found.and_then(|found| found.get("inputSchema"));
    schema.with_context(|| format!("no tool `{tool}` in {listed}"))
}
