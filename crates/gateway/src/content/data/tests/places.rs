//! What is one place of a text, what is told of it, and where nobody looks.

use super::*;

fn treated((start, end, label, action): (usize, usize, &str, DataAction)) -> Treated {
    Treated {
        at: start..end,
        label: label.into(),
        severity: Severity::Low,
        action,
    }
}

fn shown(all: &[Treated]) -> Vec<(usize, usize, &str, DataAction)> {
    let each = all.iter();
    each.map(|it| (it.at.start, it.at.end, &*it.label, it.action))
        .collect()
}

#[test]
fn n9_3_a_place_is_as_far_and_as_strict_as_what_stands_in_it() {
    use DataAction::{Redact, Refuse, Report, Tokenise};
    // What is seen; each label once at one place; the places; what each label is told with.
    let cases = [
        (
            vec![
                (0, 5, "a", Redact),
                (0, 5, "a", Redact),
                (9, 12, "a", Redact),
            ],
            vec![(0, 5, "a", Redact), (9, 12, "a", Redact)],
            vec![(0, 5, "a", Redact), (9, 12, "a", Redact)],
            vec![Redact, Redact],
        ),
        (
            vec![(3, 9, "a", Redact), (0, 5, "a", Report)],
            vec![(0, 9, "a", Redact)],
            vec![(0, 9, "a", Redact)],
            vec![Redact],
        ),
        (
            vec![
                (0, 5, "a", Report),
                (3, 9, "b", Refuse),
                (8, 11, "a", Tokenise),
            ],
            vec![
                (0, 5, "a", Report),
                (3, 9, "b", Refuse),
                (8, 11, "a", Tokenise),
            ],
            vec![(0, 11, "b", Refuse)],
            vec![Refuse, Refuse, Refuse],
        ),
        (
            vec![
                (0, 9, "a", Tokenise),
                (2, 4, "b", Report),
                (9, 12, "b", Report),
            ],
            vec![
                (0, 9, "a", Tokenise),
                (2, 4, "b", Report),
                (9, 12, "b", Report),
            ],
            vec![(0, 9, "a", Tokenise), (9, 12, "b", Report)],
            vec![Tokenise, Tokenise, Report],
        ),
    ];
    for (seen, each, expected, told) in cases {
        let mut seen = once_each(seen.into_iter().map(treated).collect());
        assert_eq!(shown(&seen), each);
        let places = apart(&mut seen);
        assert_eq!(shown(&places), expected);
        let actions: Vec<_> = seen.iter().map(|it| it.action).collect();
        assert_eq!(actions, told);
    }
}

/// Each finding of a message: its rule, how often, and the control it is looked for under.
fn told(content: &Content, message: &Value, toward: Toward) -> Vec<(String, u32, Control)> {
    let threads = content.threads();
    let looked = content.look_after(threads, &document(message), toward);
    let found = looked.findings.into_iter();
    found
        .map(|it| (it.rule.into_owned(), it.count, it.control))
        .collect()
}

#[test]
fn n9_3_a_label_is_told_once_with_how_often_and_for_whom() {
    let content = content(&json!({ "secrets": { "arguments": "redact" } }));
    let mail = |count, control| vec![("personal.email".to_owned(), count, control)];
    let two = "anna@corp.test, bert@corp.test";
    let log = json!({ "method": "notifications/message", "params": { "data": two } });
    let cases = [
        (result(two), Toward::Model, mail(2, controls::N9_3)),
        // The thread and the text itself see the same.
        (log, Toward::Model, mail(2, controls::N9_3)),
        (
            json!({ "params": { "arguments": { "x": two } } }),
            Toward::Server,
            mail(2, controls::N1_1),
        ),
        // The form of a value knows more than its name.
        (
            json!({ "params": { "arguments": { "password": GITHUB } } }),
            Toward::Server,
            vec![("secret.github_token".to_owned(), 1, controls::N1_1)],
        ),
        // Words of the protocol.
        (
            json!({ "id": GITHUB, "result": {} }),
            Toward::Model,
            Vec::new(),
        ),
        // What stands in the place of bytes.
        (
            json!({ "result": { "content": [{ "type": "image", "mimeType": "image/png", "data": GITHUB }] } }),
            Toward::Model,
            vec![("secret.github_token".to_owned(), 1, controls::N9_3)],
        ),
    ];
    for (message, toward, expected) in cases {
        assert_eq!(told(&content, &message, toward), expected, "{message}");
    }
}

#[test]
fn n9_3_what_went_out_before_it_was_known_is_told_and_nothing_is_put_in_its_place() {
    let content = content(&json!({ "personal": { "answers": "redact" } }));
    let log = |text: &str| json!({ "method": "notifications/message", "params": { "data": text } });
    let (ssn, email) = ("personal.us_ssn", "personal.email");
    for (text, expected, found) in [
        (" as SSN", " as SSN", &[ssn][..]),
        // What stands beside it is replaced.
        (
            " as SSN of anna@corp.test",
            " as SSN of [redacted: personal.email]",
            &[ssn, email],
        ),
    ] {
        let first = document(&log("it is 536-22-8741"));
        let mut looked = content.look_after(content.threads(), &first, Toward::Model);
        assert!(looked.findings.is_empty());
        let second = document(&log(text));
        let looked = content.look_after(looked.threads.take(), &second, Toward::Model);
        let rules: Vec<_> = looked.findings.iter().map(|it| &*it.rule).collect();
        assert_eq!(rules, found);
        let left = second.apply(&looked.edits).unwrap();
        let left: Value = serde_json::from_slice(&left).unwrap();
        assert_eq!(left, log(expected));
    }
}

#[test]
fn n9_3_a_name_is_never_turned_back() {
    let content =
        content(&json!({ "personal": { "answers": "tokenise" }, "reveal": ["personal.email"] }));
    let (left, _, _) = after(&content, &result("anna@corp.test"), Toward::Model);
    let token = left
        .pointer("/result/content/0/text")
        .and_then(Value::as_str);
    let call = json!({ "params": { "arguments": { token.unwrap(): 1 } } });
    assert!(content.reveal(&document(&call)).edits.is_empty());
}

#[test]
fn n9_3_what_is_turned_back_is_told_so_often_and_shows_nothing_that_was_found_in_a_name() {
    let content =
        content(&json!({ "personal": { "answers": "tokenise" }, "reveal": ["personal.email"] }));
    let (left, _, _) = after(&content, &result("anna@corp.test"), Toward::Model);
    let token = left.pointer("/result/content/0/text").unwrap();
    let tokens = vec![token.clone(); FINDINGS + 8];
    let call = document(&json!({ "params": { "arguments": { GITHUB: tokens } } }));
    let looked = content.reveal(&call);
    let sent = call.apply(&looked.edits).unwrap();
    let sent = String::from_utf8(sent.to_vec()).unwrap();
    assert_eq!(sent.matches("anna@corp.test").count(), FINDINGS + 8);
    assert_eq!(looked.findings.len(), FINDINGS);
    for (index, finding) in looked.findings.iter().enumerate() {
        let place = format!("/params/arguments/[redacted: secret.github_token]/{index}");
        assert_eq!(finding.place, place);
    }
}

#[test]
fn n9_3_what_is_quoted_has_one_mark_in_the_place_of_what_overlaps() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let mark = "[redacted: secret.github_token]";
    let both = STANDARD.encode(format!("{GITHUB} is of anna.berg@corp.test"));
    let claims = URL_SAFE_NO_PAD.encode(r#"{"email":"anna.berg@corp.test"}"#);
    let signature = "dBjftJeZ4CVPmB92K27uhbUJU1p1rWW1gFWFOEjXk1g";
    let token = format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{claims}.{signature}");
    for (text, expected) in [
        (both, mark.to_owned()),
        (token, "[redacted: secret.jwt]".to_owned()),
        // What is only seen decoded stands before what is seen at once.
        (
            format!("{} {GITHUB}", STANDARD.encode(format!("it is {GITHUB}"))),
            format!("{mark} {mark}"),
        ),
        (nested(GITHUB, 5), "[redacted: text.unread]".to_owned()),
    ] {
        assert_eq!(hushed(&text), expected, "{text}");
        let data = content(&json!({})).data.unwrap();
        assert_eq!(data.hushed(&text), expected, "{text}");
    }
}

#[test]
fn n9_3_the_name_of_a_number_counts_in_json_within_text() {
    let content = content(&json!({ "rules": { "personal.location": { "answers": "redact" } } }));
    let said = result(r#"{"latitude":52.5200066,"n":1}"#);
    let (left, rules, _) = after(&content, &said, Toward::Model);
    let expected = result(r#"{"latitude":"[redacted: personal.location]","n":1}"#);
    assert_eq!(left, expected, "{rules:?}");
}

#[test]
fn n1_2_where_numbers_may_not_go_on_the_first_of_them_is_what_is_told() {
    let content = content(&json!({ "personal": { "arguments": "redact" } }));
    let cards = [4_111_111_111_111_111_u64, 5_500_005_555_555_559];
    let call = json!({ "params": { "arguments": { "a": cards[0], "b": cards[1] } } });
    let looked = content.look(&document(&call), Toward::Server);
    let Some(Because::Data { place, .. }) = looked.instead else {
        panic!("{looked:?}");
    };
    assert_eq!(place, "/params/arguments/a");
}
