//! Public keys of an issuer (RFC 7517) and what they say of a signature. A key is for one
//! algorithm and is found by its id; nothing a token carries ever becomes a key.

use crate::{Algorithm, base64url, members};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// The largest key set that is read, in bytes.
pub(crate) const KEY_SET_MAX: usize = 256 * 1024;

/// The most keys a set may have.
const KEYS_MAX: usize = 64;

/// The most bytes of an RSA exponent: larger ones only make verification slow.
const EXPONENT_MAX: usize = 4;

/// The keys an issuer publishes.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    keys: Vec<Arc<VerificationKey>>,
}

/// One key for one algorithm.
pub(crate) struct VerificationKey {
    id: Option<Box<str>>,
    algorithm: Algorithm,
    material: [u8; 32],
    key: ParsedPublicKey,
}

impl KeySet {
    /// The keys of a JWK set that could verify a token. Keys for other purposes and of other kinds
    /// are left out; they are no reason to refuse those we need.
    #[cfg(test)]
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        KeySet::of(body, |_| true)
    }

    /// The same, without keys that say they are of an issuer that is not ours.
    pub(crate) fn of(body: &[u8], is_ours: impl Fn(&str) -> bool) -> Option<Self> {
        if body.len() > KEY_SET_MAX {
            return None;
        }
        let mut set = members::object(body)?;
        let Some(Value::Array(entries)) = set.remove("keys") else {
            return None;
        };
        if entries.len() > KEYS_MAX {
            return None;
        }
        let ours = |jwk: &&Map<String, Value>| match jwk.get("issuer") {
            None => true,
            Some(issuer) => issuer.as_str().is_some_and(&is_ours),
        };
        let keys = entries.iter().filter_map(Value::as_object).filter(ours);
        let keys = keys.flat_map(VerificationKey::read).map(Arc::new).collect();
        Some(KeySet { keys })
    }

    /// The one key with this id for this algorithm. A token without a key id can mean only one
    /// key; two keys that fit are none, because trying keys in turn lets a token choose.
    pub(crate) fn pick(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Option<&Arc<VerificationKey>> {
        let fits = |key: &&Arc<VerificationKey>| {
            key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id)
        };
        let mut fitting = self.keys.iter().filter(fits);
        let key = fitting.next()?;
        fitting.next().is_none().then_some(key)
    }

    /// Whether there is no key at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether every key of this set is in the other one as well.
    pub(crate) fn is_within(&self, other: &KeySet) -> bool {
        let there = |key: &Arc<VerificationKey>| other.keys.iter().any(|held| held.is_same(key));
        self.keys.iter().all(there)
    }
}

impl VerificationKey {
    /// Whether this is the signature of these bytes.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(signed, signature).is_ok()
    }

    /// The key of a JWK that came with what it signed (RFC 9449, section 4.2), for this algorithm: a
    /// public key, meant for signatures, and of the algorithm's own kind.
    pub(crate) fn shown(jwk: &Map<String, Value>, algorithm: Algorithm) -> Option<Self> {
        // A number has one spelling, or one key would have several thumbprints.
        let padded = |name| match jwk.get(name).and_then(Value::as_str) {
            Some(number) => base64url::decode(number).is_none_or(|it| it.first() == Some(&0)),
            None => false,
        };
        if padded("n") || padded("e") {
            return None;
        }
        allows(jwk, algorithm).then(|| VerificationKey::of(jwk, None, algorithm))?
    }

    /// The key for each algorithm that this JWK may verify.
    fn read(jwk: &Map<String, Value>) -> Vec<Self> {
        let Ok(id) = optional_text(jwk, "kid") else {
            return Vec::new();
        };
        let wanted = Algorithm::ALL.into_iter();
        wanted
            .filter(|algorithm| allows(jwk, *algorithm))
            .filter_map(|algorithm| VerificationKey::of(jwk, id, algorithm))
            .collect()
    }

    fn of(jwk: &Map<String, Value>, id: Option<&str>, algorithm: Algorithm) -> Option<Self> {
        let number = |name| base64url::decode(jwk.get(name)?.as_str()?);
        let (material, key) = match algorithm {
            Algorithm::EdDsa => {
                let x = number("x").filter(|x| x.len() == 32)?;
                let key = ParsedPublicKey::new(&ED25519, &x).ok()?;
                (x, key)
            }
            Algorithm::Es256 => {
                let x = number("x").filter(|x| x.len() == 32)?;
                let y = number("y").filter(|y| y.len() == 32)?;
                let point = [&[4], x.as_slice(), &y].concat();
                let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).ok()?;
                (point, key)
            }
            Algorithm::Ps256 => rsa(number("n")?, number("e")?, &RSA_PSS_2048_8192_SHA256)?,
            Algorithm::Rs256 => rsa(number("n")?, number("e")?, &RSA_PKCS1_2048_8192_SHA256)?,
        };
        let material = digest::digest(&digest::SHA256, &material);
        Some(VerificationKey {
            id: id.map(Into::into),
            algorithm,
            material: crate::audience::sha_256(material.as_ref()),
            key,
        })
    }

    fn is_same(&self, other: &VerificationKey) -> bool {
        self.id == other.id && self.algorithm == other.algorithm && self.material == other.material
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// An RSA key of 2048 to 8192 bits with an odd, small exponent.
fn rsa(
    n: Vec<u8>,
    e: Vec<u8>,
    parameters: &'static RsaParameters,
) -> Option<(Vec<u8>, ParsedPublicKey)> {
    let bits = n.len().checked_mul(8)?.checked_sub(match n.first()? {
        0 => return None,
        first => usize::try_from(first.leading_zeros()).ok()?,
    })?;
    let odd = e.last().is_some_and(|last| last & 1 == 1);
    let fits = (2048..=8192).contains(&bits) && odd && e.len() <= EXPONENT_MAX && e != [1];
    if !fits {
        return None;
    }
    let material = [n.as_slice(), &e].concat();
    let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters);
    Some((material, key.ok()?))
}

/// Whether a JWK is a public key that may verify signatures of this algorithm.
fn allows(jwk: &Map<String, Value>, algorithm: Algorithm) -> bool {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    // A private or a shared key in a public place is nobody's key any more.
    let is_secret = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]
        .iter()
        .any(|name| jwk.contains_key(*name));
    let fits = match algorithm {
        Algorithm::Es256 => (text("kty"), text("crv")) == (Some("EC"), Some("P-256")),
        Algorithm::EdDsa => (text("kty"), text("crv")) == (Some("OKP"), Some("Ed25519")),
        Algorithm::Ps256 | Algorithm::Rs256 => (text("kty"), text("crv")) == (Some("RSA"), None),
    };
    let named = match optional_text(jwk, "alg") {
        Ok(None) => true,
        Ok(Some(name)) => Algorithm::named(name) == Some(algorithm),
        Err(NotText) => false,
    };
    fits && named && !is_secret && is_for_signatures(jwk)
}

/// `use` and `key_ops`, where they are there, allow verification.
fn is_for_signatures(jwk: &Map<String, Value>) -> bool {
    let used = jwk.get("use").is_none_or(|used| used == "sig");
    let operations = jwk.get("key_ops").is_none_or(|operations| {
        let listed = operations.as_array();
        listed.is_some_and(|listed| listed.iter().any(|operation| operation == "verify"))
    });
    used && operations
}

struct NotText;

fn optional_text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, NotText> {
    match jwk.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(NotText),
    }
}

#[cfg(test)]
mod tests;
