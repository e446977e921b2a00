//! Servers of other people's making, unchanged: npm `server-everything` over HTTP, `server-filesystem`
//! and `server-memory` and PyPI `mcp-server-time` on stdio, each with a script of its own.

use super::matrix::Era;
use crate::comes::is_so;
use crate::place;
use crate::program::Program;
use crate::provider::loopback_only;
use crate::wire::Outgoing;
use anyhow::{Context as _, Result};
use http::Method;
use serde_json::{Map, Value, json};
use std::fmt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use url::Url;

/// One of these servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Real {
    /// `server-everything`.
    Everything,
    /// `server-filesystem`.
    Files,
    /// `server-memory`.
    Memory,
    /// `mcp-server-time`.
    Time,
}

impl fmt::Display for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Real {
    /// All of them.
    pub const ALL: [Real; 4] = [Real::Everything, Real::Files, Real::Memory, Real::Time];

    /// What it is called here, and its route.
    pub fn name(self) -> &'static str {
        match self {
            Real::Everything => "everything",
            Real::Files => "files",
            Real::Memory => "memory",
            Real::Time => "time",
        }
    }

    /// Whether it speaks this era.
    pub fn speaks(self, era: Era) -> bool {
        era == Era::Legacy || self == Real::Time
    }

    /// Its script.
    pub fn steps(self, place: &Place) -> String {
        let steps = match self {
            Real::Everything => include_str!("everything.json"),
            Real::Files => include_str!("files.json"),
            Real::Memory => include_str!("memory.json"),
            Real::Time => include_str!("time.json"),
        };
        steps.replace("$ROOT", &place.allowed.display().to_string())
    }

    /// What a client is given to speak to it without the gateway.
    pub fn target(self, place: &Place, everything: &Everything) -> Result<String> {
        match self.command(place)? {
            Some(command) => Ok(serde_json::to_string(&command)?),
            None => Ok(everything.url.to_string()),
        }
    }

    /// The command that starts it on stdio; none where it is met over HTTP.
    pub fn command(self, place: &Place) -> Result<Option<Vec<String>>> {
        let npm = |package: &str| {
            let script = format!("node_modules/@modelcontextprotocol/{package}/dist/index.js");
            anyhow::Ok(vec![
                text(&place::node()?),
                text(&place::installed(&script)?),
            ])
        };
        Ok(Some(match self {
            Real::Everything => return Ok(None),
            Real::Files => {
                let mut command = npm("server-filesystem")?;
                command.push(text(&place.allowed));
                command
            }
            Real::Memory => {
                let file = format!("MEMORY_FILE_PATH={}", text(&place.memory()));
                let mut command = vec!["/usr/bin/env".to_owned(), file];
                command.extend(npm("server-memory")?);
                command
            }
            Real::Time => {
                let program = text(&place::installed("venv/bin/mcp-server-time")?);
                vec![program, "--local-timezone".to_owned(), "UTC".to_owned()]
            }
        }))
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A folder with what the servers may touch, and what they may not.
#[derive(Debug)]
pub struct Place {
    directory: TempDir,
    allowed: PathBuf,
}

impl Place {
    /// A new one.
    pub fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let allowed = std::fs::canonicalize(directory.path())?.join("allowed");
        std::fs::create_dir(&allowed)?;
        std::fs::write(allowed.join("note.txt"), "written before")?;
        std::fs::write(allowed.join("dot.png"), b"\x89PNG\r\n\x1a\n")?;
        std::fs::write(directory.path().join("secret.txt"), "not for them")?;
        Ok(Place { directory, allowed })
    }

    fn memory(&self) -> PathBuf {
        self.directory.path().join("memory.jsonl")
    }

    /// Takes away what an earlier client has left.
    pub fn tidy(&self) -> Result<()> {
        for left in [self.allowed.join("written.txt"), self.memory()] {
            if left.exists() {
                std::fs::remove_file(left)?;
            }
        }
        Ok(())
    }
}

/// `server-everything`, listening on loopback.
#[derive(Debug)]
pub struct Everything {
    url: Url,
    _program: Program,
}

impl Everything {
    /// Starts it, and waits until it answers.
    pub async fn start() -> Result<Self> {
        let port = place::free_port()?;
        let script = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        let program = loopback_only(script)?
            .argument("streamableHttp")
            .variable("PORT", port.to_string())
            .start("")
            .await?;
        let url: Url = format!("http://127.0.0.1:{port}/mcp").parse()?;
        // It says that it listens on stderr only; any answer at all will do.
        let answers = is_so(async || Ok(Outgoing::new(Method::GET, &url).send().await.is_ok()));
        answers.await.context("server-everything does not answer")?;
        Ok(Everything {
            url,
            _program: program,
        })
    }
}

/// The gateway's configuration of them all.
pub fn configured(place: &Place, everything: &Everything) -> Result<Vec<Value>> {
    let mut servers = Vec::new();
    for server in Real::ALL {
        let mut entry = json!({
            "name": server.name(), "pins": "first_use", "schema": "declared"
        });
        let (kind, how) = match server.command(place)? {
            Some(command) => (
                "stdio",
                json!({ "command": command, "confinement": "none" }),
            ),
            None => (
                "http",
                json!({ "url": everything.url.as_str(), "network": "private" }),
            ),
        };
        if let Some(members) = entry.as_object_mut() {
            members.insert(kind.to_owned(), how);
        }
        servers.push(entry);
    }
    Ok(servers)
}

/// What was seen without what these servers do whenever they like: they ask for roots and log at
/// moments of their own, and some of their answers tell the time.
pub fn calm(steps: &str, seen: &Value) -> Result<Value> {
    let steps: Vec<Value> = serde_json::from_str(steps)?;
    let mut calm = Map::new();
    for (name, seen) in seen.as_object().context("no object")? {
        let mut seen = seen.clone();
        if let Some(members) = seen.as_object_mut() {
            members.remove("logs");
            if let Some(asked) = members.get_mut("asked").and_then(Value::as_array_mut) {
                asked.retain(|asked| asked["method"] != "roots/list");
            }
        }
        let tells_time = |step: &&Value| step["name"] == **name && step["clock"] == true;
        let tells_time = steps.iter().any(|step| tells_time(&step));
        calm.insert(
            name.clone(),
            if tells_time { timeless(&seen) } else { seen },
        );
    }
    Ok(Value::Object(calm))
}

/// Every digit is a nought, and every day is a day.
fn timeless(value: &Value) -> Value {
    const WORDS: [&str; 9] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "AM",
        "PM",
    ];
    match value {
        Value::String(text) => {
            let mut plain = String::new();
            for character in text.chars() {
                let digit = character.is_ascii_digit();
                if !digit || !plain.ends_with('0') {
                    plain.push(if digit { '0' } else { character });
                }
            }
            let plain = WORDS
                .iter()
                .fold(plain, |plain, word| plain.replace(word, ""));
            plain.into()
        }
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(name, member)| (name.clone(), timeless(member)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_the_time_is_the_same_at_any_time() {
        let steps = r#"[{ "name": "now", "clock": true }, { "name": "then" }]"#;
        let seen =
            |time: &str| json!({ "now": { "ok": time, "logs": [1] }, "then": { "ok": time } });
        let (one, other) = (seen("Monday 9:05:01 AM"), seen("Sunday 11:59:59 PM"));
        let (one, other) = (calm(steps, &one).unwrap(), calm(steps, &other).unwrap());
        assert_eq!(one["now"], other["now"]);
        assert_ne!(one["then"], other["then"]);
        assert_eq!(one["now"], json!({ "ok": " 0:0:0 " }));
    }

    #[test]
    fn roots_that_are_asked_for_at_any_moment_do_not_count() {
        let asked = json!([{ "method": "roots/list" }, { "method": "elicitation/create" }]);
        let calm = calm("[]", &json!({ "a": { "asked": asked } })).unwrap();
        assert_eq!(
            calm["a"]["asked"],
            json!([{ "method": "elicitation/create" }])
        );
    }
}
