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
        (json!({"host": true}), vec![]),
        (json!({"host": 2130706433u32}), vec!["host.disguised"]),
    ] {
        let judged = check_named(values.as_object().unwrap(), &Around::default());
        assert_eq!(rules(&judged), expected, "{values}");
    }
}

/// A URI, and the rules that it breaks for certain where no roots are known, and where `/srv/data` is one.
type Uri = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const URIS: &[Uri] = &[
    ("file:///srv/data/a%20b.txt", &[], &[]),
    ("FILE:/srv/data/a", &[], &[]),
    ("FILE:///etc/passwd", &[], &["path.outside_roots"]),
    (" file:///etc/passwd", &[], &["path.outside_roots"]),
    ("file://localhost/srv/data/a", &[], &[]),
    ("file:///etc/passwd", &[], &["path.outside_roots"]),
    (
        "file:///srv/data/%2e%2e/x",
        &["path.disguised_traversal"],
        &["path.outside_roots", "path.disguised_traversal"],
    ),
    (
        "file:///srv/data/%252e%252e/x",
        &["path.disguised_traversal"],
        &["path.disguised_traversal"],
    ),
    ("file://host/srv/data", &[], &["path.outside_roots"]),
    (
        "file:///a%00",
        &["path.nul"],
        &["path.nul", "path.outside_roots"],
    ),
    ("https://example.com/..%2f", &[], &[]),
    (
        "ftp://metadata.google.internal/",
        &["host.metadata"],
        &["host.metadata"],
    ),
    (
        " ftp://metadata.google.internal/",
        &["host.metadata"],
        &["host.metadata"],
    ),
    ("https:example.com", &["url.ambiguous"], &["url.ambiguous"]),
    ("notes://a/..%2f..%2fb", &[], &[]),
    ("memo", &[], &[]),
    (
        "see: http://metadata.google.internal/",
        &["host.metadata"],
        &["host.metadata"],
    ),
    (
        "URL:http://metadata.google.internal/",
        &["host.metadata"],
        &["host.metadata"],
    ),
    ("<file:///etc/passwd>", &[], &["path.outside_roots"]),
    ("URL:file:/etc/passwd", &[], &["path.outside_roots"]),
    ("fi\tle:///etc/passwd", &["url.control"], &["url.control"]),
    ("ht\ntp://example.com/", &["url.control"], &["url.control"]),
    // A query and a fragment are no part of the place, and to some they are.
    ("file:///srv/data/a.rs#L10", &[], &[]),
    ("file:///srv/data/a.rs?x=1", &[], &[]),
    ("file:///srv/data/C%23/a", &[], &[]),
    (
        "file:///etc/passwd?/../../srv/data/x",
        &[],
        &["path.outside_roots"],
    ),
    (
        "file:///etc/passwd#/../../srv/data/x",
        &[],
        &["path.outside_roots"],
    ),
    (
        "file:///etc/passwd%3F/../../srv/data/x",
        &[],
        &["path.outside_roots"],
    ),
    (
        "file:///etc/passwd%23/%2e%2e/../srv/data/x",
        &[],
        &["path.outside_roots"],
    ),
    ("file:/etc?/../srv/data/x", &[], &["path.outside_roots"]),
    (
        "file:///srv/data/x?/../../../etc/passwd",
        &[],
        &["path.outside_roots"],
    ),
    ("file://?/srv/data/x", &[], &["path.outside_roots"]),
    // To browsers nothing is relative here.
    ("file:etc/passwd", &[], &["path.outside_roots"]),
    ("file:../srv/data/x", &[], &["path.outside_roots"]),
    ("file:srv/data/x", &[], &[]),
    ("file:~/x", &[], &["path.outside_roots"]),
    ("file:///C:/x", &[], &["path.outside_roots"]),
];

#[test]
fn n1_1_the_uri_of_a_file_is_a_path_and_that_of_a_page_an_address() {
    let roots = Roots::new(["/srv/data"]).unwrap();
    for &(uri, anywhere, inside) in URIS {
        let certain = |around: &Around<'_>| {
            let judged = check_uri(uri, around);
            let flaws = judged.iter().flat_map(|it| it.outcome.flaws.clone());
            let certain = flaws.filter(|flaw| flaw.rule.weight == Weight::Certain);
            let mut rules: Vec<_> = certain.map(|flaw| flaw.rule.name).collect();
            rules.sort_unstable();
            rules.dedup();
            rules
        };
        let sorted = |rules: &[&'static str]| {
            let mut rules = rules.to_vec();
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
fn n1_1_of_a_uri_that_is_still_to_be_cleaned_only_what_nobody_sees_is_asked() {
    let around = Around {
        asked: Asked::Unseen,
        ..Around::default()
    };
    for (uri, expected) in [
        ("file:///a/%2e%2e/%2e%2e/x", vec![]),
        ("https:example.com", vec![]),
        ("file:///a\0", vec!["path.nul"]),
        ("https://a\u{2060}/", vec!["argument.hidden_text"]),
        ("notes://a\u{200b}b", vec!["argument.hidden_text"]),
    ] {
        assert_eq!(rules(&check_uri(uri, &around)), expected, "{uri}");
    }
}

/// A variable, what stands in it, and the rules that it breaks as declared.
const PARTS: &[(&str, &str, &[&str])] = &[
    ("path", "a%20b", &[]),
    (
        "path",
        "%2e%2e/a",
        &["path.traversal", "path.disguised_traversal", "path.encoded"],
    ),
    ("word", "a%20b", &["shell.space"]),
    ("word", "ab", &[]),
    ("id", "a%2Db", &[]),
    ("id", "a%2Fb", &["identifier.letters"]),
    ("link", "https%3A%2F%2Fexample.com%2F", &[]),
    ("link", "https://example.com/a%20b", &[]),
    ("link", "https%3A%2F%2F169.254.169.254%2F", &[]),
    ("link", "gopher%3A%2F%2Fx", &["url.dangerous_scheme"]),
    ("other", "$(id)", &[]),
    // A query belongs to whoever reads the part as more than a path.
    ("rooted", "/srv/data/a?b", &[]),
    (
        "rooted",
        "/etc/passwd?/../../srv/data/x",
        &["path.dots", "path.outside_roots"],
    ),
    ("rooted", "/etc/passwd#x", &["path.outside_roots"]),
    (
        "rooted",
        "/etc/passwd%23/../../srv/data/x",
        &["path.dots", "path.outside_roots"],
    ),
    ("word", "a?b", &["shell.glob"]),
    ("word", "ab#", &[]),
    ("link", "https://example.com/?a=%20#b", &[]),
];

#[test]
fn n1_1_a_part_of_a_uri_is_what_its_reader_has_and_a_path_what_is_written_too() {
    let kinds = [
        ("/path", Kind::of(Meaning::Path)),
        ("/word", Kind::of(Meaning::Shell)),
        ("/link", Kind::of(Meaning::Url)),
        ("/id", Kind::of(Meaning::Identifier)),
        ("/rooted", Kind::Path(Roots::new(["/srv/data"]).unwrap())),
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
    for &(name, text, expected) in PARTS {
        let judged = check_parts(&parameters, &[(name, text)], &Around::default());
        let mut told = rules(&judged);
        told.sort_unstable();
        told.dedup();
        let mut expected = expected.to_vec();
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
    let roots = Roots::new(["/srv/data"]).unwrap();
    let around = Around {
        roots: Some(&roots),
        ..Around::default()
    };
    let cut = check_named_parts(&[("path", "/etc/passwd?/../../srv/data/x")], &around);
    assert!(rules(&cut).contains(&"path.outside_roots"));
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
