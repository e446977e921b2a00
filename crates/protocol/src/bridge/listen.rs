//! `subscriptions/listen` (2.8): what a client wants to be told of, read and written. Which stream it
//! comes on, and what a legacy server must be asked for it, is known by the gateway.

use super::amend::{Amend, object};
use super::request::Stamp;
use super::{BridgeError, WISHES_MAX, must_be};
use crate::document::{Kind, Value};
use crate::message::{Id, Message, Shape};
use crate::method::{Capability, Sender};
use crate::modern::{SERVER_INFO_KEY, SUBSCRIPTION_KEY};
use crate::spelling;
use crate::write;
use bytes::Bytes;

const TOOLS: &str = "toolsListChanged";
const PROMPTS: &str = "promptsListChanged";
const RESOURCES: &str = "resourcesListChanged";
const URIS: &str = "resourceSubscriptions";
const TASKS: &str = "taskIds";

/// What somebody wants to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Changes of the list of tools.
    pub tools: bool,
    /// Changes of the list of prompts.
    pub prompts: bool,
    /// Changes of the list of resources.
    pub resources: bool,
    /// Changes of these resources.
    pub uris: Vec<Box<str>>,
    /// Changes of these tasks.
    pub tasks: Vec<Box<str>>,
}

impl Wish {
    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Wish::default()
    }

    /// What a server with these capabilities can tell of it.
    pub fn limited_to(&self, capabilities: Value<'_>) -> Wish {
        let has = |pointer| {
            let capability = Capability {
                declared_by: Sender::Server,
                pointer,
            };
            capability.is_in(capabilities)
        };
        let kept = |list: &[Box<str>], pointer| match has(pointer) {
            true => list.to_vec(),
            false => Vec::new(),
        };
        Wish {
            tools: self.tools && has("/tools/listChanged"),
            prompts: self.prompts && has("/prompts/listChanged"),
            resources: self.resources && has("/resources/listChanged"),
            uris: kept(&self.uris, "/resources/subscribe"),
            tasks: kept(&self.tasks, "/extensions/io.modelcontextprotocol~1tasks"),
        }
    }

    /// What either wants, each thing once.
    pub fn union(&self, other: &Wish) -> Wish {
        let both = |one: &[Box<str>], two: &[Box<str>]| {
            let known: std::collections::HashSet<&str> = one.iter().map(|item| &**item).collect();
            let new = two.iter().filter(|item| !known.contains(&***item));
            one.iter().chain(new).cloned().collect()
        };
        Wish {
            tools: self.tools || other.tools,
            prompts: self.prompts || other.prompts,
            resources: self.resources || other.resources,
            uris: both(&self.uris, &other.uris),
            tasks: both(&self.tasks, &other.tasks),
        }
    }

    /// Whether the notification tells of something wanted. A resource is also told of by what lies
    /// below it: a server may name the part that has changed.
    pub fn covers(&self, notice: &Message) -> bool {
        let text = |name| notice.params()?.get(name)?.text();
        match notice.method() {
            "notifications/tools/list_changed" => self.tools,
            "notifications/prompts/list_changed" => self.prompts,
            "notifications/resources/list_changed" => self.resources,
            "notifications/resources/updated" => text("uri").is_some_and(|changed| {
                let is_of = |uri: &str| {
                    let rest = changed.strip_prefix(uri);
                    let ends = |rest: &str| rest.is_empty() || rest.starts_with('/');
                    rest.is_some_and(|rest| ends(rest) || uri.ends_with('/'))
                };
                self.uris.iter().any(|uri| is_of(uri))
            }),
            "notifications/tasks" => text("taskId")
                .is_some_and(|changed| self.tasks.iter().any(|task| **task == changed)),
            _ => false,
        }
    }

    fn filter(&self) -> Bytes {
        let mut whole = Amend::new();
        for (name, wanted) in [
            (PROMPTS, self.prompts),
            (RESOURCES, self.resources),
            (TOOLS, self.tools),
        ] {
            if wanted {
                whole = whole.set(name, &b"true"[..]);
            }
        }
        for (name, list) in [(URIS, &self.uris), (TASKS, &self.tasks)] {
            if !list.is_empty() {
                let items: Vec<Bytes> = list.iter().map(|item| write::string(item)).collect();
                whole = whole.set(name, write::array(items.iter().map(|item| &**item)));
            }
        }
        whole.alone().unwrap_or_else(|| object([]))
    }
}

/// What the `subscriptions/listen` request of a client wants.
pub fn wish(message: &Message) -> Result<Wish, BridgeError> {
    must_be(message, Shape::Request)?;
    filter_of(message)
}

/// What a server says it will tell of: `notifications/subscriptions/acknowledged`.
pub fn honoured(message: &Message) -> Result<Wish, BridgeError> {
    must_be(message, Shape::Notification)?;
    filter_of(message)
}

fn filter_of(message: &Message) -> Result<Wish, BridgeError> {
    let filter = message
        .params()
        .and_then(|params| params.get("notifications"))
        .filter(|filter| filter.kind() == Kind::Object)
        .ok_or(BridgeError::Wish)?;
    spelling::check(filter, &[TOOLS, PROMPTS, RESOURCES, URIS, TASKS])?;
    let flag = |name| match filter.get(name) {
        None => Ok(false),
        Some(value) => value.boolean().ok_or(BridgeError::Wish),
    };
    Ok(Wish {
        tools: flag(TOOLS)?,
        prompts: flag(PROMPTS)?,
        resources: flag(RESOURCES)?,
        uris: list(filter.get(URIS))?,
        tasks: list(filter.get(TASKS))?,
    })
}

fn list(value: Option<Value<'_>>) -> Result<Vec<Box<str>>, BridgeError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    if value.kind() != Kind::Array {
        return Err(BridgeError::Wish);
    }
    if value.count() > WISHES_MAX {
        return Err(BridgeError::TooMany(WISHES_MAX));
    }
    let item = |item: Value<'_>| item.text().map(Box::from).ok_or(BridgeError::Wish);
    value.elements().map(item).collect()
}

/// The request that opens a stream of what is wanted.
pub fn listen_request(id: &Id, wanted: &Wish, stamp: &Stamp<'_>) -> Bytes {
    let meta = stamp.meta().alone().unwrap_or_default();
    let filter = wanted.filter();
    let params = object([("_meta", &*meta), ("notifications", &*filter)]);
    write::request(id, "subscriptions/listen", Some(&params))
}

/// The first message of such a stream: what of it will be told.
pub fn acknowledged(id: &Id, told: &Wish) -> Bytes {
    let meta = object([(SUBSCRIPTION_KEY, id.raw())]);
    let filter = told.filter();
    let params = object([("_meta", &*meta), ("notifications", &*filter)]);
    write::notification("notifications/subscriptions/acknowledged", Some(&params))
}

/// The last message of such a stream, if it ends in order.
pub fn listen_done(id: &Id, server_info: Option<&[u8]>) -> Bytes {
    let info = server_info.map(|info| (SERVER_INFO_KEY, info));
    let meta = object([(SUBSCRIPTION_KEY, id.raw())].into_iter().chain(info));
    let result = object([("resultType", &b"\"complete\""[..]), ("_meta", &*meta)]);
    write::result(id, &result)
}
