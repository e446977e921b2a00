//! Names, paths, lists and references: the small things that every part of the file holds.
//!
//! Nothing here repeats a value that might be a secret.

use crate::bounds;
use crate::problem::Problems;
use crate::secret::{SecretRef, looks_secret};
use crate::settled::{ToolPattern, UriPattern};
use crate::written::Reference;
use controls::N6_3;
use std::path::PathBuf;

/// Reports a list that is longer than anybody needs.
pub(super) fn count(problems: &mut Problems, path: &str, length: usize, most: usize) {
    if length > most {
        let message = format!("has {length} entries, more than {most}");
        problems.refuse(None, path, message, "split it, or remove what nobody uses");
    }
}

/// A reference to a secret, if it is one.
pub(super) fn secret(problems: &mut Problems, path: &str, text: &Reference) -> Option<SecretRef> {
    match SecretRef::parse(text.as_str()) {
        Ok(reference) => Some(reference),
        Err(error) => {
            problems.refuse(N6_3, path, error.to_string(), error.fix());
            None
        }
    }
}

/// A path of a file or folder. It is taken as it is: the host resolves it against the file's folder.
pub(super) fn path(problems: &mut Problems, path: &str, text: &str) -> PathBuf {
    if text.contains("-----BEGIN") {
        let fix = "put it into a file and write the file's path";
        problems.refuse(
            N6_3,
            path,
            "holds a key or certificate where a path may stand",
            fix,
        );
    } else if text.starts_with("file:") || text.starts_with("env:") {
        let fix = "write the path alone, without `file:`";
        problems.refuse(None, path, "is a reference where a path may stand", fix);
    } else if text.trim() != text || text.is_empty() || text.contains(char::is_control) {
        problems.refuse(
            None,
            path,
            "is not a path",
            "write a path such as `tls/cert.pem`",
        );
    } else if text.len() > bounds::ADDRESS_LENGTH {
        problems.refuse(None, path, "is too long for a path", "write a shorter path");
    }
    PathBuf::from(text)
}

/// Labels: lowercase letters, digits, `-`, `_` and `.`; each once.
pub(super) fn labels(problems: &mut Problems, path: &str, written: &[String]) -> Vec<String> {
    count(problems, path, written.len(), bounds::WORDS);
    for (index, label) in written.iter().enumerate() {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        let begins = label
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        if !begins || !label.bytes().all(plain) || label.len() > bounds::WORD_LENGTH {
            let fix = "write lowercase letters, digits, `-`, `_` and `.`, a letter or digit first";
            problems.refuse(None, &format!("{path}[{index}]"), "is not a label", fix);
        }
    }
    once(written)
}

/// A word without spaces in the characters of RFC 6749 scopes: letters, digits and signs, no quotes
/// and no backslash. Claims and token types are made of them too.
pub(super) fn word(problems: &mut Problems, path: &str, text: &str, what: &str) {
    let plain = |b: u8| (0x21..=0x7e).contains(&b) && b != b'"' && b != b'\\';
    if text.is_empty() || text.len() > bounds::WORD_LENGTH || !text.bytes().all(plain) {
        let message = format!("is not {what}");
        let fix = "write one word of printable characters, without spaces, quotes and backslashes";
        problems.refuse(None, path, message, fix);
    } else if looks_secret(text) {
        problems.refuse(
            N6_3,
            path,
            "looks like a secret",
            "write a name, never a token or key",
        );
    }
}

/// What a pattern names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Prompt,
    Resource,
    Tool,
}

/// A tool's or prompt's name, or its beginning and one `*`.
pub(super) fn names(problems: &mut Problems, path: &str, text: &str, thing: Thing) -> ToolPattern {
    match pattern(problems, path, text, thing) {
        (start, true) => ToolPattern::StartsWith(start.to_owned()),
        (name, false) => ToolPattern::Named(name.to_owned()),
    }
}

/// A resource's URI, or its beginning and one `*`.
pub(super) fn uris(problems: &mut Problems, path: &str, text: &str) -> UriPattern {
    match pattern(problems, path, text, Thing::Resource) {
        (start, true) => UriPattern::StartsWith(start.to_owned()),
        (uri, false) => UriPattern::Named(uri.to_owned()),
    }
}

/// The text before the `*`, and whether there is one.
fn pattern<'a>(
    problems: &mut Problems,
    path: &str,
    text: &'a str,
    thing: Thing,
) -> (&'a str, bool) {
    let name = text.strip_suffix('*');
    let bare = name.unwrap_or(text);
    let most = match thing {
        Thing::Prompt | Thing::Tool => bounds::WORD_LENGTH,
        Thing::Resource => bounds::ADDRESS_LENGTH,
    };
    let plain = !bare.contains(|c: char| c == '*' || c.is_control());
    if !plain || text.is_empty() || text.len() > most {
        let (message, fix) = match thing {
            Thing::Prompt => (
                "is not the name of a prompt",
                "write a prompt's name, or its beginning and one `*`: `daily*`",
            ),
            Thing::Resource => (
                "is not the URI of a resource",
                "write a resource's URI, or its beginning and one `*`: `file:///docs/*`",
            ),
            Thing::Tool => (
                "is not the name of a tool",
                "write a tool's name, or its beginning and one `*`: `transfer*`",
            ),
        };
        problems.refuse(None, path, message, fix);
    }
    (bare, name.is_some())
}

/// The same list with each entry once, in the order in which they came first.
pub(super) fn once<T: Clone + Ord>(list: &[T]) -> Vec<T> {
    let mut seen = std::collections::BTreeSet::new();
    list.iter().filter(|it| seen.insert(*it)).cloned().collect()
}
