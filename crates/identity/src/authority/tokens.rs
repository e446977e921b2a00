//! Access tokens: JWT (RFC 9068), for one resource, for minutes, for the person whom the provider named.

use super::Person;
use crate::base64url;
use crate::signing::{SigningError, SigningKey};
use serde_json::{Map, Value, json};

/// What a token says.
#[derive(Clone, Copy, Debug)]
pub struct Minting<'a> {
    /// Our own name.
    pub issuer: &'a str,
    /// Whom it speaks for.
    pub person: &'a Person,
    /// The client it is given to.
    pub client_id: &'a str,
    /// The one resource it is for.
    pub resource: &'a str,
    /// The scopes.
    pub scopes: &'a str,
    /// The key it is bound to, by its thumbprint (RFC 9449, section 6).
    pub key: Option<&'a str>,
    /// Now, in unix seconds.
    pub now: u64,
    /// How long it is good, in seconds.
    pub lifetime_s: u64,
    /// What it is called: 256 bits that nobody can guess.
    pub id: [u8; 32],
}

/// A token, and what it is called.
pub struct Minted {
    /// The token.
    pub token: zeroize::Zeroizing<String>,
    /// `jti`.
    pub id: String,
}

impl Minting<'_> {
    /// The token, signed with this key.
    pub fn sign(&self, key: &SigningKey) -> Result<Minted, SigningError> {
        let mut claims = Map::new();
        self.person.tell(&mut claims);
        let id = base64url::encode(&self.id);
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        say("iss", json!(self.issuer));
        say("aud", json!(self.resource));
        say("client_id", json!(self.client_id));
        say("iat", json!(self.now));
        say("exp", json!(self.now.saturating_add(self.lifetime_s)));
        say("jti", json!(id));
        if !self.scopes.is_empty() {
            say("scope", json!(self.scopes));
        }
        if let Some(key) = self.key {
            say("cnf", json!({ "jkt": key }));
        }
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.thumbprint()});
        let token = key.sign(&header.to_string(), &Value::Object(claims).to_string())?;
        Ok(Minted {
            token: zeroize::Zeroizing::new(token),
            id,
        })
    }
}

/// The token is for the client alone.
impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
