//! What several fuzz targets share: the same value seen through our reader and through the oracle,
//! and a stream cut into pieces. Never part of the product.

use bytes::Bytes;
use ringwall_protocol::{Kind, Value};

/// The value as the oracle would have read it, rebuilt through every view our reader offers.
pub fn rebuilt(value: Value<'_>) -> serde_json::Value {
    match value.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::Boolean => value.boolean().expect("a boolean").into(),
        Kind::Number => match value.integer() {
            // The oracle keeps the sign of -0 by reading a fraction.
            Some(0) if value.raw().len() > 1 => (-0.0).into(),
            Some(integer) => integer.into(),
            None => value.number().expect("a number").into(),
        },
        Kind::String => value.text().expect("a text").into(),
        Kind::Array => value.elements().map(rebuilt).collect(),
        Kind::Object => value
            .members()
            .map(|(key, value)| (key.decoded().into_owned(), rebuilt(value)))
            .collect(),
    }
}

/// Cuts the input into pieces whose sizes follow from its first byte.
pub fn pieces(data: &[u8]) -> (Vec<Bytes>, Bytes) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let whole = Bytes::copy_from_slice(rest);
    let mut pieces = Vec::new();
    let mut left = whole.clone();
    let mut size = usize::from(*first) % 19 + 1;
    while !left.is_empty() {
        pieces.push(left.split_to(size.min(left.len())));
        size = size * 7 % 23 + 1;
    }
    (pieces, whole)
}
