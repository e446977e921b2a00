//! `/connections`: what is open for the person who looks at it, and what they granted. They end it here,
//! by the same operations as administrators, and of their own only: what is somebody else's is not there.

use super::{BackTo, Person, nav, required, signed_in, told};
use crate::authority::{self, Agreed};
use crate::body::Body;
use crate::control::{HeldSession, Holdings, Wanted};
use crate::credential::{Connections, Listed};
use crate::gate::Gate;
use crate::pages::browser::{is_from_here, redirect};
use crate::pages::{Form, Markup, Page};
use crate::revocation::{Order, Origin, Target};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use identity::Strength;
use std::sync::Arc;

/// Where it is.
pub(super) const PATH: &str = "/connections";
/// The form that ends something.
const END: &str = "end";

/// Everything that is a person's own.
struct Own {
    consents: Vec<Agreed>,
    connections: Vec<Listed>,
    sessions: Vec<HeldSession>,
    browsers: Vec<Arc<Person>>,
    now_ms: u64,
}

/// Shows it to whoever is signed in.
pub(super) async fn show(gate: &Arc<Gate>, headers: &HeaderMap) -> Response<Body> {
    let back_to = BackTo::ours(PATH);
    let person = match required(gate, headers, &Strength::default(), &back_to).await {
        Ok(person) => person,
        Err(response) => return response,
    };
    match Own::of(gate, &person).await {
        Some(own) => own.page(gate, &person).answer(StatusCode::OK),
        None => told::failed("Connections", BROKEN).answer(StatusCode::SERVICE_UNAVAILABLE),
    }
}

const BROKEN: &str =
    "Something is wrong with the gateway. Its operator finds the cause in its log.";

/// Ends one thing of theirs.
pub(super) async fn end(gate: &Arc<Gate>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let failed = |status, why| told::failed("Nothing was ended", why).answer(status);
    let Some(person) = signed_in(gate, &head.headers) else {
        return failed(StatusCode::FORBIDDEN, "You are not signed in any more.");
    };
    let form = Form::read(&head.headers, body).await;
    let form = form.filter(|form| {
        form.repeats("csrf", &person.form_token(END)) && is_from_here(&head.headers)
    });
    let Some(form) = form else {
        return failed(StatusCode::FORBIDDEN, "This form was not sent from here.");
    };
    let (kind, name) = (form.field("kind"), form.field("name"));
    let (kind, name) = (kind.unwrap_or_default(), name.unwrap_or_default());
    let Some(own) = Own::of(gate, &person).await else {
        return failed(StatusCode::SERVICE_UNAVAILABLE, BROKEN);
    };
    // Only what is theirs is there to be found.
    let ended = match kind {
        "connection" if own.connections.iter().any(|it| it.name == name) => {
            let target = Target::Grant {
                name: name.to_owned(),
            };
            revoked(gate, &person, target).await
        }
        "client" if own.consents.iter().any(|it| it.id == name) => {
            noted(gate, &person, &format!("client {name}")) && taken_back(gate, &person, name).await
        }
        "session" if own.sessions.iter().any(|it| *it.session == *name) => {
            let target = Target::Session {
                name: name.to_owned(),
            };
            revoked(gate, &person, target).await
        }
        "browser" if own.browsers.iter().any(|it| it.session() == name) => {
            noted(gate, &person, &format!("browser {name}"))
                && gate.people.end_where(|it| it.session() == name) > 0
        }
        _ => return failed(StatusCode::NOT_FOUND, "There is no such thing any more."),
    };
    match ended {
        true => redirect(&gate.path_of(PATH)),
        false => failed(StatusCode::SERVICE_UNAVAILABLE, BROKEN),
    }
}

/// Nothing happens that is not written down first.
fn noted(gate: &Gate, person: &Person, what: &str) -> bool {
    gate.note_of(Some(person.who()), "own.ended", ("", what), "by themselves")
}

async fn taken_back(gate: &Arc<Gate>, person: &Person, id: &str) -> bool {
    let user = person.user().as_str();
    let taken = authority::revoke(gate, user, id, user).await;
    taken
        .inspect_err(|error| tracing::error!("what a user took back is still there: {error}"))
        .is_ok()
}

async fn revoked(gate: &Gate, person: &Person, target: Target) -> bool {
    if !noted(gate, person, &target.to_string()) {
        return false;
    }
    let now_ms = gate.clock().unix_ms();
    let order = Order {
        target,
        at_ms: now_ms,
        block: false,
        origin: Origin::Operator,
        why: "ended by the user".to_owned(),
        by: person.user().as_str().to_owned(),
    };
    let added = gate.revocations.add(order, now_ms).await;
    added
        .inspect_err(|error| tracing::error!("what a user ended is still open: {error}"))
        .is_ok()
}

impl Own {
    async fn of(gate: &Arc<Gate>, person: &Person) -> Option<Self> {
        let now_ms = gate.clock().unix_ms();
        let user = person.user();
        let kept = Connections::new(gate.rows.clone());
        let connections = kept.of_user(user.as_str(), now_ms).await;
        let connections = connections
            .inspect_err(|error| tracing::error!("connections cannot be listed: {error}"))
            .ok()?;
        let consents = authority::list(gate, user.as_str()).await;
        let consents = consents
            .inspect_err(|error| tracing::error!("what was agreed to cannot be listed: {error}"))
            .ok()?;
        let wanted = Wanted {
            user: Some(user.as_str().to_owned()),
            route: None,
        };
        let looked = {
            let gate = Arc::clone(gate);
            tokio::task::spawn_blocking(move || Holdings::of(&gate, &wanted))
        };
        let mut sessions = looked.await.ok()?.sessions;
        // An issuer's name for somebody may look like the key of somebody else.
        sessions.retain(|session| *session.user == *user.as_str());
        Some(Own {
            consents,
            connections,
            sessions,
            browsers: gate.people.list(Some(user), now_ms),
            now_ms,
        })
    }

    fn page(&self, gate: &Gate, person: &Arc<Person>) -> Page {
        let button = |cell: Markup, kind: &'static str, name: &str, told: &'static str| {
            let form = cell.tag("<form method=\"post\" action=\"");
            let form = form.text(&gate.path_of(PATH)).tag("\">");
            let form = form.hidden("csrf", &person.form_token(END));
            let form = form.hidden("kind", kind).hidden("name", name);
            let form = form.tag("<button class=\"small danger\" aria-label=\"");
            let form = form.tag(told).tag(" ").text(name).tag("\">");
            form.tag(told).tag("</button></form>")
        };
        let body = Markup::new()
            .tag("<p>You are signed in as <strong>")
            .text(&person.display_name())
            .tag("</strong>, as ")
            .text(person.issuer())
            .tag(" knows you.</p>")
            .put(&self.agreed(&button))
            .put(&self.connected(&button))
            .put(&self.held(&button))
            .put(&self.seen(person, &button));
        let page = Page::new("Connections", body);
        page.with_nav(nav(gate, person, PATH)).wide()
    }

    fn agreed(
        &self,
        button: &impl Fn(Markup, &'static str, &str, &'static str) -> Markup,
    ) -> Markup {
        let part = Markup::new().tag("<h2>Clients you let in</h2>");
        if self.consents.is_empty() {
            return part.tag("<p class=\"quiet\">None.</p>");
        }
        let head = ["Client", "Known by", "For", "Scopes"];
        let table = opened(part, &head);
        let table = table.each(&self.consents, |rows, it| {
            let consent = &it.consent;
            let name = consent.client_name.as_deref().unwrap_or(&consent.client_id);
            // A name that nobody stands by is anybody's.
            let known = consent
                .vouched_by
                .as_deref()
                .unwrap_or("nobody: the name was not verified");
            let row = cells(rows, &[name, known, &consent.resource, &consent.scopes]);
            button(row, "client", &it.id, "Take back").tag("</td></tr>")
        });
        table.tag("</tbody></table></div>")
    }

    fn connected(
        &self,
        button: &impl Fn(Markup, &'static str, &str, &'static str) -> Markup,
    ) -> Markup {
        let part = Markup::new().tag("<h2>Servers you connected</h2>");
        if self.connections.is_empty() {
            return part.tag("<p class=\"quiet\">None.</p>");
        }
        let head = ["Server", "Granted by", "For the client", "Scopes"];
        let table = opened(part, &head);
        let table = table.each(&self.connections, |rows, it| {
            let client = it.about.client.as_deref().unwrap_or("-");
            let row = cells(rows, &[&it.server, &it.issuer, client, &it.about.scopes]);
            button(row, "connection", &it.name, "Take back").tag("</td></tr>")
        });
        table.tag("</tbody></table></div>")
    }

    fn held(&self, button: &impl Fn(Markup, &'static str, &str, &'static str) -> Markup) -> Markup {
        let part = Markup::new().tag("<h2>Sessions of your clients</h2>");
        if self.sessions.is_empty() {
            return part.tag("<p class=\"quiet\">None.</p>");
        }
        let table = opened(part, &["Client", "Route", "Opened", "Idle"]);
        let table = table.each(&self.sessions, |rows, it| {
            let client = it.client.as_deref().unwrap_or("-");
            let (age, idle) = (span(it.age_ms), span(it.idle_ms));
            let row = cells(rows, &[client, &it.route, &format!("{age} ago"), &idle]);
            button(row, "session", &it.session, "End").tag("</td></tr>")
        });
        table.tag("</tbody></table></div>")
    }

    fn seen(
        &self,
        person: &Person,
        button: &impl Fn(Markup, &'static str, &str, &'static str) -> Markup,
    ) -> Markup {
        let part = Markup::new().tag("<h2>Browsers you are signed in with</h2>");
        let table = opened(part, &["Session", "Signed in", "Idle"]);
        let table = table.each(&self.browsers, |rows, it| {
            let age = span(self.now_ms.saturating_sub(it.since_ms()));
            let idle = span(self.now_ms.saturating_sub(it.used_ms()));
            let name = match it.session() == person.session() {
                true => format!("{} (this one)", it.session()),
                false => it.session().to_owned(),
            };
            let row = cells(rows, &[&name, &format!("{age} ago"), &idle]);
            button(row, "browser", it.session(), "Sign out").tag("</td></tr>")
        });
        table.tag("</tbody></table></div>")
    }
}

/// A table with these columns, and one for what can be done.
fn opened(part: Markup, columns: &[&'static str]) -> Markup {
    let table = part.tag("<div class=\"scroll\"><table><thead><tr>");
    let table = table.each(columns, |row, name| {
        row.tag("<th scope=\"col\">").tag(name).tag("</th>")
    });
    table.tag("<td></td></tr></thead><tbody>")
}

/// A row with these texts, whose last cell is open.
fn cells(rows: Markup, texts: &[&str]) -> Markup {
    let row = rows
        .tag("<tr>")
        .each(texts, |row, text| row.tag("<td>").text(text).tag("</td>"));
    row.tag("<td>")
}

/// A span of time in its largest unit.
fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match (seconds / 60, seconds / 3600) {
        (0, _) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (_, hours) => format!("{hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::{Still, cookies_of};
    use identity::SignedIn;

    #[tokio::test]
    async fn n5_1_nothing_is_ended_that_cannot_be_written_down() {
        let still = Still::with("").await;
        let gate = still.gate();
        let who = SignedIn::local("alice", &[], gate.clock().unix_s());
        let page = Response::new(Body::empty());
        let answer = crate::people::enter(gate, &HeaderMap::new(), who, page);
        let person = signed_in(gate, &cookies_of(&answer.unwrap())).unwrap();
        let target = || Target::Session {
            name: "hers".to_owned(),
        };
        let register = gate.revocations.register();
        let count = async || {
            register
                .entries(gate.clock().unix_ms())
                .await
                .unwrap()
                .len()
        };
        assert!(revoked(gate, &person, target()).await);
        assert_eq!(count().await, 1);
        still.loses_its_ledger();
        assert!(!noted(gate, &person, "browser of hers"));
        assert!(!revoked(gate, &person, target()).await);
        assert_eq!(count().await, 1);
    }
}
