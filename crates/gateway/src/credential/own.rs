//! The gateway as it describes itself to authorization servers: two metadata documents, one for those
//! that take signed assertions and one for those that do not, and the public half of the key that
//! signs them. Nothing secret is in what is served.

use crate::small::lock;
use crate::state::{Kind, Rows, StateError};
use aws_lc_rs::digest;
use identity::SigningKey;
use identity::client::{ClientDocument, ClientKey, DocumentError};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// The name that people are shown.
const NAME: &str = "Ringwall";
/// Under what the key is kept.
const KEY: &str = "own client key";

/// The gateway as a client.
#[derive(Debug)]
pub struct OwnClient {
    documents: [ClientDocument; 2],
    key: Arc<ClientKey>,
    redirect_uri: String,
    registrations: std::sync::Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// Why the gateway cannot describe itself.
#[derive(Debug, thiserror::Error)]
pub enum OwnClientError {
    /// The public URL is none that others could come back to.
    #[error("the gateway's own client: {0}")]
    Document(#[from] DocumentError),
    /// There is no key for it.
    #[error("the key of the gateway's own client cannot be used")]
    Key,
    /// Its key could not be kept.
    #[error("the key of the gateway's own client: {0}")]
    State(#[from] StateError),
}

impl OwnClient {
    /// Where the document with a key is served, below the public URL.
    pub const DOCUMENT: &'static str = "/oauth/client.json";
    /// Where the one without is.
    pub const PUBLIC_DOCUMENT: &'static str = "/oauth/public-client.json";
    /// Where the key is.
    pub const KEYS: &'static str = "/oauth/jwks.json";
    /// Where authorization servers send people back to.
    pub const CALLBACK: &'static str = "/connect/callback";

    /// The gateway at this URL, with this key.
    pub fn at(public_url: &Url, key: &Arc<ClientKey>) -> Result<Self, OwnClientError> {
        let under = |path: &str| format!("{}{path}", public_url.as_str().trim_end_matches('/'));
        let redirect_uri = under(Self::CALLBACK);
        let keys = Url::parse(&under(Self::KEYS)).map_err(|_| DocumentError::Url)?;
        let document = |path| ClientDocument::new(&under(path), NAME, &redirect_uri);
        Ok(OwnClient {
            documents: [
                document(Self::DOCUMENT)?.with_keys(keys),
                document(Self::PUBLIC_DOCUMENT)?,
            ],
            key: Arc::clone(key),
            redirect_uri,
            registrations: std::sync::Mutex::default(),
        })
    }

    /// Its key, which is made at the first start and kept, sealed.
    pub async fn key_of(rows: &Rows, now_ms: u64) -> Result<Arc<ClientKey>, OwnClientError> {
        let kept = rows.get(Kind::Registration, KEY, now_ms).await?;
        let document = match kept {
            Some(row) => row.value,
            None => {
                let made = made()?;
                let kept = rows.put(Kind::Registration, KEY, &made, None, now_ms);
                kept.await?;
                made
            }
        };
        let key = ClientKey::from_pkcs8(&document, None);
        key.map(Arc::new).map_err(|_| OwnClientError::Key)
    }

    /// A key that is not kept.
    #[cfg(test)]
    pub(crate) fn fresh_key() -> Result<Arc<ClientKey>, OwnClientError> {
        let key = ClientKey::from_pkcs8(&made()?, None);
        key.map(Arc::new).map_err(|_| OwnClientError::Key)
    }

    /// The documents, the one with a key first.
    pub(crate) fn documents(&self) -> &[ClientDocument] {
        &self.documents
    }

    /// What it registers as at this issuer, where documents are not understood.
    pub(crate) fn registers_as(&self, issuer: &str) -> Result<ClientDocument, DocumentError> {
        let [_, public] = &self.documents;
        let redirect_uri = self.redirect_uri_of(issuer);
        ClientDocument::new(public.client_id(), NAME, &redirect_uri)
    }

    /// Held while it is registered at this issuer, so that this happens once for all servers.
    pub(crate) fn registering(&self, issuer: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = lock(&self.registrations);
        // Nobody waits for one that only this table knows.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(issuer.to_owned()).or_default())
    }

    /// The key of the first document.
    pub(crate) fn key(&self) -> &Arc<ClientKey> {
        &self.key
    }

    /// Where people are sent back to, exactly.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Where this issuer's own answers come to: a place that no other one is given.
    pub(crate) fn redirect_uri_of(&self, issuer: &str) -> String {
        let digest = digest::digest(&digest::SHA256, issuer.as_bytes());
        let short: String = digest
            .as_ref()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}/{short}", self.redirect_uri)
    }

    /// The document that is served at this path below the public URL.
    pub(crate) fn served_at(&self, path: &str) -> Option<String> {
        let [keyed, public] = &self.documents;
        match path {
            Self::DOCUMENT => Some(keyed.to_json()),
            Self::PUBLIC_DOCUMENT => Some(public.to_json()),
            Self::KEYS => Some(serde_json::json!({ "keys": [self.key.public_jwk()] }).to_string()),
            _ => None,
        }
    }
}

fn made() -> Result<Zeroizing<Vec<u8>>, OwnClientError> {
    let made = SigningKey::generate().and_then(|key| key.pkcs8());
    made.map_err(|_| OwnClientError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n2_1_mix_up_every_issuer_has_a_place_of_its_own_to_answer_at() {
        let url = Url::parse("https://gateway.example.com/").unwrap();
        let own = OwnClient::at(&url, &OwnClient::fresh_key().unwrap()).unwrap();
        let place = |issuer| own.redirect_uri_of(issuer);
        let honest = place("https://as.example.com");
        assert!(honest.starts_with("https://gateway.example.com/connect/callback/"));
        assert_eq!(honest, place("https://as.example.com"));
        for other in ["https://evil.example", "https://as.example.com/"] {
            assert_ne!(honest, place(other));
        }
        let registered = own.registers_as("https://as.example.com").unwrap();
        assert_eq!(registered.redirect_uris(), [honest]);
        for document in own.documents() {
            assert_eq!(document.redirect_uris(), [own.redirect_uri()]);
        }
    }

    #[test]
    fn n2_1_one_registration_at_a_time_at_one_issuer() {
        let url = Url::parse("https://gateway.example.com/").unwrap();
        let own = OwnClient::at(&url, &OwnClient::fresh_key().unwrap()).unwrap();
        let first = own.registering("https://as.example.com");
        let _held = first.try_lock().unwrap();
        assert!(
            own.registering("https://as.example.com")
                .try_lock()
                .is_err()
        );
        assert!(
            own.registering("https://other.example.com")
                .try_lock()
                .is_ok()
        );
    }
}
