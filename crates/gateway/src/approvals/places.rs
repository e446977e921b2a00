//! Where people look at calls that wait, approve and decline them with a browser. Policies say who may, each
//! time anew: for who is signed in now, about this very call. What somebody neither asked for nor may
//! approve is not there for them. Every yes and no goes the way of the register, and into the ledger.

use super::entry::{By, Decision, Entry, Progress};
use super::keep;
use super::office::Said;
use super::register::RegisterError;
use super::told;
use crate::body::Body;
use crate::gate::Gate;
use crate::pages::Form;
use crate::pages::browser::is_from_here;
use crate::people::{self, BackTo, Person};
use crate::step_up::{self, Demand};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use identity::Strength;
use policy::{Action, Approving, Context, Lift, Principal, Target};
use std::net::IpAddr;
use std::sync::Arc;

/// A place that browsers come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Every call that somebody may look at.
    List,
    /// One call.
    One(String),
}

impl Place {
    /// Where the list is.
    pub(crate) const PATH: &'static str = "/approvals";

    /// The place at this path below the public URL.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(Self::PATH)?;
        if rest.is_empty() {
            return Some(Place::List);
        }
        let id = rest.strip_prefix('/')?;
        let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        // What is no name of a call leads nowhere, and is repeated nowhere.
        Some(Place::One(if is_id {
            id.to_owned()
        } else {
            String::new()
        }))
    }
}

/// What somebody may do about a call.
#[derive(Debug)]
pub(super) struct May {
    /// The needs that their approval would fulfil.
    pub(super) needs: Vec<usize>,
    /// Whether they asked for it themselves.
    pub(super) asked: Asked,
    /// How they would have to sign in before policy lets them approve.
    stronger: Option<Strength>,
}

/// Who asked for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    ByThem,
    ByOthers,
}

impl May {
    /// Whether the call is there for them at all.
    fn see(&self) -> bool {
        self.declines() || self.stronger.is_some()
    }

    /// Whether they may end it.
    pub(super) fn declines(&self) -> bool {
        !self.needs.is_empty() || self.asked == Asked::ByThem
    }

    /// Whether policies would let them approve it if they signed in more strongly.
    pub(super) fn is_too_weak(&self) -> bool {
        self.needs.is_empty() && self.stronger.is_some()
    }
}

/// Answers a browser.
pub(crate) async fn answer(
    gate: &Arc<Gate>,
    source: IpAddr,
    place: Place,
    request: Request<Incoming>,
) -> Response<Body> {
    match (place, request.method()) {
        (Place::List, &Method::GET) => list(gate, request.headers()).await,
        (Place::One(id), &Method::GET) => show(gate, &id, request.headers()).await,
        (Place::One(id), &Method::POST) => decide(gate, source, &id, request).await,
        _ => told::failed("That is not how this page is asked for.")
            .answer(StatusCode::METHOD_NOT_ALLOWED),
    }
}

async fn list(gate: &Arc<Gate>, headers: &HeaderMap) -> Response<Body> {
    let back_to = BackTo::ours(Place::PATH);
    let person = people::required(gate, headers, &Strength::default(), &back_to).await;
    let person = match person {
        Ok(person) => person,
        Err(response) => return response,
    };
    let now_ms = gate.clock().unix_ms();
    let entries = match gate.approvals.register.entries(now_ms).await {
        Ok(entries) => entries,
        Err(error) => return broken(&error),
    };
    let theirs = entries.into_iter().filter(|entry| {
        entry.progress(now_ms) != Progress::Expired && may(gate, &person, entry).see()
    });
    let theirs: Vec<Entry> = theirs.collect();
    told::list(gate, &person, &theirs, now_ms).answer(StatusCode::OK)
}

async fn show(gate: &Arc<Gate>, id: &str, headers: &HeaderMap) -> Response<Body> {
    let Some(back_to) = BackTo::read(&format!("{}/{id}", Place::PATH)) else {
        return nowhere();
    };
    let person = people::required(gate, headers, &Strength::default(), &back_to).await;
    let person = match person {
        Ok(person) => person,
        Err(response) => return response,
    };
    let now_ms = gate.clock().unix_ms();
    let entry = match gate.approvals.register.entry(id, now_ms).await {
        Ok(Some(entry)) => entry,
        Ok(None) => return nowhere(),
        Err(error) => return broken(&error),
    };
    let may = may(gate, &person, &entry);
    if let (true, Some(strength)) = (may.needs.is_empty(), &may.stronger) {
        // They may, once they have shown more: they are sent to do that, and come back.
        let stronger = people::required(gate, headers, strength, &back_to).await;
        if let Err(response) = stronger {
            return response;
        }
    }
    match may.see() {
        true => told::one(gate, &person, &entry, &may, now_ms).answer(StatusCode::OK),
        false => nowhere(),
    }
}

async fn decide(
    gate: &Arc<Gate>,
    source: IpAddr,
    id: &str,
    request: Request<Incoming>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Some(person) = people::signed_in(gate, &head.headers) else {
        return told::failed("You are not signed in any more.").answer(StatusCode::FORBIDDEN);
    };
    let now_ms = gate.clock().unix_ms();
    let entry = match gate.approvals.register.entry(id, now_ms).await {
        Ok(Some(entry)) => entry,
        Ok(None) => return nowhere(),
        Err(error) => return broken(&error),
    };
    let refuse = |code: &str, why: &str| {
        let about = (&*entry.binding.server, &*entry.binding.tool);
        let told = (controls::N2_4, code, why);
        gate.note_refused(
            Some(person.who()),
            ("approval.refused", source),
            about,
            told,
        );
        told::failed(why).answer(StatusCode::FORBIDDEN)
    };
    let form = Form::read(&head.headers, body).await;
    let sent = form.as_ref().and_then(|form| form.field("csrf"));
    // The token is of this form about this request for approval, and of no later one.
    let is_ours = person.is_form_token(&form_name(&entry), sent.unwrap_or_default());
    let Some(form) = form.filter(|_| is_ours && is_from_here(&head.headers)) else {
        return refuse(
            "csrf",
            "This form was not sent from here, or the call has changed.",
        );
    };
    let may = may(gate, &person, &entry);
    let said = match form.field("decision") {
        Some("approve") => Some(Said::Approve),
        Some("decline") => {
            let why = form.field("why").filter(|why| !why.is_empty());
            Some(Said::Decline(
                why.unwrap_or("no reason was given").to_owned(),
            ))
        }
        _ => None,
    };
    let Some(verdict) = said.and_then(|said| said.verdict(&may)) else {
        return refuse("approval_denied", "You may not decide about this call.");
    };
    let decision = Decision {
        verdict,
        by: by(&person),
        seen_ms: Some(entry.asked_ms),
    };
    let register = &gate.approvals.register;
    match register.decide(id, &decision, now_ms).await {
        Ok(entry) => {
            keep::written(gate).await;
            told::decided(gate, &person, &entry, now_ms).answer(StatusCode::OK)
        }
        Err(RegisterError::Decision(error)) => refuse("approval_decision", &error.to_string()),
        Err(error) => broken(&error),
    }
}

/// What the token of the form of a call is for.
pub(super) fn form_name(entry: &Entry) -> String {
    format!("approval {} {}", entry.id, entry.asked_ms)
}

pub(super) fn by(person: &Person) -> By {
    let facts = person.facts();
    By::Person {
        issuer: facts.issuer.to_owned(),
        subject: facts.subject.to_owned(),
        user: facts.user.to_owned(),
    }
}

/// What policies let somebody do about a call, at this moment.
pub(super) fn may(gate: &Gate, person: &Person, entry: &Entry) -> May {
    let asked = match by(person).is_requester(&entry.binding, None) {
        true => Asked::ByThem,
        false => Asked::ByOthers,
    };
    let mut may = May {
        needs: Vec::new(),
        asked,
        stronger: None,
    };
    let Ok(principal) = person.principal(gate) else {
        return may;
    };
    // Whoever asked never approves; and of policies that are gone, nobody knows what they would say.
    let is_in_force = gate.policies().digest() == entry.binding.policies;
    if asked == Asked::ByThem || !is_in_force {
        return may;
    }
    for (nth, need) in entry.needs.iter().enumerate() {
        match permitted(gate, &principal, entry, &need.who) {
            Ok(()) => may.needs.push(nth),
            Err(stronger) => may.stronger = may.stronger.or(stronger),
        }
    }
    may
}

/// Whether policy lets somebody approve; if not, how they would have to sign in so that it does.
fn permitted(
    gate: &Gate,
    principal: &Principal,
    entry: &Entry,
    needs: &str,
) -> Result<(), Option<Strength>> {
    let call: serde_json::Value = serde_json::from_str(&entry.call).unwrap_or_default();
    let arguments = call.get("arguments").and_then(|it| it.as_object());
    let now_ms = i64::try_from(gate.clock().unix_ms()).unwrap_or(i64::MAX);
    let context = Context {
        arguments,
        now_ms,
        auth_age_s: step_up::auth_age_s(principal, now_ms / 1000),
        approving: Some(Approving {
            requester: &entry.requester,
            needs,
        }),
        ..Context::default()
    };
    let request = policy::Request {
        principal,
        action: Action::Approve,
        resource: Target::Tool {
            server: &entry.binding.server,
            name: &entry.binding.tool,
        },
        context: &context,
    };
    let decision = crate::stages::authorize::decided(gate, &request);
    if decision.allows() {
        return Ok(());
    }
    Err(match decision.lifts.first() {
        Some(Lift::StepUp(detail)) => {
            let settled = &gate.runtime().settled;
            let demand = Demand::of(detail, settled, &principal.caller().issuer);
            demand.map(|demand| Strength {
                contexts: demand.acr_values().to_vec(),
                methods: Vec::new(),
                max_age_s: demand.max_age_s(),
            })
        }
        _ => None,
    })
}

/// What is not there, is not theirs, or is no name of a call.
fn nowhere() -> Response<Body> {
    told::failed("There is no such call for you: it was made, is over, or is not yours to decide.")
        .answer(StatusCode::NOT_FOUND)
}

fn broken(error: &dyn std::error::Error) -> Response<Body> {
    tracing::error!("calls that wait cannot be read: {error}");
    told::failed("Something is wrong with the gateway. Its operator finds the cause in its log.")
        .answer(StatusCode::SERVICE_UNAVAILABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::{Still, cookies_of};
    use http_body_util::BodyExt as _;
    use identity::SignedIn;

    /// A browser at which somebody of this gateway's own is signed in, and what a page of calls says to it.
    async fn listed(still: &Still, browser: &HeaderMap) -> String {
        let page = list(still.gate(), browser).await;
        let bytes = page.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn n2_4_a_call_is_listed_for_whoever_made_it_until_it_expires_and_for_nobody_else() {
        let still = Still::with("").await;
        let gate = still.gate();
        let now_ms = gate.clock().unix_ms();
        let enters = |user: &str| {
            let who = SignedIn::local(user, &[], now_ms / 1000);
            let page = Response::new(Body::empty());
            cookies_of(&people::enter(gate, &HeaderMap::new(), who, page).unwrap())
        };
        let (alice, bob) = (enters("alice"), enters("bob"));
        let mut hers = super::super::entry::tests::entry(&[("owners", 1)]);
        let person = people::signed_in(gate, &alice).unwrap();
        hers.binding.user = person.user().as_str().to_owned();
        hers.id = hers.binding.id();
        (hers.asked_ms, hers.until_ms) = (now_ms, now_ms + hers.lasts_ms);
        let register = &gate.approvals.register;
        assert!(register.put(None, &hers, now_ms).await.unwrap());
        let link = format!("/approvals/{}", hers.id);
        assert!(listed(&still, &alice).await.contains(&link));
        assert!(!listed(&still, &bob).await.contains(&link));
        still.clock.advance_ms(hers.lasts_ms);
        assert!(!listed(&still, &alice).await.contains(&link));
    }

    #[test]
    fn n2_4_a_form_is_about_one_call_and_one_time_it_was_asked_for() {
        let one = super::super::entry::tests::entry(&[("owners", 1)]);
        let (mut other, mut again) = (one.clone(), one.clone());
        other.id = "another".to_owned();
        again.asked_ms += 1;
        assert_ne!(form_name(&one), form_name(&other));
        assert_ne!(form_name(&one), form_name(&again));
        assert_eq!(form_name(&one), form_name(&one.clone()));
    }

    #[test]
    fn a_call_is_found_by_its_name_and_nothing_else_is_looked_for() {
        let one = |id: &str| Some(Place::One(id.to_owned()));
        let id = "0f3a5c7e9b1d2f400f3a5c7e9b1d2f40";
        for (path, expected) in [
            ("/approvals", Some(Place::List)),
            (&*format!("/approvals/{id}"), one(id)),
            ("/approvals/", one("")),
            ("/approvals/x", one("")),
            (&*format!("/approvals/{id}/"), one("")),
            ("/approvals/../x", one("")),
            ("/approvalsx", None),
            ("/other", None),
        ] {
            assert_eq!(Place::at(path), expected, "{path}");
        }
    }
}
