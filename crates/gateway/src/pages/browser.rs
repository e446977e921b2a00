//! What is read of a browser's request, and the cookies of what it gets: ones that no other host and no
//! script can read or set.

use crate::body::Body;
use http::{HeaderMap, HeaderValue, Response, header};

pub(crate) use super::frame::{json, redirect};

/// The longest value of a cookie that is looked at.
const COOKIE_MAX: usize = 4096;

/// A cookie of ours. Its name has to begin with `__Host-`: browsers hold it to this host, encrypted, at
/// the root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookie(pub(crate) &'static str);

impl Cookie {
    /// Its value, if there is exactly one.
    pub(crate) fn of(self, headers: &HeaderMap) -> Option<&str> {
        let texts = headers.get_all(header::COOKIE).iter();
        let texts = texts.filter_map(|text| text.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';'));
        let mut found = pairs.filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.0).then_some(value)
        });
        let value = found.next().filter(|value| value.len() <= COOKIE_MAX)?;
        found.next().is_none().then_some(value)
    }

    /// The same answer, with this value for so many seconds; without an age, until the browser is closed.
    pub(crate) fn set(
        self,
        response: Response<Body>,
        value: &str,
        age_s: Option<u64>,
    ) -> Response<Body> {
        let age = age_s.map_or(String::new(), |age| format!("; Max-Age={age}"));
        self.put(response, &format!("{value}; Path=/{age}"))
    }

    /// The same answer, with the cookie taken back.
    pub(crate) fn clear(self, response: Response<Body>) -> Response<Body> {
        self.set(response, "", Some(0))
    }

    fn put(self, mut response: Response<Body>, value: &str) -> Response<Body> {
        let cookie = format!("{}={value}; Secure; HttpOnly; SameSite=Lax", self.0);
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// Whether a browser fetches this only in case somebody wants it.
pub(crate) fn is_ahead_of_time(headers: &HeaderMap) -> bool {
    let purposes = ["sec-purpose", "purpose", "x-moz"];
    let values = purposes.iter().filter_map(|name| headers.get(*name));
    let mut texts = values.filter_map(|value| value.to_str().ok());
    texts.any(|text| text.contains("prefetch") || text.contains("prerender"))
}

/// Whether a form was sent from one of our own pages, as far as the browser says.
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    let site = site.and_then(|value| value.to_str().ok());
    matches!(site, None | Some("same-origin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: Cookie = Cookie("__Host-ringwall-test");

    #[test]
    fn n8_3_a_cookie_counts_only_if_there_is_one() {
        for (sent, expected) in [
            (&["__Host-ringwall-test=a"][..], Some("a")),
            (&["x=1; __Host-ringwall-test=a; y=2"], Some("a")),
            (&["__Host-ringwall-test=a; __Host-ringwall-test=b"], None),
            (&["__Host-ringwall-test=a", "__Host-ringwall-test=a"], None),
            (&["__host-ringwall-test=a"], None),
            (&["ringwall-test=a"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for text in sent {
                headers.append(header::COOKIE, text.parse().unwrap());
            }
            assert_eq!(COOKIE.of(&headers), expected, "{sent:?}");
        }
        let mut headers = HeaderMap::new();
        let long = format!("{}={}", COOKIE.0, "a".repeat(COOKIE_MAX + 1));
        headers.append(header::COOKIE, long.parse().unwrap());
        assert_eq!(COOKIE.of(&headers), None);
    }

    #[test]
    fn n8_4_a_cookie_is_for_this_host_alone_and_for_no_script() {
        let plain = || Response::new(Body::empty());
        for (response, age) in [
            (COOKIE.set(plain(), "v", Some(600)), Some("Max-Age=600")),
            (COOKIE.set(plain(), "v", None), None),
            (COOKIE.clear(plain()), Some("Max-Age=0")),
        ] {
            let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
            for part in ["__Host-", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            assert!(!cookie.contains("Domain"), "{cookie}");
            assert_eq!(age.is_some(), cookie.contains("Max-Age"), "{cookie}");
            assert!(age.is_none_or(|age| cookie.contains(age)), "{cookie}");
        }
    }
}
