//! What is looked for in the text of messages, settled: of a server whole, of a route where it differs.

use serde::Serialize;

/// What counts for the messages of one server, where a route says nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Content {}

/// The parts in which a route differs from its servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteContent {}

impl Content {
    /// What counts for this server on a route that says this.
    pub fn on(&self, _route: &RouteContent) -> Content {
        Content {}
    }
}
