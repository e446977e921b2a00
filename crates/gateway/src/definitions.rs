//! Reads a server's tool definitions over a session that is already open, for the gateway itself:
//! before a call of a tool that is not known yet, and after the server announced a change. What
//! comes back passes the same strict reader as everything else.

use crate::catalog::Shelf;
use crate::gate::Gate;
use crate::links::{AsUpstream, Far};
use crate::pins::PinsError;
use crate::route::Served;
use crate::upstream::UpstreamError;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Pages of definitions that are read at most.
const PAGES: usize = 64;
/// How long a caller waits for another one's reading.
const PATIENCE: Duration = Duration::from_secs(2);
/// A cursor longer than this is nonsense.
const CURSOR: usize = 4096;

/// Why the definitions could not be had. The tools of that server are then not callable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DefinitionsError {
    /// What came back cannot be read.
    #[error("its list of tools is malformed: {0}")]
    Malformed(String),
    /// The store of pins failed.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The server did not answer.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl AsUpstream for DefinitionsError {
    fn upstream(&self) -> Option<&UpstreamError> {
        match self {
            DefinitionsError::Upstream(error) => Some(error),
            _ => None,
        }
    }
}

/// Reads all pages and takes them as the server's catalog. Callers that come meanwhile wait for the
/// one that is reading.
pub(crate) async fn refresh(
    gate: &Gate,
    served: &Served,
    far: &Arc<Far>,
) -> Result<(), DefinitionsError> {
    // Whoever reads over a session that hangs holds up nobody else: after a while the next caller
    // reads over their own.
    let _reading = tokio::time::timeout(PATIENCE, served.reading.lock())
        .await
        .ok();
    if !served.shelf.is_stale(gate.clock().unix_ms()) {
        return Ok(());
    }
    let doubts = served.shelf.doubts();
    read_all(gate, served, far).await?;
    served.shelf.trust(doubts);
    Ok(())
}

async fn read_all(gate: &Gate, served: &Served, far: &Far) -> Result<(), DefinitionsError> {
    let mut definitions = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let page = page(far, cursor.as_deref()).await?;
        if let Some(Value::Array(tools)) = page.get("tools") {
            definitions.extend(tools.iter().cloned());
        }
        if definitions.len() > Shelf::TOOLS {
            break;
        }
        cursor = page
            .get("nextCursor")
            .and_then(Value::as_str)
            .map(str::to_owned);
        match &cursor {
            None => break,
            Some(cursor) if cursor.len() > CURSOR => {
                return Err(DefinitionsError::Malformed(
                    "its cursor is too long".to_owned(),
                ));
            }
            Some(_) => {}
        }
    }
    gate.publish(served, || {
        served
            .shelf
            .whole(&definitions, &gate.pins, gate.clock().unix_ms())
    })?;
    Ok(())
}

/// Takes one page that a caller listed into the catalog, and returns with what is known of it.
pub(crate) fn learn(gate: &Gate, served: &Served, definitions: &[Value]) -> Result<(), PinsError> {
    gate.publish(served, || {
        served
            .shelf
            .page(definitions, &gate.pins, gate.clock().unix_ms())
    })
}

async fn page(far: &Far, cursor: Option<&str>) -> Result<Value, DefinitionsError> {
    let params = cursor.map(|cursor| serde_json::json!({ "cursor": cursor }).to_string());
    let params = params.as_ref().map(String::as_bytes);
    let answer = far.ask("tools/list", params).await?;
    // A server without tools answers with an error: then it has none.
    let Some(result) = answer.result() else {
        return Ok(Value::Null);
    };
    serde_json::from_slice(result.raw())
        .map_err(|error| DefinitionsError::Malformed(error.to_string()))
}
