//! One MCP endpoint of the gateway: where it leads, what of that it offers, and to whom.
//!
//! Nothing here is refused or looked up; what a caller may do is for policies to say.

use super::{CallLimits, RouteContent, ServerName, ToolPattern, UriPattern, form};
use crate::words::{Durability, HeaderMistake, Keep, Possession, Revision};
use serde::Serialize;
use std::time::Duration;
use url::Url;

/// One MCP endpoint of the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Its path.
    pub path: String,
    /// The servers it leads to, in the order of lists: at least one, each exists, none twice.
    pub servers: Vec<ServerName>,
    /// The only tools offered here, by the names callers see; all of them where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<ToolPattern>>,
    /// The only prompts offered here, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<Vec<ToolPattern>>,
    /// The only resources offered here, by the URIs callers see, and templates by their text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<UriPattern>>,
    /// What the audience of a token must be: canonical, and of no other route.
    pub resource: String,
    /// Further names of the audience.
    pub audiences: Vec<String>,
    /// Whose tokens are accepted here. Each exists; only a local route has none.
    pub issuers: Vec<String>,
    /// Scopes a token must have.
    pub scopes: Vec<String>,
    /// What a token must be bound to.
    pub possession: Possession,
    /// Revisions of the protocol.
    pub protocol: Protocol,
    /// What is written down, and when.
    pub ledger: Recording,
    /// Sessions.
    pub sessions: Sessions,
    /// What is held to translate between eras.
    pub bridge: Bridge,
    /// What servers may ask of users.
    pub elicitation: Elicitation,
    /// What is looked for in text, where it differs from what the servers say.
    pub content: RouteContent,
    /// Limits of a call here.
    pub limits: CallLimits,
}

impl Route {
    /// Whether a tool of this name, as callers see it, is offered here.
    pub fn offers_tool(&self, name: &str) -> bool {
        let list = self.tools.as_deref();
        list.is_none_or(|list| list.iter().any(|it| it.names(name)))
    }

    /// Whether a prompt of this name, as callers see it, is offered here.
    pub fn offers_prompt(&self, name: &str) -> bool {
        let list = self.prompts.as_deref();
        list.is_none_or(|list| list.iter().any(|it| it.names(name)))
    }

    /// Whether a resource of this URI, or a template of this text, as callers see it, is offered here.
    pub fn offers_resource(&self, uri: &str) -> bool {
        let list = self.resources.as_deref();
        list.is_none_or(|list| list.iter().any(|it| it.names(uri)))
    }
}

/// Revisions of the protocol that a route speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Protocol {
    /// The oldest that is spoken with clients.
    pub minimum: Revision,
    /// Which mistakes in headers are let pass for which clients; each client once.
    pub leniency: Vec<Leniency>,
}

impl Protocol {
    /// Whether this mistake is let pass for the client that the token names. A token that names none is
    /// never forgiven.
    pub fn forgives(&self, client: Option<&str>, mistake: HeaderMistake) -> bool {
        let known = |it: &&Leniency| client == Some(it.client.as_str());
        let mut known = self.leniency.iter().filter(known);
        known.any(|it| it.allow.contains(&mistake))
    }
}

/// A client whose mistakes in headers are let pass. For it the message alone counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leniency {
    /// The client, exactly as its token names it.
    pub client: String,
    /// Its mistakes; never empty.
    pub allow: Vec<HeaderMistake>,
}

/// What a route's records hold, and when they are on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// When a record is on disk.
    pub durability: Durability,
    /// What it keeps beside digests and sizes.
    pub keep: Vec<Keep>,
}

/// How long sessions live, and how many there may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sessions {
    /// A session without a message for this long ends.
    #[serde(serialize_with = "form::time")]
    pub idle: Duration,
    /// A session ends after this long in any case.
    #[serde(serialize_with = "form::time")]
    pub absolute: Duration,
    /// How many one user may have on this route.
    pub per_user: u32,
}

/// What is held between two messages to translate a call from one era to the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bridge {
    /// How many calls of one user may wait for an answer of the client.
    pub parked_per_user: u32,
    /// How long one waits.
    #[serde(serialize_with = "form::time")]
    pub parked_time: Duration,
    /// How long further questions are waited for once a server has asked one.
    #[serde(serialize_with = "form::time")]
    pub gather: Duration,
}

/// What servers may ask of users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Elicitation {
    /// The only hosts a user may be sent to, each as it stands in an address; any where nothing is said.
    #[serde(rename = "urls", skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
}

impl Elicitation {
    /// Whether a user may be sent to this address: encrypted, with no user or password in it, which only
    /// serve to make a host look like another, and to a host that is listed if any is.
    pub fn accepts(&self, url: &Url) -> bool {
        let bare = url.username().is_empty() && url.password().is_none();
        let Some(host) = url.host_str().filter(|_| bare && url.scheme() == "https") else {
            return false;
        };
        let list = self.hosts.as_deref();
        list.is_none_or(|list| list.iter().any(|it| it == host))
    }
}
