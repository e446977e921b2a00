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
        // Words of the protocol, and bytes that are no text.
        (
            json!({ "id": GITHUB, "result": {} }),
            Toward::Model,
            Vec::new(),
        ),
        (
            json!({ "result": { "content": [{ "type": "image", "mimeType": "image/png", "data": GITHUB }] } }),
            Toward::Model,
            Vec::new(),
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
    let first = document(&log("it is 536-22-8741"));
    let mut looked = content.look_after(content.threads(), &first, Toward::Model);
    assert!(looked.findings.is_empty());
    let second = document(&log(" as SSN"));
    let looked = content.look_after(looked.threads.take(), &second, Toward::Model);
    let rules: Vec<_> = looked.findings.iter().map(|it| &*it.rule).collect();
    assert_eq!(rules, ["personal.us_ssn"]);
    assert!(looked.edits.is_empty());
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
