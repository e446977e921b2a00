//! Where browsers come to: to sign in and out, and to see what is open for them.

use super::steps::{self, BACK};
use super::told::{self, SIGN_OUT};
use super::{BackTo, COOKIE, own, signed_in};
use crate::body::Body;
use crate::gate::Gate;
use crate::pages::Form;
use crate::pages::browser::{is_ahead_of_time, is_from_here};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use identity::Strength;
use std::net::IpAddr;
use std::sync::Arc;

/// A place that browsers come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What is open for them.
    Own,
    /// Where signing in begins.
    SignIn,
    /// Back from the issuer.
    Back,
    /// Where it ends.
    SignOut,
}

impl Place {
    /// The place at this path below the public URL.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            own::PATH => Some(Place::Own),
            "/sign-in" => Some(Place::SignIn),
            BACK => Some(Place::Back),
            "/sign-out" => Some(Place::SignOut),
            _ => None,
        }
    }
}

/// Answers a browser.
pub(crate) async fn answer(
    gate: &Arc<Gate>,
    source: IpAddr,
    place: Place,
    request: Request<Incoming>,
) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default();
    match (place, request.method()) {
        (Place::Own, &Method::GET) => own::show(gate, request.headers()).await,
        (Place::Own, &Method::POST) => own::end(gate, request).await,
        (Place::SignIn, &Method::GET) if is_ahead_of_time(request.headers()) => {
            let page = told::failed("Sign in", "This page is not fetched ahead of time.");
            page.answer(StatusCode::FORBIDDEN)
        }
        (Place::SignIn, &Method::GET) => begin(gate, query).await,
        (Place::Back, &Method::GET) => steps::back(gate, source, request.headers(), query).await,
        (Place::SignOut, &Method::GET) => match signed_in(gate, request.headers()) {
            Some(person) => told::sign_out(gate, &person).answer(StatusCode::OK),
            None => told::signed_out(&gate.path_of("/sign-in")).answer(StatusCode::OK),
        },
        (Place::SignOut, &Method::POST) => sign_out(gate, request).await,
        _ => {
            let page = told::failed("Sign in", "That is not how this page is asked for.");
            page.answer(StatusCode::METHOD_NOT_ALLOWED)
        }
    }
}

async fn begin(gate: &Arc<Gate>, query: &str) -> Response<Body> {
    let one = |name: &str| {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let mut found = pairs
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value);
        let value = found.next()?;
        found.next().is_none().then_some(value)
    };
    let back_to = one("back").and_then(|back| BackTo::read(&back));
    let back_to = back_to.unwrap_or_else(|| BackTo::ours(own::PATH));
    match one("issuer") {
        Some(issuer) => steps::sign_in(gate, &issuer, &Strength::default(), &back_to).await,
        None => choice(gate, &Strength::default(), &back_to).await,
    }
}

/// The way to sign in: to the only issuer, or to one of several. Strength is asked of whoever comes back
/// from one of those, who is known by then.
pub(super) async fn choice(
    gate: &Arc<Gate>,
    strength: &Strength,
    back_to: &BackTo,
) -> Response<Body> {
    let runtime = Arc::clone(&gate.runtime());
    let mut issuers: Vec<&str> = runtime.sign_ins.keys().map(|issuer| &**issuer).collect();
    issuers.sort_unstable();
    match issuers.as_slice() {
        [] => told::nobody().answer(StatusCode::NOT_FOUND),
        [only] => steps::sign_in(gate, only, strength, back_to).await,
        several => {
            let ways = several.iter().map(|issuer| {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.append_pair("issuer", issuer);
                query.append_pair("back", back_to.as_str());
                let path = gate.path_of("/sign-in");
                (*issuer, format!("{path}?{}", query.finish()))
            });
            told::choice(ways).answer(StatusCode::OK)
        }
    }
}

async fn sign_out(gate: &Arc<Gate>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let signed_out = || {
        let page = told::signed_out(&gate.path_of("/sign-in"));
        COOKIE.clear(page.answer(StatusCode::OK))
    };
    let Some(person) = signed_in(gate, &head.headers) else {
        return signed_out();
    };
    let form = Form::read(&head.headers, body).await;
    let is_ours = form.is_some_and(|form| form.repeats("csrf", &person.form_token(SIGN_OUT)));
    if !is_from_here(&head.headers) || !is_ours {
        let page = told::failed("Not signed out", "This form was not sent from here.");
        return page.answer(StatusCode::FORBIDDEN);
    }
    let ended = COOKIE
        .of(&head.headers)
        .and_then(|cookie| gate.people.end(cookie));
    if let Some(person) = ended {
        gate.note_of(Some(person.who()), "person.signed_out", ("", ""), "");
    }
    signed_out()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_to_places_of_their_own() {
        for (path, expected) in [
            ("/connections", Some(Place::Own)),
            ("/sign-in", Some(Place::SignIn)),
            ("/sign-in/back", Some(Place::Back)),
            ("/sign-out", Some(Place::SignOut)),
            ("/sign-in/", None),
            ("/sign-in/back/", None),
            ("/signin", None),
        ] {
            assert_eq!(Place::at(path), expected, "{path}");
        }
    }
}
