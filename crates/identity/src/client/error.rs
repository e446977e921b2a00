//! Why Ringwall as a client did not get what it asked for. No variant carries a token, a code or a
//! secret; text of other parties is bounded and cleaned before it gets here.

use super::OAuthError;
use crate::{EntropyError, FetchError, SigningError};
use controls::{Control, Fault};

/// Why there is no token, no registration, or no authorization.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// An answer that is not as its RFC says.
    #[error("the authorization server's answer is not as it must be: {0}")]
    Answer(&'static str),
    /// On-behalf-of is for people: a token that no person stands behind is not exchanged.
    #[error("the caller is an application, and only a person can be acted for")]
    AppOnly,
    /// None of the ways we can authenticate is one that the authorization server lists.
    #[error("the authorization server lists no way of client authentication that is set up here")]
    Authentication,
    /// The server asks for more than the operator lets it have.
    #[error("the server asks for scopes beyond those that are set")]
    Beyond,
    /// The answer to an authorization request is not one that was waited for.
    #[error("the authorization answer is not accepted: {0}")]
    Callback(&'static str),
    /// The authorization server said no.
    #[error("the authorization server refused: {0}")]
    Denied(Box<OAuthError>),
    /// It signs no proofs that we can make.
    #[error("the authorization server accepts no DPoP proof signed with ES256")]
    DpopAlgorithm,
    /// An endpoint that may not be talked to.
    #[error("`{0}` is not at an https URL (http on loopback, for an issuer there)")]
    Endpoint(&'static str),
    /// The system gave no random bits.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Mix-up: the answer is of another issuer than the one that was asked, or of none although
    /// this one always says (RFC 9207). What else it says is not looked at.
    #[error("the authorization answer does not name the issuer that was asked")]
    Issuer,
    /// The server names other authorization servers than the one it is bound to.
    #[error("the server no longer names its authorization server `{expected}`")]
    IssuerChanged {
        /// The issuer that is expected.
        expected: String,
    },
    /// The grant of a person is used up, withdrawn or expired: they have to agree again.
    #[error("the connection is lost: its refresh token is no longer accepted")]
    Lost,
    /// No metadata names this issuer and is as it must be.
    #[error("no metadata that could be used was found for `{0}`")]
    Metadata(String),
    /// The tokens were given to another client of the same server than we are there now.
    #[error("the tokens of `{0}` were given to another client, which the gateway no longer is")]
    OtherClient(String),
    /// Whatever was to be sent belongs to another authorization server.
    #[error("a credential of another authorization server is never sent to `{0}`")]
    OtherIssuer(String),
    /// A token that belongs to another server.
    #[error("a token that was issued for another resource is never sent to `{0}`")]
    OtherResource(String),
    /// The authorization server does not say that it checks S256 challenges.
    #[error("the authorization server does not offer PKCE with S256")]
    Pkce,
    /// No client id, and no way to get one.
    #[error(
        "no client is registered at `{0}`, and it takes neither metadata documents nor registrations"
    )]
    Registration(String),
    /// The metadata that was found is that of another resource.
    #[error("the metadata is not that of `{0}`")]
    Resource(String),
    /// More, or longer, scopes than are kept.
    #[error("more scopes are asked for than are kept")]
    Scopes,
    /// No proof or assertion could be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// A status that says nothing.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The server asks for scopes again that were granted, or too often for more.
    #[error("the server keeps asking for more scopes")]
    StepUp,
    /// Not a token that could be exchanged.
    #[error("there is no token that could be exchanged")]
    Subject,
    /// A token of another kind than was asked for.
    #[error("the token is not of the kind that was asked for")]
    TokenType,
    /// No metadata as a resource was found, anywhere.
    #[error("`{0}` publishes no metadata that says who issues its tokens")]
    Undescribed(String),
    /// It takes our document and does not name itself in its answers: there they could not be told
    /// from those of others.
    #[error("`{0}` does not name itself in its answers, and every other server answers there too")]
    Unnamed(String),
}

impl ClientError {
    /// A name that never changes.
    pub fn code(&self) -> &'static str {
        match self {
            ClientError::Answer(_) => "oauth_answer",
            ClientError::AppOnly => "oauth_app_only",
            ClientError::Authentication => "oauth_authentication",
            ClientError::Beyond => "oauth_beyond",
            ClientError::Callback(_) => "oauth_callback",
            ClientError::Denied(error) if error.authentication().is_some() => {
                "oauth_claims_challenge"
            }
            ClientError::Denied(_) => "oauth_denied",
            ClientError::DpopAlgorithm => "oauth_dpop_algorithm",
            ClientError::Endpoint(_) => "oauth_endpoint",
            ClientError::Entropy(_) => "oauth_entropy",
            ClientError::Fetch(FetchError::NotAllowed(_)) => "oauth_not_allowed",
            ClientError::Fetch(_) => "oauth_unreachable",
            ClientError::Issuer => "oauth_mix_up",
            ClientError::IssuerChanged { .. } => "oauth_issuer_changed",
            ClientError::Lost => "oauth_connection_lost",
            ClientError::Metadata(_) => "oauth_metadata",
            ClientError::OtherClient(_) => "oauth_other_client",
            ClientError::OtherIssuer(_) => "oauth_other_issuer",
            ClientError::OtherResource(_) => "oauth_other_resource",
            ClientError::Pkce => "oauth_pkce",
            ClientError::Registration(_) => "oauth_registration",
            ClientError::Resource(_) => "oauth_resource",
            ClientError::Scopes => "oauth_scopes",
            ClientError::Signing(_) => "oauth_signing",
            ClientError::Status(_) => "oauth_status",
            ClientError::StepUp => "oauth_step_up",
            ClientError::Subject => "oauth_subject",
            ClientError::TokenType => "oauth_token_type",
            ClientError::Undescribed(_) => "oauth_undescribed",
            ClientError::Unnamed(_) => "oauth_unnamed",
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            ClientError::AppOnly
            | ClientError::Callback(_)
            | ClientError::Lost
            | ClientError::Subject => Fault::Caller,
            ClientError::Denied(error) => error.fault(),
            ClientError::Authentication
            | ClientError::Beyond
            | ClientError::Fetch(FetchError::NotAllowed(_))
            | ClientError::IssuerChanged { .. }
            | ClientError::OtherClient(_)
            | ClientError::OtherIssuer(_)
            | ClientError::Registration(_)
            | ClientError::Unnamed(_) => Fault::Operator,
            ClientError::Entropy(_) | ClientError::OtherResource(_) | ClientError::Signing(_) => {
                Fault::Us
            }
            _ => Fault::Upstream,
        }
    }

    /// The control that this error shows at work.
    pub const fn control(&self) -> Control {
        match self {
            ClientError::DpopAlgorithm | ClientError::TokenType => controls::N7_4,
            ClientError::Lost | ClientError::OtherClient(_) => controls::N2_3,
            ClientError::OtherIssuer(_)
            | ClientError::OtherResource(_)
            | ClientError::AppOnly
            | ClientError::Subject => controls::N7_1,
            ClientError::Resource(_) => controls::N7_2,
            _ => controls::N2_1,
        }
    }

    /// What the operator, or the caller, can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            ClientError::AppOnly => "use client credentials for callers that are applications",
            ClientError::Authentication => {
                "set up a secret or a key for the client, as the authorization server lists it"
            }
            ClientError::Beyond => "add the scope to `oauth.scopes`, if the server is to have it",
            ClientError::Callback(_) | ClientError::Issuer => "start the connection again",
            ClientError::Denied(_) => "see what the authorization server says",
            ClientError::Fetch(FetchError::NotAllowed(_)) => {
                "allow the network of the authorization server, if it is meant"
            }
            ClientError::IssuerChanged { .. } => {
                "find out why the server names another authorization server; then name that one"
            }
            ClientError::Lost | ClientError::OtherClient(_) => "connect again",
            ClientError::OtherIssuer(_) => "set up credentials for this authorization server",
            ClientError::Registration(_) | ClientError::Unnamed(_) => {
                "register a client there by hand and put its id into the configuration"
            }
            ClientError::Undescribed(_) => {
                "set `era: legacy` if it is a server of 2025-03-26, which is its own authorization server"
            }
            ClientError::StepUp | ClientError::Scopes => {
                "ask the administrator of the server which scopes the call needs"
            }
            ClientError::Subject => "call again with a fresh token",
            _ => "ask the administrator of the server",
        }
    }
}
