//! What is looked for in the text of messages: a file for each part.

mod output;

use crate::problem::Problems;
use crate::settled::{Content, RouteContent};
use crate::words::Spotlight;
use crate::written;

/// What was written at a server. What was not has its default.
pub(super) fn server(problems: &mut Problems, path: &str, written: &written::Content) -> Content {
    let said = route(problems, path, written);
    let at = format!("{path}.output");
    Content {
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
    let written::Content { output, spotlight } = written;
    let at = |name: &str| format!("{path}.{name}");
    RouteContent {
        output: output
            .as_ref()
            .map(|it| output::settle(problems, &at("output"), it)),
        spotlight: *spotlight,
    }
}
