//! What every request of the modern era says about itself in `_meta` (rules V1, V2, B6): the version
//! it is written in, what its client can do, and perhaps who that is and how much log it wants.
//!
//! This module reads and says what is missing or malformed. Whether the version is served (V3), and
//! whether a capability is missing, is decided elsewhere; who the client says it is decides nothing
//! anywhere (B7).

mod trace;

pub use trace::{TraceError, check_trace};

use crate::document::{Kind, Value};
use crate::log_level::LogLevel;
use crate::message::Message;
use std::borrow::Cow;

/// Where a request names its version.
pub const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
/// Where a request says what its client can do.
pub const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
/// Where a request says who its client is.
pub const CLIENT_INFO_KEY: &str = "io.modelcontextprotocol/clientInfo";
/// Where a request says how much log it wants.
pub const LOG_LEVEL_KEY: &str = "io.modelcontextprotocol/logLevel";
/// Where a result says who answered.
pub const SERVER_INFO_KEY: &str = "io.modelcontextprotocol/serverInfo";
/// Where a notification names the subscription it belongs to.
pub const SUBSCRIPTION_KEY: &str = "io.modelcontextprotocol/subscriptionId";

/// Longest version in bytes. A date has 10.
const VERSION_MAX: usize = 64;

/// What one request says about itself.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The version it is written in, served or not.
    pub version: Cow<'a, str>,
    /// What the client can do on this request, an object.
    pub capabilities: Value<'a>,
    /// Who the client says it is, an object. Never verified.
    pub client_info: Option<Value<'a>>,
    /// Log messages of this level and graver ones may be sent with the answer.
    pub log_level: Option<LogLevel>,
}

/// What is missing or malformed in `_meta`. The sender's mistake: invalid params (V2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The capabilities are something else.
    #[error("`params._meta` has `{CAPABILITIES_KEY}`, but no object in it: send `{{}}` or more")]
    Capabilities,
    /// The client's name is something else.
    #[error(
        "`params._meta` has `{CLIENT_INFO_KEY}`, but no object in it: name and version or none"
    )]
    ClientInfo,
    /// The level is none of the eight.
    #[error("`params._meta` has `{LOG_LEVEL_KEY}`, but no level in it: `debug` to `emergency`")]
    LogLevel,
    /// No capabilities.
    #[error("`params._meta` lacks `{CAPABILITIES_KEY}`: send `{{}}` if there are none")]
    MissingCapabilities,
    /// No version.
    #[error("`params._meta` lacks `{VERSION_KEY}`: name the version, as in the header")]
    MissingVersion,
    /// The version is something else, or no version is that long.
    #[error("`params._meta` has `{VERSION_KEY}`, but no version in it: send a date as text")]
    Version,
}

impl<'a> Envelope<'a> {
    /// Reads what the params of a request say, or says what is wrong with it.
    pub fn read(params: Option<Value<'a>>) -> Result<Envelope<'a>, EnvelopeError> {
        let meta = params.and_then(|params| params.get("_meta"));
        let member = |key| meta.and_then(|meta| meta.get(key));
        let object = |value: Value<'_>| value.kind() == Kind::Object;

        let version = member(VERSION_KEY).ok_or(EnvelopeError::MissingVersion)?;
        let version = version
            .text()
            .filter(|version| version.len() <= VERSION_MAX)
            .ok_or(EnvelopeError::Version)?;
        let capabilities = member(CAPABILITIES_KEY).ok_or(EnvelopeError::MissingCapabilities)?;
        if !object(capabilities) {
            return Err(EnvelopeError::Capabilities);
        }
        let client_info = member(CLIENT_INFO_KEY);
        if !client_info.is_none_or(object) {
            return Err(EnvelopeError::ClientInfo);
        }
        let level = |value: Value<'_>| LogLevel::named(&value.text()?);
        let log_level = match member(LOG_LEVEL_KEY) {
            Some(value) => Some(level(value).ok_or(EnvelopeError::LogLevel)?),
            None => None,
        };
        Ok(Envelope {
            version,
            capabilities,
            client_info,
            log_level,
        })
    }

    /// Whether a message claims to be of the modern era. A claim that is malformed is still one: it
    /// is refused, and never read as a message of the other era.
    pub fn is_declared(message: &Message) -> bool {
        let meta = message.params().and_then(|params| params.get("_meta"));
        meta.is_some_and(|meta| meta.get(VERSION_KEY).is_some())
    }
}

/// Whether a key of `_meta` belongs to the specification (B6): the second label of its prefix is
/// `modelcontextprotocol` or `mcp`. Case does not count, so that no careless reader sees more
/// reserved keys than this does.
pub fn is_reserved_key(key: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else {
        return false;
    };
    let second = prefix.split('.').nth(1).unwrap_or_default();
    second.eq_ignore_ascii_case("modelcontextprotocol") || second.eq_ignore_ascii_case("mcp")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits};

    fn params(meta: &str) -> Document {
        let text = format!(r#"{{"name":"x","_meta":{meta}}}"#);
        Document::read(text.into(), &Limits::default()).unwrap()
    }

    const VERSION: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
    const ABLE: &str = r#""io.modelcontextprotocol/clientCapabilities":{"roots":{}}"#;

    #[test]
    fn v1_reads_what_a_request_says_about_itself() {
        let client = r#""io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"}"#;
        let level = r#""io.modelcontextprotocol/logLevel":"notice""#;
        let document = params(&format!(
            r#"{{{client},"vendor/x":1,{VERSION},{level},{ABLE},"progressToken":7}}"#
        ));
        let read = Envelope::read(Some(document.root())).unwrap();
        assert_eq!(read.version, "2026-07-28");
        assert_eq!(read.capabilities.raw(), br#"{"roots":{}}"#);
        assert_eq!(
            read.client_info.unwrap().raw(),
            br#"{"name":"c","version":"1"}"#
        );
        assert_eq!(read.log_level, Some(LogLevel::Notice));

        let document = params(&format!("{{{VERSION},{ABLE}}}"));
        let read = Envelope::read(Some(document.root())).unwrap();
        assert!(read.client_info.is_none() && read.log_level.is_none());
    }

    #[test]
    fn v2_refuses_what_is_missing_or_malformed_and_names_it() {
        use EnvelopeError::*;
        let version = |value: &str| format!(r#"{{"{VERSION_KEY}":{value},{ABLE}}}"#);
        let able = |value: &str| format!(r#"{{{VERSION},"{CAPABILITIES_KEY}":{value}}}"#);
        let also = |key: &str, value: &str| format!(r#"{{{VERSION},{ABLE},"{key}":{value}}}"#);
        let long = format!("\"{}\"", "2".repeat(VERSION_MAX + 1));
        let cases = [
            ("{}".to_owned(), MissingVersion),
            (format!("{{{ABLE}}}"), MissingVersion),
            (format!("{{{VERSION}}}"), MissingCapabilities),
            (version("null"), Version),
            (version("20260728"), Version),
            (version("[\"2026-07-28\"]"), Version),
            (version(&long), Version),
            (able("null"), Capabilities),
            (able("true"), Capabilities),
            (able("[]"), Capabilities),
            (able("\"{}\""), Capabilities),
            (also(CLIENT_INFO_KEY, "null"), ClientInfo),
            (also(CLIENT_INFO_KEY, "\"c\""), ClientInfo),
            (also(LOG_LEVEL_KEY, "null"), LogLevel),
            (also(LOG_LEVEL_KEY, "\"Debug\""), LogLevel),
            (also(LOG_LEVEL_KEY, "7"), LogLevel),
        ];
        for (meta, expected) in cases {
            let document = params(&meta);
            let refused = Envelope::read(Some(document.root())).unwrap_err();
            assert_eq!(refused, expected, "{meta}");
            let said = refused.to_string();
            assert!(said.contains("io.modelcontextprotocol/"), "{said}");
            assert!(said.contains(": ") && !said.contains('\n'), "{said}");
        }
        assert_eq!(Envelope::read(None).unwrap_err(), MissingVersion);
        let bare = Document::read("{}".into(), &Limits::default()).unwrap();
        let refused = Envelope::read(Some(bare.root())).unwrap_err();
        assert_eq!(refused, MissingVersion);
    }

    #[test]
    fn v3_a_version_nobody_serves_is_read_so_that_it_can_be_named() {
        let document = params(&format!(r#"{{"{VERSION_KEY}":"1999-01-01",{ABLE}}}"#));
        let read = Envelope::read(Some(document.root())).unwrap();
        assert_eq!(read.version, "1999-01-01");
    }

    #[test]
    fn v9_a_malformed_claim_is_still_a_claim() {
        let message = |meta: &str| {
            let text = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"_meta":{meta}}}}}"#
            );
            let document = Document::read(text.into(), &Limits::default()).unwrap();
            Message::read(document).unwrap()
        };
        let cases = [
            (format!("{{{VERSION}}}"), true),
            (format!(r#"{{"{VERSION_KEY}":null}}"#), true),
            (
                r#"{"io.modelcontextprotocol\/protocolVersion":1}"#.into(),
                true,
            ),
            (format!("{{{ABLE}}}"), false),
            (r#"{"progressToken":1}"#.into(), false),
            ("{}".into(), false),
        ];
        for (meta, expected) in cases {
            assert_eq!(Envelope::is_declared(&message(&meta)), expected, "{meta}");
        }
        let answer = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"_meta":{{{VERSION}}}}}}}"#);
        let answer = Document::read(answer.into(), &Limits::default()).unwrap();
        assert!(!Envelope::is_declared(&Message::read(answer).unwrap()));
    }

    #[test]
    fn b6_knows_the_keys_that_are_the_specifications_own() {
        let cases = [
            (VERSION_KEY, true),
            ("dev.mcp/x", true),
            ("com.mcp.tools/x", true),
            ("org.modelcontextprotocol.api/", true),
            ("io.ModelContextProtocol/x", true),
            ("com.example.mcp/x", false),
            ("mcp/x", false),
            ("mcp.example/x", false),
            ("io.modelcontextprotocol", false),
            ("progressToken", false),
            ("", false),
        ];
        for (key, expected) in cases {
            assert_eq!(is_reserved_key(key), expected, "{key}");
        }
    }
}
