//! Signing keys of the kinds tokens are signed with, and their public halves as JWKs.

use super::encoded;
use anyhow::{Result, anyhow, bail};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// P-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA with 2048 bits, for RS256 and PS256.
    Rsa,
}

/// A key with its `kid`.
#[derive(Clone, Debug)]
pub struct Key {
    name: String,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Es256(Arc<EcdsaKeyPair>),
    EdDsa(Arc<Ed25519KeyPair>),
    Rsa(Arc<RsaKeyPair>),
    Hmac(Vec<u8>),
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Pair::Es256(_) => "Es256",
            Pair::EdDsa(_) => "EdDsa",
            Pair::Rsa(_) => "Rsa",
            Pair::Hmac(_) => "Hmac",
        })
    }
}

impl Key {
    /// A fresh key.
    pub fn generate(kind: Kind, name: &str) -> Result<Self> {
        let failed = |_| anyhow!("the key could not be made");
        let pair = match kind {
            Kind::Es256 => Pair::Es256(Arc::new(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?,
            )),
            Kind::EdDsa => Pair::EdDsa(Arc::new(Ed25519KeyPair::generate().map_err(failed)?)),
            Kind::Rsa => Pair::Rsa(Arc::new(
                RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?,
            )),
        };
        Ok(Key {
            name: name.to_owned(),
            pair,
        })
    }

    /// A shared secret, as in the attack that signs with the public key's bytes.
    pub fn shared_secret(name: &str, secret: &[u8]) -> Self {
        Key {
            name: name.to_owned(),
            pair: Pair::Hmac(secret.to_vec()),
        }
    }

    /// Its `kid`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The algorithm it is usually used with.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::EdDsa(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
            Pair::Hmac(_) => "HS256",
        }
    }

    /// The signature of `input`, by an algorithm this key can do.
    pub fn sign(&self, algorithm: &str, input: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match (&self.pair, algorithm) {
            (Pair::Es256(pair), _) => Ok(pair.sign(&random, input)?.as_ref().to_vec()),
            (Pair::EdDsa(pair), _) => Ok(pair.sign(input).as_ref().to_vec()),
            (Pair::Hmac(secret), _) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                Ok(hmac::sign(&key, input).as_ref().to_vec())
            }
            (Pair::Rsa(pair), "RS256" | "PS256") => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding = if algorithm == "RS256" {
                    &RSA_PKCS1_SHA256
                } else {
                    &RSA_PSS_SHA256
                };
                pair.sign(padding, &random, input, &mut signature)?;
                Ok(signature)
            }
            (pair, _) => bail!("{pair:?} cannot do {algorithm}"),
        }
    }

    /// The public half. A shared secret has none.
    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref().split_at(1).1.split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y),
                        "kid": self.name, "use": "sig", "alg": "ES256" })
            }
            Pair::EdDsa(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key()),
                        "kid": self.name, "use": "sig", "alg": "EdDSA" })
            }
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let number = |bytes: &[u8]| encoded(bytes);
                json!({ "kty": "RSA", "n": number(public.modulus().big_endian_without_leading_zero()),
                        "e": number(public.exponent().big_endian_without_leading_zero()),
                        "kid": self.name, "use": "sig" })
            }
            Pair::Hmac(_) => Value::Null,
        }
    }
}
