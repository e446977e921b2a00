//! The Cedar schema of a catalog: entity types, actions, and what a request says.
//!
//! # How JSON becomes Cedar
//!
//! Arguments arrive as JSON; Cedar has no floating point and no null. The rule is *lossless, or
//! refused*, and it is applied to what policies read and to nothing else:
//!
//! | JSON | Cedar |
//! | --- | --- |
//! | string, boolean | `String`, `Bool` |
//! | integer | `Long`; beyond 64 bits: refused |
//! | number of a property whose schema says `number` | `decimal`; more than four decimal places, or out of range: refused |
//! | any other number with a fraction | `decimal`, likewise |
//! | null | the attribute is absent |
//! | array | `Set`: order and repetition are not visible to policy |
//! | object | record |
//!
//! "Refused" is a deny that names the argument. An argument that no policy in question reads is
//! not looked at, so a long text or a deep object costs nothing and cannot be refused for its form.
//!
//! # Why arguments are typed by reach
//!
//! An action per tool would type every argument exactly, but it would put the tool into the action
//! and make `resource == Ringwall::Tool::"…"` a lie. Instead there is one `call` action, and each
//! policy is validated against the tools that its scope reaches:
//!
//! - `resource == Ringwall::Tool::"files/read"`: exactly that tool's arguments, required where its
//!   schema requires them;
//! - `resource in Ringwall::Server::"files"`: those of that server's tools;
//! - any other scope: those of every tool.
//!
//! Where a policy reaches several tools, all arguments are optional (`has` is needed), and an
//! argument that has different types in different tools has the type most of them give it; a
//! policy that reads it gets a warning, because in the other tools it will fail, which is a deny.
//! A property that Cedar cannot type (`oneOf`, free-form objects, mixed arrays) is left out, and a
//! policy that reads it is refused.
//!
//! A policy for a tool that is not in the catalog (yet) is kept, with a warning and without its
//! arguments having been checked; it cannot match until the catalog has the tool, and then it is
//! compiled again.

mod shape;

#[cfg(test)]
pub(crate) use shape::Field;
pub(crate) use shape::{Fields, Shape, fields};

use crate::catalog::{Catalog, ClaimKind};
use crate::error::{PolicyError, Problem};
use crate::names::NAMESPACE;
use crate::request::Action;
use cedar_policy::SchemaFragment;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The schema of a catalog in Cedar's JSON form, as seen by a policy that reaches everything.
pub fn generate(catalog: &Catalog) -> Value {
    document(catalog, &Inputs::of(catalog, Reach::All))
}

/// The same in Cedar's own syntax, for people and editors.
pub fn text(catalog: &Catalog) -> Result<String, PolicyError> {
    let broken =
        |told: String| PolicyError::from(Problem::general(format!("the schema is broken: {told}")));
    SchemaFragment::from_json_value(generate(catalog))
        .map_err(|error| broken(error.to_string()))?
        .to_cedarschema()
        .map_err(|error| broken(error.to_string()))
}

/// Which tools and prompts a policy's scope reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reach<'a> {
    All,
    Prompt { server: &'a str, name: &'a str },
    Server(&'a str),
    Tool { server: &'a str, name: &'a str },
}

/// The arguments that policies of one reach may read.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    call: Fields,
    get: Fields,
    /// Arguments that are of one type in some tools and of another in others.
    pub(crate) conflicts: BTreeSet<String>,
}

impl Inputs {
    pub(crate) fn of(catalog: &Catalog, reach: Reach<'_>) -> Self {
        let tools = catalog.tools.iter().filter(|tool| match reach {
            Reach::All => true,
            Reach::Prompt { .. } => false,
            Reach::Server(server) => tool.server == server,
            Reach::Tool { server, name } => tool.server == server && tool.name == name,
        });
        let prompts = catalog.prompts.iter().filter(|prompt| match reach {
            Reach::All => true,
            Reach::Tool { .. } => false,
            Reach::Server(server) => prompt.server == server,
            Reach::Prompt { server, name } => prompt.server == server && prompt.name == name,
        });
        let calls: Vec<Fields> = tools.map(|tool| fields(&tool.input_schema)).collect();
        let gets: Vec<Fields> = prompts.map(shape::of_prompt).collect();
        let one = matches!(reach, Reach::Tool { .. } | Reach::Prompt { .. });
        let (call, conflicts) = match (one, calls.as_slice()) {
            (true, [only]) => (only.clone(), BTreeSet::new()),
            _ => shape::union(&calls),
        };
        let get = match (one, gets.as_slice()) {
            (true, [only]) => only.clone(),
            _ => shape::union(&gets).0,
        };
        Inputs {
            call,
            get,
            conflicts,
        }
    }
}

/// The whole schema, with these arguments.
pub(crate) fn document(catalog: &Catalog, inputs: &Inputs) -> Value {
    let actions: Map<String, Value> = Action::ALL
        .into_iter()
        .map(|action| (action.name().to_owned(), self::action(action, inputs)))
        .collect();
    let text = || required(json!({"type": "String"}));
    let truth = || required(json!({"type": "Boolean"}));
    let texts = || required(set_of_texts());
    let entity = |attributes: Value, parents: &[&str]| {
        json!({
            "memberOfTypes": parents,
            "shape": {"type": "Record", "attributes": attributes},
        })
    };
    json!({NAMESPACE: {
        "entityTypes": {
            "Group": {},
            "User": entity(json!({
                "user": text(), "issuer": text(), "client": text(), "kind": text(),
                "actor": absent_at_times(json!({"type": "String"})),
                "actor_depth": required(json!({"type": "Long"})),
                "groups": texts(), "scopes": texts(),
                "claims": required(claims(catalog)),
                "possession": required(possession()),
            }), &["Group"]),
            "Server": entity(json!({"name": text(), "labels": texts()}), &[]),
            "Tool": entity(json!({
                "name": text(), "server": text(), "labels": texts(),
                "readOnly": truth(), "destructive": truth(),
                "idempotent": truth(), "openWorld": truth(),
            }), &["Server"]),
            "Prompt": entity(json!({
                "name": text(), "server": text(), "labels": texts(),
            }), &["Server"]),
            "Resource": entity(json!({
                "uri": text(), "scheme": text(), "server": text(), "labels": texts(),
                "listed": truth(),
            }), &["Server"]),
        },
        "actions": actions,
    }})
}

fn action(action: Action, inputs: &Inputs) -> Value {
    let things: &[&str] = match action {
        Action::Ask | Action::Use => &["Server"],
        Action::Approve | Action::Call => &["Tool"],
        Action::Complete => &["Prompt", "Resource"],
        Action::Get => &["Prompt"],
        Action::List => &["Tool", "Prompt", "Resource"],
        Action::Read => &["Resource"],
    };
    let mut attributes = circumstances();
    let arguments = match action {
        // Whoever approves a call may look at the arguments of exactly that call.
        Action::Approve | Action::Call => Some(shape::record(&inputs.call)),
        // A list knows no arguments, but a policy for both must be able to ask for them.
        Action::List => Some(shape::record(&shape::optional(&inputs.call))),
        Action::Get => Some(shape::record(&inputs.get)),
        Action::Complete => Some(shape::record(&shape::completion())),
        Action::Ask | Action::Read | Action::Use => None,
    };
    if let Some(arguments) = arguments {
        attributes.insert("arguments".to_owned(), required(arguments));
    }
    if action == Action::Approve {
        for name in ["requester", "needs"] {
            attributes.insert(name.to_owned(), required(json!({"type": "String"})));
        }
    }
    if matches!(action, Action::Ask | Action::Use) {
        attributes.insert("method".to_owned(), required(json!({"type": "String"})));
    }
    json!({"appliesTo": {
        "principalTypes": ["User"],
        "resourceTypes": things,
        "context": {"type": "Record", "attributes": attributes},
    }})
}

/// What every request says, whatever is asked.
fn circumstances() -> Map<String, Value> {
    let session = json!({"type": "Record", "attributes": {
        "age_s": required(json!({"type": "Long"})),
        "calls": required(json!({"type": "Long"})),
    }});
    [
        ("findings", required(set_of_texts())),
        ("labels", required(set_of_texts())),
        ("suspicions", required(set_of_texts())),
        (
            "now",
            required(json!({"type": "Extension", "name": "datetime"})),
        ),
        (
            "source",
            absent_at_times(json!({"type": "Extension", "name": "ipaddr"})),
        ),
        ("session", absent_at_times(session)),
        ("client", absent_at_times(json!({"type": "String"}))),
        ("auth_age_s", absent_at_times(json!({"type": "Long"}))),
        ("purpose", absent_at_times(json!({"type": "String"}))),
    ]
    .into_iter()
    .map(|(name, of)| (name.to_owned(), of))
    .collect()
}

fn claims(catalog: &Catalog) -> Value {
    let attributes: Map<String, Value> = catalog
        .claims
        .iter()
        .map(|claim| {
            let of = match claim.kind {
                ClaimKind::Flag => json!({"type": "Boolean"}),
                ClaimKind::Number => json!({"type": "Long"}),
                ClaimKind::Text => json!({"type": "String"}),
                ClaimKind::Texts => set_of_texts(),
            };
            (claim.name.clone(), absent_at_times(of))
        })
        .collect();
    json!({"type": "Record", "attributes": attributes})
}

/// What the caller has shown to hold for this request, each way as a thumbprint; a way that they did not
/// is absent.
fn possession() -> Value {
    let thumbprint = || absent_at_times(json!({"type": "String"}));
    let ways = json!({"dpop": thumbprint(), "certificate": thumbprint()});
    json!({"type": "Record", "attributes": ways})
}

fn set_of_texts() -> Value {
    json!({"type": "Set", "element": {"type": "String"}})
}

fn required(of: Value) -> Value {
    with_required(of, true)
}

fn absent_at_times(of: Value) -> Value {
    with_required(of, false)
}

fn with_required(mut of: Value, required: bool) -> Value {
    if let Some(object) = of.as_object_mut() {
        object.insert("required".to_owned(), Value::Bool(required));
    }
    of
}

#[cfg(test)]
mod tests;
