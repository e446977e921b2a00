//! Ringwall as an OAuth client of the servers behind it: where a server's tokens come from, as
//! which client they are asked for, by which grant, and what of the answers is believed.
//!
//! Everything a server or an authorization server says is untrusted input. Nothing here opens a
//! socket, reads a clock, draws randomness or keeps anything: [`Outside`] is handed in, and what
//! is to be kept is given back. No token and no secret is in any `Debug` or error, and none is
//! sent to any authorization server but the one it belongs to: the types carry the issuer.
//!
//! The order of things: [`Demand`] (what a 401 or 403 asks for), [`find_resource`] and
//! [`find_server`] (who issues tokens for it), [`identify`] (as which client), then a grant of a
//! [`TokenEndpoint`], or [`Flow::begin`] and [`Flow::answer`] where a person has to agree.

mod answer;
mod assertion;
mod challenge;
mod demand;
mod discovery;
mod document;
mod endpoint;
mod error;
mod flow;
mod grant;
mod identity;
mod metadata;
mod oauth_error;
mod proofs;
mod registration;
mod resource;
mod scopes;
mod subject;
mod tokens;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod fixture;

pub use assertion::{AssertionAudience, ClientKey, ClientKeyError};
pub use challenge::{AuthChallenge, ChallengeError, challenges};
pub use demand::{Demand, Reason};
pub use discovery::{Protected, find_legacy_server, find_resource, find_server};
pub use document::{ClientDocument, DocumentError};
pub use endpoint::{TokenEndpoint, Want};
pub use error::ClientError;
pub use flow::{Ask, Begun, Code, Flow, Purpose, state_of};
pub use grant::Target;
pub(crate) use identity::{ASSERTION_TYPE, basic};
pub use identity::{Credentials, Identity, SecretMethod};
pub use metadata::AuthorizationServer;
pub use oauth_error::OAuthError;
pub use proofs::{At, Proof, Proofs};
pub use registration::{Offers, identify};
pub use resource::Resource;
pub use scopes::{Attempts, Offline, Scopes, first_scopes, stepped_up};
pub use subject::{IdJag, Speaks, SubjectToken, WorkloadToken};
pub use tokens::{TokenKind, Tokens};

use crate::{EntropyError, Fetch};
use std::fmt;

/// What a client needs of the world around it, for one conversation.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// The one way out. It judges every address and follows no redirect.
    pub fetch: &'a dyn Fetch,
    /// Where unguessable values come from.
    pub entropy: &'a dyn Entropy,
    /// Now, in unix seconds.
    pub now: u64,
}

/// A source of bits nobody can guess.
pub trait Entropy: Send + Sync {
    /// 256 of them.
    fn bits(&self) -> Result<[u8; 32], EntropyError>;
}

/// The bits of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> Result<[u8; 32], EntropyError> {
        crate::session::bits()
    }
}

impl fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
