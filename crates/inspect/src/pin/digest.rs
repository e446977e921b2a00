//! The digest of a definition: SHA-256 over its RFC 8785 form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

const PREFIX: &str = "sha256:";

/// A SHA-256 digest, written `sha256:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a digest is written `sha256:` and 64 lower-case hex digits")]
pub struct DigestError;

/// The digest of a whole definition, the same for every spelling of the same JSON.
pub fn digest(definition: &Value) -> Digest {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(&canonical(definition));
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    Digest(bytes)
}

/// The bytes that every spelling of the same JSON has in common (RFC 8785).
///
/// It can write everything a `Value` can hold. Should that ever fail, the value as it stands is taken, under a
/// mark that no JSON begins with: what may differ too often, and is never the same for two values.
pub(super) fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| format!("!{value}").into_bytes())
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let hex = text.strip_prefix(PREFIX).ok_or(DigestError)?.as_bytes();
        if hex.len() != 64 {
            return Err(DigestError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            for digit in pair {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return Err(DigestError),
                };
                *byte = (*byte << 4) | value;
            }
        }
        Ok(Digest(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, json};

    #[test]
    fn n9_2_a_pin_is_the_known_digest_of_the_canonical_form() {
        // The empty object is its own canonical form.
        let expected = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(digest(&json!({})).to_string(), expected);
        assert_eq!(
            digest(&json!({ "b": 1.0, "a": 1e0 })),
            digest(&json!({ "a": 1, "b": 1 }))
        );
        let one: Value = serde_json::from_str(r#"{"a":"\u00e9","b":[1e2]}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{ "b": [100], "a": "é" }"#).unwrap();
        assert_eq!(digest(&one), digest(&other));
    }

    #[test]
    fn n9_2_every_field_of_a_definition_is_pinned() {
        let tool = json!({ "name": "a", "description": "b", "inputSchema": { "type": "object" },
            "annotations": { "readOnlyHint": true }, "_meta": { "x": [1, null] } });
        for (pointer, value) in [
            ("/name", json!("A")),
            ("/description", json!("b ")),
            ("/inputSchema/type", json!("array")),
            ("/annotations/readOnlyHint", json!(false)),
            ("/_meta/x/1", json!(0)),
        ] {
            let mut changed = tool.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            assert_ne!(digest(&tool), digest(&changed), "{pointer}");
        }
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let pin = digest(&json!({ "name": "a" }));
        assert_eq!(pin.to_string().parse(), Ok(pin));
        assert_eq!(serde_json::from_value::<Digest>(json!(pin)).unwrap(), pin);
        let hex = "ab".repeat(32);
        for text in [
            String::new(),
            hex.clone(),
            format!("sha256:{}", hex.to_uppercase()),
            format!("sha256:{hex}0"),
            format!("sha512:{hex}"),
            format!("sha256:{}", "é".repeat(32)),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError), "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(1i64 << 53)..(1i64 << 53)).prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((".{0,6}", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(reversed).collect(),
            Value::Object(members) => {
                let turned: Map<String, Value> = members
                    .iter()
                    .rev()
                    .map(|(key, value)| (key.clone(), reversed(value)))
                    .collect();
                Value::Object(turned)
            }
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn the_order_of_members_never_matters(value in any_json()) {
            prop_assert_eq!(digest(&value), digest(&reversed(&value)));
            prop_assert_eq!(super::super::diff(&value, &reversed(&value)), vec![]);
        }

        #[test]
        fn what_has_a_difference_has_another_pin(one in any_json(), other in any_json()) {
            let same = digest(&one) == digest(&other);
            prop_assert_eq!(same, super::super::diff(&one, &other).is_empty());
        }
    }
}
