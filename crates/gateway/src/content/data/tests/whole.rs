//! What counts where no single server is concerned.

use super::*;

#[test]
fn n9_3_where_several_servers_are_concerned_the_strictest_of_them_counts() {
    let lenient = json!({ "secrets": { "arguments": "report" }, "personal": { "arguments": "ignore" },
                          "rules": { "personal.iban": { "arguments": "redact" } } });
    let mailing =
        json!({ "personal": { "arguments": "tokenise" }, "secrets": { "arguments": "ignore" } });
    let (lenient, mailing, usual) = (settled(&lenient), settled(&mailing), settled(&json!({})));
    let text = |text: &str| json!({ "method": "initialize", "params": { "clientInfo": { "name": "x", "title": text } } });
    for (all, said, expected) in [
        (vec![&lenient], GITHUB, "report"),
        (vec![&lenient, &usual], GITHUB, "refuse"),
        (vec![&usual, &lenient], GITHUB, "refuse"),
        (vec![&lenient], "anna@corp.test", "nothing"),
        (vec![&lenient, &mailing], "anna@corp.test", "tokenise"),
        (vec![&usual, &lenient], "anna@corp.test", "report"),
        (
            vec![&mailing, &lenient, &usual],
            "GB33BUKB20201555555555",
            "redact",
        ),
        (vec![&lenient, &mailing], GITHUB, "report"),
    ] {
        let all: Vec<_> = all.into_iter().cloned().collect();
        let mut content = Content::of_all(HiddenText::Remove, &all, &"/s".into()).unwrap();
        content.keyed(&Tokens::ephemeral().unwrap());
        let (_, found, _) = written(&content, &text(said).to_string(), Toward::Server);
        let done = found
            .first()
            .map_or("nothing", |it| it.rsplit(' ').next().unwrap());
        assert_eq!(done, expected, "{said} {found:?}");
    }
}

#[test]
fn n9_3_where_several_servers_are_concerned_no_token_is_turned_back() {
    let settled = settled(&json!({ "reveal": ["personal.email"] }));
    let all = [settled.clone(), settled.clone()];
    let route: Arc<str> = "/s".into();
    let one = Content::new(HiddenText::Remove, &settled, &route).unwrap();
    let both = Content::of_all(HiddenText::Remove, &all, &route).unwrap();
    let tokens = Tokens::ephemeral().unwrap();
    let token = tokens.write(&route, "personal.email", "anna@corp.test");
    let call = document(&json!({ "params": { "arguments": { "to": token.unwrap() } } }));
    for (mut content, turns) in [(one, true), (both, false)] {
        content.keyed(&tokens);
        assert_eq!(!content.reveal(&call).edits.is_empty(), turns);
    }
}

#[test]
fn n9_3_what_is_not_searched_to_its_end_goes_on_only_where_everything_would_for_all_servers() {
    let told = json!({ "secrets": { "arguments": "report" } });
    let (told, usual) = (settled(&told), settled(&json!({})));
    let text = json!({ "method": "initialize",
                       "params": { "clientInfo": { "title": "/ops_eyJ".repeat(32 * 1024) } } });
    for (all, refuses) in [
        (vec![&told, &told], false),
        (vec![&told, &usual], true),
        (vec![&usual, &told], true),
    ] {
        let all: Vec<_> = all.into_iter().cloned().collect();
        let content = Content::of_all(HiddenText::Remove, &all, &"/s".into()).unwrap();
        let (_, found, refused) = after(&content, &text, Toward::Server);
        assert!(found.iter().any(|rule| rule == "text.unread"), "{found:?}");
        assert_eq!(refused.is_some(), refuses);
    }
}
