//! Strict reading: an object has the members its schema names, and no others.
//!
//! A *whole* is a subschema that stands for a part of a value by itself: the root, the schema of a
//! member, of an item. Branches of a composition and targets of references are not wholes; they only
//! say something about one. A whole is closed when it, or anything it applies to the same object,
//! has `properties`, and neither it nor what it always applies (`allOf`, references) speaks about
//! other members itself, with `additionalProperties`, `unevaluatedProperties` or
//! `patternProperties`. An explicit word is respected, whatever it says.
//!
//! * A whole that applies nothing else gets `additionalProperties: false`.
//! * A whole whose branches always apply lets through the members that any of them names. That also
//!   holds where there is one alternative for objects, and the others are for no objects.
//! * A whole with several alternatives for objects gets `unevaluatedProperties: false`: only members
//!   named by alternatives that hold are let through, and one with a word of its own keeps it.
//! * Where that keyword is unknown (before 2019-09), or would cost too much (it is compiled anew on
//!   every way that leads to it), such a whole lets through the members that any alternative
//!   names, and stays open if any has a word of its own.
//!
//! Closing a part of a schema whose verdict is turned round (`not`, `if`), or counted (`oneOf`,
//! `contains`), could let a value through that the schema as written refuses. Nothing is closed below
//! `not` and `if`, and where a closed part is reached through any of the four, the schema as written
//! is checked as well. What passes strictly therefore always passes as declared.

use super::error::SchemaError;
use super::graph::{Edge, Graph, Kind};
use super::meter;
use referencing::Draft;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// How alternatives for objects are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alternatives {
    /// Each lets through the members it names.
    Apart,
    /// All let through the members that any of them names.
    Together,
}

/// A schema with its wholes closed.
pub(super) struct Closed {
    pub(super) document: Value,
    /// Whether the schema as written must be checked as well.
    pub(super) and_declared: bool,
}

/// Closes every whole. `longest` bounds how many names are written out for it.
pub(super) fn close(
    document: &Value,
    graph: &Graph<'_>,
    draft: Draft,
    alternatives: Alternatives,
    longest: usize,
) -> Result<Closed, SchemaError> {
    let alternatives = if draft > Draft::Draft7 {
        alternatives
    } else {
        Alternatives::Together
    };
    let mut closed = Closed {
        document: document.clone(),
        and_declared: false,
    };
    let turned = turned(graph);
    let mut written = 0;
    for at in wholes(graph) {
        let Some(lid) = lid(graph, at, draft, alternatives) else {
            continue;
        };
        written += lid.names();
        if written > longest {
            return Err(SchemaError::TooLarge {
                what: "bytes once closed",
                limit: longest,
            });
        }
        let pointer = graph
            .nodes
            .get(at)
            .map(|node| node.pointer.as_str())
            .unwrap_or_default();
        if let Some(Value::Object(keywords)) = closed.document.pointer_mut(pointer) {
            lid.put_on(keywords, draft);
            closed.and_declared |= turned.get(at).copied().unwrap_or(true);
        }
    }
    Ok(closed)
}

/// How a whole is closed.
enum Lid {
    Additional,
    Unevaluated,
    /// Beside the branches.
    Named(BTreeSet<String>),
}

impl Lid {
    fn names(&self) -> usize {
        match self {
            Lid::Additional | Lid::Unevaluated => 1,
            Lid::Named(names) => names.iter().map(|name| name.len() + 8).sum(),
        }
    }

    fn put_on(self, keywords: &mut Map<String, Value>, draft: Draft) {
        let names = match self {
            Lid::Additional => {
                keywords.insert("additionalProperties".to_owned(), Value::Bool(false));
                return;
            }
            Lid::Unevaluated => {
                keywords.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
                return;
            }
            Lid::Named(names) => names,
        };
        let properties: Map<String, Value> =
            names.into_iter().map(|name| (name, json!({}))).collect();
        let lid = json!({ "properties": properties, "additionalProperties": false });
        let alone = keywords
            .get("$ref")
            .filter(|_| draft <= Draft::Draft7)
            .cloned();
        if let Some(reference) = alone {
            // A reference stands alone in these dialects: it moves in beside the lid.
            meter::strip(keywords);
            keywords.shift_remove("$ref");
            keywords.insert("allOf".to_owned(), json!([{ "$ref": reference }, lid]));
            return;
        }
        match keywords.get_mut("allOf") {
            Some(Value::Array(all)) => all.push(lid),
            _ => {
                keywords.insert("allOf".to_owned(), json!([lid]));
            }
        }
    }
}

/// How the whole at a node is closed, if it is.
fn lid(graph: &Graph<'_>, at: usize, draft: Draft, alternatives: Alternatives) -> Option<Lid> {
    let always = reach(graph, [at], is_always);
    if always.iter().any(|at| has_word(graph, *at, draft)) {
        return None;
    }
    let all = reach(graph, [at], is_said);
    all.iter().find_map(|at| named(graph, *at))?;
    if !graph.edges(at).iter().any(|edge| edge.kind.is_in_place()) {
        return Some(Lid::Additional);
    }
    let word = all.iter().any(|at| has_word(graph, *at, draft));
    if alternatives == Alternatives::Apart && (word || !is_one_object(graph, &always)) {
        return Some(Lid::Unevaluated);
    }
    if word {
        return None;
    }
    // What a condition names is named, too.
    let asked = reach(graph, [at], Kind::is_in_place);
    let names = asked.iter().filter_map(|at| named(graph, *at));
    Some(Lid::Named(
        names.flat_map(|named| named.keys().cloned()).collect(),
    ))
}

/// Whether the alternatives of nodes that always apply leave no choice to an object.
fn is_one_object(graph: &Graph<'_>, always: &BTreeSet<usize>) -> bool {
    let branches = always.iter().flat_map(|at| graph.edges(*at));
    let mut objects = branches
        .filter(|edge| edge.kind.is_in_place() && !is_always(edge.kind))
        .filter(|edge| !excludes_objects(graph, edge.to));
    let Some(only) = objects.next() else {
        return true;
    };
    // Nothing under the one that is left may be a choice again.
    let nested = reach(graph, [only.to], is_always);
    let choices = nested.iter().flat_map(|at| graph.edges(*at));
    objects.next().is_none()
        && !choices
            .into_iter()
            .any(|edge| edge.kind.is_in_place() && !is_always(edge.kind))
}

fn excludes_objects(graph: &Graph<'_>, at: usize) -> bool {
    let keywords = graph.nodes.get(at).and_then(|node| node.keywords());
    match keywords.and_then(|keywords| keywords.get("type")) {
        Some(Value::String(only)) => only != "object",
        Some(Value::Array(several)) => several.iter().all(|one| one != "object"),
        _ => false,
    }
}

fn named<'s>(graph: &Graph<'s>, at: usize) -> Option<&'s Map<String, Value>> {
    graph
        .nodes
        .get(at)?
        .keywords()?
        .get("properties")?
        .as_object()
}

/// Whether what is applied so always applies.
fn is_always(kind: Kind) -> bool {
    matches!(kind, Kind::All | Kind::Reference)
}

/// Whether what is applied so says something about the value, other than by its verdict.
fn is_said(kind: Kind) -> bool {
    is_always(kind) || matches!(kind, Kind::Some | Kind::One)
}

/// Whether a node speaks about members it does not name.
fn has_word(graph: &Graph<'_>, at: usize, draft: Draft) -> bool {
    let keywords = graph.nodes.get(at).and_then(|node| node.keywords());
    keywords.is_some_and(|keywords| {
        // Next to a reference, older dialects read nothing.
        let read = draft > Draft::Draft7 || !keywords.contains_key("$ref");
        read && (keywords.contains_key("additionalProperties")
            || keywords.contains_key("patternProperties")
            || (draft > Draft::Draft7 && keywords.contains_key("unevaluatedProperties")))
    })
}

/// The wholes that are reached without passing `not` or `if`.
fn wholes(graph: &Graph<'_>) -> Vec<usize> {
    let mut wholes = BTreeSet::from([0]);
    for at in reach(graph, [0], |kind| kind != Kind::Asked) {
        let parts = graph
            .edges(at)
            .iter()
            .filter(|edge| !edge.kind.is_in_place());
        wholes.extend(parts.map(|edge| edge.to));
    }
    wholes.into_iter().collect()
}

/// For each node, whether it is reached through something that turns a verdict round or counts it.
fn turned(graph: &Graph<'_>) -> Vec<bool> {
    let starts: Vec<usize> = (0..graph.nodes.len())
        .flat_map(|at| graph.edges(at))
        .filter(|edge| edge.kind.turns_round())
        .map(|edge| edge.to)
        .collect();
    let reached = reach(graph, starts, |_| true);
    (0..graph.nodes.len())
        .map(|at| reached.contains(&at))
        .collect()
}

/// Every node that is reached from some through edges of some kinds, those included.
fn reach(
    graph: &Graph<'_>,
    from: impl IntoIterator<Item = usize>,
    through: impl Fn(Kind) -> bool,
) -> BTreeSet<usize> {
    let mut open: Vec<usize> = from.into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(at) = open.pop() {
        if reached.insert(at) {
            let edges = graph
                .edges(at)
                .iter()
                .filter(|Edge { kind, .. }| through(*kind));
            open.extend(edges.map(|edge| edge.to));
        }
    }
    reached
}
