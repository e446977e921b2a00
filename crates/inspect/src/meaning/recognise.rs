//! What parameters mean, as their definition tells: by format, name and description.
//!
//! The table is conservative: a parameter that is not clearly one thing is nothing. What a server
//! writes about meanings in words of ours is not believed.

use super::Meaning;
use super::named::decoded;
use crate::pointer::{BYTES, Pattern};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// Parameters of one tool that are recognised.
const MOST: usize = 256;
/// Subschemas that are looked at.
const VISITED: usize = 4096;
/// Values among which targets of references are looked for.
const TARGETS: usize = 16 * 1024;
/// Levels of nesting, references counted.
const DEPTH: usize = 12;

/// The parameters of a tool whose meaning can be told by its definition, by where they are.
pub fn recognise(definition: &Value) -> Vec<(Pattern, Meaning)> {
    let schema = definition.get("inputSchema").unwrap_or(&Value::Null);
    let mut found = Found {
        targets: Targets::of(schema),
        moves: moves_files(definition),
        visited: 0,
        parameters: BTreeMap::new(),
    };
    found.look(schema, &Place::default(), 0);
    found.parameters.into_values().take(MOST).collect()
}

struct Found<'s> {
    targets: Targets<'s>,
    moves: Moves,
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
            && let Some(meaning) = meaning(&place.name, keywords, self.moves)
        {
            let key = place.pattern.to_string();
            self.parameters
                .entry(key)
                .or_insert_with(|| (place.pattern.clone(), meaning));
        }
        for keyword in ["$ref", "$dynamicRef"] {
            let reference = keywords.get(keyword).and_then(Value::as_str);
            let reference = reference.filter(|it| it.len() <= BYTES);
            if let Some(target) = reference.and_then(|it| self.targets.get(it)) {
                self.look(target, place, depth + 1);
            }
        }
        self.beside(keywords, place, depth);
        self.inside(keywords, place, depth);
    }

    /// What else is said of the same value.
    fn beside(&mut self, keywords: &'s Map<String, Value>, place: &Place, depth: usize) {
        for (keyword, inner) in keywords {
            match (keyword.as_str(), inner) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => {
                    all.iter()
                        .for_each(|inner| self.look(inner, place, depth + 1));
                }
                ("dependentSchemas" | "dependencies", Value::Object(named)) => {
                    named
                        .values()
                        .for_each(|inner| self.look(inner, place, depth + 1));
                }
                ("then" | "else", inner) => self.look(inner, place, depth + 1),
                _ => {}
            }
        }
    }

    fn inside(&mut self, keywords: &'s Map<String, Value>, place: &Place, depth: usize) {
        let properties = keywords.get("properties").and_then(Value::as_object);
        // Places are written down: a name that no place can hold leads to none.
        let properties = properties.into_iter().flatten();
        for (name, inner) in properties.filter(|(name, _)| name.len() <= BYTES) {
            let place = Place {
                pattern: place.pattern.member(name),
                name: name.clone(),
            };
            self.look(inner, &place, depth + 1);
        }
        // Items and members without a name of their own are called like what holds them.
        let called = |pattern| Place {
            pattern,
            name: place.name.clone(),
        };
        for (keyword, inner) in keywords {
            match (keyword.as_str(), inner) {
                ("items" | "prefixItems", Value::Array(items)) => {
                    for (at, inner) in items.iter().enumerate() {
                        let place = called(place.pattern.member(&at.to_string()));
                        self.look(inner, &place, depth + 1);
                    }
                }
                ("patternProperties", Value::Object(named)) => {
                    let place = called(place.pattern.every());
                    for inner in named.values() {
                        self.look(inner, &place, depth + 1);
                    }
                }
                (
                    "items"
                    | "additionalItems"
                    | "unevaluatedItems"
                    | "contains"
                    | "additionalProperties"
                    | "unevaluatedProperties",
                    inner,
                ) => self.look(inner, &called(place.pattern.every()), depth + 1),
                _ => {}
            }
        }
    }
}

/// What references of a schema may lead to: places, and subschemas with a name of their own (JSON Schema
/// 2020-12, section 8.2). Bases are not put together: of an address its last part has to be the same.
struct Targets<'s> {
    root: &'s Value,
    anchors: HashMap<&'s str, &'s Value>,
    documents: HashMap<&'s str, &'s Value>,
}

impl<'s> Targets<'s> {
    fn of(root: &'s Value) -> Self {
        let mut targets = Targets {
            root,
            anchors: HashMap::new(),
            documents: HashMap::new(),
        };
        let mut open = vec![root];
        let mut visited = 0;
        while let Some(value) = open.pop() {
            visited += 1;
            if visited > TARGETS {
                break;
            }
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => {
                    targets.name(value, members);
                    open.extend(members.values());
                }
                _ => {}
            }
        }
        targets
    }

    fn name(&mut self, schema: &'s Value, keywords: &'s Map<String, Value>) {
        for keyword in ["$anchor", "$dynamicAnchor", "$id"] {
            let Some(name) = keywords.get(keyword).and_then(Value::as_str) else {
                continue;
            };
            match (keyword, name.strip_prefix('#')) {
                ("$id", None) => _ = self.documents.entry(document(name)).or_insert(schema),
                // Draft 7 names what an anchor names.
                (_, Some(anchor)) => _ = self.anchors.entry(anchor).or_insert(schema),
                (_, None) => _ = self.anchors.entry(name).or_insert(schema),
            }
        }
    }

    fn get(&self, reference: &str) -> Option<&'s Value> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = decoded(fragment);
        let base = match address.is_empty() {
            true => self.root,
            false => self.documents.get(document(address)).copied()?,
        };
        match fragment.is_empty() || fragment.starts_with('/') {
            true => base.pointer(&fragment),
            false => self.anchors.get(&*fragment).copied(),
        }
    }
}

/// The last part of an address.
fn document(address: &str) -> &str {
    let address = address.strip_suffix('#').unwrap_or(address);
    address.rsplit(['/', ':']).next().unwrap_or_default()
}

/// Whether a tool moves files, so that where from and where to are paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moves {
    /// Its name says so.
    Files,
    /// It moves something, and its description speaks of files.
    Perhaps,
    SomethingElse,
}

fn moves_files(definition: &Value) -> Moves {
    let said = |member: &str| {
        let text = definition.get(member).and_then(Value::as_str);
        let text: String = text.unwrap_or_default().chars().take(1024).collect();
        words(&text)
    };
    let (name, description) = (said("name"), said("description"));
    let says = |words: &[String], known: &[&str]| {
        let mut words = words.iter();
        words.any(|word| known.contains(&word.as_str()))
    };
    match (says(&name, MOVES), says(&name, FILES)) {
        (true, true) => Moves::Files,
        (true, false) if says(&description, FILES) => Moves::Perhaps,
        _ => Moves::SomethingElse,
    }
}

/// Words for moving something, in names of tools.
const MOVES: &[&str] = &[
    "copy", "cp", "link", "ln", "move", "mv", "rename", "symlink",
];
/// Words for what lies in a file system.
const FILES: &[&str] = &[
    "dir",
    "directories",
    "directory",
    "file",
    "files",
    "folder",
    "folders",
    "path",
    "paths",
];

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

fn meaning(name: &str, keywords: &Map<String, Value>, moves: Moves) -> Option<Meaning> {
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
    let (name, description) = (words(name), description.to_ascii_lowercase());
    by_name(&name, &description).or_else(|| moved(&name, &description, moves))
}

/// Where something is taken from and where it goes: paths, where files are moved or the description says so.
fn moved(name: &[String], description: &str, moves: Moves) -> Option<Meaning> {
    let [end] = name else {
        return None;
    };
    let is_end = matches!(&**end, "source" | "src" | "destination" | "dest" | "dst")
        || matches!(&**end, "from" | "to" | "old" | "new" | "target") && moves == Moves::Files;
    let spoken = words(description);
    let says = |known: &[&str]| spoken.iter().any(|word| known.contains(&word.as_str()));
    let elsewhere = says(&[
        "bucket", "calendar", "host", "key", "mailbox", "uri", "url", "urls",
    ]);
    let here = moves != Moves::SomethingElse || says(FILES);
    (is_end && here && !elsewhere).then_some(Meaning::Path)
}

/// The words of a name or a text, `filePath` and `file_path` alike, in lower case.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joined = false;
    let mut before = ' ';
    for c in name.chars() {
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
