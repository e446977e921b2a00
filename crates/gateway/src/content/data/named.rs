//! What the names of members say of values: of the members of a message, and of those of objects and arrays
//! in JSON that stand in a text, as tools write beside their structured content.

use super::number::digits;
use super::{Data, Treated};
use crate::content::inner::{self, Extent};
use crate::content::{Passage, Role};
use config::settled::DataAction;
use protocol::{Kind, Str, Value};

impl Data {
    /// What names say of the whole of a text, and of the values in it; and whether all of them were read.
    pub(super) fn named(&self, passage: &Passage<'_, '_>) -> (Vec<Treated>, Extent) {
        let rules = self.sought(passage.toward());
        let text = passage.text();
        let of_field = |name: &str, value: &str| {
            let sight = rules.of_field(name, value)?;
            Some(self.treated(&sight, passage.toward()))
        };
        let mut named = Vec::new();
        if !rules.go_by_names() {
            return (named, Extent::Whole);
        }
        match passage.role() {
            Role::Address | Role::Blob | Role::Name | Role::Wire => return (named, Extent::Whole),
            Role::Structured => {
                let member = passage.member();
                let whole = member.and_then(|member| of_field(&member, text));
                let at = 0..text.len();
                named.extend(whole.map(|treated| Treated { at, ..treated }));
            }
            Role::Failure | Role::Text | Role::Words => {}
        }
        let extent = inner::each(text, &mut |place, document| {
            each(document.root(), None, &mut |member, value| {
                let (range, string) = (value.range(), value.string());
                let (said, at) = match string {
                    Some(string) => (Some(string.decoded()), range.start + 1..range.end - 1),
                    None => (digits(value), range),
                };
                let Some(said) = said else { return };
                let Some(mut treated) = of_field(&member.decoded(), &said) else {
                    return;
                };
                treated.at = place.of(at);
                // A token stands for the value itself, and what stands there is an escaped form of it.
                let is_escaped = string.is_some() && text.get(treated.at.clone()) != Some(&*said);
                if is_escaped && treated.action == DataAction::Tokenise {
                    treated.action = DataAction::Redact;
                }
                named.push(treated);
            });
        });
        (named, extent)
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
