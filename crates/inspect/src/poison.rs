//! Poisoned definitions: texts of a server that a model reads and that speak to the model instead of
//! saying what a thing is.
//!
//! What is said here is a suspicion with a severity, never a proof: the rules look at words and at what
//! stands near them. Hidden characters, which prove something, are told by [`crate::definition`].
//! Whether a definition is held because of a suspicion is not decided here.

mod engine;
mod folded;
mod name;
mod rules;
mod words;

pub use rules::{RULES, Rule, Techniques, named};

use crate::told::Told;
use crate::view::{self, Kind};
use controls::Severity;
use folded::Folded;
use serde::Serialize;
use serde_json::Value;
use std::ops::Range;

/// Suspicions of one severity that are told of one definition: what is harmless hides nothing that is worse.
const TOLD: usize = 64;
/// Values of a definition that are looked at; a definition that may be approved has fewer.
const VALUES: usize = 64 * 1024;
/// Characters of a text that are shown as evidence.
const EXCERPT: usize = 160;
/// White space in a row that no text needs: lines, and characters.
const LINES: usize = 20;
const BLANKS: usize = 200;

/// What a rule says of one text.
#[derive(Clone, Debug)]
pub struct Suspicion {
    /// The rule.
    pub rule: &'static Rule,
    /// Where, as a JSON Pointer into the definition.
    pub place: String,
    /// The bytes of the text at that place.
    pub range: Range<usize>,
    /// What stands there, without what is hidden in it, and not all of it if it is long.
    pub excerpt: String,
}

impl Serialize for Suspicion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut told = serializer.serialize_struct("Suspicion", 6)?;
        told.serialize_field("rule", self.rule.name)?;
        told.serialize_field("severity", &self.rule.severity)?;
        told.serialize_field("says", self.rule.says)?;
        told.serialize_field("place", &self.place)?;
        told.serialize_field("excerpt", &self.excerpt)?;
        let techniques: Vec<&str> = self.rule.techniques.ids().collect();
        told.serialize_field("techniques", &techniques)?;
        told.end()
    }
}

/// What the rules say of one text, in all its views: the rule, and the bytes of the text.
pub fn lint(text: &str) -> Vec<(&'static Rule, Range<usize>)> {
    let views = view::views(text, &view::Budget::default());
    let mut told: Vec<(&'static Rule, Range<usize>)> = Vec::new();
    let mut encoded = None;
    for seen in views.search(read) {
        let (rule, range) = (seen.what, seen.range);
        let worth =
            rule.severity >= Severity::Medium && ENCODED.iter().any(|kind| seen.kinds.has(*kind));
        if worth {
            encoded.get_or_insert(range.clone());
        }
        // What is seen in one view is mostly seen in others made of it.
        let again = |(other, at): &(&'static Rule, Range<usize>)| {
            other.name == rule.name && at.start < range.end && range.start < at.end
        };
        if !told.iter().any(again) {
            told.push((rule, range));
        }
    }
    told.extend(named("poison.encoded").zip(encoded));
    told.extend(named("poison.padding").zip(padding(text)));
    let unread = views.is_cut().then_some(0..text.len());
    told.extend(named("poison.unread").zip(unread));
    told
}

/// Ways to write something so that no person reads it.
const ENCODED: [Kind; 6] = [
    Kind::Base64,
    Kind::Hex,
    Kind::Quoted,
    Kind::Rotated,
    Kind::Smuggled,
    Kind::Escape,
];

/// What the rules say of one view.
fn read(text: &str) -> Vec<(Range<usize>, &'static Rule)> {
    let folded = Folded::of(text);
    let hits = engine::look(&folded).into_iter();
    hits.map(|hit| (folded.original(&hit.span), hit.rule))
        .collect()
}

/// The highest severity of what the rules say of a text.
pub fn worst(text: &str) -> Option<Severity> {
    lint(text).iter().map(|(rule, _)| rule.severity).max()
}

/// What the rules say of every text of a definition, member names included; most severe first. The value
/// may be anything that a server says of itself: a tool, a prompt, a resource, its instructions.
pub fn study(definition: &Value) -> Vec<Suspicion> {
    let mut told = Told::new(TOLD);
    let mut open = vec![(definition, String::new(), Within::Definition)];
    let mut values = 0;
    while let Some((value, place, within)) = open.pop() {
        values += 1;
        if values > VALUES {
            // What nobody reads must not look as if somebody had.
            if let Some(it) = unread(&place) {
                told.add(it.rule.name, it);
            }
            break;
        }
        match value {
            Value::String(text) => {
                look(text, &place, &mut told);
                if within == Within::Name
                    && let Some(it) = parameter(text, &place)
                {
                    told.add(it.rule.name, it);
                }
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().rev();
                open.extend(items.map(|(at, item)| {
                    let place = crate::definition::child(&place, &at.to_string());
                    (item, place, within.item())
                }));
            }
            Value::Object(members) => {
                for (key, member) in members.iter().rev() {
                    let place = crate::definition::child(&place, key);
                    look(key, &place, &mut told);
                    if within.names_parameters()
                        && let Some(it) = parameter(key, &place)
                    {
                        told.add(it.rule.name, it);
                    }
                    open.push((member, place, within.member(key)));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    told.sorted(|it| it.rule.severity)
}

/// What a value of a definition is there for, as far as names of parameters stand in it. A place that is
/// told does not say it: places are cut, and names are as long as a server likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Argument,
    /// The arguments of a prompt.
    Arguments,
    Definition,
    /// The name of an argument.
    Name,
    Other,
    /// The parameters of a schema, by their names.
    Parameters,
}

impl Within {
    fn member(self, key: &str) -> Self {
        match (self, key) {
            (Within::Definition, "arguments") => Within::Arguments,
            (Within::Argument, "name") => Within::Name,
            (_, "properties") => Within::Parameters,
            _ => Within::Other,
        }
    }

    fn item(self) -> Self {
        match self {
            Within::Arguments => Within::Argument,
            _ => Within::Other,
        }
    }

    fn names_parameters(self) -> bool {
        matches!(self, Within::Arguments | Within::Parameters)
    }
}

fn look(text: &str, place: &str, told: &mut Told<Suspicion>) {
    let mut rules: Vec<&str> = Vec::new();
    let named = name::study(text);
    for (rule, range) in lint(text).into_iter().chain(named) {
        // One rule is told once of one text.
        if rules.contains(&rule.name) || told.is_full(rule.name) {
            continue;
        }
        rules.push(rule.name);
        let suspicion = Suspicion {
            rule,
            place: place.to_owned(),
            excerpt: excerpt(text, &range),
            range,
        };
        told.add(rule.name, suspicion);
    }
}

fn unread(place: &str) -> Option<Suspicion> {
    Some(Suspicion {
        rule: named("poison.unread")?,
        place: place.to_owned(),
        range: 0..0,
        excerpt: String::new(),
    })
}

fn parameter(name: &str, place: &str) -> Option<Suspicion> {
    let rule = name::parameter(name)?;
    Some(Suspicion {
        rule,
        place: place.to_owned(),
        range: 0..name.len(),
        excerpt: excerpt(name, &(0..name.len())),
    })
}

/// The first stretch of white space that nobody reads past and a model does.
fn padding(text: &str) -> Option<Range<usize>> {
    let mut start = None;
    let (mut lines, mut blanks) = (0, 0);
    for (at, c) in text.char_indices() {
        if !c.is_whitespace() {
            if lines >= LINES || blanks >= BLANKS {
                return start.map(|start| start..at);
            }
            (start, lines, blanks) = (None, 0, 0);
            continue;
        }
        start.get_or_insert(at);
        blanks += 1;
        lines += usize::from(c == '\n');
    }
    // White space at the end hides nothing.
    None
}

/// What stands there, with a little of what is around it.
fn excerpt(text: &str, range: &Range<usize>) -> String {
    let end = text.floor_char_boundary(range.end.saturating_add(40));
    let start = text.floor_char_boundary(range.start.saturating_sub(40));
    let shown = text.get(start..end).unwrap_or_default();
    let shown = crate::text::clean(shown);
    let words: Vec<&str> = shown.split_whitespace().collect();
    let mut shown: String = words.join(" ").chars().take(EXCERPT).collect();
    if start > 0 {
        shown.insert(0, '…');
    }
    if end < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
