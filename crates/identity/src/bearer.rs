//! Takes the token out of a request: from one `Authorization` header, as a bearer token (RFC 6750) or
//! as one that comes with a proof (RFC 9449, section 7.1), and from nowhere else.

use crate::token::TOKEN_MAX;

/// Why a request has no bearer token that could be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// A token in the query string, where logs and histories keep it.
    #[error("a token may not be in the query string")]
    InQuery,
    /// What follows the scheme is not a token.
    #[error("the `Authorization` header does not hold a token")]
    Malformed,
    /// No `Authorization` header.
    #[error("there is no `Authorization` header")]
    Missing,
    /// More than one `Authorization` header.
    #[error("there is more than one `Authorization` header")]
    Repeated,
    /// Another authentication scheme.
    #[error("the `Authorization` header is of another scheme than `Bearer` and `DPoP`")]
    Scheme,
    /// Larger than a token may be.
    #[error("the token is larger than {TOKEN_MAX} bytes")]
    Size,
}

impl BearerError {
    /// A name that never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            BearerError::InQuery => "bearer_in_query",
            BearerError::Malformed => "bearer_malformed",
            BearerError::Missing => "bearer_missing",
            BearerError::Repeated => "bearer_repeated",
            BearerError::Scheme => "bearer_scheme",
            BearerError::Size => "bearer_size",
        }
    }

    /// The HTTP status of the answer.
    pub const fn http_status(&self) -> u16 {
        match self {
            BearerError::Missing | BearerError::Scheme => 401,
            _ => 400,
        }
    }

    /// The `error` of the challenge; none where nothing was tried yet, as RFC 6750 asks.
    pub const fn challenge_error(&self) -> Option<&'static str> {
        match self {
            BearerError::Missing | BearerError::Scheme => None,
            _ => Some("invalid_request"),
        }
    }
}

/// How a token was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// By somebody who has it.
    Bearer,
    /// By somebody who says to hold the key it is bound to.
    Dpop,
}

/// How the token of a request was brought and what it is, from the values of its `Authorization`
/// headers and its raw query.
pub fn bearer<'a>(
    authorization: impl IntoIterator<Item = &'a [u8]>,
    query: Option<&str>,
) -> Result<(Scheme, &'a str), BearerError> {
    if query.is_some_and(names_a_token) {
        return Err(BearerError::InQuery);
    }
    let mut values = authorization.into_iter();
    let value = values.next().ok_or(BearerError::Missing)?;
    if values.next().is_some() {
        return Err(BearerError::Repeated);
    }
    let value = std::str::from_utf8(value).map_err(|_not_text| BearerError::Malformed)?;
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let scheme = match scheme {
        it if it.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        it if it.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return Err(BearerError::Scheme),
    };
    let token = rest.trim_start_matches(' ');
    if token.len() > TOKEN_MAX {
        return Err(BearerError::Size);
    }
    if !is_b64token(token) {
        return Err(BearerError::Malformed);
    }
    Ok((scheme, token))
}

fn names_a_token(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes())
        .any(|(name, _)| name.eq_ignore_ascii_case("access_token"))
}

/// `b64token` of RFC 6750.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    // All of it is looked at, so that many bytes are at once; tokens are long, and nearly all are good.
    !body.is_empty() && body.bytes().fold(true, |all, byte| all & allowed(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[&[u8]], query: Option<&str>, expected: Result<&str, BearerError>) {
        let found = bearer(headers.iter().copied(), query).map(|(_, token)| token);
        assert_eq!(found, expected, "{headers:?} {query:?}");
    }

    #[test]
    fn m1_takes_the_token_from_exactly_one_header() {
        check(&[b"Bearer a.b-c_d~e+f/g=="], None, Ok("a.b-c_d~e+f/g=="));
        check(&[b"bEARER abc"], None, Ok("abc"));
        check(&[b"Bearer   abc"], None, Ok("abc"));
        check(&[], None, Err(BearerError::Missing));
        check(
            &[b"Bearer a", b"Bearer a"],
            None,
            Err(BearerError::Repeated),
        );
        check(
            &[b"Basic YTpi", b"Bearer a"],
            None,
            Err(BearerError::Repeated),
        );
        for other in [
            &b"Basic YTpi"[..],
            b"DPoPabc",
            b"DPoP-Bearer abc",
            b"Bearerabc",
            b"",
            b" Bearer a",
            b"abc",
        ] {
            check(&[other], None, Err(BearerError::Scheme));
        }
        for malformed in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer =",
            b"Bearer a b",
            b"Bearer a,b",
            b"Bearer \"a\"",
            b"Bearer a=b",
            b"Bearer a ",
            b"Bearer \ta",
            b"Bearer a\n",
            b"Bearer a\0",
            b"Bearer a, Bearer b",
            b"DPoP",
            b"DPoP a b",
            b"DPoP Bearer abc",
            b"Bearer \xc3\xa9",
            b"Bearer \xff",
            b"Bearer token=a;x",
        ] {
            check(&[malformed], None, Err(BearerError::Malformed));
        }
    }

    #[test]
    fn n7_4_tells_a_token_with_a_proof_from_one_without() {
        let check = |header: &[u8], expected: Result<(Scheme, &str), BearerError>| {
            assert_eq!(bearer([header], None), expected, "{header:?}");
        };
        check(b"Bearer abc", Ok((Scheme::Bearer, "abc")));
        check(b"DPoP abc", Ok((Scheme::Dpop, "abc")));
        check(b"dpop  abc", Ok((Scheme::Dpop, "abc")));
        let twice: [&[u8]; 2] = [b"DPoP abc", b"Bearer abc"];
        assert_eq!(bearer(twice, None), Err(BearerError::Repeated));
    }

    #[test]
    fn m1_never_takes_a_token_from_the_query() {
        let header: &[&[u8]] = &[b"Bearer abc"];
        check(header, Some("a=b&x=access_token"), Ok("abc"));
        for query in [
            "access_token=abc",
            "a=b&access_token=abc",
            "access_token",
            "access%5ftoken=abc",
            "%61ccess_token=abc",
            "Access_Token=abc",
        ] {
            check(header, Some(query), Err(BearerError::InQuery));
            check(&[], Some(query), Err(BearerError::InQuery));
        }
    }

    #[test]
    fn refuses_a_token_over_the_size_limit() {
        let header = |size: usize| format!("Bearer {}", "a".repeat(size)).into_bytes();
        let largest = header(TOKEN_MAX);
        assert!(bearer([largest.as_slice()], None).is_ok());
        let over = header(TOKEN_MAX + 1);
        assert_eq!(bearer([over.as_slice()], None), Err(BearerError::Size));
    }
}
