//! What tools give back and how they are described, for clients of another revision: JSON that is no
//! object, schemas in words that came later, tools that only run as tasks.
//!
//! Schemas are not understood here, only fitted to the shape that older clients insist on. Nothing
//! is lowered that a call is checked against: that is the definition as the server gave it.

use super::amend::{Amend, rework};
use crate::document::{Document, Kind, Limits, Value};
use crate::edit::Edits;
use crate::write;
use bytes::Bytes;

/// Whether the tool only runs as a task of 2025-11-25, which nobody bridges.
pub fn needs_core_tasks(tool: Value<'_>) -> bool {
    let support = tool.at("/execution/taskSupport");
    support
        .and_then(Value::string)
        .is_some_and(|support| support.is("required"))
}

/// Leaves out the tools that only run as tasks.
pub(super) fn without_core_tasks(result: Value<'_>, edits: &mut Edits) {
    let Some(tools) = result
        .get("tools")
        .filter(|tools| tools.kind() == Kind::Array)
    else {
        return;
    };
    let items: Vec<_> = tools
        .elements()
        .map(|tool| (tool.range(), !needs_core_tasks(tool)))
        .collect();
    rework(tools.range().start + 1, &items, &[], edits);
}

/// `structuredContent` of a legacy result is an object. Anything else is taken out, and a text block
/// carries it if none does already.
pub(super) fn as_text(result: Value<'_>, members: Amend, edits: &mut Edits) -> Amend {
    let structured = match result.get("structuredContent") {
        Some(value) if value.kind() != Kind::Object => value,
        _ => return members,
    };
    let members = members.drop("structuredContent");
    match result
        .get("content")
        .filter(|content| content.kind() == Kind::Array)
    {
        Some(blocks) if blocks.elements().any(|block| carries(block, structured)) => members,
        Some(blocks) => {
            let items: Vec<_> = blocks
                .elements()
                .map(|block| (block.range(), true))
                .collect();
            rework(
                blocks.range().start + 1,
                &items,
                &[text_block(structured)],
                edits,
            );
            members
        }
        None => members.set("content", write::array([&*text_block(structured)])),
    }
}

fn text_block(value: Value<'_>) -> Bytes {
    let text = std::str::from_utf8(value.raw()).unwrap_or_default();
    let mut out = br#"{"type":"text","text":"#.to_vec();
    out.extend_from_slice(&write::string(text));
    out.push(b'}');
    out.into()
}

/// Whether the block is text that says the same.
fn carries(block: Value<'_>, value: Value<'_>) -> bool {
    let text = match block.get("type").and_then(Value::string) {
        Some(kind) if kind.is("text") => block.get("text").and_then(Value::text),
        _ => None,
    };
    // The limits bound it like every text; a block that is no JSON carries nothing.
    text.and_then(|text| Document::read(text.into_owned().into(), &Limits::default()).ok())
        .is_some_and(|document| alike(document.root(), value))
}

/// The same value, its members in the same order: that order is what keeps this linear, and a server
/// that writes a value twice writes it the same way.
fn alike(one: Value<'_>, other: Value<'_>) -> bool {
    if one.kind() != other.kind() || one.count() != other.count() {
        return false;
    }
    match one.kind() {
        Kind::Null => true,
        Kind::Boolean => one.boolean() == other.boolean(),
        Kind::Number => one.raw() == other.raw() || one.number() == other.number(),
        Kind::String => one.text() == other.text(),
        Kind::Array => one
            .elements()
            .zip(other.elements())
            .all(|(a, b)| alike(a, b)),
        Kind::Object => one
            .members()
            .zip(other.members())
            .all(|((key, a), (name, b))| key.decoded() == name.decoded() && alike(a, b)),
    }
}

/// Fits the schemas of listed tools to what older clients read: `outputSchema` describes an object,
/// and the schema of a property is one too. One tool in other words costs such a client the list.
pub(super) fn older_schemas(result: Value<'_>, edits: &mut Edits) {
    let tools = result.get("tools").map(Value::elements);
    for tool in tools.into_iter().flatten() {
        if let Some(schema) = tool.get("inputSchema") {
            property_schemas(schema, edits);
        }
        match tool.get("outputSchema") {
            Some(schema) if describes_object(schema) => property_schemas(schema, edits),
            Some(_) => Amend::new().drop("outputSchema").apply(tool, edits),
            None => {}
        }
    }
}

fn describes_object(schema: Value<'_>) -> bool {
    let kind = schema.get("type").and_then(Value::string);
    kind.is_some_and(|kind| kind.is("object"))
}

/// `true` and `false` are schemas to newer clients; these are their meanings as objects.
fn property_schemas(schema: Value<'_>, edits: &mut Edits) {
    let properties = schema.get("properties").map(Value::members);
    for (_, property) in properties.into_iter().flatten() {
        match property.boolean() {
            Some(true) => edits.replace(property.range(), &b"{}"[..]),
            Some(false) => edits.replace(property.range(), &br#"{"not":{}}"#[..]),
            None => {}
        }
    }
}
