//! What tools, prompts and resources are called on a route with several servers: `<server>__<name>`
//! and `<server>+<uri>`. On a route with one server everything keeps its name.
//!
//! Two things never share a name, and the way back is either certain or a look-up: a name that does
//! not fit is shortened with a digest, and a digest is never guessed from. Which server may be called
//! is decided elsewhere, always on the outward name.

mod uris;

pub use config::naming::{NamingError, check_servers};

use crate::small::{hex, sha256};
use config::naming::{SEPARATOR, scheme};
use protocol::{Document, Edits, Method};
use std::borrow::Cow;

/// Longest outward name, as the specification recommends for names of tools.
const NAME_MAX: usize = 128;

/// Hexadecimal digits at the end of a shortened name. A server picks its own names: with 64 bits it
/// could find two that look alike, with 128 it cannot.
const DIGITS: usize = 32;

/// How names are written on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// As the one server writes them.
    Plain,
    /// Behind the name of the server.
    Prefixed,
}

impl Naming {
    /// How names are written on a route with this many servers.
    pub fn of(servers: usize) -> Naming {
        match servers {
            0 | 1 => Naming::Plain,
            _ => Naming::Prefixed,
        }
    }

    /// What a tool or prompt of this server is called outwardly.
    pub fn tool(self, server: &str, name: &str) -> String {
        match self {
            Naming::Plain => name.to_owned(),
            Naming::Prefixed => format!("{server}{SEPARATOR}{}", fitted(server, name)),
        }
    }

    /// What a resource, or a template of resources, of this server is called outwardly.
    pub fn uri(self, server: &str, uri: &str) -> String {
        match self {
            Naming::Plain => uri.to_owned(),
            Naming::Prefixed => format!("{}+{uri}", scheme(server)),
        }
    }

    /// The server and the name that an outward name says. The name is the server's own unless it
    /// [`is shortened`](Naming::is_shortened). Nothing on a route with one server.
    pub fn split_tool(self, outward: &str) -> Option<(&str, &str)> {
        let (server, name) = match self {
            Naming::Plain => return None,
            // No server's name holds the separator or ends with half of it.
            Naming::Prefixed => outward.split_once(SEPARATOR)?,
        };
        (!server.is_empty() && !name.is_empty()).then_some((server, name))
    }

    /// Whether this is a name whose end is a digest. What it stands for can only be looked up, with
    /// [`Naming::matches`] on each name that the server has.
    pub fn is_shortened(name: &str) -> bool {
        let digits = name.len().checked_sub(DIGITS);
        let parts = digits.and_then(|at| name.as_bytes().split_at_checked(at));
        let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        parts.is_some_and(|(before, digits)| {
            before.last() == Some(&b'-') && digits.iter().all(is_digit)
        })
    }

    /// Whether this outward name is the one of this server's tool or prompt.
    pub fn matches(self, outward: &str, server: &str, name: &str) -> bool {
        self.tool(server, name) == outward
    }

    /// The scheme in front of an outward URI, and the server's own URI behind it. Whose scheme it
    /// is says [`Naming::is_scheme_of`]. Nothing on a route with one server.
    pub fn split_uri(self, outward: &str) -> Option<(&str, &str)> {
        let (scheme, uri) = match self {
            Naming::Plain => return None,
            // No server's scheme holds a plus, whatever its URIs hold.
            Naming::Prefixed => outward.split_once('+')?,
        };
        (!scheme.is_empty()).then_some((scheme, uri))
    }

    /// Whether this is what stands in front of this server's URIs.
    pub fn is_scheme_of(found: &str, server: &str) -> bool {
        found == scheme(server)
    }

    /// This server's own URI, if the outward one is of this server.
    pub fn inner_uri<'a>(self, server: &str, outward: &'a str) -> Option<&'a str> {
        match self {
            Naming::Plain => Some(outward),
            Naming::Prefixed => outward.strip_prefix(&*scheme(server))?.strip_prefix('+'),
        }
    }

    /// The edits that make every resource URI in a message of this server an outward one: in what
    /// it answers to this method, or says or asks with it. Only places where the specification puts
    /// the URI of a resource are touched; text that mentions one is not.
    pub fn outward_uris(self, document: &Document, method: &Method, server: &str) -> Edits {
        match self {
            Naming::Plain => Edits::new(),
            Naming::Prefixed => uris::outward(document, method.name, &scheme(server)),
        }
    }
}

/// The name, if it can stand behind this server's as it is; else a readable beginning and a digest.
///
/// A name that looks shortened is shortened as well, so that no server can give a tool the name that
/// another tool of it has outwardly.
fn fitted<'n>(server: &str, name: &'n str) -> Cow<'n, str> {
    let room = NAME_MAX.saturating_sub(server.len() + SEPARATOR.len());
    let fits = (1..=room).contains(&name.len()) && name.chars().all(is_plain);
    if fits && !Naming::is_shortened(name) {
        return Cow::Borrowed(name);
    }
    let plain = |character| if is_plain(character) { character } else { '_' };
    let readable = name
        .chars()
        .take(room.saturating_sub(DIGITS + 1))
        .map(plain);
    let mut fitted: String = readable.collect();
    fitted.push('-');
    fitted.extend(hex(&sha256(name.as_bytes())).chars().take(DIGITS));
    Cow::Owned(fitted)
}

/// The alphabet that the specification recommends for names of tools.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

#[cfg(test)]
mod tests;
