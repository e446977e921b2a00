//! What a caller hears who has to show more than their token does (control 2.4): a challenge that clients
//! know how to follow, as long as there is hope that it helps, and otherwise that it does not.

use super::Inspected;
use crate::gate::Gate;
use crate::stages::identify;
use crate::stages::refused::{self, Refused};
use crate::step_up::{Asked, Demand};
use http::HeaderValue;
use identity::{Challenge, Scheme};
use policy::Lift;
use std::borrow::Cow;

/// The refusal of a call that these lifts would let through, for the part that its caller can fulfil by
/// themselves; nothing if there is none.
pub(super) fn wanted(gate: &Gate, call: &Inspected, lifts: &[Lift]) -> Option<Refused> {
    let first = lifts.first()?;
    if matches!(first, Lift::Approval(_)) {
        return None;
    }
    if call.caller().is_local() {
        return Some(refused::proof_impossible());
    }
    let scopes = scopes(call, lifts);
    let step_up = lifts.iter().find_map(|lift| match lift {
        Lift::StepUp(detail) => Some((lift, detail)),
        _ => None,
    });
    Some(match step_up {
        Some((lift, detail)) => step_up_wanted(gate, call, (lift, detail), &scopes),
        None => scopes_wanted(gate, call, first, &scopes),
    })
}

fn step_up_wanted(
    gate: &Gate,
    call: &Inspected,
    (lift, detail): (&Lift, &str),
    scopes: &[Cow<'_, str>],
) -> Refused {
    let caller = call.caller();
    let runtime = gate.runtime();
    let demand = Demand::of(detail, &runtime.settled, caller.issuer());
    let Some(demand) = demand.filter(Demand::can_be_shown) else {
        return refused::step_up_unset(detail);
    };
    if !Asked::ask(gate, caller, call.principal(), &lift.to_string()) {
        return refused::step_up_unmet(&demand);
    }
    let Some(wanted) = demand.authentication() else {
        return refused::step_up_unset(detail);
    };
    let text = "this call needs more proof of who makes it";
    let challenges = challenges(call, |challenge| {
        challenge.scopes(scopes).authentication(&wanted, text)
    });
    refused::step_up_needed(&demand, challenges)
}

fn scopes_wanted(gate: &Gate, call: &Inspected, lift: &Lift, scopes: &[Cow<'_, str>]) -> Refused {
    let all = scopes.join(" ");
    if !Asked::ask(gate, call.caller(), call.principal(), &lift.to_string()) {
        return refused::scope_unmet(&all);
    }
    let challenges = challenges(call, |challenge| {
        let text = "this call needs more scopes";
        challenge
            .scopes(scopes)
            .error(Some("insufficient_scope"), text)
    });
    refused::scope_missing(&all, challenges)
}

/// Every scope that this call needs, those that the token has among them: a client that asks for what it
/// is told gets a token that can do no less than before.
fn scopes<'a>(call: &'a Inspected, lifts: &'a [Lift]) -> Vec<Cow<'a, str>> {
    let route = call.raw().route().scopes.iter().map(String::as_str);
    let held = call.caller().scopes().iter().map(String::as_str);
    let asked = lifts.iter().flat_map(|lift| match lift {
        Lift::Scope(scopes) => scopes.split_whitespace(),
        Lift::Approval(_) | Lift::StepUp(_) => "".split_whitespace(),
    });
    let mut all: Vec<Cow<'a, str>> = Vec::new();
    for scope in route.chain(held).chain(asked) {
        if !all.iter().any(|known| known == scope) {
            all.push(Cow::Borrowed(scope));
        }
    }
    all
}

/// What is said of the way in which the token was brought: one that is bound to a key came with a proof.
fn challenges(call: &Inspected, say: impl Fn(Challenge) -> Challenge) -> Vec<HeaderValue> {
    let scheme = match call.caller().confirmation().key {
        Some(_) => Scheme::Dpop,
        None => Scheme::Bearer,
    };
    identify::challenges_of(call.raw().route(), Some(scheme), say)
}
