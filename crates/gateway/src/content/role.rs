//! What each string of a message is there for, by where it stands. It is looked up by the name of the
//! member that holds it: the shapes of MCP use each name for one kind of thing, in every revision.
//!
//! What is not known is taken for data: inspected and redacted, and never treated as prose.

use protocol::{Kind, Str, Value};
use std::borrow::Cow;
use std::ops::Range;

/// What a string is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A URI.
    Address,
    /// Base64 of bytes that are no text.
    Blob,
    /// What went wrong: the message of an error, and its data where that is text.
    Failure,
    /// What something is called: a member, a tool, a prompt.
    Name,
    /// Data: a value inside arguments, structured content, `_meta`, and whatever is not known.
    Structured,
    /// What a result, a resource or a prompt consists of: the text of a content block.
    Text,
    /// A word of the protocol.
    Wire,
    /// Other prose that a model or a person reads: descriptions, titles, messages, instructions.
    Words,
}

/// What a walk comes by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaf<'d> {
    /// A number of data. Numbers of the protocol's own are not come by.
    Number(Value<'d>),
    /// A string: a value, or the name of a member.
    Text(Str<'d>),
}

impl<'d> Leaf<'d> {
    /// Where it lies in the message.
    pub(super) fn range(self) -> Range<usize> {
        match self {
            Leaf::Number(number) => number.range(),
            Leaf::Text(string) => string.range(),
        }
    }

    /// Its place as a JSON Pointer (RFC 6901). Costs a walk from the root.
    pub(super) fn pointer(self) -> String {
        match self {
            Leaf::Number(number) => number.pointer(),
            Leaf::Text(string) => string.pointer(),
        }
    }

    /// Whether it came without escapes and with printable ASCII only.
    pub(super) fn is_plain(self) -> bool {
        match self {
            Leaf::Number(_) => true,
            Leaf::Text(string) => string.is_plain(),
        }
    }

    /// What it says; nothing where it says nothing of anybody.
    pub(super) fn text(self) -> Cow<'d, str> {
        match self {
            Leaf::Number(number) => super::data::digits(number).unwrap_or_default(),
            Leaf::Text(string) => string.decoded(),
        }
    }
}

/// The nearest member that holds a string, and the object it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'d> {
    pub(super) name: Str<'d>,
    pub(super) of: Value<'d>,
}

/// Visits every string, and every number of data, with its role and the nearest member that holds it, in
/// the order of the text.
pub(super) fn walk<'d>(
    value: Value<'d>,
    visit: &mut impl FnMut(Leaf<'d>, Role, Option<Member<'d>>),
) {
    descend(value, Within::Shape, None, Role::Structured, visit);
}

/// Whether names have the meaning of the protocol here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// In data of somebody's own.
    Data,
    /// In a shape of MCP.
    Shape,
}

fn descend<'d>(
    value: Value<'d>,
    within: Within,
    member: Option<Member<'d>>,
    role: Role,
    visit: &mut impl FnMut(Leaf<'d>, Role, Option<Member<'d>>),
) {
    match value.kind() {
        Kind::String => {
            if let Some(string) = value.string() {
                visit(Leaf::Text(string), role, member);
            }
        }
        Kind::Array => {
            for element in value.elements() {
                descend(element, within, member, role, visit);
            }
        }
        Kind::Object => {
            for (key, inner) in value.members() {
                visit(Leaf::Text(key), Role::Name, None);
                let (role, within) = match within {
                    Within::Data => (Role::Structured, Within::Data),
                    Within::Shape => of_member(key, value, inner),
                };
                let member = Member {
                    name: key,
                    of: value,
                };
                descend(inner, within, Some(member), role, visit);
            }
        }
        Kind::Number if within == Within::Data && !is_progress(member) => {
            visit(Leaf::Number(value), role, member);
        }
        Kind::Boolean | Kind::Null | Kind::Number => {}
    }
}

/// Whether this is what a client calls the progress of a call, which the protocol keeps among data.
fn is_progress(member: Option<Member<'_>>) -> bool {
    member.is_some_and(|member| member.name.is("progressToken"))
}

fn of_member(key: Str<'_>, holder: Value<'_>, value: Value<'_>) -> (Role, Within) {
    // As every reader reads it: an escape in a name makes no other name of it.
    let name = key.decoded();
    if value.kind() != Kind::String && is_data(&name, holder) {
        return (Role::Structured, Within::Data);
    }
    let role = match &*name {
        "text" => Role::Text,
        "data" | "message" if holder.get("code").is_some() => Role::Failure,
        "description" | "title" | "message" | "instructions" | "systemPrompt" | "reason"
        | "statusMessage" => Role::Words,
        "name" => Role::Name,
        "uri" | "uriTemplate" | "url" | "websiteUrl" | "src" => Role::Address,
        "blob" => Role::Blob,
        "data" if holder.get("mimeType").is_some() => Role::Blob,
        "data" => Role::Words,
        "cursor" | "id" | "jsonrpc" | "level" | "method" | "mimeType" | "nextCursor"
        | "progressToken" | "protocolVersion" | "requestState" | "resultType" | "role"
        | "status" | "stopReason" | "taskId" | "type" => Role::Wire,
        _ => Role::Structured,
    };
    (role, Within::Shape)
}

/// Whether a member holds data of somebody's own, in which no name has a meaning of the protocol.
fn is_data(name: &str, holder: Value<'_>) -> bool {
    match name {
        "_meta" | "arguments" | "capabilities" | "const" | "data" | "default" | "enum"
        | "examples" | "experimental" | "structuredContent" => true,
        // What a person filled in: an answer to an elicitation.
        "content" => holder.get("action").is_some(),
        // What a model wants to call a tool with, and what came of it (sampling).
        "input" => holder.get("type").is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use protocol::{Document, Limits};

    fn roles(text: &str) -> Vec<(String, Role)> {
        let document = Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
        let mut roles = Vec::new();
        walk(document.root(), &mut |leaf, role, member| {
            if matches!(leaf, Leaf::Text(string) if !string.is_key()) {
                let member = member.map(|it| it.name.decoded().into_owned());
                roles.push((member.unwrap_or_default(), role));
            }
        });
        roles
    }

    #[test]
    fn a_string_is_what_its_member_is_there_for() {
        let call = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"send",
            "arguments":{"text":"t","list":["x"]},"_meta":{"progressToken":"p"}}}"#;
        let result = r#"{"result":{"content":[{"type":"text","text":"t"},
            {"type":"image","data":"AAAA","mimeType":"image/png"},
            {"type":"resource","resource":{"uri":"file:///a","text":"t","mimeType":"text/plain"}}],
            "structuredContent":{"type":"t","text":"x"}}}"#;
        let log = r#"{"method":"notifications/message","params":{"level":"info","data":"said"}}"#;
        let escaped = r#"{"params":{"\u0061rguments":{"id":"x","status":["y"]}}}"#;
        let answer = r#"{"result":{"action":"accept","content":{"id":"x","type":"y"}}}"#;
        let own = |first, second| vec![(first, Role::Structured), (second, Role::Structured)];
        let mut accepted = vec![("action", Role::Structured)];
        accepted.extend(own("id", "type"));
        for (text, expected) in [
            (escaped, own("id", "status")),
            (answer, accepted),
            (
                call,
                vec![
                    ("jsonrpc", Role::Wire),
                    ("id", Role::Wire),
                    ("method", Role::Wire),
                    ("name", Role::Name),
                    ("text", Role::Structured),
                    ("list", Role::Structured),
                    ("progressToken", Role::Structured),
                ],
            ),
            (
                result,
                vec![
                    ("type", Role::Wire),
                    ("text", Role::Text),
                    ("type", Role::Wire),
                    ("data", Role::Blob),
                    ("mimeType", Role::Wire),
                    ("type", Role::Wire),
                    ("uri", Role::Address),
                    ("text", Role::Text),
                    ("mimeType", Role::Wire),
                    ("type", Role::Structured),
                    ("text", Role::Structured),
                ],
            ),
            (
                log,
                vec![
                    ("method", Role::Wire),
                    ("level", Role::Wire),
                    ("data", Role::Words),
                ],
            ),
        ] {
            are(text, expected);
        }
    }

    #[test]
    fn what_went_wrong_is_told_from_what_is_asked_and_said() {
        let error = r#"{"error":{"code":1,"message":"m","data":{"id":"x","cursor":"y"}}}"#;
        let task =
            r#"{"result":{"statusMessage":"s","error":{"code":1,"message":"m","data":"d"}}}"#;
        let asked = r#"{"method":"elicitation/create","params":{"message":"m"}}"#;
        let failed = |member| (member, Role::Failure);
        for (text, expected) in [
            (
                error,
                vec![
                    failed("message"),
                    ("id", Role::Structured),
                    ("cursor", Role::Structured),
                ],
            ),
            (
                task,
                vec![
                    ("statusMessage", Role::Words),
                    failed("message"),
                    failed("data"),
                ],
            ),
            (
                asked,
                vec![("method", Role::Wire), ("message", Role::Words)],
            ),
        ] {
            are(text, expected);
        }
    }

    #[test]
    fn each_name_of_the_protocol_has_its_role() {
        let names: [(Role, &[&str]); 6] = [
            (Role::Text, &["text"]),
            (
                Role::Words,
                &[
                    "description",
                    "title",
                    "message",
                    "instructions",
                    "systemPrompt",
                    "reason",
                    "statusMessage",
                    "data",
                ],
            ),
            (Role::Name, &["name"]),
            (
                Role::Address,
                &["uri", "uriTemplate", "url", "websiteUrl", "src"],
            ),
            (Role::Blob, &["blob"]),
            (
                Role::Wire,
                &[
                    "cursor",
                    "id",
                    "jsonrpc",
                    "level",
                    "method",
                    "mimeType",
                    "nextCursor",
                    "progressToken",
                    "protocolVersion",
                    "requestState",
                    "resultType",
                    "role",
                    "status",
                    "stopReason",
                    "taskId",
                    "type",
                ],
            ),
        ];
        let own = [
            "_meta",
            "arguments",
            "capabilities",
            "const",
            "data",
            "default",
            "enum",
            "examples",
            "experimental",
            "structuredContent",
        ];
        for (role, names) in names {
            for name in names {
                let said = [
                    format!(r#"{{"{name}":"x"}}"#),
                    format!(r#"{{"a":[{{"{name}":["x"]}}]}}"#),
                ];
                // A list of data is data.
                let shapes = if own.contains(name) { 1 } else { 2 };
                for text in said.iter().take(shapes) {
                    are(text, vec![(name, role)]);
                }
                for of in own {
                    are(
                        &format!(r#"{{"{of}":{{"{name}":"x"}}}}"#),
                        vec![(name, Role::Structured)],
                    );
                }
            }
        }
        for (text, role) in [
            (r#"{"content":{"text":"x"}}"#, Role::Text),
            (r#"{"action":1,"content":{"text":"x"}}"#, Role::Structured),
            (r#"{"input":{"text":"x"}}"#, Role::Text),
            (r#"{"type":1,"input":{"text":"x"}}"#, Role::Structured),
            (r#"{"default":"x"}"#, Role::Structured),
            (r#"{"unknown":"x"}"#, Role::Structured),
        ] {
            let role = vec![role];
            let found: Vec<_> = roles(text).into_iter().map(|(_, role)| role).collect();
            assert_eq!(found, role, "{text}");
        }
    }

    fn are(text: &str, expected: Vec<(&str, Role)>) {
        let expected = expected.into_iter();
        let expected: Vec<_> = expected.map(|(it, role)| (it.to_owned(), role)).collect();
        assert_eq!(roles(text), expected);
    }

    #[test]
    fn every_string_of_a_message_is_visited_once_in_its_order() {
        let text = r#"["a",{"b":"c","d":[["e"],{"f":{"g":"h"}}]},"i"]"#;
        let document = Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
        let mut seen = Vec::new();
        walk(document.root(), &mut |leaf, _, _| seen.push(leaf.range()));
        let all: Vec<_> = document.strings().map(|string| string.range()).collect();
        assert_eq!(seen, all);
    }

    #[test]
    fn numbers_of_data_are_come_by_and_those_of_the_protocol_are_not() {
        for (text, expected) in [
            (
                r#"{"id":1,"params":{"arguments":{"a":2,"b":[3,{"c":4}]},"_meta":{"progressToken":5,"x":6}}}"#,
                vec![2, 3, 4, 6],
            ),
            (
                r#"{"result":{"structuredContent":[7],"ttl":8,"content":[{"type":"text","size":9}]}}"#,
                vec![7],
            ),
            (
                r#"{"params":{"progress":1,"total":2,"data":{"n":3}}}"#,
                vec![3],
            ),
            (
                r#"{"result":{"tools":[{"inputSchema":{"minimum":1,"default":2,"enum":[3]}}]}}"#,
                vec![2, 3],
            ),
            (r#"{"error":{"code":-32000,"data":{"n":1}}}"#, vec![1]),
        ] {
            let document =
                Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
            let mut seen = Vec::new();
            walk(document.root(), &mut |leaf, _, _| {
                if let Leaf::Number(number) = leaf {
                    seen.push(number.integer().unwrap());
                }
            });
            assert_eq!(seen, expected, "{text}");
        }
    }
}
