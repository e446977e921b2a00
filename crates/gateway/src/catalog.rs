//! What a server offers, and which of it is approved: the pinned definitions of its tools, compiled.
//!
//! A definition becomes a callable [`Tool`] only if its canonical digest is the pinned one and its schemas
//! can be enforced. Everything else stands aside with the reason: it is not
//! listed and not callable (control 9.2). A catalog is never edited: a new one takes its place.

mod judge;
mod others;
mod shelves;

pub use judge::Around;
pub(crate) use judge::described;
pub use others::Others;
pub use shelves::Shelves;

use crate::content::Minimising;
use crate::pins::{Entry, Kind, Pin, Pins, PinsError};
use arc_swap::ArcSwap;
use config::settled;
use controls::Score;
use inspect::meaning::{self, Parameters};
use inspect::pin::{self, Digest};
use inspect::schema::{Budget, Schema, Strictness};
use judge::{Case, Desk, Verdict};
use protocol::mirror::Params;
use protocol::{Document, Limits};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A tool that may be listed and called, as far as its definition is concerned.
#[derive(Debug)]
pub struct Tool {
    /// The name the server gave it.
    pub name: Box<str>,
    /// The digest it is pinned by.
    pub digest: Digest,
    /// The digest as text, for records.
    pub digest_text: Box<str>,
    /// The whole definition.
    pub definition: Value,
    /// What its arguments must look like.
    pub input: Schema,
    /// What its `structuredContent` must look like, if it says.
    pub output: Option<Schema>,
    /// Whether it can be called as a task only.
    pub needs_task: bool,
    /// Which arguments a modern client repeats in headers.
    pub mirror: Params,
    /// What its parameters mean, as their names tell.
    pub recognised: Parameters,
    /// The operator's labels: those of the server and those its name matches.
    pub labels: Vec<String>,
}

impl Tool {
    /// The tool as policies know it. A hint the server does not give is read as MCP reads it: the
    /// tool may change things, may destroy, and reaches out.
    pub fn entry(&self, server: &str) -> policy::ToolEntry {
        let hint = |name: &str, missing: bool| {
            let hints = self.definition.get("annotations");
            hints
                .and_then(|hints| hints.get(name))
                .and_then(Value::as_bool)
                .unwrap_or(missing)
        };
        policy::ToolEntry {
            server: server.to_owned(),
            name: self.name.to_string(),
            labels: self.labels.clone(),
            input_schema: self
                .definition
                .get("inputSchema")
                .cloned()
                .unwrap_or_default(),
            read_only: hint("readOnlyHint", false),
            destructive: hint("destructiveHint", true),
            idempotent: hint("idempotentHint", false),
            open_world: hint("openWorldHint", true),
        }
    }
}

/// How a tool stands.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Pinned, unchanged and enforceable.
    Approved(Arc<Tool>),
    /// Never approved.
    Unapproved,
    /// Approved once, and different now.
    Changed,
    /// Its definition cannot be enforced, for this reason.
    Unusable(String),
}

/// Something that happened to a tool's standing, worth a record of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The tool.
    pub tool: Box<str>,
    /// Its digest now.
    pub digest: Digest,
    /// `pinned`, `changed`, `unapproved`, `unusable` or `restored`.
    pub what: &'static str,
    /// What is suspected of the definition.
    pub scores: Vec<Score>,
}

/// A catalog that is not in force yet, and what would change.
#[derive(Debug)]
pub struct Study {
    /// The catalog.
    pub catalog: Catalog,
    /// What differs from the one in force.
    pub changes: Vec<Change>,
    /// What is to be written down before it comes into force.
    pub entries: Vec<Entry>,
}

/// How much of what a server offers was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// All of it, by the gateway itself.
    Whole,
    /// What one caller was shown.
    Page,
}

/// Everything known of a server's tools at one moment.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    tools: HashMap<Box<str>, Standing>,
    loaded_ms: Option<u64>,
}

impl Catalog {
    /// How this tool stands, if the server offers it.
    pub fn tool(&self, name: &str) -> Option<&Standing> {
        self.tools.get(name)
    }

    /// The name of every tool there is, approved or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(|name| &**name)
    }

    /// Every tool that is approved.
    pub fn approved(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.values().filter_map(|standing| match standing {
            Standing::Approved(tool) => Some(tool),
            _ => None,
        })
    }

    /// How many tools stand aside.
    pub fn aside(&self) -> usize {
        self.tools.len() - self.approved().count()
    }
}

/// Where one server's catalog lies, as it is in one revision, and whether it is still to be believed.
#[derive(Debug)]
pub struct Shelf {
    server: settled::Server,
    /// Which fields go on where a route says nothing else.
    minimising: Minimising,
    catalog: ArcSwap<Catalog>,
    /// How often there was reason to doubt the catalog, and how many of those a reading settled.
    doubts: AtomicU64,
    settled: AtomicU64,
}

impl Shelf {
    /// Tools one server may offer.
    pub const TOOLS: usize = 1000;
    /// After this long a catalog is read again even if the server announced nothing.
    pub const FRESH_MS: u64 = 5 * 60 * 1000;

    /// An empty shelf for this server.
    pub fn new(server: settled::Server) -> Self {
        // What cannot be read there keeps its routes from being built.
        let minimising = Minimising::new(&server.content);
        Shelf {
            minimising: minimising.unwrap_or_default(),
            server,
            catalog: ArcSwap::default(),
            doubts: AtomicU64::new(1),
            settled: AtomicU64::new(0),
        }
    }

    /// The catalog as it is.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// Whether it must be read from the server before it is believed.
    pub fn is_stale(&self, now_ms: u64) -> bool {
        let loaded = self.catalog.load().loaded_ms;
        self.settled.load(Ordering::Acquire) != self.doubts.load(Ordering::Acquire)
            || loaded.is_none_or(|loaded| now_ms.saturating_sub(loaded) >= Self::FRESH_MS)
    }

    /// Says that the server announced a change, or that somebody changed the pins.
    pub fn distrust(&self) {
        self.doubts.fetch_add(1, Ordering::AcqRel);
    }

    /// How many doubts there were so far; to be asked before a reading.
    pub fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Acquire)
    }

    /// Says that a reading settled these doubts. One that arose meanwhile stays.
    pub fn trust(&self, doubts: u64) {
        self.settled.store(doubts, Ordering::Release);
    }

    /// The catalog that a complete list of definitions makes. It is not in force yet.
    pub fn whole(
        &self,
        definitions: &[Value],
        pins: &Pins,
        around: &Around<'_>,
        now_ms: u64,
    ) -> Result<Study, PinsError> {
        let catalog = Catalog {
            tools: HashMap::new(),
            loaded_ms: Some(now_ms),
        };
        let desk = Desk::new(pins, around, now_ms);
        self.study(definitions, catalog, desk, Extent::Whole)
    }

    /// The catalog that there is, with a page of definitions. It is not in force yet. One caller's page
    /// takes no approval away from the others: what differs on it is a reason to read everything again.
    pub fn page<'v>(
        &self,
        definitions: impl IntoIterator<Item = &'v Value>,
        pins: &Pins,
        around: &Around<'_>,
        now_ms: u64,
    ) -> Result<Study, PinsError> {
        let catalog = Catalog::clone(&self.catalog.load());
        let desk = Desk::new(pins, around, now_ms);
        self.study(definitions, catalog, desk, Extent::Page)
    }

    /// Puts a catalog in force.
    pub fn store(&self, catalog: Catalog) {
        self.catalog.store(Arc::new(catalog));
    }

    fn study<'v>(
        &self,
        definitions: impl IntoIterator<Item = &'v Value>,
        catalog: Catalog,
        mut desk: Desk<'_>,
        extent: Extent,
    ) -> Result<Study, PinsError> {
        let pinned = desk.pins.of(self.server.name.as_str())?;
        let before = self.catalog.load_full();
        let Catalog {
            mut tools,
            loaded_ms,
        } = catalog;
        let mut changes = Vec::new();
        for definition in definitions {
            let Some(name) = definition.get("name").and_then(Value::as_str) else {
                continue;
            };
            if tools.len() >= Self::TOOLS && !tools.contains_key(name) {
                tracing::warn!(server = %self.server.name, "more than {} tools: the rest is not offered", Self::TOOLS);
                break;
            }
            let digest = pin::digest(definition);
            let was = before.tool(name);
            let (standing, scores) = match was {
                // Known, unchanged and still pinned: nothing is compiled twice.
                Some(Standing::Approved(tool))
                    if tool.digest == digest
                        && pinned.get(name).is_some_and(|pin| pin.digest == digest) =>
                {
                    (Standing::Approved(Arc::clone(tool)), Vec::new())
                }
                // Pinned as it was, and different in this caller's hands only.
                Some(Standing::Approved(tool))
                    if extent == Extent::Page
                        && pinned
                            .get(name)
                            .is_some_and(|pin| pin.digest == tool.digest) =>
                {
                    self.distrust();
                    (Standing::Approved(Arc::clone(tool)), Vec::new())
                }
                _ => {
                    let found = (name, definition, digest);
                    self.judge(found, pinned.get(name), &mut desk)?
                }
            };
            if let Some(what) = news(was, &standing) {
                changes.push(Change {
                    tool: name.into(),
                    digest,
                    what,
                    scores,
                });
            }
            tools.insert(name.into(), standing);
        }
        Ok(Study {
            catalog: Catalog { tools, loaded_ms },
            changes,
            entries: desk.entries,
        })
    }

    fn judge(
        &self,
        (name, definition, digest): (&str, &Value, Digest),
        pin: Option<&Pin>,
        desk: &mut Desk<'_>,
    ) -> Result<(Standing, Vec<Score>), PinsError> {
        if let Err(error) = inspect::definition::check(definition) {
            return Ok((Standing::Unusable(error.to_string()), Vec::new()));
        }
        let case = Case {
            server: &self.server,
            kind: Kind::Tool,
            name,
            definition,
            digest,
        };
        let (verdict, scores) = desk.judge(&case, pin)?;
        let standing = match verdict {
            Verdict::Pinned => self.compile(name, definition, digest),
            Verdict::Changed => Standing::Changed,
            Verdict::Unapproved => Standing::Unapproved,
        };
        Ok((standing, scores))
    }

    fn compile(&self, name: &str, definition: &Value, digest: Digest) -> Standing {
        let strictness = match self.server.schema {
            settled::Schema::Strict => Strictness::Strict,
            settled::Schema::Declared => Strictness::Declared,
        };
        let budget = Budget::default();
        let Some(input) = definition.get("inputSchema") else {
            return Standing::Unusable("it has no inputSchema".to_owned());
        };
        if let Some(why) = self.minimising.breaks(name, definition) {
            return Standing::Unusable(why);
        }
        let mirror = match mirror(input) {
            Ok(mirror) => mirror,
            Err(why) => return Standing::Unusable(why),
        };
        let input = match Schema::compile(input, strictness, &budget) {
            Ok(schema) => schema,
            Err(error) => return Standing::Unusable(format!("inputSchema: {error}")),
        };
        // A server may add to its answers what it did not declare; it is screened like the rest.
        let output = definition.get("outputSchema");
        let output = output.map(|schema| Schema::compile(schema, Strictness::Declared, &budget));
        let output = match output.transpose() {
            Ok(schema) => schema,
            Err(error) => return Standing::Unusable(format!("outputSchema: {error}")),
        };
        Standing::Approved(Arc::new(Tool {
            name: name.into(),
            digest,
            digest_text: digest.to_string().into_boxed_str(),
            definition: definition.clone(),
            input,
            output,
            needs_task: needs_task(definition),
            mirror,
            recognised: recognised(&self.server, name, definition),
            labels: crate::route::Served::labels_of(&self.server, name),
        }))
    }
}

/// Whether a tool can be called as a task only.
pub(crate) fn needs_task(definition: &Value) -> bool {
    let support = definition.pointer("/execution/taskSupport");
    support.and_then(Value::as_str) == Some("required")
}

/// What its parameters mean, as their names tell. What a server writes in the operator's keyword is not
/// believed.
fn recognised(server: &settled::Server, name: &str, definition: &Value) -> Parameters {
    if meaning::declares(definition) {
        tracing::warn!(
            server = %server.name,
            tool = name,
            "its definition holds `{}`, which is the operator's to write: it is ignored",
            meaning::KEYWORD
        );
    }
    let mut parameters = Parameters::default();
    let input = definition.get("inputSchema").unwrap_or(&Value::Null);
    for (place, meaning) in meaning::recognise(input) {
        let expectation = meaning::Expectation {
            basis: meaning::Basis::Recognised,
            otherwise: meaning::Consequence::Refuse,
            kind: meaning::Kind::of(meaning),
        };
        parameters.expect(&place, expectation);
    }
    parameters
}

/// The arguments that headers repeat (rule H9).
fn mirror(input: &Value) -> Result<Params, String> {
    let text = input.to_string();
    let limits = Limits {
        bytes: text.len(),
        ..Limits::default()
    };
    let read = Document::read(text.into(), &limits);
    let document = read.map_err(|flaw| format!("inputSchema: {flaw}"))?;
    Params::read(document.root()).map_err(|error| format!("inputSchema: {error}"))
}

/// What to tell about a change of standing, if anything.
fn news(before: Option<&Standing>, now: &Standing) -> Option<&'static str> {
    match (before, now) {
        (Some(Standing::Approved(was)), Standing::Approved(is)) if was.digest == is.digest => None,
        (Some(Standing::Changed), Standing::Approved(_)) => Some("restored"),
        (_, Standing::Approved(_)) => Some("pinned"),
        (Some(Standing::Changed), Standing::Changed) => None,
        (_, Standing::Changed) => Some("changed"),
        (Some(Standing::Unapproved), Standing::Unapproved) => None,
        (_, Standing::Unapproved) => Some("unapproved"),
        (Some(Standing::Unusable(_)), Standing::Unusable(_)) => None,
        (_, Standing::Unusable(_)) => Some("unusable"),
    }
}
