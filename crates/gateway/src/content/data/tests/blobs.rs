//! Text that comes as base64, or in its place.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

fn part(text: &str, at: impl std::slice::SliceIndex<str, Output = str>) -> &str {
    text.get(at).unwrap()
}

fn wide(text: &str, write: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(write).collect()
}

/// What looks like a picture with a text in it.
fn picture(text: &str) -> Vec<u8> {
    let noise = || (0..=255u8).cycle().step_by(7).take(2000);
    noise().chain(text.bytes()).chain(noise()).collect()
}

/// A text that names a secret.
fn text() -> String {
    format!("# caf\u{e9}\nTOKEN={GITHUB}\n")
}

const MARK: &str = "[redacted: secret.github_token]";

/// A text of letters beyond ASCII around this.
fn foreign(text: &str) -> String {
    let words = "\u{8bed}\u{8a00}\u{6587}\u{5b57} ".repeat(100);
    format!("\u{feff}{words}{text} {words}")
}

/// What comes in the place of bytes, and what the bytes are that go on; nothing, if nothing is found.
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn cases() -> Vec<(String, Option<Vec<u8>>)> {
    let text = text();
    let clean = text.replace(GITHUB, "[redacted: secret.github_token]");
    let latin = |text: &str| {
        text.chars()
            .map(|c| u32::from(c) as u8)
            .collect::<Vec<u8>>()
    };
    // With signs for which the two alphabets have different letters.
    let signs = "\u{e9}\u{3fe}\u{3ff}?~";
    let url = URL_SAFE_NO_PAD.encode(text.replace('\u{e9}', signs));
    assert!(url.contains(['-', '_']), "{url}");
    let in_lines = |blob: &str| {
        let lines: Vec<&str> = blob.split_inclusive('V').collect();
        lines.join("\r\n")
    };
    let blob = STANDARD.encode(&text);
    vec![
        (blob.clone(), Some(clean.clone().into_bytes())),
        (in_lines(&blob), Some(clean.clone().into_bytes())),
        (
            blob.trim_end_matches('=').to_owned(),
            Some(clean.clone().into_bytes()),
        ),
        (STANDARD.encode(latin(&text)), Some(latin(&clean))),
        // One odd byte makes no picture of a text.
        (
            STANDARD.encode(format!("\u{1}{text}")),
            Some(format!("\u{1}{clean}").into_bytes()),
        ),
        // Readers pass over what is no letter, or know letters for URLs.
        (
            format!("{}!.{}", part(&blob, ..7), part(&blob, 7..)),
            Some(clean.clone().into_bytes()),
        ),
        (url, Some(clean.replace('\u{e9}', signs).into_bytes())),
        (
            format!("{}-_{}", part(&blob, ..10), part(&blob, 10..)),
            Some(clean.clone().into_bytes()),
        ),
        // What stands behind padding goes on, or begins anew.
        (
            format!("{}{blob}", STANDARD.encode("ab")),
            Some(format!("ab{clean}").into_bytes()),
        ),
        (
            format!("{}={}", part(&blob, ..22), part(&blob, 22..)),
            Some(clean.clone().into_bytes()),
        ),
        (
            STANDARD.encode(wide(&text, u16::to_le_bytes)),
            Some(wide(&clean, u16::to_le_bytes)),
        ),
        (
            STANDARD.encode(wide(&text, u16::to_be_bytes)),
            Some(wide(&clean, u16::to_be_bytes)),
        ),
        (
            STANDARD.encode(wide(&format!("\u{feff}{text}"), u16::to_le_bytes)),
            Some(wide(&format!("\u{feff}{clean}"), u16::to_le_bytes)),
        ),
        // A mark says how it is written where most of it is no ASCII.
        (
            STANDARD.encode(wide(&foreign(GITHUB), u16::to_le_bytes)),
            Some(wide(&foreign(MARK), u16::to_le_bytes)),
        ),
        // What is shorter than a run of a picture is a word of a text.
        (
            STANDARD.encode(latin(&format!("\u{e9}\u{ab}{GITHUB}\u{bb}\u{e9}"))),
            Some(latin(&format!("\u{e9}\u{ab}{MARK}\u{bb}\u{e9}"))),
        ),
        // A letter that is left over says nothing.
        (
            format!("{}Q", STANDARD.encode(format!("# {GITHUB}"))),
            Some(format!("# {MARK}").into_bytes()),
        ),
        // Of a picture what reads as text, and the rest of it stays.
        (STANDARD.encode(picture(&text)), Some(picture(&clean))),
        // No text: a picture, an archive.
        (STANDARD.encode(picture("")), None),
        (
            STANDARD.encode([0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0]),
            None,
        ),
        (STANDARD.encode("a text that holds nothing"), None),
        ("not base64 at all".to_owned(), None),
        (String::new(), None),
    ]
}

#[test]
fn n9_3_text_that_comes_as_bytes_is_looked_at() {
    let content = content(&json!({}));
    for (blob, expected) in cases() {
        for (place, message) in [
            (
                "/result/contents/0/blob",
                json!({ "result": { "contents": [{ "uri": "file:///.env", "mimeType": "application/octet-stream", "blob": blob }] } }),
            ),
            (
                "/result/contents/0/blob",
                json!({ "result": { "contents": [{ "uri": "file:///.env", "blob": blob }] } }),
            ),
            (
                "/result/content/0/data",
                json!({ "result": { "content": [{ "type": "image", "mimeType": "image/png", "data": blob }] } }),
            ),
        ] {
            let (left, rules, _) = after(&content, &message, Toward::Model);
            let Some(expected) = &expected else {
                assert_eq!((left, rules.len()), (message, 0));
                continue;
            };
            let left = left.pointer(place).unwrap().as_str().unwrap();
            assert_eq!(STANDARD.decode(left).unwrap(), *expected, "{blob}");
            assert_eq!(rules, ["secret.github_token"]);
        }
    }
    let blob = STANDARD.encode(text());
    let sent = json!({ "params": { "contents": [{ "uri": "file:///.env", "blob": blob }] } });
    let (left, _, refused) = after(&content, &sent, Toward::Server);
    assert_eq!(left, sent);
    assert!(
        matches!(refused, Some(Because::Data { label, .. }) if &*label == "secret.github_token")
    );
}

#[test]
fn n9_3_what_stands_in_the_place_of_bytes_as_it_is_is_looked_at_too() {
    let content = content(&json!({}));
    for (before, after) in [
        (format!("the key is {GITHUB}"), format!("the key is {MARK}")),
        (GITHUB.to_owned(), MARK.to_owned()),
        (
            format!("{}\"{GITHUB}\"", "A".repeat(5000)),
            format!("{}\"{MARK}\"", "A".repeat(5000)),
        ),
        // What it is the encoding of reads well, and what stands behind that as well.
        (
            format!(
                "{}\"{GITHUB}\"",
                STANDARD.encode("words of a text, ".repeat(60))
            ),
            format!(
                "{}\"{MARK}\"",
                STANDARD.encode("words of a text, ".repeat(60))
            ),
        ),
        // So does what stands there only to those who take a wide letter for a letter.
        (
            format!(
                "{}\"\u{ff47}{}\"",
                STANDARD.encode("words of a text, ".repeat(60)),
                part(GITHUB, 1..)
            ),
            format!(
                "{}\"{MARK}\"",
                STANDARD.encode("words of a text, ".repeat(60))
            ),
        ),
    ] {
        for (place, message) in [
            (
                "/result/contents/0/blob",
                json!({ "result": { "contents": [{ "uri": "x", "blob": before }] } }),
            ),
            (
                "/result/content/0/data",
                json!({ "result": { "content": [{ "type": "image", "mimeType": "image/png", "data": before }] } }),
            ),
        ] {
            let (left, rules, _) = self::after(&content, &message, Toward::Model);
            assert_eq!(left.pointer(place), Some(&json!(after)));
            let told = rules.iter().any(|rule| rule == "secret.github_token");
            assert!(told, "{rules:?}");
        }
    }
}

#[test]
fn n9_3_a_short_value_in_a_text_of_latin_letters_is_one() {
    let content = content(&json!({ "personal": { "answers": "refuse" } }));
    let latin = |text: &str| -> Vec<u8> { text.chars().map(|c| u32::from(c) as u8).collect() };
    let blob = STANDARD.encode(latin("\u{e9} \u{ab}anna@corp.test\u{bb}"));
    let message = json!({ "result": { "contents": [{ "uri": "file:///a", "blob": blob }] } });
    let (_, rules, refused) = after(&content, &message, Toward::Model);
    assert_eq!(
        (rules, refused.is_some()),
        (vec!["personal.email".to_owned()], true)
    );
}
