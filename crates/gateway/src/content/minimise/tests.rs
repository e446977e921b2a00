//! Which fields go on, and what stands in their place.

use super::*;
use crate::content::data::Data;
use crate::content::{Tokens, sample};
use inspect::data::mark;
use protocol::{Document, Limits};
use serde_json::json;

fn minimising(entries: Json) -> Minimising {
    let content = settled::Content {
        purpose: Some(Purpose::Claim("why".into())),
        ..content(entries)
    };
    Minimising::new(&content).unwrap()
}

fn content(entries: Json) -> settled::Content {
    sample::settled(&json!({ "minimise": entries }))
}

fn document(text: &str) -> Document {
    Document::read(text.to_owned().into(), &Limits::default()).unwrap()
}

fn result(entries: Json, text: &str) -> String {
    left(entries, text, "result")
}

/// What is left of a result, or of an error.
fn left(entries: Json, text: &str, what: &str) -> String {
    let minimising = minimising(json!({ "t": [entries] }));
    let entry = minimising.of("t", &Map::new()).unwrap().unwrap();
    let document = document(text);
    let mut edits = Edits::new();
    let mut stand_ins = StandIns::of(None);
    entry.outcome(
        match what {
            "error" => Outcome::Failure(document.root()),
            _ => Outcome::Result(document.root()),
        },
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
        // By the names that are left of them.
        (None, vec!["/ab"], r#"{"a\u200bb":1,"c":2}"#, r#"{"c":2}"#),
        (
            None,
            vec!["/ab"],
            "{\"a\u{fe0f}b\":1,\"c\":2}",
            r#"{"c":2}"#,
        ),
        (
            None,
            vec!["/o/ab"],
            "{\"\u{e0041}o\":{\"a\u{200b}b\":1,\"c\":2}}",
            "{\"\u{e0041}o\":{\"c\":2}}",
        ),
        (
            Some(vec!["/ab"]),
            vec![],
            "{\"a\u{200b}b\":1,\"c\":2}",
            "{\"a\u{200b}b\":1}",
        ),
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
        // What failed tells why in words, and in no file.
        r#"{"content":[{"type":"resource","resource":{"uri":"a:b","text":"078-05"}}],"isError":true}"#,
        r#"{"toolResult":{"ssn":"078-05"},"content":[]}"#,
        r#"{"tool\u0052esult":[{"ssn":"078-05"}]}"#,
        r#"{"answer":"078-05","structuredContent":{"id":1}}"#,
        r#"{"content":{"ssn":"078-05"}}"#,
        r#"{"content":["078-05"]}"#,
        r#"{"content":[{"type":"text","text":{"ssn":"078-05"}}]}"#,
        r#"{"content":[{"type":"text","text":"{}","ssn":"078-05"}]}"#,
        r#"{"content":[{"type":"text","text":"{}","data":{"ssn":"078-05"}}]}"#,
        r#"{"content":[{"type":"image","data":"AAAA","mimeType":"image/png","of":[{"ssn":"078-05"}]}]}"#,
        r#"{"content":[{"type":"text","text":"{}","annotations":{"priority":1,"note":"078-05"}}]}"#,
        r#"{"content":[{"type":"resource","resource":{"uri":"a:b","text":"{}","ssn":"078-05"}}]}"#,
        r#"{"content":[{"type":"resource","resource":{"uri":"a:b","text":"{}","blob":"MDc4LTA1"}}]}"#,
        r#"{"content":[{"type":"x","ssn":"078-05"}]}"#,
        r#"{"content":[{"type":"text","text":"{}","annotations":"078-05"}]}"#,
        r#"{"content":[{"type":"text","text":"{\"ssn\":\"078-05\"}","resource":{"uri":"a:b","text":"{}"}}]}"#,
        r#"{"content":[{"type":"image","data":"AAAA","resource":{"uri":"a:b","text":"{\"ssn\":\"078-05\"}"}}]}"#,
        // A name that is there twice is two fields, whoever reads which.
        r#"{"content":[{"type":"text","text":"{\"id\":1,\"ssn\":1,\"ssn\":\"078-05\"}"}]}"#,
        r#"{"content":[{"type":"text","text":"{\"id\":12345678901234567890,\"ssn\":\"078-05\"}"}]}"#,
        // What failed goes on, and so does not what stands between fences in it.
        r#"{"content":[{"type":"text","text":"no:\n```\n{\"ssn\":\"078-05\"}\n```"}],"isError":true}"#,
        r#"{"content":[],"status":{"ssn":"078-05"}}"#,
        r#"{"content":[],"statusMessage":["078-05"]}"#,
        r#"{"content":[],"ttl":{"of":{"ssn":"078-05"}}}"#,
        r#"{"content":[],"task":{"taskId":"t","status":"working","ssn":"078-05"}}"#,
        r#"{"content":[],"task":{"taskId":{"ssn":"078-05"}}}"#,
        r#"{"content":[],"task":[{"ssn":"078-05"}]}"#,
        r#"{"content":[],"tasks":[{"ssn":"078-05"}]}"#,
        r#"{"content":[],"result":{"ssn":"078-05"}}"#,
        r#"{"content":[],"result":{"result":{"structuredContent":{"ssn":"078-05"}}}}"#,
        r#"{"content":[],"result":["078-05"]}"#,
        r#"{"content":[],"error":{"code":1,"message":"no","data":{"ssn":"078-05"}}}"#,
        r#"{"content":[],"error":{"code":{"ssn":"078-05"},"message":["078-05"]}}"#,
        r#"{"content":[],"error":"078-05"}"#,
        r#"{"content":[],"inputRequests":{"a":{"ssn":"078-05"}}}"#,
        r#"{"content":[],"inputRequests":["078-05"]}"#,
        r#"{"content":[],"inputRequests":{"a":{"method":["078-05"]}}}"#,
        r#"{"content":[],"inputRequests":{"a":{"method":"roots/list"},"b":{"ssn":"078-05"}}}"#,
    ] {
        let less = result(entry.clone(), text);
        assert!(
            !less.contains("078-05") && !less.contains("MDc4"),
            "{text}: {less}"
        );
        document(&less);
    }
    let file = |text: &str| {
        let resource = json!({ "uri": "a:b", "text": text });
        json!({ "content": [{ "type": "resource", "resource": resource }] }).to_string()
    };
    let less = result(entry.clone(), &file(r#"{"id":1,"ssn":"078-05"}"#));
    assert_eq!(less, file(r#"{"id":1}"#));
    let failed = r#"{"content":[{"type":"text","text":"no such customer"}],"isError":true}"#;
    assert_eq!(result(entry, failed), failed);
    let keeps = json!({ "results": { "keep": ["/id"] }, "other_text": "keep" });
    let prose = r#"{"content":[{"type":"text","text":"prose"}],"also":"prose"}"#;
    assert_eq!(result(keeps, prose), prose);
}

#[test]
fn p1_json_line_by_line_and_in_strings_is_cut_down_like_any_other() {
    let told = |text: &str| json!({ "content": [{ "type": "text", "text": text }] }).to_string();
    let deep = |value: &str, times: usize| {
        (0..times).fold(value.to_owned(), |text, _| json!({ "a": text }).to_string())
    };
    let places = |times: usize, place: &str| format!("{}{place}", "/a".repeat(times));
    let keep = json!({ "results": { "keep": ["/id"] } });
    let dropped = |place: &str| json!({ "results": { "drop": [place] } });
    let lines = "{\"id\":1,\"ssn\":2}\n\n [{\"ssn\":2}] \r\n{\"id\":3}";
    let both = deep(r#"{"id":1,"ssn":2}"#, inner::STRINGS);
    let more = deep(r#"{"id":1,"ssn":2}"#, inner::STRINGS + 1);
    for (entry, before, after) in [
        (
            keep.clone(),
            lines.to_owned(),
            Some("{\"id\":1}\n\n [] \r\n{\"id\":3}".to_owned()),
        ),
        // Whatever stands between lines may be any field.
        (keep.clone(), format!("{lines}\nand 2"), None),
        (keep.clone(), "{\"id\":1}\n[2]".to_owned(), None),
        (
            json!({ "results": { "keep": ["/id"] }, "other_text": "keep" }),
            format!("of\n{lines}\nend"),
            Some("of\n{\"id\":1}\n\n [] \r\n{\"id\":3}\nend".to_owned()),
        ),
        // A string that is JSON holds the fields that its text has.
        (
            keep.clone(),
            json!(r#"{"id":1,"ssn":2}"#).to_string(),
            Some(json!(r#"{"id":1}"#).to_string()),
        ),
        (
            dropped(&places(inner::STRINGS, "/ssn")),
            both.clone(),
            Some(deep(r#"{"id":1}"#, inner::STRINGS)),
        ),
        (dropped("/ssn"), both.clone(), Some(both.clone())),
        (
            json!({ "results": { "keep": [places(inner::STRINGS, "/id")] } }),
            both,
            Some(deep(r#"{"id":1}"#, inner::STRINGS)),
        ),
        (
            dropped("/a/*/ssn"),
            r#"{"a":"[{\"ssn\":2}, {\"id\" : 1}]","b":1}"#.to_owned(),
            Some(r#"{"a":"[{},{\"id\" : 1}]","b":1}"#.to_owned()),
        ),
        // What loses nothing keeps every byte, and what is no JSON is a text.
        (
            dropped("/a/b"),
            r#"{ "a": "{\u0022c\": 1 }", "b": "said {b}" }"#.to_owned(),
            Some(r#"{ "a": "{\u0022c\": 1 }", "b": "said {b}" }"#.to_owned()),
        ),
        // What is not read to its end does not go on.
        (
            dropped(&places(inner::STRINGS + 1, "/ssn")),
            more,
            Some(deep("{}", inner::STRINGS)),
        ),
        (
            json!({ "results": { "drop": ["/ssn"] }, "other_text": "keep" }),
            deep("{}", 1) + "\n" + &"[".repeat(300) + "{\"ssn\":2}" + &"]".repeat(300),
            None,
        ),
    ] {
        let after = told(&after.unwrap_or_else(|| NOTICE.to_owned()));
        assert_eq!(result(entry, &told(&before)), after, "{before}");
    }
    let structured = |text: &str| json!({ "structuredContent": { "a": text } }).to_string();
    let less = result(dropped("/a/ssn"), &structured(r#"{"id":1,"ssn":2}"#));
    assert_eq!(less, structured(r#"{"id":1}"#));
}

#[test]
fn p1_what_the_protocol_knows_of_a_block_goes_on_and_of_kept_text_what_is_no_field() {
    let entry = json!({ "results": { "keep": ["/id"] } });
    for kept in [
        r#"{"content":[{"type":"image","data":"AAAA","mimeType":"image/png","annotations":{"audience":["user"],"priority":1,"lastModified":"x"},"_meta":{"a":1}}]}"#,
        r#"{"content":[{"type":"resource_link","uri":"a:b","name":"n","title":"t","description":"d","mimeType":"m","size":1,"icons":[]}]}"#,
        r#"{"content":[{"type":"resource","resource":{"uri":"a:b","mimeType":"m","text":"{}","_meta":{}}}]}"#,
        r#"{"content":[{"type":"text","text":"{\"id\": 1, \"id\": 2}"}]}"#,
    ] {
        assert_eq!(result(entry.clone(), kept), kept);
    }
    let keeps = json!({ "results": { "keep": ["/id"] }, "other_text": "keep" });
    let block = |text: &str, more: Json| {
        let mut block = json!({ "type": "text", "text": text });
        block
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "content": [block] }).to_string()
    };
    for (before, after) in [
        (
            block(
                "a\n```json\n{\"id\":1,\"ssn\":2}\n```\nb\n~~~\n[{\"ssn\":2}]\n~~~\nc",
                json!({}),
            ),
            block("a\n```json\n{\"id\":1}\n```\nb\n~~~\n[]\n~~~\nc", json!({})),
        ),
        (
            block("{\"id\":1} b", json!({})),
            block("{\"id\":1} b", json!({})),
        ),
        (
            block(
                "prose",
                json!({ "also": "prose", "of": { "id": 1, "ssn": 2 } }),
            ),
            block("prose", json!({ "also": "prose", "of": { "id": 1 } })),
        ),
    ] {
        assert_eq!(result(keeps.clone(), &before), after);
    }
}

#[test]
fn p1_what_says_how_a_call_goes_or_asks_something_goes_on() {
    let entry = json!({ "results": { "keep": ["/id"] } });
    for kept in [
        r#"{"task":{"taskId":"t","status":"working","statusMessage":"m","createdAt":"c","lastUpdatedAt":"l","ttl":1,"pollInterval":null,"_meta":{"a":1}}}"#,
        r#"{"resultType":"task","taskId":"t","status":"completed","ttlMs":1,"pollIntervalMs":1,"result":{"content":[],"structuredContent":{"id":1}}}"#,
        r#"{"resultType":"task","status":"failed","error":{"code":-1,"message":"m"}}"#,
        r#"{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create","params":{"message":"m"}}},"requestState":"s"}"#,
    ] {
        assert_eq!(result(entry.clone(), kept), kept);
    }
}

#[test]
fn p1_no_field_leaks_in_what_failed() {
    let entry = json!({ "results": { "keep": ["/id"] } });
    for (before, after) in [
        (r#"{"code":-1,"message":"no such customer"}"#, None),
        (r#"{"code":-1,"message":"m","data":{"id":1}}"#, None),
        (
            r#"{"code":-1,"message":"m","data":{"id":1,"ssn":"078-05"}}"#,
            Some(r#"{"code":-1,"message":"m","data":{"id":1}}"#),
        ),
        (
            r#"{"code":-1,"message":"m","data":"078-05"}"#,
            Some(r#"{"code":-1,"message":"m","data":null}"#),
        ),
        (
            r#"{"code":-1,"message":"m","ssn":{"ssn":1}}"#,
            Some(r#"{"code":-1,"message":"m","ssn":{}}"#),
        ),
        (
            r#"{"code":-32042,"message":"m","data":{"elicitations":[{"url":"https://a.test"}],"more":{"ssn":1}}}"#,
            Some(
                r#"{"code":-32042,"message":"m","data":{"elicitations":[{"url":"https://a.test"}],"more":{}}}"#,
            ),
        ),
        (
            r#"{"code":-32042,"message":"m","data":{"elicitations":[],"_meta":{"a":1}}}"#,
            None,
        ),
        (
            r#"{"code":-32021,"message":"m","data":{"requiredCapabilities":{"roots":{}},"elicitations":[{"ssn":1}]}}"#,
            Some(
                r#"{"code":-32021,"message":"m","data":{"requiredCapabilities":{"roots":{}},"elicitations":[]}}"#,
            ),
        ),
    ] {
        let less = left(entry.clone(), before, "error");
        assert_eq!(less, after.unwrap_or(before));
    }
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
    // What is good elsewhere, or has more in it than a token, is none here.
    let mut elsewhere = Data::new(&settled::Data::default(), &"/other".into()).unwrap();
    elsewhere.keyed(&tokens);
    let elsewhere = elsewhere.stand_in("personal.email", "x@y.test");
    for said in [other, elsewhere, format!("{token} and more")] {
        let (less, ..) = projected(&keyed, &format!(r#"{{"a": "{said}"}}"#));
        assert!(!less.contains(&said), "{less}");
    }
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
        "f*": [{ "purposes": ["audit"] }],
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
    assert_eq!(found("fold", json!("audit")), of("audit"));
    assert_eq!(found("fold", json!("billing")), Err(NoPurpose));
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
    // For whichever purpose.
    let several = json!([{ "purposes": ["support"] }, { "arguments": { "drop": ["/a"] } }]);
    let several = self::minimising(json!({ "t": several }));
    let required = json!({ "inputSchema": { "required": ["a"] } });
    assert!(several.breaks("t", &required).is_some());
}

#[test]
fn p1_what_was_done_is_told_with_how_often_and_never_to_what() {
    let done = |left_out: u32, tokens: u32| {
        let mut stand_ins = StandIns::of(None);
        (stand_ins.left_out, stand_ins.tokens) = (left_out, tokens);
        let told = stand_ins.findings("minimise.results", "/result");
        told.map(|it| {
            (
                it.rule.to_string(),
                it.count,
                it.action,
                it.place.to_string(),
            )
        })
        .collect::<Vec<_>>()
    };
    let told = |rule: &str, count: u32, action: controls::Action| {
        (rule.to_owned(), count, action, "/result".to_owned())
    };
    use controls::Action::{Remove, Tokenise};
    for (left_out, tokens, expected) in [
        (0, 0, vec![]),
        (2, 0, vec![told("minimise.results", 2, Remove)]),
        (0, 3, vec![told("minimise.tokens", 3, Tokenise)]),
        (
            1,
            1,
            vec![
                told("minimise.results", 1, Remove),
                told("minimise.tokens", 1, Tokenise),
            ],
        ),
    ] {
        assert_eq!(done(left_out, tokens), expected);
    }
}

#[test]
fn p1_a_result_is_gone_through_where_anything_is_taken_out_of_results() {
    for (entry, keeps) in [
        (json!({}), true),
        (json!({ "arguments": { "drop": ["/a"] } }), true),
        (json!({ "results": { "drop": ["/a"] } }), false),
        (json!({ "results": { "keep": ["/a"] } }), false),
        (
            json!({ "results": { "tokenise": { "/a": "personal.email" } } }),
            false,
        ),
    ] {
        let minimising = minimising(json!({ "t": [entry] }));
        let found = minimising.of("t", &Map::new()).unwrap().unwrap();
        assert_eq!(found.keeps_results(), keeps, "{found:?}");
    }
}
