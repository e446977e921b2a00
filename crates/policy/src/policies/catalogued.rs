//! The things of the catalog as Cedar entities.

use crate::catalog::{Catalog, PromptEntry, ResourceEntry, ServerEntry, ToolEntry};
use crate::error::{PolicyError, Problem};
use crate::names::target_uid;
use crate::principal::texts;
use crate::request::Target;
use crate::schema::{self, Fields};
use cedar_policy::{Entity, RestrictedExpression};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Every server with what belongs to it.
#[derive(Debug, Default)]
pub(crate) struct Things {
    servers: HashMap<Box<str>, Server>,
}

/// One thing, as a request needs it.
pub(crate) struct Thing {
    pub(crate) entity: Entity,
    /// The server it belongs to; nothing for a server itself.
    pub(crate) server: Option<Entity>,
    pub(crate) fields: Arc<Fields>,
}

#[derive(Debug)]
struct Server {
    entity: Entity,
    labels: Vec<String>,
    tools: HashMap<Box<str>, Item>,
    prompts: HashMap<Box<str>, Item>,
    resources: HashMap<Box<str>, Item>,
}

#[derive(Debug)]
struct Item {
    entity: Entity,
    fields: Arc<Fields>,
}

impl Things {
    pub(crate) fn of(catalog: &Catalog) -> Result<Self, PolicyError> {
        let mut things = Things::default();
        let mut problems = Vec::new();
        for server in &catalog.servers {
            problems.extend(things.add_server(server).err());
        }
        for tool in &catalog.tools {
            problems.extend(things.add_tool(tool).err());
        }
        for prompt in &catalog.prompts {
            problems.extend(things.add_prompt(prompt).err());
        }
        for resource in &catalog.resources {
            problems.extend(things.add_resource(resource).err());
        }
        let mut claims = HashSet::new();
        for claim in &catalog.claims {
            if !claims.insert(&claim.name) {
                problems.push(broken(&format!(
                    "the claim `{}` is there twice",
                    claim.name
                )));
            }
        }
        match problems.is_empty() {
            true => Ok(things),
            false => Err(PolicyError::new(problems)),
        }
    }

    pub(crate) fn find(&self, target: Target<'_>) -> Option<Thing> {
        let server = self.servers.get(target.server())?;
        let item = match target {
            Target::Server { .. } => {
                return Some(Thing {
                    entity: server.entity.clone(),
                    server: None,
                    fields: Arc::default(),
                });
            }
            Target::Prompt { name, .. } => match server.prompts.get(name) {
                Some(item) => item,
                None => return unlisted(server, target),
            },
            Target::Tool { name, .. } => server.tools.get(name)?,
            Target::Resource { uri, .. } => match server.resources.get(uri) {
                Some(item) => item,
                None => return unlisted(server, target),
            },
        };
        Some(Thing {
            entity: item.entity.clone(),
            server: Some(server.entity.clone()),
            fields: Arc::clone(&item.fields),
        })
    }

    /// Whether the catalog has this very thing.
    pub(crate) fn lists(&self, target: Target<'_>) -> bool {
        let Some(server) = self.servers.get(target.server()) else {
            return false;
        };
        match target {
            Target::Server { .. } => true,
            Target::Prompt { name, .. } => server.prompts.contains_key(name),
            Target::Tool { name, .. } => server.tools.contains_key(name),
            Target::Resource { uri, .. } => server.resources.contains_key(uri),
        }
    }

    fn add_server(&mut self, entry: &ServerEntry) -> Result<(), Problem> {
        let name = entry.name.as_str();
        if name.is_empty() || name.contains('/') {
            return Err(broken(&format!(
                "the server name `{name}` is empty or holds a `/`"
            )));
        }
        let target = Target::Server { name };
        let attributes = [("name", text(name)), ("labels", texts(&entry.labels))];
        let server = Server {
            entity: entity(target, attributes)?,
            labels: entry.labels.clone(),
            tools: HashMap::new(),
            prompts: HashMap::new(),
            resources: HashMap::new(),
        };
        match self.servers.insert(name.into(), server) {
            None => Ok(()),
            Some(_) => Err(twice(target)),
        }
    }

    fn add_tool(&mut self, entry: &ToolEntry) -> Result<(), Problem> {
        let (server, name) = (entry.server.as_str(), entry.name.as_str());
        let target = Target::Tool { server, name };
        let server = self.server(target)?;
        let truth = RestrictedExpression::new_bool;
        let attributes = [
            ("name", text(name)),
            ("server", text(&entry.server)),
            ("labels", texts(&labels(&entry.labels, server))),
            ("readOnly", truth(entry.read_only)),
            ("destructive", truth(entry.destructive)),
            ("idempotent", truth(entry.idempotent)),
            ("openWorld", truth(entry.open_world)),
        ];
        let item = Item {
            entity: entity(target, attributes)?,
            fields: Arc::new(schema::fields(&entry.input_schema)),
        };
        once(server.tools.insert(name.into(), item), target)
    }

    fn add_prompt(&mut self, entry: &PromptEntry) -> Result<(), Problem> {
        let (server, name) = (entry.server.as_str(), entry.name.as_str());
        let target = Target::Prompt { server, name };
        let server = self.server(target)?;
        let item = Item {
            entity: prompt(target, name, &labels(&entry.labels, server))?,
            fields: Arc::default(),
        };
        once(server.prompts.insert(name.into(), item), target)
    }

    fn add_resource(&mut self, entry: &ResourceEntry) -> Result<(), Problem> {
        let (server, uri) = (entry.server.as_str(), entry.uri.as_str());
        let target = Target::Resource { server, uri };
        let server = self.server(target)?;
        let labels = labels(&entry.labels, server);
        let item = Item {
            entity: resource(target, &labels, true)?,
            fields: Arc::default(),
        };
        once(server.resources.insert(uri.into(), item), target)
    }

    fn server(&mut self, target: Target<'_>) -> Result<&mut Server, Problem> {
        self.servers
            .get_mut(target.server())
            .ok_or_else(|| broken(&format!("`{target}` belongs to no server")))
    }
}

/// A resource nobody has listed: it has the labels of its server and nothing more.
/// A prompt or resource that the catalog does not name: it carries the labels of its server. Tools
/// have no such stand-in, because only a pinned definition makes one.
fn unlisted(server: &Server, target: Target<'_>) -> Option<Thing> {
    let entity = match target {
        Target::Prompt { name, .. } => prompt(target, name, &server.labels),
        _ => resource(target, &server.labels, false),
    };
    Some(Thing {
        entity: entity.ok()?,
        server: Some(server.entity.clone()),
        fields: Arc::default(),
    })
}

fn prompt(target: Target<'_>, name: &str, labels: &[String]) -> Result<Entity, Problem> {
    let attributes = [
        ("name", text(name)),
        ("server", text(target.server())),
        ("labels", texts(labels)),
    ];
    entity(target, attributes)
}

fn resource(target: Target<'_>, labels: &[String], listed: bool) -> Result<Entity, Problem> {
    let uri = target.item();
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let attributes = [
        ("uri", text(uri)),
        ("scheme", text(&scheme.to_ascii_lowercase())),
        ("server", text(target.server())),
        ("labels", texts(labels)),
        ("listed", RestrictedExpression::new_bool(listed)),
    ];
    entity(target, attributes)
}

fn entity<const N: usize>(
    target: Target<'_>,
    attributes: [(&str, RestrictedExpression); N],
) -> Result<Entity, Problem> {
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
    let parents = match target {
        Target::Server { .. } => HashSet::new(),
        _ => HashSet::from([target_uid(Target::Server {
            name: target.server(),
        })]),
    };
    Entity::new(target_uid(target), HashMap::from(attributes), parents)
        .map_err(|error| broken(&format!("`{target}`: {error}")))
}

fn labels(own: &[String], server: &Server) -> Vec<String> {
    own.iter().chain(&server.labels).cloned().collect()
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn once(replaced: Option<Item>, target: Target<'_>) -> Result<(), Problem> {
    match replaced {
        None => Ok(()),
        Some(_) => Err(twice(target)),
    }
}

fn twice(target: Target<'_>) -> Problem {
    broken(&format!("`{target}` is there twice"))
}

fn broken(told: &str) -> Problem {
    Problem::general(format!("the catalog is broken: {told}"))
}
