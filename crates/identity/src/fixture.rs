//! Issuers for tests: signers of every algorithm, and a provider whose answers are a table and
//! whose every question is counted. Time stands still unless a test moves it.

use crate::development::{DevelopmentClaims, DevelopmentIssuer};
use crate::{
    Algorithm, Audience, BoxFuture, Caller, Fetch, FetchError, Fetched, IssuerRules, Issuers,
    Outbound, TokenError, base64url,
};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use tokio::sync::Semaphore;

/// The time of every test, unless it says otherwise.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const RESOURCE: &str = "https://mcp.example.com/files";
pub(crate) const KEYS: &str = "https://id.example.com/keys";
pub(crate) const METADATA: &str = "https://id.example.com/.well-known/oauth-authorization-server";
pub(crate) const OIDC_METADATA: &str = "https://id.example.com/.well-known/openid-configuration";

/// A private key of any kind.
pub(crate) enum Signer {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// Making an RSA key takes long, so all tests share one of each kind.
pub(crate) static EC: LazyLock<Signer> = LazyLock::new(Signer::ec);
pub(crate) static ED: LazyLock<Signer> =
    LazyLock::new(|| Signer::Ed(Ed25519KeyPair::generate().unwrap()));
pub(crate) static RSA: LazyLock<Signer> =
    LazyLock::new(|| Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));

impl Signer {
    pub(crate) fn ec() -> Self {
        Signer::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn public_jwk(&self, id: &str) -> Value {
        let text = base64url::encode;
        match self {
            Signer::Ec(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (text(&point[1..33]), text(&point[33..65]));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id, "use": "sig"})
            }
            Signer::Ed(key) => {
                let x = text(key.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": id, "use": "sig"})
            }
            Signer::Rsa(key) => {
                let n = text(key.public_key().modulus().big_endian_without_leading_zero());
                let e = text(
                    key.public_key()
                        .exponent()
                        .big_endian_without_leading_zero(),
                );
                json!({"kty": "RSA", "n": n, "e": e, "kid": id, "use": "sig"})
            }
        }
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, signed: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match (self, algorithm) {
            (Signer::Ec(key), _) => key.sign(&random, signed).unwrap().as_ref().to_vec(),
            (Signer::Ed(key), _) => key.sign(signed).as_ref().to_vec(),
            (Signer::Rsa(key), algorithm) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                key.sign(padding, &random, signed, &mut signature).unwrap();
                signature
            }
        }
    }

    /// A token with this header and payload, signed as the header says or as ES256.
    pub(crate) fn token(&self, header: &Value, payload: &Value) -> String {
        self.token_of(&header.to_string(), &payload.to_string())
    }

    pub(crate) fn token_of(&self, header: &str, payload: &str) -> String {
        let named: Option<Value> = serde_json::from_str(header).ok();
        let named = named.as_ref().and_then(|header| header["alg"].as_str());
        let algorithm = named.and_then(Algorithm::named).unwrap_or(Algorithm::Es256);
        let signed = spelt(header, payload);
        let signature = base64url::encode(&self.sign(algorithm, signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

pub(crate) fn spelt(header: &str, payload: &str) -> String {
    let part = |text: &str| base64url::encode(text.as_bytes());
    format!("{}.{}", part(header), part(payload))
}

pub(crate) fn header(algorithm: Algorithm, key: &str) -> Value {
    json!({"alg": algorithm.name(), "typ": "at+jwt", "kid": key})
}

/// The claims of a good token.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "alice", "client_id": "editor",
        "iat": NOW - 10, "exp": NOW + 600, "jti": "t-1", "scope": "mcp:tools",
    })
}

/// A good token, signed by the EC key.
pub(crate) fn good_token() -> String {
    EC.token(&header(Algorithm::Es256, "ec"), &claims())
}

pub(crate) fn audience() -> Audience {
    Audience::of(RESOURCE).unwrap()
}

/// An identity provider that answers from a table.
pub(crate) struct Provider {
    answers: Mutex<HashMap<String, Result<Fetched, FetchError>>>,
    asked: Mutex<Vec<String>>,
    posted: Mutex<Vec<Posted>>,
    gate: Semaphore,
}

/// A question with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) url: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

impl Provider {
    /// Serves the metadata of [`ISSUER`] and these keys.
    pub(crate) fn with(keys: &[Value]) -> Arc<Self> {
        let provider = Provider {
            answers: Mutex::default(),
            asked: Mutex::default(),
            posted: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        };
        let metadata = json!({"issuer": ISSUER, "jwks_uri": KEYS});
        provider.answer(METADATA, 200, &metadata.to_string());
        provider.publish(keys);
        Arc::new(provider)
    }

    /// One key of every kind.
    pub(crate) fn of_all_kinds() -> Arc<Self> {
        Provider::with(&[
            EC.public_jwk("ec"),
            ED.public_jwk("ed"),
            RSA.public_jwk("rsa"),
        ])
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        self.answer(KEYS, 200, &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn answer(&self, url: &str, status: u16, body: &str) {
        self.answer_with(url, status, body, None);
    }

    pub(crate) fn answer_with(&self, url: &str, status: u16, body: &str, max_age: Option<u64>) {
        let answer = Fetched {
            max_age,
            ..Fetched::of(status, body.to_owned())
        };
        self.answers
            .lock()
            .unwrap()
            .insert(url.to_owned(), Ok(answer));
    }

    /// Every question fails from now on.
    pub(crate) fn goes_down(&self) {
        for answer in self.answers.lock().unwrap().values_mut() {
            *answer = Err(FetchError::Unreachable("connection refused".to_owned()));
        }
    }

    /// Questions stay unanswered from now on.
    pub(crate) fn falls_silent(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// All questions are answered.
    pub(crate) fn speaks(&self) {
        self.gate.add_permits(1000);
    }

    /// How often this was asked for.
    pub(crate) fn asked_for(&self, url: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| *asked == url).count()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Every question with a body, in order.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap().clone()
    }
}

impl Fetch for Provider {
    fn send(&self, request: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        let url = request.url.to_string();
        self.asked.lock().unwrap().push(url.clone());
        if let Some(body) = &request.body {
            let header = |(name, _): &&(&str, _)| *name == "authorization";
            let authorization = request.headers.iter().find(header);
            self.posted.lock().unwrap().push(Posted {
                url: url.clone(),
                authorization: authorization
                    .map_or("", |(_, value)| value.as_str())
                    .to_owned(),
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
        }
        Box::pin(async move {
            let _spoken = self.gate.acquire().await.unwrap();
            let answers = self.answers.lock().unwrap();
            let missing = || Ok(Fetched::of(404, ""));
            answers.get(&url).cloned().unwrap_or_else(missing)
        })
    }
}

/// [`ISSUER`] with these changes to its rules.
pub(crate) fn issuers(provider: &Arc<Provider>, change: impl Fn(&mut IssuerRules)) -> Issuers {
    let mut rules = IssuerRules::new(ISSUER);
    change(&mut rules);
    Issuers::new(vec![rules], Arc::clone(provider) as Arc<dyn Fetch>).unwrap()
}

/// What becomes of a token in a fresh world with a key of every kind.
pub(crate) async fn verdict(token: &str) -> Result<Arc<Caller>, TokenError> {
    let provider = Provider::of_all_kinds();
    let issuers = issuers(&provider, |_| {});
    let verdict = issuers.verify(token, &audience(), NOW).await;
    for asked in provider.asked() {
        assert!(
            [METADATA, KEYS].contains(&asked.as_str()),
            "asked for `{asked}`"
        );
    }
    verdict
}

/// A development issuer, the world it is good in, and a token of it.
pub(crate) fn development() -> (DevelopmentIssuer, Arc<Provider>, Issuers, String) {
    let issuer = DevelopmentIssuer::generate("http://127.0.0.1:9000").unwrap();
    let provider = Provider::with(&[]);
    let metadata = "http://127.0.0.1:9000/.well-known/oauth-authorization-server";
    provider.answer(metadata, 200, &issuer.metadata_json());
    provider.answer(&issuer.jwks_url(), 200, &issuer.jwks_json());
    let rules = IssuerRules::new(issuer.issuer());
    let fetch = Arc::clone(&provider) as Arc<dyn Fetch>;
    let issuers = Issuers::new(vec![rules], fetch).unwrap();
    let claims = DevelopmentClaims {
        subject: "alice".to_owned(),
        audience: RESOURCE.to_owned(),
        client: Some("editor".to_owned()),
        token_id: Some("t-1".to_owned()),
        issued_at: NOW,
        lifetime_s: 60,
        ..DevelopmentClaims::default()
    };
    let token = issuer.mint(&claims).unwrap();
    (issuer, provider, issuers, token)
}
