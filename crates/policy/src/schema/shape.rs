//! What a JSON Schema says about arguments, as far as Cedar has a type for it.
//!
//! The schema was written by an upstream server: it is walked with a budget, and whatever is not
//! understood has no shape. A shape only ever says how to type and to convert; whether arguments
//! fit the schema is decided elsewhere, and before.

use crate::catalog::PromptEntry;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The arguments of a tool that Cedar can type, by name.
pub(crate) type Fields = BTreeMap<String, Field>;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    Decimal,
    Flag,
    Record(Fields),
    Set(Box<Shape>),
    Text,
    Whole,
}

/// How deep schemas are followed, references included.
const DEPTH_MAX: usize = 12;
/// How many subschemas of one tool are looked at.
const STEPS_MAX: usize = 4_096;
/// Longer names are no attributes.
const NAME_MAX: usize = 256;

/// The arguments of a tool with this input schema.
pub(crate) fn fields(schema: &Value) -> Fields {
    let mut walk = Walk {
        root: schema,
        steps_left: STEPS_MAX,
    };
    match walk.shape(schema, DEPTH_MAX) {
        Some(Shape::Record(fields)) => fields,
        _ => Fields::new(),
    }
}

/// The arguments of a prompt.
pub(crate) fn of_prompt(prompt: &PromptEntry) -> Fields {
    let arguments = prompt.arguments.iter().filter(|a| is_attribute(&a.name));
    arguments
        .map(|argument| {
            let field = Field {
                shape: Shape::Text,
                required: argument.required,
            };
            (argument.name.clone(), field)
        })
        .collect()
}

/// What a completion says: the argument in question and what has been typed of it.
pub(crate) fn completion() -> Fields {
    let text = Field {
        shape: Shape::Text,
        required: true,
    };
    Fields::from([
        ("name".to_owned(), text.clone()),
        ("value".to_owned(), text),
    ])
}

/// The same arguments, none of them certain.
pub(crate) fn optional(fields: &Fields) -> Fields {
    let loosened = fields.iter().map(|(name, field)| {
        let field = Field {
            required: false,
            ..field.clone()
        };
        (name.clone(), field)
    });
    loosened.collect()
}

/// All arguments of several tools, none of them certain, and those they disagree about.
pub(crate) fn union(all: &[Fields]) -> (Fields, BTreeSet<String>) {
    let mut shapes: BTreeMap<&str, Vec<&Shape>> = BTreeMap::new();
    for (name, field) in all.iter().flatten() {
        shapes.entry(name).or_default().push(&field.shape);
    }
    let mut fields = Fields::new();
    let mut conflicts = BTreeSet::new();
    for (name, shapes) in shapes {
        let (shape, agreed) = merge(&shapes);
        if !agreed {
            conflicts.insert(name.to_owned());
        }
        let field = Field {
            shape,
            required: false,
        };
        fields.insert(name.to_owned(), field);
    }
    (fields, conflicts)
}

/// One record type of these arguments, in Cedar's JSON schema form.
pub(crate) fn record(fields: &Fields) -> Value {
    let attributes: Map<String, Value> = fields
        .iter()
        .map(|(name, field)| {
            let of = super::with_required(cedar_type(&field.shape), field.required);
            (name.clone(), of)
        })
        .collect();
    json!({"type": "Record", "attributes": attributes})
}

fn cedar_type(shape: &Shape) -> Value {
    match shape {
        Shape::Decimal => json!({"type": "Extension", "name": "decimal"}),
        Shape::Flag => json!({"type": "Boolean"}),
        Shape::Record(fields) => record(fields),
        Shape::Set(element) => json!({"type": "Set", "element": cedar_type(element)}),
        Shape::Text => json!({"type": "String"}),
        Shape::Whole => json!({"type": "Long"}),
    }
}

/// The shape most of these have, and whether all do. Records are joined field by field.
fn merge(shapes: &[&Shape]) -> (Shape, bool) {
    let records: Vec<Fields> = shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Record(fields) => Some(fields.clone()),
            _ => None,
        })
        .collect();
    let mut counts: BTreeMap<&Shape, usize> = BTreeMap::new();
    for shape in shapes {
        if !matches!(shape, Shape::Record(_)) {
            *counts.entry(shape).or_default() += 1;
        }
    }
    // The first in order wins a tie, so the answer does not depend on the order of tools.
    let most = counts.iter().rev().max_by_key(|(_, count)| **count);
    match most {
        Some((shape, count)) if *count >= records.len() => {
            let agreed = counts.len() == 1 && records.is_empty();
            ((*shape).clone(), agreed)
        }
        _ => {
            let (fields, conflicts) = union(&records);
            let agreed = counts.is_empty() && conflicts.is_empty();
            (Shape::Record(fields), agreed)
        }
    }
}

fn is_attribute(name: &str) -> bool {
    // Cedar's JSON forms give a meaning to names like `__entity`.
    !name.is_empty() && name.len() <= NAME_MAX && !name.starts_with("__")
}

/// A walk through one schema.
struct Walk<'a> {
    root: &'a Value,
    steps_left: usize,
}

impl<'a> Walk<'a> {
    fn shape(&mut self, schema: &'a Value, depth: usize) -> Option<Shape> {
        self.steps_left = self.steps_left.checked_sub(1)?;
        let depth = depth.checked_sub(1)?;
        let schema = schema.as_object()?;
        if let Some(reference) = schema.get("$ref") {
            let pointer = reference.as_str()?.strip_prefix('#')?;
            return self.shape(self.root.pointer(pointer)?, depth);
        }
        for several in ["anyOf", "oneOf", "allOf"] {
            if let Some(choices) = schema.get(several) {
                // A schema that says a type beside its choices is left alone: the type is certain.
                if schema.contains_key("type") {
                    break;
                }
                return self.one_of(choices.as_array()?, depth);
            }
        }
        match self.type_name(schema)? {
            "string" => Some(Shape::Text),
            "boolean" => Some(Shape::Flag),
            "integer" => Some(Shape::Whole),
            "number" => Some(Shape::Decimal),
            "array" => {
                let items = self.shape(schema.get("items")?, depth)?;
                Some(Shape::Set(Box::new(items)))
            }
            "object" => self.object(schema, depth),
            _ => None,
        }
    }

    /// All choices but `null` have the same shape: this is how optional values are written.
    fn one_of(&mut self, choices: &'a [Value], depth: usize) -> Option<Shape> {
        let mut agreed = None;
        for choice in choices {
            if choice.get("type").and_then(Value::as_str) == Some("null") {
                continue;
            }
            let shape = self.shape(choice, depth)?;
            match &agreed {
                None => agreed = Some(shape),
                Some(other) if *other == shape => {}
                Some(_) => return None,
            }
        }
        agreed
    }

    fn type_name(&self, schema: &'a Map<String, Value>) -> Option<&'a str> {
        match schema.get("type") {
            Some(Value::String(name)) => Some(name),
            Some(Value::Array(names)) => {
                let mut names: Vec<&str> = names
                    .iter()
                    .map(Value::as_str)
                    .collect::<Option<Vec<_>>>()?;
                names.retain(|name| *name != "null");
                match names.as_slice() {
                    [name] => Some(name),
                    ["integer", "number"] | ["number", "integer"] => Some("number"),
                    _ => None,
                }
            }
            Some(_) => None,
            None if schema.contains_key("properties") => Some("object"),
            None => self.enumerated(schema),
        }
    }

    fn enumerated(&self, schema: &'a Map<String, Value>) -> Option<&'a str> {
        let texts = |values: &[Value]| !values.is_empty() && values.iter().all(Value::is_string);
        let only = schema.get("const").is_some_and(Value::is_string);
        let some = schema.get("enum").and_then(Value::as_array);
        (only || some.is_some_and(|values| texts(values))).then_some("string")
    }

    fn object(&mut self, schema: &'a Map<String, Value>, depth: usize) -> Option<Shape> {
        let required: BTreeSet<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = schema.get("properties")?.as_object()?;
        let mut fields = Fields::new();
        for (name, property) in properties {
            if !is_attribute(name) {
                continue;
            }
            if let Some(shape) = self.shape(property, depth) {
                let field = Field {
                    shape,
                    required: required.contains(name.as_str()) && !allows_null(property),
                };
                fields.insert(name.clone(), field);
            }
        }
        Some(Shape::Record(fields))
    }
}

/// Whether a required property may still be null, which is absent to policy.
fn allows_null(schema: &Value) -> bool {
    let of_type = match schema.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        // Without a type, null may come in through a choice or a reference.
        _ => true,
    };
    let listed = |key| {
        schema
            .get(key)
            .and_then(Value::as_array)
            .is_some_and(|values| !values.iter().any(Value::is_null))
    };
    of_type && !listed("enum") && !schema.get("const").is_some_and(Value::is_string)
}

#[cfg(test)]
mod tests;
