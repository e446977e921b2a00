//! `ringwall wrap` around the fixture in the stateless era, and the lines that are said to it.

use crate::place;
use crate::program::{Command, Program};
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

/// Starts it in this folder, where its data go, with these further words for either. Nobody has said
/// anything yet.
pub async fn start(folder: &Path, wrap: &[&str], fixture: &[&str]) -> Result<Program> {
    Command::new("/bin/sh")
        .arguments(["-c", "echo ready; exec \"$0\" \"$@\""])
        .argument(place::built("ringwall")?)
        .arguments(["wrap", "--data", "data"])
        .arguments(wrap)
        .argument("--")
        .argument(place::built("fixture-upstream")?)
        .arguments(["--stdio", "--era", "modern"])
        .arguments(fixture)
        .directory(folder)
        .start("ready")
        .await
}

/// The same with this policy.
pub async fn with_policy(folder: &Path, policy: &str) -> Result<Program> {
    std::fs::write(folder.join("own.cedar"), policy)?;
    start(folder, &["--policy", "own.cedar"], &[]).await
}

/// A request, as a line.
pub fn request(id: u64, method: &str, mut params: Value) -> String {
    if let Some(members) = params.as_object_mut() {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        members.insert("_meta".to_owned(), meta);
    }
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// What a call of this tool is answered.
pub async fn call(pipe: &mut Program, tool: &str, arguments: Value) -> Result<Value> {
    let params = json!({ "name": tool, "arguments": arguments });
    pipe.say(&request(1, "tools/call", params)).await?;
    said(pipe).await
}

/// The next message that it says.
pub async fn said(pipe: &mut Program) -> Result<Value> {
    Ok(serde_json::from_str(&pipe.line_starting("{").await?)?)
}
