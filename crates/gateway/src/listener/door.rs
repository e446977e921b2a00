//! `Host` and `Origin`, both checked on every request of every listener, loopback included: a page
//! in a browser on the same machine is not a trusted caller (rule H1; DNS rebinding).

use crate::stages::refused::{self, Refused};
use http::{HeaderMap, Uri, header};

/// Whether this request is meant for us, and comes from no foreign page.
pub(super) fn check(
    uri: &Uri,
    headers: &HeaderMap,
    hosts: &[String],
    origins: &[String],
) -> Result<(), Refused> {
    let host = host(uri, headers).ok_or_else(|| refused::host(""))?;
    if !hosts
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name_of(host)))
    {
        return Err(refused::host(host));
    }
    let mut values = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = values.next() else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let known = values.next().is_none()
        && (is_same_origin(origin, host) || origins.iter().any(|known| known == origin));
    if known {
        Ok(())
    } else {
        Err(refused::origin(origin))
    }
}

/// Whether the page that sends this is one of our own, whatever other pages may call the gateway.
pub(crate) fn origin_is_ours(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let origin = values.next().and_then(|origin| origin.to_str().ok());
    let own = host(uri, headers).zip(origin);
    values.next().is_none() && own.is_some_and(|(host, origin)| is_same_origin(origin, host))
}

/// The one host a request names. HTTP/2 carries it in the URI; two that differ name none.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut values = headers.get_all(header::HOST).iter();
    let header = values
        .next()
        .map(|value| value.to_str().unwrap_or_default());
    if values.next().is_some() {
        return None;
    }
    let authority = uri.authority().map(http::uri::Authority::as_str);
    match (authority, header) {
        (Some(authority), Some(header)) if !authority.eq_ignore_ascii_case(header) => None,
        (authority, header) => authority.or(header),
    }
}

/// The name without the port; IPv6 keeps its brackets.
fn name_of(host: &str) -> &str {
    let after_brackets = host.rfind(']').unwrap_or(0);
    match host.rfind(':') {
        Some(colon) if colon > after_brackets => host.get(..colon).unwrap_or(host),
        _ => host,
    }
}

fn is_same_origin(origin: &str, host: &str) -> bool {
    let rest = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(uri: &str, headers: &[(&'static str, &str)]) -> Option<&'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let hosts = [
            "127.0.0.1".to_owned(),
            "[::1]".to_owned(),
            "localhost".to_owned(),
        ];
        let origins = ["https://app.example.com".to_owned()];
        check(&uri.parse().unwrap(), &map, &hosts, &origins)
            .err()
            .map(|refused| refused.refusal.code)
    }

    #[test]
    fn refuses_foreign_host_on_loopback() {
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "",
            "[::2]",
            "127.0.0.2",
        ] {
            assert_eq!(
                code("/mcp", &[("host", host)]),
                Some("host_foreign"),
                "{host}"
            );
        }
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost:1",
            "LOCALHOST",
            "[::1]",
            "[::1]:8080",
        ] {
            assert_eq!(code("/mcp", &[("host", host)]), None, "{host}");
        }
    }

    #[test]
    fn refuses_foreign_origin_on_loopback() {
        let host = ("host", "localhost:8080");
        for origin in [
            "https://evil.example",
            "null",
            "http://localhost:9999",
            "http://localhost:8080.evil.example",
        ] {
            assert_eq!(
                code("/mcp", &[host, ("origin", origin)]),
                Some("origin_foreign"),
                "{origin}"
            );
        }
        for origin in ["http://localhost:8080", "https://app.example.com"] {
            assert_eq!(code("/mcp", &[host, ("origin", origin)]), None, "{origin}");
        }
    }

    #[test]
    fn refuses_a_rebound_host() {
        assert_eq!(code("/mcp", &[]), Some("host_foreign"));
        assert_eq!(
            code("/mcp", &[("host", "localhost"), ("host", "evil.example")]),
            Some("host_foreign")
        );
        assert_eq!(
            code("http://evil.example/mcp", &[("host", "localhost")]),
            Some("host_foreign")
        );
        assert_eq!(code("http://localhost/mcp", &[]), None);
    }

    #[test]
    fn refuses_two_origins() {
        let twice = [
            ("host", "localhost"),
            ("origin", "http://localhost"),
            ("origin", "http://localhost"),
        ];
        assert_eq!(code("/mcp", &twice), Some("origin_foreign"));
    }
}
