//! How the gateway shows a provider who asks: a key, a bearer token, a token of Entra ID that it gets
//! itself, or a signature over each request. Nothing of a caller is ever shown.

use crate::secret::{Secret, SecretError};
use crate::small::hex;
use aws_lc_rs::hmac;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use identity::ServiceToken;
use std::fmt;

/// The header of a key of Azure AI services.
const AZURE_KEY: HeaderName = HeaderName::from_static("ocp-apim-subscription-key");
/// When a request was signed, in unix seconds, and the signature.
const TIMESTAMP: HeaderName = HeaderName::from_static("x-ringwall-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-ringwall-signature");

/// What the gateway shows.
pub(super) enum Credential {
    /// Nothing.
    Nothing,
    /// The same with every request.
    Fixed(HeaderName, HeaderValue),
    /// A token that is got when it is needed.
    Token(Box<ServiceToken>),
    /// A signature over the time and the body (HMAC with SHA-256).
    Signature(Box<hmac::Key>),
}

impl Credential {
    pub(super) fn azure_key(secret: &Secret) -> Result<Self, SecretError> {
        Ok(Credential::Fixed(AZURE_KEY, secret.header("")?))
    }

    pub(super) fn bearer(secret: &Secret) -> Result<Self, SecretError> {
        Ok(Credential::Fixed(AUTHORIZATION, secret.header("Bearer ")?))
    }

    pub(super) fn signature(secret: &Secret) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        Credential::Signature(Box::new(key))
    }

    /// The headers for this body at this time, in unix seconds; nothing if no token can be had.
    pub(super) async fn headers(
        &self,
        body: &Bytes,
        now: u64,
    ) -> Option<Vec<(HeaderName, HeaderValue)>> {
        Some(match self {
            Credential::Nothing => Vec::new(),
            Credential::Fixed(name, value) => vec![(name.clone(), value.clone())],
            Credential::Token(token) => {
                let bearer = token.bearer(now).await?;
                let mut value = HeaderValue::from_str(&bearer).ok()?;
                value.set_sensitive(true);
                vec![(AUTHORIZATION, value)]
            }
            Credential::Signature(key) => {
                let signature = format!("v1={}", signature(key, body, now));
                vec![
                    (TIMESTAMP, HeaderValue::from(now)),
                    (SIGNATURE, HeaderValue::from_str(&signature).ok()?),
                ]
            }
        })
    }

    /// Whether another one can be had after this one was turned down.
    pub(super) async fn renew(&self) -> bool {
        match self {
            Credential::Token(token) => {
                token.forget().await;
                true
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credential::Nothing => "Nothing",
            Credential::Fixed(..) => "Fixed",
            Credential::Token(_) => "Token",
            Credential::Signature(_) => "Signature",
        })
    }
}

/// What is signed: the time, a full stop, and the body as it is sent.
fn signature(key: &hmac::Key, body: &[u8], now: u64) -> String {
    let mut signing = hmac::Context::with_key(key);
    signing.update(now.to_string().as_bytes());
    signing.update(b".");
    signing.update(body);
    hex(signing.sign().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn secret() -> Secret {
        Secret::new("env:KEY", Zeroizing::new("hunter2".to_owned()))
    }

    #[tokio::test]
    async fn n6_3_each_kind_is_shown_in_its_own_header_and_never_in_debug() {
        let body = Bytes::from_static(b"{}");
        for (credential, expected) in [
            (Credential::Nothing, vec![]),
            (
                Credential::azure_key(&secret()).unwrap(),
                vec!["ocp-apim-subscription-key: hunter2".to_owned()],
            ),
            (
                Credential::bearer(&secret()).unwrap(),
                vec!["authorization: Bearer hunter2".to_owned()],
            ),
            (
                Credential::signature(&secret()),
                vec![
                    "x-ringwall-timestamp: 1000".to_owned(),
                    // printf '1000.{}' | openssl dgst -sha256 -hmac hunter2
                    "x-ringwall-signature: v1=ddd77c20601bc19bfe21b8e6ec79f0803659ad3d64774d317b46a6062fe16e48".to_owned(),
                ],
            ),
        ] {
            let headers = credential.headers(&body, 1000).await.unwrap();
            let shown: Vec<_> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            assert_eq!(shown, expected);
            let debug = format!("{credential:?} {headers:?}");
            assert!(!debug.contains("hunter2"), "{debug}");
            assert!(!credential.renew().await);
        }
    }
}
