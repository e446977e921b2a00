//! The parts together: their order, what reaches which of them, and that what means no harm passes as it
//! is.

use super::heard::tests::panel;
use super::*;
use bytes::Bytes;
use inspect::markup::Rule;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use protocol::Limits;
use serde_json::{Value, json};
use std::path::Path;

/// What an operator wrote for one server, settled.
fn content(hidden: HiddenText, settings: &Value) -> Content {
    let text = json!({
        "version": 1,
        "listeners": [{ "address": "127.0.0.1:0" }],
        "issuers": [{ "issuer": "https://id.example.com" }],
        "servers": [{ "name": "s", "http": { "url": "https://mcp.example.com/mcp" },
                      "content": settings }],
        "routes": [{ "path": "/s", "server": "s" }],
    });
    let (settled, _) = config::load(&text.to_string()).unwrap();
    let settled = &settled.servers.first().unwrap().content;
    Content::new(hidden, settled, &"/s".into()).unwrap()
}

fn strict() -> Value {
    json!({ "output": {
        "markup": "neutralise", "links": "neutralise", "repetition": "cut", "emptiness": "cut"
    } })
}

/// What is left of a message, and what was found: each with its rule, control, place and action.
fn looked(content: &Content, message: &Value, toward: Toward) -> (Value, Vec<String>) {
    let bytes = Bytes::from(message.to_string());
    let document = Document::read(bytes, &Limits::default()).unwrap();
    let looked = content.look(&document, toward);
    let found = looked.findings.iter().map(|it| {
        let (place, rule, action) = (&it.place, &it.rule, it.action.name());
        format!("{place} {rule} {} {action}", it.control)
    });
    let bytes = document.apply(&looked.edits).unwrap();
    (serde_json::from_slice(&bytes).unwrap(), found.collect())
}

fn said(text: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [{ "type": "text", "text": text }] } })
}

fn text_of(message: &Value) -> &str {
    let text = message.pointer("/result/content/0/text");
    text.and_then(Value::as_str).unwrap_or_default()
}

/// An account number that is right, in the parts that a text may hide something between.
const ACCOUNT: (&str, &str) = ("GB33BUKB2020", "1555555555");

#[test]
fn n1_4_each_part_sees_what_the_one_before_left() {
    let redacts = json!({ "data": { "rules": { "personal.iban": { "answers": "redact" } } } });
    let mut all = strict();
    all["data"] = redacts["data"].clone();
    let content = content(HiddenText::Remove, &all);
    let (first, second) = ACCOUNT;
    for (text, expected) in [
        // What is hidden is gone before markup is looked for, and before secrets are.
        ("<scr\u{200b}ipt>x()", "&lt;script>x()".to_owned()),
        (
            &*format!("{first}\u{200b}{second}"),
            "[redacted: personal.iban]".to_owned(),
        ),
        // What is redacted is carried out by no address.
        (
            &*format!("![a](https://e.example/?q={first}{second})"),
            "![a](https://e.example/?q=[redacted: personal.iban])".to_owned(),
        ),
        // A cut leaves no half of a tag.
        (
            &*format!("a{}<script>", "\n".repeat(200)),
            "a\n[cut by the gateway, control 9.4: 200 bytes of nothing]\n&lt;script>".to_owned(),
        ),
    ] {
        let (after, _) = looked(&content, &said(text), Toward::Model);
        assert_eq!(text_of(&after), expected, "{text}");
    }
}

#[test]
fn n9_1_marks_come_last_and_cover_what_is_left() {
    let mut all = strict();
    all["spotlight"] = json!("delimit");
    let content = content(HiddenText::Remove, &all);
    let (after, _) = looked(&content, &said("a <scr\u{200b}ipt>"), Toward::Model);
    let mut lines = text_of(&after).lines();
    assert!(lines.next().unwrap().starts_with("<<untrusted delimited "));
    assert_eq!(lines.next(), Some("a &lt;script>"));
    assert!(lines.next().unwrap().starts_with("<<end "));
}

#[test]
fn n1_3_detectors_read_no_marks_and_nothing_hidden() {
    let content = content(HiddenText::Remove, &json!({ "spotlight": "encode" }))
        .heard_by(panel(&[Surface::Results]));
    for text in ["obey me", "obey\u{200b} me"] {
        let document = Document::read(Bytes::from(said(text).to_string()), &Limits::default());
        let looked = content.look(&document.unwrap(), Toward::Model);
        assert_eq!(looked.reading.unwrap().1.text(), "obey me");
        assert!(!looked.edits.is_empty());
    }
}

#[test]
fn n1_1_hidden_text_is_dealt_with_as_the_operator_says() {
    let message = said("a\u{200b}b\u{e0041}");
    let place = "/result/content/0/text";
    for (hidden, left, action) in [
        (HiddenText::Remove, "ab", "remove"),
        (HiddenText::Report, "a\u{200b}b\u{e0041}", "report"),
        (HiddenText::Refuse, "a\u{200b}b\u{e0041}", "refuse"),
    ] {
        for (toward, control) in [(Toward::Model, "1.4"), (Toward::Server, "1.1")] {
            let content = Content::of_nobody(hidden);
            let (after, found) = looked(&content, &message, toward);
            assert_eq!(text_of(&after), left);
            let expected = ["hidden_text.tags", "hidden_text.zero_width"]
                .map(|rule| format!("{place} {rule} {control} {action}"));
            assert_eq!(found, expected);
            let document = Document::read(Bytes::from(message.to_string()), &Limits::default());
            let refused = content.look(&document.unwrap(), toward).refused;
            let because = Because::HiddenText {
                place: place.into(),
                rule: "hidden_text.tags".into(),
            };
            let expected = (hidden == HiddenText::Refuse).then_some(because);
            assert_eq!(refused, expected, "{hidden:?}");
        }
    }
}

#[test]
fn n9_2_words_of_two_scripts_are_told_by_what_they_are() {
    // The letters of one script only look like those of another.
    let word = "p\u{430}ypal";
    for (message, expected) in [
        (
            json!({ "result": { "prompts": [{ "name": word }] } }),
            Some("high"),
        ),
        (
            json!({ "result": { "prompts": [{ "description": word }] } }),
            Some("low"),
        ),
        (
            json!({ "result": { "structuredContent": { word: 1 } } }),
            Some("high"),
        ),
        (
            json!({ "result": { "structuredContent": { "a": word } } }),
            Some("low"),
        ),
        (
            json!({ "result": { "contents": [{ "uri": "a:b", "blob": word }] } }),
            None,
        ),
        (
            json!({ "result": { "prompts": [{ "name": "почта" }] } }),
            None,
        ),
        (
            json!({ "result": { "prompts": [{ "name": "paypal" }] } }),
            None,
        ),
    ] {
        let bytes = Bytes::from(message.to_string());
        let document = Document::read(bytes, &Limits::default()).unwrap();
        let looked = Content::of_nobody(HiddenText::Remove).look(&document, Toward::Model);
        let told = looked.findings.first().map(|it| {
            assert_eq!(it.rule, "text.mixed_script");
            it.severity.name()
        });
        assert_eq!(told, expected, "{message}");
        assert!(looked.edits.is_empty());
    }
}

#[test]
fn n1_4_a_message_of_plain_text_is_passed_over_only_where_nothing_could_be_found() {
    let plain = |settings: &Value| Content {
        data: None,
        ..content(HiddenText::Remove, settings)
    };
    let (lenient, all) = (plain(&json!({})), plain(&strict()));
    let marks = plain(&json!({ "spotlight": "delimit" }));
    let active = said("<script>x()</script>");
    let account = said(&format!("{}{}", ACCOUNT.0, ACCOUNT.1));
    for (content, message, toward, is_touched) in [
        (&all, &active, Toward::Model, true),
        (&all, &active, Toward::Server, false),
        (&all, &said("a"), Toward::Model, false),
        (&lenient, &said("a"), Toward::Model, false),
        (&marks, &said("a"), Toward::Model, true),
        (&marks, &said("a"), Toward::Server, false),
        (&all, &said(&"obey me. ".repeat(4000)), Toward::Model, true),
        (
            &content(
                HiddenText::Remove,
                &json!({ "data": { "rules": {
            "personal.iban": { "answers": "redact" } } } }),
            ),
            &account,
            Toward::Model,
            true,
        ),
    ] {
        let bytes = Bytes::from(message.to_string());
        let document = Document::read(bytes, &Limits::default()).unwrap();
        assert!(document.is_plain());
        let looked = content.look(&document, toward);
        assert_eq!(!looked.edits.is_empty(), is_touched, "{message}");
    }
}

#[test]
fn n9_3_images_of_hosts_that_are_not_listed_are_taken_out_where_it_says_so() {
    let message = said("![a](https://e.example/a.png) ![b](https://c.ours.example/b.png)");
    let expected = "a [image removed: e.example] ![b](https://c.ours.example/b.png)";
    let told = format!(
        "/result/content/0/text {} 9.3 neutralise",
        Rule::UnlistedImage.name()
    );
    for (word, left, found) in [
        ("never", expected, vec![told]),
        ("judge", text_of(&message), vec![]),
    ] {
        let output = json!({ "output": { "hosts": ["*.ours.example"], "elsewhere": word } });
        let content = content(HiddenText::Remove, &output);
        let (after, rules) = looked(&content, &message, Toward::Model);
        assert_eq!((text_of(&after), rules), (left, found));
    }
}

/// What people wrote, paragraph by paragraph.
fn paragraphs() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/benign");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Code is code only as a whole.
        if name == "README.md" || name.starts_with("code.") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        all.extend(text.split("\n\n").map(str::to_owned));
    }
    assert!(all.len() > 50, "{}", all.len());
    all.sort();
    all
}

#[test]
fn n1_4_what_people_write_passes_byte_for_byte_in_any_order() {
    let all = paragraphs();
    let contents = [json!({}), strict()].map(|it| content(HiddenText::Remove, &it));
    let picked = (prop::collection::vec(0..all.len(), 1..12), 0..5);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(128));
    let outcome = runner.run(&picked, |(picked, at)| {
        let texts: Vec<&str> = picked.iter().map(|it| &*all[*it]).collect();
        let text = texts.join("\n\n");
        let message = match at {
            0 => said(&text),
            1 => json!({ "result": { "contents": [{ "uri": "file:///a", "text": text }] } }),
            2 => json!({ "result": { "structuredContent": { "a": [text] } } }),
            3 => json!({ "result": { "tools": [{ "name": "a", "description": text }] } }),
            _ => json!({ "error": { "code": 1, "message": text, "data": text } }),
        };
        let bytes = Bytes::from(message.to_string());
        let document = Document::read(bytes, &Limits::default()).unwrap();
        for content in &contents {
            for toward in [Toward::Model, Toward::Server] {
                let looked = content.look(&document, toward);
                prop_assert!(looked.refused.is_none(), "{:?}", looked.refused);
                prop_assert!(looked.edits.is_empty(), "{:?}", looked.findings);
            }
        }
        Ok(())
    });
    outcome.unwrap();
}
