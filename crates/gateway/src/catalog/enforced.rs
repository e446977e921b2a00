//! What a definition of a tool asks of whoever calls it, if it can be enforced. Whether anybody approved the
//! definition is not asked here.

use config::settled;
use inspect::schema::{Budget, Schema, Strictness};
use protocol::mirror::Params;
use protocol::{Document, Limits};
use serde_json::Value;

/// The schemas of a definition, compiled.
#[derive(Debug)]
pub(crate) struct Enforced {
    /// What arguments must look like.
    pub(super) input: Schema,
    /// What `structuredContent` must look like, if it says.
    pub(super) output: Option<Schema>,
    /// Which arguments a modern client repeats in headers.
    pub(super) mirror: Params,
}

impl Enforced {
    /// What this definition asks, read as strictly as the operator says; or why that cannot be enforced.
    pub(crate) fn of(definition: &Value, read: settled::Schema) -> Result<Self, String> {
        let strictness = match read {
            settled::Schema::Strict => Strictness::Strict,
            settled::Schema::Declared => Strictness::Declared,
        };
        let budget = Budget::default();
        let input = definition
            .get("inputSchema")
            .ok_or_else(|| "it has no inputSchema".to_owned())?;
        let mirror = mirror(input)?;
        let input = Schema::compile(input, strictness, &budget)
            .map_err(|error| format!("inputSchema: {error}"))?;
        // A server may add to its answers what it did not declare; it is screened like the rest.
        let output = definition.get("outputSchema");
        let output = output.map(|schema| Schema::compile(schema, Strictness::Declared, &budget));
        let output = output
            .transpose()
            .map_err(|error| format!("outputSchema: {error}"))?;
        Ok(Enforced {
            input,
            output,
            mirror,
        })
    }
}

/// The arguments that headers repeat (rule H9).
fn mirror(input: &Value) -> Result<Params, String> {
    let text = input.to_string();
    let limits = Limits {
        bytes: text.len(),
        ..Limits::default()
    };
    let read = Document::read(text.into(), &limits);
    let document = read.map_err(|flaw| format!("inputSchema: {flaw}"))?;
    Params::read(document.root()).map_err(|error| format!("inputSchema: {error}"))
}
