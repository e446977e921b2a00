//! The prompt that the gateway itself offers where text is marked: what a model has to be told so that
//! the marks mean something to it (control 9.1). No server can offer another one by its name.

use crate::route::Route;
use inspect::spotlight;
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

/// What a client gets for it.
pub(crate) fn told(route: &Route) -> Value {
    let ways: Vec<_> = route.spotlights().collect();
    let first = |(at, way): &(usize, &_)| ways.iter().position(|it| it == *way) == Some(*at);
    let messages = ways.iter().enumerate().filter(first).map(|(_, way)| {
        let text = spotlight::instruction(*way);
        json!({ "role": "user", "content": { "type": "text", "text": text } })
    });
    json!({
        "description": "What the marks around the text of untrusted servers mean",
        "messages": messages.collect::<Vec<_>>(),
    })
}
