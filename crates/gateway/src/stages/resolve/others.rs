//! Prompts, resources and templates by their pinned definitions (control 9.2): what is held is not to be
//! had, however its name came to be known.

use super::{Place, Resolved};
use crate::definitions;
use crate::gate::Gate;
use crate::links::Last;
use crate::pins::Kind;
use crate::route::Served;
use crate::stages::draft::Draft;
use crate::stages::forward::every_page;
use crate::stages::refused::{self, Refused};
use protocol::{Act, Method, Revision, Sender, Target};
use serde_json::Value;

/// Whether what a message is about is pinned, and no tool.
pub(super) fn are_pinned(resolved: &Resolved) -> bool {
    let acts = resolved.method().map(|method| method.act);
    let asks = matches!(
        acts,
        Some(Act::Get | Act::Read | Act::Subscribe | Act::Complete)
    );
    let target = resolved.target();
    let pinned = matches!(
        target,
        Target::Prompt(_) | Target::Resource(_) | Target::Template(_)
    );
    asks && pinned && matches!(resolved.place, Place::One(..))
}

/// Whether what a permitted message is about may be had by its definition. Where that is not known of a
/// prompt, or not to be believed any more, the prompts that the server has now are read.
pub(in crate::stages) async fn check(
    gate: &Gate,
    call: &Resolved,
    at: usize,
    draft: &mut Draft,
) -> Result<(), Refused> {
    let act = call.method().map(|method| method.act);
    let Some(served) = call.raw().route().served(at).filter(|_| are_pinned(call)) else {
        return Ok(());
    };
    let outward = call.outward().unwrap_or_default();
    draft.ran(controls::N9_2);
    match (act, call.target()) {
        (Some(Act::Get | Act::Complete), Target::Prompt(name)) => {
            prompt(gate, call, (at, served), (outward, &name)).await
        }
        (_, Target::Resource(uri)) => {
            readable(gate, call, (at, served), (Kind::Resource, &uri), outward)
        }
        (_, Target::Template(uri)) => {
            readable(gate, call, (at, served), (Kind::Template, &uri), outward)
        }
        _ => Ok(()),
    }
}

async fn prompt(
    gate: &Gate,
    call: &Resolved,
    (at, served): (usize, &Served),
    (outward, inner): (&str, &str),
) -> Result<(), Refused> {
    let known = served.others.prompt(inner, gate.clock().unix_ms());
    // Whoever was shown something else is told what they are shown now.
    let otherwise = is_shown_otherwise(gate, call, (at, served), &Kind::Prompt.key(inner))?;
    let approved = match known.filter(|_| !otherwise) {
        Some(approved) => Some(approved),
        None => {
            let mut prompts = read(gate, call, at, served).await?.into_iter();
            let found = prompts.find(|(name, _)| name == inner);
            found.map(|(_, approved)| approved)
        }
    };
    match approved {
        Some(true) => Ok(()),
        Some(false) => Err(refused::definition_held("prompt", outward)),
        None => Err(refused::prompt_unknown(outward)),
    }
}

/// What the server calls a prompt whose name was shortened: found among the prompts it has now.
pub(super) async fn named(
    gate: &Gate,
    resolved: &Resolved,
    (at, served): (usize, &Served),
    outward: &str,
) -> Result<String, Refused> {
    let naming = resolved.raw().route().naming;
    let mut prompts = read(gate, resolved, at, served).await?.into_iter();
    let found = prompts.find(|(name, _)| naming.matches(outward, &served.name, name));
    let found = found.map(|(name, _)| name);
    found.ok_or_else(|| refused::prompt_unknown(outward))
}

/// Every prompt of the server, by name, and whether it is approved.
async fn read(
    gate: &Gate,
    resolved: &Resolved,
    at: usize,
    served: &Served,
) -> Result<Vec<(String, bool)>, Refused> {
    let list = Method::find("prompts/list", Revision::V2026_07_28, Sender::Client);
    let list = list.ok_or_else(refused::crashed)?;
    let session = resolved.session().ok_or_else(refused::session_missing)?;
    let far = session.links().far(at).await;
    let far = far.map_err(|error| refused::upstream(&error))?;
    let doubts = served.others.doubts();
    let pages = every_page(&far, list).await;
    let pages = pages.map_err(|error| refused::upstream(&error))?;
    let results = pages.iter().filter_map(|(answer, _)| answer.result());
    let prompts = results.filter_map(|result| result.get("prompts"));
    let prompts = prompts.flat_map(protocol::Value::elements);
    let prompts: Result<Vec<Value>, _> = prompts
        .map(|prompt| serde_json::from_slice(prompt.raw()))
        .collect();
    let prompts = prompts.map_err(|error| refused::answer_malformed(&error.to_string()))?;
    let all: Vec<&Value> = prompts.iter().collect();
    let told = definitions::told(gate, &far, (Kind::Prompt, &all));
    let told = told.map_err(|error| refused::catalog(&error.into()))?;
    if pages.iter().all(|(answer, _)| answer.result().is_some()) {
        served.others.trust(doubts, gate.clock().unix_ms());
    }
    let named = prompts.iter().zip(told).filter_map(|(prompt, told)| {
        let name = prompt.get("name").and_then(Value::as_str)?;
        Some((name.to_owned(), told))
    });
    Ok(named.collect())
}

/// Whether a resource or a template is to be had: one that is listed and held is not. What no list names
/// is the server's business.
fn readable(
    gate: &Gate,
    call: &Resolved,
    (at, served): (usize, &Served),
    (kind, uri): (Kind, &str),
    outward: &str,
) -> Result<(), Refused> {
    let held = served
        .others
        .is_held(&served.settled, (kind, uri), &gate.pins);
    let held = held.map_err(|error| refused::catalog(&error.into()))?;
    match held || is_shown_otherwise(gate, call, (at, served), &kind.key(uri))? {
        true => Err(refused::definition_held(kind.name(), outward)),
        false => Ok(()),
    }
}

/// Whether the caller was shown this last as something else than what is pinned, whatever others are shown.
fn is_shown_otherwise(
    gate: &Gate,
    call: &Resolved,
    (at, served): (usize, &Served),
    key: &str,
) -> Result<bool, Refused> {
    let session = call.session().ok_or_else(refused::session_missing)?;
    let last = session.links().last_shown(at, key);
    if last == Last::Alike {
        return Ok(false);
    }
    let pin = gate.pins.pin(&served.name, key);
    let pin = pin.map_err(|error| refused::catalog(&error.into()))?;
    Ok(pin.is_none_or(|pin| last.is_other_than(pin.digest)))
}
