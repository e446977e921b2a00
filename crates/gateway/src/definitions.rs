//! Reads a server's tool definitions over a session that is already open, for the gateway itself:
//! before a call of a tool that is not known yet, and after the server announced a change. What
//! comes back passes the same strict reader as everything else.

pub(crate) mod suspected;

use crate::catalog::{Around, Reading, Shelf};
use crate::gate::Gate;
use crate::links::{AsUpstream, Far};
use crate::pins::{Kind, PinsError};
use crate::route::Served;
use crate::upstream::UpstreamError;
use protocol::{Method, Sender};
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
    /// The server has tools, and does not tell which.
    #[error("the server answered its list of tools with an error (code {0})")]
    Declined(i64),
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
    let shelf = served.shelves.of(far.revision());
    if !shelf.is_stale(gate.clock().unix_ms()) {
        return Ok(());
    }
    let doubts = shelf.doubts();
    read_all(gate, served, far).await?;
    shelf.trust(doubts);
    Ok(())
}

/// Every definition of a tool, as it came.
async fn all(far: &Far) -> Result<Vec<Value>, DefinitionsError> {
    let mut definitions = Vec::new();
    let mut cursor: Option<String> = None;
    let mut room = Room::of(far);
    for _ in 0..PAGES {
        let page = page(far, cursor.as_deref(), &mut room).await?;
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
    Ok(definitions)
}

async fn read_all(gate: &Gate, served: &Served, far: &Far) -> Result<(), DefinitionsError> {
    let definitions = all(far).await?;
    let shelf = served.shelves.of(far.revision());
    gate.publish(served, shelf, |around| {
        shelf.whole(&definitions, &reading(gate, far, around))
    })?;
    Ok(())
}

/// Reads all pages once more for one party that was shown something otherwise than it is pinned, and takes
/// them as what that party is shown now.
pub(crate) async fn look_again(
    gate: &Gate,
    served: &Served,
    far: &Far,
) -> Result<(), DefinitionsError> {
    let definitions = all(far).await?;
    let shelf = served.shelves.of(far.revision());
    gate.publish(served, shelf, |around| {
        shelf.page(&definitions, &reading(gate, far, around))
    })?;
    Ok(())
}

fn reading<'a>(gate: &'a Gate, far: &'a Far, around: &'a Around<'a>) -> Reading<'a> {
    Reading {
        pins: &gate.pins,
        around,
        party: far.drift(),
        now_ms: gate.clock().unix_ms(),
    }
}

/// What a caller was shown of a server's tools.
pub(crate) struct Shown<'a> {
    pub(crate) far: &'a Far,
    pub(crate) shelf: &'a Shelf,
    pub(crate) definitions: Vec<&'a Value>,
}

/// Takes what a caller was shown of these servers, each of them once, into their catalogs, and returns
/// with what is known of them: an outcome for each, in their order.
pub(crate) fn learn(gate: &Gate, shown: Vec<Shown<'_>>) -> Vec<Result<(), PinsError>> {
    if shown.is_empty() {
        return Vec::new();
    }
    let readings = shown.into_iter().map(|shown| {
        let Shown {
            far,
            shelf,
            definitions,
        } = shown;
        let study = move |around: &Around<'_>| shelf.page(definitions, &reading(gate, far, around));
        (&**far.served(), shelf, study)
    });
    gate.publish_all(readings.collect())
}

/// Which of these things a server says of itself may be told, and had: those that are pinned as they are.
/// What is new or has changed is written down.
pub(crate) fn told(
    gate: &Gate,
    far: &Far,
    (kind, items): (Kind, &[&Value]),
) -> Result<Vec<bool>, PinsError> {
    let served = far.served();
    let neighbours = |kind: Kind| gate.neighbourhood(kind, &[]);
    let around = Around::new(&neighbours);
    let reading = reading(gate, far, &around);
    let sorted = served
        .others
        .sort(&served.settled, (kind, items), &reading)?;
    for change in sorted.changes {
        let name = format!("{}.{}", kind.name(), change.what);
        change.log(&served.name, &name);
        let subject = (&*served.name, &*change.tool);
        gate.note_definition(&name, subject, change.digest, &change.scores);
        gate.unheard
            .ask(gate, &served.name, &change.tool, change.digest);
    }
    Ok(sorted.approved)
}

async fn page(far: &Far, cursor: Option<&str>, room: &mut Room) -> Result<Value, DefinitionsError> {
    let params = cursor.map(|cursor| serde_json::json!({ "cursor": cursor }).to_string());
    let params = params.as_ref().map(String::as_bytes);
    let answer = far.ask("tools/list", params).await?;
    room.take(answer.bytes().len())?;
    let Some(result) = answer.result() else {
        // A server without tools answers with an error: then it has none. From any other, one caller's
        // error takes the tools of nobody else away.
        if !has_tools(far) {
            return Ok(Value::Null);
        }
        let code = answer
            .error()
            .and_then(|error| error.get("code")?.integer());
        let code = code.unwrap_or_default();
        return Err(DefinitionsError::Declined(code));
    };
    let page: Value = serde_json::from_slice(result.raw())
        .map_err(|error| DefinitionsError::Malformed(error.to_string()))?;
    match page.get("tools") {
        Some(Value::Array(_)) => Ok(page),
        _ => Err(DefinitionsError::Malformed("it is missing".to_owned())),
    }
}

fn has_tools(far: &Far) -> bool {
    let list = Method::find("tools/list", far.revision(), Sender::Client);
    let capability = list.and_then(|list| list.capability);
    capability.is_some_and(|capability| far.welcome().has(capability))
}

/// What all pages of a list may come to in bytes: as much as one answer.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    left: usize,
}

impl Room {
    /// For a list of this server.
    pub(crate) fn of(far: &Far) -> Self {
        let most = far.served().reading_answers.bytes;
        Room { most, left: most }
    }

    /// Takes up that many bytes, if there are so many left.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), UpstreamError> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(UpstreamError::TooLarge { max: self.most })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n4_3_the_pages_of_a_list_are_bounded_together() {
        let mut room = Room { most: 10, left: 10 };
        assert!(room.take(6).is_ok() && room.take(4).is_ok());
        let over = room.take(1);
        assert!(
            matches!(over, Err(UpstreamError::TooLarge { max: 10 })),
            "{over:?}"
        );
    }
}
