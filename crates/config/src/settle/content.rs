//! What is looked for in the text of messages: a file for each part.

mod arguments;
mod data;
mod minimise;
mod output;
mod providers;

pub(super) use providers::{known, unused};

use super::words;
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Content, RouteContent};
use crate::words::{Mode, Spotlight};
use crate::written;
use crate::yaml::each;
use controls::N9_2;
use std::collections::BTreeMap;

/// What the names of rules begin with that judge what a server says of itself.
const OF_DEFINITIONS: [&str; 2] = ["poison.", "likeness."];

/// What was written at a server. What was not has its default.
pub(super) fn server(problems: &mut Problems, path: &str, written: &written::Content) -> Content {
    let said = parts(problems, path, written);
    let at = format!("{path}.output");
    Content {
        data: said.data.unwrap_or_default(),
        modes: said.modes.unwrap_or_default(),
        providers: said.providers.unwrap_or_default(),
        output: said
            .output
            .unwrap_or_else(|| output::settle(problems, &at, &written::Output::default())),
        spotlight: said.spotlight.unwrap_or(Spotlight::Off),
        arguments: said.arguments.unwrap_or_default(),
        minimise: said.minimise.unwrap_or_default(),
        purpose: said.purpose,
    }
}

/// What was written at a route.
pub(super) fn route(
    problems: &mut Problems,
    path: &str,
    written: &written::Content,
) -> RouteContent {
    if let Some(modes) = &written.modes {
        of_definitions(problems, &format!("{path}.modes"), modes);
    }
    parts(problems, path, written)
}

/// Refuses the modes of rules that judge definitions at a route: they would change nothing.
fn of_definitions(problems: &mut Problems, path: &str, modes: &BTreeMap<String, Mode>) {
    let is_one = |rule: &&String| OF_DEFINITIONS.iter().any(|start| rule.starts_with(start));
    for rule in modes.keys().filter(is_one) {
        let message = "is a rule about definitions, which are pinned once for every route of a server, so a \
                       mode at a route changes nothing";
        let fix = "write it in `content.modes` of the server";
        problems.refuse(N9_2, &each(path, rule), message, fix);
    }
}

/// What was written at either.
fn parts(problems: &mut Problems, path: &str, written: &written::Content) -> RouteContent {
    let written::Content {
        arguments,
        minimise,
        data,
        modes,
        output,
        providers,
        purpose,
        spotlight,
    } = written;
    let at = |name: &str| format!("{path}.{name}");
    if let Some(modes) = modes {
        let at = at("modes");
        words::count(problems, &at, modes.len(), bounds::WORDS);
        for rule in modes.keys() {
            let path = each(&at, rule);
            words::word(problems, &path, rule, "the name of a rule");
        }
    }
    let providers = providers.as_ref();
    let data = data.as_ref();
    let reveal = data.map_or(&[][..], |data| &data.reveal);
    RouteContent {
        arguments: arguments
            .as_ref()
            .map(|it| arguments::settle(problems, &at("arguments"), it)),
        minimise: minimise
            .as_ref()
            .map(|it| minimise::settle(problems, &at("minimise"), it, reveal)),
        data: data.map(|it| data::settle(problems, &at("data"), it)),
        modes: modes.clone(),
        providers: providers.map(|all| providers::settle(problems, &at("providers"), all)),
        output: output
            .as_ref()
            .map(|it| output::settle(problems, &at("output"), it)),
        purpose: purpose
            .as_ref()
            .and_then(|it| minimise::purpose(problems, &at("purpose"), it)),
        spotlight: *spotlight,
    }
}

/// That a text is a JSON Pointer.
fn pointer(problems: &mut Problems, path: &str, text: &str) {
    let escaped = |step: &str| {
        let mut rest = step.split('~').skip(1);
        rest.all(|rest| rest.starts_with(['0', '1']))
    };
    if !text.starts_with('/') || !escaped(text) {
        let fix =
            "write a JSON Pointer such as `/path` or `/items/*/name`; `~0` is `~`, `~1` is `/`";
        problems.refuse(None, path, "is not a JSON Pointer", fix);
    } else if text.len() > bounds::POINTER_LENGTH
        || text.split('/').count() > bounds::POINTER_STEPS + 1
    {
        let message = format!(
            "has more than {} steps or {} bytes",
            bounds::POINTER_STEPS,
            bounds::POINTER_LENGTH
        );
        problems.refuse(None, path, message, "write a shorter one");
    }
}
