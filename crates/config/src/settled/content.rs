//! What is looked for in the text of messages, settled: of a server whole, of a route where it differs.

mod arguments;
mod minimise;

pub use arguments::{Arguments, Parameter};
pub use minimise::{Fields, Minimise, Minimised, Purpose};

use serde::Serialize;

/// What counts for the messages of one server, where a route says nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Content {
    /// What parameters of tools mean.
    pub arguments: Arguments,
    /// Which fields go on.
    pub minimise: Minimise,
    /// What calls are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
}

/// The parts in which a route differs from its servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteContent {
    /// What parameters of tools mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Arguments>,
    /// Which fields go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimise: Option<Minimise>,
    /// What calls are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
}

impl Content {
    /// What counts for this server on a route that says this.
    pub fn on(&self, route: &RouteContent) -> Content {
        let own = self.clone();
        let route = route.clone();
        Content {
            arguments: route.arguments.unwrap_or(own.arguments),
            minimise: route.minimise.unwrap_or(own.minimise),
            purpose: route.purpose.or(own.purpose),
        }
    }
}
