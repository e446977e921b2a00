//! Who is asked about the text of messages, settled.

use crate::words::{Mode, Surface};
use serde::Serialize;

/// A provider that is asked, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderUse {
    /// Its name.
    #[serde(rename = "use")]
    pub provider: String,
    /// What a suspicion comes to, where nothing is said of its rule.
    pub mode: Mode,
    /// What it is asked about, each once.
    pub on: Vec<Surface>,
}
