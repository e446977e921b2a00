//! The `Accept` header (RFC 9110, section 12.5.1): whether a client takes a media type. Parsed, never
//! searched: `application/json;q=0` mentions JSON and refuses it.

/// Whether the header admits the media type, such as `application/json`. The most specific range
/// that matches decides; weight 0 refuses. A range that cannot be read admits nothing.
pub fn admits(header: &str, media: &str) -> bool {
    let Some((wanted, subtype)) = media.split_once('/') else {
        return false;
    };
    let mut best: Option<(u8, u16)> = None;
    for range in split_quoted(header, b',') {
        let Some(range) = Range::read(range) else {
            continue;
        };
        let specific = match (range.kind, range.subtype) {
            ("*", "*") => 0,
            (kind, "*") if kind.eq_ignore_ascii_case(wanted) => 1,
            (kind, name)
                if kind.eq_ignore_ascii_case(wanted) && name.eq_ignore_ascii_case(subtype) =>
            {
                2
            }
            _ => continue,
        };
        let found = (specific, range.weight);
        best = best.max(Some(found));
    }
    best.is_some_and(|(_, weight)| weight > 0)
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = split_quoted(text, b';');
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let known = |name: &str| name == "*" || is_token(name);
        if !known(kind) || !known(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let mut weight = 1000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=')?;
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => weight = thousandths(value.trim())?,
                // We send UTF-8 and nothing else.
                "charset" if !unquoted(value.trim()).eq_ignore_ascii_case("utf-8") => return None,
                _ => {}
            }
        }
        Some(Range {
            kind,
            subtype,
            weight,
        })
    }
}

/// The parts between separators that stand outside quotes, trimmed, without empty ones.
pub(crate) fn split_quoted(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let mut escaped = false;
        let end = text.bytes().position(|byte| {
            let ends = byte == separator && !quoted;
            quoted ^= byte == b'"' && !escaped;
            escaped = byte == b'\\' && quoted && !escaped;
            ends
        });
        let (part, after) = match end.and_then(|end| text.split_at_checked(end)) {
            Some((part, after)) => (part, after.get(1..)),
            None => (text, None),
        };
        rest = after;
        Some(part.trim())
    })
    .filter(|part| !part.is_empty())
}

/// A quoted string without its quotes; anything else as it is.
pub(crate) fn unquoted(value: &str) -> &str {
    let inside = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inside.unwrap_or(value)
}

/// Whether the text is a token of RFC 9110.
pub(crate) fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// A weight: 0 or 1 with at most three decimals.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_accept_with_q_values_and_wildcards() {
        let json = "application/json";
        let stream = "text/event-stream";
        let cases = [
            ("application/json, text/event-stream", json, true),
            ("application/json, text/event-stream", stream, true),
            ("application/json", stream, false),
            ("APPLICATION/Json", json, true),
            ("*/*", stream, true),
            ("text/*", stream, true),
            ("text/*", json, false),
            ("application/*;q=0.1", json, true),
            ("application/json;q=0", json, false),
            ("application/json;q=0.000", json, false),
            ("application/json;q=0.001", json, true),
            ("application/json; Q=1.0", json, true),
            ("*/*, application/json;q=0", json, false),
            ("application/json;q=0, */*", json, false),
            ("application/*;q=0, */*", json, false),
            ("application/*;q=0, application/json", json, true),
            ("application/json;charset=utf-8", json, true),
            ("application/json;charset=\"UTF-8\";q=0.5", json, true),
            ("application/json;charset=utf-16", json, false),
            ("application/jsonp", json, false),
            ("x-application/json", json, false),
            ("text/plain;note=\"application/json, */*\"", json, false),
            ("text/plain;note=\"\\\", */*\"", json, false),
            ("text/plain;note=application/json", json, false),
            ("application/json;q=2", json, false),
            ("application/json;q=0.0001", json, false),
            ("application/json;q=-1", json, false),
            ("application/json;q=", json, false),
            ("application/json;q", json, false),
            ("*/json", json, false),
            ("*", json, false),
            ("", json, false),
            (",, ,", json, false),
            (" , application/json ,", json, true),
            (
                "text/event-stream;q=0.9,application/json;q=1.000",
                json,
                true,
            ),
        ];
        for (header, media, expected) in cases {
            assert_eq!(admits(header, media), expected, "{header} {media}");
        }
    }
}
