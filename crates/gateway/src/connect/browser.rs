//! What is read of a browser's request, and the headers of what it gets: one cookie that no other host
//! and no script can read or set, and pages that nothing can be loaded into and that nobody can frame.

use crate::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// The one cookie. Its prefix makes browsers hold it to this host, encrypted, at the root.
const COOKIE: &str = "__Host-ringwall-connect";
/// The longest value of it that is looked at.
const COOKIE_MAX: usize = 128;
/// How long browsers keep it, in seconds.
const COOKIE_AGE_S: u64 = 600;
/// Nothing is loaded, run, or framed; forms go nowhere but here.
const POLICY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The value of the cookie, if there is exactly one.
pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter();
    let texts = texts.filter_map(|text| text.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';'));
    let mut found = pairs.filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    });
    let value = found.next().filter(|value| value.len() <= COOKIE_MAX)?;
    found.next().is_none().then(|| value.to_owned())
}

/// Whether a browser fetches this only in case somebody wants it.
pub(super) fn is_ahead_of_time(headers: &HeaderMap) -> bool {
    let purposes = ["sec-purpose", "purpose", "x-moz"];
    let values = purposes.iter().filter_map(|name| headers.get(*name));
    let mut texts = values.filter_map(|value| value.to_str().ok());
    texts.any(|text| text.contains("prefetch") || text.contains("prerender"))
}

/// Whether a form was sent from one of our own pages, as far as the browser says.
pub(super) fn is_from_here(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    let site = site.and_then(|value| value.to_str().ok());
    matches!(site, None | Some("same-origin"))
}

/// A page.
pub(super) fn page(status: StatusCode, html: String) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    harden(headers);
    response
}

/// The way to another page.
pub(super) fn redirect(to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    if let Ok(to) = HeaderValue::try_from(to) {
        headers.insert(header::LOCATION, to);
    }
    harden(headers);
    response
}

/// The same, with the cookie that the next step is found by.
pub(super) fn remembered(mut response: Response<Body>, cookie: &str) -> Response<Body> {
    set(&mut response, cookie, COOKIE_AGE_S);
    response
}

/// The same, with the cookie taken back.
pub(super) fn forgotten(mut response: Response<Body>) -> Response<Body> {
    set(&mut response, "", 0);
    response
}

fn set(response: &mut Response<Body>, value: &str, age_s: u64) {
    let cookie =
        format!("{COOKIE}={value}; Path=/; Max-Age={age_s}; Secure; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

fn harden(headers: &mut HeaderMap) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        // A page of ours is told to nobody else: its address may be a link. To ourselves it has to be,
        // or browsers would send the form with an `Origin` of `null`.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n8_3_a_cookie_counts_only_if_there_is_one() {
        for (sent, expected) in [
            (&["__Host-ringwall-connect=a"][..], Some("a")),
            (&["x=1; __Host-ringwall-connect=a; y=2"], Some("a")),
            (
                &["__Host-ringwall-connect=a; __Host-ringwall-connect=b"],
                None,
            ),
            (
                &["__Host-ringwall-connect=a", "__Host-ringwall-connect=a"],
                None,
            ),
            (&["__host-ringwall-connect=a"], None),
            (&["ringwall-connect=a"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for text in sent {
                headers.append(header::COOKIE, text.parse().unwrap());
            }
            assert_eq!(cookie(&headers).as_deref(), expected, "{sent:?}");
        }
        let mut headers = HeaderMap::new();
        let long = format!("{COOKIE}={}", "a".repeat(COOKIE_MAX + 1));
        headers.append(header::COOKIE, long.parse().unwrap());
        assert_eq!(cookie(&headers), None);
    }

    #[test]
    fn no_page_can_be_framed_scripted_or_told_of() {
        let response = remembered(page(StatusCode::OK, String::new()), "v");
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "same-origin");
        let cookie = header("set-cookie");
        for part in ["__Host-", "Path=/;", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"));
    }
}
