//! An identity provider that will sign anything: good tokens, and every kind of bad one. It serves
//! its metadata and keys on loopback. It shares no code with the product, whose reading of tokens
//! it is there to test.

mod key;
mod keys_server;
mod sign_in;

pub use key::{Key, Kind};

use crate::place;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys_server::KeysServer;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// A running issuer.
#[derive(Debug)]
pub struct Issuer {
    server: KeysServer,
    keys: Arc<Mutex<Vec<Key>>>,
}

impl Issuer {
    /// An issuer with one ES256 key.
    pub async fn start() -> Result<Self> {
        let keys = Arc::new(Mutex::new(vec![Key::generate(Kind::Es256, "first")?]));
        let server = KeysServer::start(Arc::clone(&keys)).await?;
        Ok(Issuer { server, keys })
    }

    /// Its identifier.
    pub fn url(&self) -> &str {
        self.server.issuer()
    }

    /// Says from now on that its keys are at this address.
    pub fn sends_elsewhere(&self, keys: &str) {
        self.server.send_elsewhere(keys);
    }

    /// Says who is at the browser that signs in; it is alice unless somebody says otherwise.
    pub fn at_the_browser(&self, user: &str) {
        self.server.sign_ins().at_the_browser(user);
    }

    /// Lays these members over those of identity tokens from now on.
    pub fn change_identity_tokens(&self, members: Value) {
        self.server.sign_ins().change(members);
    }

    /// Takes a code twice from now on, as no provider should.
    pub fn forgets_no_code(&self) {
        self.server.sign_ins().forgets_no_code();
    }

    /// What browsers were sent to its authorization endpoint with.
    pub fn sign_in_requests(&self) -> Vec<std::collections::BTreeMap<String, String>> {
        self.server.sign_ins().requests()
    }

    /// The forms that came to its token endpoint and were not about signing in.
    pub fn exchanges(&self) -> Vec<std::collections::BTreeMap<String, String>> {
        self.server.sign_ins().exchanges()
    }

    /// Wants this proved before anybody may act for a caller.
    pub fn wants(&self, claims: Option<&str>) {
        self.server.sign_ins().wants(claims);
    }

    /// How often it was asked what it is.
    pub fn descriptions(&self) -> usize {
        self.server.descriptions()
    }

    /// How often its key set was fetched.
    pub fn fetches(&self) -> usize {
        self.server.fetches()
    }

    /// Publishes one more key; new tokens are signed with it.
    pub fn rotate(&self, kind: Kind, name: &str) -> Result<()> {
        let key = Key::generate(kind, name)?;
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(0, key);
        Ok(())
    }

    /// The key that signs now.
    pub fn key(&self) -> Result<Key> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.first().cloned().context("an issuer without keys")
    }

    /// The claims of a good token for this resource. It outlives the longest test on a slow machine, and is
    /// within the hour that a token may live.
    pub fn claims(&self, resource: &str, user: &str) -> Value {
        let now = place::now();
        json!({
            "iss": self.url(), "aud": resource, "sub": user, "client_id": "test-client",
            "iat": now - 1, "exp": now + 3_000, "jti": format!("{user}-{now}"),
            "scope": "mcp:tools", "groups": ["testers"]
        })
    }

    /// A good token for this resource.
    pub fn token(&self, resource: &str, user: &str) -> Result<String> {
        self.sign(&self.claims(resource, user))
    }

    /// Signs these claims with the current key and a proper header.
    pub fn sign(&self, claims: &Value) -> Result<String> {
        let key = self.key()?;
        let header = json!({ "alg": key.algorithm(), "typ": "at+jwt", "kid": key.name() });
        compact(&header, claims, |input| key.sign(key.algorithm(), input))
    }

    /// Signs with changes: `header` and `claims` are laid over the proper ones; a `null` removes.
    pub fn sign_changed(&self, resource: &str, header: &Value, claims: &Value) -> Result<String> {
        let key = self.key()?;
        let proper = json!({ "alg": key.algorithm(), "typ": "at+jwt", "kid": key.name() });
        let header = overlaid(proper, header);
        let claims = overlaid(self.claims(resource, "alice"), claims);
        compact(&header, &claims, |input| key.sign(key.algorithm(), input))
    }
}

/// A compact JWS of this header and these claims, with whatever signature `sign` makes.
pub fn compact(
    header: &Value,
    claims: &Value,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>>,
) -> Result<String> {
    let input = format!(
        "{}.{}",
        encoded(header.to_string()),
        encoded(claims.to_string())
    );
    let signature = sign(input.as_bytes())?;
    Ok(format!("{input}.{}", encoded(signature)))
}

/// base64url without padding.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `over` laid over `base`, as RFC 7396 has it, one level deep.
pub fn overlaid(base: Value, over: &Value) -> Value {
    let mut members: Map<String, Value> = base.as_object().cloned().unwrap_or_default();
    for (name, value) in over.as_object().into_iter().flatten() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    Value::Object(members)
}
