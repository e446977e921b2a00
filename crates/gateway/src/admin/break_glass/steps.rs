//! The ceremonies of the passkey over HTTP: a challenge, then what the authenticator made of it. On its way
//! a challenge is held by the browser, sealed; it is good once.

use super::{USER, is_on, keep, pages, passkey};
use crate::admin::AdminRefusal;
use crate::body::Body;
use crate::gate::Gate;
use crate::listener::origin_is_ours;
use crate::pages::browser::{is_from_here, json};
use crate::people;
use crate::seal::{Bound, Purpose};
use crate::state::{Mark, Once, Space, StateError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use controls::{Control, N2_4};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use identity::SignedIn;
use identity::client::{Entropy as _, SystemEntropy};
use identity::webauthn::{Assertion, PasskeyError, PasskeyKey, Registration, RelyingParty};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json as object};
use std::net::IpAddr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A place of the account for emergencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Where the passkey is registered.
    First,
    /// The challenge for that.
    FirstOptions,
    /// Where it is used.
    Passkey,
    /// The challenge for that.
    PasskeyOptions,
}

impl Step {
    /// The step at this path below the public URL.
    pub(in crate::admin) fn at(path: &str) -> Option<Self> {
        Some(match path {
            "/admin/first" => Step::First,
            "/admin/first/options" => Step::FirstOptions,
            "/admin/passkey" => Step::Passkey,
            "/admin/passkey/options" => Step::PasskeyOptions,
            _ => return None,
        })
    }
}

/// How long a challenge is good, in milliseconds.
const PATIENCE_MS: u64 = 5 * 60 * 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstOptions {
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    code: String,
    sealed: String,
    client_data: String,
    attestation: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasskeyOptions {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Used {
    sealed: String,
    id: String,
    client_data: String,
    authenticator_data: String,
    signature: String,
}

/// Answers a browser.
pub(in crate::admin) async fn answer(
    gate: &Arc<Gate>,
    source: IpAddr,
    step: Step,
    request: Request<Incoming>,
) -> Response<Body> {
    if !is_on(gate) {
        let told = "there is no account for emergencies (`administration.break_glass`)";
        let refusal = AdminRefusal::unknown(told);
        return json(refusal.status, &refusal.told());
    }
    match (step, request.method()) {
        (Step::First, &Method::GET) => return pages::first(gate).answer(StatusCode::OK),
        (Step::Passkey, &Method::GET) => return pages::passkey(gate).answer(StatusCode::OK),
        _ => {}
    }
    match asked(gate, step, request).await {
        Ok(response) => response,
        Err(refusal) => {
            if gate.strangers.is_worth_a_record(gate) {
                let refused = &refusal.refusal;
                let why = (refused.control, refused.code, &*refused.reason);
                gate.note_refused(None, ("break_glass.refused", source), ("", USER), why);
            }
            json(refusal.status, &refusal.told())
        }
    }
}

async fn asked(
    gate: &Arc<Gate>,
    step: Step,
    request: Request<Incoming>,
) -> Result<Response<Body>, AdminRefusal> {
    let (head, body) = request.into_parts();
    ours(&head.method, &head.uri, &head.headers)?;
    let input = crate::admin::api::read(&head.headers, body).await;
    let input = input.ok_or_else(|| AdminRefusal::malformed("there is no JSON object"))?;
    match step {
        Step::FirstOptions => first_options(gate, read(input)?).await,
        Step::First => first(gate, read(input)?).await,
        Step::PasskeyOptions => {
            let PasskeyOptions {} = read(input)?;
            passkey_options(gate).await
        }
        Step::Passkey => used(gate, &head.headers, read(input)?).await,
    }
}

/// That a page of ours asks.
fn ours(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), AdminRefusal> {
    if method != Method::POST {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let told = "that is not how this is asked for";
        return Err(AdminRefusal::new(
            ("admin_method", status),
            N2_4,
            told,
            "open the page",
        ));
    }
    match origin_is_ours(uri, headers) && is_from_here(headers) {
        true => Ok(()),
        false => Err(refused(
            "admin_foreign",
            controls::N8_4,
            "it was not asked by a page of this gateway",
        )),
    }
}

fn read<T: DeserializeOwned>(input: Value) -> Result<T, AdminRefusal> {
    let read = serde_json::from_value(input);
    read.map_err(|error| AdminRefusal::malformed(&error.to_string()))
}

fn refused(code: &'static str, control: Control, reason: &str) -> AdminRefusal {
    let remedy = "begin again";
    AdminRefusal::new((code, StatusCode::FORBIDDEN), control, reason, remedy)
}

fn no_passkey() -> AdminRefusal {
    refused(
        "passkey_none",
        N2_4,
        "no passkey is registered for emergencies",
    )
}

fn wrong_code() -> AdminRefusal {
    let reason = "the code is wrong, was used, is too old, or was tried too often";
    let remedy = "start the gateway anew for another code";
    AdminRefusal::new(
        ("passkey_code", StatusCode::FORBIDDEN),
        N2_4,
        reason,
        remedy,
    )
}

fn unaccepted(error: PasskeyError) -> AdminRefusal {
    refused(error.code(), N2_4, &error.to_string())
}

fn broken(error: &StateError) -> AdminRefusal {
    AdminRefusal::broken(error)
}

/// What a challenge is sealed for.
fn bound(about: &'static [&'static [u8]]) -> Bound<'static> {
    Bound {
        purpose: Purpose::SignIn,
        user: "",
        client: None,
        holder: None,
        route: "",
        about,
    }
}

const MADE: &[&[u8]] = &[b"a passkey is made"];
const USED: &[&[u8]] = &[b"a passkey is used"];

/// A challenge, and the same sealed.
fn challenge(
    gate: &Gate,
    about: &'static [&'static [u8]],
) -> Result<(String, String), AdminRefusal> {
    let bits = SystemEntropy.bits();
    let bits = bits.map_err(|error| AdminRefusal::broken(&error))?;
    let until_ms = gate.clock().unix_ms().saturating_add(PATIENCE_MS);
    let sealed = gate.seal.seal(&bound(about), until_ms, &bits);
    let sealed = sealed.map_err(|error| AdminRefusal::broken(&error))?;
    Ok((BASE64.encode(bits), sealed))
}

fn opened(
    gate: &Gate,
    about: &'static [&'static [u8]],
    sealed: &str,
) -> Result<Vec<u8>, AdminRefusal> {
    let opened = gate
        .seal
        .open(&bound(about), gate.clock().unix_ms(), sealed);
    opened.map_err(|error| refused("passkey_challenge", N2_4, &error.to_string()))
}

fn bytes(text: &str) -> Result<Vec<u8>, AdminRefusal> {
    let told = "a part of the answer is no base64url";
    BASE64
        .decode(text)
        .map_err(|_| AdminRefusal::malformed(told))
}

/// Who relies on the passkey: the host of our own address, and pages of that origin only.
struct Ours {
    id: String,
    origin: String,
}

impl Ours {
    fn of(gate: &Gate) -> Self {
        let runtime = gate.runtime();
        let address = &runtime.settled.public_url;
        Ours {
            id: address.host_str().unwrap_or_default().to_owned(),
            origin: address.origin().ascii_serialization(),
        }
    }

    fn party(&self) -> RelyingParty<'_> {
        RelyingParty {
            id: &self.id,
            origin: &self.origin,
        }
    }
}

async fn first_options(gate: &Gate, input: FirstOptions) -> Result<Response<Body>, AdminRefusal> {
    let code = Zeroizing::new(input.code);
    if !gate.codes.is(&code, gate.clock().unix_ms()) {
        return Err(wrong_code());
    }
    let (challenge, sealed) = challenge(gate, MADE)?;
    let asked = object!({
        "challenge": challenge, "sealed": sealed, "party": Ours::of(gate).id,
        "user": BASE64.encode(USER), "name": USER, "algorithms": PasskeyKey::ALGORITHMS,
    });
    Ok(json(StatusCode::OK, &asked))
}

async fn first(gate: &Gate, input: First) -> Result<Response<Body>, AdminRefusal> {
    let code = Zeroizing::new(input.code);
    let now_ms = gate.clock().unix_ms();
    if !gate.codes.is(&code, now_ms) {
        return Err(wrong_code());
    }
    let challenge = opened(gate, MADE, &input.sealed)?;
    let (client_data, attestation) = (bytes(&input.client_data)?, bytes(&input.attestation)?);
    let answer = Registration {
        client_data: &client_data,
        attestation: &attestation,
    };
    let made = Ours::of(gate).party().registered(&challenge, answer);
    let made = made.map_err(unaccepted)?;
    // From here on the code is used up, whatever comes.
    if !gate.codes.take(&code, now_ms) {
        return Err(wrong_code());
    }
    if passkey(gate)
        .await
        .map_err(|error| broken(&error))?
        .is_some()
    {
        return Err(refused(
            "passkey_there",
            N2_4,
            "a passkey is registered already",
        ));
    }
    let name = "break_glass.registered";
    if !gate.note_of(None, name, ("", USER), &made.id) {
        return Err(AdminRefusal::unrecorded());
    }
    keep(gate, &made).await.map_err(|error| broken(&error))?;
    tracing::warn!("the passkey of the account for emergencies was registered");
    Ok(json(
        StatusCode::OK,
        &object!({ "to": gate.path_of("/admin/passkey") }),
    ))
}

async fn passkey_options(gate: &Gate) -> Result<Response<Body>, AdminRefusal> {
    let kept = passkey(gate).await.map_err(|error| broken(&error))?;
    let kept = kept.ok_or_else(no_passkey)?;
    let (challenge, sealed) = challenge(gate, USED)?;
    let asked = object!({
        "challenge": challenge, "sealed": sealed, "party": Ours::of(gate).id, "id": kept.id,
    });
    Ok(json(StatusCode::OK, &asked))
}

async fn used(
    gate: &Gate,
    headers: &HeaderMap,
    input: Used,
) -> Result<Response<Body>, AdminRefusal> {
    let kept = passkey(gate).await.map_err(|error| broken(&error))?;
    let kept = kept
        .filter(|kept| kept.id == input.id)
        .ok_or_else(no_passkey)?;
    let challenge = opened(gate, USED, &input.sealed)?;
    let parts = [
        &input.client_data,
        &input.authenticator_data,
        &input.signature,
    ];
    let [client_data, authenticator_data, signature] = parts.map(|part| bytes(part));
    let (client_data, authenticator_data, signature) =
        (client_data?, authenticator_data?, signature?);
    let answer = Assertion {
        client_data: &client_data,
        authenticator_data: &authenticator_data,
        signature: &signature,
    };
    let after = Ours::of(gate).party().asserted(&challenge, &kept, answer);
    let after = after.map_err(unaccepted)?;
    // Each challenge is answered once, and only who has the passkey takes room for it.
    let now_ms = gate.clock().unix_ms();
    let mark = Mark::of(&[b"passkey", &challenge]);
    let until_ms = now_ms.saturating_add(PATIENCE_MS);
    let came = gate
        .marks
        .insert_once(Space::Ticket, mark, until_ms, now_ms);
    if came.await.map_err(|error| broken(&error))? == Once::Replayed {
        return Err(refused(
            "passkey_challenge",
            N2_4,
            "the challenge was answered already",
        ));
    }
    keep(gate, &after).await.map_err(|error| broken(&error))?;
    tracing::warn!("somebody signed in with the account for emergencies");
    let who = SignedIn::local(USER, &["hwk", "user", "mfa"], gate.clock().unix_s());
    let to = json(StatusCode::OK, &object!({ "to": gate.path_of("/admin") }));
    people::enter(gate, headers, who, to)
        .map_err(|told| refused("passkey_barred", controls::N8_3, &told))
}

#[cfg(test)]
mod tests;
