//! One compiled schema and the bounds under which it is run.

use super::Budget;
use super::cost::{Cost, Work};
use super::error::{SchemaError, shorten};
use super::graph::{self, Graph, Kind};
use super::meter;
use super::pattern;
use super::size::Size;
use super::violation::{self, Hush, Violation};
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use referencing::Draft;
use serde_json::Value;

/// Steps one check may take; a step is a look at one part of a value with one subschema.
pub(super) const STEPS: u64 = 4 << 20;
/// Work for each part of a value beyond which it is paid for as it happens, where that is possible.
const WIDE: u64 = 256;
/// Subschemas that may be open at once: each takes stack.
const OPEN: u64 = 1024;
/// Steps of a failed check beyond which nobody looks for everything that is wrong: each step may
/// leave an error behind.
const EXPLAINED: u64 = 32 << 10;

/// A schema that can be run.
#[derive(Debug)]
pub(super) struct Check {
    validator: Validator,
    /// What is due before anything runs.
    due: Work,
    /// Whether references are paid for as they are followed.
    metered: bool,
    /// Whether what is wrong can be looked for within bounds.
    explains: bool,
    chain: u64,
    /// Subschemas that can be open at once, if that has a bound.
    height: Option<u64>,
}

/// Why a value does not pass.
pub(super) enum Failure {
    /// It breaks the schema.
    Broken(Vec<Violation>),
    /// It cannot be checked within the bounds.
    Unbounded(&'static str),
}

impl Check {
    pub(super) fn of(document: &Value, draft: Draft, budget: &Budget) -> Result<Self, SchemaError> {
        let graph = Graph::of(document, draft)?;
        let cost = Cost::of(&graph, &pattern::prices(&graph, budget.pattern_bytes)?)?;
        let references = graph
            .nodes
            .iter()
            .any(|node| node.edges.iter().any(|edge| edge.kind == Kind::Reference));
        let metered = cost.recursive || (references && cost.whole.per_part > WIDE);
        let stretch = cost.stretches.first().copied().unwrap_or_default();
        let validator = if metered {
            build(&guarded(document, &graph, &cost, draft), draft)?
        } else {
            build(document, draft)?
        };
        Ok(Check {
            validator,
            due: if metered { stretch } else { cost.whole },
            metered,
            explains: !metered || meter::explains(draft),
            chain: u64::from(cost.chain),
            height: (!cost.recursive).then_some(u64::from(cost.height)),
        })
    }

    /// Checks a value of a known size.
    pub(super) fn run(&self, value: &Value, size: Size, hush: Hush<'_>) -> Result<(), Failure> {
        let reachable = u64::from(size.depth).saturating_mul(self.chain);
        if self
            .height
            .map_or(reachable, |height| height.min(reachable))
            > OPEN
        {
            return Err(Failure::Unbounded("nest the value less deeply"));
        }
        let due = size.costs(self.due);
        let Some(left) = STEPS.checked_sub(due) else {
            return Err(Failure::Unbounded("shorten the value"));
        };
        let spent = if self.metered {
            match meter::within(left, || self.validator.is_valid(value)) {
                None => return Err(Failure::Unbounded("shorten or simplify the value")),
                Some((true, _)) => return Ok(()),
                Some((false, left)) => STEPS - left,
            }
        } else if self.validator.is_valid(value) {
            return Ok(());
        } else {
            due
        };
        Err(Failure::Broken(self.explain((value, hush), spent)))
    }

    /// What is wrong with a value that failed, as far as telling it is bounded.
    fn explain(&self, (value, hush): (&Value, Hush<'_>), spent: u64) -> Vec<Violation> {
        if spent > EXPLAINED || !self.explains {
            return vec![violation::unexplained()];
        }
        let explain = || violation::all(self.validator.iter_errors(value), hush);
        let told = meter::within(EXPLAINED, explain)
            .map(|(told, _)| told)
            .unwrap_or_default();
        if told.is_empty() {
            vec![violation::unexplained()]
        } else {
            told
        }
    }
}

/// The document with a meter before each reference.
fn guarded(document: &Value, graph: &Graph<'_>, cost: &Cost, draft: Draft) -> Value {
    let mut guarded = document.clone();
    for node in &graph.nodes {
        let targets = node
            .edges
            .iter()
            .filter(|edge| edge.kind == Kind::Reference);
        let work = targets
            .filter_map(|edge| cost.stretches.get(edge.to))
            .copied();
        let Some(work) = work.reduce(Work::or) else {
            continue;
        };
        if let Some(Value::Object(keywords)) = guarded.pointer_mut(&node.pointer) {
            meter::guard(keywords, draft, work);
        }
    }
    guarded
}

fn build(document: &Value, draft: Draft) -> Result<Validator, SchemaError> {
    jsonschema::options()
        .offline()
        .with_draft(draft)
        .with_pattern_options(pattern::largest())
        .with_keyword(meter::KEYWORD, meter::keyword)
        .build(document)
        .map_err(|error| {
            let pointer = shorten(error.instance_path().as_str());
            let parts = error.into_parts();
            match parts.kind {
                ValidationErrorKind::Referencing(error) => graph::refused(error, &pointer),
                kind => SchemaError::Invalid {
                    pointer,
                    reason: violation::message((&kind, &|_| None), &parts.instance, ""),
                },
            }
        })
}
