//! Annotations of schemas, the headers they ask for, and the headers that came.

use super::super::tests::of;
use super::super::{Mirrored, VALUE_MAX, Why};
use super::*;
use crate::{Document, Limits};

fn read(text: &str) -> Document {
    Document::read(text.to_owned().into(), &Limits::default()).unwrap()
}

fn params(schema: &str) -> Result<Params, ParamsError> {
    Params::read(read(schema).root())
}

const SCHEMA: &str = r#"{"type":"object","properties":{
    "region":{"type":"string","x-mcp-header":"Region"},
    "count":{"type":"integer","x-mcp-header":"Count"},
    "dry":{"type":"boolean","x-mcp-header":"dry-run"},
    "deep":{"type":"object","properties":{"er":{"type":"string","x-mcp-header":"Deeper"}}},
    "x-mcp-header":{"type":"string"},
    "query":{"type":"string","default":{"x-mcp-header":"NotOne"},"enum":[{"x-mcp-header":"NorThis"}]}
}}"#;

#[test]
fn h9_finds_the_annotations_wherever_properties_alone_lead() {
    let found = params(SCHEMA).unwrap();
    let headers: Vec<&str> = found.list.iter().map(|param| &*param.header).collect();
    let expected = [
        "Mcp-Param-Region",
        "Mcp-Param-Count",
        "Mcp-Param-dry-run",
        "Mcp-Param-Deeper",
    ];
    assert_eq!(headers, expected);
    assert!(!found.is_empty());
    for none in [
        "{}",
        "true",
        "[]",
        r#"{"properties":{"a":{"type":"string"}}}"#,
    ] {
        assert!(params(none).unwrap().is_empty(), "{none}");
    }
}

#[test]
fn h9_names_and_data_that_look_like_annotations_are_none() {
    let cases = [
        r#"{"properties":{"x-mcp-header":{"type":"string"}}}"#,
        r#"{"$defs":{"x-mcp-header":{"type":"string"}}}"#,
        r#"{"patternProperties":{"x-mcp-header":{}}}"#,
        r#"{"default":{"x-mcp-header":"A"}}"#,
        r#"{"const":{"x-mcp-header":"A"},"examples":[{"x-mcp-header":"A"}]}"#,
        r#"{"required":["x-mcp-header"],"description":"x-mcp-header"}"#,
        r#"{"properties":{"a":{"type":"string","X-MCP-Header":"A"}}}"#,
    ];
    for schema in cases {
        assert_eq!(params(schema), Ok(Params::default()), "{schema}");
    }
}

#[test]
fn h9_a_schema_that_breaks_a_rule_is_refused_with_the_place() {
    use ParamsError::*;
    let one = |annotation: &str| {
        format!(r#"{{"properties":{{"a":{{"type":"string","x-mcp-header":{annotation}}}}}}}"#)
    };
    let kind = |kind: &str| format!(r#"{{"properties":{{"a":{{{kind}"x-mcp-header":"A"}}}}}}"#);
    let a = || "/properties/a".into();
    let long = format!("\"{}\"", "x".repeat(NAME_MAX + 1));
    let cases = [
        (one("\"\""), Token(a())),
        (one("7"), Token(a())),
        (one("null"), Token(a())),
        (one("[\"A\"]"), Token(a())),
        (one("\"A B\""), Token(a())),
        (one("\"A:B\""), Token(a())),
        (one("\"Ä\""), Token(a())),
        (one(r#""A\r\nB""#), Token(a())),
        (one(&long), Long(a())),
        (kind(""), Type(a())),
        (kind(r#""type":"number","#), Type(a())),
        (kind(r#""type":"object","#), Type(a())),
        (kind(r#""type":"array","#), Type(a())),
        (kind(r#""type":"null","#), Type(a())),
        (kind(r#""type":["string"],"#), Type(a())),
        (kind(r#""type":["string","null"],"#), Type(a())),
        (r#"{"type":"string","x-mcp-header":"A"}"#.into(), Place("".into())),
        (
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#.into(),
            Repeated("/properties/b".into()),
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(params(&schema), Err(expected), "{schema}");
    }
}

#[test]
fn h9_an_annotation_off_the_chain_of_properties_is_refused() {
    let inner = r#"{"properties":{"b":{"type":"string","x-mcp-header":"B"}}}"#;
    let refused = |schema: &str, place: &str| {
        let expected = ParamsError::Place(format!("{place}/properties/b").into());
        assert_eq!(params(schema), Err(expected), "{schema}");
    };
    let single = "items contains additionalItems additionalProperties unevaluatedProperties \
        unevaluatedItems propertyNames contentSchema not if then else vendor";
    for keyword in single.split_whitespace() {
        let schema = format!(r#"{{"properties":{{"a":{{"{keyword}":{inner}}}}}}}"#);
        refused(&schema, &format!("/properties/a/{keyword}"));
    }
    for keyword in ["prefixItems", "oneOf", "anyOf", "allOf", "items", "vendor"] {
        let schema = format!(r#"{{"properties":{{"a":{{"{keyword}":[7,{inner}]}}}}}}"#);
        refused(&schema, &format!("/properties/a/{keyword}/1"));
    }
    let maps = "$defs definitions dependencies dependentSchemas patternProperties";
    for keyword in maps.split_whitespace() {
        // A schema whose name is a keyword for data is a schema all the same.
        let schema = format!(r#"{{"{keyword}":{{"default":{inner}}}}}"#);
        refused(&schema, &format!("/{keyword}/default"));
    }
}

#[test]
fn h9_a_tool_has_a_bounded_number_of_annotations() {
    let schema = |count: usize| {
        let members: Vec<String> = (0..count)
            .map(|at| format!(r#""p{at}":{{"type":"integer","x-mcp-header":"H{at}"}}"#))
            .collect();
        format!(r#"{{"properties":{{{}}}}}"#, members.join(","))
    };
    assert_eq!(
        params(&schema(Params::MAX)).unwrap().list.len(),
        Params::MAX
    );
    let refused = params(&schema(Params::MAX + 1)).unwrap_err();
    assert!(matches!(refused, ParamsError::Count(_)), "{refused}");
}

#[test]
fn h9_the_way_to_a_mirrored_argument_is_bounded() {
    let schema = |length: usize| {
        let name = "n".repeat(length - 1);
        let inner = r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}"#;
        format!(r#"{{"properties":{{"{name}":{inner}}}}}"#)
    };
    assert!(params(&schema(PATH_MAX)).is_ok());
    let refused = params(&schema(PATH_MAX + 1)).unwrap_err();
    assert!(matches!(refused, ParamsError::Path(_)), "{refused}");
}

#[test]
fn h9_a_place_in_a_report_is_short() {
    let schema = format!(
        r#"{{"properties":{{"{}":{{"x-mcp-header":""}}}}}}"#,
        "é".repeat(4000)
    );
    let said = params(&schema).unwrap_err().to_string();
    assert!(said.chars().count() < PLACE_MAX + 80, "{said}");
}

#[test]
fn h9_mirrors_values_and_omits_what_is_not_there() {
    let found = params(SCHEMA).unwrap();
    let cases: [(&str, &[(&str, &str)]); 12] = [
        ("{}", &[]),
        ("[]", &[]),
        (r#"{"region":null,"deep":null,"query":"q"}"#, &[]),
        (
            r#"{"region":"us-west1"}"#,
            &[("Mcp-Param-Region", "us-west1")],
        ),
        (
            r#"{"region":" \u00fc\n"}"#,
            &[("Mcp-Param-Region", "=?base64?IMO8Cg==?=")],
        ),
        (r#"{"region":""}"#, &[("Mcp-Param-Region", "=?base64??=")]),
        (r#"{"count":-7}"#, &[("Mcp-Param-Count", "-7")]),
        (r#"{"count":42.0}"#, &[("Mcp-Param-Count", "42")]),
        (r#"{"count":-0}"#, &[("Mcp-Param-Count", "0")]),
        (
            r#"{"dry":false,"deep":{"er":"x"}}"#,
            &[("Mcp-Param-dry-run", "false"), ("Mcp-Param-Deeper", "x")],
        ),
        (r#"{"count":1.5,"region":["a"],"dry":{},"deep":"no"}"#, &[]),
        (
            r#"{"count":9007199254740991,"dry":true}"#,
            &[
                ("Mcp-Param-Count", "9007199254740991"),
                ("Mcp-Param-dry-run", "true"),
            ],
        ),
    ];
    for (arguments, expected) in cases {
        let document = read(arguments);
        let headers = found.headers(Some(document.root())).unwrap();
        let seen: Vec<(&str, &str)> = headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(seen, expected, "{arguments}");
        // What is sent up is what would be taken down, and nothing of it may be missing.
        assert_eq!(
            found.check(Some(document.root()), of(&seen)),
            Ok(()),
            "{arguments}"
        );
        for left_out in 0..seen.len() {
            let mut rest = seen.clone();
            rest.remove(left_out);
            let refused = found.check(Some(document.root()), of(&rest)).unwrap_err();
            assert_eq!(refused.why(), Why::Missing, "{arguments}");
        }
    }
    assert_eq!(found.headers(None), Ok(Vec::new()));
    let long = read(&format!(r#"{{"region":"{}"}}"#, "x".repeat(VALUE_MAX + 1)));
    assert_eq!(found.headers(Some(long.root())), Err(MirrorError::Long));
}

fn check(arguments: &str, headers: &[(&str, &str)], expected: Option<Why>) {
    let document = read(arguments);
    let checked = params(SCHEMA)
        .unwrap()
        .check(Some(document.root()), of(headers));
    let why = checked.as_ref().err().map(Mismatch::why);
    assert_eq!(why, expected, "{arguments} {headers:?}");
    if let Err(mismatch) = checked {
        assert!(matches!(mismatch.header(), Mirrored::Param(_)));
        let said = mismatch.to_string();
        assert!(said.starts_with("`Mcp-Param-"), "{said}");
    }
}

#[test]
fn h10_a_recognised_header_matches_the_body_or_the_call_is_refused() {
    use Why::*;
    let one = |arguments: &str, value: &str, expected: Option<Why>| {
        check(arguments, &[("Mcp-Param-Region", value)], expected);
    };
    let hello = r#"{"region":"Hello"}"#;
    one(hello, "Hello", None);
    one(hello, "=?base64?SGVsbG8=?=", None);
    one(hello, "hello", Some(Differs));
    one(hello, "SGVsbG8=", Some(Differs));
    one(hello, "", Some(Differs));
    one(hello, "=?base64?SGVsbG8?=", Some(Encoding));
    one(hello, "=?base64?SGVs!!!bG8=?=", Some(Encoding));
    one(r#"{"region":"SGVsbG8="}"#, "SGVsbG8=", None);
    one(r#"{"region":"=?base64?SGk="}"#, "=?base64?SGk=", None);
    one(r#"{"region":""}"#, "", None);
    one(r#"{"region":null}"#, "", Some(Unexpected));
    one(r#"{"region":null}"#, "null", Some(Unexpected));
    one(r#"{"region":["a"]}"#, "a", Some(Unexpected));
    one("{}", "Hello", Some(Unexpected));

    check(hello, &[], Some(Missing));
    check(hello, &[("mcp-param-REGION", " Hello\t")], None);
    check(hello, &[("Mcp-Param-Region", "Hello"); 2], Some(Repeated));
    check("{}", &[("Mcp-Param-Region", "Hello"); 2], Some(Repeated));
    check("{}", &[("Mcp-Param-Unknown", "Hello")], None);
    check(r#"{"region":""}"#, &[], Some(Missing));
    check(r#"{"region":null}"#, &[], None);
    check(r#"{"region":["a"]}"#, &[], None);
    let deep = r#"{"deep":{"er":"x"}}"#;
    check(deep, &[("Mcp-Param-Deeper", "x")], None);
    check(deep, &[], Some(Missing));
    let dry = r#"{"dry":true}"#;
    check(dry, &[("Mcp-Param-Dry-Run", "true")], None);
    check(dry, &[("Mcp-Param-Dry-Run", "True")], Some(Differs));
}

#[test]
fn h10_integers_are_compared_as_numbers() {
    use Why::*;
    let one = |arguments: &str, value: &str, expected: Option<Why>| {
        check(arguments, &[("Mcp-Param-Count", value)], expected);
    };
    one(r#"{"count":42}"#, "42", None);
    one(r#"{"count":42}"#, "42.0", None);
    one(r#"{"count":42.0}"#, "42", None);
    one(r#"{"count":42}"#, "=?base64?NDI=?=", None);
    one(r#"{"count":42}"#, "43", Some(Differs));
    one(r#"{"count":42}"#, "42.5", Some(Differs));
    one(r#"{"count":"42"}"#, "42", None);
    one(r#"{"count":"42"}"#, "42.0", Some(Differs));
    one(r#"{"count":1.5}"#, "1.5", Some(Unexpected));
}

#[test]
fn h10_a_call_without_arguments_has_no_headers_and_a_tool_without_annotations_none_to_check() {
    let found = params(SCHEMA).unwrap();
    assert_eq!(found.check(None, of(&[])), Ok(()));
    let sent = [("Mcp-Param-Region", "x")];
    let refused = found.check(None, of(&sent)).unwrap_err();
    assert_eq!(refused.why(), Why::Unexpected);
    assert_eq!(Params::default().check(None, of(&sent)), Ok(()));
}

#[test]
fn h10_integers_are_read_in_decimal_and_no_other_way() {
    let cases = [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("7", Some(7)),
        ("-7.000", Some(-7)),
        ("9007199254740991", Some(9_007_199_254_740_991)),
        ("-9007199254740991", Some(-9_007_199_254_740_991)),
        ("9007199254740992", None),
        ("99999999999999999999", None),
        ("", None),
        ("-", None),
        ("+7", None),
        ("07", None),
        ("--7", None),
        ("7.", None),
        (".0", None),
        ("7.01", None),
        ("7.0.0", None),
        ("7e0", None),
        ("0x7", None),
        ("7 ", None),
        ("٧", None),
        ("7,0", None),
    ];
    for (text, expected) in cases {
        assert_eq!(integer(text), expected, "{text:?}");
    }
    for (number, expected) in [
        (1e3, Some(1000)),
        (-0.0, Some(0)),
        (0.5, None),
        (9_007_199_254_740_991.0, Some(SAFE_MAX)),
        (9_007_199_254_740_992.0, None),
        (1e300, None),
    ] {
        assert_eq!(whole(number), expected, "{number}");
    }
}
