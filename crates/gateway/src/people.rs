//! People with a browser: who is signed in to the gateway's own pages, by which issuer, and how strongly.
//!
//! A person signs in at an issuer that has `sign_in`, by the flow that connecting a server uses and with
//! the same checks of the ID token. What they open with it is this gateway's pages and nothing else: no
//! cookie is ever a token, and no route takes one.
//!
//! Whoever has a page asks [`required`], or [`signed_in`] where a page is for everybody. A form bears a
//! token of [`Person::form_token`], and [`Person::is_form_token`] is asked before it is acted on.

mod back_to;
mod own;
mod person;
mod places;
mod roster;
mod steps;
mod told;

pub(crate) use back_to::BackTo;
pub use person::Person;
pub(crate) use places::{Place, answer};
pub use roster::{Full, People};
pub(crate) use steps::{enter, sign_in};
pub(crate) use told::nav;

use crate::body::Body;
use crate::gate::Gate;
use crate::pages::browser::Cookie;
use http::{HeaderMap, Response};
use identity::Strength;
use std::sync::Arc;

/// What a person's session is found by.
const COOKIE: Cookie = Cookie("__Host-ringwall");

/// Who is signed in with this browser, if anybody is and was not revoked since.
pub(crate) fn signed_in(gate: &Gate, headers: &HeaderMap) -> Option<Arc<Person>> {
    let now_ms = gate.clock().unix_ms();
    let person = gate.people.find(COOKIE.of(headers)?, now_ms)?;
    // What nobody can tell is no yes.
    let barred = gate.revocations.check_facts(|| person.facts());
    barred.ok().map(|()| person)
}

/// Who is signed in with this browser, as strongly as that; otherwise the way to sign in, and from there
/// back to this page. It is for pages that are looked at: a form may not lead to an issuer.
pub(crate) async fn required(
    gate: &Arc<Gate>,
    headers: &HeaderMap,
    strength: &Strength,
    back_to: &BackTo,
) -> Result<Arc<Person>, Response<Body>> {
    let now_s = gate.clock().unix_s();
    match signed_in(gate, headers) {
        Some(person) if person.shows(strength, now_s).is_ok() => Ok(person),
        Some(person) => Err(sign_in(gate, person.issuer(), strength, back_to).await),
        None => Err(places::choice(gate, strength, back_to).await),
    }
}
