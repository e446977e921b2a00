//! `/connections`: what is open for the person who looks at it.

use super::{BackTo, Person, nav, required};
use crate::body::Body;
use crate::gate::Gate;
use crate::pages::{Markup, Page};
use http::{HeaderMap, Response, StatusCode};
use identity::Strength;
use std::sync::Arc;

/// Where it is.
pub(super) const PATH: &str = "/connections";

/// Shows it to whoever is signed in.
pub(super) async fn show(gate: &Arc<Gate>, headers: &HeaderMap) -> Response<Body> {
    let back_to = BackTo::ours(PATH);
    match required(gate, headers, &Strength::default(), &back_to).await {
        Ok(person) => page(gate, &person).answer(StatusCode::OK),
        Err(response) => response,
    }
}

fn page(gate: &Gate, person: &Arc<Person>) -> Page {
    let now_ms = gate.clock().unix_ms();
    let browsers = gate.people.list(Some(person.user()), now_ms);
    let body = Markup::new()
        .tag("<p>You are signed in as <strong>")
        .text(&person.display_name())
        .tag("</strong>, as ")
        .text(person.issuer())
        .tag(" knows you.</p><h2>Browsers</h2><div class=\"scroll\"><table><thead><tr>")
        .tag("<th scope=\"col\">Session</th><th scope=\"col\">Idle</th></tr></thead><tbody>")
        .each(browsers, |rows, browser| {
            let idle_s = now_ms.saturating_sub(browser.used_ms()) / 1000;
            let row = rows.tag("<tr><td><code>").text(browser.session());
            let row = row
                .tag("</code>")
                .tag(match browser.session() == person.session() {
                    true => " <span class=\"badge\">this one</span>",
                    false => "",
                });
            row.tag("</td><td>")
                .text(&format!("{idle_s} s"))
                .tag("</td></tr>")
        })
        .tag("</tbody></table></div>");
    Page::new("Connections", body)
        .with_nav(nav(gate, person, PATH))
        .wide()
}
