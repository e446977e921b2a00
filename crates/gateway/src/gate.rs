//! Everything a call needs to find: what is configured now, and the state between calls. The
//! configuration is swapped whole; a call keeps the one it began with.

use crate::admin::{Codes, Office};
use crate::approvals::Approvals;
use crate::authority::Authority;
use crate::bridge::Parked;
use crate::catalog::{self, Around, Shelf, Standing, Study};
use crate::claims::Attributes;
use crate::clock::Clock;
use crate::connect::{Links, SignIn};
use crate::credential::OwnClient;
use crate::definitions::suspected::Unheard;
use crate::events::Events;
use crate::listed::Lists;
use crate::misfits;
use crate::people::People;
use crate::pins::{Kind, Pins, PinsError};
use crate::possession::Proofs;
use crate::providers::Providers;
use crate::revocation::Revocations;
use crate::route::{Route, Served};
use crate::seal::Seal;
use crate::sessions::Sessions;
use crate::small::lock;
use crate::state::{Rows, Volatile};
use crate::step_up::Asked;
use crate::strangers::Strangers;
use arc_swap::{ArcSwap, Guard};
use audit::Ledger;
use config::Settled;
use identity::Issuers;
use inspect::likeness::{Neighbour, Neighbourhood};
use inspect::pin::Digest;
use policy::{Policies, PolicyError, Principal};
use quick_cache::sync::Cache;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use watch::{Keyer, Limits};

/// The gateway itself.
#[derive(Debug)]
pub struct Gate {
    clock: Arc<dyn Clock>,
    runtime: ArcSwap<Runtime>,
    policies: ArcSwap<Policies>,
    /// Sessions of clients.
    pub sessions: Sessions,
    /// Calls that wait for their client.
    pub(crate) parked: Parked,
    /// Joined lists of which clients were given a page.
    pub(crate) lists: Lists,
    /// Seals the handles that clients are given.
    pub seal: Seal,
    /// How often, and how many at a time.
    pub limits: Box<dyn Limits>,
    /// Makes keys of what limits count.
    pub keyer: Keyer,
    /// Callers as policy sees them, by their standing.
    pub principals: Cache<[u8; 32], Principal>,
    /// Proofs of possession that were used.
    pub proofs: Proofs,
    /// What happened.
    pub ledger: Ledger,
    /// What was approved.
    pub pins: Pins,
    /// Definitions that no detector was heard about yet.
    pub(crate) unheard: Unheard,
    /// What else outlives a restart.
    pub rows: Rows,
    /// What must not come twice, until it expires.
    pub marks: Arc<dyn Volatile>,
    /// Whose tokens are not good any more.
    pub revocations: Arc<Revocations>,
    /// Links that users were given to connect a server.
    pub(crate) links: Links,
    /// Calls that wait for somebody's approval.
    pub(crate) approvals: Approvals,
    /// Who is signed in with a browser.
    pub people: People,
    /// The code that registers the passkey for emergencies, while it is out.
    pub(crate) codes: Codes,
    /// Who was asked to prove more.
    pub(crate) asked: Asked,
    /// Callers nobody knows.
    pub strangers: Strangers,
    /// Held while a catalog and the policies that go with it are put in force.
    publishing: Mutex<()>,
    boot: String,
    calls: AtomicU64,
}

/// What is configured, ready to be used.
#[derive(Debug)]
pub struct Runtime {
    /// The configuration it was made from.
    pub settled: Arc<Settled>,
    /// Routes by path.
    pub routes: HashMap<Arc<str>, Arc<Route>>,
    /// Servers by name.
    pub servers: HashMap<Arc<str>, Arc<Served>>,
    /// Who is asked about the text of messages, by name.
    pub providers: Providers,
    /// Whose tokens are accepted. Kept over a reload that does not touch them.
    pub issuers: Arc<Issuers>,
    /// Where issuers tell of what happened.
    pub events: Events,
    /// Which of their claims policies see.
    pub attributes: Attributes,
    /// How users sign in with a browser, by issuer.
    pub(crate) sign_ins: HashMap<Arc<str>, SignIn>,
    /// The gateway as the authorization server of its clients.
    pub(crate) authority: Option<Arc<Authority>>,
    /// The gateway as a client of others.
    pub own: Arc<OwnClient>,
    /// The policies as written, to be compiled again when a catalog changes.
    pub sources: Vec<policy::Source>,
    /// Who administers, and what they may do.
    pub office: Office,
}

/// What a gate is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where time is read.
    pub clock: Arc<dyn Clock>,
    /// The ledger, open.
    pub ledger: Ledger,
    /// The pins, open.
    pub pins: Pins,
    /// The durable rows, open.
    pub rows: Rows,
    /// Where marks are kept.
    pub marks: Arc<dyn Volatile>,
    /// The revocations, read.
    pub revocations: Arc<Revocations>,
    /// Who counts.
    pub limits: Box<dyn Limits>,
    /// What seals handles.
    pub seal: Seal,
    /// Proofs of possession that were used.
    pub proofs: Proofs,
    /// What is configured.
    pub runtime: Runtime,
    /// The policies, compiled.
    pub policies: Policies,
    /// Distinguishes the ids of this start from those of every other.
    pub boot: String,
}

/// A server's catalog that is about to be put on this shelf.
pub(crate) type Coming<'a> = (&'a Served, &'a Shelf, &'a catalog::Catalog);

impl Gate {
    /// Callers remembered as policy sees them.
    pub const PRINCIPALS: usize = 10_000;

    /// A gate that is ready for calls.
    pub fn new(parts: Parts) -> Arc<Self> {
        parts.revocations.set_skews(&parts.runtime.settled.issuers);
        Arc::new(Gate {
            clock: parts.clock,
            runtime: ArcSwap::from_pointee(parts.runtime),
            policies: ArcSwap::from_pointee(parts.policies),
            sessions: Sessions::default(),
            parked: Parked::default(),
            lists: Lists::default(),
            seal: parts.seal,
            proofs: parts.proofs,
            limits: parts.limits,
            keyer: Keyer::new(),
            principals: Cache::new(Self::PRINCIPALS),
            ledger: parts.ledger,
            pins: parts.pins,
            unheard: Unheard::default(),
            approvals: Approvals::new(parts.rows.clone()),
            rows: parts.rows,
            marks: parts.marks,
            revocations: parts.revocations,
            links: Links::default(),
            people: People::default(),
            codes: Codes::default(),
            asked: Asked::default(),
            strangers: Strangers::default(),
            publishing: Mutex::default(),
            boot: parts.boot,
            calls: AtomicU64::new(0),
        })
    }

    /// What is configured now.
    pub fn runtime(&self) -> Guard<Arc<Runtime>> {
        self.runtime.load()
    }

    /// The policies in force.
    pub fn policies(&self) -> Guard<Arc<Policies>> {
        self.policies.load()
    }

    /// Puts another configuration in force, with its policies compiled for the tools that are
    /// approved at that very moment. Calls under way keep the one they began with.
    pub fn install(&self, runtime: Runtime) -> Result<(), PolicyError> {
        let _one_at_a_time = lock(&self.publishing);
        let policies = Policies::compile(&runtime.sources, &runtime.policy_catalog(&[]))?;
        self.policies.store(Arc::new(policies));
        self.revocations.set_skews(&runtime.settled.issuers);
        self.runtime.store(Arc::new(runtime));
        // Which claim says what may have changed: callers are made ready for policy anew.
        self.principals.clear();
        Ok(())
    }

    /// Puts what was studied of a server's tools in force, the policies that know them first: at no
    /// moment is there a tool that the policies in force cannot name. What changed is written down.
    pub fn publish(
        &self,
        served: &Served,
        shelf: &Shelf,
        study: impl FnOnce(&Around<'_>) -> Result<Study, PinsError>,
    ) -> Result<(), PinsError> {
        let mut outcomes = self.publish_all(vec![(served, shelf, study)]);
        outcomes.pop().unwrap_or(Ok(()))
    }

    /// The same of several servers, each of them once, with the policies compiled once for all. There is
    /// an outcome for each, in their order.
    pub fn publish_all<S>(&self, readings: Vec<(&Served, &Shelf, S)>) -> Vec<Result<(), PinsError>>
    where
        S: FnOnce(&Around<'_>) -> Result<Study, PinsError>,
    {
        let _one_at_a_time = lock(&self.publishing);
        let mut outcomes = Vec::with_capacity(readings.len());
        let mut studied = Vec::with_capacity(readings.len());
        for (served, shelf, study) in readings {
            // Whoever comes first is compared with nobody who comes after: nothing is held because of
            // somebody else's likeness to it.
            let known = &studied;
            let neighbours = |kind: Kind| self.neighbourhood(kind, known);
            let study = study(&Around::new(&neighbours));
            outcomes.push(study.map(|study| studied.push((served, shelf, study))));
        }
        self.write_down(&mut studied, &mut outcomes);
        // A late reading of a server that a reload has replaced concerns nobody any more.
        let runtime = self.runtime();
        let is_running = |served: &Served| {
            let running = runtime.servers.get(&served.name);
            running.is_some_and(|running| std::ptr::eq(&**running, served))
        };
        let running = studied.iter().filter(|(served, ..)| is_running(served));
        let changed = running.filter(|(.., study)| !study.changes.is_empty());
        let coming: Vec<Coming<'_>> = changed
            .map(|(served, shelf, study)| (*served, *shelf, &study.catalog))
            .collect();
        if !coming.is_empty() {
            self.recompile(&coming);
        }
        for (served, shelf, study) in studied {
            shelf.store(study.catalog);
            self.tell(served, shelf, study.changes);
        }
        outcomes
    }

    /// What all servers offer of this kind now, of tools with what was studied and is not in force yet.
    pub(crate) fn neighbourhood(
        &self,
        kind: Kind,
        studied: &[(&Served, &Shelf, Study)],
    ) -> Neighbourhood {
        match kind {
            Kind::Tool => self.tools_around(studied),
            _ => self.pinned_around(kind),
        }
    }

    /// The definitions of this kind that are approved. What cannot be read is compared with nobody; the
    /// definition in hand cannot be pinned then either.
    fn pinned_around(&self, kind: Kind) -> Neighbourhood {
        let runtime = self.runtime();
        let servers = runtime.servers.keys();
        let pinned = servers.flat_map(|server| {
            let pinned = self.pins.of_kind(server, kind).unwrap_or_default();
            pinned.into_iter().map(move |it| (server, it))
        });
        let pinned: Vec<_> = pinned.collect();
        Neighbourhood::of(pinned.iter().map(|(server, (name, pin))| Neighbour {
            server,
            name,
            description: catalog::described(&pin.definition),
            digest: pin.digest,
        }))
    }

    fn tools_around(&self, studied: &[(&Served, &Shelf, Study)]) -> Neighbourhood {
        let runtime = self.runtime();
        let in_force = runtime.servers.values().flat_map(|served| {
            let tools = served.shelves.approved().into_iter();
            tools.map(|tool| (Arc::clone(&served.name), tool))
        });
        let coming = studied.iter().flat_map(|(served, _, study)| {
            let tools = study.catalog.approved();
            tools.map(|tool| (Arc::clone(&served.name), Arc::clone(tool)))
        });
        let all: Vec<_> = in_force.chain(coming).collect();
        Neighbourhood::of(all.iter().map(|(server, tool)| Neighbour {
            server,
            name: &tool.name,
            description: catalog::described(&tool.definition),
            digest: tool.digest,
        }))
    }

    /// Writes down what was approved at first use and what waits. Where all of it at once fails, each
    /// study is written alone, and those that cannot be do not come into force.
    fn write_down(
        &self,
        studied: &mut Vec<(&Served, &Shelf, Study)>,
        outcomes: &mut [Result<(), PinsError>],
    ) {
        let entries = studied.iter().flat_map(|(.., study)| &study.entries);
        if self.pins.write(entries).is_ok() {
            return;
        }
        let mut outcomes = outcomes.iter_mut().filter(|outcome| outcome.is_ok());
        studied.retain(|(.., study)| {
            let written = self.pins.write(&study.entries);
            let is_written = written.is_ok();
            if let Some(outcome) = outcomes.next() {
                *outcome = written;
            }
            is_written
        });
    }

    /// Writes down what changed on this shelf and nobody knew.
    fn tell(&self, served: &Served, shelf: &Shelf, changes: Vec<catalog::Change>) {
        let news = changes.into_iter();
        let is_news = |change: &catalog::Change| {
            !served.shelves.is_known(shelf, change) && shelf.is_news(change)
        };
        for change in news.filter(is_news) {
            let name = format!("tool.{}", change.what);
            change.log(&served.name, &name);
            let subject = (&*served.name, &*change.tool);
            self.note_definition(&name, subject, change.digest, &change.scores);
            self.unheard
                .ask(self, &served.name, &change.tool, change.digest);
            match shelf.catalog().tool(&change.tool) {
                Some(Standing::Approved(tool)) => misfits::note(self, served, tool),
                Some(Standing::Unusable(why)) => {
                    tracing::warn!(
                        server = &*served.name,
                        tool = &*change.tool,
                        "{name}: {why}"
                    );
                }
                _ => {}
            }
        }
    }

    /// Compiles the policies again, with these tools. Old policies stay in force if that fails: they
    /// were written for fewer tools, and what they do not know is denied.
    fn recompile(&self, coming: &[Coming<'_>]) {
        let runtime = self.runtime();
        match Policies::compile(&runtime.sources, &runtime.policy_catalog(coming)) {
            Ok(policies) => self.policies.store(Arc::new(policies)),
            Err(error) => {
                tracing::error!(%error, "policies do not fit the tools that are approved now")
            }
        }
    }

    /// Writes down that something changed that is not a call. It is durable within the interval; if
    /// the ledger is broken, every call is refused anyway.
    pub fn note(&self, name: &str, server: &str, subject: &str, after: &str) {
        self.note_of(None, name, (server, subject), after);
    }

    /// The same of how a definition stands now, with what is suspected of it.
    pub(crate) fn note_definition(
        &self,
        name: &str,
        (server, subject): (&str, &str),
        digest: Digest,
        scores: &[controls::Score],
    ) {
        self.note_scored(name, (server, subject), &digest.to_string(), scores);
    }

    /// The same of anything else of which something is suspected.
    pub(crate) fn note_scored(
        &self,
        name: &str,
        (server, subject): (&str, &str),
        after: &str,
        scores: &[controls::Score],
    ) {
        self.write(&audit::Record {
            scores: scores.iter().map(crate::stages::score_entry).collect(),
            ..self.changed(name, (server, subject), after)
        });
    }

    /// That a tool is not to be had on a route, and why.
    pub(crate) fn note_misfit(&self, route: &str, subject: (&str, &str), why: &str) {
        let mut record = self.changed("tool.unusable", subject, "");
        record.route = Some(route.into());
        record.event = Some(audit::Event {
            name: "tool.unusable".into(),
            detail: Some(why.into()),
            ..audit::Event::default()
        });
        self.write(&record);
    }

    /// The same of somebody's call. False if it cannot be written down: then what it is about must
    /// not happen.
    pub fn note_of(
        &self,
        who: Option<audit::Who<'_>>,
        name: &str,
        (server, subject): (&str, &str),
        after: &str,
    ) -> bool {
        self.write(&audit::Record {
            who,
            ..self.changed(name, (server, subject), after)
        })
    }

    /// What is suspected of something that a server says on its own account.
    pub(crate) fn note_suspected<'s>(
        &self,
        who: audit::Who<'_>,
        (server, subject): (&str, &str),
        after: &str,
        scores: impl Iterator<Item = &'s controls::Score>,
    ) {
        self.write(&audit::Record {
            who: Some(who),
            scores: scores.map(crate::stages::score_entry).collect(),
            ..self.changed("server.suspected", (server, subject), after)
        });
    }

    /// The record of something that changed.
    fn changed<'r>(
        &self,
        name: &'r str,
        (server, subject): (&'r str, &'r str),
        after: &'r str,
    ) -> audit::Record<'r> {
        audit::Record {
            at_ms: self.clock.unix_ms(),
            id: self.next_id().into(),
            kind: audit::Kind::Change,
            verdict: audit::Verdict::Allowed,
            server: Some(server.into()),
            subject: Some(subject.into()),
            event: Some(audit::Event {
                name: name.into(),
                after: Some(after.into()),
                ..audit::Event::default()
            }),
            ..audit::Record::default()
        }
    }

    /// Writes down that somebody was turned away outside a call: from where, by which control, and why.
    pub(crate) fn note_refused(
        &self,
        who: Option<audit::Who<'_>>,
        (name, source): (&str, IpAddr),
        (server, subject): (&str, &str),
        (control, code, reason): (controls::Control, &str, &str),
    ) -> bool {
        self.write(&audit::Record {
            at_ms: self.clock.unix_ms(),
            id: self.next_id().into(),
            kind: audit::Kind::Event,
            verdict: audit::Verdict::Refused,
            server: Some(server.into()),
            subject: Some(subject.into()),
            source: Some(source.to_string().into()),
            who,
            refusal: Some(audit::Refusal {
                code: code.into(),
                control: control.id().into(),
                fault: audit::Fault::Caller,
                reason: reason.into(),
            }),
            event: Some(audit::Event {
                name: name.into(),
                after: Some(code.into()),
                ..audit::Event::default()
            }),
            ..audit::Record::default()
        })
    }

    /// Writes down what must not be lost once somebody was told of it. False if it is not on disk: then
    /// nobody may be told.
    pub(crate) async fn write_through(&self, record: &audit::Record<'_>) -> bool {
        let on_disk = self.append(record, audit::Durability::BeforeAnswer).await;
        is_written(record, on_disk)
    }

    pub(crate) fn write(&self, record: &audit::Record<'_>) -> bool {
        // Nothing is waited for: whether it is in the queue is known at once, and there it stays.
        let taken = self.append(record, audit::Durability::Interval).wait();
        is_written(record, taken)
    }

    fn append(&self, record: &audit::Record<'_>, durability: audit::Durability) -> audit::Append {
        let mut bytes = Vec::with_capacity(512);
        record.to_canonical(&mut bytes);
        self.ledger.append(bytes, durability)
    }

    /// Where time is read.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The route at this path.
    pub fn route(&self, path: &str) -> Option<Arc<Route>> {
        self.runtime.load().routes.get(path).cloned()
    }

    /// A place of ours, in full, as others are told of it.
    pub(crate) fn address_of(&self, path: &str) -> String {
        let runtime = self.runtime();
        let base = runtime.settled.public_url.as_str();
        format!("{}{path}", base.trim_end_matches('/'))
    }

    /// The same as a path, for a browser that is here already.
    pub(crate) fn path_of(&self, path: &str) -> String {
        let runtime = self.runtime();
        let base = runtime.settled.public_url.path();
        format!("{}{path}", base.trim_end_matches('/'))
    }

    /// A name for a record that no other record has.
    pub fn next_id(&self) -> String {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        format!("{}-{call:x}", self.boot)
    }
}

fn is_written(record: &audit::Record<'_>, result: Result<(), audit::LedgerError>) -> bool {
    let told = result.inspect_err(|error| {
        let name = record.event.as_ref().map_or("", |event| &event.name);
        tracing::error!(%error, "`{name}` could not be written down");
    });
    told.is_ok()
}

impl Runtime {
    /// Whether this very server (not one of its name) is served.
    pub(crate) fn serves(&self, served: &Arc<Served>) -> bool {
        self.servers
            .get(&served.name)
            .is_some_and(|mine| Arc::ptr_eq(mine, served))
    }

    /// What the policies may name: every server, and every tool that is approved, where a catalog is
    /// coming as it is about to be.
    pub(crate) fn policy_catalog(&self, coming: &[Coming<'_>]) -> policy::Catalog {
        let mut catalog = policy::Catalog {
            claims: self.attributes.entries(),
            step_ups: self.settled.step_up.keys().cloned().collect(),
            ..policy::Catalog::default()
        };
        for served in self.servers.values() {
            catalog.servers.push(policy::ServerEntry {
                name: served.name.to_string(),
                labels: served.labels.clone(),
            });
            let mut coming = coming.iter();
            let coming = coming.find(|(this, ..)| std::ptr::eq(*this, &**served));
            let coming = coming.map(|(_, shelf, catalog)| (*shelf, *catalog));
            let tools = served.shelves.approved_with(coming);
            catalog
                .tools
                .extend(tools.iter().map(|tool| tool.entry(&served.name)));
        }
        catalog
    }
}
