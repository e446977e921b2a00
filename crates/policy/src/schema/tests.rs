//! The schema as a whole.

use super::*;
use crate::catalog::{ClaimEntry, ServerEntry, ToolEntry};
use cedar_policy::Schema;

fn catalog() -> Catalog {
    Catalog {
        servers: vec![ServerEntry {
            name: "files".into(),
            labels: vec![],
        }],
        tools: vec![ToolEntry {
            server: "files".into(),
            name: "read".into(),
            input_schema: json!({"type": "object", "required": ["path"], "properties": {
                "path": {"type": "string"}, "a \"b\"\n": {"type": "number"},
            }}),
            ..ToolEntry::default()
        }],
        claims: vec![ClaimEntry {
            name: "https://example.com/level".into(),
            kind: ClaimKind::Number,
        }],
        ..Catalog::default()
    }
}

#[test]
fn is_a_schema_with_and_without_a_catalog() {
    for catalog in [Catalog::default(), catalog()] {
        Schema::from_json_value(generate(&catalog)).expect("a schema");
        let text = text(&catalog).expect("has a text");
        let _schema = Schema::from_cedarschema_str(&text).expect("the text is a schema too");
    }
}

#[test]
fn text_names_what_policies_can_name() {
    let text = text(&catalog()).expect("has a text");
    for expected in [
        "namespace Ringwall",
        "entity User in [Group]",
        "path?: __cedar::String",
        "\"https://example.com/level\"?: __cedar::Long",
        "action \"call\"",
        "action \"ask\"",
        "resource: [Server]",
    ] {
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(expected), "no `{expected}` in\n{text}");
    }
}

#[test]
fn arguments_are_certain_only_for_one_tool() {
    let catalog = catalog();
    let required = |reach| {
        let document = document(&catalog, &Inputs::of(&catalog, reach));
        let at = |action: &str| {
            let path = format!(
                "/Ringwall/actions/{action}/appliesTo/context/attributes/arguments/attributes/path/required"
            );
            document.pointer(&path).and_then(Value::as_bool)
        };
        (at("call"), at("list"))
    };
    let [server, name] = ["files", "read"];
    for (reach, expected) in [
        (Reach::Tool { server, name }, (Some(true), Some(false))),
        (Reach::Server(server), (Some(false), Some(false))),
        (Reach::All, (Some(false), Some(false))),
        (Reach::Server("other"), (None, None)),
        (Reach::Prompt { server, name }, (None, None)),
    ] {
        assert_eq!(required(reach), expected, "{reach:?}");
    }
}
