//! What is looked for in the text of messages, settled: of a server whole, of a route where it differs.

mod arguments;
mod data;
mod minimise;
mod output;
mod providers;

pub use arguments::{Arguments, Parameter, SchemaFile};
pub use data::{Data, DataHandling, RulePack};
pub use minimise::{Fields, Minimise, Minimised, Purpose};
pub use output::Output;
pub use providers::ProviderUse;

use crate::words::{Mode, Spotlight};
use serde::Serialize;
use std::collections::BTreeMap;

/// What counts for the messages of one server, where a route says nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Secrets and personal data.
    pub data: Data,
    /// What a suspicion comes to, by its rule.
    pub modes: BTreeMap<String, Mode>,
    /// Who is asked about the text.
    pub providers: Vec<ProviderUse>,
    /// Markup, addresses and floods.
    pub output: Output,
    /// How text is marked for a model.
    pub spotlight: Spotlight,
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
    /// Secrets and personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
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
        Content {
            data: said(&route.data, &self.data),
            modes: said(&route.modes, &self.modes),
            providers: said(&route.providers, &self.providers),
            output: route.output.as_ref().unwrap_or(&self.output).clone(),
            spotlight: route.spotlight.unwrap_or(self.spotlight),
            arguments: said(&route.arguments, &self.arguments),
            minimise: said(&route.minimise, &self.minimise),
            purpose: route.purpose.as_ref().or(self.purpose.as_ref()).cloned(),
        }
    }
}

/// What the route says, or else the server.
#[expect(clippy::ref_option, reason = "a field is passed by reference")]
fn said<T: Clone>(route: &Option<T>, server: &T) -> T {
    route.as_ref().unwrap_or(server).clone()
}
