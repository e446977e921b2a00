//! FOR DEVELOPMENT ONLY: an issuer of one's own that gives a token to anybody for anything. It
//! exists so that a first try and a test need no identity provider, and it can have no name that
//! anything but this machine reaches.

use crate::audience::sha_256;
use crate::base64url;
use crate::rules::is_loopback;
use crate::signing::{SigningError, SigningKey};
use aws_lc_rs::digest;
use serde_json::{Map, Value, json};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// FOR DEVELOPMENT ONLY: an issuer on loopback with one ES256 key.
pub struct DevelopmentIssuer {
    issuer: String,
    key: SigningKey,
}

/// What a development token says.
#[derive(Clone, Debug, Default)]
pub struct DevelopmentClaims {
    /// The user.
    pub subject: String,
    /// The resource the token is for.
    pub audience: String,
    /// The client that acts for the user; `development` if not said.
    pub client: Option<String>,
    /// The scopes that are granted.
    pub scopes: Vec<String>,
    /// The groups of the user.
    pub groups: Vec<String>,
    /// Now, in unix seconds.
    pub issued_at: u64,
    /// How long the token is good, in seconds.
    pub lifetime_s: u64,
    /// `jti`; made from all the rest if not said.
    pub token_id: Option<String>,
    /// Further claims; they replace those above if they have the same name.
    pub further: Map<String, Value>,
}

/// Why there is no development issuer, or no token of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DevelopmentError {
    /// Not the key of an ES256 signer.
    #[error("the key is not a PKCS#8 document of a P-256 key")]
    Key,
    /// Not on this machine.
    #[error("a development issuer has an http or https URL on loopback and no other")]
    NotLoopback,
    /// The system gave no random bits.
    #[error("no key or signature could be made")]
    Signing,
}

impl DevelopmentIssuer {
    /// An issuer with a new key.
    pub fn generate(issuer: &str) -> Result<Self, DevelopmentError> {
        let issuer = on_loopback(issuer)?;
        let key = SigningKey::generate()?;
        Ok(DevelopmentIssuer { issuer, key })
    }

    /// An issuer with a key that was kept.
    pub fn from_pkcs8(issuer: &str, key: &[u8]) -> Result<Self, DevelopmentError> {
        let issuer = on_loopback(issuer)?;
        let key = SigningKey::from_pkcs8(key)?;
        Ok(DevelopmentIssuer { issuer, key })
    }

    /// The key, to be kept. Wiped when dropped.
    pub fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, DevelopmentError> {
        Ok(self.key.pkcs8()?)
    }

    /// The issuer, as its tokens name it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/jwks", self.issuer)
    }

    /// The public key, as a JWK set.
    pub fn jwks_json(&self) -> String {
        let mut key = self.key.public_jwk();
        if let Some(members) = key.as_object_mut() {
            let key_id = self.key.thumbprint();
            for (name, value) in [("kid", key_id), ("alg", "ES256"), ("use", "sig")] {
                members.insert(name.to_owned(), json!(value));
            }
        }
        json!({ "keys": [key] }).to_string()
    }

    /// The metadata, for both well-known places. It offers no endpoint to get a token from.
    pub fn metadata_json(&self) -> String {
        json!({
            "issuer": self.issuer,
            "jwks_uri": self.jwks_url(),
            "response_types_supported": [],
            "grant_types_supported": [],
        })
        .to_string()
    }

    /// A token of the access token profile (RFC 9068) that says whatever it is told to.
    pub fn mint(&self, claims: &DevelopmentClaims) -> Result<String, DevelopmentError> {
        let mut payload = Map::new();
        let mut say = |name: &str, value: Value| payload.insert(name.to_owned(), value);
        say("iss", json!(self.issuer));
        say("sub", json!(claims.subject));
        say("aud", json!(claims.audience));
        say("iat", json!(claims.issued_at));
        say(
            "exp",
            json!(claims.issued_at.saturating_add(claims.lifetime_s)),
        );
        // The profile asks for both, so both are said whatever was asked for.
        let client = claims.client.as_deref().unwrap_or("development");
        say("client_id", json!(client));
        let token_id = claims.token_id.clone();
        say(
            "jti",
            json!(token_id.unwrap_or_else(|| named_after(claims))),
        );
        if !claims.scopes.is_empty() {
            say("scope", json!(claims.scopes.join(" ")));
        }
        if !claims.groups.is_empty() {
            say("groups", json!(claims.groups));
        }
        for (name, value) in &claims.further {
            say(name, value.clone());
        }
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": self.key.thumbprint()});
        let payload = Value::Object(payload).to_string();
        Ok(self.key.sign(&header.to_string(), &payload)?)
    }
}

impl From<SigningError> for DevelopmentError {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::Key => DevelopmentError::Key,
            SigningError::Signing => DevelopmentError::Signing,
        }
    }
}

impl fmt::Debug for DevelopmentIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentIssuer")
            .field("issuer", &self.issuer)
            .field("key_id", &self.key.thumbprint())
            .finish_non_exhaustive()
    }
}

/// A `jti` that another token has only if it says the same.
fn named_after(claims: &DevelopmentClaims) -> String {
    let all = format!("{claims:?}");
    let digest = digest::digest(&digest::SHA256, all.as_bytes());
    base64url::encode(&sha_256(digest.as_ref()))
}

fn on_loopback(issuer: &str) -> Result<String, DevelopmentError> {
    let url = Url::parse(issuer).map_err(|_not_url| DevelopmentError::NotLoopback)?;
    let bare = url.username().is_empty() && url.password().is_none();
    let whole = url.query().is_none() && url.fragment().is_none();
    let scheme = matches!(url.scheme(), "http" | "https");
    if scheme && bare && whole && is_loopback(&url) {
        Ok(issuer.strip_suffix('/').unwrap_or(issuer).to_owned())
    } else {
        Err(DevelopmentError::NotLoopback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Unverified;

    #[test]
    fn is_refused_anywhere_but_on_loopback() {
        let check = |issuer: &str, allowed: bool| {
            let made = DevelopmentIssuer::generate(issuer);
            assert_eq!(made.is_ok(), allowed, "{issuer}");
        };
        check("http://127.0.0.1:9000", true);
        check("http://127.8.8.8:9000/issuer", true);
        check("http://localhost:9000/", true);
        check("https://[::1]:9000", true);
        for other in [
            "https://id.example.com",
            "http://0.0.0.0:9000",
            "http://10.0.0.1",
            "http://192.168.1.1",
            "http://localhost.example.com",
            "http://127.0.0.1.nip.example",
            "http://127.0.0.1@evil.example",
            "http://user@127.0.0.1",
            "http://[::]:1",
            "http://[::ffff:127.0.0.1]",
            "http://127.0.0.1/?a",
            "http://127.0.0.1/#a",
            "ftp://127.0.0.1",
            "localhost:9000",
            "",
        ] {
            check(other, false);
        }
    }

    #[test]
    fn keeps_its_key_and_its_name_across_restarts() {
        let first = DevelopmentIssuer::generate("http://127.0.0.1:9000/").unwrap();
        let kept = first.pkcs8().unwrap();
        let second = DevelopmentIssuer::from_pkcs8("http://127.0.0.1:9000", &kept).unwrap();
        assert_eq!(first.jwks_json(), second.jwks_json());
        assert_eq!(first.metadata_json(), second.metadata_json());
        let other = DevelopmentIssuer::generate("http://127.0.0.1:9000").unwrap();
        assert_ne!(first.jwks_json(), other.jwks_json());
        let broken = DevelopmentIssuer::from_pkcs8("http://127.0.0.1:9000", b"no key");
        assert_eq!(broken.err(), Some(DevelopmentError::Key));
    }

    #[test]
    fn mints_what_it_is_told_to() {
        let issuer = DevelopmentIssuer::generate("http://127.0.0.1:9000").unwrap();
        let claims = DevelopmentClaims {
            subject: "alice".to_owned(),
            audience: "http://127.0.0.1:8080/files".to_owned(),
            scopes: vec!["a".to_owned(), "b".to_owned()],
            token_id: Some("t-1".to_owned()),
            issued_at: 1000,
            lifetime_s: 60,
            ..DevelopmentClaims::default()
        };
        let token = issuer.mint(&claims).unwrap();
        let read = Unverified::parse(&token).unwrap();
        let expected = json!({
            "iss": "http://127.0.0.1:9000", "sub": "alice",
            "aud": "http://127.0.0.1:8080/files", "iat": 1000, "exp": 1060, "scope": "a b",
            "client_id": "development", "jti": "t-1",
        });
        assert_eq!(Value::Object(read.claims), expected);
        assert_eq!(read.token_type.as_deref(), Some("at+jwt"));
        assert!(issuer.jwks_json().contains(&read.key_id.unwrap()));
        assert!(!format!("{issuer:?}").contains("EcdsaKeyPair"));
    }
}
