//! Shapes of schemas as servers write them, and as attackers do.

use super::*;
use serde_json::json;

/// A short spelling: `{path:text! tags:[text]}`.
fn spell(shape: &Shape) -> String {
    match shape {
        Shape::Decimal => "decimal".to_owned(),
        Shape::Flag => "flag".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Whole => "whole".to_owned(),
        Shape::Set(element) => format!("[{}]", spell(element)),
        Shape::Record(fields) => spell_fields(fields),
    }
}

fn spell_fields(fields: &Fields) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, field)| {
            let mark = match field.required {
                true => "!",
                false => "",
            };
            format!("{name}:{}{mark}", spell(&field.shape))
        })
        .collect();
    format!("{{{}}}", fields.join(" "))
}

fn property(schema: Value) -> String {
    spell_fields(&fields(
        &json!({"type": "object", "properties": {"a": schema}}),
    ))
}

#[test]
fn maps_what_cedar_has_a_type_for() {
    for (schema, expected) in [
        (json!({"type": "string"}), "{a:text}"),
        (json!({"type": "boolean"}), "{a:flag}"),
        (json!({"type": "integer"}), "{a:whole}"),
        (json!({"type": "number"}), "{a:decimal}"),
        (json!({"type": ["integer", "number"]}), "{a:decimal}"),
        (json!({"type": ["string", "null"]}), "{a:text}"),
        (json!({"enum": ["x", "y"]}), "{a:text}"),
        (json!({"const": "x"}), "{a:text}"),
        (
            json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
            "{a:whole}",
        ),
        (json!({"allOf": [{"type": "string"}]}), "{a:text}"),
        (
            json!({"oneOf": [{"type": "string"}, {"const": "x"}]}),
            "{a:text}",
        ),
        (
            json!({"type": "string", "oneOf": [{"minLength": 1}]}),
            "{a:text}",
        ),
        (
            json!({"type": "array", "items": {"type": "string"}}),
            "{a:[text]}",
        ),
        (
            json!({"properties": {"b": {"type": "string"}}}),
            "{a:{b:text}}",
        ),
        (
            json!({"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}}),
            "{a:{b:text!}}",
        ),
        // What has no one type is no attribute.
        (json!({}), "{}"),
        (json!(true), "{}"),
        (json!({"type": ["string", "integer"]}), "{}"),
        (json!({"type": "array"}), "{}"),
        (json!({"type": "array", "items": {}}), "{}"),
        (json!({"type": "object"}), "{}"),
        (json!({"type": "null"}), "{}"),
        (json!({"type": 7}), "{}"),
        (json!({"enum": ["x", 1]}), "{}"),
        (json!({"enum": []}), "{}"),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
            "{}",
        ),
        (json!({"$ref": "https://example.com/schema"}), "{}"),
        (json!({"$ref": "#/nowhere"}), "{}"),
    ] {
        assert_eq!(property(schema.clone()), expected, "{schema}");
    }
}

#[test]
fn follows_references_within_the_schema() {
    let schema = json!({
        "type": "object",
        "required": ["to", "cc", "note"],
        "properties": {
            "to": {"$ref": "#/$defs/Address"},
            "cc": {"type": "string"},
            "note": {"type": ["string", "null"]},
            "__proto__": {"type": "string"},
        },
        "$defs": {"Address": {"type": "object", "properties": {"street": {"type": "string"}}}},
    });
    // A required reference may be to something nullable, so it is not certain to be there.
    assert_eq!(
        spell_fields(&fields(&schema)),
        "{cc:text! note:text to:{street:text}}"
    );
}

#[test]
fn hostile_schemas_are_bounded() {
    let looping = json!({"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}});
    let text = spell_fields(&fields(&looping));
    assert!(text.len() < 100_000, "{} bytes", text.len());
    let myself = json!({"$ref": "#"});
    assert_eq!(spell_fields(&fields(&myself)), "{}");
    let mut deep = json!({"type": "string"});
    for _ in 0..100 {
        deep = json!({"type": "array", "items": deep});
    }
    assert_eq!(property(deep), "{}");
    let wide: Map<String, Value> = (0..10_000)
        .map(|nth| (format!("p{nth}"), json!({"type": "string"})))
        .collect();
    let wide = fields(&json!({"type": "object", "properties": wide}));
    assert_eq!(wide.len(), STEPS_MAX - 1);
    let long = "x".repeat(NAME_MAX + 1);
    let long = fields(&json!({"type": "object", "properties": {long: {"type": "string"}}}));
    assert!(long.is_empty());
}

#[test]
fn joins_tools_and_tells_where_they_disagree() {
    let tool = |properties: Value| fields(&json!({"type": "object", "properties": properties}));
    let text = json!({"type": "string"});
    let whole = json!({"type": "integer"});
    let nested = |of: Value| json!({"type": "object", "properties": of});
    for (tools, expected, disputed) in [
        (vec![], "{}", vec![]),
        (
            vec![json!({"a": text}), json!({"b": whole})],
            "{a:text b:whole}",
            vec![],
        ),
        (
            vec![json!({"a": text}), json!({"a": text}), json!({"a": whole})],
            "{a:text}",
            vec!["a"],
        ),
        (
            vec![json!({"a": whole}), json!({"a": text}), json!({"a": whole})],
            "{a:whole}",
            vec!["a"],
        ),
        (
            vec![
                json!({"a": nested(json!({"b": text}))}),
                json!({"a": nested(json!({"c": whole}))}),
            ],
            "{a:{b:text c:whole}}",
            vec![],
        ),
        (
            vec![
                json!({"a": nested(json!({"b": text}))}),
                json!({"a": nested(json!({"b": whole}))}),
            ],
            "{a:{b:text}}",
            vec!["a"],
        ),
        (
            vec![
                json!({"a": nested(json!({"b": text}))}),
                json!({"a": whole}),
            ],
            "{a:whole}",
            vec!["a"],
        ),
    ] {
        let mut tools: Vec<Fields> = tools.into_iter().map(tool).collect();
        for _ in 0..2 {
            let (joined, conflicts) = union(&tools);
            let conflicts: Vec<&str> = conflicts.iter().map(String::as_str).collect();
            assert_eq!(
                (spell_fields(&joined).as_str(), &conflicts),
                (expected, &disputed)
            );
            // The order of tools does not matter.
            tools.reverse();
        }
    }
}
