//! What parameters mean, as their definition tells: by format, name and description.
//!
//! The table is conservative: a parameter that is not clearly one thing is nothing. What a server
//! writes about meanings in words of ours is not believed.

use super::Meaning;
use crate::pointer::Pattern;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Parameters of one tool that are recognised.
const MOST: usize = 256;
/// Subschemas that are looked at.
const VISITED: usize = 4096;
/// Levels of nesting, references counted.
const DEPTH: usize = 12;

/// The parameters of an input schema whose meaning can be told, by where they are.
pub fn recognise(schema: &Value) -> Vec<(Pattern, Meaning)> {
    let mut found = Found {
        root: schema,
        visited: 0,
        parameters: BTreeMap::new(),
    };
    found.look(schema, &Place::default(), 0);
    found.parameters.into_values().take(MOST).collect()
}

struct Found<'s> {
    root: &'s Value,
    visited: usize,
    parameters: BTreeMap<String, (Pattern, Meaning)>,
}

/// Where a subschema stands, and what it is called there.
struct Place {
    pattern: Pattern,
    name: String,
}

impl Default for Place {
    fn default() -> Self {
        Place {
            pattern: Pattern::whole(),
            name: String::new(),
        }
    }
}

impl<'s> Found<'s> {
    fn look(&mut self, schema: &'s Value, place: &Place, depth: usize) {
        self.visited += 1;
        if self.visited > VISITED || depth > DEPTH || self.parameters.len() >= MOST {
            return;
        }
        let Some(keywords) = schema.as_object() else {
            return;
        };
        if may_be_text(keywords)
            && !place.pattern.is_empty()
            && let Some(meaning) = meaning(&place.name, keywords)
        {
            let key = place.pattern.to_string();
            self.parameters
                .entry(key)
                .or_insert_with(|| (place.pattern.clone(), meaning));
        }
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str) {
            let root = self.root;
            if let Some(target) = target
                .strip_prefix('#')
                .and_then(|pointer| root.pointer(pointer))
            {
                self.look(target, place, depth + 1);
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for inner in keywords
                .get(keyword)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                self.look(inner, place, depth + 1);
            }
        }
        self.inside(keywords, place, depth);
    }

    fn inside(&mut self, keywords: &'s Map<String, Value>, place: &Place, depth: usize) {
        let properties = keywords.get("properties").and_then(Value::as_object);
        for (name, inner) in properties.into_iter().flatten() {
            let place = Place {
                pattern: place.pattern.member(name),
                name: name.clone(),
            };
            self.look(inner, &place, depth + 1);
        }
        // Items and members without a name of their own are called like what holds them.
        for keyword in ["items", "additionalProperties"] {
            if let Some(inner) = keywords.get(keyword) {
                let place = Place {
                    pattern: place.pattern.every(),
                    name: place.name.clone(),
                };
                self.look(inner, &place, depth + 1);
            }
        }
    }
}

/// Whether the value may be any text: not a number, not one of a list, not encoded data.
fn may_be_text(keywords: &Map<String, Value>) -> bool {
    let text = |value: &Value| value.as_str() == Some("string");
    let typed = match keywords.get("type") {
        None => !keywords.contains_key("properties") && !keywords.contains_key("items"),
        Some(Value::Array(types)) => types.iter().any(text),
        Some(one) => text(one),
    };
    typed
        && !["enum", "const", "contentEncoding", "contentMediaType"]
            .iter()
            .any(|fixed| keywords.contains_key(*fixed))
}

/// The meaning that a name tells, where there is nothing else to tell it.
pub(super) fn by_name_alone(name: &str) -> Option<Meaning> {
    by_name(&words(name), "")
}

fn meaning(name: &str, keywords: &Map<String, Value>) -> Option<Meaning> {
    let word = |keyword: &str| {
        keywords
            .get(keyword)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match word("format") {
        "" => {}
        "email" | "idn-email" => return Some(Meaning::Email),
        "hostname" | "idn-hostname" | "ipv4" | "ipv6" => return Some(Meaning::Host),
        "uri" | "iri" | "url" | "uri-reference" | "iri-reference" => return Some(Meaning::Url),
        "path" | "file-path" | "directory-path" => return Some(Meaning::Path),
        // It is something else, whatever it is called.
        _ => return None,
    }
    let description: String = word("description").chars().take(1024).collect();
    by_name(&words(name), &description.to_ascii_lowercase())
}

/// The words of a name, `filePath` and `file_path` alike, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joined = false;
    let mut before = ' ';
    for c in name.chars().take(128) {
        let begins = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if !c.is_alphanumeric() {
            joined = false;
        } else if let Some(word) = words.last_mut().filter(|_| joined && !begins) {
            word.extend(c.to_lowercase());
        } else {
            words.push(c.to_lowercase().collect());
            joined = true;
        }
        before = c;
    }
    words
}

fn by_name(words: &[String], description: &str) -> Option<Meaning> {
    let last = words.last()?.as_str();
    let before = words.len().checked_sub(2).and_then(|at| words.get(at));
    let before = before.map_or("", String::as_str);
    let says = |parts: &[&str]| parts.iter().any(|part| description.contains(part));
    let mail = says(&["mail"]);
    match last {
        "path" | "paths" if NO_PATHS.contains(&before) => None,
        "path" | "paths"
            if says(&[
                "jsonpath",
                "json path",
                "xpath",
                "url path",
                "api path",
                "dot-sep",
                "selector",
            ]) =>
        {
            None
        }
        "file" | "files"
            if says(&[
                "base64",
                "content of",
                "contents of",
                "file content",
                "file id",
                "file key",
            ]) =>
        {
            None
        }
        "path" | "paths" | "pathname" | "filepath" | "filepaths" | "filename" | "filenames"
        | "file" | "files" | "dir" | "dirs" | "directory" | "directories" | "folder" | "cwd"
        | "workdir" => Some(Meaning::Path),
        "name" if matches!(before, "file" | "dir" | "directory") => Some(Meaning::Path),
        "url" | "urls" | "uri" | "uris" | "href" | "endpoint" | "webhook" | "webhooks" => {
            Some(Meaning::Url)
        }
        "host" | "hosts" | "hostname" | "hostnames" | "ip" => Some(Meaning::Host),
        "address" if before == "ip" => Some(Meaning::Host),
        "domain" | "domains" if says(&["domain name", "dns", "host"]) => Some(Meaning::Host),
        "sql" => Some(Meaning::SqlQuery),
        "query" | "statement" if before == "sql" || says(&["sql"]) && !says(&["nosql"]) => {
            Some(Meaning::SqlQuery)
        }
        "command" | "cmd" | "commandline" | "argv" => Some(Meaning::Shell),
        "args" | "arguments" if says(&["command", "shell", "program", "process"]) => {
            Some(Meaning::Shell)
        }
        "code" | "script" if says(&["run", "execut", "evaluat"]) => Some(Meaning::Code),
        "template" => Some(Meaning::Template),
        "email" | "emails" => Some(Meaning::Email),
        "to" | "cc" | "bcc" | "recipient" | "recipients" | "from" | "sender" if mail => {
            Some(Meaning::Email)
        }
        "subject" if mail => Some(Meaning::Header),
        "header" | "headers" if says(&["http"]) || before == "http" => Some(Meaning::Header),
        _ => None,
    }
}

/// What makes a path something else than a place in a file system.
const NO_PATHS: &[&str] = &[
    "json", "xml", "x", "url", "uri", "route", "api", "http", "request", "field", "property",
    "object", "key", "data", "learning", "career", "dot", "css", "svg", "query", "node", "cookie",
];
