//! What is looked for in the text of messages, and what is done about it, as somebody wrote it: a file
//! for each part. Nothing here is checked beyond its shape.

mod arguments;
mod data;
mod minimise;
mod output;
mod providers;

pub use arguments::{Arguments, Parameter};
pub use data::{Data, DataHandling, RulePack};
pub use minimise::{Fields, Minimise, Minimised, Purpose};
pub use output::Output;
pub use providers::ProviderUse;

use crate::bounds;
use crate::words::{Mode, Spotlight};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is looked for in the text of messages, and what is done about it. Each part that is written at a
/// route counts for that route; else the one of the server; else its default.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Secrets and personal data.
    pub data: Option<Data>,
    /// What a suspicion comes to, by its rule: `injection`, `harm.hate`, or whatever else a detector speaks of.
    /// Rules that are not named have the mode of the detector. At a server also `poison.…` and `likeness.…`,
    /// which hold a definition that nobody approved unless another mode is named; at a route these are refused,
    /// since a definition is the same on every route.
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub modes: Option<BTreeMap<String, Mode>>,
    /// The `providers` that are asked what they think of the texts.
    #[schemars(extend("default" = []), length(max = bounds::PROVIDERS))]
    pub providers: Option<Vec<ProviderUse>>,
    /// Markup, addresses and floods in what a server says.
    pub output: Option<Output>,
    /// How the text of results, errors, resources and prompts is marked, so that a model can tell it from
    /// instructions. Structured content is never marked.
    #[schemars(extend("default" = Spotlight::Off))]
    pub spotlight: Option<Spotlight>,
    /// What parameters of tools mean, and what happens to values that are not that.
    pub arguments: Option<Arguments>,
    /// Which fields of arguments and results go on. Not said: all.
    #[schemars(extend("maxProperties" = bounds::WORDS))]
    pub minimise: Option<Minimise>,
    /// What calls are for. Not said: for nothing in particular.
    pub purpose: Option<Purpose>,
}
