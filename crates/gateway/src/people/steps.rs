//! Signing in: to the issuer and back. On its way a browser holds what it is on the way to, sealed, so
//! that whoever begins costs the gateway no memory; an answer counts only in the browser that asked for
//! it, once, and for the page it came from.

use super::{BackTo, COOKIE, Person, told};
use crate::body::Body;
use crate::gate::Gate;
use crate::pages::browser::{Cookie, redirect};
use crate::seal::{Bound, Purpose as Sealed, Seal};
use crate::state::{Mark, Once, Space};
use controls::Control;
use http::{HeaderMap, Response, StatusCode};
use identity::client::{
    Ask, Begun, ClientError, Flow, Outside, Purpose, SystemEntropy, TokenEndpoint,
};
use identity::{SignedIn, Strength};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where issuers send browsers back to.
pub(super) const BACK: &str = "/sign-in/back";
/// What a browser holds on its way.
const ON_THE_WAY: Cookie = Cookie("__Host-ringwall-sign-in");
/// How long it may be on its way, in seconds.
const PATIENCE_S: u64 = 600;
/// The longest that browsers keep of a cookie, its name and what is said of it left aside, in bytes.
const SEALED_MAX: usize = 3800;

const BOUND: Bound<'static> = Bound {
    purpose: Sealed::SignIn,
    user: "",
    client: None,
    holder: None,
    route: "",
    about: &[],
};

const LOST: &str = "This browser did not begin to sign in, or it took too long.";
const BROKEN: &str =
    "Something is wrong with the gateway. Its operator finds the cause in its log.";
const AWAY: &str = "Your identity provider does not answer as it should. Try again later.";
const UNSAID: &str = "Your identity provider did not say who you are.";

/// What a browser is on its way to.
struct Errand {
    flow: Flow,
    back_to: BackTo,
    strength: Strength,
}

/// What of it is no secret, as it is sealed: its length in four bytes, itself, and then the flow.
#[derive(Serialize, Deserialize)]
struct Kept {
    back_to: String,
    contexts: Vec<String>,
    methods: Vec<String>,
    max_age_s: Option<u64>,
}

/// Why nobody is signed in.
#[derive(Debug)]
pub(super) struct Stop {
    code: &'static str,
    control: Control,
    told: String,
    status: StatusCode,
    /// Who it would have been.
    who: Option<Box<Person>>,
}

impl Stop {
    fn new(code: &'static str, told: &str) -> Self {
        Stop {
            code,
            control: controls::N2_1,
            told: told.to_owned(),
            status: StatusCode::FORBIDDEN,
            who: None,
        }
    }

    fn of(person: Person, control: Control, code: &'static str, told: &str) -> Self {
        Stop {
            control,
            who: Some(Box::new(person)),
            ..Stop::new(code, told)
        }
    }

    fn broken(what: &dyn std::fmt::Display) -> Self {
        tracing::error!("nobody can sign in: {what}");
        Stop {
            status: StatusCode::SERVICE_UNAVAILABLE,
            ..Stop::new("broken", BROKEN)
        }
    }

    fn client(issuer: &str, error: &ClientError) -> Self {
        tracing::info!(issuer, "nobody is signed in: {error}");
        // On a mix-up nothing of what was said is shown; nor is it otherwise, to be safe.
        Stop::new(error.code(), AWAY)
    }

    fn answer(self, gate: &Gate, source: IpAddr) -> Response<Body> {
        if self.who.is_some() || gate.strangers.is_worth_a_record(gate) {
            let who = self.who.as_ref().map(|person| person.who());
            let why = (self.control, self.code, self.told.as_str());
            gate.note_refused(who, ("sign_in.refused", source), ("", ""), why);
        }
        self.page(gate)
    }

    fn page(self, gate: &Gate) -> Response<Body> {
        let page = told::not_signed_in(&self.told, &gate.address_of("/sign-in"));
        ON_THE_WAY.clear(page.answer(self.status))
    }
}

/// Sends a browser to this issuer to sign in, as strongly as that, and from there back to this page.
pub(crate) async fn sign_in(
    gate: &Arc<Gate>,
    issuer: &str,
    strength: &Strength,
    back_to: &BackTo,
) -> Response<Body> {
    match begun(gate, issuer, strength, back_to).await {
        Ok(response) => response,
        Err(stop) => stop.page(gate),
    }
}

async fn begun(
    gate: &Arc<Gate>,
    issuer: &str,
    strength: &Strength,
    back_to: &BackTo,
) -> Result<Response<Body>, Stop> {
    let runtime = Arc::clone(&gate.runtime());
    let unset = "Nobody can sign in here with that identity provider.";
    let sign_in = runtime.sign_ins.get(issuer);
    let sign_in = sign_in.ok_or_else(|| Stop::new("sign_in_unset", unset))?;
    let outside = outside(gate, &*sign_in.fetch);
    let begun = async {
        let server = sign_in.known.of(issuer, outside).await?;
        let at = TokenEndpoint::new(outside, &server, &sign_in.identity, None)?;
        let ask = Ask {
            purpose: Purpose::SignIn,
            scopes: &sign_in.scopes,
            redirect_uri: &gate.address_of(BACK),
            claims: None,
            strength: Some(strength),
        };
        Flow::begin(&at, ask).await
    };
    let Begun { flow, url } = begun.await.map_err(|error| Stop::client(issuer, &error))?;
    let errand = Errand {
        flow,
        back_to: back_to.clone(),
        strength: strength.clone(),
    };
    let sealed = errand.sealed(&gate.seal, gate.clock().unix_ms())?;
    Ok(ON_THE_WAY.set(redirect(url.as_str()), &sealed, Some(PATIENCE_S)))
}

/// Back from the issuer.
pub(super) async fn back(
    gate: &Arc<Gate>,
    source: IpAddr,
    headers: &HeaderMap,
    query: &str,
) -> Response<Body> {
    match arrived(gate, headers, query).await {
        Ok(response) => response,
        Err(stop) => stop.answer(gate, source),
    }
}

async fn arrived(
    gate: &Arc<Gate>,
    headers: &HeaderMap,
    query: &str,
) -> Result<Response<Body>, Stop> {
    let lost = || Stop::new("sign_in_unknown", LOST);
    let sealed = ON_THE_WAY.of(headers).ok_or_else(lost)?;
    let errand = Errand::opened(&gate.seal, gate.clock().unix_ms(), sealed).ok_or_else(lost)?;
    let cookie = identity::session_id().map_err(|error| Stop::broken(&error))?;
    let cookie = Zeroizing::new(cookie);
    let (who, once) = whoever(gate, errand.flow, query).await?;
    let person = Person::new(who, &cookie, gate.clock().unix_ms());
    if gate.revocations.check_facts(|| person.facts()).is_err() {
        let told = "You are not admitted at present.";
        return Err(Stop::of(person, controls::N8_3, "revoked", told));
    }
    if let Err(weak) = person.shows(&errand.strength, gate.clock().unix_s()) {
        let told = format!("This page needs a stronger sign-in: {weak}.");
        return Err(Stop::of(person, controls::N2_4, weak.code(), &told));
    }
    let now_ms = gate.clock().unix_ms();
    let until_ms = now_ms.saturating_add(PATIENCE_S * 1000);
    let came = gate
        .marks
        .insert_once(Space::Ticket, once, until_ms, now_ms);
    match came.await {
        Ok(Once::Fresh) => {}
        Ok(Once::Replayed) => {
            let told = "This sign-in was used already.";
            return Err(Stop::of(person, controls::N8_3, "replayed", told));
        }
        Err(error) => return Err(Stop::broken(&error)),
    }
    let response = redirect(&gate.path_of(errand.back_to.as_str()));
    let entered = entered(gate, headers, (person, &cookie), response)?;
    Ok(ON_THE_WAY.clear(entered))
}

/// Signs in an account of this gateway's own, which whoever calls this has authenticated. Says why not, for
/// people.
pub(crate) fn enter(
    gate: &Gate,
    headers: &HeaderMap,
    who: SignedIn,
    response: Response<Body>,
) -> Result<Response<Body>, String> {
    let cookie = identity::session_id().map_err(|error| error.to_string())?;
    let cookie = Zeroizing::new(cookie);
    let person = Person::new(who, &cookie, gate.clock().unix_ms());
    if gate.revocations.check_facts(|| person.facts()).is_err() {
        return Err("the account is not admitted at present".to_owned());
    }
    entered(gate, headers, (person, &cookie), response).map_err(|stop| stop.told)
}

/// The same answer, for a browser in which this person is signed in from here on.
fn entered(
    gate: &Gate,
    headers: &HeaderMap,
    (person, cookie): (Person, &str),
    response: Response<Body>,
) -> Result<Response<Body>, Stop> {
    let (before, now_ms) = (COOKIE.of(headers), gate.clock().unix_ms());
    let opened = gate.people.open(person, (cookie, before), now_ms);
    let person = opened.map_err(|full| Stop::broken(&full))?;
    // Who cannot be written down does not come in.
    if !note(gate, &person) {
        gate.people.end(cookie);
        return Err(Stop::new("unrecorded", BROKEN));
    }
    Ok(COOKIE.set(response, cookie, None))
}

/// Who signed in, and the mark of this very time.
async fn whoever(gate: &Gate, flow: Flow, query: &str) -> Result<(SignedIn, Mark), Stop> {
    let issuer = flow.issuer().to_owned();
    let runtime = Arc::clone(&gate.runtime());
    let sign_in = runtime.sign_ins.get(&*issuer);
    let sign_in = sign_in.ok_or_else(|| Stop::new("sign_in_unset", LOST))?;
    let outside = outside(gate, &*sign_in.fetch);
    let redeemed = async {
        let code = flow.answer(&gate.address_of(BACK), query, outside.now)?;
        let nonce = code.nonce().unwrap_or_default().to_owned();
        let server = sign_in.known.of(&issuer, outside).await?;
        let at = TokenEndpoint::new(outside, &server, &sign_in.identity, None)?;
        Ok::<_, ClientError>((code.redeem(&at).await?, nonce))
    };
    let redeemed = redeemed.await;
    let (tokens, nonce) = redeemed.map_err(|error| Stop::client(&issuer, &error))?;
    let asked = identity::SignIn {
        issuer: &issuer,
        client_id: sign_in.identity.client_id().unwrap_or_default(),
        nonce: &nonce,
    };
    let token = tokens.id_token().unwrap_or_default();
    let who = runtime.issuers.signed_in(token, asked, outside.now).await;
    let who = who.map_err(|error| {
        tracing::info!(issuer, "an identity token is refused: {error}");
        Stop::new(error.code(), UNSAID)
    })?;
    Ok((who, Mark::of(&[b"signed in", nonce.as_bytes()])))
}

fn note(gate: &Gate, person: &Person) -> bool {
    let how = [
        ("acr", person.context().map(str::to_owned)),
        ("amr", Some(person.methods().collect::<Vec<_>>().join(" "))),
    ];
    let how = how.into_iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(format!("{name} {value}"))
    });
    let how: Vec<String> = how.collect();
    gate.note_of(
        Some(person.who()),
        "person.signed_in",
        ("", ""),
        &how.join(", "),
    )
}

impl Errand {
    fn sealed(&self, seal: &Seal, now_ms: u64) -> Result<String, Stop> {
        let long = || Stop::broken(&"what a browser would have to hold is too long for it");
        let flow = self.flow.to_kept().ok_or_else(long)?;
        let kept = Kept {
            back_to: self.back_to.to_string(),
            contexts: self.strength.contexts.clone(),
            methods: self.strength.methods.clone(),
            max_age_s: self.strength.max_age_s,
        };
        let kept = serde_json::to_vec(&kept).map_err(|_| long())?;
        let length = u32::try_from(kept.len()).map_err(|_| long())?;
        let kept = Zeroizing::new([&length.to_be_bytes(), kept.as_slice(), &flow].concat());
        let until_ms = now_ms.saturating_add(PATIENCE_S * 1000);
        let sealed = seal.seal(&BOUND, until_ms, &kept);
        let sealed = sealed.map_err(|error| Stop::broken(&error))?;
        match sealed.len() <= SEALED_MAX {
            true => Ok(sealed),
            false => Err(long()),
        }
    }

    fn opened(seal: &Seal, now_ms: u64, sealed: &str) -> Option<Self> {
        let kept = Zeroizing::new(seal.open(&BOUND, now_ms, sealed).ok()?);
        let (length, rest) = kept.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (kept, flow) = rest.split_at_checked(length)?;
        let kept: Kept = serde_json::from_slice(kept).ok()?;
        Some(Errand {
            flow: Flow::from_kept(flow)?,
            back_to: BackTo::read(&kept.back_to)?,
            strength: Strength {
                contexts: kept.contexts,
                methods: kept.methods,
                max_age_s: kept.max_age_s,
            },
        })
    }
}

fn outside<'a>(gate: &Gate, fetch: &'a dyn identity::Fetch) -> Outside<'a> {
    Outside {
        fetch,
        entropy: &SystemEntropy,
        now: gate.clock().unix_s(),
    }
}

#[cfg(test)]
mod tests;
