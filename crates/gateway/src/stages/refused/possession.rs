//! Refusals of callers who do not hold what their token is bound to, and of those who say that others
//! do (control 7.4).

use super::*;
use identity::possession::dpop::ProofError;

fn unproved(
    code: &'static str,
    reason: impl Into<Cow<'static, str>>,
    remedy: impl Into<Cow<'static, str>>,
) -> Refused {
    Refused::new(code, controls::N7_4, Fault::Caller, reason, remedy)
        .status(StatusCode::UNAUTHORIZED)
        .rpc(TOKEN)
}

pub(in crate::stages) fn proof(error: &ProofError, challenges: Vec<HeaderValue>) -> Refused {
    let remedy = match error {
        ProofError::Nonce(_) => {
            "make a proof with the nonce in the header `DPoP-Nonce` of this answer"
        }
        ProofError::Future | ProofError::Stale => {
            "set the clock, and make a proof for each request"
        }
        _ => {
            "make a proof for each request, with the key of the token, for this method, URL and token"
        }
    };
    unproved(error.code(), error.to_string(), remedy).challenges(challenges)
}

pub(in crate::stages) fn bound_token_as_bearer(challenges: Vec<HeaderValue>) -> Refused {
    let reason = "the token is bound to a key and was brought without a proof of it";
    let remedy = "send `Authorization: DPoP <token>` and a proof in the header `DPoP`";
    unproved("token_bound", reason, remedy).challenges(challenges)
}

pub(in crate::stages) fn unbound_token_with_proof(challenges: Vec<HeaderValue>) -> Refused {
    let reason = "the token is not bound to a key, so no proof makes it safer";
    let remedy = "get a token that is bound to the key, or send `Authorization: Bearer <token>`";
    unproved("token_unbound", reason, remedy).challenges(challenges)
}

pub(in crate::stages) fn possession_required(
    wanted: &'static str,
    challenges: Vec<HeaderValue>,
) -> Refused {
    let reason =
        "a token that is bound to nothing, or not to what is asked for, is not accepted here";
    let remedy = format!("get a token that is bound to {wanted}");
    unproved("possession_required", reason, remedy).challenges(challenges)
}

pub(in crate::stages) fn proofs_of_user(most: u32) -> Refused {
    let reason =
        format!("{most} proofs of this user are remembered, and none may be forgotten yet");
    let remedy = "wait until some are too old; one request at a time needs fewer";
    unproved("proofs_full", reason, remedy)
        .status(StatusCode::TOO_MANY_REQUESTS)
        .after(Duration::from_secs(10))
}

pub(in crate::stages) fn proofs_unkept(error: &crate::state::StateError) -> Refused {
    let reason = "whether the proof was used before cannot be told at the moment";
    let remedy = "try again; the operator looks at the log";
    Refused::new("proofs_unkept", controls::N7_4, Fault::Us, reason, remedy)
        .status(StatusCode::SERVICE_UNAVAILABLE)
        .rpc(OURSELVES)
        .after(Duration::from_secs(5))
        .detail(error.to_string())
}

pub(in crate::stages) fn certificate_missing(challenges: Vec<HeaderValue>) -> Refused {
    let reason = "the token is bound to a certificate, and the connection came without one";
    let remedy = "connect with the certificate that the token was issued for";
    unproved("certificate_missing", reason, remedy).challenges(challenges)
}

pub(in crate::stages) fn certificate_other(challenges: Vec<HeaderValue>) -> Refused {
    let reason = "the token is bound to another certificate than the one of the connection";
    let remedy = "connect with the certificate that the token was issued for";
    unproved("certificate_other", reason, remedy).challenges(challenges)
}

pub(in crate::stages) fn certificate_expired(challenges: Vec<HeaderValue>) -> Refused {
    let reason = "the certificate of the connection is not good any more, or not yet";
    let remedy = "connect with a new certificate, and get a token that is bound to it";
    unproved("certificate_expired", reason, remedy).challenges(challenges)
}

/// Of a handshake: there is nobody left to tell, but there is a record.
pub(crate) fn certificate_refused(why: &rustls::CertificateError) -> Refused {
    let reason = "the client showed a certificate that is not accepted";
    let remedy = "show one of an authority in `listeners[].tls.clients`, in its time";
    unproved("certificate_refused", reason, remedy).detail(format!("{why:?}"))
}

/// Likewise.
pub(crate) fn certificate_unshown() -> Refused {
    let reason = "the client showed no certificate, and this listener wants one";
    let remedy = "connect with a client certificate";
    unproved("certificate_unshown", reason, remedy)
}

pub(crate) fn front_untrusted(header: &HeaderName) -> Refused {
    let reason =
        format!("header `{header}` is believed from the proxies in front, and this is none");
    let remedy = "leave the header out; or the operator adds the proxy's fingerprint to `listeners[].front.proxies`";
    unproved("front_untrusted", reason, remedy).status(StatusCode::FORBIDDEN)
}

pub(crate) fn front_unreadable(header: &HeaderName) -> Refused {
    let reason = format!("header `{header}` does not tell of one certificate in its form");
    let remedy = "the operator of the proxy sets the header as the documentation says";
    unproved("front_unreadable", reason, remedy).status(StatusCode::BAD_REQUEST)
}

pub(crate) fn front_repeated(header: &HeaderName) -> Refused {
    let reason = format!("header `{header}` was sent twice");
    let remedy =
        "the operator of the proxy sets the header, instead of adding to what clients send";
    unproved("front_repeated", reason, remedy).status(StatusCode::BAD_REQUEST)
}
