//! The judges of what servers say to models: markup, addresses, floods, marks (controls 1.4, 9.1, 9.3,
//! 9.4).

use super::{Status, View, Way, missing};
use config::settled::{Excess, Spotlight, Treatment};

fn let_pass(name: &str, what: &str, treatment: Treatment) -> Option<String> {
    (treatment != Treatment::Neutralise)
        .then(|| format!("{what} pass (`content.output.{name}: {treatment}`)"))
}

/// What of active markup passes here.
pub(super) fn markup(way: &Way<'_>) -> Option<String> {
    let what = "active Markdown and HTML";
    let_pass("markup", what, way.content().output.markup)
}

/// Which addresses that carry data out pass here.
pub(super) fn addresses(way: &Way<'_>) -> Vec<String> {
    let output = way.content().output;
    let images = let_pass("images", "images that carry data out", output.images);
    let links = let_pass("links", "links that carry data out", output.links);
    images.into_iter().chain(links).collect()
}

/// Which floods pass here.
pub(super) fn floods(way: &Way<'_>) -> Vec<String> {
    let output = way.content().output;
    let passes = |name: &str, what: &str, excess: Excess| {
        (excess != Excess::Cut)
            .then(|| format!("{what} passes (`content.output.{name}: {excess}`)"))
    };
    let repetition = passes("repetition", "what repeats itself", output.repetition);
    let emptiness = passes(
        "emptiness",
        "what pushes text out of sight",
        output.emptiness,
    );
    repetition.into_iter().chain(emptiness).collect()
}

/// Whether what servers say of themselves stands without lines around it here.
pub(super) fn unframed(way: &Way<'_>) -> Option<String> {
    (way.content().spotlight == Spotlight::Off)
        .then(|| "instructions of servers stand unmarked (`content.spotlight: off`)".to_owned())
}

pub(in crate::posture) fn n9_1(_: &View<'_>, way: &Way<'_>) -> Status {
    let mut missing = missing(&["a detector of attacks that needs nobody else"]);
    if way.content().spotlight == Spotlight::Off {
        missing.push("text of servers is not marked (`content.spotlight: off`)".to_owned());
    }
    Status::lacking(missing)
}
