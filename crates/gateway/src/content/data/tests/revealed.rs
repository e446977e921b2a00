//! What tokens are turned back into, and where.

use super::*;

#[test]
fn n9_3_tokens_are_turned_back_for_labels_that_the_server_may_have() {
    let settings = json!({ "personal": { "answers": "tokenise" }, "reveal": ["personal.email"] });
    let content = content(&settings);
    let text = "anna@corp.test, \"quoted\", 4111 1111 1111 1111";
    let (left, _, _) = after(&content, &result(text), Toward::Model);
    let tokens = left
        .pointer("/result/content/0/text")
        .unwrap()
        .as_str()
        .unwrap();
    // A token may happen to have any letters in it, and no such signs.
    assert!(
        !tokens.contains("anna@") && !tokens.contains("4111"),
        "{tokens}"
    );
    let call = json!({ "params": { "arguments": { "a": [tokens, "x"] } } });
    let sent = document(&call);
    // What was decided about is never another thing afterwards.
    for elsewhere in [
        json!({ "params": { "name": tokens, "uri": tokens, "_meta": { "arguments": tokens } } }),
        json!({ "params": { "arguments": { tokens: 1 } } }),
        json!({ "result": { "arguments": [tokens] } }),
    ] {
        let looked = content.reveal(&document(&elsewhere));
        assert!(
            looked.edits.is_empty() && looked.findings.is_empty(),
            "{elsewhere}"
        );
    }
    // Nothing but the reveal turns them back.
    let looked = content.look(&sent, Toward::Server);
    assert!(looked.edits.is_empty() && looked.refused.is_none());
    let looked = content.reveal(&sent);
    let left = sent.apply(&looked.edits).unwrap();
    let left: Value = serde_json::from_slice(&left).unwrap();
    let told = left
        .pointer("/params/arguments/a/0")
        .unwrap()
        .as_str()
        .unwrap();
    assert!(
        told.starts_with("anna@corp.test, \"quoted\", {rw:personal.payment_card:"),
        "{told}"
    );
    let rules: Vec<_> = looked.findings.iter().map(|it| &*it.rule).collect();
    assert_eq!(rules, ["data.revealed"]);
    let twice =
        json!({ "params": { "arguments": { "a": format!("{tokens} {tokens}"), "b": tokens } } });
    let looked = content.reveal(&document(&twice));
    let counts: Vec<_> = looked.findings.iter().map(|it| it.count).collect();
    assert_eq!(counts, [2, 1]);
}

#[test]
fn n9_3_what_a_token_stands_for_is_a_value_and_nothing_else_where_it_is_put() {
    let settings = json!({ "personal": { "answers": "tokenise" }, "rules": {
        "personal.email": { "answers": "tokenise" } }, "reveal": ["personal.email"] });
    let content = content(&settings);
    let data = content.data.as_ref().unwrap();
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let evil = r#"x","admin":true,"y":"\"#;
    for value in [evil, "a\nb", "O'Neil", "\u{e9}", r#"}"],{"x"#] {
        let token = data.stand_in("personal.email", value);
        let revealed = |text: &str| {
            let call = json!({ "params": { "arguments": { "body": text } } });
            let document = document(&call);
            let looked = content.reveal(&document);
            let left = document.apply(&looked.edits).unwrap();
            let left: Value = serde_json::from_slice(&left).unwrap();
            let body = left.pointer("/params/arguments/body").unwrap();
            body.as_str().unwrap().to_owned()
        };
        // JSON stays what it is, and so does JSON inside of JSON.
        let inner = json!({ "to": token, "n": 1.5, "l": [&token, "x"], &token: 1 });
        let told = json!({ "to": value, "n": 1.5, "l": [value, "x"], &token: 1 });
        assert_eq!(json(&revealed(&inner.to_string())), told);
        assert_eq!(json(&revealed(&format!(" {inner:#}\n"))), told);
        assert_eq!(json(&revealed(&json!(&token).to_string())), json!(value));
        let outer = json!({ "inner": inner.to_string() });
        let left = json(&revealed(&outer.to_string()));
        assert_eq!(json(left["inner"].as_str().unwrap()), told);
        // So does what is deeper than anybody looks.
        let deep = (0..6).fold(inner.to_string(), |text, _| json!([text]).to_string());
        assert_eq!(revealed(&deep), deep);
        // In a text alone it is what it is.
        assert_eq!(revealed(&token), value);
        let prose = format!("it's for {token}, and don't ask");
        assert_eq!(revealed(&prose), prose.replace(&token, value));
        // Within quotes of whatever it is it does not end them.
        for (text, quote) in [
            (format!("{{\"a\":1}}\n{{\"to\":\"{token}\"}}\n"), '"'),
            (format!("{{\"a\":1,\"a\":\"see {token}\"}}"), '"'),
            (format!("say 'to {token}'"), '\''),
            (format!("<a href=\"{token}\">"), '"'),
            (format!("`{token}`"), '`'),
        ] {
            let breaks = value.contains([quote, '\\']);
            let expected = match breaks {
                true => text.clone(),
                false => text.replace(&token, value),
            };
            assert_eq!(revealed(&text), expected);
        }
    }
}
