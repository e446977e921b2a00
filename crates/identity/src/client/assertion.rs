//! Client authentication with a key (RFC 7523, sections 2.2 and 3): a short assertion, signed anew
//! for each request, that the authorization server can use once. The key is the operator's; it is
//! never shown and leaves only as its public half.

use super::{ClientError, Outside};
use crate::{Algorithm, SigningError, SigningKey, base64url};
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::fmt;
use zeroize::Zeroizing;

/// How long an assertion is good, in seconds.
const LIFETIME_S: u64 = 60;

/// Whom an assertion names as the one it is for, and with that what it says it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer of the authorization server, and nothing else: what current guidance asks for
    /// (draft-ietf-oauth-rfc7523bis), because an endpoint that metadata lies about would make
    /// the assertion good at another server. Its type says that it is a client's, so that it can
    /// be taken for nothing else.
    #[default]
    Issuer,
    /// The token endpoint, and a type that says nothing, for servers that accept no other. Entra ID
    /// documents these.
    TokenEndpoint,
}

/// The private key of a client.
pub struct ClientKey {
    key: Key,
    id: String,
    certificate: Option<String>,
    audience: AssertionAudience,
}

enum Key {
    Ec(SigningKey),
    Rsa(RsaKeyPair),
}

/// Why a key is not one that clients can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeyError {
    /// Not PEM, or not a PKCS#8 document.
    #[error("the key is not a PKCS#8 document in PEM form (`BEGIN PRIVATE KEY`)")]
    Form,
    /// A certificate stands beside the key and is not its own.
    #[error("the certificate beside the key is not one of that key")]
    Certificate,
    /// Another kind of key.
    #[error("the key is neither P-256 nor RSA with 2048 to 8192 bits")]
    Kind,
}

impl ClientKey {
    /// The key in this PKCS#8 document in PEM form. Its id is the one the authorization server
    /// knows it by; not said, a name that follows from the key. Where its certificate stands in the
    /// same text, the first one of a chain, assertions name that, too (RFC 7515, section 4.1.8).
    pub fn from_pem(pem: &str, id: Option<&str>) -> Result<Self, ClientKeyError> {
        let document = section(pem, "PRIVATE KEY")?.ok_or(ClientKeyError::Form)?;
        let key = ClientKey::from_pkcs8(&document, id)?;
        match section(pem, "CERTIFICATE")? {
            Some(certificate) => key.with_certificate(&certificate),
            None => Ok(key),
        }
    }

    /// The key in this PKCS#8 document.
    pub fn from_pkcs8(document: &[u8], id: Option<&str>) -> Result<Self, ClientKeyError> {
        let ec = SigningKey::from_pkcs8(document).map(Key::Ec);
        let key = ec.or_else(|_not_p256| RsaKeyPair::from_pkcs8(document).map(Key::Rsa));
        let key = key.map_err(|_rejected| ClientKeyError::Kind)?;
        let id = match id {
            Some(id) => id.to_owned(),
            None => key.thumbprint(),
        };
        Ok(ClientKey {
            key,
            id,
            certificate: None,
            audience: AssertionAudience::Issuer,
        })
    }

    /// The same key, which the authorization server knows by this certificate, in DER form. Whose the
    /// certificate is, is for that server to say; only that it is of this key is seen to here.
    fn with_certificate(mut self, der: &[u8]) -> Result<Self, ClientKeyError> {
        let public = self.key.public_bytes();
        if !der.windows(public.len()).any(|part| part == public) {
            return Err(ClientKeyError::Certificate);
        }
        let digest = digest::digest(&digest::SHA256, der);
        self.certificate = Some(base64url::encode(digest.as_ref()));
        Ok(self)
    }

    /// The same key, whose assertions name this audience.
    #[must_use]
    pub fn with_audience(mut self, audience: AssertionAudience) -> Self {
        self.audience = audience;
        self
    }

    /// The public half, for the key set that we publish.
    pub fn public_jwk(&self) -> Value {
        let mut members = self.key.public_jwk();
        let mut say = |name: &str, value: &str| members.insert(name.to_owned(), json!(value));
        say("kid", &self.id);
        say("alg", self.algorithm().name());
        say("use", "sig");
        Value::Object(members)
    }

    /// The algorithm it signs with.
    pub fn algorithm(&self) -> Algorithm {
        match self.key {
            Key::Ec(_) => Algorithm::Es256,
            Key::Rsa(_) => Algorithm::Ps256,
        }
    }

    /// An assertion that this client makes this one request of this authorization server.
    pub(crate) fn assertion(
        &self,
        client_id: &str,
        server: &super::AuthorizationServer,
        outside: Outside<'_>,
    ) -> Result<Zeroizing<String>, ClientError> {
        let algorithm = self
            .algorithm_for(server)
            .ok_or(ClientError::Authentication)?;
        let audience = match self.audience {
            AssertionAudience::Issuer => server.issuer(),
            AssertionAudience::TokenEndpoint => server.token_endpoint()?.as_str(),
        };
        let bits = outside.entropy.bits()?;
        Ok(self.assert(client_id, (algorithm, audience), &bits, outside.now)?)
    }

    /// The assertion of this client for this audience, signed so, with these bits for its name.
    pub(crate) fn assert(
        &self,
        client_id: &str,
        (algorithm, audience): (Algorithm, &str),
        bits: &[u8; 32],
        now: u64,
    ) -> Result<Zeroizing<String>, SigningError> {
        // Its type says for whom it is, as its audience does.
        let typ = match self.audience {
            AssertionAudience::Issuer => "client-authentication+jwt",
            AssertionAudience::TokenEndpoint => "JWT",
        };
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!(typ));
        header.insert("alg".to_owned(), json!(algorithm.name()));
        header.insert("kid".to_owned(), json!(self.id));
        if let Some(certificate) = &self.certificate {
            header.insert("x5t#S256".to_owned(), json!(certificate));
        }
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": audience,
            "jti": base64url::encode(bits),
            "iat": now, "exp": now.saturating_add(LIFETIME_S),
        });
        let header = Value::Object(header).to_string();
        let assertion = self.key.sign(algorithm, &header, &claims.to_string())?;
        Ok(Zeroizing::new(assertion))
    }

    /// The algorithm to sign with for this server; nothing if it takes none of ours.
    pub(crate) fn algorithm_for(&self, server: &super::AuthorizationServer) -> Option<Algorithm> {
        let ours: &[Algorithm] = match self.key {
            Key::Ec(_) => &[Algorithm::Es256],
            Key::Rsa(_) => &[Algorithm::Ps256, Algorithm::Rs256],
        };
        let mut ours = ours.iter().copied();
        ours.find(|algorithm| server.takes_assertions_of(algorithm.name()))
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// What stands between the lines of this section of a PEM text, the first one of its name.
fn section(pem: &str, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ClientKeyError> {
    let Some((_, rest)) = pem.split_once(&format!("-----BEGIN {name}-----")) else {
        return Ok(None);
    };
    let (body, _) = rest
        .split_once(&format!("-----END {name}-----"))
        .ok_or(ClientKeyError::Form)?;
    let mut compact = Zeroizing::new(String::with_capacity(body.len()));
    compact.extend(body.split_ascii_whitespace());
    let document = STANDARD.decode(compact.as_bytes());
    let document = document.map_err(|_not_base64| ClientKeyError::Form)?;
    Ok(Some(Zeroizing::new(document)))
}

impl Key {
    /// The public half as it stands in a certificate of it: a point, or an `RSAPublicKey`.
    fn public_bytes(&self) -> &[u8] {
        match self {
            Key::Ec(key) => key.public_point(),
            Key::Rsa(key) => key.public_key().as_ref(),
        }
    }

    fn sign(
        &self,
        algorithm: Algorithm,
        header: &str,
        claims: &str,
    ) -> Result<String, SigningError> {
        let key = match self {
            Key::Ec(key) => return key.sign(header, claims),
            Key::Rsa(key) => key,
        };
        let header = base64url::encode(header.as_bytes());
        let signed = format!("{header}.{}", base64url::encode(claims.as_bytes()));
        let padding: &'static dyn RsaEncoding = match algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_SHA256,
            _ => &RSA_PSS_SHA256,
        };
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            padding,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .map_err(|_unspecified| SigningError::Signing)?;
        Ok(format!("{signed}.{}", base64url::encode(&signature)))
    }

    fn public_jwk(&self) -> Map<String, Value> {
        let jwk = match self {
            Key::Ec(key) => key.public_jwk(),
            Key::Rsa(key) => {
                let key = key.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                let n = base64url::encode(n.big_endian_without_leading_zero());
                let e = base64url::encode(e.big_endian_without_leading_zero());
                json!({"kty": "RSA", "n": n, "e": e})
            }
        };
        match jwk {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    fn thumbprint(&self) -> String {
        match self {
            Key::Ec(key) => key.thumbprint().to_owned(),
            // RFC 7638: the required members in the order of their names.
            Key::Rsa(_) => {
                let jwk = self.public_jwk();
                let member = |name: &str| jwk.get(name).cloned().unwrap_or_default();
                let canonical =
                    format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, member("e"), member("n"));
                base64url::encode(&crate::caller::token_digest(&canonical))
            }
        }
    }
}
