//! The question put to policy: who, what, on which thing, in which circumstances.
//!
//! Everything here is borrowed from a call that has already been framed, identified, resolved,
//! validated and inspected. Nothing here is trusted to be small.

use crate::lift::Lift;
use crate::principal::Principal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// What is to be done.
    pub action: Action,
    /// On which thing.
    pub resource: Target<'a>,
    /// In which circumstances.
    pub context: &'a Context<'a>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Approve a call of a tool that somebody else made. Permitted only by a policy that names it.
    Approve,
    /// The server asks the client: sampling, elicitation, roots. On a server.
    Ask,
    /// Call a tool.
    Call,
    /// Complete an argument of a prompt or a resource template.
    Complete,
    /// Get a prompt.
    Get,
    /// See a tool, prompt or resource in a list.
    List,
    /// Read a resource, or subscribe to it.
    Read,
    /// Speak with a server at all: initialize, ping, logging. On a server.
    Use,
}

impl Action {
    /// Every action, in order.
    pub const ALL: [Action; 8] = [
        Action::Approve,
        Action::Ask,
        Action::Call,
        Action::Complete,
        Action::Get,
        Action::List,
        Action::Read,
        Action::Use,
    ];

    /// The id in policies, as in `Ringwall::Action::"call"`.
    pub fn name(self) -> &'static str {
        match self {
            Action::Approve => "approve",
            Action::Ask => "ask",
            Action::Call => "call",
            Action::Complete => "complete",
            Action::Get => "get",
            Action::List => "list",
            Action::Read => "read",
            Action::Use => "use",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether this action can be asked about such a thing at all.
    pub(crate) fn applies_to(self, target: Target<'_>) -> bool {
        match target {
            Target::Prompt { .. } => matches!(self, Action::Complete | Action::Get | Action::List),
            Target::Resource { .. } => {
                matches!(self, Action::Complete | Action::Read | Action::List)
            }
            Target::Server { .. } => matches!(self, Action::Ask | Action::Use),
            Target::Tool { .. } => {
                matches!(self, Action::Approve | Action::Call | Action::List)
            }
        }
    }
}

/// On which thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target<'a> {
    /// A prompt. `Ringwall::Prompt::"server/name"`.
    Prompt {
        /// The server it belongs to.
        server: &'a str,
        /// Its name on that server.
        name: &'a str,
    },
    /// A resource. `Ringwall::Resource::"server/uri"`.
    Resource {
        /// The server it belongs to.
        server: &'a str,
        /// Its URI.
        uri: &'a str,
    },
    /// A server. `Ringwall::Server::"server"`.
    Server {
        /// Its name.
        name: &'a str,
    },
    /// A tool. `Ringwall::Tool::"server/name"`.
    Tool {
        /// The server it belongs to.
        server: &'a str,
        /// Its name on that server.
        name: &'a str,
    },
}

impl<'a> Target<'a> {
    /// The server this is, or belongs to.
    pub fn server(self) -> &'a str {
        match self {
            Target::Prompt { server, .. }
            | Target::Resource { server, .. }
            | Target::Tool { server, .. } => server,
            Target::Server { name } => name,
        }
    }

    /// The name below the server; empty for the server itself.
    pub(crate) fn item(self) -> &'a str {
        match self {
            Target::Prompt { name, .. } | Target::Tool { name, .. } => name,
            Target::Resource { uri, .. } => uri,
            Target::Server { .. } => "",
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Target::Prompt { .. } => Kind::Prompt,
            Target::Resource { .. } => Kind::Resource,
            Target::Server { .. } => Kind::Server,
            Target::Tool { .. } => Kind::Tool,
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Server { name } => f.write_str(name),
            other => write!(f, "{}/{}", other.server(), other.item()),
        }
    }
}

/// The kinds of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Prompt,
    Resource,
    Server,
    Tool,
}

/// In which circumstances. The default says nothing about anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The arguments of the call, as validated.
    pub arguments: Option<&'a Map<String, Value>>,
    /// The MCP method, such as `ping` or `sampling/createMessage`. Read by `use` and `ask`.
    pub method: &'a str,
    /// The names of the rules that found something in this message, such as `hidden_text.tags`.
    pub findings: &'a [Cow<'a, str>],
    /// The labels of the data that flows into this call.
    pub labels: &'a [&'a str],
    /// What detectors suspect in this message, such as `injection`: scores that reached their
    /// threshold, never facts.
    pub suspicions: &'a [Cow<'a, str>],
    /// What the message is for, as the operator or the caller's token says; nothing if neither does.
    pub purpose: Option<&'a str>,
    /// The address the message came from, where there is one.
    pub source: Option<IpAddr>,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
    /// The session of the message, where there is one.
    pub session: Option<Session>,
    /// What the client software calls itself. Nobody has verified it.
    pub client: Option<&'a str>,
    /// What has already been fulfilled for exactly this call: forbids that carry it are lifted.
    pub lifted: &'a [Lift],
    /// Seconds since the caller authenticated, where the token says when that was.
    pub auth_age_s: Option<i64>,
    /// Which call is to be approved. Read by `approve`.
    pub approving: Option<Approving<'a>>,
}

/// Which call is to be approved.
#[derive(Clone, Copy, Debug)]
pub struct Approving<'a> {
    /// Who made it, as `issuer#user`.
    pub requester: &'a str,
    /// Who has to approve, in the operator's words.
    pub needs: &'a str,
}

/// What policy may know about a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Seconds since it was opened.
    pub age_s: i64,
    /// Calls made in it so far.
    #[serde(default)]
    pub calls: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_name() {
        for action in Action::ALL {
            assert_eq!(Action::named(action.name()), Some(action));
        }
        assert_eq!(Action::named("delete"), None);
    }
}
