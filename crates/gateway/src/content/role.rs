//! What each string of a message is there for, by where it stands. It is looked up by the name of the
//! member that holds it: the shapes of MCP use each name for one kind of thing, in every revision.
//!
//! What is not known is taken for data: inspected and redacted, and never treated as prose.

use super::Toward;
use super::hidden;
use super::place::{self, Step};
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
    /// What something is found by: the name of a member, and of a tool or a prompt where it is listed or asked for.
    Name,
    /// Data: a value inside arguments, structured content, `_meta`, and whatever is not known.
    Structured,
    /// What a result, a resource or a prompt consists of, and what a server asks a model: the text of a content
    /// block, the prompt of the system.
    Text,
    /// A word of the protocol.
    Wire,
    /// Other prose that a model or a person reads: descriptions, titles, messages, instructions.
    Words,
}

/// What a walk comes by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaf<'d> {
    /// A number of data, or of whatever is not known. Numbers of the protocol's own are not come by.
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

/// Whether a message of printable ASCII may have base64 of bytes in it.
pub(super) fn may_have_bytes(message: &[u8]) -> bool {
    let text = std::str::from_utf8(message);
    text.is_ok_and(|text| BYTES.iter().any(|name| text.contains(name)))
}

/// The members that hold bytes, as they are written.
const BYTES: [&str; 2] = ["\"blob\"", "\"data\""];

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
            Kind::Number if !self.is_own_number(value, within, member) => {
                self.see(Leaf::Number(value), (Role::Structured, within), member);
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
        // As those read it who are shown it: neither an escape nor what nobody sees makes another name of it.
        let name = hidden::left_of(key);
        if value.kind() != Kind::String
            && let Some(within) = self.data(&name, holder)
        {
            return (Role::Structured, within);
        }
        let role = match &*name {
            // A string where a block belongs is shown as the text of one.
            "content" | "contents" | "messages" | "systemPrompt" | "text" => Role::Text,
            "data" | "message" if holder.get("code").is_some() => Role::Failure,
            "name" if self.is_found_by(holder) => Role::Name,
            "description" | "enumNames" | "title" | "message" | "name" | "instructions"
            | "logger" | "reason" | "statusMessage" => Role::Words,
            "values" if self.is_in(&["completion"]) => Role::Words,
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

    /// Whether the `name` that the last step leads to is what something is found by. Any other one is there to be
    /// read, such as that of a link, and may say anything.
    fn is_found_by(&self, holder: Value<'d>) -> bool {
        let leads = |places: &[&[&str]]| places.iter().any(|at| place::leads_to(&self.way, at));
        let is_asked_for =
            self.toward == Toward::Server && (leads(&ASKED) || is_of_type(holder, &["tool_use"]));
        is_asked_for || leads(&LISTED)
    }

    /// Whether a number is one of the protocol's own: by what it is called, where the protocol has it.
    fn is_own_number(&self, value: Value<'d>, within: Within, member: Option<Member<'d>>) -> bool {
        // What is only somewhere in a member is not what the member is called.
        let own = member.filter(|member| member.name.value().range() == value.range());
        let Some(member) = own else { return false };
        let name = member.name.decoded();
        if within != Within::Shape {
            // What a client calls the progress of a call, which the protocol keeps among data.
            return name == "progressToken";
        }
        let is_keyword = BOUNDS.contains(&&*name);
        match &*name {
            "id" => self.way.len() == 1,
            "size" => self.is_in(&["resources"]) || is_of_type(member.of, &["resource_link"]),
            _ if is_keyword => {
                let mut names = self.way.iter().filter_map(Step::name);
                names.any(|name| SCHEMAS.iter().any(|schema| name.is(schema)))
            }
            _ => NUMBERS
                .iter()
                .any(|(known, holders)| *known == name && self.is_in(holders)),
        }
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

/// Where a server is asked for something by its name.
const ASKED: [&[&str]; 3] = [
    &["params", "argument", "name"],
    &["params", "name"],
    &["params", "ref", "name"],
];

/// Where things are listed that are asked for by their names, and where a server hands tools to a model.
const LISTED: [&[&str]; 3] = [
    &["params", "tools", "name"],
    &["result", "prompts", "name"],
    &["result", "tools", "name"],
];

/// Numbers of the protocol, and what each is a member of.
const NUMBERS: [(&str, &[&str]); 15] = [
    ("code", &["error"]),
    ("costPriority", &["modelPreferences"]),
    ("intelligencePriority", &["modelPreferences"]),
    ("maxTokens", &["params"]),
    ("pollInterval", &TIMED),
    ("pollIntervalMs", &TIMED),
    ("priority", &["annotations"]),
    ("progress", &["params"]),
    ("progressToken", &["params"]),
    ("requestId", &["params"]),
    ("speedPriority", &["modelPreferences"]),
    ("temperature", &["params"]),
    ("total", &["completion", "params"]),
    ("ttl", &TIMED),
    ("ttlMs", &TIMED),
];

/// What says how long it is good for.
const TIMED: [&str; 4] = ["params", "result", "task", "tasks"];

/// Members that hold a schema, and the bounds that one has.
const SCHEMAS: [&str; 3] = ["inputSchema", "outputSchema", "requestedSchema"];
const BOUNDS: [&str; 13] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
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
mod tests;
