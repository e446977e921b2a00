//! Checks of keys, tokens and passwords.

use super::code;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The digits of base 62, as GitHub and npm write checksums with them.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Prefix, 30 random characters, then their CRC-32 in six digits of base 62.
pub(super) fn github_crc(token: &str) -> bool {
    let Some((_, body)) = token.rsplit_once('_') else {
        return false;
    };
    let Some((random, sum)) = body.split_at_checked(30) else {
        return false;
    };
    let mut left = crc32(random.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(left % 62).unwrap_or(0);
        *digit = BASE62.get(index).copied().unwrap_or(b'0');
        left /= 62;
    }
    sum.as_bytes() == digits
}

/// CRC-32 as of IEEE 802.3. Tokens are short: bit by bit is fast enough.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc >>= 1;
            if low == 1 {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

/// An age identity: Bech32 (BIP 173) in upper case, with its checksum.
pub(super) fn age_key(key: &str) -> bool {
    const ALPHABET: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let lower = key.to_ascii_lowercase();
    let Some((human, data)) = lower.rsplit_once('1') else {
        return false;
    };
    let step = |sum: u32, value: u32| -> u32 {
        let top = sum >> 25;
        let mut next = ((sum & 0x01ff_ffff) << 5) ^ value;
        for (bit, term) in GENERATOR.iter().enumerate() {
            if (top >> bit) & 1 == 1 {
                next ^= term;
            }
        }
        next
    };
    let mut sum = human
        .bytes()
        .fold(1, |sum, byte| step(sum, u32::from(byte) >> 5));
    sum = step(sum, 0);
    sum = human
        .bytes()
        .fold(sum, |sum, byte| step(sum, u32::from(byte) & 31));
    for letter in data.chars() {
        let Some(value) = ALPHABET.find(letter).and_then(|it| u32::try_from(it).ok()) else {
            return false;
        };
        sum = step(sum, value);
    }
    sum == 1
}

/// A JSON Web Token (RFC 7519, RFC 7515): its header is JSON and names an algorithm.
pub(super) fn jwt(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let Ok(header) = URL_SAFE_NO_PAD.decode(header) else {
        return false;
    };
    let Ok(header) = serde_json::from_slice::<serde_json::Value>(&header) else {
        return false;
    };
    header.get("alg").is_some_and(serde_json::Value::is_string)
}

/// Base64 of `user:password`, as HTTP Basic (RFC 7617) and Docker's files have it.
pub(super) fn base64_credentials(text: &str) -> bool {
    let trimmed = text.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD
        .decode(trimmed)
        .or_else(|_| STANDARD.decode(text));
    let Ok(decoded) = decoded else {
        return false;
    };
    let printable = decoded
        .iter()
        .all(|byte| matches!(byte, 0x20..=0x7e | 0x80..));
    let parts = decoded.iter().position(|byte| *byte == b':');
    printable && parts.is_some_and(|at| at > 0 && at + 1 < decoded.len())
}

/// A private key in PEM (RFC 7468): between the lines is base64 of some length, not words or dots.
pub(super) fn pem(text: &str) -> bool {
    let body = text.split("-----").nth(2).unwrap_or_default();
    let letters = body
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        .count();
    letters >= 40 && !body.contains("...") && super::entropy(body) > 3.5
}

/// The password in a URL: somebody's own, not the name of a variable.
pub(super) fn url_password(password: &str) -> bool {
    const WORDS: [&str; 8] = [
        "password", "pass", "passwd", "pwd", "secret", "port", "user", "token",
    ];
    let bytes = password.as_bytes();
    let opens = bytes.first().is_some_and(|byte| b"$<{[%*".contains(byte));
    let plain = WORDS.iter().any(|it| password.eq_ignore_ascii_case(it));
    !opens && !plain && password.len() >= 3
}

/// A value that only a machine writes: letters and digits among each other, not a path, a call or
/// a name of words.
pub(super) fn mixed(value: &str) -> bool {
    let has = |of: fn(&u8) -> bool| value.as_bytes().iter().any(of);
    let hash = matches!(value.len(), 40 | 64) && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !hash
        && !holds(value, b"://")
        && !holds(value, b"${")
        && !begins(value, b"/.$<%{")
        && !code::is_name(value)
}

/// A value that somebody chose: not a word of a form, nor the name of a variable, a type or a constant, nor
/// an expression. An example is none either, which is asked where the place is known.
pub(super) fn password(value: &str) -> bool {
    let value = value.trim_matches('"');
    let strong = value
        .bytes()
        .any(|byte| byte.is_ascii_digit() || byte.is_ascii_punctuation());
    let identifier = value
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'.');
    !begins(value, b"/.$<%{[(&*")
        && strong
        && !identifier
        && !holds(value, b"://")
        && !code::is_constant(value)
        && !code::is_expression(value)
}

/// What a member that is called a password holds: not where something lies, as the working directory is called
/// `PWD`.
pub(super) fn not_path(value: &str) -> bool {
    !code::is_path(value)
}

/// What a member that is called a key holds: not where it lies, nor what it is called.
pub(super) fn not_named(value: &str) -> bool {
    !code::is_path(value) && !code::is_file(value) && !code::is_constant(value)
}

/// Whether a value begins with one of these signs.
fn begins(value: &str, signs: &[u8]) -> bool {
    let first = value.as_bytes().first();
    first.is_some_and(|first| signs.contains(first))
}

/// Whether some signs are in a value: they are few, and values are short.
fn holds(value: &str, signs: &[u8]) -> bool {
    value.as_bytes().windows(signs.len()).any(|it| it == signs)
}

/// An address of the Internet: not private, not for documentation, not a version, as which four numbers
/// of one digit are read more often.
pub(super) fn ipv4_public(text: &str) -> bool {
    if text.bytes().filter(u8::is_ascii_digit).count() < 6 {
        return false;
    }
    let Ok(address) = text.parse::<std::net::Ipv4Addr>() else {
        return false;
    };
    let [first, ..] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_unspecified()
        || !(5..240).contains(&first))
}

/// An address of the Internet: global unicast (RFC 4291), and none of those that are for documentation
/// (RFC 3849, RFC 9637), for measurements (RFC 5180) or that lead to nobody (RFC 4843, RFC 7343).
pub(super) fn ipv6_public(text: &str) -> bool {
    let Ok(address) = text.parse::<std::net::Ipv6Addr>() else {
        return false;
    };
    let [first, second, third, ..] = address.segments();
    let is_special = match (first, second) {
        (0x2001, 0x0db8) => true,
        (0x2001, 0x0002) => third == 0,
        (0x2001, second) => matches!(second, 0x0010..=0x002f),
        (0x3fff, second) => second < 0x1000,
        _ => false,
    };
    first & 0xe000 == 0x2000 && !is_special
}

/// An address of somebody: not how repositories are named, not a file for denser screens.
pub(super) fn email(text: &str) -> bool {
    const FILES: [&str; 12] = [
        "css", "gif", "html", "jpeg", "jpg", "js", "json", "png", "svg", "ts", "webp", "xml",
    ];
    let local = text.split('@').next().unwrap_or_default();
    let last = text.rsplit('.').next().unwrap_or_default();
    !matches!(local, "git" | "hg") && !local.starts_with('.') && !FILES.contains(&last)
}
