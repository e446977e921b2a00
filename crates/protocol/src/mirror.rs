//! Headers that repeat what a request of the modern era says in its body (rules H6 to H10), so that
//! whoever stands in between can route without reading it.
//!
//! For the way up this module says which headers a request needs; for the way down it says whether
//! the headers that came agree with the body. The body is the truth: nothing here is ever decided on
//! a header, and a header that lies is refused.

mod params;
mod value;

pub use params::{Params, ParamsError};
pub use value::{MirrorError, VALUE_MAX, decode, encode};

use crate::document::Value;
use std::borrow::Cow;
use std::fmt;

/// The header with the version of `_meta`.
pub const VERSION: &str = "MCP-Protocol-Version";
/// The header with the method.
pub const METHOD: &str = "Mcp-Method";
/// The header with the name, URI or task the method acts on.
pub const NAME: &str = "Mcp-Name";
/// How headers with an argument of a tool begin.
pub const PARAM_PREFIX: &str = "Mcp-Param-";

/// A header as it came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sent<'h> {
    /// It did not.
    Absent,
    /// Its value, as bytes.
    Once(&'h [u8]),
    /// More than once: two readers could each believe another one (H7).
    Repeated,
}

/// Shows whether and how long, never the text.
impl fmt::Debug for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sent::Absent => f.write_str("absent"),
            Sent::Once(value) => write!(f, "{} bytes", value.len()),
            Sent::Repeated => f.write_str("repeated"),
        }
    }
}

/// Whether a header must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// It may be missing, but must not lie: notifications, whose headers the specification leaves
    /// open.
    IfSent,
    /// It must be there: requests.
    Yes,
}

/// A header that mirrors something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mirrored {
    /// `Mcp-Method`.
    Method,
    /// `Mcp-Name`.
    Name,
    /// `Mcp-Param-…`, by its whole name.
    Param(Box<str>),
    /// `MCP-Protocol-Version`.
    Version,
}

impl fmt::Display for Mirrored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mirrored::Method => METHOD,
            Mirrored::Name => NAME,
            Mirrored::Param(name) => name,
            Mirrored::Version => VERSION,
        })
    }
}

/// In what way a header and the body disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The header says something else than the body.
    Differs,
    /// The header cannot be decoded, or has characters that no header has.
    Encoding,
    /// The body has a value, the header is not there.
    Missing,
    /// The header came more than once.
    Repeated,
    /// The header is there, the body has no value.
    Unexpected,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Differs => "does not match the body: repeat the value of the body in it",
            Why::Encoding => "cannot be read: send visible ASCII, or `=?base64?…?=` where allowed",
            Why::Missing => "is missing: repeat the value of the body in it",
            Why::Repeated => "came more than once: send it once",
            Why::Unexpected => "has no value in the body to match: leave it out",
        })
    }
}

/// A header that does not agree with the body. Says which and why, never what either of them holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{header}` {why}")]
pub struct Mismatch {
    header: Mirrored,
    why: Why,
}

impl Mismatch {
    /// Which header.
    pub fn header(&self) -> &Mirrored {
        &self.header
    }

    /// In what way.
    pub fn why(&self) -> Why {
        self.why
    }
}

/// What the headers of one message must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<'a> {
    /// What `Mcp-Method` carries.
    pub method: &'a str,
    /// The text that `Mcp-Name` stands for; nothing if the method has none, or the body does not
    /// say it as it must.
    pub name: Option<Cow<'a, str>>,
    /// Whether the method has a name at all.
    named: bool,
}

/// What the headers of a message with this method and these params must say. A method that nobody
/// knows has a method to mirror as well.
pub fn expected<'a>(method: &'a str, params: Option<Value<'a>>) -> Expected<'a> {
    let member = match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    };
    let name = member.and_then(|member| params?.get(member)?.text());
    Expected {
        method,
        name,
        named: member.is_some(),
    }
}

impl Expected<'_> {
    /// The headers to send, encoded.
    pub fn headers(&self) -> Result<Vec<(&'static str, String)>, MirrorError> {
        // A method is not encoded: what would have to be is no method.
        let mut headers = vec![(METHOD, value::literal(self.method.as_bytes())?.to_owned())];
        if let Some(name) = &self.name {
            headers.push((NAME, value::sendable(name)?));
        }
        Ok(headers)
    }

    /// Whether the headers that came say it. `sent` is asked by the name of the header.
    pub fn check<'h>(
        &self,
        required: Required,
        sent: impl Fn(&str) -> Sent<'h>,
    ) -> Result<(), Mismatch> {
        check_literal(Mirrored::Method, required, self.method, sent(METHOD))?;
        if !self.named {
            return Ok(());
        }
        let body = self.name.as_deref();
        let is_same = |text: &str| body == Some(text);
        check_coded(
            Mirrored::Name,
            required,
            body.is_some(),
            sent(NAME),
            is_same,
        )
    }
}

/// Whether the version header names the version of `_meta`. It is always required.
pub fn check_version(version: &str, sent: Sent<'_>) -> Result<(), Mismatch> {
    check_literal(Mirrored::Version, Required::Yes, version, sent)
}

/// A header that is never encoded, against the value of the body.
fn check_literal(
    header: Mirrored,
    required: Required,
    body: &str,
    sent: Sent<'_>,
) -> Result<(), Mismatch> {
    let why = match sent {
        Sent::Absent if required == Required::IfSent => return Ok(()),
        Sent::Absent => Why::Missing,
        Sent::Repeated => Why::Repeated,
        Sent::Once(bytes) => match value::literal(bytes) {
            Ok(text) if text == body => return Ok(()),
            Ok(_) => Why::Differs,
            Err(_) => Why::Encoding,
        },
    };
    Err(Mismatch { header, why })
}

/// A header that may be encoded, against a value that the body may not have.
fn check_coded(
    header: Mirrored,
    required: Required,
    in_body: bool,
    sent: Sent<'_>,
    is_same: impl Fn(&str) -> bool,
) -> Result<(), Mismatch> {
    let why = match sent {
        Sent::Absent if in_body && required == Required::Yes => Why::Missing,
        Sent::Absent => return Ok(()),
        Sent::Repeated => Why::Repeated,
        Sent::Once(_) if !in_body => Why::Unexpected,
        Sent::Once(bytes) => match value::read(bytes) {
            Ok(text) if is_same(&text) => return Ok(()),
            Ok(_) => Why::Differs,
            Err(_) => Why::Encoding,
        },
    };
    Err(Mismatch { header, why })
}

#[cfg(test)]
mod tests;
