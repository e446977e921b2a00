//! Who is asked about the text of messages, as somebody wrote it. Nothing here is checked beyond its
//! shape.

use crate::words::{Mode, Surface};
use schemars::JsonSchema;
use serde::Deserialize;

/// A provider that is asked, and what comes of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderUse {
    /// The name of one of the `providers`.
    #[serde(rename = "use")]
    pub provider: String,
    /// What a suspicion comes to, where `modes` says nothing of its rule.
    #[schemars(extend("default" = Mode::Warn))]
    pub mode: Option<Mode>,
    /// What it is asked about.
    #[schemars(extend("default" = Surface::USUAL), length(min = 1))]
    pub on: Option<Vec<Surface>>,
}
