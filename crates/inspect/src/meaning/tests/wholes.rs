//! Parameters of whole tools: recognised, declared, and both at once.

use super::*;
use crate::pointer::Pattern;
use serde_json::json;

fn recognised(schema: &Value) -> Vec<String> {
    let mut found: Vec<_> = recognise(schema)
        .into_iter()
        .map(|(place, meaning)| format!("{place} {meaning}"))
        .collect();
    found.sort();
    found
}

#[test]
fn n1_1_a_parameter_is_recognised_by_format_name_and_description() {
    for (name, schema, meaning) in parameters() {
        let schema = json!({"type": "object", "properties": {name: schema}});
        let expected: Vec<_> = meaning
            .map(|meaning| format!("/{name} {meaning}"))
            .into_iter()
            .collect();
        assert_eq!(recognised(&schema), expected, "{schema}");
    }
}

type Named = (&'static str, Value, Option<&'static str>);

fn parameters() -> impl Iterator<Item = Named> {
    clear().into_iter().chain(near_misses())
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// Parameters, and what they mean.
fn clear() -> Vec<Named> {
    vec![
        ("path", text(""), Some("path")),
        ("file_path", text(""), Some("path")),
        ("filePath", text(""), Some("path")),
        ("FilePath", text(""), Some("path")),
        ("outputDir", text(""), Some("path")),
        ("filename", text(""), Some("path")),
        ("file", text("The file to read"), Some("path")),
        ("directory", text(""), Some("path")),
        ("url", text(""), Some("url")),
        ("webhookUrl", text(""), Some("url")),
        ("endpoint", text(""), Some("url")),
        ("callback_uri", text(""), Some("url")),
        ("host", text(""), Some("host")),
        ("ip_address", text(""), Some("host")),
        ("domain", text("The domain name to look up"), Some("host")),
        ("sql", text(""), Some("sql_query")),
        ("query", text("SQL to run"), Some("sql_query")),
        ("command", text(""), Some("shell_word")),
        ("args", text("Arguments of the command"), Some("shell_word")),
        ("code", text("Python code to execute"), Some("code")),
        ("template", text(""), Some("template")),
        ("email", text(""), Some("email")),
        ("to", text("Where the mail goes"), Some("email")),
        ("subject", text("Subject of the email"), Some("header")),
        ("x", json!({"type": "string", "format": "uri"}), Some("url")),
        (
            "x",
            json!({"type": "string", "format": "email"}),
            Some("email"),
        ),
        (
            "x",
            json!({"type": "string", "format": "hostname"}),
            Some("host"),
        ),
        (
            "x",
            json!({"type": ["string", "null"], "format": "uri"}),
            Some("url"),
        ),
        ("path", json!({}), Some("path")),
    ]
}

/// Parameters that are only named like something.
fn near_misses() -> Vec<Named> {
    vec![
        ("path", json!({"type": "string", "format": "uuid"}), None),
        ("path", json!({"type": "integer"}), None),
        ("path", json!({"type": "string", "enum": ["a", "b"]}), None),
        (
            "path",
            json!({"type": "string", "contentEncoding": "base64"}),
            None,
        ),
        ("json_path", text(""), None),
        ("path", text("A JSONPath into the document"), None),
        ("file", text("The content of the file, base64"), None),
        ("file_content", text(""), None),
        ("pathology", text(""), None),
        ("profile", text(""), None),
        ("query", text("What to search for"), None),
        ("curl", text(""), None),
        ("commander", text(""), None),
        ("code", text("The country code"), None),
        ("domain", text("The field of knowledge"), None),
        ("to", text("The target language"), None),
        ("from", text("Start date"), None),
        ("subject", text("What it is about"), None),
        ("args", text("Further values"), None),
        ("message", text(""), None),
        ("id", text(""), None),
    ]
}

#[test]
fn n1_1_a_parameter_is_recognised_wherever_it_stands() {
    let schema = json!({
        "type": "object",
        "properties": {
            "paths": {"type": "array", "items": {"type": "string"}},
            "edits": {"type": "array", "items": {"$ref": "#/$defs/edit"}},
            "target": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
            "headers": {"type": "object", "description": "HTTP headers", "additionalProperties": {"type": "string", "description": "HTTP"}},
        },
        "$defs": {"edit": {"properties": {"file_path": {"type": "string"}, "next": {"$ref": "#/$defs/edit"}}}},
    });
    let found = recognised(&schema);
    for expected in [
        "/paths/* path",
        "/edits/*/file_path path",
        "/edits/*/next/file_path path",
        "/target url",
        "/headers/* header",
    ] {
        assert!(
            found.iter().any(|found| found == expected),
            "{expected}: {found:?}"
        );
    }
}

#[test]
fn n1_1_a_schema_that_refers_to_itself_ends() {
    let wide: serde_json::Map<String, Value> = (0..64)
        .map(|n| (format!("p{n}_path"), json!({"$ref": "#"})))
        .collect();
    let schema = json!({"properties": wide, "type": "string"});
    assert!(recognise(&schema).len() <= 256);
    assert_eq!(recognise(&json!({"$ref": "#"})), []);
}

#[test]
fn n1_1_what_an_operator_declares_is_read_from_their_schema() {
    let schema = json!({
        "type": "object",
        "properties": {
            "where": {"type": "string", "x-ringwall": {"is": "path", "roots": ["/srv/data"]}},
            "links": {"items": {"x-ringwall": {"is": "url", "hosts": ["*.example.com"], "ports": [443], "schemes": ["HTTPS"]}}},
            "name": {"allOf": [{"x-ringwall": {"is": "identifier", "also": "-", "longest": 8}}]},
            "free": {"x-ringwall": {"is": "text"}},
        },
    });
    let declared: Vec<_> = declared(&schema).unwrap();
    let mut parameters = Parameters::default();
    for (place, expectation) in declared {
        parameters.expect(&place, expectation);
    }
    for (arguments, expected) in [
        (json!({"where": "a/b"}), vec![]),
        (
            json!({"where": "/etc/passwd"}),
            vec!["/where path.outside_roots"],
        ),
        (
            json!({"links": ["https://a.example.com/", "http://b.example/"]}),
            vec![
                "/links/1 url.scheme",
                "/links/1 url.port",
                "/links/1 host.not_allowed",
            ],
        ),
        (json!({"name": "a b"}), vec!["/name identifier.letters"]),
        (json!({"free": "../../x", "other": "../../y"}), vec![]),
        (json!({"where": 7, "links": {"a": 1}}), vec![]),
    ] {
        let judged = parameters.check(arguments.as_object().unwrap());
        let told: Vec<_> = judged
            .iter()
            .flat_map(|judged| {
                judged
                    .outcome
                    .flaws
                    .iter()
                    .map(|flaw| format!("{} {}", judged.pointer, flaw.rule.name))
            })
            .collect();
        assert_eq!(told, expected, "{arguments}");
    }
}

#[test]
fn n1_1_a_declaration_that_says_nothing_clear_is_refused() {
    for (schema, problem) in [
        (json!({"x-ringwall": {"is": "path"}}), "must stand below"),
        (
            json!({"not": {"properties": {"a": {"x-ringwall": {"is": "path"}}}}}),
            "must stand below",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": "path"}}}),
            "an object with `is`",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {}}}}),
            "one of the meanings",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "pth"}}}}),
            "one of the meanings",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "path", "root": "/x"}}}}),
            "no member `root`",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "url", "roots": ["/x"]}}}}),
            "no member `roots`",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "path", "roots": []}}}}),
            "a list of texts",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "path", "roots": ["x"]}}}}),
            "absolute path",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "url", "hosts": ["*"]}}}}),
            "a list of hosts",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "url", "ports": [0]}}}}),
            "a list of port numbers",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "identifier", "longest": 0}}}}),
            "a number of characters",
        ),
    ] {
        let told = declared(&schema).unwrap_err().to_string();
        assert!(told.contains(problem), "{schema}: {told}");
    }
}

#[test]
fn n1_1_a_servers_own_keyword_is_seen_wherever_it_stands() {
    assert!(declares(
        &json!({"inputSchema": {"properties": {"a": {"x-ringwall": {"is": "text"}}}}})
    ));
    assert!(!declares(
        &json!({"inputSchema": {"properties": {"a": {"description": "x-ringwall"}}}})
    ));
}

#[test]
fn n1_1_what_is_declared_takes_the_place_of_what_is_recognised() {
    let said = |basis, places: &[(&str, Meaning)]| {
        let mut parameters = Parameters::default();
        for (place, meaning) in places {
            let expectation = Expectation {
                basis,
                otherwise: Consequence::Refuse,
                kind: Kind::of(*meaning),
            };
            parameters.expect(&Pattern::parse(place).unwrap(), expectation);
        }
        parameters
    };
    let recognised = said(
        Basis::Recognised,
        &[("/path", Meaning::Path), ("/paths/*", Meaning::Path)],
    );
    let arguments = json!({"path": "..%2fx", "paths": ["..%2fy", "z"]});
    let arguments = arguments.as_object().unwrap();
    for (places, left) in [
        (&[] as &[(&str, Meaning)], vec!["/path", "/paths/0"]),
        (&[("/path", Meaning::Text)], vec!["/paths/0"]),
        (&[("/paths", Meaning::Text)], vec!["/path"]),
        (&[("/paths/*", Meaning::Text)], vec!["/path"]),
        (&[("/*", Meaning::Text)], vec![]),
        (&[("/other", Meaning::Text)], vec!["/path", "/paths/0"]),
    ] {
        let declared = said(Basis::Declared, places);
        let around = Around {
            asked: Asked::Everything,
            others: &[&declared],
            roots: None,
        };
        let judged = recognised.check_but(arguments, &around);
        let told: Vec<_> = judged.iter().map(|judged| &*judged.pointer).collect();
        assert_eq!(told, left, "{places:?}");
        assert!(declared.check(arguments).is_empty());
    }
}

#[test]
fn n1_1_what_is_seldom_right_is_refused_where_it_is_declared() {
    let expect = |basis, otherwise| Expectation {
        basis,
        otherwise,
        kind: Kind::of(Meaning::Path),
    };
    let rule = |name: &str| ALL.iter().find(|rule| rule.name == name).unwrap();
    let (certain, heuristic) = (rule("path.nul"), rule("path.traversal"));
    use super::{Basis::*, Consequence::*};
    for (basis, otherwise, certainly, perhaps) in [
        (Declared, Refuse, Refuse, Refuse),
        (Declared, Report, Report, Report),
        (Recognised, Refuse, Refuse, Report),
        (Recognised, Report, Report, Report),
    ] {
        let expectation = expect(basis, otherwise);
        assert_eq!(expectation.consequence(certain), certainly);
        assert_eq!(expectation.consequence(heuristic), perhaps);
    }
}

#[test]
fn n1_1_a_recognised_path_stays_inside_roots_that_are_known() {
    let mut parameters = Parameters::default();
    let expectation = Expectation {
        basis: Basis::Recognised,
        otherwise: Consequence::Refuse,
        kind: Kind::of(Meaning::Path),
    };
    parameters.expect(&Pattern::parse("/path").unwrap(), expectation);
    let roots = Roots::new(["/srv/data"]).unwrap();
    let around = Around {
        asked: Asked::Everything,
        others: &[],
        roots: Some(&roots),
    };
    for (path, refused) in [
        ("a", false),
        ("a/../b", false),
        ("/srv/data/x", false),
        ("../x", true),
        ("/etc/passwd", true),
        ("a/../../x", true),
    ] {
        let arguments = json!({ "path": path });
        let judged = parameters.check_but(arguments.as_object().unwrap(), &around);
        let flaws = judged.iter().flat_map(|judged| &judged.outcome.flaws);
        let certain = flaws.filter(|flaw| flaw.rule.weight == Weight::Certain);
        assert_eq!(certain.count() > 0, refused, "{path}");
    }
}

#[test]
fn n1_1_a_value_is_judged_however_deep_it_stands() {
    let told = |basis, meaning, arguments: Value| {
        let mut parameters = Parameters::default();
        let expectation = Expectation {
            basis,
            otherwise: Consequence::Refuse,
            kind: Kind::of(meaning),
        };
        parameters.expect(&Pattern::parse("/path").unwrap(), expectation);
        let judged = parameters.check(arguments.as_object().unwrap());
        let told = judged.iter().flat_map(|judged| {
            let flaws = judged.outcome.flaws.iter();
            flaws.map(|flaw| format!("{} {}", judged.pointer, flaw.rule.name))
        });
        told.collect::<Vec<_>>()
    };
    use Basis::{Declared, Recognised};
    for (basis, value, expected) in [
        (
            Declared,
            json!([["../x"]]),
            &["/path/0/0 path.traversal"][..],
        ),
        (
            Recognised,
            json!([["a"], [["..%2fx"]]]),
            &["/path/1/0/0 path.disguised_traversal"],
        ),
        (
            Declared,
            json!({ "p": "../x" }),
            &["/path argument.not_text"],
        ),
        (
            Declared,
            json!([{ "p": "a" }]),
            &["/path/0 argument.not_text"],
        ),
        (Declared, json!([["a"], 1, null, true]), &[]),
        (Recognised, json!({ "p": "../x" }), &[]),
    ] {
        let found = told(basis, Meaning::Path, json!({ "path": value }));
        let has = |rule: &&str| found.iter().any(|it| it == rule);
        assert!(expected.iter().all(has), "{value}: {found:?}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{value}: {found:?}");
    }
    assert!(told(Declared, Meaning::Text, json!({ "path": {} })).is_empty());
}
