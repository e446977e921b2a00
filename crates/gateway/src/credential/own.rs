//! The gateway as it describes itself to authorization servers: two metadata documents, one for those
//! that take signed assertions and one for those that do not, and the public half of the key that
//! signs them. Nothing secret is in what is served.

use crate::state::{Kind, Rows, StateError};
use identity::SigningKey;
use identity::client::{ClientDocument, ClientKey, DocumentError};
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

    /// What it registers as where documents are not understood.
    pub(crate) fn registers_as(&self) -> &ClientDocument {
        let [_, public] = &self.documents;
        public
    }

    /// The key of the first document.
    pub(crate) fn key(&self) -> &Arc<ClientKey> {
        &self.key
    }

    /// Where people are sent back to, exactly.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
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
