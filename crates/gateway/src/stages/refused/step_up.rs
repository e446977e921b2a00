//! Refusals of callers who have to prove more than their token shows (control 2.4).

use super::*;
use crate::step_up::Demand;
use serde_json::json;

/// A token that shows what is asked would let the call through.
pub(in crate::stages) fn step_up_needed(demand: &Demand, challenges: Vec<HeaderValue>) -> Refused {
    let mut refused = Refused::new(
        "step_up_needed",
        controls::N2_4,
        Fault::Caller,
        "this call needs more proof of who makes it than the token shows",
        "the user signs in again as the challenge says, then the call is made again",
    );
    refused.0.refusal.remedy = match (demand.acr_values(), demand.max_age_s()) {
        ([], None) => refused.0.refusal.remedy,
        (acr, age) => {
            let acr = match acr {
                [] => String::new(),
                acr => format!(" with {}", quoted(&acr.join(" "))),
            };
            let age = age.map(|age| format!(", no more than {age} s before the call"));
            let age = age.unwrap_or_default();
            format!("the user signs in again{acr}{age}, then the call is made again").into()
        }
    };
    refused
        .status(StatusCode::UNAUTHORIZED)
        .rpc(TOKEN)
        .challenges(challenges)
        .data(json!({ "step_up": demand.told() }))
}

/// They were asked, and came back with a token that shows no more.
pub(in crate::stages) fn step_up_unmet(demand: &Demand) -> Refused {
    Refused::new(
        "step_up_unmet",
        controls::N2_4,
        Fault::Caller,
        "a new token came, and does not show what was asked for either",
        "ask whoever runs the identity provider why it does not give what the client asks it for",
    )
    .status(StatusCode::FORBIDDEN)
    .rpc(TOKEN)
    .data(json!({ "step_up": demand.told() }))
}

/// Nobody of their issuer can show it.
pub(in crate::stages) fn step_up_unset(detail: &str) -> Refused {
    Refused::new(
        "step_up_unset",
        controls::N2_4,
        Fault::Operator,
        "this call needs proof that nobody of this identity provider can show",
        "the operator says under `step_up` what callers of this issuer show",
    )
    .status(StatusCode::FORBIDDEN)
    .detail(format!("step_up: {}", quoted(detail)))
}

/// The same for scopes.
pub(in crate::stages) fn scope_unmet(scopes: &str) -> Refused {
    Refused::new(
        "scope_unmet",
        controls::N2_2,
        Fault::Caller,
        format!("a new token came, and lacks scopes of `{scopes}` either"),
        "ask whoever runs the identity provider why it does not grant what the client asks it for",
    )
    .status(StatusCode::FORBIDDEN)
    .rpc(TOKEN)
}

/// The user of this machine has no token that could show anything.
pub(in crate::stages) fn proof_impossible() -> Refused {
    Refused::new(
        "step_up_impossible",
        controls::N2_4,
        Fault::Caller,
        "this call needs more proof of who makes it, and over a pipe there is no token to show any",
        "call the tool through a gateway that listens and knows an identity provider, or ask whoever wrote the policy",
    )
}
