//! Where a code, or a refresh token, becomes tokens. Both are good once; what comes a second time ends
//! what came of the first.

use super::answer::{self, Answer, BROKEN, state};
use super::clients;
use super::consents;
use super::families::{self, who};
use super::{At, Told};
use crate::body::Body;
use crate::possession::{Of, UsedError};
use crate::revocation::Facts;
use crate::stages::raw::DPOP;
use crate::state::{Mark, Space};
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use identity::authority::{
    AuthorityError, Binding, Client, Code, CodeText, ErrorCode, Family, Minting, Parameters,
    Person, Presented, Redemption, Refreshing,
};
use identity::client::{Entropy as _, SystemEntropy};
use identity::possession::Thumbprint;
use identity::possession::dpop::{self, Asked, ProofError};
use serde_json::json;
use zeroize::Zeroizing;

const OVER: AuthorityError = ErrorCode::InvalidGrant.because("it is over, or never was");
const TWICE: AuthorityError =
    ErrorCode::InvalidGrant.because("it was used before: everything that came of it has ended");

/// Answers a request for tokens.
pub(super) async fn answer(at: &At<'_>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let mut client_id = String::new();
    let done = async {
        let parameters = answer::form(&head.headers, body).await?;
        if let Some(id) = parameters.get("client_id") {
            client_id = id.chars().take(256).collect();
        }
        let client = clients::authenticated(at, &parameters).await?;
        let key = key(at, &client, &head.headers).await?;
        let key = key.map(|key| key.to_string());
        match parameters.get("grant_type") {
            Some("authorization_code") => redeemed(at, &client, &parameters, key.as_deref()).await,
            Some("refresh_token") => refreshed(at, &client, &parameters, key.as_deref()).await,
            None => Err(ErrorCode::InvalidRequest.because("there is no grant_type")),
            Some(_) => {
                let says = "grant_type is authorization_code or refresh_token";
                Err(ErrorCode::UnsupportedGrantType.because(says))
            }
        }
    };
    let done = done.await;
    answer::told(at, "token.refused", &client_id, done)
}

/// The key that tokens are to be bound to: that of the proof that came along (RFC 9449, section 5).
async fn key(
    at: &At<'_>,
    client: &Client,
    headers: &HeaderMap,
) -> Result<Option<Thumbprint>, AuthorityError> {
    let refused = |says| ErrorCode::InvalidDpopProof.because(says);
    if !headers.contains_key(&DPOP) {
        return match client.binding() {
            Binding::AsShown => Ok(None),
            Binding::Proof => Err(refused("this client gets bound tokens only: send a proof")),
        };
    }
    let authority = at.authority;
    let target = authority.token_target.as_ref();
    let asked = Asked {
        method: "POST",
        target: target.ok_or(refused("no proof can be made for this address"))?,
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
        _ => refused("the proof of possession is not good for this request"),
    })?;
    let of = Of {
        user: client.id(),
        key: &key,
        most: authority.proofs_per_client,
    };
    match at
        .gate
        .proofs
        .using(&*at.gate.marks, &of, &proof, at.now)
        .await
    {
        Ok(()) => Ok(Some(key)),
        Err(UsedError::Before) => Err(refused("the proof was used before")),
        Err(UsedError::Many) => Err(answer::BUSY),
        Err(UsedError::State(error)) => Err(state(error)),
    }
}

/// What a code is kept under. The code itself is kept nowhere.
pub(super) fn mark(code: &CodeText) -> Mark {
    Mark::of(&[b"authority code", &code.digest()])
}

pub(super) async fn redeemed(
    at: &At<'_>,
    client: &Client,
    parameters: &Parameters,
    key: Option<&str>,
) -> Told {
    let text = parameters.require("code", "there is no code")?;
    let text = CodeText::read(text).ok_or(OVER)?;
    let desk = &at.authority.desk;
    let _alone = desk.alone_with(text.family()).await.ok_or(BROKEN)?;
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
    let consent = consents::find(at, text.user(), &code.consent).await?;
    if consent.is_none_or(|it| it.client_digest != client.digest()) {
        return Err(OVER);
    }
    admitted(at, &code.person, client.id(), code.issued_s)?;
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
    key: Option<&str>,
) -> Told {
    let text = parameters.require("refresh_token", "there is no refresh_token")?;
    let text = CodeText::read(text).ok_or(OVER)?;
    let desk = &at.authority.desk;
    let _alone = desk.alone_with(text.family()).await.ok_or(BROKEN)?;
    let mut family = families::find(at, &text).await?.ok_or(OVER)?;
    if family.presented(&text) != Presented::Current {
        return Err(replayed(at, &text, Presented::Used).await?);
    }
    let scopes = family.refresh(client.id(), parameters, key)?;
    if at.now >= ends_s(at, &family) {
        return Err(OVER);
    }
    let consent = consents::find(at, text.user(), &family.consent).await?;
    if consent.is_none_or(|it| it.client_digest != client.digest()) {
        let why = "nobody agrees to what the client is now";
        families::end(at.gate, &families::key(&text), &family, why)
            .await
            .map_err(state)?;
        return Err(OVER);
    }
    let began_s = family.began_s;
    if let Err(error) = admitted(at, &family.person, client.id(), began_s) {
        families::end(at.gate, &families::key(&text), &family, error.says)
            .await
            .map_err(state)?;
        return Err(error);
    }
    let of = ("token.refreshed", &text, &mut family);
    issued(at, client, of, &scopes, key).await
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
async fn issued(
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
    let over_s = at.now.saturating_add(lifetime_s);
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
