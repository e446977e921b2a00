//! The headers of a modern request that mirror its body (rules H6 and H9). They are derived from
//! the body that was checked; what else a caller may have sent as a header is not at hand here.

use crate::upstream::{Outgoing, UpstreamError};
use http::{HeaderName, HeaderValue};

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const PARAM: &str = "mcp-param-";

/// How many headers a request may be mirrored in, and how many bytes they may have together.
/// Servers refuse a longer head, and a body has room.
const HEADERS_MAX: usize = 64;
const BYTES_MAX: usize = 16 * 1024;

/// What a message is mirrored in.
pub(super) fn of(message: &Outgoing<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, UpstreamError> {
    let unusable = |reason: &str| UpstreamError::Message {
        reason: reason.to_owned(),
    };
    let method = HeaderValue::from_str(message.method);
    let method = method.map_err(|_| unusable("its method cannot be a header"))?;
    let mut mirrors = Vec::with_capacity(message.headers.len() + 1);
    mirrors.push((METHOD, method));
    let mut bytes = 0;
    for (name, value) in &message.headers {
        if *name != NAME && !name.as_str().starts_with(PARAM) {
            return Err(unusable("it has a header that mirrors nothing"));
        }
        if mirrors.iter().any(|(other, _)| other == name) {
            return Err(unusable("it has a header twice"));
        }
        bytes += name.as_str().len() + value.len();
        mirrors.push((name.clone(), value.clone()));
    }
    if message.headers.len() > HEADERS_MAX || bytes > BYTES_MAX {
        return Err(UpstreamError::Full {
            what: "mirrored parameters",
        });
    }
    Ok(mirrors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use protocol::Shape;

    fn mirrored(method: &str, headers: &[(&str, &str)]) -> Result<Vec<String>, &'static str> {
        let headers = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        let message = Outgoing {
            bytes: Bytes::new(),
            shape: Shape::Request,
            id: None,
            method,
            headers: headers.collect(),
        };
        let mirrors = of(&message).map_err(|error| error.code())?;
        let shown = |(name, value): (HeaderName, HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        Ok(mirrors.into_iter().map(shown).collect())
    }

    #[test]
    fn h6_h9_mirrors_method_name_and_parameters_and_nothing_else() {
        assert_eq!(
            mirrored(
                "tools/call",
                &[("Mcp-Name", "x"), ("Mcp-Param-Region", "eu")]
            )
            .unwrap(),
            [
                "mcp-method: tools/call",
                "mcp-name: x",
                "mcp-param-region: eu"
            ]
        );
        for (method, headers) in [
            ("tools/call", &[("authorization", "x")][..]),
            ("tools/call", &[("mcp-session-id", "x")]),
            ("tools/call", &[("mcp-protocol-version", "x")]),
            ("tools/call", &[("mcp-method", "tools/list")]),
            ("tools/call", &[("mcp-name", "x"), ("mcp-name", "y")]),
            ("tools\ncall", &[]),
        ] {
            assert_eq!(
                mirrored(method, headers),
                Err("upstream_message"),
                "{method:?} {headers:?}"
            );
        }
    }

    #[test]
    fn bounds_what_is_mirrored() {
        let names: Vec<String> = (0..65)
            .map(|number| format!("mcp-param-{number}"))
            .collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
        assert!(mirrored("tools/call", &many[..64]).is_ok());
        assert_eq!(mirrored("tools/call", &many), Err("upstream_full"));
        let long = "x".repeat(BYTES_MAX);
        assert_eq!(
            mirrored("tools/call", &[("mcp-name", &long)]),
            Err("upstream_full")
        );
    }
}
