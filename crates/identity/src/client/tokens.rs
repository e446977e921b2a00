//! Tokens that an authorization server gave us. They know which server they may be shown to and
//! who issued them, and are shown to no other. Wiped when dropped.

use super::{ClientError, Resource, Scopes};
use crate::members;
use serde_json::{Map, Value, json};
use std::fmt;
use zeroize::Zeroizing;

/// How a token is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// To whoever has it, it is good (RFC 6750).
    Bearer,
    /// With a proof of the key it is bound to (RFC 9449).
    Dpop,
}

/// An access token, and what came with it.
#[derive(Clone)]
pub struct Tokens {
    pub(crate) access: Zeroizing<String>,
    pub(crate) kind: TokenKind,
    pub(crate) expires_at: Option<u64>,
    pub(crate) asked: Scopes,
    pub(crate) granted: Scopes,
    pub(crate) refresh: Option<Zeroizing<String>>,
    pub(crate) id_token: Option<Zeroizing<String>>,
    pub(crate) issuer: Box<str>,
    pub(crate) client_id: Option<Box<str>>,
    pub(crate) resource: Option<Box<str>>,
}

impl Tokens {
    /// The value of `Authorization` for a request to this server, if the token is for it.
    pub fn authorization(&self, resource: &Resource) -> Result<Zeroizing<String>, ClientError> {
        if self.resource.as_deref() != Some(resource.as_str()) {
            let other = super::resource::origin(resource.url());
            return Err(ClientError::OtherResource(other));
        }
        let scheme = match self.kind {
            TokenKind::Bearer => "Bearer ",
            TokenKind::Dpop => "DPoP ",
        };
        let mut value = Zeroizing::new(String::with_capacity(scheme.len() + self.access.len()));
        value.push_str(scheme);
        value.push_str(&self.access);
        Ok(value)
    }

    /// The token itself, for the hash of it in a proof.
    pub fn access(&self) -> &str {
        &self.access
    }

    /// How it is shown.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// When it is over, in unix seconds; nothing if the authorization server does not say.
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    /// Whether it is still good after this many more seconds, as far as was said.
    pub fn is_good_at(&self, now: u64, ahead_s: u64) -> bool {
        let then = now.saturating_add(ahead_s);
        self.expires_at.is_none_or(|expires_at| then < expires_at)
    }

    /// The scopes that were asked for.
    pub fn asked(&self) -> &Scopes {
        &self.asked
    }

    /// The scopes that were granted.
    pub fn granted(&self) -> &Scopes {
        &self.granted
    }

    /// Whether others can be had for it without asking anybody.
    pub fn can_refresh(&self) -> bool {
        self.refresh.is_some()
    }

    /// The token about the person who signed in. Not verified here.
    pub fn id_token(&self) -> Option<&str> {
        self.id_token.as_ref().map(|token| token.as_str())
    }

    /// The client they were given to.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Who issued them.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What is to be kept, with its secrets: to be sealed. The token about the person is not.
    pub fn to_kept(&self) -> Option<Zeroizing<Vec<u8>>> {
        written(&json!({
            "access": self.access.as_str(),
            "kind": self.kind.name(),
            "expires_at": self.expires_at,
            "asked": self.asked.to_string(),
            "granted": self.granted.to_string(),
            "refresh": self.refresh.as_ref().map(|refresh| refresh.as_str()),
            "issuer": self.issuer,
            "client_id": self.client_id,
            "resource": self.resource,
        }))
    }

    /// The tokens that were kept.
    pub fn from_kept(kept: &[u8]) -> Option<Self> {
        let mut kept = members::object(kept)?;
        let access = secret(&mut kept, "access")?;
        let refresh = secret(&mut kept, "refresh");
        let text = |name: &str| kept.get(name).and_then(Value::as_str);
        Some(Tokens {
            access,
            kind: TokenKind::named(text("kind")?)?,
            expires_at: kept.get("expires_at").and_then(Value::as_u64),
            asked: Scopes::read(text("asked")?)?,
            granted: Scopes::read(text("granted")?)?,
            refresh,
            id_token: None,
            issuer: text("issuer")?.into(),
            client_id: text("client_id").map(Into::into),
            resource: text("resource").map(Into::into),
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("kind", &self.kind)
            .field("issuer", &self.issuer)
            .field("resource", &self.resource)
            .field("granted", &self.granted)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl TokenKind {
    /// The kind of this `token_type`; case does not matter (RFC 6749, section 7.1).
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            name if name.eq_ignore_ascii_case("bearer") => Some(TokenKind::Bearer),
            name if name.eq_ignore_ascii_case("dpop") => Some(TokenKind::Dpop),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            TokenKind::Bearer => "bearer",
            TokenKind::Dpop => "dpop",
        }
    }
}

/// Takes a text that is a secret out of an object, as the buffer it was read into.
pub(super) fn secret(members: &mut Map<String, Value>, name: &str) -> Option<Zeroizing<String>> {
    match members.remove(name)? {
        Value::String(text) => Some(Zeroizing::new(text)),
        _ => None,
    }
}

/// The bytes of a value that holds secrets. They are measured before they are written, so that no
/// buffer grows and leaves a copy behind.
pub(super) fn written(value: &Value) -> Option<Zeroizing<Vec<u8>>> {
    struct Measure(usize);
    impl std::io::Write for Measure {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut size = Measure(0);
    serde_json::to_writer(&mut size, value).ok()?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.0));
    serde_json::to_writer(&mut *bytes, value).ok()?;
    Some(bytes)
}
