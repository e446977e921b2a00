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
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The SHA-256 of these bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    // INVARIANT: SHA-256 has 32 bytes; the fallback is never taken.
    digest.as_ref().try_into().unwrap_or_default()
}
