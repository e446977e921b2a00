//! Which fields go on, and what stands in their place.

use super::*;
use crate::content::Tokens;
use crate::content::data::Data;
use inspect::data::mark;
use serde_json::json;

fn minimising(entries: Json) -> Minimising {
    let content = settled::Content {
        purpose: Some(Purpose::Claim("why".into())),
        ..content(entries)
    };
    Minimising::new(&content).unwrap()
}

fn content(entries: Json) -> settled::Content {
    let text = format!(
        "version: 1\nlisteners: [{{ address: '127.0.0.1:0' }}]\n\
         issuers: [{{ issuer: 'https://id.example.com' }}]\n\
         servers: [{{ name: s, http: {{ url: 'https://mcp.example.com/mcp' }}, content: {{ minimise: {entries} }} }}]\n\
         routes: [{{ path: /s, server: s }}]\n"
    );
    let (settled, _) = config::load(&text).unwrap();
    let server = settled.servers.first().unwrap();
    server.content.clone()
}

fn document(text: &str) -> Document {
    Document::read(text.to_owned().into(), &Limits::default()).unwrap()
}

fn result(entries: Json, text: &str) -> String {
    let minimising = minimising(json!({ "t": [entries] }));
    let entry = minimising.of("t", &Map::new()).unwrap().unwrap();
    let document = document(text);
    let mut edits = Edits::new();
    let mut stand_ins = StandIns::of(None);
    entry.result(
        document.root(),
        &Limits::default(),
        &mut stand_ins,
        &mut edits,
    );
    let bytes = document.apply(&edits).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn p1_what_goes_on_keeps_every_byte() {
    for (keep, drop, before, after) in [
        (None, vec![], r#"{"a" : 1.0}"#, r#"{"a" : 1.0}"#),
        (
            None,
            vec!["/x"],
            r#"{"a" : 1.0, "b":[ 2 ]}"#,
            r#"{"a" : 1.0, "b":[ 2 ]}"#,
        ),
        (
            None,
            vec!["/b"],
            r#"{"a" : 1e2, "b":[ 2 ]}"#,
            r#"{"a":1e2}"#,
        ),
        (
            Some(vec!["/b"]),
            vec![],
            r#"{"a" : 1, "b":[ 2.50 , {} ]}"#,
            r#"{"b":[ 2.50 , {} ]}"#,
        ),
        (
            Some(vec!["/a/b"]),
            vec![],
            r#"{"a":{"b":"\u0041","c":1},"d":2}"#,
            r#"{"a":{"b":"\u0041"}}"#,
        ),
        (
            Some(vec!["/*/id"]),
            vec![],
            r#"[{"id":1,"x":2},3,{"id":4}]"#,
            r#"[{"id":1},{"id":4}]"#,
        ),
        (None, vec!["/a~1b"], r#"{"a/b":1,"c":2}"#, r#"{"c":2}"#),
        (None, vec!["/ab"], r#"{"a\u0062":1,"c":2}"#, r#"{"c":2}"#),
        (Some(vec![]), vec![], r#"{"a":1}"#, "{}"),
        (Some(vec![]), vec![], "[1]", "[]"),
        (Some(vec!["/a"]), vec![], "7", "null"),
    ] {
        let read = |places: Vec<&str>| -> Vec<_> {
            let parse = |place: &str| inspect::pointer::Pattern::parse(place).unwrap();
            places.into_iter().map(parse).collect()
        };
        let keep = keep.map(read);
        let projection = Projection::new(keep.as_deref(), &read(drop), []);
        let document = document(before);
        let less = StandIns::of(None).project(document.root(), &projection);
        let less = less.map_or(before.to_owned(), |less| String::from_utf8(less).unwrap());
        assert_eq!(less, after, "{before}");
    }
}

#[test]
fn p1_no_field_leaks_in_the_text_beside_it() {
    let entry = json!({ "results": { "keep": ["/id"] } });
    let kept = r#"{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1}}"#;
    assert_eq!(result(entry.clone(), kept), kept);
    for text in [
        r#"{"content":[{"type":"text","text":"{\"id\": 1, \"ssn\": \"078-05\"}"}],"structuredContent":{"id":1,"ssn":"078-05"}}"#,
        r#"{"content":[{"type":"text","text":"[{\"ssn\": \"078-05\"}]"}]}"#,
        r#"{"content":[{"type":"text","text":"The number is 078-05."}],"structuredContent":{"id":1}}"#,
        r#"{"content":[{"type":"text","text":"\"078-05\""}]}"#,
        r#"{"content":[{"type":"resource","resource":{"uri":"a:b","text":"078-05"}}]}"#,
        r#"{"content":[{"type":"resource","resource":{"uri":"a:b","text":"{\"ssn\":\"078-05\"}"}}]}"#,
        r#"{"content":[{"type":"resource","resource":{"uri":"a:b","blob":"MDc4LTA1"}}]}"#,
        r#"{"content":[{"type":"text","text":"{\"ssn\": \"078-05\"}"}],"isError":true}"#,
        r#"{"toolResult":{"ssn":"078-05"},"content":[]}"#,
        r#"{"tool\u0052esult":[{"ssn":"078-05"}]}"#,
        r#"{"answer":"078-05","structuredContent":{"id":1}}"#,
    ] {
        let less = result(entry.clone(), text);
        assert!(
            !less.contains("078-05") && !less.contains("MDc4"),
            "{text}: {less}"
        );
        document(&less);
    }
    let failed = r#"{"content":[{"type":"text","text":"no such customer"}],"isError":true}"#;
    assert_eq!(result(entry, failed), failed);
    let keeps = json!({ "results": { "keep": ["/id"] }, "other_text": "keep" });
    let prose = r#"{"content":[{"type":"text","text":"prose"}],"also":"prose"}"#;
    assert_eq!(result(keeps, prose), prose);
}

#[test]
fn p1_a_token_stands_for_a_text_or_a_number_and_for_nothing_else() {
    let data = |tokens: Option<&Arc<Tokens>>| {
        let mut data = Data::new(&settled::Data::default(), &"/all".into()).unwrap();
        if let Some(tokens) = tokens {
            data.keyed(tokens);
        }
        data
    };
    let tokens = Tokens::ephemeral().unwrap();
    let (keyed, unkeyed) = (data(Some(&tokens)), data(None));
    let place = inspect::pointer::Pattern::parse("/a").unwrap();
    let projection = Projection::new(None, [], [(&place, "personal.email")]);
    let projected = |data: &Data, text: &str| {
        let document = document(text);
        let mut stand_ins = StandIns::of(Some(data));
        let less = stand_ins.project(document.root(), &projection);
        let less = less.map_or(text.to_owned(), |less| String::from_utf8(less).unwrap());
        (less, stand_ins.tokens, stand_ins.left_out)
    };
    let token = keyed.stand_in("personal.email", "x@y.test");
    let number = keyed.stand_in("personal.email", "4.50");
    let other = keyed.stand_in("personal.phone", "x@y.test");
    for (before, after, counts) in [
        (r#"{"b": 1}"#.to_owned(), r#"{"b": 1}"#.to_owned(), (0, 0)),
        (
            r#"{"a": "x@\u0079.test", "b": 1}"#.to_owned(),
            format!(r#"{{"a":"{token}","b":1}}"#),
            (1, 0),
        ),
        (
            r#"{"a": 4.50}"#.to_owned(),
            format!(r#"{{"a":"{number}"}}"#),
            (1, 0),
        ),
        (
            r#"{"a": null}"#.to_owned(),
            r#"{"a": null}"#.to_owned(),
            (0, 0),
        ),
        (r#"{"a": {"c": 1}}"#.to_owned(), "{}".to_owned(), (0, 1)),
        (r#"{"a": ["x"]}"#.to_owned(), "{}".to_owned(), (0, 1)),
        (r#"{"a": true}"#.to_owned(), "{}".to_owned(), (0, 1)),
        // What is a token already is not put into another one.
        (
            format!(r#"{{"a": "{token}"}}"#),
            format!(r#"{{"a": "{token}"}}"#),
            (0, 0),
        ),
        (
            format!(r#"{{"a": "{}"}}"#, "x".repeat(2000)),
            format!(r#"{{"a":"{}"}}"#, mark("personal.email")),
            (1, 0),
        ),
    ] {
        let (less, tokens, left_out) = projected(&keyed, &before);
        assert_eq!((less, (tokens, left_out)), (after, counts), "{before}");
    }
    let (less, ..) = projected(&keyed, &format!(r#"{{"a": "{other}"}}"#));
    assert!(!less.contains(&other), "{less}");
    let (less, ..) = projected(&unkeyed, r#"{"a": "x@y.test"}"#);
    assert_eq!(less, format!(r#"{{"a":"{}"}}"#, mark("personal.email")));
}

/// A route may reveal what its server turns into tokens.
#[test]
fn p1_a_token_that_is_turned_back_at_once_is_a_mistake() {
    for (entry, reveal, fits) in [
        (
            json!({ "arguments": { "tokenise": { "/a": "personal.email" } } }),
            "personal.email",
            false,
        ),
        (
            json!({ "arguments": { "tokenise": { "/a": "personal.email" } } }),
            "personal.phone",
            true,
        ),
        (
            json!({ "results": { "tokenise": { "/a": "personal.email" } } }),
            "personal.email",
            true,
        ),
    ] {
        let mut content = content(json!({ "t": [entry] }));
        content.data.reveal = vec![reveal.to_owned()];
        let made = Minimising::new(&content);
        assert_eq!(made.is_ok(), fits, "{reveal} {made:?}");
    }
}

#[test]
fn p1_a_call_for_no_known_purpose_has_no_entry() {
    let minimising = minimising(json!({
        "find": [{ "purposes": ["support"], "results": { "keep": ["/id"] } }],
        "fi*": [{ "purposes": ["billing"] }, {}],
    }));
    let claims = |purpose: Json| Map::from_iter([("why".to_owned(), purpose)]);
    let found = |tool: &str, purpose: Json| {
        let entry = minimising.of(tool, &claims(purpose));
        entry.map(|entry| entry.map(|entry| entry.purposes.clone()))
    };
    let of = |purpose: &str| Ok(Some(vec![purpose.to_owned()]));
    assert_eq!(found("find", json!("support")), of("support"));
    assert_eq!(found("find", json!("billing")), Err(NoPurpose));
    assert_eq!(found("find", json!(["support"])), Err(NoPurpose));
    assert_eq!(found("fill", json!("billing")), of("billing"));
    assert_eq!(found("fill", json!("other")), Ok(Some(vec![])));
    assert_eq!(found("other", json!("other")), Ok(None));
    assert_eq!(minimising.of("find", &Map::new()).unwrap_err(), NoPurpose);
}

#[test]
fn p1_what_a_schema_requires_cannot_be_left_out() {
    let minimising = minimising(json!({
        "t": [{ "arguments": { "drop": ["/a"] }, "results": { "keep": ["/id"] } }],
    }));
    let broken = |input: Json, output: Json| {
        let definition =
            json!({ "inputSchema": { "required": input }, "outputSchema": { "required": output } });
        minimising.breaks("t", &definition)
    };
    assert_eq!(broken(json!(["b"]), json!(["id"])), None);
    assert!(
        broken(json!(["a"]), json!([]))
            .unwrap()
            .contains("`/a` out of its arguments")
    );
    assert!(
        broken(json!([]), json!(["id", "name"]))
            .unwrap()
            .contains("`/name` out of its results")
    );
    assert_eq!(minimising.breaks("other", &json!({})), None);
}
