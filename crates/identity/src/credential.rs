//! What shows a provider that it is us who ask about its tokens: a client of ours there, with its
//! secret or its key. It is never shown, and goes to the one provider it was made for.

use crate::Outbound;
use crate::client::{ASSERTION_TYPE, ClientKey, Entropy, basic};
use std::fmt;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// A client of ours at a provider.
#[derive(Clone)]
pub struct ClientCredential {
    id: Arc<str>,
    proof: Proof,
}

#[derive(Clone)]
enum Proof {
    Key(Arc<ClientKey>, Arc<dyn Entropy>),
    Secret(Arc<Zeroizing<String>>),
}

impl ClientCredential {
    /// The client with this id and this secret (`client_secret_basic`).
    pub fn with_secret(id: &str, secret: Zeroizing<String>) -> Self {
        ClientCredential {
            id: id.into(),
            proof: Proof::Secret(Arc::new(secret)),
        }
    }

    /// The client with this id and this key (`private_key_jwt`), whose assertions are named by these
    /// bits.
    pub fn with_key(id: &str, key: Arc<ClientKey>, entropy: Arc<dyn Entropy>) -> Self {
        ClientCredential {
            id: id.into(),
            proof: Proof::Key(key, entropy),
        }
    }

    /// A form from this client: with its secret in the header (RFC 6749, section 2.3.1), or with an
    /// assertion for this audience in it (RFC 7523, section 2.2). Nothing if none could be made.
    pub(crate) fn form(
        &self,
        to: Url,
        audience: &str,
        fields: &[(&str, &str)],
        now: u64,
    ) -> Option<Outbound> {
        match &self.proof {
            Proof::Secret(secret) => {
                let form = Outbound::form(to, fields);
                Some(form.header("authorization", basic(&self.id, secret)))
            }
            Proof::Key(key, entropy) => {
                let bits = entropy.bits().ok()?;
                let signed = (key.algorithm(), audience);
                let assertion = key.assert(&self.id, signed, &bits, now).ok()?;
                let own = [
                    ("client_id", &*self.id),
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", assertion.as_str()),
                ];
                let fields: Vec<(&str, &str)> = fields.iter().copied().chain(own).collect();
                Some(Outbound::form(to, &fields))
            }
        }
    }
}

impl fmt::Debug for ClientCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredential")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
