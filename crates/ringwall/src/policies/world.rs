//! What policies are held against on the command line: the servers of a configuration, and the tools
//! that are approved in its data directory. It opens the store of pins only where there is one.

use gateway::catalog::Tool;
use gateway::load::{self, Loaded};
use gateway::pins::{Pin, Pins};
use gateway::route::Served;
use inspect::schema::{Budget, Schema, Strictness};
use policy::cases::CaseTarget;
use policy::{Catalog, Policies, PolicyError, ServerEntry, ToolEntry};
use std::collections::HashMap;
use std::path::Path;

/// A configuration with its policies and what they may name.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) loaded: Loaded,
    pub(crate) catalog: Catalog,
    /// What is approved, by server.
    pub(crate) pinned: HashMap<String, HashMap<String, Pin>>,
}

impl World {
    pub(crate) fn of(config: &Path) -> anyhow::Result<Self> {
        let loaded = load::load(config)?;
        let data = loaded.settled.data.clone();
        Self::within(loaded, &data)
    }

    /// The same, with the tools that are approved in this data directory.
    pub(crate) fn within(loaded: Loaded, data: &Path) -> anyhow::Result<Self> {
        let mut catalog = Catalog {
            step_ups: loaded.settled.step_up.keys().cloned().collect(),
            ..Catalog::default()
        };
        let pins = if data.join("state.db").is_file() {
            Some(Pins::open(data)?)
        } else {
            None
        };
        let mut all = HashMap::new();
        for server in &loaded.settled.servers {
            let name = server.name.as_str();
            catalog.servers.push(ServerEntry {
                name: name.to_owned(),
                labels: server.labels.clone(),
            });
            let pinned = pins
                .as_ref()
                .map(|pins| pins.of(name))
                .transpose()?
                .unwrap_or_default();
            all.insert(name.to_owned(), pinned.clone());
            for (tool, pin) in pinned {
                catalog
                    .tools
                    .extend(entry(name, &tool, pin, Served::labels_of(server, &tool)));
            }
        }
        catalog
            .tools
            .sort_by(|left, right| (&left.server, &left.name).cmp(&(&right.server, &right.name)));
        Ok(World {
            loaded,
            catalog,
            pinned: all,
        })
    }

    pub(crate) fn compiled(&self) -> Result<Policies, PolicyError> {
        Policies::compile(&self.loaded.policies, &self.catalog)
    }

    /// Adds tools as somebody describes them; an approved definition counts more.
    pub(super) fn describe(&mut self, tools: impl Iterator<Item = ToolEntry>) {
        for mut tool in tools {
            if self.knows(&tool.server, &tool.name) {
                continue;
            }
            tool.labels.extend(self.labels(&tool.server, &tool.name));
            self.catalog.tools.push(tool);
        }
    }

    /// Adds tools that are asked about and known to nobody, as MCP reads a tool that says nothing of
    /// itself. True if one had to be added.
    pub(crate) fn suppose<'a>(&mut self, targets: impl Iterator<Item = &'a CaseTarget>) -> bool {
        let mut supposed = false;
        for target in targets {
            let CaseTarget::Tool(id) = target else {
                continue;
            };
            let Some((server, name)) = id.split_once('/') else {
                continue;
            };
            let is_served = self
                .catalog
                .servers
                .iter()
                .any(|known| known.name == server);
            if is_served && !self.knows(server, name) {
                let labels = self.labels(server, name);
                let (server, name) = (server.to_owned(), name.to_owned());
                self.catalog.tools.push(ToolEntry {
                    server,
                    name,
                    labels,
                    ..ToolEntry::default()
                });
                supposed = true;
            }
        }
        supposed
    }

    fn knows(&self, server: &str, name: &str) -> bool {
        self.catalog
            .tools
            .iter()
            .any(|tool| tool.server == server && tool.name == name)
    }

    fn labels(&self, server: &str, tool: &str) -> Vec<String> {
        let mut servers = self.loaded.settled.servers.iter();
        let known = servers.find(|known| known.name.as_str() == server);
        known
            .map(|known| Served::labels_of(known, tool))
            .unwrap_or_default()
    }
}

/// The tool as the gateway shows it to policies. One whose schema cannot be enforced is not shown.
fn entry(server: &str, name: &str, pin: Pin, labels: Vec<String>) -> Option<ToolEntry> {
    let schema = pin.definition.get("inputSchema")?;
    let input = Schema::compile(schema, Strictness::Declared, &Budget::default()).ok()?;
    let tool = Tool {
        name: name.into(),
        digest: pin.digest,
        digest_text: pin.digest.to_string().into_boxed_str(),
        definition: pin.definition,
        input,
        output: None,
        needs_task: false,
        mirror: protocol::mirror::Params::default(),
        recognised: Default::default(),
        labels,
    };
    Some(tool.entry(server))
}
