//! What is ignored is not searched for, and whatever else needs rules has them all the same.

use super::*;
use inspect::data::Rule;

fn data(settings: &Value) -> Data {
    content(settings).data.unwrap()
}

/// How many rules of each kind are asked on a way.
fn asked(data: &Data, toward: Toward) -> (usize, usize) {
    let of = |kind| {
        let rules = data.sought(toward).iter();
        rules.filter(|rule: &&Rule| rule.kind == kind).count()
    };
    (of(Kind::Secret), of(Kind::Personal))
}

#[test]
fn n9_3_what_is_ignored_is_not_searched_for() {
    let all = data(&json!({}));
    assert!(Arc::ptr_eq(&all.rules, &all.answers) && Arc::ptr_eq(&all.rules, &all.arguments));
    let (secrets, personal) = asked(&all, Toward::Model);
    let phones = 2;
    let no = json!({ "arguments": "ignore", "answers": "ignore" });
    for (settings, answers, arguments) in [
        (
            json!({ "personal": { "answers": "ignore" } }),
            (secrets, 0),
            (secrets, personal),
        ),
        (
            json!({ "secrets": { "arguments": "ignore" } }),
            (secrets, personal),
            (0, personal),
        ),
        (
            json!({ "personal": no, "rules": { "personal.iban": { "answers": "report" },
                                               "secret.jwt": { "arguments": "ignore" } } }),
            (secrets, 1),
            (secrets - 1, 0),
        ),
        (
            json!({ "rules": { "personal.phone": no, "personal.email": { "answers": "refuse" } } }),
            (secrets, personal - phones),
            (secrets, personal - phones),
        ),
        (json!({ "personal": no, "secrets": no }), (0, 0), (0, 0)),
    ] {
        let data = data(&settings);
        assert_eq!(asked(&data, Toward::Model), answers, "{settings}");
        assert_eq!(asked(&data, Toward::Server), arguments, "{settings}");
        assert_eq!(data.looks(Toward::Model), answers != (0, 0), "{settings}");
    }
}

#[test]
fn n9_3_where_everything_is_ignored_a_message_is_not_gone_through() {
    let no = json!({ "arguments": "ignore" });
    let call =
        json!({ "params": { "arguments": { "x": GITHUB, "y": [4_111_111_111_111_111_u64] } } });
    let call = document(&call);
    for (settings, passes) in [
        (json!({ "secrets": no, "personal": no }), true),
        (json!({ "secrets": no }), false),
        (
            json!({ "secrets": no, "personal": no, "rules": { "personal.bic": { "arguments": "report" } } }),
            false,
        ),
    ] {
        let content = content(&settings);
        assert_eq!(
            content.passes_plain(&call, Toward::Server),
            passes,
            "{settings}"
        );
        let controls: Vec<_> = content.controls(Toward::Server).collect();
        assert_eq!(controls.contains(&controls::N9_3), !passes, "{settings}");
    }
}

#[test]
fn n9_3_where_several_servers_are_concerned_only_what_all_of_them_ignore_is_not_searched_for() {
    let no = json!({ "arguments": "ignore" });
    let silent = settled(&json!({ "secrets": no, "personal": no })).data;
    let mailing = settled(
        &json!({ "personal": no, "rules": { "personal.email": { "arguments": "redact" } } }),
    )
    .data;
    let strict = settled(&json!({})).data;
    for (all, personal) in [
        (vec![&silent, &silent], 0),
        (vec![&silent, &mailing], 1),
        (vec![&silent, &mailing, &strict], usize::MAX),
    ] {
        let data = Data::of_all(all, &"/s".into()).unwrap().unwrap();
        let (_, found) = asked(&data, Toward::Server);
        let every = asked(&data, Toward::Model).1;
        assert_eq!(found, personal.min(every));
        assert!(every > 1);
    }
}

#[test]
fn n9_3_rules_that_share_packs_and_what_is_ignored_are_made_once() {
    let ignored = json!({ "personal": { "answers": "ignore" }, "rules": { "personal.bic": { "answers": "ignore" } } });
    let (one, other) = (
        data(&ignored),
        data(&json!({ "personal": { "answers": "ignore", "arguments": "ignore" } })),
    );
    assert!(Arc::ptr_eq(&one.answers, &other.answers));
    assert!(Arc::ptr_eq(&other.answers, &other.arguments));
    assert!(!Arc::ptr_eq(&one.answers, &one.arguments));
}

#[test]
fn n9_3_what_is_ignored_hides_nothing_that_stands_at_its_place() {
    let url = result("postgres://app:s3cr3tPw9@db.corp.test:5432/main");
    let ignored = json!({ "secrets": { "answers": "ignore" } });
    for (settings, expected) in [
        (json!({}), "secret.url_password"),
        (ignored, "personal.email"),
    ] {
        let (_, found, _) = after(&content(&settings), &url, Toward::Model);
        assert_eq!(found, [expected]);
    }
}

#[test]
fn n9_3_tokens_and_places_are_what_they_are_whatever_is_ignored() {
    let no = json!({ "arguments": "ignore", "answers": "ignore" });
    let content = content(&json!({ "secrets": no, "personal": no, "reveal": ["personal.email"] }));
    let data = content.data.as_ref().unwrap();
    let token = data.stand_in("personal.email", "anna@corp.test");
    assert!(token.starts_with("{rw:personal.email:"), "{token}");
    let call = document(&json!({ "params": { "arguments": { "to": token } } }));
    let left = call.apply(&content.reveal(&call).edits).unwrap();
    assert!(String::from_utf8_lossy(&left).contains("anna@corp.test"));
    let shown = content.shown(&format!("/params/arguments/{GITHUB}/x"));
    assert_eq!(shown, "/params/arguments/[redacted: secret.github_token]/x");
    let told = content.hush(GITHUB);
    assert_eq!(told.as_deref(), Some("[redacted: secret.github_token]"));
    assert_eq!(content.hush("note"), None);
}

#[test]
fn n9_3_what_came_before_is_searched_to_its_end_or_the_message_goes_no_further() {
    let log = |text: &str| json!({ "method": "notifications/message", "params": { "data": text } });
    // Each of them is short, and what is remembered of them is more than is searched.
    let piece = document(&log(&"/ops_eyJ".repeat(100)));
    for (settings, refuses) in [
        (json!({}), true),
        (json!({ "secrets": { "answers": "report" } }), false),
    ] {
        let content = content(&settings);
        let mut threads = content.threads();
        let mut seen = Vec::new();
        for _ in 0..8 {
            let mut looked = content.look_after(threads.take(), &piece, Toward::Model);
            threads = looked.threads.take();
            let unread = looked.rules.contains(UNREAD);
            seen.push((unread, looked.refused.is_some()));
        }
        assert_eq!(seen.first(), Some(&(false, false)));
        assert_eq!(seen.last(), Some(&(true, refuses)), "{settings}");
    }
}

#[test]
fn n9_3_a_name_that_is_not_searched_to_its_end_is_not_told() {
    let data = data(&json!({}));
    for (name, label) in [
        ("/ops_eyJ".repeat(10), None),
        ("/ops_eyJ".repeat(1000), Some(UNREAD)),
        (GITHUB.to_owned(), Some("secret.github_token")),
    ] {
        assert_eq!(data.label(&name).as_deref(), label, "{}", name.len());
    }
}
