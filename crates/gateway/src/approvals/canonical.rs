//! A call as one text that no other call has: members in order, nothing between them, and every number and
//! string exactly as it is. Nothing is rounded: two calls with the same text are the same call, also in
//! the last digit of a number that many readers would round.

use bytes::Bytes;
use protocol::{Document, Kind, Limits, Value};
use serde::{Deserialize, Serialize};

/// One value of a call, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Where it stands: a JSON Pointer (RFC 6901).
    pub path: String,
    /// What it is, as JSON.
    pub value: String,
}

/// The text of this value, without the members that `left_out` names by their pointers.
pub(crate) fn canonical(value: Value<'_>, left_out: &dyn Fn(&str) -> bool) -> String {
    let mut text = String::new();
    write(value, "", left_out, &mut text);
    text
}

fn write(value: Value<'_>, path: &str, left_out: &dyn Fn(&str) -> bool, text: &mut String) {
    match value.kind() {
        Kind::Object => {
            let members = value.members().map(|(name, value)| (name.decoded(), value));
            let mut members: Vec<_> = members.collect();
            members.sort_unstable_by(|left, right| left.0.cmp(&right.0));
            text.push('{');
            let mut first = true;
            for (name, value) in members {
                let path = below(path, &name);
                if is_left_out(value, &path, left_out) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    text.push(',');
                }
                text.push_str(&quoted(&name));
                text.push(':');
                write(value, &path, left_out, text);
            }
            text.push('}');
        }
        Kind::Array => {
            text.push('[');
            for (nth, element) in value.elements().enumerate() {
                if nth > 0 {
                    text.push(',');
                }
                write(element, &below(path, &nth.to_string()), left_out, text);
            }
            text.push(']');
        }
        Kind::String => text.push_str(&quoted(&value.text().unwrap_or_default())),
        // As it was written: whoever reads `1.0` and `1` alike does not decide here.
        Kind::Boolean | Kind::Null | Kind::Number => {
            text.push_str(&String::from_utf8_lossy(value.raw()));
        }
    }
}

/// Whether a member is left out: by itself, or because all that it holds is.
fn is_left_out(value: Value<'_>, path: &str, left_out: &dyn Fn(&str) -> bool) -> bool {
    let mut members = value.members();
    left_out(path)
        || (value.count() > 0
            && value.kind() == Kind::Object
            && members.all(|(name, _)| left_out(&below(path, &name.decoded()))))
}

/// Every value of such a text with its place, in the order of the text; empty lists and objects as such.
pub(crate) fn fields(canonical: &str) -> Vec<Field> {
    let bytes = Bytes::copy_from_slice(canonical.as_bytes());
    let mut found = Vec::new();
    // INVARIANT: it was written from a document that was read within limits of the configuration, the
    // widest of which are these.
    let limits = Limits {
        bytes: canonical.len(),
        depth: 256,
        members: 65_536,
        ..Limits::default()
    };
    if let Ok(document) = Document::read(bytes, &limits) {
        gather(document.root(), String::new(), &mut found);
    }
    found
}

fn gather(value: Value<'_>, path: String, found: &mut Vec<Field>) {
    let before = found.len();
    for (name, value) in value.members() {
        gather(value, below(&path, &name.decoded()), found);
    }
    for (nth, value) in value.elements().enumerate() {
        gather(value, below(&path, &nth.to_string()), found);
    }
    if found.len() == before {
        let value = String::from_utf8_lossy(value.raw()).into_owned();
        found.push(Field { path, value });
    }
}

fn below(path: &str, name: &str) -> String {
    format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A string as JSON, with no escape but those it must have.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        let document = Document::read(Bytes::copy_from_slice(json.as_bytes()), &Limits::default());
        let left_out = |path: &str| path == "/_meta" || path == "/inputs/ours";
        canonical(document.unwrap().root(), &left_out)
    }

    #[test]
    fn the_same_call_has_the_same_text_and_any_other_has_another() {
        for (json, expected) in [
            (
                r#"{ "b" : 1 , "a" : [ true , null ] }"#,
                r#"{"a":[true,null],"b":1}"#,
            ),
            (r#"{"\u0061":"\u0062\/"}"#, r#"{"a":"b/"}"#),
            (r#"{"a":"\u200b\n"}"#, "{\"a\":\"\u{200b}\\n\"}"),
            (r#"{"_meta":{"x":1},"a":1}"#, r#"{"a":1}"#),
            (
                r#"{"inputs":{"ours":1,"theirs":2}}"#,
                r#"{"inputs":{"theirs":2}}"#,
            ),
            (r#"{"inputs":{"ours":1},"a":1}"#, r#"{"a":1}"#),
            (r#"{"inputs":{},"a":1}"#, r#"{"a":1,"inputs":{}}"#),
            (r#"{"a":{"_meta":1}}"#, r#"{"a":{"_meta":1}}"#),
        ] {
            assert_eq!(text(json), expected);
            assert_eq!(text(&text(json)), expected);
        }
        for (one, other) in [
            (r#"{"a":9007199254740991}"#, r#"{"a":9007199254740990}"#),
            (r#"{"a":0.1}"#, r#"{"a":0.10000000000000001}"#),
            (r#"{"a":1}"#, r#"{"a":1.0}"#),
            (r#"{"a":1}"#, r#"{"a":"1"}"#),
            (r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":[]}"#, r#"{"a":{}}"#),
            (r#"{"a":"x"}"#, r#"{"a":"x\u200b"}"#),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
        ] {
            assert_ne!(text(one), text(other));
        }
    }

    #[test]
    fn every_value_is_shown_with_its_place() {
        let canonical =
            text(r#"{"arguments":{"to/from":{"~":["x",{}]},"n":9007199254740991},"name":"t"}"#);
        let fields = fields(&canonical);
        let shown: Vec<(&str, &str)> = fields.iter().map(|it| (&*it.path, &*it.value)).collect();
        assert_eq!(
            shown,
            [
                ("/arguments/n", "9007199254740991"),
                ("/arguments/to~1from/~0/0", "\"x\""),
                ("/arguments/to~1from/~0/1", "{}"),
                ("/name", "\"t\""),
            ]
        );
    }
}
