//! Places in a JSON value: JSON Pointers (RFC 6901) in which `*` stands for any member or item, many of
//! them compiled into one tree, so that a value is walked once however many there are.
//!
//! A member whose name is `*` cannot be named alone. This module never changes a value.

use serde_json::Value;
use std::collections::HashMap;
use std::fmt::{self, Write as _};
use thiserror::Error;

/// Steps of one pattern.
const STEPS: usize = 16;
/// Bytes of one pattern.
pub(crate) const BYTES: usize = 1024;

/// A JSON Pointer in which `*` stands for any member or item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Any,
    Named(Box<str>),
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// `~` stands before something else than `0` and `1`.
    #[error("`~` must be written `~0`, and `/` in a name `~1`")]
    Escape,
    /// There is too much of it.
    #[error("a pointer may have no more than {STEPS} steps and {BYTES} bytes")]
    TooLong,
    /// It does not begin with a slash.
    #[error("a pointer begins with `/`, such as `/filter/name` or `/items/*/id`")]
    Unrooted,
}

impl Pattern {
    /// The place of the whole value.
    pub fn whole() -> Self {
        Pattern(Vec::new())
    }

    /// Reads `/name/*/other`; the empty text is the whole value.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Ok(Pattern::whole());
        }
        let steps = text.strip_prefix('/').ok_or(PatternError::Unrooted)?;
        if text.len() > BYTES || steps.split('/').count() > STEPS {
            return Err(PatternError::TooLong);
        }
        let steps = steps.split('/').map(|step| match step {
            "*" => Ok(Step::Any),
            step => unescaped(step).map(Step::Named),
        });
        steps.collect::<Result<_, _>>().map(Pattern)
    }

    /// The place of a member of what is here.
    pub fn member(&self, name: &str) -> Self {
        self.and(Step::Named(name.into()))
    }

    /// The place of every member or item of what is here.
    pub fn every(&self) -> Self {
        self.and(Step::Any)
    }

    /// How many steps it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is the place of the whole value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn and(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Pattern(steps)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Any => f.write_str("/*")?,
                Step::Named(name) => {
                    f.write_char('/')?;
                    escaped(name, f)?;
                }
            }
        }
        Ok(())
    }
}

/// One step of the way to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'v> {
    /// An item of an array.
    Item(usize),
    /// A member of an object.
    Member(&'v str),
}

/// The way to a value as a JSON Pointer.
pub fn written(way: &[Key<'_>]) -> String {
    let mut pointer = String::new();
    for key in way {
        // Writing to a string does not fail.
        let _ = match key {
            Key::Item(at) => write!(pointer, "/{at}"),
            Key::Member(name) => pointer
                .write_char('/')
                .and_then(|()| escaped(name, &mut pointer)),
        };
    }
    pointer
}

fn escaped(name: &str, out: &mut impl fmt::Write) -> fmt::Result {
    for c in name.chars() {
        match c {
            '~' => out.write_str("~0")?,
            '/' => out.write_str("~1")?,
            c => out.write_char(c)?,
        }
    }
    Ok(())
}

fn unescaped(step: &str) -> Result<Box<str>, PatternError> {
    let mut name = String::with_capacity(step.len());
    let mut rest = step.chars();
    while let Some(c) = rest.next() {
        match c {
            '~' => match rest.next() {
                Some('0') => name.push('~'),
                Some('1') => name.push('/'),
                _ => return Err(PatternError::Escape),
            },
            c => name.push(c),
        }
    }
    Ok(name.into())
}

/// Something said of many places.
#[derive(Clone, Debug)]
pub struct Places<T> {
    here: Option<T>,
    named: HashMap<Box<str>, Places<T>>,
    any: Option<Box<Places<T>>>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Places {
            here: None,
            named: HashMap::new(),
            any: None,
        }
    }
}

impl<T> Places<T> {
    /// Says something of a place, and gives back what was said of it before.
    pub fn insert(&mut self, place: &Pattern, said: T) -> Option<T> {
        let mut at = self;
        for step in &place.0 {
            at = match step {
                Step::Any => at.any.get_or_insert_default(),
                Step::Named(name) => at.named.entry(name.clone()).or_default(),
            };
        }
        at.here.replace(said)
    }

    /// What is said of exactly this place, `*` taken as written.
    pub fn get(&self, place: &Pattern) -> Option<&T> {
        let mut at = self;
        for step in &place.0 {
            at = match step {
                Step::Any => at.any.as_deref()?,
                Step::Named(name) => at.named.get(name)?,
            };
        }
        at.here.as_ref()
    }

    /// Whether something is said of the value to which this way leads.
    pub fn says(&self, way: &[Key<'_>]) -> bool {
        let Some((first, rest)) = way.split_first() else {
            return self.here.is_some();
        };
        match first {
            Key::Item(at) => self.item(*at).any(|inner| inner.says(rest)),
            Key::Member(name) => self.member(name).any(|inner| inner.says(rest)),
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.here.is_none() && self.named.is_empty() && self.any.is_none()
    }

    /// What is said of this very value.
    pub fn here(&self) -> Option<&T> {
        self.here.as_ref()
    }

    /// Whether something is said of what is inside.
    pub fn leads_on(&self) -> bool {
        !self.named.is_empty() || self.any.is_some()
    }

    /// What is said of a member, under its own name first, then under `*`.
    pub fn member(&self, name: &str) -> impl Iterator<Item = &Places<T>> {
        self.named.get(name).into_iter().chain(self.any.as_deref())
    }

    /// What is said of an item, under its own number first, then under `*`.
    pub fn item(&self, at: usize) -> impl Iterator<Item = &Places<T>> {
        let named = match self.named.is_empty() {
            true => None,
            false => self.named.get(at.to_string().as_str()),
        };
        named.into_iter().chain(self.any.as_deref())
    }

    /// Visits every value of which something is said, with the way to it. Where a place is named and
    /// `*` leads to it as well, what is said of the name comes first.
    pub fn visit<'s, 'v>(
        &'s self,
        value: &'v Value,
        visitor: &mut impl FnMut(&[Key<'v>], &'v Value, &'s T),
    ) {
        self.walk(value, &mut Vec::new(), visitor);
    }

    fn walk<'s, 'v>(
        &'s self,
        value: &'v Value,
        way: &mut Vec<Key<'v>>,
        visitor: &mut impl FnMut(&[Key<'v>], &'v Value, &'s T),
    ) {
        if let Some(said) = &self.here {
            visitor(way, value, said);
        }
        if !self.leads_on() {
            return;
        }
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    way.push(Key::Item(at));
                    self.item(at)
                        .for_each(|inner| inner.walk(item, way, visitor));
                    way.pop();
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    way.push(Key::Member(name));
                    self.member(name)
                        .for_each(|inner| inner.walk(member, way, visitor));
                    way.pop();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pattern_reads_as_it_is_written() {
        for text in [
            "",
            "/a",
            "/a/b",
            "/items/*/id",
            "/a~1b/~0",
            "/0/x",
            "/ü",
            "//",
        ] {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(pattern.to_string(), text);
        }
        let deep = "/a".repeat(STEPS + 1);
        let long = format!("/{}", "a".repeat(BYTES));
        for (text, error) in [
            ("a", PatternError::Unrooted),
            ("*", PatternError::Unrooted),
            ("/a~", PatternError::Escape),
            ("/a~2", PatternError::Escape),
            (&*deep, PatternError::TooLong),
            (&*long, PatternError::TooLong),
        ] {
            assert_eq!(Pattern::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn it_is_known_whether_something_is_said_of_a_value() {
        let mut places = Places::default();
        places.insert(&Pattern::parse("/a/*/b").unwrap(), ());
        let (a, b, item) = (Key::Member("a"), Key::Member("b"), Key::Item(3));
        assert!(places.says(&[a, item, b]) && places.says(&[a, b, b]));
        assert!(!places.says(&[a, item]) && !places.says(&[b, item, b]) && !places.says(&[]));
    }

    #[test]
    fn every_place_is_visited_with_the_way_to_it() {
        let value = json!({"a": {"b": 1, "c": 2}, "list": [{"id": 1}, {"id": 2}, 3], "x/y": "~"});
        let check = |patterns: &[&str], expected: &[&str]| {
            let mut places = Places::default();
            for text in patterns {
                places.insert(&Pattern::parse(text).unwrap(), *text);
            }
            let mut seen = Vec::new();
            places.visit(&value, &mut |way, _, said: &&str| {
                seen.push(format!("{}={said}", written(way)));
            });
            assert_eq!(seen, expected, "{patterns:?}");
        };
        check(&[], &[]);
        check(&[""], &["="]);
        check(&["/a/b"], &["/a/b=/a/b"]);
        check(&["/a/*"], &["/a/b=/a/*", "/a/c=/a/*"]);
        check(&["/a/*", "/a/b"], &["/a/b=/a/b", "/a/b=/a/*", "/a/c=/a/*"]);
        check(
            &["/list/*/id"],
            &["/list/0/id=/list/*/id", "/list/1/id=/list/*/id"],
        );
        check(&["/list/1/id"], &["/list/1/id=/list/1/id"]);
        check(&["/x~1y"], &["/x~1y=/x~1y"]);
        check(&["/nowhere/*", "/a/b/deeper"], &[]);
    }
}
