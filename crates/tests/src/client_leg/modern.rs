//! The scenarios of the modern era: what a client without a session asks the gateway for. It mirrors
//! parameters into headers as the definitions it was shown ask for.

use super::{AUTHORIZATION, Scenario, result, said, schema, succeeded};
use crate::stateless::{Stateless, mirrored};
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
pub(super) async fn play(scenario: &Scenario, client: Stateless) -> Result<()> {
    let client = client.capable(json!({ "elicitation": {}, "roots": {}, "sampling": {} }));
    let listed = client.request("tools/list", json!({})).await?;
    match scenario.name.as_str() {
        "tools_call" => {
            let sum = client.call("add_numbers", json!({ "a": 5, "b": 3 }));
            said(&sum.await?, "The sum of 5 and 3 is 8")
        }
        "json-schema-2020-12-preservation" => {
            let schema = schema(&listed, "json_schema_2020_12_tool")?;
            let echoed = client.call("json_schema_echo", json!({ "schema": schema }));
            said(&echoed.await?, "echoed")
        }
        // Its server refuses the first request, whatever that is.
        "request-metadata" => {
            let listed = client.request("tools/list", json!({})).await?;
            result(&listed).map(drop)
        }
        "sep-2322-client-request-state" => questions(&client).await,
        "http-standard-headers" => every_method(&client).await,
        "http-custom-headers" => mirrors(scenario, &client, &listed).await,
        "http-invalid-tool-headers" => unusable(&client, &listed).await,
        "json-schema-ref-no-deref" => {
            result(&listed)?;
            // The moment at which somebody who follows references would do it.
            let arguments = json!({ "id": "a-1", "profile": { "displayName": "a" } });
            client.call("lookup_user", arguments).await.map(drop)
        }
        name if name.starts_with(AUTHORIZATION) => {
            result(&listed)?;
            succeeded(&client.call("test-tool", json!({})).await?)
        }
        other => bail!("nobody wrote down how to play `{other}`"),
    }
}

/// Is asked something by two tools, and calls a third before it answers.
async fn questions(client: &Stateless) -> Result<()> {
    let confirmed = json!({ "confirm": { "action": "accept", "content": { "confirmed": true } } });
    for (tool, expected) in [
        ("test_mrtr_echo_state", "echo-state-ok"),
        ("test_mrtr_no_state", "no-state-ok"),
    ] {
        let asked = client.call(tool, json!({})).await?;
        let kind = result(&asked)?.get("resultType");
        ensure!(kind == Some(&json!("input_required")), "{asked}");
        let other = client.call("test_mrtr_unrelated", json!({})).await?;
        said(&other, "unrelated-ok")?;
        let done = client.answer(tool, json!({}), &asked, confirmed.clone());
        said(&done.await?, expected)?;
    }
    let plain = client.call("test_mrtr_no_result_type", json!({})).await?;
    said(&plain, "no-result-type-test-ok")
}

/// Sends what there are headers for.
async fn every_method(client: &Stateless) -> Result<()> {
    for tool in ["test_headers", "my-hyphenated-tool"] {
        succeeded(&client.call(tool, json!({})).await?)?;
    }
    let listed = client.request("resources/list", json!({})).await?;
    let resources = result(&listed)?.get("resources").and_then(Value::as_array);
    for resource in resources.context("no resources")? {
        let uri = json!({ "uri": resource.get("uri") });
        result(&client.request("resources/read", uri).await?)?;
    }
    result(&client.request("prompts/list", json!({})).await?)?;
    let prompt = json!({ "name": "test_prompt" });
    result(&client.request("prompts/get", prompt).await?).map(drop)
}

/// Makes the calls the suite asks for, with the headers their definitions ask for.
async fn mirrors(scenario: &Scenario, client: &Stateless, listed: &Value) -> Result<()> {
    let calls = scenario
        .context
        .get("toolCalls")
        .and_then(Value::as_array)
        .context("no calls to make")?;
    for call in calls {
        let name = call.get("name").and_then(Value::as_str);
        let schema = schema(listed, name.unwrap_or_default())?;
        let mut call = call.clone();
        let members = call.get_mut("arguments").and_then(Value::as_object_mut);
        // What a definition calls a truth value is one or is not there: the gateway refuses a null.
        members
            .context("no arguments")?
            .retain(|_, value| !value.is_null());
        let headers = headers(schema, &call);
        let mut request = client.outgoing("tools/call", call);
        for (name, value) in headers {
            request = request.header(&name, &value);
        }
        succeeded(&request.send().await?.json()?)?;
    }
    Ok(())
}

fn headers(schema: &Value, call: &Value) -> Vec<(String, String)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let header = |(name, property): (&String, &Value)| {
        let header = property.get("x-mcp-header")?.as_str()?;
        let value = call.get("arguments")?.get(name)?;
        let text = match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some((format!("mcp-param-{header}"), mirrored(&text)))
    };
    properties.into_iter().flatten().filter_map(header).collect()
}

/// Insists on tools that are not there.
async fn unusable(client: &Stateless, listed: &Value) -> Result<()> {
    let schema = schema(listed, "valid_tool")?;
    let call = json!({ "name": "valid_tool", "arguments": { "region": "eu" } });
    let mut request = client.outgoing("tools/call", call.clone());
    for (name, value) in headers(schema, &call) {
        request = request.header(&name, &value);
    }
    succeeded(&request.send().await?.json()?)?;
    for tool in UNUSABLE {
        let answer = client.call(tool, json!({ "value": "x" })).await?;
        ensure!(refusal(&answer).is_some(), "`{tool}` was called: {answer}");
    }
    Ok(())
}
