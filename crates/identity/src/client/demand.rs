//! What a server asks for with a 401 or a 403: a token, another one, one with more scopes, or a
//! proof with its nonce, a stronger login (RFC 6750, section 3; RFC 9449, sections 7.1 and 9; RFC 9470,
//! section 3; RFC 9728, section 5.1).
//! A header that cannot be read strictly is as good as none.

use super::{AuthChallenge, Scopes, challenges};
use crate::Authentication;
use url::Url;

/// The longest URL of metadata that is followed, in bytes.
const URL_MAX: usize = 2 * 1024;

/// What a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    reason: Reason,
    metadata: Option<Url>,
    scopes: Option<Scopes>,
    authentication: Option<Authentication>,
    dpop: bool,
}

/// Why it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The person has to sign in again, more strongly (RFC 9470), or prove something to the
    /// identity provider (`insufficient_claims` of Entra ID).
    Authentication,
    /// The proof was not accepted, for another reason than its nonce.
    InvalidProof,
    /// The token has expired, was revoked, or is not accepted.
    InvalidToken,
    /// The token has not all the scopes that this operation needs.
    InsufficientScope,
    /// The proof needs the nonce that came with the answer.
    Nonce,
    /// No token came.
    NoToken,
    /// Something else is wrong, which no other token would change.
    Other,
}

impl Demand {
    /// What an answer with this status and these `WWW-Authenticate` headers asks for; nothing if
    /// it is neither a 401 nor a 403, or a 403 that is not about the token.
    pub fn of<S: AsRef<str>>(status: u16, headers: &[S]) -> Option<Self> {
        if status != 401 && status != 403 {
            return None;
        }
        let all = challenges(headers).unwrap_or_default();
        let ours = |challenge: &&AuthChallenge| challenge.is("Bearer") || challenge.is("DPoP");
        let ours: Vec<&AuthChallenge> = all.iter().filter(ours).collect();
        if status == 403 && ours.is_empty() {
            return None;
        }
        let parameter = |name| ours.iter().find_map(|challenge| challenge.parameter(name));
        let errors = ours
            .iter()
            .filter_map(|challenge| challenge.parameter("error"));
        // Where both schemes are offered each may say what is wrong in its own words; the one that
        // can be put right without a new token counts.
        let reason = errors.map(reason).min_by_key(|reason| rank(*reason));
        Some(Demand {
            reason: reason.unwrap_or(Reason::NoToken),
            metadata: parameter("resource_metadata").and_then(metadata_url),
            scopes: parameter("scope").and_then(Scopes::read),
            authentication: Authentication::read(
                parameter("acr_values"),
                parameter("max_age"),
                parameter("claims"),
            ),
            dpop: ours.iter().any(|challenge| challenge.is("DPoP")),
        })
    }

    /// Why it asks.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Where it says its metadata is. Untrusted: the document has to name the server.
    pub fn metadata(&self) -> Option<&Url> {
        self.metadata.as_ref()
    }

    /// The scopes that this operation needs, if it says.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    /// How the person has to have logged in, if it says.
    pub fn authentication(&self) -> Option<&Authentication> {
        self.authentication.as_ref()
    }

    /// Whether it takes tokens that are bound to a key.
    pub fn takes_dpop(&self) -> bool {
        self.dpop
    }
}

fn reason(error: &str) -> Reason {
    match error {
        "use_dpop_nonce" => Reason::Nonce,
        "invalid_dpop_proof" => Reason::InvalidProof,
        "insufficient_scope" => Reason::InsufficientScope,
        "insufficient_user_authentication" | "insufficient_claims" => Reason::Authentication,
        "invalid_token" => Reason::InvalidToken,
        _ => Reason::Other,
    }
}

const fn rank(reason: Reason) -> u8 {
    match reason {
        Reason::Nonce => 0,
        Reason::InvalidProof => 1,
        Reason::InsufficientScope => 2,
        Reason::Authentication => 3,
        Reason::InvalidToken => 4,
        Reason::Other => 5,
        Reason::NoToken => 6,
    }
}

fn metadata_url(text: &str) -> Option<Url> {
    if text.len() > URL_MAX {
        return None;
    }
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n2_1_tells_what_a_server_asks_for() {
        let check = |status: u16, headers: &[&str], expected: Option<(Reason, &str, bool)>| {
            let demand = Demand::of(status, headers);
            let found = demand.as_ref().map(|demand| {
                let scopes = demand.scopes().map(ToString::to_string);
                (
                    demand.reason(),
                    scopes.unwrap_or_default(),
                    demand.takes_dpop(),
                )
            });
            let expected = expected.map(|(reason, scopes, dpop)| (reason, scopes.to_owned(), dpop));
            assert_eq!(found, expected, "{status} {headers:?}");
        };
        check(200, &["Bearer"], None);
        check(400, &["Bearer error=invalid_token"], None);
        check(403, &[], None);
        check(403, &["Basic realm=x"], None);
        check(401, &[], Some((Reason::NoToken, "", false)));
        check(401, &["Basic realm=x"], Some((Reason::NoToken, "", false)));
        check(
            401,
            &["Bearer scope=\"a b\""],
            Some((Reason::NoToken, "a b", false)),
        );
        check(
            401,
            &["Bearer error=\"invalid_token\""],
            Some((Reason::InvalidToken, "", false)),
        );
        check(
            403,
            &["Bearer error=\"insufficient_scope\", scope=\"w\""],
            Some((Reason::InsufficientScope, "w", false)),
        );
        check(
            401,
            &["DPoP error=\"use_dpop_nonce\", algs=\"ES256\""],
            Some((Reason::Nonce, "", true)),
        );
        check(
            401,
            &["Bearer error=invalid_token, DPoP error=invalid_dpop_proof"],
            Some((Reason::InvalidProof, "", true)),
        );
        check(
            401,
            &["Bearer error=insufficient_user_authentication"],
            Some((Reason::Authentication, "", false)),
        );
        check(
            403,
            &["Bearer error=brewing"],
            Some((Reason::Other, "", false)),
        );
        // What cannot be read strictly says nothing.
        check(
            401,
            &["Bearer scope=a, scope=b, error=invalid_token"],
            Some((Reason::NoToken, "", false)),
        );
        check(
            401,
            &["Bearer scope=\"a\u{e9}\""],
            Some((Reason::NoToken, "", false)),
        );
    }

    #[test]
    fn n2_1_metadata_is_looked_for_only_at_web_addresses() {
        let check = |url: &str, expected: bool| {
            let header = format!("Bearer resource_metadata=\"{url}\"");
            let demand = Demand::of(401, &[header]).unwrap();
            assert_eq!(demand.metadata().is_some(), expected, "{url}");
        };
        check(
            "https://a.example/.well-known/oauth-protected-resource",
            true,
        );
        check("http://127.0.0.1:9/x", true);
        check("file:///etc/passwd", false);
        check("javascript:alert(1)", false);
        check("data:application/json,{}", false);
        check("/relative", false);
        check(&format!("https://a.example/{}", "x".repeat(URL_MAX)), false);
    }
}
