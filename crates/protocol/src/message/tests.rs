//! Envelopes: what is read as what, and what is refused where.

use super::*;
use crate::revision::Revision;

fn read(text: &str) -> Result<Message, Flaw> {
    Message::read(Document::read(text.to_owned().into(), &Limits::default()).unwrap())
}

fn check(text: &str, expected: Shape) {
    assert_eq!(
        read(text).map(|message| message.shape()),
        Ok(expected),
        "{text}"
    );
}

fn refuse(text: &str, kind: FlawKind, at: &str) {
    let offset = text.find(at).unwrap();
    assert_eq!(read(text).err(), Some(Flaw { kind, offset }), "{text}");
}

#[test]
fn tells_requests_notifications_and_responses_apart() {
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        Shape::Request,
    );
    check(
        r#"{"method":"tools/call","params":{},"id":"a","jsonrpc":"2.0"}"#,
        Shape::Request,
    );
    check(
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        Shape::Notification,
    );
    check(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Shape::Response);
    check(
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":""}}"#,
        Shape::Response,
    );
    check(
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}"#,
        Shape::Response,
    );
    check(
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#,
        Shape::Response,
    );
}

#[test]
fn gives_the_parts_as_they_are_written() {
    let text = r#" {"jsonrpc":"2.0","id" : "a1","method":"tools\/call","x":[1],
        "params" : {"name":"t", "_meta":{"progressToken":"p"}} } "#;
    let message = read(text).unwrap();
    assert_eq!(message.method(), "tools/call");
    assert_eq!(message.id(), Some(Id::from("a1")));
    assert_eq!(
        message.params().unwrap().raw(),
        br#"{"name":"t", "_meta":{"progressToken":"p"}}"#
    );
    assert_eq!(message.progress_token().unwrap().raw(), b"\"p\"");
    assert_eq!(message.bytes(), text.as_bytes());
    assert!(message.result().is_none() && message.error().is_none());

    let message = read(r#"{"jsonrpc":"2.0","id":4,"result":{"tools":[]}}"#).unwrap();
    assert_eq!(message.method(), "");
    assert_eq!(message.result().unwrap().raw(), br#"{"tools":[]}"#);
}

#[test]
fn refuses_what_is_no_json_rpc_2_message() {
    refuse("7", FlawKind::NotAnObject, "7");
    refuse(r#"  "x""#, FlawKind::NotAnObject, "\"x");
    refuse(
        r#"[{"jsonrpc":"2.0","method":"ping","id":1}]"#,
        FlawKind::Batch,
        "[",
    );
    refuse(r#"{"id":1,"method":"ping"}"#, FlawKind::Version, "{");
    refuse(
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        FlawKind::Version,
        "\"1.0",
    );
    refuse(
        r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
        FlawKind::Version,
        "2.0",
    );
    refuse(r#"{"jsonrpc":"2.0"}"#, FlawKind::Shape, "{");
    refuse(r#"{"jsonrpc":"2.0","id":1}"#, FlawKind::Shape, "{");
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
        FlawKind::Shape,
        "{",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
        FlawKind::Shape,
        "{",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"result":{},"params":{}}"#,
        FlawKind::Shape,
        "{",
    );
}

#[test]
fn refuses_ids_that_peers_read_differently() {
    for id in ["null", "1.0", "true", "{}", "[]", "1.5", "-0", "1e1"] {
        let text = format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{id}}}"#);
        refuse(&text, FlawKind::Id, &format!("{id}}}"));
    }
    refuse(
        r#"{"jsonrpc":"2.0","result":{},"id":null}"#,
        FlawKind::Id,
        "null",
    );
    refuse(r#"{"jsonrpc":"2.0","result":{}}"#, FlawKind::Id, "{");
    refuse(
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":""},"id":1.0}"#,
        FlawKind::Id,
        "1.0}",
    );
}

#[test]
fn refuses_malformed_methods_params_results_and_errors() {
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        FlawKind::Method,
        "7",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"method":""}"#,
        FlawKind::Method,
        "\"\"",
    );
    let long = "m".repeat(METHOD_MAX + 1);
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{long}"}}"#);
    refuse(&text, FlawKind::Method, "\"mm");
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#,
        FlawKind::Params,
        "[]",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":null}"#,
        FlawKind::Params,
        "null",
    );
    refuse(
        r#"{"jsonrpc":"2.0","method":"a","params":{"_meta":1}}"#,
        FlawKind::Params,
        "1}",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
        FlawKind::Result,
        "[]",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"result":null}"#,
        FlawKind::Result,
        "null",
    );
    for error in [
        r#""x""#,
        "{}",
        r#"{"code":1.5,"message":""}"#,
        r#"{"code":1,"message":2}"#,
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#);
        refuse(&text, FlawKind::Error, error);
    }
}

#[test]
fn refuses_a_case_variant_of_a_security_member() {
    for member in [
        "JSONRPC", "Id", "ID", "Method", "Params", "Result", "Error", "method ", "іd",
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","{member}":1}}"#);
        refuse(&text, FlawKind::Variant, &format!("\"{member}\""));
    }
    for member in [
        "Name",
        "NAME",
        "Arguments",
        "argumentſ",
        "Uri",
        "_Meta",
        "Cursor",
        "ｎame",
    ] {
        let params = format!(r#"{{"name":"x","{member}":1}}"#);
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{params}}}"#);
        refuse(&text, FlawKind::Variant, &format!("\"{member}\""));
    }
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"ProgressToken":1}}}"#,
        FlawKind::Variant,
        "\"ProgressToken",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"ref":{"type":"ref/prompt","Name":1}}}"#,
        FlawKind::Variant,
        "\"Name",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"result":{"Tools":[]}}"#,
        FlawKind::Variant,
        "\"Tools",
    );
    refuse(
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","Code":2}}"#,
        FlawKind::Variant,
        "\"Code",
    );
}

#[test]
fn leaves_the_names_inside_arguments_to_the_tool() {
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call",
        "params":{"name":"x","arguments":{"Name":1,"NAME":2,"ID":3}},"extension":{"Id":1}}"#;
    check(text, Shape::Request);
}

#[test]
fn finds_the_id_of_a_flawed_message() {
    let id_of = |text: &str| {
        let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
        Message::id_of(&document)
    };
    assert_eq!(id_of(r#"{"id":5,"method":7}"#), Some(Id::from(5)));
    assert_eq!(id_of(r#"{"id":null}"#), None);
    assert_eq!(id_of("[5]"), None);
}

fn read_batch(text: &str, revision: Revision) -> Result<usize, Flaw> {
    let limits = Limits::default();
    let document = Document::read(text.to_owned().into(), &limits).unwrap();
    Message::read_batch(document, revision.rules(), &limits).map(|messages| messages.len())
}

#[test]
fn reads_a_batch_only_where_the_revision_has_batches() {
    let text = r#" [{"jsonrpc":"2.0","id":1,"method":"ping"} , {"jsonrpc":"2.0","method":"x"}]"#;
    for revision in Revision::ALL {
        let expected = match revision.rules().batches {
            true => Ok(2),
            false => Err(Flaw::at(FlawKind::Batch, 1)),
        };
        assert_eq!(read_batch(text, *revision), expected, "{revision}");
    }
    let single = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for revision in Revision::ALL {
        assert_eq!(read_batch(single, *revision), Ok(1), "{revision}");
    }
}

#[test]
fn refuses_a_batch_that_is_empty_nested_repeats_an_id_or_initializes() {
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let cases = [
        ("[]".to_owned(), FlawKind::EmptyBatch, 0),
        (format!("[[{ping}]]"), FlawKind::Batch, 1),
        (
            format!("[{ping},{ping}]"),
            FlawKind::RepeatedId,
            ping.len() + 2,
        ),
        (format!("[{ping},7]"), FlawKind::NotAnObject, ping.len() + 2),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"initialize"}]"#.to_owned(),
            FlawKind::InitializeInBatch,
            1,
        ),
    ];
    for (text, kind, offset) in cases {
        let expected = Err(Flaw::at(kind, offset));
        assert_eq!(read_batch(&text, Revision::V2025_03_26), expected, "{text}");
    }
}

#[test]
fn refuses_a_batch_with_more_messages_than_the_limit() {
    let rules = Revision::V2025_03_26.rules();
    let ping = |id: usize| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    let batch = |count: usize| {
        let list: Vec<_> = (0..count).map(ping).collect();
        format!("[{}]", list.join(","))
    };
    let most = batch(rules.batch_max);
    assert_eq!(
        read_batch(&most, Revision::V2025_03_26),
        Ok(rules.batch_max)
    );
    let more = batch(rules.batch_max + 1);
    let flaw = read_batch(&more, Revision::V2025_03_26).unwrap_err();
    assert_eq!(flaw.kind, FlawKind::TooManyMembers);
}
