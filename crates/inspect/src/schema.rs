//! JSON Schema of a pinned definition, compiled once and checked on every call.
//!
//! It never fetches anything: a reference leads somewhere inside the same document or the schema
//! is refused. It never runs without a bound: what compiling and checking may cost is settled by
//! [`Budget`] and by the limits of this module before either starts.

mod check;
mod closed;
mod cost;
mod error;
mod graph;
mod meter;
mod pattern;
mod size;
mod violation;

pub use error::SchemaError;
pub use violation::{Hush, Violation, Violations};

use check::{Check, Failure};
use closed::Alternatives;
use error::shorten;
use referencing::Draft;
use serde_json::Value;
use size::Size;
use std::io;

/// Whether properties that a schema does not name are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// Properties must be named by the schema, unless it says otherwise in a word.
    Strict,
    /// The schema is taken exactly as it was written.
    Declared,
}

/// What one schema may cost to hold and to compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of the schema, as compact JSON.
    pub bytes: usize,
    /// Levels of nesting of the schema document.
    pub depth: usize,
    /// Subschemas, reachable or not.
    pub subschemas: usize,
    /// Bytes of all regular expressions together.
    pub pattern_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            bytes: 256 * 1024,
            depth: 64,
            subschemas: 4096,
            pattern_bytes: 16 * 1024,
        }
    }
}

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    /// What every value must pass; none if every value passes.
    checks: Vec<Check>,
}

impl Schema {
    /// Compiles a schema, or says why it cannot be enforced.
    pub fn compile(
        definition: &Value,
        strictness: Strictness,
        budget: &Budget,
    ) -> Result<Schema, SchemaError> {
        budget.covers(definition)?;
        let draft = dialect(definition)?;
        if says_nothing(definition) {
            return Ok(Schema { checks: Vec::new() });
        }
        if let Err(error) = jsonschema::meta::validate(definition) {
            return Err(SchemaError::Invalid {
                pointer: shorten(error.instance_path().as_str()),
                reason: violation::message(
                    (error.kind(), &|_| None),
                    error.instance(),
                    error.instance_path().as_str(),
                ),
            });
        }
        // Also where it is only closed later: closing starts from bounded references.
        let declared = Check::of(definition, draft, budget)?;
        if strictness == Strictness::Declared {
            return Ok(Schema {
                checks: vec![declared],
            });
        }
        let graph = graph::Graph::of(definition, draft)?;
        let longest = budget.bytes.saturating_mul(4);
        let close = |alternatives| {
            let closed = closed::close(definition, &graph, draft, alternatives, longest)?;
            let check = Check::of(&closed.document, draft, budget)?;
            Ok((check, closed.and_declared))
        };
        let (strict, and_declared) = match close(Alternatives::Apart) {
            Err(SchemaError::TooLarge { .. }) => close(Alternatives::Together)?,
            closed => closed?,
        };
        let checks = if and_declared {
            vec![declared, strict]
        } else {
            vec![strict]
        };
        Ok(Schema { checks })
    }

    /// Checks one value.
    pub fn check(&self, value: &Value) -> Result<(), Violations> {
        self.check_hushed(value, &|_| None)
    }

    /// The same, where not every name of a member may be told.
    pub fn check_hushed(&self, value: &Value, hush: Hush<'_>) -> Result<(), Violations> {
        if self.checks.is_empty() {
            return Ok(());
        }
        let failed = |violations| Err(Violations::new(violations));
        let Some(size) = Size::of(value) else {
            return failed(vec![violation::unbounded("nest the value less deeply")]);
        };
        for check in &self.checks {
            match check.run(value, size, hush) {
                Ok(()) => {}
                Err(Failure::Broken(violations)) => return failed(violations),
                Err(Failure::Unbounded(remedy)) => {
                    return failed(vec![violation::unbounded(remedy)]);
                }
            }
        }
        Ok(())
    }

    /// Whether every value passes.
    pub fn is_trivial(&self) -> bool {
        self.checks.is_empty()
    }
}

impl Budget {
    fn covers(&self, definition: &Value) -> Result<(), SchemaError> {
        let too_large = |what, limit| Err(SchemaError::TooLarge { what, limit });
        let mut subschemas = 0usize;
        let mut embedded = 0usize;
        let mut open = vec![(definition, 1usize)];
        while let Some((value, depth)) = open.pop() {
            if depth > self.depth {
                return too_large("levels of nesting", self.depth);
            }
            match value {
                Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
                Value::Object(members) => {
                    subschemas += 1;
                    let named = |keyword| members.get(keyword).is_some_and(Value::is_string);
                    embedded += usize::from(named("$id") || named("id"));
                    open.extend(members.values().map(|member| (member, depth + 1)));
                }
                _ => {}
            }
        }
        if subschemas > self.subschemas {
            return too_large("subschemas", self.subschemas);
        }
        if embedded > EMBEDDED {
            return too_large("subschemas with an id of their own", EMBEDDED);
        }
        let mut room = Room(self.bytes);
        match serde_json::to_writer(&mut room, definition) {
            Ok(()) => Ok(()),
            Err(_) => too_large("bytes", self.bytes),
        }
    }
}

/// Embedded resources a schema may have: what a dynamic reference means depends on which of them
/// were passed on the way, and each way is compiled.
const EMBEDDED: usize = 16;

/// Counts what is written until it does not fit.
struct Room(usize);

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(bytes.len()) {
            Some(left) => self.0 = left,
            None => return Err(io::ErrorKind::WriteZero.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The dialect a schema declares; 2020-12 if it declares none.
fn dialect(definition: &Value) -> Result<Draft, SchemaError> {
    let keywords = match definition {
        Value::Bool(_) => return Ok(Draft::Draft202012),
        Value::Object(keywords) => keywords,
        _ => return Err(SchemaError::NotASchema),
    };
    let declared = match keywords.get("$schema") {
        None => return Ok(Draft::Draft202012),
        Some(Value::String(declared)) => declared.as_str(),
        Some(other) => {
            return Err(SchemaError::Dialect {
                dialect: shorten(&other.to_string()),
            });
        }
    };
    match Draft::from_schema_uri(declared) {
        Draft::Unknown => Err(SchemaError::Dialect {
            dialect: shorten(declared),
        }),
        known => Ok(known),
    }
}

/// Whether a schema has nothing but words about itself.
fn says_nothing(definition: &Value) -> bool {
    match definition {
        Value::Bool(verdict) => *verdict,
        Value::Object(keywords) => keywords.keys().all(|keyword| {
            matches!(
                keyword.as_str(),
                "$schema"
                    | "$id"
                    | "$comment"
                    | "title"
                    | "description"
                    | "default"
                    | "examples"
                    | "$defs"
                    | "definitions"
                    | "deprecated"
                    | "readOnly"
                    | "writeOnly"
            )
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
