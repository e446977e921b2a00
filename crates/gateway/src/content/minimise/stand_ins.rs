//! What goes on of a value (control P1): written anew without what does not, and with tokens in the place of
//! what goes on as such. What loses nothing keeps every byte.

use crate::content::data::Data;
use crate::content::{hidden, inner};
use controls::{Action, Finding, Severity};
use inspect::data::mark;
use inspect::projection::{Fate, Projection};
use protocol::{Kind, Value, write_string};
use std::borrow::Cow;

/// What stands in the place of fields, and how much of a message was changed so far.
#[derive(Debug)]
pub(crate) struct StandIns<'c> {
    data: Option<&'c Data>,
    pub(super) tokens: u32,
    pub(super) left_out: u32,
    /// How many strings that are JSON what is written stands in.
    strings: usize,
}

impl<'c> StandIns<'c> {
    pub(in crate::content) fn of(data: Option<&'c Data>) -> Self {
        StandIns {
            data,
            tokens: 0,
            left_out: 0,
            strings: 0,
        }
    }

    /// What goes on of a value, as JSON; nothing if all of it does.
    pub(crate) fn project(&mut self, value: Value<'_>, projection: &Projection) -> Option<Vec<u8>> {
        if projection.is_whole() {
            return None;
        }
        let mut less = Vec::with_capacity(value.raw().len());
        if !write(value, &projection.begin(), self, &mut less) {
            self.left_out += 1;
            let nothing: &[u8] = match value.kind() {
                Kind::Array => b"[]",
                Kind::Object => b"{}",
                _ => b"null",
            };
            less.extend_from_slice(nothing);
        }
        (less != value.raw()).then_some(less)
    }

    /// What was done, never to what: fields that were left out, and those for which a token stands.
    pub(crate) fn findings(
        &self,
        rule: &'static str,
        place: &'static str,
    ) -> impl Iterator<Item = Finding> + use<> {
        let done = [
            (rule, self.left_out, Action::Remove),
            ("minimise.tokens", self.tokens, Action::Tokenise),
        ];
        let done = done.into_iter().filter(|(_, count, _)| *count > 0);
        done.map(move |(rule, count, action)| Finding {
            control: controls::P1,
            rule: Cow::Borrowed(rule),
            severity: Severity::Info,
            place: Cow::Borrowed(place),
            count,
            action,
        })
    }

    /// Does the same to what a string says, if that is JSON: its fields stand where the string does. False if
    /// nothing of it goes on; nothing if it is no JSON.
    fn within(&mut self, value: Value<'_>, fate: &Fate<'_>, out: &mut Vec<u8>) -> Option<bool> {
        let text = value.text()?;
        let document = match inner::whole(&text) {
            Ok(document) => document?,
            // Of what is not read to its end nobody knows the fields.
            Err(_) => return Some(false),
        };
        if self.strings >= inner::STRINGS {
            return Some(false);
        }
        let mut less = Vec::new();
        self.strings += 1;
        let written = write(document.root(), fate, self, &mut less);
        self.strings -= 1;
        match std::str::from_utf8(&less) {
            _ if less == document.root().raw() => out.extend_from_slice(value.raw()),
            Ok(less) if written => write_string(less, out),
            _ => return Some(false),
        }
        Some(true)
    }

    /// Writes a token in the place of a text or a number; false if there can be none. `null` says nothing
    /// that a token would hide.
    fn write(&mut self, value: Value<'_>, label: &str, out: &mut Vec<u8>) -> bool {
        let text = match value.kind() {
            Kind::String => value.text(),
            Kind::Number => std::str::from_utf8(value.raw()).ok().map(Cow::Borrowed),
            Kind::Null => {
                out.extend_from_slice(value.raw());
                return true;
            }
            Kind::Array | Kind::Boolean | Kind::Object => None,
        };
        let Some(text) = text else {
            return false;
        };
        let stands = match self.data {
            Some(data) => data.stand_in(label, &text),
            None => mark(label),
        };
        self.tokens += u32::from(*stands != *text);
        match value.kind() == Kind::String && *stands == *text {
            true => out.extend_from_slice(value.raw()),
            false => write_string(&stands, out),
        }
        true
    }
}

/// Writes what goes on of a value; false if nothing does. Depth is bounded by that of the document.
fn write(
    value: Value<'_>,
    fate: &Fate<'_>,
    stand_ins: &mut StandIns<'_>,
    out: &mut Vec<u8>,
) -> bool {
    let inside = match fate {
        Fate::Drop => return false,
        Fate::Tokenise(label) => return stand_ins.write(value, label, out),
        Fate::Keep => {
            out.extend_from_slice(value.raw());
            return true;
        }
        Fate::Within(inside) => inside,
    };
    let begin = out.len();
    let mut whole = true;
    let mut separated = false;
    let mut each = |out: &mut Vec<u8>, name: &[u8], inner: Value<'_>, fate: &Fate<'_>| {
        let before = out.len();
        if separated {
            out.push(b',');
        }
        out.extend_from_slice(name);
        let from = out.len();
        let written = write(inner, fate, stand_ins, out);
        if written {
            whole &= out.get(from..) == Some(inner.raw());
            separated = true;
        } else {
            whole = false;
            stand_ins.left_out += 1;
            out.truncate(before);
        }
    };
    match value.kind() {
        Kind::Array => {
            out.push(b'[');
            for (at, item) in value.elements().enumerate() {
                each(out, b"", item, &inside.item(at));
            }
            out.push(b']');
        }
        Kind::Object => {
            out.push(b'{');
            for (key, member) in value.members() {
                let mut name = vec![b'"'];
                name.extend_from_slice(key.raw());
                name.extend_from_slice(b"\":");
                each(out, &name, member, &inside.member(&hidden::left_of(key)));
            }
            out.push(b'}');
        }
        Kind::String => {
            let within = stand_ins.within(value, fate, out);
            return within.unwrap_or_else(|| write(value, &inside.leaf(), stand_ins, out));
        }
        _ => return write(value, &inside.leaf(), stand_ins, out),
    }
    if whole {
        // All of it goes on, so it does as it was written.
        out.truncate(begin);
        out.extend_from_slice(value.raw());
    }
    true
}
