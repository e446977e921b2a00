//! A small MCP client of the legacy era that hides nothing: every answer comes back whole.

use crate::wire::{self, Events, Outgoing, Reply};
use anyhow::{Context as _, Result, bail};
use http::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use url::Url;

/// The revision it asks for.
pub const VERSION: &str = "2025-11-25";

/// Somebody who speaks MCP to a URL.
#[derive(Debug)]
pub struct Client {
    url: Url,
    headers: Vec<(String, String)>,
    session: Option<String>,
    version: String,
    counter: AtomicU64,
}

impl Client {
    /// Speaks to `url`, with a bearer token if there is one. Nothing is sent yet.
    pub fn new(url: &Url, token: Option<&str>) -> Self {
        let authorization =
            token.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        Client {
            url: url.clone(),
            headers: authorization.into_iter().collect(),
            session: None,
            version: VERSION.to_owned(),
            counter: AtomicU64::new(0),
        }
    }

    /// A client that asks for this revision.
    #[must_use]
    pub fn of(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// A client with an established session.
    pub async fn connect(url: &Url, token: Option<&str>) -> Result<Self> {
        let mut client = Client::new(url, token);
        client.initialize(json!({})).await?;
        Ok(client)
    }

    /// The session id, once there is one.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Speaks in this session from now on, whoever opened it.
    #[must_use]
    pub fn in_session(mut self, session: &str) -> Self {
        self.session = Some(session.to_owned());
        self
    }

    /// Opens a session with these client capabilities.
    pub async fn initialize(&mut self, capabilities: Value) -> Result<Value> {
        let params = json!({
            "protocolVersion": self.version,
            "capabilities": capabilities,
            "clientInfo": { "name": "ringwall-tests", "version": "1.0.0" }
        });
        let reply = self.outgoing("initialize", Some(params)).send().await?;
        let answer = reply.json()?;
        let Some(result) = answer.get("result") else {
            bail!("initialize was refused: {} {answer}", reply.status);
        };
        self.session = reply.header("mcp-session-id").map(str::to_owned);
        let version = result.get("protocolVersion").and_then(Value::as_str);
        self.version = version.context("no version in the answer")?.to_owned();
        let noted = self.notify("notifications/initialized").await?;
        anyhow::ensure!(noted.status == 202, "initialized was refused: {noted:?}");
        Ok(result.clone())
    }

    /// What is answered to `initialize` with these client capabilities, whatever it is.
    pub async fn initialize_with(&self, capabilities: Value) -> Result<Value> {
        let params = json!({
            "protocolVersion": self.version, "capabilities": capabilities,
            "clientInfo": { "name": "ringwall-tests", "version": "1.0.0" }
        });
        self.request("initialize", params).await
    }

    /// The request as it would be sent, to be changed by the test.
    pub fn outgoing(&self, method: &str, params: Option<Value>) -> Outgoing {
        let id = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if let (Some(params), Some(members)) = (params, message.as_object_mut()) {
            members.insert("params".to_owned(), params);
        }
        self.dressed(
            Outgoing::message(&self.url, &message),
            method != "initialize",
        )
    }

    /// Sends a request and returns the whole HTTP answer.
    pub async fn send(&self, method: &str, params: Value) -> Result<Reply> {
        self.outgoing(method, Some(params)).send().await
    }

    /// Sends a request and returns the final JSON-RPC message.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value> {
        self.send(method, params).await?.json()
    }

    /// Calls a tool and returns the final JSON-RPC message.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Value> {
        self.request(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
        .await
    }

    /// The names of the tools on offer.
    pub async fn tools(&self) -> Result<Vec<String>> {
        let answer = self.request("tools/list", json!({})).await?;
        let tools = answer.pointer("/result/tools").and_then(Value::as_array);
        let tools = tools.with_context(|| format!("no tools in {answer}"))?;
        let names = tools.iter().filter_map(|tool| tool.get("name")?.as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Sends a notification.
    pub async fn notify(&self, method: &str) -> Result<Reply> {
        self.post(&json!({ "jsonrpc": "2.0", "method": method }))
            .await
    }

    /// Posts any message in the session, such as a response.
    pub async fn post(&self, message: &Value) -> Result<Reply> {
        self.dressed(Outgoing::message(&self.url, message), true)
            .send()
            .await
    }

    /// The id of the request that was sent last.
    pub fn last(&self) -> u64 {
        self.counter.load(Ordering::Relaxed)
    }

    /// Sends a request and reads its answer event by event.
    pub async fn stream(&self, method: &str, params: Value) -> Result<Events> {
        self.outgoing(method, Some(params)).stream().await
    }

    /// Opens the stream of the server's own messages, or resumes one.
    pub async fn listen(&self, last_event: Option<&str>) -> Result<Events> {
        let mut get = Outgoing::new(Method::GET, &self.url).header("accept", "text/event-stream");
        if let Some(id) = last_event {
            get = get.header("last-event-id", id);
        }
        self.dressed(get, true).stream().await
    }

    /// Ends the session.
    pub async fn delete(&self) -> Result<Reply> {
        self.dressed(Outgoing::new(Method::DELETE, &self.url), true)
            .send()
            .await
    }

    fn dressed(&self, mut request: Outgoing, established: bool) -> Outgoing {
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let (true, Some(session)) = (established, &self.session) {
            request = request.header("mcp-session-id", session);
        }
        if established {
            request = request.header("mcp-protocol-version", &self.version);
        }
        request
    }
}

/// The text of the first content block of a tool result; of anything else, what it is instead, so
/// that a failed comparison says why.
pub fn text(answer: &Value) -> String {
    let text = answer
        .pointer("/result/content/0/text")
        .and_then(Value::as_str);
    text.map_or_else(|| wire::code(answer), str::to_owned)
}
