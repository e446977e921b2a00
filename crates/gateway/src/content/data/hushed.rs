//! What somebody calls something, as records, refusals and logs may quote it: with its label in the place of
//! whatever the rules find there. What is done about that in a message makes no difference, since nobody knows
//! who reads a record.

use super::{Data, UNREAD, packs};
use inspect::data::{Rules, mark};
use inspect::view::Budget;
use std::borrow::Cow;
use std::ops::Range;

/// Bytes of a text that are looked at, of which only the first few are quoted: more than any value is long
/// that could begin in those.
const LOOKED: usize = 128 * 1024;

impl Data {
    /// The beginning of a text as it may be quoted.
    pub(in crate::content) fn hushed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        by(&self.rules, quotable(text))
    }
}

/// The same by every rule that is in use, where no server is known yet.
pub(in crate::content) fn hushed(text: &str) -> Cow<'_, str> {
    let text = quotable(text);
    let Ok(all) = packs::in_use() else {
        return Cow::Owned(mark(UNREAD));
    };
    let mut text = Cow::Borrowed(text);
    for rules in &all {
        let hushed = match by(rules, &text) {
            Cow::Borrowed(_) => continue,
            Cow::Owned(hushed) => hushed,
        };
        text = Cow::Owned(hushed);
    }
    text
}

/// The beginning of a text, with all that says what may be quoted of it.
pub(crate) fn quotable(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LOOKED)).unwrap_or(text)
}

fn by<'t>(rules: &Rules, text: &'t str) -> Cow<'t, str> {
    let views = inspect::view::views(text, &Budget::default());
    let mut is_cut = views.is_cut();
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    for seen in views.search_by(|text| {
        let seen = rules.look(text);
        is_cut |= seen.is_cut;
        let all = seen.sights.into_iter();
        all.map(|it| (it.by, it.at, mark(&it.rule.label)))
            .collect::<Vec<_>>()
    }) {
        found.push((seen.range, seen.what));
    }
    if is_cut {
        return Cow::Owned(mark(UNREAD));
    }
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_by_key(|(at, _)| (at.start, std::cmp::Reverse(at.end)));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, label) in found {
        if at.start >= done {
            out.push_str(text.get(done..at.start).unwrap_or_default());
            out.push_str(&label);
        }
        // What reaches further than what stands before it goes with that.
        done = done.max(at.end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITHUB: &str = "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";

    #[test]
    fn n9_3_what_is_quoted_has_nothing_in_it_that_is_found() {
        let mark = "[redacted: secret.github_token]";
        let encoded = "Z2hwX3lrMEZmd1FDQUpxbGU5d3ZYVXhCUmZ6TXUzYTZpaTJHMGRTVg==";
        for (text, expected) in [
            ("read_file".to_owned(), "read_file".to_owned()),
            (String::new(), String::new()),
            (GITHUB.to_owned(), mark.to_owned()),
            (
                format!("https://h.test/?key={GITHUB}&page=2"),
                format!("https://h.test/?key={mark}&page=2"),
            ),
            (format!("a {GITHUB} {GITHUB}"), format!("a {mark} {mark}")),
            (format!("x/{encoded}"), format!("x/{mark}")),
            (
                format!("mail of anna.berg@corp.test, {GITHUB}"),
                format!("mail of [redacted: personal.email], {mark}"),
            ),
            (
                "/ops_eyJ".repeat(LOOKED / 8),
                "[redacted: text.unread]".to_owned(),
            ),
            // What is further back than anybody quotes is not there at all.
            (
                format!("{}{GITHUB}", "a ".repeat(LOOKED)),
                "a ".repeat(LOOKED / 2),
            ),
        ] {
            assert_eq!(hushed(&text), expected);
        }
    }
}
