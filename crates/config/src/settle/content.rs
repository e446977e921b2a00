//! What is looked for in the text of messages: a file for each part.

use crate::problem::Problems;
use crate::settled::{Content, RouteContent};
use crate::written;

/// What was written at a server. What was not has its default.
pub(super) fn server(problems: &mut Problems, path: &str, written: &written::Content) -> Content {
    Content::default().on(&route(problems, path, written))
}

/// What was written at a route.
pub(super) fn route(
    _problems: &mut Problems,
    _path: &str,
    written: &written::Content,
) -> RouteContent {
    let written::Content {} = written;
    RouteContent {}
}
