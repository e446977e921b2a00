//! Where a code, or a refresh token, becomes tokens. Both are good once; what comes a second time ends
//! what came of the first.

use super::answer::{self, Answer, BROKEN, state};
use super::consents;
use super::families::{self, who};
use super::sent::Sent;
use super::{At, Told};
use crate::body::Body;
use crate::possession::{Of, Purpose, UsedError};
use crate::revocation::Facts;
use crate::stages::raw::DPOP;
use crate::state::{Mark, Space};
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use identity::IssuerRules;
use identity::authority::{
    AuthorityError, Binding, Client, Code, CodeText, ErrorCode, Family, Minting, Parameters,
    Person, Presented, Redemption, Refreshing,
};
use identity::client::{Entropy as _, SystemEntropy};
use identity::possession::Thumbprint;
use identity::possession::dpop::{self, Asked, Proof, ProofError};
use serde_json::json;
use tokio::sync::MutexGuard;
use zeroize::Zeroizing;

const OVER: AuthorityError = ErrorCode::InvalidGrant.because("it is over, or never was");
const TWICE: AuthorityError =
    ErrorCode::InvalidGrant.because("it was used before: everything that came of it has ended");

/// How many proofs that came for tokens of one person are remembered.
const PROOFS_OF_PERSON: u32 = 1000;

/// A proof of possession that came along, right in itself (RFC 9449, section 5). That it was not here before
/// is looked at, and counted, once it is known what it came for: anybody can make proofs, and name a client.
pub(super) struct Shown {
    proof: Proof,
    key: Thumbprint,
}

/// Answers a request for tokens.
pub(super) async fn answer(at: &At<'_>, request: Request<Incoming>) -> Response<Body> {
    let sent = Sent::read(request).await;
    let done = async {
        let (client, parameters) = sent.by(at).await?;
        let shown = shown(at, &client, &sent.headers)?;
        match parameters.get("grant_type") {
            Some("authorization_code") => redeemed(at, &client, parameters, shown.as_ref()).await,
            Some("refresh_token") => refreshed(at, &client, parameters, shown.as_ref()).await,
            None => Err(ErrorCode::InvalidRequest.because("there is no grant_type")),
            Some(_) => {
                let says = "grant_type is authorization_code or refresh_token";
                Err(ErrorCode::UnsupportedGrantType.because(says))
            }
        }
    };
    let done = done.await;
    sent.told(at, done)
}

fn unproven(says: &'static str) -> AuthorityError {
    ErrorCode::InvalidDpopProof.because(says)
}

/// The proof of a request, with the key that tokens are to be bound to.
pub(super) fn shown(
    at: &At<'_>,
    client: &Client,
    headers: &HeaderMap,
) -> Result<Option<Shown>, AuthorityError> {
    if !headers.contains_key(&DPOP) {
        return match client.binding() {
            Binding::AsShown => Ok(None),
            Binding::Proof => Err(unproven("this client gets bound tokens only: send a proof")),
        };
    }
    let authority = at.authority;
    let target = authority.token_target.as_ref();
    let asked = Asked {
        method: "POST",
        target: target.ok_or(unproven("no proof can be made for this address"))?,
        since_s: at.gate.proofs.since_s(),
    };
    let values = headers
        .get_all(&DPOP)
        .iter()
        .map(http::HeaderValue::as_bytes);
    let nonces = at.gate.proofs.nonces();
    let shown = dpop::shown(values, &asked, &authority.proofs, nonces, at.now);
    let (proof, key) = shown.map_err(|error| match error {
        ProofError::Nonce(_) => {
            ErrorCode::UseDpopNonce.because("make a proof with the nonce of this answer")
        }
        _ => unproven("the proof of possession is not good for this request"),
    })?;
    Ok(Some(Shown { proof, key }))
}

/// Takes the proof as used, for this person: whoever brings it holds a code or a refresh token of theirs.
pub(super) async fn used(
    at: &At<'_>,
    shown: Option<&Shown>,
    person: &Person,
) -> Result<(), AuthorityError> {
    let Some(Shown { proof, key }) = shown else {
        return Ok(());
    };
    let user = person.key();
    let of = Of {
        purpose: Purpose::Token,
        user: user.as_str(),
        key,
        most: PROOFS_OF_PERSON,
    };
    let proofs = &at.gate.proofs;
    match proofs.using(&*at.gate.marks, &of, proof, at.now).await {
        Ok(()) => Ok(()),
        Err(UsedError::Before) => Err(unproven("the proof was used before")),
        Err(UsedError::Many) => Err(answer::BUSY),
        Err(UsedError::State(error)) => Err(state(error)),
    }
}

/// What a code is kept under. The code itself is kept nowhere.
pub(super) fn mark(code: &CodeText) -> Mark {
    Mark::of(&[b"authority code", &code.digest()])
}

/// A code or a refresh token that was presented. Nobody else works on its family meanwhile.
async fn alone_with<'a>(
    at: &'a At<'_>,
    text: &str,
) -> Result<(CodeText, MutexGuard<'a, ()>), AuthorityError> {
    let text = CodeText::read(text).ok_or(OVER)?;
    let desk = &at.authority.desk;
    let alone = desk.alone_with(text.family()).await.ok_or(BROKEN)?;
    Ok((text, alone))
}

pub(super) async fn redeemed(
    at: &At<'_>,
    client: &Client,
    parameters: &Parameters,
    shown: Option<&Shown>,
) -> Told {
    let key = shown.map(|shown| shown.key.to_string());
    let key = key.as_deref();
    let text = parameters.require("code", "there is no code")?;
    let (text, _alone) = alone_with(at, text).await?;
    let kept = at
        .gate
        .marks
        .take(Space::Code, mark(&text), at.now_ms())
        .await;
    let Some(kept) = kept.map_err(state)? else {
        return Err(replayed(at, &text, Presented::Code).await?);
    };
    let code = Code::from_kept(&kept).ok_or(BROKEN)?;
    code.redeem(&Redemption {
        client_id: client.id(),
        parameters,
        key,
        now: at.now,
    })?;
    if !consents::stands(at, text.user(), &code.consent, client).await? {
        return Err(OVER);
    }
    admitted(at, &code.person, client.id(), code.issued_s)?;
    used(at, shown, &code.person).await?;
    // A public client's refresh tokens are bound to the key, too (RFC 9449, section 5).
    let mut family = Family::begin(&code, &text, key, at.now);
    let scopes = family.scopes.clone();
    let of = ("token.issued", &text, &mut family);
    issued(at, client, of, &scopes, key).await
}

pub(super) async fn refreshed(
    at: &At<'_>,
    client: &Client,
    parameters: &Parameters,
    shown: Option<&Shown>,
) -> Told {
    let key = shown.map(|shown| shown.key.to_string());
    let key = key.as_deref();
    let text = parameters.require("refresh_token", "there is no refresh_token")?;
    let (text, _alone) = alone_with(at, text).await?;
    let mut family = families::find(at, &text).await?.ok_or(OVER)?;
    if family.presented(&text) != Presented::Current {
        return Err(replayed(at, &text, Presented::Used).await?);
    }
    let scopes = family.refresh(client.id(), parameters, key)?;
    if at.now >= ends_s(at, &family) {
        return Err(OVER);
    }
    if !consents::stands(at, text.user(), &family.consent, client).await? {
        return Err(withdrawn(at, &text, &family).await?);
    }
    let began_s = family.began_s;
    if let Err(error) = admitted(at, &family.person, client.id(), began_s) {
        families::end(at.gate, &families::key(&text), &family, error.says)
            .await
            .map_err(state)?;
        return Err(error);
    }
    used(at, shown, &family.person).await?;
    let of = ("token.refreshed", &text, &mut family);
    issued(at, client, of, &scopes, key).await
}

/// Ends a line that nobody agrees to any more.
async fn withdrawn(
    at: &At<'_>,
    text: &CodeText,
    family: &Family,
) -> Result<AuthorityError, AuthorityError> {
    let why = "nobody agrees to what the client is now";
    families::end(at.gate, &families::key(text), family, why)
        .await
        .map_err(state)?;
    Ok(OVER)
}

/// Whether what came before came of something that was good: then it ends for everybody.
async fn replayed(
    at: &At<'_>,
    text: &CodeText,
    as_what: Presented,
) -> Result<AuthorityError, AuthorityError> {
    let Some(family) = families::find(at, text).await? else {
        return Ok(OVER);
    };
    let presented = family.presented(text);
    if as_what == Presented::Code && presented != Presented::Code {
        return Ok(OVER);
    }
    let why = match presented {
        Presented::Code => "its code came twice",
        Presented::Current | Presented::Used => "a refresh token of it came twice",
    };
    families::end(at.gate, &families::key(text), &family, why)
        .await
        .map_err(state)?;
    Ok(TWICE)
}

/// That whoever agreed was not revoked since. What nobody can tell is no yes.
pub(super) fn admitted(
    at: &At<'_>,
    person: &Person,
    client: &str,
    since_s: u64,
) -> Result<(), AuthorityError> {
    let user = person.key();
    let facts = || Facts {
        issuer: person.issuer(),
        subject: person.subject(),
        user: user.as_str(),
        client: Some(client),
        actors: &[],
        token_id: None,
        token_digest: &[0; 32],
        login: person.login(),
        issued_s: since_s,
        session: None,
    };
    let barred = at.gate.revocations.check_facts(facts);
    barred.map_err(|_| ErrorCode::InvalidGrant.because("whoever agreed is not admitted any more"))
}

fn ends_s(at: &At<'_>, family: &Family) -> u64 {
    let tokens = &at.authority.tokens;
    family.ends_s(tokens.refresh.as_secs(), tokens.idle.as_secs())
}

/// Tokens: an access token, and the next refresh token where the client uses them.
pub(super) async fn issued(
    at: &At<'_>,
    client: &Client,
    (event, text, family): (&str, &CodeText, &mut Family),
    scopes: &str,
    key: Option<&str>,
) -> Told {
    let authority = at.authority;
    let lifetime_s = authority.tokens.access.as_secs();
    let random = || SystemEntropy.bits().map_err(|_| BROKEN);
    let minted = Minting {
        issuer: &authority.issuer,
        person: &family.person,
        client_id: client.id(),
        resource: &family.resource,
        scopes,
        key,
        now: at.now,
        lifetime_s,
        id: random()?,
    };
    let minted = authority.desk.keys.sign(&minted).await?;
    // Until then it is taken for good, by clocks that are apart.
    let over_s = at
        .now
        .saturating_add(lifetime_s + IssuerRules::CLOCK_SKEW_S);
    family.issued(&minted.id, over_s, at.now)?;
    let refresh = match client.refreshing() {
        Refreshing::Wanted => {
            let next = CodeText::new(&family.person.key(), text.family(), &random()?);
            family.turn_to(&next, at.now);
            Some(next)
        }
        Refreshing::Unused => None,
    };
    let until_s = match refresh {
        Some(_) => ends_s(at, family).max(over_s),
        // It is kept so that the code is known should it come again.
        None => over_s,
    };
    families::keep(at, text, family, until_s).await?;
    // Whoever took it back a moment ago may not have met this line, or not with this token.
    if !consents::stands(at, text.user(), &family.consent, client).await? {
        return Err(withdrawn(at, text, family).await?);
    }
    let who = who(&family.person, client.id());
    let after = format!("for {} ({scopes})", family.resource);
    at.note(Some(who), event, client.id(), &after)?;
    let kind = if key.is_some() { "DPoP" } else { "Bearer" };
    let mut body = json!({
        "access_token": minted.token.as_str(), "token_type": kind, "expires_in": lifetime_s,
        "scope": scopes,
    });
    if let (Some(members), Some(refresh)) = (body.as_object_mut(), &refresh) {
        members.insert("refresh_token".to_owned(), json!(refresh.expose()));
    }
    let body = Zeroizing::new(body.to_string());
    Ok(Answer::ok(body.as_str().to_owned()))
}
