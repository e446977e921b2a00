//! Work that is paid for while it happens.
//!
//! Where references lead back, the work of a check depends on the value in ways nobody can say
//! beforehand. Each pass through a reference then pays, before it happens, for everything up to the
//! next references. When the budget is used up every pass fails, so the check ends; what it would
//! have said is thrown away.

use super::cost::Work;
use super::size::Size;
use jsonschema::paths::Location;
use jsonschema::{Draft, Keyword, ValidationError};
use serde_json::{Map, Value, json};
use std::cell::Cell;

/// The keyword that stands before each reference. A schema that comes with it loses it.
pub(super) const KEYWORD: &str = "\u{0}ringwall";

const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

thread_local! {
    /// What the check that runs on this thread may still spend. The validator calls its keywords
    /// without a context, so the budget of a call cannot be handed in; it never outlives the call.
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// Runs a check within a budget: what it said and what it left, or nothing if it ran out.
pub(super) fn within<T>(budget: u64, check: impl FnOnce() -> T) -> Option<(T, u64)> {
    // One more than the budget, so that nothing left means that it ran out.
    LEFT.set(budget.saturating_add(1));
    let said = check();
    match LEFT.replace(0) {
        0 => None,
        left => Some((said, left - 1)),
    }
}

struct Meter(Work);

impl Meter {
    fn pays(&self, value: &Value) -> bool {
        let left = LEFT.get();
        let work = Size::up_to(value, left).map(|size| size.costs(self.0));
        let rest = work.map_or(0, |work| left.saturating_sub(work));
        LEFT.set(rest);
        rest > 0
    }
}

impl<'i> Keyword<'i> for Meter {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.pays(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom("out of budget"))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.pays(instance)
    }
}

/// Makes the meter out of what [`guard`] wrote.
pub(super) fn keyword<'a>(
    _: &'a Map<String, Value>,
    value: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let number = |at: usize| value.get(at).and_then(Value::as_u64).unwrap_or(u64::MAX);
    Ok(Box::new(Meter(Work {
        per_part: number(0),
        per_byte: number(1),
        per_pair: number(2),
    })))
}

/// Whether errors can be collected from behind a meter: `allOf` collects those of all its branches,
/// also of those behind one that failed. `if` never enters what it excludes.
pub(super) fn explains(draft: Draft) -> bool {
    draft >= Draft::Draft7
}

/// Puts a meter before each reference of a subschema, so that none is entered without paying.
///
/// References and their siblings stay siblings where a dialect reads both; where it reads only the
/// reference, the siblings that mean something go.
pub(super) fn guard(keywords: &mut Map<String, Value>, draft: Draft, work: Work) {
    let mut branches = Vec::new();
    for reference in REFERENCES {
        if let Some(target) = keywords.shift_remove(reference) {
            let meter = json!({ KEYWORD: [work.per_part, work.per_byte, work.per_pair] });
            let mut followed = Map::new();
            followed.insert(reference.to_owned(), target);
            branches.push(if explains(draft) {
                json!({ "if": meter, "then": followed, "else": false })
            } else {
                // The branches are checked in order, and the first that fails ends it.
                json!({ "allOf": [meter, followed] })
            });
        }
    }
    if draft <= Draft::Draft7 {
        strip(keywords);
    }
    match keywords.get_mut("allOf") {
        Some(Value::Array(all)) => all.extend(branches),
        _ => {
            keywords.insert("allOf".to_owned(), Value::Array(branches));
        }
    }
}

/// Removes everything but definitions, for dialects in which a reference stands alone.
pub(super) fn strip(keywords: &mut Map<String, Value>) {
    keywords.retain(|keyword, _| {
        REFERENCES.contains(&keyword.as_str())
            || matches!(keyword.as_str(), "definitions" | "$defs" | "$schema")
    });
}
