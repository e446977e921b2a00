//! Which fields go on, and what calls are for.

use super::super::words::{self, Thing};
use super::{data, each, pointer};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Fields, Minimise, Minimised, Purpose};
use crate::words::OtherText;
use crate::written;
use controls::P1;

/// What was written beside what is turned back on its way to the server.
pub(super) fn settle(
    problems: &mut Problems,
    path: &str,
    written: &written::Minimise,
    reveal: &[String],
) -> Minimise {
    words::count(problems, path, written.len(), bounds::WORDS);
    let tools = written.iter().map(|(tool, entries)| {
        let path = each(path, tool);
        words::count(problems, &path, entries.len(), bounds::WORDS);
        let named = words::names(problems, &path, tool, Thing::Tool);
        let mut settled = Vec::new();
        for (index, written) in entries.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let entry = entry(problems, &path, written);
            for (place, label) in &entry.arguments.tokenise {
                if reveal.contains(label) {
                    let path = each(&format!("{path}.arguments.tokenise"), place);
                    let message =
                        format!("is for nothing: `{label}` is turned back by `data.reveal`");
                    let fix =
                        "use a label of its own, such as `personal.customer`, or drop the field";
                    problems.refuse(P1, &path, message, fix);
                }
            }
            let after = |entry: &Minimised| entry.purposes.is_empty();
            if settled.last().is_some_and(after) {
                let message = "counts for no call: the entry before is for any purpose";
                problems.refuse(P1, &path, message, "put the entry for any purpose last");
            }
            settled.push(entry);
        }
        (named, settled)
    });
    tools.collect()
}

fn entry(problems: &mut Problems, path: &str, written: &written::Minimised) -> Minimised {
    let at = |name: &str| format!("{path}.{name}");
    words::count(
        problems,
        &at("purposes"),
        written.purposes.len(),
        bounds::WORDS,
    );
    for (index, purpose) in written.purposes.iter().enumerate() {
        let path = format!("{}[{index}]", at("purposes"));
        words::word(problems, &path, purpose, "a purpose");
    }
    Minimised {
        purposes: words::once(&written.purposes),
        arguments: fields(problems, &at("arguments"), &written.arguments),
        results: fields(problems, &at("results"), &written.results),
        other_text: written.other_text.unwrap_or(OtherText::Drop),
    }
}

fn fields(problems: &mut Problems, path: &str, written: &written::Fields) -> Fields {
    for (name, list) in [
        ("keep", written.keep.as_deref().unwrap_or_default()),
        ("drop", &written.drop),
    ] {
        let path = format!("{path}.{name}");
        words::count(problems, &path, list.len(), bounds::WORDS);
        for (index, place) in list.iter().enumerate() {
            pointer(problems, &format!("{path}[{index}]"), place);
        }
    }
    let at = format!("{path}.tokenise");
    words::count(problems, &at, written.tokenise.len(), bounds::WORDS);
    for (place, label) in &written.tokenise {
        let path = each(&at, place);
        pointer(problems, &path, place);
        data::is_label(problems, &path, label);
        if written.drop.contains(place) {
            let fix = "write the field in one of the two lists";
            problems.refuse(P1, &path, "does not go on at all: it is in `drop`", fix);
        }
    }
    Fields {
        keep: written.keep.clone(),
        drop: written.drop.clone(),
        tokenise: written.tokenise.clone(),
    }
}

/// What calls are for: one of the two.
pub(super) fn purpose(
    problems: &mut Problems,
    path: &str,
    written: &written::Purpose,
) -> Option<Purpose> {
    match (&written.is, &written.claim) {
        (Some(purpose), None) => {
            words::word(problems, &format!("{path}.is"), purpose, "a purpose");
            Some(Purpose::Is(purpose.clone()))
        }
        (None, Some(claim)) => {
            words::word(
                problems,
                &format!("{path}.claim"),
                claim,
                "the name of a claim",
            );
            Some(Purpose::Claim(claim.clone()))
        }
        _ => {
            let fix = "write `is: support`, or `claim: purpose`";
            problems.refuse(P1, path, "needs one of `is` and `claim`", fix);
            None
        }
    }
}
