//! `/admin`: who is signed in as an administrator, with which roles, and what they may do. The pages that
//! do it come with the console; until then the operations are what there is.

use super::api::FORM;
use super::break_glass::Step;
use super::{Asked, Effect, Operation};
use crate::body::Body;
use crate::gate::Gate;
use crate::pages::{Markup, Page};
use crate::people::{self, BackTo, Person, nav};
use http::{HeaderMap, Response, StatusCode};
use policy::Administrator;
use std::sync::Arc;

/// A place that administrators come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first page.
    Start,
    /// Where they sign in again.
    SignIn,
    /// A step of the account for emergencies.
    BreakGlass(Step),
    /// An operation, at this path below the others.
    Operation(String),
}

/// Where the first page is.
const PATH: &str = "/admin";

impl Place {
    /// The place at this path below the public URL.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            PATH => Some(Place::Start),
            "/admin/sign-in" => Some(Place::SignIn),
            path => {
                if let Some(step) = Step::at(path) {
                    return Some(Place::BreakGlass(step));
                }
                let below = path.strip_prefix(Operation::BASE)?;
                below
                    .starts_with('/')
                    .then(|| Place::Operation(below.to_owned()))
            }
        }
    }
}

/// Sends somebody to sign in as an administrator, strongly and now.
pub(super) async fn sign_in(gate: &Arc<Gate>) -> Response<Body> {
    let runtime = Arc::clone(&gate.runtime());
    match runtime.office.issuer() {
        Some(issuer) => {
            let strength = runtime.office.strength_to_change();
            people::sign_in(gate, issuer, &strength, &BackTo::ours(PATH)).await
        }
        None => nobody().answer(StatusCode::NOT_FOUND),
    }
}

/// Shows the first page to whoever is signed in as an administrator.
pub(super) async fn show(gate: &Arc<Gate>, headers: &HeaderMap) -> Response<Body> {
    let runtime = Arc::clone(&gate.runtime());
    let office = &runtime.office;
    let Some(issuer) = office.issuer() else {
        return nobody().answer(StatusCode::NOT_FOUND);
    };
    let now_s = gate.clock().unix_s();
    let found = people::signed_in(gate, headers).and_then(|person| {
        let who = office.administrator(&person)?;
        let admitted = office.admits(&person, who.way, Effect::Looks, now_s);
        admitted.ok().map(|()| (person, who))
    });
    match found {
        Some((person, who)) => page(gate, &person, &who).answer(StatusCode::OK),
        None => people::sign_in(gate, issuer, &office.strength(), &BackTo::ours(PATH)).await,
    }
}

fn page(gate: &Gate, person: &Person, who: &Administrator) -> Page {
    let roles: Vec<&str> = who.roles.iter().map(|role| role.name()).collect();
    let roles = match roles.is_empty() {
        true => "none".to_owned(),
        false => roles.join(", "),
    };
    let office = &gate.runtime().office;
    let now_s = gate.clock().unix_s();
    let is_fresh = office
        .admits(person, who.way, Effect::Changes, now_s)
        .is_ok();
    let mut body = Markup::new()
        .tag("<dl>")
        .fact("Signed in as", &person.display_name())
        .fact("Known by", person.issuer())
        .fact("Roles", &roles)
        .fact("Authentication", &how(who))
        .tag("</dl>");
    if !is_fresh {
        body = body
            .tag("<p class=\"warning\">To change anything you have to <a href=\"")
            .text(&gate.path_of("/admin/sign-in"))
            .tag("\">sign in again</a>.</p>");
    }
    let allowed = Operation::ALL
        .into_iter()
        .filter(|it| office.allows(who, *it));
    let allowed: Vec<Operation> = allowed.collect();
    body = match allowed.is_empty() {
        true => body.tag("<p>No policy of administration lets you do anything here.</p>"),
        false => body.put(&operations(gate, &allowed)),
    };
    // What a script of a console page sends with whatever changes anything.
    let body = body
        .tag("<form hidden>")
        .hidden("csrf", &person.form_token(FORM))
        .tag("</form>");
    Page::new("Administration", body)
        .with_nav(nav(gate, person, PATH))
        .wide()
}

fn operations(gate: &Gate, allowed: &[Operation]) -> Markup {
    let table = Markup::new()
        .tag("<h2>What you may do</h2><div class=\"scroll\"><table><thead><tr>")
        .tag("<th scope=\"col\">Operation</th><th scope=\"col\">What it does</th></tr></thead><tbody>");
    let table = table.each(allowed, |rows, it| {
        let rows = rows.tag("<tr><td>");
        // What needs no more to be told is a link.
        let is_whole = Asked::read(*it, serde_json::json!({})).is_ok();
        let rows = match it.effect() {
            Effect::Looks if is_whole => {
                let path = gate.path_of(&format!("{}{}", Operation::BASE, it.path()));
                let link = rows.tag("<a href=\"").text(&path).tag("\">");
                link.text(it.name()).tag("</a>")
            }
            Effect::Changes | Effect::Looks => rows.tag("<code>").text(it.name()).tag("</code>"),
        };
        rows.tag("</td><td>").text(it.told()).tag("</td></tr>")
    });
    table.tag("</tbody></table></div>")
}

fn how(who: &Administrator) -> String {
    let acr = who.acr.iter().map(|acr| format!("acr {acr}"));
    let amr = (!who.amr.is_empty()).then(|| format!("amr {}", who.amr.join(" ")));
    let how: Vec<String> = acr.chain(amr).collect();
    match how.is_empty() {
        true => "not told".to_owned(),
        false => how.join(", "),
    }
}

fn nobody() -> Page {
    failed("Nobody administers this gateway with a browser (administration of its configuration).")
}

/// It is not there, or not asked for rightly.
pub(super) fn failed(why: &str) -> Page {
    Page::new(
        "Administration",
        Markup::new().tag("<p>").text(why).tag("</p>"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_come_to_places_of_their_own() {
        let operation = |path: &str| Some(Place::Operation(path.to_owned()));
        for (path, expected) in [
            ("/admin", Some(Place::Start)),
            ("/admin/sign-in", Some(Place::SignIn)),
            ("/admin/api/v1/sessions", operation("/sessions")),
            ("/admin/api/v1/", operation("/")),
            ("/admin/api/v1", None),
            ("/admin/first", Some(Place::BreakGlass(Step::First))),
            ("/admin/passkey", Some(Place::BreakGlass(Step::Passkey))),
            ("/admin/passkey/", None),
            ("/admin/api/v1x", None),
            ("/admin/", None),
            ("/administration", None),
        ] {
            assert_eq!(Place::at(path), expected, "{path}");
        }
    }
}
