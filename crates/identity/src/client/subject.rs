//! Tokens of others that we may hand to an authorization server: a caller's, at the issuer that
//! issued it and nowhere else, and what an issuer gave us to bring to another one. Each says
//! itself where it may go, and no value of these types can be pointed elsewhere.

use super::{AuthorizationServer, ClientError, Resource, Tokens};
use crate::token::{TOKEN_MAX, Unverified};
use crate::{Caller, caller};
use serde_json::{Map, Value};
use std::fmt;
use zeroize::Zeroizing;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// A token that says who is acted for. It goes to its issuer only.
pub struct SubjectToken {
    token: Zeroizing<String>,
    issuer: Box<str>,
    kind: &'static str,
    speaks: Speaks,
}

/// Whom a token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// A person.
    Person,
    /// An application, and nobody else.
    Workload,
}

impl SubjectToken {
    /// The token of a caller. It is the very token that was verified for this caller, so it goes
    /// to the issuer that was found for it then.
    pub fn of(
        caller: &Caller,
        token: Zeroizing<String>,
        speaks: Speaks,
    ) -> Result<Self, ClientError> {
        let verified = caller::token_digest(&token) == *caller.token_digest();
        if caller.is_local() || !verified {
            return Err(ClientError::Subject);
        }
        Ok(SubjectToken {
            token,
            issuer: caller.token_issuer().into(),
            kind: ACCESS_TOKEN,
            speaks,
        })
    }

    /// The token about the person who signed in, from the issuer they signed in at.
    pub fn signed_in(tokens: &Tokens) -> Result<Self, ClientError> {
        let token = tokens.id_token.clone().ok_or(ClientError::Subject)?;
        Ok(SubjectToken {
            token,
            issuer: tokens.issuer.clone(),
            kind: ID_TOKEN,
            speaks: Speaks::Person,
        })
    }

    /// A token about a person that somebody else got for us. It goes to the issuer that it names
    /// itself; that issuer verifies it.
    pub fn assertion(token: Zeroizing<String>) -> Result<Self, ClientError> {
        let claims = claims(&token)?;
        let issuer = claims.get("iss").and_then(Value::as_str);
        let issuer = issuer.ok_or(ClientError::Subject)?.into();
        Ok(SubjectToken {
            token,
            issuer,
            kind: ID_TOKEN,
            speaks: Speaks::Person,
        })
    }

    /// The one issuer it goes to.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom it speaks for.
    pub fn speaks(&self) -> Speaks {
        self.speaks
    }

    /// Its type (RFC 8693, section 3).
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// The token, for the form that is sent to its issuer.
    pub(crate) fn at(
        &self,
        server: &AuthorizationServer,
    ) -> Result<&Zeroizing<String>, ClientError> {
        if !server.issues_for(&self.issuer) {
            return Err(ClientError::OtherIssuer(server.issuer().to_owned()));
        }
        Ok(&self.token)
    }
}

impl fmt::Debug for SubjectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectToken")
            .field("issuer", &self.issuer)
            .field("speaks", &self.speaks)
            .finish_non_exhaustive()
    }
}

/// An assertion of an identity provider about a person, made for one authorization server and one
/// resource (draft-ietf-oauth-identity-assertion-authz-grant, section 4). It goes there only.
pub struct IdJag {
    pub(crate) assertion: Zeroizing<String>,
    pub(crate) audience: Box<str>,
    pub(crate) resource: Box<str>,
    pub(crate) expires_at: Option<u64>,
}

impl IdJag {
    /// The one authorization server it goes to.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// When it is over, in unix seconds, if that was said.
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    /// The assertion, for the form that is sent to the server it is for.
    pub(crate) fn at(
        &self,
        server: &AuthorizationServer,
        resource: &Resource,
    ) -> Result<&Zeroizing<String>, ClientError> {
        if *self.audience != *server.issuer() {
            return Err(ClientError::OtherIssuer(server.issuer().to_owned()));
        }
        if *self.resource != *resource.as_str() {
            let other = super::resource::origin(resource.url());
            return Err(ClientError::OtherResource(other));
        }
        Ok(&self.assertion)
    }
}

impl fmt::Debug for IdJag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdJag")
            .field("audience", &self.audience)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

/// A token that says which workload we are, such as that of a Kubernetes service account or a
/// SPIFFE JWT. It goes only to an authorization server that it names as its audience.
pub struct WorkloadToken {
    token: Zeroizing<String>,
    audiences: Vec<String>,
}

impl WorkloadToken {
    /// The token in this text, such as the file that a platform keeps fresh.
    pub fn new(token: Zeroizing<String>) -> Result<Self, ClientError> {
        let claims = claims(&token)?;
        let audiences = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => {
                let all = all.iter().map(|one| one.as_str().map(str::to_owned));
                let all: Option<Vec<String>> = all.collect();
                all.ok_or(ClientError::Subject)?
            }
            _ => return Err(ClientError::Subject),
        };
        Ok(WorkloadToken { token, audiences })
    }

    /// The token, for the form that is sent to a server it is for: one it names by its issuer,
    /// with or without a slash at the end, or by its token endpoint.
    pub(crate) fn at(
        &self,
        server: &AuthorizationServer,
    ) -> Result<&Zeroizing<String>, ClientError> {
        let trimmed = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        let endpoint = server.token_endpoint()?.as_str();
        let issuer = trimmed(server.issuer());
        let names = |audience: &String| audience == endpoint || trimmed(audience) == issuer;
        match self.audiences.iter().any(names) {
            true => Ok(&self.token),
            false => Err(ClientError::OtherIssuer(server.issuer().to_owned())),
        }
    }
}

impl fmt::Debug for WorkloadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkloadToken")
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}

/// What a JWT claims, unverified: it only decides where the token may go.
fn claims(token: &str) -> Result<Map<String, Value>, ClientError> {
    if token.len() > TOKEN_MAX {
        return Err(ClientError::Subject);
    }
    let read = Unverified::parse(token).map_err(|_malformed| ClientError::Subject)?;
    Ok(read.claims)
}
