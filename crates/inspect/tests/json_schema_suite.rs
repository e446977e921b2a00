//! The official JSON-Schema-Test-Suite through our compiler, with the limits on.
//!
//! The suite is not part of this repository: `cargo xtask test` unpacks it from the source
//! distribution of the Python package `jsonschema` into `.deps/json-schema-test-suite`.
//! `JSON_SCHEMA_TEST_SUITE` names another place.

use ringwall_inspect::schema::{Budget, Schema, SchemaError, Strictness};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Groups that we refuse or read otherwise on purpose: draft, file, group, why. It may only shrink.
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[];

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
    run("draft7", "http://json-schema.org/draft-07/schema#", 900);
}

#[test]
fn n1_2_reads_draft_2019_09_like_the_official_suite() {
    run(
        "draft2019-09",
        "https://json-schema.org/draft/2019-09/schema",
        1_200,
    );
}

#[test]
fn n1_2_reads_draft_06_like_the_official_suite() {
    run("draft6", "http://json-schema.org/draft-06/schema#", 800);
}

#[test]
fn n1_2_reads_draft_04_like_the_official_suite() {
    run("draft4", "http://json-schema.org/draft-04/schema#", 600);
}

fn run(draft: &str, dialect: &str, least: usize) {
    let mut excepted = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (file, group) in groups(draft) {
        let name = group["description"].as_str().unwrap();
        let mut schema = group["schema"].clone();
        if let Value::Object(keywords) = &mut schema {
            keywords.entry("$schema").or_insert_with(|| dialect.into());
        }
        let differs = differences(&schema, &group["tests"], &mut cases);
        let exception = EXCEPTIONS
            .iter()
            .find(|(d, f, g, _)| (*d, *f, *g) == (draft, &file, name));
        match (exception, differs) {
            (None, Some(how)) => wrong.push(format!(
                "    (\"{draft}\", \"{file}\", \"{name}\", \"{how}\"),"
            )),
            (Some(exception), None) => wrong.push(format!("no longer an exception: {exception:?}")),
            (Some(exception), Some(_)) => {
                excepted.insert(exception);
            }
            (None, None) => {}
        }
    }
    let listed = EXCEPTIONS.iter().filter(|(d, ..)| *d == draft).count();
    assert_eq!(
        excepted.len(),
        listed,
        "an exception of {draft} names no group"
    );
    assert!(wrong.is_empty(), "{draft}:\n{}", wrong.join("\n"));
    assert!(cases >= least, "{draft}: only {cases} cases ran");
}

/// How one group is read otherwise, if it is.
fn differences(schema: &Value, tests: &Value, cases: &mut usize) -> Option<String> {
    let compile = |strictness| Schema::compile(schema, strictness, &Budget::default());
    let declared = match compile(Strictness::Declared) {
        Ok(declared) => declared,
        Err(error) => return Some(error.to_string()),
    };
    let strict = compile(Strictness::Strict).map_err(|error| error.to_string());
    for test in tests.as_array().unwrap() {
        *cases += 1;
        let (value, valid) = (&test["data"], test["valid"] == true);
        let told = declared.check(value);
        if told.is_ok() != valid {
            return Some(format!("{}: {told:?}", test["description"]));
        }
        let Ok(strict) = &strict else {
            return Some(format!("strict: {strict:?}"));
        };
        if strict.check(value).is_ok() && !valid {
            return Some(format!("{}: passes only when strict", test["description"]));
        }
    }
    None
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
