//! What stands behind the gateway, as far as policy may speak about it: servers, tools, prompts,
//! resources, and the claims a token may bring.
//!
//! This is plain data from pinned definitions and the settled configuration. It never holds what a
//! single call says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything policies may name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Catalog {
    /// The upstream servers.
    pub servers: Vec<ServerEntry>,
    /// Their tools, from pinned definitions.
    pub tools: Vec<ToolEntry>,
    /// Their prompts.
    pub prompts: Vec<PromptEntry>,
    /// Resources known by name. Other URIs of a known server can be read as well, if a policy permits.
    pub resources: Vec<ResourceEntry>,
    /// The claims that are carried from tokens into `principal.claims`, and what each one is.
    pub claims: Vec<ClaimEntry>,
    /// What the configuration calls by a name and callers can be asked to prove.
    pub step_ups: Vec<String>,
}

/// One upstream server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerEntry {
    /// The name in the configuration. It holds no `/`, so that ids below it cannot be ambiguous.
    pub name: String,
    /// Labels that everything of this server carries.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// One tool, as pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolEntry {
    /// The server it belongs to.
    pub server: String,
    /// Its name on that server.
    pub name: String,
    /// Its own labels, beside those of the server.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The JSON Schema of its arguments.
    #[serde(default)]
    pub input_schema: Value,
    /// The server says it changes nothing. MCP reads a missing hint as "may change".
    #[serde(default)]
    pub read_only: bool,
    /// The server says it may destroy. MCP reads a missing hint as "may".
    #[serde(default = "yes")]
    pub destructive: bool,
    /// The server says that repeating it changes nothing more.
    #[serde(default)]
    pub idempotent: bool,
    /// The server says it reaches into the open world. MCP reads a missing hint as "does".
    #[serde(default = "yes")]
    pub open_world: bool,
}

impl Default for ToolEntry {
    fn default() -> Self {
        ToolEntry {
            server: String::new(),
            name: String::new(),
            labels: Vec::new(),
            input_schema: Value::Null,
            read_only: false,
            destructive: true,
            idempotent: false,
            open_world: true,
        }
    }
}

/// One prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptEntry {
    /// The server it belongs to.
    pub server: String,
    /// Its name on that server.
    pub name: String,
    /// Its own labels, beside those of the server.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Its arguments, all of them text.
    #[serde(default)]
    pub arguments: Vec<PromptArgument>,
}

/// One argument of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// Whether the prompt cannot be had without it.
    #[serde(default)]
    pub required: bool,
}

/// One resource known by its URI.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceEntry {
    /// The server it belongs to.
    pub server: String,
    /// Its exact URI.
    pub uri: String,
    /// Its own labels, beside those of the server.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// One claim that tokens may bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimEntry {
    /// Its name under `principal.claims`.
    pub name: String,
    /// What it holds.
    pub kind: ClaimKind,
}

/// What a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
    /// Text.
    Text,
    /// A set of texts.
    Texts,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_hints_read_as_mcp_reads_them() {
        let written: ToolEntry =
            serde_json::from_str(r#"{"server":"files","name":"rm"}"#).expect("parses");
        assert!(!written.read_only && written.destructive && written.open_world);
        assert_eq!(
            written,
            ToolEntry {
                server: "files".into(),
                name: "rm".into(),
                ..ToolEntry::default()
            }
        );
    }

    #[test]
    fn refuses_a_field_it_does_not_know() {
        assert!(
            serde_json::from_str::<ToolEntry>(r#"{"server":"a","name":"b","readonly":true}"#)
                .is_err()
        );
    }
}
