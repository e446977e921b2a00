//! A user of the demo with an MCP client: sends real requests to the gateway and tells what came back.

use anyhow::{Context, bail};
use bytes::Bytes;
use gateway::egress::{self, Destination, Egress, Network};
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const SPOKEN: &str = "2025-11-25";
/// How long an answer may take; a first call starts a process, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
const ANSWER_BYTES: usize = 4 << 20;

/// One user at one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    egress: Arc<Egress>,
    endpoint: Destination,
    token: Option<String>,
    session: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) challenge: Option<String>,
    pub(super) body: Value,
    pub(super) took: Duration,
    session: Option<String>,
}

/// A refusal as a caller hears it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) control: String,
    pub(super) reason: String,
    pub(super) remedy: String,
    pub(super) retry_after_ms: Option<u64>,
}

impl Caller {
    /// Somebody who knows the endpoint and has no token.
    pub(super) fn stranger(egress: &Arc<Egress>, endpoint: &str) -> anyhow::Result<Self> {
        let endpoint = Destination::new(endpoint.parse()?, Network::Private)?;
        Ok(Caller {
            egress: Arc::clone(egress),
            endpoint,
            token: None,
            session: None,
        })
    }

    /// The same with this token.
    pub(super) fn with_token(&self, token: String) -> Self {
        Caller {
            token: Some(token),
            ..self.clone()
        }
    }

    /// The same with the session of somebody else.
    pub(super) fn with_session_of(&self, other: &Caller) -> Self {
        Caller {
            session: other.session.clone(),
            ..self.clone()
        }
    }

    /// Opens a session, as every client does first.
    pub(super) async fn connect(&mut self) -> anyhow::Result<Heard> {
        self.session = None;
        let params = json!({
            "protocolVersion": SPOKEN,
            "capabilities": {},
            "clientInfo": { "name": "ringwall demo", "version": env!("CARGO_PKG_VERSION") },
        });
        let heard = self.ask("initialize", params).await?;
        if heard.session.is_some() {
            self.session.clone_from(&heard.session);
            self.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
                .await?;
        }
        Ok(heard)
    }

    /// Calls a tool.
    pub(super) async fn call(&self, tool: &str, arguments: Value) -> anyhow::Result<Heard> {
        self.ask(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
        .await
    }

    /// The names of the tools this user is shown.
    pub(super) async fn tools(&self) -> anyhow::Result<(Vec<String>, Heard)> {
        let heard = self.ask("tools/list", json!({})).await?;
        let tools = heard
            .body
            .pointer("/result/tools")
            .and_then(Value::as_array);
        let Some(tools) = tools else {
            bail!("no list came back: {}", heard.body)
        };
        let names = tools
            .iter()
            .filter_map(|tool| tool.get("name")?.as_str().map(str::to_owned));
        Ok((names.collect(), heard))
    }

    pub(super) async fn ask(&self, method: &str, params: Value) -> anyhow::Result<Heard> {
        self.send(json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
            .await
    }

    async fn send(&self, message: Value) -> anyhow::Result<Heard> {
        let mut request = Request::new(Full::new(Bytes::from(message.to_string())));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        if let Some(token) = &self.token {
            headers.insert(
                header::AUTHORIZATION,
                HeaderValue::try_from(format!("Bearer {token}"))?,
            );
        }
        if let Some(session) = &self.session {
            headers.insert(SESSION, HeaderValue::try_from(session)?);
            headers.insert(REVISION, HeaderValue::from_static(SPOKEN));
        }
        let began = Instant::now();
        let response = self
            .egress
            .send(&self.endpoint, request, began + PATIENCE)
            .await?;
        let (head, body) = response.into_parts();
        let body = egress::collect(body, ANSWER_BYTES, began + PATIENCE).await?;
        let text = |name: &HeaderName| head.headers.get(name)?.to_str().ok().map(str::to_owned);
        Ok(Heard {
            took: began.elapsed(),
            status: head.status.as_u16(),
            challenge: text(&header::WWW_AUTHENTICATE),
            session: text(&SESSION),
            body: message_of(&body).context("the answer cannot be read")?,
        })
    }
}

impl Heard {
    /// The text of a tool's result.
    pub(super) fn text(&self) -> &str {
        self.body
            .pointer("/result/content/0/text")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Why the gateway refused, if it did.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let in_error = self.body.pointer("/error/data");
        let in_result = || self.body.pointer("/result/_meta/io.ringwall~1refusal");
        let said = in_error.or_else(in_result)?;
        let text = |name: &str| Some(said.get(name)?.as_str()?.to_owned());
        Some(Refusal {
            code: text("code")?,
            control: text("control")?,
            reason: text("reason")?,
            remedy: text("remedy")?,
            retry_after_ms: said.get("retry_after").and_then(Value::as_u64),
        })
    }
}

/// The message of a body, be it one message, a stream whose last event it is, or nothing.
fn message_of(body: &[u8]) -> anyhow::Result<Value> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    if body.first() == Some(&b'{') {
        return Ok(serde_json::from_slice(body)?);
    }
    let text = std::str::from_utf8(body)?;
    let last = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("data: ").filter(|data| !data.is_empty()));
    Ok(serde_json::from_str(
        last.context("an event stream without a message")?,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_message_whatever_it_came_in() {
        for body in [
            "{\"a\":1}",
            "id: 1-0\ndata: \n\nid: 1-1\ndata: {\"a\":1}\n\n",
        ] {
            assert_eq!(
                message_of(body.as_bytes()).unwrap(),
                json!({"a": 1}),
                "{body}"
            );
        }
        assert_eq!(message_of(b"").unwrap(), Value::Null);
        assert!(message_of(b"hello").is_err());
    }

    #[test]
    fn reads_a_refusal_from_an_error_and_from_a_result() {
        let said =
            json!({"code": "c", "control": "1.2", "reason": "r", "remedy": "m", "retry_after": 7});
        let heard = |body| Heard {
            status: 200,
            challenge: None,
            body,
            took: Duration::ZERO,
            session: None,
        };
        let error = heard(json!({"error": {"data": said}}));
        let result = heard(json!({"result": {"_meta": {"io.ringwall/refusal": said}}}));
        assert_eq!(error.refusal(), result.refusal());
        assert_eq!(error.refusal().unwrap().retry_after_ms, Some(7));
        assert_eq!(heard(json!({"result": {}})).refusal(), None);
    }
}
