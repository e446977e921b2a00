//! What a provider of Entra ID's shape believes: a client that signs with the key of a certificate it
//! registered, as it is documented (PS256, `x5t#S256`, the token endpoint as audience), and the token
//! of a person for the API that asks on their behalf.

use super::{API, API_URI};
use crate::certificates::Identity;
use crate::issuer::encoded;
use crate::place;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The client by whose certificate the gateway is known.
const CLIENT: &str = "ringwall";

/// A certificate that was registered.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    thumbprint: String,
    public: Vec<u8>,
}

impl Certificate {
    pub(super) fn of(identity: &Identity) -> Self {
        Certificate {
            thumbprint: encoded(digest(&SHA256, &identity.der)),
            public: identity.public_key().to_vec(),
        }
    }

    /// Something, if its client made this assertion for this token endpoint and for now.
    pub(super) fn made(&self, assertion: &str, endpoint: &str) -> Option<()> {
        let (header, claims, signed, signature) = read(assertion)?;
        let known = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let is_known = |name: &str| header.get(name) == known.get(name);
        let expected = [("iss", CLIENT), ("sub", CLIENT), ("aud", endpoint)];
        let is_ours = expected
            .iter()
            .all(|(name, value)| says(&claims, name, value));
        let is_good = ["alg", "typ", "x5t#S256"].into_iter().all(is_known)
            && is_ours
            && claims.get("jti").is_some_and(Value::is_string)
            && claims.get("exp")?.as_u64()? > place::now();
        let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &self.public);
        key.verify(signed.as_bytes(), &signature).ok()?;
        is_good.then_some(())
    }
}

/// The person of this tenant that a token for the API is of, if it is signed with this key.
pub(super) fn person(token: &str, key: &Value, tenant: &str) -> Option<String> {
    let (_, claims, signed, signature) = read(token)?;
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok();
    let (n, e) = (number("n")?, number("e")?);
    let key = RsaPublicKeyComponents { n, e };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .ok()?;
    let is_for_us = [API, API_URI].iter().any(|name| says(&claims, "aud", name));
    let is_good = is_for_us
        && says(&claims, "tid", tenant)
        && claims.get("scp").is_some_and(Value::is_string);
    let person = claims.get("oid")?.as_str()?.to_owned();
    (is_good && claims.get("exp")?.as_u64()? > place::now()).then_some(person)
}

fn says(claims: &Value, name: &str, value: &str) -> bool {
    claims.get(name).and_then(Value::as_str) == Some(value)
}

/// Whether whoever this token is of has logged in in this authentication context (`acrs`).
pub(super) fn is_within(token: &str, context: &str) -> bool {
    let claims = read(token).map(|(_, claims, _, _)| claims);
    let contexts = claims.as_ref().and_then(|claims| claims.get("acrs"));
    let mut contexts = contexts.and_then(Value::as_array).into_iter().flatten();
    contexts.any(|held| held.as_str() == Some(context))
}

/// The header, the claims, what is signed, and the signature.
fn read(token: &str) -> Option<(Value, Value, &str, Vec<u8>)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let json = |text: &str| serde_json::from_slice(&part(text)?).ok();
    Some((json(header)?, json(claims)?, signed, part(signature)?))
}
