//! Secrets and personal data, settled.

use crate::words::DataAction;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What is done about secrets and personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// About secrets.
    pub secrets: DataHandling,
    /// About personal data.
    pub personal: DataHandling,
    /// About single labels, however sure a rule is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, DataHandling>,
    /// Further packs of rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<RulePack>,
    /// Labels whose tokens are turned back in arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reveal: Vec<String>,
}

/// What is done about data of one kind, by where it is going.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DataHandling {
    /// On its way to a server; nothing where it is left to the default of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<DataAction>,
    /// On its way to a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<DataAction>,
}

/// A pack of rules in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RulePack {
    /// The file.
    pub file: PathBuf,
    /// The file with the public key of whoever signs it.
    pub key: PathBuf,
    /// What the file holds, once it was read and its signature verified.
    #[serde(skip)]
    pub text: Option<Arc<str>>,
}
