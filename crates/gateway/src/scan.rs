//! Everything a server says of itself, read once and examined by the rules that hold definitions back:
//! what `ringwall scan` does. Nothing is approved here, nothing is kept, and no tool is called.

mod examine;

pub use examine::{Examined, Reported, Subject, examine, rules};

use crate::definitions::Room;
use crate::gate::Gate;
use crate::links::{Far, Introduction, Links};
use crate::pins::Kind;
use crate::upstream::{Owner, UpstreamError};
use protocol::{Method, Revision, Sender};
use serde_json::{Value, json};
use std::sync::Arc;

/// Pages of one list that are read at most.
const PAGES: usize = 64;
/// Things of one kind that are read at most.
const ITEMS: usize = 10_000;
/// A cursor longer than this is nonsense.
const CURSOR: usize = 4096;

/// What a server said of itself.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// What the operator calls the server.
    pub server: String,
    /// What the server calls itself.
    pub calls_itself: Option<String>,
    /// What it says it is: its name, its version, and whatever else.
    pub info: Option<Value>,
    /// Everything it offers, and its instructions.
    pub definitions: Vec<Offered>,
    /// What could not be read, and why.
    pub missing: Vec<(&'static str, String)>,
}

/// One definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// What it is of.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
    /// The definition as the server gave it.
    pub definition: Value,
}

/// Why a server could not be scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It is not served.
    #[error("there is no server `{0}`")]
    Unknown(String),
    /// It could not be met.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl Offered {
    /// The definitions of a list as a server answers it: the result, or the array alone. Every one: how many
    /// are read is for whoever reads the list, who says so if some are not.
    pub fn of_list(kind: Kind, list: &Value) -> Vec<Offered> {
        let Some((member, named)) = kind.listed() else {
            return Vec::new();
        };
        let items = list.get(member).unwrap_or(list);
        let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
        items
            .iter()
            .map(|definition| Offered {
                kind,
                name: definition
                    .get(named)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                definition: definition.clone(),
            })
            .collect()
    }
}

/// Meets this server of the gateway and reads everything it says of itself.
pub async fn read(gate: &Gate, server: &str) -> Result<Offer, ScanError> {
    let runtime = Arc::clone(&gate.runtime());
    let served = runtime.servers.get(server);
    let served = served.ok_or_else(|| ScanError::Unknown(server.to_owned()))?;
    let owner = Owner {
        user: "scan".into(),
        client: None,
        route: "scan".into(),
        session: gate.next_id().into(),
    };
    let client = Introduction {
        revision: Revision::newest_with_handshake(),
        capabilities: None,
        info: None,
    };
    let oldest = Revision::ALL.first().copied().unwrap_or(client.revision);
    let links = Links::new(owner, client, oldest, &[Arc::clone(served)]);
    let read = read_over(&links, server).await;
    links.close().await;
    served.upstream.close().await;
    tracing::debug!(server, at_ms = gate.clock().unix_ms(), "scanned");
    read
}

async fn read_over(links: &Links, server: &str) -> Result<Offer, ScanError> {
    let far = links.far(0).await?;
    let info = far.says_it_is();
    let name = info.as_ref().and_then(|info| info.get("name")?.as_str());
    let mut offer = Offer {
        server: server.to_owned(),
        calls_itself: name.map(str::to_owned),
        info,
        ..Offer::default()
    };
    if let Some(text) = far.welcome().instructions() {
        offer.definitions.push(Offered {
            kind: Kind::Instructions,
            name: String::new(),
            definition: json!({ "instructions": text }),
        });
    }
    for (kind, list) in [
        (Kind::Tool, "tools/list"),
        (Kind::Prompt, "prompts/list"),
        (Kind::Resource, "resources/list"),
        (Kind::Template, "resources/templates/list"),
    ] {
        let row = Method::find(list, far.revision(), Sender::Client);
        let capability = row.and_then(|row| row.capability);
        if !capability.is_some_and(|capability| far.welcome().has(capability)) {
            continue;
        }
        if let Err(why) = all(&far, (kind, list), &mut offer.definitions).await {
            offer.missing.push((list, why));
        }
    }
    Ok(offer)
}

/// Every page of a list. What was read before something went wrong is kept.
async fn all(
    far: &Far,
    (kind, list): (Kind, &'static str),
    definitions: &mut Vec<Offered>,
) -> Result<(), String> {
    let mut cursor: Option<String> = None;
    let mut room = Room::of(far);
    let before = definitions.len();
    for _ in 0..PAGES {
        let params = cursor
            .as_ref()
            .map(|cursor| json!({ "cursor": cursor }).to_string());
        let answer = far.ask(list, params.as_ref().map(String::as_bytes)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        room.take(answer.bytes().len())
            .map_err(|error| error.to_string())?;
        let result = answer.result().ok_or("the server answered with an error")?;
        let page: Value =
            serde_json::from_slice(result.raw()).map_err(|error| error.to_string())?;
        take(Offered::of_list(kind, &page), before, definitions)?;
        cursor = page
            .get("nextCursor")
            .and_then(Value::as_str)
            .map(str::to_owned);
        match &cursor {
            None => return Ok(()),
            Some(cursor) if cursor.len() > CURSOR => {
                return Err("its cursor is too long".to_owned());
            }
            Some(_) => {}
        }
    }
    Err(format!("more than {PAGES} pages: the rest was not read"))
}

/// Keeps the definitions of one page of a list, whose first one stands at `before`.
fn take(page: Vec<Offered>, before: usize, definitions: &mut Vec<Offered>) -> Result<(), String> {
    definitions.extend(page);
    if definitions.len() <= before + ITEMS {
        return Ok(());
    }
    definitions.truncate(before + ITEMS);
    Err(format!("more than {ITEMS}: the rest was not read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n9_2_a_list_that_is_not_read_to_its_end_is_told_whatever_its_pages_are() {
        let page = |count: usize| {
            let tools = vec![json!({ "name": "a" }); count];
            Offered::of_list(Kind::Tool, &json!({ "tools": tools }))
        };
        for (pages, is_whole) in [
            (vec![ITEMS], true),
            (vec![ITEMS + 1], false),
            (vec![ITEMS / 2, ITEMS / 2], true),
            (vec![ITEMS, 1], false),
        ] {
            let mut definitions = page(3);
            let mut all = pages
                .iter()
                .map(|count| take(page(*count), 3, &mut definitions));
            assert_eq!(all.all(|taken| taken.is_ok()), is_whole, "{pages:?}");
            assert_eq!(definitions.len(), 3 + ITEMS);
        }
    }
}
