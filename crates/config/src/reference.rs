//! The reference page `docs/configuration.md`, generated from the same definitions as everything else.
//!
//! It says nothing that is not in a definition but its own introduction.

use crate::bounds::{LEAST, MOST};
use crate::schema::{NOTED, resolved};
use serde_json::{Map, Value};
use std::fmt::Write;

const INTRODUCTION: &str = "\
# Configuration

Ringwall reads one YAML file, `ringwall.yaml`. `ringwall check` tells everything that is wrong with
it, with line, column and remedy, and prints what it means with every default filled in.
`ringwall init` writes a first one. Editors can use [the JSON Schema](config.schema.json).

This page is generated from the definitions in the code. Whatever is not named here is refused.
Secrets are never written into the file, only references to them: `env:NAME` or `file:path`. Paths
are relative to the file. Times are written `500ms`, `30s`, `5m`, `12h`, `7d`; sizes `512B`, `16KiB`,
`4MiB`, `1GiB`; rates `50/s`, `600/m`, `100/h`.

`listeners`, `data` and `ledger` are read at the start; everything else can be changed while the
gateway runs. A file with a mistake in it changes nothing.
";

/// The reference page as Markdown, as `docs/configuration.md` holds it.
pub fn reference_markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    section(&mut page, &NOTED, "");
    page
}

/// One section a kind of object, in the order in which they are met, nested ones after their parent.
fn section(page: &mut String, schema: &Value, path: &str) {
    let none = Map::new();
    let known = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let required = schema.get("required").and_then(Value::as_array);
    let title = if path.is_empty() {
        "The file".to_owned()
    } else {
        format!("`{path}`")
    };
    let about = description(schema);
    let _ = write!(
        page,
        "\n## {title}\n\n{about}\n\n| Setting | Value | Default | What it is |\n| --- | --- | --- | --- |\n"
    );
    for (name, field) in known {
        let must = required.is_some_and(|it| it.iter().any(|it| it == name));
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} | {} |",
            value(field),
            default(field, must),
            cell(&description(field)),
        );
    }
    for (name, field) in known {
        words(page, name, field);
    }
    for (name, field) in known {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        if let Some((inner, step)) = nested(field) {
            // The limits of a route are those of the gateway, and what is reached over the network is
            // reached alike; one table is enough.
            let told = ["routes[].limits", "servers[].sse"].contains(&path.as_str());
            if !told && !is_repeated_rate(&path) {
                section(page, inner, &format!("{path}{step}"));
            }
        }
    }
}

fn is_repeated_rate(path: &str) -> bool {
    ["user", "session", "tool", "resource"]
        .iter()
        .any(|it| path == format!("limits.{it}"))
}

/// The object a field leads to, through a list or a map if need be.
fn nested(field: &Value) -> Option<(&Value, &'static str)> {
    let field = resolved(field);
    if field.get("properties").is_some() {
        return Some((field, ""));
    }
    for (through, step) in [("items", "[]"), ("additionalProperties", ".*")] {
        if let Some(inner) = field.get(through).map(resolved)
            && inner.get("properties").is_some()
        {
            return Some((inner, step));
        }
    }
    None
}

/// The words a field may be, below the table of its section.
fn words(page: &mut String, name: &str, field: &Value) {
    let inner = resolved(field);
    let inner = inner.get("items").map_or(inner, resolved);
    let Some(list) = inner.get("oneOf").and_then(Value::as_array) else {
        return;
    };
    let _ = writeln!(page, "\n`{name}`:\n");
    for word in list {
        let text = word
            .get("const")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let _ = writeln!(page, "- `{text}`: {}", description(word).replace('\n', " "));
    }
}

fn value(field: &Value) -> String {
    let inner = resolved(field);
    if let Some(kind) = inner.get("x-kind").and_then(Value::as_str) {
        let bound = |name: &str| field.get(name).or(inner.get(name)).and_then(Value::as_str);
        return match (bound(LEAST), bound(MOST)) {
            (Some(least), Some(most)) => format!("{kind}, {least} to {most}"),
            _ => kind.to_owned(),
        };
    }
    if let Some(version) = field.get("const") {
        return format!("`{version}`");
    }
    if inner.get("oneOf").is_some() || inner.get("const").is_some() {
        return "word".to_owned();
    }
    if let Some(items) = inner.get("items") {
        return match value(items).as_str() {
            "word" => "list of words".to_owned(),
            other => format!("list of {other}"),
        };
    }
    if let (Some(least), Some(most)) = (field.get("minimum"), field.get("maximum")) {
        return format!("number, {least} to {most}");
    }
    match inner.get("type").and_then(Value::as_str) {
        Some("object") if inner.get("properties").is_some() => "settings".to_owned(),
        Some("object") => "by name".to_owned(),
        Some("integer") => "number".to_owned(),
        _ => "text".to_owned(),
    }
}

fn default(field: &Value, must: bool) -> String {
    if must {
        return "**needed**".to_owned();
    }
    match field.get("default") {
        Some(Value::Null) | None => String::new(),
        Some(Value::Object(map)) if map.is_empty() => String::new(),
        Some(Value::Object(map)) => {
            let parts: Vec<_> = map
                .iter()
                .map(|(name, it)| format!("{name} {}", plain(it)))
                .collect();
            parts.join(", ")
        }
        Some(Value::Array(list)) if list.is_empty() => "none".to_owned(),
        Some(other) => format!("`{}`", plain(other)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let parts: Vec<_> = list.iter().map(plain).collect();
            format!("[{}]", parts.join(", "))
        }
        other => other.to_string(),
    }
}

fn description(schema: &Value) -> String {
    let text = schema
        .get("description")
        .or_else(|| resolved(schema).get("description"));
    text.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::path::Path;

    /// Compares with a file of the tree; with `RINGWALL_UPDATE=1` the file is written instead.
    pub(crate) fn golden(name: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(name);
        if std::env::var_os("RINGWALL_UPDATE").is_some_and(|it| it == "1") {
            std::fs::write(&path, text).expect("the file can be written");
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "{name} is not what the code says; run the tests of this crate with RINGWALL_UPDATE=1"
        );
    }

    #[test]
    fn the_reference_in_the_tree_is_the_generated_one() {
        golden("docs/configuration.md", &reference_markdown());
    }

    #[test]
    fn every_setting_is_explained() {
        fn walk(schema: &Value, path: &str) {
            let Some(known) = schema.get("properties").and_then(Value::as_object) else {
                return;
            };
            for (name, field) in known {
                let path = format!("{path}.{name}");
                assert!(description(field).len() > 5, "{path} has no description");
                if let Some((inner, _)) = nested(field) {
                    walk(inner, &path);
                }
            }
        }
        walk(&NOTED, "");
    }
}
