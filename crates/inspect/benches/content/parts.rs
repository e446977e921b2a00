//! The parts that are measured: each does with a text what a gateway does with it, and nothing else.

use crate::values;
use ringwall_inspect::data::Rules;
use ringwall_inspect::data::pack::Pack;
use ringwall_inspect::likeness::{Neighbour, Neighbourhood};
use ringwall_inspect::meaning::{self, Basis, Consequence, Expectation, Kind, Meaning};
use ringwall_inspect::pin;
use ringwall_inspect::spotlight::{Marker, RANDOM, Spotlight};
use ringwall_inspect::{flood, markup, poison, text, view};
use serde_json::json;
use std::sync::{Arc, LazyLock};

/// The rules of the built-in packs, as a gateway has them.
pub(crate) static RULES: LazyLock<Option<Arc<Rules>>> =
    LazyLock::new(|| Rules::of(Pack::built_in().ok()?, |_| true).ok());

/// A part: its name, and what it does with a text.
pub(crate) type Part = (&'static str, fn(&str) -> usize);

pub(crate) const PARTS: &[Part] = &[
    ("hidden text", |it| {
        usize::from(text::examine(it).is_clean())
    }),
    ("data", |it| {
        RULES.as_ref().map_or(0, |rules| rules.scan(it).len())
    }),
    ("views", |it| {
        view::views(it, &view::Budget::default()).iter().count()
    }),
    ("definitions", |it| poison::lint(it).len()),
    ("markup", |it| {
        let settings = markup::Settings {
            markup: markup::Treatment::Neutralise,
            images: markup::Treatment::Neutralise,
            links: markup::Treatment::Neutralise,
            hosts: markup::Hosts::default(),
        };
        markup::examine(it, markup::Reading::Prose, &settings)
            .text
            .len()
    }),
    ("flood", |it| {
        let limits = flood::Limits {
            bytes: 1 << 20,
            tokens: 1 << 20,
            repetition: flood::Handling::Cut,
            emptiness: flood::Handling::Cut,
        };
        flood::examine(it, &limits, &mut flood::Room::new(usize::MAX))
            .text
            .len()
    }),
    ("meaning: path", |it| meant(Meaning::Path, it)),
    ("meaning: URL", |it| meant(Meaning::Url, it)),
    ("meaning: shell word", |it| meant(Meaning::Shell, it)),
    ("meaning: SQL value", |it| meant(Meaning::SqlValue, it)),
    ("meaning: SQL query", |it| meant(Meaning::SqlQuery, it)),
    ("meaning: template", |it| meant(Meaning::Template, it)),
    ("meaning: code", |it| meant(Meaning::Code, it)),
    ("diff", |it| {
        // One byte at the end is another one, so that all before it is compared.
        let old = json!({ "description": it });
        let new = json!({ "description": format!("{it}. Now more.") });
        pin::diff(&old, &new).len()
    }),
    ("likeness", |it| {
        let neighbour = |server, name, description| Neighbour {
            server,
            name,
            description,
            digest: pin::digest(&json!({ "name": name })),
        };
        let others = [
            neighbour("a", "send_mail", "sends a mail"),
            neighbour("b", "query_all", it),
        ];
        Neighbourhood::of(others)
            .compare(&neighbour("c", "other_tool", it))
            .len()
    }),
    ("spotlight", |it| {
        Marker::new([7; RANDOM]).mark(it, Spotlight::Datamark).len()
    }),
    ("definitions: values", |it| {
        poison::study(&values::tool(it, "string")).len()
    }),
    ("diff: lists", |it| {
        let (old, new) = (values::listed(it), values::listed(&format!("{MORE}{it}")));
        pin::diff(&old, &new).len()
    }),
    ("diff: arguments", |it| {
        let (old, new) = (values::prompt(it), values::prompt(&format!("{MORE}{it}")));
        pin::diff(&old, &new).len()
    }),
    ("diff: parameters", |it| {
        let (old, new) = (values::tool(it, "string"), values::tool(it, "integer"));
        pin::diff(&old, &new).len()
    }),
    ("likeness: names", |it| values::compared(it)),
    ("meaning: recognised", |it| {
        meaning::recognise(&values::tool(it, "string")).len()
    }),
    ("projection", |it| values::projected(it)),
];

/// What stands behind a text to make another one of it.
const MORE: &str = "and more, which makes it another one";

/// Flaws of a text as arguments: in pieces of 32 KiB, since no longer ones are paths and URLs.
fn meant(meaning: Meaning, text: &str) -> usize {
    let expectation = Expectation {
        basis: Basis::Declared,
        otherwise: Consequence::Refuse,
        kind: Kind::of(meaning),
    };
    let mut flaws = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(32 * 1024));
        flaws += expectation.check(piece).flaws.len();
        rest = after;
    }
    flaws
}
