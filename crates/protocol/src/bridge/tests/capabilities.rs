//! What a client can do, as a server of the other hop is told.

use super::*;
use Revision::{V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28};

/// What a client may say of itself, and more.
const EVERYTHING: &str = r#"{"elicitation":{"form":{"a":1},"url":{}},"roots":{"listChanged":true},"sampling":{"tools":{},"context":{}},"tasks":{"list":{}},"experimental":{"x":{}},"extensions":{"io.modelcontextprotocol/tasks":{"a":1},"io.modelcontextprotocol/ui":{}},"other":{}}"#;

fn check(declared: &str, from: Revision, to: Era, expected: &str) {
    let declared = document(declared);
    let told = client_capabilities(Some(declared.root()), from, to);
    let told = String::from_utf8(told.to_vec()).unwrap();
    assert_eq!(told, expected, "{from} {to:?}");
}

#[test]
fn l4_a_server_is_told_only_what_it_can_use() {
    let cases = [
        (
            EVERYTHING,
            V2026_07_28,
            Era::Modern,
            r#"{"elicitation":{"form":{},"url":{}},"extensions":{"io.modelcontextprotocol/tasks":{}},"roots":{},"sampling":{"context":{},"tools":{}}}"#,
        ),
        (
            EVERYTHING,
            V2026_07_28,
            Era::Legacy,
            r#"{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{"context":{},"tools":{}}}"#,
        ),
        (
            EVERYTHING,
            V2025_11_25,
            Era::Modern,
            r#"{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{"context":{},"tools":{}}}"#,
        ),
        (
            EVERYTHING,
            V2025_11_25,
            Era::Legacy,
            r#"{"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true},"sampling":{"context":{},"tools":{}}}"#,
        ),
        // An older client that names what its revision does not have cannot be asked for it.
        (
            EVERYTHING,
            V2025_06_18,
            Era::Modern,
            r#"{"elicitation":{},"roots":{},"sampling":{}}"#,
        ),
        (
            EVERYTHING,
            V2025_03_26,
            Era::Modern,
            r#"{"roots":{},"sampling":{}}"#,
        ),
    ];
    for (declared, from, to, expected) in cases {
        check(declared, from, to, expected);
    }
}

#[test]
fn l4_what_is_not_said_is_not_there() {
    let cases = [
        (
            r#"{"elicitation":{}}"#,
            V2025_11_25,
            Era::Modern,
            r#"{"elicitation":{}}"#,
        ),
        (
            r#"{"elicitation":{"url":{}}}"#,
            V2026_07_28,
            Era::Legacy,
            r#"{"elicitation":{"url":{}}}"#,
        ),
        (
            r#"{"elicitation":null,"roots":false,"sampling":{"tools":false}}"#,
            V2026_07_28,
            Era::Legacy,
            r#"{"sampling":{}}"#,
        ),
        ("{}", V2026_07_28, Era::Modern, "{}"),
        ("[]", V2026_07_28, Era::Modern, "{}"),
    ];
    for (declared, from, to, expected) in cases {
        check(declared, from, to, expected);
    }
    assert_eq!(
        client_capabilities(None, V2026_07_28, Era::Modern),
        &b"{}"[..]
    );
}
