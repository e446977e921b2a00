//! The hash that links one line to the next, kept as the 64 lower-case digits that stand in the
//! file, so that comparing with the file is comparing bytes.

use aws_lc_rs::digest::{Context, SHA256};
use std::fmt;

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// A SHA-256 as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hash([u8; 64]);

impl Hash {
    /// What the first line of a ledger names as the line before it.
    pub(crate) const NONE: Hash = Hash([b'0'; 64]);

    /// The hash over these parts, one after the other.
    pub(crate) fn over(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        let mut digits = [0u8; 64];
        write_digits(context.finish().as_ref(), &mut digits);
        Self(digits)
    }

    pub(crate) fn from_digits(digits: [u8; 64]) -> Self {
        Self(digits)
    }

    pub(crate) fn digits(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let mut digits = vec![0u8; bytes.len().saturating_mul(2)];
    write_digits(bytes, &mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

/// The bytes of lower-case hexadecimal digits; upper case is refused, so that a byte string has
/// one spelling only.
pub(crate) fn from_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != N.checked_mul(2)? {
        return None;
    }
    let mut bytes = [0u8; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = value_of(*high)? << 4 | value_of(*low)?;
    }
    Some(bytes)
}

fn write_digits(bytes: &[u8], digits: &mut [u8]) {
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble & 15))
            .copied()
            .unwrap_or(b'0')
    };
    for (byte, pair) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
        if let [high, low] = pair {
            *high = digit(byte >> 4);
            *low = digit(*byte);
        }
    }
}

fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
