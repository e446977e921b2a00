//! What is looked for in the text of messages: a file for each part.

mod providers;

pub(super) use providers::{known, unused};

use super::words;
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Content, RouteContent};
use crate::written;

/// What was written at a server. What was not has its default.
pub(super) fn server(problems: &mut Problems, path: &str, written: &written::Content) -> Content {
    Content::default().on(&route(problems, path, written))
}

/// What was written at a route.
pub(super) fn route(
    problems: &mut Problems,
    path: &str,
    written: &written::Content,
) -> RouteContent {
    let written::Content { modes, providers } = written;
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
    }
}
