//! Detectors that are asked what they think of the text of messages (controls 1.3, 9.3): services of
//! others over the network, and the seam for one that computes here.
//!
//! What they say is a [`controls::Score`]: it informs policy, or refuses where the operator says so, and it
//! proves nothing. They are asked last, about text that every other check has let through and cleaned;
//! a message that was refused before is sent to nobody.

mod answer;
mod build;
mod credential;
mod kind;
mod line;
mod open;
mod opinion;
mod panel;
mod provider;
mod reading;
mod rescore;
mod safety;
mod shields;
mod silence;
mod windows;

pub use build::ProviderError;
pub(crate) use build::{Workbench, panel, providers};
pub(crate) use kind::rules;
pub use opinion::{BLOCKLIST, HARM, INJECTION, Opinion, Surface};
pub use panel::{Detector, Hearing, Local, Member, Panel, Quiet};
pub use provider::{Provider, Said};
pub use reading::Reading;
pub(crate) use rescore::rescored;
pub use silence::Silence;

use std::collections::HashMap;
use std::sync::Arc;

/// The providers of a configuration, by name.
pub type Providers = HashMap<Arc<str>, Arc<Provider>>;
