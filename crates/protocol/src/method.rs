//! The methods of every revision as a table: who may send one, in which revisions, what it acts on,
//! and which capability must have been agreed. A method that is not in the table does not exist.

mod table;

use crate::document::Value;
use crate::message::Shape;
use crate::revision::Revision;
use std::borrow::Cow;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// The name on the wire.
    pub name: &'static str,
    /// Request or notification.
    pub shape: Shape,
    /// Which side sends it.
    pub sender: Sender,
    /// The first revision that has it.
    pub first: Revision,
    /// The last revision that has it.
    pub last: Revision,
    /// What it does, in the words of a policy.
    pub act: Act,
    /// What it acts on, and where the message says so.
    pub subject: Subject,
    /// For a list: the member of the result that holds the items.
    pub list_member: Option<&'static str>,
    /// For a notice of change: the method whose answer is no longer current.
    pub changes: Option<&'static str>,
    /// What must have been agreed before it may be sent.
    pub capability: Option<Capability>,
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// Only in the table: either side.
    Both,
    /// The one that connects.
    Client,
    /// The one that offers tools.
    Server,
}

/// What a message does. Policies know the first six.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Calls a tool.
    Call,
    /// Asks for completions of an argument.
    Complete,
    /// Gets a prompt.
    Get,
    /// Lists tools, prompts, resources or templates.
    List,
    /// Reads a resource.
    Read,
    /// Asks to be told when a resource changes, or no longer.
    Subscribe,

    /// A server asks the client: sampling, elicitation, roots.
    Ask,
    /// Takes back a request.
    Cancel,
    /// Asks a server what it offers, without a handshake.
    Discover,
    /// Opens a connection.
    Initialize,
    /// Opens a stream of changes.
    Listen,
    /// Sets how much a server logs.
    Log,
    /// Tells something that needs no answer.
    Notify,
    /// Asks whether the other side is there.
    Ping,
    /// Tells how far a request has come.
    Progress,
    /// Looks after a task that was begun earlier.
    Task,
}

impl Act {
    /// The action of a policy, if policies decide about it.
    pub fn action(self) -> Option<&'static str> {
        match self {
            Act::Call => Some("call"),
            Act::Complete => Some("complete"),
            Act::Get => Some("get"),
            Act::List => Some("list"),
            Act::Read => Some("read"),
            Act::Subscribe => Some("read"),
            _ => None,
        }
    }
}

/// What kind of thing a method acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The prompt or resource template that `params.ref` names.
    Completion,
    /// The level in `params.level`.
    Level,
    /// Nothing in particular.
    None,
    /// The prompt named `params.name`.
    Prompt,
    /// The request with the id `params.requestId`.
    Request,
    /// The resource at `params.uri`.
    Resource,
    /// The task `params.taskId`.
    Task,
    /// The tool named `params.name`.
    Tool,
}

/// What one message acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A log level.
    Level(Cow<'a, str>),
    /// Nothing in particular.
    None,
    /// A prompt, by name.
    Prompt(Cow<'a, str>),
    /// A request, by its id as JSON.
    Request(&'a [u8]),
    /// A resource, by URI exactly as sent.
    Resource(Cow<'a, str>),
    /// A task, by id.
    Task(Cow<'a, str>),
    /// A resource template, by URI template.
    Template(Cow<'a, str>),
    /// A tool, by name.
    Tool(Cow<'a, str>),
}

impl Target<'_> {
    /// The name, URI, id or level; empty for nothing.
    pub fn name(&self) -> &str {
        match self {
            Target::None => "",
            Target::Request(id) => std::str::from_utf8(id).unwrap_or_default(),
            Target::Level(name)
            | Target::Prompt(name)
            | Target::Resource(name)
            | Target::Task(name)
            | Target::Template(name)
            | Target::Tool(name) => name,
        }
    }
}

/// A capability that one side must have declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Capability {
    /// Who must have declared it.
    pub declared_by: Sender,
    /// Where it stands in that side's `capabilities`, as a JSON Pointer.
    pub pointer: &'static str,
}

impl Capability {
    /// Whether these capabilities have it: present, and neither `false` nor `null`.
    pub fn is_in(self, capabilities: Value<'_>) -> bool {
        let found = capabilities.at(self.pointer);
        found.is_some_and(|value| value.boolean() != Some(false) && !value.is_null())
    }
}

impl Method {
    /// Every row.
    pub const ALL: &'static [Method] = table::ROWS;

    /// The method of this name that this side may send in this revision.
    ///
    /// With `Sender::Both`, a method that both sides may send.
    pub fn find(name: &str, revision: Revision, sender: Sender) -> Option<&'static Method> {
        Method::ALL.iter().find(|method| {
            method.name == name
                && (method.sender == sender || method.sender == Sender::Both)
                && (method.first..=method.last).contains(&revision)
        })
    }

    /// Every method that this side may send in this revision.
    pub fn of(revision: Revision, sender: Sender) -> impl Iterator<Item = &'static Method> {
        Method::ALL.iter().filter(move |method| {
            (method.sender == sender || method.sender == Sender::Both)
                && (method.first..=method.last).contains(&revision)
        })
    }

    /// What a server of this revision may ask the client under this name: in a request of its own,
    /// or, from 2026-07-28 on, inside a result (R1).
    pub fn question(name: &str, revision: Revision) -> Option<&'static Method> {
        // The words of a question are those of the last revision that had requests for it.
        let last = revision.min(Revision::newest_with_handshake());
        Method::find(name, last, Sender::Server).filter(|method| method.act == Act::Ask)
    }

    /// What a message of this method acts on. Nothing, if the message does not say it as the
    /// specification asks: that is the sender's mistake, invalid params.
    pub fn target<'a>(&self, params: Option<Value<'a>>) -> Option<Target<'a>> {
        let text = |pointer| params?.at(pointer)?.text();
        match self.subject {
            Subject::None => Some(Target::None),
            Subject::Tool => text("/name").map(Target::Tool),
            Subject::Prompt => text("/name").map(Target::Prompt),
            Subject::Resource => text("/uri").map(Target::Resource),
            Subject::Level => text("/level").map(Target::Level),
            Subject::Task => text("/taskId").map(Target::Task),
            Subject::Request => {
                let id = params?.get("requestId")?;
                crate::message::Id::read(id).ok()?;
                Some(Target::Request(id.raw()))
            }
            Subject::Completion => match &*text("/ref/type")? {
                "ref/prompt" => text("/ref/name").map(Target::Prompt),
                "ref/resource" => text("/ref/uri").map(Target::Template),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests;
