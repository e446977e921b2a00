//! What the names of members say of values: of the members of a message, and of those of a text that is an
//! object or an array in JSON itself, as tools write beside their structured content.

use super::number::digits;
use super::{Data, Treated};
use crate::content::minimise::json;
use crate::content::{Passage, Role};
use config::settled::DataAction;
use protocol::{Kind, Limits, Str, Value};
use std::ops::Range;

impl Data {
    /// What names say of the whole of a text, and of the values in it.
    pub(super) fn named(&self, passage: &Passage<'_, '_>) -> Vec<Treated> {
        let text = passage.text();
        let of_field = |name: &str, value: &str, at: Range<usize>| {
            let sight = self.rules.of_field(name, value)?;
            let treated = self.treated(&sight, passage.toward());
            Some(Treated { at, ..treated })
        };
        let mut named = Vec::new();
        match passage.role() {
            Role::Address | Role::Blob | Role::Name | Role::Wire => return named,
            Role::Structured => {
                let member = passage.member();
                named.extend(member.and_then(|member| of_field(&member, text, 0..text.len())));
            }
            Role::Failure | Role::Text | Role::Words => {}
        }
        let Some(document) = json(text, &Limits::default()) else {
            return named;
        };
        each(document.root(), None, &mut |member, value| {
            let (range, string) = (value.range(), value.string());
            let (said, at) = match string {
                Some(string) => (Some(string.decoded()), range.start + 1..range.end - 1),
                None => (digits(value), range),
            };
            let said = said.and_then(|said| of_field(&member.decoded(), &said, at));
            named.extend(said.map(|mut treated| {
                // A token stands for the value itself, and what stands there is an escaped form of it.
                let is_escaped = string.is_some_and(Str::is_escaped);
                if is_escaped && treated.action == DataAction::Tokenise {
                    treated.action = DataAction::Redact;
                }
                treated
            }));
        });
        named
    }
}

/// Every text and number of a value, with the nearest member that holds it. Depth is bounded by that of the document.
fn each<'d>(value: Value<'d>, member: Option<Str<'d>>, visit: &mut impl FnMut(Str<'d>, Value<'d>)) {
    match value.kind() {
        Kind::Number | Kind::String => {
            if let Some(member) = member {
                visit(member, value);
            }
        }
        Kind::Array => {
            for element in value.elements() {
                each(element, member, visit);
            }
        }
        Kind::Object => {
            for (key, inner) in value.members() {
                each(inner, Some(key), visit);
            }
        }
        Kind::Boolean | Kind::Null => {}
    }
}
