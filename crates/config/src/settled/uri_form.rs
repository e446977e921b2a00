//! The forms of URIs: fixed text and variables, as in `file://{+path}` and `repo://{owner}/{name}` (RFC 6570,
//! levels 1 and 2, without its other operators). Nothing in them backtracks, and no URI has two readings:
//! between two variables there is a `/`, and only one may hold any.

use serde::{Serialize, Serializer};
use std::fmt;
use thiserror::Error;

/// Variables of one form.
const VARIABLES: usize = 16;

/// The URIs of some resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UriForm {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    /// A variable: `{name}`, in which there is no `/`, or `{+name}`, in which there may be.
    Variable {
        name: String,
        spans: bool,
    },
}

/// Why a text is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UriFormError {
    /// Braces do not close, or hold no name.
    #[error("has a variable that is none")]
    Braces,
    /// Two variables cannot be told apart.
    #[error("has two variables without a `/` between them")]
    Close,
    /// A name is there twice, or there are too many.
    #[error("has a variable twice, or more than {VARIABLES}")]
    Several,
    /// Two variables may hold a `/`.
    #[error("has two variables that may hold `/`")]
    Spans,
    /// It begins with neither a scheme nor a variable.
    #[error("does not begin with a scheme")]
    Scheme,
}

impl UriForm {
    /// What the whole of a URI is called beside its variables.
    pub const WHOLE: &'static str = "uri";

    /// Reads a form.
    pub fn read(text: &str) -> Result<UriForm, UriFormError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(UriFormError::Braces)?;
            let (name, spans) = match name.strip_prefix('+') {
                Some(name) => (name, true),
                None => (name, false),
            };
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty() || !name.bytes().all(plain) {
                return Err(UriFormError::Braces);
            }
            match (before.is_empty(), before.contains('/'), parts.is_empty()) {
                (true, _, true) => {}
                (_, false, false) => return Err(UriFormError::Close),
                _ => parts.push(Part::Text(before.to_owned())),
            }
            parts.push(Part::Variable {
                name: name.to_owned(),
                spans,
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let stray = |part: &Part| matches!(part, Part::Text(text) if text.contains('}'));
        if parts.iter().any(stray) {
            return Err(UriFormError::Braces);
        }
        let form = UriForm {
            text: text.to_owned(),
            parts,
        };
        form.checked()
    }

    fn checked(self) -> Result<UriForm, UriFormError> {
        let mut names: Vec<_> = self.variables().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        if names.len() != all || all > VARIABLES {
            return Err(UriFormError::Several);
        }
        let spans = |part: &&Part| matches!(part, Part::Variable { spans: true, .. });
        if self.parts.iter().filter(spans).count() > 1 {
            return Err(UriFormError::Spans);
        }
        let begins = match self.parts.first() {
            Some(Part::Text(text)) => scheme(text).is_some(),
            Some(Part::Variable { .. }) => true,
            None => false,
        };
        match begins {
            true => Ok(self),
            false => Err(UriFormError::Scheme),
        }
    }

    /// Whether it is written so.
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    /// The names of its variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// How much of it is fixed, in bytes.
    pub fn fixed(&self) -> usize {
        let parts = self.parts.iter();
        parts
            .map(|part| match part {
                Part::Text(text) => text.len(),
                Part::Variable { .. } => 0,
            })
            .sum()
    }

    /// Whether it speaks of the URIs of this scheme, or of whatever has none. One that begins with a
    /// variable speaks of all.
    pub fn speaks_of(&self, uri: &str) -> bool {
        let Some(Part::Text(text)) = self.parts.first() else {
            return true;
        };
        match (scheme(text), scheme(uri.trim_start())) {
            (Some(own), Some(theirs)) => own.eq_ignore_ascii_case(theirs),
            _ => true,
        }
    }

    /// What stands in its variables in a URI that has this form, as it is written there. How the scheme is
    /// written does not matter (RFC 3986, section 3.1).
    pub fn values<'f, 'u>(&'f self, uri: &'u str) -> Option<Vec<(&'f str, &'u str)>> {
        // What a host does in the address of a file is for each reader to say (RFC 8089, appendix B).
        let file = scheme(uri).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file"));
        if file && uri.get(4..).is_none_or(|rest| !rest.starts_with(":///")) {
            return None;
        }
        let mut values = Vec::new();
        let spans = |part: &Part| matches!(part, Part::Variable { spans: true, .. });
        let Some(at) = self.parts.iter().position(spans) else {
            let rest = walked(&self.parts, uri, true, &mut values)?;
            return rest.is_empty().then_some(values);
        };
        let (before, from) = self.parts.split_at_checked(at)?;
        let (Part::Variable { name, .. }, after) = from.split_first()? else {
            return None;
        };
        let rest = walked(before, uri, true, &mut values)?;
        let end = tail(after, rest)?;
        let (value, end) = rest.split_at_checked(end)?;
        values.push((name.as_str(), value));
        let left = walked(after, end, false, &mut values)?;
        left.is_empty().then_some(values)
    }
}

/// Walks the parts from the beginning of a text, and gives back what is left of it.
fn walked<'f, 'u>(
    parts: &'f [Part],
    text: &'u str,
    begins: bool,
    values: &mut Vec<(&'f str, &'u str)>,
) -> Option<&'u str> {
    let mut rest = text;
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Text(fixed) if begins && index == 0 => rest = after_scheme(fixed, rest)?,
            Part::Text(fixed) => rest = rest.strip_prefix(fixed.as_str())?,
            Part::Variable { name, .. } => {
                let end = rest.find('/').unwrap_or(rest.len());
                let next = match parts.get(index + 1) {
                    Some(Part::Text(next)) => next.split('/').next().unwrap_or_default(),
                    _ => "",
                };
                let value = rest.get(..end)?.strip_suffix(next)?;
                if value.is_empty() {
                    return None;
                }
                values.push((name.as_str(), value));
                rest = rest.get(value.len()..)?;
            }
        }
    }
    Some(rest)
}

/// Where the last parts of a form begin in what is left of a text: as many slashes from its end as they
/// hold.
fn tail(parts: &[Part], rest: &str) -> Option<usize> {
    let Some(Part::Text(first)) = parts.first() else {
        return Some(rest.len());
    };
    let count = |part: &Part| match part {
        Part::Text(text) => text.matches('/').count(),
        Part::Variable { .. } => 0,
    };
    let slashes: usize = parts.iter().map(count).sum();
    let before = first.split('/').next().unwrap_or_default();
    match slashes.checked_sub(1) {
        None => rest.len().checked_sub(first.len()),
        Some(nth) => {
            let (at, _) = rest.rmatch_indices('/').nth(nth)?;
            at.checked_sub(before.len())
        }
    }
}

/// The scheme of a URI, if it has one.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    (named && scheme.bytes().all(belongs)).then_some(scheme)
}

/// What follows this text at the beginning of a URI, however its scheme is written.
fn after_scheme<'u>(fixed: &str, uri: &'u str) -> Option<&'u str> {
    let length = scheme(fixed).map_or(0, str::len);
    let (own, theirs) = (fixed.get(..length)?, uri.get(..length)?);
    if !own.eq_ignore_ascii_case(theirs) {
        return None;
    }
    uri.get(length..)?.strip_prefix(fixed.get(length..)?)
}

impl fmt::Display for UriForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for UriForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_tells_what_stands_in_its_variables() {
        for (form, uri, expected) in [
            ("file://{+path}", "file:///a/b", Some("path=/a/b")),
            ("file://{+path}", "file://localhost/a", None),
            ("file://{+path}", "file:/a", None),
            ("{+uri}", "file://host/a", None),
            ("file:///{+path}", "file:///a/b", Some("path=a/b")),
            ("file:///{+path}", "FILE:///a%2Fb", Some("path=a%2Fb")),
            ("file:///{+path}", "file:///", Some("path=")),
            ("file:///{+path}", "file:/a", None),
            ("file:///{+path}", "file://host/a", None),
            (
                "repo://{owner}/{name}",
                "repo://a/b",
                Some("owner=a name=b"),
            ),
            ("repo://{owner}/{name}", "repo://a/b/c", None),
            ("repo://{owner}/{name}", "repo://a/", None),
            ("repo://{owner}/{name}", "repo:///b", None),
            (
                "repo://{owner}/{+path}/raw",
                "repo://a/b/c/raw",
                Some("owner=a path=b/c"),
            ),
            ("repo://{owner}/{+path}/raw", "repo://a/b/c", None),
            (
                "x://{+path}.d/{name}.txt",
                "x://a/b.d/c.txt",
                Some("path=a/b name=c"),
            ),
            ("x://{+path}.d/{name}.txt", "x://a/b/c.txt", None),
            ("x://{name}.txt", "x://a.txt.txt", Some("name=a.txt")),
            ("x://{name}.txt", "x://a", None),
            ("{+uri}", "any:thing/at/all", Some("uri=any:thing/at/all")),
            ("notes://all", "NOTES://all", Some("")),
            ("notes://all", "notes://all/x", None),
        ] {
            let form = UriForm::read(form).unwrap();
            let values = form.values(uri).map(|values| {
                let values = values.iter().map(|(name, value)| format!("{name}={value}"));
                values.collect::<Vec<_>>().join(" ")
            });
            assert_eq!(values.as_deref(), expected, "{form} {uri}");
        }
    }

    #[test]
    fn a_form_with_two_readings_is_none() {
        use UriFormError::*;
        for (form, expected) in [
            ("x://{a}{b}", Close),
            ("x://{a}.{b}", Close),
            ("x://{+a}/{+b}", Spans),
            ("x://{a}/{a}", Several),
            ("x://{a", Braces),
            ("x://a}", Braces),
            ("x://{}", Braces),
            ("x://{?a}", Braces),
            ("x/{a}", Scheme),
            ("/{a}", Scheme),
            ("x", Scheme),
            ("", Scheme),
        ] {
            assert_eq!(UriForm::read(form), Err(expected), "{form}");
        }
    }

    #[test]
    fn a_form_speaks_of_its_scheme_and_of_what_has_none() {
        for (form, uri, expected) in [
            ("file:///{+path}", "FILE:/etc", true),
            ("file:///{+path}", " file:/etc", true),
            ("file:///{+path}", "notes://x", false),
            ("file:///{+path}", "fil%65:///x", true),
            ("file:///{+path}", "/etc", true),
            ("{+uri}", "notes://x", true),
        ] {
            let form = UriForm::read(form).unwrap();
            assert_eq!(form.speaks_of(uri), expected, "{form} {uri}");
        }
    }
}
