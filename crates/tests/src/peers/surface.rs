//! What the reference server offers, read from `surface.json`, and the small change of its answers.
//! It does nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static SURFACE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("surface.json")).unwrap_or_default());

/// What lies at this place of the surface, such as `/server`.
pub(super) fn at(pointer: &str) -> Value {
    SURFACE.pointer(pointer).cloned().unwrap_or_default()
}

/// A member of an object of the surface; names that hold a `/` need no escaping.
pub(super) fn member(object: &str, name: &str) -> Option<Value> {
    SURFACE.get(object)?.get(name).cloned()
}

/// The entries of a list of the surface.
pub(super) fn list(name: &str) -> Vec<Value> {
    at(&format!("/{name}"))
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// One page of a list; the cursor is where it begins, hidden in base64 as a real one would be.
pub(super) fn page(name: &str, all: &[Value], cursor: Option<&str>) -> Option<Value> {
    let start = cursor.map_or(Some(0), beginning)?;
    let size = at("/page")
        .as_u64()
        .and_then(|size| usize::try_from(size).ok())?;
    let end = start.checked_add(size)?.min(all.len());
    let mut page = Map::new();
    page.insert(name.to_owned(), all.get(start..end)?.to_vec().into());
    if end < all.len() {
        let next = URL_SAFE_NO_PAD.encode(end.to_string());
        page.insert("nextCursor".to_owned(), next.into());
    }
    Some(Value::Object(page))
}

fn beginning(cursor: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}

/// JSON with its keys in order, so that it is one text whoever wrote it.
pub(super) fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members
                .into_iter()
                .map(|(name, member)| (name.clone(), sorted(member)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// A tool result of one text.
pub(super) fn text(said: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": said }] })
}

/// A tool result that is JSON.
pub(super) fn told(value: &Value) -> Value {
    text(&canonical(value))
}

/// Asks for the form.
pub(super) fn form(message: &str) -> Value {
    let params = json!({ "mode": "form", "message": message, "requestedSchema": at("/form") });
    json!({ "method": "elicitation/create", "params": params })
}

/// Asks for a visit to the page.
pub(super) fn visit(message: &str) -> Value {
    let params = json!({ "mode": "url", "message": message, "url": at("/page_to_visit") });
    json!({ "method": "elicitation/create", "params": params })
}

/// Asks the client's model.
pub(super) fn consult(question: &str) -> Value {
    let message = json!({ "role": "user", "content": { "type": "text", "text": question } });
    let params = json!({ "messages": [message], "systemPrompt": "Be brief.", "maxTokens": 100 });
    json!({ "method": "sampling/createMessage", "params": params })
}

/// Asks for the client's roots.
pub(super) fn look() -> Value {
    json!({ "method": "roots/list" })
}

/// A member of an object; null if there is none.
pub(super) fn part<'a>(object: &'a Value, name: &str) -> &'a Value {
    static NOTHING: Value = Value::Null;
    object.get(name).unwrap_or(&NOTHING)
}

/// A member that is text; empty if there is none.
pub(super) fn word<'a>(object: &'a Value, name: &str) -> &'a str {
    part(object, name).as_str().unwrap_or_default()
}

/// These members of an object, those that are there and not null.
pub(super) fn only(object: &Value, names: &[&str]) -> Map<String, Value> {
    let known = names.iter().filter_map(|name| {
        let member = object.get(name).filter(|member| !member.is_null())?;
        Some(((*name).to_owned(), member.clone()))
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_together_are_the_list() {
        let all = list("tools");
        assert!(all.len() > 10, "{all:?}");
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = page("tools", &all, cursor.as_deref()).unwrap();
            seen.extend(page["tools"].as_array().unwrap().clone());
            let Some(next) = page["nextCursor"].as_str() else {
                break;
            };
            cursor = Some(next.to_owned());
        }
        assert_eq!(seen, all);
        assert!(page("tools", &all, Some("no cursor of ours")).is_none());
    }

    #[test]
    fn canonical_json_has_its_keys_in_order_all_the_way_down() {
        let value = json!({ "b": [{ "d": 1, "c": null }], "a": "x" });
        assert_eq!(canonical(&value), r#"{"a":"x","b":[{"c":null,"d":1}]}"#);
    }
}
