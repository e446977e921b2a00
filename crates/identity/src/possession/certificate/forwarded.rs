//! A client certificate as a proxy in front tells of it, in one of three forms. A proxy is believed
//! because it was named and has shown who it is, which whoever calls this has made sure of; what it
//! says is read strictly all the same.

use super::{CERTIFICATE_MAX, Certificate};
use crate::possession::Thumbprint;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How a proxy writes the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `Client-Cert` of RFC 9440: DER in base64 between colons.
    ClientCert,
    /// `X-Forwarded-Client-Cert` of Envoy: `Hash=` and `Cert=` of one element.
    Envoy,
    /// PEM with percent escapes, as nginx has it in `$ssl_client_escaped_cert`.
    EscapedPem,
}

/// What a proxy says is not readable in its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header that tells of a client certificate cannot be read")]
pub struct ForwardedError;

/// The longest header value: each byte of a PEM text may be three.
const VALUE_MAX: usize = 6 * CERTIFICATE_MAX;

/// The certificate that the value of a header tells of.
pub fn forwarded(form: Form, value: &[u8]) -> Result<Certificate, ForwardedError> {
    let value = std::str::from_utf8(value).ok();
    let value = value.filter(|value| value.len() <= VALUE_MAX && value.is_ascii());
    let value = value.ok_or(ForwardedError)?.trim_matches([' ', '\t']);
    let found = match form {
        Form::ClientCert => item(value),
        Form::Envoy => element(value),
        Form::EscapedPem => escaped_pem(value),
    };
    found.ok_or(ForwardedError)
}

/// A byte sequence (RFC 8941, section 3.3.5) without parameters (RFC 9440, section 2.2).
fn item(value: &str) -> Option<Certificate> {
    let text = value.strip_prefix(':')?.strip_suffix(':')?;
    Certificate::read(&STANDARD.decode(text).ok()?)
}

/// The one element of Envoy's header. Several mean several proxies, and only one was named.
fn element(value: &str) -> Option<Certificate> {
    let mut hash: Option<Thumbprint> = None;
    let mut certificate: Option<Certificate> = None;
    let mut rest = value;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (text, after) = quoted_or_plain(after)?;
        match name.to_ascii_lowercase().as_str() {
            "hash" if hash.is_none() => hash = Some(Thumbprint::from_hex(text)?),
            "cert" if certificate.is_none() => certificate = Some(escaped_pem(text)?),
            "hash" | "cert" => return None,
            "by" | "chain" | "subject" | "uri" | "dns" => {}
            _ => return None,
        }
        match after.strip_prefix(';') {
            Some(after) => rest = after,
            None if after.is_empty() => break,
            None => return None,
        }
    }
    match (hash, certificate) {
        (Some(hash), Some(certificate)) if *certificate.thumbprint() != hash => None,
        (_, Some(certificate)) => Some(certificate),
        (Some(hash), None) => Some(Certificate::vouched(hash)),
        (None, None) => None,
    }
}

/// A value up to the end of its pair, and what follows. A backslash inside quotes takes the next
/// character as it is; what is quoted is never looked into beyond that.
fn quoted_or_plain(text: &str) -> Option<(&str, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return (!value.contains('"')).then_some((value, rest));
    };
    let mut escaped = false;
    let end = inside.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    let (value, rest) = inside.split_at_checked(end)?;
    Some((value, rest.strip_prefix('"')?))
}

/// One PEM certificate, percent escapes resolved.
fn escaped_pem(value: &str) -> Option<Certificate> {
    let mut pem = String::with_capacity(value.len());
    let mut parts = value.split('%');
    pem.push_str(parts.next()?);
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let byte = u8::from_str_radix(digits, 16).ok()?;
        pem.push(byte.is_ascii().then_some(char::from(byte))?);
        pem.push_str(rest);
    }
    let text = pem.trim_ascii();
    let text = text.strip_prefix("-----BEGIN CERTIFICATE-----")?;
    let text = text.strip_suffix("-----END CERTIFICATE-----")?;
    let lines = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r'));
    Certificate::read(&STANDARD.decode(lines.collect::<Vec<_>>()).ok()?)
}
