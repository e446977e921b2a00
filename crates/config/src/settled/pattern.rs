//! Patterns: a name, or the beginning of some names and one `*`. Nothing in them backtracks.

use serde::{Serialize, Serializer};
use std::fmt;

/// The name of a tool or a prompt, or the beginning of some names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToolPattern {
    /// This one.
    Named(String),
    /// Those that begin so.
    StartsWith(String),
}

impl ToolPattern {
    /// Whether the pattern names this one.
    pub fn names(&self, name: &str) -> bool {
        match self {
            ToolPattern::Named(it) => it == name,
            ToolPattern::StartsWith(start) => name.starts_with(start.as_str()),
        }
    }
}

impl fmt::Display for ToolPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToolPattern::Named(name) => f.write_str(name),
            ToolPattern::StartsWith(start) => write!(f, "{start}*"),
        }
    }
}

impl Serialize for ToolPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The URI of a resource, or the beginning of some URIs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UriPattern {
    /// This one.
    Named(String),
    /// Those that begin so and do not step up from there.
    StartsWith(String),
}

impl UriPattern {
    /// Whether the pattern names this URI. A beginning says where a resource lies only as long as nothing
    /// after it leads elsewhere: `file:///docs/../etc` begins with `file:///docs/`.
    pub fn names(&self, uri: &str) -> bool {
        match self {
            UriPattern::Named(it) => it == uri,
            UriPattern::StartsWith(start) if start.is_empty() => true,
            UriPattern::StartsWith(start) => uri.starts_with(start.as_str()) && !steps_up(uri),
        }
    }
}

impl fmt::Display for UriPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UriPattern::Named(it) => f.write_str(it),
            UriPattern::StartsWith(start) => write!(f, "{start}*"),
        }
    }
}

impl Serialize for UriPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether one step of the path is `..`, in any way a server might read it: with dots and slashes
/// encoded, once or more often, or with backslashes.
fn steps_up(uri: &str) -> bool {
    let (mut dots, mut others) = (0_usize, false);
    let mut rest = uri.as_bytes();
    while let Some((byte, after)) = unit(rest) {
        rest = after;
        match byte {
            b'.' => dots += 1,
            // Readers of addresses drop these, wherever they stand.
            0..0x20 | 0x7f => {}
            b'/' | b'\\' | b':' | b';' | b'?' | b'#' => {
                if dots == 2 && !others {
                    return true;
                }
                (dots, others) = (0, false);
            }
            _ => others = true,
        }
    }
    dots == 2 && !others
}

/// The next byte, decoded, and what follows it. `%252e` is a dot to whoever decodes twice, so it is one
/// here; each `25` is passed once.
fn unit(text: &[u8]) -> Option<(u8, &[u8])> {
    let (first, after) = text.split_first()?;
    if *first != b'%' {
        return Some((*first, after));
    }
    let mut encoded = after;
    while let Some(inner) = encoded.strip_prefix(b"25") {
        encoded = inner;
    }
    let Some(([high, low], rest)) = encoded.split_first_chunk::<2>().map(|(a, b)| (*a, b)) else {
        return Some((b'%', encoded));
    };
    match (char::from(high).to_digit(16), char::from(low).to_digit(16)) {
        (Some(high), Some(low)) => {
            let byte = u8::try_from(high * 16 + low).unwrap_or(b'%');
            Some((byte, rest))
        }
        _ => Some((b'%', encoded)),
    }
}
