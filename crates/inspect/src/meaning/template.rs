//! Values that are put into templates. Which engine reads them is not known, so the openings of all
//! common ones count.

use super::rule::*;
use aho_corasick::{AhoCorasick, MatchKind};
use std::ops::Range;
use std::sync::LazyLock;

/// What opens an expression somewhere.
const OPENINGS: &[&str] = &[
    "{{", "{%", "{#", "${", "#{", "*{", "@{", "~{", "%{", "<%", "<#", "[[", "[(", "@(", "{$",
    "{php}", "<?",
];
/// What leads from a template to the program around it.
const REACHES: &[&str] = &[
    "__class__",
    "__globals__",
    "__builtins__",
    "__subclasses__",
    "__import__",
    "__mro__",
    "__init__",
    ".constructor",
    "['constructor']",
    "[\"constructor\"]",
    "java.lang.",
    "t(java",
    "getruntime",
    "processbuilder",
    "freemarker.template.utility",
    "getclass(",
    ".forname(",
    "_self.env",
    "process.mainmodule",
    "config.items",
    "|attr(",
];
/// What makes a logger or a template look something up elsewhere.
const LOOKUPS: &[&str] = &[
    "${jndi:", "${${", "${env:", "${sys:", "${lower:", "${upper:", "${::-",
];

static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .build(LOOKUPS.iter().chain(REACHES).chain(OPENINGS))
        .ok()
});

pub(super) fn check(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    let Some(words) = &*WORDS else {
        // INVARIANT: fixed words always compile (shown by a test); if not, nothing passes.
        add(&TEMPLATE_LOOKUP, 0..text.len());
        return;
    };
    for found in words.find_iter(text) {
        let at = found.pattern().as_usize();
        let rule = match at {
            at if at < LOOKUPS.len() => &TEMPLATE_LOOKUP,
            at if at < LOOKUPS.len() + REACHES.len() => &TEMPLATE_REACH,
            _ => &TEMPLATE_EXPRESSION,
        };
        if rule.name != TEMPLATE_EXPRESSION.name {
            // It is an expression as well.
            add(&TEMPLATE_EXPRESSION, found.range());
        }
        add(rule, found.range());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_words_compile() {
        assert!(super::WORDS.is_some());
    }
}
