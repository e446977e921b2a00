//! Who is calling: issuers, their keys, tokens, callers, and what a resource server must say.
//!
//! This crate knows the texts of OAuth, JWT and HTTP challenges. It never knows an MCP message,
//! opens no socket (a [`Fetch`] is handed in), reads no clock (unix seconds are handed in), and
//! never turns an error into a refusal: whoever answers the caller does that.

mod algorithm;
mod audience;
mod base64url;
mod bearer;
mod caller;
pub mod client;
pub mod development;
mod discovery;
mod error;
pub mod fetch;
mod issuers;
mod jws;
mod keyring;
mod keys;
mod members;
pub mod possession;
pub mod resource_metadata;
mod rules;
mod session;
mod signing;
pub mod token;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod fixture;

pub use algorithm::Algorithm;
pub use audience::{Audience, AudienceError};
pub use bearer::{BearerError, Scheme, bearer};
pub use caller::{Caller, Groups, Overage, UserKey};
pub use error::TokenError;
pub use fetch::{BoxFuture, Fetch, FetchError, Fetched, Outbound, Sent};
pub use issuers::Issuers;
pub use resource_metadata::{Challenge, ResourceMetadata};
pub use rules::{CLOCK_SKEW_MAX_S, ClaimNames, IssuerRules, RulesError};
pub use session::{EntropyError, session_id};
pub use signing::{SigningError, SigningKey};
