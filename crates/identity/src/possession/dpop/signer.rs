//! Proofs of our own, for servers and token endpoints that want them. The key is ours alone: it
//! was made here or read from where it was kept, and no proof carries more than its public half.

use super::PROOF_TYPE;
use crate::signing::{SigningError, SigningKey};
use crate::{base64url, caller, session_id};
use serde_json::{Map, Value, json};
use url::Url;
use zeroize::Zeroizing;

/// Makes proofs with one ES256 key (RFC 9449, section 4.2).
#[derive(Debug)]
pub struct Signer {
    key: SigningKey,
    header: String,
}

impl Signer {
    /// A signer with a new key, from the operating system's random bits.
    pub fn generate() -> Result<Self, SigningError> {
        SigningKey::generate().map(Signer::with)
    }

    /// A signer with a key that was kept.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, SigningError> {
        SigningKey::from_pkcs8(document).map(Signer::with)
    }

    /// The key, to be kept. Wiped when dropped.
    pub fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        self.key.pkcs8()
    }

    /// `cnf.jkt` of the tokens that are bound to this key, and `dpop_jkt` of a request for one
    /// (sections 6.1 and 10).
    pub fn thumbprint(&self) -> &str {
        self.key.thumbprint()
    }

    /// The public half of the key.
    pub fn public_jwk(&self) -> Value {
        self.key.public_jwk()
    }

    /// The value of the `DPoP` header of one request: good for this method, this URL without its
    /// query and fragment, and this time in unix seconds; with a token, for that token only; with
    /// the nonce that the other side asked for. No two proofs are the same.
    pub fn proof(
        &self,
        method: &str,
        url: &Url,
        now: u64,
        token: Option<&str>,
        nonce: Option<&str>,
    ) -> Result<String, SigningError> {
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let mut claims = Map::new();
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        let unique = session_id().map_err(|_no_entropy| SigningError::Signing)?;
        say("jti", json!(unique));
        say("htm", json!(method));
        say("htu", json!(target.as_str()));
        say("iat", json!(now));
        if let Some(token) = token {
            say(
                "ath",
                json!(base64url::encode(&caller::token_digest(token))),
            );
        }
        if let Some(nonce) = nonce {
            say("nonce", json!(nonce));
        }
        self.key
            .sign(&self.header, &Value::Object(claims).to_string())
    }

    fn with(key: SigningKey) -> Self {
        let header = json!({"typ": PROOF_TYPE, "alg": "ES256", "jwk": key.public_jwk()});
        Signer {
            key,
            header: header.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members;

    const NOW: u64 = 1_800_000_000;

    /// The header and the claims of a proof, and whether the key in it signed them.
    fn read(proof: &str) -> (Value, Value) {
        let (signed, signature) = proof.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let part = |text| members::object(&base64url::decode(text).unwrap()).unwrap();
        let (header, claims) = (part(header), part(claims));
        let keys = json!({ "keys": [header["jwk"]] }).to_string();
        let keys = crate::keys::KeySet::parse(keys.as_bytes()).unwrap();
        let key = keys.pick(None, crate::Algorithm::Es256).unwrap();
        let signature = base64url::decode(signature).unwrap();
        assert!(key.verifies(signed.as_bytes(), &signature));
        (Value::Object(header), Value::Object(claims))
    }

    #[test]
    fn n7_4_a_proof_of_ours_names_the_request_and_the_token() {
        let signer = Signer::generate().unwrap();
        let url = Url::parse("HTTPS://Mcp.Example.com:443/a/b?q=1#f").unwrap();
        let proof = signer
            .proof("POST", &url, NOW, Some("a.b.c"), Some("n-1"))
            .unwrap();
        let (header, claims) = read(&proof);
        let expected = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": signer.public_jwk()});
        assert_eq!(header, expected);
        assert_eq!(claims["htm"], "POST");
        assert_eq!(claims["htu"], "https://mcp.example.com/a/b");
        assert_eq!(claims["iat"], NOW);
        assert_eq!(claims["nonce"], "n-1");
        // SHA-256 of `a.b.c`, computed elsewhere.
        assert_eq!(claims["ath"], "hF4wRIgJ4ryJWOsCW_x5UjXROwd6U9DDq70jhRcNybg");
        let bare = signer.proof("GET", &url, NOW, None, None).unwrap();
        let (_, bare) = read(&bare);
        assert!(bare.get("ath").is_none() && bare.get("nonce").is_none());
        assert_ne!(bare["jti"], claims["jti"]);
    }

    #[test]
    fn n7_4_a_kept_key_keeps_its_thumbprint_and_is_never_shown() {
        let first = Signer::generate().unwrap();
        let kept = first.pkcs8().unwrap();
        let second = Signer::from_pkcs8(&kept).unwrap();
        assert_eq!(first.thumbprint(), second.thumbprint());
        assert_ne!(first.thumbprint(), Signer::generate().unwrap().thumbprint());
        assert_eq!(first.thumbprint().len(), 43);
        assert_eq!(Signer::from_pkcs8(b"no key").err(), Some(SigningError::Key));
        assert_eq!(first.public_jwk().as_object().unwrap().len(), 4);
        assert!(!format!("{first:?}").contains("Ecdsa"));
    }
}
