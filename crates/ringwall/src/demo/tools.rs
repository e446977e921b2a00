//! As much of an MCP server as the demo's servers need: a greeting, a list of tools, calls. It reads
//! leniently on purpose: the strict reader is the gateway's.

use serde_json::{Value, json};

/// What one of the demo's servers offers.
pub(super) trait Tools: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// The definitions of its tools, as they are now.
    fn list(&self) -> Vec<Value>;
    /// The result of a call, or nothing if there is no such tool.
    fn call(&self, tool: &str, arguments: &Value) -> Option<Value>;
    /// What it has to say unasked, each thing once.
    fn news(&self) -> Option<Value> {
        None
    }
}

/// The revision the servers speak.
const REVISION: &str = "2025-11-25";

/// The answer to a message; a notification has none.
pub(super) fn answer(tools: &dyn Tools, message: &Value) -> Option<Value> {
    let id = message.get("id")?;
    let method = message.get("method")?.as_str()?;
    let params = message.get("params").cloned().unwrap_or_default();
    let answered = match method {
        "initialize" => Ok(json!({
            "protocolVersion": REVISION,
            "capabilities": { "tools": { "listChanged": true } },
            "serverInfo": { "name": tools.name(), "version": env!("CARGO_PKG_VERSION") },
        })),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": tools.list() })),
        "tools/call" => {
            let name = params
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let arguments = params
                .get("arguments")
                .cloned()
                .unwrap_or_else(|| json!({}));
            tools.call(name, &arguments).ok_or((-32602, "unknown tool"))
        }
        _ => Err((-32601, "method not found")),
    };
    Some(match answered {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, text)) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } })
        }
    })
}

/// A result that is one text.
pub(super) fn text(text: impl Into<String>) -> Value {
    json!({ "content": [{ "type": "text", "text": text.into() }] })
}

/// A result that says what went wrong.
pub(super) fn wrong(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }], "isError": true })
}
