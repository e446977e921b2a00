//! The JSON Schema of the configuration file, for editors and for `docs/config.schema.json`.
//!
//! It describes the shape only: what must fit together is checked when a file is settled.

use crate::bounds::{LEAST, MOST};
use crate::written::Config;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The schema with our own notes (`x-…`) in it: what the shape check and the reference page read.
pub(crate) static NOTED: LazyLock<Value> = LazyLock::new(|| {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Config>()
        .to_value();
    every(&mut schema, &mut without_null);
    every(&mut schema, &mut on_one_line);
    schema
});

/// The JSON Schema (2020-12) of the configuration file, as `docs/config.schema.json` holds it.
pub fn schema_json() -> String {
    let mut schema = NOTED.clone();
    every(&mut schema, &mut told);
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".to_owned(), "ringwall.yaml".into());
    }
    format!("{schema:#}\n")
}

/// What a `$ref` leads to.
pub(crate) fn resolved(schema: &Value) -> &Value {
    let name = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|it| it.strip_prefix("#/$defs/"));
    match name {
        Some(name) => NOTED
            .get("$defs")
            .and_then(|defs| defs.get(name))
            .unwrap_or(schema),
        None => schema,
    }
}

/// An empty value is a slip, never a way to say "the default": the schema knows no `null`.
fn without_null(map: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            map.insert("type".to_owned(), one);
        }
    }
    let Some(Value::Array(any)) = map.get_mut("anyOf") else {
        return;
    };
    any.retain(|it| it.get("type").is_none_or(|it| it != "null"));
    if let [Value::Object(one)] = any.as_mut_slice() {
        let one = std::mem::take(one);
        map.remove("anyOf");
        for (name, value) in one {
            map.entry(name).or_insert(value);
        }
    }
}

/// Where a comment in the code breaks its lines means nothing to a reader of the schema.
fn on_one_line(map: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = map.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// Bounds of times, sizes and rates cannot be said in JSON Schema; the description says them.
fn told(map: &mut Map<String, Value>) {
    let least = map.remove(LEAST);
    let most = map.remove(MOST);
    map.remove("x-kind");
    // `uint64` says nothing a reader could use.
    map.remove("format");
    if let (Some(Value::String(least)), Some(Value::String(most))) = (least, most) {
        let before = map
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let text = format!("{before} From {least} to {most}.");
        map.insert("description".to_owned(), text.trim().into());
    }
}

/// Visits every schema object, inner ones first. The depth is that of our own types.
fn every(value: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                // A default or an example is data, not a schema.
                if name != "default" && name != "const" && name != "enum" {
                    every(inner, visit);
                }
            }
            visit(map);
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| every(inner, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::tests::golden;

    #[test]
    fn the_schema_in_the_tree_is_the_generated_one() {
        golden("docs/config.schema.json", &schema_json());
    }

    #[test]
    fn the_schema_knows_no_null_and_keeps_no_note_of_ours() {
        let text = schema_json();
        assert!(!text.contains("\"null\""));
        for note in [LEAST, MOST] {
            assert!(!text.contains(note));
        }
        assert!(text.contains("From 100ms to 1h."));
    }
}
