//! What is found in a text, where, and where reading ends.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

/// What is found, each with the strings it stands in; that it stands where it is said to.
fn found(text: &str) -> (Vec<(usize, String)>, Extent) {
    let mut found = Vec::new();
    let extent = each(text, &mut |place, document| {
        let root = document.root();
        let written = text.get(place.of(root.range())).unwrap();
        let said = std::str::from_utf8(root.raw()).unwrap();
        // Undone as often as it stands in strings, what is written is what was read.
        let mut undone = written.to_owned();
        for _ in 0..place.strings() {
            undone = serde_json::from_str(&format!("\"{undone}\"")).unwrap();
        }
        assert_eq!(undone, said, "{text}");
        found.push((place.strings(), said.to_owned()));
    });
    (found, extent)
}

/// A value in strings in strings.
fn packed(value: &Value, times: usize) -> String {
    (0..times).fold(value.to_string(), |text, _| {
        json!({ "in": text }).to_string()
    })
}

#[test]
fn json_in_a_text_is_found_where_it_stands() {
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let fenced = format!("x\n```\n{deep}\n```\n~~~\n[3]\n~~~\n");
    for (text, expected, extent) in [
        ("", vec![], Extent::Whole),
        ("plain", vec![], Extent::Whole),
        ("12", vec![], Extent::Whole),
        (r#" {"a":1}"#, vec![r#"{"a":1}"#], Extent::Whole),
        (r#"{"a":1,"a":2}"#, vec![r#"{"a":1,"a":2}"#], Extent::Whole),
        (
            "[12345678901234567890, 1e999]",
            vec!["[12345678901234567890, 1e999]"],
            Extent::Whole,
        ),
        (
            r#"{"a":"\ud800"}"#,
            vec![r#"{"a":"\ud800"}"#],
            Extent::Whole,
        ),
        (r#"{"a":1} and more"#, vec![], Extent::Whole),
        (
            "See:\n```json\n{\"a\":1}\n```\nand\n~~~\n[2]\n~~~\n",
            vec![r#"{"a":1}"#, "[2]"],
            Extent::Whole,
        ),
        ("```\n{\"a\":1}", vec![r#"{"a":1}"#], Extent::Whole),
        ("```\nlet x = {};\n```", vec![], Extent::Whole),
        // Line by line, with whatever between them.
        (
            "{\"a\":1}\n{\"b\":2}\r\n\n [{\"c\":3}] \nend",
            vec![r#"{"a":1}"#, r#"{"b":2}"#, r#"[{"c":3}]"#],
            Extent::Whole,
        ),
        (
            "one {\n{\"a\":1}\n```\n{\"b\":2}\n{\"c\":3}\n```\n{\"d\":4}",
            vec![r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#, r#"{"d":4}"#],
            Extent::Whole,
        ),
        // A reference is no list, and what goes over lines is none of them.
        ("see\n[1]\n[ ] {}\n{\n\"a\":1}", vec![], Extent::Whole),
        (&deep, vec![], Extent::Part),
        (&fenced, vec!["[3]"], Extent::Part),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|it| (0, it.to_owned())).collect();
        assert_eq!(found(text), (expected, extent), "{text}");
    }
}

#[test]
fn json_in_strings_of_json_is_found_where_it_is_written() {
    let value = json!({ "é\"": "a\u{1f600}\n\\", "b": [1, "{}"] });
    let (said, empty) = (value.to_string(), "{}".to_owned());
    for times in 0..=STRINGS {
        let mut expected: Vec<_> = (0..times)
            .map(|it| (it, packed(&value, times - it)))
            .collect();
        expected.push((times, said.clone()));
        let inmost = (times < STRINGS).then(|| (times + 1, empty.clone()));
        expected.extend(inmost);
        let extent = match times < STRINGS {
            true => Extent::Whole,
            false => Extent::Part,
        };
        assert_eq!(found(&packed(&value, times)), (expected, extent), "{times}");
    }
    let plain = json!({ "a": 1 });
    assert_eq!(found(&packed(&plain, STRINGS)).1, Extent::Whole);
    for (text, expected) in [
        // A string that is one, however its signs are written.
        (r#""{\"a\":1}""#, vec![(1, r#"{"a":1}"#)]),
        (r#""\u007b\u0022a\u0022:1\u007d""#, vec![(1, r#"{"a":1}"#)]),
        (r#""\"{}\"""#, vec![(2, "{}")]),
        (r#""said {}""#, vec![]),
        (r#""""#, vec![]),
        // Lines and fences in a string.
        (
            r#"{"out":"{\"a\":1}\n{\"b\":2}\n","log":"x\n```\n{\"c\":3}\n```"}"#,
            vec![(1, r#"{"a":1}"#), (1, r#"{"b":2}"#), (1, r#"{"c":3}"#)],
        ),
        // Names are names.
        (r#"{"{\"a\":1}":2}"#, vec![]),
    ] {
        let (mut all, extent) = found(text);
        all.retain(|(strings, _)| *strings > 0 && !matches!(text, r#""\"{}\"""#) || *strings > 1);
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(at, it)| (at, it.to_owned()))
            .collect();
        assert_eq!((all, extent), (expected, Extent::Whole), "{text}");
    }
}

proptest! {
    // The same texts at each run.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(93), ..ProptestConfig::default() })]

    #[test]
    fn json_is_found_where_it_is_written_whatever_signs_it_has(
        text: String,
        name: String,
        times in 0..=STRINGS,
    ) {
        let (all, _) = found(&packed(&json!({ name: [1, text], "a": { "b": 2 } }), times));
        prop_assert!(all.len() > times);
    }
}

#[test]
fn what_is_read_of_all_json_in_one_text_is_bounded() {
    let line = format!("{{\"a\":[{}0]}}\n", "0,".repeat(1000));
    let lines = |values: usize| line.repeat(values / 1004);
    let many = |values: usize| format!("[{}0]", "0,".repeat(values));
    for (text, extent) in [
        (lines(VALUES), Extent::Whole),
        (lines(VALUES + 2008), Extent::Part),
        (many(VALUES - 2), Extent::Whole),
        (many(VALUES), Extent::Part),
        (json!({ "in": many(VALUES) }).to_string(), Extent::Part),
        (packed(&json!({ "a": 1 }), STRINGS), Extent::Whole),
        (packed(&json!({ "a": 1 }), STRINGS + 1), Extent::Part),
        (packed(&json!({ "a": 1 }), STRINGS + 4), Extent::Part),
    ] {
        assert_eq!(each(&text, &mut |_, _| {}), extent, "{}", text.len());
    }
    let nests = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    for (depth, outer, inner) in [
        (DEPTH_WITHIN - 1, Extent::Whole, true),
        (DEPTH_WITHIN, Extent::Whole, false),
        (DEPTH - 1, Extent::Whole, false),
        (DEPTH, Extent::Part, false),
    ] {
        assert_eq!(outermost(&nests(depth), &mut |_, _| {}), outer, "{depth}");
        assert_eq!(whole(&nests(depth)).is_ok(), inner, "{depth}");
    }
}
