//! What shows a provider that it is us who ask: a client of ours there, and its secret. It is
//! never shown, and goes to the one provider it was made for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A client of ours at a provider.
#[derive(Clone)]
pub struct ClientCredential {
    id: Arc<str>,
    secret: Arc<Zeroizing<String>>,
}

impl ClientCredential {
    /// The client with this id and this secret.
    pub fn new(id: &str, secret: Zeroizing<String>) -> Self {
        ClientCredential {
            id: id.into(),
            secret: Arc::new(secret),
        }
    }

    /// The client's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The value of `Authorization` (`client_secret_basic`, RFC 6749, section 2.3.1): both halves are
    /// form-encoded before they are joined.
    pub(crate) fn basic(&self) -> Zeroizing<String> {
        let room = 3 * (self.id.len() + self.secret.len()) + 1;
        let mut pair = Zeroizing::new(String::with_capacity(room));
        pair.extend(url::form_urlencoded::byte_serialize(self.id.as_bytes()));
        pair.push(':');
        pair.extend(url::form_urlencoded::byte_serialize(self.secret.as_bytes()));
        let mut value = Zeroizing::new(String::with_capacity(6 + 4 * room.div_ceil(3)));
        value.push_str("Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut value);
        value
    }
}

impl fmt::Debug for ClientCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredential")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_encoded_before_they_are_joined() {
        let credential = ClientCredential::new("a:b", Zeroizing::new("p w%é".to_owned()));
        let value = credential.basic();
        let encoded = value.strip_prefix("Basic ").unwrap();
        let pair = STANDARD.decode(encoded).unwrap();
        assert_eq!(pair, b"a%3Ab:p+w%25%C3%A9");
        assert!(!format!("{credential:?}").contains("p w"));
    }
}
