//! Why a token was not accepted. No variant carries the token or anything of it but the names of
//! its parts, so an error may be shown and written down.

use controls::Control;

/// Why a token was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The actors in it (RFC 8693) are more than may be, or not named as they must be.
    #[error("the token names actors in a way, or in a number, that is not accepted")]
    Actor,
    /// Signed with an algorithm that is not accepted, from this issuer or at all.
    #[error("the token is signed with an algorithm that is not accepted")]
    Algorithm,
    /// Issued for something else than this resource.
    #[error("the token was issued for another audience")]
    Audience,
    /// A claim is missing or of the wrong kind.
    #[error("claim `{0}` of the token is missing or not as it must be")]
    Claim(&'static str),
    /// Bound to something (RFC 7800) in a way that is not known here, so nobody can prove to hold it.
    #[error("the token is bound to a key in a way that is not accepted here")]
    Confirmation,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// A header member that would let the token choose how it is verified.
    #[error("header member `{0}` of the token is not accepted")]
    Header(&'static str),
    /// Its issuer says that it is not good (RFC 7662), and not why.
    #[error("the issuer of the token says that it is not active")]
    Inactive,
    /// `iat` is in the future.
    #[error("the token says it was issued in the future")]
    IssuedInFuture,
    /// The issuer is not one that is accepted here.
    #[error("the token is of an issuer that is not accepted here")]
    Issuer,
    /// The issuer, or its keys, cannot be had now; the token may be perfectly good.
    #[error("the issuer of the token cannot be asked at the moment")]
    IssuerUnavailable,
    /// The issuer has no such key, or not for this algorithm.
    #[error("the token is signed with a key its issuer does not publish")]
    Key,
    /// Valid for longer than tokens of this issuer may be.
    #[error("the token is valid for longer than tokens of its issuer may be")]
    Lifetime,
    /// Not a compact JWS of a strict JSON object.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// Made for another purpose: an ID token, a refresh token, a logout token.
    #[error("the token is not an access token: it carries `{0}`")]
    NotAccess(&'static str),
    /// `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A good token that does not carry every scope that is needed.
    #[error("the token lacks scope `{missing}`")]
    Scope {
        /// The first scope that is needed and not there.
        missing: String,
    },
    /// The signature is not that of the key.
    #[error("the signature of the token is wrong")]
    Signature,
    /// Larger than a token may be.
    #[error("the token is larger than {} bytes", crate::token::TOKEN_MAX)]
    Size,
    /// Of another tenant than its issuer is of.
    #[error("the token is of another tenant than its issuer")]
    Tenant,
    /// `typ` is missing or not one that is accepted from this issuer.
    #[error("the type of the token is not accepted from its issuer")]
    Type,
}

impl TokenError {
    /// A name that never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            TokenError::Actor => "token_actor",
            TokenError::Algorithm => "token_algorithm",
            TokenError::Audience => "token_audience",
            TokenError::Claim(_) => "token_claim",
            TokenError::Confirmation => "token_confirmation",
            TokenError::Expired => "token_expired",
            TokenError::Header(_) => "token_header",
            TokenError::Inactive => "token_inactive",
            TokenError::IssuedInFuture => "token_issued_in_future",
            TokenError::Issuer => "token_issuer",
            TokenError::IssuerUnavailable => "token_issuer_unavailable",
            TokenError::Key => "token_key",
            TokenError::Lifetime => "token_lifetime",
            TokenError::Malformed(_) => "token_malformed",
            TokenError::NotAccess(_) => "token_not_access",
            TokenError::NotYetValid => "token_not_yet_valid",
            TokenError::Scope { .. } => "token_scope",
            TokenError::Signature => "token_signature",
            TokenError::Size => "token_size",
            TokenError::Tenant => "token_tenant",
            TokenError::Type => "token_type",
        }
    }

    /// The control that this error shows at work.
    pub const fn control(&self) -> Control {
        match self {
            TokenError::Actor => controls::N7_1,
            TokenError::Audience => controls::N7_2,
            TokenError::Confirmation => controls::N7_4,
            TokenError::IssuerUnavailable => controls::N2_1,
            TokenError::Expired | TokenError::Inactive | TokenError::Lifetime => controls::N2_3,
            _ => controls::M1,
        }
    }

    /// The HTTP status of the answer.
    pub const fn http_status(&self) -> u16 {
        match self {
            TokenError::IssuerUnavailable => 503,
            TokenError::Scope { .. } => 403,
            _ => 401,
        }
    }

    /// The `error` of the challenge (RFC 6750); none where the token is not to blame.
    pub const fn challenge_error(&self) -> Option<&'static str> {
        match self {
            TokenError::IssuerUnavailable => None,
            TokenError::Scope { .. } => Some("insufficient_scope"),
            _ => Some("invalid_token"),
        }
    }
}
