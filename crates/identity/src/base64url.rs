//! Base64url as JOSE writes it: no padding, no whitespace, no other alphabet, no stray bits. One
//! value has one spelling, so a token cannot be respelt to slip past a list of revoked ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes, if this is their one spelling.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The one spelling of these bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_the_one_spelling_of_a_value() {
        let check = |text: &str, expected: Option<&[u8]>| {
            assert_eq!(decode(text).as_deref(), expected, "`{text}`");
        };
        check("", Some(b""));
        check("Zm9v", Some(b"foo"));
        check("-_-_", Some(&[0xfb, 0xff, 0xbf]));
        check("Zg", Some(b"f"));
        check("Zh", None); // the same byte with stray bits
        check("Zg==", None);
        check("Zg=", None);
        check("Z", None);
        check("Zm9v\n", None);
        check(" Zm9v", None);
        check("Zm 9v", None);
        check("+/+/", None);
        check("Zm9v\0", None);
    }
}
