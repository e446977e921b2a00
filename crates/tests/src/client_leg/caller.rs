//! A client of either era that asks for the same things. It answers what a server asks as a person
//! would who leaves everything as it is suggested, and in the modern era it mirrors parameters into
//! headers as the definitions it was shown want it.

use crate::mcp::Client;
use crate::stateless::{Stateless, mirrored};
use crate::wire::{Event, Events};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// The two ways to speak to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// With a session.
    Legacy,
    /// Without one.
    Modern,
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Era::Legacy => "legacy",
            Era::Modern => "modern",
        })
    }
}

impl FromStr for Era {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "legacy" => Ok(Era::Legacy),
            "modern" => Ok(Era::Modern),
            other => bail!("no era is called `{other}`"),
        }
    }
}

/// Somebody who asks the gateway.
#[derive(Debug)]
pub(super) enum Caller {
    Legacy(Client),
    Modern(Stateless),
}

impl Caller {
    pub(super) async fn connect(era: Era, url: &Url, token: &str) -> Result<Self> {
        let capabilities = json!({ "elicitation": {}, "roots": {}, "sampling": {} });
        Caller::capable(era, url, token, capabilities).await
    }

    /// One with these capabilities.
    pub(super) async fn capable(
        era: Era,
        url: &Url,
        token: &str,
        capabilities: Value,
    ) -> Result<Self> {
        match era {
            Era::Legacy => {
                let mut client = Client::new(url, Some(token));
                client.initialize(capabilities).await?;
                Ok(Caller::Legacy(client))
            }
            Era::Modern => {
                let client = Stateless::new(url, Some(token));
                Ok(Caller::Modern(client.capable(capabilities)))
            }
        }
    }

    /// Asks for something and returns the final JSON-RPC message.
    pub(super) async fn request(&self, method: &str, params: Value) -> Result<Value> {
        match self {
            Caller::Legacy(client) => client.request(method, params).await,
            Caller::Modern(client) => client.request(method, params).await,
        }
    }

    /// Calls a tool that was shown with this input schema.
    pub(super) async fn call(&self, tool: &str, arguments: Value, schema: &Value) -> Result<Value> {
        let params = json!({ "name": tool, "arguments": arguments });
        match self {
            Caller::Legacy(client) => client.request("tools/call", params).await,
            Caller::Modern(client) => {
                let headers = headers(schema, &arguments);
                let request = client.outgoing("tools/call", params);
                let request = headers.iter().fold(request, |request, (name, value)| {
                    request.header(name, value)
                });
                request.send().await?.json()
            }
        }
    }

    /// Calls a tool that asks something, and answers; before that, calls another one if there is one
    /// to call, and returns both answers.
    pub(super) async fn answering(
        &self,
        tool: &str,
        other: Option<&str>,
    ) -> Result<(Value, Option<Value>)> {
        match self {
            Caller::Legacy(client) => in_session(client, tool, other).await,
            Caller::Modern(client) => without_session(client, tool, other).await,
        }
    }
}

async fn without_session(
    client: &Stateless,
    tool: &str,
    other: Option<&str>,
) -> Result<(Value, Option<Value>)> {
    let asked = client.call(tool, json!({})).await?;
    let questions = asked.pointer("/result/inputRequests");
    let questions = questions.and_then(Value::as_object);
    let questions = questions.with_context(|| format!("nothing was asked: {asked}"))?;
    let responses: Map<String, Value> = questions
        .iter()
        .map(|(name, question)| (name.clone(), accepted(question)))
        .collect();
    let between = match other {
        None => None,
        Some(other) => Some(client.call(other, json!({})).await?),
    };
    let answer = client.answer(tool, json!({}), &asked, Value::Object(responses));
    Ok((answer.await?, between))
}

/// The question comes on the stream of the call, or on the one for what a server says unasked.
async fn in_session(
    client: &Client,
    tool: &str,
    other: Option<&str>,
) -> Result<(Value, Option<Value>)> {
    let mut own = Some(client.listen(None).await?).filter(|own| own.status == 200);
    let call = json!({ "name": tool, "arguments": {} });
    let mut answer = client.stream("tools/call", call).await?;
    let mut between = None;
    loop {
        let event = tokio::select! {
            event = answer.next() => Some(event?.context("the stream of the call ended")?),
            event = heard(&mut own) => event?,
        };
        let Some(message) = event.as_ref().and_then(message).transpose()? else {
            continue;
        };
        if message.get("method").is_none() {
            return Ok((message, between));
        }
        if let (Some(other), None) = (other, &between) {
            between = Some(client.call(other, json!({})).await?);
        }
        if let Some(id) = message.get("id") {
            let reply = json!({ "jsonrpc": "2.0", "id": id, "result": accepted(&message) });
            let reply = client.post(&reply).await?;
            ensure!(reply.status == 202, "the answer was refused: {reply:?}");
        }
    }
}

/// What comes next on a stream that may have ended, or may never have been.
async fn heard(own: &mut Option<Events>) -> Result<Option<Event>> {
    let Some(events) = own else {
        return std::future::pending().await;
    };
    let event = events.next().await?;
    if event.is_none() {
        *own = None;
    }
    Ok(event)
}

fn message(event: &Event) -> Option<Result<Value>> {
    let has_data = !event.data.is_empty();
    has_data.then(|| Ok(serde_json::from_str(&event.data)?))
}

/// The answer of somebody who leaves everything as it is suggested, and otherwise says yes.
fn accepted(question: &Value) -> Value {
    let properties = question.pointer("/params/requestedSchema/properties");
    let properties = properties.and_then(Value::as_object);
    let content: Map<String, Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let suggestion = schema.get("default").cloned();
            (name.clone(), suggestion.unwrap_or(json!(true)))
        })
        .collect();
    json!({ "action": "accept", "content": content })
}

/// The headers that go with these arguments.
fn headers(schema: &Value, arguments: &Value) -> Vec<(String, String)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let header = |(name, property): (&String, &Value)| {
        let header = property.get("x-mcp-header")?.as_str()?;
        let text = match arguments.get(name)? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some((format!("mcp-param-{header}"), mirrored(&text)))
    };
    properties
        .into_iter()
        .flatten()
        .filter_map(header)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_suggested_is_accepted_and_the_rest_is_agreed_to() {
        let question = json!({ "params": { "requestedSchema": { "properties": {
            "age": { "type": "integer", "default": 30 },
            "confirmed": { "type": "boolean" }
        } } } });
        let content = json!({ "age": 30, "confirmed": true });
        let expected = json!({ "action": "accept", "content": content });
        assert_eq!(accepted(&question), expected);
    }

    #[test]
    fn h9_only_what_is_designated_and_there_is_mirrored() {
        let schema = json!({ "properties": {
            "absent": { "x-mcp-header": "Absent" },
            "count": { "x-mcp-header": "Count" },
            "nothing": { "x-mcp-header": "Nothing" },
            "padded": { "x-mcp-header": "Padded" },
            "plain": {}
        } });
        let arguments = json!({ "count": 42, "nothing": null, "padded": " a", "plain": "a" });
        let expected = [
            ("mcp-param-Count", "42"),
            ("mcp-param-Padded", "=?base64?IGE=?="),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(headers(&schema, &arguments), expected);
    }
}
