//! What is looked for in the text of messages: a file for each part.

mod output;
mod providers;

pub(super) use providers::{known, unused};

use super::words;
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Content, RouteContent};
use crate::words::Spotlight;
use crate::written;

/// What was written at a server. What was not has its default.
pub(super) fn server(problems: &mut Problems, path: &str, written: &written::Content) -> Content {
    let said = route(problems, path, written);
    let at = format!("{path}.output");
    Content {
        modes: said.modes.unwrap_or_default(),
        providers: said.providers.unwrap_or_default(),
        output: said
            .output
            .unwrap_or_else(|| output::settle(problems, &at, &written::Output::default())),
        spotlight: said.spotlight.unwrap_or(Spotlight::Off),
    }
}

/// What was written at a route.
pub(super) fn route(
    problems: &mut Problems,
    path: &str,
    written: &written::Content,
) -> RouteContent {
    let written::Content {
        modes,
        output,
        providers,
        spotlight,
    } = written;
    let at = |name: &str| format!("{path}.{name}");
    if let Some(modes) = modes {
        let at = at("modes");
        words::count(problems, &at, modes.len(), bounds::WORDS);
        for rule in modes.keys() {
            let path = format!("{at}.{rule}");
            words::word(problems, &path, rule, "the name of a rule");
        }
    }
    let providers = providers.as_ref();
    RouteContent {
        modes: modes.clone(),
        providers: providers.map(|all| providers::settle(problems, &at("providers"), all)),
        output: output
            .as_ref()
            .map(|it| output::settle(problems, &at("output"), it)),
        spotlight: *spotlight,
    }
}
