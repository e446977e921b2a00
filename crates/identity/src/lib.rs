//! Who is calling: issuers, their keys, tokens, callers, and what a resource server must say.
//!
//! This crate knows the texts of OAuth, JWT and HTTP challenges. It never knows an MCP message,
//! opens no socket (a [`Fetch`] is handed in), reads no clock (unix seconds are handed in), and
//! never turns an error into a refusal: whoever answers the caller does that.

mod actor;
mod algorithm;
mod audience;
mod authentication;
pub mod authority;
mod base64url;
mod bearer;
mod caller;
mod checks;
pub mod client;
mod credential;
pub mod development;
mod directory;
mod discovery;
mod error;
pub mod fetch;
mod introspection;
mod issuers;
mod jws;
mod keyring;
mod keys;
mod latest;
mod members;
pub mod possession;
mod profile;
pub mod resource_metadata;
mod rules;
mod service_token;
mod session;
mod signed_in;
mod signing;
mod statement;
pub mod token;
pub mod webauthn;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod fixture;

pub use actor::Actor;
pub use algorithm::Algorithm;
pub use audience::{Audience, AudienceError};
pub use authentication::Authentication;
pub use bearer::{BearerError, Scheme, bearer};
pub use caller::{Caller, ClientAuthentication, Groups, Kind, Overage, UserKey};
pub use checks::IssueTime;
pub use credential::ClientCredential;
pub use directory::DirectoryRules;
pub use error::TokenError;
pub use fetch::{BoxFuture, Fetch, FetchError, Fetched, Outbound, Sent};
pub use introspection::IntrospectionRules;
pub use issuers::{Issuers, SignIn, Trusted};
pub use keyring::{KeptKeys, KeyStore};
pub use profile::Profile;
pub use resource_metadata::{Challenge, ResourceMetadata};
pub use rules::{CLOCK_SKEW_MAX_S, ClaimNames, IssuerRules, RulesError, Tenant};
pub use service_token::{ServiceToken, ServiceTokenRules};
pub use session::{EntropyError, bits, session_id};
pub use signed_in::{SignedIn, Strength, Weakness};
pub use signing::{SigningError, SigningKey};
pub use statement::{Speaker, Statement, StatementError, StatementKind};
