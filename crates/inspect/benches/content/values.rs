//! Values made of a text, for what looks at definitions and not at texts: the longer the text, the more there
//! is of everything in them.

use ringwall_inspect::likeness::{Neighbour, Neighbourhood};
use ringwall_inspect::pin;
use ringwall_inspect::pointer::Pattern;
use ringwall_inspect::projection::{Fate, Projection};
use serde_json::{Map, Value, json};

/// Bytes of a text that one value is made of.
const EACH: usize = 16;

/// The text in pieces, each with its number before it, so that none is there twice.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let mut rest = text;
    let pieces = std::iter::from_fn(move || {
        let (piece, behind) = rest.split_at(rest.ceil_char_boundary(EACH));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    });
    pieces.enumerate().map(|(at, piece)| format!("{at}{piece}"))
}

/// A tool that takes one of many words.
pub(crate) fn listed(text: &str) -> Value {
    let words: Vec<String> = pieces(text).collect();
    json!({ "inputSchema": { "properties": { "word": { "enum": words } } } })
}

/// A prompt with many arguments.
pub(crate) fn prompt(text: &str) -> Value {
    let arguments: Vec<Value> = pieces(text).map(|it| json!({ "name": it })).collect();
    json!({ "name": "p", "arguments": arguments })
}

/// A tool with many parameters, all of them in one that has a long name.
pub(crate) fn tool(text: &str, kind: &str) -> Value {
    let schema = |name: String| (format!("{name}_path"), json!({ "type": kind }));
    let inner: Map<String, Value> = pieces(text).map(schema).collect();
    let required: Vec<&String> = inner.keys().collect();
    let outer = json!({ "required": required, "properties": inner });
    json!({ "inputSchema": { "properties": { text: outer } } })
}

/// Compares the tool of one server with many of another, all of which are nearly called like it.
pub(crate) fn compared(text: &str) -> usize {
    let neighbour = |server, name| Neighbour {
        server,
        name,
        description: "",
        digest: pin::digest(&json!(name)),
    };
    let names: Vec<String> = pieces(text).map(|it| format!("a_name_{it}")).collect();
    let others = Neighbourhood::of(names.iter().map(|name| neighbour("a", name)));
    let near: Vec<String> = names.iter().map(|name| format!("{name}x")).collect();
    near.iter()
        .map(|name| others.compare(&neighbour("b", name)).len())
        .sum()
}

/// Walks a value as a projection says, and holds the projection against the schema of it.
pub(crate) fn projected(text: &str) -> usize {
    let pattern = |text| Pattern::parse(text).unwrap_or(Pattern::whole());
    let keep = ["/inputSchema/*/*", "/*/properties/*/properties", "/a/*"].map(pattern);
    let token = pattern("/inputSchema/*/*/required/0");
    let projection = Projection::new(
        Some(&keep),
        &[pattern("/*/*/*/required")],
        [(&token, "personal.x")],
    );
    let value = tool(text, "string");
    let broken = value
        .get("inputSchema")
        .map(|schema| projection.breaks(schema));
    walked(&value, projection.begin()) + broken.map_or(0, |it| it.len())
}

fn walked(value: &Value, fate: Fate<'_>) -> usize {
    let Fate::Within(inside) = fate else { return 1 };
    match value {
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.map(|(at, item)| walked(item, inside.item(at))).sum()
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| walked(member, inside.member(name)))
            .sum(),
        leaf => walked(leaf, inside.leaf()),
    }
}
