//! The reader: what it accepts, what it refuses and where, every limit, and every view on a value.

use super::*;
use crate::flaw::FlawKind;

fn read(text: &[u8]) -> Result<Document, Flaw> {
    Document::read(Bytes::copy_from_slice(text), &Limits::default())
}

fn accept(text: &str) -> Document {
    read(text.as_bytes()).unwrap_or_else(|flaw| panic!("{text}: {flaw}"))
}

fn refuse(text: impl AsRef<[u8]>, kind: FlawKind, offset: usize) {
    let text = text.as_ref();
    let shown = String::from_utf8_lossy(text);
    assert_eq!(read(text).err(), Some(Flaw { kind, offset }), "{shown}");
}

#[test]
fn reads_every_kind_of_value() {
    let cases = [
        ("null", Kind::Null),
        (" true ", Kind::Boolean),
        ("\tfalse\n", Kind::Boolean),
        ("-1.5e3\r", Kind::Number),
        (r#""text""#, Kind::String),
        ("[]", Kind::Array),
        ("[ ]", Kind::Array),
        ("{}", Kind::Object),
        ("{ \n}", Kind::Object),
        (r#"[ 1 , [ ] , { "a" : [ { } ] } ]"#, Kind::Array),
    ];
    for (text, expected) in cases {
        let document = accept(text);
        assert_eq!(document.root().kind(), expected, "{text}");
        assert_eq!(document.root().raw(), text.trim().as_bytes());
    }
}

#[test]
fn refuses_text_that_is_no_json() {
    use FlawKind::*;
    refuse("", Empty, 0);
    refuse("  \n", Empty, 3);
    refuse("\u{feff}{}", ByteOrderMark, 0);
    refuse("{}x", Trailing, 2);
    refuse("{} {}", Trailing, 3);
    refuse("1 2", Trailing, 2);
    refuse("{}\0", Trailing, 2);
    refuse("[1,]", Unexpected, 3);
    refuse("[,1]", Unexpected, 1);
    refuse("[1 2]", Unexpected, 3);
    refuse("[1}", Unexpected, 2);
    refuse("]", Unexpected, 0);
    refuse(r#"{"a":1,}"#, Unexpected, 7);
    refuse(r#"{"a" 1}"#, Unexpected, 5);
    refuse(r#"{"a"}"#, Unexpected, 4);
    refuse("{a:1}", Unexpected, 1);
    refuse("{1:1}", Unexpected, 1);
    refuse(r#"{"a":}"#, Unexpected, 5);
    refuse("'a'", Unexpected, 0);
    refuse("NaN", Unexpected, 0);
    refuse("Infinity", Unexpected, 0);
    refuse("-Infinity", Number, 1);
    refuse("+1", Unexpected, 0);
    refuse(".5", Unexpected, 0);
    refuse("0x10", Trailing, 1);
    refuse("[01]", Number, 1);
    refuse("[1.]", Number, 3);
    refuse("tru", Unexpected, 0);
    refuse("True", Unexpected, 0);
    refuse("[nul]", Unexpected, 1);
    refuse("/* c */ 1", Unexpected, 0);
    refuse("[1] // c", Trailing, 4);
    refuse("\u{a0}1", Unexpected, 0);
    for text in [
        "[",
        "[1",
        "[1,",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "\"a",
        "\"\\",
    ] {
        refuse(
            text,
            Unterminated,
            text.len() - usize::from(text.ends_with('\\')),
        );
    }
}

#[test]
fn refuses_strings_that_parsers_read_differently() {
    use FlawKind::*;
    refuse("\"a\nb\"", ControlCharacter, 2);
    refuse("\"\0\"", ControlCharacter, 1);
    refuse(r#""\x41""#, Escape, 1);
    refuse(r#""ab\u12g4""#, Escape, 3);
    refuse(r#""\u12"#, Escape, 1);
    refuse(r#""\u+123""#, Escape, 1);
    refuse(r#""\'""#, Escape, 1);
    refuse(r#""\ud800""#, LoneSurrogate, 1);
    refuse(r#""\ud800x""#, LoneSurrogate, 1);
    refuse(r#""\ud800\n""#, LoneSurrogate, 1);
    refuse(r#""\ud800\u0041""#, LoneSurrogate, 1);
    refuse(r#""\ud800\ud800""#, LoneSurrogate, 1);
    refuse(r#""\udc00\ud800""#, LoneSurrogate, 1);
    refuse(r#""\udc00""#, LoneSurrogate, 1);
    refuse(r#"{"\ud800":1}"#, LoneSurrogate, 2);
    refuse(b"\"ab\xff\"", Utf8, 3);
    refuse(b"\"\xc3\"", Utf8, 1);
    refuse(b"\"\xc0\xaf\"", Utf8, 1);
    refuse(b"\"\xed\xa0\x80\"", Utf8, 1);
    refuse(b"\"\xf4\x90\x80\x80\"", Utf8, 1);
    refuse(
        b"\"\xc3\xa9 long enough to walk by words \xe2\x82\"",
        Utf8,
        33,
    );
    refuse(b"\"\xe2\x82\\u0020\"", Utf8, 1);
    refuse(b"{\"\xff\":1}", Utf8, 2);
    refuse(b"\xff", Unexpected, 0);
}

#[test]
fn refuses_text_over_each_limit() {
    let limits = Limits {
        bytes: 40,
        depth: 3,
        members: 2,
        nodes: 7,
    };
    let check = |text: &str, expected: Option<(FlawKind, usize)>| {
        let read = Document::read(text.to_owned().into(), &limits);
        let found = read.err().map(|flaw| (flaw.kind, flaw.offset));
        assert_eq!(found, expected, "{text}");
    };
    check(
        &" ".repeat(39).replace(' ', "1"),
        Some((FlawKind::NumberRange, 0)),
    );
    check(&format!("\"{}\"", "x".repeat(38)), None);
    check(
        &format!("\"{}\"", "x".repeat(39)),
        Some((FlawKind::TooLong, 40)),
    );
    check("[[[1]]]", None);
    check("[[[[]]]]", Some((FlawKind::TooDeep, 3)));
    check("[[{\"a\":{}}]]", Some((FlawKind::TooDeep, 7)));
    check("[[[]],[[]]]", None);
    check(r#"{"a":1,"b":2}"#, None);
    check(
        r#"{"a":1,"b":2,"c":3}"#,
        Some((FlawKind::TooManyMembers, 13)),
    );
    check("[1,2,3,4,5,6]", None);
    check("[1,2,3,4,5,6,7]", Some((FlawKind::TooManyValues, 13)));
    check(r#"[{"a":1,"b":2},1]"#, None);
    check(
        r#"[{"a":1,"b":2},1,{}]"#,
        Some((FlawKind::TooManyValues, 17)),
    );
}

#[test]
fn a_deep_text_is_refused_at_the_limit_and_costs_no_stack() {
    let limits = Limits {
        depth: 200_000,
        ..Limits::default()
    };
    let text = "[".repeat(100_000) + &"]".repeat(100_000);
    let document = Document::read(text.clone().into(), &limits).unwrap();
    assert_eq!(document.nodes(), 100_000);
    refuse(&text, FlawKind::TooDeep, Limits::default().depth);
}

#[test]
fn finds_members_elements_and_pointers() {
    let text = r#"{"a":[1,{"b/c":"x","~":null}],"\u0064":true,"e":{"f":{}},"":0}"#;
    let document = accept(text);
    let root = document.root();
    assert_eq!(root.count(), 4);
    assert_eq!(root.get("d").unwrap().boolean(), Some(true));
    assert!(root.get("D").is_none());
    assert!(root.get("f").is_none());
    assert!(root.at("/a/1").unwrap().get("~").unwrap().is_null());
    assert_eq!(root.get("a").unwrap().elements().count(), 2);
    for pointer in [
        "",
        "/a",
        "/a/0",
        "/a/1",
        "/a/1/b~1c",
        "/a/1/~0",
        "/d",
        "/e/f",
        "/",
    ] {
        let value = root.at(pointer).unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(value.pointer(), pointer);
    }
    for pointer in [
        "a", "/a/2", "/a/01", "/a/+1", "/a/-", "/x", "/d/0", "/a/1/b",
    ] {
        assert!(root.at(pointer).is_none(), "{pointer}");
    }
    let names: Vec<_> = root
        .members()
        .map(|(key, _)| key.decoded().into_owned())
        .collect();
    assert_eq!(names, ["a", "d", "e", ""]);
    assert_eq!(root.elements().count(), 0);
    assert_eq!(root.at("/a/0").unwrap().members().count(), 0);
}

#[test]
fn reads_scalars_as_what_they_are() {
    let document = accept(r#"[12,-0,1.0,1e3,"7",true,null,-9007199254740991]"#);
    let integers: Vec<_> = document.root().elements().map(Value::integer).collect();
    let expected = [
        Some(12),
        Some(0),
        None,
        None,
        None,
        None,
        None,
        Some(-9_007_199_254_740_991),
    ];
    assert_eq!(integers, expected);
    let numbers: Vec<_> = document
        .root()
        .elements()
        .filter_map(Value::number)
        .collect();
    assert_eq!(numbers, [12.0, 0.0, 1.0, 1000.0, -9_007_199_254_740_991.0]);
    let texts: Vec<_> = document.root().elements().filter_map(Value::text).collect();
    assert_eq!(texts, ["7"]);
}

#[test]
fn slices_share_the_memory_of_the_text() {
    let bytes = Bytes::from_static(br#" {"params": {"x": [1, 2]}}"#);
    let document = Document::read(bytes.clone(), &Limits::default()).unwrap();
    let value = document.root().at("/params/x").unwrap();
    assert_eq!(value.slice(), &b"[1, 2]"[..]);
    assert_eq!(value.slice().as_ptr(), bytes.slice(value.range()).as_ptr());
}

#[test]
fn gives_every_string_and_says_which_are_plain() {
    let text =
        r#"{"name":"x y","é":["a\n",{"k\u0020":"ü"}],"n":1,"d":""}"#.replace("x y", "x\u{7f}");
    let document = accept(&text);
    let found: Vec<_> = document
        .strings()
        .map(|string| {
            let text = string.decoded().into_owned();
            (text, string.is_key(), string.is_plain(), string.pointer())
        })
        .collect();
    let row = |text: &str, key, plain, pointer: &str| (text.into(), key, plain, pointer.into());
    let expected = [
        row("name", true, true, "/name"),
        row("x\u{7f}", false, false, "/name"),
        row("é", true, false, "/é"),
        row("a\n", false, false, "/é/0"),
        row("k ", true, false, "/é/1/k "),
        row("ü", false, false, "/é/1/k "),
        row("n", true, true, "/n"),
        row("d", true, true, "/d"),
        row("", false, true, "/d"),
    ];
    assert_eq!(found, expected);
    let inside = document.root().get("é").unwrap();
    assert_eq!(inside.strings().count(), 3);
    assert_eq!(document.root().get("n").unwrap().strings().count(), 0);
}

#[test]
fn a_plain_text_says_so() {
    for text in [r#"{"a":"plain ~ text"}"#, "1", "[]", r#"[""]"#] {
        assert!(accept(text).is_plain(), "{text}");
    }
    for text in [r#"{"a":"\n"}"#, r#"{"é":1}"#, "\"\u{7f}\"", r#"["\u0041"]"#] {
        assert!(!accept(text).is_plain(), "{text}");
    }
}

#[test]
fn shows_no_text_of_the_document() {
    let document = accept(r#"{"secret":"hunter2"}"#);
    let shown = format!(
        "{document:?} {:?} {:?}",
        document.root(),
        document.strings().collect::<Vec<_>>()
    );
    assert!(
        !shown.contains("hunter2") && !shown.contains("secret"),
        "{shown}"
    );
}

#[test]
fn what_two_parsers_read_differently_can_be_seen_and_is_no_message() {
    let loosely =
        |text: &str| Document::read_loosely(Bytes::from(text.to_owned()), &Limits::default());
    for (text, flaw) in [
        (r#"{"a":1,"a":2,"\u0061":3}"#, FlawKind::DuplicateMember),
        ("[9007199254740993]", FlawKind::NumberRange),
        ("[1e999]", FlawKind::NumberRange),
        (
            &format!("[{}]", "1".repeat(200)) as &str,
            FlawKind::NumberLength,
        ),
        (r#"["\ud800 \udc00 \ud800\u0041"]"#, FlawKind::LoneSurrogate),
    ] {
        let strict = read(text.as_bytes()).unwrap_err();
        assert_eq!(strict.kind, flaw, "{text}");
        let document = loosely(text).unwrap();
        assert_eq!(document.root().raw(), text.as_bytes());
    }
    let document = loosely(r#"{"a":1,"b":{"c":[2],"c":3},"a":4}"#).unwrap();
    let members: Vec<_> = document
        .root()
        .members()
        .map(|(name, value)| (name.decoded().into_owned(), value.raw().to_vec()))
        .collect();
    let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "a"]);
    assert_eq!(
        members.last().map(|(_, raw)| raw.as_slice()),
        Some(&b"4"[..])
    );
    let document = loosely(r#"["\ud800x"]"#).unwrap();
    let first = document.root().elements().next().and_then(Value::text);
    assert_eq!(first.as_deref(), Some("\u{fffd}x"));
    // Everything else is as strict.
    for text in [
        "",
        "{",
        "{}x",
        "[1,]",
        "[01]",
        "[1.]",
        "[\u{1}]",
        r#"["\x"]"#,
        r#"["\ud80"]"#,
    ] {
        assert!(loosely(text).is_err(), "{text}");
    }
}
