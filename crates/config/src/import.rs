//! From an editor's list of MCP servers (`mcpServers` JSON) to a `ringwall.yaml`.
//!
//! It never copies what might be a secret: a reference stands in its place, and a note says what to
//! do. What cannot be carried over is told, never dropped in silence.

mod entry;

use crate::bounds;
use crate::init::{Answers, ServerAnswer, template};
use crate::words::Network;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use thiserror::Error;

/// The issuer that stands in the file until somebody puts in their own. The name can never exist.
pub const ISSUER: &str = "https://issuer.invalid";

/// Something the reader of an imported file has to do or to know.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The server, by its name in the editor's list; empty where it concerns the whole file.
    pub server: String,
    /// What to do or to know: one line.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.server.is_empty() {
            return f.write_str(&self.text);
        }
        write!(f, "{}: {}", self.server, self.text)
    }
}

/// Why nothing could be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// There is no list in it.
    #[error("holds no `mcpServers`: is it the file in which the editor lists its MCP servers?")]
    Absent,
    /// There is a list, and nothing in it can be used.
    #[error("lists no server that could be carried over")]
    Empty,
    /// It is not JSON. The text of the file is not repeated.
    #[error("is not plain JSON: line {line}, column {column} (comments are not JSON)")]
    Json {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// It is larger than any such list.
    #[error(
        "is too large: more than {} bytes or {} servers",
        bounds::FILE_BYTES,
        bounds::SERVERS
    )]
    TooLarge,
}

/// Reads an editor's list and writes a configuration of the same servers.
pub fn editor(json: &str) -> Result<(String, Vec<Note>), ImportError> {
    if json.len() > bounds::FILE_BYTES {
        return Err(ImportError::TooLarge);
    }
    let list: List = serde_json::from_str(json).map_err(|error| ImportError::Json {
        line: error.line(),
        column: error.column(),
    })?;
    let entries = list.entries().ok_or(ImportError::Absent)?;
    if entries.len() > bounds::SERVERS {
        return Err(ImportError::TooLarge);
    }
    let mut import = Import::default();
    for (name, entry) in entries {
        import.server(&name, &entry);
    }
    if import.servers.is_empty() {
        return Err(ImportError::Empty);
    }
    import.note("", "put your identity provider in place of the issuer");
    import.note(
        "",
        "write a policy: without one nothing may be listed or called",
    );
    let answers = Answers {
        about: [
            "Written by `ringwall init --import` from an editor's list of MCP servers.",
            "Put your identity provider in place of the issuer below, write a policy, then let",
            "`ringwall check` look at it.",
        ]
        .map(str::to_owned)
        .to_vec(),
        address: "127.0.0.1:8080".to_owned(),
        public_url: None,
        tls: None,
        issuer: ISSUER.to_owned(),
        issuer_network: Network::Public,
        servers: import.servers,
    };
    Ok((template(&answers), import.notes))
}

/// The file of an editor, as far as it concerns us.
#[derive(Deserialize)]
struct List {
    #[serde(rename = "mcpServers")]
    mcp_servers: Option<Entries>,
    servers: Option<Entries>,
    mcp: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    servers: Option<Entries>,
}

impl List {
    fn entries(self) -> Option<Vec<(String, Value)>> {
        let inner = self.mcp.and_then(|it| it.servers);
        self.mcp_servers.or(self.servers).or(inner).map(|it| it.0)
    }
}

/// Names with values in their order, none of them lost when a name comes twice.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("servers by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Entries, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = access.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Entries(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[derive(Default)]
struct Import {
    servers: Vec<ServerAnswer>,
    notes: Vec<Note>,
    names: BTreeSet<String>,
    /// Which value a variable stands for, so that one name never stands for two secrets. The values
    /// are compared here and go nowhere else.
    variables: BTreeMap<String, String>,
}

impl Import {
    fn note(&mut self, server: &str, text: impl Into<String>) {
        // The notes of a hostile file must not drown a terminal or speak its language.
        let plain = |it: &str| -> String {
            it.chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(300)
                .collect()
        };
        self.notes.push(Note {
            server: plain(server),
            text: plain(&text.into()),
        });
    }

    fn server(&mut self, name: &str, entry: &Value) {
        let Value::Object(entry) = entry else {
            self.note(name, "left out: it is not an object");
            return;
        };
        if entry.get("disabled") == Some(&Value::Bool(true)) {
            self.note(name, "left out: it is disabled in the editor");
            return;
        }
        let Some((reach, about)) = self.reach(name, entry) else {
            return;
        };
        self.untold(name, entry);
        let ours = self.fresh_name(name);
        if ours != name {
            self.note(name, format!("is called `{ours}` here"));
        }
        self.servers.push(ServerAnswer {
            about,
            name: ours,
            reach,
            pins: crate::words::Pins::Approval,
        });
    }

    /// Tells of what the editor's entry says that has no place here.
    fn untold(&mut self, name: &str, entry: &Map<String, Value>) {
        const KNOWN: [&str; 12] = [
            "args",
            "command",
            "cwd",
            "disabled",
            "env",
            "headers",
            "httpUrl",
            "serverUrl",
            "transport",
            "type",
            "url",
            "description",
        ];
        for key in entry.keys().filter(|it| !KNOWN.contains(&it.as_str())) {
            let text = match key.as_str() {
                "alwaysAllow" | "autoApprove" | "trust" => {
                    format!("`{key}` is not carried over: here policies decide what may be called")
                }
                "timeout" => {
                    "`timeout` is not carried over: set `timeout: 60s` if it needs another"
                        .to_owned()
                }
                _ => format!("`{key}` is not carried over"),
            };
            self.note(name, text);
        }
    }

    /// A name as ours are, that no other server has.
    fn fresh_name(&mut self, name: &str) -> String {
        let plain: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '_' {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .take(56)
            .collect();
        let plain = plain.trim_matches(['-', '_']);
        let base = if plain.is_empty() { "server" } else { plain };
        let mut fresh = base.to_owned();
        let mut number = 2;
        while !self.names.insert(fresh.clone()) {
            fresh = format!("{base}-{number}");
            number += 1;
        }
        fresh
    }

    /// A reference to a variable of this name, or of a longer one if the name already stands for
    /// another value.
    fn variable(&mut self, server: &str, name: &str, value: &str) -> String {
        let longer = variable_name(&format!("{server}_{name}"));
        for candidate in [variable_name(name), longer.clone()] {
            match self.variables.get(&candidate) {
                Some(taken) if taken != value => {}
                _ => {
                    self.variables.insert(candidate.clone(), value.to_owned());
                    return candidate;
                }
            }
        }
        let fresh = format!("{longer}_{}", self.variables.len());
        self.variables.insert(fresh.clone(), value.to_owned());
        fresh
    }
}

/// A name every system takes for an environment variable.
fn variable_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .take(100)
        .collect();
    if plain.starts_with(|c: char| c.is_ascii_digit()) || plain.is_empty() {
        return format!("_{plain}");
    }
    plain
}

#[cfg(test)]
mod tests;
