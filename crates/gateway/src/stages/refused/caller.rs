//! Refusals that concern the caller: token, session, rates and seats.

use super::*;

pub(in crate::stages) fn token(
    error: &identity::TokenError,
    challenges: Vec<HeaderValue>,
) -> Refused {
    let remedy = "get a token for this resource; the challenge names where its metadata lies";
    let refused = Refused::new(
        error.code(),
        match error {
            identity::TokenError::Confirmation => error.control(),
            _ => controls::M1,
        },
        Fault::Caller,
        error.to_string(),
        remedy,
    );
    refused
        .status(StatusCode::UNAUTHORIZED)
        .rpc(TOKEN)
        .challenges(challenges)
}

pub(in crate::stages) fn issuer_away(error: &identity::TokenError) -> Refused {
    let remedy = "try again; the identity provider could not be asked";
    Refused::new(
        error.code(),
        controls::N2_1,
        Fault::Upstream,
        error.to_string(),
        remedy,
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(TOKEN)
    .after(Duration::from_secs(5))
}

pub(in crate::stages) fn token_revoked(challenges: Vec<HeaderValue>) -> Refused {
    let refused = Refused::new(
        "token_revoked",
        controls::N8_3,
        Fault::Caller,
        "the token, or whoever it speaks for, was revoked",
        "log in again; if that does not help, ask whoever runs this gateway",
    );
    refused
        .status(StatusCode::UNAUTHORIZED)
        .rpc(TOKEN)
        .challenges(challenges)
}

pub(in crate::stages) fn revocations_unreadable() -> Refused {
    Refused::new(
        "revocations_unreadable",
        controls::N8_3,
        Fault::Us,
        "whose tokens were revoked cannot be read now",
        "try again; the operator looks at `state.db`",
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(OURSELVES)
    .after(Duration::from_secs(5))
}

pub(in crate::stages) fn bearer(
    error: &identity::BearerError,
    challenges: Vec<HeaderValue>,
) -> Refused {
    let remedy =
        "send exactly one header `Authorization`: `Bearer <token>`, or `DPoP <token>` with a proof";
    let refused = Refused::new(
        error.code(),
        controls::M2,
        Fault::Caller,
        error.to_string(),
        remedy,
    );
    let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::UNAUTHORIZED);
    refused.status(status).rpc(TOKEN).challenges(challenges)
}

pub(in crate::stages) fn scope_missing(scopes: &str, challenges: Vec<HeaderValue>) -> Refused {
    let reason = format!("the token lacks a scope this route needs: `{scopes}`");
    let remedy = format!("get a token with the scopes `{scopes}`");
    let refused = Refused::new("token_scope", controls::N2_2, Fault::Caller, reason, remedy);
    refused
        .status(StatusCode::FORBIDDEN)
        .rpc(TOKEN)
        .challenges(challenges)
}

pub(in crate::stages) fn session_missing() -> Refused {
    Refused::new(
        "session_missing",
        controls::N8_2,
        Fault::Caller,
        "this message needs a session and names none",
        "send `initialize` first, then its `Mcp-Session-Id` on every message",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(SESSION)
}

pub(in crate::stages) fn session_unknown() -> Refused {
    Refused::new(
        "session_unknown",
        controls::N8_2,
        Fault::Caller,
        "this caller has no such session: it ended, or was never theirs",
        "send `initialize` again without `Mcp-Session-Id`",
    )
    .status(StatusCode::NOT_FOUND)
    .rpc(SESSION)
}

pub(in crate::stages) fn session_elsewhere() -> Refused {
    Refused::new(
        "session_binding",
        controls::N8_2,
        Fault::Caller,
        "the session was opened on another route or by another client",
        "open a session of your own here with `initialize`",
    )
    .status(StatusCode::NOT_FOUND)
    .rpc(SESSION)
}

pub(in crate::stages) fn session_outgrown() -> Refused {
    Refused::new(
        "session_outgrown",
        controls::N8_3,
        Fault::Caller,
        "the token may do more than when the session was opened",
        "send `initialize` again without `Mcp-Session-Id`",
    )
    .status(StatusCode::NOT_FOUND)
    .rpc(SESSION)
}

pub(in crate::stages) fn session_again() -> Refused {
    Refused::new(
        "session_again",
        controls::N8_2,
        Fault::Caller,
        "`initialize` was sent inside a session",
        "send it without `Mcp-Session-Id`",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(SESSION)
}

pub(in crate::stages) fn sessions_full(limit: usize) -> Refused {
    let reason = format!("this user already holds {limit} sessions on this route");
    let remedy = "end one with HTTP DELETE, or wait until one is idle long enough";
    Refused::new(
        "session_limit",
        controls::N8_3,
        Fault::Caller,
        reason,
        remedy,
    )
    .status(StatusCode::TOO_MANY_REQUESTS)
    .rpc(LIMIT)
    .after(Duration::from_secs(60))
}

pub(in crate::stages) fn gateway_full() -> Refused {
    Refused::new(
        "gateway_full",
        controls::N4_4,
        Fault::Us,
        "this gateway holds as many sessions as it may",
        "try again later",
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(LIMIT)
    .after(Duration::from_secs(60))
}

pub(in crate::stages) fn too_much(exceeded: &watch::Exceeded, control: Control) -> Refused {
    let code = if control == controls::N4_1 {
        "rate_limit"
    } else {
        "concurrency_limit"
    };
    let wait = exceeded
        .retry_after
        .unwrap_or(Duration::from_millis(100))
        .max(Duration::from_millis(1));
    let remedy = format!("wait {} ms, then try again", wait.as_millis().max(1));
    let refused = Refused::new(code, control, Fault::Caller, exceeded.to_string(), remedy);
    let refused = refused.rpc(LIMIT).after(wait);
    // Before anybody is known to be behind an address, HTTP is the language both sides share.
    match exceeded.dimension {
        watch::Dimension::Source => refused.status(StatusCode::TOO_MANY_REQUESTS),
        _ => refused,
    }
}

pub(in crate::stages) fn caller_unusable(error: &policy::PrincipalError) -> Refused {
    let remedy = "the operator of the identity provider shortens what the token says";
    Refused::new(
        "caller_unusable",
        controls::N7_3,
        Fault::Caller,
        error.to_string(),
        remedy,
    )
    .status(StatusCode::FORBIDDEN)
    .rpc(TOKEN)
}
