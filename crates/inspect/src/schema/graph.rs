//! A schema as a graph: which subschema applies which other, and to what part of a value.
//!
//! References are followed with the resolver the validator itself uses, so both read every
//! reference alike. Nothing outside the document is ever part of the graph.

use super::error::{SchemaError, shorten};
use referencing::{Draft, Error as ReferenceError, Registry, Resolver, ResourceRef, Retrieve, Uri};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// How one subschema applies another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// To the same value, always: `allOf`.
    All,
    /// To the same value, one of several or under a condition: `anyOf`, `then`, `dependentSchemas`.
    Some,
    /// To the same value, exactly one of several: `oneOf`.
    One,
    /// To the same value, with its verdict turned round or only asked for: `not`, `if`.
    Asked,
    /// To the same value, in another place of the document.
    Reference,
    /// To some of its parts, each of which gets one of these: `properties` and what is for the rest.
    Part,
    /// To some of its parts, whatever else they get: `patternProperties`.
    Each,
    /// To items, of which some must pass.
    Contains,
}

impl Kind {
    /// Whether it applies to the same value, not to a part of it.
    pub(super) fn is_in_place(self) -> bool {
        !matches!(self, Kind::Part | Kind::Each | Kind::Contains)
    }

    /// Whether a stricter target can make the whole more lenient.
    pub(super) fn turns_round(self) -> bool {
        matches!(self, Kind::One | Kind::Asked | Kind::Contains)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) kind: Kind,
    pub(super) to: usize,
}

#[derive(Debug)]
pub(super) struct Node<'s> {
    pub(super) schema: &'s Value,
    pub(super) pointer: String,
    pub(super) edges: Vec<Edge>,
}

impl<'s> Node<'s> {
    pub(super) fn keywords(&self) -> Option<&'s Map<String, Value>> {
        self.schema.as_object()
    }
}

/// Every subschema that can be reached; the first is the root.
#[derive(Debug)]
pub(super) struct Graph<'s> {
    pub(super) nodes: Vec<Node<'s>>,
}

impl<'s> Graph<'s> {
    pub(super) fn of(document: &'s Value, draft: Draft) -> Result<Self, SchemaError> {
        let resource = ResourceRef::new(document, draft);
        let base = resource.id().unwrap_or("json-schema:///");
        let base = referencing::uri::from_str(base).map_err(|error| refused(error, base))?;
        let registry = Registry::new()
            .retriever(Nowhere)
            .draft(draft)
            .retrieve_known_draft_meta_schemas(false)
            .add(base.as_str(), resource)
            .and_then(referencing::RegistryBuilder::prepare)
            .map_err(|error| refused(error, base.as_str()))?;
        let mut walk = Walk {
            draft,
            places: places(document),
            known: HashMap::new(),
            nodes: Vec::new(),
            open: Vec::new(),
            dynamic: Vec::new(),
        };
        walk.run(document, registry.resolver(base))?;
        Ok(Graph { nodes: walk.nodes })
    }

    pub(super) fn edges(&self, node: usize) -> &[Edge] {
        self.nodes.get(node).map_or(&[], |node| &node.edges)
    }
}

/// Refuses every retrieval.
struct Nowhere;

impl Retrieve for Nowhere {
    fn retrieve(&self, _: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err("schemas are never fetched".into())
    }
}

struct Walk<'s, 'r> {
    draft: Draft,
    /// The place of each object and boolean of the document, by address.
    places: HashMap<usize, (&'s Value, String)>,
    /// The node of each subschema that was met, by address.
    known: HashMap<usize, usize>,
    nodes: Vec<Node<'s>>,
    open: Vec<(usize, Resolver<'r>)>,
    /// Nodes with a reference whose target depends on the way to it.
    dynamic: Vec<usize>,
}

impl<'s, 'r> Walk<'s, 'r> {
    fn run(&mut self, root: &'s Value, resolver: Resolver<'r>) -> Result<(), SchemaError> {
        self.node(root, &resolver, None)?;
        while let Some((at, resolver)) = self.open.pop() {
            let Some(keywords) = self.nodes.get(at).and_then(Node::keywords) else {
                continue;
            };
            self.dialect(keywords, at)?;
            let mut edges = Vec::new();
            let only_reference = self.draft <= Draft::Draft7 && keywords.contains_key("$ref");
            for (keyword, value) in keywords {
                if let "$ref" | "$dynamicRef" | "$recursiveRef" = keyword.as_str() {
                    self.reference(at, keyword, value, &resolver, &mut edges)?;
                } else if !only_reference {
                    for (kind, child) in applied(keyword, value) {
                        let to = self.node(child, &resolver, None)?;
                        edges.push(Edge { kind, to });
                    }
                }
            }
            if let Some(node) = self.nodes.get_mut(at) {
                node.edges = edges;
            }
        }
        self.dynamic_targets();
        Ok(())
    }

    /// The node of one subschema, which is walked later if it is new.
    fn node(
        &mut self,
        schema: &Value,
        resolver: &Resolver<'r>,
        reference: Option<&str>,
    ) -> Result<usize, SchemaError> {
        let address = address(schema);
        if let Some(known) = self.known.get(&address) {
            return Ok(*known);
        }
        let Some((schema, pointer)) = self.places.remove(&address) else {
            let reference = shorten(reference.unwrap_or_default());
            return Err(SchemaError::ExternalReference { reference });
        };
        let resolver = resolver
            .in_subresource(ResourceRef::new(schema, self.draft))
            .map_err(|error| refused(error, reference.unwrap_or_default()))?;
        let at = self.nodes.len();
        self.nodes.push(Node {
            schema,
            pointer,
            edges: Vec::new(),
        });
        self.known.insert(address, at);
        self.open.push((at, resolver));
        Ok(at)
    }

    fn reference(
        &mut self,
        at: usize,
        keyword: &str,
        value: &Value,
        resolver: &Resolver<'r>,
        edges: &mut Vec<Edge>,
    ) -> Result<(), SchemaError> {
        let Some(reference) = value.as_str() else {
            return Ok(());
        };
        let resolved = resolver
            .lookup(reference)
            .map_err(|error| refused(error, reference))?;
        let (target, resolver, _) = resolved.into_inner();
        let to = self.node(target, &resolver, Some(reference))?;
        edges.push(Edge {
            kind: Kind::Reference,
            to,
        });
        if keyword != "$ref" {
            self.dynamic.push(at);
        }
        Ok(())
    }

    /// A reference that depends on the way to it may lead to every schema that offers itself.
    fn dynamic_targets(&mut self) {
        let offers = |node: &Node| {
            node.keywords().is_some_and(|keywords| {
                keywords.contains_key("$dynamicAnchor") || keywords.contains_key("$recursiveAnchor")
            })
        };
        let offered: Vec<usize> = (0..self.nodes.len())
            .filter(|at| self.nodes.get(*at).is_some_and(offers))
            .collect();
        for at in std::mem::take(&mut self.dynamic) {
            if let Some(node) = self.nodes.get_mut(at) {
                let reference = |to: &usize| Edge {
                    kind: Kind::Reference,
                    to: *to,
                };
                node.edges.extend(offered.iter().map(reference));
            }
        }
    }

    /// One dialect for the whole document: two would read one keyword in two ways.
    fn dialect(&self, keywords: &Map<String, Value>, at: usize) -> Result<(), SchemaError> {
        match keywords.get("$schema") {
            Some(Value::String(other)) if at > 0 && Draft::from_schema_uri(other) != self.draft => {
                Err(SchemaError::Dialect {
                    dialect: shorten(other),
                })
            }
            _ => Ok(()),
        }
    }
}

/// The subschemas a keyword applies, and how.
fn applied<'s>(keyword: &str, value: &'s Value) -> Vec<(Kind, &'s Value)> {
    let kind = match keyword {
        "allOf" => Kind::All,
        "anyOf" | "then" | "else" | "dependentSchemas" | "dependencies" => Kind::Some,
        "oneOf" => Kind::One,
        "not" | "if" => Kind::Asked,
        "properties"
        | "additionalProperties"
        | "unevaluatedProperties"
        | "items"
        | "prefixItems"
        | "additionalItems"
        | "unevaluatedItems" => Kind::Part,
        "contains" => Kind::Contains,
        "patternProperties" | "propertyNames" | "contentSchema" => Kind::Each,
        _ => return Vec::new(),
    };
    let by_name = matches!(
        keyword,
        "dependentSchemas" | "dependencies" | "properties" | "patternProperties"
    );
    match value {
        Value::Object(named) if by_name => named
            .values()
            .filter(|schema| schema.is_object() || schema.is_boolean())
            .map(|schema| (kind, schema))
            .collect(),
        Value::Object(_) | Value::Bool(_) => vec![(kind, value)],
        Value::Array(list) if !by_name => list.iter().map(|schema| (kind, schema)).collect(),
        _ => Vec::new(),
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

/// The pointer to every object and boolean of a document, by address.
fn places(document: &Value) -> HashMap<usize, (&Value, String)> {
    let mut places = HashMap::new();
    let mut open = vec![(document, String::new())];
    while let Some((value, pointer)) = open.pop() {
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                open.extend(items.map(|(at, item)| (item, format!("{pointer}/{at}"))));
            }
            Value::Object(members) => open.extend(members.iter().map(|(key, member)| {
                (
                    member,
                    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
                )
            })),
            _ => {}
        }
        if matches!(value, Value::Object(_) | Value::Bool(_)) {
            places.insert(address(value), (value, pointer));
        }
    }
    places
}

/// What is wrong with a reference.
pub(super) fn refused(error: ReferenceError, reference: &str) -> SchemaError {
    match error {
        ReferenceError::Unretrievable { uri, .. } => SchemaError::ExternalReference {
            reference: shorten(&uri),
        },
        ReferenceError::UnknownSpecification { specification } => SchemaError::Dialect {
            dialect: shorten(&specification),
        },
        ReferenceError::InvalidUri(_)
        | ReferenceError::PointerToNowhere { .. }
        | ReferenceError::InvalidPercentEncoding { .. }
        | ReferenceError::InvalidArrayIndex { .. }
        | ReferenceError::NoSuchAnchor { .. }
        | ReferenceError::InvalidAnchor { .. } => SchemaError::DanglingReference {
            reference: shorten(reference),
        },
        _ => SchemaError::DanglingReference {
            reference: shorten(reference),
        },
    }
}
