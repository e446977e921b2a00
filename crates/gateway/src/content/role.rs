//! What each string of a message is there for, by where it stands. It is looked up by the name of the
//! member that holds it: the shapes of MCP use each name for one kind of thing, in every revision.
//!
//! What is not known is taken for data: inspected and redacted, and never treated as prose.

use super::Toward;
use super::place::Step;
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

/// One string, or one number of data, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'d, 'w> {
    pub(super) leaf: Leaf<'d>,
    pub(super) role: Role,
    pub(super) within: Within,
    /// The nearest member that holds it; nothing for the name of one.
    pub(super) member: Option<Member<'d>>,
    /// The way to it; to what it names, if it is the name of a member.
    pub(super) way: &'w [Step<'d>],
}

/// What the names of members mean where a string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// What they mean to somebody: data.
    Data,
    /// What the parties tell each other about themselves: the `_meta` of a part of the protocol.
    Meta,
    /// What they mean in MCP.
    Shape,
}

/// Visits every string of a message, and every number of its data, in the order of the text.
pub(super) fn walk<'d>(root: Value<'d>, toward: Toward, visit: &mut impl FnMut(Standing<'d, '_>)) {
    let mut walk = Walk {
        toward,
        way: Vec::new(),
        visit,
    };
    walk.descend(root, Within::Shape, None, Role::Structured);
}

/// A walk on its way.
struct Walk<'d, 'v, V> {
    toward: Toward,
    way: Vec<Step<'d>>,
    visit: &'v mut V,
}

impl<'d, V: FnMut(Standing<'d, '_>)> Walk<'d, '_, V> {
    fn descend(
        &mut self,
        value: Value<'d>,
        within: Within,
        member: Option<Member<'d>>,
        role: Role,
    ) {
        match value.kind() {
            Kind::String => {
                if let Some(string) = value.string() {
                    self.see(Leaf::Text(string), (role, within), member);
                }
            }
            Kind::Array => {
                for (index, element) in value.elements().enumerate() {
                    self.way.push(Step::Element(index));
                    self.descend(element, within, member, role);
                    self.way.pop();
                }
            }
            Kind::Object => {
                for (key, inner) in value.members() {
                    self.way.push(Step::Member(key));
                    let (role, inside) = match within {
                        Within::Data | Within::Meta => (Role::Structured, within),
                        Within::Shape => self.of_member(key, value, inner),
                    };
                    let member = Member {
                        name: key,
                        of: value,
                    };
                    self.see(Leaf::Text(key), (Role::Name, within), None);
                    self.descend(inner, inside, Some(member), role);
                    self.way.pop();
                }
            }
            Kind::Number if within != Within::Shape && !is_progress(member) => {
                self.see(Leaf::Number(value), (role, within), member);
            }
            Kind::Boolean | Kind::Null | Kind::Number => {}
        }
    }

    fn see(&mut self, leaf: Leaf<'d>, (role, within): (Role, Within), member: Option<Member<'d>>) {
        (self.visit)(Standing {
            leaf,
            role,
            within,
            member,
            way: &self.way,
        });
    }
}

impl<'d, V> Walk<'d, '_, V> {
    /// What a member holds whose name is the last step of the way.
    fn of_member(&self, key: Str<'d>, holder: Value<'d>, value: Value<'d>) -> (Role, Within) {
        // As every reader reads it: an escape in a name makes no other name of it.
        let name = key.decoded();
        if value.kind() != Kind::String
            && let Some(within) = self.data(&name, holder)
        {
            return (Role::Structured, within);
        }
        let role = match &*name {
            "text" => Role::Text,
            "data" | "message" if holder.get("code").is_some() => Role::Failure,
            "description" | "title" | "message" | "instructions" | "systemPrompt" | "reason"
            | "statusMessage" => Role::Words,
            "name" => Role::Name,
            "uri" | "uriTemplate" | "url" | "websiteUrl" | "src" => Role::Address,
            "blob" => Role::Blob,
            "data" if self.is_in(&["content"]) && is_picture(holder) => Role::Blob,
            "data" => Role::Words,
            "level" | "method" | "mimeType" | "resultType" | "role" | "status" | "stopReason"
            | "type"
                if is_word(value) =>
            {
                Role::Wire
            }
            "cursor" | "id" | "jsonrpc" | "nextCursor" | "progressToken" | "protocolVersion"
            | "requestState" | "taskId"
                if self.is_opaque() =>
            {
                Role::Wire
            }
            _ => Role::Structured,
        };
        (role, Within::Shape)
    }

    /// Whether a member holds data of somebody's own, in which no name has a meaning of the protocol.
    fn data(&self, name: &str, holder: Value<'d>) -> Option<Within> {
        let is_data = match name {
            "_meta" if self.is_in(&PARTS) => return Some(Within::Meta),
            "_meta" | "arguments" | "capabilities" | "const" | "data" | "default" | "enum"
            | "examples" | "experimental" | "structuredContent" => true,
            // What a person filled in: an answer to an elicitation, which clients give.
            "content" => self.toward == Toward::Server && holder.get("action").is_some(),
            // What a model wants to call a tool with, and what came of it (sampling).
            "input" => is_of_type(holder, &["tool_use"]),
            _ => false,
        };
        is_data.then_some(Within::Data)
    }

    /// Whether the object whose member the last step leads to is held by a member of one of these names.
    fn is_in(&self, holders: &[&str]) -> bool {
        let above = self.way.iter().rev().skip(1);
        let mut above = above.filter_map(Step::name);
        let holder = above.next();
        holder.is_some_and(|holder| holders.iter().any(|name| holder.is(name)))
    }

    /// Whether a member is where the parties hand each other something that they do not read.
    fn is_opaque(&self) -> bool {
        OPAQUE.iter().any(|place| {
            let mut names = self.way.iter().filter_map(Step::name);
            let is_there = place
                .iter()
                .all(|part| names.next().is_some_and(|name| name.is(part)));
            is_there && names.next().is_none()
        })
    }
}

/// Whether this is what a client calls the progress of a call, which the protocol keeps among data.
fn is_progress(member: Option<Member<'_>>) -> bool {
    member.is_some_and(|member| member.name.is("progressToken"))
}

/// Whether a string is a word that the protocol may have, and can be nothing else.
fn is_word(value: Value<'_>) -> bool {
    let Some(word) = value.string().map(Str::raw) else {
        return false;
    };
    let fits = |byte: &u8| byte.is_ascii_alphabetic() || b"/_-+.".contains(byte);
    word.len() <= WORD && word.iter().all(fits)
}

/// Bytes of a word of the protocol.
const WORD: usize = 48;

/// Whether a block of content is a picture or a sound.
fn is_picture(block: Value<'_>) -> bool {
    is_of_type(block, &["audio", "image"])
}

fn is_of_type(block: Value<'_>, types: &[&str]) -> bool {
    let kind = block.get("type").and_then(Value::string);
    kind.is_some_and(|kind| types.iter().any(|known| kind.is(known)))
}

/// Where something is handed on that only one of the parties reads.
const OPAQUE: [&[&str]; 13] = [
    &["id"],
    &["jsonrpc"],
    &["params", "cursor"],
    &["params", "progressToken"],
    &["params", "protocolVersion"],
    &["params", "requestState"],
    &["params", "taskId"],
    &["result", "nextCursor"],
    &["result", "protocolVersion"],
    &["result", "requestState"],
    &["result", "task", "taskId"],
    &["result", "taskId"],
    &["result", "tasks", "taskId"],
];

/// What holds a `_meta`, or a list of what does.
const PARTS: [&str; 14] = [
    "content",
    "contents",
    "messages",
    "params",
    "prompts",
    "resource",
    "resourceTemplates",
    "resources",
    "result",
    "root",
    "roots",
    "task",
    "tasks",
    "tools",
];

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use protocol::{Document, Limits};

    fn roles(text: &str) -> Vec<(String, Role)> {
        let document = Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
        let mut roles = Vec::new();
        walk(document.root(), Toward::Server, &mut |at| {
            if matches!(at.leaf, Leaf::Text(string) if !string.is_key()) {
                let member = at.member.map(|it| it.name.decoded().into_owned());
                roles.push((member.unwrap_or_default(), at.role));
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

    /// Members that hold data of somebody's own.
    const OWN: [&str; 10] = [
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

    #[test]
    fn each_name_of_the_protocol_has_its_role() {
        let names: [(Role, &[&str]); 5] = [
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
        ];
        for (role, names) in names {
            for name in names {
                let said = [
                    format!(r#"{{"{name}":"x"}}"#),
                    format!(r#"{{"a":[{{"{name}":["x"]}}]}}"#),
                ];
                // A list of data is data.
                let shapes = if OWN.contains(name) { 1 } else { 2 };
                for text in said.iter().take(shapes) {
                    are(text, vec![(name, role)]);
                }
                for of in OWN {
                    are(
                        &format!(r#"{{"{of}":{{"{name}":"x"}}}}"#),
                        vec![(name, Role::Structured)],
                    );
                }
            }
        }
    }

    #[test]
    fn words_of_the_protocol_are_wire_outside_of_data() {
        let words = [
            "level",
            "method",
            "mimeType",
            "resultType",
            "role",
            "status",
            "stopReason",
            "type",
        ];
        for name in words {
            are(
                &format!(r#"{{"a":[{{"{name}":"x"}}]}}"#),
                vec![(name, Role::Wire)],
            );
            for of in OWN {
                let text = format!(r#"{{"{of}":{{"{name}":"x"}}}}"#);
                are(&text, vec![(name, Role::Structured)]);
            }
        }
        for (text, role) in [
            (r#"{"content":{"text":"x"}}"#, Role::Text),
            (r#"{"action":1,"content":{"text":"x"}}"#, Role::Structured),
            (r#"{"input":{"text":"x"}}"#, Role::Text),
            (r#"{"type":1,"input":{"text":"x"}}"#, Role::Text),
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
    fn n1_4_no_member_that_a_server_adds_makes_anything_of_a_text_but_what_it_is() {
        let walked = |text: &str| {
            let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
            let mut roles = Vec::new();
            walk(document.root(), Toward::Model, &mut |at| {
                if at.leaf.text() == "said" {
                    roles.push(at.role);
                }
            });
            roles
        };
        for (text, expected) in [
            (
                r#"{"result":{"action":"x","content":[{"type":"text","text":"said"}]}}"#,
                Role::Text,
            ),
            (
                r#"{"result":{"content":[{"type":"image","mimeType":"image/png","data":"said"}]}}"#,
                Role::Blob,
            ),
            (
                r#"{"result":{"content":{"type":"audio","data":"said"}}}"#,
                Role::Blob,
            ),
            (
                r#"{"method":"notifications/message","params":{"mimeType":"image/png","type":"image","data":"said"}}"#,
                Role::Words,
            ),
            (
                r#"{"result":{"content":[{"type":"text","mimeType":"image/png","data":"said"}]}}"#,
                Role::Words,
            ),
            (
                r#"{"result":{"input":{"type":"text","text":"said"},"type":"x"}}"#,
                Role::Text,
            ),
            (
                r#"{"result":{"content":{"type":"tool_use","input":{"text":"said"}}}}"#,
                Role::Structured,
            ),
        ] {
            assert_eq!(walked(text), [expected], "{text}");
        }
    }

    #[test]
    fn n9_3_only_words_of_the_protocol_and_what_is_handed_on_in_its_place_are_passed_over() {
        let long = "a".repeat(WORD + 1);
        let secret = "ghp_0123";
        for (text, expected) in [
            (r#"{"id":"?"}"#, "0,%"),
            (r#"{"result":{"nextCursor":"?","taskId":"?"}}"#, "0,%"),
            (
                r#"{"result":{"task":{"taskId":"?"},"tasks":[{"taskId":"?"}]}}"#,
                "0,%",
            ),
            (
                r#"{"params":{"cursor":"?","requestState":"?","progressToken":"?"}}"#,
                "0,%",
            ),
            (r#"{"result":{"toolResult":{"id":"?","cursor":"?"}}}"#, ""),
            (r#"{"result":{"id":"?","content":[{"taskId":"?"}]}}"#, ""),
            (
                r#"{"params":{"nextCursor":"?","message":{"requestState":"?"}}}"#,
                "",
            ),
            (
                r#"{"result":{"content":[{"type":"?","role":"?"}],"stopReason":"?"}}"#,
                "%",
            ),
            (r#"{"result":{"resources":[{"mimeType":"?"}]}}"#, "%"),
            (r#"{"result":{"type":["?"]}}"#, ""),
        ] {
            // `0` stands for anything, `%` for a word.
            for (said, sign) in [(secret, "0"), (&long, "0"), ("image/svg+xml", "%")] {
                let is_wire = |(_, role): &(String, Role)| *role == Role::Wire;
                let all = roles(&text.replace('?', said));
                assert_eq!(
                    all.iter().all(is_wire),
                    expected.contains(sign),
                    "{text} {said}"
                );
                assert!(
                    expected.contains(sign) || !all.iter().any(is_wire),
                    "{text} {said}"
                );
            }
        }
    }

    #[test]
    fn every_string_of_a_message_is_visited_once_in_its_order() {
        let text = r#"["a",{"b":"c","d":[["e"],{"f":{"g":"h"}}]},"i"]"#;
        let document = Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
        let mut seen = Vec::new();
        walk(document.root(), Toward::Model, &mut |at| {
            seen.push(at.leaf.range())
        });
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
            walk(document.root(), Toward::Model, &mut |at| {
                if let Leaf::Number(number) = at.leaf {
                    seen.push(number.integer().unwrap());
                }
            });
            assert_eq!(seen, expected, "{text}");
        }
    }
}
