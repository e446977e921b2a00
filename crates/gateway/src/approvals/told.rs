//! What the pages of calls that wait say: every value that would be sent, each with its place, and nothing
//! that a reader could not see.

use super::entry::{Entry, Progress};
use super::places::{May, Place, form_name};
use crate::gate::Gate;
use crate::pages::{Markup, Page};
use crate::people::{self, Person};

/// Every call that somebody may look at.
pub(super) fn list(gate: &Gate, person: &Person, entries: &[Entry], now_ms: u64) -> Page {
    let mut body = Markup::new();
    if entries.is_empty() {
        body = body.tag("<p>No call waits for you.</p>");
    } else {
        body = body
            .tag("<table><thead><tr><th scope=\"col\">Call</th><th scope=\"col\">Asked by</th>")
            .tag("<th scope=\"col\">Client</th><th scope=\"col\">Needs</th>")
            .tag("<th scope=\"col\">State</th></tr></thead><tbody>")
            .each(entries, |rows, entry| row(gate, rows, entry, now_ms))
            .tag("</tbody></table>");
    }
    let page = Page::new("Calls that wait for approval", body).wide();
    page.with_nav(people::nav(gate, person, Place::PATH))
}

fn row(gate: &Gate, rows: Markup, entry: &Entry, now_ms: u64) -> Markup {
    let binding = &entry.binding;
    rows.tag("<tr><td><a href=\"")
        .text(&gate.path_of(&format!("{}/{}", Place::PATH, entry.id)))
        .tag("\">")
        .shown(&format!("{}/{}", binding.server, binding.tool))
        .tag("</a></td><td>")
        .shown(&entry.requester)
        .tag("</td><td>")
        .shown(binding.client.as_deref().unwrap_or("none"))
        .tag("</td><td>")
        .shown(&entry.wanted())
        .tag("</td><td>")
        .text(entry.progress(now_ms).word())
        .tag("</td></tr>")
}

/// One call, with the form where there is something to decide.
pub(super) fn one(gate: &Gate, person: &Person, entry: &Entry, may: &May, now_ms: u64) -> Page {
    let progress = entry.progress(now_ms);
    let voted = entry.votes.iter().any(|vote| {
        matches!(&vote.by, super::By::Person { user, .. } if **user == *person.user().as_str())
    });
    let mut body = facts(entry, now_ms).put(&call(entry));
    let may_decline = matches!(progress, Progress::Waiting | Progress::Approved);
    let may_approve = progress == Progress::Waiting && !may.needs.is_empty() && !voted;
    if may_approve || (may_decline && may.declines()) {
        body = body.put(&form(gate, person, entry, may_approve));
    }
    if is_own(may) {
        body =
            body.tag("<p>You have asked for this call yourself, so somebody else approves it.</p>");
    }
    let title = match may_approve {
        true => "Approve this call?",
        false => "A call that needs approval",
    };
    let page = Page::new(title, body).wide();
    page.with_nav(people::nav(gate, person, Place::PATH))
}

fn is_own(may: &May) -> bool {
    may.asked == super::places::Asked::ByThem
}

/// What became of it.
pub(super) fn decided(gate: &Gate, person: &Person, entry: &Entry, now_ms: u64) -> Page {
    let (title, text) = match entry.progress(now_ms) {
        Progress::Approved => (
            "Approved",
            "Whoever asked for it can make this call once, now, and no other.",
        ),
        Progress::Waiting => ("Approved by you", "It waits for the approval of others."),
        Progress::Declined => ("Declined", "Whoever asked for it hears that, and why."),
        Progress::Expired => ("Over", "Its time is over."),
    };
    let body = Markup::new().tag("<p>").text(text).tag("</p>");
    let body = body.put(&facts(entry, now_ms)).put(&call(entry));
    let page = Page::new(title, body).wide();
    page.with_nav(people::nav(gate, person, Place::PATH))
}

/// It does not go on.
pub(super) fn failed(why: &str) -> Page {
    let body = Markup::new().tag("<p>").text(why).tag("</p>");
    Page::new("Nothing was decided", body)
}

fn facts(entry: &Entry, now_ms: u64) -> Markup {
    let binding = &entry.binding;
    let left_s = entry.until_ms.saturating_sub(now_ms) / 1000;
    let left = format!("for another {left_s} seconds");
    let policies = entry.policies.join(", ");
    let given: Vec<String> = entry.votes.iter().map(|vote| vote.by.to_string()).collect();
    let given = given.join(", ");
    let declined = entry.declined.as_ref();
    let declined = declined.map(|it| format!("{}: {}", it.by, it.why));
    let wanted = entry.wanted();
    let rows = [
        ("State", Some(entry.progress(now_ms).word())),
        ("Server", Some(&*binding.server)),
        ("Tool", Some(&*binding.tool)),
        ("Its definition", Some(&*binding.definition)),
        ("Asked by", Some(&*entry.requester)),
        ("Who acts for them", binding.actor.as_deref()),
        ("Client", Some(binding.client.as_deref().unwrap_or("none"))),
        ("Route", Some(&*binding.route)),
        ("Needs", Some(&*wanted)),
        ("Held by", Some(&*policies)),
        ("Because", entry.reason.as_deref()),
        ("Good", Some(&*left)),
        (
            "Approved by",
            Some(&*given).filter(|given| !given.is_empty()),
        ),
        ("Declined by", declined.as_deref()),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let list = Markup::new().tag("<dl>").each(rows, |list, (name, value)| {
        let row = list.tag("<dt>").tag(name).tag("</dt><dd>");
        row.shown(value).tag("</dd>")
    });
    list.tag("</dl>")
}

/// Exactly what would be sent.
fn call(entry: &Entry) -> Markup {
    let head = Markup::new()
        .tag("<h2>What would run</h2><table><thead><tr><th scope=\"col\">Where</th>")
        .tag("<th scope=\"col\">Value</th></tr></thead><tbody>");
    let rows = head.each(entry.fields(), |rows, field| {
        let row = rows.tag("<tr><td><code>").shown(&field.path);
        let row = row.tag("</code></td><td><code>").shown(&field.value);
        row.tag("</code></td></tr>")
    });
    rows.tag("</tbody></table>")
}

fn form(gate: &Gate, person: &Person, entry: &Entry, may_approve: bool) -> Markup {
    let form = Markup::new()
        .tag("<form method=\"post\" action=\"")
        .text(&gate.path_of(&format!("{}/{}", Place::PATH, entry.id)))
        .tag("\">")
        .hidden("csrf", &person.form_token(&form_name(entry)))
        .tag("<p><label for=\"why\">If you decline it: why</label>")
        .tag("<input id=\"why\" name=\"why\" maxlength=\"512\" autocomplete=\"off\"></p>")
        .tag("<p class=\"buttons\">");
    let form = match may_approve {
        true => form.tag(
            "<button class=\"go\" name=\"decision\" value=\"approve\">Approve this call</button>",
        ),
        false => form,
    };
    form.tag("<button name=\"decision\" value=\"decline\">Decline</button></p></form>")
}
