//! Values of which only a name is known, and what stands in URIs.

use super::*;
use crate::pointer::Pattern;
use serde_json::json;

/// The rules that a list of values breaks.
fn rules(judged: &[Judged<'_>]) -> Vec<&'static str> {
    let flaws = judged.iter().flat_map(|it| &it.outcome.flaws);
    let mut rules: Vec<_> = flaws.map(|flaw| flaw.rule.name).collect();
    rules.dedup();
    rules
}

#[test]
fn n1_1_an_argument_is_recognised_by_its_name_alone() {
    for (values, expected) in [
        (json!({"topic": "..%2fx", "text": "$(id)"}), vec![]),
        (
            json!({"path": "a/b", "url": "https://example.com/"}),
            vec![],
        ),
        (json!({"path": "..%2fx"}), vec!["path.disguised_traversal"]),
        (
            json!({"filePath": ["a", "%252e%252e/x"]}),
            vec!["path.disguised_traversal"],
        ),
        (
            json!({"webhook": "gopher://x/"}),
            vec!["url.dangerous_scheme"],
        ),
        (
            json!({"host": "-oProxyCommand=id"}),
            vec!["host.option", "host.unreadable"],
        ),
        (json!({"host": 7}), vec![]),
    ] {
        let judged = check_named(values.as_object().unwrap(), &Around::default());
        assert_eq!(rules(&judged), expected, "{values}");
    }
}

#[test]
fn n1_1_the_uri_of_a_file_is_a_path_and_that_of_a_page_an_address() {
    let roots = Roots::new(["/srv/data"]).unwrap();
    for (uri, anywhere, inside) in [
        ("file:///srv/data/a%20b.txt", vec![], vec![]),
        ("FILE:/srv/data/a", vec![], vec![]),
        ("file://localhost/srv/data/a", vec![], vec![]),
        ("file:///etc/passwd", vec![], vec!["path.outside_roots"]),
        (
            "file:///srv/data/%2e%2e/x",
            vec!["path.disguised_traversal"],
            vec!["path.outside_roots", "path.disguised_traversal"],
        ),
        (
            "file:///srv/data/%252e%252e/x",
            vec!["path.disguised_traversal"],
            vec!["path.disguised_traversal"],
        ),
        ("file://host/srv/data", vec![], vec!["path.outside_roots"]),
        (
            "file:///a%00",
            vec!["path.nul"],
            vec!["path.nul", "path.outside_roots"],
        ),
        ("https://example.com/..%2f", vec![], vec![]),
        (
            "ftp://metadata.google.internal/",
            vec!["host.metadata"],
            vec!["host.metadata"],
        ),
        (
            "https:example.com",
            vec!["url.ambiguous"],
            vec!["url.ambiguous"],
        ),
        ("notes://a/..%2f..%2fb", vec![], vec![]),
        ("memo", vec![], vec![]),
    ] {
        let certain = |around: &Around<'_>| {
            let judged = check_uri(uri, around);
            let flaws = judged.iter().flat_map(|it| it.outcome.flaws.clone());
            let certain = flaws.filter(|flaw| flaw.rule.weight == Weight::Certain);
            let mut rules: Vec<_> = certain.map(|flaw| flaw.rule.name).collect();
            rules.sort_unstable();
            rules.dedup();
            rules
        };
        let sorted = |mut rules: Vec<&'static str>| {
            rules.sort_unstable();
            rules
        };
        assert_eq!(certain(&Around::default()), sorted(anywhere), "{uri}");
        let around = Around {
            roots: Some(&roots),
            ..Around::default()
        };
        assert_eq!(certain(&around), sorted(inside), "{uri}");
    }
    let found = check_uri(
        "file:///srv/data/a%20b",
        &Around {
            roots: Some(&roots),
            ..Around::default()
        },
    );
    let place = found.first().and_then(|it| it.outcome.path.clone());
    assert_eq!(place.unwrap().place, "/srv/data/a b");
}

#[test]
fn n1_1_a_part_of_a_uri_is_what_its_reader_has_and_a_path_what_is_written_too() {
    let kinds = [
        ("/path", Kind::of(Meaning::Path)),
        ("/word", Kind::of(Meaning::Shell)),
        ("/link", Kind::of(Meaning::Url)),
    ];
    let mut parameters = Parameters::default();
    for (place, kind) in kinds {
        let expectation = Expectation {
            basis: Basis::Declared,
            otherwise: Consequence::Refuse,
            kind,
        };
        parameters.expect(&Pattern::parse(place).unwrap(), expectation);
    }
    for (name, text, expected) in [
        ("path", "a%20b", vec![]),
        (
            "path",
            "%2e%2e/a",
            vec!["path.traversal", "path.disguised_traversal", "path.encoded"],
        ),
        ("word", "a%20b", vec!["shell.space"]),
        ("word", "ab", vec![]),
        ("link", "https%3A%2F%2Fexample.com%2F", vec![]),
        ("link", "https://example.com/a%20b", vec![]),
        ("link", "https%3A%2F%2F169.254.169.254%2F", vec![]),
        ("link", "gopher%3A%2F%2Fx", vec!["url.dangerous_scheme"]),
        ("other", "$(id)", vec![]),
    ] {
        let judged = check_parts(&parameters, &[(name, text)], &Around::default());
        let mut told = rules(&judged);
        told.sort_unstable();
        told.dedup();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(told, expected, "{name} {text}");
        if text.contains("169.254") {
            assert!(
                judged.iter().any(|it| it.outcome.target.is_some()),
                "{text}"
            );
        }
    }
    let named = check_named_parts(
        &[("file", "..%2fx"), ("note", "..%2fx")],
        &Around::default(),
    );
    assert!(rules(&named).contains(&"path.disguised_traversal"));
    assert!(named.iter().all(|it| it.pointer.starts_with("/file")));
    assert_eq!(rules(undeclared("x:y").as_slice()), ["resource.undeclared"]);
}

#[test]
fn n1_1_what_nobody_sees_is_a_fact_about_a_name() {
    for (meaning, text, expected) in [
        (Meaning::Path, "a/b", None),
        (Meaning::Path, "a\0b", Some("path.nul")),
        (Meaning::Path, "a\u{200b}b", Some("argument.hidden_text")),
        (Meaning::Path, "\u{1b}[2Ka\0", Some("path.nul")),
        // A letter that joins no more is part of how a name is written.
        (Meaning::Path, "نمی\u{200c}خواهم", None),
        (Meaning::Url, "https://a\0/", Some("url.control")),
        (
            Meaning::Url,
            "https://a\u{2060}/",
            Some("argument.hidden_text"),
        ),
        (Meaning::Host, "a\0", Some("host.control")),
        (Meaning::Shell, "a\0", Some("shell.nul")),
        (Meaning::Shell, "a\u{e0041}", Some("argument.hidden_text")),
        (
            Meaning::Email,
            "a\0@example.org",
            Some("argument.hidden_text"),
        ),
        (
            Meaning::Identifier,
            "a\u{ad}b",
            Some("argument.hidden_text"),
        ),
        (Meaning::Code, "a\0", Some("code.nul")),
        (Meaning::Code, "a\u{202e}", None),
        (Meaning::SqlValue, "a\0", Some("sql.nul")),
        (Meaning::SqlQuery, "a\u{200b}", None),
        (Meaning::Header, "a\0", Some("header.control")),
        (Meaning::Header, "a\u{200b}", None),
        (Meaning::Template, "a\0", None),
        (Meaning::Text, "a\0", None),
    ] {
        for basis in [Basis::Declared, Basis::Recognised] {
            let expectation = Expectation {
                basis,
                otherwise: Consequence::Refuse,
                kind: Kind::of(meaning),
            };
            let told = expectation.unseen(text).flaws;
            let told = told.first().map(|flaw| flaw.rule.name);
            assert_eq!(told, expected, "{meaning} {text:?}");
        }
    }
}
