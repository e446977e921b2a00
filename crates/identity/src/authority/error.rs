//! What a client is told when it is refused (RFC 6749, sections 4.1.2.1 and 5.2), and the addresses
//! that answers go to. Texts of our own only: nothing that a client sent is repeated to it.

use url::Url;

/// The words of the standards for what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The person, or a rule, said no.
    AccessDenied,
    /// The client is not who it says, or is none.
    InvalidClient,
    /// The registration cannot be made of this (RFC 7591, section 3.2.2).
    InvalidClientMetadata,
    /// The proof of possession is not good (RFC 9449, section 5).
    InvalidDpopProof,
    /// The code or the refresh token is not good.
    InvalidGrant,
    /// No redirect URI that may be registered (RFC 7591, section 3.2.2).
    InvalidRedirectUri,
    /// The request is not one.
    InvalidRequest,
    /// A scope that is not offered.
    InvalidScope,
    /// A resource that is not here (RFC 8707, section 2).
    InvalidTarget,
    /// The person would have to be asked (OpenID Connect Core, section 3.1.2.6).
    InteractionRequired,
    /// Something of ours is broken.
    ServerError,
    /// Not now.
    TemporarilyUnavailable,
    /// The client may not do this.
    UnauthorizedClient,
    /// No grant that is known.
    UnsupportedGrantType,
    /// No response type that is known.
    UnsupportedResponseType,
    /// A proof with a nonce of ours is wanted (RFC 9449, section 8).
    UseDpopNonce,
}

/// Why a client is refused: a word of the standards, and a sentence of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {says}", code.name())]
pub struct AuthorityError {
    /// What is wrong, in a word.
    pub code: ErrorCode,
    /// The same in a sentence, of printable ASCII without quotes or backslashes.
    pub says: &'static str,
}

impl ErrorCode {
    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            ErrorCode::AccessDenied => "access_denied",
            ErrorCode::InvalidClient => "invalid_client",
            ErrorCode::InvalidClientMetadata => "invalid_client_metadata",
            ErrorCode::InvalidDpopProof => "invalid_dpop_proof",
            ErrorCode::InvalidGrant => "invalid_grant",
            ErrorCode::InvalidRedirectUri => "invalid_redirect_uri",
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::InvalidScope => "invalid_scope",
            ErrorCode::InvalidTarget => "invalid_target",
            ErrorCode::InteractionRequired => "interaction_required",
            ErrorCode::ServerError => "server_error",
            ErrorCode::TemporarilyUnavailable => "temporarily_unavailable",
            ErrorCode::UnauthorizedClient => "unauthorized_client",
            ErrorCode::UnsupportedGrantType => "unsupported_grant_type",
            ErrorCode::UnsupportedResponseType => "unsupported_response_type",
            ErrorCode::UseDpopNonce => "use_dpop_nonce",
        }
    }

    /// The HTTP status it goes with where it is not sent through a browser.
    pub const fn status(self) -> u16 {
        match self {
            ErrorCode::InvalidClient => 401,
            ErrorCode::AccessDenied => 403,
            ErrorCode::ServerError => 500,
            ErrorCode::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }

    /// This, said like that.
    pub const fn because(self, says: &'static str) -> AuthorityError {
        AuthorityError { code: self, says }
    }
}

impl AuthorityError {
    /// The document that answers a client (RFC 6749, section 5.2).
    pub fn to_json(&self) -> String {
        serde_json::json!({"error": self.code.name(), "error_description": self.says}).to_string()
    }
}

/// Where a browser takes an error: the redirect URI of a client that is known to be its own, with who
/// says so (RFC 9207). Nothing if the address cannot be read, which no registered one is.
pub fn error_url(
    redirect_uri: &str,
    issuer: &str,
    state: Option<&str>,
    error: &AuthorityError,
) -> Option<Url> {
    let fields = [
        ("error", error.code.name()),
        ("error_description", error.says),
    ];
    with(redirect_uri, issuer, state, &fields)
}

/// Where a browser takes a code.
pub fn answer_url(
    redirect_uri: &str,
    issuer: &str,
    state: Option<&str>,
    code: &str,
) -> Option<Url> {
    with(redirect_uri, issuer, state, &[("code", code)])
}

/// Adds to the query that is there (RFC 6749, section 3.1.2).
fn with(
    redirect_uri: &str,
    issuer: &str,
    state: Option<&str>,
    fields: &[(&str, &str)],
) -> Option<Url> {
    let mut url = Url::parse(redirect_uri).ok()?;
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(fields);
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer);
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3_an_answer_says_whose_it_is_and_keeps_what_was_there() {
        let check = |redirect: &str, state: Option<&str>, expected: &str| {
            let url = answer_url(redirect, "https://gw.example", state, "c&d");
            assert_eq!(url.unwrap().as_str(), expected);
        };
        let tail = "iss=https%3A%2F%2Fgw.example";
        let plain = format!("https://app.example/cb?code=c%26d&state=a%2Bb&{tail}");
        check("https://app.example/cb", Some("a+b"), &plain);
        let more = format!("https://app.example/cb?x=1&code=c%26d&{tail}");
        check("https://app.example/cb?x=1", None, &more);
        let denied = ErrorCode::AccessDenied.because("the person said no");
        let url = error_url(
            "http://127.0.0.1:5/cb",
            "https://gw.example",
            Some("s"),
            &denied,
        );
        let url = url.unwrap();
        let error = "error=access_denied&error_description=the+person+said+no&state=s";
        assert_eq!(
            url.as_str(),
            format!("http://127.0.0.1:5/cb?{error}&{tail}")
        );
    }
}
