//! What a model has to be told where text is marked, so that the marks mean something to it (control 9.1):
//! a prompt of the gateway itself, which no server can offer another one by the name of, and what the
//! instructions of a route begin with.

use crate::route::Route;
use inspect::spotlight::{self, Spotlight};
use serde_json::{Value, json};

/// Its name. On a route with several servers no name of theirs looks like it.
pub(crate) const NAME: &str = "ringwall/spotlighting";

/// Whether a route offers it: where text is marked, unless the operator offers other prompts only.
pub(crate) fn is_offered(route: &Route) -> bool {
    route.spotlights().next().is_some() && route.settled.offers_prompt(NAME)
}

/// Its entry in a list.
pub(crate) fn entry() -> Value {
    json!({
        "name": NAME,
        "title": "How to read untrusted text",
        "description": "What the marks around the text of untrusted servers mean. Put it into the system prompt.",
    })
}

/// What the instructions of a route begin with where text is marked: clients that hand them to a model
/// have nothing to set up.
pub(crate) fn first(route: &Route) -> Option<String> {
    let mut parts: Vec<String> = ways(route)
        .into_iter()
        .map(spotlight::instruction)
        .collect();
    if parts.is_empty() {
        return None;
    }
    parts.push(spotlight::introduction());
    Some(parts.join("\n\n"))
}

/// How text is marked on a route, each way once.
fn ways(route: &Route) -> Vec<Spotlight> {
    let mut ways = Vec::new();
    for way in route.spotlights() {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

/// What a client gets for it.
pub(crate) fn told(route: &Route) -> Value {
    let messages = ways(route).into_iter().map(|way| {
        let text = spotlight::instruction(way);
        json!({ "role": "user", "content": { "type": "text", "text": text } })
    });
    json!({
        "description": "What the marks around the text of untrusted servers mean",
        "messages": messages.collect::<Vec<_>>(),
    })
}
