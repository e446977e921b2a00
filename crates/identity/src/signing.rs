//! One ES256 key of our own: what it signs, and how others name its public half. The private half
//! leaves only as a document that is to be kept, and never in a `Debug`.

use crate::base64url;
use crate::possession;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::fmt;
use zeroize::Zeroizing;

/// An ES256 key (RFC 7518, section 3.4) with its public half as a JWK writes it.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    x: String,
    y: String,
    thumbprint: String,
}

/// Why there is no key, or no signature of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// Not the key of an ES256 signer.
    #[error("the key is not a PKCS#8 document of a P-256 key")]
    Key,
    /// The system gave no random bits.
    #[error("no key or signature could be made")]
    Signing,
}

impl SigningKey {
    /// A new key, from the operating system's random bits.
    pub fn generate() -> Result<Self, SigningError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_unspecified| SigningError::Signing)?;
        SigningKey::with(pair)
    }

    /// A key that was kept.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, SigningError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document)
            .map_err(|_rejected| SigningError::Key)?;
        SigningKey::with(pair)
    }

    /// The key, to be kept. Wiped when dropped.
    pub fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        let document = self.pair.to_pkcs8v1();
        let document = document.map_err(|_unspecified| SigningError::Signing)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The public half: `kty`, `crv`, `x` and `y`, and no other member.
    pub fn public_jwk(&self) -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y})
    }

    /// The public half as a point that is not compressed (SEC 1, section 2.3.3).
    pub(crate) fn public_point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The name that RFC 7638 gives the key, wherever it is computed.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The compact JWS of this header and this payload. The header is to say `ES256`.
    pub fn sign(&self, header: &str, payload: &str) -> Result<String, SigningError> {
        let header = base64url::encode(header.as_bytes());
        let signed = format!("{header}.{}", base64url::encode(payload.as_bytes()));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_unspecified| SigningError::Signing)?;
        let signature = base64url::encode(signature.as_ref());
        Ok(format!("{signed}.{signature}"))
    }

    fn with(pair: EcdsaKeyPair) -> Result<Self, SigningError> {
        let point = pair.public_key().as_ref();
        let point = point.strip_prefix(&[4]).filter(|point| point.len() == 64);
        let (x, y) = point.ok_or(SigningError::Key)?.split_at(32);
        let (x, y) = (base64url::encode(x), base64url::encode(y));
        let thumbprint = possession::of_p256(&x, &y);
        Ok(SigningKey {
            pair,
            x,
            y,
            thumbprint,
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}
