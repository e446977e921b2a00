//! Small words used in several rooms: a lock that is held for a few instructions and never across
//! an await, and bytes as hexadecimal text.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes the lock. A thread that panicked while holding it left plain data behind, never a
/// half-made decision, so the data is used on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes as lowercase hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| match nibble {
        0..=9 => char::from(b'0' + nibble),
        _ => char::from(b'a' + nibble - 10),
    };
    // Two digests of every call are written down, so this is not left to `fmt`.
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// The SHA-256 of these bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    // INVARIANT: SHA-256 has 32 bytes; the fallback is never taken.
    digest.as_ref().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_two_lowercase_digits_each() {
        let all: Vec<u8> = (0..=255).collect();
        let expected: Vec<String> = all.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex(&all), expected.concat());
        assert_eq!(hex(&[]), "");
    }
}
