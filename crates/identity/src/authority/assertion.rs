//! That a client is the one it says: an assertion that its own key signed, for us, good once and not for
//! long (RFC 7523, section 3). The keys are those of its description, whoever has fetched them. That the
//! assertion came for the first time is for whoever keeps state to know.

use super::{AuthorityError, ErrorCode, Parameters};
use crate::audience::sha_256;
use crate::keys::KeySet;
use crate::token::Unverified;
use aws_lc_rs::digest;
use serde_json::Value;

/// `client_assertion_type` (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = crate::client::ASSERTION_TYPE;
/// How far ahead its end may be, in seconds.
const AHEAD_MAX_S: u64 = 600;
/// How far clocks may differ, in seconds.
const SKEW_S: u64 = 30;
/// The longest `jti`, in bytes.
const ID_MAX: usize = 256;

/// An assertion that came with a request. Nothing of it is believed yet.
pub struct Assertion<'a>(Unverified<'a>);

/// An assertion that says what it has to. Nobody has looked at its signature yet: until then no key needs to
/// be fetched, and nothing be remembered.
pub struct Claimed<'a> {
    assertion: &'a Unverified<'a>,
    says: AssertionUse,
}

/// An assertion that is right in itself. It shows nothing if it came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssertionUse {
    /// SHA-256 of its `jti`, which is unique to its client.
    pub id: [u8; 32],
    /// Until when it is to be remembered, in unix seconds.
    pub until_s: u64,
}

/// Names the client that it says it is of.
impl std::fmt::Debug for Assertion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assertion")
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}

impl<'a> Assertion<'a> {
    /// The assertion of a request, if there is one.
    pub fn of(parameters: &'a Parameters) -> Result<Option<Self>, AuthorityError> {
        let invalid = |says| ErrorCode::InvalidClient.because(says);
        let (kind, text) = (
            parameters.get("client_assertion_type"),
            parameters.get("client_assertion"),
        );
        match (kind, text) {
            (None, None) => Ok(None),
            (Some(ASSERTION_TYPE), Some(text)) => match Unverified::parse(text) {
                Ok(read) => Ok(Some(Assertion(read))),
                Err(_) => Err(invalid("the client_assertion is no signed token")),
            },
            _ => Err(invalid("the client_assertion is of no type that is known")),
        }
    }

    /// Who it says the client is.
    pub fn client_id(&self) -> Option<&str> {
        self.0.claims.get("sub").and_then(Value::as_str)
    }

    /// That it says it is of this client, for one of these audiences, now.
    pub fn claims(
        &self,
        client_id: &str,
        audiences: &[&str],
        now: u64,
    ) -> Result<Claimed<'_>, AuthorityError> {
        let invalid = |says| ErrorCode::InvalidClient.because(says);
        let claims = &self.0.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(client_id) || text("sub") != Some(client_id) {
            return Err(invalid("the client_assertion is of another client"));
        }
        let typ = self.0.token_type.as_deref().unwrap_or("JWT");
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        if !["jwt", "client-authentication+jwt"].contains(&&*typ.to_ascii_lowercase()) {
            return Err(invalid(
                "the client_assertion is a token for something else",
            ));
        }
        // One audience, so that it can be good nowhere else (draft-ietf-oauth-rfc7523bis).
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => Some(one.as_str()),
            Some(Value::Array(all)) => match all.as_slice() {
                [Value::String(one)] => Some(one.as_str()),
                _ => None,
            },
            _ => None,
        };
        if !audience.is_some_and(|audience| audiences.contains(&audience)) {
            return Err(invalid("the client_assertion is for somebody else"));
        }
        let until_s = self.times(now)?;
        let id = text("jti").filter(|id| !id.is_empty() && id.len() <= ID_MAX);
        let id = id.ok_or(invalid("the client_assertion has no jti"))?;
        let mut context = digest::Context::new(&digest::SHA256);
        crate::audience::absorb(&mut context, client_id);
        crate::audience::absorb(&mut context, id);
        Ok(Claimed {
            assertion: &self.0,
            says: AssertionUse {
                id: sha_256(context.finish().as_ref()),
                until_s,
            },
        })
    }

    fn times(&self, now: u64) -> Result<u64, AuthorityError> {
        let invalid = |says| ErrorCode::InvalidClient.because(says);
        let time = |name: &str| match self.0.claims.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or(invalid("the client_assertion has a time that is none")),
        };
        let ends = time("exp")?.ok_or(invalid("the client_assertion has no exp"))?;
        let soon = now.saturating_add(SKEW_S);
        if now >= ends.saturating_add(SKEW_S) {
            return Err(invalid("the client_assertion has expired"));
        }
        if ends > now.saturating_add(AHEAD_MAX_S) {
            return Err(invalid("the client_assertion is good for too long"));
        }
        if time("iat")?.is_some_and(|it| it > soon) || time("nbf")?.is_some_and(|it| it > soon) {
            return Err(invalid("the client_assertion is of the future"));
        }
        Ok(ends.saturating_add(SKEW_S))
    }
}

/// Says nothing of what it claims.
impl std::fmt::Debug for Claimed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claimed")
    }
}

impl Claimed<'_> {
    /// Whether the key that it names is in this set: if not, the client may have another set by now.
    pub fn names_a_key_of(&self, keys: &[u8]) -> bool {
        let keys = KeySet::of(keys, |_| true);
        keys.is_some_and(|keys| keys.pick(self.key_id(), self.assertion.algorithm).is_some())
    }

    /// That a key of this set has signed it.
    pub fn signed_with(self, keys: &[u8]) -> Result<AssertionUse, AuthorityError> {
        let says = "the client_assertion is not signed by the client";
        let unsigned = ErrorCode::InvalidClient.because(says);
        let keys = KeySet::of(keys, |_| true).ok_or(unsigned)?;
        let key = keys.pick(self.key_id(), self.assertion.algorithm);
        let key = key.ok_or(unsigned)?;
        match key.verifies(self.assertion.signed.as_bytes(), &self.assertion.signature) {
            true => Ok(self.says),
            false => Err(unsigned),
        }
    }

    fn key_id(&self) -> Option<&str> {
        self.assertion.key_id.as_deref()
    }
}
