//! The two pages of the account for emergencies. A passkey needs a script: it stands in the page, and
//! talks to the gateway only.

use crate::gate::Gate;
use crate::pages::{Markup, Page};

/// What talks to the authenticator.
const SCRIPT: &str = include_str!("passkey.js");

/// Where the passkey is registered.
pub(super) fn first(gate: &Gate) -> Page {
    let body = Markup::new()
        .tag("<p>This account is for emergencies, when nobody can sign in at an identity provider. ")
        .tag("Its passkey is registered once, with the code that the gateway printed when it started.</p>")
        .tag("<form method=\"post\" action=\"")
        .text(&gate.path_of("/admin/first"))
        .tag("\"><label for=\"code\">Code</label>")
        .tag("<input id=\"code\" name=\"code\" autocomplete=\"off\" spellcheck=\"false\" required>")
        .tag("<div class=\"buttons\"><button class=\"go\">Register a passkey</button></div></form>")
        .put(&told());
    Page::new("Register the passkey for emergencies", body).with_script(SCRIPT)
}

/// Where it is used.
pub(super) fn passkey(gate: &Gate) -> Page {
    let body = Markup::new()
        .tag("<p>This account is for emergencies. That it is used is written down, and told in the log ")
        .tag("of the gateway.</p><form method=\"post\" action=\"")
        .text(&gate.path_of("/admin/passkey"))
        .tag("\"><div class=\"buttons\"><button class=\"go\">Use the passkey</button></div></form>")
        .put(&told());
    Page::new("Sign in for emergencies", body).with_script(SCRIPT)
}

fn told() -> Markup {
    Markup::new()
        .tag("<p role=\"status\" aria-live=\"polite\"></p>")
        .tag("<noscript><p class=\"warning\">A passkey needs a script, and this browser runs none.</p></noscript>")
}
