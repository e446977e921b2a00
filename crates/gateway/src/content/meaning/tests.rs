//! What of a configuration counts for a value: which declaration goes first, and what is asked beside it.

use super::*;
use crate::content::sample;
use inspect::meaning::Meaning;
use serde_json::json;

/// What an operator wrote of arguments, read.
fn meanings(arguments: &Value) -> Meanings {
    Meanings::new(&settled(arguments)).unwrap()
}

/// The same, settled.
fn settled(arguments: &Value) -> settled::Arguments {
    sample::settled(&json!({ "arguments": arguments })).arguments
}

/// An approved tool of which nobody declared anything.
fn tool(properties: Value) -> Tool {
    let input = json!({ "type": "object", "properties": properties });
    let definition = json!({ "name": "find", "inputSchema": input });
    let mut recognised = Parameters::default();
    for (place, meaning) in meaning::recognise(&definition) {
        recognised.expect(&place, expectation(Basis::Recognised, Kind::of(meaning)));
    }
    Tool {
        name: "find".into(),
        digest: inspect::pin::digest(&definition),
        digest_text: "".into(),
        input: Schema::compile(&input, Strictness::Declared, &Budget::default()).unwrap(),
        definition,
        output: None,
        needs_task: false,
        mirror: protocol::mirror::Params::default(),
        recognised,
        labels: Vec::new(),
    }
}

/// The rules that are broken, each once.
fn rules(judged: &[Judged<'_>]) -> Vec<&'static str> {
    let flaws = judged.iter().flat_map(|it| &it.outcome.flaws);
    let mut rules: Vec<_> = flaws.map(|flaw| flaw.rule.name).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

const DISGUISED: &str = "path.disguised_traversal";

#[test]
fn n1_1_what_names_a_thing_more_exactly_counts_for_it() {
    let meanings = meanings(&json!({
        "prompts": {
            "r*": { "/a": { "is": "identifier" }, "/b": { "is": "identifier" } },
            "re*": { "/a": { "is": "text" } },
        },
        "resources": {
            "notes://{+rest}": { "/rest": { "is": "identifier" } },
            "notes://~/{name}": { "/name": { "is": "text" } },
        },
    }));
    for (prompt, arguments, expected) in [
        ("review", json!({ "a": "x y" }), &[][..]),
        ("rename", json!({ "b": "x y" }), &["identifier.letters"]),
        ("rank", json!({ "a": "x y" }), &["identifier.letters"]),
        ("other", json!({ "a": "x y" }), &[]),
    ] {
        let judged = meanings.judge_prompt(prompt, &members(arguments), Asked::Everything);
        assert_eq!(rules(&judged), expected, "{prompt}");
    }
    for (uri, expected) in [
        ("notes://~/x y", &[][..]),
        ("notes://x y", &["identifier.letters"]),
        ("notes://~", &["identifier.letters", "identifier.option"]),
    ] {
        let judged = meanings.judge_uri(uri, Asked::Everything);
        assert_eq!(rules(&judged), expected, "{uri}");
    }
}

#[test]
fn n1_1_what_is_not_declared_is_recognised_unless_it_is_to_be_ignored() {
    let form = "repo://{owner}/{+file}";
    let of = |recognised: &str| {
        meanings(&json!({
            "recognised": recognised,
            "resources": {
                form: { "/owner": { "is": "identifier" } },
                "https://{+rest}": { "/uri": { "is": "url", "hosts": ["example.com"] } },
            },
        }))
    };
    for (recognised, names) in [("refuse", &[DISGUISED][..]), ("ignore", &[])] {
        let meanings = of(recognised);
        let judged = |uri: &str| rules(&meanings.judge_uri(uri, Asked::Everything));
        assert_eq!(judged("repo://ada/x"), [""; 0]);
        assert_eq!(judged("repo://a;b/x"), ["identifier.letters"]);
        assert_eq!(judged("repo://ada"), ["resource.undeclared"]);
        assert_eq!(judged("https://example.com/"), [""; 0]);
        assert_eq!(judged("https://other.example/"), ["host.not_allowed"]);
        let is_told = |found: Vec<&'static str>| found.contains(&DISGUISED) != names.is_empty();
        assert!(is_told(judged("repo://ada/%2e%2e/x")), "{recognised}");
        assert!(is_told(judged("file:///a/%2e%2e/x")), "{recognised}");
        for (values, expected) in [
            (json!({ "owner": "a;b" }), &["identifier.letters"][..]),
            (json!({ "file": "..%2fx" }), names),
        ] {
            let values = members(values);
            let judged = meanings.judge_template(form, &values, Asked::Everything);
            assert!(
                expected.iter().all(|rule| rules(&judged).contains(rule))
                    && judged.is_empty() == expected.is_empty(),
                "{recognised}: {values:?}"
            );
        }
        let values = members(json!({ "path": "..%2fx" }));
        let judged = meanings.judge_prompt("any", &values, Asked::Everything);
        assert_eq!(judged.is_empty(), names.is_empty(), "{recognised}");
        // What nobody sees is asked in any case, and nothing else before it is gone.
        let unseen = |uri: &str| rules(&meanings.judge_uri(uri, Asked::Unseen));
        assert_eq!(unseen("repo://a\u{200b}b/x"), ["argument.hidden_text"]);
        assert_eq!(unseen("repo://a;b/x"), [""; 0]);
    }
}

fn expectation(basis: Basis, kind: Kind) -> Expectation {
    Expectation {
        basis,
        otherwise: Consequence::Refuse,
        kind,
    }
}

#[test]
fn n1_1_what_is_only_recognised_is_refused_where_it_says_so() {
    use super::{Basis::*, Consequence::*};
    for (recognised, basis, as_said, expected) in [
        ("refuse", Recognised, Refuse, Refuse),
        ("refuse", Recognised, Report, Report),
        ("report", Recognised, Refuse, Report),
        ("ignore", Recognised, Refuse, Report),
        ("report", Declared, Refuse, Refuse),
        ("refuse", Declared, Report, Report),
    ] {
        let meanings = meanings(&json!({ "recognised": recognised }));
        let expected_of = expectation(basis, Kind::of(Meaning::Path));
        let found = meanings.consequence(&expected_of, as_said);
        assert_eq!(found, expected, "{recognised} {basis:?}");
    }
}

#[test]
fn n1_1_where_recognised_values_lead_is_said_for_all_and_of_declared_ones_for_each() {
    let all = meanings(&json!({ "roots": ["/srv"], "network": "public" }));
    let none = meanings(&json!({}));
    let own = Roots::new(["/own"]).unwrap();
    let path = || Kind::Path(Roots::default());
    use super::Basis::{Declared, Recognised};
    for (basis, kind, expected) in [
        (Recognised, path(), Some(&all.roots)),
        (Declared, path(), Some(&Roots::default())),
        (Declared, Kind::Path(own.clone()), Some(&own)),
        (Recognised, Kind::of(Meaning::Url), None),
    ] {
        assert_eq!(all.roots(&expectation(basis, kind)), expected, "{basis:?}");
    }
    for (meanings, basis, reach, expected) in [
        (&all, Recognised, Reach::Private, Network::Public),
        (&none, Recognised, Reach::Public, Network::Private),
        (&none, Declared, Reach::Public, Network::Public),
        (&all, Declared, Reach::Private, Network::Private),
    ] {
        let addresses = inspect::meaning::Addresses {
            reach,
            ..Default::default()
        };
        for kind in [Kind::Url(addresses.clone()), Kind::Host(addresses)] {
            let found = meanings.network(&expectation(basis, kind));
            assert_eq!(found, expected, "{basis:?} {reach:?}");
        }
    }
}

#[test]
fn n1_1_everything_that_is_declared_of_a_value_counts() {
    let meanings = meanings(&json!({ "prompts": { "p": {
        "/name": { "is": "identifier", "also": "/", "longest": 3 },
        "/near": { "is": "host", "network": "private", "otherwise": "report" },
        "/file": { "is": "path", "roots": ["/srv"] },
        "/page": { "is": "url", "schemes": ["https"], "ports": [443], "hosts": ["example.com"] },
    } } }));
    for (name, value, expected) in [
        ("name", "a/b", &[][..]),
        ("name", "a/bc", &["identifier.length"]),
        ("name", "a-b", &["identifier.letters"]),
        ("file", "/srv/a", &[]),
        ("file", "/etc/passwd", &["path.outside_roots"]),
        ("page", "https://example.com/", &[]),
        ("page", "http://example.com:443/", &["url.scheme"]),
        ("page", "https://example.com:444/", &["url.port"]),
        ("page", "https://a.example.com/", &["host.not_allowed"]),
    ] {
        let values = members(json!({ name: value }));
        let judged = meanings.judge_prompt("p", &values, Asked::Everything);
        assert_eq!(rules(&judged), expected, "{name} {value}");
    }
    for (name, otherwise, network) in [
        ("near", Consequence::Report, Network::Private),
        ("page", Consequence::Refuse, Network::Public),
    ] {
        let values = members(json!({ name: "a b" }));
        let judged = meanings.judge_prompt("p", &values, Asked::Everything);
        let expected = judged.first().unwrap().expected;
        assert_eq!(expected.otherwise, otherwise, "{name}");
        assert_eq!(meanings.network(expected), network, "{name}");
    }
}

#[test]
fn n1_1_every_schema_of_the_operators_own_counts_and_declares() {
    let mut settled = settled(&json!({
        "roots": ["/srv"],
        "schemas": {
            "find": r#"{"properties": {"name": {"maxLength": 4}}}"#,
            "fi*": r#"{"properties": {"name": {"minLength": 2}, "word": {"x-ringwall": {"is": "shell_word"}}}}"#,
            "other": r#"{"required": ["absent"]}"#,
        },
    }));
    // What stands in a file was read with the configuration.
    let of_file = settled::SchemaFile {
        file: "schema.json".into(),
        text: Some(
            r#"{"properties": {"id": {"maximum": 9}, "near": {"x-ringwall": {"is": "identifier"}}}}"#
                .into(),
        ),
    };
    let named = ToolPattern::Named("find".to_owned());
    settled.schema_files.insert(named, of_file);
    let meanings = Meanings::new(&settled).unwrap();
    let tool = tool(json!({}));
    for (arguments, fits, expected) in [
        (json!({ "name": "abc", "id": 9 }), true, &[][..]),
        (json!({ "name": "abcde" }), false, &[]),
        (json!({ "name": "a" }), false, &[]),
        (json!({ "id": 10 }), false, &[]),
        (json!({ "word": "a b" }), true, &["shell.space"]),
        (json!({ "near": "a b" }), true, &["identifier.letters"]),
    ] {
        let arguments = members(arguments);
        let found = meanings.fits(&tool, &arguments, &|_| None);
        assert_eq!(found.is_ok(), fits, "{arguments:?}");
        let judged = meanings.judge(&tool, &arguments, Asked::Everything);
        assert_eq!(rules(&judged), expected, "{arguments:?}");
    }
}

#[test]
fn n1_1_wherever_a_path_is_recognised_it_lies_in_the_roots_of_all() {
    const OUTSIDE: &str = "path.outside_roots";
    let form = "repo://{owner}/{+file}";
    for (recognised, is_told) in [("refuse", true), ("ignore", false)] {
        let meanings = meanings(&json!({
            "recognised": recognised,
            "roots": ["/srv"],
            "resources": { form: { "/owner": { "is": "identifier" } } },
        }));
        let tool = tool(json!({ "path": { "type": "string" } }));
        let everywhere = |place: &str| {
            let path = members(json!({ "path": place }));
            let asked = Asked::Everything;
            [
                rules(&meanings.judge(&tool, &path, asked)),
                rules(&meanings.judge_prompt("any", &path, asked)),
                rules(&meanings.judge_uri(&format!("file://{place}"), asked)),
                rules(&meanings.judge_uri(&format!("repo://ada/{place}"), asked)),
                rules(&meanings.judge_template(form, &members(json!({ "file": place })), asked)),
            ]
        };
        for (at, (inside, outside)) in everywhere("/srv/a")
            .iter()
            .zip(everywhere("/etc/passwd"))
            .enumerate()
        {
            assert!(!inside.contains(&OUTSIDE), "{at}: {inside:?}");
            assert_eq!(outside.contains(&OUTSIDE), is_told, "{at}: {outside:?}");
        }
    }
}
