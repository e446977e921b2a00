//! The `Content-Type` header: whether a body is what we read. Parsed, never searched.

use crate::accept::{is_token, split_quoted, unquoted};

/// Whether the body is JSON in UTF-8.
pub fn is_json(header: &str) -> bool {
    is(header, "application", "json")
}

/// Whether the body is a stream of events.
pub fn is_event_stream(header: &str) -> bool {
    is(header, "text", "event-stream")
}

fn is(header: &str, kind: &str, subtype: &str) -> bool {
    let mut parts = split_quoted(header, b';');
    let essence = parts.next().and_then(|essence| essence.split_once('/'));
    let matches = essence.is_some_and(|(one, other)| {
        one.eq_ignore_ascii_case(kind) && other.eq_ignore_ascii_case(subtype)
    });
    let mut charsets = 0;
    matches
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                charsets += 1;
                charsets == 1 && unquoted(value).eq_ignore_ascii_case("utf-8")
            }
            Some((name, value)) => is_token(name) && is_value(value),
            None => false,
        })
}

fn is_value(value: &str) -> bool {
    is_token(value) || (value.len() >= 2 && value.starts_with('"') && value.ends_with('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_json_whatever_its_case_and_parameters() {
        let cases = [
            ("application/json", true),
            ("Application/JSON", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=\"UTF-8\"", true),
            ("application/json; profile=x", true),
            ("application/json;", true),
            ("application/json; charset=iso-8859-1", false),
            ("application/json; charset=utf-8; charset=utf-16", false),
            ("application/json; charset=utf-8; charset=utf-8", false),
            ("application/json; charset", false),
            ("application/json, text/plain", false),
            ("application/jsonp", false),
            ("application/x-json", false),
            ("application/json-seq", false),
            ("text/plain; x=application/json", false),
            ("text/plain", false),
            ("json", false),
            ("", false),
        ];
        for (header, expected) in cases {
            assert_eq!(is_json(header), expected, "{header}");
        }
    }

    #[test]
    fn knows_event_streams() {
        assert!(is_event_stream("text/event-stream"));
        assert!(is_event_stream("text/Event-Stream; charset=utf-8"));
        assert!(!is_event_stream("text/event-streams"));
        assert!(!is_event_stream("application/json"));
    }
}
