//! A compact JWS (RFC 7515, section 7.1) taken apart: three parts, each in its one spelling. What
//! they say, and whether the signature is right, is for whoever asked to find out.

use crate::base64url;

/// The parts of a compact JWS that nobody has looked into.
pub(crate) struct Compact<'a> {
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    /// The bytes that were signed.
    pub(crate) signed: &'a str,
    /// Empty if there is none.
    pub(crate) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a text apart, or says what it lacks. Linear in its size, which the caller has bounded.
    pub(crate) fn split(text: &'a str) -> Result<Self, &'static str> {
        let parts = "not three parts";
        let (signed, signature) = text.rsplit_once('.').ok_or(parts)?;
        let (header, payload) = signed.split_once('.').ok_or(parts)?;
        if payload.contains('.') {
            return Err(parts);
        }
        let decoded = |part| base64url::decode(part).ok_or("not base64url");
        Ok(Compact {
            header: decoded(header)?,
            payload: decoded(payload)?,
            signature: decoded(signature)?,
            signed,
        })
    }
}
