//! One shelf per revision that a server is met in: many servers define a tool differently in each, and
//! what one client is shown must take nothing from those who were met in another revision.
//!
//! There is one pin per tool all the same. Whatever stands as approved on any shelf is the pinned
//! definition, so no shelf ever permits what another one would not.

use super::{Catalog, Change, Shelf, Standing, Tool};
use config::settled;
use protocol::Revision;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The shelves of one server.
#[derive(Debug)]
pub struct Shelves {
    older: Box<[(Revision, Shelf)]>,
    newest: Shelf,
}

impl Shelves {
    /// Empty shelves for this server.
    pub fn new(server: &settled::Server) -> Self {
        let older = Revision::NEGOTIABLE.iter();
        Shelves {
            older: older
                .map(|revision| (*revision, Shelf::new(server.clone())))
                .collect(),
            newest: Shelf::new(server.clone()),
        }
    }

    /// The shelf of the server as it is met in this revision.
    pub fn of(&self, revision: Revision) -> &Shelf {
        let mut older = self.older.iter();
        older
            .find(|(of, _)| *of == revision)
            .map_or(&self.newest, |(_, shelf)| shelf)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Shelf> {
        let older = self.older.iter().map(|(_, shelf)| shelf);
        std::iter::once(&self.newest).chain(older)
    }

    /// Says that the server announced a change, or that somebody changed the pins.
    pub fn distrust(&self) {
        self.all().for_each(Shelf::distrust);
    }

    /// How often there was reason to doubt what the server offers.
    pub(crate) fn doubts(&self) -> u64 {
        self.all().map(Shelf::doubts).fold(0, u64::wrapping_add)
    }

    /// The catalogs that need not be read again.
    pub fn fresh(&self, now_ms: u64) -> impl Iterator<Item = Arc<Catalog>> {
        let fresh = self.all().filter(move |shelf| !shelf.is_stale(now_ms));
        fresh.map(Shelf::catalog)
    }

    /// Every tool that is approved in any revision, once; where two disagree, as it was read last.
    pub fn approved(&self) -> Vec<Arc<Tool>> {
        self.approved_with(None)
    }

    /// The same, with this catalog in the place of the one on that shelf.
    pub(crate) fn approved_with(&self, coming: Option<(&Shelf, &Catalog)>) -> Vec<Arc<Tool>> {
        let mut catalogs: Vec<(u64, Arc<Catalog>)> = Vec::new();
        let mut tools: HashMap<Box<str>, Arc<Tool>> = HashMap::new();
        for shelf in self.all() {
            match coming {
                Some((this, _)) if std::ptr::eq(this, shelf) => {}
                _ => {
                    let catalog = shelf.catalog();
                    catalogs.push((catalog.loaded_ms.unwrap_or(0), catalog));
                }
            }
        }
        catalogs.sort_by_key(|(loaded, _)| *loaded);
        let known = catalogs.iter().map(|(_, catalog)| &**catalog);
        for tool in known
            .chain(coming.map(|(_, catalog)| catalog))
            .flat_map(Catalog::approved)
        {
            tools.insert(tool.name.clone(), Arc::clone(tool));
        }
        tools.into_values().collect()
    }

    /// The tool of this name, if it is approved in any revision.
    pub fn tool(&self, name: &str) -> Option<Arc<Tool>> {
        let known = self.all().map(Shelf::catalog);
        let approved = known.filter_map(|catalog| match catalog.tool(name) {
            Some(Standing::Approved(tool)) => Some((catalog.loaded_ms, Arc::clone(tool))),
            _ => None,
        });
        approved
            .max_by_key(|(loaded, _)| *loaded)
            .map(|(_, tool)| tool)
    }

    /// How many tools are approved, and how many stand aside in every revision.
    pub fn count(&self) -> (usize, usize) {
        let catalogs: Vec<_> = self.all().map(Shelf::catalog).collect();
        let names: HashSet<&str> = catalogs
            .iter()
            .flat_map(|catalog| catalog.names())
            .collect();
        let approved = catalogs.iter().flat_map(|catalog| catalog.approved());
        let approved: HashSet<&str> = approved.map(|tool| &*tool.name).collect();
        (approved.len(), names.len().saturating_sub(approved.len()))
    }

    /// Whether a change on this shelf is news to nobody, since another one knows it already.
    pub(crate) fn is_known(&self, shelf: &Shelf, change: &Change) -> bool {
        let mut others = self.all().filter(|other| !std::ptr::eq(*other, shelf));
        others.any(
            |other| match (change.what, other.catalog().tool(&change.tool)) {
                ("pinned", Some(Standing::Approved(tool))) => tool.digest == change.digest,
                ("unapproved", Some(Standing::Unapproved)) => true,
                _ => false,
            },
        )
    }
}
