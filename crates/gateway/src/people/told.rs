//! What the pages of signing in and out say.

use super::Person;
use crate::gate::Gate;
use crate::pages::{Markup, Page};

/// The form that signs out.
pub(super) const SIGN_OUT: &str = "sign-out";

/// The way to the pages that somebody who is signed in has, this one marked.
pub(crate) fn nav(gate: &Gate, person: &Person, here: &str) -> Markup {
    let administers = gate.runtime().office.administrator(person).is_some();
    let pages = [
        Some(("/connections", "Connections")),
        Some(("/approvals", "Approvals")),
        administers.then_some(("/admin", "Administration")),
        Some(("/sign-out", "Sign out")),
    ];
    let nav = Markup::new().each(pages.into_iter().flatten(), |nav, (path, name)| {
        let nav = nav.tag("<a href=\"").text(&gate.path_of(path)).tag("\"");
        let nav = match path == here {
            true => nav.tag(" aria-current=\"page\">"),
            false => nav.tag(">"),
        };
        nav.text(name).tag("</a>")
    });
    nav.tag("<span class=\"quiet\">")
        .text(&person.display_name())
        .tag("</span>")
}

/// With whom to sign in.
pub(super) fn choice<'a>(issuers: impl Iterator<Item = (&'a str, String)>) -> Page {
    let body = Markup::new()
        .tag("<p>Who knows you?</p><ul>")
        .each(issuers, |list, (issuer, way)| {
            let item = list.tag("<li><a href=\"").text(&way).tag("\">");
            item.text(issuer).tag("</a></li>")
        })
        .tag("</ul>");
    Page::new("Sign in", body)
}

/// Nobody can sign in.
pub(super) fn nobody() -> Page {
    let body = Markup::new()
        .tag("<p>Nobody can sign in here: no identity provider is set up for it ")
        .tag("(<code>issuers[].sign_in</code>).</p>");
    Page::new("Sign in", body)
}

/// Nobody is signed in now.
pub(super) fn not_signed_in(why: &str, again: &str) -> Page {
    let body = Markup::new()
        .tag("<p>")
        .text(why)
        .tag("</p><p class=\"buttons\"><a class=\"button go\" href=\"")
        .text(again)
        .tag("\">Sign in</a></p>");
    Page::new("Not signed in", body)
}

/// Whether to sign out.
pub(super) fn sign_out(gate: &Gate, person: &Person) -> Page {
    let body = Markup::new()
        .tag("<p>You are signed in as <strong>")
        .text(&person.display_name())
        .tag("</strong>, as ")
        .text(person.issuer())
        .tag(" knows you.</p><form method=\"post\" action=\"")
        .text(&gate.path_of("/sign-out"))
        .tag("\">")
        .hidden("csrf", &person.form_token(SIGN_OUT))
        .tag("<div class=\"buttons\"><button class=\"go\">Sign out</button></div></form>");
    Page::new("Sign out", body).with_nav(nav(gate, person, "/sign-out"))
}

/// It is done.
pub(super) fn signed_out(again: &str) -> Page {
    let body = Markup::new()
        .tag("<p>This browser is signed out here. It may still be signed in at your identity provider.</p>")
        .tag("<p class=\"buttons\"><a class=\"button\" href=\"")
        .text(again)
        .tag("\">Sign in again</a></p>");
    Page::new("Signed out", body)
}

/// It is not done.
pub(super) fn failed(title: &str, why: &str) -> Page {
    Page::new(title, Markup::new().tag("<p>").text(why).tag("</p>"))
}
