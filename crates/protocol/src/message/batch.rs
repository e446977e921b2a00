//! Batches, which only 2025-03-26 has: an array of messages in one text. Nothing else in the crate
//! knows that they exist.

use super::{Id, Message, Shape};
use crate::document::{Document, Kind, Limits, Value};
use crate::flaw::{Flaw, FlawKind};
use crate::revision::Rules;
use std::collections::HashSet;

pub(super) fn read(
    document: Document,
    rules: &Rules,
    limits: &Limits,
) -> Result<Vec<Message>, Flaw> {
    let root = document.root();
    let start = root.range().start;
    if root.kind() != Kind::Array {
        return Ok(vec![Message::read(document)?]);
    }
    if !rules.batches {
        return Err(Flaw::at(FlawKind::Batch, start));
    }
    if root.count() == 0 {
        return Err(Flaw::at(FlawKind::EmptyBatch, start));
    }
    if root.count() > rules.batch_max {
        return Err(Flaw::at(FlawKind::TooManyMembers, start));
    }
    let mut known = HashSet::new();
    root.elements()
        .map(|element| one(element, limits, &mut known))
        .collect()
}

fn one(element: Value<'_>, limits: &Limits, known: &mut HashSet<Id>) -> Result<Message, Flaw> {
    let start = element.range().start;
    let message = Document::read(element.slice(), limits)
        .and_then(Message::read)
        .map_err(|flaw| flaw.shifted(start))?;
    if message.method() == "initialize" {
        return Err(Flaw::at(FlawKind::InitializeInBatch, start));
    }
    let repeated = |id| !known.insert(id);
    if message.shape() == Shape::Request && message.id().is_some_and(repeated) {
        return Err(Flaw::at(FlawKind::RepeatedId, start));
    }
    Ok(message)
}
