//! The trace context in `_meta` (rule B6): `traceparent` and `tracestate` as W3C Trace Context
//! writes them, `baggage` as W3C Baggage does. Says whether they are well formed, in one walk over
//! each; it never follows a trace, and never changes one.

use crate::accept::is_token;
use crate::document::Value;

/// Longest `traceparent` in bytes. Version 00 has 55; later ones may have more.
const PARENT_MAX: usize = 256;
/// Most members of a `tracestate`.
const STATE_MEMBERS: usize = 32;
/// Longest key, and longest value, of a `tracestate`.
const STATE_PART: usize = 256;
/// Longest `baggage` in bytes.
const BAGGAGE_MAX: usize = 8192;
/// Most members of a `baggage`.
const BAGGAGE_MEMBERS: usize = 180;

/// Which key of `_meta` is not written as its standard asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// `baggage`.
    #[error("`_meta` has a `baggage` that is not W3C Baggage: correct it or leave it out")]
    Baggage,
    /// `traceparent`.
    #[error(
        "`_meta` has a `traceparent` that is not W3C Trace Context: correct it or leave it out"
    )]
    Parent,
    /// `tracestate`.
    #[error("`_meta` has a `tracestate` that is not W3C Trace Context: correct it or leave it out")]
    State,
}

impl TraceError {
    /// The key.
    pub fn key(self) -> &'static str {
        match self {
            TraceError::Baggage => "baggage",
            TraceError::Parent => "traceparent",
            TraceError::State => "tracestate",
        }
    }
}

/// Whether the trace context in this `_meta` is well formed; one that is not there is.
pub fn check_trace(meta: Value<'_>) -> Result<(), TraceError> {
    for error in [TraceError::Parent, TraceError::State, TraceError::Baggage] {
        let is_well_formed = match error {
            TraceError::Baggage => is_baggage,
            TraceError::Parent => is_parent,
            TraceError::State => is_state,
        };
        let Some(value) = meta.get(error.key()) else {
            continue;
        };
        if !value.text().is_some_and(|text| is_well_formed(&text)) {
            return Err(error);
        }
    }
    Ok(())
}

/// `version-trace-parent-flags`. A version after 00 may say more behind another dash.
fn is_parent(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut hex = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        part.bytes().all(is_hex).then_some(part)
    };
    let names = |part: Option<&str>| part.is_some_and(|part| part.bytes().any(|byte| byte != b'0'));
    let version = hex(2);
    let well_formed = names(hex(32)) && names(hex(16)) && hex(2).is_some();
    let more = parts.next().is_some();
    text.len() <= PARENT_MAX
        && well_formed
        && match version {
            Some("00") => !more,
            Some(version) => version != "ff",
            None => false,
        }
}

/// `key=value,key=value`, no key twice. A member may be empty.
fn is_state(text: &str) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    for (index, member) in text.split(',').enumerate() {
        let member = member.trim_matches(BLANKS);
        if index >= STATE_MEMBERS {
            return false;
        }
        if member.is_empty() {
            continue;
        }
        let Some((key, value)) = member.split_once('=') else {
            return false;
        };
        if !is_state_key(key) || !is_state_value(value) || seen.contains(&key) {
            return false;
        }
        seen.push(key);
    }
    true
}

const BLANKS: [char; 2] = [' ', '\t'];

fn is_state_key(key: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let later = |byte: u8| first(byte) || b"_-*/@".contains(&byte);
    (1..=STATE_PART).contains(&key.len())
        && key.bytes().next().is_some_and(first)
        && key.bytes().all(later)
}

fn is_state_value(value: &str) -> bool {
    let allowed = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b',' && byte != b'=';
    // Blanks at its end were those around the member.
    (1..=STATE_PART).contains(&value.len()) && value.bytes().all(allowed)
}

/// `key=value;property,key=value`, where a property is a key or another `key=value`.
fn is_baggage(text: &str) -> bool {
    if text.len() > BAGGAGE_MAX {
        return false;
    }
    let mut count = 0;
    text.split(',').all(|member| {
        count += 1;
        let mut parts = member.split(';');
        let first = parts.next().and_then(|part| part.split_once('='));
        count <= BAGGAGE_MEMBERS
            && first.is_some_and(|(key, value)| is_pair(key, value))
            && parts.all(|part| match part.split_once('=') {
                Some((key, value)) => is_pair(key, value),
                None => is_token(part.trim_matches(BLANKS)),
            })
    })
}

fn is_pair(key: &str, value: &str) -> bool {
    let octet = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    is_token(key.trim_matches(BLANKS)) && value.trim_matches(BLANKS).bytes().all(octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits, write_string};

    fn check(key: &str, text: &str) -> bool {
        let mut json = format!("{{\"{key}\":").into_bytes();
        write_string(text, &mut json);
        json.push(b'}');
        let document = Document::read(json.into(), &Limits::default()).unwrap();
        match check_trace(document.root()) {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.key(), key);
                assert!(error.to_string().contains(key));
                false
            }
        }
    }

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn b6_a_traceparent_is_as_trace_context_writes_it() {
        let zeros = "0".repeat(32);
        let cases = [
            (format!("00-{TRACE}-00f067aa0ba902b7-01"), true),
            (format!("00-{TRACE}-00f067aa0ba902b7-ff"), true),
            (format!("01-{TRACE}-00f067aa0ba902b7-01"), true),
            (format!("01-{TRACE}-00f067aa0ba902b7-01-more-of-it"), true),
            (format!("00-{TRACE}-00f067aa0ba902b7-01-"), false),
            (format!("00-{TRACE}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{TRACE}-00f067aa0ba902b7-01"), false),
            (format!("00-{zeros}-00f067aa0ba902b7-01"), false),
            (format!("00-{TRACE}-0000000000000000-01"), false),
            (
                format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
                false,
            ),
            (format!("00-{TRACE}-00f067aa0ba902b7"), false),
            (format!("00-{TRACE}-00f067aa0ba902b7-1"), false),
            (format!("00-{TRACE}0-0f067aa0ba902b7-01"), false),
            (format!("0-{TRACE}-00f067aa0ba902b7-01"), false),
            (format!(" 00-{TRACE}-00f067aa0ba902b7-01"), false),
            (format!("00-{TRACE}-00f067aa0ba902b7-01\n"), false),
            (
                format!("01-{TRACE}-00f067aa0ba902b7-01-{}", "x".repeat(PARENT_MAX)),
                false,
            ),
            (String::new(), false),
        ];
        for (text, expected) in cases {
            assert_eq!(check("traceparent", &text), expected, "{text}");
        }
    }

    #[test]
    fn b6_a_tracestate_is_as_trace_context_writes_it() {
        let full = |members: usize| {
            let members: Vec<String> = (0..members).map(|at| format!("k{at}=v")).collect();
            members.join(",")
        };
        let cases = [
            ("".to_owned(), true),
            ("congo=t61rcWkgMzE".into(), true),
            ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE".into(), true),
            ("rojo=1 ,\tcongo=2".into(), true),
            ("a=1,,b=2,".into(), true),
            ("tenant@system=a b".into(), true),
            ("0a=1".into(), true),
            (full(STATE_MEMBERS), true),
            (full(STATE_MEMBERS + 1), false),
            (",".repeat(STATE_MEMBERS), false),
            ("a=1,a=2".into(), false),
            ("A=1".into(), false),
            ("_a=1".into(), false),
            ("a=".into(), false),
            ("a= ".into(), false),
            ("a".into(), false),
            ("=1".into(), false),
            ("a=b=c".into(), false),
            ("a=é".into(), false),
            ("a=b\u{7f}".into(), false),
            ("a =1".into(), false),
            (format!("{}=1", "a".repeat(STATE_PART)), true),
            (format!("{}=1", "a".repeat(STATE_PART + 1)), false),
            (format!("a={}", "1".repeat(STATE_PART)), true),
            (format!("a={}", "1".repeat(STATE_PART + 1)), false),
        ];
        for (text, expected) in cases {
            assert_eq!(check("tracestate", &text), expected, "{text}");
        }
    }

    #[test]
    fn b6_a_baggage_is_as_baggage_writes_it() {
        let members = |count: usize| vec!["a=1"; count].join(",");
        let cases = [
            ("userId=alice".to_owned(), true),
            (
                "userId = alice , serverNode=DF%2028;p;q=1 ; r = 2".into(),
                true,
            ),
            ("a=".into(), true),
            ("a=b=c".into(), true),
            (members(BAGGAGE_MEMBERS), true),
            (members(BAGGAGE_MEMBERS + 1), false),
            (format!("a={}", "x".repeat(BAGGAGE_MAX - 2)), true),
            (format!("a={}", "x".repeat(BAGGAGE_MAX - 1)), false),
            ("".into(), false),
            ("a".into(), false),
            ("a=1,".into(), false),
            ("=1".into(), false),
            ("a b=1".into(), false),
            ("a=1 2".into(), false),
            ("a=\"1\"".into(), false),
            ("a=1\\".into(), false),
            ("a=é".into(), false),
            ("a=1;".into(), false),
            ("a=1;p q".into(), false),
            ("a=1\r\nb=2".into(), false),
        ];
        for (text, expected) in cases {
            assert_eq!(check("baggage", &text), expected, "{text}");
        }
    }

    #[test]
    fn b6_what_is_no_text_is_refused_and_what_is_absent_passes() {
        let read = |text: &str| {
            let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
            check_trace(document.root())
        };
        assert_eq!(read("{}"), Ok(()));
        assert_eq!(read(r#"{"progressToken":1,"Traceparent":7}"#), Ok(()));
        assert_eq!(read(r#"{"traceparent":null}"#), Err(TraceError::Parent));
        assert_eq!(read(r#"{"tracestate":["a=1"]}"#), Err(TraceError::State));
        assert_eq!(read(r#"{"baggage":{}}"#), Err(TraceError::Baggage));
    }
}
