//! The checks of a proof that came with a request (RFC 9449, section 4.3), each of them, in an order
//! that spends a signature check on nothing that is wrong anyway.

use super::{NonceError, Nonces, PROOF_TYPE, ProofError, Target};
use crate::jws::Compact;
use crate::keys::VerificationKey;
use crate::possession::Thumbprint;
use crate::token::REFUSED;
use crate::{Algorithm, base64url, members};
use aws_lc_rs::digest;
use serde_json::{Map, Value};

/// The largest proof that is looked at, in bytes: one with an RSA key of 8192 bits is half as large.
pub const PROOF_MAX: usize = 8 * 1024;

/// The longest `jti`, in bytes.
pub const ID_MAX: usize = 256;

/// Which proofs are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The algorithms they may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// How long ago one may have been made, in seconds.
    pub age_s: u64,
    /// How far in the future one may have been made, in seconds: clocks differ.
    pub skew_s: u64,
    /// Whether they carry a nonce of ours.
    pub nonce: NonceRule,
    /// How long a nonce is good, in seconds.
    pub nonce_age_s: u64,
}

/// Whether proofs carry a nonce of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceRule {
    /// None is handed out, and none is looked at.
    Off,
    /// It need not, but a nonce that is there is good.
    Offered,
    /// Always.
    Required,
}

/// What a proof has to be made for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The URL, as the client sees it.
    pub target: &'a Target,
    /// SHA-256 of the access token.
    pub token: &'a [u8; 32],
    /// The key the token is bound to.
    pub key: &'a Thumbprint,
    /// Since when used proofs are remembered, in unix seconds. One that was made before, and has no nonce
    /// to say otherwise, may have been used before.
    pub since_s: u64,
}

/// What a proof has to be made for that comes with a request for tokens.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a str,
    /// The URL, as the client sees it.
    pub target: &'a Target,
    /// Since when used proofs are remembered, in unix seconds.
    pub since_s: u64,
}

/// A proof that is right in itself. It proves nothing if it came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// SHA-256 of its `jti`, which is unique to its key.
    pub id: [u8; 32],
    /// When it stops being accepted, in unix seconds: until then its id is to be remembered.
    pub until_s: u64,
}

/// The proof of a request, from the values of its `DPoP` headers, if it is right now.
pub fn verify<'a>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    request: &Request<'_>,
    rules: &Rules,
    nonces: &Nonces,
    now: u64,
) -> Result<Proof, ProofError> {
    let asked = Asked {
        method: request.method,
        target: request.target,
        since_s: request.since_s,
    };
    let wanted = Some((request.token, request.key));
    let (proof, _) = checked(headers, &asked, wanted, rules, nonces, now)?;
    Ok(proof)
}

/// The proof of a request for tokens (section 5), and the key that they are to be bound to. There is no
/// token yet that it could name, and no key that it has to be made with.
pub fn shown<'a>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    asked: &Asked<'_>,
    rules: &Rules,
    nonces: &Nonces,
    now: u64,
) -> Result<(Proof, Thumbprint), ProofError> {
    checked(headers, asked, None, rules, nonces, now)
}

/// The token and the key that a proof is for.
type Wanted<'a> = Option<(&'a [u8; 32], &'a Thumbprint)>;

fn checked<'a>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    request: &Asked<'_>,
    wanted: Wanted<'_>,
    rules: &Rules,
    nonces: &Nonces,
    now: u64,
) -> Result<(Proof, Thumbprint), ProofError> {
    let proof = only(headers)?;
    let jws = Compact::split(proof).map_err(ProofError::Malformed)?;
    let header = members::object(&jws.header);
    let header = header.ok_or(ProofError::Malformed("the header is not a strict object"))?;
    let (algorithm, jwk) = read_header(&header, rules)?;
    if jws.signature.is_empty() {
        return Err(ProofError::Malformed("not signed"));
    }
    let claims = members::object(&jws.payload);
    let claims = claims.ok_or(ProofError::Malformed("the payload is not a strict object"))?;
    let token = wanted.map(|(token, _)| token);
    let proof = read_claims(&claims, request, token, rules, now)?;
    if check_nonce(&claims, rules, nonces, now)? == Dated::ByTheClient {
        // A client's clock may be ahead of ours by as much as is let pass.
        let made = proof.until_s.saturating_sub(rules.age_s + 1);
        if made < request.since_s.saturating_add(rules.skew_s) {
            return Err(match rules.nonce {
                NonceRule::Off => ProofError::Stale,
                NonceRule::Offered | NonceRule::Required => NonceError::Missing.into(),
            });
        }
    }
    let key = VerificationKey::shown(jwk, algorithm).ok_or(ProofError::Key)?;
    let shown = Thumbprint::of_key(jwk).ok_or(ProofError::Key)?;
    if wanted.is_some_and(|(_, key)| shown != *key) {
        return Err(ProofError::OtherKey);
    }
    if !key.verifies(jws.signed.as_bytes(), &jws.signature) {
        return Err(ProofError::Signature);
    }
    Ok((proof, shown))
}

/// The one proof there is.
fn only<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Result<&'a str, ProofError> {
    let mut headers = headers.into_iter();
    let proof = headers.next().ok_or(ProofError::Missing)?;
    if headers.next().is_some() {
        return Err(ProofError::Repeated);
    }
    if proof.len() > PROOF_MAX {
        return Err(ProofError::Size);
    }
    std::str::from_utf8(proof).map_err(|_not_text| ProofError::Malformed("not text"))
}

/// The algorithm and the key. The key is in the proof itself and nowhere else: `kid` names nothing
/// here, and what would lead to another key is refused.
fn read_header<'a>(
    header: &'a Map<String, Value>,
    rules: &Rules,
) -> Result<(Algorithm, &'a Map<String, Value>), ProofError> {
    let mut refused = REFUSED.into_iter().filter(|name| *name != "jwk");
    if let Some(name) = refused.find(|name| header.contains_key(*name)) {
        return Err(ProofError::Header(name));
    }
    let text = |name| header.get(name).and_then(Value::as_str);
    // Types are compared without regard to case (RFC 7515, section 4.1.9).
    let typ = text("typ").ok_or(ProofError::Type)?;
    if !typ.eq_ignore_ascii_case(PROOF_TYPE) {
        return Err(ProofError::Type);
    }
    let algorithm = text("alg").ok_or(ProofError::Header("alg"))?;
    let algorithm = Algorithm::named(algorithm).ok_or(ProofError::Algorithm)?;
    if !rules.algorithms.contains(&algorithm) {
        return Err(ProofError::Algorithm);
    }
    let jwk = header.get("jwk").and_then(Value::as_object);
    Ok((algorithm, jwk.ok_or(ProofError::Header("jwk"))?))
}

fn read_claims(
    claims: &Map<String, Value>,
    request: &Asked<'_>,
    token: Option<&[u8; 32]>,
    rules: &Rules,
    now: u64,
) -> Result<Proof, ProofError> {
    let text = |name| {
        let text = claims.get(name).and_then(Value::as_str);
        text.ok_or(ProofError::Claim(name))
    };
    let id = text("jti")?;
    if id.is_empty() || id.len() > ID_MAX {
        return Err(ProofError::Claim("jti"));
    }
    // Methods are compared with regard to case (RFC 9110, section 9.1).
    if text("htm")? != request.method {
        return Err(ProofError::Method);
    }
    if !request.target.is_named(text("htu")?) {
        return Err(ProofError::Url);
    }
    if let Some(token) = token
        && text("ath")? != base64url::encode(token)
    {
        return Err(ProofError::OtherToken);
    }
    let made = claims.get("iat").and_then(Value::as_u64);
    let made = made.ok_or(ProofError::Claim("iat"))?;
    if made > now.saturating_add(rules.skew_s) {
        return Err(ProofError::Future);
    }
    let until_s = made.saturating_add(rules.age_s);
    if now > until_s {
        return Err(ProofError::Stale);
    }
    let id = digest::digest(&digest::SHA256, id.as_bytes());
    Ok(Proof {
        id: crate::audience::sha_256(id.as_ref()),
        // In its last second it is still accepted.
        until_s: until_s.saturating_add(1),
    })
}

/// Who says when a proof was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dated {
    /// Whoever made it.
    ByTheClient,
    /// We: it has a nonce of ours.
    ByUs,
}

fn check_nonce(
    claims: &Map<String, Value>,
    rules: &Rules,
    nonces: &Nonces,
    now: u64,
) -> Result<Dated, ProofError> {
    let nonce = match claims.get("nonce") {
        None => None,
        Some(nonce) => Some(nonce.as_str().ok_or(ProofError::Claim("nonce"))?),
    };
    match (rules.nonce, nonce) {
        (NonceRule::Off, _) | (NonceRule::Offered, None) => Ok(Dated::ByTheClient),
        (NonceRule::Required, None) => Err(NonceError::Missing.into()),
        (_, Some(nonce)) => {
            nonces.check(nonce, now, rules.nonce_age_s)?;
            Ok(Dated::ByUs)
        }
    }
}

#[cfg(test)]
mod tests;
