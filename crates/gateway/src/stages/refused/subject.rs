//! Refusals of what a message is about: unknown, not approved, off schema, denied.

use super::*;
use crate::content::Because;

pub(in crate::stages) fn tool_unknown(tool: &str) -> Refused {
    let reason = format!("unknown tool: {}", quoted(tool));
    Refused::new(
        "tool_unknown",
        controls::N2_2,
        Fault::Caller,
        reason,
        "call a tool that `tools/list` names",
    )
    .rpc(codes::INVALID_PARAMS)
}

pub(in crate::stages) fn definition_waits(tool: &str) -> Refused {
    definition_held("tool", tool)
}

/// Anything whose definition nobody approved or which is another now.
pub(in crate::stages) fn definition_held(kind: &str, name: &str) -> Refused {
    let told = format!("of {kind} {} is not approved", quoted(name));
    definition_unapproved(&told)
}

fn definition_unapproved(told: &str) -> Refused {
    let remedy = "the operator reviews it with `ringwall tools diff` and `ringwall tools approve`";
    Refused::new(
        "definition_unapproved",
        controls::N9_2,
        Fault::Operator,
        format!("the definition {told}"),
        remedy,
    )
    .rpc(DEFINITION)
}

pub(in crate::stages) fn definition_changed(tool: &str) -> Refused {
    let reason = format!(
        "the definition of tool {} is not the one that was approved",
        quoted(tool)
    );
    let remedy = "the operator compares them with `ringwall tools diff` and decides";
    Refused::new(
        "definition_changed",
        controls::N9_2,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(DEFINITION)
}

pub(in crate::stages) fn definition_unusable(tool: &str, why: &str) -> Refused {
    let reason = format!(
        "the definition of tool {} cannot be enforced: {why}",
        quoted(tool)
    );
    let remedy = "the server's operator corrects the definition";
    Refused::new(
        "definition_unusable",
        controls::N1_2,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(DEFINITION)
}

/// The same of a definition that could be enforced, were it not for a setting of the operator's.
pub(in crate::stages) fn definition_misfit(tool: &str, why: &str) -> Refused {
    let reason = format!(
        "the definition of tool {} cannot be enforced: {why}",
        quoted(tool)
    );
    let remedy = "the operator corrects `content.minimise`: `ringwall check` says where";
    Refused::new(
        "definition_unusable",
        controls::N1_2,
        Fault::Operator,
        reason,
        remedy,
    )
    .rpc(DEFINITION)
}

pub(in crate::stages) fn arguments(problem: String) -> Refused {
    let remedy = "send arguments that fit the tool's inputSchema";
    Refused::new(
        "arguments_schema",
        controls::N1_2,
        Fault::Caller,
        problem,
        remedy,
    )
    .rpc(codes::INVALID_PARAMS)
    .for_the_model()
}

/// An argument is not what its parameter means.
pub(in crate::stages) fn argument_meaning(
    place: &str,
    rule: &'static str,
    remedy: &'static str,
) -> Refused {
    let pointer = place.strip_prefix("/params/arguments").unwrap_or(place);
    value_meaning(pointer, rule, remedy).for_the_model()
}

/// The same of what no model wrote for a tool: an argument of a prompt, the URI of a resource.
pub(in crate::stages) fn value_meaning(
    place: &str,
    rule: &'static str,
    remedy: &'static str,
) -> Refused {
    let meant = rule.split('.').next().unwrap_or(rule);
    let reason = format!(
        "the value at {} is no {meant} as the server takes it ({rule})",
        quoted(place)
    );
    Refused::new(
        "argument_meaning",
        controls::N1_1,
        Fault::Caller,
        reason,
        remedy,
    )
    .rpc(codes::INVALID_PARAMS)
}

/// The operator says for which purposes the tool may be called, and this is none of them.
pub(in crate::stages) fn purpose_unknown() -> Refused {
    let reason = "the tool is there for certain purposes only, and this call is for none of them";
    let remedy = "get a token that says what the call is for, or use a route that is there for it";
    Refused::new(
        "purpose_unknown",
        controls::P1,
        Fault::Caller,
        reason,
        remedy,
    )
}

/// What a client said is not let pass.
pub(in crate::stages) fn content(because: &Because) -> Refused {
    match because {
        Because::Data { place, label } => data(label, place),
        Because::HiddenText { place, rule } => hidden_text(rule, place),
        Because::Unmarked => super::unsealed(),
    }
}

/// It says what is there and where, and never what it is: the caller knows, and others may read this.
fn data(label: &str, place: &str) -> Refused {
    let reason = format!("data that may not go there ({label}) at {}", quoted(place));
    let remedy = "leave it out, or send the token that stands for it; the operator sets \
                  `content.data` for this server";
    Refused::new(
        "data_refused",
        controls::N1_1,
        Fault::Caller,
        reason,
        remedy,
    )
    .rpc(codes::INVALID_PARAMS)
}

fn hidden_text(rule: &str, place: &str) -> Refused {
    let reason = format!("hidden characters ({rule}) at {}", quoted(place));
    let remedy = "send text that people can see";
    Refused::new("hidden_text", controls::N1_1, Fault::Caller, reason, remedy)
        .rpc(codes::INVALID_PARAMS)
}

pub(in crate::stages) fn denied(act: &str, subject: &str, because: Option<&str>) -> Refused {
    let because = because
        .map(|because| format!(": {because}"))
        .unwrap_or_default();
    let reason = format!(
        "policy does not allow this caller to {act} {}{because}",
        quoted(subject)
    );
    let remedy = "ask the operator, who sees why with `ringwall policy explain`";
    Refused::new(
        "policy_denied",
        controls::N2_2,
        Fault::Caller,
        reason,
        remedy,
    )
}

pub(in crate::stages) fn policy_failed() -> Refused {
    Refused::new(
        "policy_failed",
        controls::N2_2,
        Fault::Operator,
        "a policy could not be evaluated for this call",
        "the operator finds the error in the record of this call",
    )
}

pub(in crate::stages) fn catalog(error: &crate::definitions::DefinitionsError) -> Refused {
    let reason = format!("the server's tools cannot be read: {error}");
    let remedy = "try again later; the operator finds the cause in the record of this call";
    Refused::new(
        "catalog_unavailable",
        controls::N9_2,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}
