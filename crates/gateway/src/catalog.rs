//! What a server offers, and which of it is approved: the pinned definitions of its tools, compiled.
//!
//! A definition becomes a callable [`Tool`] only if its canonical digest is the pinned one and its schemas
//! can be enforced. Everything else stands aside with the reason: it is not
//! listed and not callable (control 9.2). A catalog is never edited: a new one takes its place.

mod enforced;
mod judge;
mod others;
mod shelves;

pub use crate::links::Drift;
pub(crate) use enforced::Enforced;
pub use judge::Around;
pub(crate) use judge::{described, holding, speaks, suspected};
pub use others::Others;
pub(crate) use others::lasting;
pub use shelves::Shelves;

use crate::pins::{Entry, Kind, Pin, Pins, PinsError, Sighting};
use crate::small::lock;
use arc_swap::ArcSwap;
use config::settled;
use controls::Score;
use inspect::meaning::{self, Parameters};
use inspect::pin::{self, Digest};
use inspect::schema::Schema;
use judge::{Case, Desk, Verdict};
use protocol::mirror::Params;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

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

/// What happened to a tool that differs from its pin, and to one that is as it was again.
const CHANGED: &str = "changed";
const RESTORED: &str = "restored";

impl Change {
    /// Tells whoever reads the log: what is another thing than was approved is worth a warning.
    pub(crate) fn log(&self, server: &str, name: &str) {
        let Change { tool, digest, .. } = self;
        match self.what {
            CHANGED => tracing::warn!(server, tool = %tool, %digest, "{name}"),
            _ => tracing::info!(server, tool = %tool, %digest, "{name}"),
        }
    }
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

    /// Whether it was ever read as a whole.
    pub fn is_read(&self) -> bool {
        self.loaded_ms.is_some()
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
    catalog: ArcSwap<Catalog>,
    /// How often there was reason to doubt the catalog, and how many of those a reading settled.
    doubts: AtomicU64,
    settled: AtomicU64,
    /// What was told last of a tool that changed, so that it is told once and not by everybody who sees it.
    told: Mutex<HashMap<Box<str>, Digest>>,
}

/// What is at hand where a list of tools is studied.
#[derive(Debug)]
pub struct Reading<'a> {
    /// What is approved.
    pub pins: &'a Pins,
    /// What all servers offer.
    pub around: &'a Around<'a>,
    /// What the party over whose link it came was shown before, and is shown now.
    pub party: &'a Drift,
    /// In milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl Shelf {
    /// Tools one server may offer.
    pub const TOOLS: usize = 1000;
    /// After this long a catalog is read again even if the server announced nothing.
    pub const FRESH_MS: u64 = 5 * 60 * 1000;

    /// An empty shelf for this server.
    pub fn new(server: settled::Server) -> Self {
        Shelf {
            server,
            catalog: ArcSwap::default(),
            doubts: AtomicU64::new(1),
            settled: AtomicU64::new(0),
            told: Mutex::default(),
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
    pub fn whole(&self, definitions: &[Value], reading: &Reading<'_>) -> Result<Study, PinsError> {
        let catalog = Catalog {
            tools: HashMap::new(),
            loaded_ms: Some(reading.now_ms),
        };
        self.study(definitions, catalog, reading, Extent::Whole)
    }

    /// The catalog that there is, with a page of definitions. It is not in force yet. One caller's page
    /// takes no approval away from the others: what differs on it is told at once, is not to be had by this
    /// caller, and is a reason to read everything again.
    pub fn page<'v>(
        &self,
        definitions: impl IntoIterator<Item = &'v Value>,
        reading: &Reading<'_>,
    ) -> Result<Study, PinsError> {
        let catalog = Catalog::clone(&self.catalog.load());
        self.study(definitions, catalog, reading, Extent::Page)
    }

    /// Whether somebody has to be told of this change: what everybody sees is told once.
    pub(crate) fn is_news(&self, change: &Change) -> bool {
        let mut told = lock(&self.told);
        if change.what != CHANGED {
            told.remove(&change.tool);
            return true;
        }
        if told.len() >= Self::TOOLS && !told.contains_key(&change.tool) {
            told.clear();
        }
        told.insert(change.tool.clone(), change.digest) != Some(change.digest)
    }

    /// Puts a catalog in force.
    pub fn store(&self, catalog: Catalog) {
        self.catalog.store(Arc::new(catalog));
    }

    fn study<'v>(
        &self,
        definitions: impl IntoIterator<Item = &'v Value>,
        catalog: Catalog,
        reading: &Reading<'_>,
        extent: Extent,
    ) -> Result<Study, PinsError> {
        let mut desk = Desk::new(reading.pins, reading.around, reading.now_ms);
        let pinned = desk.pins.of(self.server.name.as_str())?;
        let before = self.catalog.load_full();
        let Catalog {
            mut tools,
            loaded_ms,
        } = catalog;
        let listed = named(definitions);
        let twice = twice(listed.iter().map(|(name, _, digest)| (*name, *digest)));
        let mut seen = HashSet::new();
        let mut changes = Vec::new();
        let mut left_out = 0;
        for (name, definition, digest) in listed {
            if tools.len() >= Self::TOOLS && !tools.contains_key(name) {
                left_out += 1;
                continue;
            }
            let found = Found {
                case: self.case(name, definition, digest),
                was: before.tool(name),
                pin: pinned.get(name),
                extent,
            };
            let is_twice = twice.contains(name);
            // Where two definitions have one name, nobody can tell which of them is meant. Each name is told once.
            if (is_twice && found.is_pinned()) || !seen.insert(name) {
                continue;
            }
            let (standing, what, scores) = match is_twice {
                true => self.ambiguous(&found, &mut desk, reading.party),
                false => self.one(&found, &mut desk, reading.party)?,
            };
            if let Some(what) = what {
                changes.push(Change {
                    tool: name.into(),
                    digest,
                    what,
                    scores,
                });
            }
            tools.insert(name.into(), standing);
        }
        if left_out > 0 {
            tracing::warn!(server = %self.server.name, "more than {} tools: {left_out} are not offered", Self::TOOLS);
        }
        Ok(Study {
            catalog: Catalog { tools, loaded_ms },
            changes,
            entries: desk.entries,
        })
    }

    /// How one definition of a list stands, what is told of it, and what is suspected.
    fn one(
        &self,
        found: &Found<'_>,
        desk: &mut Desk<'_>,
        party: &Drift,
    ) -> Result<(Standing, Option<&'static str>, Vec<Score>), PinsError> {
        let Found { case, was, pin, .. } = found;
        let turned = match pin {
            Some(_) if found.is_pinned() => party.agrees(case.name),
            Some(_) => party.differs(case.name, case.digest),
            None => false,
        };
        let (Some(Standing::Approved(tool)), Some(pin)) = (was, pin) else {
            return self.judged(found, desk, party);
        };
        let same = || Standing::Approved(Arc::clone(tool));
        // Known, unchanged and still pinned: nothing is compiled twice.
        if tool.digest == case.digest && found.is_pinned() {
            if turned {
                desk.settle(case);
            }
            return Ok((same(), turned.then_some(RESTORED), Vec::new()));
        }
        if found.stays().is_none() {
            return self.judged(found, desk, party);
        }
        if !turned {
            return Ok((same(), None, Vec::new()));
        }
        match desk.shown_otherwise(case, pin) {
            Some(scores) => {
                self.distrust();
                Ok((same(), Some(CHANGED), scores))
            }
            // It would be taken over, were it shown to everybody: then whoever is shown it first will do.
            None => self.judged(found, desk, party),
        }
    }

    fn judged(
        &self,
        found: &Found<'_>,
        desk: &mut Desk<'_>,
        party: &Drift,
    ) -> Result<(Standing, Option<&'static str>, Vec<Score>), PinsError> {
        let (standing, scores) = self.judge(&found.case, found.pin, desk)?;
        if matches!(standing, Standing::Approved(_)) {
            party.agrees(found.case.name);
        }
        let what = news(found.was, &standing);
        Ok((standing, what, scores))
    }

    /// How a definition stands that has another one of its name beside it.
    fn ambiguous(
        &self,
        found: &Found<'_>,
        desk: &mut Desk<'_>,
        party: &Drift,
    ) -> (Standing, Option<&'static str>, Vec<Score>) {
        let case = &found.case;
        let turned = found.pin.is_some() && party.differs(case.name, case.digest);
        let Some(tool) = found.stays() else {
            let standing = Standing::Unusable(format!("it {}", Sighting::TWICE));
            let what = news(found.was, &standing);
            return (standing, what, desk.hold(case, Sighting::TWICE));
        };
        let same = Standing::Approved(Arc::clone(tool));
        if !turned {
            return (same, None, Vec::new());
        }
        tracing::warn!(server = %self.server.name, tool = case.name, "{}", Sighting::TWICE);
        self.distrust();
        (same, Some(CHANGED), desk.hold(case, Sighting::TWICE))
    }

    fn judge(
        &self,
        case: &Case<'_>,
        pin: Option<&Pin>,
        desk: &mut Desk<'_>,
    ) -> Result<(Standing, Vec<Score>), PinsError> {
        if let Err(error) = inspect::definition::check(case.definition) {
            return Ok((Standing::Unusable(error.to_string()), Vec::new()));
        }
        let (verdict, scores) = desk.judge(case, pin)?;
        let standing = match verdict {
            Verdict::Pinned => self.compile(case.name, case.definition, case.digest),
            Verdict::Changed => Standing::Changed,
            Verdict::Unapproved => Standing::Unapproved,
        };
        Ok((standing, scores))
    }

    fn case<'c>(&'c self, name: &'c str, definition: &'c Value, digest: Digest) -> Case<'c> {
        Case {
            server: &self.server,
            kind: Kind::Tool,
            name,
            definition,
            digest,
        }
    }

    fn compile(&self, name: &str, definition: &Value, digest: Digest) -> Standing {
        let Enforced {
            input,
            output,
            mirror,
        } = match Enforced::of(definition, self.server.schema) {
            Ok(enforced) => enforced,
            Err(why) => return Standing::Unusable(why),
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

/// A definition in a list, and what was known of its name before.
struct Found<'a> {
    case: Case<'a>,
    was: Option<&'a Standing>,
    pin: Option<&'a Pin>,
    extent: Extent,
}

impl Found<'_> {
    fn is_pinned(&self) -> bool {
        self.pin.is_some_and(|pin| pin.digest == self.case.digest)
    }

    /// The tool in force, if it is pinned as it was: what one caller is shown takes it from nobody else.
    fn stays(&self) -> Option<&Arc<Tool>> {
        match (self.extent, self.was, self.pin) {
            (Extent::Page, Some(Standing::Approved(tool)), Some(pin))
                if pin.digest == tool.digest =>
            {
                Some(tool)
            }
            _ => None,
        }
    }
}

/// What a list names, each with its digest.
fn named<'v>(
    definitions: impl IntoIterator<Item = &'v Value>,
) -> Vec<(&'v str, &'v Value, Digest)> {
    let definitions = definitions.into_iter();
    let named = definitions.filter_map(|it| Some((it.get("name")?.as_str()?, it)));
    named
        .map(|(name, it)| (name, it, pin::digest(it)))
        .collect()
}

/// The names that a list gives to more than one definition: nobody can tell which of them is meant.
pub(crate) fn twice<N: Clone + Eq + Hash>(
    listed: impl IntoIterator<Item = (N, Digest)>,
) -> HashSet<N> {
    let mut first = HashMap::new();
    let mut twice = HashSet::new();
    for (name, digest) in listed {
        if *first.entry(name.clone()).or_insert(digest) != digest {
            twice.insert(name);
        }
    }
    twice
}

/// How the pinned tools of a server stand by its settings, were they offered as they are pinned.
pub(crate) fn pinned(
    server: &settled::Server,
    pins: &HashMap<String, Pin>,
) -> HashMap<Box<str>, Standing> {
    let shelf = Shelf::new(server.clone());
    let tools = pins
        .iter()
        .filter(|(key, _)| Kind::of_key(key).0 == Kind::Tool);
    let each = tools.map(|(name, pin)| {
        let standing = shelf.compile(name, &pin.definition, pin.digest);
        (name.as_str().into(), standing)
    });
    each.collect()
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
    for (place, meaning) in meaning::recognise(definition) {
        let expectation = meaning::Expectation {
            basis: meaning::Basis::Recognised,
            otherwise: meaning::Consequence::Refuse,
            kind: meaning::Kind::of(meaning),
        };
        parameters.expect(&place, expectation);
    }
    parameters
}

/// What to tell about a change of standing, if anything.
fn news(before: Option<&Standing>, now: &Standing) -> Option<&'static str> {
    match (before, now) {
        (Some(Standing::Approved(was)), Standing::Approved(is)) if was.digest == is.digest => None,
        (Some(Standing::Changed), Standing::Approved(_)) => Some(RESTORED),
        (_, Standing::Approved(_)) => Some("pinned"),
        (Some(Standing::Changed), Standing::Changed) => None,
        (_, Standing::Changed) => Some(CHANGED),
        (Some(Standing::Unapproved), Standing::Unapproved) => None,
        (_, Standing::Unapproved) => Some("unapproved"),
        (Some(Standing::Unusable(_)), Standing::Unusable(_)) => None,
        (_, Standing::Unusable(_)) => Some("unusable"),
    }
}

#[cfg(test)]
mod tests;
