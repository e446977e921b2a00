//! Changing members of an object, or elements of an array, and leaving every other byte as it was.
//! Knows JSON only: what a member means is said by those who change it.

use crate::document::{Kind, Value};
use crate::edit::{Edits, write_string};
use bytes::Bytes;
use std::ops::Range;

/// What becomes of one member.
#[derive(Clone, Debug)]
enum Change {
    /// It is taken out if it is there.
    Drop,
    /// It gets this value if it is there.
    Replace(Bytes),
    /// It has this value, whether it was there or not.
    Set(Bytes),
}

/// What becomes of the members of an object. Members that are not named stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Amend {
    list: Vec<(&'static str, Change)>,
    dropped: Option<fn(&str) -> bool>,
}

impl Amend {
    pub(super) fn new() -> Self {
        Amend::default()
    }

    /// The member has this value afterwards.
    pub(super) fn set(self, name: &'static str, value: impl Into<Bytes>) -> Self {
        self.with(name, Change::Set(value.into()))
    }

    /// The member has this value afterwards if there is one, and is gone if there is none.
    pub(super) fn set_or_drop(self, name: &'static str, value: Option<&[u8]>) -> Self {
        match value {
            Some(value) => self.set(name, Bytes::copy_from_slice(value)),
            None => self.drop(name),
        }
    }

    /// The member has this value afterwards if it was there.
    pub(super) fn replace(self, name: &'static str, value: impl Into<Bytes>) -> Self {
        self.with(name, Change::Replace(value.into()))
    }

    /// The member is gone afterwards.
    pub(super) fn drop(self, name: &'static str) -> Self {
        self.with(name, Change::Drop)
    }

    /// Members that nothing else is said about are gone if this is true of their name.
    pub(super) fn drop_if(mut self, dropped: fn(&str) -> bool) -> Self {
        self.dropped = Some(dropped);
        self
    }

    fn with(mut self, name: &'static str, change: Change) -> Self {
        self.list.push((name, change));
        self
    }

    fn change(&self, name: &str) -> Option<&Change> {
        let said = self.list.iter().find(|(known, _)| *known == name);
        match (said, self.dropped) {
            (Some((_, change)), _) => Some(change),
            (None, Some(dropped)) if dropped(name) => Some(&Change::Drop),
            _ => None,
        }
    }

    /// The changes as edits of the document that the object is part of.
    pub(super) fn apply(&self, object: Value<'_>, edits: &mut Edits) {
        let mut found = vec![false; self.list.len()];
        let mut items = Vec::new();
        for (key, value) in object.members() {
            let name = key.decoded();
            let known = self.list.iter().position(|(known, _)| *known == name);
            if let Some(found) = known.and_then(|place| found.get_mut(place)) {
                *found = true;
            }
            let change = self.change(&name);
            if let Some(Change::Replace(text) | Change::Set(text)) = change {
                edits.replace(value.range(), text.clone());
            }
            let range = key.range().start..value.range().end;
            items.push((range, !matches!(change, Some(Change::Drop))));
        }
        let added = self.list.iter().zip(found).filter(|(_, found)| !found);
        let added: Vec<Bytes> = added
            .filter_map(|((name, change), _)| match change {
                Change::Set(value) => Some(member(name, value)),
                _ => None,
            })
            .collect();
        rework(object.range().start + 1, &items, &added, edits);
    }

    /// The object that these changes make out of nothing; none if they set nothing.
    pub(super) fn alone(&self) -> Option<Bytes> {
        let set = self.list.iter().filter_map(|(name, change)| match change {
            Change::Set(value) => Some((*name, &**value)),
            _ => None,
        });
        let written = object(set);
        (written.len() > 2).then_some(written)
    }

    /// As [`Amend::apply`], for an object that is a member of another one: it is made if it must
    /// hold something, and taken out with the last of its members.
    pub(super) fn nested(
        self,
        name: &'static str,
        owner: Value<'_>,
        inner: &Amend,
        edits: &mut Edits,
    ) -> Self {
        match owner.get(name) {
            Some(object) if object.kind() == Kind::Object => match inner.empties(object) {
                true => self.drop(name),
                false => {
                    inner.apply(object, edits);
                    self
                }
            },
            _ => match inner.alone() {
                Some(made) => self.set(name, made),
                None => self,
            },
        }
    }

    fn empties(&self, object: Value<'_>) -> bool {
        let sets = |(_, change): &(&str, Change)| matches!(change, Change::Set(_));
        let goes = |name: &str| matches!(self.change(name), Some(Change::Drop));
        object.count() > 0
            && !self.list.iter().any(sets)
            && object.members().all(|(key, _)| goes(&key.decoded()))
    }
}

/// Takes the members out of an object whose names this is true of.
pub fn disown(object: Value<'_>, claimed: fn(&str) -> bool, edits: &mut Edits) {
    Amend::new().drop_if(claimed).apply(object, edits);
}

/// Takes out the items that do not stay and adds others at the end. `open` is the place behind the
/// opening bracket; the items are given in the order of the text.
pub(super) fn rework(
    open: usize,
    items: &[(Range<usize>, bool)],
    added: &[Bytes],
    edits: &mut Edits,
) {
    // Where the last item that stays ends, and the run of items to take out that is under way.
    let mut kept: Option<usize> = None;
    let mut run: Option<Range<usize>> = None;
    for (range, stays) in items {
        match (stays, run.take()) {
            (false, Some(begun)) => run = Some(begun.start..range.end),
            (false, None) => run = Some(kept.unwrap_or(range.start)..range.end),
            (true, Some(begun)) if kept.is_none() => {
                edits.replace(begun.start..range.start, Bytes::new());
            }
            (true, Some(begun)) => edits.replace(begun, Bytes::new()),
            (true, None) => {}
        }
        if *stays {
            kept = Some(range.end);
        }
    }
    if let Some(begun) = run {
        edits.replace(begun, Bytes::new());
    }
    if added.is_empty() {
        return;
    }
    let mut text = Vec::with_capacity(added.iter().map(|item| item.len() + 1).sum());
    for item in added {
        if kept.is_some() || !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(item);
    }
    let place = kept.unwrap_or(open);
    edits.replace(place..place, text);
}

/// An object of these members. The names must be unlike each other; the values are JSON already.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Bytes {
    let mut out = vec![b'{'];
    for (name, value) in members {
        if out.len() > 1 {
            out.push(b',');
        }
        write_string(name, &mut out);
        out.push(b':');
        out.extend_from_slice(value);
    }
    out.push(b'}');
    out.into()
}

fn member(name: &str, value: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(name.len() + value.len() + 3);
    write_string(name, &mut out);
    out.push(b':');
    out.extend_from_slice(value);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits};

    fn read(text: &str) -> Document {
        Document::read(text.to_owned().into(), &Limits::default()).unwrap()
    }

    fn check(text: &str, amend: &Amend, expected: &str) {
        let document = read(text);
        let mut edits = Edits::new();
        amend.apply(document.root(), &mut edits);
        let amended = document.apply(&edits).unwrap();
        assert_eq!(std::str::from_utf8(&amended).unwrap(), expected, "{text}");
        read(expected);
    }

    #[test]
    fn takes_members_out_and_keeps_every_other_byte() {
        let drop = |names: &[&'static str]| {
            let none = Amend::new();
            names.iter().fold(none, |amend, name| amend.drop(name))
        };
        let text = r#"{ "a" : 1 , "b":[2],  "c":"3" }"#;
        let cases: &[(&[&str], &str)] = &[
            (&[], text),
            (&["x"], text),
            (&["a"], r#"{ "b":[2],  "c":"3" }"#),
            (&["b"], r#"{ "a" : 1,  "c":"3" }"#),
            (&["c"], r#"{ "a" : 1 , "b":[2] }"#),
            (&["a", "b"], r#"{ "c":"3" }"#),
            (&["a", "c"], r#"{ "b":[2] }"#),
            (&["b", "c"], r#"{ "a" : 1 }"#),
            (&["c", "a", "b"], "{  }"),
        ];
        for (names, expected) in cases {
            check(text, &drop(names), expected);
        }
        check(r#"{"\u0061":1,"A":2}"#, &drop(&["a"]), r#"{"A":2}"#);
        check("{}", &drop(&["a"]), "{}");
    }

    #[test]
    fn sets_replaces_and_drops_at_once() {
        let amend = Amend::new().set("a", "10").replace("b", "20").drop("c");
        let cases = [
            ("{}", r#"{"a":10}"#),
            ("{ }", r#"{"a":10 }"#),
            (r#"{"c":1}"#, r#"{"a":10}"#),
            (r#"{ "c":1 }"#, r#"{"a":10  }"#),
            (r#"{"a":1,"b":2,"c":3}"#, r#"{"a":10,"b":20}"#),
            (r#"{"c":3,"b":2,"d":4}"#, r#"{"b":20,"d":4,"a":10}"#),
            (r#"{"d":4,"c":{"a":1}}"#, r#"{"d":4,"a":10}"#),
            (
                r#"{"c":3,"x":1,"b":[],"y":2}"#,
                r#"{"x":1,"b":20,"y":2,"a":10}"#,
            ),
        ];
        for (text, expected) in cases {
            check(text, &amend, expected);
        }
        let both = Amend::new().set("q\"", "1").set("r", "2");
        check("{}", &both, r#"{"q\"":1,"r":2}"#);
        check(r#"{"s":0}"#, &both, r#"{"s":0,"q\"":1,"r":2}"#);
    }

    #[test]
    fn a_name_that_was_said_something_about_is_not_asked_for() {
        let amend = Amend::new()
            .replace("x1", "0")
            .drop_if(|name| name.starts_with('x'));
        check(r#"{"x1":1,"x2":2,"y":3}"#, &amend, r#"{"x1":0,"y":3}"#);
    }

    #[test]
    fn an_inner_object_comes_and_goes_with_its_members() {
        let check = |text: &str, inner: &Amend, expected: &str| {
            let document = read(text);
            let mut edits = Edits::new();
            Amend::new()
                .nested("m", document.root(), inner, &mut edits)
                .apply(document.root(), &mut edits);
            let amended = document.apply(&edits).unwrap();
            assert_eq!(std::str::from_utf8(&amended).unwrap(), expected, "{text}");
        };
        let set = Amend::new().set("a", "1").drop("b");
        let drop = Amend::new().drop("a").drop("b").replace("c", "7");
        check("{}", &set, r#"{"m":{"a":1}}"#);
        check("{}", &drop, "{}");
        check(r#"{"m":{}}"#, &set, r#"{"m":{"a":1}}"#);
        check(r#"{"m":{}}"#, &drop, r#"{"m":{}}"#);
        check(r#"{"m":{"b":2},"n":1}"#, &set, r#"{"m":{"a":1},"n":1}"#);
        check(r#"{"m":{"b":2,"a":1},"n":1}"#, &drop, r#"{"n":1}"#);
        check(
            r#"{"m":{"b":2,"c":1},"n":1}"#,
            &drop,
            r#"{"m":{"c":7},"n":1}"#,
        );
        check(r#"{"n":1,"m":{"a":2}}"#, &set, r#"{"n":1,"m":{"a":1}}"#);
        check(
            r#"{"n":1,"m":{"x":2}}"#,
            &set,
            r#"{"n":1,"m":{"x":2,"a":1}}"#,
        );
    }

    #[test]
    fn writes_objects() {
        assert_eq!(object([]), &b"{}"[..]);
        let two = object([("a", &b"1"[..]), ("\"", b"[]")]);
        assert_eq!(two, &b"{\"a\":1,\"\\\"\":[]}"[..]);
    }
}
