//! What the token maker and the load generator share: base64url, and keys that sign proofs of possession
//! (DPoP, RFC 9449). The keys are thrown away after a run.
use aws_lc_rs::digest::{digest, SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair, ECDSA_P256_SHA256_FIXED_SIGNING};
use std::cell::{Cell, RefCell};
use std::time::{SystemTime, UNIX_EPOCH};

/// Base64url without padding.
pub fn b64(b: &[u8]) -> String {
    const T: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut s = String::with_capacity(b.len().div_ceil(3) * 4);
    for c in b.chunks(3) {
        let n = (c[0] as u32) << 16 | (*c.get(1).unwrap_or(&0) as u32) << 8 | *c.get(2).unwrap_or(&0) as u32;
        for i in 0..=c.len() {
            s.push(T[(n >> (18 - 6 * i) & 63) as usize] as char);
        }
    }
    s
}

/// A new ES256 key, as PKCS #8.
pub fn new_key() -> Vec<u8> {
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap().as_ref().to_vec()
}

/// Whoever holds a key that tokens are bound to, and signs a fresh proof for each call.
pub struct Holder {
    key: EcdsaKeyPair,
    rng: SystemRandom,
    head: String,
    jwk: String,
    run: u64,
    count: Cell<u64>,
    nonce: RefCell<String>,
}

impl Holder {
    /// The holder of this PKCS #8 key.
    pub fn of(pkcs8: &[u8]) -> Self {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).expect("an ES256 key");
        let p = key.public_key().as_ref();
        let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, b64(&p[1..33]), b64(&p[33..]));
        let head = b64(format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#).as_bytes());
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Holder { key, rng: SystemRandom::new(), head, jwk, run: since.as_nanos() as u64, count: Cell::new(0), nonce: RefCell::default() }
    }
    /// `jkt` of tokens that are bound to the key.
    pub fn thumbprint(&self) -> String {
        b64(digest(&SHA256, self.jwk.as_bytes()).as_ref())
    }
    /// The nonce for the proofs to come; false if it is the one of before.
    pub fn use_nonce(&self, nonce: String) -> bool {
        self.nonce.replace(nonce) != *self.nonce.borrow()
    }
    /// A proof for one POST to this address with this token.
    pub fn proof(&self, url: &str, token: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.count.set(self.count.get() + 1);
        let mut said = format!(
            r#"{{"jti":"{:x}-{:x}","htm":"POST","htu":"{url}","iat":{now},"ath":"{}""#,
            self.run, self.count.get(), b64(digest(&SHA256, token.as_bytes()).as_ref())
        );
        let nonce = self.nonce.borrow();
        if !nonce.is_empty() {
            said += &format!(r#","nonce":"{nonce}""#);
        }
        said.push('}');
        let mut proof = format!("{}.{}", self.head, b64(said.as_bytes()));
        let signature = self.key.sign(&self.rng, proof.as_bytes()).unwrap();
        proof.push('.');
        proof += &b64(signature.as_ref());
        proof
    }
}
