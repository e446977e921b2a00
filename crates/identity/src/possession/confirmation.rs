//! What a token says it is bound to (`cnf`, RFC 7800): a key that signs proofs (RFC 9449, section
//! 6.1), a certificate (RFC 8705, section 3.1), or both. A way of binding that is not known here is
//! an error, never no binding.

use super::Thumbprint;
use crate::TokenError;
use serde_json::{Map, Value};

/// What whoever brings a token has to hold. Both, if both are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Confirmation {
    /// The key that signs a proof for each request (`jkt`).
    pub key: Option<Thumbprint>,
    /// The certificate of the connection (`x5t#S256`).
    pub certificate: Option<Thumbprint>,
}

/// Stands for whoever holds what a token is bound to, wherever something is kept for them alone.
pub type Holder = [u8; 65];

impl Confirmation {
    /// What these claims are bound to; nothing, if there is no `cnf` in them.
    pub fn of(claims: &Map<String, Value>) -> Result<Self, TokenError> {
        let Some(claim) = claims.get("cnf") else {
            return Ok(Confirmation::default());
        };
        let members = claim.as_object().filter(|members| !members.is_empty());
        let mut found = Confirmation::default();
        for (name, value) in members.ok_or(TokenError::Confirmation)? {
            let place = match name.as_str() {
                "jkt" => &mut found.key,
                "x5t#S256" => &mut found.certificate,
                _ => return Err(TokenError::Confirmation),
            };
            let thumbprint = value.as_str().and_then(Thumbprint::parse);
            *place = Some(thumbprint.ok_or(TokenError::Confirmation)?);
        }
        Ok(found)
    }

    /// Whether anybody may bring it.
    pub fn is_none(&self) -> bool {
        *self == Confirmation::default()
    }

    /// The bytes that stand for it wherever something is bound to the same holder; none if it is
    /// bound to nothing.
    pub fn holder(&self) -> Option<Holder> {
        if self.is_none() {
            return None;
        }
        let (key, certificate) = (self.key.as_ref(), self.certificate.as_ref());
        let kinds = u8::from(key.is_some()) | u8::from(certificate.is_some()) << 1;
        let empty = [0; 32];
        let parts = [key, certificate].map(|it| it.map_or(&empty, Thumbprint::as_bytes));
        let mut bytes = [kinds; 65];
        let places = bytes.iter_mut().skip(1);
        for (place, byte) in places.zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const A: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    const B: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

    fn read(claims: Value) -> Result<Confirmation, TokenError> {
        Confirmation::of(claims.as_object().unwrap())
    }

    #[test]
    fn n7_4_a_binding_that_is_not_known_is_an_error() {
        let (a, b) = (Thumbprint::parse(A), Thumbprint::parse(B));
        let check = |claims: Value, key, certificate| {
            let expected = Confirmation { key, certificate };
            assert_eq!(read(claims.clone()), Ok(expected), "{claims}");
        };
        check(json!({}), None, None);
        check(json!({"cnf": {"jkt": A}}), a, None);
        check(json!({"cnf": {"x5t#S256": B}}), None, b);
        check(json!({"cnf": {"jkt": A, "x5t#S256": B}}), a, b);
        for other in [
            json!({"cnf": {}}),
            json!({"cnf": null}),
            json!({"cnf": A}),
            json!({"cnf": [A]}),
            json!({"cnf": {"jkt": null}}),
            json!({"cnf": {"jkt": ""}}),
            json!({"cnf": {"jkt": format!("{A}=")}}),
            json!({"cnf": {"JKT": A}}),
            json!({"cnf": {"x5t": B}}),
            json!({"cnf": {"kid": "a"}}),
            json!({"cnf": {"jwk": {"kty": "EC"}}}),
            json!({"cnf": {"jku": "https://keys.example"}}),
            json!({"cnf": {"jkt": A, "kid": "a"}}),
        ] {
            assert_eq!(
                read(other.clone()),
                Err(TokenError::Confirmation),
                "{other}"
            );
        }
    }

    #[test]
    fn n7_4_holders_differ_if_anything_they_hold_differs() {
        let holders = [
            json!({}),
            json!({"cnf": {"jkt": A}}),
            json!({"cnf": {"jkt": B}}),
            json!({"cnf": {"x5t#S256": A}}),
            json!({"cnf": {"x5t#S256": B}}),
            json!({"cnf": {"jkt": A, "x5t#S256": B}}),
            json!({"cnf": {"jkt": B, "x5t#S256": A}}),
        ];
        let holders = holders.map(|claims| read(claims).unwrap().holder());
        let distinct: std::collections::HashSet<_> = holders.iter().collect();
        assert_eq!(distinct.len(), holders.len());
        assert!(holders[0].is_none());
    }
}
