//! The official JSON-Schema-Test-Suite through our compiler, with the limits on.
//!
//! The suite is not part of this repository: `cargo xtask test` unpacks it from the source
//! distribution of the Python package `jsonschema` into `.deps/json-schema-test-suite`.
//! `JSON_SCHEMA_TEST_SUITE` names another place.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, also in its own functions"
)]

use ringwall_inspect::schema::{Budget, Schema, SchemaError, Strictness};
use serde_json::Value;
use std::path::PathBuf;

/// Why we refuse a group of the suite on purpose. Each is seen in the error as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Its schema refers to another document on a server, and nothing is ever fetched.
    Remote,
    /// Its schema refers to the schema of schemas, which is another document too: the cost of a check
    /// is only bounded for what is in the schema itself, and no tool takes schemas as arguments so.
    Metaschema,
    /// Its dialect is defined by a document on a server.
    Vocabulary,
}

/// The groups we refuse on purpose, in whichever drafts have them. The list may only shrink.
const EXCEPTIONS: &[(&str, &str, Why)] = &[
    (
        "dynamicRef.json",
        "strict-tree schema, guards against misspelled properties",
        Why::Remote,
    ),
    (
        "dynamicRef.json",
        "tests for implementation dynamic anchor and reference link",
        Why::Remote,
    ),
    (
        "dynamicRef.json",
        "$ref and $dynamicAnchor are independent of order - $defs first",
        Why::Remote,
    ),
    (
        "dynamicRef.json",
        "$ref and $dynamicAnchor are independent of order - $ref first",
        Why::Remote,
    ),
    (
        "dynamicRef.json",
        "$ref to $dynamicRef finds detached $dynamicAnchor",
        Why::Remote,
    ),
    ("refRemote.json", "remote ref", Why::Remote),
    ("refRemote.json", "fragment within remote ref", Why::Remote),
    ("refRemote.json", "anchor within remote ref", Why::Remote),
    ("refRemote.json", "ref within remote ref", Why::Remote),
    ("refRemote.json", "base URI change", Why::Remote),
    (
        "refRemote.json",
        "base URI change - change folder",
        Why::Remote,
    ),
    (
        "refRemote.json",
        "base URI change - change folder in subschema",
        Why::Remote,
    ),
    ("refRemote.json", "root ref in remote ref", Why::Remote),
    ("refRemote.json", "remote ref with ref to defs", Why::Remote),
    (
        "refRemote.json",
        "remote ref with ref to definitions",
        Why::Remote,
    ),
    (
        "refRemote.json",
        "Location-independent identifier in remote ref",
        Why::Remote,
    ),
    (
        "refRemote.json",
        "retrieved nested refs resolve relative to their URI not $id",
        Why::Remote,
    ),
    (
        "refRemote.json",
        "remote HTTP ref with different $id",
        Why::Remote,
    ),
    (
        "refRemote.json",
        "remote HTTP ref with different URN $id",
        Why::Remote,
    ),
    (
        "refRemote.json",
        "remote HTTP ref with nested absolute ref",
        Why::Remote,
    ),
    (
        "refRemote.json",
        "$ref to $ref finds detached $anchor",
        Why::Remote,
    ),
    (
        "refRemote.json",
        "$ref to $ref finds location-independent $id",
        Why::Remote,
    ),
    (
        "defs.json",
        "validate definition against metaschema",
        Why::Metaschema,
    ),
    (
        "definitions.json",
        "validate definition against metaschema",
        Why::Metaschema,
    ),
    (
        "ref.json",
        "remote ref, containing refs itself",
        Why::Metaschema,
    ),
    (
        "vocabulary.json",
        "schema that uses custom metaschema with with no validation vocabulary",
        Why::Vocabulary,
    ),
    (
        "vocabulary.json",
        "ignore unrecognized optional vocabulary",
        Why::Vocabulary,
    ),
];

#[test]
fn n1_2_reads_draft_2020_12_like_the_official_suite() {
    run(
        "draft2020-12",
        "https://json-schema.org/draft/2020-12/schema",
        1_200,
    );
}

#[test]
fn n1_2_reads_draft_07_like_the_official_suite() {
    run("draft7", "http://json-schema.org/draft-07/schema#", 880);
}

#[test]
fn n1_2_reads_draft_2019_09_like_the_official_suite() {
    run(
        "draft2019-09",
        "https://json-schema.org/draft/2019-09/schema",
        1_150,
    );
}

#[test]
fn n1_2_reads_draft_06_like_the_official_suite() {
    run("draft6", "http://json-schema.org/draft-06/schema#", 800);
}

#[test]
fn n1_2_reads_draft_04_like_the_official_suite() {
    run("draft4", "http://json-schema.org/draft-04/schema#", 580);
}

fn run(draft: &str, dialect: &str, least: usize) {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (file, group) in groups(draft) {
        let name = group["description"].as_str().unwrap();
        let mut schema = group["schema"].clone();
        if let Value::Object(keywords) = &mut schema {
            keywords.entry("$schema").or_insert_with(|| dialect.into());
        }
        let exception = EXCEPTIONS
            .iter()
            .find(|(f, g, _)| (*f, *g) == (&file, name));
        let differs = match exception {
            Some((.., why)) => is_refused(&schema, *why),
            None => differences(&schema, &group["tests"], &mut cases),
        };
        if let Err(how) = differs {
            wrong.push(format!("{file}: {name}: {how}"));
        }
    }
    assert!(wrong.is_empty(), "{draft}:\n{}", wrong.join("\n"));
    assert!(cases >= least, "{draft}: only {cases} cases ran");
}

/// An exception must be refused for the reason it is listed with.
fn is_refused(schema: &Value, why: Why) -> Result<(), String> {
    match (
        Schema::compile(schema, Strictness::Declared, &Budget::default()),
        why,
    ) {
        (Err(SchemaError::ExternalReference { reference }), Why::Remote)
            if reference.starts_with("http://localhost:1234/") =>
        {
            Ok(())
        }
        (Err(SchemaError::ExternalReference { reference }), Why::Metaschema)
            if reference.contains("json-schema.org/draft") =>
        {
            Ok(())
        }
        (Err(SchemaError::Dialect { dialect }), Why::Vocabulary)
            if dialect.starts_with("http://localhost:1234/") =>
        {
            Ok(())
        }
        (other, _) => Err(format!("no longer an exception: {other:?}")),
    }
}

/// Says how one group is read otherwise, if it is.
fn differences(schema: &Value, tests: &Value, cases: &mut usize) -> Result<(), String> {
    let compile = |strictness| {
        Schema::compile(schema, strictness, &Budget::default()).map_err(|error| error.to_string())
    };
    let (declared, strict) = (compile(Strictness::Declared)?, compile(Strictness::Strict)?);
    for test in tests.as_array().unwrap() {
        *cases += 1;
        let (value, valid) = (&test["data"], test["valid"] == true);
        let told = declared.check(value);
        if told.is_ok() != valid {
            return Err(format!("{}: {told:?}", test["description"]));
        }
        if strict.check(value).is_ok() && !valid {
            return Err(format!("{}: passes only when strict", test["description"]));
        }
    }
    Ok(())
}

/// Every required group of a draft, with the name of its file.
fn groups(draft: &str) -> Vec<(String, Value)> {
    let folder = suite().join("tests").join(draft);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| {
            panic!(
                "the JSON Schema suite is not at {}: {error}. Run `cargo xtask test` once, or unpack \
                 the folder `json` of the source distribution of the Python package `jsonschema` there.",
                folder.display()
            )
        })
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let mut groups = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let read: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let Value::Array(read) = read else {
            panic!("{name} holds no groups")
        };
        groups.extend(read.into_iter().map(|group| (name.clone(), group)));
    }
    groups
}

fn suite() -> PathBuf {
    std::env::var_os("JSON_SCHEMA_TEST_SUITE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.deps/json-schema-test-suite"),
        PathBuf::from,
    )
}

/// A reference out of the document is refused by name, whether or not it could be reached.
#[test]
fn n1_2_never_fetches_a_schema() {
    for reference in [
        "https://example.com/schema.json",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "other.json",
        "https://json-schema.org/draft/2020-12/schema",
    ] {
        let schema = serde_json::json!({ "properties": { "a": { "$ref": reference } } });
        for strictness in [Strictness::Declared, Strictness::Strict] {
            let error = Schema::compile(&schema, strictness, &Budget::default()).unwrap_err();
            let SchemaError::ExternalReference { reference: named } = &error else {
                panic!("{reference}: {error}")
            };
            assert!(named.ends_with(reference), "{error}");
        }
    }
}
