//! Reads a JSON object of tokens, key sets and metadata strictly: no member twice at any depth,
//! bounded depth, nothing behind the end. Two readers cannot see two different objects.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// How deep the documents of this crate may nest.
pub(crate) const DEPTH_MAX: u8 = 16;

/// The members of the object that is the whole of these bytes.
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: DEPTH_MAX }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: u8,
}

impl Strict {
    fn below<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Strict { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        Ok(Value::Number(
            number.ok_or_else(|| E::custom("a number that is not finite"))?,
        ))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(below)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(below)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, accepted: bool) {
        assert_eq!(object(text.as_bytes()).is_some(), accepted, "{text}");
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        check("{}", true);
        check(r#"{"a":1,"b":[true,null,"x",1.5,-2]}"#, true);
        check(r#" {"a":{"a":1}} "#, true);
        check(r#"{"a":1,"a":1}"#, false);
        check(r#"{"a":1,"\u0061":2}"#, false);
        check(r#"{"b":{"a":1,"a":2}}"#, false);
        check(r#"{"b":[{"a":1,"a":2}]}"#, false);
        check(r#"{"a":1}{"#, false);
        check(r#"{"a":1} x"#, false);
        check(r#"{"a":1,}"#, false);
        check(r#"{"a":"\ud800"}"#, false);
        check(r#"{"a":1e999}"#, false);
        check("[]", false);
        check("\"a\"", false);
        check("", false);
        check("\u{feff}{}", false);
    }

    #[test]
    fn refuses_invalid_utf_8() {
        assert!(object(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn refuses_nesting_over_the_limit() {
        let nested =
            |depth: usize| format!("{}{}{}", r#"{"a":"#.repeat(depth), "1", "}".repeat(depth));
        check(&nested(usize::from(DEPTH_MAX)), true);
        check(&nested(usize::from(DEPTH_MAX) + 1), false);
        check(&format!("{{\"a\":{}", "[".repeat(100_000)), false);
    }
}
