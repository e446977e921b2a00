//! What parameters of tools mean, settled.

use super::super::{ToolPattern, UriForm};
use crate::words::{Meaning, Misfit, Network, Recognised};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What parameters of tools mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arguments {
    /// What happens to values whose meaning is recognised.
    pub recognised: Recognised,
    /// Where recognised URLs and hosts may lead.
    pub network: Network,
    /// Directories in which recognised paths have to lie; none said, anywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<String>,
    /// What is declared, by tool and JSON Pointer.
    pub tools: BTreeMap<ToolPattern, BTreeMap<String, Parameter>>,
    /// The same of arguments of prompts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<ToolPattern, BTreeMap<String, Parameter>>,
    /// The same of what stands in URIs of resources.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<UriForm, BTreeMap<String, Parameter>>,
    /// JSON Schemas that arguments have to fit as well, as JSON text.
    pub schemas: BTreeMap<ToolPattern, String>,
    /// The same in files.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub schema_files: BTreeMap<ToolPattern, SchemaFile>,
}

/// A JSON Schema in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFile {
    /// The file.
    pub file: PathBuf,
    /// What it said when the configuration was read; nothing before.
    pub text: Option<Arc<str>>,
}

impl Serialize for SchemaFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.file.serialize(serializer)
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Arguments {
            recognised: Recognised::Refuse,
            network: Network::Private,
            roots: Vec::new(),
            tools: BTreeMap::new(),
            prompts: BTreeMap::new(),
            resources: BTreeMap::new(),
            schemas: BTreeMap::new(),
            schema_files: BTreeMap::new(),
        }
    }
}

/// What one parameter means. What does not belong to its meaning is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// The meaning.
    pub is: Meaning,
    /// What happens to a value that is not that.
    pub otherwise: Misfit,
    /// Absolute directories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<String>,
    /// Schemes in lower case; none said, the usual ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schemes: Vec<String>,
    /// Hosts; none said, any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Ports; none said, any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Where it may lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Characters besides ASCII letters and digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// How many characters it may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest: Option<u32>,
}
