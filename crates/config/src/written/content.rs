//! What is looked for in the text of messages, and what is done about it, as somebody wrote it: a file
//! for each part. Nothing here is checked beyond its shape.

use schemars::JsonSchema;
use serde::Deserialize;

/// What is looked for in the text of messages, and what is done about it. Each part that is written at a
/// route counts for that route; else the one of the server; else its default.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Content {}
