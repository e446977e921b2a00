//! The token reader: never breaks, and never reads a token that could be read in two ways.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwall_identity::token::{TOKEN_MAX, Unverified};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(token) = Unverified::parse(text) else {
        return;
    };
    assert!(text.len() <= TOKEN_MAX);
    assert_eq!(text.bytes().filter(|byte| *byte == b'.').count(), 2);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    assert!(
        text.bytes().all(allowed),
        "a character outside base64url was passed over"
    );
    // Nothing of the token is shown where it could be logged.
    let shown = format!("{token:?}");
    let signature = text.rsplit('.').next().unwrap_or_default();
    assert!(signature.len() < 24 || !shown.contains(signature));
});
