//! What is looked for in the text of messages, and what is done about it, as somebody wrote it: a file
//! for each part. Nothing here is checked beyond its shape.

mod arguments;
mod minimise;

pub use arguments::{Arguments, Parameter};
pub use minimise::{Fields, Minimise, Minimised, Purpose};

use crate::bounds;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is looked for in the text of messages, and what is done about it. Each part that is written at a
/// route counts for that route; else the one of the server; else its default.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// What parameters of tools mean, and what happens to values that are not that.
    pub arguments: Option<Arguments>,
    /// Which fields of arguments and results go on. Not said: all.
    #[schemars(extend("maxProperties" = bounds::WORDS))]
    pub minimise: Option<Minimise>,
    /// What calls are for. Not said: for nothing in particular.
    pub purpose: Option<Purpose>,
}
