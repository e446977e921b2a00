//! That whoever brings a token holds what it is bound to, shown for this very request (control 7.4). The
//! token is verified by now, so strangers make nobody check a signature here; what costs nothing is
//! looked at first, and whether a proof was used before comes last, when it is right in everything else.

use super::challenges;
use crate::gate::Gate;
use crate::possession::{Of, Purpose, UsedError};
use crate::stages::draft::Draft;
use crate::stages::frame::Framed;
use crate::stages::raw::{DPOP, Door};
use crate::stages::refused::{self, Refused};
use config::settled::Possession;
use http::HeaderMap;
use identity::possession::certificate::Certificate;
use identity::possession::dpop::{self, ProofError, Request};
use identity::possession::{Confirmation, Thumbprint};
use identity::{Caller, Scheme};

/// Checks everything that the token is bound to, and that it is bound to what the route asks for.
pub(super) async fn prove(
    gate: &Gate,
    framed: &Framed,
    caller: &Caller,
    scheme: Option<Scheme>,
    draft: &mut Draft,
) -> Result<(), Refused> {
    let raw = framed.raw();
    let (
        Some(scheme),
        Door::Http {
            headers,
            certificate,
            ..
        },
    ) = (scheme, &raw.door)
    else {
        draft.skipped(
            controls::N7_4,
            "no token was brought: the system says who it is",
        );
        return Ok(());
    };
    // Read here and not when the message arrived: its body may have been held back since, and what is
    // remembered of proofs is forgotten by the same clock.
    let now = gate.clock().unix_ms() / 1000;
    let bound = caller.confirmation();
    demanded(framed, bound, scheme)?;
    match (scheme, &bound.key) {
        (Scheme::Bearer, None) => {}
        (Scheme::Dpop, Some(key)) => {
            proof(gate, framed, (caller, key), headers, now).await?;
        }
        (Scheme::Bearer, Some(_)) => {
            let text = "the token is bound to a key";
            let challenges = challenges(framed, Some(Scheme::Dpop), Some("invalid_token"), &text);
            return Err(refused::bound_token_as_bearer(challenges));
        }
        (Scheme::Dpop, None) => {
            let text = "the token is bound to no key";
            let challenges = challenges(framed, Some(scheme), Some("invalid_token"), &text);
            return Err(refused::unbound_token_with_proof(challenges));
        }
    }
    if let Some(named) = &bound.certificate {
        shown(framed, scheme, named, certificate.as_ref(), now)?;
    }
    match bound.is_none() {
        true => draft.skipped(controls::N7_4, "the token is bound to nothing"),
        false => draft.ran(controls::N7_4),
    }
    Ok(())
}

/// That the token is bound to what the route asks for.
fn demanded(framed: &Framed, bound: &Confirmation, scheme: Scheme) -> Result<(), Refused> {
    let (met, wanted) = match framed.raw().route().possession {
        Possession::None => return Ok(()),
        Possession::Any => (!bound.is_none(), "a key or a certificate"),
        Possession::Dpop => (bound.key.is_some(), "a key (DPoP)"),
        Possession::Certificate => (bound.certificate.is_some(), "a client certificate"),
    };
    if met {
        return Ok(());
    }
    let text = "the token is not bound to what is asked for here";
    let challenges = challenges(framed, Some(scheme), Some("invalid_token"), &text);
    Err(refused::possession_required(wanted, challenges))
}

/// That a proof with this key came along, made for this request, and for the first time.
async fn proof(
    gate: &Gate,
    framed: &Framed,
    (caller, key): (&Caller, &Thumbprint),
    headers: &HeaderMap,
    now: u64,
) -> Result<(), Refused> {
    let raw = framed.raw();
    let route = raw.route();
    if raw
        .proved
        .as_ref()
        .is_some_and(|proved| proved.get().is_some())
    {
        return Ok(());
    }
    let request = Request {
        since_s: gate.proofs.since_s(),
        method: raw.verb.method(),
        target: &route.target,
        token: caller.token_digest(),
        key,
    };
    let refused = |error: ProofError| {
        let challenges = challenges(
            framed,
            Some(Scheme::Dpop),
            Some(error.challenge_error()),
            &error,
        );
        refused::proof(&error, challenges)
    };
    let values = headers.get_all(&DPOP).iter();
    let values = values.map(http::HeaderValue::as_bytes);
    let nonces = gate.proofs.nonces();
    let proof = dpop::verify(values, &request, &route.proofs, nonces, now).map_err(refused)?;
    let of = Of {
        purpose: Purpose::Call,
        user: caller.user().as_str(),
        key,
        most: route.proofs_per_user,
    };
    match gate.proofs.using(&*gate.marks, &of, &proof, now).await {
        Ok(()) => {}
        Err(UsedError::Before) => return Err(refused(ProofError::Replayed)),
        Err(UsedError::Many) => return Err(refused::proofs_of_user(of.most)),
        Err(UsedError::State(error)) => return Err(refused::proofs_unkept(&error)),
    }
    if let Some(proved) = &raw.proved {
        // Messages of a batch come one after the other: nobody else sets it.
        let _ = proved.set(());
    }
    Ok(())
}

/// That the connection came with the certificate that the token names, in its time.
fn shown(
    framed: &Framed,
    scheme: Scheme,
    named: &Thumbprint,
    certificate: Option<&Certificate>,
    now: u64,
) -> Result<(), Refused> {
    let challenges = |text: &str| challenges(framed, Some(scheme), Some("invalid_token"), &text);
    match certificate {
        None => {
            let challenges = challenges("the token is bound to a certificate");
            Err(refused::certificate_missing(challenges))
        }
        Some(shown) if shown.thumbprint() != named => {
            let challenges = challenges("the token is bound to another certificate");
            Err(refused::certificate_other(challenges))
        }
        Some(shown) if !shown.is_in_force(now) => {
            let challenges = challenges("the certificate is not good now");
            Err(refused::certificate_expired(challenges))
        }
        Some(_) => Ok(()),
    }
}
