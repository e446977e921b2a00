//! What an authorization server says about itself (RFC 8414, section 2; OpenID Connect Discovery).
//! A document is used only if it names exactly the issuer that was asked, and if each of its
//! endpoints may be talked to.

use super::{ClientError, Scopes};
use crate::discovery::METADATA_MAX;
use crate::members;
use crate::rules::may_hold_keys;
use serde_json::{Map, Value};
use url::Url;

/// The longest URL of an endpoint, in bytes.
const URL_MAX: usize = 2 * 1024;
/// The most names of one list of the document.
const NAMES_MAX: usize = 1024;

/// An authorization server whose metadata was found and read, or that needs none.
#[derive(Clone, Debug)]
pub struct AuthorizationServer {
    issuer: Box<str>,
    speaks_for: Option<Box<str>>,
    authorization: Option<Url>,
    token: Option<Url>,
    registration: Option<Url>,
    pushed: Option<Url>,
    revocation: Option<Url>,
    keys: Option<Url>,
    challenges: Pkce,
    says_issuer: bool,
    takes_documents: bool,
    must_push: bool,
    scopes: Option<Scopes>,
    authentication: Option<Vec<String>>,
    assertion_algorithms: Option<Vec<String>>,
    proof_algorithms: Option<Vec<String>>,
}

/// What a server says about PKCE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pkce {
    /// It lists S256.
    Offered,
    /// It lists methods, and S256 is none of them.
    Refused,
    /// It has no metadata to say it in (MCP 2025-03-26 only, which makes PKCE a duty).
    Required,
    /// It says nothing.
    Unsaid,
}

impl AuthorizationServer {
    /// Reads the metadata of this issuer.
    pub(crate) fn read(issuer: &str, body: &[u8]) -> Result<Self, ClientError> {
        let url = issuer_url(issuer)?;
        let unusable = || ClientError::Metadata(issuer.to_owned());
        if body.len() > METADATA_MAX {
            return Err(unusable());
        }
        let document = members::object(body).ok_or_else(unusable)?;
        if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(unusable());
        }
        let endpoint = |name| endpoint(&document, name, &url);
        let names = |name| names(&document, name).ok_or_else(unusable);
        let flag = |name| flag(&document, name).ok_or_else(unusable);
        let methods = names("code_challenge_methods_supported")?;
        let scopes = names("scopes_supported")?;
        Ok(AuthorizationServer {
            issuer: issuer.into(),
            speaks_for: None,
            authorization: endpoint("authorization_endpoint")?,
            token: endpoint("token_endpoint")?,
            registration: endpoint("registration_endpoint")?,
            pushed: endpoint("pushed_authorization_request_endpoint")?,
            revocation: endpoint("revocation_endpoint")?,
            keys: endpoint("jwks_uri")?,
            challenges: match &methods {
                Some(methods) if methods.iter().any(|method| method == "S256") => Pkce::Offered,
                Some(_) => Pkce::Refused,
                None => Pkce::Unsaid,
            },
            says_issuer: flag("authorization_response_iss_parameter_supported")?,
            takes_documents: flag("client_id_metadata_document_supported")?,
            must_push: flag("require_pushed_authorization_requests")?,
            // A list too long to keep is as good as none: it only says what may be asked for.
            scopes: scopes.and_then(Scopes::of),
            authentication: names("token_endpoint_auth_methods_supported")?,
            assertion_algorithms: names("token_endpoint_auth_signing_alg_values_supported")?,
            proof_algorithms: names("dpop_signing_alg_values_supported")?,
        })
    }

    /// A server of which the operator names the token endpoint, and which is asked for nothing else.
    pub(crate) fn at_token_endpoint(token: &Url) -> Self {
        AuthorizationServer {
            token: Some(token.clone()),
            ..AuthorizationServer::unsaid(token.as_str())
        }
    }

    /// A server without metadata, at the endpoints that MCP 2025-03-26 gives it: `/authorize`,
    /// `/token` and `/register` of this host.
    pub(crate) fn assumed(base: &Url) -> Result<Self, ClientError> {
        let issuer = base.origin().ascii_serialization();
        let root = issuer_url(&issuer)?;
        let at = |path: &str| {
            let mut url = root.clone();
            url.set_path(path);
            Some(url)
        };
        Ok(AuthorizationServer {
            authorization: at("/authorize"),
            token: at("/token"),
            registration: at("/register"),
            challenges: Pkce::Required,
            ..AuthorizationServer::unsaid(&issuer)
        })
    }

    /// A server that says nothing.
    fn unsaid(issuer: &str) -> Self {
        AuthorizationServer {
            issuer: issuer.into(),
            speaks_for: None,
            authorization: None,
            token: None,
            registration: None,
            pushed: None,
            revocation: None,
            keys: None,
            challenges: Pkce::Unsaid,
            says_issuer: false,
            takes_documents: false,
            must_push: false,
            scopes: None,
            authentication: None,
            assertion_algorithms: None,
            proof_algorithms: None,
        }
    }

    /// The same server, of which the operator says that it issues the tokens of this issuer too:
    /// Entra ID signs tokens of its older form under another name. A caller's token is sent to the
    /// issuer it names, and to the one server that was declared so.
    #[must_use]
    pub fn speaking_for(mut self, issuer: &str) -> Self {
        self.speaks_for = Some(issuer.into());
        self
    }

    /// Its identifier, byte for byte as its metadata says.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether tokens of this issuer are its own.
    pub fn issues_for(&self, issuer: &str) -> bool {
        *self.issuer == *issuer || self.speaks_for.as_deref() == Some(issuer)
    }

    /// The scopes it lists.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    /// Where its keys are, for the tokens about people that it signs.
    pub fn keys(&self) -> Option<&Url> {
        self.keys.as_ref()
    }

    /// Whether a client can register itself there.
    pub fn registers(&self) -> bool {
        self.registration.is_some()
    }

    /// Whether it reads clients' metadata documents.
    pub fn takes_documents(&self) -> bool {
        self.takes_documents
    }

    /// Whether it says that it issues tokens bound to a key of ours.
    pub fn offers_dpop(&self) -> bool {
        self.proof_algorithms.is_some() && self.takes_proofs()
    }

    pub(crate) fn authorization_endpoint(&self) -> Result<&Url, ClientError> {
        let endpoint = self.authorization.as_ref();
        endpoint.ok_or_else(|| ClientError::Metadata(self.issuer.to_string()))
    }

    pub(crate) fn token_endpoint(&self) -> Result<&Url, ClientError> {
        let endpoint = self.token.as_ref();
        endpoint.ok_or_else(|| ClientError::Metadata(self.issuer.to_string()))
    }

    pub(crate) fn registration_endpoint(&self) -> Option<&Url> {
        self.registration.as_ref()
    }

    pub(crate) fn pushed_endpoint(&self) -> Option<&Url> {
        self.pushed.as_ref()
    }

    pub(crate) fn revocation_endpoint(&self) -> Option<&Url> {
        self.revocation.as_ref()
    }

    pub(crate) fn must_push(&self) -> bool {
        self.must_push
    }

    /// Whether it names itself in its answers (RFC 9207).
    pub fn says_issuer(&self) -> bool {
        self.says_issuer
    }

    pub(crate) fn pkce(&self) -> Pkce {
        self.challenges
    }

    /// Whether it lists this way of client authentication; nothing if it lists none.
    pub(crate) fn lists(&self, method: &str) -> Option<bool> {
        let listed = self.authentication.as_ref()?;
        Some(listed.iter().any(|listed| listed == method))
    }

    pub(crate) fn takes_assertions_of(&self, algorithm: &str) -> bool {
        names_or_any(self.assertion_algorithms.as_deref(), algorithm)
    }

    pub(crate) fn takes_proofs(&self) -> bool {
        names_or_any(self.proof_algorithms.as_deref(), "ES256")
    }
}

/// The issuer as a URL, if it may be one (RFC 8414, section 2): https, or http on this machine.
pub(crate) fn issuer_url(issuer: &str) -> Result<Url, ClientError> {
    let refused = || ClientError::Endpoint("issuer");
    if issuer.len() > URL_MAX || issuer.trim() != issuer {
        return Err(refused());
    }
    let url = Url::parse(issuer).map_err(|_not_url| refused())?;
    if !may_hold_keys(&url, &url) || url.query().is_some() {
        return Err(refused());
    }
    Ok(url)
}

fn endpoint(
    document: &Map<String, Value>,
    name: &'static str,
    issuer: &Url,
) -> Result<Option<Url>, ClientError> {
    let Some(value) = document.get(name) else {
        return Ok(None);
    };
    let refused = || ClientError::Endpoint(name);
    let text = value.as_str().filter(|text| text.len() <= URL_MAX);
    let url = Url::parse(text.ok_or_else(refused)?).map_err(|_not_url| refused())?;
    if !may_hold_keys(&url, issuer) {
        return Err(refused());
    }
    Ok(Some(url))
}

/// A list of names: `Some(None)` if it is not there, nothing if it is no list of names, or too
/// long.
pub(super) fn names(document: &Map<String, Value>, name: &str) -> Option<Option<Vec<String>>> {
    let Some(value) = document.get(name) else {
        return Some(None);
    };
    let items = value.as_array().filter(|items| items.len() <= NAMES_MAX)?;
    let names = items.iter().map(|item| item.as_str().map(str::to_owned));
    Some(Some(names.collect::<Option<Vec<String>>>()?))
}

/// A flag, which is off if it is not there; nothing if it is no flag.
pub(super) fn flag(document: &Map<String, Value>, name: &str) -> Option<bool> {
    match document.get(name) {
        None => Some(false),
        Some(value) => value.as_bool(),
    }
}

fn names_or_any(listed: Option<&[String]>, name: &str) -> bool {
    listed.is_none_or(|listed| listed.iter().any(|listed| listed == name))
}

#[cfg(test)]
mod tests;
