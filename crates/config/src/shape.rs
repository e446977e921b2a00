//! The tree of a file held against the shape of the format: unknown names, missing ones, values of
//! the wrong kind. All of it is found in one go, each with its place.
//!
//! The shape comes from the generated schema, so a setting is defined once. What values mean is not
//! looked at here, and no value is repeated that is not one of a fixed set of words.

use crate::nearest::nearest;
use crate::problem::Problems;
use crate::schema::{NOTED, resolved};
use crate::yaml::{Kind, Node, shortened, step_index, step_name};
use serde_json::{Map, Value};

/// Reports everything about the tree that does not have the shape of a configuration.
pub(crate) fn check(tree: &Node, problems: &mut Problems) {
    if let Kind::Nothing = tree.kind {
        problems.refuse(None, "", "the file is empty", "start with `ringwall init`");
        return;
    }
    // Of another version nothing else can be judged.
    if let Some(version) = tree.get("version")
        && let Some(message) = unknown_version(version)
    {
        problems.refuse(
            None,
            "version",
            message,
            "write `version: 1`, or use the release it was written for",
        );
        return;
    }
    Walk { problems }.value(&NOTED, tree, "");
}

fn unknown_version(version: &Node) -> Option<String> {
    match version.kind {
        Kind::Whole(1) => None,
        Kind::Whole(other) => Some(format!(
            "version {other} of the format is not known to this release"
        )),
        _ => Some("is not a version of the format".to_owned()),
    }
}

struct Walk<'a> {
    problems: &'a mut Problems,
}

impl Walk<'_> {
    fn value(&mut self, schema: &Value, node: &Node, path: &str) {
        let schema = resolved(schema);
        if let Kind::Nothing = node.kind {
            let fix = "give it a value, or remove the line for the default";
            self.problems.refuse(None, path, "has no value", fix);
            return;
        }
        if let Some(words) = words(schema) {
            self.word(&words, node, path);
            return;
        }
        let accepts = |kind: &str| accepts(schema, kind);
        match &node.kind {
            Kind::Map(map) if accepts("object") => self.map(schema, node, map, path),
            Kind::List(list) if accepts("array") => self.list(schema, list, path),
            Kind::Text(_) if accepts("string") => {}
            // A plain scalar is its own text: `5` may be a name.
            Kind::Whole(_) | Kind::Number | Kind::Truth if accepts("string") => {}
            Kind::Whole(_) if accepts("integer") => {}
            _ => self.wrong_kind(schema, node, path),
        }
    }

    fn map(&mut self, schema: &Value, node: &Node, map: &[(crate::yaml::Key, Node)], path: &str) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|it| it.is_object());
        for (key, value) in map {
            let inner = format!("{path}{}", step_name(path, &key.name));
            match known.and_then(|it| it.get(&key.name)).or(others) {
                Some(schema) => self.value(schema, value, &inner),
                None => {
                    let fix = meant(known.unwrap_or(&none), &key.name);
                    let message = format!("`{}` is not a setting here", shortened(&key.name));
                    self.problems
                        .refuse_at((key.line, key.column), &inner, message, fix);
                }
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !map.iter().any(|(key, _)| key.name == name) {
                let about = known.and_then(|it| it.get(name)).map(first_sentence);
                let fix = format!("add `{name}`: {}", about.unwrap_or_default());
                let inner = format!("{path}{}", step_name(path, name));
                self.problems
                    .refuse_at((node.line, node.column), &inner, "is missing", fix);
            }
        }
    }

    fn list(&mut self, schema: &Value, list: &[Node], path: &str) {
        let Some(items) = schema.get("items") else {
            return;
        };
        for (index, node) in list.iter().enumerate() {
            self.value(items, node, &format!("{path}{}", step_index(index)));
        }
    }

    fn word(&mut self, words: &[&str], node: &Node, path: &str) {
        let list: Vec<_> = words.iter().map(|it| format!("`{it}`")).collect();
        let list = match list.as_slice() {
            [only] => only.clone(),
            several => format!("one of {}", several.join(", ")),
        };
        match &node.kind {
            Kind::Text(text) if words.contains(&text.as_str()) => {}
            Kind::Text(text) => {
                let message = format!("`{}` is not one of the words known here", shortened(text));
                let fix = match nearest(text, words.iter().copied()) {
                    Some(word) => format!("did you mean `{word}`? it must be {list}"),
                    None => format!("write {list}"),
                };
                self.problems.refuse(None, path, message, fix);
            }
            _ => {
                self.problems
                    .refuse(None, path, "must be a word", format!("write {list}"));
            }
        }
    }

    fn wrong_kind(&mut self, schema: &Value, node: &Node, path: &str) {
        let found = match node.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "names with values",
            Kind::Text(_) => "text",
            Kind::Truth => "true or false",
            Kind::Number => "a number with a sign or a fraction",
            Kind::Nothing | Kind::Whole(_) => "a number",
        };
        let (wanted, fix) = if accepts(schema, "array") {
            (
                "a list",
                "write `[one, two]`, or one entry a line with `- ` before it",
            )
        } else if accepts(schema, "object") {
            (
                "names with values",
                "write `name: value` lines below it, indented",
            )
        } else if accepts(schema, "string") {
            ("one value", "write a single value after the colon")
        } else {
            ("a whole number", "write digits only")
        };
        let message = format!("must be {wanted}, not {found}");
        self.problems.refuse(None, path, message, fix);
    }
}

/// The words a value must be one of, if it must.
fn words(schema: &Value) -> Option<Vec<&str>> {
    let list = schema.get("oneOf").or(schema.get("enum"))?.as_array()?;
    list.iter()
        .map(|it| it.get("const").unwrap_or(it).as_str())
        .collect()
}

fn accepts(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(any)) => any.iter().any(|it| it == kind),
        _ => false,
    }
}

/// What somebody probably meant by a name that is not known here.
fn meant(known: &Map<String, Value>, name: &str) -> String {
    if let Some(near) = nearest(name, known.keys().map(String::as_str)) {
        return format!("did you mean `{near}`?");
    }
    for (parent, schema) in known {
        let inner = resolved(schema).get("properties");
        if inner.and_then(|it| it.get(name)).is_some() {
            return format!("`{name}` belongs under `{parent}`");
        }
    }
    if known.is_empty() {
        return "remove it".to_owned();
    }
    let list: Vec<_> = known.keys().map(|it| format!("`{it}`")).collect();
    format!("known here are {}", list.join(", "))
}

fn first_sentence(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str);
    let text = text.unwrap_or_default();
    let end = text.find(". ").unwrap_or(text.len());
    text.get(..end)
        .unwrap_or(text)
        .trim_end_matches('.')
        .to_owned()
}
