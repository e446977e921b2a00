//! The shape of a tool definition, and what is hidden in its words.
//!
//! Everything in a definition was written by a server and is read by a model, so every string of it
//! counts, member names included. Whether a definition is trusted is not decided here.

use crate::text;
use controls::{Action, Finding};
use serde_json::Value;
use std::borrow::Cow;
use thiserror::Error;

/// Characters of a tool name.
const NAME: usize = 128;
/// Bytes of all strings and member names of a definition.
const BYTES: usize = 512 * 1024;
/// Bytes of one description.
const DESCRIPTION: usize = 32 * 1024;
/// Values in a definition.
const VALUES: usize = 32 * 1024;
/// Levels of a definition.
const DEPTH: usize = 128;
/// Findings that are told.
const FINDINGS: usize = 32;
/// Bytes of a place that are told.
const PLACE: usize = 128;

/// Why a tool definition is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// It is not an object.
    #[error("a tool definition must be an object")]
    NotAnObject,
    /// Its name is missing, empty, too long or holds other characters.
    #[error("a tool name must be 1 to 128 of `A-Za-z0-9_.-`")]
    Name,
    /// A member is missing or has another type than it must have.
    #[error("`{member}` of a tool definition must be {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// There is too much of something.
    #[error("a tool definition may hold no more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
}

/// Checks the shape of a tool definition and finds hidden text in any string of it.
///
/// At most 32 findings are returned: one is enough to look at the definition by hand.
pub fn check(tool: &Value) -> Result<Vec<Finding>, DefinitionError> {
    shape(tool)?;
    hidden(tool)
}

/// Finds hidden text in any string of what a server says of itself: a tool, a prompt, a resource, its
/// instructions. The same limits hold, whatever it is.
pub fn hidden(definition: &Value) -> Result<Vec<Finding>, DefinitionError> {
    let (findings, unread) = read(definition);
    unread.map_or(Ok(findings), Err)
}

/// The same for whoever wants to know what was found before a limit was met, too.
pub fn read(definition: &Value) -> (Vec<Finding>, Option<DefinitionError>) {
    let mut findings = Vec::new();
    let read = search(definition, &mut findings);
    (findings, read.err())
}

fn search(definition: &Value, findings: &mut Vec<Finding>) -> Result<(), DefinitionError> {
    let (mut values, mut bytes) = (0, 0);
    let mut open = vec![(definition, String::new(), 1)];
    while let Some((value, place, depth)) = open.pop() {
        values += 1;
        limit(values, VALUES, "values")?;
        limit(depth, DEPTH, "levels")?;
        match value {
            Value::String(text) => {
                bytes += text.len();
                look(text, &place, findings);
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().rev();
                open.extend(
                    items.map(|(at, item)| (item, child(&place, &at.to_string()), depth + 1)),
                );
            }
            Value::Object(members) => {
                for (key, member) in members.iter().rev() {
                    bytes += key.len();
                    let place = child(&place, key);
                    look(key, &place, findings);
                    open.push((member, place, depth + 1));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        limit(bytes, BYTES, "bytes of text")?;
    }
    Ok(())
}

/// Whether a text is a tool name: 1 to 128 of `A-Za-z0-9_.-`.
pub fn is_name(text: &str) -> bool {
    (1..=NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Checks the shape of a tool definition alone.
pub fn shape(tool: &Value) -> Result<(), DefinitionError> {
    let members = tool.as_object().ok_or(DefinitionError::NotAnObject)?;
    if !members
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(is_name)
    {
        return Err(DefinitionError::Name);
    }
    let wrong = |member, expected| Err(DefinitionError::Member { member, expected });
    match members.get("inputSchema") {
        Some(Value::Object(schema)) => match schema.get("type") {
            None => {}
            Some(Value::String(kind)) if kind == "object" => {}
            Some(_) => return wrong("inputSchema", "a schema of objects"),
        },
        _ => return wrong("inputSchema", "an object"),
    }
    for (member, expected, fits) in [
        (
            "outputSchema",
            "an object",
            Value::is_object as fn(&Value) -> bool,
        ),
        ("annotations", "an object", Value::is_object),
        ("_meta", "an object", Value::is_object),
        ("description", "a text", Value::is_string),
        ("title", "a text", Value::is_string),
        ("icons", "a list", Value::is_array),
    ] {
        if members.get(member).is_some_and(|value| !fits(value)) {
            return wrong(member, expected);
        }
    }
    let description = members
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    limit(description.len(), DESCRIPTION, "bytes of description")
}

fn limit(seen: usize, limit: usize, what: &'static str) -> Result<(), DefinitionError> {
    if seen > limit {
        Err(DefinitionError::TooLarge { what, limit })
    } else {
        Ok(())
    }
}

fn look(text: &str, place: &str, findings: &mut Vec<Finding>) {
    let seen = text::examine(text);
    if seen.is_clean() || findings.len() >= FINDINGS {
        return;
    }
    let place = Cow::Owned(place.to_owned());
    findings.extend(seen.findings(place, controls::N9_2, Action::Report));
    findings.truncate(FINDINGS);
}

/// The pointer to a child. A place that gets too long stays at its parent, so that no name can make
/// it large, and shows nothing that is hidden.
pub(crate) fn child(place: &str, key: &str) -> String {
    let key = text::clean(key);
    if place.len() + key.len() >= PLACE {
        return place.to_owned();
    }
    format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool(change: impl Fn(&mut Value)) -> Value {
        let mut tool = json!({ "name": "get_weather", "title": "Weather", "description": "Tells it.",
            "inputSchema": { "type": "object", "properties": { "city": { "type": "string" } } } });
        change(&mut tool);
        tool
    }

    #[test]
    fn accepts_a_definition_with_nothing_hidden() {
        assert_eq!(check(&tool(|_| {})), Ok(Vec::new()));
        assert_eq!(
            check(&json!({ "name": "a", "inputSchema": {} })),
            Ok(Vec::new())
        );
    }

    #[test]
    fn refuses_what_is_no_definition() {
        let wrong = |change: fn(&mut Value)| check(&tool(change)).unwrap_err().to_string();
        assert_eq!(check(&json!([])), Err(DefinitionError::NotAnObject));
        for name in [
            json!(""),
            json!("a b"),
            json!("é"),
            json!("a/b"),
            json!(1),
            json!("x".repeat(129)),
        ] {
            let mut tool = tool(|_| {});
            tool["name"] = name;
            assert_eq!(check(&tool), Err(DefinitionError::Name));
        }
        assert!(is_name(&"x".repeat(128)) && is_name("a.b-C_9"));
        assert_eq!(
            wrong(|t| t["inputSchema"] = json!(true)),
            "`inputSchema` of a tool definition must be an object"
        );
        assert_eq!(
            wrong(|t| t["inputSchema"]["type"] = json!("array")),
            "`inputSchema` of a tool definition must be a schema of objects"
        );
        assert_eq!(
            wrong(|t| t["description"] = json!(1)),
            "`description` of a tool definition must be a text"
        );
        assert_eq!(
            wrong(|t| t["outputSchema"] = json!([])),
            "`outputSchema` of a tool definition must be an object"
        );
    }

    #[test]
    fn every_limit_of_a_definition_holds() {
        let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
        let text = "x".repeat(20_000);
        for (member, value, what) in [
            ("_meta", json!({ "x": vec![0; 40_000] }), "values"),
            ("_meta", json!({ "x": deep }), "levels"),
            ("_meta", json!({ "x": vec![text; 30] }), "bytes of text"),
            (
                "description",
                json!("x".repeat(40_000)),
                "bytes of description",
            ),
        ] {
            match check(&tool(|tool| tool[member] = value.clone())) {
                Err(DefinitionError::TooLarge { what: told, .. }) => assert_eq!(told, what),
                other => panic!("{what}: {other:?}"),
            }
        }
    }

    #[test]
    fn n9_2_finds_hidden_text_in_every_string() {
        let hidden = "x\u{e0041}";
        for (place, change) in [
            (
                "/description",
                (|t, h| t["description"] = json!(h)) as fn(&mut Value, &str),
            ),
            ("/title", |t, h| t["title"] = json!(h)),
            ("/annotations/title", |t, h| {
                t["annotations"] = json!({ "title": h })
            }),
            ("/inputSchema/properties/city/description", |t, h| {
                t["inputSchema"]["properties"]["city"]["description"] = json!(h);
            }),
            ("/inputSchema/properties/city/enum/1", |t, h| {
                t["inputSchema"]["properties"]["city"]["enum"] = json!(["a", h]);
            }),
            ("/inputSchema/properties/city/default", |t, h| {
                t["inputSchema"]["properties"]["city"]["default"] = json!(h);
            }),
            ("/inputSchema/properties/x", |t, h| {
                t["inputSchema"]["properties"][h] = json!({})
            }),
            ("/outputSchema/title", |t, h| {
                t["outputSchema"] = json!({ "title": h })
            }),
            ("/_meta/a~1b", |t, h| t["_meta"] = json!({ "a/b": h })),
        ] {
            let findings = check(&tool(|tool| change(tool, hidden))).unwrap();
            let told: Vec<_> = findings
                .iter()
                .map(|f| (f.place.as_ref(), f.rule.as_ref()))
                .collect();
            assert_eq!(told, [(place, "hidden_text.tags")]);
        }
    }

    #[test]
    fn findings_and_their_places_are_bounded() {
        let hidden: serde_json::Map<String, Value> = (0..1000)
            .map(|at| (format!("{at}{}", "k".repeat(50)), json!("\u{200b}\u{202e}")))
            .collect();
        let findings = check(&tool(|tool| {
            tool["_meta"] = json!({ "m": { "m": hidden } })
        }))
        .unwrap();
        assert_eq!(findings.len(), FINDINGS);
        let long = "\u{200b}".repeat(1000);
        let nested = json!({ "k".repeat(100): { "l".repeat(100): { "m": long } } });
        let findings = check(&tool(|tool| tool["_meta"] = nested.clone())).unwrap();
        assert!(
            findings
                .iter()
                .all(|finding| finding.place.len() <= PLACE + 2)
        );
        assert_eq!(findings[0].count, 1000);
    }
}
