//! The name of a public key (RFC 7638): a hash over exactly the members that make the key, so that
//! whatever else a JWK says, and however it spells it, one key has one name.

use crate::base64url;
use aws_lc_rs::digest;

/// The thumbprint of a P-256 key with these coordinates, spelt as base64url.
pub(crate) fn of_p256(x: &str, y: &str) -> String {
    of(&format!(
        r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#
    ))
}

/// The members in the order of their names and without a space (section 3).
fn of(members: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, members.as_bytes()).as_ref())
}
