//! Labels: which addresses of Markdown images may name. An address stands behind its label anywhere in a
//! text, and an image names the label; a link names it as well, and is held to other bounds.

use super::Scan;
use crate::markup::rule::Rule;
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// A bracket that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bracket {
    pub(super) at: usize,
    /// Whether it may begin an image.
    pub(super) begins_image: bool,
    /// Whether it may begin the label of what may be an image.
    begins_label: bool,
}

/// What is to be changed if an image may name a label.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) rule: Rule,
    pub(super) range: Range<usize>,
    pub(super) by: Cow<'static, str>,
    /// The label; none where readers may differ about it.
    pub(super) label: Option<String>,
}

/// The labels by which images may name their addresses.
#[derive(Debug, Default)]
pub(super) struct Labels {
    known: HashSet<String>,
    /// Whether readers may differ about one of them.
    are_unsure: bool,
    /// Where what may be an image ended last.
    image_end: Option<usize>,
    /// The last bracket, of either kind.
    last: usize,
}

impl Labels {
    /// Whether an image may name this one.
    pub(super) fn may_be(&self, label: Option<&str>) -> bool {
        let is_known = match label {
            Some(label) => self.known.contains(label),
            None => !self.known.is_empty(),
        };
        self.are_unsure || is_known
    }
}

impl Scan<'_, '_> {
    /// A bracket that opens here.
    pub(super) fn bracket(&mut self, at: usize) -> Bracket {
        let before = at.checked_sub(1).map(|before| self.byte(before));
        let between = self
            .labels
            .image_end
            .and_then(|end| self.bytes.get(end..at));
        let is_near = |it: &[u8]| it.len() <= 2 && it.iter().all(u8::is_ascii_whitespace);
        self.labels.last = at;
        Bracket {
            at,
            begins_image: before == Some(b'!'),
            begins_label: between.is_some_and(is_near),
        }
    }

    /// A bracket that closes here: what stands in it may be the label of an image. What comes back is the
    /// label, if it is one and nobody reads it otherwise.
    pub(super) fn label(
        &mut self,
        opener: Option<Bracket>,
        at: usize,
        within_image: bool,
    ) -> Option<String> {
        let is_innermost = opener.is_some_and(|opener| opener.at == self.labels.last);
        self.labels.last = at;
        let may_be = within_image || opener.is_some_and(|opener| opener.begins_label);
        if may_be {
            self.labels.image_end = Some(at + 1);
        }
        let Some(opener) = opener else {
            self.labels.are_unsure |= may_be;
            return None;
        };
        // Brackets in a label are escaped, or it is none.
        if !is_innermost {
            return None;
        }
        let label = self.text.get(opener.at + 1..at)?;
        let before = opener.at.checked_sub(1).map(|before| self.byte(before));
        if before == Some(b'\\') || label.contains(['\\', '`']) {
            self.labels.are_unsure |= may_be;
            return None;
        }
        let label = read(label);
        if may_be {
            self.labels.known.insert(label.clone());
        }
        Some(label)
    }
}

/// A label as labels are compared: neither case nor how much white space counts.
fn read(label: &str) -> String {
    let mut read = String::with_capacity(label.len());
    for word in label.split_whitespace() {
        if !read.is_empty() {
            read.push(' ');
        }
        read.push_str(&word.to_uppercase().to_lowercase());
    }
    read
}
