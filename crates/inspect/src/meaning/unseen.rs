//! What nobody sees in a value that names something. Such a value is cleaned before it is sent, and is
//! another value then; whoever wrote it meant neither.
//!
//! In what is read by people or run (text, templates, queries, code) only a zero byte is asked for.

use super::Meaning;
use super::rule::*;
use crate::text;
use std::ops::Range;

/// The rule that a value of this meaning breaks by what it hides, and where that is.
pub(super) fn check(meaning: Meaning, value: &str) -> Option<(&'static Rule, Range<usize>)> {
    let first = text::spans(value).next()?;
    if let (Some(rule), Some(at)) = (of_zero(meaning), value.find('\0')) {
        return Some((rule, at..at + 1));
    }
    let names = match meaning {
        Meaning::Email | Meaning::Host | Meaning::Identifier => true,
        Meaning::Path | Meaning::Shell | Meaning::Url => true,
        Meaning::Code | Meaning::Header | Meaning::SqlQuery => false,
        Meaning::SqlValue | Meaning::Template | Meaning::Text => false,
    };
    names.then_some((&HIDDEN, first))
}

fn of_zero(meaning: Meaning) -> Option<&'static Rule> {
    match meaning {
        Meaning::Code => Some(&CODE_NUL),
        Meaning::Header => Some(&HEADER_CONTROL),
        Meaning::Host => Some(&HOST_CONTROL),
        Meaning::Path => Some(&PATH_NUL),
        Meaning::Shell => Some(&SHELL_NUL),
        Meaning::SqlQuery | Meaning::SqlValue => Some(&SQL_NUL),
        Meaning::Url => Some(&URL_CONTROL),
        Meaning::Email | Meaning::Identifier | Meaning::Template | Meaning::Text => None,
    }
}
