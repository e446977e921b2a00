//! The operations over HTTP, for administrators who are signed in with a browser: JSON in, JSON out,
//! strictly. What changes anything comes from a page of ours, with its token, from somebody who was
//! authenticated a short while ago.

use super::{AdminRefusal, Asked, By, Effect, Operation, Place, Verb, break_glass, page, perform};
use crate::body::Body;
use crate::gate::Gate;
use crate::listener::origin_is_ours;
use crate::pages::browser::{is_from_here, json};
use crate::people::{Person, signed_in};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use policy::{Administrator, Way};
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The largest input that is read, in bytes.
const BYTES: usize = 64 * 1024;
/// How long it may take to arrive.
const TIME: Duration = Duration::from_secs(10);
/// The most members a query may have.
const MEMBERS: usize = 16;
/// The header that repeats the token of the page.
const TOKEN: &str = "x-ringwall-form";
/// The form whose token it is.
pub(super) const FORM: &str = "admin";

/// Answers a browser.
pub(crate) async fn answer(
    gate: &Arc<Gate>,
    source: IpAddr,
    place: Place,
    request: Request<Incoming>,
) -> Response<Body> {
    match place {
        Place::Operation(path) => match operated(gate, source, &path, request).await {
            Ok(done) => json(StatusCode::OK, &done),
            Err(refusal) => json(refusal.status, &refusal.told()),
        },
        Place::BreakGlass(step) => break_glass::answer(gate, source, step, request).await,
        Place::Start | Place::SignIn if request.method() != Method::GET => {
            let wrong = "That is not how this page is asked for.";
            page::failed(wrong).answer(StatusCode::METHOD_NOT_ALLOWED)
        }
        Place::Start => page::show(gate, request.headers()).await,
        Place::SignIn => page::sign_in(gate).await,
    }
}

async fn operated(
    gate: &Arc<Gate>,
    source: IpAddr,
    path: &str,
    request: Request<Incoming>,
) -> Result<Value, AdminRefusal> {
    let (head, body) = request.into_parts();
    let found = administrator(gate, &head.headers);
    let (person, by) = found.map_err(|(refusal, person)| {
        note(gate, source, person.as_deref(), path, &refusal);
        refusal
    })?;
    let asked = async {
        let operation = at(path, &head.method)?;
        ours(gate, (&head.uri, &head.headers), (&person, &by), operation)?;
        let input = match operation.verb() {
            Verb::Get => queried(head.uri.query().unwrap_or_default()),
            Verb::Post => read(&head.headers, body).await,
        };
        let input = input.ok_or_else(|| {
            let told = "there is no JSON object of a bounded size, or a member is there twice";
            AdminRefusal::malformed(told)
        })?;
        Asked::read(operation, input).map_err(|error| AdminRefusal::malformed(&error.to_string()))
    };
    let asked = asked.await.inspect_err(|refusal| {
        note(gate, source, Some(&person), path, refusal);
    })?;
    perform(gate, &By::Person(person, by), asked).await
}

type Nobody = (AdminRefusal, Option<Arc<Person>>);

/// The administrator who is signed in with this browser, strongly enough to see anything.
fn administrator(gate: &Gate, headers: &HeaderMap) -> Result<(Arc<Person>, Administrator), Nobody> {
    let runtime = gate.runtime();
    let office = &runtime.office;
    let no = |refusal, person| Err((refusal, person));
    if office.issuer().is_none() {
        return no(
            AdminRefusal::unknown("nobody administers with a browser here"),
            None,
        );
    }
    let sign_in = gate.path_of("/admin/sign-in");
    let Some(person) = signed_in(gate, headers) else {
        let refusal = AdminRefusal::new(
            ("admin_signed_out", StatusCode::UNAUTHORIZED),
            controls::N2_4,
            "nobody is signed in with this browser",
            "sign in",
        );
        return no(refusal.at(sign_in), None);
    };
    let Some(who) = office.administrator(&person) else {
        let refusal = AdminRefusal::new(
            ("admin_elsewhere", StatusCode::FORBIDDEN),
            controls::N2_4,
            "administrators sign in at another issuer",
            "sign in as an administrator",
        );
        return no(refusal.at(sign_in), Some(person));
    };
    if let Err(weak) = office.admits(&person, who.way, Effect::Looks, gate.clock().unix_s()) {
        let refusal = AdminRefusal::new(
            ("admin_weak", StatusCode::FORBIDDEN),
            controls::N2_4,
            &weak.to_string(),
            "sign in more strongly",
        );
        return no(refusal.at(sign_in), Some(person));
    }
    Ok((person, who))
}

fn at(path: &str, method: &Method) -> Result<Operation, AdminRefusal> {
    let mut there = Operation::at(path).peekable();
    if there.peek().is_none() {
        return Err(AdminRefusal::unknown("there is no such operation"));
    }
    let found = there.find(|it| it.verb().name() == method.as_str());
    found.ok_or_else(|| {
        AdminRefusal::new(
            ("admin_method", StatusCode::METHOD_NOT_ALLOWED),
            controls::N1_2,
            "that is not how this operation is asked for",
            "look with GET, change with POST",
        )
    })
}

/// That it is asked by a page of ours, and where it changes anything, with the token of that page and by
/// somebody who was authenticated a short while ago.
fn ours(
    gate: &Gate,
    (uri, headers): (&Uri, &HeaderMap),
    (person, who): (&Person, &Administrator),
    operation: Operation,
) -> Result<(), AdminRefusal> {
    let foreign = || {
        AdminRefusal::new(
            ("admin_foreign", StatusCode::FORBIDDEN),
            controls::N8_4,
            "it was not asked by a page of this gateway",
            "ask from its own pages, with the token that `whoami` of the page gives",
        )
    };
    let is_ours = match headers.contains_key(header::ORIGIN) {
        true => origin_is_ours(uri, headers),
        // Browsers say where it comes from of whatever is no look.
        false => operation.effect() == Effect::Looks,
    };
    if !is_ours || !is_from_here(headers) {
        return Err(foreign());
    }
    if operation.effect() == Effect::Looks {
        return Ok(());
    }
    let token = headers.get(TOKEN).and_then(|token| token.to_str().ok());
    if !person.is_form_token(FORM, token.unwrap_or_default()) {
        return Err(foreign());
    }
    let now_s = gate.clock().unix_s();
    let admitted = gate
        .runtime()
        .office
        .admits(person, who.way, Effect::Changes, now_s);
    admitted.map_err(|weak| {
        let refusal = AdminRefusal::new(
            ("admin_step_up", StatusCode::FORBIDDEN),
            controls::N2_4,
            &weak.to_string(),
            "sign in again, then try again",
        );
        refusal.at(gate.path_of("/admin/sign-in"))
    })
}

fn queried(query: &str) -> Option<Value> {
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let before = members.insert(name.into_owned(), Value::String(value.into_owned()));
        if before.is_some() || members.len() > MEMBERS {
            return None;
        }
    }
    Some(Value::Object(members))
}

/// The JSON object of a bounded size that was sent.
pub(super) async fn read(headers: &HeaderMap, body: Incoming) -> Option<Value> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if !kind
        .split(';')
        .next()?
        .trim()
        .eq_ignore_ascii_case("application/json")
    {
        return None;
    }
    let whole = Limited::new(body, BYTES).collect();
    let whole = tokio::time::timeout(TIME, whole).await.ok()?.ok()?;
    let limits = protocol::Limits {
        bytes: BYTES,
        ..protocol::Limits::default()
    };
    // The strict reader: what two readers could read differently is not read at all.
    let document = protocol::Document::read(whole.to_bytes(), &limits).ok()?;
    let read: Option<Value> = serde_json::from_slice(document.bytes()).ok();
    read.filter(Value::is_object)
}

fn note(gate: &Gate, source: IpAddr, person: Option<&Person>, path: &str, refused: &AdminRefusal) {
    if person.is_some() || gate.strangers.is_worth_a_record(gate) {
        let path: String = path.chars().take(128).collect();
        let refusal = &refused.refusal;
        let why = (refusal.control, refusal.code, &*refusal.reason);
        let who = person.map(Person::who);
        gate.note_refused(who, ("admin.refused", source), ("", &path), why);
    }
}

impl super::Office {
    /// That a person was authenticated strongly enough for this. A passkey is as strong as it gets, and
    /// may be too long ago.
    pub(super) fn admits(
        &self,
        person: &Person,
        way: Way,
        effect: Effect,
        now_s: u64,
    ) -> Result<(), identity::Weakness> {
        let mut strength = match effect {
            Effect::Changes => self.strength_to_change(),
            Effect::Looks => self.strength(),
        };
        if way == Way::Passkey {
            strength.contexts.clear();
            strength.methods.clear();
        }
        person.shows(&strength, now_s)
    }
}

#[cfg(test)]
mod tests;
