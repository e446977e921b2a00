//! What is done about secrets and personal data in messages of every kind.

mod blobs;
mod packs;
mod places;
mod revealed;
mod sought;
mod whole;

use super::*;
use crate::content::inner::STRINGS;
use crate::content::{Content, FINDINGS, sample};
use bytes::Bytes;
use config::settled::HiddenText;
use protocol::{Document, Limits};
use serde_json::{Value, json};

const GITHUB: &str = "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";

fn content(settings: &Value) -> Content {
    let mut content = Content::new(HiddenText::Remove, &settled(settings), &"/s".into()).unwrap();
    content.keyed(&Tokens::ephemeral().unwrap());
    content
}

/// What an operator wrote of data, settled.
fn settled(data: &Value) -> settled::Content {
    sample::settled(&json!({ "data": data }))
}

fn document(message: &Value) -> Document {
    Document::read(Bytes::from(message.to_string()), &Limits::default()).unwrap()
}

fn after(
    content: &Content,
    message: &Value,
    toward: Toward,
) -> (Value, Vec<String>, Option<Because>) {
    let document = document(message);
    let looked = content.look(&document, toward);
    let bytes = document.apply(&looked.edits).unwrap();
    let rules = looked.findings.iter().map(|it| it.rule.to_string());
    (
        serde_json::from_slice(&bytes).unwrap(),
        rules.collect(),
        looked.refused,
    )
}

fn result(text: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [{ "type": "text", "text": text }] } })
}

#[test]
fn n1_1_a_text_of_which_not_everything_was_looked_at_says_so_once() {
    let content = content(&json!({}));
    for (text, expected) in [
        ("/ops_eyJ".repeat(32 * 1024), &["text.unread"][..]),
        (nested(&format!("it is {GITHUB}"), 5), &["text.unread"]),
        ("/ops_eyJ".repeat(16), &[]),
        ("a line of words, and no more\n".repeat(8 * 1024), &[]),
    ] {
        let (_, found, refused) = after(&content, &result(&text), Toward::Server);
        assert_eq!(found, expected);
        assert_eq!(refused.is_some(), !expected.is_empty());
    }
}

#[test]
fn n9_3_what_is_not_searched_to_its_end_goes_on_only_where_everything_would() {
    let texts = [
        "/ops_eyJ".repeat(32 * 1024),
        nested(&format!("it is {GITHUB}"), 5),
    ];
    let messages = texts.map(|text| result(&text));
    // What takes long to look for is not looked for where it is ignored.
    let ignored = json!({ "secrets": { "answers": "report", "arguments": "ignore" } });
    let rows = [
        (json!({}), true, true),
        (json!({ "secrets": { "answers": "report" } }), false, true),
        (
            json!({ "secrets": { "answers": "redact", "arguments": "refuse" } }),
            true,
            true,
        ),
        (ignored.clone(), false, false),
        (
            json!({ "secrets": { "answers": "report", "arguments": "report" },
                    "personal": { "answers": "redact" },
                    "rules": { "personal.iban": { "arguments": "tokenise" } } }),
            true,
            true,
        ),
    ];
    for (message, (settings, answers, arguments)) in messages
        .iter()
        .flat_map(|message| rows.iter().map(move |row| (message, row)))
    {
        let content = content(settings);
        for (toward, refuses) in [(Toward::Model, answers), (Toward::Server, arguments)] {
            let (_, found, refused) = after(&content, message, toward);
            if *settings != ignored || toward == Toward::Model {
                assert!(found.iter().any(|rule| rule == "text.unread"), "{found:?}");
            }
            assert_eq!(refused.is_some(), *refuses, "{settings} {toward:?}");
        }
    }
}

/// A text in base64 of base64, so many times.
fn nested(text: &str, times: usize) -> String {
    use base64::Engine as _;
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    (0..times).fold(text.to_owned(), |text, _| encode(text))
}

#[test]
fn n9_3_what_is_done_follows_label_direction_and_confidence() {
    let secret = json!({ "params": { "arguments": { "x": GITHUB } } });
    let mail = json!({ "params": { "arguments": { "x": "anna@corp.test" } } });
    let doubtful = json!({ "params": { "arguments": { "x": "password: hunter2-blue" } } });
    let likely = json!({ "params": { "arguments": { "x": "postgres://app:s3cr3tPw9@db.corp.test:5432/main" } } });
    let everything =
        json!({ "secrets": { "arguments": "redact" }, "personal": { "arguments": "redact" } });
    let named = json!({ "rules": { "secret.password": { "arguments": "refuse" },
                                   "personal.email": { "arguments": "ignore" } } });
    let cases = [
        (json!({}), &secret, "refuse"),
        (json!({}), &mail, "report"),
        (json!({}), &doubtful, "report"),
        (json!({}), &likely, "report"),
        (everything.clone(), &secret, "redact"),
        (everything.clone(), &likely, "redact"),
        (everything.clone(), &mail, "redact"),
        (everything, &doubtful, "report"),
        (named.clone(), &doubtful, "refuse"),
        (named, &mail, "nothing"),
    ];
    // What a member is called says something of its value, and excuses nothing in it.
    let hidden = "Z2hwX3lrMEZmd1FDQUpxbGU5d3ZYVXhCUmZ6TXUzYTZpaTJHMGRTVg==";
    let fields = ["password", "email", "notes"].into_iter();
    let fields = fields.flat_map(|name| {
        let values = [
            format!("it is {GITHUB}, said Anna"),
            format!("see {hidden}"),
        ];
        values.map(|value| json!({ "params": { "arguments": { name: value } } }))
    });
    let fields: Vec<Value> = fields.collect();
    let ignored = json!({ "rules": { "personal.email": { "arguments": "ignore" } } });
    let of_fields = fields
        .iter()
        .flat_map(|message| [json!({}), ignored.clone()].map(|it| (it, message, "refuse")));
    for (settings, message, expected) in cases.into_iter().chain(of_fields) {
        let (left, rules, refused) = after(&content(&settings), message, Toward::Server);
        let said = match (refused.is_some(), left == *message, rules.is_empty()) {
            (true, true, false) => "refuse",
            (false, false, false) => "redact",
            (false, true, false) => "report",
            (false, true, true) => "nothing",
            _ => "something else",
        };
        assert_eq!(said, expected, "{settings} {message}");
    }
}

#[test]
fn n9_3_every_text_a_model_may_read_is_looked_at() {
    let content = content(&json!({}));
    let texts = [
        json!({ "result": { "content": [{ "type": "text", "text": GITHUB }], "isError": true } }),
        json!({ "result": { "structuredContent": { "a": [{ "b": GITHUB }] } } }),
        json!({ "result": { "contents": [{ "uri": "file:///a", "text": GITHUB }] } }),
        json!({ "result": { "messages": [{ "role": "user", "content": { "type": "text", "text": GITHUB } }] } }),
        json!({ "result": { "tools": [{ "name": "t", "description": GITHUB }] } }),
        json!({ "result": { "instructions": GITHUB } }),
        json!({ "error": { "code": -32000, "message": GITHUB, "data": { "x": GITHUB } } }),
        json!({ "method": "notifications/message", "params": { "level": "info", "data": GITHUB } }),
        json!({ "method": "notifications/message", "params": { "level": "info", "data": { "x": GITHUB } } }),
        json!({ "method": "notifications/progress", "params": { "progress": 1, "message": GITHUB } }),
        json!({ "method": "elicitation/create", "params": { "message": GITHUB } }),
        json!({ "method": "sampling/createMessage", "params": { "systemPrompt": GITHUB } }),
        json!({ "result": { "toolResult": { "id": GITHUB, "cursor": [GITHUB], "status": GITHUB } } }),
        json!({ "result": { "content": [{ "type": GITHUB }], "stopReason": GITHUB } }),
        json!({ "result": { "content": [{ "type": "text", "mimeType": "image/png", "data": GITHUB }] } }),
        json!({ "error": { "code": 1, "type": "image", "mimeType": "image/png", "data": GITHUB } }),
        json!({ "result": { "content": [{ "type": "resource_link", "uri": format!("https://h/?k={GITHUB}") }] } }),
        json!({ "result": { "content": [{ "type": "resource_link", "uri": "a:b", "name": GITHUB }] } }),
        json!({ "result": { "content": [{ "type": "resource_link", "icons": [{ "src": format!("https://h/?k={GITHUB}") }] }] } }),
        json!({ "result": { "serverInfo": { "name": GITHUB, "websiteUrl": format!("https://h/?k={GITHUB}") } } }),
        json!({ "result": { "contents": [{ "uri": "a:b", "name": GITHUB, "text": "t" }] } }),
        json!({ "result": { "name": GITHUB } }),
        json!({ "method": "notifications/message", "params": { "data": "x", "logger": GITHUB, "name": GITHUB } }),
        json!({ "method": "sampling/createMessage", "params": { "tools": [{ "name": "t", "description": GITHUB }] } }),
    ];
    for text in texts {
        let (left, rules, _) = after(&content, &text, Toward::Model);
        assert!(!left.to_string().contains(GITHUB), "{left}");
        assert!(
            left.to_string().contains("[redacted: secret.github_token]"),
            "{left}"
        );
        assert!(
            rules.iter().all(|rule| rule == "secret.github_token"),
            "{rules:?}"
        );
    }
}

#[test]
fn n9_3_what_is_encoded_is_found_and_the_whole_run_is_redacted() {
    use base64::Engine as _;
    let content = content(&json!({}));
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("key {GITHUB} end"));
    let percent: String = GITHUB.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for hidden in [encoded, percent] {
        let (left, rules, _) = after(
            &content,
            &result(&format!("see {hidden} there")),
            Toward::Model,
        );
        assert!(!left.to_string().contains(&hidden), "{left}");
        assert!(
            rules.iter().any(|rule| rule == "secret.github_token"),
            "{rules:?}"
        );
    }
}

#[test]
fn n9_3_a_value_is_found_where_only_the_word_beside_it_is_disguised() {
    let content = content(&json!({}));
    let key = "A9KXVvx7rj8QLx2Rn1sBaLuzyRiJE9wD";
    let hexadecimal = "6c41db7b1e4bb2620bc0ed03fbe1ec54";
    for (text, value) in [
        (format!("api&#95;key = \"{key}\""), key),
        (format!("<b>api_key</b>: {key}"), key),
        (format!("p\u{430}ssword={key}\n"), key),
        (format!(r#"{{\"api_key\": \"{key}\"}}"#), key),
        (format!("dat&#97;dog: {hexadecimal}"), hexadecimal),
    ] {
        let (left, rules, _) = after(&content, &result(&text), Toward::Model);
        assert!(!left.to_string().contains(value), "{left}");
        assert!(!rules.is_empty(), "{text}");
        let started = left
            .to_string()
            .replace("&#97;", "a")
            .contains("[redacted: secret.");
        assert!(started, "{left}");
    }
}

#[test]
fn n9_3_what_holds_nothing_is_left_byte_for_byte() {
    let content = content(
        &json!({ "secrets": { "answers": "refuse" }, "personal": { "answers": "redact" } }),
    );
    let texts = [
        "",
        "plain",
        "caf\u{e9} \"quoted\" \\ \u{1f600}",
        "sk-learn, key-value, 1.2.3.4, 2026-11-29",
    ];
    for text in texts {
        let document = document(&result(text));
        let looked = content.look(&document, Toward::Model);
        assert!(
            looked.edits.is_empty() && looked.refused.is_none(),
            "{text}"
        );
        assert!(looked.findings.is_empty(), "{text}: {:?}", looked.findings);
    }
}

#[test]
fn n9_3_the_name_of_a_member_says_what_its_value_is() {
    let content = content(&json!({ "personal": { "answers": "redact" } }));
    let message = json!({ "result": { "structuredContent": {
        "password": "open sesame", "dateOfBirth": "12 April", "nextPageToken": "CAUQAA", "note": "fine" } } });
    let (left, _, _) = after(&content, &message, Toward::Model);
    let expected = json!({
        "password": "[redacted: secret.password]", "dateOfBirth": "[redacted: personal.date_of_birth]",
        "nextPageToken": "CAUQAA", "note": "fine" });
    assert_eq!(left["result"]["structuredContent"], expected);
}

#[test]
fn n9_3_the_name_of_a_member_counts_in_json_within_text() {
    let content = content(&json!({ "personal": { "answers": "tokenise" },
                                   "rules": { "secret.password": { "arguments": "redact" } } }));
    let data = json!({ "password": "hunter2-blue", "list": [{ "passwd": ["one-more-blue"] }], "note": "fine",
                       "dateOfBirth": "12 \"April\"" });
    let expected = json!({ "password": "[redacted: secret.password]",
                           "list": [{ "passwd": ["[redacted: secret.password]"] }], "note": "fine",
                           "dateOfBirth": "[redacted: personal.date_of_birth]" });
    for text in [data.to_string(), format!(" {data:#}\n")] {
        let message = json!({ "result": { "content": [{ "type": "text", "text": text }] } });
        let (left, rules, _) = after(&content, &message, Toward::Model);
        let left = left
            .pointer("/result/content/0/text")
            .unwrap()
            .as_str()
            .unwrap();
        let left: Value = serde_json::from_str(left).unwrap();
        assert_eq!(left, expected);
        let told = |label: &str| rules.iter().any(|rule| rule == label);
        assert!(
            told("secret.password") && told("personal.date_of_birth"),
            "{rules:?}"
        );
        let call = json!({ "params": { "arguments": { "body": text } } });
        let (left, _, _) = after(&content, &call, Toward::Server);
        assert!(!left.to_string().contains("-blue"), "{left}");
    }
    let harmless = [
        r#"{"password": "", "note": "fine"}"#,
        "[link](https://a.example)",
        "{password}",
    ];
    for text in harmless {
        let (left, _, _) = after(&content, &result(text), Toward::Model);
        assert_eq!(left, result(text));
    }
}

#[test]
fn n9_3_json_in_a_fence_and_with_a_name_twice_is_looked_through_by_names() {
    let content =
        content(&json!({ "rules": { "personal.payment_card": { "answers": "redact" } } }));
    let deep = |nests: usize| {
        let (open, close) = ("[".repeat(nests), "]".repeat(nests));
        format!("{{\"password\":{open}\"hunter2-blue\"{close}}}")
    };
    for (before, left, rule) in [
        (
            "See:\n```json\n{ \"password\": \"hunter2-blue\" }\n```\nand\n~~~\n[{\"passwd\":\"one-more-blue\"}]",
            "See:\n```json\n{ \"password\": \"[redacted: secret.password]\" }\n```\nand\n~~~\n\
             [{\"passwd\":\"[redacted: secret.password]\"}]",
            "secret.password",
        ),
        (
            "{\"password\":1,\"password\":\"hunter2-blue\",\"n\":12345678901234567890}",
            "{\"password\":1,\"password\":\"[redacted: secret.password]\",\"n\":12345678901234567890}",
            "secret.password",
        ),
        // What stands in the place of a number is a text there, too.
        (
            "1.\n```\n{\"card\":4111111111111111}\n```\n",
            "1.\n```\n{\"card\":\"[redacted: personal.payment_card]\"}\n```\n",
            "personal.payment_card",
        ),
        ("```\nlet x = {};\n```", "```\nlet x = {};\n```", ""),
        // Line by line.
        (
            "{\"password\": \"hunter2-blue\"}\nsaid {}\r\n[{\"card\":4111111111111111}]\n",
            "{\"password\": \"[redacted: secret.password]\"}\nsaid {}\r\n\
             [{\"card\":\"[redacted: personal.payment_card]\"}]\n",
            "secret.password",
        ),
        (
            &deep(255),
            &deep(255).replace("hunter2-blue", "[redacted: secret.password]"),
            "secret.password",
        ),
        // More than is read is told, and goes nowhere.
        (&deep(256), &deep(256), "text.unread"),
    ] {
        let (after, rules, refused) = after(&content, &result(before), Toward::Model);
        assert_eq!(after, result(left));
        assert_eq!(rules.first().map_or("", String::as_str), rule, "{before}");
        assert_eq!(refused.is_some(), rule == "text.unread", "{before}");
    }
    let reports = self::content(&json!({ "secrets": { "answers": "report" } }));
    let (_, rules, refused) = after(&reports, &result(&deep(256)), Toward::Model);
    assert_eq!((rules, refused), (vec!["text.unread".to_owned()], None));
}

/// A text in a string of JSON, so many times.
fn packed(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| json!({ "in": text }).to_string())
}

#[test]
fn n9_3_json_in_strings_of_json_is_looked_through_by_names_and_stays_json() {
    let content = content(&json!({ "personal": { "answers": "tokenise" } }));
    let escaped = r#"{"password":"hunter2-blue","card":4111111111111111,"dateOfBirth":"12 \"April\"","born":{"dateOfBirth":"12 April"}}"#;
    // Another escape in the inmost one is more than any view undoes.
    let plain = escaped.replace("\\\"", "");
    for times in 0..=STRINGS {
        let text = if times < STRINGS { escaped } else { &plain };
        let (left, rules, refused) = after(&content, &result(&packed(text, times)), Toward::Model);
        assert_eq!(refused, None, "{times}");
        assert!(rules.iter().any(|it| it == "secret.password"), "{rules:?}");
        let mut left = left.pointer("/result/content/0/text").unwrap().clone();
        for _ in 0..times {
            let outer: Value = serde_json::from_str(left.as_str().unwrap()).unwrap();
            left = outer["in"].clone();
        }
        let left: Value = serde_json::from_str(left.as_str().unwrap()).unwrap();
        assert_eq!(left["password"], "[redacted: secret.password]", "{times}");
        let is_token = |value: &Value| value.as_str().is_some_and(|it| it.starts_with("{rw:"));
        assert!(is_token(&left["card"]), "{left}");
        assert!(is_token(&left["born"]["dateOfBirth"]), "{left}");
        // What is written with escapes is not what a token would stand for.
        match times < STRINGS {
            true => assert_eq!(left["dateOfBirth"], "[redacted: personal.date_of_birth]"),
            false => assert!(is_token(&left["dateOfBirth"]), "{left}"),
        }
    }
    let more = packed(&plain, STRINGS + 1);
    let (_, rules, refused) = after(&content, &result(&more), Toward::Model);
    assert!(refused.is_some() && rules.iter().any(|it| it == "text.unread"));
    // Of a value in a log that a tool hands on, and in arguments.
    let log = json!({ "stdout": "ready\n{\"level\":\"info\",\"password\":\"hunter2-blue\"}\n" });
    let (left, ..) = after(&content, &result(&log.to_string()), Toward::Model);
    assert!(!left.to_string().contains("hunter2"), "{left}");
    let clean = packed("{\"a\": \"{}\"}\n{\"b\":[1]}", 3);
    let (left, rules, _) = after(&content, &result(&clean), Toward::Model);
    assert_eq!((left, rules), (result(&clean), vec![]));
}

#[test]
fn n9_3_what_the_form_of_a_value_says_does_not_excuse_what_its_name_says() {
    for (settings, value, left) in [
        (json!({}), "anna@corp.test", "[redacted: secret.password]"),
        (
            json!({ "rules": { "personal.email": { "answers": "ignore" } } }),
            "anna@corp.test",
            "[redacted: secret.password]",
        ),
        (
            json!({ "personal": { "answers": "redact" } }),
            "anna@corp.test",
            "[redacted: personal.email]",
        ),
        (json!({}), GITHUB, "[redacted: secret.github_token]"),
    ] {
        let content = content(&settings);
        let message = json!({ "result": { "structuredContent": { "password": value } } });
        let (after, _, _) = after(&content, &message, Toward::Model);
        let after = after.pointer("/result/structuredContent/password");
        assert_eq!(after, Some(&json!(left)), "{settings}");
    }
}

#[test]
fn n9_3_names_are_told_and_never_rewritten() {
    let content = content(&json!({}));
    let message = json!({ "result": { "structuredContent": { GITHUB: 1 } } });
    let (left, rules, refused) = after(&content, &message, Toward::Model);
    assert_eq!(left, message);
    assert_eq!(rules, ["secret.github_token"]);
    assert_eq!(refused, None);
}

#[test]
fn n9_3_a_value_in_two_messages_of_a_stream_is_found() {
    let content = content(&json!({}));
    let log = |data: Value| json!({ "method": "notifications/message", "params": { "level": "info", "data": data } });
    let plain = |text: &str| log(json!(text));
    let structured = |text: &str| log(json!({ "at": "12:00", "msg": text, "in": ["a", "b"] }));
    let deep = |text: &str| log(json!({ "a": { "b/c": [1, "x", { "d": text }] } }));
    let progress = |text: &str| {
        let params = json!({ "progressToken": 1, "progress": 1, "message": text });
        json!({ "method": "notifications/progress", "params": params })
    };
    let makers: [&dyn Fn(&str) -> Value; 4] = [&plain, &structured, &deep, &progress];
    for (cut, make) in (1..GITHUB.len()).zip(makers.iter().cycle()) {
        let (first, second) = GITHUB.split_at(cut);
        let mut threads = content.threads();
        let mut sent = String::new();
        let mut rules = Vec::new();
        for piece in [format!("it is {first}"), format!("{second} now")] {
            let document = document(&make(&piece));
            let mut looked = content.look_after(threads.take(), &document, Toward::Model);
            threads = looked.threads.take();
            rules.extend(looked.findings.iter().map(|it| it.rule.to_string()));
            let left = document.apply(&looked.edits).unwrap();
            sent.push_str(&String::from_utf8_lossy(&left));
        }
        assert_eq!(rules, ["secret.github_token"], "{cut}");
        assert!(!sent.contains(&format!("{second} now")), "{cut}: {sent}");
    }
}

/// The message as it is afterwards, what was found, and what it is refused for.
fn written(
    content: &Content,
    message: &str,
    toward: Toward,
) -> (String, Vec<String>, Option<Because>) {
    let bytes = Bytes::from(message.to_owned());
    let document = Document::read(bytes, &Limits::default()).unwrap();
    let looked = content.look(&document, toward);
    let left = document.apply(&looked.edits).unwrap();
    let found = looked.findings.iter();
    let found = found.map(|it| format!("{} {} {}", it.place, it.rule, it.action.name()));
    let left = String::from_utf8(left.to_vec()).unwrap();
    (left, found.collect(), looked.refused)
}

#[test]
fn n9_3_a_number_is_found_wherever_a_server_puts_it() {
    let content = content(&json!({ "personal": { "answers": "redact" } }));
    let card = "4111111111111111";
    for message in [
        r#"{"result":{"content":[],"toolResult":{"card":?,"of":[{"x":?}]}}}"#,
        r#"{"result":{"content":[],"card":?,"ids":[?]}}"#,
        r#"{"result":{"content":[{"type":"text","text":"x","card":?,"size":?}]}}"#,
        r#"{"result":{"content":[{"type":"text","text":?}],"status":?}}"#,
        r#"{"result":{"contents":[{"uri":"a:b","blob":?}],"statusMessage":?}}"#,
        r#"{"method":"notifications/message","params":{"level":"info","card":?}}"#,
        r#"{"error":{"code":1,"message":"x","card":?},"card":?}"#,
    ] {
        let message: Value = serde_json::from_str(&message.replace('?', card)).unwrap();
        let (left, rules, _) = after(&content, &message, Toward::Model);
        assert!(!left.to_string().contains(card), "{left}");
        let known = |rule: &String| rule == "personal.payment_card";
        assert!(rules.iter().all(known), "{rules:?}");
    }
    for message in [
        r#"{"id":?,"result":{"content":[{"type":"resource_link","uri":"a:b","size":?}],"ttlMs":?}}"#,
        r#"{"result":{"resources":[{"uri":"a:b","size":?}],"task":{"ttl":?,"pollInterval":?}}}"#,
        r#"{"result":{"tools":[{"name":"t","inputSchema":{"properties":{"a":{"maximum":?}}}}]}}"#,
        r#"{"params":{"progressToken":?,"progress":?,"total":?,"_meta":{"progressToken":?}}}"#,
    ] {
        let message: Value = serde_json::from_str(&message.replace('?', card)).unwrap();
        let (left, rules, _) = after(&content, &message, Toward::Model);
        assert_eq!((left, rules.len()), (message, 0));
    }
}

#[test]
fn n9_3_what_is_written_as_a_number_is_found_and_a_string_stands_in_its_place() {
    let content = content(
        &json!({ "personal": { "answers": "redact", "arguments": "refuse" },
                                   "rules": { "personal.ip_address": { "answers": "ignore" } } }),
    );
    let card = "[redacted: personal.payment_card]";
    let cases = [
        (
            r#"{"card":4111111111111111}"#,
            format!(r#"{{"card":"{card}"}}"#),
        ),
        (
            r#"{"x":[1,{"y":4.111111111111111e15}]}"#,
            format!(r#"{{"x":[1,{{"y":"{card}"}}]}}"#),
        ),
        (
            r#"{"ssn":536228741}"#,
            r#"{"ssn":"[redacted: personal.us_ssn]"}"#.to_owned(),
        ),
        (
            r#"{"phone":4930901820}"#,
            r#"{"phone":"[redacted: personal.phone]"}"#.to_owned(),
        ),
        (
            r#"{"json":"{\"card\": 4111111111111111}"}"#,
            format!(r#"{{"json":"{{\"card\": \"{card}\"}}"}}"#),
        ),
        (
            r#"{"json":"[\"4111111111111111\"]"}"#,
            format!(r#"{{"json":"[\"{card}\"]"}}"#),
        ),
        (
            r#"{"prose":"a {card} 4111111111111111"}"#,
            format!(r#"{{"prose":"a {{card}} {card}"}}"#),
        ),
    ];
    for (data, left) in cases {
        let answer = |data: &str| {
            format!(r#"{{"id":4111111111111111,"result":{{"structuredContent":{data}}}}}"#)
        };
        let (now, found, _) = written(&content, &answer(data), Toward::Model);
        assert_eq!(now, answer(&left));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.iter().all(|it| it.ends_with(" redact")), "{found:?}");
        let call = format!(r#"{{"params":{{"arguments":{data}}}}}"#);
        let (_, _, refused) = written(&content, &call, Toward::Server);
        assert!(matches!(refused, Some(Because::Data { .. })), "{call}");
    }
    let others = [
        r#"{"result":{"structuredContent":{"id":1234567890,"n":4111111111111112,"t":1764388477123}}}"#,
        r#"{"result":{"structuredContent":{"ssn":536228,"cvv":123}}}"#,
        r#"{"result":{"ttl":4111111111111111}}"#,
        r#"{"params":{"_meta":{"progressToken":4111111111111111}}}"#,
    ];
    for message in others {
        for toward in [Toward::Model, Toward::Server] {
            let (left, found, refused) = written(&content, message, toward);
            assert_eq!((left.as_str(), found.len(), refused), (message, 0, None));
        }
    }
}

#[test]
fn n9_3_a_number_goes_as_a_token_and_says_so_where_nothing_else_may_stand() {
    let content = content(&json!({ "personal": { "arguments": "tokenise" } }));
    let message = r#"{"params":{"arguments":{"card":4111111111111111}}}"#;
    let bytes = Bytes::from(message.to_owned());
    let document = Document::read(bytes, &Limits::default()).unwrap();
    let looked = content.look(&document, Toward::Server);
    let left = document.apply(&looked.edits).unwrap();
    let left: Value = serde_json::from_slice(&left).unwrap();
    let token = left
        .pointer("/params/arguments/card")
        .and_then(Value::as_str);
    assert!(
        token.unwrap().starts_with("{rw:personal.payment_card:"),
        "{left}"
    );
    let Some(Because::Data { place, label }) = looked.instead else {
        panic!("{:?}", looked.instead)
    };
    assert_eq!(
        (&*place, &*label),
        ("/params/arguments/card", "personal.payment_card")
    );
}

#[test]
fn n9_3_every_label_of_one_place_is_told_with_what_is_done_there() {
    use base64::Engine as _;
    let content = content(&json!({ "rules": {
        "personal.email": { "answers": "redact" }, "personal.ip_address": { "answers": "ignore" },
        "personal.payment_card": { "answers": "tokenise" }, "personal.iban": { "answers": "report" } } }));
    let hidden = "anna@corp.test, 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00, 81.169.145.88";
    let hidden = base64::engine::general_purpose::STANDARD.encode(hidden);
    let message = result(&format!("see {hidden}.")).to_string();
    let (left, mut found, _) = written(&content, &message, Toward::Model);
    assert!(left.contains("see [redacted: personal.email]."), "{left}");
    found.sort();
    let told = ["personal.email", "personal.iban", "personal.payment_card"];
    let told = told.map(|label| format!("/result/content/0/text {label} redact"));
    assert_eq!(found, told);
    // What is apart is treated by itself.
    let text = "anna@corp.test 4111 1111 1111 1111 DE89 3704 0044 0532 0130 00";
    let (_, found, _) = written(&content, &result(text).to_string(), Toward::Model);
    let told = ["email redact", "payment_card tokenise", "iban report"];
    let told = told.map(|it| format!("/result/content/0/text personal.{it}"));
    assert_eq!(found, told);
}

#[test]
fn n9_3_what_is_found_in_a_name_stands_in_no_place() {
    let content = content(&json!({}));
    let encoded = "Z2hwX3lrMEZmd1FDQUpxbGU5d3ZYVXhCUmZ6TXUzYTZpaTJHMGRTVg==";
    let long = "k".repeat(1000);
    for (arguments, expected) in [
        (json!({ GITHUB: 1 }), "/[redacted: secret.github_token]"),
        (
            json!({ GITHUB: { "b": [GITHUB] } }),
            "/[redacted: secret.github_token]",
        ),
        (json!({ encoded: 1 }), "/[redacted: secret.github_token]"),
        (json!({ "a": { &long: GITHUB } }), "/a"),
        (json!({ "a": [{ "b/c": GITHUB }] }), "/a/0/b~1c"),
    ] {
        let message = json!({ "params": { "arguments": arguments } });
        let looked = content.look(&document(&message), Toward::Server);
        let expected = format!("/params/arguments{expected}");
        let Some(Because::Data { place, .. }) = looked.refused else {
            panic!("{message}");
        };
        assert_eq!(place, expected);
        let places: Vec<_> = looked.findings.iter().map(|it| &*it.place).collect();
        assert!(
            places.iter().all(|place| place.starts_with(&expected)),
            "{places:?}"
        );
        assert!(
            places.iter().all(|place| !place.contains(GITHUB)),
            "{places:?}"
        );
        let pointer = format!("/params/arguments/{encoded}/{GITHUB}/x");
        let hushed = "[redacted: secret.github_token]";
        let shown = format!("/params/arguments/{hushed}/{hushed}/x");
        assert_eq!(content.shown(&pointer), shown);
    }
}

#[test]
fn n9_3_however_often_things_are_found_each_label_is_told_once() {
    const TIMES: usize = 20_000;
    let text = "a@b.co\n".repeat(TIMES) + &"81.169.1.8\n".repeat(TIMES);
    let message = json!({ "result": { "structuredContent": { "x": text } } });
    let looked = content(&json!({})).look(&document(&message), Toward::Model);
    let told = looked
        .findings
        .iter()
        .map(|it| (&*it.rule, it.count as usize));
    let told: Vec<_> = told.collect();
    assert_eq!(
        told,
        [("personal.email", TIMES), ("personal.ip_address", TIMES)]
    );
}

#[test]
fn n9_3_no_number_of_findings_hides_a_rule_from_policies_or_what_matters_from_records() {
    let mut texts = vec!["a\u{200b}b".to_owned(); 40];
    texts.push("DE89 3704 0044 0532 0130 00".to_owned());
    texts.push(GITHUB.to_owned());
    let message = json!({ "params": { "arguments": { "x": texts } } });
    let looked = content(&json!({})).look(&document(&message), Toward::Server);
    let rules: Vec<_> = looked.rules.iter().map(|rule| &**rule).collect();
    assert_eq!(
        rules,
        [
            "hidden_text.zero_width",
            "personal.iban",
            "secret.github_token"
        ]
    );
    assert_eq!(looked.findings.len(), FINDINGS);
    let last = looked.findings.last().unwrap();
    assert_eq!(last.rule, "secret.github_token");
}
