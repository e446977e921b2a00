//! What is done about markup, addresses and floods in what servers say, settled.

use crate::settled::form;
use crate::words::{Elsewhere, Excess, Treatment};
use serde::Serialize;

/// What is done about markup, addresses and floods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// About HTML that runs or loads, and addresses that run.
    pub markup: Treatment,
    /// About images that carry data out.
    pub images: Treatment,
    /// About links that carry data out.
    pub links: Treatment,
    /// The hosts that data may be carried to: each a name in small letters, or `*.` and one.
    pub hosts: Vec<String>,
    /// About images of other hosts.
    pub elsewhere: Elsewhere,
    /// Bytes of one text.
    #[serde(serialize_with = "form::size")]
    pub text_bytes: u64,
    /// Estimated tokens of one text.
    pub text_tokens: u32,
    /// Bytes of all texts of one message.
    #[serde(serialize_with = "form::size")]
    pub message_bytes: u64,
    /// About the same text in a row.
    pub repetition: Excess,
    /// About emptiness.
    pub emptiness: Excess,
}
