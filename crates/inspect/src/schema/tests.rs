//! What passes, what is refused and how it is told, and what nothing can make expensive.

use super::*;
use serde_json::{Map, json};

fn compile(schema: &Value, strictness: Strictness) -> Schema {
    Schema::compile(schema, strictness, &Budget::default())
        .unwrap_or_else(|error| panic!("{schema}: {error}"))
}

fn refusal(schema: &Value) -> SchemaError {
    let strict = Schema::compile(schema, Strictness::Strict, &Budget::default());
    let declared = Schema::compile(schema, Strictness::Declared, &Budget::default());
    let error = declared.expect_err("refused as declared");
    assert_eq!(strict.expect_err("refused when strict"), error);
    error
}

/// Checks values that pass, and values that fail only when read strictly.
fn check_strict(schema: Value, pass: &[Value], unnamed: &[Value]) {
    let (strict, declared) = (
        compile(&schema, Strictness::Strict),
        compile(&schema, Strictness::Declared),
    );
    for value in pass {
        assert_eq!(strict.check(value), Ok(()), "{schema} {value}");
    }
    for value in pass.iter().chain(unnamed) {
        assert_eq!(declared.check(value), Ok(()), "{schema} {value}");
    }
    for value in unnamed {
        assert!(strict.check(value).is_err(), "{schema} {value}");
    }
}

#[test]
fn n1_2_strict_refuses_what_the_schema_does_not_name() {
    let a = json!({ "a": 1 });
    let with_b = json!({ "a": 1, "b": 2 });
    let with_c = json!({ "a": 1, "b": 2, "c": 3 });
    let has = |name: &str| json!({ "properties": { name: { "type": "integer" } } });
    // Alone, nested, in items.
    check_strict(
        has("a"),
        &[a.clone(), json!({}), json!(7)],
        std::slice::from_ref(&with_b),
    );
    check_strict(
        json!({ "properties": { "o": has("a") } }),
        &[json!({ "o": a })],
        &[json!({ "o": with_b }), json!({ "p": 1 })],
    );
    check_strict(
        json!({ "items": has("a") }),
        &[json!([a])],
        &[json!([a, with_b])],
    );
    check_strict(
        json!({ "prefixItems": [has("a")] }),
        &[json!([a])],
        &[json!([with_b])],
    );
    check_strict(
        json!({ "properties": {} }),
        &[json!({})],
        &[json!({ "a": 1 })],
    );
    // Through composition, at its root only.
    check_strict(
        json!({ "allOf": [has("a"), has("b")] }),
        &[a.clone(), with_b.clone()],
        std::slice::from_ref(&with_c),
    );
    check_strict(
        json!({ "properties": { "c": {} }, "allOf": [has("a"), { "anyOf": [has("b"), has("x")] }] }),
        std::slice::from_ref(&with_c),
        &[json!({ "a": 1, "d": 1 })],
    );
    check_strict(
        json!({ "properties": { "k": { "enum": ["a", "b"] } }, "oneOf": [
            { "properties": { "k": { "const": "a" }, "a": {} }, "required": ["k", "a"] },
            { "properties": { "k": { "const": "b" }, "b": {} }, "required": ["k", "b"] },
        ] }),
        &[json!({ "k": "a", "a": 1 }), json!({ "k": "b", "b": 1 })],
        &[
            json!({ "k": "a", "a": 1, "b": 1 }),
            json!({ "k": "b", "b": 1, "z": 1 }),
        ],
    );
    check_strict(
        json!({ "properties": { "a": {} }, "if": { "required": ["a"] }, "then": has("b") }),
        &[with_b.clone(), a.clone(), json!({})],
        &[json!({ "b": 2 }), with_c.clone()],
    );
    // Through references, shared or alone.
    let defs = json!({ "x": has("a"), "y": { "allOf": [{ "$ref": "#/$defs/x" }, has("b")] } });
    check_strict(
        json!({ "$defs": defs, "properties": {
            "one": { "$ref": "#/$defs/x" }, "both": { "$ref": "#/$defs/y" } } }),
        &[json!({ "one": a, "both": with_b })],
        &[json!({ "one": with_b }), json!({ "both": with_c })],
    );
    check_strict(
        json!({ "properties": { "v": {}, "next": { "$ref": "#" } } }),
        &[json!({ "v": 1, "next": { "v": 2, "next": {} } })],
        &[json!({ "next": { "next": { "w": 1 } } })],
    );
}

#[test]
fn n1_2_strict_respects_an_explicit_word() {
    let open = json!({ "a": 1, "b": "x" });
    for (word, value) in [
        ("additionalProperties", json!(true)),
        ("additionalProperties", json!({ "type": "string" })),
        ("unevaluatedProperties", json!(true)),
        ("patternProperties", json!({ "^b$": {} })),
    ] {
        let mut schema = json!({ "properties": { "a": {} } });
        schema[word] = value;
        check_strict(schema.clone(), std::slice::from_ref(&open), &[]);
        check_strict(
            json!({ "allOf": [schema], "properties": {} }),
            std::slice::from_ref(&open),
            &[],
        );
    }
    // Objects without named members say nothing about members.
    check_strict(
        json!({ "type": "object" }),
        std::slice::from_ref(&open),
        &[],
    );
    check_strict(
        json!({ "properties": { "m": { "type": "object", "additionalProperties": { "type": "integer" } } } }),
        &[json!({ "m": { "any": 1 } })],
        &[json!({ "n": 1 })],
    );
}

#[test]
fn n1_2_strict_closes_older_dialects_too() {
    for dialect in [
        "http://json-schema.org/draft-07/schema#",
        "http://json-schema.org/draft-04/schema#",
    ] {
        let schema = |mut schema: Value| {
            schema["$schema"] = json!(dialect);
            schema
        };
        let has = |name: &str| json!({ "properties": { name: {} } });
        check_strict(schema(has("a")), &[json!({ "a": 1 })], &[json!({ "b": 1 })]);
        check_strict(
            schema(json!({ "allOf": [has("a"), { "anyOf": [has("b"), has("c")] }] })),
            &[json!({ "a": 1, "b": 1, "c": 1 })],
            &[json!({ "a": 1, "d": 1 })],
        );
        // The shape that generators write: nothing but a reference at the root.
        check_strict(
            schema(json!({ "$ref": "#/definitions/x", "definitions": {
                "x": { "properties": { "a": {}, "y": { "$ref": "#/definitions/y" } } },
                "y": { "allOf": [{ "$ref": "#/definitions/x" }, has("b")] },
            } })),
            &[json!({ "a": 1, "y": { "a": 1, "b": 2, "y": {} } })],
            &[json!({ "b": 1 }), json!({ "y": { "c": 1 } })],
        );
        check_strict(
            schema(json!({ "anyOf": [has("a"), { "additionalProperties": true }] })),
            &[json!({ "z": 1 })],
            &[],
        );
    }
}

/// A closed part inside `not` or `oneOf` must not let anything through that the schema refuses.
#[test]
fn n1_2_strict_never_passes_what_fails_as_declared() {
    let has_a = json!({ "properties": { "o": { "properties": { "a": {} } } }, "required": ["o"] });
    let value = json!({ "o": { "a": 1, "b": 2 } });
    for schema in [
        json!({ "not": has_a }),
        json!({ "oneOf": [has_a, { "required": ["o"] }] }),
        json!({ "if": has_a, "then": false }),
        json!({ "contains": has_a, "maxContains": 0 }),
        json!({ "$defs": { "x": has_a }, "not": { "$ref": "#/$defs/x" },
            "properties": { "p": { "$ref": "#/$defs/x" } } }),
    ] {
        let value = if schema["contains"].is_object() {
            json!([value])
        } else {
            value.clone()
        };
        assert!(
            compile(&schema, Strictness::Declared)
                .check(&value)
                .is_err(),
            "{schema}"
        );
        assert!(
            compile(&schema, Strictness::Strict).check(&value).is_err(),
            "{schema}"
        );
    }
}

#[test]
fn n1_2_tells_how_to_get_it_right() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "maxLength": 3, "pattern": "^[a-z]+$" },
            "size": { "enum": ["small", "large"] },
            "count": { "type": ["integer", "null"], "minimum": 1 },
            "where": { "anyOf": [{ "type": "string" }, { "properties": { "x": { "type": "integer" } } }] },
        },
        "required": ["name"],
    });
    for (value, expected) in [
        (json!({}), "add `name`, which is required"),
        (
            json!({ "name": 1 }),
            "`/name`: use string instead of integer",
        ),
        (
            json!({ "name": "abcd" }),
            "`/name`: use a text of 3 characters or less",
        ),
        (
            json!({ "name": "A" }),
            "`/name`: use a text that matches `^[a-z]+$`",
        ),
        (
            json!({ "name": "a", "size": 1 }),
            "`/size`: use one of [\"small\",\"large\"]",
        ),
        (
            json!({ "name": "a", "count": 0 }),
            "`/count`: use a number of 1 or more",
        ),
        (
            json!({ "name": "a", "count": "0" }),
            "`/count`: use null or integer instead of string",
        ),
        (
            json!({ "name": "a", "nmae": 1 }),
            "remove `nmae`: the schema does not name it",
        ),
        (
            json!({ "name": "a", "where": { "x": "1" } }),
            "`/where`: use a value that fits one of the alternatives; for the closest: use string instead of object",
        ),
    ] {
        let told = compile(&schema, Strictness::Strict)
            .check(&value)
            .unwrap_err();
        assert_eq!(told.to_string(), expected);
    }
}

#[test]
fn n1_2_tells_at_most_eight_violations_and_repeats_little() {
    let schema = compile(
        &json!({ "properties": { "a": { "items": { "type": "string" } } }, "additionalProperties": { "type": "string" } }),
        Strictness::Strict,
    );
    let told = schema.check(&json!({ "a": vec![1; 100] })).unwrap_err();
    assert_eq!(told.as_slice().len(), Violations::MOST);
    let secret = "s3cret".repeat(10_000);
    let strict = compile(&json!({ "properties": {} }), Strictness::Strict);
    let anything = compile(&json!({ "enum": [1] }), Strictness::Strict);
    let inner = json!({ secret.clone(): { secret.clone(): 1 } });
    for told in [
        schema.check(&json!({ secret.clone(): 1 })),
        strict.check(&json!({ secret.clone(): 1 })),
        anything.check(&json!(secret)),
        anything.check(&inner),
        compile(
            &json!({ "propertyNames": { "maxLength": 2 } }),
            Strictness::Strict,
        )
        .check(&inner),
        compile(
            &json!({ "additionalProperties": { "additionalProperties": false } }),
            Strictness::Strict,
        )
        .check(&inner),
    ] {
        for violation in told.unwrap_err() {
            assert!(violation.pointer.len() <= 64, "{violation}");
            assert!(
                violation.message.matches("s3cret").count() <= 11,
                "{violation}"
            );
            assert!(violation.message.len() < 256, "{violation}");
        }
    }
    // Nothing hidden and no second line gets into a message; that it was there is told.
    let told = strict
        .check(&json!({ "a\u{200b}\n\u{1b}[1mb`": 1 }))
        .unwrap_err();
    assert_eq!(
        told.to_string(),
        r"remove `a\u{200b}\u{a}\u{1b}\u{5b}1mb…`: the schema does not name it"
    );
}

#[test]
fn says_whether_everything_passes() {
    for (schema, trivial) in [
        (json!(true), true),
        (json!({}), true),
        (
            json!({ "description": "anything", "$defs": { "x": { "type": "string" } } }),
            true,
        ),
        (json!(false), false),
        (json!({ "type": "object" }), false),
        (json!({ "properties": {} }), false),
    ] {
        assert_eq!(
            compile(&schema, Strictness::Strict).is_trivial(),
            trivial,
            "{schema}"
        );
    }
    assert!(
        compile(&json!(false), Strictness::Strict)
            .check(&json!(1))
            .is_err()
    );
}

#[test]
fn b9_reads_declared_dialects_and_refuses_others() {
    for dialect in [
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema#",
        "http://json-schema.org/draft-07/schema#",
        "http://json-schema.org/draft-06/schema",
        "http://json-schema.org/draft-04/schema#",
    ] {
        let schema = compile(
            &json!({ "$schema": dialect, "type": "string" }),
            Strictness::Strict,
        );
        assert!(schema.check(&json!(1)).is_err());
    }
    for schema in [
        json!({ "$schema": "http://json-schema.org/draft-03/schema#" }),
        json!({ "$schema": "https://example.com/dialect", "type": "string" }),
        json!({ "$schema": 7, "type": "string" }),
        json!({ "items": { "$schema": "http://json-schema.org/draft-07/schema#" } }),
    ] {
        assert!(
            matches!(refusal(&schema), SchemaError::Dialect { .. }),
            "{schema}"
        );
    }
    // Without a dialect it is 2020-12: `prefixItems` counts.
    let schema = compile(
        &json!({ "prefixItems": [{ "type": "string" }] }),
        Strictness::Strict,
    );
    assert!(schema.check(&json!([1])).is_err());
}

#[test]
fn b9_refuses_references_that_lead_out_or_nowhere() {
    for (reference, expected) in [
        (
            "https://example.com/a.json",
            "the reference `https://example.com/a.json` leads out of the schema and is never fetched; embed its target under `$defs`",
        ),
        (
            "#/$defs/none",
            "the reference `#/$defs/none` leads nowhere in the schema",
        ),
        ("#none", "the reference `#none` leads nowhere in the schema"),
    ] {
        assert_eq!(
            refusal(&json!({ "items": { "$ref": reference } })).to_string(),
            expected
        );
    }
}

#[test]
fn refuses_what_is_no_schema() {
    for (schema, expected) in [
        (json!("string"), "a schema must be an object or a boolean"),
        (json!(null), "a schema must be an object or a boolean"),
        (json!([]), "a schema must be an object or a boolean"),
        (
            json!({ "properties": { "a": { "type": "text" } } }),
            "the schema is invalid at `/properties/a/type`: use a value that fits one of the alternatives",
        ),
        (
            json!({ "required": "a" }),
            "the schema is invalid at `/required`: use array instead of string",
        ),
    ] {
        let told = refusal(&schema).to_string();
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn n1_2_every_limit_of_the_budget_holds() {
    let deep = (0..40).fold(json!({}), |inner, _| json!({ "not": inner }));
    let list: Vec<Value> = (0..30).map(|at| json!({ "const": at })).collect();
    for (schema, what) in [
        (
            json!({ "description": "x".repeat(300), "type": "object" }),
            "bytes",
        ),
        (deep, "levels of nesting"),
        (json!({ "prefixItems": list }), "subschemas"),
        (json!({ "pattern": "a".repeat(50) }), "bytes of patterns"),
    ] {
        let bytes = if what == "bytes" { 200 } else { 100_000 };
        let budget = Budget {
            bytes,
            depth: 20,
            subschemas: 20,
            pattern_bytes: 40,
        };
        match Schema::compile(&schema, Strictness::Declared, &budget) {
            Err(SchemaError::TooLarge { what: told, .. }) => assert_eq!(told, what),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn n1_2_refuses_patterns_that_are_not_linear_or_too_large() {
    for pattern in [
        "(?=a)b",
        "(?<!a)b",
        "(a)\\1",
        "(a{1000}){1000}",
        "(\\p{L}{100}){100}",
        "(",
    ] {
        for schema in [
            json!({ "pattern": pattern }),
            json!({ "properties": { "a": { "patternProperties": { pattern: {} } } } }),
        ] {
            assert!(
                matches!(
                    refusal(&schema),
                    SchemaError::Pattern { .. } | SchemaError::Invalid { .. }
                ),
                "{schema}"
            );
        }
    }
    for (pattern, good, bad) in [
        ("^[a-z0-9_-]{1,64}$", "some-name", "Some name"),
        ("^\\d{4}-\\d{2}-\\d{2}$", "2026-11-22", "yesterday"),
        ("^\\p{Lu}\\w*$", "Äb", "äb"),
        (
            "(x+x+)+y",
            "xxy",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
    ] {
        let schema = compile(&json!({ "pattern": pattern }), Strictness::Declared);
        assert_eq!(schema.check(&json!(good)), Ok(()), "{pattern}");
        assert!(schema.check(&json!(bad)).is_err(), "{pattern}");
    }
}

#[test]
fn n1_2_refuses_references_that_go_in_circles() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" }),
        json!({ "properties": { "x": { "not": { "anyOf": [{ "$ref": "#/properties/x" }] } } } }),
    ] {
        assert!(
            matches!(refusal(&schema), SchemaError::Loop { .. }),
            "{schema}"
        );
    }
}

/// `$defs` in which each schema is made of two uses of the next.
fn doubling(levels: usize, both: impl Fn(Value, Value) -> Value) -> Value {
    let mut defs = Map::new();
    for level in 0..levels {
        let next = || json!({ "$ref": format!("#/$defs/d{}", level + 1) });
        defs.insert(format!("d{level}"), both(next(), next()));
    }
    defs.insert(format!("d{levels}"), json!({ "type": "string" }));
    json!({ "$ref": "#/$defs/d0", "$defs": defs })
}

#[test]
fn n1_2_refuses_compositions_that_multiply() {
    for schema in [
        doubling(30, |a, b| json!({ "allOf": [a, b] })),
        doubling(30, |a, b| json!({ "anyOf": [a, { "oneOf": [b] }] })),
        doubling(30, |a, b| json!({ "if": a, "then": b })),
        doubling(60, |a, _| json!({ "allOf": [a] })),
    ] {
        assert!(
            matches!(refusal(&schema), SchemaError::TooLarge { .. }),
            "{schema}"
        );
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| {
        Value::Object(Map::from_iter([("x".to_owned(), inner)]))
    })
}

/// Without a bound each of these takes at least 2^60 steps.
#[test]
fn n1_2_hostile_schemas_stay_within_their_budget() {
    let member = |next: Value| json!({ "properties": { "x": next } });
    let recursive = |composition: &str| {
        let branch = json!({ "type": "object", "properties": { "x": { "$ref": "#" } } });
        json!({ composition: [branch, branch, { "type": "string" }] })
    };
    for schema in [
        doubling(60, |a, b| json!({ "anyOf": [member(a), member(b)] })),
        doubling(60, |a, b| json!({ "oneOf": [member(a), member(b)] })),
        doubling(
            60,
            |a, b| json!({ "not": { "allOf": [member(a), { "not": member(b) }] } }),
        ),
        doubling(
            60,
            |a, b| json!({ "if": member(a), "then": member(b), "else": member(json!({})) }),
        ),
        doubling(
            60,
            |a, b| json!({ "anyOf": [member(a), member(b)], "unevaluatedProperties": false }),
        ),
        doubling(
            60,
            |a, b| json!({ "patternProperties": { "x": a, "^x": b } }),
        ),
        recursive("anyOf"),
        recursive("oneOf"),
        json!({ "$dynamicAnchor": "n", "anyOf": [
            { "properties": { "x": { "$dynamicRef": "#n" } }, "type": "object" },
            { "properties": { "x": { "$dynamicRef": "#n" } }, "type": "object" },
            { "type": "string" },
        ] }),
    ] {
        for strictness in [Strictness::Declared, Strictness::Strict] {
            if let Ok(schema) = Schema::compile(&schema, strictness, &Budget::default()) {
                let value = nested(60);
                let told = schema.check(&value).map_err(|told| told.as_slice()[0].rule);
                assert!(told.is_err(), "{schema:?}");
            }
        }
    }
}

#[test]
fn n1_2_ordinary_recursion_is_not_refused() {
    let tree = json!({ "$defs": { "node": {
        "type": "object",
        "properties": { "name": { "type": "string" }, "kids": { "type": "array", "items": { "$ref": "#/$defs/node" } } },
        "required": ["name"],
    } }, "$ref": "#/$defs/node" });
    let leaf = json!({ "name": "leaf", "kids": [] });
    let twig = json!({ "name": "twig", "kids": vec![leaf; 100] });
    let wide = json!({ "name": "root", "kids": vec![twig; 100] });
    let deep = (0..40).fold(
        json!({ "name": "n" }),
        |kid, _| json!({ "name": "n", "kids": [kid] }),
    );
    let anything = json!({ "$defs": { "json": { "anyOf": [
        { "type": ["string", "number", "boolean", "null"] },
        { "type": "array", "items": { "$ref": "#/$defs/json" } },
        { "type": "object", "additionalProperties": { "$ref": "#/$defs/json" } },
    ] } }, "$ref": "#/$defs/json" });
    for strictness in [Strictness::Declared, Strictness::Strict] {
        for value in [&wide, &deep] {
            assert_eq!(compile(&tree, strictness).check(value), Ok(()));
            assert_eq!(compile(&anything, strictness).check(value), Ok(()));
        }
    }
    let mut wrong = wide.clone();
    wrong["kids"][3]["kids"][4] = json!({ "nmae": "leaf" });
    assert!(compile(&tree, Strictness::Strict).check(&wrong).is_err());
}

#[test]
fn n1_2_large_values_are_bounded_by_what_they_cost() {
    let unique = compile(&json!({ "uniqueItems": true }), Strictness::Strict);
    // Each item hashes like every other: they differ in brackets only.
    let nest = |levels: usize| (0..levels).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    let alike: Vec<Value> = (0..4_000)
        .map(|at| Value::Array(vec![nest(at % 90), nest(at / 90)]))
        .collect();
    assert_eq!(
        unique.check(&json!(alike)).unwrap_err().as_slice()[0].rule,
        "budget"
    );
    let names: Vec<String> = (0..100_000).map(|at| at.to_string()).collect();
    assert_eq!(unique.check(&json!(names)), Ok(()));
    let branches: Vec<Value> = (0..400).map(|at| json!({ "const": at })).collect();
    let wide = compile(
        &json!({ "items": { "anyOf": branches } }),
        Strictness::Strict,
    );
    assert_eq!(wide.check(&json!(vec![399; 1000])), Ok(()));
    assert_eq!(
        wide.check(&json!(vec![399; 200_000]))
            .unwrap_err()
            .as_slice()[0]
            .rule,
        "budget"
    );
    let pattern = compile(
        &json!({ "pattern": "^([a-z]{1,40}\\.){1,40}x$" }),
        Strictness::Strict,
    );
    assert!(pattern.check(&json!("a.".repeat(1 << 19))).is_err());
    let text = compile(
        &json!({ "properties": { "t": { "type": "string" } } }),
        Strictness::Strict,
    );
    assert_eq!(text.check(&json!({ "t": "x".repeat(4 << 20) })), Ok(()));
    assert_eq!(
        text.check(&nested(200)).unwrap_err().as_slice()[0].rule,
        "budget"
    );
}

fn on_a_stack_of<T: Send + 'static>(bytes: usize, run: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(bytes).spawn(run);
    thread.unwrap().join().unwrap()
}

/// Compiling and dropping fit the stack of a worker thread; checking and explaining fit half of it.
#[test]
fn n1_2_no_schema_and_no_value_overflows_the_stack() {
    let chain = (0..4000).map(|at| {
        let next = json!({ "$ref": format!("#/$defs/c{}", at + 1) });
        (format!("c{at}"), json!({ "properties": { "x": next } }))
    });
    let mut defs: Map<String, Value> = chain.collect();
    defs.insert("c4000".to_owned(), json!({ "type": "string" }));
    let recursion = (0..44).fold(
        json!({ "properties": { "x": { "$ref": "#" } } }),
        |inner, at| json!({ "anyOf": [{ "type": "null" }, inner], "properties": { format!("p{at}"): {} } }),
    );
    let nesting = (0..30).fold(
        json!({ "type": "string" }),
        |inner, _| json!({ "properties": { "x": inner } }),
    );
    for schema in [
        json!({ "$ref": "#/$defs/c0", "$defs": defs }),
        json!({ "type": ["object", "integer"], "properties": { "x": { "$ref": "#" } } }),
        recursion,
        nesting,
    ] {
        for strictness in [Strictness::Declared, Strictness::Strict] {
            let schema = schema.clone();
            let compiled = on_a_stack_of(2 << 20, move || {
                let budget = Budget {
                    bytes: 1 << 20,
                    depth: 128,
                    subschemas: 20_000,
                    ..Budget::default()
                };
                Schema::compile(&schema, strictness, &budget).unwrap()
            });
            let compiled = on_a_stack_of(1 << 20, move || {
                for levels in [1, 10, 30, 60, 120, 300] {
                    let _ = compiled.check(&nested(levels));
                    let mut wrong = nested(levels);
                    wrong["y"] = json!(true);
                    let _ = compiled.check(&wrong);
                }
                compiled
            });
            on_a_stack_of(1 << 20, move || drop(compiled));
        }
    }
}

#[test]
fn n1_2_few_subschemas_are_open_at_once() {
    let recursion = (0..25).fold(
        json!({ "properties": { "x": { "$ref": "#" } } }),
        |inner, _| json!({ "anyOf": [{ "type": "null" }, inner] }),
    );
    let schema = compile(&recursion, Strictness::Declared);
    assert_eq!(schema.check(&nested(10)), Ok(()));
    let told = schema.check(&nested(60)).unwrap_err().to_string();
    assert!(told.starts_with("nest the value less deeply"), "{told}");
}

/// Each way through embedded resources is compiled on its own; there can be few.
#[test]
fn n1_2_embedded_resources_do_not_multiply() {
    let resources = |count: usize| {
        let resource = |at: usize| {
            let next: Vec<Value> = (at + 1..count)
                .map(|to| json!({ "$ref": format!("https://a.example/{to}") }))
                .collect();
            json!({ "$id": format!("https://a.example/{at}"), "prefixItems": next, "items": { "$dynamicRef": "#d" },
                "$defs": { "d": { "$dynamicAnchor": "d", "type": "string" } } })
        };
        let defs: Vec<Value> = (0..count).map(resource).collect();
        json!({ "$id": "https://a.example/", "$ref": "https://a.example/0",
            "$defs": { "all": { "allOf": defs } } })
    };
    assert!(matches!(
        refusal(&resources(40)),
        SchemaError::TooLarge { .. }
    ));
    let _ = Schema::compile(&resources(15), Strictness::Strict, &Budget::default());
}

/// Everybody refers to everybody: compiling `unevaluatedProperties` on every way would take minutes
/// for seven, and years for twelve.
#[test]
fn n1_2_unevaluated_keywords_do_not_multiply() {
    let everybody = |count: usize, unevaluated: bool| {
        let member = |at: usize| {
            let mut member = json!({ "$ref": format!("#/$defs/d{at}") });
            if unevaluated {
                member["unevaluatedProperties"] = json!(false);
            }
            (format!("p{at}"), member)
        };
        let members: Map<String, Value> = (0..count).map(member).collect();
        let mut defs = Map::new();
        for at in 0..count {
            let alternatives = json!([{ "properties": members }, { "properties": { "q": {} } }]);
            defs.insert(format!("d{at}"), json!({ "anyOf": alternatives }));
        }
        json!({ "$ref": "#/$defs/d0", "$defs": defs })
    };
    for count in [7, 12, 30] {
        assert!(matches!(
            refusal(&everybody(count, true)),
            SchemaError::TooLarge { .. }
        ));
        // Strictness falls back to a reading that costs less, and still names every member.
        check_strict(
            everybody(count, false),
            &[json!({ "p0": { "p1": {}, "q": 1 } })],
            &[json!({ "r": 1 })],
        );
    }
}
