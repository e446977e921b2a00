//! What is looked for in the text of messages, settled: of a server whole, of a route where it differs.

mod output;
mod providers;

pub use output::Output;
pub use providers::ProviderUse;

use crate::words::{Mode, Spotlight};
use serde::Serialize;
use std::collections::BTreeMap;

/// What counts for the messages of one server, where a route says nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// What a suspicion comes to, by its rule.
    pub modes: BTreeMap<String, Mode>,
    /// Who is asked about the text.
    pub providers: Vec<ProviderUse>,
    /// Markup, addresses and floods.
    pub output: Output,
    /// How text is marked for a model.
    pub spotlight: Spotlight,
}

/// The parts in which a route differs from its servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteContent {
    /// What a suspicion comes to, by its rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modes: Option<BTreeMap<String, Mode>>,
    /// Who is asked about the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<ProviderUse>>,
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
            modes: said(&route.modes, &self.modes),
            providers: said(&route.providers, &self.providers),
            output: route.output.as_ref().unwrap_or(&self.output).clone(),
            spotlight: route.spotlight.unwrap_or(self.spotlight),
        }
    }
}

/// What the route says, or else the server.
#[expect(clippy::ref_option, reason = "a field is passed by reference")]
fn said<T: Clone>(route: &Option<T>, server: &T) -> T {
    route.as_ref().unwrap_or(server).clone()
}
