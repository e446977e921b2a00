//! Proofs of possession as a client makes them (RFC 9449): one for each request, with the nonce
//! that the other side asked for last. What an authorization server and what a server behind it
//! asked for are kept apart: they know nothing of each other (section 9).

use crate::SigningError;
use crate::possession::dpop::Signer;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// The longest nonce that is repeated, in bytes.
const NONCE_MAX: usize = 512;

/// One key, for the tokens of one owner at one server.
pub struct Proofs {
    signer: Signer,
    authorization_server: Mutex<Option<Box<str>>>,
    resource: Mutex<Option<Box<str>>>,
}

/// The proof of one request, and the nonce it has.
#[derive(Clone, Debug)]
pub struct Proof {
    text: String,
    at: At,
    nonce: Option<Box<str>>,
}

impl Proof {
    /// The value of the `DPoP` header.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whom a proof is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The authorization server.
    AuthorizationServer,
    /// The server that the token is for.
    Resource,
}

impl Proofs {
    /// Proofs with this key.
    pub fn new(signer: Signer) -> Self {
        Proofs {
            signer,
            authorization_server: Mutex::new(None),
            resource: Mutex::new(None),
        }
    }

    /// The key.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The proof of one request, at this time in unix seconds.
    pub fn proof(
        &self,
        at: At,
        method: &str,
        url: &Url,
        now: u64,
        token: Option<&str>,
    ) -> Result<Proof, SigningError> {
        let nonce = self.nonce(at);
        let text = self
            .signer
            .proof(method, url, now, token, nonce.as_deref())?;
        Ok(Proof { text, at, nonce })
    }

    /// Whether a proof would have another nonce now than this one had: only then can the same
    /// request, asked again, have another answer. Another request may have been told meanwhile.
    pub fn is_outdated(&self, proof: &Proof) -> bool {
        self.nonce(proof.at) != proof.nonce
    }

    /// Remembers the nonce that came with an answer.
    pub fn hear(&self, at: At, nonce: &str) {
        // `NQCHAR` of RFC 6749: what else it may be could not be put into a proof safely.
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if nonce.is_empty() || nonce.len() > NONCE_MAX || !nonce.bytes().all(plain) {
            return;
        }
        let mut known = self.slot(at).lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(nonce.into());
    }

    fn nonce(&self, at: At) -> Option<Box<str>> {
        let known = self.slot(at).lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slot(&self, at: At) -> &Mutex<Option<Box<str>>> {
        match at {
            At::AuthorizationServer => &self.authorization_server,
            At::Resource => &self.resource,
        }
    }
}

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proofs")
            .field("key", &self.signer.thumbprint())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::fixture::{NOW, claims_of};

    #[test]
    fn n7_4_nonces_of_the_two_sides_are_kept_apart() {
        let proofs = Proofs::new(Signer::generate().unwrap());
        let url = Url::parse("https://mcp.example.com/files").unwrap();
        let nonce = |at| {
            let proof = proofs.proof(at, "POST", &url, NOW, Some("t")).unwrap();
            let nonce = claims_of(proof.as_str()).get("nonce").cloned();
            nonce.and_then(|nonce| nonce.as_str().map(str::to_owned))
        };
        assert_eq!(nonce(At::Resource), None);
        proofs.hear(At::Resource, "rs-1");
        assert_eq!(nonce(At::Resource).as_deref(), Some("rs-1"));
        assert_eq!(nonce(At::AuthorizationServer), None);
        proofs.hear(At::AuthorizationServer, "as-1");
        assert_eq!(nonce(At::Resource).as_deref(), Some("rs-1"));
        assert_eq!(nonce(At::AuthorizationServer).as_deref(), Some("as-1"));
    }

    #[test]
    fn n7_4_a_nonce_that_is_none_is_not_repeated() {
        let proofs = Proofs::new(Signer::generate().unwrap());
        let long = "x".repeat(NONCE_MAX + 1);
        for nonce in ["", "a b", "a\"b", "a\\b", "a\r\nb", "\u{e9}", &long] {
            proofs.hear(At::Resource, nonce);
        }
        assert_eq!(proofs.nonce(At::Resource), None);
    }

    /// Two requests at once without a nonce: the first answer tells it, the second tells the same,
    /// and both may be asked again, once.
    #[test]
    fn n7_4_a_request_is_asked_again_if_its_own_nonce_was_not_the_one_that_is_known() {
        let proofs = Proofs::new(Signer::generate().unwrap());
        let url = Url::parse("https://mcp.example.com/files").unwrap();
        let proof = || proofs.proof(At::Resource, "POST", &url, NOW, None).unwrap();
        let (first, second) = (proof(), proof());
        assert!(!proofs.is_outdated(&first));
        proofs.hear(At::Resource, "rs-1");
        assert!(proofs.is_outdated(&first));
        proofs.hear(At::Resource, "rs-1");
        assert!(proofs.is_outdated(&second));
        assert!(!proofs.is_outdated(&proof()));
        proofs.hear(At::AuthorizationServer, "as-1");
        assert!(!proofs.is_outdated(&proof()));
    }
}
