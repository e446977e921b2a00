//! Who is held against whom, and what counts as the same. It starts nothing but the clients it is
//! told to run.

use crate::place;
use crate::program::Command;
use crate::provider::driver;
use crate::suite::last_json;
use anyhow::Result;
use serde_json::{Value, json};
use std::fmt;

/// The script for the reference surface.
pub const REFERENCE: &str = include_str!("reference.json");

/// An official SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// The Python SDK, 2.x.
    Python,
    /// The Rust SDK.
    Rmcp,
    /// The TypeScript SDK, 1.x.
    TypeScript1,
    /// The TypeScript SDK, 2.x.
    TypeScript2,
}

/// How a peer speaks MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Handshake and sessions.
    Legacy,
    /// No state between requests.
    Modern,
}

impl Era {
    /// As the drivers are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Era::Legacy => "legacy",
            Era::Modern => "modern",
        }
    }
}

/// An SDK that speaks one era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// The SDK.
    pub sdk: Sdk,
    /// The era it speaks here.
    pub era: Era,
}

const fn speaker(sdk: Sdk, era: Era) -> Speaker {
    Speaker { sdk, era }
}

/// Every SDK in every era it speaks: as clients, and as servers.
pub const SPEAKERS: [Speaker; 7] = [
    speaker(Sdk::TypeScript1, Era::Legacy),
    speaker(Sdk::TypeScript2, Era::Legacy),
    speaker(Sdk::Python, Era::Legacy),
    speaker(Sdk::Rmcp, Era::Legacy),
    speaker(Sdk::TypeScript2, Era::Modern),
    speaker(Sdk::Python, Era::Modern),
    speaker(Sdk::Rmcp, Era::Modern),
];

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sdk = match self.sdk {
            Sdk::Python => "python",
            Sdk::Rmcp => "rmcp",
            Sdk::TypeScript1 => "typescript-1",
            Sdk::TypeScript2 => "typescript-2",
        };
        write!(f, "{sdk}-{}", self.era.as_str())
    }
}

impl Speaker {
    /// The reference server on this SDK, speaking this era only.
    pub fn server(self) -> Result<Command> {
        let command = match self.sdk {
            Sdk::Python => python("server.py")?,
            Sdk::Rmcp => Command::new(place::built("rmcp-server")?),
            Sdk::TypeScript1 => driver("matrix/server-v1.mjs")?,
            Sdk::TypeScript2 => driver("matrix/server-v2.mjs")?,
        };
        Ok(command.arguments(["--era", self.era.as_str()]))
    }

    /// Runs a script with this SDK as the client. The target is a URL, or a command as a JSON list.
    pub async fn run(self, target: &str, token: Option<&str>, steps: &str) -> Result<Value> {
        self.drive(target, self.era.as_str(), token, steps).await
    }

    /// Runs a script with this SDK as a client that finds out by itself which era to speak.
    pub async fn choose(self, target: &str, token: &str, steps: &str) -> Result<Value> {
        self.drive(target, "auto", Some(token), steps).await
    }

    async fn drive(
        self,
        target: &str,
        era: &str,
        token: Option<&str>,
        steps: &str,
    ) -> Result<Value> {
        let command = match self.sdk {
            Sdk::Python => python("client.py")?,
            Sdk::Rmcp => Command::new(place::built("rmcp-client")?),
            Sdk::TypeScript1 => driver("matrix/client-v1.mjs")?,
            Sdk::TypeScript2 => driver("matrix/client-v2.mjs")?,
        };
        let mut command = command.arguments([target, "--era", era]);
        if let Some(token) = token {
            command = command.arguments(["--token", token]);
        }
        let ended = command.arguments(["--steps", steps]).run().await;
        let seen = ended.and_then(|ended| last_json(&ended.success()?));
        // One client that breaks must not hide what the others see.
        Ok(seen.unwrap_or_else(|error| json!({ "failed": { "message": error.to_string() } })))
    }
}

fn python(file: &str) -> Result<Command> {
    let file = place::own("py/matrix").join(file);
    Ok(Command::new(place::python()?).argument(file))
}

/// A step that is not the same through the gateway, for a reason.
#[derive(Debug)]
pub struct Exception {
    /// The server.
    pub server: &'static str,
    /// The era of the client.
    pub client: Era,
    /// The step.
    pub step: &'static str,
    /// Why it cannot be the same.
    pub reason: &'static str,
    /// Whether it is a race that either may win: then nothing says that the entry is out of date.
    pub races: bool,
}

impl Exception {
    /// Whether it is about this cell.
    pub fn covers(&self, client: Speaker, server: &str, step: &str) -> bool {
        self.client == client.era && self.step == step && self.server == server
    }
}

/// The steps of a run that came to nothing though they should have: a comparison of two such would
/// say that all is well.
pub fn broken(steps: &str, seen: &Value) -> Result<Vec<String>> {
    let steps: Vec<Value> = serde_json::from_str(steps)?;
    let mut broken = Vec::new();
    if let Some(failed) = seen.get("failed") {
        broken.push(format!("it failed: {failed}"));
    }
    for step in &steps {
        let name = step["name"].as_str().unwrap_or_default();
        let wanted = if step["fails"] == true { "error" } else { "ok" };
        let met = seen
            .get(name)
            .is_some_and(|seen| seen.get(wanted).is_some() || seen.get("n/a").is_some());
        if !met {
            broken.push(format!("{name}: {}", short(seen.get(name))));
        }
    }
    Ok(broken)
}

/// What differs, step by step: the step, where in it, what it should be, and what it is. A step that
/// one side does not have is no difference.
pub fn differences(wanted: &Value, seen: &Value, crossed: bool) -> Vec<(String, String)> {
    let names = |value: &Value| -> Vec<String> {
        let members = value.as_object().into_iter().flatten();
        members.map(|(name, _)| name.clone()).collect()
    };
    let mut steps = names(wanted);
    steps.extend(names(seen));
    steps.sort();
    steps.dedup();
    let mut found = Vec::new();
    for step in steps {
        let (wanted, seen) = (wanted.get(&step), seen.get(&step));
        let absent = |side: Option<&Value>| side.is_some_and(|side| side.get("n/a").is_some());
        if absent(wanted) || absent(seen) {
            continue;
        }
        if let Some(mut difference) = first(wanted, seen, "", crossed) {
            if let Some(error) = seen.and_then(|seen| seen.get("error")) {
                difference.push_str(&format!(" ({})", short(Some(error))));
            }
            found.push((step, difference));
        }
    }
    found
}

/// The first place where two values differ.
fn first(wanted: Option<&Value>, seen: Option<&Value>, at: &str, crossed: bool) -> Option<String> {
    if crossed && at == "/ok/capabilities" {
        let (wanted, seen) = (without_tasks(wanted), without_tasks(seen));
        return first(Some(&wanted), Some(&seen), "/ok/capabilities ", false);
    }
    match (wanted, seen) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names = one
                .keys()
                .chain(other.keys().filter(|name| !one.contains_key(*name)));
            // Tools of the modern era say nothing of how they are executed: tasks are an extension.
            let mut names = names.filter(|name| !(crossed && *name == "execution"));
            names.find_map(|name| {
                let at = format!("{at}/{name}");
                first(one.get(name), other.get(name), &at, crossed)
            })
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => (0..one.len().max(other.len()))
            .find_map(|index| {
                let at = format!("{at}/{index}");
                first(one.get(index), other.get(index), &at, crossed)
            }),
        (Some(one), Some(other)) if one == other => None,
        (None, None) => None,
        // The eras have different codes for a resource that is not there.
        (Some(one), Some(other))
            if crossed && at == "/error/code" && missing(one) && missing(other) =>
        {
            None
        }
        _ => Some(format!("{at}: {} | {}", short(wanted), short(seen))),
    }
}

/// Neither model of tasks is bridged: core tasks are a capability of one era, the extension one of
/// the other.
fn without_tasks(capabilities: Option<&Value>) -> Value {
    let names = capabilities.and_then(Value::as_array).into_iter().flatten();
    names
        .filter(|name| *name != "tasks" && *name != "extensions")
        .cloned()
        .collect()
}

fn missing(code: &Value) -> bool {
    matches!(code.as_i64(), Some(-32002 | -32602))
}

fn short(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_with_its_place() {
        let wanted =
            json!({ "a": { "ok": { "x": [1, 2] } }, "b": { "ok": 1 }, "c": { "n/a": "no" } });
        let seen = json!({ "a": { "ok": { "x": [1, 3] } }, "c": { "ok": 5 } });
        let found = differences(&wanted, &seen, false);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(step, what)| (step.as_str(), what.as_str()))
            .collect();
        assert_eq!(
            found,
            [("a", "/ok/x/1: 2 | 3"), ("b", ": {\"ok\":1} | nothing")]
        );
        assert!(differences(&wanted, &wanted, false).is_empty());
    }

    #[test]
    fn the_code_of_a_missing_resource_may_differ_between_eras_and_not_within_one() {
        let legacy = json!({ "a": { "error": { "code": -32002 } } });
        let modern = json!({ "a": { "error": { "code": -32602 } } });
        assert!(differences(&legacy, &modern, true).is_empty());
        assert_eq!(differences(&legacy, &modern, false).len(), 1);
    }

    #[test]
    fn a_run_that_came_to_nothing_is_broken() {
        let steps = r#"[{ "name": "a" }, { "name": "b", "fails": true }, { "name": "c" }]"#;
        let seen = json!({ "a": { "error": {} }, "b": { "ok": 1 }, "c": { "n/a": "no" } });
        assert_eq!(broken(steps, &seen).unwrap().len(), 2);
        let seen = json!({ "a": { "ok": 1 }, "b": { "error": {} }, "c": { "ok": 1 } });
        assert!(broken(steps, &seen).unwrap().is_empty());
        assert_eq!(broken("[]", &json!({ "failed": "x" })).unwrap().len(), 1);
    }

    #[test]
    fn the_reference_script_reads_and_names_each_step_once() {
        let steps: Vec<Value> = serde_json::from_str(REFERENCE).unwrap();
        let mut names: Vec<&str> = steps
            .iter()
            .map(|step| step["name"].as_str().unwrap())
            .collect();
        assert!(names.len() > 40);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), steps.len());
    }
}
