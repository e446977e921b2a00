//! What markup keeps from a reader, and what a reader sees without it.
//!
//! HTML and Markdown are read as browsers and renderers do where it matters, and nothing is taken
//! back: a tag that is never closed is a tag to the end. So each byte is read once.

mod html;
mod marks;

use super::map::Kind;
use super::weave::Weaver;
use marks::Mark;
use std::ops::{ControlFlow, Range};

/// Comments, hidden elements, attributes, targets and titles of links, definitions of references.
pub(super) fn weave_unseen(text: &str, weaver: &mut Weaver<'_>) {
    marks::each(text, |mark| {
        match mark {
            Mark::Unseen(range) | Mark::Aside(range) => weaver.take(range, Kind::Unseen),
            Mark::Syntax(_) => {}
        }
        goes_on(weaver)
    });
}

/// The text as it is shown: words that markup cuts in pieces are whole.
pub(super) fn weave_visible(text: &str, weaver: &mut Weaver<'_>) {
    marks::each(text, |mark| {
        match mark {
            Mark::Unseen(range) | Mark::Syntax(range) => weaver.drop(range, Kind::Visible),
            Mark::Aside(_) => {}
        }
        goes_on(weaver)
    });
}

fn goes_on(weaver: &Weaver<'_>) -> ControlFlow<()> {
    match weaver.is_full() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

/// The blocks of code of a Markdown text, between their fences. What stands in them is shown as it is
/// written.
pub fn code(text: &str) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut open: Option<(u8, usize, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        let bare = line.trim_start_matches(' ');
        let fence = bare
            .bytes()
            .next()
            .filter(|byte| matches!(byte, b'`' | b'~'));
        let length = bare.bytes().take_while(|byte| Some(*byte) == fence).count();
        let is_fence = length >= 3 && line.len() - bare.len() <= 3;
        match (open, fence) {
            (None, Some(mark)) if is_fence => open = Some((mark, length, next)),
            (Some((mark, least, start)), Some(fence))
                if is_fence && fence == mark && length >= least =>
            {
                blocks.push(start..at);
                open = None;
            }
            _ => {}
        }
        at = next;
    }
    blocks.extend(open.map(|(_, _, start)| start..text.len()));
    blocks
}
