//! Why a schema cannot be enforced. The server that sent it is at fault, never the caller.

use std::borrow::Cow;
use thiserror::Error;

/// How many bytes of foreign text a message repeats at most.
const SHORT: usize = 64;

/// Why a schema cannot be enforced.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// It is neither an object nor a boolean.
    #[error("a schema must be an object or a boolean")]
    NotASchema,
    /// It breaks the rules of its own dialect.
    #[error("the schema is invalid at `{pointer}`: {reason}")]
    Invalid {
        /// Where, as a JSON Pointer into the schema.
        pointer: String,
        /// What is wrong there.
        reason: String,
    },
    /// `$schema` names a dialect that is not supported.
    #[error(
        "the schema dialect `{dialect}` is not supported; use 2020-12, 2019-09, draft-07, draft-06 or draft-04"
    )]
    Dialect {
        /// The dialect as written, shortened.
        dialect: String,
    },
    /// A reference leads out of the document.
    #[error(
        "the reference `{reference}` leads out of the schema and is never fetched; embed its target under `$defs`"
    )]
    ExternalReference {
        /// The reference as written, shortened.
        reference: String,
    },
    /// A reference leads nowhere.
    #[error("the reference `{reference}` leads nowhere in the schema")]
    DanglingReference {
        /// The reference as written, shortened.
        reference: String,
    },
    /// References lead back to where they started without consuming anything.
    #[error("references form a loop at `{pointer}` that consumes no part of the value")]
    Loop {
        /// Where, as a JSON Pointer into the schema.
        pointer: String,
    },
    /// A pattern that cannot be run in linear time.
    #[error(
        "the pattern `{pattern}` cannot be run in linear time; look-around and back-references are not supported, and a pattern must stay small"
    )]
    Pattern {
        /// The pattern as written, shortened.
        pattern: String,
    },
    /// A limit of the budget is exceeded.
    #[error("the schema exceeds the limit of {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
}

/// Foreign text as a message may repeat it: short, on one line, nothing hidden in it.
pub(super) fn shorten(text: &str) -> String {
    shorten_to(text, SHORT)
}

/// The same, to another length. The ellipsis counts.
pub(super) fn shorten_to(text: &str, longest: usize) -> String {
    // Hidden characters take at most four bytes each: what is cut here could not be shown anyway.
    let (head, whole) = cut(text, longest * 4);
    let clean: Cow<'_, str> = crate::text::clean(head);
    let line: String = clean
        .chars()
        .map(|c| if c.is_control() || c == '`' { ' ' } else { c })
        .collect();
    let (shown, all) = cut(&line, longest);
    if whole && all {
        return shown.to_owned();
    }
    let (shown, _) = cut(&line, longest.saturating_sub('…'.len_utf8()));
    format!("{shown}…")
}

/// The beginning of a text that fits, and whether that is all of it.
fn cut(text: &str, longest: usize) -> (&str, bool) {
    let end = (0..=longest.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    let head = end.and_then(|end| text.get(..end)).unwrap_or_default();
    (head, head.len() == text.len())
}
