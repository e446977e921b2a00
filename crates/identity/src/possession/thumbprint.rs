//! The names of keys and certificates: a SHA-256 over exactly what makes a public key (RFC 7638), or
//! over a whole certificate (RFC 8705, section 3.1). Whatever else a JWK says, and however it spells
//! it, one key has one name.

use crate::audience::sha_256;
use crate::base64url;
use aws_lc_rs::digest;
use serde_json::{Map, Value};
use std::fmt;

/// The name of a key or of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The thumbprint that this text spells: base64url without padding, of 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base64url::decode(text)?;
        bytes.try_into().ok().map(Thumbprint)
    }

    /// The thumbprint that these hexadecimal digits spell; colons between bytes are let pass, since
    /// tools that print certificates put them there.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut digits = text.bytes().filter(|byte| *byte != b':');
        let mut bytes = [0u8; 32];
        for byte in &mut bytes {
            let mut nibble = || char::from(digits.next()?).to_digit(16);
            let (high, low) = (nibble()?, nibble()?);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        digits.next().is_none().then_some(Thumbprint(bytes))
    }

    /// Of a certificate, in DER form.
    pub(crate) fn of_certificate(der: &[u8]) -> Self {
        Thumbprint::over(der)
    }

    /// Of a public key, by the members RFC 7638 (section 3.2) and RFC 8037 (section 2) name for its
    /// kind, in the order of their names. INVARIANT: the key was read, so these members are base64url
    /// and registered words, in which there is nothing to escape.
    pub(crate) fn of_key(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name| jwk.get(name).and_then(Value::as_str);
        let names: &[&str] = match text("kty")? {
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            "RSA" => &["e", "kty", "n"],
            _ => return None,
        };
        let mut members = String::with_capacity(160);
        for name in names {
            members.push_str(if members.is_empty() { "{\"" } else { ",\"" });
            for part in [name, "\":\"", text(name)?, "\""] {
                members.push_str(part);
            }
        }
        members.push('}');
        Some(Thumbprint::over(members.as_bytes()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn over(bytes: &[u8]) -> Self {
        Thumbprint(sha_256(digest::digest(&digest::SHA256, bytes).as_ref()))
    }
}

/// As JOSE writes it.
impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

/// The thumbprint of a P-256 key with these coordinates, spelt as base64url.
pub(crate) fn of_p256(x: &str, y: &str) -> String {
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Thumbprint::over(members.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{EC, ED, RSA};
    use serde_json::json;

    fn of(jwk: &Value) -> Option<String> {
        Thumbprint::of_key(jwk.as_object().unwrap()).map(|it| it.to_string())
    }

    /// The examples of RFC 7638 (section 3.1), RFC 8037 (appendix A.3) and RFC 9449 (section 6.1).
    #[test]
    fn n7_4_thumbprints_are_those_of_the_standards() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\
                 oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65\
                 YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyr\
                 dkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK\
                 nqDKgw";
        let rsa = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
        assert_eq!(
            of(&rsa).as_deref(),
            Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        );
        let okp = json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        assert_eq!(
            of(&okp).as_deref(),
            Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        );
        let (x, y) = (
            "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        );
        let ec = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
        let expected = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        assert_eq!(of(&ec).as_deref(), Some(expected));
        assert_eq!(of_p256(x, y), expected);
    }

    #[test]
    fn n7_4_a_thumbprint_knows_nothing_but_the_key() {
        for signer in [&*EC, &*ED, &*RSA] {
            let named = signer.public_jwk("a");
            let mut other = signer.public_jwk("b");
            other["alg"] = json!("x");
            other["x5t"] = json!("y");
            assert_eq!(of(&named), of(&other));
        }
        assert_ne!(of(&EC.public_jwk("a")), of(&ED.public_jwk("a")));
        for broken in [
            json!({}),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "EC", "crv": "P-256", "x": "a"}),
            json!({"kty": "RSA", "e": "AQAB", "n": 1}),
        ] {
            assert_eq!(of(&broken), None, "{broken}");
        }
    }

    #[test]
    fn a_thumbprint_has_one_spelling_of_each_kind() {
        let text = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        let thumbprint = Thumbprint::parse(text).unwrap();
        assert_eq!(thumbprint.to_string(), text);
        let hex = thumbprint.as_bytes().map(|byte| format!("{byte:02x}"));
        assert_eq!(Thumbprint::from_hex(&hex.concat()), Some(thumbprint));
        let upper = hex.join(":").to_ascii_uppercase();
        assert_eq!(Thumbprint::from_hex(&upper), Some(thumbprint));
        for text in [
            "",
            "AAAA",
            &format!("{text}="),
            &format!("{text}A"),
            &hex.concat(),
        ] {
            assert_eq!(Thumbprint::parse(text), None, "{text}");
        }
        let hex = hex.concat();
        for hex in [
            "",
            hex.get(1..).unwrap(),
            hex.get(2..).unwrap(),
            &format!("{hex}0"),
            &hex.replacen('9', "x", 1),
        ] {
            assert_eq!(Thumbprint::from_hex(hex), None, "{hex}");
        }
    }
}
