//! What is looked for in the text of messages, settled: of a server whole, of a route where it differs.

mod output;

pub use output::Output;

use crate::words::Spotlight;
use serde::Serialize;

/// What counts for the messages of one server, where a route says nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Markup, addresses and floods.
    pub output: Output,
    /// How text is marked for a model.
    pub spotlight: Spotlight,
}

/// The parts in which a route differs from its servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteContent {
    /// Markup, addresses and floods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
    /// How text is marked for a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spotlight: Option<Spotlight>,
}

impl Content {
    /// What counts for this server on a route that says this.
    pub fn on(&self, route: &RouteContent) -> Content {
        Content {
            output: route.output.as_ref().unwrap_or(&self.output).clone(),
            spotlight: route.spotlight.unwrap_or(self.spotlight),
        }
    }
}
