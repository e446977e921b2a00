//! A small MCP client of the modern era that hides nothing: every request says all there is to say
//! about itself, and every answer comes back whole.

use crate::wire::{Events, Outgoing, Reply};
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use url::Url;

/// The revision it speaks.
pub const VERSION: &str = "2026-07-28";

/// The prefix of the metadata of this era.
const PREFIX: &str = "io.modelcontextprotocol/";

/// Somebody who speaks MCP to a URL, without a session.
#[derive(Debug)]
pub struct Stateless {
    url: Url,
    token: Option<String>,
    capabilities: Value,
    level: Option<String>,
    counter: AtomicU64,
}

impl Stateless {
    /// Speaks to `url`, with a bearer token if there is one. Nothing is sent yet.
    pub fn new(url: &Url, token: Option<&str>) -> Self {
        Stateless {
            url: url.clone(),
            token: token.map(str::to_owned),
            capabilities: json!({}),
            level: None,
            counter: AtomicU64::new(0),
        }
    }

    /// Declares these capabilities with each request.
    #[must_use]
    pub fn capable(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Wants log messages of this level and above.
    #[must_use]
    pub fn logging(mut self, level: &str) -> Self {
        self.level = Some(level.to_owned());
        self
    }

    /// The request as it would be sent, to be changed by the test. It carries `Mcp-Method` and
    /// `Mcp-Name`; `Mcp-Param-*` is the test's to add.
    pub fn outgoing(&self, method: &str, params: Value) -> Outgoing {
        let id = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        self.message(&json!({
            "jsonrpc": "2.0", "id": id, "method": method, "params": self.params(params)
        }))
    }

    /// Any message, with the headers that go with it.
    pub fn message(&self, message: &Value) -> Outgoing {
        let method = message
            .get("method")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let mut request = Outgoing::message(&self.url, message)
            .header("mcp-protocol-version", VERSION)
            .header("mcp-method", method);
        let named = match method {
            "tools/call" | "prompts/get" => Some("/params/name"),
            "resources/read" => Some("/params/uri"),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some("/params/taskId"),
            _ => None,
        };
        let name = named.and_then(|at| message.pointer(at)?.as_str());
        if let Some(name) = name {
            request = request.header("mcp-name", &mirrored(name));
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", &format!("Bearer {token}"));
        }
        request
    }

    /// These params with the metadata of this client; what they say of themselves stays.
    pub fn params(&self, mut params: Value) -> Value {
        let Some(members) = params.as_object_mut() else {
            return params;
        };
        let meta = members.entry("_meta").or_insert_with(|| json!({}));
        let Some(meta) = meta.as_object_mut() else {
            return params;
        };
        let client = json!({ "name": "ringwall-tests", "version": "1.0.0" });
        let mut said = vec![
            ("protocolVersion", json!(VERSION)),
            ("clientCapabilities", self.capabilities.clone()),
            ("clientInfo", client),
        ];
        if let Some(level) = &self.level {
            said.push(("logLevel", json!(level)));
        }
        for (key, value) in said {
            meta.entry(format!("{PREFIX}{key}")).or_insert(value);
        }
        params
    }

    /// Sends a request and returns the whole HTTP answer.
    pub async fn send(&self, method: &str, params: Value) -> Result<Reply> {
        self.outgoing(method, params).send().await
    }

    /// Sends a request and returns the final JSON-RPC message.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value> {
        self.send(method, params).await?.json()
    }

    /// Calls a tool and returns the final JSON-RPC message.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Value> {
        let params = json!({ "name": tool, "arguments": arguments });
        self.request("tools/call", params).await
    }

    /// Calls a tool again with what its last answer asked for.
    pub async fn answer(
        &self,
        tool: &str,
        arguments: Value,
        asked: &Value,
        responses: Value,
    ) -> Result<Value> {
        let mut params =
            json!({ "name": tool, "arguments": arguments, "inputResponses": responses });
        let state = asked.pointer("/result/requestState");
        if let (Some(state), Some(members)) = (state, params.as_object_mut()) {
            members.insert("requestState".to_owned(), state.clone());
        }
        self.request("tools/call", params).await
    }

    /// The names of the tools on offer.
    pub async fn tools(&self) -> Result<Vec<String>> {
        let answer = self.request("tools/list", json!({})).await?;
        let tools = answer.pointer("/result/tools").and_then(Value::as_array);
        let tools = tools.with_context(|| format!("no tools in {answer}"))?;
        let names = tools.iter().filter_map(|tool| tool.get("name")?.as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Sends a request and reads its answer event by event; dropping it is the cancellation.
    pub async fn stream(&self, method: &str, params: Value) -> Result<Events> {
        self.outgoing(method, params).stream().await
    }

    /// Subscribes to what `filter` names.
    pub async fn listen(&self, filter: Value) -> Result<Events> {
        let params = json!({ "notifications": filter });
        self.stream("subscriptions/listen", params).await
    }
}

/// A value as a header has it: itself if it is safe there, else behind the sentinel.
pub fn mirrored(value: &str) -> String {
    let safe = value.chars().all(|one| (' '..='~').contains(&one))
        && value.trim() == value
        && !value.starts_with("=?base64?");
    if safe {
        return value.to_owned();
    }
    format!("=?base64?{}?=", BASE64_STANDARD.encode(value))
}
