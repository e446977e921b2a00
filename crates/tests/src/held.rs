//! Calls that wait for somebody's approval, as the tests of them begin: a tool that takes one, and the word of
//! whoever runs the gateway.

use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// Everybody may do everything, but for one tool that owners have to approve.
pub const OWNERS: &str = r#"
permit(principal, action, resource);
@id("echo-is-approved")
@reason("what is echoed is heard by everybody")
@lift("approval: owners")
forbid(principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"fixture/echo");
"#;

/// The one call that waits, as `ringwall approvals` shows it.
pub async fn waiting(world: &World) -> Result<Value> {
    let all = world.gateway.with_data(&["approvals", "--json"]).await?;
    let all: Vec<Value> = serde_json::from_str(&all)?;
    ensure!(all.len() == 1, "not one call waits: {all:?}");
    all.into_iter().next().context("nothing waits")
}

/// What that one is called.
pub async fn id(world: &World) -> Result<String> {
    let one = waiting(world).await?;
    let id = one.get("id").and_then(Value::as_str);
    Ok(id.context("no id")?.to_owned())
}

/// Approves it, as the operator of the machine.
pub async fn approve(world: &World) -> Result<String> {
    let id = id(world).await?;
    world
        .gateway
        .with_data(&["approvals", "approve", &id])
        .await
}
