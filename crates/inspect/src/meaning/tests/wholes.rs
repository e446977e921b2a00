//! Parameters of whole tools: recognised, declared, and both at once.

use super::*;
use crate::pointer::Pattern;
use serde_json::json;

fn recognised(schema: &Value) -> Vec<String> {
    recognised_of(&json!({ "name": "tool", "inputSchema": schema }))
}

fn recognised_of(definition: &Value) -> Vec<String> {
    let mut found: Vec<_> = recognise(definition)
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
            "files": {"patternProperties": {"^[a-z]+$": {"type": "string"}}},
            "folders": {"type": "object", "patternProperties": {"x": {"properties": {"dir": {"type": "string"}}}}},
            "urls": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "unevaluatedItems": {"properties": {"host": {}}}},
            "hosts": {"type": "array", "items": [{"type": "string"}], "additionalItems": {"type": "string"}},
            "anchored": {"$ref": "#where"},
            "by_id": {"$ref": "https://example.com/schemas/place.json"},
            "inside": {"$ref": "place.json#/properties/file_path"},
            "dynamic": {"$dynamicRef": "#who"},
            "old": {"$ref": "#older"},
            "spaced": {"$ref": "#/$defs/a%20b"},
            "nowhere": {"$ref": "other.json"},
        },
        "if": {"properties": {"mode": {"const": "x"}}},
        "then": {"properties": {"then_path": {"type": "string"}}},
        "else": {"properties": {"else_url": {"type": "string"}}},
        "dependentSchemas": {"paths": {"properties": {"cwd": {"type": "string"}}}},
        "dependencies": {"target": {"properties": {"webhook": {"type": "string"}}}, "edits": ["paths"]},
        "$defs": {
            "edit": {"properties": {"file_path": {"type": "string"}, "next": {"$ref": "#/$defs/edit"}}},
            "where": {"$anchor": "where", "properties": {"dir": {"type": "string"}}},
            "place": {"$id": "schemas/place.json", "properties": {"file_path": {"type": "string", "format": "path"}}},
            "who": {"$dynamicAnchor": "who", "properties": {"email": {"type": "string"}}},
            "older": {"$id": "#older", "properties": {"filename": {"type": "string"}}},
            "a b": {"properties": {"sql": {"type": "string"}}},
        },
    });
    let found = recognised(&schema);
    for expected in [
        "/paths/* path",
        "/edits/*/file_path path",
        "/edits/*/next/file_path path",
        "/target url",
        "/headers/* header",
        "/files/* path",
        "/folders/*/dir path",
        "/urls/0 url",
        "/urls/*/host host",
        "/hosts/0 host",
        "/hosts/* host",
        "/anchored/dir path",
        "/by_id/file_path path",
        "/inside path",
        "/dynamic/email email",
        "/old/filename path",
        "/spaced/sql sql_query",
        "/then_path path",
        "/else_url url",
        "/cwd path",
        "/webhook url",
    ] {
        assert!(
            found.iter().any(|found| found == expected),
            "{expected}: {found:?}"
        );
    }
}

#[test]
fn n1_1_behind_a_name_that_no_place_holds_nothing_is_recognised() {
    for (length, count) in [(1024, 1), (1025, 0)] {
        let inner = json!({"properties": {"path": {"type": "string"}}});
        let schema = json!({"properties": {"x".repeat(length): inner}});
        assert_eq!(
            recognise(&json!({ "inputSchema": schema })).len(),
            count,
            "{length}"
        );
        let name = "x".repeat(length - "#/".len());
        let schema = json!({"$ref": format!("#/{name}"), name.as_str(): inner});
        assert_eq!(
            recognise(&json!({ "inputSchema": schema })).len(),
            count,
            "{length}"
        );
    }
}

#[test]
fn n1_1_a_schema_that_refers_to_itself_ends() {
    let wide: serde_json::Map<String, Value> = (0..64)
        .map(|n| (format!("p{n}_path"), json!({"$ref": "#"})))
        .collect();
    let schema = json!({"properties": wide, "type": "string"});
    assert!(recognised(&schema).len() <= 256);
    assert!(recognised(&json!({"$ref": "#"})).is_empty());
    let named = json!({"$anchor": "a", "properties": {"path": {"$ref": "#a"}, "b": {"$ref": "x.json"}}, "$id": "x.json"});
    assert!(recognised(&named).len() <= 256);
}

#[test]
fn n1_1_where_files_are_moved_from_and_to_is_a_path() {
    let both = |from: &str, to: &str| json!({ "properties": { from: { "type": "string" }, to: { "type": "string" } } });
    let ends = |from: &str, to: &str| {
        let mut ends = vec![format!("/{from} path"), format!("/{to} path")];
        ends.sort();
        ends
    };
    for (name, description, from, to, are_paths) in [
        ("move_file", "", "source", "destination", true),
        ("copyFiles", "", "src", "dst", true),
        ("rename", "Renames a file.", "source", "dest", true),
        ("cp", "Copies files and folders.", "src", "dest", true),
        ("move_directory", "", "from", "to", true),
        ("rename_file", "", "old", "new", true),
        (
            "create_symlink",
            "Links to a path.",
            "source",
            "target",
            false,
        ),
        (
            "rename_symbol",
            "Renames a symbol in a file.",
            "old",
            "new",
            false,
        ),
        ("translate", "Translates a file.", "source", "to", false),
        ("book_flight", "", "source", "destination", false),
        (
            "copy_event",
            "Copies an event to another calendar.",
            "source",
            "destination",
            false,
        ),
        ("move_card", "", "from", "to", false),
        ("copy_row", "Copies a row.", "src", "dst", false),
    ] {
        let schema = both(from, to);
        let definition = json!({ "name": name, "description": description, "inputSchema": schema });
        let found = recognised_of(&definition);
        match are_paths {
            true => assert_eq!(found, ends(from, to), "{definition}"),
            false => assert!(
                !found.contains(&format!("/{to} path")),
                "{definition}: {found:?}"
            ),
        }
    }
    for (description, meaning) in [
        ("The file to read from", Some("path")),
        ("Directory to copy", Some("path")),
        ("The file or URL to read", None),
        ("Key of the file in the bucket", None),
        ("The source language", None),
        ("", None),
    ] {
        let schema = json!({"properties": {"source": text(description)}});
        let expected: Vec<_> = meaning
            .map(|it| format!("/source {it}"))
            .into_iter()
            .collect();
        assert_eq!(recognised(&schema), expected, "{description}");
    }
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
        (json!({"name": "abcdefgh"}), vec![]),
        (
            json!({"name": "abcdefghi"}),
            vec!["/name identifier.length"],
        ),
        (json!({"free": "../../x", "other": "../../y"}), vec![]),
        (
            json!({"where": 7, "links": {"a": 1}}),
            vec!["/links/a url.relative"],
        ),
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
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "url", "network": "both"}}}}),
            "`public` or `private`",
        ),
        (
            json!({"properties": {"a": {"x-ringwall": {"is": "path", "otherwise": "warn"}}}}),
            "`refuse` or `report`",
        ),
    ] {
        let told = declared(&schema).unwrap_err().to_string();
        assert!(told.contains(problem), "{schema}: {told}");
    }
}

#[test]
fn n1_1_a_declaration_says_where_addresses_lead_and_what_becomes_of_others() {
    for (said, reach, otherwise) in [
        (json!({"is": "url"}), Reach::Public, Consequence::Refuse),
        (
            json!({"is": "url", "network": "public", "otherwise": "refuse"}),
            Reach::Public,
            Consequence::Refuse,
        ),
        (
            json!({"is": "host", "network": "private", "otherwise": "report"}),
            Reach::Private,
            Consequence::Report,
        ),
    ] {
        let schema = json!({"properties": {"a": {"x-ringwall": said}}});
        let found = declared(&schema).unwrap();
        let [(_, expectation)] = &*found else {
            panic!("{found:?}");
        };
        assert_eq!(expectation.otherwise, otherwise, "{said}");
        assert!(
            matches!(&expectation.kind, Kind::Url(it) | Kind::Host(it) if it.reach == reach),
            "{said}: {expectation:?}"
        );
    }
}

/// So many levels, the last of which is this.
fn nested(levels: usize, last: Value) -> Value {
    (0..levels).fold(last, |inner, _| json!({ "allOf": [inner] }))
}

/// So many properties, the last of which is this.
fn many(properties: usize, last: Value) -> Value {
    let others = (1..properties).map(|n| (format!("p{n}"), json!({})));
    let all: serde_json::Map<_, _> = others.chain([("path".to_owned(), last)]).collect();
    json!({ "properties": all })
}

#[test]
fn n1_1_a_schema_with_too_much_in_it_declares_nothing() {
    let said = json!({"properties": {"a": {"x-ringwall": {"is": "path"}}}});
    for (schema, fits) in [
        (nested(15, said.clone()), true),
        (nested(16, said), false),
        (many(4095, json!({})), true),
        (many(4096, json!({})), false),
    ] {
        let is_too_large = matches!(declared(&schema), Err(DeclarationError::TooLarge));
        assert_eq!(is_too_large, !fits);
    }
}

#[test]
fn n1_1_a_parameter_is_recognised_as_far_as_schemas_are_read() {
    let path = json!({"type": "string"});
    let named = json!({"properties": {"path": path}});
    for (schema, is_found) in [
        (nested(11, named.clone()), true),
        (nested(12, named), false),
        (many(4095, path.clone()), true),
        (many(4096, path), false),
    ] {
        assert_eq!(recognised(&schema) == ["/path path"], is_found);
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
        ("~/.ssh/id_rsa", true),
        ("C:\\Windows", true),
        ("file:///etc/passwd", true),
        ("file:///srv/data/x", false),
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
        (
            Recognised,
            json!({ "p": "../x" }),
            &["/path argument.not_text"],
        ),
    ] {
        let found = told(basis, Meaning::Path, json!({ "path": value }));
        let has = |rule: &&str| found.iter().any(|it| it == rule);
        assert!(expected.iter().all(has), "{value}: {found:?}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{value}: {found:?}");
    }
    assert!(told(Declared, Meaning::Text, json!({ "path": {} })).is_empty());
    // What is in an object is held against nothing: that is told, and refuses where somebody declared it.
    let not_text = ALL.iter().find(|rule| rule.name == "argument.not_text");
    assert_eq!(not_text.unwrap().weight, Weight::Heuristic);
}
