//! As which client Ringwall speaks to one authorization server. An identity carries the issuer it
//! belongs to, and is of no use at another one.

use super::{AuthorizationServer, ClientDocument, ClientError, ClientKey, Outside};
use crate::Outbound;
use crate::members;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// `client_assertion_type` of RFC 7523, section 2.2.
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One client of one authorization server.
#[derive(Clone)]
pub struct Identity {
    issuer: Box<str>,
    client_id: Option<Box<str>>,
    credentials: Credentials,
    redirect_uris: Vec<String>,
    expires_at: Option<u64>,
    registered: bool,
}

/// How a client authenticates.
#[derive(Clone)]
pub enum Credentials {
    /// With a key of its own (`private_key_jwt`).
    Key(Arc<ClientKey>),
    /// Not at all: a public client.
    None,
    /// With a secret.
    Secret(Arc<Zeroizing<String>>, SecretMethod),
}

/// Where a secret is put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretMethod {
    /// Where the authorization server lists it: the header if it can be there.
    #[default]
    AsListed,
    /// Into the `Authorization` header (`client_secret_basic`).
    Basic,
    /// Into the form (`client_secret_post`).
    Post,
}

impl Identity {
    /// A client that the operator registered at this issuer.
    pub fn preregistered(issuer: &str, client_id: &str, credentials: Credentials) -> Self {
        Identity {
            issuer: issuer.into(),
            client_id: Some(client_id.into()),
            credentials,
            redirect_uris: Vec::new(),
            expires_at: None,
            registered: false,
        }
    }

    /// No client at all, for grants that need none (RFC 7523, section 3.1).
    pub fn unregistered(issuer: &str) -> Self {
        Identity {
            issuer: issuer.into(),
            client_id: None,
            credentials: Credentials::None,
            redirect_uris: Vec::new(),
            expires_at: None,
            registered: false,
        }
    }

    /// The client that this document describes, at this issuer. Such a client is the same
    /// everywhere; nothing of it is secret but its key.
    pub(crate) fn documented(
        issuer: &str,
        document: &ClientDocument,
        key: Option<&Arc<ClientKey>>,
    ) -> Self {
        Identity {
            issuer: issuer.into(),
            client_id: Some(document.client_id().into()),
            credentials: key.map_or(Credentials::None, |key| Credentials::Key(Arc::clone(key))),
            redirect_uris: document.redirect_uris().to_vec(),
            expires_at: None,
            registered: false,
        }
    }

    /// The client that this issuer registered.
    pub(crate) fn registered(
        issuer: &str,
        client_id: &str,
        credentials: Credentials,
        redirect_uris: Vec<String>,
        expires_at: Option<u64>,
    ) -> Self {
        Identity {
            issuer: issuer.into(),
            client_id: Some(client_id.into()),
            credentials,
            redirect_uris,
            expires_at,
            registered: true,
        }
    }

    /// The authorization server it is a client of.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its identifier there.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Whether its secret is still good, at this time in unix seconds.
    pub fn is_good_at(&self, now: u64) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether answers may go there; a client that the operator registered may not say where.
    pub(crate) fn is_answered_at(&self, redirect_uri: &str) -> bool {
        self.redirect_uris.is_empty() || self.redirect_uris.iter().any(|uri| uri == redirect_uri)
    }

    /// Where answers go, if it says.
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// What is to be kept of a registration, with its secret: to be sealed. Nothing for a client
    /// that was set up or that a document describes.
    pub fn to_kept(&self) -> Option<Zeroizing<Vec<u8>>> {
        if !self.registered {
            return None;
        }
        let (secret, method) = match &self.credentials {
            Credentials::Key(_) => return None,
            Credentials::None => (None, SecretMethod::AsListed),
            Credentials::Secret(secret, method) => (Some(secret.as_str()), *method),
        };
        let kept = json!({
            "issuer": self.issuer, "client_id": self.client_id, "secret": secret,
            "method": method.name(), "redirect_uris": self.redirect_uris,
            "expires_at": self.expires_at,
        });
        super::tokens::written(&kept)
    }

    /// The client that was kept.
    pub fn from_kept(kept: &[u8]) -> Option<Self> {
        let mut kept = members::object(kept)?;
        let secret = match kept.remove("secret")? {
            Value::String(secret) => Some(Arc::new(Zeroizing::new(secret))),
            _ => None,
        };
        let method = SecretMethod::named(kept.get("method")?.as_str()?)?;
        let text = |name: &str| kept.get(name).and_then(Value::as_str);
        let uris = kept.get("redirect_uris")?.as_array()?.iter();
        let uris: Option<Vec<String>> = uris.map(|uri| uri.as_str().map(str::to_owned)).collect();
        Some(Identity {
            issuer: text("issuer")?.into(),
            client_id: text("client_id").map(Into::into),
            credentials: secret.map_or(Credentials::None, |secret| {
                Credentials::Secret(secret, method)
            }),
            redirect_uris: uris?,
            expires_at: kept.get("expires_at").and_then(Value::as_u64),
            registered: true,
        })
    }

    /// Whatever of it must not be repeated by the other side.
    pub(crate) fn secret(&self) -> Option<&str> {
        match &self.credentials {
            Credentials::Secret(secret, _) => Some(secret.as_str()),
            _ => None,
        }
    }

    /// Adds what authenticates the client to the fields of a form, and gives the header that does,
    /// in the way that the server lists. INVARIANT: the server is the one of this identity.
    pub(crate) fn authenticate(
        &self,
        server: &AuthorizationServer,
        outside: Outside<'_>,
        fields: &mut Vec<(&'static str, Zeroizing<String>)>,
    ) -> Result<Option<Zeroizing<String>>, ClientError> {
        if server.issuer() != self.issuer() {
            return Err(ClientError::OtherIssuer(server.issuer().to_owned()));
        }
        let Some(client_id) = &self.client_id else {
            return Ok(None);
        };
        let mut add = |name, value: &str| {
            // A pushed request names the client already, as one of its own parameters.
            if !fields.iter().any(|(there, _)| *there == name) {
                fields.push((name, Zeroizing::new(value.to_owned())));
            }
        };
        match &self.credentials {
            Credentials::None => add("client_id", client_id),
            Credentials::Key(key) => {
                if server.lists("private_key_jwt") != Some(true) {
                    return Err(ClientError::Authentication);
                }
                let assertion = key.assertion(client_id, server, outside)?;
                add("client_id", client_id);
                add("client_assertion_type", ASSERTION_TYPE);
                fields.push(("client_assertion", assertion));
            }
            Credentials::Secret(secret, method) => match method.at(server)? {
                SecretMethod::Post => {
                    add("client_id", client_id);
                    add("client_secret", secret);
                }
                _ => return Ok(Some(basic(client_id, secret))),
            },
        }
        Ok(None)
    }

    /// A form for this server, from this client.
    pub(crate) fn form(
        &self,
        server: &AuthorizationServer,
        outside: Outside<'_>,
        to: &url::Url,
        mut fields: Vec<(&'static str, Zeroizing<String>)>,
    ) -> Result<Outbound, ClientError> {
        let header = self.authenticate(server, outside, &mut fields)?;
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let form = Outbound::form(to.clone(), &fields);
        Ok(match header {
            Some(header) => form.header("authorization", header),
            None => form,
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Key(_) => "Key",
            Credentials::None => "None",
            Credentials::Secret(..) => "Secret",
        })
    }
}

impl SecretMethod {
    /// The method of this registered name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "client_secret_basic" => Some(SecretMethod::Basic),
            "client_secret_post" => Some(SecretMethod::Post),
            "" => Some(SecretMethod::AsListed),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            SecretMethod::AsListed => "",
            SecretMethod::Basic => "client_secret_basic",
            SecretMethod::Post => "client_secret_post",
        }
    }

    /// Where the secret goes at this server. A list that is not there means Basic (RFC 8414,
    /// section 2). A server that lists only other ways does not get the secret at all.
    fn at(self, server: &AuthorizationServer) -> Result<Self, ClientError> {
        if self != SecretMethod::AsListed {
            return Ok(self);
        }
        let ours = [SecretMethod::Basic, SecretMethod::Post];
        let listed = |method: &SecretMethod| server.lists(method.name()).unwrap_or(true);
        ours.into_iter()
            .find(listed)
            .ok_or(ClientError::Authentication)
    }
}

/// The header of RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
pub(crate) fn basic(client_id: &str, secret: &str) -> Zeroizing<String> {
    let room = 3 * (client_id.len() + secret.len()) + 1;
    let mut joined = Zeroizing::new(String::with_capacity(room));
    joined.extend(byte_serialize(client_id.as_bytes()));
    joined.push(':');
    joined.extend(byte_serialize(secret.as_bytes()));
    let mut header = Zeroizing::new(String::with_capacity(6 + room.div_ceil(3) * 4));
    header.push_str("Basic ");
    STANDARD.encode_string(joined.as_bytes(), &mut header);
    header
}

#[cfg(test)]
mod tests;
