//! The scenarios of the legacy era: what a client with a session asks the gateway for. It answers
//! what the server asks as a person would who accepts every suggestion.

use super::{AUTHORIZATION, Scenario, result, said, schema, succeeded};
use crate::mcp::Client;
use crate::wire::Event;
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};

/// Plays one scenario.
pub(super) async fn play(scenario: &Scenario, mut client: Client) -> Result<()> {
    client.initialize(json!({ "elicitation": {} })).await?;
    let listed = client.request("tools/list", json!({})).await?;
    match scenario.name.as_str() {
        "initialize" => result(&listed).map(drop),
        "tools_call" => {
            let sum = client.call("add_numbers", json!({ "a": 5, "b": 3 }));
            said(&sum.await?, "The sum of 5 and 3 is 8")
        }
        "elicitation-sep1034-client-defaults" => defaults(&client).await,
        "sse-retry" => {
            let answer = client.call("test_reconnection", json!({})).await?;
            said(&answer, "Reconnection test completed successfully")
        }
        "json-schema-2020-12-preservation" => {
            let schema = schema(&listed, "json_schema_2020_12_tool")?;
            let echoed = client.call("json_schema_echo", json!({ "schema": schema }));
            said(&echoed.await?, "echoed")
        }
        name if name.starts_with(AUTHORIZATION) => {
            result(&listed)?;
            succeeded(&client.call("test-tool", json!({})).await?)
        }
        other => bail!("nobody wrote down how to play `{other}`"),
    }
}

/// The suite's server asks on a stream of its own, not on that of the call.
async fn defaults(client: &Client) -> Result<()> {
    let mut own = client.listen(None).await?;
    ensure!(own.status == 200, "no stream of the server's own: {own:?}");
    let call = json!({ "name": "test_client_elicitation_defaults", "arguments": {} });
    let mut answer = client.stream("tools/call", call).await?;
    loop {
        let event = tokio::select! {
            event = own.next() => event?.context("the server's own stream ended")?,
            event = answer.next() => event?.context("the stream of the call ended")?,
        };
        let Some(message) = message(&event)? else {
            continue;
        };
        if message.get("method").is_none() {
            return succeeded(&message);
        }
        if let Some(reply) = accepted(&message) {
            let reply = client.post(&reply).await?;
            ensure!(reply.status == 202, "the answer was refused: {reply:?}");
        }
    }
}

fn message(event: &Event) -> Result<Option<Value>> {
    if event.data.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&event.data)?))
}

/// The answer of somebody who leaves everything as it was suggested.
fn accepted(asked: &Value) -> Option<Value> {
    let id = asked.get("id")?;
    let properties = asked.pointer("/params/requestedSchema/properties")?;
    let suggested = |(name, schema): (&String, &Value)| {
        let suggestion = schema.get("default")?;
        Some((name.clone(), suggestion.clone()))
    };
    let content: Map<String, Value> = properties
        .as_object()?
        .iter()
        .filter_map(suggested)
        .collect();
    Some(json!({
        "jsonrpc": "2.0", "id": id, "result": { "action": "accept", "content": content }
    }))
}
