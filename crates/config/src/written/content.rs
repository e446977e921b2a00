//! What is looked for in the text of messages, and what is done about it, as somebody wrote it: a file
//! for each part. Nothing here is checked beyond its shape.

mod output;

pub use output::Output;

use crate::words::Spotlight;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is looked for in the text of messages, and what is done about it. Each part that is written at a
/// route counts for that route; else the one of the server; else its default.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Markup, addresses and floods in what a server says.
    pub output: Option<Output>,
    /// How the text of results, errors, resources and prompts is marked, so that a model can tell it from
    /// instructions. Structured content is never marked.
    #[schemars(extend("default" = Spotlight::Off))]
    pub spotlight: Option<Spotlight>,
}
