//! Where something stands in a message, as records, scores and refusals say it: a JSON Pointer (RFC 6901)
//! that no name of a member can make long or hide something in, and that never tells what was found in one.

use inspect::data::mark;
use inspect::text;
use protocol::Str;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a place. What stands deeper is told by what holds it.
pub(crate) const PLACE: usize = 128;

/// Bytes of a name as it is written that may still fit: an escape of six stands for one at least.
const WRITTEN: usize = 6 * PLACE;

/// One step of the way from the root of a message to a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'d> {
    /// An element of an array, by its index.
    Element(usize),
    /// A member of an object, by its name.
    Member(Str<'d>),
}

impl<'d> Step<'d> {
    /// The name of the member, if it is one.
    pub(super) fn name(&self) -> Option<Str<'d>> {
        match self {
            Step::Element(_) => None,
            Step::Member(name) => Some(*name),
        }
    }
}

/// Names of members in which something was found, each by the byte at which it begins, and what it was.
#[derive(Debug, Default)]
pub(super) struct Hushed(HashMap<usize, Box<str>>);

impl Hushed {
    /// Keeps a name out of every place.
    pub(super) fn hush(&mut self, name: Str<'_>, label: &str) {
        self.0.insert(name.range().start, label.into());
    }
}

/// A place in the making.
#[derive(Debug, Default)]
struct Place {
    text: String,
    is_cut: bool,
}

impl Place {
    /// Goes one step further, as long as there is room.
    fn go(&mut self, token: &str) {
        let end = self.text.len();
        if self.is_cut || token.len() > WRITTEN {
            self.is_cut = true;
            return;
        }
        self.text.push('/');
        for c in text::clean(token).chars() {
            match c {
                '~' => self.text.push_str("~0"),
                '/' => self.text.push_str("~1"),
                c => self.text.push(c),
            }
        }
        if self.text.len() > PLACE {
            self.text.truncate(end);
            self.is_cut = true;
        }
    }
}

/// Whether a way leads there: these are the names of the last members on it, outermost first.
pub(super) fn leads_to(way: &[Step<'_>], names: &[&str]) -> bool {
    let mut members = way.iter().rev().filter_map(Step::name);
    let mut names = names.iter().rev();
    names.all(|name| members.next().is_some_and(|member| member.is(name)))
}

/// The place at the end of a way.
pub(super) fn of(way: &[Step<'_>], hushed: &Hushed) -> String {
    let mut place = Place::default();
    for step in way {
        match step {
            Step::Element(index) => place.go(&index.to_string()),
            Step::Member(name) => match hushed.0.get(&name.range().start) {
                Some(label) => place.go(&mark(label)),
                None if name.raw().len() > WRITTEN => place.is_cut = true,
                None => place.go(&name.decoded()),
            },
        }
    }
    place.text
}

/// The same of a pointer that was made elsewhere, where `label` says what is found in a name.
pub(super) fn shown(pointer: &str, label: impl Fn(&str) -> Option<Arc<str>>) -> String {
    let mut place = Place::default();
    for token in pointer.split('/').skip(1) {
        if place.is_cut || token.len() > WRITTEN {
            break;
        }
        let name = token.replace("~1", "/").replace("~0", "~");
        match label(&name) {
            Some(label) => place.go(&mark(&label)),
            None => place.go(&name),
        }
    }
    place.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_stays_short_and_shows_nothing_that_was_found_in_a_name() {
        let long = "k".repeat(PLACE);
        let label = |name: &str| (name == "anna@corp.test").then(|| "personal.email".into());
        for (pointer, expected) in [
            ("", String::new()),
            ("/", "/".to_owned()),
            ("/a/0/b~1c~0d", "/a/0/b~1c~0d".to_owned()),
            ("/a/\u{200b}b", "/a/b".to_owned()),
            (
                "/a/anna@corp.test/b",
                "/a/[redacted: personal.email]/b".to_owned(),
            ),
            (&format!("/a/{long}/b"), "/a".to_owned()),
            (&format!("/{}", "~0".repeat(PLACE / 2)), String::new()),
            (&"/0".repeat(PLACE), "/0".repeat(PLACE / 2)),
            // What stands behind a step that is left out is not put in its place.
            (
                &format!("/{0}/{0}/c", "a".repeat(PLACE / 2)),
                format!("/{}", "a".repeat(PLACE / 2)),
            ),
        ] {
            assert_eq!(shown(pointer, label), expected, "{pointer}");
        }
    }
}
